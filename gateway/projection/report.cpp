// The reports of touches and attempts: funnel, channels, policy, cost; and which report is made how.
#include "gateway/projection/report.hpp"

#include <algorithm>

#include "gateway/projection/report_parts.hpp"

namespace touchgate::projection {

namespace {

void fill_funnel(Database& database, ReportSource& source, const Parsed& parsed, Report& report) {
    static const std::array<ReportColumn, 10> columns = {{{"targeted", "目标人数"}, {"allowed", "允许"}, {"sent", "已发送"}, {"delivered", "已送达"}, {"read", "已读"},
                                                          {"engaged", "互动"}, {"replied", "已回复"}, {"leads", "线索"}, {"qualified", "合格线索"}, {"won", "成交"}}};
    CountTable<10> table{columns};
    Groups groups{parsed};
    // The funnel has one column of groups, whatever it is grouped by.
    const auto label_of = [&](std::int64_t bucket, const ProfileNames& profile, std::string_view arm) {
        std::string label;
        for (const auto& part : groups.of(bucket, profile, arm)) label += (label.empty() ? "" : " / ") + part;
        return parsed.order.empty() ? std::string{"all"} : label;
    };
    source.touches(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, TouchClass as, std::int64_t count) {
        auto& row = table.row({label_of(bucket, profile, source.name_of(as.arm))});
        const auto add = [&](std::size_t column, bool reached) { row[column] += reached ? count : 0; };
        add(0, true);
        add(1, as.allowed);
        add(2, as.sent);
        add(3, came_to(as.state, TouchState::delivered));
        add(4, came_to(as.state, TouchState::read));
        add(5, came_to(as.state, TouchState::replied));  // a reply and a completed talk are the engagements that the log knows
        add(6, came_to(as.state, TouchState::replied));
    });
    each_lead_of_funnel(database, source, parsed, [&](Instant at, const ProfileNames& profile, bool qualified, bool won) {
        auto& row = table.row({label_of(parsed.span.by_time ? bucket_of(at) : 0, profile, {})});
        ++row[7];
        row[8] += qualified ? 1 : 0;
        row[9] += won ? 1 : 0;
    });
    table.into(report, {{"group", "分组"}});
}

void fill_channels(ReportSource& source, const Parsed& parsed, Report& report) {
    static const std::array<ReportColumn, 11> columns = {{{"attempts", "尝试次数"}, {"open", "待应答"}, {"accepted", "已受理"}, {"delivered", "已送达"}, {"read", "已读"},
                                                          {"failed", "失败"}, {"unknown", "未知"}, {"not_sent", "未发出"}, {"refused", "被拒"}, {"lapsed", "许可作废"},
                                                          {"segments", "计费条数"}}};
    CountTable<11> table{columns};
    Groups groups{parsed};
    source.attempts(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, const AttemptSum& sum) {
        auto& row = table.row(groups.of(bucket, profile, source.name_of(sum.arm)));
        row[0] += sum.count;
        // A revoked permit counts with the lapsed ones: neither was used.
        row[std::min<std::size_t>(static_cast<std::size_t>(sum.status), 9)] += sum.count;
        if (has_left(sum.status)) row[10] += sum.segments;
    });
    const auto last = table.into(report, group_columns(parsed), [](std::vector<Cell>& cells, const GroupKey&, const auto& counts) {
        const auto left = counts[2] + counts[3] + counts[4] + counts[5] + counts[6];
        cells.push_back(left == 0 ? Cell{} : Cell{static_cast<double>(counts[3] + counts[4]) / static_cast<double>(left)});
    });
    report.columns.push_back({"delivery_rate", "送达率"});
    report.totals.emplace_back("delivery_rate", last.front());
}

void fill_policy(ReportSource& source, const Parsed& parsed, Report& report) {
    static const std::array<ReportColumn, 2> columns = {{{"deferred", "推迟"}, {"blocked", "拦截"}}};
    CountTable<2> table{columns};
    Groups groups{parsed};
    source.rules(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, const std::string& rule, std::int64_t deferred, std::int64_t blocked) {
        GroupKey key{rule};
        for (auto& part : groups.of(bucket, profile)) key.push_back(std::move(part));
        auto& row = table.row(key);
        row[0] += deferred;
        row[1] += blocked;
    });
    std::vector<ReportColumn> names{{"rule", "规则"}};
    for (auto& column : group_columns(parsed)) names.push_back(std::move(column));
    table.into(report, std::move(names));
    std::int64_t touches = 0, allowed = 0;
    source.touches(parsed.span, [&](std::int64_t, const ProfileNames&, TouchClass as, std::int64_t count) {
        touches += count;
        allowed += as.allowed ? count : 0;
    });
    report.totals.emplace_back("touches", touches);
    report.totals.emplace_back("allowed", allowed);
}

void fill_cost(ReportSource& source, const Parsed& parsed, const BillingOf& billing, Report& report) {
    struct Sum {
        std::int64_t attempts = 0, delivered = 0, parts = 0, segments = 0, cost = 0;
        std::string currency;
    };
    std::map<std::pair<GroupKey, std::string>, Sum> rows;  // one row per currency, for sums of two currencies mean nothing
    Groups groups{parsed};
    source.attempts(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, const AttemptSum& attempt) {
        if (!has_left(attempt.status)) return;
        const auto billed = billing ? billing(profile.account) : AccountBilling{};
        const bool arrived = attempt.status == AttemptClass::delivered || attempt.status == AttemptClass::read;
        auto& sum = rows[{groups.of(bucket, profile, source.name_of(attempt.arm)), billed.currency}];
        sum.attempts += attempt.count;
        sum.delivered += arrived ? attempt.count : 0;
        sum.parts += attempt.parts;
        sum.segments += attempt.segments;
        sum.cost += arrived || !billed.on_delivered ? attempt.cost_micro : 0;
        sum.currency = billed.currency;
    });
    report.columns = group_columns(parsed);
    for (auto column : std::initializer_list<ReportColumn>{{"attempts", "发送次数"}, {"delivered", "已送达"}, {"parts", "消息数"}, {"segments", "计费条数"},
                                                           {"cost", "费用"}, {"currency", "币种"}})
        report.columns.push_back(std::move(column));
    Sum total;
    std::map<std::string, std::int64_t> cost_by_currency;
    const auto money = [](std::int64_t micro) { return static_cast<double>(micro) / 1e6; };
    for (const auto& [key, sum] : rows) {
        auto cells = group_cells(key.first);
        for (const auto value : {sum.attempts, sum.delivered, sum.parts, sum.segments}) cells.emplace_back(value);
        cells.emplace_back(money(sum.cost));
        cells.push_back(sum.currency.empty() ? Cell{} : Cell{sum.currency});
        report.rows.push_back(std::move(cells));
        total.attempts += sum.attempts;
        total.delivered += sum.delivered;
        total.parts += sum.parts;
        total.segments += sum.segments;
        cost_by_currency[sum.currency] += sum.cost;
    }
    report.totals = {{"attempts", total.attempts}, {"delivered", total.delivered}, {"parts", total.parts}, {"segments", total.segments}};
    if (cost_by_currency.size() <= 1) report.totals.emplace_back("cost", money(cost_by_currency.empty() ? 0 : cost_by_currency.begin()->second));
    else
        for (const auto& [currency, cost] : cost_by_currency) report.totals.emplace_back(currency.empty() ? "cost" : "cost_" + currency, money(cost));
}

}  // namespace

const std::vector<std::string>& report_names() {
    static const std::vector<std::string> names = {"funnel", "channels", "policy", "campaign", "cost", "attribution", "uplift", "rfm", "digital_share", "queues", "agents", "leads"};
    return names;
}

namespace {

ReportShape shape_of(const std::string& name) {
    if (name == "channels") return {.default_groups = {"channel"}, .more_groups = {"arm"}};
    if (name == "campaign") return {.default_groups = {"campaign", "arm"}, .more_groups = {"arm"}, .more_parameters = {"window", "kind"}};
    if (name == "cost") return {.default_groups = {"account", "month"}, .more_groups = {"arm"}};
    if (name == "attribution") return {.default_groups = {"channel"}, .more_groups = {"agent"}, .more_parameters = {"model", "window", "half_life", "kind"}};
    if (name == "uplift") return {.more_parameters = {"window", "kind"}};
    if (name == "rfm") return {.more_parameters = {"kind"}};
    if (name == "digital_share") return {.default_groups = {"month"}};
    if (name == "leads") return {.default_groups = {"source"}, .more_groups = {"source", "product", "agent"}, .more_parameters = {"source", "product", "agent"}};
    if (name == "queues") return {.default_groups = {"queue"}, .more_groups = {"queue"}, .more_parameters = {"level"}};
    if (name == "agents") return {.default_groups = {"agent"}, .more_groups = {"agent"}};
    return {.more_groups = name == "funnel" ? std::vector<std::string>{"arm"} : std::vector<std::string>{}};
}

std::vector<Problem> problems_of(const Parsed& parsed) {
    const auto& name = parsed.report.name;
    if (name == "attribution") return attribution_problems(parsed);
    if (name == "campaign" || name == "uplift" || name == "rfm") return response_problems(parsed);
    return {};
}

}  // namespace

Result<Report> make_report(Projection& projection, const ReportQuery& query, const BillingOf& billing) {
    const auto& names = report_names();
    if (std::find(names.begin(), names.end(), query.name) == names.end()) {
        std::string known;
        for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
        return Error{ErrorKind::not_found, "no such report; there are: " + known};
    }
    auto parsed = parse_report(query, shape_of(query.name));
    if (!parsed) return parsed.error();
    if (auto problems = problems_of(*parsed); !problems.empty())
        return Error{ErrorKind::invalid_input, "some parameters of the report are wrong", std::move(problems)};

    auto reading = projection.read();
    if (!reading) return reading.error();
    auto& database = reading->database();
    database.execute("BEGIN");
    auto report = parsed->report;
    report.sequence = static_cast<std::uint64_t>(database.integer("SELECT sequence FROM cursor"));
    Result<void> filled;
    {
        ReportSource source{database, parsed->filter};
        if (query.name == "funnel") fill_funnel(database, source, *parsed, report);
        else if (query.name == "channels") fill_channels(source, *parsed, report);
        else if (query.name == "policy") fill_policy(source, *parsed, report);
        else if (query.name == "campaign") fill_campaign(database, source, *parsed, billing, report);
        else if (query.name == "attribution") fill_attribution(database, source, *parsed, report);
        else if (query.name == "uplift") filled = fill_uplift(database, *parsed, report);
        else if (query.name == "rfm") fill_customers(database, *parsed, report);
        else if (query.name == "leads") fill_leads(database, source, *parsed, report);
        else if (query.name == "queues") fill_queues(database, *parsed, report);
        else if (query.name == "agents") fill_agents(database, *parsed, report);
        else if (query.name == "digital_share") fill_digital_share(database, source, *parsed, report);
        else fill_cost(source, *parsed, billing, report);
    }
    database.execute("COMMIT");
    if (database.failure()) return *database.failure();
    if (!filled) return filled.error();
    return report;
}

}  // namespace touchgate::projection
