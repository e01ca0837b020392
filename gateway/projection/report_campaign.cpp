// The report `campaign`: how far the touches of each arm came, what they cost, what the people did, and how that differs from the control group.
#include <algorithm>

#include "gateway/projection/experiment.hpp"
#include "gateway/projection/report_responses.hpp"

namespace touchgate::projection {

namespace {

constexpr std::size_t funnel_columns = 7, state_columns = 13;

const std::array<ReportColumn, funnel_columns + state_columns>& counted_columns() {
    static const std::array<ReportColumn, funnel_columns + state_columns> columns = {
        {{"targeted", "目标触达"}, {"held_out", "对照组"}, {"allowed", "允许"}, {"sent", "已发送"}, {"delivered", "已送达"}, {"read", "已读"}, {"replied", "已回复"},
         {"states.queued", "状态：排队"}, {"states.deferred", "状态：推迟"}, {"states.blocked", "状态：拦截"}, {"states.dispatching", "状态：发送中"},
         {"states.accepted", "状态：已受理"}, {"states.delivered", "状态：已送达"}, {"states.read", "状态：已读"}, {"states.replied", "状态：已回复"},
         {"states.completed", "状态：已完成"}, {"states.failed", "状态：失败"}, {"states.unknown", "状态：未知"}, {"states.cancelled", "状态：已取消"},
         {"states.expired", "状态：已过期"}}};
    return columns;
}

struct Cost {
    std::map<std::string, std::int64_t> micro;  // by currency; none for accounts that are not billed
    void append(std::vector<Cell>& cells) const {
        // Sums of two currencies mean nothing.
        cells.push_back(micro.size() > 1 ? Cell{} : Cell{micro.empty() ? 0.0 : static_cast<double>(micro.begin()->second) / 1e6});
        cells.push_back(micro.size() != 1 || micro.begin()->first.empty() ? Cell{} : Cell{micro.begin()->first});
    }
};

measure::Moments converted_of(const ArmResponses& arm) {
    measure::Moments moments;
    moments.add(1, arm.converted);
    moments.add(0, arm.assigned - arm.converted);
    return moments;
}

// Cells of what the people of one arm did.
void append_people(std::vector<Cell>& cells, const ResponsesByArm& responses, const std::string& campaign, const std::string& arm) {
    static const ArmResponses nobody;
    const auto of = [&](std::string_view name) -> const ArmResponses& {
        const auto found = responses.find({campaign, std::string{name}});
        return found == responses.end() ? nobody : found->second;
    };
    const auto& own = of(arm);
    const bool assigned = own.assigned > 0;
    cells.push_back(assigned ? Cell{own.assigned} : Cell{});
    cells.emplace_back(own.converted);
    cells.push_back(assigned ? Cell{static_cast<double>(own.converted) / static_cast<double>(own.assigned)} : Cell{});
    cells.push_back(own.value.amount());
    cells.push_back(own.value.currency());
    const bool treated = assigned && arm != campaign::holdout_arm;
    const auto compared = treated ? measure::compare(converted_of(own), converted_of(of(campaign::holdout_arm))) : measure::Comparison{};
    append_estimate(cells, compared.difference);
    cells.push_back(cell_of(compared.p_value));
    cells.emplace_back(own.opt_outs);
    cells.emplace_back(own.complaints);
}

// People can be told by campaign and arm, not by what only a touch has.
bool tells_people(const Parsed& parsed) {
    const auto& filter = parsed.filter;
    return parsed.order.size() == 2 && parsed.is_grouped_by("campaign") && parsed.is_grouped_by("arm") && filter.channel.empty() && filter.account.empty() &&
           filter.purpose.empty() && filter.unit.empty();
}

}  // namespace

void fill_campaign(Database& database, ReportSource& source, const Parsed& parsed, const BillingOf& billing, Report& report) {
    CountTable<funnel_columns + state_columns> table{counted_columns()};
    std::map<GroupKey, Cost> costs;
    Groups groups{parsed};
    source.touches(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, TouchClass as, std::int64_t count) {
        auto& row = table.row(groups.of(bucket, profile, source.name_of(as.arm)));
        const auto add = [&](std::size_t column, bool reached) { row[column] += reached ? count : 0; };
        add(0, true);
        add(1, as.held_out);
        add(2, as.allowed);
        add(3, as.sent);
        add(4, came_to(as.state, TouchState::delivered));
        add(5, came_to(as.state, TouchState::read));
        add(6, came_to(as.state, TouchState::replied));
        if (!as.held_out) add(funnel_columns - 1 + std::min<std::size_t>(static_cast<std::size_t>(as.state), state_columns), true);
    });
    source.attempts(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, const AttemptSum& sum) {
        if (!has_left(sum.status)) return;
        const auto billed = billing ? billing(profile.account) : AccountBilling{};
        const bool arrived = sum.status == AttemptClass::delivered || sum.status == AttemptClass::read;
        auto key = groups.of(bucket, profile, source.name_of(sum.arm));
        table.row(key);  // an attempt's permit may lie in the span though its touch does not
        costs[std::move(key)].micro[billed.currency] += arrived || !billed.on_delivered ? sum.cost_micro : 0;
    });
    const bool people = tells_people(parsed);
    const bool campaign_first = people && parsed.order.front() == "campaign";
    ResponsesByArm responses;
    if (people) responses = responses_by_arm(database, source, parsed);
    for (const auto& [key, arm] : responses) table.row(campaign_first ? GroupKey{key.first, key.second} : GroupKey{key.second, key.first});

    Cost whole;
    for (const auto& [key, cost] : costs)
        for (const auto& [currency, micro] : cost.micro) whole.micro[currency] += micro;
    const auto last = table.into(report, group_columns(parsed), [&](std::vector<Cell>& cells, const GroupKey& key, const auto&) {
        const auto cost = costs.find(key);
        (key.empty() && !parsed.order.empty() ? whole : cost == costs.end() ? Cost{} : cost->second).append(cells);
        if (people && !key.empty()) append_people(cells, responses, key[campaign_first ? 0 : 1], key[campaign_first ? 1 : 0]);
    });
    for (auto column : std::initializer_list<ReportColumn>{{"cost", "费用"}, {"currency", "币种"}}) report.columns.push_back(std::move(column));
    report.totals.emplace_back("cost", last[0]);
    report.totals.emplace_back("currency", last[1]);
    if (!people) return;
    for (auto column : std::initializer_list<ReportColumn>{{"assigned", "分配人数"}, {"converted", "转化人数"}, {"conversion_rate", "转化率"}, {"value", "转化金额"},
                                                           {"value_currency", "转化币种"}, {"difference.value", "与对照组之差"}, {"difference.low", "差值下限"},
                                                           {"difference.high", "差值上限"}, {"p_value", "p 值"}, {"opt_outs", "退订人数"}, {"complaints", "投诉人数"}})
        report.columns.push_back(std::move(column));
    ArmResponses sum;
    for (const auto& [key, arm] : responses) {
        sum.assigned += arm.assigned;
        sum.converted += arm.converted;
        sum.opt_outs += arm.opt_outs;
        sum.complaints += arm.complaints;
    }
    report.totals.emplace_back("assigned", sum.assigned);
    report.totals.emplace_back("converted", sum.converted);
    report.totals.emplace_back("opt_outs", sum.opt_outs);
    report.totals.emplace_back("complaints", sum.complaints);
}

}  // namespace touchgate::projection
