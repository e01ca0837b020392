// The cryptography and the delivery of callbacks.
#include <fstream>

#include "adapters/sandbox/wechat/event_sender.hpp"
#include "adapters/sandbox/wechat/event_xml.hpp"
#include "gateway/base/text.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace std::chrono_literals;

namespace {

constexpr const char* key = "Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE";

Json vectors() {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/sandbox/fixtures/callback-vectors.json"};
    return Json::parse(file).at("vectors");
}

struct Sender {
    Random random{7};
    EventSender events{random};
    WechatBehaviour behaviour;
    Now now{.monotonic = 1s, .wall = parse_instant("2026-11-23T02:00:00Z").value()};

    explicit Sender(CallbackMode mode = CallbackMode::secure, bool is_wecom = true) {
        REQUIRE(events.set_receiver("app", {.target = {.url = "http://127.0.0.1:1/hook?a=1", .token = "TestToken2026", .encoding_aes_key = key, .mode = mode},
                                            .receive_id = "ww0123456789abcdef", .to_user = "ww0123456789abcdef", .agent_id = is_wecom ? "1000002" : "", .is_wecom = is_wecom}));
    }
    std::uint64_t send(const std::string& text = "<xml><A>1</A></xml>") { return events.send("app", "event", text, "oUser", behaviour, now); }
    void pass(std::chrono::milliseconds time) {
        now.monotonic += time;
        now.wall += time;
    }
};

Parameters parameters_of(const OutgoingRequest& request) { return parse_parameters(request.url.substr(request.url.find('?') + 1)); }

}  // namespace

TEST_CASE("callback cipher: what the reference libraries encrypted is encrypted and decrypted the same", "[sandbox]") {
    for (const auto& vector : vectors()) {
        INFO(vector.at("id"));
        const auto cipher = CallbackCipher::make(vector.at("encoding_aes_key").get<std::string>(), vector.at("receive_id").get<std::string>());
        REQUIRE(cipher);
        const auto encrypted = vector.at("encrypt").get<std::string>(), plaintext = vector.at("plaintext").get<std::string>();
        std::array<std::uint8_t, 16> random{};
        const auto bytes = from_hex(vector.at("random_hex").get<std::string>()).value();
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(random.data()));
        CHECK(cipher->encrypt(plaintext, random) == encrypted);
        CHECK(cipher->decrypt(encrypted) == plaintext);
        CHECK(callback_signature(vector.at("token").get<std::string>(), vector.at("timestamp").get<std::string>(), vector.at("nonce").get<std::string>(), encrypted) ==
              vector.at("msg_signature").get<std::string>());
    }
}

TEST_CASE("callback cipher: keys and texts that are none are refused", "[sandbox]") {
    CHECK_FALSE(CallbackCipher::make("short", "id"));
    CHECK_FALSE(CallbackCipher::make("*adx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE", "id"));
    const auto cipher = CallbackCipher::make(key, "id").value();
    for (const std::string text : {"", "not base64!", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}) CHECK_FALSE(cipher.decrypt(text));
    CHECK_FALSE(CallbackCipher::make(key, "other").value().decrypt(cipher.encrypt("text", {})));
}

TEST_CASE("event xml: CDATA cannot be left by its content", "[sandbox]") {
    EventXml xml;
    const auto text = xml.text("Content", "a]]>b<c>").number("N", 5).finish();
    CHECK(element_text(text, "Content") == "a]]>b<c>");
    CHECK(element_text(text, "N") == "5");
    CHECK_FALSE(element_text(text, "Missing"));
    CHECK_FALSE(element_text("<xml><A>unfinished", "A"));
}

TEST_CASE("callbacks: WeCom's carry one signature over the encrypted text", "[sandbox]") {
    Sender sender;
    sender.send();
    const auto requests = sender.events.take_due(sender.now);
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].url.starts_with("http://127.0.0.1:1/hook?a=1&msg_signature="));
    const auto parameters = parameters_of(requests[0]);
    const auto encrypted = element_text(requests[0].body, "Encrypt").value();
    CHECK(value_of(parameters, "msg_signature") == callback_signature("TestToken2026", value_of(parameters, "timestamp"), value_of(parameters, "nonce"), encrypted));
    CHECK(element_text(requests[0].body, "AgentID") == "1000002");
    CHECK(CallbackCipher::make(key, "ww0123456789abcdef")->decrypt(encrypted) == "<xml><A>1</A></xml>");
}

TEST_CASE("callbacks: an official account's modes", "[sandbox]") {
    const auto mode = GENERATE(CallbackMode::plain, CallbackMode::compatible, CallbackMode::secure);
    Sender sender{mode, false};
    sender.send();
    const auto request = sender.events.take_due(sender.now).at(0);
    const auto parameters = parameters_of(request);
    CHECK(value_of(parameters, "signature") == callback_signature("TestToken2026", value_of(parameters, "timestamp"), value_of(parameters, "nonce")));
    CHECK(value_of(parameters, "openid") == "oUser");
    CHECK((value_of(parameters, "encrypt_type") == "aes") == (mode != CallbackMode::plain));
    CHECK((request.body.find("<A>1</A>") != std::string::npos) == (mode != CallbackMode::secure));
    CHECK(element_text(request.body, "Encrypt").has_value() == (mode != CallbackMode::plain));
}

TEST_CASE("callbacks: a refused one is sent again three times, encrypted anew, then given up", "[sandbox]") {
    Sender sender;
    sender.send();
    std::set<std::string> bodies;
    for (int i = 0; i < 4; ++i) {
        const auto requests = sender.events.take_due(sender.now);
        REQUIRE(requests.size() == 1);
        bodies.insert(requests[0].body);
        CHECK_FALSE(sender.events.on_answer(requests[0].id, i == 1 ? 0 : 500, "", sender.behaviour, sender.now));
        CHECK(sender.events.take_due(sender.now).empty());
        sender.pass(5s);
    }
    CHECK(bodies.size() == 4);
    CHECK(sender.events.take_due(sender.now).empty());
    CHECK(sender.events.given_up() == 1);
    CHECK(sender.events.repeated() == 3);
    CHECK(sender.events.records().back().outcome == CallbackOutcome::given_up);
}

TEST_CASE("callbacks: lost, doubled and overtaken as the behaviour says", "[sandbox]") {
    Sender sender;
    sender.behaviour.callback_lost = 1;
    sender.send();
    CHECK(sender.events.records().back().outcome == CallbackOutcome::lost);
    CHECK_FALSE(sender.events.wake_at());
    sender.behaviour.callback_lost = 0;
    sender.behaviour.callback_duplicate = 1;
    sender.send();
    CHECK(sender.events.take_due(sender.now).size() == 1);
    sender.pass(50ms);
    CHECK(sender.events.take_due(sender.now).size() == 1);
    sender.behaviour.callback_duplicate = 0;
    sender.behaviour.callback_reorder = 1;
    sender.send("<xml>first</xml>");
    sender.behaviour.callback_reorder = 0;
    sender.send("<xml>second</xml>");
    CHECK(sender.events.take_due(sender.now).size() == 1);
    sender.pass(1s);
    CHECK(sender.events.take_due(sender.now).size() == 1);
    CHECK(sender.events.send("nobody", "event", "x", "", sender.behaviour, sender.now) == 0);
}

TEST_CASE("callbacks: a URL verification wants its echo back", "[sandbox]") {
    Sender sender;
    sender.events.verify("app", sender.now);
    auto request = sender.events.take_due(sender.now).at(0);
    CHECK(request.method == "GET");
    const auto echo = CallbackCipher::make(key, "ww0123456789abcdef")->decrypt(value_of(parameters_of(request), "echostr")).value();
    CHECK_FALSE(sender.events.on_answer(request.id, 200, echo, sender.behaviour, sender.now));
    CHECK(sender.events.records().back().outcome == CallbackOutcome::taken);
    sender.events.verify("app", sender.now);
    request = sender.events.take_due(sender.now).at(0);
    CHECK_FALSE(sender.events.on_answer(request.id, 200, "\"" + echo + "\"", sender.behaviour, sender.now));
    CHECK(sender.events.records().back().outcome == CallbackOutcome::given_up);
}

TEST_CASE("callbacks: a passive reply is decrypted, and a forged one is not", "[sandbox]") {
    Sender sender{CallbackMode::secure, false};
    const auto cipher = CallbackCipher::make(key, "ww0123456789abcdef").value();
    const std::string xml = "<xml><Content>hi</Content></xml>";
    const auto reply = [&](const std::string& token) {
        const auto encrypted = cipher.encrypt(xml, {});
        EventXml envelope;
        return envelope.text("Encrypt", encrypted).text("MsgSignature", callback_signature(token, "5", "6", encrypted)).number("TimeStamp", 5).text("Nonce", "6").finish();
    };
    const auto answer_with = [&](const std::string& body) {
        sender.send();
        return sender.events.on_answer(sender.events.take_due(sender.now).at(0).id, 200, body, sender.behaviour, sender.now);
    };
    CHECK(answer_with(reply("TestToken2026")).value().xml == xml);
    CHECK_FALSE(answer_with(reply("another")));
    CHECK_FALSE(answer_with("success"));
}
