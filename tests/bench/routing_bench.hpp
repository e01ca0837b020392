// See routing_bench.cpp.
#pragma once

#include <cstddef>

namespace touchgate::bench {

struct RoutingBench {
    std::size_t agents = 10'000, waiting = 100'000, queues = 200, queues_of_agent = 8;
    double seconds = 3;
};

// The routing core at this size, and beside it a scan of an SQLite database in memory every 100 ms, as a well-known queue module does it. Prints one JSON line each.
void run_routing_bench(const RoutingBench& size);

}  // namespace touchgate::bench
