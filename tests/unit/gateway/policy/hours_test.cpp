#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

const std::string working_hours = R"([{"name": "hours", "kind": "hours", "calendar": "cn",
    "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "makeup"], "from": "09:00", "to": "20:00"},
             {"days": ["sat", "sun", "holiday"], "from": "10:00", "to": "18:00"}]}])";

std::string daily(const std::string& from, const std::string& to) {
    return R"([{"name": "hours", "kind": "hours", "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": ")" + from +
           R"(", "to": ")" + to + R"("}]}])";
}

std::string in_zone(const std::string& now, const std::string& zone) {
    return R"({"now": ")" + now + R"(", "contact": {"time_zone": ")" + zone + R"("}})";
}

}  // namespace

TEST_CASE("hours: open from the first millisecond to before the last", "[policy][hours]") {
    const auto [now, expected] = GENERATE(table<std::string, std::string>({
        {"2026-11-23T00:59:59.999Z", "defer hours 2026-11-23T01:00:00.000Z"},  // Monday
        {"2026-11-23T01:00:00.000Z", "allow"},
        {"2026-11-23T11:59:59.999Z", "allow"},
        {"2026-11-23T12:00:00.000Z", "defer hours 2026-11-24T01:00:00.000Z"},
        {"2026-11-20T12:00:00.000Z", "defer hours 2026-11-21T02:00:00.000Z"},  // Friday evening: Saturday opens at ten
        {"2026-11-22T10:00:00.000Z", "defer hours 2026-11-23T01:00:00.000Z"},  // Sunday 18:00
        {"2026-09-30T12:00:00.000Z", "defer hours 2026-10-01T02:00:00.000Z"},  // the first day of the National Day holiday
        {"2026-10-01T01:30:00.000Z", "defer hours 2026-10-01T02:00:00.000Z"},  // a Thursday, but a holiday
        {"2026-10-10T01:00:00.000Z", "allow"},                                 // a Saturday that is worked
        {"2026-10-10T11:59:59.999Z", "allow"},
        {"2026-10-10T12:00:00.000Z", "defer hours 2026-10-11T02:00:00.000Z"},
        {"2026-02-14T11:00:00.000Z", "allow"},  // make-up Saturday before Spring Festival
        {"2026-02-15T11:00:00.000Z", "defer hours 2026-02-16T02:00:00.000Z"},
    }));
    INFO(now);
    CHECK(verdict(working_hours, in_zone(now, "Asia/Shanghai")) == expected);
}

TEST_CASE("hours: without a makeup entry a make-up workday is closed", "[policy][hours]") {
    const auto rules = R"([{"name": "hours", "kind": "hours", "calendar": "cn",
        "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "20:00"}]}])";
    CHECK(verdict(rules, in_zone("2026-10-10T02:00:00.000Z", "Asia/Shanghai")) == "defer hours 2026-10-11T01:00:00.000Z");
}

TEST_CASE("hours: beyond the calendar the stricter of weekday and holiday holds, and the trace says so", "[policy][hours]") {
    const auto rules = R"([{"name": "hours", "kind": "hours", "calendar": "short",
        "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "makeup"], "from": "09:00", "to": "20:00"}, {"days": ["holiday"], "from": "10:00", "to": "18:00"}]}])";
    CHECK(verdict(rules, in_zone("2026-11-30T01:00:00.000Z", "Asia/Shanghai")) == "allow");
    CHECK(verdict(rules, in_zone("2026-12-01T01:00:00.000Z", "Asia/Shanghai")) == "defer hours 2026-12-01T02:00:00.000Z");
    CHECK(verdict(rules, in_zone("2026-12-01T10:00:00.000Z", "Asia/Shanghai")) == "defer hours 2026-12-02T02:00:00.000Z");
    CHECK(verdict(rules, in_zone("2026-12-05T02:00:00.000Z", "Asia/Shanghai")) == "defer hours 2026-12-07T02:00:00.000Z");  // no Saturday entry
    const auto step = step_of(decided(rules, in_zone("2026-12-01T03:00:00.000Z", "Asia/Shanghai")), "hours");
    CHECK(step["why"]["en"].get<std::string>().find("calendar_ends") != std::string::npos);
    CHECK(step["why"]["zh-CN"].get<std::string>().find("calendar_ends") != std::string::npos);
}

TEST_CASE("hours: wall times that a clock change skips never occur, and repeated ones count twice", "[policy][hours]") {
    // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00Z. Open 02:30 to 04:00.
    CHECK(verdict(daily("02:30", "04:00"), in_zone("2026-03-29T00:30:00.000Z", "Europe/Berlin")) == "defer hours 2026-03-29T01:00:00.000Z");
    // Open only within the skipped hour: the next day.
    CHECK(verdict(daily("02:00", "03:00"), in_zone("2026-03-29T00:30:00.000Z", "Europe/Berlin")) == "defer hours 2026-03-30T00:00:00.000Z");
    // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00Z, so 02:00 to 03:00 is read twice.
    CHECK(verdict(daily("02:30", "03:00"), in_zone("2026-10-25T00:00:00.000Z", "Europe/Berlin")) == "defer hours 2026-10-25T00:30:00.000Z");
    CHECK(verdict(daily("02:30", "03:00"), in_zone("2026-10-25T00:59:59.999Z", "Europe/Berlin")) == "allow");
    CHECK(verdict(daily("02:30", "03:00"), in_zone("2026-10-25T01:00:00.000Z", "Europe/Berlin")) == "defer hours 2026-10-25T01:30:00.000Z");
    CHECK(verdict(daily("02:30", "03:00"), in_zone("2026-10-25T01:59:59.999Z", "Europe/Berlin")) == "allow");
    // Lord Howe moves by half an hour, Apia skipped a whole day.
    CHECK(verdict(daily("09:00", "10:00"), in_zone("2026-10-03T20:00:00.000Z", "Australia/Lord_Howe")) == "defer hours 2026-10-03T22:00:00.000Z");
    CHECK(verdict(daily("09:00", "10:00"), in_zone("2011-12-29T20:30:00.000Z", "Pacific/Apia")) == "defer hours 2011-12-30T19:00:00.000Z");
}

TEST_CASE("hours: several plausible zones must all be open", "[policy][hours]") {
    const auto zones = R"(, "address": {"zones": ["America/New_York", "America/Los_Angeles"]})";
    const auto rules = daily("09:00", "20:00");
    // 09:00 in Los Angeles is 17:00Z, 20:00 in New York is 01:00Z.
    CHECK(verdict(rules, std::string{R"({"now": "2026-11-23T15:00:00.000Z")"} + zones + "}") == "defer hours 2026-11-23T17:00:00.000Z");
    CHECK(verdict(rules, std::string{R"({"now": "2026-11-24T00:59:59.999Z")"} + zones + "}") == "allow");
    CHECK(verdict(rules, std::string{R"({"now": "2026-11-24T01:00:00.000Z")"} + zones + "}") == "defer hours 2026-11-24T17:00:00.000Z");
    // The contact's own zone beats the number's, the rule's `unknown_zones` too.
    CHECK(verdict(rules, std::string{R"({"now": "2026-11-23T15:00:00.000Z", "contact": {"time_zone": "America/New_York"})"} + zones + "}") ==
          "allow");
    const auto assumed =
        R"([{"name": "hours", "kind": "hours", "unknown_zones": ["Asia/Shanghai"], "open": [{"days": ["mon", "tue"], "from": "09:00", "to": "20:00"}]}])";
    CHECK(verdict(assumed, std::string{R"({"now": "2026-11-23T01:00:00.000Z")"} + zones + "}") == "allow");
    // Nothing known: the gateway's own zone.
    CHECK(verdict(rules, R"({"now": "2026-11-23T00:59:59.999Z"})") == "defer hours 2026-11-23T01:00:00.000Z");
}

TEST_CASE("hours: zones that are never open together deny", "[policy][hours]") {
    const auto rules =
        R"([{"name": "hours", "kind": "hours", "unknown_zones": ["Etc/GMT-12", "Etc/GMT"], "open": [{"days": ["mon"], "from": "09:00", "to": "12:00"}]}])";
    CHECK(verdict(rules, "{}") == "deny hours");
    CHECK(verdict(R"([{"name": "hours", "kind": "hours", "open": []}])", "{}") == "deny hours");
}

TEST_CASE("hours: what lies within 366 days is found, what lies beyond denies", "[policy][hours]") {
    // Open on holidays alone: the next one after 2026-10-07 is unknown, for beyond the calendar a weekday entry is needed too.
    const auto holidays =
        R"([{"name": "hours", "kind": "hours", "calendar": "cn", "open": [{"days": ["holiday"], "from": "10:00", "to": "18:00"}]}])";
    CHECK(verdict(holidays, in_zone("2026-06-21T10:00:00.000Z", "Asia/Shanghai")) == "defer hours 2026-09-25T02:00:00.000Z");
    CHECK(verdict(holidays, in_zone("2026-10-07T10:00:00.000Z", "Asia/Shanghai")) == "deny hours");
}

TEST_CASE("hours: a zone that does not exist denies", "[policy][hours]") {
    CHECK(verdict(daily("00:00", "24:00"), in_zone("2026-11-23T02:00:00.000Z", "Mars/Olympus")) == "deny hours");
    CHECK(verdict(daily("00:00", "24:00"), in_zone("2026-11-23T02:00:00.000Z", "../../etc/passwd")) == "deny hours");
    CHECK(verdict(daily("00:00", "24:00"), R"({"address": {"zones": ["Asia/Shanghai", "Mars/Olympus"]}})") == "deny hours");
    CHECK(verdict(R"([{"name": "cap", "kind": "cap", "max": 5, "per": "day"}])", in_zone("2026-11-23T02:00:00.000Z", "Mars/Olympus")) == "deny cap");
}

TEST_CASE("hours: the whole day is 00:00 to 24:00, and a night is two entries", "[policy][hours]") {
    CHECK(verdict(daily("00:00", "24:00"), in_zone("2026-11-22T16:00:00.000Z", "Asia/Shanghai")) == "allow");
    const auto night =
        R"([{"name": "hours", "kind": "hours", "open": [{"days": ["mon"], "from": "22:00", "to": "24:00"}, {"days": ["tue"], "from": "00:00", "to": "06:00"}]}])";
    CHECK(verdict(night, in_zone("2026-11-23T15:59:59.999Z", "Asia/Shanghai")) == "allow");
    CHECK(verdict(night, in_zone("2026-11-23T16:00:00.000Z", "Asia/Shanghai")) == "allow");
    CHECK(verdict(night, in_zone("2026-11-23T22:00:00.000Z", "Asia/Shanghai")) == "defer hours 2026-11-30T14:00:00.000Z");
}

TEST_CASE("blackout: nothing within, and on its end again", "[policy][hours]") {
    const auto absolute = R"([{"name": "freeze", "kind": "blackout", "between": ["2026-11-10T00:00:00+08:00", "2026-11-12T00:00:00+08:00"]}])";
    CHECK(verdict(absolute, R"({"now": "2026-11-09T15:59:59.999Z"})") == "allow");
    CHECK(verdict(absolute, R"({"now": "2026-11-09T16:00:00.000Z"})") == "defer freeze 2026-11-11T16:00:00.000Z");
    CHECK(verdict(absolute, R"({"now": "2026-11-11T16:00:00.000Z"})") == "allow");
    const auto local = R"([{"name": "freeze", "kind": "blackout", "zone": "contact", "between": ["2026-11-10T00:00:00", "2026-11-12T00:00:00"]}])";
    CHECK(verdict(local, in_zone("2026-11-10T12:00:00.000Z", "America/New_York")) == "defer freeze 2026-11-12T05:00:00.000Z");
    CHECK(verdict(local, R"({"now": "2026-11-11T17:00:00.000Z", "address": {"zones": ["Asia/Shanghai", "America/New_York"]}})") ==
          "defer freeze 2026-11-12T05:00:00.000Z");
}

TEST_CASE("open_until: the end of the current open span over all binding hours and blackouts", "[policy][hours]") {
    SymbolTable symbols;
    ProfileTable profiles;
    const auto document = json_of(R"({"name": "p", "rules": [
        {"name": "hours", "kind": "hours", "when": {"purposes": ["marketing"]}, "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "20:00"}]},
        {"name": "freeze", "kind": "blackout", "when": {"purposes": ["marketing"]}, "between": ["2026-11-24T05:00:00Z", "2026-11-25T00:00:00Z"]},
        {"name": "vip", "kind": "exemption", "when": {"tags": ["vip"]}, "waives": ["hours"]}]})");
    const auto policy = CompiledPolicy::compile(document, {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = {}});
    REQUIRE(policy.has_value());
    const ContactView contact{.time_zone = "Asia/Shanghai"};
    const auto until = [&](const char* purpose, const char* now, const ContactView& of) {
        const Request request{.names = {symbols.intern(purpose), symbols.intern("sms"), {}, {}, {}, {}}};
        const auto end = (*policy)->open_until(request, of, {}, *parse_instant(now));
        return end == instant_never ? std::string{"never"} : format_instant(end);
    };
    CHECK(until("marketing", "2026-11-23T02:00:00Z", contact) == "2026-11-23T12:00:00.000Z");
    CHECK(until("marketing", "2026-11-24T02:00:00Z", contact) == "2026-11-24T05:00:00.000Z");
    CHECK(until("marketing", "2026-11-24T06:00:00Z", contact) == "2026-11-24T06:00:00.000Z");
    CHECK(until("service", "2026-11-23T02:00:00Z", contact) == "never");
    const std::vector<Symbol> tags{symbols.intern("vip")};
    const ContactView vip{.time_zone = "Asia/Shanghai", .tags = tags};
    CHECK(until("marketing", "2026-11-23T02:00:00Z", vip) == "2026-11-24T05:00:00.000Z");
}
