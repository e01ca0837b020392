#include "gateway/net/probe.hpp"

#include <boost/asio/io_context.hpp>
#include <optional>
#include <utility>

#include "gateway/net/call_driver.hpp"
#include "gateway/net/curl_client.hpp"
#include "gateway/net/session_machine.hpp"
#include "gateway/net/sigpipe.hpp"
#include "gateway/net/socket_driver.hpp"

namespace touchgate::net {

namespace {

using channel::OutcomeKind;

Error unreachable(std::string why) { return {.kind = ErrorKind::unavailable, .detail = std::move(why), .retry_after_s = 1}; }
Error refused(std::string why) { return {.kind = ErrorKind::unauthorized, .detail = std::move(why)}; }

// ---- Session protocols: bind, say what happened, leave.

Result<std::string> probe_session(const channel::SessionAdapter& adapter, std::uint64_t seed, const Clock& clock, Duration patience) {
    boost::asio::io_context io{1};
    EventSink events;
    const auto endpoint = adapter.endpoint();
    const auto place = endpoint.host + ':' + std::to_string(endpoint.port);
    SocketDriver driver{io, clock, endpoint, SessionMachine{0, adapter.make_session(seed)}, events};
    driver.start();
    std::optional<Result<std::string>> found;
    const auto until = clock.monotonic_now() + patience;
    while (!found && clock.monotonic_now() < until) {
        io.run_one_for(until - clock.monotonic_now());
        for (auto& event : std::exchange(events, {})) {
            if (found) break;
            if (const auto* up = std::get_if<AccountUp>(&event)) {
                found = Result<std::string>{"logged in at " + place + (up->warning.empty() ? "" : " (" + up->warning + ')')};
            } else if (const auto* down = std::get_if<AccountDown>(&event)) {
                found = down->credentials ? refused(place + " answers, but refuses the user name or password: " + down->reason)
                                          : unreachable("could not log in: " + down->reason);
            }
        }
    }
    driver.shut_down();
    driver.pump();
    const auto politely_until = clock.monotonic_now() + std::chrono::seconds{1};
    while (!driver.is_finished() && clock.monotonic_now() < politely_until) io.run_one_for(politely_until - clock.monotonic_now());
    driver.stop();
    if (found) return *found;
    return unreachable(place + " does not answer the login (is this the right protocol and port?)");
}

// ---- HTTP providers: one request.

struct OneAnswer final : HttpListener {
    std::optional<channel::HttpResponse> response;
    std::optional<std::string> failure;
    bool on_first_byte(ExchangeId) override { return true; }
    void on_response(ExchangeId, channel::HttpResponse given) override { response = std::move(given); }
    void on_failure(ExchangeId, bool, std::string reason) override { failure = std::move(reason); }
    void on_turn_end() override {}
};

std::string host_of(const std::string& url) {
    const auto scheme = url.find("://");
    const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
    return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

std::string said(const channel::Outcome& outcome) {
    return std::string{to_string(outcome.kind)} + (outcome.code.empty() ? "" : ' ' + outcome.code) +
           (outcome.detail.empty() ? "" : ": " + outcome.detail);
}

std::optional<Error> judge(const channel::Outcome& outcome, const std::string& host) {
    switch (outcome.kind) {
        case OutcomeKind::credentials: return refused(host + " answers, but refuses the credentials (" + said(outcome) + ')');
        case OutcomeKind::config: return refused(host + " answers, but the account is set up wrongly (" + said(outcome) + ')');
        case OutcomeKind::provider_down: return unreachable(host + " answers that it is out of order (" + said(outcome) + ')');
        default: return std::nullopt;
    }
}

// One request and its answer, as long as there is patience.
void ask_once(HttpExchange exchange, const HttpSettings& settings, const Clock& clock, Duration patience, OneAnswer& answer) {
    boost::asio::io_context io{1};
    CurlClient client{io, settings, answer};
    client.start(std::move(exchange));
    const auto until = clock.monotonic_now() + patience;
    while (!answer.response && !answer.failure && clock.monotonic_now() < until) io.run_one_for(until - clock.monotonic_now());
}

Result<std::string> probe_exchange(const channel::ExchangeAdapter& adapter, const HttpSettings& settings, const Clock& clock, Duration patience) {
    const channel::RequestContext context{.now = clock.wall_now(), .nonce = std::string(32, '0')};
    const channel::Submission nobody{};
    const auto request = adapter.probe(context);
    const auto needs = request ? std::vector<channel::Need>{} : adapter.prepare({&nobody, 1});

    HttpExchange exchange{.id = 1, .timeout = std::min(patience, adapter.timeout())};
    if (request) {
        exchange.request = *request;
    } else if (!needs.empty()) {
        exchange.request = adapter.fetch(needs.front(), {}, context);
    } else {
        exchange.request = adapter.submit({&nobody, 1}, {}, context);  // only for its host: nothing of it is sent
        exchange.connect_only = true;
    }
    const auto host = host_of(exchange.request.url);
    const bool connected_only = exchange.connect_only;

    OneAnswer answer;
    ask_once(std::move(exchange), settings, clock, patience, answer);
    if (answer.failure) return unreachable(host + ": " + *answer.failure);
    if (!answer.response) return unreachable(host + " does not answer (wrong host, or a firewall between?)");
    if (connected_only) return "connected to " + host + " (this adapter has nothing to ask for, so the credentials were not tried)";
    const auto& response = *answer.response;
    const auto status = std::to_string(response.status);
    if (response.status == 401 || response.status == 403) return refused(host + " answers, but refuses the credentials (HTTP " + status + ')');
    if (!needs.empty()) {
        const auto read = adapter.read_fetched(needs.front(), response);
        if (const auto* failure = std::get_if<channel::Outcome>(&read)) {
            if (auto error = judge(*failure, host)) return *error;
            return unreachable(host + " answers, but gives no access token (" + said(*failure) + ')');
        }
        return "logged in at " + host;
    }
    for (const auto& outcome : adapter.classify({&nobody, 1}, response))
        if (auto error = judge(outcome, host)) return *error;
    if (response.status >= 500) return unreachable(host + " answers HTTP " + status);
    if (response.status == 404) return unreachable(host + " answers, but knows no such address (HTTP 404; is base_url right?)");
    return host + " answers (HTTP " + status + ')';
}

// ---- Telephone systems: a request that tells, or the event stream opened and closed again.

Result<std::string> probe_calls(const channel::CallAdapter& adapter, std::uint64_t seed, HttpSettings settings, const Clock& clock, Duration patience) {
    const auto stream = adapter.stream();
    const auto place = host_of(stream.url);
    if (const auto request = adapter.probe()) {
        settings.tls_verify = stream.tls_verify;
        settings.proxy = "";
        OneAnswer answer;
        ask_once({.id = 1, .request = *request, .timeout = patience}, settings, clock, patience, answer);
        if (answer.failure) return unreachable(place + ": " + *answer.failure);
        if (!answer.response) return unreachable(place + " does not answer (wrong host, or a firewall between?)");
        return adapter.read_probe(*answer.response);
    }
    boost::asio::io_context io{1};
    EventSink events;
    CallDriver driver{io, clock, stream, std::move(settings), CallMachine{0, adapter.make_session(seed), adapter.requests_at_once()}, events};
    driver.start();
    std::optional<Result<std::string>> found;
    const auto until = clock.monotonic_now() + patience;
    while (!found && clock.monotonic_now() < until) {
        io.run_one_for(until - clock.monotonic_now());
        for (const auto& event : std::exchange(events, {})) {
            const auto* reported = std::get_if<CallReported>(&event);
            if (reported == nullptr || found) continue;
            if (const auto* up = std::get_if<channel::PbxUp>(&reported->event)) {
                found = Result<std::string>{"logged in at " + place + (up->warning.empty() ? "" : " (" + up->warning + ')')};
            } else if (const auto* down = std::get_if<channel::PbxDown>(&reported->event)) {
                found = down->credentials ? refused(down->reason) : unreachable(down->reason);
            }
        }
    }
    driver.shut_down();
    driver.pump();
    const auto politely_until = clock.monotonic_now() + std::chrono::seconds{1};
    while (!driver.is_finished() && clock.monotonic_now() < politely_until) io.run_one_for(politely_until - clock.monotonic_now());
    driver.stop();
    if (found) return *found;
    return unreachable(place + " does not answer (is this the right protocol and port?)");
}

}  // namespace

Result<std::string> probe_account(const NetAccount& account, const Clock& clock, Duration patience) {
    const SigpipeBlocked no_signal;
    if (const auto* session = std::get_if<std::unique_ptr<channel::SessionAdapter>>(account.adapter))
        return probe_session(**session, account.seed, clock, patience);
    if (const auto* call = std::get_if<std::unique_ptr<channel::CallAdapter>>(account.adapter))
        return probe_calls(**call, account.seed, account.http, clock, patience);
    return probe_exchange(*std::get<std::unique_ptr<channel::ExchangeAdapter>>(*account.adapter), account.http, clock, patience);
}

}  // namespace touchgate::net
