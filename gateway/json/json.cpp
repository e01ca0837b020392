#include "gateway/json/json.hpp"

#include "gateway/base/text.hpp"

namespace touchgate {

namespace {

constexpr int nesting_max = 64;

Result<Json> parse(std::string_view text, bool comments) {
    if (text.size() >= 3 && text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    std::vector<std::set<std::string>> keys_by_depth;
    std::string fault;
    // The callback sees each key before its value, so duplicates and nesting are found while parsing, at no second pass.
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > nesting_max && fault.empty()) fault = "nested deeper than " + std::to_string(nesting_max) + " levels";
        const auto level = static_cast<std::size_t>(depth);
        if (event == Json::parse_event_t::object_start) {
            if (keys_by_depth.size() <= level + 1) keys_by_depth.resize(level + 2);
            keys_by_depth[level + 1].clear();
        } else if (event == Json::parse_event_t::key) {
            const auto& key = parsed.get_ref<const std::string&>();
            if (!keys_by_depth[level].insert(key).second && fault.empty()) fault = "the key \"" + key + "\" stands twice in one object";
        }
        return true;
    };
    if (!is_valid_utf8(text)) return Error{.kind = ErrorKind::malformed, .detail = "not valid UTF-8"};
    try {
        auto value = Json::parse(text.begin(), text.end(), watch, true, comments);
        if (!fault.empty()) return Error{.kind = ErrorKind::malformed, .detail = fault};
        return value;
    } catch (const Json::parse_error& error) {
        std::size_t line = 1;
        std::size_t column = 1;
        for (std::size_t i = 0; i + 1 < error.byte && i < text.size(); ++i) {
            ++column;
            if (text[i] == '\n') { ++line; column = 1; }
        }
        return Error{.kind = ErrorKind::malformed,
                     .detail = "not valid JSON at line " + std::to_string(line) + ", column " + std::to_string(column)};
    } catch (const Json::exception&) {  // a number beyond what a double holds, "1e999"
        return Error{.kind = ErrorKind::malformed, .detail = "not valid JSON: a number is out of range"};
    }
}

const char* type_word(const Json& value) { return value.type_name(); }

}  // namespace

Result<Json> parse_json(std::string_view text) { return parse(text, false); }
Result<Json> parse_json_with_comments(std::string_view text) { return parse(text, true); }

std::string pointer_to(const std::string& parent, std::string_view key) {
    std::string pointer = parent + "/";
    for (const char c : key) {
        if (c == '~') pointer += "~0";
        else if (c == '/') pointer += "~1";
        else pointer.push_back(c);
    }
    return pointer;
}

std::string pointer_to(const std::string& parent, std::size_t index) { return parent + "/" + std::to_string(index); }

JsonReader::JsonReader(const Json& value, std::string pointer, std::vector<Problem>& problems)
    : value_{&value}, pointer_{std::move(pointer)}, problems_{&problems} {
    if (!value.is_object()) problem_here(std::string{"must be an object, is "} + type_word(value));
}

bool JsonReader::has(std::string_view key) const {
    if (!value_->is_object()) return false;
    const auto found = value_->find(std::string{key});
    return found != value_->end() && !found->is_null();
}

const Json* JsonReader::raw(std::string_view key) {
    known_.emplace(key);
    if (!value_->is_object()) return nullptr;
    const auto found = value_->find(std::string{key});
    return found == value_->end() || found->is_null() ? nullptr : &*found;
}

std::string JsonReader::required_text(std::string_view key, TextLimits limits) {
    if (raw(key) == nullptr) {
        problem(key, "is required");
        return {};
    }
    return text(key, {}, limits);
}

std::string JsonReader::text(std::string_view key, std::string fallback, TextLimits limits) {
    const auto* found = raw(key);
    if (found == nullptr) return fallback;
    if (!found->is_string()) {
        problem(key, std::string{"must be a string, is "} + type_word(*found));
        return fallback;
    }
    const auto& value = found->get_ref<const std::string&>();
    if (value.size() < limits.bytes_min || value.size() > limits.bytes_max) {
        problem(key, "must have " + std::to_string(limits.bytes_min) + " to " + std::to_string(limits.bytes_max) + " bytes, has " +
                         std::to_string(value.size()));
        return fallback;
    }
    return value;
}

std::string JsonReader::choice(std::string_view key, std::initializer_list<std::string_view> allowed, std::string fallback) {
    if (raw(key) == nullptr) return fallback;
    const auto value = text(key, fallback);
    std::string list;
    for (const auto word : allowed) {
        if (value == word) return value;
        list += (list.empty() ? "" : ", ") + std::string{word};
    }
    problem(key, "must be one of: " + list);
    return fallback;
}

std::vector<std::string> JsonReader::texts(std::string_view key, std::vector<std::string> fallback) {
    const auto* found = raw(key);
    if (found == nullptr) return fallback;
    if (!found->is_array()) {
        problem(key, std::string{"must be an array of strings, is "} + type_word(*found));
        return fallback;
    }
    std::vector<std::string> values;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto& element = (*found)[i];
        if (element.is_string()) values.push_back(element.get<std::string>());
        else problems_->push_back({pointer_to(pointer_to(pointer_, key), i), std::string{"must be a string, is "} + type_word(element)});
    }
    return values;
}

std::int64_t JsonReader::integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max) {
    const auto* found = raw(key);
    if (found == nullptr) return fallback;
    if (!found->is_number_integer()) {
        problem(key, std::string{"must be a whole number, is "} + (found->is_number() ? "a fraction" : type_word(*found)));
        return fallback;
    }
    const bool too_big = found->is_number_unsigned() && found->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto value = too_big ? std::numeric_limits<std::int64_t>::max() : found->get<std::int64_t>();
    if (too_big || value < min || value > max) {
        problem(key, "must be from " + std::to_string(min) + " to " + std::to_string(max));
        return fallback;
    }
    return value;
}

double JsonReader::number(std::string_view key, double fallback, double min, double max) {
    const auto* found = raw(key);
    if (found == nullptr) return fallback;
    if (!found->is_number()) {
        problem(key, std::string{"must be a number, is "} + type_word(*found));
        return fallback;
    }
    const auto value = found->get<double>();
    if (value < min || value > max) {
        problem(key, "must be from " + Json(min).dump() + " to " + Json(max).dump());
        return fallback;
    }
    return value;
}

bool JsonReader::boolean(std::string_view key, bool fallback) {
    const auto* found = raw(key);
    if (found == nullptr) return fallback;
    if (!found->is_boolean()) {
        problem(key, std::string{"must be true or false, is "} + type_word(*found));
        return fallback;
    }
    return found->get<bool>();
}

Duration JsonReader::duration(std::string_view key, Duration fallback, Duration min, Duration max) {
    const auto* found = raw(key);
    if (found == nullptr) return fallback;
    const auto parsed = found->is_string() ? parse_duration(found->get_ref<const std::string&>()) : std::nullopt;
    if (!parsed) {
        problem(key, "must be an ISO 8601 duration such as \"PT30M\" or \"P7D\" (no years or months)");
        return fallback;
    }
    if (*parsed < min || *parsed > max) {
        problem(key, "must be from " + format_duration(min) + " to " + format_duration(max));
        return fallback;
    }
    return *parsed;
}

std::optional<Instant> JsonReader::instant(std::string_view key) {
    const auto* found = raw(key);
    if (found == nullptr) return std::nullopt;
    const auto parsed = found->is_string() ? parse_instant(found->get_ref<const std::string&>()) : std::nullopt;
    if (!parsed) problem(key, "must be an RFC 3339 time with an offset, such as \"2026-11-23T02:00:00.000Z\"");
    return parsed;
}

std::optional<JsonReader> JsonReader::object(std::string_view key) {
    const auto* found = raw(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_object()) {
        problem(key, std::string{"must be an object, is "} + type_word(*found));
        return std::nullopt;
    }
    return JsonReader{*found, pointer_to(pointer_, key), *problems_};
}

void JsonReader::objects(std::string_view key, const std::function<void(JsonReader&, std::size_t)>& each) {
    const auto* found = raw(key);
    if (found == nullptr) return;
    if (!found->is_array()) {
        problem(key, std::string{"must be an array of objects, is "} + type_word(*found));
        return;
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto pointer = pointer_to(pointer_to(pointer_, key), i);
        if (!(*found)[i].is_object()) {
            problems_->push_back({pointer, std::string{"must be an object, is "} + type_word((*found)[i])});
            continue;
        }
        JsonReader reader{(*found)[i], pointer, *problems_};
        each(reader, i);
    }
}

void JsonReader::members(std::string_view key, const std::function<void(const std::string&, const Json&, const std::string&)>& each) {
    const auto* found = raw(key);
    if (found == nullptr) return;
    if (!found->is_object()) {
        problem(key, std::string{"must be an object, is "} + type_word(*found));
        return;
    }
    for (const auto& [name, value] : found->items()) each(name, value, pointer_to(pointer_to(pointer_, key), name));
}

void JsonReader::problem(std::string_view key, std::string detail) { problems_->push_back({pointer_to(pointer_, key), std::move(detail)}); }
void JsonReader::problem_here(std::string detail) { problems_->push_back({pointer_, std::move(detail)}); }

void JsonReader::finish() {
    if (!value_->is_object()) return;
    for (const auto& [key, value] : value_->items())
        if (!known_.contains(key)) problem(key, "unknown field \"" + key + "\"");
}

}  // namespace touchgate
