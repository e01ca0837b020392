// Thousands of agents' sockets on one gateway: what each takes, how fast one change reaches all of them, how fast all come back, how fast an
// offer reaches the one it is for, how many conversations a second are offered, taken and closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace touchgate::bench {

struct AgentBench {
    std::uint16_t port = 0;      // of a gateway on this machine …
    int process = 0;             // … its process, whose memory is read …
    std::string key;             // … and an API key with the scopes agents and admin
    std::size_t agents = 10'000;
    std::size_t at_work = 1'000; // of them, while offers are timed
    std::size_t offers = 5'000;  // timed, at `offers_per_second`
    double offers_per_second = 500;
    std::size_t backlog = 20'000;  // conversations that wait when all begin to work
};

// Prints JSON lines. False: something did not come in time.
bool run_agent_bench(const AgentBench& bench);

}  // namespace touchgate::bench
