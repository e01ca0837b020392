// Kinds that look at more than attempts: budget, fatigue, abandonment, gaps after events, session windows by kind of act, members, labels.
#include "gateway/policy/binomial_bound.hpp"
#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

// Monday 10:00 in Shanghai is the `now` of every case that does not say otherwise.
constexpr auto touch_costing = [](const std::string& cost) {
    return R"("touch": {"purpose": "marketing", "channels": ["sms"], "campaign": "double11", "cost": )" + cost + "}";
};

}  // namespace

TEST_CASE("budget: money per campaign, in its currency; what is over waits for the next period", "[policy][budget]") {
    const auto rules = R"([{"name": "spend", "kind": "budget", "max": 1, "per": "day", "by": ["campaign"]}])";
    const auto spent = [&](const std::string& history, const std::string& cost = "0.1") {
        return verdict(rules, R"({"history": [)" + history + "], " + touch_costing(cost) + "}");
    };
    CHECK(spent("") == "allow");
    CHECK(spent("", "1") == "allow");
    CHECK(spent("", "1.000001") == "deny spend");
    const auto today = [](const std::string& more) { return R"({"at": "2026-11-22T17:00:00.000Z", "channel": "sms", "purpose": "marketing")" + more + "}"; };
    CHECK(spent(today(R"(, "campaign": "double11", "cost": 0.9)")) == "allow");
    CHECK(spent(today(R"(, "campaign": "double11", "cost": 0.900001)")) == "defer spend 2026-11-23T16:00:00.000Z");
    CHECK(spent(today(R"(, "campaign": "double11", "cost": 0.95, "contact": "another")")) == "defer spend 2026-11-23T16:00:00.000Z");
    CHECK(spent(today(R"(, "campaign": "other", "cost": 5)")) == "allow");
    CHECK(spent(today(R"(, "campaign": "double11", "cost": 5, "currency": "USD")")) == "allow");
    CHECK(spent(today(R"(, "campaign": "double11", "cost": 5, "slot": "released")")) == "allow");
    CHECK(spent(today(R"(, "campaign": "double11", "cost": 5, "slot": "failed")")) == "allow");
    CHECK(spent(today(R"(, "campaign": "double11", "cost": 5, "slot": "reserved")")) == "defer spend 2026-11-23T16:00:00.000Z");
}

TEST_CASE("budget: sliding it waits until enough has left the window; without a period it is spent for good", "[policy][budget]") {
    const std::string history = R"("history": [
        {"at": "2026-11-22T12:00:00.000Z", "channel": "sms", "purpose": "marketing", "campaign": "double11", "cost": 0.05},
        {"at": "2026-11-22T13:00:00.000Z", "channel": "sms", "purpose": "marketing", "campaign": "double11", "cost": 0.6},
        {"at": "2026-11-22T14:00:00.000Z", "channel": "sms", "purpose": "marketing", "campaign": "double11", "cost": 0.3}], )";
    CHECK(verdict(R"([{"name": "spend", "kind": "budget", "max": "1.00", "per": "P1D"}])", "{" + history + touch_costing("0.1") + "}") ==
          "defer spend 2026-11-23T12:00:00.000Z");
    CHECK(verdict(R"([{"name": "spend", "kind": "budget", "max": "1.00", "per": "P1D"}])", "{" + history + touch_costing("0.11") + "}") ==
          "defer spend 2026-11-23T13:00:00.000Z");
    const auto for_good = R"([{"name": "spend", "kind": "budget", "max": "1.00"}])";
    CHECK(verdict(for_good, "{" + history + touch_costing("0.05") + "}") == "allow");
    CHECK(verdict(for_good, "{" + history + touch_costing("0.06") + "}") == "deny spend");
    const auto decision = decided(for_good, "{" + history + touch_costing("0.06") + "}");
    CHECK(step_of(decision, "spend")["counted"] == 0.95);
    CHECK(step_of(decision, "spend")["max"] == 1);
}

TEST_CASE("budget: what is only reserved may come free, so a spent budget waits for it", "[policy][budget]") {
    const auto reserved = R"({"history": [{"at": "2026-11-23T01:00:00.000Z", "channel": "sms", "purpose": "marketing", "campaign": "double11", "cost": 1, "slot": "reserved"}],
        "touch": {"purpose": "marketing", "channels": ["sms"], "campaign": "double11", "cost": 0.1, "expires_at": "2026-11-24T00:00:00.000Z"}})";
    CHECK(verdict(R"([{"name": "spend", "kind": "budget", "max": 1}])", reserved) == "defer spend 2026-11-24T00:00:00.000Z waits_for_release");
    CHECK(verdict(R"([{"name": "spend", "kind": "budget", "max": 1}, {"name": "dnc", "kind": "consent"}])", reserved) == "deny spend");
}

TEST_CASE("fatigue: the score halves, and the ceiling ends in the millisecond in which it is below", "[policy][fatigue]") {
    const auto rules = R"([{"name": "tired", "kind": "fatigue", "signals": {"complaint": 1, "hang_up_early": 0.5}, "half_life": "P10D",
        "ceilings": [{"score": 0.5, "max": 1, "per": "P7D"}, {"score": 1.5, "max": 0, "per": "P7D"}]}])";
    const auto acts = [](const std::string& text) { return R"("contact": {"acts": [)" + text + "]}"; };
    const std::string recent = R"(, "history": [{"at": "2026-11-22T02:00:00.000Z", "purpose": "marketing", "channel": "sms"}])";
    CHECK(verdict(rules, "{" + acts("") + recent + "}") == "allow");
    const std::string complaint = R"({"at": "2026-11-23T00:00:00.000Z", "kind": "complaint"})";
    CHECK(verdict(rules, "{" + acts(complaint) + "}") == "allow");
    CHECK(verdict(rules, "{" + acts(complaint) + recent + "}") == "defer tired 2026-11-29T02:00:00.000Z");
    // The score is exactly 0.5 after one half life: still a ceiling then, not a millisecond later.
    CHECK(verdict(rules, "{" + acts(R"({"at": "2026-11-13T02:00:00.000Z", "kind": "complaint"})") + recent + "}") == "defer tired 2026-11-23T02:00:00.001Z");
    CHECK(verdict(rules, "{" + acts(R"({"at": "2026-11-13T01:59:59.999Z", "kind": "complaint"})") + recent + "}") == "allow");
    // Two signals add up to the higher ceiling: nothing until the sum has fallen below 1.5.
    CHECK(verdict(rules, "{" + acts(R"({"at": "2026-11-23T02:00:00.000Z", "kind": "hang_up_early"}, {"at": "2026-11-23T02:00:00.000Z", "kind": "complaint"})") + "}") ==
          "defer tired 2026-11-23T02:00:00.001Z");
    CHECK(verdict(rules, "{" + acts(complaint + R"(, {"at": "2026-11-23T01:00:00.000Z", "kind": "complaint"})") + "}").starts_with("defer tired 2026-11-27T"));
    CHECK(verdict(rules, "{" + acts(R"({"at": "2026-11-23T00:00:00.000Z", "kind": "praise"})") + recent + "}") == "allow");
    const auto step = step_of(decided(rules, "{" + acts(R"({"at": "2026-11-13T02:00:00.000Z", "kind": "complaint"})") + recent + "}"), "tired");
    CHECK(step["score"] == 0.5);
    CHECK(step["counted"] == 1);
    CHECK(step["max"] == 1);
    CHECK(step["why"]["en"].get<std::string>().find("score 0.5") != std::string::npos);
}

TEST_CASE("bounds: the upper limit of a share of which a sample is known", "[policy][abandonment]") {
    CHECK(clopper_pearson_upper(3, 200, 0.95) == Approx(0.03831).margin(5e-6));
    CHECK(wilson_upper(3, 200, 0.95) == Approx(0.03694).margin(5e-6));
    CHECK(share_upper_bound(3, 200, 0.95) == clopper_pearson_upper(3, 200, 0.95));
    CHECK(share_upper_bound(30, 2000, 0.95) == wilson_upper(30, 2000, 0.95));
    CHECK(clopper_pearson_upper(0, 100, 0.95) == Approx(1 - std::pow(0.05, 0.01)).margin(1e-9));
    CHECK(share_upper_bound(0, 0, 0.95) == 1);
    CHECK(share_upper_bound(5, 5, 0.95) == 1);
    CHECK(share_upper_bound(500, 1000, 0.999) < 0.56);
}

TEST_CASE("abandonment: over the limit only dials with a free agent go on", "[policy][abandonment]") {
    const auto rules = R"([{"name": "drops", "kind": "abandonment", "max_percent": 3, "per": "P30D"}])";
    const auto calls = [](int answered, int dropped, bool predictive, const std::string& campaign = "renewal") {
        std::string history;
        for (int i = 0; i < answered + dropped; ++i)
            history += std::string{i == 0 ? "" : ", "} + R"({"at": "2026-11-20T02:00:00.000Z", "channel": "voice", "purpose": "marketing", "contact": "another", "campaign": ")" +
                       campaign + R"(", "outcome": ")" + (i < dropped ? "dropped" : "answered") + "\"}";
        return R"({"history": [)" + history + R"(], "touch": {"purpose": "marketing", "channels": ["voice"], "campaign": "renewal", "predictive": )" +
               (predictive ? "true" : "false") + "}}";
    };
    CHECK(verdict(rules, calls(0, 0, true)) == "deny drops");
    CHECK(verdict(rules, calls(0, 0, false)) == "allow");
    CHECK(verdict(rules, calls(98, 0, true)) == "deny drops");  // 3.01 % cannot be ruled out
    CHECK(verdict(rules, calls(99, 0, true)) == "allow");
    CHECK(verdict(rules, calls(197, 3, true)) == "deny drops");  // 1.5 % seen, 3.831 % possible
    CHECK(verdict(rules, calls(197, 3, false)) == "allow");
    CHECK(verdict(rules, calls(150, 0, true, "other")) == "deny drops");
    const auto step = step_of(decided(rules, calls(197, 3, true)), "drops");
    CHECK(step["counted"] == 3.831);
    CHECK(step["max"] == 3);
}

TEST_CASE("gap: after events and dispositions", "[policy][gap]") {
    const auto refund = R"([{"name": "gap", "kind": "gap", "after": "event", "events": ["conversion.recorded"], "kinds": ["refund"], "at_least": "P7D"}])";
    const auto refused = R"([{"name": "gap", "kind": "gap", "after": "disposition", "codes": ["not_interested"], "at_least": "P90D"}])";
    const auto acts = [](const std::string& event, const std::string& kind) {
        return R"({"contact": {"acts": [{"at": "2026-11-20T02:00:00.000Z", "event": ")" + event + R"(", "kind": ")" + kind + R"("}]}})";
    };
    CHECK(verdict(refund, "{}") == "allow");
    CHECK(verdict(refund, acts("conversion.recorded", "refund")) == "defer gap 2026-11-27T02:00:00.000Z");
    CHECK(verdict(refund, acts("conversion.recorded", "order")) == "allow");
    CHECK(verdict(refund, acts("event.received", "refund")) == "allow");
    CHECK(verdict(refused, acts("disposition", "not_interested")) == "defer gap 2027-02-18T02:00:00.000Z");
    CHECK(verdict(refused, acts("disposition", "sold")) == "allow");
}

TEST_CASE("session window: each kind of act opens its own, and one that is open is enough", "[policy][session]") {
    const auto rules = R"([{"name": "window", "kind": "session_window", "since": "P2D", "messages": 2, "opens": ["text"],
        "also": [{"opens": ["click", "subscribe"], "since": "PT1M", "messages": 1}]}])";
    const auto decide = [&](const std::string& acts, const std::string& history = "") {
        return verdict(rules, R"({"contact": {"acts": [)" + acts + R"(]}, "history": [)" + history +
                                  R"(], "touch": {"purpose": "service", "channels": ["official_account"], "account": "oa"}})");
    };
    const auto act = [](const char* at, const char* kind, const char* channel = "official_account") {
        return std::string{R"({"event": "message.received", "at": ")"} + at + R"(", "kind": ")" + kind + R"(", "channel": ")" + channel + R"("})";
    };
    const auto sent = [](const char* at) {
        return std::string{R"({"at": ")"} + at + R"(", "purpose": "service", "channel": "official_account", "account": "oa"})";
    };
    CHECK(decide("") == "deny window");
    CHECK(decide(act("2026-11-21T02:00:00.001Z", "text")) == "allow");
    CHECK(decide(act("2026-11-21T02:00:00.000Z", "text")) == "deny window");
    CHECK(decide(act("2026-11-23T01:00:00.000Z", "text", "wecom_kf")) == "deny window");
    CHECK(decide(act("2026-11-23T01:59:30.000Z", "click")) == "allow");
    CHECK(decide(act("2026-11-23T01:59:00.000Z", "click")) == "deny window");
    const auto two = sent("2026-11-23T01:00:00.000Z") + ", " + sent("2026-11-23T01:30:00.000Z");
    CHECK(decide(act("2026-11-23T00:00:00.000Z", "text"), two) == "deny window");
    CHECK(decide(act("2026-11-23T01:10:00.000Z", "text"), two) == "allow");
    CHECK(decide(act("2026-11-23T00:00:00.000Z", "text") + ", " + act("2026-11-23T01:59:50.000Z", "click"), two) == "allow");
}

TEST_CASE("cap: by label, so calls about one debt count together and those about another do not", "[policy][labels]") {
    const auto rules = R"([{"name": "per-debt", "kind": "cap", "when": {"channels": ["voice"]}, "max": 1, "per": "P7D", "by": ["contact", "metadata:debt"]}])";
    const auto decide = [&](const std::string& debt, const std::string& earlier) {
        return verdict(rules, R"({"history": [{"at": "2026-11-22T02:00:00.000Z", "purpose": "collection", "channel": "voice")" + earlier +
                                  R"(}], "touch": {"purpose": "collection", "channels": ["voice"])" + debt + "}}");
    };
    CHECK(decide(R"(, "metadata": {"debt": "a"})", R"(, "metadata": {"debt": "a"})") == "defer per-debt 2026-11-29T02:00:00.000Z");
    CHECK(decide(R"(, "metadata": {"debt": "b"})", R"(, "metadata": {"debt": "a"})") == "allow");
    CHECK(decide(R"(, "metadata": {"debt": "a"})", "") == "allow");
    CHECK(decide("", "") == "defer per-debt 2026-11-29T02:00:00.000Z");  // those without a debt count together
}

TEST_CASE("cap: by caller id, region, list and attribute, over all contacts", "[policy][labels]") {
    const auto [by, touch, earlier, expected] = GENERATE(table<std::string, std::string, std::string, std::string>({
        {"caller_id", R"(, "caller_id": "+862150000001")", R"(, "caller_id": "+862150000001")", "defer cap 2026-11-23T13:00:00.000Z"},
        {"caller_id", R"(, "caller_id": "+862150000001")", R"(, "caller_id": "+862150000002")", "allow"},
        {"list", R"(, "list": "spring")", R"(, "list": "spring")", "defer cap 2026-11-23T13:00:00.000Z"},
        {"list", R"(, "list": "spring")", R"(, "list": "autumn")", "allow"},
        {"region", "", R"(, "region": "CN")", "defer cap 2026-11-23T13:00:00.000Z"},
        {"region", "", R"(, "region": "US")", "allow"},
        {"attribute:household", "", R"(, "attributes": {"household": 17})", "defer cap 2026-11-23T13:00:00.000Z"},
        {"attribute:household", "", R"(, "attributes": {"household": 18})", "allow"},
    }));
    const auto rules = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D", "by": [")" + by + R"("]}])";
    INFO(by << touch << earlier);
    CHECK(verdict(rules, R"({"contact": {"attributes": {"household": 17}}, "address": {"region": "CN"},
        "history": [{"at": "2026-11-22T13:00:00.000Z", "purpose": "marketing", "channel": "sms", "contact": "another")" + earlier +
                             R"(}], "touch": {"purpose": "marketing", "channels": ["sms"])" + touch + "}}") == expected);
}

TEST_CASE("cap: by member a group's post waits while it would be too much for too many", "[policy][members]") {
    const auto decide = [](const std::string& share, const std::string& per, const std::string& members) {
        return verdict(R"([{"name": "group", "kind": "cap", "max": 1, "per": )" + per + R"(, "by": ["member"], "zone": "Asia/Shanghai", "max_share_over": )" + share + "}]",
                       R"({"touch": {"purpose": "marketing", "channels": ["wecom_group"], "members": [)" + members + "]}}");
    };
    const auto sent = [](const std::string& at) { return R"({"history": [{"at": ")" + at + R"(", "purpose": "marketing", "channel": "sms"}]})"; };
    const std::string fresh = R"({"history": []})";
    const auto two_tired = sent("2026-11-22T10:00:00.000Z") + ", " + sent("2026-11-22T12:00:00.000Z") + ", " + fresh + ", " + fresh;
    CHECK(decide("0", R"("P1D")", fresh) == "allow");
    CHECK(decide("0.5", R"("P1D")", two_tired) == "allow");
    CHECK(decide("0.25", R"("P1D")", two_tired) == "defer group 2026-11-23T10:00:00.000Z");
    CHECK(decide("0", R"("P1D")", two_tired) == "defer group 2026-11-23T12:00:00.000Z");
    CHECK(decide("0", R"("week")", sent("2026-11-23T01:00:00.000Z")) == "defer group 2026-11-29T16:00:00.000Z");
    CHECK(decide("0", R"("day")", "") == "allow");  // no group: not its matter
}

TEST_CASE("content: a file of forbidden words", "[policy][content]") {
    SymbolTable symbols;
    ProfileTable profiles;
    const auto document = json_of(R"({"name": "p", "rules": [{"name": "words", "kind": "content", "forbidden_file": "words.txt"}],
        "cases": [{"name": "one", "now": "2026-11-23T02:00:00.000Z", "touch": {"purpose": "marketing", "channels": ["sms"], "content": {"text": "第一 品牌 ＶＩＰ特权"}},
                   "expect": {"verdict": "deny", "rule": "words"}},
                  {"name": "two", "now": "2026-11-23T02:00:00.000Z", "touch": {"purpose": "marketing", "channels": ["sms"], "content": {"text": "好品牌"}},
                   "expect": {"verdict": "allow"}}]})");
    std::vector<std::string> words;
    for (int i = 0; i < 20'000; ++i) words.push_back("word" + std::to_string(i) + "x");
    words.push_back("vip特权");
    const auto results = run_cases(document, {.calendars = test_calendars(), .forbidden_words = [&](std::string_view file) -> Result<std::vector<std::string>> {
                                                  if (file != "words.txt") return Error{.detail = "no such file"};
                                                  return words;
                                              }});
    REQUIRE(results.has_value());
    for (const auto& result : *results) CHECK(result.passed);
}
