#include "adapters/sandbox/wechat/event_xml.hpp"

#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

EventXml& EventXml::text(std::string_view name, std::string_view value) {
    open(name);
    text_.append("<![CDATA[");
    // The end mark of CDATA inside the value is put into two sections.
    for (auto at = value.find("]]>"); at != std::string_view::npos; at = value.find("]]>")) {
        text_.append(value.substr(0, at + 2)).append("]]><![CDATA[");
        value.remove_prefix(at + 2);
    }
    text_.append(value).append("]]>");
    return close(name);
}

EventXml& EventXml::number(std::string_view name, std::int64_t value) {
    open(name);
    text_.append(std::to_string(value));
    return close(name);
}

EventXml& EventXml::open(std::string_view name) {
    text_.append("<").append(name).append(">");
    return *this;
}

EventXml& EventXml::close(std::string_view name) {
    text_.append("</").append(name).append(">");
    return *this;
}

std::optional<std::string> element_text(std::string_view xml, std::string_view name) {
    constexpr std::string_view section = "<![CDATA[", section_end = "]]>";
    std::string opening, closing, out;
    opening.append("<").append(name).append(">");
    closing.append("</").append(name).append(">");
    const auto start = xml.find(opening);
    if (start == std::string_view::npos) return std::nullopt;
    auto rest = xml.substr(start + opening.size());
    for (;;) {
        const auto end = rest.find(closing);
        if (end == std::string_view::npos) return std::nullopt;
        const auto data = rest.find(section);
        if (data == std::string_view::npos || data > end) return out.append(trim(rest.substr(0, end)));
        const auto data_end = rest.find(section_end, data);
        if (data_end == std::string_view::npos) return std::nullopt;
        out.append(rest.substr(data + section.size(), data_end - data - section.size()));
        rest.remove_prefix(data_end + section_end.size());
    }
}

}  // namespace touchgate::sandbox
