#include "gateway/app/import_rows.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "gateway/app/csv_records.hpp"
#include "gateway/base/text.hpp"
#include "gateway/content/alphabet.hpp"

namespace touchgate::app {

std::optional<std::string> to_utf8(std::string_view bytes, const std::string& encoding, std::string& fault) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    const bool valid = is_valid_utf8(bytes);
    if (encoding == "utf-8" && !valid) {
        fault = "the file is not valid UTF-8; try --encoding gb18030";
        return std::nullopt;
    }
    if (encoding == "gb18030" || !valid) return content::decode_gb18030(bytes);
    return std::string{bytes};
}

namespace {

// Full-width digits and signs, and what people put between digits.
std::string narrow(std::string_view text) {
    std::string out;
    for (const auto point : to_code_points(text)) {
        if (point >= 0xFF01 && point <= 0xFF5E) append_utf8(out, point - 0xFEE0);
        else if (point == 0x3000 || point == 0xA0) out.push_back(' ');
        else append_utf8(out, point);
    }
    return out;
}

char commonest_delimiter(std::string_view source) {
    const auto first = source.substr(0, source.find('\n'));
    char best = ',';
    std::ptrdiff_t most = 0;
    for (const char candidate : {',', ';', '\t', '|'})
        if (const auto count = std::count(first.begin(), first.end(), candidate); count > most) {
            most = count;
            best = candidate;
        }
    return best;
}

std::string csv_cell(std::string_view value, char delimiter) {
    if (value.find_first_of(std::string{"\"\r\n"} + delimiter) == std::string_view::npos) return std::string{value};
    std::string quoted = "\"";
    for (const char c : value) quoted += c == '"' ? std::string{"\"\""} : std::string(1, c);
    return quoted + "\"";
}

// Fields of the API that are lists: a cell holds their entries between ";" or "|".
bool is_list(std::string_view field) {
    for (const auto* name : {"phones", "external_userids", "unionids", "tags", "channels", "purposes"})
        if (field == name) return true;
    return false;
}

// A cell is text; what the API takes as something else is made so without being asked.
Json own_transforms(std::string_view kind, std::string_view field) {
    if (kind == "conversions" && field == "value") return Json::array({"number"});
    if (kind == "contacts" && field == "legal_hold") return Json::array({"boolean"});
    return Json::array();
}

}  // namespace

RowReader::RowReader(std::string_view source, std::string kind, const Json& mapping, char delimiter, std::vector<Problem>& problems)
    : source_{source}, kind_{std::move(kind)} {
    const auto first = source_.find_first_not_of(" \t\r\n");
    csv_ = first == std::string_view::npos || source_[first] != '{';
    JsonReader reader{mapping, {}, problems};
    std::map<std::string, Column, std::less<>> by_name;
    reader.members("columns", [&](const std::string& name, const Json& value, const std::string& pointer) {
        Column column{.name = name, .to = {}, .transforms = Json::array()};
        if (value.is_string()) {
            column.to = value.get<std::string>();
        } else {
            JsonReader one{value, pointer, problems};
            column.to = one.required_text("to");
            if (const auto* transforms = one.raw("transform")) column.transforms = transforms->is_array() ? *transforms : Json::array({*transforms});
            one.finish();
            static const std::vector<std::string> plain = {"trim", "digits", "lower", "upper", "number", "boolean", "date"};
            for (const auto& transform : column.transforms) {
                const auto name_of = transform.is_string() ? transform.get<std::string>() : std::string{};
                const bool known = (transform.is_object() && transform.contains("map")) || std::find(plain.begin(), plain.end(), name_of) != plain.end() ||
                                   name_of.starts_with("region:") || name_of.starts_with("pad:") || name_of.starts_with("prefix:") || name_of.starts_with("suffix:");
                if (!known) problems.push_back({pointer + "/transform", "unknown transform " + transform.dump()});
            }
        }
        by_name[name] = std::move(column);
    });
    const auto rest = reader.choice("rest", {"attributes", "ignore"}, "ignore");
    if (const auto* constants = reader.raw("constants")) constants_ = *constants;
    if (auto id = reader.object("id")) {
        id_from_ = id->texts("from");
        id_separator_ = id->text("separator", "-");
        id->finish();
    }
    if (const auto* skip = reader.raw("skip_if")) skip_if_ = *skip;
    if (const auto* skip_columns = reader.raw("delimiter"); skip_columns != nullptr && skip_columns->is_string() && delimiter == '\0') delimiter = skip_columns->get<std::string>()[0];
    reader.finish();
    for (auto& [name, column] : by_name)
        if (column.transforms.empty()) column.transforms = own_transforms(kind_, column.to);
    if (!csv_) return;

    delimiter_ = delimiter == '\0' ? commonest_delimiter(source_) : delimiter;
    std::string_view raw;
    if (!read_record(header_, raw)) {
        problems.push_back({"", "the file is empty"});
        return;
    }
    header_raw_ = raw;
    first_data_line_ = line_;
    for (auto& name : header_) {
        name = std::string{trim(name)};
        if (const auto found = by_name.find(name); found != by_name.end()) {
            columns_.push_back(found->second);
            by_name.erase(found);
        } else if (name.starts_with("_")) {
            columns_.push_back({.name = name, .to = {}, .transforms = Json::array()});  // of a reject file
        } else if (rest == "attributes") {
            columns_.push_back({.name = name, .to = "attributes." + name, .transforms = Json::array()});
        } else {
            columns_.push_back({.name = name, .to = mapping.contains("columns") ? std::string{} : name, .transforms = own_transforms(kind_, name)});
        }
    }
    // A conversion's value is the one number that every file has.
    if (kind_ == "conversions")
        for (auto& column : columns_)
            if (column.to == "value" && column.transforms.empty()) column.transforms = Json::array({"number"});
    if (const auto found = by_name.find("@row"); found != by_name.end()) {
        row_column_ = found->second;
        by_name.erase(found);
    }
    for (const auto& [name, column] : by_name) problems.push_back({pointer_to("/columns", name), "the file has no column \"" + name + "\""});
    for (const auto& name : id_from_)
        if (name != "@row" && std::find(header_.begin(), header_.end(), name) == header_.end()) problems.push_back({"/id/from", "the file has no column \"" + name + "\""});
}

void RowReader::skip_to(std::uint64_t offset, std::uint64_t line) {
    if (offset < offset_ || offset > source_.size()) return;
    // Row numbers are counted, not stored: what is skipped is read over.
    std::vector<std::string> fields;
    std::string_view raw;
    while (offset_ < offset && (csv_ ? read_record(fields, raw) : (offset_ = source_.find('\n', offset_) + 1) != 0)) ++row_number_;
    offset_ = offset;
    line_ = line;
}

bool RowReader::read_record(std::vector<std::string>& fields, std::string_view& raw) {
    CsvPlace place{offset_, line_};
    const bool more = next_csv_record(source_, delimiter_, place, fields, raw);
    offset_ = place.offset;
    line_ = place.line;
    return more;
}

bool RowReader::next(ImportRow& row) {
    row.line = line_;
    if (!csv_) {
        if (offset_ >= source_.size()) return false;
        const auto end = std::min(source_.find('\n', static_cast<std::size_t>(offset_)), source_.size());
        row.raw = trim(source_.substr(static_cast<std::size_t>(offset_), end - static_cast<std::size_t>(offset_)));
        offset_ = std::min<std::uint64_t>(end + 1, source_.size());
        ++line_;
        if (row.raw.empty()) {
            row.skipped = true;
            return true;
        }
        auto parsed = parse_json(row.raw);
        if (!parsed || !parsed->is_object()) {
            row.reason = parsed ? "must be an object" : parsed.error().detail;
            return true;
        }
        for (const auto* own : {"_line", "_pointer", "_reason"}) parsed->erase(own);  // of a reject file
        for (const auto& [key, value] : constants_.items())
            if (!parsed->contains(key)) (*parsed)[key] = value;
        row.json = parsed->dump();
        return true;
    }
    std::vector<std::string> fields;
    if (!read_record(fields, row.raw)) return false;
    ++row_number_;
    if (fields.size() == 1 && trim(fields[0]).empty()) {
        row.skipped = true;
        return true;
    }
    build(row, fields);
    return true;
}

std::optional<Json> RowReader::transformed(const Column& column, std::string value, std::string& reason) const {
    const bool address = column.to.starts_with("phone");
    value = std::string{trim(address ? narrow(value) : value)};
    Json result = value;
    if (address) {
        // "1.38E+10": a spreadsheet has rounded the number away.
        const auto exponent = value.find_first_of("eE");
        if (exponent != std::string::npos && value.find_first_not_of("0123456789.eE+") == std::string::npos) {
            reason = "\"" + value + "\" was damaged by a spreadsheet (scientific notation): the digits are lost; export the column as text";
            return std::nullopt;
        }
        if (value.starts_with("0086")) value = "+86" + value.substr(4);
        std::erase(value, ' ');
        std::erase(value, '-');
        result = value;
    }
    for (const auto& transform : column.transforms) {
        if (transform.is_object()) {
            const auto& map = transform["map"];
            if (map.is_object() && map.contains(value)) result = map[value];
            if (result.is_string()) value = result.get<std::string>();
            continue;
        }
        const auto name = transform.get<std::string>();
        const auto argument = name.substr(name.find(':') == std::string::npos ? name.size() : name.find(':') + 1);
        if (name == "trim") value = std::string{trim(value)};
        else if (name == "digits") std::erase_if(value, [](char c) { return (c < '0' || c > '9') && c != '+'; });
        else if (name == "lower") value = to_lower_ascii(value);
        else if (name == "upper") std::transform(value.begin(), value.end(), value.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        else if (name.starts_with("pad:")) {
            const auto width = static_cast<std::size_t>(std::strtoul(argument.c_str(), nullptr, 10));
            if (value.size() < width && width <= 64) value.insert(0, width - value.size(), '0');
        } else if (name.starts_with("prefix:")) value = argument + value;
        else if (name.starts_with("suffix:")) value += argument;
        else if (name.starts_with("region:")) {
            if (argument == "CN" && !value.empty() && value[0] != '+') value = (value.starts_with("86") && value.size() == 13 ? "+" : "+86") + value;
        } else if (name == "number") {
            char* end = nullptr;
            const double number = std::strtod(value.c_str(), &end);
            if (value.empty() || *end != '\0' || !std::isfinite(number)) {
                reason = "\"" + value + "\" is no number";
                return std::nullopt;
            }
            // A whole number stays one: 56, not 56.0.
            std::int64_t whole = 0;
            const char* const last = value.data() + value.size();
            const auto read = std::from_chars(value.data(), last, whole);
            if (read.ec == std::errc{} && read.ptr == last) result = whole;
            else result = number;
            continue;
        } else if (name == "boolean") {
            const auto lower = to_lower_ascii(value);
            result = lower == "1" || lower == "true" || lower == "yes" || lower == "y" || value == "是";
            continue;
        } else if (name == "date") {
            int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
            const auto read = std::sscanf(value.c_str(), "%d%*[-/.]%d%*[-/.]%d%*[ T]%d:%d:%d", &year, &month, &day, &hour, &minute, &second);
            char text[64];
            std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.000+08:00", year % 10000, month % 100, day % 100, hour % 100, minute % 100, second % 100);
            if (read < 3 || !parse_instant(text)) {
                reason = "\"" + value + "\" is no date";
                return std::nullopt;
            }
            value = text;
        }
        result = value;
    }
    return result;
}

void RowReader::build(ImportRow& row, const std::vector<std::string>& fields) {
    if (fields.size() > header_.size()) {
        row.reason = "has " + std::to_string(fields.size()) + " fields, the header has " + std::to_string(header_.size());
        return;
    }
    for (const auto& [name, values] : skip_if_.items()) {
        const auto at = std::find(header_.begin(), header_.end(), name);
        if (at == header_.end() || !values.is_array()) continue;
        const auto index = static_cast<std::size_t>(at - header_.begin());
        if (index < fields.size() && std::find(values.begin(), values.end(), Json(fields[index])) != values.end()) {
            row.skipped = true;
            return;
        }
    }
    Json object = constants_.is_object() ? constants_ : Json::object();
    const auto put = [&](const Column& column, const std::string& text) {
        if (column.to.empty() || text.empty()) return true;
        std::string reason;
        const auto take = [&](std::string part) {
            auto value = transformed(column, std::move(part), reason);
            if (!value) {
                row.pointer = "/" + column.name;
                row.reason = reason;
            }
            return value;
        };
        if (is_list(column.to)) {
            auto& list = object[column.to];
            for (std::size_t start = 0; start <= text.size();) {
                const auto end = std::min(text.find_first_of(";|", start), text.size());
                if (const auto part = trim(std::string_view{text}.substr(start, end - start)); !part.empty()) {
                    auto value = take(std::string{part});
                    if (!value) return false;
                    list.push_back(std::move(*value));
                }
                start = end + 1;
            }
            return true;
        }
        auto value = take(text);
        if (!value) return false;
        if (column.to.ends_with("[]")) {
            object[column.to.substr(0, column.to.size() - 2)].push_back(std::move(*value));
        } else if (const auto dot = column.to.find('.'); dot != std::string::npos) {
            object[column.to.substr(0, dot)][column.to.substr(dot + 1)] = std::move(*value);
        } else {
            object[column.to] = std::move(*value);
        }
        return true;
    };
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (!put(columns_[i], fields[i])) return;
    if (row_column_ && !put(*row_column_, std::to_string(row_number_))) return;
    if (!id_from_.empty()) {
        std::string id;
        for (const auto& name : id_from_) {
            std::string part = name == "@row" ? std::to_string(row_number_) : std::string{};
            if (const auto at = std::find(header_.begin(), header_.end(), name); at != header_.end() && static_cast<std::size_t>(at - header_.begin()) < fields.size())
                part = fields[static_cast<std::size_t>(at - header_.begin())];
            id += (id.empty() ? "" : id_separator_) + std::string{trim(part)};
        }
        object["id"] = id;
    }
    // Consents, suppressions, conversions and leads name their contact or address; a flat "phone" column serves them all.
    if ((kind_ == "consents" || kind_ == "conversions" || kind_ == "leads") && !object.contains("contact")) {
        for (const auto* form : {"id", "phone", "external_userid"})
            if (object.contains(form)) {
                object["contact"] = Json{{form, object[form]}};
                object.erase(form);
                break;
            }
    }
    row.json = object.dump();
}

std::string RowReader::reject_header() const {
    if (!csv_) return {};
    const std::string d(1, delimiter_);
    return header_raw_ + (header_raw_.find("_reason") == std::string::npos ? d + "_line" + d + "_pointer" + d + "_reason" : std::string{}) + "\n";
}

std::string RowReader::reject_line(const ImportRow& row, const std::string& pointer, const std::string& reason) const {
    if (!csv_) {
        auto parsed = Json::parse(row.raw, nullptr, false);
        if (!parsed.is_object()) parsed = Json{{"_raw", std::string{row.raw}}};
        parsed["_line"] = row.line;
        parsed["_pointer"] = pointer;
        parsed["_reason"] = reason;
        return parsed.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    const std::string d(1, delimiter_);
    return std::string{row.raw} + d + std::to_string(row.line) + d + csv_cell(pointer, delimiter_) + d + csv_cell(reason, delimiter_) + "\n";
}

}  // namespace touchgate::app
