// What opening a log for writing does before anything else: check the tail, cut a torn last batch, remove what an interrupted roll left.
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/touch_log/segment_walk.hpp"

namespace touchgate::log_format {

// Where the log stands after recovery.
struct Recovered {
    LogId id{};
    LogHead head;                      // of the last record; `next` in the last segment
    std::uint32_t segment = 0;         // the last one; 0: there is no log yet
    std::uint64_t first_sequence = 1;  // of the last segment
    bool sealed = false;               // it has its footer: a crash came between footer and next segment
    crypto::Sha256 file_hash;          // of the last segment's bytes before head.next
    std::vector<SegmentHeader> segments;  // all there are, by number; one with a damaged header has first_sequence 0
};

// As FileLog::open says. Nothing is changed unless the result is a success.
Result<Recovered> recover(Disk& disk, const FileLogOptions& options, const LogHead& verified_to, std::uint64_t known_sequence, LogRecovery& recovery);

}  // namespace touchgate::log_format
