#include "gateway/content/message_text.hpp"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <optional>

#include "gateway/base/text.hpp"

namespace touchgate::content {

namespace {

namespace mustache = kainjow::mustache;

constexpr std::size_t section_depth_max = 8;
constexpr std::size_t list_items_max = 1'000;  // over all sections of one rendering

// The library asks for sections and variables through one function; variables are handed to it with this mark, so that a missing
// variable can be told from a section that is not there.
constexpr char variable_mark = '\x01';

Error bad_text(std::string detail) { return {.kind = ErrorKind::invalid_input, .detail = std::move(detail)}; }

struct Tag {
    enum class Kind { variable, section, inverted, end, comment } kind = Kind::variable;
    std::string name;
    std::size_t size = 0;  // bytes of the whole tag
};

// The tag at the front of `text`, which starts with "{{".
Result<Tag> read_tag(std::string_view text) {
    const bool triple = text.substr(0, 3) == "{{{";
    const std::string_view closing = triple ? "}}}" : "}}";
    const std::size_t inner_at = triple ? 3 : 2;
    const auto end = text.find(closing, inner_at);
    if (end == std::string_view::npos) return bad_text("a tag that starts with " + std::string{triple ? "{{{" : "{{"} + " is not closed");
    auto inner = trim(text.substr(inner_at, end - inner_at));
    Tag tag;
    tag.size = end + closing.size();
    if (!triple && !inner.empty()) {
        switch (inner.front()) {
            case '#': tag.kind = Tag::Kind::section; break;
            case '^': tag.kind = Tag::Kind::inverted; break;
            case '/': tag.kind = Tag::Kind::end; break;
            case '!': tag.kind = Tag::Kind::comment; return tag;
            case '&': break;
            case '>': return bad_text("partials ({{>…}}) are not allowed");
            case '=': return bad_text("changing the delimiters ({{=…=}}) is not allowed");
            default: break;
        }
        if (std::string_view{"#^/&"}.find(inner.front()) != std::string_view::npos) inner = trim(inner.substr(1));
    }
    if (inner.empty()) return bad_text("a tag has no name");
    if (inner.find_first_of("{}\" \t\r\n\x01") != std::string_view::npos) return bad_text("\"" + std::string{inner} + "\" is not a variable name");
    tag.name = inner;
    return tag;
}

// Follows "a.b.c" into objects; null counts as absent.
const Json* look_up(const Json& from, std::string_view name) {
    const auto* at = &from;
    if (name.find('.') == std::string_view::npos || (from.is_object() && from.contains(std::string{name}))) {
        if (!from.is_object()) return nullptr;
        const auto found = from.find(std::string{name});
        return found == from.end() || found->is_null() ? nullptr : &*found;
    }
    for (const auto step : split(name, '.')) {
        if (!at->is_object()) return nullptr;
        const auto found = at->find(std::string{step});
        if (found == at->end() || found->is_null()) return nullptr;
        at = &*found;
    }
    return at;
}

std::optional<std::string> as_text(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number() || value.is_boolean()) return value.dump();
    return std::nullopt;
}

void add_problem(std::vector<Problem>& problems, const std::string& name, std::string detail) {
    auto pointer = pointer_to("/variables", name);
    if (std::none_of(problems.begin(), problems.end(), [&](const Problem& problem) { return problem.pointer == pointer; }))
        problems.push_back({std::move(pointer), std::move(detail)});
}
std::string missing(const std::string& name) { return "the variable \"" + name + "\" is missing"; }
std::string not_text(const std::string& name) { return "the variable \"" + name + "\" must be a text or a number"; }

Error rendering_error(std::vector<Problem> problems) {
    std::string detail;
    for (const auto& problem : problems) detail += (detail.empty() ? "" : "; ") + problem.detail;
    return {.kind = ErrorKind::invalid_input, .detail = std::move(detail), .problems = std::move(problems)};
}
Error too_long() {
    return rendering_error({{"", "the rendered text is longer than " + std::to_string(text_rendered_bytes_max) + " bytes"}});
}

mustache::data to_data(const Json& value) {
    if (value.is_object()) {
        mustache::data object{mustache::data::type::object};
        for (const auto& [key, member] : value.items())
            if (!member.is_null()) object.set(key, to_data(member));
        return object;
    }
    if (value.is_array()) {
        mustache::data list{mustache::data::type::list};
        for (const auto& element : value) list.push_back(to_data(element));
        return list;
    }
    if (value.is_boolean()) return mustache::data{value.get<bool>()};
    return mustache::data{value.is_string() ? value.get<std::string>() : value.dump()};
}

struct TooManyItems {};

// Watches the library's look-ups: notes missing variables and stops a rendering whose lists are too long.
class WatchingContext final : public mustache::context<std::string> {
public:
    explicit WatchingContext(const mustache::data* data) : mustache::context<std::string>{data} {}
    void push(const mustache::data* data) override {
        if (++pushed_ > list_items_max) throw TooManyItems{};
        mustache::context<std::string>::push(data);
    }
    const mustache::data* get(const std::string& name) const override {
        if (name.empty() || name.front() != variable_mark) return mustache::context<std::string>::get(name);
        const auto plain = name.substr(1);
        const auto* found = mustache::context<std::string>::get(plain);
        if (found == nullptr) add_problem(problems, plain, missing(plain));
        else if (found->is_bool()) return found->is_true() ? &true_text_ : &false_text_;
        else if (!found->is_string()) add_problem(problems, plain, not_text(plain));
        return found;
    }
    mutable std::vector<Problem> problems;

private:
    std::size_t pushed_ = 0;
    mustache::data true_text_{std::string{"true"}};
    mustache::data false_text_{std::string{"false"}};
};

}  // namespace

Result<MessageText> MessageText::parse(std::string_view source) {
    if (source.size() > text_source_bytes_max) return bad_text("is longer than " + std::to_string(text_source_bytes_max) + " bytes");
    if (!is_valid_utf8(source) || source.find(variable_mark) != std::string_view::npos) return bad_text("is not plain UTF-8 text");
    MessageText text;
    text.source_ = source;
    std::vector<std::string> open_sections;
    bool has_sections = false;
    std::string literal;
    const auto close_literal = [&] {
        if (!literal.empty()) text.pieces_.push_back({.text = literal});
        literal.clear();
    };
    for (std::size_t at = 0; at < source.size();) {
        if (source.substr(at, 2) != "{{") {
            if (open_sections.empty()) literal.push_back(source[at]);
            text.marked_source_.push_back(source[at++]);
            continue;
        }
        auto tag = read_tag(source.substr(at));
        if (!tag) return tag.error();
        at += tag->size;
        switch (tag->kind) {
            case Tag::Kind::comment: break;
            case Tag::Kind::variable:
                if (open_sections.empty()) {
                    close_literal();
                    text.pieces_.push_back({.text = tag->name, .is_variable = true});
                }
                text.marked_source_ += std::string{"{{{"} + variable_mark + tag->name + "}}}";
                break;
            case Tag::Kind::section:
            case Tag::Kind::inverted:
                has_sections = true;
                open_sections.push_back(tag->name);
                if (open_sections.size() > section_depth_max) return bad_text("sections are nested deeper than " + std::to_string(section_depth_max));
                text.marked_source_ += (tag->kind == Tag::Kind::section ? "{{#" : "{{^") + tag->name + "}}";
                break;
            case Tag::Kind::end:
                if (open_sections.empty() || open_sections.back() != tag->name) return bad_text("{{/" + tag->name + "}} closes no open section");
                open_sections.pop_back();
                text.marked_source_ += "{{/" + tag->name + "}}";
                break;
        }
    }
    if (!open_sections.empty()) return bad_text("the section \"" + open_sections.back() + "\" is not closed");
    close_literal();
    if (!has_sections) text.marked_source_.clear();
    return text;
}

Result<std::string> MessageText::render(const Json& variables) const {
    if (!marked_source_.empty()) return render_with_sections(variables);
    std::string out;
    out.reserve(source_.size() + 64);
    std::vector<Problem> problems;
    for (const auto& piece : pieces_) {
        if (!piece.is_variable) {
            out += piece.text;
            continue;
        }
        const auto* value = look_up(variables, piece.text);
        if (value == nullptr) {
            add_problem(problems, piece.text, missing(piece.text));
        } else if (value->is_string()) {
            out += value->get_ref<const std::string&>();
        } else if (auto text = as_text(*value)) {
            out += *text;
        } else {
            add_problem(problems, piece.text, not_text(piece.text));
        }
        if (out.size() > text_rendered_bytes_max) return too_long();
    }
    if (!problems.empty()) return rendering_error(std::move(problems));
    return out;
}

Result<std::string> MessageText::render_with_sections(const Json& variables) const {
    mustache::mustache parsed{marked_source_};
    if (!parsed.is_valid()) return bad_text(parsed.error_message());
    const auto data = to_data(variables.is_object() ? variables : Json::object());
    WatchingContext context{&data};
    std::string out;
    try {
        out = parsed.render(context);
    } catch (const TooManyItems&) {
        return rendering_error({{"", "the lists of the sections have more than " + std::to_string(list_items_max) + " items"}});
    }
    if (out.size() > text_rendered_bytes_max) return too_long();
    if (!context.problems.empty()) return rendering_error(std::move(context.problems));
    return out;
}

std::vector<std::string> MessageText::required_variables() const {
    std::vector<std::string> names;
    for (const auto& piece : pieces_)
        if (piece.is_variable && std::find(names.begin(), names.end(), piece.text) == names.end()) names.push_back(piece.text);
    return names;
}

}  // namespace touchgate::content
