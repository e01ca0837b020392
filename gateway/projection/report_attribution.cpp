// The report `attribution`: which touches the conversions are owed to. Every conversion is shared among the touches of its contact that were
// accepted within the window before it; what no touch came before is unattributed.
#include <algorithm>

#include "gateway/base/currency.hpp"
#include "gateway/measure/attribution.hpp"
#include "gateway/projection/report_parts.hpp"

namespace touchgate::projection {

namespace {

constexpr Duration window_default = 30 * one_day;
constexpr Duration half_life_default = 7 * one_day;

struct Settings {
    measure::AttributionModel model = measure::AttributionModel::last;
    Duration window = window_default, half_life = half_life_default;
};

Settings settings_of(const Parsed& parsed, std::vector<Problem>& problems) {
    Settings made;
    if (const auto word = parsed.parameter("model"); !word.empty()) {
        if (const auto model = measure::parse_attribution_model(word)) made.model = *model;
        else problems.push_back({"/model", "must be one of: last, first, linear, time_decay, position"});
    }
    made.window = duration_parameter(parsed, "window", window_default, problems);
    made.half_life = duration_parameter(parsed, "half_life", half_life_default, problems);
    return made;
}

// A touch that may take credit.
struct Exposure {
    Instant at{};
    const ProfileNames* profile = nullptr;
};

// The attempt that brought the touch to where it stands: of those that the provider took, the one that came furthest, of equal ones the last.
const AttemptRow* exposing_attempt(const TouchRow& row) {
    const AttemptRow* best = nullptr;
    for (const auto& attempt : row.attempts) {
        const bool taken = attempt.status == AttemptClass::accepted || attempt.status == AttemptClass::delivered || attempt.status == AttemptClass::read;
        if (taken && (best == nullptr || attempt.status >= best->status)) best = &attempt;
    }
    return best;
}

// The touches of one contact after the other.
class Exposures {
public:
    Exposures(Database& database, const ReportSource& source)
        : source_{source}, select_{database, "SELECT state, created_at, fold FROM touches WHERE contact = ?"} {}

    // Oldest first.
    const std::vector<Exposure>& of(std::int64_t contact) {
        if (contact == contact_) return exposures_;
        contact_ = contact;
        exposures_.clear();
        select_.bind(1, contact);
        while (select_.step()) {
            TouchRow row;
            row.states.state = static_cast<TouchState>(select_.integer(0));
            if (row.states.state != TouchState::accepted && !came_to(row.states.state, TouchState::delivered)) continue;
            if (!decode(select_.blob(2), row) || row.held_out) continue;
            const auto* attempt = exposing_attempt(row);
            const auto* profile = attempt == nullptr ? nullptr : source_.profile(attempt->profile.value);
            if (profile != nullptr) exposures_.push_back({attempt->permitted_at, profile});
        }
        select_.reset();
        std::stable_sort(exposures_.begin(), exposures_.end(), [](const Exposure& a, const Exposure& b) { return a.at < b.at; });
        return exposures_;
    }

private:
    const ReportSource& source_;
    Statement select_;
    std::int64_t contact_ = -1;
    std::vector<Exposure> exposures_;
};

struct Credit {
    double conversions = 0;
    std::int64_t units = 0;
};

}  // namespace

std::vector<Problem> attribution_problems(const Parsed& parsed) {
    std::vector<Problem> problems;
    (void)settings_of(parsed, problems);
    return problems;
}

void fill_attribution(Database& database, ReportSource& source, const Parsed& parsed, Report& report) {
    std::vector<Problem> ignored;
    const auto settings = settings_of(parsed, ignored);
    const auto kind = parsed.parameter("kind");
    std::map<std::pair<GroupKey, std::string>, Credit> rows;  // by group and currency
    struct Totals { Credit all, unattributed; };
    std::map<std::string, Totals> totals;  // by currency
    {
        Groups groups{parsed};
        Exposures exposures{database, source};
        Statement select{database,
                         "SELECT v.contact, v.currency, v.value_cents, v.at, c.owner, c.unit FROM conversions v LEFT JOIN contacts c ON c.number = v.contact "
                         "WHERE v.at >= ?1 AND v.at < ?2 AND (?3 = '' OR v.kind = ?3) ORDER BY v.contact, v.at, v.sequence"};
        select.bind(1, parsed.span.from ? unix_ms(*parsed.span.from) : 0).bind(2, parsed.span.to ? unix_ms(*parsed.span.to) : unix_ms(instant_never)).bind_text(3, kind);
        std::vector<Duration> ages;
        while (select.step()) {
            if (!parsed.filter.visibility.covers(select.text(5))) continue;
            const std::string currency{select.text(1)}, owner{select.text(4)};
            const auto units = select.integer(2);
            const auto at = from_unix_ms(select.integer(3));
            auto& total = totals[currency];
            total.all.conversions += 1;
            total.all.units += units;
            const auto& all = exposures.of(select.integer(0));
            const auto end = std::lower_bound(all.begin(), all.end(), at, [](const Exposure& e, Instant when) { return e.at < when; });
            const auto begin = std::lower_bound(all.begin(), end, at - settings.window, [](const Exposure& e, Instant when) { return e.at < when; });
            if (begin == end) {
                total.unattributed.conversions += 1;
                total.unattributed.units += units;
                continue;
            }
            ages.clear();
            for (auto each = begin; each != end; ++each) ages.push_back(at - each->at);
            const auto shares = measure::credit_shares(settings.model, ages, settings.half_life);
            const auto parts = measure::split_amount(units, shares);
            for (std::size_t i = 0; i < shares.size(); ++i) {
                if (shares[i] == 0 && parts[i] == 0) continue;
                auto& row = rows[{groups.of(bucket_of(at), *(begin + static_cast<std::ptrdiff_t>(i))->profile, owner), currency}];
                row.conversions += shares[i];
                row.units += parts[i];
            }
        }
    }
    const bool several = totals.size() > 1;
    report.columns = group_columns(parsed);
    if (several) report.columns.push_back({"currency", "币种"});
    report.columns.push_back({"conversions", "转化数"});
    report.columns.push_back({"value", "转化金额"});
    for (const auto& [key, credit] : rows) {
        auto cells = group_cells(key.first);
        if (several) cells.emplace_back(key.second);
        cells.emplace_back(credit.conversions);
        cells.emplace_back(Money{credit.units, currency_digits(key.second)});
        report.rows.push_back(std::move(cells));
    }
    Totals sum;
    for (const auto& [currency, total] : totals) {
        sum.all.conversions += total.all.conversions;
        sum.unattributed.conversions += total.unattributed.conversions;
    }
    const auto money = [&](Credit Totals::*member) {
        if (several) return Cell{};
        return totals.empty() ? Cell{Money{}} : Cell{Money{(totals.begin()->second.*member).units, currency_digits(totals.begin()->first)}};
    };
    report.totals = {{"conversions", sum.all.conversions}, {"value", money(&Totals::all)},
                     {"unattributed.conversions", sum.unattributed.conversions}, {"unattributed.value", money(&Totals::unattributed)}};
    if (!several) {
        report.totals.emplace_back("currency", totals.empty() ? Cell{} : Cell{totals.begin()->first});
        return;
    }
    for (const auto& [currency, total] : totals) {
        const auto name = "by_currency." + currency + ".";
        report.totals.emplace_back(name + "conversions", total.all.conversions);
        report.totals.emplace_back(name + "value", Money{total.all.units, currency_digits(currency)});
        report.totals.emplace_back(name + "unattributed.conversions", total.unattributed.conversions);
        report.totals.emplace_back(name + "unattributed.value", Money{total.unattributed.units, currency_digits(currency)});
    }
}

}  // namespace touchgate::projection
