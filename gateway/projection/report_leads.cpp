// The report `leads`: how many came from where and what became of them, and how soon somebody answered. A lead counts in the period in which it came.
//
// First answers are measured in working time. `sla_kept`: of the leads whose answer was due, the share that had it in time; one that is neither due nor
// answered yet is not counted.
#include <cmath>
#include <limits>

#include "gateway/base/currency.hpp"
#include "gateway/leads/condition.hpp"
#include "gateway/leads/stages.hpp"
#include "gateway/projection/report_parts.hpp"

namespace touchgate::projection {

namespace {

constexpr std::size_t stage_count = 9;  // leads::Stage from `fresh` on

struct LeadSums {
    std::int64_t leads = 0, qualified = 0, answered = 0, due = 0, in_time = 0, touchpoints = 0, recycles = 0, reassigns = 0;
    std::array<std::int64_t, stage_count> by_stage{};
    std::vector<std::int64_t> response_ms;
    Amounts value;
};

// The nearest rank: the least of the values that at least `share` of them do not exceed.
Cell quantile(std::vector<std::int64_t>& values, double share) {
    if (values.empty()) return {};
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(share * static_cast<double>(values.size())))) - 1;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank), values.end());
    return values[rank];
}

Cell share(std::int64_t part, std::int64_t whole) { return whole == 0 ? Cell{} : Cell{static_cast<double>(part) / static_cast<double>(whole)}; }

struct LeadLine {
    Instant created_at{}, due_at{};
    std::string_view source, product, unit, owner, currency;
    std::uint32_t touch = 0;
    std::int64_t stage = 0, touchpoints = 0, value = 0, recycles = 0, reassigns = 0;
    std::optional<std::int64_t> response_ms;
    bool in_time = false, qualified = false;
};

bool covers(std::string_view unit, const std::string& wanted) { return wanted.empty() || Visibility{.addresses = false, .content = false, .units = {wanted}}.covers(unit); }

// Those that pass the filters. Channel, campaign and the like are those of the touch that went before the lead.
template <class Each> void each_lead(Database& database, ReportSource& source, const Parsed& parsed, Each each) {
    Statement select{database, "SELECT created_at, source, product, unit, touch, owner, stage, due_at, touchpoints, response_ms, in_time, qualified, value, currency, recycles, reassigns FROM leads "
                               "WHERE created_at >= ? AND created_at < ?"};
    select.bind(1, parsed.span.from ? unix_ms(*parsed.span.from) : 0).bind(2, parsed.span.to ? unix_ms(*parsed.span.to) : std::numeric_limits<std::int64_t>::max());
    const auto& filter = parsed.filter;
    const bool by_touch = !filter.campaign.empty() || !filter.channel.empty() || !filter.account.empty() || !filter.purpose.empty();
    const auto sources = parsed.parameter("source"), product = parsed.parameter("product"), agent = parsed.parameter("agent");
    while (select.step()) {
        LeadLine lead{.created_at = from_unix_ms(select.integer(0)), .due_at = from_unix_ms(select.integer(7)), .source = select.text(1), .product = select.text(2), .unit = select.text(3),
                      .owner = select.text(5), .currency = select.text(13), .touch = static_cast<std::uint32_t>(select.integer(4)), .stage = select.integer(6),
                      .touchpoints = select.integer(8), .value = select.integer(12), .recycles = select.integer(14), .reassigns = select.integer(15), .response_ms = {},
                      .in_time = select.integer(10) != 0, .qualified = select.integer(11) != 0};
        if (!select.is_null(9)) lead.response_ms = select.integer(9);
        if (!filter.visibility.covers(lead.unit) || !covers(lead.unit, filter.unit)) continue;
        if ((!sources.empty() && !leads::matches_pattern(sources, lead.source)) || (!product.empty() && product != lead.product) || (!agent.empty() && agent != lead.owner)) continue;
        if (by_touch && (lead.touch == 0 || source.profile(lead.touch) == nullptr)) continue;
        each(lead);
    }
}

}  // namespace

void fill_leads(Database& database, ReportSource& source, const Parsed& parsed, Report& report) {
    const auto now = from_unix_ms(database.integer("SELECT time FROM cursor"));
    std::map<GroupKey, LeadSums> rows;
    PeriodLabels labels{parsed.period.value_or(Period::day), parsed.report.tz};
    each_lead(database, source, parsed, [&](const LeadLine& lead) {
        GroupKey key;
        const ProfileNames* profile = lead.touch == 0 ? nullptr : source.profile(lead.touch);
        for (const auto& name : parsed.order) {
            if (name == "source") key.emplace_back(lead.source);
            else if (name == "product") key.emplace_back(lead.product);
            else if (name == "agent") key.emplace_back(lead.owner);
            else if (name == "unit") key.emplace_back(lead.unit);
            else if (const auto by = std::find_if(parsed.by.begin(), parsed.by.end(), [&](const Dimension* each) { return each->name == name; }); by == parsed.by.end())
                key.push_back(labels.of_bucket(bucket_of(lead.created_at)));
            else key.push_back(profile == nullptr || (*by)->member == nullptr ? std::string{} : profile->*(*by)->member);
        }
        auto& row = rows[key];
        ++row.leads;
        row.touchpoints += lead.touchpoints;
        row.recycles += lead.recycles;
        row.reassigns += lead.reassigns;
        row.qualified += lead.qualified ? 1 : 0;
        if (lead.stage >= 1 && lead.stage <= static_cast<std::int64_t>(stage_count)) ++row.by_stage[static_cast<std::size_t>(lead.stage - 1)];
        if (lead.response_ms) {
            ++row.answered;
            row.response_ms.push_back(*lead.response_ms);
        }
        if (lead.response_ms || lead.due_at <= now) {
            ++row.due;
            row.in_time += lead.in_time ? 1 : 0;
        }
        if (lead.stage == static_cast<std::int64_t>(leads::Stage::won)) row.value.add(std::string{lead.currency}, lead.value);
    });
    report.columns = group_columns(parsed);
    static const std::initializer_list<ReportColumn> columns = {{"leads", "线索数"}, {"touchpoints", "触点数"}, {"new", "新建"}, {"assigned", "已分配"}, {"accepted", "已接收"}, {"contacted", "已联系"},
                                                                {"qualified_now", "意向跟进中"}, {"disqualified", "无效"}, {"won", "成交"}, {"lost", "战败"}, {"recycled", "公海"},
                                                                {"qualified", "合格线索"}, {"answered", "已响应"}, {"response_median_ms", "首次响应中位数(ms)"}, {"response_p90_ms", "首次响应P90(ms)"},
                                                                {"sla_kept", "按时响应率"}, {"conversion", "成交率"}, {"value", "成交金额"}, {"currency", "币种"}, {"recycles", "回收次数"}, {"reassigns", "改派次数"}};
    report.columns.insert(report.columns.end(), columns);
    const auto cells_of = [](LeadSums& sums) {
        std::vector<Cell> cells{sums.leads, sums.touchpoints};
        for (const auto count : sums.by_stage) cells.emplace_back(count);
        cells.emplace_back(sums.qualified);
        cells.emplace_back(sums.answered);
        cells.push_back(quantile(sums.response_ms, 0.5));
        cells.push_back(quantile(sums.response_ms, 0.9));
        cells.push_back(share(sums.in_time, sums.due));
        cells.push_back(share(sums.by_stage[static_cast<std::size_t>(leads::Stage::won) - 1], sums.leads));
        cells.push_back(sums.value.amount());
        cells.push_back(sums.value.currency());
        cells.emplace_back(sums.recycles);
        cells.emplace_back(sums.reassigns);
        return cells;
    };
    LeadSums total;
    for (auto& [key, sums] : rows) {
        total.leads += sums.leads;
        total.qualified += sums.qualified;
        total.answered += sums.answered;
        total.due += sums.due;
        total.in_time += sums.in_time;
        total.touchpoints += sums.touchpoints;
        total.recycles += sums.recycles;
        total.reassigns += sums.reassigns;
        for (std::size_t i = 0; i < stage_count; ++i) total.by_stage[i] += sums.by_stage[i];
        total.response_ms.insert(total.response_ms.end(), sums.response_ms.begin(), sums.response_ms.end());
        for (const auto& [currency, units] : sums.value.all()) total.value.add(currency, units);
        auto cells = group_cells(key);
        for (auto& cell : cells_of(sums)) cells.push_back(std::move(cell));
        report.rows.push_back(std::move(cells));
    }
    const auto totals = cells_of(total);
    const auto groups = report.columns.size() - totals.size();
    for (std::size_t i = 0; i < totals.size(); ++i) report.totals.emplace_back(report.columns[groups + i].name, totals[i]);
}

void each_lead_of_funnel(Database& database, ReportSource& source, const Parsed& parsed, const std::function<void(Instant, const ProfileNames&, bool, bool)>& each) {
    // A lead that no touch went before belongs to its unit and its time; where rows are divided by more, or filtered by more, it is in none of them.
    const bool only_time = std::all_of(parsed.by.begin(), parsed.by.end(), [](const Dimension* by) { return by->name == "unit"; });
    each_lead(database, source, parsed, [&](const LeadLine& lead) {
        const auto* profile = lead.touch == 0 ? nullptr : source.profile(lead.touch);
        if (profile == nullptr && !only_time) return;
        ProfileNames names;
        if (profile != nullptr) names = *profile;
        else names.unit = std::string{lead.unit};
        each(lead.created_at, names, lead.qualified, lead.stage == static_cast<std::int64_t>(leads::Stage::won));
    });
}

}  // namespace touchgate::projection
