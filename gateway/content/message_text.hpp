// A text with variables, in mustache: {{name}}, sections {{#vip}}…{{/vip}}, inverted sections {{^vip}}…{{/vip}}, comments. Nothing is
// escaped, for messages are not HTML. Partials and changes of delimiters are refused.
//
// A variable that is absent or null where its value is needed is an error that names it, never an empty string. A section asks whether
// its variable is there, so there absence is an answer: {{#name}}Dear {{name}}{{/name}}{{^name}}Hello{{/name}}.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::content {

inline constexpr std::size_t text_source_bytes_max = 16 * 1024;
inline constexpr std::size_t text_rendered_bytes_max = 64 * 1024;

// A parsed text. Immutable after `parse`; may be rendered on any thread.
class MessageText {
public:
    MessageText() = default;

    // Error: invalid_input; `detail` says what is wrong and where. The text must be valid UTF-8.
    [[nodiscard]] static Result<MessageText> parse(std::string_view source);

    // `variables` is an object. Numbers and booleans appear as in JSON. Errors (invalid_input) have one problem per variable, at
    // /variables/<name>: missing, or an object or list where a text is needed; or one problem at "" when the result grows past its limit.
    [[nodiscard]] Result<std::string> render(const Json& variables) const;

    // Names that must be present, in order of appearance, each once. Names used only inside sections are not among them.
    [[nodiscard]] std::vector<std::string> required_variables() const;
    [[nodiscard]] const std::string& source() const { return source_; }

private:
    struct Piece {
        std::string text;          // literal, or the name of a variable
        bool is_variable = false;
    };
    [[nodiscard]] Result<std::string> render_with_sections(const Json& variables) const;

    std::string source_;
    std::vector<Piece> pieces_;      // outside sections; the whole text when it has none
    std::string marked_source_;      // with sections: the text as handed to the mustache library, variables marked
};

}  // namespace touchgate::content
