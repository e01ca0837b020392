// {"kind": "attempts", "max": 3, "per": "P7D", "outcomes": ["no_answer", "busy"], "reset_by": ["answered"], "by": ["contact"]}: a cap over
// calls that ended in one of `outcomes`; an outcome of `reset_by` starts the count again.
#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

std::unique_ptr<Rule> make_attempts(RuleReader& reader) {
    auto cap = parse_cap(reader, by_contact, "contact");
    if (cap.counting.by.has(by_member)) reader.json.problem("by", "\"member\" is for caps only");
    parse_counts(reader, cap.counting);
    cap.counting.outcomes |= parse_outcomes(reader.json, "outcomes");
    cap.counting.resets |= parse_outcomes(reader.json, "reset_by");
    if (cap.counting.outcomes == 0) cap.counting.outcomes = ~1U & ~cap.counting.resets;  // every call, whatever its outcome
    if ((cap.counting.outcomes & cap.counting.resets) != 0) reader.json.problem("reset_by", "names an outcome that is also counted");
    return make_cap_rule(std::move(cap));
}

}  // namespace touchgate::policy
