// How rules combine, and `when`.
#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

constexpr auto marketing_at = R"({"at": "2026-11-22T12:30:00.000Z", "purpose": "marketing", "channel": "sms"})";

// A cap that binds under the condition, with one attempt in its window: `defer` says that it binds.
bool binds(const std::string& when, const std::string& fields) {
    return verdict(R"([{"name": "r", "kind": "blackout", "between": ["2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"], "when": )" + when + "}]",
                   fields) != "allow";
}

}  // namespace

TEST_CASE("until is the earliest instant at which all rules allow together", "[policy][decide]") {
    // The cap frees at 20:30 in the evening, when the hours are over; then the second cap is in the way until the day after.
    const auto rules = R"([
        {"name": "hours", "kind": "hours", "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "20:00"}]},
        {"name": "cap", "kind": "cap", "max": 1, "per": "P1D"},
        {"name": "gap", "kind": "gap", "after": "touch", "at_least": "PT37H"}])";
    const auto fields =
        R"({"contact": {"time_zone": "Asia/Shanghai"}, "history": [{"at": "2026-11-22T12:30:00.000Z", "purpose": "marketing", "channel": "sms"}]})";
    CHECK(verdict(rules, fields) == "defer gap 2026-11-24T01:30:00.000Z");
    const auto decision = decided(rules, fields);
    CHECK(step_of(decision, "hours")["verdict"] == "allow");
    CHECK(step_of(decision, "cap")["until"] == "2026-11-23T12:30:00.000Z");
    CHECK(step_of(decision, "gap")["until"] == "2026-11-24T01:30:00.000Z");
    // Without the gap the hours are what stands in the way last.
    const auto two = R"([
        {"name": "hours", "kind": "hours", "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "20:00"}]},
        {"name": "cap", "kind": "cap", "max": 1, "per": "P1D"}])";
    CHECK(verdict(two, fields) == "defer hours 2026-11-24T01:00:00.000Z");
    CHECK(step_of(decided(two, fields), "hours")["verdict"] == "defer");
}

TEST_CASE("a deny beats every defer, and the first denying rule in document order is named", "[policy][decide]") {
    const auto rules = R"([
        {"name": "cap", "kind": "cap", "max": 1, "per": "P1D"},
        {"name": "second", "kind": "suppression", "lists": ["dnc"]},
        {"name": "third", "kind": "consent"}])";
    const auto history = std::string{R"("history": [)"} + marketing_at + "]";
    CHECK(verdict(rules, R"({"address": {"lists": [{"list": "dnc"}]}, )" + history + "}") == "deny second");
    CHECK(verdict(rules, "{" + history + "}") == "deny third");
}

TEST_CASE("not_before: decided for that instant, and alone in the way it names no rule", "[policy][decide]") {
    const auto cap = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D"}])";
    const auto touch = R"("touch": {"purpose": "marketing", "channels": ["sms"], "not_before": "2026-11-23T06:00:00.000Z"})";
    CHECK(verdict(cap, std::string{"{"} + touch + "}") == "defer 2026-11-23T06:00:00.000Z");
    const auto history = std::string{R"("history": [)"} + marketing_at + "]";
    CHECK(verdict(cap, std::string{"{"} + touch + "," + history + "}") == "defer cap 2026-11-23T12:30:00.000Z");
    CHECK(verdict(cap, std::string{R"({"now": "2026-11-23T06:00:00.000Z", )"} + touch + "}") == "allow");
    const auto late =
        R"({"touch": {"purpose": "marketing", "channels": ["sms"], "not_before": "2026-11-23T06:00:00.000Z", "expires_at": "2026-11-23T06:00:00.000Z"}})";
    CHECK(verdict(cap, late) == "deny expires_first");
}

TEST_CASE("a touch that has expired is denied", "[policy][decide]") {
    CHECK(verdict("[]", R"({"touch": {"purpose": "marketing", "channels": ["sms"], "expires_at": "2026-11-23T02:00:00.000Z"}})") ==
          "deny expires_first");
    CHECK(verdict("[]", R"({"touch": {"purpose": "marketing", "channels": ["sms"], "expires_at": "2026-11-23T02:00:00.001Z"}})") == "allow");
}

TEST_CASE("rules that are never open together deny", "[policy][decide]") {
    const auto rules = R"([
        {"name": "mornings", "kind": "hours", "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "12:00"}]},
        {"name": "evenings", "kind": "hours", "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "18:00", "to": "20:00"}]}])";
    CHECK(decided(rules, R"({"contact": {"time_zone": "Asia/Shanghai"}})")["verdict"] == "deny");
}

TEST_CASE("the channel with the best outcome is taken in a case", "[policy][decide]") {
    const auto rules = R"([{"name": "cap", "kind": "cap", "when": {"channels": ["wecom"]}, "max": 0, "per": "P1D"}])";
    CHECK(verdict(rules, R"({"touch": {"purpose": "marketing", "channels": ["wecom", "sms"]}})") == "allow");
}

TEST_CASE("when: names, units, tags, attributes, origins, regions", "[policy][when]") {
    const auto touch =
        R"({"touch": {"purpose": "marketing", "channels": ["sms"], "account": "a", "campaign": "c", "template": "t", "unit": "hq/east/3", "origin": "campaign"},
        "contact": {"tags": ["vip"], "lead_stages": ["contacted", "won"], "attributes": {"tier": "gold", "score": 7.5, "member": true, "since": "2026-01-05"}}, "address": {"region": "CN", "carrier": "cmcc"}})";
    const auto [when, expected] = GENERATE(table<std::string, bool>({
        {"{}", true},
        {R"({"purposes": ["care", "marketing"]})", true},
        {R"({"purposes": ["care"]})", false},
        {R"({"channels": ["sms"], "accounts": ["a"], "campaigns": ["c"], "templates": ["t"]})", true},
        {R"({"channels": ["sms"], "accounts": ["b"]})", false},
        {R"({"units": ["hq"]})", true},
        {R"({"units": ["hq/east"]})", true},
        {R"({"units": ["hq/ea"]})", false},
        {R"({"units": ["hq/east/3/a"]})", false},
        {R"({"tags": ["vip", "x"]})", true},
        {R"({"tags": ["x"]})", false},
        {R"({"attributes": {"tier": {"in": ["gold", "black"]}}})", true},
        {R"({"attributes": {"tier": {"eq": "silver"}}})", false},
        {R"({"attributes": {"tier": {"ne": "silver"}}})", true},
        {R"({"attributes": {"none": {"ne": "silver"}}})", false},
        {R"({"attributes": {"none": {"exists": false}, "tier": {"exists": true}}})", true},
        {R"({"attributes": {"score": {"gte": 7.5, "lt": 8}}})", true},
        {R"({"attributes": {"score": {"gt": 7.5}}})", false},
        {R"({"attributes": {"score": {"gt": "a"}}})", false},
        {R"({"attributes": {"member": {"eq": true}}})", true},
        {R"({"attributes": {"since": {"lte": "2026-01-05"}}})", true},
        {R"({"origins": ["campaign"]})", true},
        {R"({"origins": ["api", "bot"]})", false},
        {R"({"regions": ["CN"], "carriers": ["cmcc", "cucc"]})", true},
        {R"({"regions": ["US"]})", false},
        {R"({"lead_stages": ["won"]})", true},
        {R"({"lead_stages": ["new", "contacted"]})", true},
        {R"({"lead_stages": ["new", "lost"]})", false},
        {R"({"not": {"lead_stages": ["qualified"]}})", true},
        {R"({"not": {"purposes": ["marketing"]}})", false},
        {R"({"not": {"tags": ["x"]}})", true},
        {R"({"any": [{"tags": ["x"]}, {"purposes": ["marketing"]}]})", true},
        {R"({"any": [{"tags": ["x"]}, {"tags": ["y"]}]})", false},
        {R"({"any": []})", false},
        {R"({"all": [{"tags": ["vip"]}, {"regions": ["CN"]}]})", true},
        {R"({"all": []})", true},
        {R"({"between": ["2026-11-23T02:00:00Z", "2026-11-24T00:00:00Z"]})", true},
        {R"({"between": ["2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"]})", false},
    }));
    INFO(when);
    CHECK(binds(when, touch) == expected);
}

TEST_CASE("when: conditions that change with time end a defer exactly when they change", "[policy][when]") {
    const auto closed = [](const std::string& when) {
        return R"([{"name": "r", "kind": "blackout", "between": ["2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"], "when": )" + when + "}]";
    };
    CHECK(verdict(closed(R"({"between": ["2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z"]})"), "{}") == "defer r 2026-11-30T00:00:00.000Z");
    CHECK(verdict(closed(R"({"inbound_within": "PT1H"})"), R"({"contact": {"last_inbound": "2026-11-23T01:30:00.000Z"}})") ==
          "defer r 2026-11-23T02:30:00.000Z");
    CHECK(verdict(closed(R"({"inbound_within": "PT1H"})"), R"({"contact": {"last_inbound": "2026-11-23T01:00:00.000Z"}})") == "allow");
    CHECK(verdict(closed(R"({"inbound_within": "PT1H"})"), "{}") == "allow");
    const auto ordered = R"({"contact": {"attributes": {"last_order_at": "2026-11-20T02:00:00.000Z"}}})";
    CHECK(verdict(closed(R"({"ages": {"attribute": "last_order_at", "lt": "P7D"}})"), ordered) == "defer r 2026-11-27T02:00:00.000Z");
    CHECK(verdict(closed(R"({"ages": {"attribute": "last_order_at", "lte": "P7D"}})"), ordered) == "defer r 2026-11-27T02:00:00.001Z");
    CHECK(verdict(closed(R"({"ages": {"attribute": "last_order_at", "gt": "P7D"}})"), ordered) == "allow");
    CHECK(verdict(closed(R"({"ages": {"attribute": "last_order_at", "gte": "P3D"}})"), ordered) == "defer r 2040-01-01T00:00:00.000Z");
    CHECK(verdict(closed(R"({"ages": {"attribute": "none", "lt": "P7D"}})"), ordered) == "allow");
    const auto born = R"({"contact": {"time_zone": "Asia/Shanghai", "attributes": {"birthday": "1990-11-23"}}})";
    CHECK(verdict(closed(R"({"ages": {"attribute": "birthday", "anniversary": true}})"), born) == "defer r 2026-11-23T16:00:00.000Z");
    CHECK(verdict(closed(R"({"not": {"ages": {"attribute": "birthday", "anniversary": true}}})"),
                  R"({"contact": {"time_zone": "Asia/Shanghai", "attributes": {"birthday": "1992-02-29"}}})") == "defer r 2027-02-27T16:00:00.000Z");
}

TEST_CASE("when: a rule that binds only later moves a defer, not an allow", "[policy][when]") {
    const auto rules = R"([
        {"name": "gap", "kind": "gap", "after": "touch", "at_least": "P1D"},
        {"name": "festival", "kind": "suppression", "lists": ["testers"], "mode": "only", "when": {"between": ["2026-11-23T12:00:00Z", "2026-11-24T18:00:00Z"]}}])";
    CHECK(verdict(rules, "{}") == "allow");
    const auto fields = std::string{R"({"history": [)"} + marketing_at + "]}";
    CHECK(verdict(rules, fields) == "defer festival 2026-11-24T18:00:00.000Z");
    CHECK(step_of(decided(rules, fields), "festival")["verdict"] == "defer");
}

TEST_CASE("an exemption that begins later ends the defer at its beginning", "[policy][when]") {
    const auto rules = R"([
        {"name": "closed", "kind": "blackout", "between": ["2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"]},
        {"name": "sale", "kind": "exemption", "when": {"between": ["2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"]}, "waives": ["closed"]}])";
    CHECK(verdict(rules, "{}") == "defer closed 2026-11-24T00:00:00.000Z");
    CHECK(verdict(rules, R"({"now": "2026-11-24T00:00:00.000Z"})") == "allow");
    CHECK(verdict(rules, R"({"now": "2026-11-25T00:00:00.000Z"})") == "defer closed 2040-01-01T00:00:00.000Z");
}

TEST_CASE("profiles: decisions for unprepared profiles are the same as for prepared ones", "[policy][decide]") {
    SymbolTable symbols;
    ProfileTable profiles;
    const auto document = json_of(
        R"({"name": "p", "rules": [{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "counts": {"tags": ["vip"], "purposes": ["marketing"]}}]})");
    const auto policy = CompiledPolicy::compile(document, {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = {}});
    REQUIRE(policy.has_value());
    const Profile names{symbols.intern("marketing"), symbols.intern("sms"), {}, {}, {}, {}};
    bool made = false;
    const auto id = profiles.intern(names, made);
    REQUIRE(made);
    const auto now = *parse_instant("2026-11-23T02:00:00Z");
    const std::vector<HistoryEntry> history{{.at = now - std::chrono::hours{1}, .touch = 5, .profile = id, .slot = Slot::counted}};
    const std::vector<Symbol> tags{symbols.intern("vip")};
    const Request request{.profile = id, .names = names};
    const auto decide = [&](std::span<const Symbol> of) {
        return (*policy)->decide(request, {.tags = of, .history = history}, {}, nullptr, now, Detail::none);
    };
    CHECK(decide(tags).verdict == Verdict::defer);
    CHECK(decide({}).verdict == Verdict::allow);
    (*policy)->prepare_profile(id);
    CHECK(decide(tags).verdict == Verdict::defer);
    CHECK(decide({}).verdict == Verdict::allow);
}

TEST_CASE("a shared counter that nobody hands over denies", "[policy][decide]") {
    SymbolTable symbols;
    ProfileTable profiles;
    const auto document = json_of(R"({"name": "p", "rules": [{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "by": ["campaign"]}]})");
    const auto policy = CompiledPolicy::compile(document, {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = {}});
    REQUIRE(policy.has_value());
    CHECK((*policy)->shared_counter_count() == 1);
    CHECK((*policy)->decide({}, {}, {}, nullptr, Instant{}, Detail::none).verdict == Verdict::deny);
}
