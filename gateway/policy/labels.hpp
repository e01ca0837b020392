// The labels of an attempt, gathered from what the policy's counters are divided by ("by": ["metadata:debt", "region"]).
#pragma once

#include <functional>

#include "gateway/policy/decide.hpp"

namespace touchgate::policy {

// Where the values come from; what is empty or absent gives no label.
struct LabelSources {
    const std::map<std::string, std::string, std::less<>>* metadata = nullptr;
    const std::map<std::string, AttributeValue, std::less<>>* attributes = nullptr;
    std::string_view region = {};
    std::string_view caller_id = {};
    std::string_view list = {};  // of the audience or calling list that the attempt came from
};

// Sorted, as AttemptFacts wants them; only those that `policy` reads. `hash` is given the label's key and its value in one text; it
// should be keyed where the result is kept, for a value may be about a person.
[[nodiscard]] std::vector<Label> make_labels(const CompiledPolicy& policy, SymbolTable& symbols, const LabelSources& sources,
                                             const std::function<std::uint64_t(std::string_view)>& hash);

}  // namespace touchgate::policy
