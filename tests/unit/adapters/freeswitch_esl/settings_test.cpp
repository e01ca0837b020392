#include "adapters/freeswitch_esl/settings.hpp"

#include <set>

#include "adapters/freeswitch_esl/adapter.hpp"
#include "adapters/freeswitch_esl/cause.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::freeswitch_esl;

namespace {

Settings read(const std::string& text, std::set<std::string>& pointers) {
    const auto document = parse_json(text);
    REQUIRE(document);
    std::vector<Problem> problems;
    JsonReader reader{*document, "/accounts/pbx", problems};
    auto settings = read_settings(reader, "CN");
    reader.finish();
    for (const auto& problem : problems) pointers.insert(problem.pointer);
    return settings;
}

}  // namespace

TEST_CASE("settings: what is given is taken, the rest is the documented default", "[freeswitch_esl]") {
    std::set<std::string> pointers;
    const auto settings = read(R"({"host": "10.0.0.5", "password": "ClueCon", "customer_endpoint": "sofia/gateway/carrier/{national}", "number_format": "national",
        "caller_id": "+862112345678", "recordings": {"folder": "/rec", "format": "mp3", "base_url": "http://10.0.0.5/rec"}, "amd": {"extension": "amd"},
        "outcome_map": {"SUBSCRIBER_ABSENT": "powered_off", "sip 480": "unreachable"}, "speech": "flite|kal"})", pointers);
    CHECK(pointers.empty());
    CHECK(settings.port == 8021);
    CHECK(settings.agent_endpoint == "user/{extension}");
    CHECK(settings.recordings_folder == "/rec");
    CHECK(settings.recordings_url->origin == "http://10.0.0.5");
    CHECK(settings.amd_extension == "amd");
    CHECK(settings.amd_context == "default");
    CHECK(settings.outcome_map.size() == 2);
    const Adapter adapter{settings};
    CHECK(adapter.stream().url == "tcp://10.0.0.5:8021");
    CHECK_FALSE(adapter.stream().websocket);
    CHECK(adapter.capabilities().channel == "voice");
}

TEST_CASE("settings: what could say something else to the switch is a problem at its place", "[freeswitch_esl]") {
    std::set<std::string> pointers;
    (void)read(R"({"host": "a b", "port": 0, "password": "x\ny", "customer_endpoint": "sofia/gateway/x/{number},error/user_busy", "agent_endpoint": "user/1",
        "app": "a.b", "caller_id": "Bob", "music": "x y", "speech": "a;b", "recordings": {"folder": "rec/../etc", "what": 1}, "amd": {}, "conference_profile": "a b",
        "outcome_map": {"NOT_A_CAUSE": "busy", "USER_BUSY": "answered", "sip 4": "busy"}, "trunks": [{"name": "t", "endpoint": "sofia/{x}"}], "colour": "red"})", pointers);
    const std::set<std::string> expected = {
        "/accounts/pbx/host", "/accounts/pbx/port", "/accounts/pbx/password", "/accounts/pbx/customer_endpoint", "/accounts/pbx/agent_endpoint", "/accounts/pbx/app",
        "/accounts/pbx/caller_id", "/accounts/pbx/music", "/accounts/pbx/speech", "/accounts/pbx/recordings/folder", "/accounts/pbx/recordings/what",
        "/accounts/pbx/amd/extension", "/accounts/pbx/conference_profile", "/accounts/pbx/outcome_map/NOT_A_CAUSE", "/accounts/pbx/outcome_map/USER_BUSY",
        "/accounts/pbx/outcome_map/sip 4", "/accounts/pbx/trunks/0/endpoint", "/accounts/pbx/colour"};
    CHECK(pointers == expected);
    std::set<std::string> required;
    (void)read("{}", required);
    CHECK(required == std::set<std::string>{"/accounts/pbx/host", "/accounts/pbx/password", "/accounts/pbx/customer_endpoint"});
}

TEST_CASE("causes: each of the switch's causes has its outcome", "[freeswitch_esl]") {
    const auto [cause, expected] = GENERATE(table<std::string, std::string>({
        {"USER_BUSY", "busy"}, {"BUSY_EVERYWHERE", "busy"}, {"NO_ANSWER", "no_answer"}, {"NO_USER_RESPONSE", "no_answer"}, {"PROGRESS_TIMEOUT", "no_answer"},
        {"ALLOTTED_TIMEOUT", "no_answer"}, {"CALL_REJECTED", "rejected"}, {"DECLINE", "rejected"}, {"REJECT_ALL", "rejected"}, {"UNALLOCATED_NUMBER", "invalid_number"},
        {"NO_ROUTE_DESTINATION", "invalid_number"}, {"INVALID_NUMBER_FORMAT", "invalid_number"}, {"NUMBER_CHANGED", "invalid_number"},
        {"USER_NOT_REGISTERED", "unreachable"}, {"SUBSCRIBER_ABSENT", "unreachable"}, {"NORMAL_CIRCUIT_CONGESTION", "congestion"}, {"SWITCH_CONGESTION", "congestion"},
        {"REQUESTED_CHAN_UNAVAIL", "congestion"}, {"GATEWAY_DOWN", "failed"}, {"MEDIA_TIMEOUT", "failed"}, {"INCOMPATIBLE_DESTINATION", "failed"},
        {"ORIGINATOR_CANCEL", "cancelled"}, {"LOSE_RACE", "cancelled"}, {"MANAGER_REQUEST", "cancelled"}, {"NORMAL_CLEARING", "no_answer"}, {"SOMETHING_NEW", "failed"}}));
    INFO(cause);
    CHECK(outcome_of({.cause = cause}, {}) == expected);
    CHECK(outcome_of({.cause = cause, .was_answered = true}, {}) == "answered");
}

TEST_CASE("causes: what the account says of a cause or status goes first", "[freeswitch_esl]") {
    Settings settings;
    settings.outcome_map = {{"SUBSCRIBER_ABSENT", "powered_off"}, {"sip 480", "suspended"}};
    CHECK(outcome_of({.cause = "SUBSCRIBER_ABSENT"}, settings) == "powered_off");
    CHECK(outcome_of({.cause = "NO_USER_RESPONSE", .sip = 480}, settings) == "suspended");
    CHECK(outcome_of({.cause = "NORMAL_TEMPORARY_FAILURE", .sip = 503}, settings) == "congestion");
    CHECK(outcome_of({.cause = "RECOVERY_ON_TIMER_EXPIRE", .sip = 408}, settings) == "no_answer");
    CHECK(outcome_of({.cause = "NORMAL_CLEARING", .by_us = true}, settings) == "cancelled");
    CHECK(outcome_of({.cause = "USER_BUSY", .by_us = true}, settings) == "busy");
    CHECK(cause_number("PROGRESS_TIMEOUT") == 807);
    CHECK(q850(807) == 31);
    CHECK(q850(17) == 17);
    CHECK(cause_number("GARBAGE") == 0);
}
