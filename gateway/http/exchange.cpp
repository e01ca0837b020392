#include "gateway/http/exchange.hpp"

#include <algorithm>

namespace touchgate::http {

Exchange::Exchange(Services& services, Worker& worker, std::shared_ptr<ExchangeSink> sink, std::string& body)
    : services_{services}, worker_{worker}, sink_{std::move(sink)}, body_{body} {
    services_.counters.exchanges_open.fetch_add(1, std::memory_order_relaxed);
}

Exchange::~Exchange() {
    services_.counters.exchanges_open.fetch_sub(1, std::memory_order_relaxed);
    const bool answered = answered_.load();
    if (worker_.is_current()) {
        if (!answered) sink_->deliver(problem(queue_full(), language));
        return;
    }
    // Connections live and die on their own thread.
    worker_.run([sink = std::move(sink_), answered, language = language] {
        if (!answered) sink->deliver(problem(queue_full(), language));
    });
}

Visibility Exchange::visibility() const {
    if (caller == nullptr) return {};
    return {.addresses = caller->has("addresses"), .content = caller->has("content"), .units = access.units};
}

void Exchange::answer(Response response) {
    if (answered_.exchange(true)) return;
    if (response.sequence && method != Method::get && caller != nullptr) caller->note_write(*response.sequence);
    if (worker_.is_current()) {
        sink_->deliver(std::move(response));
        return;
    }
    worker_.run([self = shared_from_this(), response = std::move(response)]() mutable { self->sink_->deliver(std::move(response)); });
}

Response Exchange::problem_of(const Error& error, std::string_view reference_name, int status) const {
    return problem(error, language, reference_name, status);
}

void Exchange::fail(const Error& error, std::string_view reference_name, int status) { answer(problem_of(error, reference_name, status)); }

namespace {

void post_to_engine(const Call& call, absl::AnyInvocable<Response(Engine&, Exchange&)> work) {
    const bool taken = call->services().engine.post([call, work = std::move(work)](Engine& engine) mutable {
        auto response = work(engine, *call);
        if (response.status == answered_later().status) return;
        if (!response.sequence) response.sequence = engine.sequence();
        engine.after_sync([call = std::move(call), response = std::move(response)]() mutable { call->answer(std::move(response)); });
    });
    if (!taken) call->fail(call->services().draining ? draining_error() : queue_full());
}

void post_to_queries(const Call& call, Source source, absl::AnyInvocable<Response(QueryPort&, Exchange&)> work) {
    const bool taken = call->services().run_query([call, source, work = std::move(work)]() mutable {
        auto& queries = call->services().queries;
        // Asked before the work: what is shown is at least this.
        const auto shown = source == Source::log ? call->services().engine.durable_head().sequence : queries.shown_sequence();
        auto response = work(queries, *call);
        if (response.status == answered_later().status) return;
        if (!response.sequence) response.sequence = shown;
        call->answer(std::move(response));
    });
    if (!taken) call->fail(queue_full());
}

// False when the parameter is bad, which has been answered then. Writes have none.
bool read_min_seq(const Call& call, std::uint64_t& min_seq) {
    if (call->method != Method::get || !call->query.has("min_seq")) return true;
    std::vector<Problem> problems;
    min_seq = call->query.integer("min_seq", 0, 0, std::uint64_t{1} << 62U, problems);
    if (problems.empty()) return true;
    call->fail(fields_error(std::move(problems)));
    return false;
}

Error not_yet_shown(std::uint64_t min_seq) {
    return {.kind = ErrorKind::unavailable, .detail = "sequence " + std::to_string(min_seq) + " is not shown yet", .retry_after_s = 1};
}

}  // namespace

void when_shown(const Call& call, Source source, absl::AnyInvocable<void()> then) {
    std::uint64_t min_seq = 0;
    if (!read_min_seq(call, min_seq)) return;
    auto& services = call->services();
    // What the caller names must be shown; his own last write is a courtesy.
    const auto own_write = source == Source::projection && call->caller != nullptr ? call->caller->last_write() : 0;
    const auto target = min_seq > 0 ? min_seq : own_write;
    const auto within = min_seq > 0 ? services.options.min_seq_timeout : services.options.own_write_timeout;
    auto shows = [&services, source, target] {
        return target == 0 || (source == Source::log ? services.engine.durable_head().sequence : services.queries.shown_sequence()) >= target;
    };
    call->worker().wait_until(std::move(shows), within, [call, min_seq, then = std::move(then)](bool in_time) mutable {
        if (in_time || min_seq == 0) then();
        else call->fail(not_yet_shown(min_seq));
    });
}

void in_engine(const Call& call, absl::AnyInvocable<Response(Engine&, Exchange&)> work) {
    when_shown(call, Source::log, [call, work = std::move(work)]() mutable { post_to_engine(call, std::move(work)); });
}

void in_queries(const Call& call, Source source, absl::AnyInvocable<Response(QueryPort&, Exchange&)> work) {
    when_shown(call, source, [call, source, work = std::move(work)]() mutable { post_to_queries(call, source, std::move(work)); });
}

Error queue_full() { return {.kind = ErrorKind::unavailable, .detail = "too much waits already; try again in a moment", .retry_after_s = 1}; }
Error draining_error() { return {.kind = ErrorKind::unavailable, .detail = "the gateway is stopping", .retry_after_s = 5}; }

Response json_answer(int status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

std::size_t page_limit(const Exchange& exchange, std::vector<Problem>& problems) {
    return static_cast<std::size_t>(exchange.query.integer("limit", 100, 1, 1000, problems));
}

}  // namespace touchgate::http
