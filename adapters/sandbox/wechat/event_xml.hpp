// The XML of callbacks as the platforms write it, and the little reading that their answers need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::sandbox {

// One <xml>…</xml> after another's words: texts in CDATA, numbers bare.
class EventXml {
public:
    EventXml() : text_{"<xml>"} {}
    EventXml& text(std::string_view name, std::string_view value);
    EventXml& number(std::string_view name, std::int64_t value);
    EventXml& open(std::string_view name);
    EventXml& close(std::string_view name);
    [[nodiscard]] std::string finish() const { return text_ + "</xml>"; }

private:
    std::string text_;
};

// What stands between <name> and </name>, CDATA taken off; the first such element at any depth. Entities stay as they are.
[[nodiscard]] std::optional<std::string> element_text(std::string_view xml, std::string_view name);

}  // namespace touchgate::sandbox
