// Suppression, consent, gap, content, holdout, the built-in rules and exemptions.
#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

TEST_CASE("suppression: deny on a list, unless the entry has expired or is about something else", "[policy]") {
    const auto all = R"([{"name": "dnc", "kind": "suppression", "lists": ["*"]}])";
    const auto named = R"([{"name": "dnc", "kind": "suppression", "lists": ["dnc"]}])";
    const auto only = R"([{"name": "testers", "kind": "suppression", "lists": ["testers"], "mode": "only"}])";
    const auto on = [](const std::string& entry) { return R"({"address": {"lists": [)" + entry + "]}}"; };
    CHECK(verdict(all, "{}") == "allow");
    CHECK(verdict(all, on(R"({"list": "anything"})")) == "deny dnc");
    CHECK(verdict(named, on(R"({"list": "anything"})")) == "allow");
    CHECK(verdict(named, on(R"({"list": "dnc"})")) == "deny dnc");
    CHECK(verdict(named, on(R"({"list": "dnc", "expires_at": "2026-11-23T02:00:00.000Z"})")) == "allow");
    CHECK(verdict(named, on(R"({"list": "dnc", "expires_at": "2026-11-23T02:00:00.001Z"})")) == "deny dnc");
    CHECK(verdict(named, on(R"({"list": "dnc", "channels": ["voice"]})")) == "allow");
    CHECK(verdict(named, on(R"({"list": "dnc", "channels": ["sms"], "purposes": ["marketing"]})")) == "deny dnc");
    CHECK(verdict(only, "{}") == "deny testers");
    CHECK(verdict(only, on(R"({"list": "testers"})")) == "allow");
}

TEST_CASE("consent: opt-in asks for the newest record to be a grant that is not too old", "[policy]") {
    const auto rules = R"([{"name": "consent", "kind": "consent", "basis": "opt_in", "valid_for": "P10D"}])";
    const auto [consents, expected] = GENERATE(table<std::string, std::string>({
        {"[]", "deny consent"},
        {R"([{"status": "granted", "at": "2026-11-13T02:00:00.000Z"}])", "allow"},
        {R"([{"status": "granted", "at": "2026-11-13T01:59:59.999Z"}])", "deny consent"},
        {R"([{"status": "granted", "at": "2026-11-20T00:00:00.000Z", "channel": "voice"}])", "deny consent"},
        {R"([{"status": "granted", "at": "2026-11-20T00:00:00.000Z", "purpose": "care"}])", "deny consent"},
        {R"([{"status": "granted", "at": "2026-11-20T00:00:00.000Z", "channel": "sms", "purpose": "marketing"}])", "allow"},
        // A grant that lies ahead (another clock) does not count yet.
        {R"([{"status": "granted", "at": "2026-11-23T02:00:00.001Z"}])", "deny consent"},
        // Withdrawn, then granted again by the customer, with evidence.
        {R"([{"status": "withdrawn", "at": "2026-11-20T00:00:00.000Z"}, {"status": "granted", "at": "2026-11-21T00:00:00.000Z", "evidence": {"form": 1}, "source": "form"}])",
         "allow"},
        {R"([{"status": "withdrawn", "at": "2026-11-20T00:00:00.000Z"}, {"status": "granted", "at": "2026-11-21T00:00:00.000Z"}])", "deny opt-out"},
        {R"([{"status": "withdrawn", "at": "2026-11-20T00:00:00.000Z"}, {"status": "granted", "at": "2026-11-21T00:00:00.000Z", "evidence": "x", "source": "import"}])",
         "deny opt-out"},
        // At the same instant the withdrawal wins.
        {R"([{"status": "granted", "at": "2026-11-20T00:00:00.000Z", "evidence": "x", "source": "form"}, {"status": "withdrawn", "at": "2026-11-20T00:00:00.000Z"}])",
         "deny opt-out"},
        // A grant for one channel ends a general withdrawal for that channel only; a general grant ends no special withdrawal.
        {R"([{"status": "withdrawn", "at": "2026-11-20T00:00:00.000Z"}, {"status": "granted", "channel": "sms", "at": "2026-11-21T00:00:00.000Z", "evidence": "x", "source": "form"}])",
         "allow"},
        {R"([{"status": "withdrawn", "channel": "sms", "at": "2026-11-20T00:00:00.000Z"}, {"status": "granted", "at": "2026-11-21T00:00:00.000Z", "evidence": "x", "source": "form"}])",
         "deny opt-out"},
        {R"([{"status": "withdrawn", "channel": "voice", "at": "2026-11-20T00:00:00.000Z"}, {"status": "granted", "channel": "sms", "at": "2026-11-19T00:00:00.000Z"}])",
         "allow"},
    }));
    INFO(consents);
    CHECK(verdict(rules, R"({"contact": {"consents": )" + consents + "}}") == expected);
}

TEST_CASE("consent: units", "[policy]") {
    const auto rules = R"([{"name": "consent", "kind": "consent", "basis": "opt_in", "scope": "unit"}])";
    const auto decide = [&](const std::string& unit, const std::string& consent) {
        return verdict(rules, R"({"contact": {"consents": [)" + consent + R"(]}, "touch": {"purpose": "marketing", "channels": ["sms"], "unit": ")" +
                                  unit + R"("}})");
    };
    const auto east = R"({"status": "granted", "at": "2026-11-20T00:00:00.000Z", "unit": "hq/east"})";
    CHECK(decide("hq/east", east) == "allow");
    CHECK(decide("hq/east/shop-3", east) == "allow");
    CHECK(decide("hq/eastern", east) == "deny consent");
    CHECK(decide("hq", east) == "deny consent");
    CHECK(decide("hq/west", R"({"status": "granted", "at": "2026-11-20T00:00:00.000Z"})") == "allow");
    const auto withdrawn = R"({"status": "withdrawn", "at": "2026-11-20T00:00:00.000Z", "unit": "hq/east"})";
    CHECK(verdict("[]", std::string{R"({"contact": {"consents": [)"} + withdrawn +
                            R"(]}, "touch": {"purpose": "marketing", "channels": ["sms"], "unit": "hq/east/shop-3"}})") == "deny opt-out");
    CHECK(verdict("[]", std::string{R"({"contact": {"consents": [)"} + withdrawn +
                            R"(]}, "touch": {"purpose": "marketing", "channels": ["sms"], "unit": "hq/west"}})") == "allow");
}

TEST_CASE("consent: one that runs out before the touch could go denies, naming the consent", "[policy]") {
    const auto rules = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D"}, {"name": "consent", "kind": "consent", "valid_for": "P10D"}])";
    const auto fields = [](const std::string& granted) {
        return R"({"contact": {"consents": [{"status": "granted", "at": ")" + granted +
               R"("}]}, "history": [{"at": "2026-11-22T20:00:00.000Z", "purpose": "marketing", "channel": "sms"}]})";
    };
    CHECK(verdict(rules, fields("2026-11-13T20:00:00.000Z")) == "defer cap 2026-11-23T20:00:00.000Z");
    CHECK(verdict(rules, fields("2026-11-13T19:59:59.999Z")) == "deny consent");
}

TEST_CASE("gap: after touches, acts and open tickets", "[policy]") {
    const auto touch = R"([{"name": "gap", "kind": "gap", "after": "touch", "at_least": "PT4H"}])";
    const auto history = R"("history": [{"at": "2026-11-22T23:00:00.000Z", "purpose": "marketing", "channel": "sms"}])";
    CHECK(verdict(touch, std::string{"{"} + history + "}") == "defer gap 2026-11-23T03:00:00.000Z");
    CHECK(verdict(touch, std::string{R"({"now": "2026-11-23T03:00:00.000Z", )"} + history + "}") == "allow");
    CHECK(verdict(R"([{"name": "gap", "kind": "gap", "after": "complaint", "at_least": "P30D"}])",
                  R"({"contact": {"last_complaint": "2026-11-22T00:00:00.000Z"}})") == "defer gap 2026-12-22T00:00:00.000Z");
    CHECK(verdict(R"([{"name": "gap", "kind": "gap", "after": "conversation", "at_least": "PT1H"}])",
                  R"({"contact": {"last_conversation_end": "2026-11-23T01:30:00.000Z"}})") == "defer gap 2026-11-23T02:30:00.000Z");
    CHECK(verdict(R"([{"name": "gap", "kind": "gap", "after": "reply", "at_least": "PT1H"}])",
                  R"({"contact": {"last_reply": "2026-11-23T01:00:00.000Z"}})") == "allow");
}

TEST_CASE("gap: an open ticket waits for an event, so there is no instant", "[policy]") {
    const auto ticket = R"([{"name": "cap", "kind": "cap", "max": 1, "per": "P1D"}, {"name": "ticket", "kind": "gap", "after": "open_ticket"}])";
    CHECK(verdict(ticket, R"({"contact": {"open_ticket": true}})") == "defer ticket");
    CHECK(
        verdict(ticket,
                R"({"contact": {"open_ticket": true}, "history": [{"at": "2026-11-23T00:00:00.000Z", "purpose": "marketing", "channel": "sms"}]})") ==
        "defer ticket");
    CHECK(verdict(ticket, "{}") == "allow");
    // What the other rules make impossible stays impossible.
    CHECK(verdict(ticket,
                  R"({"contact": {"open_ticket": true}, "history": [{"at": "2026-11-23T00:00:00.000Z", "purpose": "marketing", "channel": "sms"}],
        "touch": {"purpose": "marketing", "channels": ["sms"], "expires_at": "2026-11-23T12:00:00.000Z"}})") == "deny cap expires_first");
}

TEST_CASE("content: signature, wording, forbidden words, length", "[policy]") {
    const auto rule = [](const std::string& keys) { return R"([{"name": "content", "kind": "content", )" + keys + "}]"; };
    const auto text = [](const std::string& words, const std::string& more = "") {
        return R"({"touch": {"purpose": "marketing", "channels": ["sms"], "content": {"text": ")" + words + "\"" + more + "}}}";
    };
    const auto [keys, fields, expected] = GENERATE_COPY(table<std::string, std::string, std::string>({
        {R"("signature": true)", text("【甲】hi"), "allow"},
        {R"("signature": true)", text("hi【甲】"), "allow"},
        {R"("signature": true)", text("hi 【甲】 there"), "deny content"},
        {R"("signature": true)", text("【】hi"), "deny content"},
        {R"("signature": true)", text("hi", R"(, "sign_name": "甲")"), "allow"},
        {R"("required_any": ["拒收请回复R", "退订回T"])", text("hi 退订回t"), "allow"},   // case folded
        {R"("required_any": ["拒收请回复R", "退订回T"])", text("hi 退订回Ｔ"), "allow"},  // full width
        {R"("required_any": ["拒收请回复R", "退订回T"])", text("hi"), "deny content"},
        {R"("required_all": ["a", "b"])", text("B and A"), "allow"},
        {R"("required_all": ["a", "b"])", text("b"), "deny content"},
        {R"("forbidden": ["稳赚", "free", "he", "she"])", text("an offer"), "allow"},
        {R"("forbidden": ["稳赚", "free"])", text("包稳赚的"), "deny content"},
        {R"("forbidden": ["free"])", text("FR\u200BEE"), "deny content"},  // hidden by a zero-width space
        {R"("forbidden": ["free"])", text("ｆｒｅｅ"), "deny content"},
        {R"("forbidden": ["abcd", "bcx"])", text("abcx"), "deny content"},  // found along a fail link
        {R"("max_characters": 3)", text("一二三"), "allow"},
        {R"("max_characters": 3)", text("一二三四"), "deny content"},
        {R"("max_characters": 5)", text("一二三", R"(, "sign_name": "甲")"), "deny content"},  // 【甲】 counts
        {R"("max_segments": 2)", text("hi", R"(, "segments": 2)"), "allow"},
        {R"("max_segments": 2)", text("hi", R"(, "segments": 3)"), "deny content"},
        {R"("max_characters": 3)", std::string{"{}"}, "deny content"},  // no text is known
    }));
    INFO(keys << " " << fields);
    CHECK(verdict(rule(keys), fields) == expected);
}

TEST_CASE("holdout: a stable share of the contacts", "[policy]") {
    CHECK(verdict(R"([{"name": "control", "kind": "holdout", "share": 1}])", "{}") == "deny control");
    CHECK(verdict(R"([{"name": "control", "kind": "holdout", "share": 0}])", "{}") == "allow");
    int held = 0;
    for (int i = 0; i < 200; ++i)
        held += verdict(R"([{"name": "control", "kind": "holdout", "share": 0.3}])", R"({"contact": {"id": "cust-)" + std::to_string(i) + R"("}})") ==
                        "allow"
                    ? 0
                    : 1;
    CHECK(held > 35);
    CHECK(held < 85);
}

TEST_CASE("built-in rules deny in every policy, in their order", "[policy]") {
    const auto [fields, expected] = GENERATE(table<std::string, std::string>({
        {R"({"address": {"gone": true}, "contact": {"restricted": true}})", "deny address-gone"},
        {R"({"contact": {"restricted": true}, "address": {"erased": true}})", "deny restricted"},
        {R"({"address": {"erased": true}, "contact": {"consents": [{"status": "withdrawn", "at": "2026-01-01T00:00:00Z"}]}})", "deny erased"},
        {R"({"contact": {"consents": [{"status": "withdrawn", "channel": "sms", "purpose": "marketing", "at": "2026-01-01T00:00:00Z"}]}})",
         "deny opt-out"},
        {R"({"contact": {"consents": [{"status": "withdrawn", "channel": "voice", "purpose": "marketing", "at": "2026-01-01T00:00:00Z"}]}})",
         "allow"},
        {R"({"contact": {"consents": [{"status": "withdrawn", "channel": "*", "purpose": "care", "at": "2026-01-01T00:00:00Z"}]}})", "allow"},
        {R"({"address": {"review_pending": true}})", "defer opt-out-review"},
        {R"({"address": {"lists": [{"list": "platform:sms-main"}]}})", "deny platform-refusal"},
        {R"({"address": {"lists": [{"list": "platform:sms-main", "expires_at": "2026-11-23T02:00:00.000Z"}]}})", "allow"},
        {R"({"touch": {"purpose": "marketing", "channels": ["sms"], "held_out": true, "template_not_filed": true}})", "deny holdout"},
        {R"({"touch": {"purpose": "marketing", "channels": ["sms"], "template_not_filed": true}})", "deny template-not-filed"},
    }));
    INFO(fields);
    CHECK(verdict("[]", fields) == expected);
}

TEST_CASE("exemption: waives what it names, for the touches it selects, and the trace says so", "[policy]") {
    const auto rules = R"([{"name": "cap", "kind": "cap", "max": 0, "per": "P1D"}, {"name": "dnc", "kind": "suppression", "lists": ["dnc"]},
        {"name": "otp", "kind": "exemption", "when": {"purposes": ["transactional"]}, "waives": ["cap"], "reason": "security codes"}])";
    const auto otp = R"("touch": {"purpose": "transactional", "channels": ["sms"]})";
    CHECK(verdict(rules, "{}") == "deny cap");
    CHECK(verdict(rules, std::string{"{"} + otp + "}") == "allow");
    CHECK(verdict(rules, std::string{R"({"address": {"lists": [{"list": "dnc"}]}, )"} + otp + "}") == "deny dnc");
    const auto step = step_of(decided(rules, std::string{"{"} + otp + "}"), "cap");
    CHECK(step["verdict"] == "waived");
    CHECK(step["waived_by"] == "otp");
    CHECK(step["why"]["en"] == "Waived by the exemption otp.");
}

TEST_CASE("exemption: a built-in rule is waived only by its name", "[policy]") {
    const auto withdrawn = R"({"contact": {"consents": [{"status": "withdrawn", "at": "2026-01-01T00:00:00Z"}]}})";
    CHECK(verdict(R"([{"name": "cap", "kind": "cap", "max": 5, "per": "P1D"}, {"name": "x", "kind": "exemption", "waives": ["cap"]}])", withdrawn) ==
          "deny opt-out");
    CHECK(verdict(R"([{"name": "x", "kind": "exemption", "waives": ["opt-out"]}])", withdrawn) == "allow");
    CHECK(step_of(decided(R"([{"name": "x", "kind": "exemption", "waives": ["opt-out"]}])", withdrawn), "opt-out")["verdict"] == "waived");
}

TEST_CASE("a policy without rules allows what the built-in rules allow, with an empty trace", "[policy]") {
    const auto decision = decided("[]", "{}");
    CHECK(decision["verdict"] == "allow");
    CHECK(decision["trace"] == Json::array());
    CHECK(decision["rule"].is_null());
    CHECK(decision["until"].is_null());
}
