// Words and parts that the renderings of events and of touches share: decisions with their trace, metadata, amounts.

#include <algorithm>

#include "gateway/engine/event_codec.hpp"
#include "gateway/policy/explain.hpp"
#include "gateway/projection/event_json.hpp"

namespace touchgate::projection {

namespace {

void append_step(JsonText& json, const LoggedStep& step, std::uint32_t policy_number, const policy::CompiledPolicy* policy, const NameSource& names) {
    json.open_object();
    json.text("rule", names.rule_name(policy_number, step.rule));
    const bool waived = (step.bits & 4U) != 0;
    if (policy != nullptr && step.rule < policy->rule_count()) json.text("kind", policy->rule_kind(step.rule));
    json.text("verdict", waived ? std::string_view{"waived"} : policy::verdict_word(static_cast<policy::Verdict>(step.bits & 3U)));
    if (waived) json.text_if("waived_by", names.rule_name(policy_number, step.waived_by));
    json.instant_if("until", step.until);
    if ((step.bits & 8U) != 0) {
        json.decimal("counted", static_cast<double>(step.counted_milli) / 1000);
        json.decimal("max", static_cast<double>(step.max_milli) / 1000);
    }
    if (policy != nullptr && step.rule < policy->rule_count()) {
        LoggedDecision alone;
        alone.steps = {step};
        const auto traced = from_logged(alone).trace.front();
        const auto why = policy::sentence(*policy, traced);
        json.open_object("why");
        json.text("en", why.en);
        json.text("zh-CN", why.zh);
        json.close_object();
    }
    json.close_object();
}

}  // namespace

std::string decision_rule(const LoggedDecision& decision, const NameSource& names) {
    if (!decision.rule_override.empty()) return decision.rule_override;
    return decision.rule == policy::no_rule ? std::string{} : names.rule_name(decision.policy, decision.rule);
}

void append_decision(JsonText& json, std::string_view member, const LoggedDecision& decision, const NameSource& names) {
    json.open_object(member);
    json.text("verdict", policy::verdict_word(decision.verdict));
    json.text_or_null("policy", names.policy_label(decision.policy));
    json.text_or_null("rule", decision_rule(decision, names));
    json.instant_or_null("until", decision.until);
    json.text_if("reason", policy::reason_word(decision.reason));
    const auto policy = decision.steps.empty() ? nullptr : names.compiled_policy(decision.policy);
    json.open_array("trace");
    for (const auto& step : decision.steps) append_step(json, step, decision.policy, policy.get(), names);
    json.close_array();
    json.close_object();
}

void append_metadata(JsonText& json, const std::vector<std::pair<std::string, std::string>>& metadata) {
    json.open_object("metadata");
    for (const auto& [name, value] : metadata) {
        std::string quoted;
        append_json_string(quoted, name);
        json.raw(std::string_view{quoted}.substr(1, quoted.size() - 2), value);
    }
    json.close_object();
}

std::string money_text(std::int64_t micro) {
    const auto value = micro < 0 ? -micro : micro;
    auto digits = std::to_string(1'000'000 + value % 1'000'000).substr(1);
    while (digits.size() > 2 && digits.back() == '0') digits.pop_back();
    return (micro < 0 ? "-" : "") + std::to_string(value / 1'000'000) + "." + digits;
}

std::string_view receipt_word(channel::ReceiptStatus status) {
    switch (status) {
        case channel::ReceiptStatus::pending: return "pending";
        case channel::ReceiptStatus::delivered: return "delivered";
        case channel::ReceiptStatus::read: return "read";
        case channel::ReceiptStatus::failed: return "failed";
        case channel::ReceiptStatus::recipient_refuses: return "recipient_refuses";
        case channel::ReceiptStatus::unknown: return "unknown";
    }
    return "unknown";
}

std::string_view address_word(AddressKind kind) {
    switch (kind) {
        case AddressKind::phone: return "phone";
        case AddressKind::external_userid: return "external_userid";
        case AddressKind::openid: return "openid";
        case AddressKind::chat_id: return "chat_id";
    }
    return "address";
}

void append_steps(JsonText& json, const TouchCreated& created, const NameSource& names) {
    if (created.steps.empty()) return;
    json.open_array("steps");
    for (std::size_t i = 0; i < created.steps.size(); ++i) {
        const auto& step = created.steps[i];
        const auto end = i + 1 < created.steps.size() ? created.steps[i + 1].first : created.candidates.size();
        std::vector<std::string> accounts;
        std::string channel;
        for (std::size_t candidate = step.first; candidate < std::min(end, created.candidates.size()); ++candidate) {
            const auto profile = names.profile(created.candidates[candidate]);
            channel = profile.channel;
            accounts.push_back(profile.account);
        }
        json.open_object();
        json.text("channel", channel);
        json.texts("accounts", accounts);
        json.text("until", dispatch::to_string(step.until));
        if (step.within_ms >= 0) json.text("within", format_duration(Duration{step.within_ms}));
        json.close_object();
    }
    json.close_array();
}

}  // namespace touchgate::projection
