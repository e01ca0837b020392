// The projection: DATA_DIR/projection.sqlite, kept behind the log by one writer and read by any number of threads. It may be deleted at any
// time; a damaged file, or one that belongs to another log, is moved aside and built anew from the log.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/projection/projector.hpp"

namespace touchgate::projection {

// Brings the tables to the newest version this program knows. Kind unsupported: the file is of a newer program.
[[nodiscard]] Result<void> migrate(Database& database);

class Projection {
public:
    // `reader` and `names` must outlive it. Nothing is read from the log before the first `step`.
    // Error kinds: unsupported (made by a newer program), unavailable (cannot be opened).
    static Result<std::unique_ptr<Projection>> open(std::string path, const LogReader& reader, LogNames& names);
    // Beside a running gateway, or without one: never written, `step` must not be called. Kind not_found: there is no such file.
    static Result<std::unique_ptr<Projection>> open_for_reading(std::string path, const LogReader& reader, LogNames& names);

    // ---- the writer's thread ----
    // Projects what is durable, at most `records_max` records, in transactions of `batch` records or what is there. True: more is waiting.
    // A damaged database is moved aside and begun again. Error kind corrupt: the log itself cannot be read.
    Result<bool> step(std::size_t records_max = 100'000, std::size_t batch = 4'096);

    // ---- any thread ----
    [[nodiscard]] std::uint64_t shown_sequence() const { return shown_.load(std::memory_order_acquire); }
    // Time of the newest record that is shown; Instant::min() before the first.
    [[nodiscard]] Instant shown_time() const { return from_unix_ms(shown_ms_.load(std::memory_order_acquire)); }
    // Seconds between now and the newest record shown, 0 when nothing durable waits.
    [[nodiscard]] double lag_seconds(Instant now) const;
    // Waits until `sequence` is shown; false after `timeout`.
    bool wait_for(std::uint64_t sequence, Duration timeout) const;
    [[nodiscard]] std::uint64_t rebuilds() const { return rebuilds_.load(); }  // since opening

    // A connection for one query, taken from a pool and given back at the end.
    class Reading {
    public:
        Reading(Projection& owner, std::unique_ptr<Database> database, std::uint64_t generation)
            : owner_{&owner}, database_{std::move(database)}, generation_{generation} {}
        Reading(Reading&&) = default;
        Reading& operator=(Reading&&) = default;
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;
        ~Reading();
        [[nodiscard]] Database& database() { return *database_; }

    private:
        Projection* owner_;
        std::unique_ptr<Database> database_;
        std::uint64_t generation_;  // of the file it reads
    };
    [[nodiscard]] Result<Reading> read();

    // Everything in the tables as text, in key order: equal contents are equal texts.
    [[nodiscard]] Result<std::string> dump();

private:
    Projection(std::string path, const LogReader& reader, LogNames& names) : path_{std::move(path)}, reader_{reader}, names_{names} {}
    Result<void> open_database();
    Result<void> move_aside();
    [[nodiscard]] bool belongs_to_log() const;
    void publish();

    std::string path_;
    const LogReader& reader_;
    LogNames& names_;
    std::unique_ptr<Database> database_;
    std::unique_ptr<Projector> projector_;
    std::atomic<std::uint64_t> shown_{0};
    std::atomic<std::int64_t> shown_ms_{unix_ms(Instant::min())};
    std::atomic<std::uint64_t> rebuilds_{0};
    mutable std::mutex mutex_;
    mutable std::condition_variable moved_;
    std::vector<std::unique_ptr<Database>> idle_;  // under mutex_
    std::uint64_t generation_ = 0;                 // under mutex_; grows when the file is replaced: readers of an older one are closed
};

// Deletes the file at `path` and builds it from the whole log. The number of records.
[[nodiscard]] Result<std::uint64_t> rebuild_projection(const std::string& path, const LogReader& reader);

// The writer's thread: sleeps until `notify`, then steps until nothing waits. Runs at a lower priority than the rest of the process.
class ProjectionThread {
public:
    // `report` (any thread) gets what went wrong; the thread then waits a second and goes on.
    ProjectionThread(Projection& projection, std::function<void(const Error&)> report);
    ~ProjectionThread();  // finishes the batch in hand
    void notify();        // something became durable; cheap, any thread

private:
    void run();
    Projection& projection_;
    std::function<void(const Error&)> report_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool pending_ = true, stopping_ = false;
    std::thread thread_;
};

}  // namespace touchgate::projection
