#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

constexpr auto cap_day = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D"}])";

std::string at_with_history(const std::string& now, const std::string& history, const std::string& more = "") {
    return R"({"now": ")" + now + R"(", "contact": {"time_zone": "Asia/Shanghai"}, "history": )" + history + more + "}";
}

std::string attempt(const std::string& at, const std::string& more = "") {
    return R"({"at": ")" + at + R"(", "purpose": "marketing", "channel": "sms", "account": "sms-main")" + more + "}";
}

}  // namespace

TEST_CASE("cap: the attempt that leaves the window frees its place in the same millisecond", "[policy][cap]") {
    const auto history = "[" + attempt("2026-11-22T02:00:00.000Z") + "]";
    CHECK(verdict(cap_day, at_with_history("2026-11-23T01:59:59.999Z", history)) == "defer cap 2026-11-23T02:00:00.000Z");
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", history)) == "allow");
    CHECK(verdict(cap_day, at_with_history("2026-11-22T02:00:00.000Z", history)) == "defer cap 2026-11-23T02:00:00.000Z");
    CHECK(verdict(cap_day, at_with_history("2026-11-22T01:59:59.999Z", history)) == "allow");
}

TEST_CASE("cap: only as many attempts as needed have to leave", "[policy][cap]") {
    const auto rules = R"([{"name": "cap", "kind": "cap", "max": 2, "per": "P1D"}])";
    const auto history =
        "[" + attempt("2026-11-23T00:00:00.000Z") + "," + attempt("2026-11-23T00:00:01.000Z") + "," + attempt("2026-11-23T00:00:02.000Z") + "]";
    const auto fields = at_with_history("2026-11-23T02:00:00.000Z", history);
    CHECK(verdict(rules, fields) == "defer cap 2026-11-24T00:00:01.000Z");
    const auto step = step_of(decided(rules, fields), "cap");
    CHECK(step["counted"] == 3);
    CHECK(step["max"] == 2);
    CHECK(step["touches"] == Json::parse(R"(["1000", "1001", "1002"])"));
    CHECK(step["why"]["en"] == "3 of 2 used; room again at 2026-11-24T00:00:01.000Z.");
}

TEST_CASE("cap: zero means never", "[policy][cap]") {
    CHECK(verdict(R"([{"name": "cap", "kind": "cap", "max": 0, "per": "P1D"}])", "{}") == "deny cap");
}

TEST_CASE("cap: slots that were released do not count, failed ones only where the rule says so", "[policy][cap]") {
    const auto strict = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "release_on_failed_receipt": false}])";
    const auto released = "[" + attempt("2026-11-23T00:00:00.000Z", R"(, "slot": "released")") + "]";
    const auto failed = "[" + attempt("2026-11-23T00:00:00.000Z", R"(, "slot": "failed")") + "]";
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", released)) == "allow");
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", failed)) == "allow");
    CHECK(verdict(strict, at_with_history("2026-11-23T02:00:00.000Z", released)) == "allow");
    CHECK(verdict(strict, at_with_history("2026-11-23T02:00:00.000Z", failed)) == "defer cap 2026-11-24T00:00:00.000Z");
}

TEST_CASE("cap: a reserved slot counts whenever it was made, and is taken as permitted now", "[policy][cap]") {
    const auto history = "[" + attempt("2026-11-01T00:00:00.000Z", R"(, "slot": "reserved")") + "]";
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", history)) == "defer cap 2026-11-24T02:00:00.000Z");
}

TEST_CASE("cap: a touch that would expire first is denied, but waits while only reservations are in its way", "[policy][cap]") {
    const auto expiring =
        R"(, "touch": {"purpose": "marketing", "channels": ["sms"], "account": "sms-main", "expires_at": "2026-11-23T12:00:00.000Z"})";
    const auto counted = "[" + attempt("2026-11-23T00:00:00.000Z") + "]";
    const auto reserved = "[" + attempt("2026-11-23T00:00:00.000Z", R"(, "slot": "reserved")") + "]";
    const auto both = "[" + attempt("2026-11-23T00:00:00.000Z") + "," + attempt("2026-11-23T00:00:00.000Z", R"(, "slot": "reserved")") + "]";
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", counted, expiring)) == "deny cap expires_first");
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", reserved, expiring)) ==
          "defer cap 2026-11-23T12:00:00.000Z waits_for_release");
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", both, expiring)) == "deny cap expires_first");
    // The instant of expiry itself is too late.
    const auto just = R"(, "touch": {"purpose": "marketing", "channels": ["sms"], "account": "sms-main", "expires_at": "2026-11-24T00:00:00.000Z"})";
    const auto after = R"(, "touch": {"purpose": "marketing", "channels": ["sms"], "account": "sms-main", "expires_at": "2026-11-24T00:00:00.001Z"})";
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", counted, just)) == "deny cap expires_first");
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", counted, after)) == "defer cap 2026-11-24T00:00:00.000Z");
}

TEST_CASE("cap: a touch's own reservation and earlier attempts never count against it", "[policy][cap]") {
    const auto history = "[" + attempt("2026-11-23T00:00:00.000Z", R"(, "touch": 7)") + "," +
                         attempt("2026-11-23T00:00:00.000Z", R"(, "touch": 7, "slot": "reserved", "attempt": 2)") + "]";
    const auto own = R"(, "touch": {"number": 7, "purpose": "marketing", "channels": ["sms"], "account": "sms-main"})";
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", history, own)) == "allow");
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", history)) != "allow");
}

TEST_CASE("cap: a fallback shares the slot of its touch where the counter is the same, and has its own where it is not", "[policy][cap]") {
    const auto history = R"([{"at": "2026-11-23T00:00:00.000Z", "purpose": "marketing", "channel": "wecom", "touch": 7, "attempt": 1},
                             {"at": "2026-11-23T01:00:00.000Z", "purpose": "marketing", "channel": "sms", "touch": 7, "attempt": 2}])";
    const auto fields = at_with_history("2026-11-23T02:00:00.000Z", history);
    const auto by_contact = R"([{"name": "cap", "kind": "cap", "max": 2, "per": "P1D"}])";
    CHECK(verdict(by_contact, fields) == "allow");
    CHECK(step_of(decided(by_contact, fields), "cap")["counted"] == 1);
    // The shared slot stands at the later permit's time.
    CHECK(verdict(cap_day, fields) == "defer cap 2026-11-24T01:00:00.000Z");
    const auto by_channel = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "by": ["contact", "channel"]}])";
    CHECK(verdict(by_channel, fields) == "defer cap 2026-11-24T01:00:00.000Z");
    CHECK(
        verdict(by_channel, at_with_history("2026-11-23T02:00:00.000Z", history, R"(, "touch": {"purpose": "marketing", "channels": ["wecom"]})")) ==
        "defer cap 2026-11-24T00:00:00.000Z");
}

TEST_CASE("cap: each dial of a touch has a slot of its own", "[policy][cap]") {
    const auto history =
        R"([{"at": "2026-11-23T00:00:00.000Z", "purpose": "marketing", "channel": "voice", "touch": 7, "attempt": 1, "outcome": "busy"}])";
    const auto own = R"(, "touch": {"number": 7, "purpose": "marketing", "channels": ["voice"]})";
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", history, own)) == "defer cap 2026-11-24T00:00:00.000Z");
}

TEST_CASE("cap: `counts` says what is counted, each attempt by its own names", "[policy][cap]") {
    const auto rules =
        R"([{"name": "cap", "kind": "cap", "when": {"purposes": ["marketing"]}, "max": 1, "per": "P1D", "counts": {"purposes": ["care"]}}])";
    const auto care = R"([{"at": "2026-11-23T00:00:00.000Z", "purpose": "care", "channel": "sms"}])";
    const auto marketing = "[" + attempt("2026-11-23T00:00:00.000Z") + "]";
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", care)) == "defer cap 2026-11-24T00:00:00.000Z");
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", marketing)) == "allow");
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", care, R"(, "touch": {"purpose": "care", "channels": ["sms"]})")) == "allow");
}

TEST_CASE("cap: weights are exact in thousandths", "[policy][cap]") {
    const auto rules = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "weight": {"wecom_group": 0.333}}])";
    const auto group = [](const std::string& at) { return R"({"at": ")" + at + R"(", "purpose": "marketing", "channel": "wecom_group"})"; };
    const auto post = R"(, "touch": {"purpose": "marketing", "channels": ["wecom_group"]})";
    const auto two = "[" + group("2026-11-23T00:00:00.000Z") + "," + group("2026-11-23T00:00:01.000Z") + "]";
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", two, post)) == "allow");
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", two)) == "defer cap 2026-11-24T00:00:01.000Z");
    CHECK(step_of(decided(rules, at_with_history("2026-11-23T02:00:00.000Z", two)), "cap")["counted"] == 0.666);
    const auto heavy = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "weight": {"sms": 1.5}}])";
    CHECK(verdict(heavy, "{}") == "deny cap");
}

TEST_CASE("cap: an allowance kept for a purpose is taken from the others only", "[policy][cap]") {
    const auto rules = R"([{"name": "cap", "kind": "cap", "max": 3, "per": "P7D", "reserve": {"service": 1}}])";
    const auto m = [](const std::string& at) { return attempt(at); };
    const auto two = "[" + m("2026-11-22T00:00:00.000Z") + "," + m("2026-11-22T01:00:00.000Z") + "]";
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", two)) == "defer cap 2026-11-29T00:00:00.000Z");
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", two, R"(, "touch": {"purpose": "service", "channels": ["sms"]})")) == "allow");
    // Once the kept place is used, it is not kept a second time.
    const auto used = R"([{"at": "2026-11-22T00:00:00.000Z", "purpose": "service", "channel": "sms"}, )" + m("2026-11-22T01:00:00.000Z") + "]";
    CHECK(verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", used)) == "allow");
}

TEST_CASE("cap: calendar periods are those of the contact's zone", "[policy][cap]") {
    const auto day = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "day"}])";
    const auto week = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "week"}])";
    const auto month = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "month"}])";
    // 2026-11-22 is a Sunday; 15:59:59.999Z is the last millisecond of the day in Shanghai.
    const auto history = "[" + attempt("2026-11-22T15:59:59.999Z") + "]";
    CHECK(verdict(day, at_with_history("2026-11-22T15:59:59.999Z", history)) == "defer cap 2026-11-22T16:00:00.000Z");
    CHECK(verdict(day, at_with_history("2026-11-22T16:00:00.000Z", history)) == "allow");
    CHECK(verdict(week, at_with_history("2026-11-22T15:59:59.999Z", history)) == "defer cap 2026-11-22T16:00:00.000Z");
    CHECK(verdict(week, at_with_history("2026-11-23T02:00:00.000Z", "[" + attempt("2026-11-22T16:00:00.000Z") + "]")) ==
          "defer cap 2026-11-29T16:00:00.000Z");
    CHECK(verdict(month, at_with_history("2026-11-23T02:00:00.000Z", history)) == "defer cap 2026-11-30T16:00:00.000Z");
    CHECK(verdict(month, at_with_history("2026-11-30T16:00:00.000Z", history)) == "allow");
    CHECK(verdict(month, at_with_history("2026-12-31T15:59:59.999Z", "[" + attempt("2026-11-30T16:00:00.000Z") + "]")) ==
          "defer cap 2026-12-31T16:00:00.000Z");
    // A leap month, and a window that a reservation alone fills.
    CHECK(verdict(month, at_with_history("2028-02-10T00:00:00.000Z", "[" + attempt("2028-02-01T00:00:00.000Z") + "]")) ==
          "defer cap 2028-02-29T16:00:00.000Z");
    CHECK(verdict(day, at_with_history("2026-11-23T02:00:00.000Z", "[" + attempt("2026-11-01T00:00:00.000Z", R"(, "slot": "reserved")") + "]")) ==
          "defer cap 2026-11-23T16:00:00.000Z");
}

TEST_CASE("cap: a fixed zone beats the contact's; several plausible zones must all have room", "[policy][cap]") {
    const auto fixed = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "day", "zone": "UTC"}])";
    const auto history = "[" + attempt("2026-11-22T15:00:00.000Z") + "]";
    CHECK(verdict(fixed, at_with_history("2026-11-22T17:00:00.000Z", history)) == "defer cap 2026-11-23T00:00:00.000Z");
    const auto day = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "day"}])";
    const auto unknown =
        R"({"now": "2026-11-22T17:00:00.000Z", "address": {"zones": ["America/New_York", "America/Los_Angeles"]}, "history": )" + history + "}";
    // 15:00Z is the 22nd in both; the day ends in New York at 05:00Z and in Los Angeles at 08:00Z.
    CHECK(verdict(day, unknown) == "defer cap 2026-11-23T08:00:00.000Z");
}

TEST_CASE("cap: a day of 23 or 25 hours is one day", "[policy][cap]") {
    const auto day = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "day"}])";
    const auto berlin = [&](const std::string& now, const std::string& sent) {
        return verdict(day, R"({"now": ")" + now + R"(", "contact": {"time_zone": "Europe/Berlin"}, "history": [)" + attempt(sent) + "]}");
    };
    CHECK(berlin("2026-03-29T10:00:00.000Z", "2026-03-28T23:30:00.000Z") == "defer cap 2026-03-29T22:00:00.000Z");
    CHECK(berlin("2026-10-25T10:00:00.000Z", "2026-10-24T22:30:00.000Z") == "defer cap 2026-10-25T23:00:00.000Z");
    // In Santiago midnight itself is skipped on the first day of summer time: the day begins at 01:00.
    CHECK(verdict(day, R"({"now": "2026-09-06T01:00:00.000Z", "contact": {"time_zone": "America/Santiago"}, "history": [)" +
                           attempt("2026-09-06T00:30:00.000Z") + "]}") == "defer cap 2026-09-06T04:00:00.000Z");
}

TEST_CASE("cap: counters that are not the contact's own are shared by all", "[policy][cap]") {
    const auto by_address = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "by": ["address"]}])";
    const auto other = "[" + attempt("2026-11-23T00:00:00.000Z", R"(, "contact": "another")") + "]";
    const auto elsewhere = "[" + attempt("2026-11-23T00:00:00.000Z", R"(, "contact": "another", "address": 2)") + "]";
    CHECK(verdict(by_address, at_with_history("2026-11-23T02:00:00.000Z", other)) == "defer cap 2026-11-24T00:00:00.000Z");
    CHECK(verdict(by_address, at_with_history("2026-11-23T02:00:00.000Z", elsewhere)) == "allow");
    CHECK(verdict(cap_day, at_with_history("2026-11-23T02:00:00.000Z", other)) == "allow");
    const auto by_campaign = R"([{"name": "cap", "kind": "cap", "when": {"campaigns": ["spring"]}, "max": 1, "per": "P1D", "by": ["campaign"]}])";
    const auto spring =
        R"([{"at": "2026-11-23T00:00:00.000Z", "purpose": "marketing", "channel": "sms", "campaign": "spring", "contact": "another"}])";
    CHECK(verdict(by_campaign, at_with_history("2026-11-23T02:00:00.000Z", spring,
                                               R"(, "touch": {"purpose": "marketing", "channels": ["wecom"], "campaign": "spring"})")) ==
          "defer cap 2026-11-24T00:00:00.000Z");
    CHECK(verdict(by_campaign, at_with_history("2026-11-23T02:00:00.000Z", spring,
                                               R"(, "touch": {"purpose": "marketing", "channels": ["wecom"], "campaign": "autumn"})")) == "allow");
}

TEST_CASE("quota: by account, in the platform's zone", "[policy][cap]") {
    const auto quota = R"([{"name": "quota", "kind": "quota", "max": 1, "per": "day", "zone": "Asia/Shanghai"}])";
    const auto other = "[" + attempt("2026-11-23T00:00:00.000Z", R"(, "contact": "another")") + "]";
    CHECK(verdict(quota, R"({"contact": {"time_zone": "America/New_York"}, "history": )" + other + "}") == "defer quota 2026-11-23T16:00:00.000Z");
    CHECK(verdict(quota, R"({"touch": {"purpose": "marketing", "channels": ["sms"], "account": "sms-second"}, "history": )" + other + "}") ==
          "allow");
}

TEST_CASE("attempts: unanswered calls count until one is answered", "[policy][cap]") {
    const auto rules =
        R"([{"name": "calls", "kind": "attempts", "max": 2, "per": "P7D", "outcomes": ["no_answer", "busy"], "reset_by": ["answered"]}])";
    const auto call = [](const std::string& at, const std::string& outcome) {
        return R"({"at": ")" + at + R"(", "purpose": "marketing", "channel": "voice", "outcome": ")" + outcome + R"("})";
    };
    const auto decide = [&](const std::string& history) {
        return verdict(rules, at_with_history("2026-11-23T02:00:00.000Z", history, R"(, "touch": {"purpose": "marketing", "channels": ["voice"]})"));
    };
    const auto a = call("2026-11-20T00:00:00.000Z", "no_answer");
    const auto b = call("2026-11-21T00:00:00.000Z", "busy");
    CHECK(decide("[" + a + "," + b + "]") == "defer calls 2026-11-27T00:00:00.000Z");
    CHECK(decide("[" + a + "," + call("2026-11-20T12:00:00.000Z", "answered") + "," + b + "]") == "allow");
    CHECK(decide("[" + a + "," + call("2026-11-20T12:00:00.000Z", "rejected") + "," + b + "]") == "defer calls 2026-11-27T00:00:00.000Z");
    const auto in_a_row =
        R"([{"name": "row", "kind": "cap", "max": 2, "per": "P7D", "counts": {"outcomes": ["no_answer", "busy"], "consecutive": true}}])";
    CHECK(verdict(in_a_row, at_with_history("2026-11-23T02:00:00.000Z",
                                            "[" + a + "," + call("2026-11-20T12:00:00.000Z", "rejected") + "," + b + "]")) == "allow");
    CHECK(verdict(in_a_row, at_with_history("2026-11-23T02:00:00.000Z", "[" + a + "," + b + "]")) == "defer row 2026-11-27T00:00:00.000Z");
}

TEST_CASE("session window: open only after the customer's act, and for so many messages", "[policy][cap]") {
    const auto rules = R"([{"name": "window", "kind": "session_window", "since": "P2D", "messages": 2}])";
    const auto decide = [&](const std::string& now, const std::string& contact, const std::string& history) {
        return verdict(rules, R"({"now": ")" + now + R"(", "contact": )" + contact + R"(, "history": )" + history + "}");
    };
    const auto wrote = R"({"last_inbound": "2026-11-22T00:00:00.000Z"})";
    CHECK(decide("2026-11-22T00:00:00.000Z", "{}", "[]") == "deny window");
    CHECK(decide("2026-11-22T00:00:00.000Z", wrote, "[]") == "allow");
    CHECK(decide("2026-11-23T23:59:59.999Z", wrote, "[]") == "allow");
    CHECK(decide("2026-11-24T00:00:00.000Z", wrote, "[]") == "deny window");
    const auto one = "[" + attempt("2026-11-22T01:00:00.000Z") + "]";
    const auto two = "[" + attempt("2026-11-22T00:00:00.000Z") + "," + attempt("2026-11-22T01:00:00.000Z") + "]";
    const auto before = "[" + attempt("2026-11-21T23:59:59.999Z") + "," + attempt("2026-11-22T01:00:00.000Z") + "]";
    CHECK(decide("2026-11-22T02:00:00.000Z", wrote, one) == "allow");
    CHECK(decide("2026-11-22T02:00:00.000Z", wrote, two) == "deny window");
    CHECK(decide("2026-11-22T02:00:00.000Z", wrote, before) == "allow");
}
