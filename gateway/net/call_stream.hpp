// The event stream of a telephone system on a real socket: a WebSocket, or plain bytes; with or without TLS.
#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "gateway/channel/call_adapter.hpp"

namespace touchgate::net {

class CallStreamListener {
public:
    virtual ~CallStreamListener() = default;
    virtual void on_stream_open() = 0;
    virtual void on_stream_bytes(std::string_view bytes) = 0;  // a whole message of a WebSocket
    // The stream is gone and calls nobody any more. `credentials`: the other side refused the user.
    virtual void on_stream_closed(std::string reason, bool credentials) = 0;
};

class CallStream {
public:
    // A longer message ends the stream.
    static constexpr std::size_t message_bytes_max = 16 * 1024 * 1024;

    virtual ~CallStream() = default;
    virtual void open() = 0;
    // A text frame, or bytes. Any number may wait.
    virtual void write(std::string bytes) = 0;
    virtual void close_when_written() = 0;
    // At once, without a word to the listener.
    virtual void close() = 0;
};

// `listener` must outlive the stream, or be told off by close(). `ca_file` is used where the stream names none.
// Nothing when the URL is none of ws, wss, tcp, tls.
[[nodiscard]] std::shared_ptr<CallStream> make_call_stream(boost::asio::io_context& io, CallStreamListener& listener, const channel::CallAdapter::Stream& stream,
                                                           const std::string& ca_file);

}  // namespace touchgate::net
