// A disk in memory that fails the way real ones do, from a seed: a power cut loses any subset of the sectors and folder entries that were
// not synced, calls fail at the n-th, space runs out. Thread-safe; with one thread, everything follows from the seed.
//
// To try every failing call:
//     for (std::uint64_t n = 0;; ++n) {
//         FaultyDisk disk{seed};
//         disk.fail_from(n);
//         … work; stop at the first error …
//         if (!disk.failed()) break;  // n was beyond the last call
//         disk.crash();
//         … reopen and check …
//     }
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "gateway/base/random.hpp"
#include "gateway/touch_log/disk.hpp"

namespace touchgate::simulation {

class FaultyDisk final : public Disk {
public:
    static constexpr std::size_t sector_bytes = 512;
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

    explicit FaultyDisk(std::uint64_t seed) : random_{seed} {}

    // Power cut and restart: every unsynced sector, length and folder entry is kept or lost, each by itself. Files opened before fail from
    // now on. Failing calls end; space stays as limited.
    void crash();
    // The process dies but the machine does not: nothing is lost, files opened before fail from now on.
    void kill();

    // The n-th call from now that changes or syncs something (0: the next) fails and does part of its work at most; so do all calls after
    // it, reads included, until `crash` or `kill`.
    void fail_from(std::uint64_t n);
    // Only the n-th such call fails.
    void fail_once(std::uint64_t n);
    // Whether a call has failed by `fail_from` or `fail_once`.
    [[nodiscard]] bool failed() const;

    // Called before each sync of a file, without a lock held: what other threads do while this one waits for the disk.
    void while_syncing(std::function<void()> others) { others_ = std::move(others); }

    // Space for all files together; reserved space counts.
    void set_capacity(std::uint64_t bytes);

    struct Counters {
        std::uint64_t changes = 0;  // calls that change or sync something
        std::uint64_t writes = 0;
        std::uint64_t syncs = 0;    // of files
        std::uint64_t folder_syncs = 0;
        std::uint64_t reads = 0;
        std::uint64_t bytes_written = 0;
        std::uint64_t bytes_read = 0;
    };
    [[nodiscard]] Counters counters() const;

    // For tests that damage files on purpose: the bytes as a reader sees them. Setting makes them durable.
    [[nodiscard]] std::string bytes(const std::string& path) const;
    void set_bytes(const std::string& path, std::string bytes);
    [[nodiscard]] std::vector<std::string> paths() const;

    Result<std::unique_ptr<DiskFile>> open(const std::string& path, Mode mode) override;
    [[nodiscard]] bool exists(const std::string& path) const override;
    Result<std::vector<std::string>> list(const std::string& folder) const override;
    Result<void> make_folder(const std::string& path) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> remove(const std::string& path) override;
    Result<void> sync_folder(const std::string& path) override;

private:
    friend class FaultyFile;
    struct Node {
        std::string bytes;            // as read now
        std::string durable;          // as of the last sync
        std::set<std::uint64_t> dirty; // sectors that differ since then
        std::uint64_t reserved = 0;
    };
    using Nodes = std::map<std::string, std::shared_ptr<Node>>;

    // With the lock held. An error when this call is to fail.
    Result<void> change();
    Result<void> readable() const;
    [[nodiscard]] std::uint64_t used_bytes() const;
    Result<void> write(Node& node, std::uint64_t offset, std::string_view bytes);
    Result<void> sync(Node& node);
    void sync_entries(const std::string& folder);
    void put(Node& node, std::uint64_t offset, std::string_view bytes);
    void lose_unsynced(Node& node);

    mutable std::mutex mutex_;
    Random random_;
    Nodes nodes_;                     // what a reader finds by name
    Nodes durable_nodes_;             // names that survive a crash
    std::set<std::string> folders_;
    std::uint64_t capacity_ = unlimited;
    std::uint64_t fail_at_ = unlimited;
    bool keep_failing_ = false;
    bool down_ = false;
    bool failed_ = false;
    std::function<void()> others_;
    std::uint64_t age_ = 0;           // crashes and kills so far: files of another age are stale
    mutable Counters counters_;
};

}  // namespace touchgate::simulation
