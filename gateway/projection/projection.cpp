#include "gateway/projection/projection.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "gateway/base/text.hpp"
#include "gateway/base/thread_name.hpp"
#include "gateway/projection/migrations.hpp"

namespace touchgate::projection {

namespace {

std::string printable(std::string_view bytes) {
    for (const char c : bytes)
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return "x" + to_hex(bytes);
    return std::string{bytes};
}

}  // namespace

Result<void> migrate(Database& database) {
    const auto version = database.integer("PRAGMA user_version");
    if (!database.failure() && version > static_cast<std::int64_t>(migrations.size()))
        return Error{ErrorKind::unsupported, "the projection database has version " + std::to_string(version) + ", this program knows versions up to " +
                                                 std::to_string(migrations.size()) + "; use the newer program, or delete the file to build it anew"};
    for (auto next = static_cast<std::size_t>(version); next < migrations.size() && !database.failure(); ++next) {
        database.execute("BEGIN IMMEDIATE");
        database.execute(migrations[next]);
        database.execute("PRAGMA user_version = " + std::to_string(next + 1));
        database.execute("COMMIT");
    }
    if (database.failure()) return *database.failure();
    return {};
}

Result<std::unique_ptr<Projection>> Projection::open(std::string path, const LogReader& reader, LogNames& names) {
    std::unique_ptr<Projection> projection{new Projection{std::move(path), reader, names}};
    auto opened = projection->open_database();
    if (!opened && opened.error().kind == ErrorKind::corrupt) {
        if (auto moved = projection->move_aside(); !moved) return moved.error();
        opened = projection->open_database();
    }
    if (!opened) return opened.error();
    return projection;
}

Result<std::unique_ptr<Projection>> Projection::open_for_reading(std::string path, const LogReader& reader, LogNames& names) {
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) return Error{ErrorKind::not_found, "there is no projection database at " + path};
    std::unique_ptr<Projection> projection{new Projection{std::move(path), reader, names}};
    auto reading = projection->read();
    if (!reading) return reading.error();
    auto& database = reading->database();
    const auto version = database.integer("PRAGMA user_version");
    if (version != static_cast<std::int64_t>(migrations.size()))
        return Error{ErrorKind::unsupported, "the projection database has version " + std::to_string(version) + ", this program reads version " +
                                                 std::to_string(migrations.size())};
    projection->shown_ = static_cast<std::uint64_t>(database.integer("SELECT sequence FROM cursor"));
    projection->shown_ms_ = database.integer("SELECT time FROM cursor");
    if (database.failure()) return *database.failure();
    return projection;
}

Result<void> Projection::open_database() {
    auto opened = Database::open(path_, Database::Mode::write);
    if (!opened) return opened.error();
    database_ = std::move(*opened);
    database_->execute("PRAGMA journal_mode = WAL");
    database_->execute("PRAGMA synchronous = NORMAL");
    database_->execute("PRAGMA wal_autocheckpoint = 16000");
    database_->execute("PRAGMA cache_size = -65536");
    if (auto migrated = migrate(*database_); !migrated) return migrated.error();
    projector_ = std::make_unique<Projector>(*database_, names_);
    if (database_->failure()) return *database_->failure();
    if (!belongs_to_log()) return Error{ErrorKind::corrupt, "the projection database belongs to another log, or to one that was cut"};
    publish();
    return {};
}

bool Projection::belongs_to_log() const {
    const auto& cursor = projector_->cursor();
    if (cursor.sequence == 0) return true;
    if (cursor.sequence > reader_.durable_head().sequence) return false;
    std::string buffer;
    const auto record = reader_.at(cursor.position, buffer);
    return record && record->sequence == cursor.sequence && crypto::view(record->hash) == cursor.hash;
}

void Projection::publish() {
    const auto& cursor = projector_->cursor();
    {
        const std::lock_guard lock{mutex_};
        shown_ms_.store(unix_ms(cursor.sequence == 0 ? Instant::min() : cursor.time), std::memory_order_release);
        shown_.store(cursor.sequence, std::memory_order_release);
    }
    moved_.notify_all();
}

Result<void> Projection::move_aside() {
    projector_.reset();
    database_.reset();
    {
        const std::lock_guard lock{mutex_};
        idle_.clear();
        ++generation_;
    }
    constexpr std::uint64_t rebuilds_max = 3;
    if (rebuilds_.fetch_add(1) >= rebuilds_max)
        return Error{ErrorKind::unavailable, "the projection database was found damaged again and again; look at the disk under " + path_};
    std::error_code failed;
    // Kept for whoever wants to know what happened; a second one takes the place of the first.
    for (const char* suffix : {"", "-wal", "-shm"})
        if (std::filesystem::exists(path_ + suffix, failed)) std::filesystem::rename(path_ + suffix, path_ + ".damaged" + suffix, failed);
    if (failed) return Error{ErrorKind::unavailable, "the damaged projection database cannot be moved aside: " + failed.message()};
    return {};
}

Result<bool> Projection::step(std::size_t records_max, std::size_t batch) {
    if (!projector_) {
        if (auto opened = open_database(); !opened) {
            if (opened.error().kind != ErrorKind::corrupt) return opened.error();
            if (auto moved = move_aside(); !moved) return moved.error();
            if (opened = open_database(); !opened) return opened.error();
        }
    }
    std::optional<Error> failed;
    std::size_t seen = 0;
    const auto commit = [&] {
        const auto committed = projector_->commit();
        if (!committed) failed = committed.error();
        else publish();
        return committed.has_value();
    };
    const auto scanned = reader_.scan(projector_->cursor().sequence + 1, [&](const Record& record) {
        projector_->apply(record);
        ++seen;
        if (projector_->batched() >= batch && !commit()) return false;
        return seen < records_max;
    });
    if (!failed) commit();
    if (failed) {
        if (failed->kind != ErrorKind::corrupt) return *failed;
        if (auto moved = move_aside(); !moved) return moved.error();
        if (auto opened = open_database(); !opened) return opened.error();
        return true;
    }
    if (!scanned) return scanned.error();
    return projector_->cursor().sequence < reader_.durable_head().sequence;
}

double Projection::lag_seconds(Instant now) const {
    if (shown_sequence() >= reader_.durable_head().sequence || shown_sequence() == 0) return 0;
    return std::max(0.0, static_cast<double>((now - shown_time()).count()) / 1000);
}

bool Projection::wait_for(std::uint64_t sequence, Duration timeout) const {
    std::unique_lock lock{mutex_};
    return moved_.wait_for(lock, timeout, [&] { return shown_.load() >= sequence; });
}

Projection::Reading::~Reading() {
    if (database_ == nullptr || database_->failure()) return;
    const std::lock_guard lock{owner_->mutex_};
    constexpr std::size_t idle_max = 8;
    if (owner_->idle_.size() < idle_max && generation_ == owner_->generation_) owner_->idle_.push_back(std::move(database_));
}

Result<Projection::Reading> Projection::read() {
    std::uint64_t generation = 0;
    {
        const std::lock_guard lock{mutex_};
        generation = generation_;
        if (!idle_.empty()) {
            Reading taken{*this, std::move(idle_.back()), generation};
            idle_.pop_back();
            return taken;
        }
    }
    auto opened = Database::open(path_, Database::Mode::read);
    if (!opened) return opened.error();
    return Reading{*this, std::move(*opened), generation};
}

Result<std::string> Projection::dump() {
    auto reading = read();
    if (!reading) return reading.error();
    auto& database = reading->database();
    std::string out;
    std::vector<std::string> tables;
    {
        Statement list{database, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"};
        while (list.step()) tables.emplace_back(list.text(0));
    }
    for (const auto& table : tables) {
        out += "== " + table + "\n";
        int columns = 0;
        std::string order;
        Statement info{database, "PRAGMA table_info(" + table + ")"};
        while (info.step()) {
            order += (columns == 0 ? "" : ", ") + std::to_string(columns + 1);
            ++columns;
        }
        Statement rows{database, "SELECT * FROM " + table + " ORDER BY " + order};
        while (rows.step()) {
            for (int at = 0; at < columns; ++at) {
                if (at != 0) out += '|';
                out += rows.is_null(at) ? std::string{"null"} : printable(rows.blob(at));
            }
            out += '\n';
        }
    }
    if (database.failure()) return *database.failure();
    return out;
}

Result<std::uint64_t> rebuild_projection(const std::string& path, const LogReader& reader) {
    std::error_code ignored;
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix, ignored);
    LogNames names{{}, false};
    auto projection = Projection::open(path, reader, names);
    if (!projection) return projection.error();
    for (bool more = true; more;) {
        const auto stepped = (*projection)->step();
        if (!stepped) return stepped.error();
        more = *stepped;
    }
    return (*projection)->shown_sequence();
}

ProjectionThread::ProjectionThread(Projection& projection, std::function<void(const Error&)> report)
    : projection_{projection}, report_{std::move(report)}, thread_{[this] { run(); }} {}

ProjectionThread::~ProjectionThread() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void ProjectionThread::notify() {
    {
        const std::lock_guard lock{mutex_};
        if (pending_) return;
        pending_ = true;
    }
    wake_.notify_one();
}

void ProjectionThread::run() {
    name_this_thread("projection");
    // A Linux thread has its own nice value. Reports may wait; answers may not.
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 10);
    while (true) {
        {
            std::unique_lock lock{mutex_};
            wake_.wait(lock, [&] { return pending_ || stopping_; });
            if (stopping_) return;
            pending_ = false;
        }
        for (bool more = true; more;) {
            const auto stepped = projection_.step();
            more = stepped && *stepped;
            std::unique_lock lock{mutex_};
            if (stopping_) return;
            if (stepped) continue;
            lock.unlock();
            report_(stepped.error());
            lock.lock();
            wake_.wait_for(lock, std::chrono::seconds{1}, [&] { return stopping_; });
            pending_ = true;
        }
    }
}

}  // namespace touchgate::projection
