// HTTP requests over libcurl on an Asio loop: many at once, each made once. Knows nothing of adapters or permits.
//
// libcurl repeats a request silently when a reused connection dies, on some HTTP/2 errors and on some authentication answers. Here nothing
// is ever repeated: right before each first byte of a request libcurl asks (CURLOPT_PREREQFUNCTION), and the second time it asks for the same
// exchange the answer is no; besides, no second connection is opened for it, and redirects and authentication are off.
//
// The cost of one request grows with the transfers of one multi handle, so each handle ("lane") takes at most lane_transfers_max.
#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/net/exchange_machine.hpp"

namespace touchgate::net {

struct HttpSettings {
    std::string ca_file = {};               // PEM; empty: the system's authorities
    std::optional<std::string> proxy = {};  // none: as the environment says; "": no proxy
    Duration connect_timeout{10'000};
    bool tls_verify = true;
    Duration idle_connection_max{30'000};   // a connection that was idle for longer is not used again: servers drop them, likeliest in that very moment
    std::size_t response_bytes_max = 4 * 1024 * 1024;  // a longer answer counts as unreadable
    // HTTP/1.1 by default: a server that ends an HTTP/2 connection (as common ones do after every thousand requests) takes all requests
    // in flight with it, and each would be `unknown`.
    // HTTP/2 is spoken where TLS agrees on it (libcurl 7.88 cannot reuse connections of HTTP/2 without TLS).
    enum class Version : std::uint8_t { http_1_1, http_2 } version = Version::http_1_1;
};

class HttpListener {
public:
    virtual ~HttpListener() = default;
    // The connection stands and the request's first byte would be next. False: nothing is written and the exchange is over, unreported.
    // Called from inside libcurl: must not call the client.
    [[nodiscard]] virtual bool on_first_byte(ExchangeId id) = 0;
    virtual void on_response(ExchangeId id, channel::HttpResponse response) = 0;
    // `bytes_left`: on_first_byte had allowed the request, so the peer may have seen it.
    virtual void on_failure(ExchangeId id, bool bytes_left, std::string reason) = 0;
    // After one or several of the above, outside libcurl: the client may be called again.
    virtual void on_turn_end() = 0;
};

class CurlClient {
public:
    static constexpr std::size_t lane_transfers_max = 128;

    // References must outlive the client. One thread. Destroy it only when `io` runs no more.
    CurlClient(boost::asio::io_context& io, HttpSettings settings, HttpListener& listener);
    ~CurlClient();
    CurlClient(const CurlClient&) = delete;
    CurlClient& operator=(const CurlClient&) = delete;

    void start(HttpExchange exchange);
    // Without a report. Unknown ids are ignored.
    void cancel(ExchangeId id);
    [[nodiscard]] std::size_t transfers() const;
    [[nodiscard]] std::size_t lanes() const;

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace touchgate::net
