#include "adapters/sandbox/wechat/json_fields.hpp"

#include <charconv>

namespace touchgate::sandbox {

const Json& member_of(const Json& object, std::string_view key) {
    static const Json nothing;
    if (!object.is_object()) return nothing;
    const auto found = object.find(std::string{key});
    return found == object.end() ? nothing : *found;
}

std::string text_of(const Json& object, std::string_view key) {
    const auto& value = member_of(object, key);
    if (value.is_string()) return value.get<std::string>();
    return value.is_number_integer() ? value.dump() : std::string{};
}

std::int64_t integer_of(const Json& object, std::string_view key, std::int64_t fallback) {
    const auto& value = member_of(object, key);
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ? static_cast<std::int64_t>(number) : fallback;
    }
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (!value.is_string()) return fallback;
    const auto& text = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, wrong] = std::from_chars(text.data(), end, number);
    return wrong == std::errc{} && stopped == end && !text.empty() ? number : fallback;
}

std::vector<std::string> texts_of(const Json& object, std::string_view key) {
    std::vector<std::string> texts;
    for (const auto& item : items_of(object, key))
        if (item.is_string()) texts.push_back(item.get<std::string>());
    return texts;
}

const Json::array_t& items_of(const Json& object, std::string_view key) {
    static const Json::array_t nothing;
    const auto& value = member_of(object, key);
    return value.is_array() ? value.get_ref<const Json::array_t&>() : nothing;
}

}  // namespace touchgate::sandbox
