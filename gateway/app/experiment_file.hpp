// The uplift report of an experiment that ran elsewhere: a CSV file with a line for each person, a column that names the arm, and columns with
// the outcomes as numbers.
#pragma once

#include <string>
#include <vector>

#include "gateway/projection/report.hpp"

namespace touchgate::app {

struct ExperimentFile {
    std::string path;
    std::string arm;                    // column
    std::string control;                // its value that means the control group
    std::vector<std::string> outcomes;  // columns
};

// Reads the file once, from front to back; what is kept does not grow with it. Kind unavailable: it cannot be read. Kind invalid_input: a
// column or the control group is missing, or a line has no number where an outcome should be.
[[nodiscard]] Result<projection::Report> report_of_experiment(const ExperimentFile& file);

}  // namespace touchgate::app
