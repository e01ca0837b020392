// The settings, and the control API over all channels.
#include "adapters/sandbox/playground.hpp"

#include "tests/unit/adapters/sandbox/scripted_esme.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace touchgate::sandbox::test;

namespace {

Settings settings_of(const std::string& json) {
    std::vector<Problem> problems;
    auto settings = read_settings(parse_json(json).value(), "/sandbox", problems);
    for (const auto& problem : problems) FAIL(problem.pointer << ": " << problem.detail);
    return settings;
}

struct World {
    Playground playground{settings_of(R"({"seed": 3, "smsc": {"listen": "127.0.0.1:0", "users": {"tg": "password"}},
                                          "aliyun": {"listen": "127.0.0.1:0", "keys": {"KEY": "secret"}, "mo_url": "http://127.0.0.1:1/x"},
                                          "behaviour": {"smsc": {"receipt_delay": "PT0S"}}})")};
    Now now{.monotonic = 1s, .wall = parse_instant("2026-11-23T02:00:00Z").value()};

    HttpReply call(const std::string& method, const std::string& target, const std::string& body = {}) {
        return playground.control({.method = method, .target = target, .headers = {}, .body = body}, now);
    }
    Json get(const std::string& target) { return parse_json(call("GET", target).body).value(); }
    void say(std::string_view stream) { playground.smsc()->on_bytes(1, stream, now); }
    void bound() {
        playground.smsc()->on_connect(1, now);
        say(bind());
    }
};

}  // namespace

TEST_CASE("settings: every mistake is named by its pointer", "[sandbox]") {
    std::vector<Problem> problems;
    static_cast<void>(read_settings(parse_json(R"({"listen": "8090", "sms": {}, "smsc": {"listen": "127.0.0.1:99999", "users": {"tg": 1}},
        "aliyun": {"keys": {"a": "b"}, "receipt_url": "https://x"}, "tencent": {}, "behaviour": {"smsc": {"x": 1}}})").value(), "/sandbox", problems));
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    CHECK(pointers == std::vector<std::string>{"/sandbox/listen", "/sandbox/smsc/listen", "/sandbox/smsc/users/tg", "/sandbox/smsc/users", "/sandbox/aliyun/receipt_url",
                                               "/sandbox/tencent/keys", "/sandbox/behaviour/smsc/x", "/sandbox/sms"});
}

TEST_CASE("settings: parts that are left out are not played", "[sandbox]") {
    const auto settings = settings_of(R"({"listen": "[::1]:0"})");
    CHECK(settings.listen.host == "::1");
    CHECK_FALSE(settings.smsc);
    CHECK_FALSE(settings.aliyun);
    Playground playground{settings};
    CHECK(playground.smsc() == nullptr);
    CHECK(playground.tencent() == nullptr);
}

TEST_CASE("control: messages are listed after a number, up to a limit, with their bytes on request", "[sandbox]") {
    World world;
    world.bound();
    for (std::uint32_t i = 0; i < 5; ++i) world.say(submit(i + 2, {.to = "861390000000" + std::to_string(i), .text = "text \"" + std::to_string(i) + "\""}));
    static_cast<void>(world.playground.smsc()->take_output(1));
    const auto page = world.get("/sandbox/messages?after=1&limit=2");
    REQUIRE(page.at("items").size() == 2);
    CHECK(page.at("items")[0] == Json({{"n", 2}, {"at", "2026-11-23T02:00:00.000Z"}, {"account_user", "tg"}, {"to", "8613900000001"}, {"from", "10690000"}, {"text", "text \"1\""},
                                       {"parts", 1}, {"state", "accepted"}, {"stat", ""}, {"answered", true}, {"via", "smsc"}}));
    CHECK(page.at("last") == 5);
    CHECK(world.get("/sandbox/messages?after=5").at("items").empty());
    CHECK(world.get("/sandbox/messages?to=8613900000003&raw=1").at("items").at(0).at("raw").at(0) ==
          to_hex(submit(5, {.to = "8613900000003", .text = "text \"3\""})));
    world.playground.smsc()->on_wake(world.now);
    CHECK(world.get("/sandbox/messages?limit=1").at("items").at(0).at("state") == "delivered");
    CHECK(world.call("DELETE", "/sandbox/messages").status == 204);
    CHECK(world.get("/sandbox/messages").at("items").empty());
}

TEST_CASE("control: duplicates and statistics", "[sandbox]") {
    World world;
    world.bound();
    for (std::uint32_t i = 0; i < 3; ++i) world.say(submit(i + 2));
    const auto duplicates = world.get("/sandbox/duplicates");
    CHECK(duplicates.at("messages") == 3);
    CHECK(duplicates.at("distinct") == 1);
    CHECK(duplicates.at("items").at(0).at("count") == 3);
    world.say(submit(9, {.to = "x"}));
    const auto smsc = world.get("/sandbox/stats").at("smsc");
    CHECK(smsc.at("submits") == 4);
    CHECK(smsc.at("accepted") == 3);
    CHECK(smsc.at("refused") == Json({{"0x0B", 1}}));
    CHECK(smsc.at("bound") == 1);
}

TEST_CASE("control: behaviour is changed in part, and wrong changes are refused whole", "[sandbox]") {
    World world;
    CHECK(world.call("PUT", "/sandbox/behaviour", R"({"smsc":{"throttle":0.5}})").status == 200);
    CHECK(world.get("/sandbox/behaviour").at("smsc").at("throttle") == 0.5);
    const auto refused = world.call("PUT", "/sandbox/behaviour", R"({"smsc":{"throttle":0.1,"queue_full":7}})");
    CHECK(refused.status == 422);
    CHECK(parse_json(refused.body)->at("errors").at(0).at("pointer") == "/smsc/queue_full");
    CHECK(world.get("/sandbox/behaviour").at("smsc").at("throttle") == 0.5);
    CHECK(world.call("PUT", "/sandbox/behaviour", "{").status == 400);
}

TEST_CASE("control: a change of behaviour starts the count of drop_after again", "[sandbox]") {
    World world;
    world.bound();
    for (std::uint32_t i = 0; i < 5; ++i) world.say(submit(i + 2));
    world.call("PUT", "/sandbox/behaviour", R"({"smsc":{"drop_after":2}})");
    world.say(submit(10));
    CHECK(world.playground.smsc()->bound_sessions() == 1);
    world.say(submit(11));
    CHECK(world.playground.smsc()->bound_sessions() == 0);
}

TEST_CASE("control: a customer's message goes out over the channel that has a taker", "[sandbox]") {
    World world;
    world.bound();
    static_cast<void>(world.playground.smsc()->take_output(1));
    const auto sent = world.call("POST", "/sandbox/inbound", R"({"channel":"sms","from":"+8613900000001","to":"10690000","text":"T"})");
    CHECK(sent.status == 202);
    const auto said = read_all(world.playground.smsc()->take_output(1).bytes);
    REQUIRE(said.size() == 1);
    CHECK(read_deliver(said[0].body).text == "T");
    CHECK(world.call("POST", "/sandbox/inbound", R"({"channel":"sms","from":"+8613900000001","to":"1","text":"T","via":"aliyun"})").status == 202);
    CHECK(world.playground.aliyun()->take_requests(world.now).size() == 1);
    CHECK(world.call("POST", "/sandbox/inbound", R"({"channel":"sms","from":"1","to":"1","text":"T","via":"tencent"})").status == 409);
    CHECK(world.call("POST", "/sandbox/inbound", R"({"channel":"fax","to":"1"})").status == 422);
}

TEST_CASE("control: disconnect ends every connection, unknown resources and methods are told", "[sandbox]") {
    World world;
    world.bound();
    CHECK(world.call("POST", "/sandbox/disconnect", R"({"how":"reset"})").status == 204);
    CHECK(world.playground.smsc()->take_output(1).ending == Ending::reset);
    CHECK(world.call("GET", "/sandbox/nothing").status == 404);
    CHECK(world.call("POST", "/sandbox/messages").status == 405);
}
