// Small logs on a simulated disk, for the tests of the touch log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/touch_log/format.hpp"
#include "tests/simulation/faulty_disk.hpp"

namespace touchgate::log_tests {

using simulation::FaultyDisk;

inline FileLogOptions options_for(std::size_t segment_bytes = std::size_t{1} << 20U) {
    FileLogOptions options;
    options.data_dir = "data";
    options.segment_bytes = segment_bytes;
    options.new_log_id = log_format::LogId{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F};
    return options;
}

inline Result<std::unique_ptr<FileLog>> try_open(Disk& disk, const FileLogOptions& options, LogRecovery& recovery, const LogHead& verified_to = {},
                                                 std::uint64_t known_sequence = 0) {
    return FileLog::open(disk, options, verified_to, known_sequence, recovery);
}

inline std::unique_ptr<FileLog> open_log(Disk& disk, const FileLogOptions& options) {
    LogRecovery recovery;
    return std::move(try_open(disk, options, recovery)).value();
}

inline std::string payload_of(std::uint64_t sequence, std::size_t size = 20) {
    std::string payload = "payload " + std::to_string(sequence) + ' ';
    payload.resize(size, static_cast<char>('a' + sequence % 26));
    return payload;
}

// One batch of records with the given payloads.
inline Result<std::vector<LogPosition>> append_batch(LogWriter& log, const std::vector<std::string>& payloads) {
    std::size_t bytes = 0;
    for (const auto& payload : payloads) bytes += payload.size() + log_format::record_overhead_bytes;
    if (auto done = log.reserve(bytes); !done) return done.error();
    std::vector<LogPosition> positions;
    for (const auto& payload : payloads) {
        std::uint64_t sequence = 0;
        const auto number = log.head().sequence + 1;
        positions.push_back(log.append(from_unix_ms(1'700'000'000'000 + static_cast<std::int64_t>(number)), static_cast<std::uint16_t>(number % 7 + 1), 1,
                                       ContactIndex{static_cast<std::uint32_t>(number % 3 + 1)}, positions.empty() ? LogPosition{} : positions.back(), payload,
                                       sequence));
    }
    if (auto done = log.commit(); !done) return done.error();
    return positions;
}

// A batch of `count` records whose payloads tell their sequence.
inline Result<std::vector<LogPosition>> append_numbered(LogWriter& log, std::size_t count, std::size_t payload_bytes = 20) {
    std::vector<std::string> payloads;
    for (std::size_t i = 0; i < count; ++i) payloads.push_back(payload_of(log.head().sequence + 1 + i, payload_bytes));
    return append_batch(log, payloads);
}

struct Seen {
    std::uint64_t sequence;
    std::string payload;
    LogPosition position;
    std::uint32_t length;
    crypto::Digest hash;
    bool operator==(const Seen&) const = default;
};

inline Result<std::vector<Seen>> read_all(const LogReader& log, std::uint64_t from = 1) {
    std::vector<Seen> seen;
    const auto next = log.scan(from, [&](const Record& record) {
        seen.push_back({record.sequence, std::string{record.payload}, record.position, record.length, record.hash});
        return true;
    });
    if (!next) return next.error();
    return seen;
}

inline std::vector<Seen> records_of(const LogReader& log, std::uint64_t from = 1) { return read_all(log, from).value(); }

inline std::string segment_path(std::uint32_t number) { return "data/log/" + log_format::segment_name(number); }

}  // namespace touchgate::log_tests
