// touchgate routing replay: the callers of the log against other agents or another strategy. Read-only, beside a running gateway or without one.

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdio>

#include "gateway/app/commands/commands.hpp"
#include "gateway/app/reading.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/events.hpp"
#include "gateway/engine/working_hours.hpp"
#include "gateway/routing/replay.hpp"

namespace touchgate::app {

namespace {

constexpr int cannot_run = 2;

struct Options {
    std::string config, from, to;
    std::vector<std::string> agents, strategies;
    int runs = 20;
    std::uint64_t seed = 1;
    bool json = false;
};

int failed(const Error& error) {
    std::fprintf(stderr, "%s\n", error.detail.c_str());
    return cannot_run;
}

// "+2:care"
std::optional<routing::ReplayChange::Agents> parse_agents(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon + 1 == text.size()) return std::nullopt;
    routing::ReplayChange::Agents made{.count = 0, .queue = text.substr(colon + 1)};
    const auto* begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const auto [end, problem] = std::from_chars(begin, text.data() + colon, made.count);
    constexpr int most = 10'000;
    if (problem != std::errc{} || end != text.data() + colon || made.count < 1 || made.count > most) return std::nullopt;
    return made;
}

template <class Logged, class Value> void take(routing::ReplayHistory& history, const Record& record) {
    Logged event;
    if (decode(record.payload, event)) history.take(static_cast<const Value&>(event), record.time);
}

void take_record(routing::ReplayHistory& history, const Record& record) {
    switch (static_cast<EventType>(record.type)) {
        case EventType::agent_updated: return take<AgentUpdated, routing::AgentDefined>(history, record);
        case EventType::queue_updated: return take<QueueUpdated, routing::QueueDefined>(history, record);
        case EventType::agent_session: return take<AgentSession, routing::AgentSessionChanged>(history, record);
        case EventType::agent_intent: return take<AgentIntent, routing::AgentIntentChanged>(history, record);
        case EventType::agent_health: return take<AgentHealth, routing::AgentHealthChanged>(history, record);
        case EventType::interaction_queued: return take<InteractionQueued, routing::ItemQueued>(history, record);
        case EventType::offer_made: return take<OfferMade, routing::OfferMade>(history, record);
        case EventType::offer_ended: return take<OfferEnded, routing::OfferEnded>(history, record);
        case EventType::interaction_assigned: return take<InteractionAssigned, routing::ItemAssigned>(history, record);
        case EventType::interaction_wrapping: return take<InteractionWrapping, routing::ItemWrapping>(history, record);
        case EventType::interaction_closed: return take<InteractionClosed, routing::ItemEnded>(history, record);
        default: return;
    }
}

Json json_of(const routing::ReplayInterval& of) { return {{"value", of.value}, {"low", of.low}, {"high", of.high}}; }
Json json_of(const routing::ReplayRow::Measures& of) {
    return {{"service_level", json_of(of.service_level)}, {"asa_s", json_of(of.asa_s)}, {"abandonment", json_of(of.abandonment)}, {"occupancy", json_of(of.occupancy)}, {"rona", json_of(of.rona)}};
}
Json json_of(const routing::ReplayRow& row) {
    return {{"queue", row.queue.empty() ? Json{} : Json(row.queue)},
            {"logged", {{"offered", row.logged.offered}, {"answered", row.logged.answered}, {"abandoned", row.logged.abandoned}, {"flowed_out", row.logged.flowed_out},
                        {"service_level", row.logged.service_level()}, {"asa_s", row.logged.asa_s()}, {"abandonment", row.logged.abandonment()}, {"rona", row.logged.rona}}},
            {"before", json_of(row.before)}, {"after", json_of(row.after)}, {"difference", json_of(row.difference)}};
}

void print(const routing::ReplayRow& row, const std::string& lang) {
    std::printf("\n%s  (%.0f %s)\n", row.queue.empty() ? text("routing.all", lang).c_str() : row.queue.c_str(), row.logged.offered, text("routing.offered", lang).c_str());
    const auto line = [&](const char* name, double logged, const routing::ReplayInterval& before, const routing::ReplayInterval& after, const routing::ReplayInterval& difference, double scale) {
        std::printf("  %-24s %10.2f %10.2f [%.2f, %.2f] %10.2f [%.2f, %.2f] %+10.2f [%+.2f, %+.2f]\n", text(name, lang).c_str(), logged * scale, before.value * scale, before.low * scale,
                    before.high * scale, after.value * scale, after.low * scale, after.high * scale, difference.value * scale, difference.low * scale, difference.high * scale);
    };
    constexpr double percent = 100;
    line("routing.service_level", row.logged.service_level(), row.before.service_level, row.after.service_level, row.difference.service_level, percent);
    line("routing.asa", row.logged.asa_s(), row.before.asa_s, row.after.asa_s, row.difference.asa_s, 1);
    line("routing.abandonment", row.logged.abandonment(), row.before.abandonment, row.after.abandonment, row.difference.abandonment, percent);
    line("routing.occupancy", 0, row.before.occupancy, row.after.occupancy, row.difference.occupancy, percent);
    line("routing.rona", row.logged.rona, row.before.rona, row.after.rona, row.difference.rona, 1);
}

int replay(const Options& options, const std::string& lang) {
    std::vector<FileProblem> problems;
    const auto config = load_config(options.config, problems);
    if (!config) {
        for (const auto& problem : problems) std::fprintf(stderr, "%s\n", to_string(problem).c_str());
        return cannot_run;
    }
    const auto from = options.from.empty() ? std::nullopt : parse_instant(options.from);
    const auto to = options.to.empty() ? std::nullopt : parse_instant(options.to);
    if ((!options.from.empty() && !from) || (!options.to.empty() && !to) || (from && to && *from >= *to)) return failed({.detail = text("replay.times", lang)});
    routing::ReplayChange change;
    for (const auto& each : options.agents) {
        const auto agents = parse_agents(each);
        if (!agents) return failed({.detail = text("routing.bad_agents", lang)});
        change.agents.push_back(*agents);
    }
    for (const auto& each : options.strategies) {
        const auto equals = each.find('=');
        const auto strategy = equals == std::string::npos ? std::nullopt : routing::parse_strategy(std::string_view{each}.substr(equals + 1));
        if (!strategy) return failed({.detail = text("routing.bad_strategy", lang)});
        change.strategies[each.substr(0, equals)] = *strategy;
    }
    const auto disk = make_real_disk();
    const auto log = FileLog::open_for_reading(*disk, {.data_dir = config->data_dir});
    if (!log) return failed(log.error());
    routing::ReplayHistory history{from, to};
    const auto read = (*log)->scan(1, [&](const Record& record) {
        take_record(history, record);
        return true;
    });
    if (!read) return failed(read.error());
    const auto calendars = load_calendars(config->calendars_dir, problems).parsed;
    const routing::RouterSettings settings{.time_zone = config->engine.time_zone,
                                           .hours = [&](const Json& hours, Instant at) { return hours_at(hours, at, config->engine.time_zone, calendars); }};
    const auto rows = replay_routing(history, settings, change, options.runs, options.seed);
    if (!rows) return failed(rows.error());
    if (options.json) {
        Json made = {{"from", options.from.empty() ? Json{} : Json(options.from)}, {"to", options.to.empty() ? Json{} : Json(options.to)}, {"runs", options.runs}, {"seed", options.seed},
                     {"seq", *read - 1}, {"agents", options.agents}, {"strategy", options.strategies}, {"queues", Json::array()}, {"all", Json{}}};
        for (const auto& row : *rows) {
            if (row.queue.empty()) made["all"] = json_of(row);
            else made["queues"].push_back(json_of(row));
        }
        std::printf("%s\n", made.dump().c_str());
        return 0;
    }
    std::printf("%s\n", text("routing.head", lang).c_str());
    for (const auto& row : *rows) print(row, lang);
    return 0;
}

}  // namespace

void add_routing(CLI::App& app, CommandLine& line) {
    auto* routing_command = app.add_subcommand("routing", text("routing", line.lang));
    routing_command->require_subcommand(1);
    auto options = std::make_shared<Options>();
    auto* command = routing_command->add_subcommand("replay", text("routing.replay", line.lang));
    command->add_option("--config", options->config, text("option.config", line.lang))->required();
    command->add_option("--from", options->from, text("routing.option.from", line.lang));
    command->add_option("--to", options->to, text("routing.option.to", line.lang));
    command->add_option("--agents", options->agents, text("routing.option.agents", line.lang));
    command->add_option("--strategy", options->strategies, text("routing.option.strategy", line.lang));
    command->add_option("--runs", options->runs, text("routing.option.runs", line.lang))->check(CLI::Range(1, 1'000))->capture_default_str();
    command->add_option("--seed", options->seed)->capture_default_str();
    command->add_flag("--json", options->json, text("option.json", line.lang));
    command->callback([options, &line] { line.status = replay(*options, line.lang); });
}

}  // namespace touchgate::app
