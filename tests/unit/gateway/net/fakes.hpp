// A session and an HTTP adapter that do as the test says, and readers of the machines' events.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/net/exchange_machine.hpp"
#include "gateway/net/session_machine.hpp"

namespace touchgate::net::test {

using namespace std::chrono_literals;
using channel::AttemptRef;
using channel::Monotonic;
using channel::Outcome;
using channel::OutcomeKind;
using channel::Submission;

inline Submission order(AttemptRef ref, Monotonic deadline = 5s) {
    return {.ref = ref, .attempt_id = "attempt-" + std::to_string(ref), .to = "+8613800000000", .permit_deadline = deadline};
}

// ---- Events.

template <class Event>
std::vector<Event> only(const std::vector<TransportEvent>& events) {
    std::vector<Event> found;
    for (const auto& event : events)
        if (const auto* held = std::get_if<Event>(&event)) found.push_back(*held);
    return found;
}

// "up", "down", "answered 1 accepted", "unwritten 2", "revoked 3", "written 4", "receipt", "message", "reconciled 5": one line an event.
inline std::string told(const TransportEvent& event) {
    struct Reader {
        std::string operator()(const AccountUp&) const { return "up"; }
        std::string operator()(const AccountDown& e) const { return e.credentials ? "down for credentials" : "down"; }
        std::string operator()(const AttemptAnswered& e) const {
            return "answered " + std::to_string(e.ref) + ' ' + std::string{to_string(e.outcome.kind)};
        }
        std::string operator()(const AttemptUnwritten& e) const { return (e.revoked ? "revoked " : "unwritten ") + std::to_string(e.ref); }
        std::string operator()(const AttemptWritten& e) const { return "written " + std::to_string(e.ref); }
        std::string operator()(const ReceiptReported&) const { return "receipt"; }
        std::string operator()(const MessageReported&) const { return "message"; }
        std::string operator()(const Reconciled& e) const { return "reconciled " + std::to_string(e.ref); }
        std::string operator()(const TaskAnswered& e) const { return "task " + std::to_string(e.ref); }
        std::string operator()(const OperationAnswered& e) const { return "operation " + std::to_string(e.ref); }
        std::string operator()(const PageArrived& e) const { return "page of " + e.name; }
        std::string operator()(const CallReported& e) const { return "call event " + std::to_string(e.event.index()); }
    };
    return std::visit(Reader{}, event);
}
inline std::vector<std::string> told(const std::vector<TransportEvent>& events) {
    std::vector<std::string> lines;
    for (const auto& event : events) lines.push_back(told(event));
    return lines;
}
using Lines = std::vector<std::string>;

// ---- A session whose state the test holds.

struct FakeSessionState {
    std::optional<Monotonic> connect_at = Monotonic{0};
    std::optional<Monotonic> wake_at;
    std::optional<Instant> wall_time;
    bool connected = false;
    bool bound = false;
    bool shut_down = false;
    std::size_t window = 10;
    std::vector<AttemptRef> submitted;  // ever, in order
    std::vector<AttemptRef> open;       // submitted, not answered
    std::vector<std::pair<channel::AckToken, bool>> acknowledged;
    std::vector<std::string> heard;
    int wakes = 0;
    bool forgets_on_close = false;  // a faulty session, which reports nothing when the connection ends
    channel::SessionOutput output;
    std::function<void(Monotonic, const Submission&)> on_submit;

    void say(channel::SessionEvent event) { output.events.push_back(std::move(event)); }
    void bind() {
        bound = true;
        say(channel::SessionUp{});
    }
    void answer(AttemptRef ref, OutcomeKind kind = OutcomeKind::accepted) {
        std::erase(open, ref);
        say(channel::AttemptOutcome{.ref = ref, .outcome = {.kind = kind}});
    }
};

class FakeSession final : public channel::Session {
public:
    explicit FakeSession(FakeSessionState& state) : state_{state} {}
    std::optional<Monotonic> connect_at() const override { return state_.connected ? std::nullopt : state_.connect_at; }
    void on_wall_time(Instant now) override { state_.wall_time = now; }
    void on_connected(Monotonic) override {
        state_.connected = true;
        state_.output.bytes += "<bind>";
    }
    void on_closed(Monotonic, std::string_view reason) override {
        const bool was_bound = std::exchange(state_.bound, false);
        state_.connected = false;
        state_.output = {};
        const auto open = std::exchange(state_.open, {});
        if (state_.forgets_on_close) return;
        for (const auto ref : open) state_.say(channel::AttemptOutcome{.ref = ref, .outcome = {.kind = OutcomeKind::unknown}});
        if (was_bound) state_.say(channel::SessionDown{.reason = std::string{reason}});
    }
    void on_bytes(Monotonic, std::string_view bytes) override { state_.heard.emplace_back(bytes); }
    void on_wake(Monotonic) override {
        ++state_.wakes;
        state_.wake_at.reset();
    }
    std::optional<Monotonic> wake_at() const override { return state_.wake_at; }
    bool can_submit() const override { return state_.bound && state_.open.size() < state_.window && !state_.shut_down; }
    void submit(Monotonic now, const Submission& submission) override {
        state_.submitted.push_back(submission.ref);
        state_.open.push_back(submission.ref);
        state_.output.bytes += "<" + std::to_string(submission.ref) + ">";
        if (state_.on_submit) state_.on_submit(now, submission);
    }
    void acknowledge(channel::AckToken token, bool durable) override {
        state_.acknowledged.emplace_back(token, durable);
        state_.output.bytes += "<ack>";
    }
    void shut_down(Monotonic) override { state_.shut_down = true; }
    channel::SessionOutput take_output() override { return std::exchange(state_.output, {}); }

private:
    FakeSessionState& state_;
};

// ---- An HTTP adapter. Submits carry their refs and the token in the body ("token=T refs=1,2"); answers are read from the body alone.

class FakeAdapter : public channel::ExchangeAdapter {
public:
    std::size_t batch_max = 1;
    int window_size = 4;
    Duration time_limit{10'000};
    std::vector<channel::Need> needs;   // of every submission
    bool one_template_a_batch = false;  // same_batch compares template codes
    bool has_question = true;
    std::vector<OutcomeKind> classified;  // if set: what classify returns, whatever its number

    channel::Capabilities capabilities() const override { return {.channel = "sms", .receipt_scope = {}, .batch_max = batch_max}; }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return window_size; }
    Duration timeout() const override { return time_limit; }
    std::vector<channel::Need> prepare(std::span<const Submission>) const override { return needs; }
    channel::HttpRequest fetch(const channel::Need& need, const channel::Resources& resources, const channel::RequestContext&) const override {
        std::string body = "fetch " + need.key;
        for (const auto& [key, value] : resources) body += ' ' + key + '=' + value;
        return {.url = "https://provider.test/fetch?secret=1", .headers = {}, .body = body};
    }
    std::variant<channel::Resource, Outcome> read_fetched(const channel::Need&, const channel::HttpResponse& response) const override {
        if (response.status != 200) return Outcome{.kind = response.status == 401 ? OutcomeKind::credentials : OutcomeKind::unknown, .code = "fetch"};
        return channel::Resource{.value = response.body, .valid_for = 100s};
    }
    bool same_batch(const Submission& a, const Submission& b) const override {
        return !one_template_a_batch || a.content.template_code == b.content.template_code;
    }
    channel::HttpRequest submit(std::span<const Submission> submissions, const channel::Resources& resources,
                                const channel::RequestContext& context) const override {
        std::string body = "refs=";
        for (const auto& submission : submissions) body += std::to_string(submission.ref) + ',';
        body += " nonce=" + context.nonce;
        for (const auto& [key, value] : resources) body += ' ' + key + '=' + value;
        return {.url = "https://provider.test/submit?secret=1", .headers = {}, .body = body};
    }
    std::vector<Outcome> classify(std::span<const Submission> submissions, const channel::HttpResponse& response) const override {
        std::vector<Outcome> outcomes;
        if (!classified.empty()) {
            for (const auto kind : classified) outcomes.push_back({.kind = kind});
            return outcomes;
        }
        for (std::size_t i = 0; i < submissions.size(); ++i)
            outcomes.push_back({.kind = response.status == 200   ? OutcomeKind::accepted
                                        : response.status == 401 ? OutcomeKind::credentials
                                                                 : OutcomeKind::refused});
        return outcomes;
    }
    bool resources_stale(const channel::HttpResponse& response) const override { return response.status == 401; }
    std::optional<channel::HttpRequest> reconcile(const Submission& submission, Instant, const channel::RequestContext&) const override {
        if (!has_question) return std::nullopt;
        return channel::HttpRequest{.url = "https://provider.test/query", .headers = {}, .body = "query " + std::to_string(submission.ref)};
    }
    channel::ReconcileAnswer read_reconcile(const Submission&, const channel::HttpResponse& response) const override {
        return {.verdict = response.status == 200 ? channel::ReconcileAnswer::Verdict::settled : channel::ReconcileAnswer::Verdict::ask_again};
    }
};

inline channel::HttpResponse response(int status, std::string body = "") { return {.status = status, .headers = {}, .body = std::move(body)}; }

inline std::vector<AttemptRef> refs_in(const std::string& body) {
    std::vector<AttemptRef> refs;
    if (!body.starts_with("refs=")) return refs;
    std::size_t at = 5;
    while (at < body.size() && body[at] != ' ') {
        const auto comma = body.find(',', at);
        refs.push_back(std::stoull(body.substr(at, comma - at)));
        at = comma + 1;
    }
    return refs;
}

inline MachineTime at(Monotonic monotonic) {
    return {.monotonic = monotonic, .wall = from_unix_ms(1'764'000'000'000) + std::chrono::floor<Duration>(monotonic)};
}

}  // namespace touchgate::net::test
