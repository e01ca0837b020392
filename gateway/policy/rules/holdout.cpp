// {"kind": "holdout", "share": 0.1, "by": "contact", "salt": "2026"}: deny a stable share of the contacts. Held out iff
// u64be(SHA-256("holdout\n" + salt + "\n" + contact id)[0..8]) < share · 2⁶⁴; the salt is the rule's name when none is given.
#include <cmath>

#include "gateway/crypto/crypto.hpp"
#include "gateway/policy/rule.hpp"

namespace touchgate::policy {

namespace {

class Holdout final : public Rule {
public:
    explicit Holdout(RuleReader& reader) {
        share_ = reader.json.number("share", -1, 0, 1);
        if (share_ < 0 && !reader.json.has("share")) reader.json.problem("share", "is required: a number from 0 to 1");
        reader.json.choice("by", {"contact"}, "contact");
        prefix_ = "holdout\n" + reader.json.text("salt", reader.name) + "\n";
    }

    Judgement judge(const Evaluation& evaluation, Instant at) const override {
        if (share_ <= 0) return Judgement::allow(at);
        if (evaluation.request.contact_key.empty()) return Judgement::deny(Why::cannot_evaluate);
        const auto hash = crypto::leading_u64be(crypto::sha256(prefix_, evaluation.request.contact_key));
        // Exact: a double times 2⁶⁴ is a whole number for every share that has an effect on the comparison.
        const auto bound = std::ldexp(share_, 64);
        const bool held = share_ >= 1 || hash < static_cast<std::uint64_t>(std::ceil(bound));
        return held ? Judgement::deny(Why::held_out) : Judgement::allow(at);
    }

private:
    double share_ = 0;
    std::string prefix_;
};

}  // namespace

std::unique_ptr<Rule> make_holdout(RuleReader& reader) { return std::make_unique<Holdout>(reader); }

}  // namespace touchgate::policy
