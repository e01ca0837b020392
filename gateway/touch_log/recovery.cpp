#include "gateway/touch_log/recovery.hpp"

#include <algorithm>

namespace touchgate::log_format {

namespace {

Error damaged(const LogDamage& damage) { return {.kind = ErrorKind::corrupt, .detail = describe(damage)}; }

Error corrupt(std::string detail) { return {.kind = ErrorKind::corrupt, .detail = std::move(detail)}; }

Error ends_early(std::uint64_t known) {
    return corrupt("the touch log ends before sequence " + std::to_string(known) + ", which was durable: its newest records are missing");
}

class Recovery {
public:
    Recovery(Disk& disk, const FileLogOptions& options, const LogHead& verified_to, std::uint64_t known_sequence, LogRecovery& report)
        : disk_{disk}, options_{options}, verified_to_{verified_to}, known_sequence_{known_sequence}, report_{report} {}

    Result<Recovered> run() {
        auto listed = list_segments(disk_, options_);
        if (!listed && listed.error().kind != ErrorKind::not_found) return listed.error();
        if (listed) files_ = std::move(*listed);
        if (files_.empty()) {
            const auto known = std::max(known_sequence_, verified_to_.sequence);
            if (known > 0) return ends_early(known);
            return std::move(found_);
        }
        if (auto done = read_headers(); !done) return done.error();
        if (auto done = choose_start(); !done) return done.error();
        for (; current_ < files_.size(); ++current_) {
            if (auto done = check_segment(); !done) return done.error();
        }
        if (state_.sequence < known_sequence_) return ends_early(known_sequence_);
        if (auto done = make_durable(); !done) return done.error();
        found_.head.sequence = state_.sequence;
        found_.head.hash = *state_.hash;
        found_.head.next = position_of(found_.segment, state_.offset);
        return std::move(found_);
    }

private:
    LogDamage damage(std::uint64_t offset, std::uint64_t sequence, const char* reason) const {
        return {.file = files_[current_].shown, .offset = offset, .sequence = sequence, .reason = reason, .last_batch_only = false};
    }

    Result<void> read_headers() {
        bool id_known = false;
        for (const auto& file : files_) {
            auto opened = open_segment(disk_, options_, file.number);
            if (!opened) return opened.error();
            SegmentHeader header{.segment = file.number};
            if ((*opened)->size() >= header_bytes) {
                auto bytes = (*opened)->read(0, header_bytes);
                if (!bytes) return bytes.error();
                auto decoded = decode_header(*bytes);
                if (!decoded && decoded.error().kind == ErrorKind::unsupported) return decoded.error();
                if (decoded && decoded->segment == file.number) header = *decoded;
            }
            if (header.first_sequence > 0) {
                if (id_known && header.log_id != found_.id) return corrupt(file.shown + " belongs to another log");
                found_.id = header.log_id;
                id_known = true;
            }
            found_.segments.push_back(header);
        }
        return {};
    }

    // Where checking begins: behind the record that the caller vouches for.
    Result<void> choose_start() {
        const auto first_number = verified_to_.sequence == 0 ? 1 : verified_to_.next.segment();
        const auto at = std::find_if(files_.begin(), files_.end(), [&](const SegmentFile& file) { return file.number == first_number; });
        if (at == files_.end()) {
            if (verified_to_.sequence > 0 && files_.back().number < first_number) return ends_early(verified_to_.sequence);
            return corrupt("segment log/" + segment_name(first_number) + " is missing");
        }
        current_ = static_cast<std::size_t>(at - files_.begin());
        if (verified_to_.sequence == 0) {
            state_.hash = genesis_hash(found_.id);
            return {};
        }
        state_.offset = verified_to_.next.offset();
        state_.sequence = verified_to_.sequence;
        state_.hash = verified_to_.hash;
        if (state_.offset < header_bytes) return corrupt("the known log position " + std::to_string(state_.offset) + " lies before the first record");
        return {};
    }

    // The record that the caller vouches for must be the one that stands there.
    Result<void> check_known_record(FileWindow& window) {
        if (state_.offset > window.end()) return ends_early(verified_to_.sequence);
        const auto before = [&](std::uint64_t back) {
            const auto bytes = window.view(state_.offset - back, hash_bytes);
            return bytes.size() == hash_bytes && bytes == crypto::view(verified_to_.hash);
        };
        const bool first_of_segment = state_.offset == header_bytes && found_.segments[current_].previous_hash == verified_to_.hash;
        if (first_of_segment || (state_.offset >= header_bytes + hash_before_batch && before(hash_before_batch))) return {};
        // The head may have been taken while a batch was open.
        state_.place = WalkState::Place::in_batch;
        if (state_.offset >= header_bytes + hash_bytes && before(hash_bytes)) return {};
        return damaged(damage(state_.offset, state_.sequence, "chain"));
    }

    Result<void> check_header() {
        const auto& header = found_.segments[current_];
        if (header.first_sequence == 0) return damaged(damage(0, state_.sequence + 1, "checksum"));
        if (current_ > 0 && header.segment != found_.segments[current_ - 1].segment + 1) return corrupt("segment log/" + segment_name(header.segment - 1) + " is missing");
        if (header.first_sequence != state_.sequence + 1) return damaged(damage(0, state_.sequence + 1, "sequence"));
        if (header.previous_hash != *state_.hash) return damaged(damage(0, state_.sequence + 1, "chain"));
        return {};
    }

    Result<void> check_segment() {
        const bool from_known_record = verified_to_.sequence > 0 && files_[current_].number == verified_to_.next.segment();
        const bool last = current_ + 1 == files_.size();
        auto opened = open_segment(disk_, options_, files_[current_].number);
        if (!opened) return opened.error();
        FileWindow window{**opened, (*opened)->size()};
        if (from_known_record) {
            if (auto done = check_known_record(window); !done) return done;
        } else {
            state_.offset = header_bytes;
            if (auto done = check_header(); !done) return done;
        }
        SegmentWalk walk{window, found_.id, files_[current_].number, state_};
        std::uint64_t records = 0;
        std::uint64_t committed_records = 0;
        auto committed = state_;  // after the last whole batch
        found_.sealed = false;
        while (true) {
            const auto& item = walk.next();
            if (window.failure()) return *window.failure();
            if (item.kind == ItemKind::record) {
                ++records;
                continue;
            }
            if (item.kind == ItemKind::trailer || item.kind == ItemKind::footer) {
                committed = walk.state();
                committed_records = records;
                if (item.kind == ItemKind::trailer) continue;
                found_.sealed = true;
                if (committed.offset != window.end()) return damaged(damage(committed.offset, committed.sequence + 1, "length"));
                break;
            }
            if (item.kind == ItemKind::end) {
                committed = walk.state();
                break;
            }
            const auto found = damage(item.offset, item.sequence, item.reason);
            const auto batch_start = walk.state().batch_start.value_or(committed.offset);
            if (!last || later_batch_exists(window, found_.id, batch_start)) return damaged(found);
            // The record that the caller vouches for is in this very batch, so the batch was complete once.
            if (walk.state().place == WalkState::Place::in_batch && !walk.state().batch_start) return damaged(found);
            report_.cut = found;
            report_.cut->last_batch_only = true;
            break;
        }
        if (!last && !found_.sealed) return damaged(damage(window.end(), committed.sequence + 1, "length"));
        report_.records += committed_records;
        state_ = committed;
        if (last) {
            found_.segment = files_[current_].number;
            found_.first_sequence = found_.segments[current_].first_sequence;
            return hash_file(window);
        }
        return {};
    }

    Result<void> hash_file(FileWindow& window) {
        for (std::uint64_t offset = 0; offset < state_.offset;) {
            const auto bytes = window.view(offset, static_cast<std::size_t>(std::min<std::uint64_t>(state_.offset - offset, std::size_t{1} << 20U)));
            if (bytes.empty()) return window.failure() ? *window.failure() : corrupt("the last segment of the touch log became shorter");
            found_.file_hash.update(bytes);
            offset += bytes.size();
        }
        return {};
    }

    // Also makes durable what was read: after a killed process, bytes that nobody synced stand in the file like any others.
    Result<void> make_durable() {
        auto file = disk_.open(files_.back().path, Disk::Mode::write);
        if (!file) return file.error();
        if (report_.cut) {
            if (auto done = (*file)->truncate(state_.offset); !done) return done;
        }
        if (auto done = (*file)->sync(); !done) return done;
        return disk_.sync_folder(log_folder(options_));
    }

    Disk& disk_;
    const FileLogOptions& options_;
    const LogHead& verified_to_;
    std::uint64_t known_sequence_;
    LogRecovery& report_;

    std::vector<SegmentFile> files_;
    std::size_t current_ = 0;
    WalkState state_;
    Recovered found_;
};

}  // namespace

Result<Recovered> recover(Disk& disk, const FileLogOptions& options, const LogHead& verified_to, std::uint64_t known_sequence, LogRecovery& recovery) {
    recovery = {};
    return Recovery{disk, options, verified_to, known_sequence, recovery}.run();
}

}  // namespace touchgate::log_format
