#include "adapters/http_sms/text_template.hpp"

#include <algorithm>
#include <array>

#include "gateway/base/text.hpp"

namespace touchgate::adapters::http_sms {

namespace {

constexpr std::string_view param_prefix = "param.";

std::optional<Filter> filter_named(std::string_view name) {
    if (name == "number") return Filter::number;
    if (name == "object") return Filter::object;
    if (name == "list") return Filter::list;
    if (name == "object_text") return Filter::object_text;
    if (name == "list_text") return Filter::list_text;
    return std::nullopt;
}

// A whole number as JSON writes it: no leading zeros, short enough for 64 bits.
bool is_json_number(std::string_view text) {
    if (text.empty() || text.size() > 18 || (text.size() > 1 && text.front() == '0')) return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string params_as_object(const channel::Content& content) {
    std::string json = "{";
    for (const auto& [name, value] : content.params) {
        if (json.size() > 1) json.push_back(',');
        append_json_string(json, name);
        json.push_back(':');
        append_json_string(json, value);
    }
    return json + "}";
}

std::string params_as_list(const channel::Content& content) {
    std::string json = "[";
    for (const auto& [name, value] : content.params) {
        if (json.size() > 1) json.push_back(',');
        append_json_string(json, value);
    }
    return json + "]";
}

}  // namespace

TextTemplate TextTemplate::parse(std::string_view text, const std::function<bool(std::string_view)>& known,
                                 const std::function<void(std::string)>& problem) {
    TextTemplate parsed;
    while (!text.empty()) {
        const auto open = text.find("{{");
        if (open != 0) parsed.parts_.push_back({.text = std::string{text.substr(0, open)}});
        if (open == std::string_view::npos) break;
        const auto close = text.find("}}", open);
        if (close == std::string_view::npos) {
            problem("has \"{{\" without \"}}\"");
            break;
        }
        const auto inner = text.substr(open + 2, close - open - 2);
        text.remove_prefix(close + 2);
        const auto bar = inner.find('|');
        Part part{.placeholder = true, .text = std::string{trim(inner.substr(0, bar))}};
        if (bar != std::string_view::npos) {
            const auto filter_name = trim(inner.substr(bar + 1));
            const auto filter = filter_named(filter_name);
            if (!filter) problem("unknown filter \"" + std::string{filter_name} + "\": known are number, object, list, object_text, list_text");
            part.filter = filter.value_or(Filter::none);
        }
        const bool is_list = part.text == "params";
        const bool list_filter = part.filter != Filter::none && part.filter != Filter::number;
        if (!is_list && !part.text.starts_with(param_prefix) && !known(part.text)) problem("unknown placeholder \"" + part.text + "\"");
        else if (is_list != list_filter)
            problem("\"params\" goes with one of the filters object, list, object_text and list_text, and these with nothing else");
        parsed.parts_.push_back(std::move(part));
    }
    return parsed;
}

std::string TextTemplate::value_of(const Part& part, const Values& values) {
    static const channel::Content nothing;
    const auto& content = values.content == nullptr ? nothing : *values.content;
    if (part.filter == Filter::object || part.filter == Filter::object_text) return params_as_object(content);
    if (part.filter == Filter::list || part.filter == Filter::list_text) return params_as_list(content);
    if (std::string_view{part.text}.starts_with(param_prefix)) {
        const auto name = std::string_view{part.text}.substr(param_prefix.size());
        for (const auto& [key, value] : content.params)
            if (key == name) return value;
        return {};
    }
    const auto found = values.texts.find(part.text);
    return found == values.texts.end() ? std::string{} : found->second;
}

std::string TextTemplate::render(const Values& values, const std::function<std::string(std::string_view)>& escape) const {
    std::string text;
    for (const auto& part : parts_) text += part.placeholder ? escape(value_of(part, values)) : part.text;
    return text;
}

std::string TextTemplate::render(const Values& values) const {
    return render(values, [](std::string_view value) { return std::string{value}; });
}

void TextTemplate::append_json(std::string& out, const Values& values) const {
    if (parts_.size() == 1 && parts_.front().placeholder) {
        const auto& part = parts_.front();
        const auto value = value_of(part, values);
        if (part.filter == Filter::object || part.filter == Filter::list || (part.filter == Filter::number && is_json_number(value))) {
            out += value;
            return;
        }
    }
    append_json_string(out, render(values));
}

bool TextTemplate::uses(std::string_view name) const {
    return std::any_of(parts_.begin(), parts_.end(), [&](const Part& part) { return part.placeholder && part.text == name; });
}

std::string header_text(std::string_view value) {
    std::string text{value};
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    return text;
}

}  // namespace touchgate::adapters::http_sms
