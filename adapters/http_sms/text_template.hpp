// A text with {{placeholders}}, parsed once and rendered for each request. What a placeholder stands for is escaped for the place where
// the text goes, so that no value can end the string, field or header that it is in.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::http_sms {

// What placeholders stand for in one request.
struct Values {
    std::map<std::string, std::string, std::less<>> texts;
    const channel::Content* content = nullptr;  // for {{param.NAME}} and the lists of parameters; must outlive the use
};

enum class Filter {
    none,
    number,       // {{timestamp|number}}: a JSON number where the value is a whole number
    object,       // {{params|object}}: a JSON object of the template's parameters
    list,         // {{params|list}}: a JSON array of their values
    object_text,  // the same as text, for providers that want JSON in a string
    list_text,
};

class TextTemplate {
public:
    TextTemplate() = default;
    // Reports placeholders that are not closed, not in `known`, or with a wrong filter to `problem`. Names "values.X" are in `known`;
    // "param.X" is always.
    static TextTemplate parse(std::string_view text, const std::function<bool(std::string_view name)>& known,
                              const std::function<void(std::string)>& problem);

    // `escape` is applied to every value, not to the text of the template.
    [[nodiscard]] std::string render(const Values& values, const std::function<std::string(std::string_view)>& escape) const;
    // As it is, for what gets hashed or escaped as a whole.
    [[nodiscard]] std::string render(const Values& values) const;
    // As one JSON value: a string, or what the filter says when the template is one placeholder with a filter.
    void append_json(std::string& out, const Values& values) const;

    [[nodiscard]] bool uses(std::string_view name) const;
    [[nodiscard]] bool empty() const { return parts_.empty(); }

private:
    struct Part {
        bool placeholder = false;
        std::string text;  // literal text, or the placeholder's name
        Filter filter = Filter::none;
    };
    static std::string value_of(const Part& part, const Values& values);
    std::vector<Part> parts_;
};

// A header's value: control characters, line breaks above all, become blanks.
[[nodiscard]] std::string header_text(std::string_view value);

}  // namespace touchgate::adapters::http_sms
