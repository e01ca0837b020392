#include "adapters/http_sms/pointer.hpp"

#include <charconv>

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::http_sms {

std::optional<Pointer> parse_pointer(std::string_view text) {
    if (text.empty()) return Pointer{};
    if (text.front() != '/') return std::nullopt;
    Pointer pointer;
    for (const auto step : split(text.substr(1), '/')) {
        std::string name;
        for (std::size_t i = 0; i < step.size(); ++i) {
            if (step[i] != '~') {
                name.push_back(step[i]);
                continue;
            }
            if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return std::nullopt;
            name.push_back(step[i] == '0' ? '~' : '/');
        }
        pointer.push_back(std::move(name));
    }
    return pointer;
}

const Json& value_at(const Json& root, const Pointer& pointer) {
    static const Json nothing;
    const auto* value = &root;
    for (const auto& step : pointer) {
        if (value->is_array()) {
            std::size_t index = 0;
            const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
            if (error != std::errc{} || end != step.data() + step.size() || index >= value->size()) return nothing;
            value = &(*value)[index];
        } else {
            value = &channel::member(*value, step);
        }
    }
    return *value;
}

std::string text_at(const Json& root, const std::optional<Pointer>& pointer) {
    return pointer ? channel::as_text(value_at(root, *pointer)) : std::string{};
}

}  // namespace touchgate::adapters::http_sms
