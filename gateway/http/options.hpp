// How the HTTP server is set up. Made by gateway/app from the configuration, or by a test.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/http/agent_options.hpp"
#include "gateway/http/auth.hpp"
#include "gateway/leads/forms.hpp"

namespace touchgate::http {

struct HttpOptions {
    std::string listen = "127.0.0.1:8080";  // host:port, "[::1]:8080"; port 0: a free one
    std::string tls_certificate = {};       // PEM files; both or neither
    std::string tls_key = {};
    std::string console_dir = {};           // folder of the agent's console; empty: there is none
    int threads = 2;                        // I/O threads, each with its own listener (SO_REUSEPORT)
    int query_threads = 2;                  // for what blocks on disk
    std::size_t connections_max = 2000;     // limits.connections: over it a new connection gets 503 and is closed
    std::size_t intake_queue = 10'000;      // limits.intake_queue of the engine: bulk lines may fill 80 % of it
    std::string default_region = "CN";
    std::vector<ApiKeyOptions> api_keys = {};
    std::map<std::string, leads::Form, std::less<>> forms = {};  // of lead_routing, by name
    crypto::Key body_hash_key{};            // by which bodies of equal idempotency keys are compared; the same after a restart
    AgentOptions agents = {};
    std::string version = "0.1.0";          // of the program, for openapi.json and metrics

    // What is wrong although the gateway runs ("log", "projection", "disk", "clock"), for healthz and metrics; empty: nothing. Any thread.
    std::function<std::vector<std::string>()> faults = {};

    // A caller that stops sending or reading is cut off after these.
    Duration header_timeout{10'000};        // from the first byte of a request to the end of its header
    Duration body_idle_timeout{30'000};     // between two parts of a body, or of an answer that the caller does not read
    Duration keep_alive_timeout{75'000};    // between two requests
    Duration bulk_pressure_timeout{30'000}; // a bulk line that the engine cannot take is answered 503 after this
    Duration min_seq_timeout{5'000};
    Duration own_write_timeout{500};
    Duration long_poll_max{60'000};
    // Answers of a bulk request that its caller has not read yet are kept up to here, for callers that read only after they sent everything.
    std::size_t bulk_unsent_bytes_max = std::size_t{128} << 20U;
};

}  // namespace touchgate::http
