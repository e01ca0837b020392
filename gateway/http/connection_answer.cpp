// Writing answers: whole ones, streams of events, and the lines of bulk requests.
#include <algorithm>

#include "gateway/http/agent_socket.hpp"
#include "gateway/http/connection.hpp"

namespace touchgate::http {

namespace {

using boost::beast::error_code;

constexpr Duration lingering{2'000};

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

}  // namespace

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
    } else if (response.status != 204 && response.status != 304) {
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
    write_all(boost::asio::buffer(out_));
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

bool Connection::upgrade(AgentUpgrade to) {
    // Frames that were sent before the answer belong to no protocol.
    if (phase_ != Phase::waiting || reading_ || writing_ || buffer_.size() > 0 || services_.draining.load(std::memory_order_relaxed)) return false;
    services_.counters.answers_by_class[1].fetch_add(1, std::memory_order_relaxed);
    phase_ = Phase::closed;
    become_agent_socket({.head = parser_->get().base(), .upgrade = std::move(to)});
    return true;
}

// ---- bulk ---------------------------------------------------------------------------------------------------------------------

void Connection::start_bulk(const Call& call) {
    phase_ = Phase::bulk;
    call->take_over();
    bulk_head_sent_ = bulk_ended_ = bulk_flush_scheduled_ = false;
    bulk_parts_.clear();
    bulk_sequence_ = 0;
    bulk_answer_.reset();
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

void Connection::end(std::uint64_t sequence, std::optional<Response> answer) {
    bulk_ended_ = true;
    bulk_sequence_ = sequence;
    bulk_answer_ = std::move(answer);
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
        if (bulk_answer_) head = std::move(*bulk_answer_);
        else head.body = std::move(bulk_parts_);
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

}  // namespace touchgate::http
