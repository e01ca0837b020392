// The segment files of a log: which there are, in the log's folder and in the archive, and a buffered view of one's bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/touch_log/format.hpp"

namespace touchgate::log_format {

struct SegmentFile {
    std::uint32_t number = 0;
    std::string path;
    std::string shown;  // as damage reports name it: relative to the data folder, or the path in the archive folder
};

[[nodiscard]] std::string log_folder(const FileLogOptions& options);
// By rising number. A segment that is in both places (its move was interrupted) is the one in the log's folder. Kind not_found: no log folder.
Result<std::vector<SegmentFile>> list_segments(const Disk& disk, const FileLogOptions& options);
// Opens segment `number` for reading wherever it is now: it may be moved to the archive at any time.
Result<std::unique_ptr<DiskFile>> open_segment(Disk& disk, const FileLogOptions& options, std::uint32_t number);

// "damaged: file=… offset=… sequence=… reason=…", as people and scripts see it.
[[nodiscard]] std::string describe(const LogDamage& damage);

// A file's bytes through one growing buffer, for readers that go mostly forward.
class FileWindow {
public:
    // Bytes from `end` on are not looked at.
    FileWindow(const DiskFile& file, std::uint64_t end) : file_{file}, end_{end} {}

    // `size` bytes at `offset`, fewer where the file ends, none after a failed read. Valid until the next call.
    std::string_view view(std::uint64_t offset, std::size_t size) {
        if (offset >= begin_ && offset + size <= begin_ + filled_) return {buffer_.get() + (offset - begin_), size};
        return refill(offset, size);
    }
    [[nodiscard]] std::uint64_t end() const { return end_; }
    // Set once a read has failed.
    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

private:
    std::string_view refill(std::uint64_t offset, std::size_t size);

    const DiskFile& file_;
    std::uint64_t end_;
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::uint64_t begin_ = 0;
    std::size_t filled_ = 0;
    std::size_t read_ahead_ = std::size_t{32} << 10U;
    std::optional<Error> failure_;
};

}  // namespace touchgate::log_format
