// {"kind": "consent", "basis": "opt_in" | "opt_out", "valid_for": "P730D", "scope": "unit"}: opt_in asks for a grant that is the newest
// record and not too old; opt_out only for the absence of a withdrawal.
#include <algorithm>

#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

class ConsentRule final : public Rule {
public:
    explicit ConsentRule(RuleReader& reader) {
        opt_in_ = reader.json.choice("basis", {"opt_in", "opt_out"}, "opt_in") == "opt_in";
        valid_for_ = reader.json.duration("valid_for", Duration::max(), Duration{1});
        by_unit_ = reader.json.choice("scope", {"all", "unit"}, "all") == "unit";
        if (!opt_in_ && valid_for_ != Duration::max()) reader.warn("valid_for", "has no effect with the basis opt_out");
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        const auto why = refusal(evaluation, at);
        if (why == Why::allowed) return Judgement::allow(at);
        // The answer may turn when a record that lies ahead (a clock that runs before ours) takes effect.
        auto next = instant_never;
        for (const auto& record : evaluation.contact.consents)
            if (record.at > at && record.at < next && refusal(evaluation, record.at) == Why::allowed) next = record.at;
        return Judgement::deny(why, next);
    }

private:
    Why refusal(const Evaluation& evaluation, Instant at) const {
        const auto& names = evaluation.request.names;
        const Consent* newest = nullptr;
        for (const auto& record : evaluation.contact.consents) {
            if (record.at > at) continue;
            if (record.channel.value != 0 && record.channel != names.channel) continue;
            if (record.purpose.value != 0 && record.purpose != names.purpose) continue;
            // A withdrawal of a unit binds that unit; a grant of a unit is looked at only when the rule asks for units.
            if (record.unit.value != 0 && (by_unit_ || !record.granted) &&
                !is_unit_within(evaluation.symbols.name(names.unit), evaluation.symbols.name(record.unit)))
                continue;
            if (newest == nullptr || record.at > newest->at || (record.at == newest->at && !record.granted)) newest = &record;
        }
        if (newest == nullptr) return opt_in_ ? Why::no_consent : Why::allowed;
        if (!newest->granted) return Why::consent_withdrawn;
        if (opt_in_ && valid_for_ != Duration::max() && at - newest->at > valid_for_) return Why::consent_too_old;
        return Why::allowed;
    }

    bool opt_in_ = true;
    bool by_unit_ = false;
    Duration valid_for_ = Duration::max();
};

}  // namespace

std::unique_ptr<Rule> make_consent(RuleReader& reader) { return std::make_unique<ConsentRule>(reader); }

}  // namespace touchgate::policy
