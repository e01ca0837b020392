// One request and its answer, on the way through an endpoint.
//
// An endpoint gets a `Call` on the I/O thread of its connection. It answers at once, or hands the call to the engine (`in_engine`) or to the
// query threads (`in_queries`), or keeps it and answers later, on any thread. Exactly one answer counts; a call that is dropped
// without one (the engine stopped, say) answers 503 by itself, so that no connection waits for ever.
#pragma once

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/desk.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/http/auth.hpp"
#include "gateway/http/console_files.hpp"
#include "gateway/http/hook_port.hpp"
#include "gateway/http/message.hpp"
#include "gateway/http/options.hpp"
#include "gateway/http/problem.hpp"
#include "gateway/http/query_port.hpp"
#include "gateway/http/router.hpp"
#include "gateway/http/touch_intake.hpp"

namespace touchgate::http {

class TouchQueue;
class AgentHub;

// What is counted for /metrics. Any thread.
struct Counters {
    std::atomic<std::uint64_t> connections_now{0}, connections_refused{0}, requests{0}, bulk_lines{0}, bulk_lines_in_engine{0};
    std::array<std::atomic<std::uint64_t>, 6> answers_by_class{};  // [2] = 2xx …
    std::atomic<std::uint64_t> exchanges_open{0};
    std::atomic<std::uint64_t> agent_sockets_now{0}, agent_frames_in{0}, agent_frames_out{0};
};

// What endpoints work with: everything that is shared by all threads of the server.
struct Services {
    Services(HttpOptions all_options, Engine& the_engine, QueryPort& query_port, const HookPort& hook_port, const Clock& the_clock,
             std::shared_ptr<const ApiKeys> api_keys)
        : options{std::move(all_options)}, engine{the_engine}, queries{query_port}, hooks{hook_port}, clock{the_clock},
          phones{options.default_region}, keys{std::move(api_keys)}, console{options.console_dir} {}

    HttpOptions options;
    Engine& engine;
    QueryPort& queries;
    const HookPort& hooks;
    const Clock& clock;
    PhoneNumbers phones;
    std::shared_ptr<const ApiKeys> keys;
    ConsoleFiles console;
    Router router;
    std::string openapi;  // the document as JSON
    Counters counters;
    std::shared_ptr<AgentHub> agents;
    std::atomic<bool> ready{false};
    std::atomic<bool> draining{false};
    // Runs a task on a query thread; false: too many wait already.
    std::function<bool(absl::AnyInvocable<void()>)> run_query;
};

[[nodiscard]] inline std::vector<std::string> faults_of(const Services& services) {
    return services.options.faults ? services.options.faults() : std::vector<std::string>{};
}

// An I/O thread, as endpoints see it.
class Worker {
public:
    virtual ~Worker() = default;
    [[nodiscard]] virtual bool is_current() const = 0;
    // Runs the task on this thread, soon; any thread may ask.
    virtual void run(absl::AnyInvocable<void()> task) = 0;
    // Asks `ready` now and then every few milliseconds until it says true or `within` is over; then `then(in time?)`. Own thread only.
    virtual void wait_until(absl::AnyInvocable<bool()> ready, Duration within, absl::AnyInvocable<void(bool)> then) = 0;
    [[nodiscard]] virtual TouchIntake& intake() = 0;
    [[nodiscard]] virtual TouchQueue& touches() = 0;
};

class AgentSession;
// For an agent's connection: who goes on with the socket, and what is told first.
struct AgentUpgrade {
    std::shared_ptr<AgentSession> session;
    Hello hello;
    bool names_protocol = true;   // the caller offered sub-protocols: the answer selects ours
};

// The connection's side of an exchange. Own I/O thread only, but `header`, which may be called anywhere until the answer is given.
class ExchangeSink {
public:
    virtual ~ExchangeSink() = default;
    [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
    virtual void deliver(Response response) = 0;
    // A streamed answer (server-sent events): the head, then parts, until the caller goes away or the end.
    virtual void begin_stream(Response head) = 0;
    virtual void stream(std::string part) = 0;
    virtual void end_stream() = 0;
    // The answer is 101, and the connection is a WebSocket from then on. False: it has ended, or the caller has sent more already.
    virtual bool upgrade(AgentUpgrade /*to*/) { return false; }
    [[nodiscard]] virtual bool is_open() const = 0;
    [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
};

class Exchange : public std::enable_shared_from_this<Exchange> {
public:
    Exchange(Services& services, Worker& worker, std::shared_ptr<ExchangeSink> sink, std::string& body);
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // ---- the request
    Method method = Method::get;
    const Route* route = nullptr;
    std::vector<std::string> path;  // values of the route's placeholders, in order
    std::string raw_query;
    QueryParameters query;
    const Caller* caller = nullptr;
    Access access;                  // under the route's scope
    Language language = Language::english;
    [[nodiscard]] std::string& body() { return body_; }  // padded behind its end for the intake
    [[nodiscard]] std::string_view header(std::string_view name) const { return sink_->header(name); }
    [[nodiscard]] Visibility visibility() const;

    // ---- the answer; any thread
    void answer(Response response);
    void fail(const Error& error, std::string_view reference_name = {}, int status = 0);
    [[nodiscard]] Response problem_of(const Error& error, std::string_view reference_name = {}, int status = 0) const;

    [[nodiscard]] Services& services() { return services_; }
    [[nodiscard]] Worker& worker() { return worker_; }
    [[nodiscard]] ExchangeSink& sink() { return *sink_; }  // own thread only
    // Streams: marks the exchange as answered; use sink() from then on.
    void take_over() { answered_.store(true); }

private:
    Services& services_;
    Worker& worker_;
    std::shared_ptr<ExchangeSink> sink_;
    std::string& body_;
    std::atomic<bool> answered_{false};
};

// What a read shows: the log itself (at once), or the projection, which follows behind.
enum class Source : std::uint8_t { log, projection };
// Calls `then` once `source` shows the sequence that a GET's ?min_seq names (at most 5 s, else 503); without min_seq, the projection is given
// 500 ms to show the caller's own last write. Own thread.
void when_shown(const Call& call, Source source, absl::AnyInvocable<void()> then);

// Runs `work` inside a turn of the engine, after `when_shown`, and answers when the turn is durable.
void in_engine(const Call& call, absl::AnyInvocable<Response(Engine&, Exchange&)> work);
// `work` returns it when the call is kept, and answered later by what it has started.
[[nodiscard]] inline Response answered_later() { return {.status = 0}; }
// Runs `work` on a query thread, after `when_shown`.
void in_queries(const Call& call, Source source, absl::AnyInvocable<Response(QueryPort&, Exchange&)> work);

// The errors that the server itself gives.
[[nodiscard]] Error queue_full();
[[nodiscard]] Error draining_error();

// ---- small things that most endpoints use ------------------------------------------------------------------------------------

[[nodiscard]] Response json_answer(int status, std::string body);
// Parses the body as a JSON object and reads it; nothing if there were problems, which have been answered.
template <class Read> auto read_body(const Call& call, Read read) -> std::optional<decltype(read(std::declval<JsonReader&>()))>;
// Query parameters limit (1 to 1000, default 100).
[[nodiscard]] std::size_t page_limit(const Exchange& exchange, std::vector<Problem>& problems);

}  // namespace touchgate::http

#include "gateway/http/input_readers.hpp"

namespace touchgate::http {

template <class Read> auto read_body(const Call& call, Read read) -> std::optional<decltype(read(std::declval<JsonReader&>()))> {
    const auto document = read_json(call->body());
    if (!document) {
        call->fail(document.error());
        return std::nullopt;
    }
    std::vector<Problem> problems;
    JsonReader reader{*document, "", problems};
    auto value = read(reader);
    if (!document->is_object()) problems.assign(1, {"", std::string{"must be an object, is "} + document->type_name()});
    if (problems.empty()) return value;
    call->fail(fields_error(std::move(problems)));
    return std::nullopt;
}

}  // namespace touchgate::http
