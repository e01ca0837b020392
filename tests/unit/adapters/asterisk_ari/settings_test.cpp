#include "adapters/asterisk_ari/cause.hpp"
#include "adapters/asterisk_ari/event.hpp"
#include "support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::asterisk_ari;
using namespace touchgate::adapters::telephony;
using namespace touchgate::adapters::asterisk_ari::test;

TEST_CASE("ari settings: what is wrong is said at its key, all of it", "[asterisk_ari]") {
    auto json = minimal_settings();
    json.update({{"base_url", "ftp://x"}, {"username", "a:b"}, {"app", "with space"}, {"agent_endpoint", "1001"}, {"customer_endpoint", "PJSIP/a&PJSIP/{number}"}, {"caller_id", "alice"},
                 {"recordings", {{"folder", "../etc"}, {"format", "mp3"}}}, {"amd", Json::object()}, {"outcome_map", {{"nonsense", "busy"}, {"cause 20", "gone"}}},
                 {"trunks", Json::array({{{"name", "a"}, {"endpoint", "PJSIP/fixed@a"}}})}, {"inbound", {{"routes", Json::array({Json::object()})}}}, {"agent_ring_timeout", "PT0.1S"},
                 {"number_format", "fancy"}, {"unheard_of", 1}});
    std::vector<Problem> problems;
    (void)read(json, problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    for (const auto* expected : {"/base_url", "/username", "/app", "/agent_endpoint", "/customer_endpoint", "/caller_id", "/recordings/folder", "/recordings/format", "/amd/context",
                                 "/outcome_map/nonsense", "/outcome_map/cause 20", "/trunks/0/endpoint", "/inbound/routes/0/did", "/agent_ring_timeout", "/number_format", "/unheard_of"}) {
        INFO(expected);
        CHECK(std::count(pointers.begin(), pointers.end(), expected) == 1);
    }
}

TEST_CASE("ari settings: the national form needs a region that is known", "[asterisk_ari]") {
    auto json = minimal_settings();
    json["number_format"] = "national";
    std::vector<Problem> problems;
    (void)read(json, problems, "AQ");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].pointer == "/number_format");
}

TEST_CASE("ari numbers: the same number in the three forms", "[asterisk_ari]") {
    const auto [number, region, digits, national] = GENERATE(table<std::string, std::string, std::string, std::string>({{"+8613800000000", "CN", "8613800000000", "13800000000"},
                                                                                                                        {"+862112345678", "CN", "862112345678", "02112345678"},
                                                                                                                        {"+14155550100", "CN", "14155550100", "0014155550100"},
                                                                                                                        {"+14155550100", "US", "14155550100", "4155550100"},
                                                                                                                        {"+442071838750", "GB", "442071838750", "02071838750"},
                                                                                                                        {"1000", "CN", "1000", "1000"}}));
    NumberRules rules{.format = NumberFormat::e164, .region = region};
    INFO(number << " in " << region);
    CHECK(write_number(number, NumberFormat::e164, rules) == number);
    CHECK(write_number(number, NumberFormat::digits, rules) == digits);
    CHECK(write_number(number, NumberFormat::national, rules) == national);
}

TEST_CASE("ari endpoints: a target cannot say anything else to the PBX", "[asterisk_ari]") {
    const NumberRules rules;
    CHECK(fill_endpoint("PJSIP/{number}@trunk", "+8613800000000", rules) == "PJSIP/+8613800000000@trunk");
    CHECK(fill_endpoint("PJSIP/{national}@trunk", "+8613800000000", rules) == "PJSIP/13800000000@trunk");
    CHECK(fill_endpoint("PJSIP/{extension}", "agent2", rules) == "PJSIP/agent2");
    for (const auto* wicked : {"1001&PJSIP/1002", "a/b", "a b", "", "x@y", "1;2", "{number}", "+", "138,139"}) {
        INFO(wicked);
        CHECK_FALSE(fill_endpoint("PJSIP/{number}@trunk", wicked, rules));
    }
    CHECK(write_caller("Wang \"Fang\" <x>", "+86") == "\"Wang Fang x\" <+86>");
    CHECK(write_caller("", "1000") == "1000");
}

TEST_CASE("ari causes: outcomes are those of the table, and answered is only what was up", "[asterisk_ari]") {
    const auto settings = settings_of();
    const auto [cause, tech, by_us, expected] = GENERATE(table<int, int, bool, std::string>({{1, 404, false, "invalid_number"}, {3, 0, false, "invalid_number"}, {22, 410, false, "invalid_number"},
                                                                                             {28, 484, false, "invalid_number"}, {16, 0, false, "no_answer"},      {16, 0, true, "cancelled"},
                                                                                             {17, 486, false, "busy"},           {18, 408, false, "no_answer"},    {19, 480, false, "no_answer"},
                                                                                             {20, 0, false, "unreachable"},      {21, 603, false, "rejected"},     {21, 403, false, "rejected"},
                                                                                             {26, 0, true, "cancelled"},         {27, 502, false, "failed"},       {34, 503, false, "congestion"},
                                                                                             {42, 0, false, "congestion"},       {44, 0, false, "congestion"},     {58, 488, false, "failed"},
                                                                                             {102, 504, false, "failed"},        {127, 487, true, "cancelled"},    {127, 0, false, "failed"},
                                                                                             {0, 0, false, "failed"},            {0, 0, true, "cancelled"},        {9'999, 0, false, "failed"}}));
    INFO(cause << '/' << tech);
    CHECK(outcome_of({.cause = cause, .tech_cause = tech, .was_answered = false, .by_us = by_us}, *settings) == expected);
    CHECK(outcome_of({.cause = cause, .tech_cause = tech, .was_answered = true, .by_us = by_us}, *settings) == "answered");
}

TEST_CASE("ari causes: an account says what its carrier means", "[asterisk_ari]") {
    const auto settings = settings_of(minimal_settings(), {{"outcome_map", {{"20", "powered_off"}, {"sip 480", "suspended"}}}});
    CHECK(outcome_of({.cause = 20}, *settings) == "powered_off");
    CHECK(outcome_of({.cause = 19, .tech_cause = 480}, *settings) == "suspended");
    CHECK(outcome_of({.cause = 19, .tech_cause = 408}, *settings) == "no_answer");
    CHECK(outcome_of({.cause = 20, .was_answered = true}, *settings) == "answered");
}

TEST_CASE("ari events: any frame is read or left", "[asterisk_ari]") {
    for (const auto* frame : {"", "{", "[]", "null", "7", "\"x\"", R"({"type":7})", R"({"type":null})", R"({})"}) CHECK_FALSE(read_event(frame));
    const auto odd = read_event(R"({"type":"StasisStart","channel":"none","args":{"a":1},"timestamp":5,"cause":"x","bridge":[]})");
    REQUIRE(odd);
    CHECK(odd->channel.id.empty());
    CHECK(odd->args.empty());
    CHECK(odd->cause == 0);
    CHECK(read_event(R"({"type":"ChannelDestroyed","cause":99999999999999})")->cause == 100'000);
    CHECK(read_time("2026-11-21T19:50:19.085+0000") == parse_instant("2026-11-21T19:50:19.085Z"));
    CHECK(read_time("2026-11-21T19:50:19.085+0800") == parse_instant("2026-11-21T11:50:19.085Z"));
    CHECK_FALSE(read_time("yesterday"));
    CHECK(endpoint_of("PJSIP/agent2-0000001a") == "agent2");
    CHECK(endpoint_of("PJSIP/my-agent-0000001a") == "my-agent");
    CHECK(endpoint_of("Local/agent@default-00000001;1") == "agent");
    CHECK(endpoint_of("").empty());
    CHECK(user_of("sip:2000@pbx;user=phone") == "2000");
    CHECK(user_of("2000") == "2000");
}

TEST_CASE("ari probe: a wrong user, a reader and a foreign server are told apart", "[asterisk_ari]") {
    const Adapter adapter{*settings_of()};
    const auto request = adapter.probe();
    REQUIRE(request);
    CHECK(request->url == "http://127.0.0.1:8088/ari/channels/touchgate-probe/ring");
    const auto says = [&](int status, std::string body) { return adapter.read_probe({.status = status, .headers = {}, .body = std::move(body)}); };
    CHECK(says(404, R"({"message":"Channel not found"})").has_value());
    CHECK(says(401, R"({"message":"Authentication required"})").error().kind == ErrorKind::unauthorized);
    CHECK(says(403, R"({"message":"Write access denied"})").error().kind == ErrorKind::unauthorized);
    CHECK(says(404, "<html>").error().kind == ErrorKind::unavailable);
    CHECK(says(200, "hello").error().kind == ErrorKind::unavailable);
    CHECK(adapter.stream().url == "ws://127.0.0.1:8088/ari/events?app=gw");
}
