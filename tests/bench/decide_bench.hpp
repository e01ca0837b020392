// See decide_bench.cpp.
#pragma once

#include <cstddef>

namespace touchgate::bench {

// Makes `contacts` contacts with up to five earlier touches each and decides for random ones during `seconds` under a policy of `rules`
// rules (at least 6). Prints one JSON line to stdout; 0 when it ran.
int run_decide_bench(std::size_t contacts, int rules, double seconds);

}  // namespace touchgate::bench
