// Checks a report against the log: the same figures made anew from the first event, and every cell that differs.
#pragma once

#include "gateway/projection/report.hpp"

namespace touchgate::projection {

struct CellDifference {
    std::string row;     // "double11 / a", "row 3", or "totals"
    std::string column;  // empty: the whole row is missing on one side
    std::string shown, recomputed;
};

// Compares two reports of the same query.
[[nodiscard]] std::vector<CellDifference> differences(const Report& shown, const Report& recomputed);

// Builds a projection of its own at `path` (which must not exist) from the log's first record to the last one that `shown` counts, and makes
// the report again. Takes as long as a rebuild. The file stays.
[[nodiscard]] Result<std::vector<CellDifference>> verify_report(const Report& shown, const ReportQuery& query, const BillingOf& billing, const LogReader& reader,
                                                                const std::string& path);

}  // namespace touchgate::projection
