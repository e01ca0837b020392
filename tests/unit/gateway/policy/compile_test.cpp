#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

std::vector<std::string> problems_of_rules(const std::string& rules) { return problems_of(json_of(R"({"name": "p", "rules": )" + rules + "}")); }

}  // namespace

TEST_CASE("compile: the smallest policy", "[policy][compile]") { CHECK(problems_of(json_of(R"({"name": "open", "rules": []})")).empty()); }

TEST_CASE("compile: all problems at once, each with its pointer", "[policy][compile]") {
    const auto problems = problems_of(json_of(R"({
        "name": "Bad Name", "colour": 1, "purposes": ["marketing", "marketing"], "classes": [["marketing"], ["marketing", "x"]],
        "default_channels": {"nothing": ["sms"]}, "title": {"fr": "x"},
        "rules": [
            {"name": "a", "kind": "cap", "max": -1, "per": "P1M", "by": ["contact", "caller_id", "shoe"]},
            {"name": "a", "kind": "wish"},
            {"name": "hours", "kind": "hours", "zone": "Mars/Olympus", "calendar": "none", "open": [{"days": ["mon", "someday"], "from": "20:00", "to": "09:00"}]},
            {"name": "opt-out", "kind": "consent", "basis": "perhaps", "valid_for": "P2Y"},
            {"name": "x", "kind": "exemption", "waives": ["*", "nobody", "x"]},
            {"name": "w", "kind": "consent", "when": {"purposes": ["sales"], "unknown": 1, "attributes": {"a": {"like": 1}}, "any": [{"tags": []}]}}
        ]})"));
    const std::vector<std::string> expected = {
        "/name: must match [a-z0-9-]{1,64}",
        "/title/fr: unknown field \"fr\"",
        "/purposes/1: is named twice",
        "/default_channels/nothing: \"nothing\" is not one of the policy's purposes",
        "/classes/1/0: \"marketing\" is in two classes",
        "/classes/1/1: is not one of the policy's purposes",
        "/rules/0/by/2: must be one of contact, address, channel, account, unit, campaign, template, purpose, caller_id, region, list, member, metadata:<key>, attribute:<key>",
        "/rules/0/max: must be from 0 to 1000000000",
        "/rules/0/per: must be \"day\", \"week\", \"month\" or an ISO 8601 duration such as \"P7D\" (no years or months)",
        "/rules/1/name: another rule is called \"a\" (built-in and included rules counted)",
        "/rules/1/kind: \"wish\" is no kind of rule; must be one of suppression, consent, hours, cap, gap, content, exemption, attempts, "
        "session_window, quota, blackout, holdout, budget, abandonment, fatigue",
        "/rules/2/zone: \"Mars/Olympus\" is not an IANA time zone, such as \"Asia/Shanghai\"",
        "/rules/2/calendar: there is no calendar \"none\"",
        "/rules/2/open/0/to: must be later than `from`; a night is written as two entries",
        "/rules/2/open/0/days/1: must be one of mon, tue, wed, thu, fri, sat, sun, holiday, makeup",
        "/rules/3/name: another rule is called \"opt-out\" (built-in and included rules counted)",
        "/rules/3/basis: must be one of: opt_in, opt_out",
        "/rules/3/valid_for: must be an ISO 8601 duration such as \"PT30M\" or \"P7D\" (no years or months)",
        "/rules/4/waives/0: \"*\" is refused: name the rules, one by one",
        "/rules/5/when/purposes/0: \"sales\" is not one of the policy's purposes",
        "/rules/5/when/attributes/a/like: unknown operator; must be one of eq, ne, in, lt, lte, gt, gte, exists",
        "/rules/5/when/any/0/tags: must name at least one",
        "/rules/5/when/unknown: unknown field \"unknown\"",
        "/colour: unknown field \"colour\"",
        "/rules/4/waives/1: there is no rule \"nobody\"",
        "/rules/4/waives/2: \"x\" is an exemption itself",
    };
    CHECK(problems == expected);
}

TEST_CASE("compile: a file of words that cannot be read here, and parts that a kind does not have", "[policy][compile]") {
    const auto rule = GENERATE(R"({"name": "r", "kind": "content", "forbidden_file": "words.txt"})",
                               R"({"name": "r", "kind": "gap", "after": "event", "at_least": "P1D"})",
                               R"({"name": "r", "kind": "gap", "after": "touch", "at_least": "P1D", "by": ["member"]})",
                               R"({"name": "r", "kind": "session_window", "since": "P2D", "opens": []})",
                               R"({"name": "r", "kind": "session_window", "since": "P2D", "also": [{"opens": ["click"]}]})",
                               R"({"name": "r", "kind": "cap", "max": 1, "per": "P1D", "by": ["metadata:"]})",
                               R"({"name": "r", "kind": "cap", "max": 1, "per": "P1D", "by": ["member", "channel"]})",
                               R"({"name": "r", "kind": "cap", "max": 1, "per": "P1D", "max_share_over": 0.5})",
                               R"({"name": "r", "kind": "budget", "max": "1,5"})", R"({"name": "r", "kind": "budget", "max": 0.0000001})",
                               R"({"name": "r", "kind": "budget", "max": 1, "weight": {"sms": 2}})", R"({"name": "r", "kind": "budget", "currency": "CNY"})",
                               R"({"name": "r", "kind": "abandonment", "max_percent": 101})", R"({"name": "r", "kind": "abandonment"})",
                               R"({"name": "r", "kind": "fatigue", "signals": {"complaint": 1}, "half_life": "P1D", "ceilings": []})",
                               R"({"name": "r", "kind": "fatigue", "signals": {}, "half_life": "P1D", "ceilings": [{"score": 1, "max": 0, "per": "P1D"}]})",
                               R"({"name": "r", "kind": "fatigue", "signals": {"complaint": 1}, "ceilings": [{"score": 1, "max": 0, "per": "P1D"}]})");
    INFO(rule);
    CHECK(problems_of_rules("[" + std::string{rule} + "]").size() == 1);
}

TEST_CASE("compile: a calendar that ends within 60 days is warned of", "[policy][compile]") {
    const auto document = json_of(
        R"({"name": "p", "rules": [{"name": "h", "kind": "hours", "calendar": "short", "open": [{"days": ["mon", "makeup"], "from": "09:00", "to": "20:00"}]}]})");
    const auto warned = [&](const char* now) {
        SymbolTable symbols;
        ProfileTable profiles;
        std::vector<Problem> warnings;
        const auto compiled = CompiledPolicy::compile(
            document, {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = {}, .now = parse_instant(now)}, &warnings);
        REQUIRE(compiled.has_value());
        REQUIRE((*compiled)->calendars().size() == 1);
        CHECK((*compiled)->calendars().front()->name == "short");
        return warnings.empty() ? std::string{} : warnings.front().pointer + " " + warnings.front().detail;
    };
    CHECK(warned("2026-10-01T00:00:00Z").empty());
    CHECK(warned("2026-10-02T00:00:00Z").starts_with("/rules/0/calendar the calendar \"short\" ends in 59 days"));
    CHECK(warned("2026-12-01T00:00:00Z").starts_with("/rules/0/calendar the calendar \"short\" has ended"));
}

TEST_CASE("compile: included rules come first, each document once, and a circle is refused", "[policy][compile]") {
    const auto load = [](std::string_view name) -> Result<Json> {
        if (name == "base") return json_of(R"({"name": "base", "rules": [{"name": "dnc", "kind": "suppression", "lists": ["*"]}]})");
        if (name == "left")
            return json_of(R"({"name": "left", "include": ["base"], "rules": [{"name": "left-cap", "kind": "cap", "max": 1, "per": "P1D"}]})");
        if (name == "round") return json_of(R"({"name": "round", "include": ["p"], "rules": []})");
        if (name == "broken") return json_of(R"({"name": "broken", "rules": [{"name": "r", "kind": "cap", "per": "P1D"}]})");
        return Error{.kind = ErrorKind::not_found, .detail = "no such policy"};
    };
    SymbolTable symbols;
    ProfileTable profiles;
    const auto document =
        json_of(R"({"name": "p", "include": ["left", "base"], "rules": [{"name": "own", "kind": "exemption", "waives": ["dnc"]}]})");
    const auto policy = CompiledPolicy::compile(document, {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = load});
    REQUIRE(policy.has_value());
    std::vector<std::string> names;
    for (std::uint16_t i = 0; i < (*policy)->rule_count(); ++i) names.push_back((*policy)->rule_name(i));
    CHECK(names == std::vector<std::string>{"address-gone", "restricted", "erased", "opt-out", "opt-out-review", "platform-refusal", "holdout",
                                            "template-not-filed", "dnc", "left-cap", "own"});
    CHECK(problems_of(json_of(R"({"name": "p", "include": ["round"], "rules": []})"), load) ==
          std::vector<std::string>{"/include/0: in \"round\" at /include/0: \"p\" includes itself"});
    CHECK(problems_of(json_of(R"({"name": "p", "include": ["gone"], "rules": []})"), load) ==
          std::vector<std::string>{"/include/0: \"gone\" cannot be included: no such policy"});
    CHECK(problems_of(json_of(R"({"name": "p", "include": ["broken"], "rules": []})"), load) ==
          std::vector<std::string>{"/include/0: in \"broken\" at /rules/0/max: is required: a whole number, 0 for never"});
}

TEST_CASE("compile: what the engine asks about a policy", "[policy][compile]") {
    SymbolTable symbols;
    ProfileTable profiles;
    const Profile sms{symbols.intern("marketing"), symbols.intern("sms"), {}, {}, {}, {}};
    const Profile voice{symbols.intern("marketing"), symbols.intern("voice"), {}, {}, {}, {}};
    bool made = false;
    const auto sms_id = profiles.intern(sms, made);
    const auto voice_id = profiles.intern(voice, made);
    const auto document = json_of(R"({"name": "p", "purposes": ["marketing", "service", "extra"], "classes": [["service"], ["marketing"]],
        "default_channels": {"*": ["sms"], "service": ["wecom", "sms"]},
        "rules": [
            {"name": "dnc", "kind": "suppression", "lists": ["dnc"]},
            {"name": "text", "kind": "content", "when": {"channels": ["sms"], "attributes": {"tier": {"exists": true}}}, "max_segments": 3},
            {"name": "fresh", "kind": "consent", "when": {"ages": {"attribute": "last_order_at", "lt": "P30D"}}},
            {"name": "cap", "kind": "cap", "max": 1, "per": "P90D", "by": ["address"]},
            {"name": "cap-2", "kind": "cap", "max": 1, "per": "P9D", "by": ["address"]},
            {"name": "cap-3", "kind": "cap", "max": 1, "per": "month", "by": ["account", "channel"]}]})");
    const auto compiled = CompiledPolicy::compile(document, {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = {}});
    REQUIRE(compiled.has_value());
    const auto& policy = **compiled;
    CHECK(policy.name() == "p");
    CHECK(policy.has_purpose(symbols.intern("extra")));
    CHECK_FALSE(policy.has_purpose(symbols.intern("care")));
    CHECK(policy.class_count() == 2);
    CHECK(policy.class_of(symbols.intern("service")) == 0);
    CHECK(policy.class_of(symbols.intern("marketing")) == 1);
    CHECK(policy.class_of(symbols.intern("extra")) == 1);
    CHECK(policy.default_channels("service") == std::vector<std::string>{"wecom", "sms"});
    CHECK(policy.default_channels("marketing") == std::vector<std::string>{"sms"});
    CHECK(policy.reads_list("dnc"));
    CHECK(policy.reads_list("platform:x"));
    CHECK_FALSE(policy.reads_list("other"));
    CHECK(policy.attributes_read() == std::vector<std::string>{"last_order_at", "tier"});
    CHECK(policy.needs_content(sms_id));
    CHECK_FALSE(policy.needs_content(voice_id));
    CHECK(policy.history_horizon() == std::chrono::days{90});
    CHECK(policy.rule_kind(policy.rule_index("cap")) == "cap");
    CHECK(policy.rule_index("none") == no_rule);
    REQUIRE(policy.shared_counter_count() == 2);
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    CHECK_FALSE(policy.counter_key(0, sms, {.address = 0}, a));
    CHECK(policy.counter_key(0, sms, {.address = 7}, a));
    CHECK(policy.counter_key(0, voice, {.address = 7}, b));
    CHECK(a == b);
    CHECK(policy.counter_key(1, sms, {.address = 7}, a));
    CHECK(policy.counter_key(1, voice, {.address = 7}, b));
    CHECK(a != b);
}

TEST_CASE("compile: doubtful things are warnings", "[policy][compile]") {
    std::vector<Problem> warnings;
    CHECK(
        problems_of(
            json_of(
                R"({"name": "p", "rules": [{"name": "h", "kind": "hours", "calendar": "cn", "open": [{"days": ["mon"], "from": "09:00", "to": "20:00"}]}]})"),
            {}, &warnings)
            .empty());
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].pointer == "/rules/0/open");
}

TEST_CASE("compile: whatever JSON comes in, there are problems and no crash", "[policy][compile]") {
    const auto text = GENERATE(
        "null", "[]", "1", R"("x")", "{}", R"({"name": 5, "rules": {}})", R"({"name": "p", "rules": [1, null, [], "x", {}]})",
        R"({"name": "p", "rules": [{"name": "r", "kind": "hours", "open": 5}]})",
        R"({"name": "p", "rules": [{"name": "r", "kind": "cap", "max": 1e300, "per": 5, "by": 5, "counts": [], "reserve": 1, "weight": []}]})",
        R"({"name": "p", "rules": [{"name": "r", "kind": "consent", "when": []}]})", R"({"name": "p", "rules": [], "cases": 5})",
        R"({"name": "p", "rules": [], "cases": [{"name": "x"}]})",
        R"({"name": "p", "rules": [], "classes": 5, "default_channels": [], "include": {}, "purposes": "x"})");
    INFO(text);
    CHECK_FALSE(problems_of(json_of(text)).empty());
}

TEST_CASE("calendar: what is wrong is named", "[policy][calendar]") {
    const auto problem_count = [](const std::string& text) {
        const auto parsed = parse_calendar(json_of(text), "c");
        return parsed ? std::size_t{0} : parsed.error().problems.size();
    };
    CHECK(problem_count(R"({"covers": ["2026-01-01", "2026-12-31"]})") == 0);
    CHECK(problem_count(R"({"covers": ["2026-01-01"]})") == 1);
    CHECK(problem_count(R"({"covers": ["2026-12-31", "2026-01-01"]})") == 1);
    CHECK(
        problem_count(
            R"({"covers": ["2026-01-01", "2026-12-31"], "holidays": ["2026-02-30", "2027-01-01", "2026-01-01", {"date": "2026-01-01"}, 5], "other": 1})") ==
        6);
}
