// One connection: reads requests with Beast's parser, finds out who asks for what, hands an Exchange to the endpoint, writes the answer.
//
//   idle → header → body → waiting → answering → idle …
//                 ↘ bulk (reads and writes at once) ↗        any → lingering → closed
//
// One request at a time; what is pipelined waits in the buffer. All on the connection's I/O thread.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "gateway/http/bulk.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/io_thread.hpp"

namespace touchgate::http {

struct AgentSocketStart;

// A body that is appended to a string as it arrives, whole or in parts.
struct AppendBody {
    using value_type = std::string*;
    class reader {
    public:
        template <bool is_request, class Fields>
        reader(boost::beast::http::header<is_request, Fields>&, value_type& to) : to_{&to} {}  // set after the parser is made
        void init(const boost::optional<std::uint64_t>& length, boost::beast::error_code& error) {
            error = {};
            if (length && *length <= body_bytes_max) (*to_)->reserve(static_cast<std::size_t>(*length) + TouchIntake::padding_bytes);
        }
        template <class Buffers> std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
            error = {};
            std::size_t bytes = 0;
            for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers); ++it) {
                const boost::asio::const_buffer buffer{*it};
                (*to_)->append(static_cast<const char*>(buffer.data()), buffer.size());
                bytes += buffer.size();
            }
            return bytes;
        }
        void finish(boost::beast::error_code& error) { error = {}; }

    private:
        value_type* to_;
    };
};

class Connection : public ExchangeSink, public BulkOutput, public Tended, public std::enable_shared_from_this<Connection> {
public:
    explicit Connection(std::shared_ptr<IoThread> thread);
    ~Connection() override;

    virtual void start();
    // ---- Tended
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override { return deadline_; }
    void time_out() override;
    void close_if_idle(bool forced) override;
    [[nodiscard]] std::shared_ptr<Tended> alive() override { return weak_from_this().lock(); }

    // ---- ExchangeSink
    [[nodiscard]] std::string_view header(std::string_view name) const override;
    void deliver(Response response) override;
    void begin_stream(Response head) override;
    void stream(std::string part) override;
    void end_stream() override;
    bool upgrade(AgentUpgrade to) override;
    // ---- both
    [[nodiscard]] bool is_open() const override { return phase_ != Phase::closed && phase_ != Phase::lingering; }
    [[nodiscard]] std::size_t unsent_bytes() const override { return out_.size() + next_out_.size() + bulk_parts_.size(); }
    // ---- BulkOutput
    void write(std::string part) override;
    void end(std::uint64_t sequence, std::optional<Response> answer) override;
    void resume() override;

protected:
    // The transport: one read and one write may be under way. They call back `on_read`, `on_written`.
    virtual void read_some(boost::asio::mutable_buffer to) = 0;
    virtual void write_all(boost::asio::const_buffer from) = 0;
    virtual void shut_down_sending() = 0;
    virtual void close_socket() = 0;
    // Gives the socket away, which answers the handshake and goes on as a WebSocket.
    virtual void become_agent_socket(const AgentSocketStart& start) = 0;
    [[nodiscard]] const std::shared_ptr<IoThread>& thread() const { return thread_; }

    void on_read(boost::beast::error_code error, std::size_t bytes);
    // Some of what is being written has left.
    void on_write_progress() { expire_in(services_.options.body_idle_timeout); }
    void on_written(boost::beast::error_code error);
    // Reads the first request.
    void begin();
    void close();
    void expire_in(Duration from_now);

private:
    enum class Phase : std::uint8_t { idle, header, body, bulk, waiting, answering, streaming, lingering, closed };
    using Parser = boost::beast::http::request_parser<AppendBody>;

    void next_request();
    void advance();
    bool advance_header();  // false: stop, something is under way
    bool advance_body();
    bool advance_bulk();
    bool put(boost::beast::error_code& error);  // true if the parser took anything
    void want_read();
    bool on_header();
    std::optional<Response> refusal(RouteMatch& match);
    void count_refused_hook(std::string_view reason) const;  // of a callback that no adapter sees
    std::optional<Response> media_type_refusal(const Route& route) const;
    void dispatch();
    void start_bulk(const Call& call);
    void refuse_and_close(Response response);
    void bad_request(boost::beast::error_code error);
    [[nodiscard]] Call make_call();
    void append_head(std::string& out, const Response& response, bool chunked) const;
    void start_write();
    void flush_bulk();
    void answer_sent();

    std::shared_ptr<IoThread> thread_;
    Services& services_;
    boost::beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    std::string body_;
    std::string out_;       // being written
    std::string next_out_;  // to be written after it
    Phase phase_ = Phase::idle;
    std::chrono::steady_clock::time_point deadline_;
    bool reading_ = false;
    bool writing_ = false;
    bool keep_alive_ = true;
    bool is_head_ = false;
    bool http_1_0_ = false;
    bool input_left_ = false;  // the request was not read to its end: linger before closing
    bool chunked_ = false;
    bool stream_ended_ = false;

    RouteMatch match_;
    Method method_ = Method::other;
    std::string path_;
    std::string raw_query_;
    std::string traceparent_;
    std::optional<Response> early_;  // the answer is known before the body is read
    const Caller* caller_ = nullptr;
    Access access_;
    Language language_ = Language::english;
    std::string authorization_;      // of the last request, with the caller it named
    const Caller* authorized_ = nullptr;

    std::shared_ptr<BulkSession> bulk_;
    std::string bulk_parts_;
    bool bulk_flush_scheduled_ = false;
    bool bulk_head_sent_ = false;
    bool bulk_ended_ = false;
    std::uint64_t bulk_sequence_ = 0;
    std::optional<Response> bulk_answer_;
};

// `tls` null: plain.
[[nodiscard]] std::shared_ptr<Connection> make_connection(std::shared_ptr<IoThread> thread, Socket socket, boost::asio::ssl::context* tls);

}  // namespace touchgate::http
