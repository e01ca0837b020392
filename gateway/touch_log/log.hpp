// The touch log: append-only, hash-chained batches of records in segment files. The only source of truth for history.
//
// Written by the engine's thread only. Reading (LogReader) is possible on any thread, for records that are durable.
// The format, with a worked example, is in docs/touch-log.md; the constants are in format.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/result.hpp"
#include "gateway/base/time.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/touch_log/disk.hpp"

namespace touchgate {

// Where a record stands: segment number and offset in it. 0 is nowhere.
struct LogPosition {
    std::uint64_t value = 0;
    [[nodiscard]] std::uint32_t segment() const { return static_cast<std::uint32_t>(value >> 32U); }
    [[nodiscard]] std::uint32_t offset() const { return static_cast<std::uint32_t>(value); }
    auto operator<=>(const LogPosition&) const = default;
};

// A record, as it is read. `payload` points into the reader's buffer.
struct Record {
    std::uint64_t sequence = 0;
    Instant time{};
    std::uint16_t type = 0;
    std::uint8_t version = 0;
    ContactIndex contact{};
    LogPosition previous_of_contact{};
    std::string_view payload;
    crypto::Digest hash{};      // chained: SHA-256(previous record's hash ‖ this record without its hash)
    LogPosition position{};
    std::uint32_t length = 0;   // whole record, header to hash
};

// Where the log stands.
struct LogHead {
    std::uint64_t sequence = 0;
    crypto::Digest hash{};
    LogPosition next{};         // where the next record will stand
};

// What a scan found wrong.
struct LogDamage {
    std::string file;           // relative to the data folder, "log/0000000001.log"
    std::uint64_t offset = 0;
    std::uint64_t sequence = 0; // of the record concerned, or the one expected there
    std::string reason;         // "checksum" | "chain" | "sequence" | "length"
    bool last_batch_only = false;  // nothing valid follows: a torn write, which `serve` cuts
};

// The writing side. Use: reserve → append… → commit, once per turn.
class LogWriter {
public:
    virtual ~LogWriter() = default;
    [[nodiscard]] virtual LogHead head() const = 0;  // of what was appended, committed or not
    // Room for records of `bytes` in all (log_format::record_overhead_bytes and the payload for each), so that the commit cannot fail for
    // lack of space. Rolls to a new segment when this one is full (never inside an open batch). The room ends with the next commit.
    // Kind unavailable: the disk is full; nothing has changed. Errors of any other kind: stop the process.
    virtual Result<void> reserve(std::size_t bytes) = 0;
    // The longest payload that one more `append` may carry under the reservation.
    [[nodiscard]] virtual std::size_t room() const = 0;
    // Encodes the record into the open batch; its sequence and position are final. `payload` must fit into room().
    virtual LogPosition append(Instant time, std::uint16_t type, std::uint8_t version, ContactIndex contact, LogPosition previous_of_contact,
                               std::string_view payload, std::uint64_t& sequence) = 0;
    // Writes the batch with its trailer and syncs once. Nothing appended: nothing done. An error means that the process must end.
    virtual Result<void> commit() = 0;
};

// The reading side, for durable records only. Thread-safe.
class LogReader {
public:
    virtual ~LogReader() = default;
    // The record at `position`, checked against its hash; its payload is copied into `buffer`. Kind corrupt if the bytes are no record,
    // not_found if nothing durable stands there.
    virtual Result<Record> at(LogPosition position, std::string& buffer) const = 0;
    // Calls `each` for the records from sequence `from` on, in order, until it returns false or the durable end is reached.
    // Returns the sequence after the last one seen. Lengths and sequences are checked, hashes are not (opening and `verify_log` do that).
    virtual Result<std::uint64_t> scan(std::uint64_t from, const std::function<bool(const Record&)>& each) const = 0;
    [[nodiscard]] virtual LogHead durable_head() const = 0;
};

struct FileLogOptions {
    std::string data_dir;
    std::size_t segment_bytes = std::size_t{256} << 20U;
    std::string archive_dir = {};  // sealed segments that were moved are still read from here
    std::optional<std::array<std::uint8_t, 16>> new_log_id = {};  // the id of a log that is made; random when not given
};

// What opening found: a torn last batch that was cut.
struct LogRecovery {
    std::uint64_t records = 0;  // checked in the tail
    std::optional<LogDamage> cut;
};

class FileLog : public LogWriter, public LogReader {
public:
    // Opens or makes DATA_DIR/log. Checks everything from the record at `verified_to` on (position and hash known from a checkpoint, or the
    // beginning). A torn last batch is cut whole; any other damage there is an error (kind corrupt) whose detail names the place,
    // and so is a log that ends before sequence `known_sequence` (what the checkpoint, the key store or a cursor has seen).
    static Result<std::unique_ptr<FileLog>> open(Disk& disk, const FileLogOptions& options, const LogHead& verified_to, std::uint64_t known_sequence,
                                                 LogRecovery& recovery);
    // Opens for reading only, beside a running gateway or without one; cuts nothing, stops before an incomplete last batch. Each `scan`,
    // `durable_head` and `at` beyond the known end looks for newer records. Kind not_found: there is no log.
    static Result<std::unique_ptr<LogReader>> open_for_reading(Disk& disk, const FileLogOptions& options);
};

// Reads every record of every segment and checks lengths, checksums, sequence and chain; calls `found` for each damage and goes on where
// possible. Returns the head. `expect`, if given, must be reached: sequence and hash.
struct VerifyResult {
    std::uint64_t records = 0;
    LogHead head;
    std::vector<LogDamage> damages;
};
Result<VerifyResult> verify_log(Disk& disk, const FileLogOptions& options, const std::optional<LogHead>& expect,
                                const std::function<void(std::uint64_t bytes_done, std::uint64_t bytes_total)>& progress = {});

// Moves sealed segments whose newest record is older than `before` to the archive folder (copied, synced, verified, then removed), oldest
// first, up to the first that is not. Returns the names of their files. May run beside a gateway. Kind invalid_input: no archive folder given.
Result<std::vector<std::string>> archive_segments(Disk& disk, const FileLogOptions& options, Instant before);

}  // namespace touchgate
