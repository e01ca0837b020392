#include "gateway/http/metrics_text.hpp"

#include <algorithm>

namespace touchgate::http {

namespace {

class Writer {
public:
    Writer& family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        out_ += "# HELP touchgate_" + name_ + " " + std::string{help} + "\n# TYPE touchgate_" + name_ + " " + std::string{type} + "\n";
        return *this;
    }
    Writer& value(std::uint64_t value, std::string_view labels = {}) {
        out_ += "touchgate_" + name_;
        if (!labels.empty()) out_ += "{" + std::string{labels} + "}";
        out_ += ' ' + std::to_string(value) + '\n';
        return *this;
    }
    Writer& histogram(const DurationHistogram& measured) {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < measured.counts.size(); ++i) {
            below += measured.counts[i];
            const auto bound = i < measured.bounds_us.size() ? seconds(measured.bounds_us[i]) : std::string{"+Inf"};
            out_ += "touchgate_" + name_ + "_bucket{le=\"" + bound + "\"} " + std::to_string(below) + '\n';
        }
        out_ += "touchgate_" + name_ + "_sum " + seconds(measured.sum_us) + "\ntouchgate_" + name_ + "_count " + std::to_string(below) + '\n';
        return *this;
    }
    Writer& seconds_value(double value) {
        out_ += "touchgate_" + name_ + ' ' + seconds(static_cast<std::uint64_t>(value * 1e6)) + '\n';
        return *this;
    }
    std::string take() { return std::move(out_); }

private:
    static std::string seconds(std::uint64_t us) {
        auto text = std::to_string(us % 1'000'000);
        text.insert(0, 6 - text.size(), '0');
        return std::to_string(us / 1'000'000).append(".").append(text);
    }
    std::string out_, name_;
};

std::string label(std::string_view name, std::string_view value) {
    std::string text{name};
    text += "=\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        if (c == '\n') text += "\\n";
        else text += c;
    }
    return text + "\"";
}

void write_server(Writer& out, const Services& services) {
    const auto& counters = services.counters;
    out.family("http_connections", "gauge", "Open HTTP connections").value(counters.connections_now);
    out.family("agent_connections", "gauge", "Open connections of agents' desktops").value(counters.agent_sockets_now);
    out.family("agent_frames_total", "counter", "Text frames of agents' desktops").value(counters.agent_frames_in, "direction=\"in\"").value(counters.agent_frames_out, "direction=\"out\"");
    out.family("http_connections_refused_total", "counter", "Connections over limits.connections").value(counters.connections_refused);
    out.family("http_requests_total", "counter", "Requests whose header was read").value(counters.requests);
    out.family("http_answers_total", "counter", "Answers by class of status");
    for (std::size_t i = 1; i < counters.answers_by_class.size(); ++i)
        out.value(counters.answers_by_class[i], label("class", std::to_string(i) + "xx"));
    out.family("http_bulk_lines_total", "counter", "Lines of bulk requests").value(counters.bulk_lines);
    out.family("http_exchanges_open", "gauge", "Requests under way").value(counters.exchanges_open);
    out.family("projection_sequence", "gauge", "Newest sequence that lists and reports show").value(services.queries.shown_sequence());
    out.family("log_sequence", "gauge", "Newest durable sequence of the touch log").value(services.engine.durable_head().sequence);
}

void write_engine(Writer& out, const Engine::Metrics& engine) {
    out.family("turns_total", "counter", "Turns of the engine").value(engine.turns);
    out.family("syncs_total", "counter", "Syncs of the touch log").value(engine.syncs);
    out.family("commands_total", "counter", "Commands run").value(engine.commands);
    out.family("touches_in_memory", "gauge", "Touches in the engine's memory").value(engine.touches_in_memory);
    out.family("touches_waiting", "gauge", "Touches in state queued").value(engine.waiting);
    out.family("touches_deferred", "gauge", "Touches in state deferred").value(engine.deferred);
    out.family("contacts", "gauge", "Contacts").value(engine.contacts);
    out.family("profiles", "gauge", "Interned profiles").value(engine.profiles);
    out.family("keys_in_memory", "gauge", "Idempotency keys in memory").value(engine.keys_in_memory);
    out.family("touches", "gauge", "Touches in the engine's memory by state");
    for (std::size_t state = 1; state < touch_state_count; ++state)
        if (engine.by_state[state] > 0) out.value(engine.by_state[state], label("state", to_string(static_cast<TouchState>(state))));
    out.family("receipts_total", "counter", "Receipts received").value(engine.receipts);
    out.family("receipts_parked", "gauge", "Receipts that match no attempt yet").value(engine.receipts_parked);
    out.family("unknown_outcomes_total", "counter", "Attempts whose outcome became unknown").value(engine.unknown_outcomes);
    out.family("permits_total", "counter", "Permits granted").value(engine.permits);
    out.family("permits_lapsed_total", "counter", "Permits that ended unwritten").value(engine.permits_lapsed);
    out.family("permits_revoked_total", "counter", "Permits revoked in time").value(engine.permits_revoked);
    out.family("turn_longest_microseconds", "gauge", "Longest turn so far").value(engine.turn_us_max);
    out.family("turn_seconds", "histogram", "Turns that did something").histogram(engine.turn);
    out.family("sync_seconds", "histogram", "Write and sync of one batch of the touch log").histogram(engine.sync);
    out.family("checkpoints_total", "counter", "Checkpoints written").value(engine.checkpoints);
    out.family("checkpoints_failed_total", "counter", "Checkpoints that could not be written").value(engine.checkpoints_failed);
    out.family("projection_lag_seconds", "gauge", "How far lists and reports are behind the log").seconds_value(engine.projection_lag_s);
    out.family("clock_healthy", "gauge", "1 while the clock is believed").value(engine.clock_healthy ? 1 : 0);
    out.family("draining", "gauge", "1 while the gateway stops").value(engine.draining ? 1 : 0);
    out.family("calendar_days_left", "gauge", "Days until a calendar of the policy ends; after that the stricter hours hold");
    for (const auto& [calendar, days] : engine.calendar_days_left) out.value(static_cast<std::uint64_t>(std::max<std::int64_t>(days, 0)), label("calendar", calendar));
}

void write_accounts(Writer& out, const std::vector<AccountDetails>& accounts) {
    out.family("account_up", "gauge", "1 while the account's health is up");
    for (const auto& account : accounts) out.value(account.health == "up" ? 1 : 0, label("account", account.name));
    out.family("account_backlog", "gauge", "Touches that wait for the account");
    for (const auto& account : accounts) out.value(account.backlog, label("account", account.name));
    out.family("account_in_flight", "gauge", "Submits that wait for their answer");
    for (const auto& account : accounts) out.value(account.in_flight, label("account", account.name));
    out.family("events_unknown_total", "counter", "Authentic events of providers that were not understood");
    for (const auto& account : accounts) out.value(account.events_unknown, label("account", account.name));
    out.family("tasks_open", "gauge", "Tasks that employees have still to send");
    for (const auto& account : accounts) out.value(account.tasks_open, label("account", account.name));
    out.family("hook_accepted_total", "counter", "Provider callbacks accepted");
    for (const auto& account : accounts) out.value(account.hook_accepted, label("account", account.name));
    out.family("hook_refused_total", "counter", "Provider callbacks refused");
    for (const auto& account : accounts)
        for (const auto& [reason, count] : account.hook_refused) out.value(count, label("account", account.name) + "," + label("reason", reason));
}

}  // namespace

std::string metrics_text(const Services& services, const std::optional<Engine::Metrics>& engine, const std::vector<AccountDetails>& accounts) {
    Writer out;
    write_server(out, services);
    out.family("fault", "gauge", "1 while something is wrong although the gateway runs");
    for (const auto& fault : faults_of(services)) out.value(1, label("fault", fault));
    if (engine) {
        write_engine(out, *engine);
        write_accounts(out, accounts);
    }
    return out.take();
}

}  // namespace touchgate::http
