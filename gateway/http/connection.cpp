#include "gateway/http/connection.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>

#include "gateway/base/text.hpp"

namespace touchgate::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using beast::error_code;

constexpr std::uint32_t header_bytes_max = 16 * 1024;
constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t bulk_read_bytes = 128 * 1024;
constexpr Duration lingering{2'000};

bool is_json(std::string_view type) { return type == "application/json"; }

// The media type without its parameters, in lower case; "?" when it names another charset than UTF-8.
std::string media_type(std::string_view content_type) {
    const auto parts = split(content_type, ';');
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto parameter = to_lower_ascii(trim(parts[i]));
        if (parameter.starts_with("charset=") && parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"") return "?";
    }
    return to_lower_ascii(trim(parts[0]));
}

void append_chunk(std::string& out, std::string_view part) {
    constexpr char digits[] = "0123456789abcdef";
    char size[16];
    std::size_t at = sizeof size;
    for (auto rest = part.size(); rest != 0; rest >>= 4U) size[--at] = digits[rest & 15U];
    out.append(size + at, sizeof size - at);
    out += "\r\n";
    out += part;
    out += "\r\n";
}

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
        refuse_and_close(problem(plain_error(ErrorKind::too_large, "the body is larger than " + std::to_string(match_.route ? match_.route->body_max : body_bytes_max) +
                                                                       " bytes"),
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
        case Phase::waiting: expire_in(services_.options.body_idle_timeout); break;
        case Phase::bulk:
            // Held by the engine's pressure, the caller is not to blame.
            if (!reading_ && !writing_) expire_in(services_.options.body_idle_timeout);
            else close();
            break;
        case Phase::streaming:
            if (!writing_) expire_in(services_.options.body_idle_timeout);
            else close();
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

// ---- what is asked for, and by whom -------------------------------------------------------------------------------------------

std::string_view Connection::header(std::string_view name) const {
    const auto& message = parser_->get();
    const auto found = message.find(beast::string_view{name.data(), name.size()});
    if (found == message.end()) return {};
    return {found->value().data(), found->value().size()};
}

bool Connection::on_header() {
    const auto& message = parser_->get();
    services_.counters.requests.fetch_add(1, std::memory_order_relaxed);
    keep_alive_ = message.keep_alive() && !services_.draining.load(std::memory_order_relaxed);
    http_1_0_ = message.version() < 11;
    const std::string_view word{message.method_string().data(), message.method_string().size()};
    is_head_ = word == "HEAD";
    method_ = parse_method(word);
    const auto accept_language = header("Accept-Language");
    language_ = accept_language.empty() ? Language::english : preferred_language(accept_language);
    traceparent_ = std::string{header("traceparent")};
    if (traceparent_.size() > 256) traceparent_.clear();

    std::string_view target{message.target().data(), message.target().size()};
    if (target.starts_with("http://") || target.starts_with("https://")) {
        const auto slash = target.find('/', 8);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    const auto question = target.find('?');
    path_.assign(target.substr(0, question));
    raw_query_.assign(question == std::string_view::npos ? std::string_view{} : target.substr(question + 1));
    match_ = services_.router.match(method_, path_);
    early_ = refusal(match_);

    const bool done = parser_->is_done();
    const bool expects_continue = !done && to_lower_ascii(header("Expect")) == "100-continue";
    const auto length = parser_->content_length();
    const auto body_max = match_.route != nullptr ? match_.route->body_max : body_bytes_max;
    const bool bulk = match_.route != nullptr && match_.route->bulk != nullptr;
    const bool too_long = !bulk && length && *length > body_max;
    if (too_long && !early_)
        early_ = problem(plain_error(ErrorKind::too_large, "the body is larger than " + std::to_string(body_max) + " bytes"), language_);
    // A refused body that is short is read first, so that the connection can go on.
    const bool endless = bulk && (!length || *length > body_bytes_max);
    if (early_ && !done && (expects_continue || endless || too_long)) {
        refuse_and_close(std::move(*early_));
        return false;
    }
    if (!bulk || early_) parser_->body_limit(body_max);
    parser_->eager(true);
    phase_ = Phase::body;
    if (bulk && !early_) start_bulk(make_call());
    if (expects_continue) {
        next_out_ += "HTTP/1.1 100 Continue\r\n\r\n";
        start_write();
    }
    return true;
}

std::optional<Response> Connection::refusal(RouteMatch& match) {
    if (match.route == nullptr) {
        if (match.allow.empty()) return problem(plain_error(ErrorKind::not_found, "there is nothing at this path"), language_);
        auto response = problem(plain_error(ErrorKind::not_allowed, "the path takes " + match.allow), language_);
        response.headers.emplace_back("Allow", match.allow);
        return response;
    }
    const auto& route = *match.route;
    if (services_.draining.load(std::memory_order_relaxed) && !route.while_draining) return problem(draining_error(), language_);
    if (route.scope.empty()) return media_type_refusal(route);
    const auto authorization = header("Authorization");
    // Hashing the key again is spared while a connection repeats it.
    if (authorized_ == nullptr || authorization != authorization_) {
        authorized_ = services_.keys->find(authorization);
        authorization_.assign(authorized_ != nullptr ? authorization : std::string_view{});
    }
    caller_ = authorized_;
    if (caller_ == nullptr) return problem(plain_error(ErrorKind::unauthorized, "send a known API key as \"Authorization: Bearer …\""), language_);
    access_ = caller_->access(route.scope);
    if (!access_.granted && !route.other_scope.empty()) access_ = caller_->access(route.other_scope);
    if (!access_.granted)
        return problem(plain_error(ErrorKind::forbidden, "this needs the scope \"" + std::string{route.scope} + "\", which the API key does not have"), language_);
    if (caller_->rate() != nullptr) {
        if (const int wait_s = caller_->rate()->take(services_.clock.monotonic_now()); wait_s > 0)
            return problem({.kind = ErrorKind::rate_limited, .detail = "this API key sends faster than its rate allows", .retry_after_s = wait_s}, language_);
    }
    return media_type_refusal(route);
}

std::optional<Response> Connection::media_type_refusal(const Route& route) const {
    const auto content_type = header("Content-Type");
    if (content_type.empty() || route.body == BodyKind::none || route.body == BodyKind::any) return std::nullopt;
    const auto type = media_type(content_type);
    bool fits = false;
    std::string_view wanted = "application/json";
    switch (route.body) {
        case BodyKind::json: fits = is_json(type); break;
        case BodyKind::merge_patch: fits = is_json(type) || type == "application/merge-patch+json"; break;
        case BodyKind::ndjson:
            wanted = "application/x-ndjson";
            fits = type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl" || type == "application/x-jsonlines";
            break;
        default: fits = true;
    }
    if (fits) return std::nullopt;
    return problem(plain_error(ErrorKind::unsupported, "send the body as " + std::string{wanted} + " in UTF-8"), language_);
}

Call Connection::make_call() {
    auto call = std::make_shared<Exchange>(services_, *thread_, shared_from_this(), body_);
    call->method = method_;
    call->route = match_.route;
    call->path = std::move(match_.parameters);
    if (!raw_query_.empty()) {
        call->query = QueryParameters{raw_query_};
        call->raw_query = std::move(raw_query_);
    }
    call->caller = caller_;
    call->access = access_;
    call->language = language_;
    return call;
}

void Connection::dispatch() {
    phase_ = Phase::waiting;
    expire_in(services_.options.body_idle_timeout);
    if (early_) {
        deliver(std::move(*early_));
        return;
    }
    if (body_.capacity() < body_.size() + TouchIntake::padding_bytes) body_.reserve(body_.size() + TouchIntake::padding_bytes);
    match_.route->handler(make_call());
}

// ---- writing ------------------------------------------------------------------------------------------------------------------

void Connection::append_head(std::string& out, const Response& response, bool chunked) const {
    out += "HTTP/1.1 ";
    out += std::to_string(response.status);
    out += ' ';
    out += reason_phrase(response.status);
    out += "\r\nDate: ";
    out += thread_->date();
    if (response.status != 204 && !response.content_type.empty()) {
        out += "\r\nContent-Type: ";
        out += response.content_type;
    }
    if (chunked) {
        out += "\r\nTransfer-Encoding: chunked";
    } else if (response.status != 204) {
        out += "\r\nContent-Length: ";
        out += std::to_string(response.body.size());
    }
    if (response.sequence) {
        out += "\r\nTouchgate-Seq: ";
        out += std::to_string(*response.sequence);
    }
    if (!traceparent_.empty()) {
        out += "\r\ntraceparent: ";
        out += traceparent_;
    }
    for (const auto& [name, value] : response.headers) {
        out += "\r\n";
        out += name;
        out += ": ";
        out += value;
    }
    if (!keep_alive_) out += "\r\nConnection: close";
    else if (http_1_0_) out += "\r\nConnection: keep-alive";
    out += "\r\n\r\n";
}

void Connection::deliver(Response response) {
    if (phase_ == Phase::closed || phase_ == Phase::lingering || phase_ == Phase::answering) return;
    if (phase_ == Phase::bulk || bulk_) {  // a bulk session was dropped without an end: nothing sensible can follow
        close();
        return;
    }
    services_.counters.answers_by_class[static_cast<std::size_t>(std::clamp(response.status / 100, 0, 5))].fetch_add(1, std::memory_order_relaxed);
    if (services_.draining.load(std::memory_order_relaxed)) keep_alive_ = false;
    phase_ = Phase::answering;
    expire_in(services_.options.body_idle_timeout);
    append_head(next_out_, response, false);
    if (!is_head_ && response.status != 204) next_out_ += response.body;
    start_write();
}

void Connection::refuse_and_close(Response response) {
    keep_alive_ = false;
    input_left_ = true;
    phase_ = Phase::waiting;
    deliver(std::move(response));
}

void Connection::start_write() {
    if (writing_ || next_out_.empty() || phase_ == Phase::closed) return;
    writing_ = true;
    out_.swap(next_out_);
    next_out_.clear();
    write_all(asio::buffer(out_));
}

void Connection::on_written(error_code error) {
    writing_ = false;
    out_.clear();
    constexpr std::size_t kept_bytes = 64 * 1024;
    if (out_.capacity() > kept_bytes) out_.shrink_to_fit();
    if (phase_ == Phase::closed) return;
    if (error) {
        close();
        return;
    }
    if (!next_out_.empty()) {
        expire_in(services_.options.body_idle_timeout);
        start_write();
        return;
    }
    if (phase_ == Phase::answering || (phase_ == Phase::streaming && stream_ended_)) {
        answer_sent();
    } else if (bulk_) {
        const auto session = bulk_;
        session->output_sent();
    }
}

void Connection::answer_sent() {
    if (keep_alive_) {
        constexpr std::size_t kept_bytes = 256 * 1024;
        if (body_.capacity() > kept_bytes) body_ = {};
        next_request();
        advance();
        return;
    }
    if (!input_left_) {
        close();
        return;
    }
    // Closing with unread input would reset the connection, and the caller might never see the answer.
    shut_down_sending();
    phase_ = Phase::lingering;
    expire_in(lingering);
    advance();
}

void Connection::begin_stream(Response head) {
    if (phase_ != Phase::waiting) return;
    phase_ = Phase::streaming;
    chunked_ = !http_1_0_;
    if (!chunked_) keep_alive_ = false;
    head.headers.emplace_back("Cache-Control", "no-store");
    append_head(next_out_, head, chunked_);
    expire_in(services_.options.body_idle_timeout);
    start_write();
}

void Connection::stream(std::string part) {
    if (phase_ != Phase::streaming || part.empty()) return;
    if (chunked_) append_chunk(next_out_, part);
    else next_out_ += part;
    if (!writing_) expire_in(services_.options.body_idle_timeout);
    start_write();
}

void Connection::end_stream() {
    if (phase_ != Phase::streaming) return;
    stream_ended_ = true;
    if (chunked_) next_out_ += "0\r\n\r\n";
    if (next_out_.empty() && !writing_) answer_sent();
    else start_write();
}

// ---- bulk ---------------------------------------------------------------------------------------------------------------------

void Connection::start_bulk(const Call& call) {
    phase_ = Phase::bulk;
    call->take_over();
    bulk_head_sent_ = bulk_ended_ = bulk_flush_scheduled_ = false;
    bulk_parts_.clear();
    bulk_sequence_ = 0;
    bulk_ = std::make_shared<BulkSession>(call, call->route->bulk(*call), *this);
}

void Connection::write(std::string part) {
    if (bulk_parts_.empty()) bulk_parts_ = std::move(part);
    else bulk_parts_ += part;
    if (bulk_flush_scheduled_) return;
    // Later, so that a request whose answer is complete by then is answered in one piece, with a length and its Touchgate-Seq.
    bulk_flush_scheduled_ = true;
    thread_->later([self = shared_from_this()] { self->flush_bulk(); });
}

void Connection::end(std::uint64_t sequence) {
    bulk_ended_ = true;
    bulk_sequence_ = sequence;
    if (bulk_flush_scheduled_) return;
    bulk_flush_scheduled_ = true;
    thread_->later([self = shared_from_this()] { self->flush_bulk(); });
}

void Connection::flush_bulk() {
    bulk_flush_scheduled_ = false;
    if (phase_ == Phase::closed) return;
    Response head{.status = 200, .content_type = "application/x-ndjson"};
    if (!bulk_head_sent_ && bulk_ended_) {
        bulk_.reset();
        head.body = std::move(bulk_parts_);
        head.sequence = bulk_sequence_;
        bulk_parts_.clear();
        phase_ = Phase::waiting;
        deliver(std::move(head));
        return;
    }
    if (!bulk_head_sent_) {
        bulk_head_sent_ = true;
        chunked_ = !http_1_0_;
        if (chunked_) head.headers.emplace_back("Trailer", "Touchgate-Seq");
        else keep_alive_ = false;
        services_.counters.answers_by_class[2].fetch_add(1, std::memory_order_relaxed);
        append_head(next_out_, head, chunked_);
    }
    if (!bulk_parts_.empty()) {
        if (chunked_) append_chunk(next_out_, bulk_parts_);
        else next_out_ += bulk_parts_;
        bulk_parts_.clear();
    }
    if (bulk_ended_) {
        if (chunked_) next_out_ += "0\r\nTouchgate-Seq: " + std::to_string(bulk_sequence_) + "\r\n\r\n";
        bulk_.reset();
        phase_ = Phase::answering;
    }
    if (!writing_) expire_in(services_.options.body_idle_timeout);
    if (bulk_ended_ && next_out_.empty() && !writing_) answer_sent();
    else start_write();
}

// ---- transports ---------------------------------------------------------------------------------------------------------------

namespace {

class PlainConnection final : public Connection {
public:
    PlainConnection(std::shared_ptr<IoThread> thread, Socket socket) : Connection{std::move(thread)}, socket_{std::move(socket)} {}

private:
    std::shared_ptr<PlainConnection> self() { return std::static_pointer_cast<PlainConnection>(shared_from_this()); }
    void read_some(asio::mutable_buffer to) override {
        socket_.async_read_some(to, [self = self()](error_code error, std::size_t bytes) { self->on_read(error, bytes); });
    }
    void write_all(asio::const_buffer from) override {
        asio::async_write(socket_, from, [self = self()](error_code error, std::size_t) { self->on_written(error); });
    }
    void shut_down_sending() override {
        error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    }
    void close_socket() override {
        error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_both, ignored);
        socket_.close(ignored);
    }
    Socket socket_;
};

class TlsConnection final : public Connection {
public:
    TlsConnection(std::shared_ptr<IoThread> thread, Socket socket, asio::ssl::context& tls)
        : Connection{std::move(thread)}, stream_{std::move(socket), tls} {}

    void start() override {
        stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](error_code error) {
            if (error) self->close();
            else self->begin();
        });
    }

private:
    std::shared_ptr<TlsConnection> self() { return std::static_pointer_cast<TlsConnection>(shared_from_this()); }
    void read_some(asio::mutable_buffer to) override {
        stream_.async_read_some(to, [self = self()](error_code error, std::size_t bytes) { self->on_read(error, bytes); });
    }
    void write_all(asio::const_buffer from) override {
        asio::async_write(stream_, from, [self = self()](error_code error, std::size_t) { self->on_written(error); });
    }
    void shut_down_sending() override {
        error_code ignored;
        stream_.next_layer().shutdown(asio::socket_base::shutdown_send, ignored);
    }
    void close_socket() override {
        error_code ignored;
        stream_.next_layer().shutdown(asio::socket_base::shutdown_both, ignored);
        stream_.next_layer().close(ignored);
    }
    asio::ssl::stream<Socket> stream_;
};

}  // namespace

std::shared_ptr<Connection> make_connection(std::shared_ptr<IoThread> thread, Socket socket, asio::ssl::context* tls) {
    if (tls != nullptr) return std::make_shared<TlsConnection>(std::move(thread), std::move(socket), *tls);
    return std::make_shared<PlainConnection>(std::move(thread), std::move(socket));
}

}  // namespace touchgate::http
