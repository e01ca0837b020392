#include "gateway/projection/report_parts.hpp"

#include <algorithm>

#include "gateway/base/currency.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::projection {

namespace {

constexpr std::array<Dimension, 11> dimensions = {{{"channel", "渠道", &ProfileNames::channel},
                                                  {"campaign", "活动", &ProfileNames::campaign},
                                                  {"account", "账号", &ProfileNames::account},
                                                  {"template", "模板", &ProfileNames::template_name},
                                                  {"purpose", "用途", &ProfileNames::purpose},
                                                  {"unit", "单位", &ProfileNames::unit},
                                                  {"arm", "实验组", nullptr},
                                                  {"agent", "坐席", nullptr},
                                                  {"queue", "队列", nullptr},
                                                  {"source", "来源", nullptr},
                                                  {"product", "产品", nullptr}}};

const Dimension* find_dimension(std::string_view name) {
    const auto found = std::find_if(dimensions.begin(), dimensions.end(), [&](const auto& d) { return d.name == name; });
    return found == dimensions.end() ? nullptr : &*found;
}

bool contains(const std::vector<std::string>& list, std::string_view word) { return std::find(list.begin(), list.end(), word) != list.end(); }

std::string_view period_zh(std::string_view name) { return name == "hour" ? "小时" : name == "day" ? "日期" : name == "week" ? "周" : "月份"; }

}  // namespace

Result<Parsed> parse_report(const ReportQuery& query, const ReportShape& shape) {
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
    parsed.order = shape.default_groups;
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
        else if (contains(shape.more_parameters, name)) filter(parsed.more[name]);
        else if (name == "group_by" || name == "by") {
            parsed.order.clear();
            for (const auto word : split(value, ','))
                if (!trim(word).empty()) parsed.order.emplace_back(trim(word));
        } else {
            problems.push_back({"/" + name, "is no parameter of this report"});
        }
    }
    for (const auto& name : parsed.order) {
        const auto* found = find_dimension(name);
        if (found != nullptr && (found->member != nullptr || contains(shape.more_groups, name))) {
            parsed.by.push_back(found);
        } else if (const auto period = parse_period(name); period && !parsed.period) {
            parsed.period = period;
        } else {
            std::string more;
            for (const auto& word : shape.more_groups) more += ", " + word;
            problems.push_back({"/group_by", "must be of hour, day, week, month (one of them), channel, campaign, account, template, purpose, unit" + more + "; not " + name});
        }
    }
    parsed.span.by_time = parsed.period.has_value();
    parsed.report.from = parsed.span.from;
    parsed.report.to = parsed.span.to;
    if (parsed.span.from && parsed.span.to && *parsed.span.to < *parsed.span.from) problems.push_back({"/to", "lies before from"});
    if (!problems.empty()) return Error{ErrorKind::invalid_input, "some parameters of the report are wrong", std::move(problems)};
    return parsed;
}

Duration duration_parameter(const Parsed& parsed, const std::string& name, Duration otherwise, std::vector<Problem>& problems) {
    const auto text = parsed.parameter(name);
    if (text.empty()) return otherwise;
    const auto duration = parse_duration(text);
    if (duration && duration->count() > 0) return *duration;
    problems.push_back({"/" + name, "must be an ISO 8601 duration above zero, such as P14D or PT36H"});
    return otherwise;
}

GroupKey Groups::of(std::int64_t bucket, const ProfileNames& profile, std::string_view other) {
    GroupKey key;
    for (const auto& name : parsed_.order) {
        const auto found = std::find_if(parsed_.by.begin(), parsed_.by.end(), [&](const auto* d) { return d->name == name; });
        if (found == parsed_.by.end()) key.push_back(labels_.of_bucket(bucket));
        else if ((*found)->member == nullptr) key.emplace_back(other);
        else key.push_back(profile.*(*found)->member);
    }
    return key;
}

std::vector<ReportColumn> group_columns(const Parsed& parsed) {
    std::vector<ReportColumn> columns;
    for (const auto& name : parsed.order) {
        const auto* found = find_dimension(name);
        columns.push_back({name, std::string{found == nullptr ? period_zh(name) : found->zh}});
    }
    return columns;
}

std::vector<Cell> group_cells(const GroupKey& key) {
    std::vector<Cell> cells;
    for (const auto& part : key) cells.push_back(part.empty() ? Cell{} : Cell{part});
    return cells;
}

Cell cell_of(const std::optional<double>& value) { return value ? Cell{*value} : Cell{}; }

void append_estimate(std::vector<Cell>& cells, const measure::Estimate& estimate) {
    for (const auto& value : {estimate.value, estimate.low, estimate.high}) cells.push_back(cell_of(value));
}

bool came_to(TouchState state, TouchState least) {
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

Cell Amounts::amount() const {
    if (by_currency_.size() != 1) return {};
    const auto& [currency, units] = *by_currency_.begin();
    return Money{units, currency_digits(currency)};
}

Cell Amounts::currency() const { return by_currency_.size() == 1 ? Cell{by_currency_.begin()->first} : Cell{}; }

}  // namespace touchgate::projection
