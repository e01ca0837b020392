#include "gateway/app/csv_records.hpp"

#include <algorithm>

namespace touchgate::app {

bool next_csv_record(std::string_view source, char delimiter, CsvPlace& place, std::vector<std::string>& fields, std::string_view& raw) {
    fields.clear();
    if (place.offset >= source.size()) return false;
    const auto start = place.offset;
    std::string field;
    bool quoted = false;
    auto at = static_cast<std::size_t>(place.offset);
    for (;; ++at) {
        if (at >= source.size()) break;
        const char c = source[at];
        if (quoted) {
            if (c == '"' && at + 1 < source.size() && source[at + 1] == '"') {
                field.push_back('"');
                ++at;
            } else if (c == '"') {
                quoted = false;
            } else {
                if (c == '\n') ++place.line;
                field.push_back(c);
            }
            continue;
        }
        if (c == '"' && field.empty()) quoted = true;
        else if (c == delimiter) {
            fields.push_back(std::move(field));
            field.clear();
        } else if (c == '\n') break;
        else if (c != '\r') field.push_back(c);
    }
    fields.push_back(std::move(field));
    auto end = at;
    while (end > start && (end > source.size() || source[end - 1] == '\r')) --end;
    raw = source.substr(static_cast<std::size_t>(start), end - static_cast<std::size_t>(start));
    place.offset = std::min<std::uint64_t>(at + 1, source.size());
    ++place.line;
    return true;
}

}  // namespace touchgate::app
