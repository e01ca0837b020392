// The reports `queues` and `agents`: how long customers waited, and what agents did all day. Formulas: measure/service.hpp, measure/agent_time.hpp.
#include <limits>

#include "gateway/measure/agent_time.hpp"
#include "gateway/measure/service.hpp"
#include "gateway/projection/report_parts.hpp"

namespace touchgate::projection {

namespace {

struct QueueSums {
    measure::QueueCounts items;
    measure::OfferCounts offers;
    std::int64_t ended_otherwise = 0;
    void add(const QueueSums& other) {
        items += other.items;
        offers += other.offers;
        ended_otherwise += other.ended_otherwise;
    }
};

template <class T> Cell milliseconds(const std::optional<T>& value) { return value ? Cell{static_cast<std::int64_t>(value->count())} : Cell{}; }

std::pair<std::int64_t, std::int64_t> bounds(const Parsed& parsed) {
    return {parsed.span.from ? unix_ms(*parsed.span.from) : 0, parsed.span.to ? unix_ms(*parsed.span.to) : std::numeric_limits<std::int64_t>::max()};
}

void append_totals(Report& report, const std::vector<Cell>& totals) {
    const auto groups = report.columns.size() - totals.size();
    for (std::size_t i = 0; i < totals.size(); ++i) report.totals.emplace_back(report.columns[groups + i].name, totals[i]);
}

}  // namespace

// An item belongs to the period in which its queue was offered it.
void fill_queues(Database& database, const Parsed& parsed, Report& report) {
    const auto level = measure::parse_service_level(parsed.parameter("level")).value_or(measure::ServiceLevel::offered);
    std::map<GroupKey, QueueSums> rows;
    Groups groups{parsed};
    Statement select{database, "SELECT queue, channel, offered_at, left_at, how, within, short, ended_at, closed_at, offers, rona, rejected FROM queue_items "
                               "WHERE offered_at >= ? AND offered_at < ? AND how <> 5"};  // 5: only shown to an agent
    const auto [from, to] = bounds(parsed);
    select.bind(1, from).bind(2, to);
    while (select.step()) {
        ProfileNames names;
        names.channel = std::string{select.text(1)};
        if (!parsed.filter.channel.empty() && parsed.filter.channel != names.channel) continue;
        const auto offered = select.integer(2), left = select.integer(3), how = select.integer(4);
        const bool within = select.integer(5) != 0;
        auto& row = rows[groups.of(bucket_of(from_unix_ms(offered)), names, select.text(0))];
        auto& items = row.items;
        ++items.offered;
        row.offers.created += select.integer(9);
        row.offers.timed_out += select.integer(10);
        row.offers.rejected += select.integer(11);
        switch (how) {
            case 0: ++items.waiting_at_end; break;
            case 1:
                ++items.answered;
                ++row.offers.accepted;
                items.answered_within += within ? 1 : 0;
                items.wait_of_answered += Duration{left - offered};
                if (!select.is_null(8)) {
                    ++items.handled;
                    items.talk += Duration{select.integer(7) - left};
                    items.wrap_up += Duration{select.integer(8) - select.integer(7)};
                }
                break;
            case 2:
                ++items.abandoned;
                items.abandoned_within += within ? 1 : 0;
                items.abandoned_short += select.integer(6);
                break;
            case 3:
                ++items.flowed_out;
                items.flowed_out_within += within ? 1 : 0;
                break;
            default: ++row.ended_otherwise; break;
        }
    }
    report.columns = group_columns(parsed);
    for (auto column : std::initializer_list<ReportColumn>{{"offered", "进入队列数"}, {"answered", "接起数"}, {"abandoned", "放弃数"}, {"abandoned_short", "短时放弃数"}, {"flowed_out", "溢出数"},
                                                           {"ended_otherwise", "其他结束数"}, {"waiting", "等待数"}, {"service_level", "服务水平"}, {"abandon_rate", "放弃率"},
                                                           {"asa_ms", "平均应答速度（毫秒）"}, {"aht_ms", "平均处理时长（毫秒）"}, {"offers", "派发次数"}, {"rona", "振铃未接次数"}})
        report.columns.push_back(std::move(column));
    const auto cells_of = [&](const QueueSums& sums) {
        const auto& items = sums.items;
        return std::vector<Cell>{items.offered, items.answered, items.abandoned, items.abandoned_short, items.flowed_out, sums.ended_otherwise, items.waiting_at_end,
                                 cell_of(measure::service_level(level, items)), cell_of(measure::abandon_rate(items)), milliseconds(measure::speed_of_answer(items)),
                                 milliseconds(measure::handling_time(items)), sums.offers.created, sums.offers.timed_out};
    };
    QueueSums total;
    for (const auto& [key, sums] : rows) {
        total.add(sums);
        auto cells = group_cells(key);
        for (auto& cell : cells_of(sums)) cells.push_back(std::move(cell));
        report.rows.push_back(std::move(cells));
    }
    append_totals(report, cells_of(total));
}

// Seconds in each displayed state within the span, up to the last event counted: every second of an agent is in exactly one.
void fill_agents(Database& database, const Parsed& parsed, Report& report) {
    struct Sums {
        measure::StateTimes times;
        std::int64_t handled = 0;
    };
    std::map<GroupKey, Sums> rows;
    Groups groups{parsed};
    const auto [from, asked_to] = bounds(parsed);
    const auto to = std::min(asked_to, database.integer("SELECT time FROM cursor"));
    const auto& words = measure::agent_state_words;
    std::map<std::string, std::string, std::less<>> units;
    const auto counts = [&](std::string_view agent) {
        const auto found = units.find(agent);
        const std::string_view unit = found == units.end() ? std::string_view{} : std::string_view{found->second};
        return (parsed.filter.unit.empty() || Visibility{.addresses = false, .content = false, .units = {parsed.filter.unit}}.covers(unit)) && parsed.filter.visibility.covers(unit);
    };
    const auto add = [&](std::string_view agent, std::string_view state, std::int64_t since, std::int64_t until) {
        const auto word = std::find(words.begin(), words.end(), state);
        if (word == words.end() || !counts(agent)) return;
        since = std::max(since, from);
        until = std::min(until, to);
        ProfileNames names;
        names.unit = units[std::string{agent}];
        // A stretch over several periods is parted at their borders, which are borders of quarters of an hour.
        while (since < until) {
            const auto bucket = bucket_of(from_unix_ms(since));
            const auto part_end = parsed.period ? std::min(until, (bucket + 1) * bucket_ms) : until;
            rows[groups.of(bucket, names, agent)].times[static_cast<measure::AgentState>(word - words.begin())] += Duration{part_end - since};
            since = part_end;
        }
    };
    Statement agents{database, "SELECT id, unit, state, since FROM agents"};
    struct Now { std::string id, state; std::int64_t since; };
    std::vector<Now> now;
    while (agents.step()) {
        units[std::string{agents.text(0)}] = std::string{agents.text(1)};
        now.push_back({std::string{agents.text(0)}, std::string{agents.text(2)}, agents.integer(3)});
    }
    Statement times{database, "SELECT agent, state, since, until FROM agent_times WHERE until > ? AND since < ?"};
    times.bind(1, from).bind(2, to);
    while (times.step()) add(times.text(0), times.text(1), times.integer(2), times.integer(3));
    for (const auto& each : now) add(each.id, each.state, each.since, to);
    Statement handled{database, "SELECT agent, channel, closed_at FROM queue_items WHERE how = 1 AND closed_at >= ? AND closed_at < ?"};
    handled.bind(1, from).bind(2, asked_to);
    while (handled.step()) {
        if (!counts(handled.text(0))) continue;
        ProfileNames names;
        names.unit = units[std::string{handled.text(0)}];
        names.channel = std::string{handled.text(1)};
        ++rows[groups.of(bucket_of(from_unix_ms(handled.integer(2))), names, handled.text(0))].handled;
    }

    static constexpr std::array<std::string_view, 12> zh = {"离线", "未就绪", "就绪", "已预占", "振铃", "通话", "保持", "咨询", "会议", "话后处理", "未接锁定", "设备故障"};
    report.columns = group_columns(parsed);
    for (std::size_t i = 0; i < words.size(); ++i) report.columns.push_back({std::string{words[i]}.append("_s"), std::string{zh[i]}.append("（秒）")});
    for (auto column : std::initializer_list<ReportColumn>{{"signed_in_s", "签入（秒）"}, {"occupancy", "占用率"}, {"utilisation", "利用率"}, {"handled", "处理数"}})
        report.columns.push_back(std::move(column));
    const auto seconds = [](Duration duration) { return static_cast<double>(duration.count()) / 1000.0; };
    const auto cells_of = [&](const Sums& sums) {
        std::vector<Cell> cells;
        for (std::size_t i = 0; i < words.size(); ++i) cells.emplace_back(seconds(sums.times[static_cast<measure::AgentState>(i)]));
        cells.emplace_back(seconds(sums.times.signed_in()));
        cells.push_back(cell_of(measure::occupancy(sums.times)));
        cells.push_back(cell_of(measure::utilisation(sums.times)));
        cells.emplace_back(sums.handled);
        return cells;
    };
    Sums total;
    for (const auto& [key, sums] : rows) {
        total.times += sums.times;
        total.handled += sums.handled;
        auto cells = group_cells(key);
        for (auto& cell : cells_of(sums)) cells.push_back(std::move(cell));
        report.rows.push_back(std::move(cells));
    }
    append_totals(report, cells_of(total));
}

}  // namespace touchgate::projection
