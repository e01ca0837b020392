// Records of comma-separated text: RFC 4180, lenient. Quotes may hold the delimiter, line ends and doubled quotes; a line may end in LF or CR LF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace touchgate::app {

// Where the next record begins: offset in bytes, and the number of its line from 1.
struct CsvPlace {
    std::uint64_t offset = 0, line = 1;
};

// The fields of the record at `place`, its bytes without the line end, and `place` moved behind it. False at the end of `source`.
[[nodiscard]] bool next_csv_record(std::string_view source, char delimiter, CsvPlace& place, std::vector<std::string>& fields, std::string_view& raw);

}  // namespace touchgate::app
