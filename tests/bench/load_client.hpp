// A load generator for HTTP on keep-alive connections: one thread, epoll, prepared requests, latencies of every answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace touchgate::bench {

struct Load {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    int connections = 1;
    double seconds = 0;       // ends after so long; 0: no limit
    std::uint64_t count = 0;  // ends after so many answers; 0: no limit
    int expected_status = 200;
    // The whole n-th request.
    std::function<std::string(std::uint64_t n)> request;
};

struct LoadResult {
    std::uint64_t answers = 0;
    std::uint64_t wrong = 0;   // status other than expected
    std::uint64_t broken = 0;  // connections that ended
    double seconds = 0;
    double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

// On each connection the next request as soon as the answer to the last is read.
[[nodiscard]] LoadResult run_load(const Load& load);

// A POST with an API key.
[[nodiscard]] std::string post_request(const std::string& path, const std::string& key, const std::string& content_type, const std::string& body);

}  // namespace touchgate::bench
