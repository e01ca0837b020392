// Rows of a file to import, one by one, each as the JSON line that the bulk API takes. CSV with a mapping, or NDJSON as it is.
//
// Mapping (JSON with comments):
//   {"columns": {"手机号": {"to": "phones[]", "transform": ["digits", "region:CN"]}, "城市": "attributes.city"},
//    "rest": "attributes",                       // where columns go that are not named; absent: they are left out
//    "constants": {"unit": "hq", "locale": "zh-CN"},
//    "id": {"from": ["分公司", "客户号"], "separator": "-"},
//    "skip_if": {"状态": ["销户"]}}
// The pseudo column "@row" is the number of the data row, from 1. `to` is a member of the line, "member[]" to append to a list, or
// "member.name" for a member of an object. Transforms, in order: trim, digits, lower, upper, number, boolean, region:XX, pad:N (zeros on the
// left), prefix:TEXT, suffix:TEXT, date (2026/1/2 → RFC 3339), map:{"a":"b"} as an object {"map": {...}}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/json/json.hpp"

namespace touchgate::app {

struct ImportRow {
    std::uint64_t line = 0;      // of the file, from 1
    std::string json;            // the line for the bulk API
    std::string_view raw;        // the row's bytes in the source, without its line end
    std::string pointer, reason; // why it cannot be taken; empty: it can
    bool skipped = false;        // by skip_if, or blank
};

// The file's bytes as UTF-8: byte-order mark removed, GB 18030 converted. `encoding` auto: UTF-8 if the bytes are, else GB 18030.
[[nodiscard]] std::optional<std::string> to_utf8(std::string_view bytes, const std::string& encoding, std::string& fault);

class RowReader {
public:
    // `source` must outlive it. `delimiter` 0: the commonest of , ; tab | in the first line.
    RowReader(std::string_view source, std::string kind, const Json& mapping, char delimiter, std::vector<Problem>& problems);

    [[nodiscard]] bool next(ImportRow& row);  // false at the end
    [[nodiscard]] bool is_csv() const { return csv_; }
    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] std::uint64_t line() const { return line_; }
    void skip_to(std::uint64_t offset, std::uint64_t line);

    // The reject file repeats the input with three more columns (or members): _line, _pointer, _reason.
    [[nodiscard]] std::string reject_header() const;
    [[nodiscard]] std::string reject_line(const ImportRow& row, const std::string& pointer, const std::string& reason) const;

private:
    struct Column {
        std::string name, to;
        Json transforms = Json::array();
    };
    bool read_record(std::vector<std::string>& fields, std::string_view& raw);
    void build(ImportRow& row, const std::vector<std::string>& fields);
    [[nodiscard]] std::optional<Json> transformed(const Column& column, std::string value, std::string& reason) const;

    std::string_view source_;
    std::string kind_;
    bool csv_ = true;
    char delimiter_ = ',';
    std::uint64_t offset_ = 0, line_ = 1, row_number_ = 0, first_data_line_ = 2;
    std::string header_raw_;
    std::vector<std::string> header_;
    std::vector<Column> columns_;        // parallel to header_; empty `to`: left out
    std::optional<Column> row_column_;
    Json constants_ = Json::object();
    std::vector<std::string> id_from_;
    std::string id_separator_ = "-";
    Json skip_if_ = Json::object();
};

}  // namespace touchgate::app
