// Adapters that speak to the servers of servers.hpp, and a listener that waits for events.
#pragma once

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/net/net_transport.hpp"
#include "tests/unit/gateway/net/fakes.hpp"
#include "tests/unit/gateway/net/servers.hpp"

namespace touchgate::net::test {

// POST <base>/send with the body "<ref>"; the answer "ok" is acceptance.
class PlainHttpAdapter final : public channel::ExchangeAdapter {
public:
    explicit PlainHttpAdapter(std::string base) : base_{std::move(base)} {}
    std::string method = "POST";
    int window_size = 8;
    Duration time_limit{5'000};
    std::optional<std::string> probe_path;

    channel::Capabilities capabilities() const override { return {.channel = "sms", .receipt_scope = {}}; }
    int segments(std::string_view) const override { return 1; }
    int window() const override { return window_size; }
    Duration timeout() const override { return time_limit; }
    channel::HttpRequest submit(std::span<const Submission> submissions, const channel::Resources&, const channel::RequestContext&) const override {
        const auto ref = std::to_string(submissions[0].ref);
        if (method == "GET") return {.method = "GET", .url = base_ + "/send?ref=" + ref, .headers = {}, .body = {}};
        return {.method = method, .url = base_ + "/send", .headers = {{"Content-Type", "text/plain"}, {"X-Ref", ref}}, .body = ref};
    }
    std::vector<Outcome> classify(std::span<const Submission> submissions, const channel::HttpResponse& response) const override {
        auto kind = OutcomeKind::unknown;
        if (response.status == 200 && (response.body == "ok" || method == "HTTP2")) kind = OutcomeKind::accepted;
        if (response.status >= 300 && response.status < 500) kind = OutcomeKind::refused;
        if (response.body == "bad key") kind = OutcomeKind::credentials;
        return std::vector<Outcome>(submissions.size(), {.kind = kind, .code = std::to_string(response.status)});
    }
    std::optional<channel::HttpRequest> probe(const channel::RequestContext&) const override {
        if (!probe_path) return std::nullopt;
        return channel::HttpRequest{.method = "GET", .url = base_ + *probe_path, .headers = {}, .body = {}};
    }

private:
    std::string base_;
};

// A session protocol of lines: we say BIND <password>, SUBMIT <ref>, DONE <id>, BYE; the peer says BOUND, NO, TAKEN <ref>, RECEIPT <id>, BYE.
class LineSession final : public channel::Session {
public:
    explicit LineSession(std::string password) : password_{std::move(password)} {}
    std::optional<Monotonic> connect_at() const override { return connected_ || leaving_ ? std::nullopt : std::optional{connect_at_}; }
    void on_connected(Monotonic) override {
        connected_ = true;
        output_.bytes += "BIND " + password_ + '\n';
    }
    void on_closed(Monotonic now, std::string_view reason) override {
        connect_at_ = now + 1ms;
        connected_ = false;
        received_.clear();
        output_.bytes.clear();
        for (const auto ref : std::exchange(open_, {}))
            output_.events.push_back(channel::AttemptOutcome{.ref = ref, .outcome = {.kind = OutcomeKind::unknown}});
        if (std::exchange(bound_, false)) output_.events.push_back(channel::SessionDown{.reason = std::string{reason}});
    }
    void on_bytes(Monotonic, std::string_view bytes) override {
        received_ += bytes;
        for (std::size_t end = 0; (end = received_.find('\n')) != std::string::npos; received_.erase(0, end + 1)) on_line(received_.substr(0, end));
    }
    void on_wake(Monotonic) override {}
    std::optional<Monotonic> wake_at() const override { return std::nullopt; }
    bool can_submit() const override { return bound_ && !leaving_ && open_.size() < 50; }
    void submit(Monotonic, const Submission& submission) override {
        open_.push_back(submission.ref);
        output_.bytes += "SUBMIT " + std::to_string(submission.ref) + '\n';
    }
    void acknowledge(channel::AckToken token, bool durable) override {
        output_.bytes += (durable ? "DONE " : "AGAIN ") + std::to_string(token) + '\n';
    }
    void shut_down(Monotonic) override {
        leaving_ = true;
        leave_when_idle();
    }
    channel::SessionOutput take_output() override { return std::exchange(output_, {}); }

private:
    void on_line(const std::string& line) {
        if (line == "BOUND") {
            bound_ = true;
            output_.events.push_back(channel::SessionUp{});
        } else if (line == "NO") {
            output_.events.push_back(channel::SessionDown{.reason = "the password is wrong", .credentials = true});
            output_.close = true;
        } else if (line == "BYE") {
            output_.close = true;
        } else if (line.starts_with("TAKEN ")) {
            const auto ref = std::stoull(line.substr(6));
            if (std::erase(open_, ref) == 1)
                output_.events.push_back(channel::AttemptOutcome{.ref = ref, .outcome = {.kind = OutcomeKind::accepted}});
            leave_when_idle();
        } else if (line.starts_with("RECEIPT ")) {
            output_.events.push_back(channel::ReceiptArrived{.receipt = {.provider_ids = {line.substr(8)}}, .token = std::stoull(line.substr(8))});
        }
    }
    void leave_when_idle() {
        if (!leaving_ || !open_.empty()) return;
        if (bound_) output_.bytes += "BYE\n";
        else output_.close = true;
    }

    std::string password_;
    Monotonic connect_at_{0};
    bool connected_ = false;
    bool bound_ = false;
    bool leaving_ = false;
    std::string received_;
    std::vector<AttemptRef> open_;
    channel::SessionOutput output_;
};

class LineAdapter final : public channel::SessionAdapter {
public:
    explicit LineAdapter(Endpoint endpoint, std::string password = "secret") : endpoint_{std::move(endpoint)}, password_{std::move(password)} {}
    channel::Capabilities capabilities() const override { return {.channel = "sms", .receipt_scope = {}}; }
    int segments(std::string_view) const override { return 1; }
    std::unique_ptr<channel::Session> make_session(std::uint64_t) const override { return std::make_unique<LineSession>(password_); }
    Endpoint endpoint() const override { return endpoint_; }
    int window() const override { return 50; }

private:
    Endpoint endpoint_;
    std::string password_;
};

// The other side of LineSession. `heard` is called for each whole line of a bound peer; true answers a SUBMIT, false closes.
inline std::function<void(int)> line_server(std::function<bool(const std::string&)> heard, SSL_CTX* tls = nullptr, std::string greeting = "") {
    return [heard = std::move(heard), tls, greeting = std::move(greeting)](int socket) {
        Stream stream{socket, tls};
        std::string line;
        while (stream.read_until("\n", line)) {
            if (line.starts_with("BIND ")) {
                if (line != "BIND secret") {
                    stream.write("NO\n");
                    return;
                }
                stream.write("BOUND\n" + greeting);
                continue;
            }
            if (line == "BYE") {
                stream.write("BYE\n");
                continue;
            }
            if (!heard(line)) return;
            if (line.starts_with("SUBMIT ") && !stream.write("TAKEN " + line.substr(7) + '\n')) return;
        }
    };
}

class WaitingListener final : public TransportListener {
public:
    void on_transport_events(std::vector<TransportEvent> events) override {
        const std::lock_guard lock{mutex_};
        ++calls_;
        std::ranges::move(events, std::back_inserter(events_));
        changed_.notify_all();
    }
    // All events so far, once `enough` says so of them; fails the wait after 10 s.
    template <class Enough>
    bool wait(Enough enough) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return enough(events_); });
    }
    bool wait_for(const std::string& line, std::size_t times = 1) {
        return wait([&](const auto& events) { return static_cast<std::size_t>(std::ranges::count(told(events), line)) >= times; });
    }
    // The answer to an order: "accepted", "unknown" …, "unwritten", "revoked".
    std::string answer(AttemptRef ref) {
        std::string found;
        const auto number = std::to_string(ref);
        wait([&](const auto& events) {
            for (const auto& event : events) {
                const auto line = told(event);
                if (line.starts_with("answered " + number + ' ')) found = line.substr(number.size() + 10);
                if (line == "unwritten " + number || line == "revoked " + number) found = line.substr(0, line.find(' '));
            }
            return !found.empty();
        });
        return found;
    }
    [[nodiscard]] std::vector<TransportEvent> events() const {
        const std::lock_guard lock{mutex_};
        return events_;
    }
    void forget() {
        const std::lock_guard lock{mutex_};
        events_.clear();
    }
    [[nodiscard]] int calls() const {
        const std::lock_guard lock{mutex_};
        return calls_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<TransportEvent> events_;
    int calls_ = 0;
};

inline const SystemClock& real_clock() {
    static const SystemClock clock;
    return clock;
}

inline AttemptOrder real_order(AccountNumber account, AttemptRef ref, Monotonic patience = 5s) {
    return {.account = account, .submission = order(ref, real_clock().monotonic_now() + patience)};
}

inline HttpSettings loopback_http() { return {.ca_file = certificate().file(), .proxy = ""}; }

template <class Adapter>
channel::AnyAdapter any(Adapter adapter) {
    if constexpr (std::is_base_of_v<channel::SessionAdapter, Adapter>)
        return std::unique_ptr<channel::SessionAdapter>{std::make_unique<Adapter>(std::move(adapter))};
    else return std::unique_ptr<channel::ExchangeAdapter>{std::make_unique<Adapter>(std::move(adapter))};
}

}  // namespace touchgate::net::test
