// The durable records of a log: finding and reading them. FileLog and the reader beside a running gateway both read through this.
//
// Thread-safe. One side says what is durable (`add_segment`, `publish`), any thread reads.
#pragma once

#include <map>
#include <mutex>

#include "gateway/touch_log/segments.hpp"

namespace touchgate::log_format {

class DurableLog {
public:
    DurableLog(Disk& disk, FileLogOptions options) : disk_{disk}, options_{std::move(options)} {}

    // A segment with the sequence of its first record (0: its header is damaged), by rising number.
    void add_segment(std::uint32_t number, std::uint64_t first_sequence);
    // Records up to `head` may be read from now on.
    void publish(const LogHead& head);
    // A record of the newest segment that starts there, for the sparse index. Given now and then, before `publish`.
    void index(std::uint64_t sequence, LogPosition position);

    [[nodiscard]] LogHead head() const;
    Result<Record> at(LogPosition position, std::string& buffer) const;
    Result<std::uint64_t> scan(std::uint64_t from, const std::function<bool(const Record&)>& each) const;

    [[nodiscard]] Disk& disk() const { return disk_; }
    [[nodiscard]] const FileLogOptions& options() const { return options_; }

private:
    struct Segment {
        std::uint64_t first_sequence = 0;
        std::map<std::uint64_t, std::uint32_t> index;  // sequence → offset, about one entry each 64 KiB; learned by writing and by scanning
        std::shared_ptr<const DiskFile> file;          // opened at the first read, closed when too many are
        std::uint64_t last_use = 0;
    };
    struct Place {
        std::uint32_t segment = 0;
        std::uint64_t offset = 0;
        std::uint64_t sequence = 0;
    };

    // Where reading for `sequence` begins: at it or somewhat before it.
    Result<Place> locate(std::uint64_t sequence) const;
    Result<std::shared_ptr<const DiskFile>> open(std::uint32_t number) const;
    [[nodiscard]] Error damaged(const Place& place, const char* reason) const;

    Disk& disk_;
    FileLogOptions options_;
    mutable std::mutex mutex_;  // guards what follows
    LogHead head_;
    mutable std::map<std::uint32_t, Segment> segments_;
    mutable std::size_t open_files_ = 0;
    mutable std::uint64_t uses_ = 0;
};

// Index entries stand about this far apart.
inline constexpr std::uint64_t index_distance_bytes = std::uint64_t{64} << 10U;

}  // namespace touchgate::log_format
