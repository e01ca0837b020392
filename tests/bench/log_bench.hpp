// What the touch log costs, beside what the disk costs.
#pragma once

#include <string>

namespace touchgate::bench {

// Writes into `folder` (about 700 MB, removed at the end) and prints one JSON object a line:
//   log_append  records a second through append and commit, beside the same bytes through bare write and fdatasync, in turns
//   log_scan    records and bytes a second through LogReader::scan, warm
//   log_at      records a second by position, at random, warm
//   log_verify  bytes a second through verify_log, warm
//   log_open    milliseconds to open after a clean stop, from the beginning and from a known head
void run_log_bench(const std::string& folder);

}  // namespace touchgate::bench
