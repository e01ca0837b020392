// What a replay of the log against another policy costs.
#pragma once

#include <cstdint>
#include <string>

namespace touchgate::bench {

// Makes a log of `touches` touches to `contacts` contacts in `folder` through the engine (accepted and delivered, spread over 20 days), then
// replays it against a policy of six rules and prints one JSON line for each kind of history: seconds from opening the files to the sums, and how much
// processor time went into them (on a machine that does other things as well, that is what can be compared). The folder is left for other measurements;
// a log that is there already is used as it is.
void run_replay_bench(const std::string& folder, std::uint64_t touches, std::uint64_t contacts);

}  // namespace touchgate::bench
