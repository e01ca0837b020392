// Reports: small tables made from the projection's sums. A touch is counted in the period in which it was created, an attempt in that of its
// permit; every touch is in exactly one state column, every attempt in exactly one outcome column.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/projection/projection.hpp"
#include "gateway/projection/visibility.hpp"

namespace touchgate::projection {

// Parameters as in the URL: from, to, campaign, channel, account, purpose, unit, group_by, tz, lang (bom and format are the renderer's), and
// those of single reports: model, window, half_life, kind.
struct ReportQuery {
    std::string name;  // one of report_names()
    std::vector<std::pair<std::string, std::string>> parameters = {};
    Visibility visibility = {};
    std::string default_tz = "Asia/Shanghai";
};

// An amount of money in its currency's smallest unit.
struct Money {
    std::int64_t units = 0;
    int digits = 2;  // how many of them are decimals
    bool operator==(const Money&) const = default;
};

// Nothing, text, a count, a decimal, or an amount.
using Cell = std::variant<std::monostate, std::string, std::int64_t, double, Money>;

struct ReportColumn {
    std::string name;  // as in the JSON; "difference.low" is the member `low` of the member `difference`
    std::string zh;    // heading for people
};

struct Report {
    std::string name;
    std::optional<Instant> from, to;
    std::string tz;
    std::vector<std::pair<std::string, std::string>> filters;
    std::uint64_t sequence = 0;  // the last event counted
    std::vector<ReportColumn> columns;
    std::vector<std::vector<Cell>> rows;
    std::vector<std::pair<std::string, Cell>> totals;  // names as those of columns
};

// Currency of an account and whether it is paid for by delivery instead of submit; empty currency: not billed.
struct AccountBilling {
    std::string currency;
    bool on_delivered = false;
};
using BillingOf = std::function<AccountBilling(const std::string& account)>;

[[nodiscard]] const std::vector<std::string>& report_names();

// Kind not_found: no such report. Kind invalid_input: every bad parameter, with pointers such as "/from".
[[nodiscard]] Result<Report> make_report(Projection& projection, const ReportQuery& query, const BillingOf& billing = {});

// {"report","from","to","tz","filters","seq","rows","totals"}
[[nodiscard]] std::string report_json(const Report& report);
// RFC 4180 with CRLF; `bom` puts the UTF-8 mark first, for spreadsheets. Cells that a spreadsheet would run as a formula are guarded by an
// apostrophe. `lang` "zh-CN" gives Chinese headings.
[[nodiscard]] std::string report_csv(const Report& report, std::string_view lang, bool bom);
// Aligned columns for a terminal, one line each row, a heading above; numbers to the right. `lang` as above.
[[nodiscard]] std::string table_text(const std::vector<ReportColumn>& columns, const std::vector<std::vector<Cell>>& rows, std::string_view lang);
// The same with the report's frame, totals below.
[[nodiscard]] std::string report_text(const Report& report, std::string_view lang);

// A cell as people read it: numbers in their shortest exact form, amounts with their decimals; nothing for nothing.
[[nodiscard]] std::string cell_text(const Cell& cell);

// One CSV cell, quoted where needed and guarded.
void append_csv_cell(std::string& out, std::string_view text);

}  // namespace touchgate::projection
