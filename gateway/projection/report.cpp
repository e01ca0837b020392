#include "gateway/projection/report.hpp"

#include <algorithm>
#include <array>

#include "gateway/base/text.hpp"
#include "gateway/projection/report_period.hpp"
#include "gateway/projection/report_source.hpp"

namespace touchgate::projection {

namespace {

// One of the things that rows can be grouped by.
struct Dimension {
    std::string_view name;
    std::string_view zh;
    std::string ProfileNames::*member;
};
constexpr std::array<Dimension, 6> dimensions = {{{"channel", "渠道", &ProfileNames::channel},
                                                  {"campaign", "活动", &ProfileNames::campaign},
                                                  {"account", "账号", &ProfileNames::account},
                                                  {"template", "模板", &ProfileNames::template_name},
                                                  {"purpose", "用途", &ProfileNames::purpose},
                                                  {"unit", "单位", &ProfileNames::unit}}};

// The parsed parameters of a report.
struct Parsed {
    Report report;  // frame only
    ReportSpan span;
    ProfileFilter filter;
    std::vector<const Dimension*> by;
    std::optional<Period> period;
    std::vector<std::string> order;  // names of the groups, as asked for
};

using GroupKey = std::vector<std::string>;

class Groups {
public:
    explicit Groups(const Parsed& parsed) : parsed_{parsed}, labels_{parsed.period.value_or(Period::day), parsed.report.tz} {}
    GroupKey of(std::int64_t bucket, const ProfileNames& profile) {
        GroupKey key;
        for (const auto& name : parsed_.order) {
            const auto found = std::find_if(parsed_.by.begin(), parsed_.by.end(), [&](const auto* d) { return d->name == name; });
            key.push_back(found == parsed_.by.end() ? labels_.of_bucket(bucket) : profile.*(*found)->member);
        }
        return key;
    }

private:
    const Parsed& parsed_;
    PeriodLabels labels_;
};

std::string_view period_zh(std::string_view name) { return name == "hour" ? "小时" : name == "day" ? "日期" : name == "week" ? "周" : "月份"; }

std::vector<ReportColumn> group_columns(const Parsed& parsed) {
    std::vector<ReportColumn> columns;
    for (const auto& name : parsed.order) {
        const auto found = std::find_if(dimensions.begin(), dimensions.end(), [&](const auto& d) { return d.name == name; });
        columns.push_back({name, std::string{found == dimensions.end() ? period_zh(name) : found->zh}});
    }
    return columns;
}

std::vector<Cell> group_cells(const GroupKey& key) {
    std::vector<Cell> cells;
    for (const auto& part : key) cells.push_back(part.empty() ? Cell{} : Cell{part});
    return cells;
}

Result<Parsed> parse(const ReportQuery& query, std::vector<std::string> default_groups) {
    Parsed parsed;
    parsed.report.name = query.name;
    parsed.report.tz = query.default_tz;
    parsed.filter.visibility = query.visibility;
    std::vector<Problem> problems;
    const std::map<std::string, std::string> given{query.parameters.begin(), query.parameters.end()};
    if (const auto tz = given.find("tz"); tz != given.end()) {
        if (is_time_zone(tz->second)) parsed.report.tz = tz->second;
        else problems.push_back({"/tz", "is not an IANA time zone"});
    }
    parsed.order = std::move(default_groups);
    for (const auto& [name, value] : given) {
        const auto filter = [&](std::string& into) {
            into = value;
            if (!value.empty()) parsed.report.filters.emplace_back(name, value);
        };
        const auto time = [&](std::optional<Instant>& into) {
            into = parse_report_time(value, parsed.report.tz);
            if (!into) problems.push_back({"/" + name, "must be an RFC 3339 instant, or a date or local time such as 2026-11-23 or 2026-11-23T10:00"});
        };
        if (name == "tz" || name == "lang" || name == "bom" || name == "format" || name == "min_seq") continue;
        if (name == "from") time(parsed.span.from);
        else if (name == "to") time(parsed.span.to);
        else if (name == "campaign") filter(parsed.filter.campaign);
        else if (name == "channel") filter(parsed.filter.channel);
        else if (name == "account") filter(parsed.filter.account);
        else if (name == "purpose") filter(parsed.filter.purpose);
        else if (name == "unit") filter(parsed.filter.unit);
        else if (name == "group_by" || name == "by") {
            parsed.order.clear();
            for (const auto word : split(value, ','))
                if (!trim(word).empty()) parsed.order.emplace_back(trim(word));
        } else {
            problems.push_back({"/" + name, "is no parameter of this report"});
        }
    }
    for (const auto& name : parsed.order) {
        const auto found = std::find_if(dimensions.begin(), dimensions.end(), [&](const auto& d) { return d.name == name; });
        if (found != dimensions.end()) {
            parsed.by.push_back(&*found);
        } else if (const auto period = parse_period(name); period && !parsed.period) {
            parsed.period = period;
        } else {
            problems.push_back({"/group_by", "must be of hour, day, week, month (one of them), channel, campaign, account, template, purpose, unit; not " + name});
        }
    }
    parsed.span.by_time = parsed.period.has_value();
    parsed.report.from = parsed.span.from;
    parsed.report.to = parsed.span.to;
    if (parsed.span.from && parsed.span.to && *parsed.span.to < *parsed.span.from) problems.push_back({"/to", "lies before from"});
    if (!problems.empty()) return Error{ErrorKind::invalid_input, "some parameters of the report are wrong", std::move(problems)};
    return parsed;
}

// Counted columns by name, in order, summed by group.
template <std::size_t N> class CountTable {
public:
    explicit CountTable(const std::array<ReportColumn, N>& columns) : columns_{columns} {}
    std::array<std::int64_t, N>& row(const GroupKey& key) { return rows_[key]; }
    void into(Report& report, std::vector<ReportColumn> groups, const std::function<void(std::vector<Cell>&, const std::array<std::int64_t, N>&)>& more = {}) const {
        report.columns = std::move(groups);
        report.columns.insert(report.columns.end(), columns_.begin(), columns_.end());
        std::array<std::int64_t, N> sums{};
        for (const auto& [key, counts] : rows_) {
            auto cells = group_cells(key);
            for (std::size_t i = 0; i < N; ++i) {
                cells.emplace_back(counts[i]);
                sums[i] += counts[i];
            }
            if (more) more(cells, counts);
            report.rows.push_back(std::move(cells));
        }
        for (std::size_t i = 0; i < N; ++i) report.totals.emplace_back(columns_[i].name, sums[i]);
        if (!more) return;
        std::vector<Cell> last;
        more(last, sums);
        extra_totals_ = std::move(last);
    }
    // What `more` gave for the sums.
    [[nodiscard]] const std::vector<Cell>& extra_totals() const { return extra_totals_; }

private:
    std::array<ReportColumn, N> columns_;
    std::map<GroupKey, std::array<std::int64_t, N>> rows_;
    mutable std::vector<Cell> extra_totals_;
};

bool at_least(TouchState state, TouchState least) {
    const auto rank = [](TouchState s) {
        switch (s) {
            case TouchState::delivered: return 1;
            case TouchState::read: return 2;
            case TouchState::replied: return 3;
            case TouchState::completed: return 4;
            default: return 0;
        }
    };
    return rank(state) >= rank(least) && rank(state) != 0;
}

void fill_funnel(ReportSource& source, const Parsed& parsed, Report& report) {
    static const std::array<ReportColumn, 10> columns = {{{"targeted", "目标人数"}, {"allowed", "允许"}, {"sent", "已发送"}, {"delivered", "已送达"}, {"read", "已读"},
                                                          {"engaged", "互动"}, {"replied", "已回复"}, {"leads", "线索"}, {"qualified", "合格线索"}, {"won", "成交"}}};
    CountTable<10> table{columns};
    Groups groups{parsed};
    source.touches(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, TouchClass as, std::int64_t count) {
        // The funnel has one column of groups, whatever it is grouped by.
        std::string label;
        for (const auto& part : groups.of(bucket, profile)) label += (label.empty() ? "" : " / ") + part;
        if (parsed.order.empty()) label = "all";
        auto& row = table.row({label});
        const auto add = [&](std::size_t column, bool reached) { row[column] += reached ? count : 0; };
        add(0, true);
        add(1, as.allowed);
        add(2, as.sent);
        add(3, at_least(as.state, TouchState::delivered));
        add(4, at_least(as.state, TouchState::read));
        add(5, at_least(as.state, TouchState::replied));  // a reply and a completed talk are the engagements that the log knows
        add(6, at_least(as.state, TouchState::replied));
    });
    table.into(report, {{"group", "分组"}});
}

void fill_campaign(ReportSource& source, const Parsed& parsed, Report& report) {
    static const std::array<ReportColumn, 15> columns = {{{"touches", "触达总数"}, {"held_out", "对照组"}, {"queued", "排队"}, {"deferred", "推迟"}, {"blocked", "拦截"},
                                                          {"dispatching", "发送中"}, {"accepted", "已受理"}, {"delivered", "已送达"}, {"read", "已读"}, {"replied", "已回复"},
                                                          {"completed", "已完成"}, {"failed", "失败"}, {"unknown", "未知"}, {"cancelled", "已取消"}, {"expired", "已过期"}}};
    CountTable<15> table{columns};
    Groups groups{parsed};
    source.touches(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, TouchClass as, std::int64_t count) {
        auto& row = table.row(groups.of(bucket, profile));
        row[0] += count;
        if (as.held_out) row[1] += count;
        else row[std::min<std::size_t>(static_cast<std::size_t>(as.state) + 1, 14)] += count;
    });
    table.into(report, group_columns(parsed));
}

void fill_channels(ReportSource& source, const Parsed& parsed, Report& report) {
    static const std::array<ReportColumn, 11> columns = {{{"attempts", "尝试次数"}, {"open", "待应答"}, {"accepted", "已受理"}, {"delivered", "已送达"}, {"read", "已读"},
                                                          {"failed", "失败"}, {"unknown", "未知"}, {"not_sent", "未发出"}, {"refused", "被拒"}, {"lapsed", "许可作废"},
                                                          {"segments", "计费条数"}}};
    CountTable<11> table{columns};
    Groups groups{parsed};
    source.attempts(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, const AttemptSum& sum) {
        auto& row = table.row(groups.of(bucket, profile));
        row[0] += sum.count;
        // A revoked permit counts with the lapsed ones: neither was used.
        row[std::min<std::size_t>(static_cast<std::size_t>(sum.status), 9)] += sum.count;
        if (has_left(sum.status)) row[10] += sum.segments;
    });
    table.into(report, group_columns(parsed), [](std::vector<Cell>& cells, const std::array<std::int64_t, 11>& counts) {
        const auto left = counts[2] + counts[3] + counts[4] + counts[5] + counts[6];
        cells.push_back(left == 0 ? Cell{} : Cell{static_cast<double>(counts[3] + counts[4]) / static_cast<double>(left)});
    });
    report.columns.push_back({"delivery_rate", "送达率"});
    report.totals.emplace_back("delivery_rate", table.extra_totals().front());
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
        auto& sum = rows[{groups.of(bucket, profile), billed.currency}];
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
    static const std::vector<std::string> names = {"funnel", "channels", "policy", "campaign", "cost"};
    return names;
}

Result<Report> make_report(Projection& projection, const ReportQuery& query, const BillingOf& billing) {
    const auto& names = report_names();
    if (std::find(names.begin(), names.end(), query.name) == names.end()) {
        std::string known;
        for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
        return Error{ErrorKind::not_found, "no such report; there are: " + known};
    }
    std::vector<std::string> groups;
    if (query.name == "channels") groups = {"channel"};
    if (query.name == "campaign") groups = {"campaign"};
    if (query.name == "cost") groups = {"account", "month"};
    auto parsed = parse(query, std::move(groups));
    if (!parsed) return parsed.error();

    auto reading = projection.read();
    if (!reading) return reading.error();
    auto& database = reading->database();
    database.execute("BEGIN");
    auto report = parsed->report;
    report.sequence = static_cast<std::uint64_t>(database.integer("SELECT sequence FROM cursor"));
    {
        ReportSource source{database, parsed->filter};
        if (query.name == "funnel") fill_funnel(source, *parsed, report);
        else if (query.name == "channels") fill_channels(source, *parsed, report);
        else if (query.name == "policy") fill_policy(source, *parsed, report);
        else if (query.name == "campaign") fill_campaign(source, *parsed, report);
        else fill_cost(source, *parsed, billing, report);
    }
    database.execute("COMMIT");
    if (database.failure()) return *database.failure();
    return report;
}

}  // namespace touchgate::projection
