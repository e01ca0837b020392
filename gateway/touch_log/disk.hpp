// All disk access of the log, the key store and the checkpoints goes through this interface, so that the simulation can lose unsynced
// sectors, run full and fail at the n-th call. Every call is synchronous. Writing is for one thread per file; reading (`read`, `read_into`,
// `size`) is possible from any thread, also while another writes.
// Errors: kind unavailable, the disk (or a quota, or the table of open files) is full and nothing was changed; kind not_found, no such
// file; kind conflict, it exists already; kind corrupt, everything else that a device or file system reports.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.hpp"

namespace touchgate {

class DiskFile {
public:
    virtual ~DiskFile() = default;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    // Reads exactly `size` bytes or fails (kind corrupt: past the end; unavailable: the device failed).
    virtual Result<std::string> read(std::uint64_t offset, std::size_t size) const = 0;
    // The same into the caller's memory, for readers that reuse theirs.
    virtual Result<void> read_into(std::uint64_t offset, char* to, std::size_t size) const;
    virtual Result<void> write(std::uint64_t offset, std::string_view bytes) = 0;
    // Takes space for bytes up to `size` without changing the file's length, so that writing there cannot fail for lack of it.
    // Kind unavailable: the disk is full.
    virtual Result<void> reserve(std::uint64_t size) = 0;
    virtual Result<void> sync() = 0;  // data (and length) are durable
    virtual Result<void> truncate(std::uint64_t size) = 0;
};

class Disk {
public:
    virtual ~Disk() = default;
    enum class Mode { read, write, create };  // write: must exist, keeps its bytes; create: must not exist, readable by its owner only
    virtual Result<std::unique_ptr<DiskFile>> open(const std::string& path, Mode mode) = 0;
    [[nodiscard]] virtual bool exists(const std::string& path) const = 0;
    virtual Result<std::vector<std::string>> list(const std::string& folder) const = 0;  // file names, sorted
    virtual Result<void> make_folder(const std::string& path) = 0;  // with its parents; durable; no error when it exists
    virtual Result<void> rename(const std::string& from, const std::string& to) = 0;  // atomic; folder synced before return
    virtual Result<void> remove(const std::string& path) = 0;
    virtual Result<void> sync_folder(const std::string& path) = 0;
};

// The real one. `sync_delay` is added to every sync (to measure what a slower disk would do).
[[nodiscard]] std::unique_ptr<Disk> make_real_disk(std::chrono::nanoseconds sync_delay = std::chrono::nanoseconds{0});

}  // namespace touchgate
