// The report `uplift`: each arm of a campaign against its control group, for each outcome. By intention to treat: everyone who was assigned
// counts, with the conversions of the window that begins at the campaign's start.
#include "gateway/projection/report_uplift.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "gateway/base/currency.hpp"
#include "gateway/projection/experiment.hpp"
#include "gateway/projection/report_responses.hpp"

namespace touchgate::projection {

namespace {

struct Outcome {
    std::string name, currency;                       // "order.rate", or "order.value" with its currency
    std::map<std::int64_t, measure::Moments> by_arm;  // of those who have the outcome at all; the others are zeros
};

// Rate and value of every kind of conversion.
std::vector<Outcome> outcomes_of(Database& database, std::int64_t campaign, std::pair<Instant, Instant> window, const std::string& kind) {
    std::vector<Outcome> rates, values;
    const auto outcome = [](std::vector<Outcome>& list, std::string name, std::string_view currency) -> Outcome& {
        const auto found = std::find_if(list.begin(), list.end(), [&](const Outcome& o) { return o.name == name && o.currency == currency; });
        return found != list.end() ? *found : list.emplace_back(Outcome{std::move(name), std::string{currency}, {}});
    };
    Statement select{database,
                     "SELECT v.kind, v.contact, a.arm, v.currency, sum(v.value_cents) FROM conversions v JOIN assignments a ON a.contact = v.contact AND a.campaign = ?1 "
                     "WHERE v.at >= ?2 AND v.at < ?3 AND (?4 = '' OR v.kind = ?4) GROUP BY v.kind, v.contact, v.currency ORDER BY v.kind, v.contact, v.currency"};
    select.bind(1, campaign).bind(2, unix_ms(window.first)).bind(3, unix_ms(window.second)).bind_text(4, kind);
    std::pair<std::string, std::int64_t> counted;  // kind and contact
    while (select.step()) {
        const std::string of{select.text(0)};
        const auto arm = select.integer(2);
        const auto units = select.integer(4);
        if (counted != std::pair{of, select.integer(1)}) outcome(rates, of + ".rate", {}).by_arm[arm].add(1);
        counted = {of, select.integer(1)};
        const auto currency = select.text(3);
        if (units != 0) outcome(values, of + ".value", currency).by_arm[arm].add(static_cast<double>(units) / std::pow(10, currency_digits(currency)));
    }
    if (rates.empty()) rates.push_back({(kind.empty() ? std::string{"conversion"} : kind) + ".rate", {}, {}});
    rates.insert(rates.end(), std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
    std::stable_sort(rates.begin(), rates.end(), [](const Outcome& a, const Outcome& b) { return std::tie(a.name, a.currency) < std::tie(b.name, b.currency); });
    return rates;
}

measure::Moments with_zeros(const Outcome& outcome, std::int64_t arm, std::int64_t members) {
    const auto found = outcome.by_arm.find(arm);
    auto moments = found == outcome.by_arm.end() ? measure::Moments{} : found->second;
    moments.add(0, members - moments.count());
    return moments;
}

// Members of the control group that the campaign's name reached nevertheless.
std::int64_t touched_controls(Database& database, std::int64_t campaign, std::int64_t control) {
    Statement select{database, "SELECT a.contact, t.state, t.fold FROM assignments a JOIN touches t ON t.contact = a.contact AND t.campaign = a.campaign "
                               "WHERE a.campaign = ?1 AND a.arm = ?2"};
    select.bind(1, campaign).bind(2, control);
    std::set<std::int64_t> touched;
    while (select.step()) {
        TouchRow row;
        row.states.state = static_cast<TouchState>(select.integer(1));
        if (decode(select.blob(2), row) && row.counted_as().sent) touched.insert(select.integer(0));
    }
    return static_cast<std::int64_t>(touched.size());
}

struct Sizes {
    std::map<std::int64_t, std::int64_t> members;  // by arm
    std::int64_t assigned = 0, given = 0;
};

Sizes sizes_of(Database& database, std::int64_t campaign) {
    Sizes sizes;
    Statement select{database, "SELECT arm, given, count(*) FROM assignments WHERE campaign = ? GROUP BY arm, given"};
    select.bind(1, campaign);
    while (select.step()) {
        sizes.members[select.integer(0)] += select.integer(2);
        sizes.assigned += select.integer(2);
        if (select.integer(1) != 0) sizes.given += select.integer(2);
    }
    return sizes;
}

std::vector<ReportColumn> estimate_columns(const std::string& name, const std::string& zh) {
    return {{name + ".value", zh}, {name + ".low", zh + "下限"}, {name + ".high", zh + "上限"}};
}

}  // namespace

std::vector<ReportColumn> uplift_columns(bool with_currency) {
    std::vector<ReportColumn> columns = {{"arm", "实验组"}, {"control", "对照组"}, {"outcome", "指标"}};
    if (with_currency) columns.push_back({"currency", "币种"});
    const auto add = [&](std::vector<ReportColumn> more) { columns.insert(columns.end(), more.begin(), more.end()); };
    add({{"n", "实验组人数"}, {"n_control", "对照组人数"}, {"mean", "实验组均值"}, {"mean_control", "对照组均值"}});
    add(estimate_columns("difference", "差值"));
    add(estimate_columns("ratio", "比值"));
    add({{"p_value", "p 值"}, {"method", "方法"}});
    return columns;
}

std::vector<Cell> uplift_row(std::string arm, std::string control, std::string outcome, const measure::Comparison& compared) {
    std::vector<Cell> cells = {std::move(arm), std::move(control), std::move(outcome), compared.n, compared.n_control, cell_of(compared.mean), cell_of(compared.mean_control)};
    append_estimate(cells, compared.difference);
    append_estimate(cells, compared.ratio);
    cells.push_back(cell_of(compared.p_value));
    cells.emplace_back(std::string{compared.method});
    return cells;
}

Result<void> fill_uplift(Database& database, const Parsed& parsed, Report& report) {
    std::vector<Problem> ignored;
    const auto window = duration_parameter(parsed, "window", response_window_default, ignored);
    {
        Statement known{database, "SELECT unit FROM campaigns WHERE id = ?"};
        known.bind_text(1, parsed.filter.campaign);
        if (!known.step() || !parsed.filter.visibility.covers(known.text(0))) return Error{ErrorKind::not_found, "there is no campaign \"" + parsed.filter.campaign + "\""};
    }
    report.columns = uplift_columns(false);
    const auto campaigns = campaigns_of(database, parsed.filter);
    const auto sizes = campaigns.empty() ? Sizes{} : sizes_of(database, campaigns.begin()->first);
    if (sizes.assigned == 0) {
        report.totals = {{"srm_p_value", {}}, {"assigned", std::int64_t{0}}};
        return {};
    }
    const auto& [campaign, facts] = *campaigns.begin();

    std::map<std::string, std::int64_t> numbers;  // of the arms, by name
    std::map<std::string, measure::GroupSize> groups;
    {
        for (const auto& [name, share] : promised_shares(experiment_of(database, facts.id))) groups[name].share = share;
        Statement name{database, "SELECT name FROM names WHERE id = ?"};
        for (const auto& [arm, members] : sizes.members) {
            name.bind(1, arm);
            if (name.step()) {
                numbers[std::string{name.text(0)}] = arm;
                groups[std::string{name.text(0)}].observed = members;
            }
            name.reset();
        }
    }
    const auto found_control = numbers.find(std::string{campaign::holdout_arm});
    const auto control = found_control == numbers.end() ? -1 : found_control->second;
    const auto members_of = [&](std::int64_t arm) {
        const auto found = sizes.members.find(arm);
        return found == sizes.members.end() ? 0 : found->second;
    };

    const auto outcomes = outcomes_of(database, campaign, window_of(facts.begins_at, window, parsed.span), parsed.parameter("kind"));
    std::set<std::string> currencies;
    for (const auto& outcome : outcomes)
        if (!outcome.currency.empty()) currencies.insert(outcome.currency);
    report.columns = uplift_columns(currencies.size() > 1);
    for (const auto& [name, arm] : numbers) {
        if (arm == control) continue;
        for (const auto& outcome : outcomes) {
            const auto compared = measure::compare(with_zeros(outcome, arm, members_of(arm)), with_zeros(outcome, control, members_of(control)));
            report.rows.push_back(uplift_row(name, std::string{campaign::holdout_arm}, outcome.name, compared));
            if (currencies.size() > 1) report.rows.back().insert(report.rows.back().begin() + 3, outcome.currency.empty() ? Cell{} : Cell{outcome.currency});
        }
    }

    std::vector<measure::GroupSize> all;
    for (const auto& [name, group] : groups) all.push_back(group);
    // Given arms follow their giver's plan, which the shares do not tell.
    report.totals.emplace_back("srm_p_value", sizes.given > 0 ? Cell{} : cell_of(measure::sample_ratio_p_value(all)));
    report.totals.emplace_back("assigned", sizes.assigned);
    report.totals.emplace_back("assigned_by", std::string{sizes.given == 0 ? "hash" : sizes.given == sizes.assigned ? "given" : "hash and given"});
    report.totals.emplace_back("started_at", facts.started_at ? Cell{format_instant(*facts.started_at)} : Cell{});
    report.totals.emplace_back("window", format_duration(window));
    const auto touched = control < 0 ? 0 : touched_controls(database, campaign, control);
    report.totals.emplace_back("contamination.touched", touched);
    report.totals.emplace_back("contamination.share", members_of(control) == 0 ? Cell{} : Cell{static_cast<double>(touched) / static_cast<double>(members_of(control))});
    return {};
}

}  // namespace touchgate::projection
