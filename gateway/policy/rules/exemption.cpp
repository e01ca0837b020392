// {"kind": "exemption", "when": {…}, "waives": ["quiet-hours"], "reason": "security codes"}: switches the named rules off for the touches that
// it selects. Itself it never refuses. Built-in rules and suppression lists are waived only when they are named; "*" is refused.
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

class Exemption final : public Rule {
public:
    explicit Exemption(RuleReader& reader) {
        waives_ = reader.json.texts("waives");
        if (waives_.empty()) reader.json.problem("waives", "must name at least one rule");
        for (std::size_t i = 0; i < waives_.size(); ++i)
            if (waives_[i] == "*")
                reader.json.problems().push_back(
                    {pointer_to(pointer_to(reader.json.pointer(), "waives"), i), "\"*\" is refused: name the rules, one by one"});
        reader.json.text("reason");
    }

    Judgement judge(const Evaluation&, Instant at) const override { return Judgement::allow(at, Why::exempts); }
    const std::vector<std::string>& waives() const override { return waives_; }

private:
    std::vector<std::string> waives_;
};

}  // namespace

std::unique_ptr<Rule> make_exemption(RuleReader& reader) { return std::make_unique<Exemption>(reader); }

}  // namespace touchgate::policy
