// What the reports are made of: their parameters, the groups of their rows, tables of counts. Inside the projection only.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/measure/comparison.hpp"
#include "gateway/projection/report.hpp"
#include "gateway/projection/report_period.hpp"
#include "gateway/projection/report_source.hpp"

namespace touchgate::projection {

using GroupKey = std::vector<std::string>;

// One of the things that rows can be grouped by.
struct Dimension {
    std::string_view name;
    std::string_view zh;
    std::string ProfileNames::*member;  // null: not the profile tells (arm, agent)
};

// What a report takes beside from, to, tz, lang and the filters.
struct ReportShape {
    std::vector<std::string> default_groups = {};
    std::vector<std::string> more_groups = {};      // "arm", "agent": not known to every report
    std::vector<std::string> more_parameters = {};  // "model", "window" …
};

// The parsed parameters of a report.
struct Parsed {
    Report report;  // frame only
    ReportSpan span;
    ProfileFilter filter;
    std::vector<const Dimension*> by;
    std::optional<Period> period;
    std::vector<std::string> order;           // names of the groups, as asked for
    std::map<std::string, std::string> more;  // by name, as given

    [[nodiscard]] bool is_grouped_by(std::string_view name) const { return std::find(order.begin(), order.end(), name) != order.end(); }
    [[nodiscard]] std::string parameter(const std::string& name) const {
        const auto found = more.find(name);
        return found == more.end() ? std::string{} : found->second;
    }
};

// Kind invalid_input: every bad parameter, with pointers such as "/from".
[[nodiscard]] Result<Parsed> parse_report(const ReportQuery& query, const ReportShape& shape);
// A duration above 0 that was asked for, or `otherwise`; what was asked for in error is added to `problems`.
[[nodiscard]] Duration duration_parameter(const Parsed& parsed, const std::string& name, Duration otherwise, std::vector<Problem>& problems);

class Groups {
public:
    explicit Groups(const Parsed& parsed) : parsed_{parsed}, labels_{parsed.period.value_or(Period::day), parsed.report.tz} {}
    // `other` are the values of the groups that are not the profile's.
    [[nodiscard]] GroupKey of(std::int64_t bucket, const ProfileNames& profile, std::string_view other = {});

private:
    const Parsed& parsed_;
    PeriodLabels labels_;
};
[[nodiscard]] std::vector<ReportColumn> group_columns(const Parsed& parsed);
[[nodiscard]] std::vector<Cell> group_cells(const GroupKey& key);

// Counted columns by name, in order, summed by group.
template <std::size_t N> class CountTable {
public:
    using Counts = std::array<std::int64_t, N>;
    using More = std::function<void(std::vector<Cell>&, const GroupKey&, const Counts&)>;
    explicit CountTable(const std::array<ReportColumn, N>& columns) : columns_{columns} {}
    Counts& row(const GroupKey& key) { return rows_[key]; }
    // `more` adds cells to a row, and to a last one of the sums with an empty key, which is given back.
    std::vector<Cell> into(Report& report, std::vector<ReportColumn> groups, const More& more = {}) const {
        report.columns = std::move(groups);
        report.columns.insert(report.columns.end(), columns_.begin(), columns_.end());
        Counts sums{};
        for (const auto& [key, counts] : rows_) {
            auto cells = group_cells(key);
            for (std::size_t i = 0; i < N; ++i) {
                cells.emplace_back(counts[i]);
                sums[i] += counts[i];
            }
            if (more) more(cells, key, counts);
            report.rows.push_back(std::move(cells));
        }
        for (std::size_t i = 0; i < N; ++i) report.totals.emplace_back(columns_[i].name, sums[i]);
        std::vector<Cell> last;
        if (more) more(last, {}, sums);
        return last;
    }

private:
    std::array<ReportColumn, N> columns_;
    std::map<GroupKey, Counts> rows_;
};

// Adds the cells of a comparison: value, low and high of an estimate; null where the data cannot tell.
void append_estimate(std::vector<Cell>& cells, const measure::Estimate& estimate);
[[nodiscard]] Cell cell_of(const std::optional<double>& value);

// The touch's state is `least` or came further: delivered, read, replied, completed.
[[nodiscard]] bool came_to(TouchState state, TouchState least);

// Amounts by currency. Sums of two currencies mean nothing.
class Amounts {
public:
    void add(const std::string& currency, std::int64_t units) { by_currency_[currency] += units; }
    // Null where there are several currencies, or none.
    [[nodiscard]] Cell amount() const;
    [[nodiscard]] Cell currency() const;
    [[nodiscard]] const std::map<std::string, std::int64_t>& all() const { return by_currency_; }

private:
    std::map<std::string, std::int64_t> by_currency_;
};

// One file each.
void fill_attribution(Database& database, ReportSource& source, const Parsed& parsed, Report& report);
void fill_campaign(Database& database, ReportSource& source, const Parsed& parsed, const BillingOf& billing, Report& report);
// Kinds not_found: no such campaign, or of a unit that the reader may not see.
[[nodiscard]] Result<void> fill_uplift(Database& database, const Parsed& parsed, Report& report);
void fill_customers(Database& database, const Parsed& parsed, Report& report);
void fill_queues(Database& database, const Parsed& parsed, Report& report);
void fill_agents(Database& database, const Parsed& parsed, Report& report);
void fill_leads(Database& database, ReportSource& source, const Parsed& parsed, Report& report);
// Each lead that a row of the funnel counts: when it came, the touch that went before it, whether it was qualified or won.
void each_lead_of_funnel(Database& database, ReportSource& source, const Parsed& parsed, const std::function<void(Instant, const ProfileNames&, bool, bool)>& each);
void fill_digital_share(Database& database, ReportSource& source, const Parsed& parsed, Report& report);

// Bad values of a report's own parameters, such as an unknown model.
[[nodiscard]] std::vector<Problem> attribution_problems(const Parsed& parsed);
[[nodiscard]] std::vector<Problem> response_problems(const Parsed& parsed);

}  // namespace touchgate::projection
