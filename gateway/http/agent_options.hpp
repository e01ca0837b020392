// How agents' connections are set up; from the configuration's `agents`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::http {

struct AgentOptions {
    std::vector<std::string> origins = {};               // pages that may connect ("https://desk.example.com"); empty: any
    Duration token_ttl{std::chrono::hours{8}};           // of a token for which nothing else is asked
    Duration token_ttl_max{std::chrono::hours{24 * 7}};
    Duration lease{15'000};                              // heartbeats come at least three times as often
    Duration token_notice{std::chrono::minutes{5}};      // so long before its end the desktop is told
    std::size_t connections_per_agent = 8;
    std::size_t connections_max = 20'000;                // of all agents, beside those of the API
    crypto::Key token_key{};                             // signs tokens; the same after a restart
};

}  // namespace touchgate::http
