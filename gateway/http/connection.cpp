// The life of a connection: reading requests with Beast's parser, time-outs, the end. What a request asks for is found out in
// connection_request.cpp, answers are written in connection_answer.cpp, the sockets are in connection_transport.cpp.
#include "gateway/http/connection.hpp"

namespace touchgate::http {

namespace {

namespace beast = boost::beast;
using beast::error_code;

constexpr std::uint32_t header_bytes_max = 16 * 1024;
constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t bulk_read_bytes = 128 * 1024;

Error plain_error(ErrorKind kind, std::string detail) { return {.kind = kind, .detail = std::move(detail)}; }

}  // namespace

Connection::Connection(std::shared_ptr<IoThread> thread) : thread_{std::move(thread)}, services_{thread_->services()} {
    services_.counters.connections_now.fetch_add(1, std::memory_order_relaxed);
    expire_in(services_.options.header_timeout);
}

Connection::~Connection() {
    services_.counters.connections_now.fetch_sub(1, std::memory_order_relaxed);
    thread_->forget(*this);
}

void Connection::start() { begin(); }

void Connection::begin() {
    next_request();
    // A caller who connects and says nothing has less time than one between two requests.
    expire_in(services_.options.header_timeout);
    advance();
}

void Connection::expire_in(Duration from_now) { deadline_ = thread_->coarse_now() + from_now; }

// ---- reading ------------------------------------------------------------------------------------------------------------------

void Connection::next_request() {
    phase_ = Phase::idle;
    body_.clear();
    parser_.emplace();
    parser_->header_limit(header_bytes_max);
    parser_->body_limit(boost::none);  // by route, once it is known
    parser_->get().body() = &body_;
    is_head_ = http_1_0_ = input_left_ = chunked_ = stream_ended_ = false;
    early_.reset();
    caller_ = nullptr;
    expire_in(services_.options.keep_alive_timeout);
}

void Connection::want_read() {
    if (reading_ || phase_ == Phase::closed) return;
    reading_ = true;
    read_some(buffer_.prepare(phase_ == Phase::bulk ? bulk_read_bytes : read_bytes));
}

void Connection::on_read(error_code error, std::size_t bytes) {
    reading_ = false;
    if (phase_ == Phase::closed) return;
    if (error) {
        if (phase_ == Phase::header || phase_ == Phase::body) {
            // The caller may only have ended its side, and still listen.
            refuse_and_close(problem(plain_error(ErrorKind::malformed, "the request ends before it is complete"), language_));
            return;
        }
        if (phase_ == Phase::answering) {  // it no longer sends, and may still read what is being written
            keep_alive_ = input_left_ = false;
            return;
        }
        close();
        return;
    }
    buffer_.commit(bytes);
    if (phase_ == Phase::lingering) buffer_.consume(buffer_.size());
    advance();
}

bool Connection::put(error_code& error) {
    const auto bytes = parser_->put(buffer_.data(), error);
    buffer_.consume(bytes);
    if (error == beast::http::error::need_more) error = {};
    return bytes > 0;
}

void Connection::advance() {
    for (;;) {
        switch (phase_) {
            case Phase::idle:
            case Phase::header:
                if (!advance_header()) return;
                break;
            case Phase::body:
                if (!advance_body()) return;
                break;
            case Phase::bulk:
                if (!advance_bulk()) return;
                break;
            case Phase::lingering: want_read(); return;
            default: return;
        }
    }
}

bool Connection::advance_header() {
    if (buffer_.size() == 0) {
        want_read();
        return false;
    }
    if (phase_ == Phase::idle) {
        phase_ = Phase::header;
        expire_in(services_.options.header_timeout);
    }
    error_code error;
    put(error);
    if (error) {
        bad_request(error);
        return false;
    }
    if (!parser_->is_header_done()) {
        want_read();
        return false;
    }
    return on_header();
}

bool Connection::advance_body() {
    while (!parser_->is_done()) {
        error_code error;
        if (buffer_.size() == 0 || !put(error)) {
            if (error) {
                bad_request(error);
                return false;
            }
            expire_in(services_.options.body_idle_timeout);
            want_read();
            return false;
        }
        if (error) {
            bad_request(error);
            return false;
        }
    }
    dispatch();
    return false;
}

bool Connection::advance_bulk() {
    expire_in(services_.options.body_idle_timeout);
    while (!parser_->is_done()) {
        if (!bulk_->wants_more()) return false;  // resume() goes on
        error_code error;
        const bool took = buffer_.size() > 0 && put(error);
        if (error) {
            // A broken chunk: what was read is answered, then the connection ends.
            keep_alive_ = false;
            input_left_ = true;
            break;
        }
        if (!body_.empty()) {
            bulk_->feed(body_);
            body_.clear();
        }
        if (!took) {
            want_read();
            return false;
        }
    }
    phase_ = Phase::waiting;
    bulk_->finish();
    return false;
}

void Connection::resume() {
    if (phase_ == Phase::bulk) advance();
}

void Connection::bad_request(error_code error) {
    using Reason = beast::http::error;
    if (error == Reason::header_limit) {
        refuse_and_close(problem(plain_error(ErrorKind::too_large, "the header is larger than 16 KiB"), language_, {}, 431));
    } else if (error == Reason::body_limit) {
        count_refused_hook("TOO_LARGE");
        refuse_and_close(
            problem(plain_error(ErrorKind::too_large,
                                "the body is larger than " + std::to_string(match_.route ? match_.route->body_max : body_bytes_max) + " bytes"),
                    language_));
    } else {
        refuse_and_close(problem(plain_error(ErrorKind::malformed, "not a valid HTTP request: " + error.message()), language_));
    }
}

void Connection::time_out() {
    switch (phase_) {
        case Phase::header:
            refuse_and_close(problem(plain_error(ErrorKind::malformed, "the request's header did not arrive in time"), language_, {}, 408));
            break;
        case Phase::body:
            refuse_and_close(problem(plain_error(ErrorKind::malformed, "the request's body stopped arriving"), language_, {}, 408));
            break;
        case Phase::waiting:
        case Phase::streaming:
        case Phase::bulk:
            // A caller who does not read, or who stopped in the middle of a bulk request, is cut off; one who waits for us is not.
            if (writing_ || (phase_ == Phase::bulk && reading_ && !bulk_->is_busy())) close();
            else expire_in(services_.options.body_idle_timeout);
            break;
        default: close();
    }
}

void Connection::close_if_idle(bool forced) {
    keep_alive_ = false;
    if (forced || phase_ == Phase::idle || phase_ == Phase::lingering) close();
}

void Connection::close() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    if (bulk_) {
        bulk_->abandon();
        bulk_.reset();
    }
    close_socket();
}

}  // namespace touchgate::http
