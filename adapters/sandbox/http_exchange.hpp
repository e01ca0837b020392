// HTTP requests and answers as values, and the little of URLs that the simulated clouds need. No sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sandbox/now.hpp"

namespace touchgate::sandbox {

struct HttpRequest {
    std::string method;
    std::string target;                                        // path and query as on the wire
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in wire order
    std::string body;

    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;  // "" when absent
    [[nodiscard]] std::string_view path() const;
    [[nodiscard]] std::string_view query() const;  // without '?'
};

struct HttpReply {
    int status = 200;
    std::string content_type = "application/json; charset=utf-8";
    std::string body = {};
    std::chrono::nanoseconds delay{0};  // before it is sent
    bool hang_up = false;               // the connection is closed without an answer
};

// A request that a simulated provider makes of its own accord.
struct OutgoingRequest {
    std::uint64_t id = 0;  // for on_callback_answer
    std::string url;       // http://host:port/path
    std::string body;
    std::string method = "POST";
    std::string content_type = "application/json; charset=utf-8";
};

// A simulated provider behind HTTP. The driver answers requests with `handle`, sends what `take_requests` gives when `wake_at` (on the
// monotonic time) has come, and tells `on_callback_answer` what became of each. All calls from one thread.
class HttpPeer {
public:
    HttpPeer() = default;
    virtual ~HttpPeer() = default;
    HttpPeer(const HttpPeer&) = delete;
    HttpPeer& operator=(const HttpPeer&) = delete;

    [[nodiscard]] virtual HttpReply handle(const HttpRequest& request, Now now) = 0;
    [[nodiscard]] virtual std::vector<OutgoingRequest> take_requests(Now now) = 0;
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> wake_at() const = 0;
    // `status` 0: not reached, broken off or timed out.
    virtual void on_callback_answer(std::uint64_t id, int status, std::string_view body, Now now) = 0;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=%20" with percent signs and '+' decoded. A malformed escape stays as it is.
[[nodiscard]] Parameters parse_parameters(std::string_view text);
// The first value of `name`, or "".
[[nodiscard]] std::string_view value_of(const Parameters& parameters, std::string_view name);
// The same as a number from 0; `fallback` when it is none.
[[nodiscard]] std::uint64_t number_of(const Parameters& parameters, std::string_view name, std::uint64_t fallback);
[[nodiscard]] std::string percent_decode(std::string_view text);
// RFC 3986: all but letters, digits and -_.~ as %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace touchgate::sandbox
