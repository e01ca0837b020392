// See decide_bench.cpp.
#pragma once

#include <cstddef>
#include <string>

namespace touchgate::bench {

// Makes `contacts` contacts with up to five earlier touches each and decides for random ones during `seconds` under a policy of `rules`
// rules (at least 6). Prints one JSON line to stdout; 0 when it ran.
int run_decide_bench(std::size_t contacts, int rules, double seconds);

// The same under a policy file, with its includes and calendars (`../calendars` beside the file's folder): one line for noon, when most
// touches go, and one for midnight, when an earliest instant must be found for all of them.
int run_policy_bench(std::size_t contacts, const std::string& file, double seconds);

}  // namespace touchgate::bench
