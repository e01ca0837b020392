#include "gateway/policy/labels.hpp"

#include <algorithm>

namespace touchgate::policy {

namespace {

constexpr std::string_view of_metadata = "metadata:";
constexpr std::string_view of_attribute = "attribute:";

std::string text_of(const AttributeValue& value) {
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* number = std::get_if<double>(&value)) return Json(*number).dump();
    return std::get<std::string>(value);
}

std::string value_of(const std::string& label, const LabelSources& sources) {
    if (label == "region") return std::string{sources.region};
    if (label == "caller_id") return std::string{sources.caller_id};
    if (label == "list") return std::string{sources.list};
    if (label.starts_with(of_metadata) && sources.metadata != nullptr) {
        const auto found = sources.metadata->find(std::string_view{label}.substr(of_metadata.size()));
        return found == sources.metadata->end() ? std::string{} : found->second;
    }
    if (label.starts_with(of_attribute) && sources.attributes != nullptr) {
        const auto found = sources.attributes->find(std::string_view{label}.substr(of_attribute.size()));
        return found == sources.attributes->end() ? std::string{} : text_of(found->second);
    }
    return {};
}

}  // namespace

std::vector<Label> make_labels(const CompiledPolicy& policy, SymbolTable& symbols, const LabelSources& sources,
                               const std::function<std::uint64_t(std::string_view)>& hash) {
    std::vector<Label> labels;
    for (const auto& label : policy.labels_read()) {
        const auto value = value_of(label, sources);
        if (value.empty()) continue;
        const auto hashed = hash(label + "\n" + value);
        labels.push_back({symbols.intern(label), hashed == 0 ? 1 : hashed});
    }
    std::sort(labels.begin(), labels.end());
    return labels;
}

}  // namespace touchgate::policy
