// A load generator for HTTP on keep-alive connections: one thread, epoll, prepared requests, latencies of every answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace touchgate::bench {

struct LoadResult {
    std::uint64_t answers = 0;
    std::uint64_t wrong = 0;         // status other than expected
    double seconds = 0;
    double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

// Sends what `next_body` gives as POST `path` on each connection, the next as soon as the answer is read, for `seconds`.
LoadResult run_load(const std::string& host, std::uint16_t port, const std::string& path, const std::string& key, const std::string& content_type, int connections,
                    double seconds, const std::string& expected_status, const std::function<std::string(std::uint64_t n)>& next_body);

// A server that reads requests and answers each with a small fixed body: the limit of HTTP on this machine. Returns its port; runs until
// the process ends.
std::uint16_t start_echo_server();

}  // namespace touchgate::bench
