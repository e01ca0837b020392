// The rows of an uplift report, the same whether they come from the log or from a file of an experiment.
#pragma once

#include "gateway/measure/comparison.hpp"
#include "gateway/projection/report.hpp"

namespace touchgate::projection {

// arm, control, outcome, (currency), n, n_control, mean, mean_control, difference, ratio, p_value, method.
[[nodiscard]] std::vector<ReportColumn> uplift_columns(bool with_currency);
// Without the currency, which would be the fourth cell.
[[nodiscard]] std::vector<Cell> uplift_row(std::string arm, std::string control, std::string outcome, const measure::Comparison& compared);

}  // namespace touchgate::projection
