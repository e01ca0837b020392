// Verification of a whole log. Damage does not end it: it looks for the next place that proves itself and goes on from there.
#include <algorithm>
#include <thread>

#include "gateway/touch_log/segment_walk.hpp"

namespace touchgate {

using namespace log_format;

namespace {

using Place = WalkState::Place;

constexpr std::uint64_t progress_step_bytes = std::uint64_t{4} << 20U;
// A batch that is being written while we look is whole after some thousand instructions of the other process.
constexpr int waits_for_writer = 200;

class Verification {
public:
    Verification(Disk& disk, const FileLogOptions& options, const std::optional<LogHead>& expect,
                 const std::function<void(std::uint64_t, std::uint64_t)>& progress)
        : disk_{disk}, options_{options}, expect_{expect}, progress_{progress} {}

    Result<VerifyResult> run() {
        auto files = list_segments(disk_, options_);
        if (!files) return files.error();
        files_ = std::move(*files);
        if (auto done = survey(); !done) return done.error();
        if (id_) state_.hash = genesis_hash(*id_);
        for (current_ = 0; current_ < files_.size(); ++current_) {
            note_missing_segments();
            if (auto done = verify_segment(); !done) return done.error();
        }
        check_expected();
        result_.head.sequence = state_.sequence;
        if (state_.hash) result_.head.hash = *state_.hash;
        if (!files_.empty()) result_.head.next = position_of(files_.back().number, state_.offset);
        return std::move(result_);
    }

private:
    // Sizes for the progress, and the log's id from the first intact header.
    Result<void> survey() {
        for (const auto& file : files_) {
            auto opened = open_segment(disk_, options_, file.number);
            if (!opened) return opened.error();
            bytes_total_ += (*opened)->size();
            if (id_ || (*opened)->size() < header_bytes) continue;
            const auto bytes = (*opened)->read(0, header_bytes);
            if (!bytes) return bytes.error();
            const auto header = decode_header(*bytes);
            if (header) id_ = header->log_id;
            else if (header.error().kind == ErrorKind::unsupported) return header.error();
        }
        return {};
    }

    void report(std::uint64_t offset, std::uint64_t sequence, const char* reason) {
        result_.damages.push_back({.file = files_[current_].shown, .offset = offset, .sequence = sequence, .reason = reason, .last_batch_only = false});
    }

    void note_missing_segments() {
        const auto expected = current_ == 0 ? 1 : files_[current_ - 1].number + 1;
        if (files_[current_].number == expected) return;
        result_.damages.push_back({.file = "log/" + segment_name(expected), .offset = 0, .sequence = state_.sequence + 1, .reason = "sequence", .last_batch_only = false});
        gap_ = true;
    }

    // Sets the state at which the segment's records begin.
    Result<void> verify_header(const DiskFile& file) {
        const auto expected = state_.sequence + 1;
        state_.offset = header_bytes;
        state_.place = Place::between_batches;
        state_.batch_start.reset();
        std::optional<SegmentHeader> header;
        if (file.size() >= header_bytes) {
            const auto bytes = file.read(0, header_bytes);
            if (!bytes) return bytes.error();
            const auto decoded = decode_header(*bytes);
            if (decoded) header = *decoded;
            else if (!state_.hash) state_.hash = digest_at(bytes->data() + header_previous_hash_offset);
            else if (!gap_) state_.other_hash = digest_at(bytes->data() + header_previous_hash_offset);
        }
        if (!header) {
            report(0, expected, file.size() < header_bytes ? "length" : "checksum");
            if (gap_) state_.hash.reset();
            return {};
        }
        const bool right_name = header->segment == files_[current_].number && header->log_id == *id_;
        if (!right_name) report(0, expected, "sequence");
        else if (!gap_ && header->first_sequence != expected) report(0, expected, "sequence");
        else if (!gap_ && state_.hash && header->previous_hash != *state_.hash && header->previous_hash != state_.other_hash) report(0, expected, "chain");
        state_.sequence = header->first_sequence - 1;
        state_.hash = header->previous_hash;
        state_.other_hash.reset();
        return {};
    }

    Result<void> verify_segment() {
        const bool last = current_ + 1 == files_.size();
        auto opened = open_segment(disk_, options_, files_[current_].number);
        if (!opened) return opened.error();
        const auto& file = **opened;
        const auto damages_before = result_.damages.size();
        if (auto done = verify_header(file); !done) return done;
        gap_ = false;

        auto end = file.size();
        auto window = std::make_unique<FileWindow>(file, end);
        auto walk = std::make_unique<SegmentWalk>(*window, id_, files_[current_].number, state_);
        crypto::Sha256 file_hash;
        file_hash.update(window->view(0, header_bytes));
        std::uint64_t reported = 0;
        int waits = last ? waits_for_writer : 0;
        batches_hurt_.clear();
        bool ended = false;
        while (!ended) {
            const auto& item = walk->next();
            if (window->failure()) return *window->failure();
            if (item.offset - reported >= progress_step_bytes) {
                reported = item.offset;
                if (progress_) progress_(bytes_done_ + reported, bytes_total_);
            }
            switch (item.kind) {
                case ItemKind::record:
                    seen(item.record);
                    [[fallthrough]];
                case ItemKind::trailer: file_hash.update(window->view(item.offset, static_cast<std::size_t>(item.length))); break;
                case ItemKind::footer: {
                    const auto after = item.offset + item.length;
                    if (result_.damages.size() == damages_before && item.footer.file_hash != file_hash.digest()) report(item.offset, walk->state().sequence, "checksum");
                    if (after != window->end()) report(after, walk->state().sequence + 1, "length");
                    ended = true;
                    break;
                }
                case ItemKind::end:
                    if (!last) {
                        report(item.offset, walk->state().sequence + 1, "length");
                        gap_ = true;
                    }
                    ended = true;
                    break;
                case ItemKind::invalid:
                    if (waits > 0 && !later_item(*window, *walk)) {
                        // Perhaps only half written yet: look again as long as the file changes.
                        waits = still_changes(file, end, waits);
                        const auto state = walk->state();
                        end = file.size();
                        window = std::make_unique<FileWindow>(file, end);
                        walk = std::make_unique<SegmentWalk>(*window, id_, files_[current_].number, state);
                        break;
                    }
                    damaged(*walk, WalkItem{item});
                    ended = !go_on(*walk, WalkItem{item}, window->end());
                    break;
            }
        }
        state_ = walk->state();
        if (last) mark_last_batch(*window, damages_before);
        bytes_done_ += end;
        if (progress_) progress_(bytes_done_, bytes_total_);
        return {};
    }

    static bool later_item(FileWindow& window, SegmentWalk& walk) {
        return walk.find_intact_after(walk.state().offset).has_value() || window.failure().has_value();
    }

    // Lets the writer go on until the file has another size or patience ends; returns what is left of it.
    static int still_changes(const DiskFile& file, std::uint64_t size, int waits) {
        while (waits > 0) {
            --waits;
            std::this_thread::yield();
            if (file.size() != size) break;
        }
        return waits;
    }

    void seen(const Record& record) {
        ++result_.records;
        if (expect_ && record.sequence == expect_->sequence) {
            expected_seen_ = true;
            if (record.hash != expect_->hash) report(record.position.offset(), record.sequence, "chain");
        }
    }

    void damaged(const SegmentWalk& walk, const WalkItem& item) {
        report(item.offset, item.sequence, item.reason);
        batches_hurt_.push_back({result_.damages.size() - 1, walk.state().batch_start.value_or(item.offset)});
    }

    // Behind an invalid item. False: nothing more in this segment can be made out.
    bool go_on(SegmentWalk& walk, const WalkItem& item, std::uint64_t end) {
        const auto expected = walk.state().sequence + 1;
        const auto after = item.offset + item.length;
        auto state = walk.state();
        state.place = Place::unknown;
        state.batch_start.reset();
        if (item.length == trailer_bytes && is_at(walk, item.offset, trailer_marker)) return behind_trailer(walk, state, after, end);
        if (item.length == footer_bytes && is_at(walk, item.offset, footer_marker)) {
            if (after != end) report(after, expected, "length");
            gap_ = after != end || std::string_view{item.reason} != "checksum";
            return false;
        }
        if (item.length >= record_overhead_bytes) {
            const auto found = *walk.sequence_at(item.offset);
            const auto next = walk.sequence_at(after);
            const auto stored = walk.window().view(after - hash_bytes, hash_bytes);
            if (stored.size() == hash_bytes) state.hash = digest_at(stored.data());
            state.offset = after;
            if (next == expected + 1 && found != expected + 1) {  // this record is in its place, but changed
                state.sequence = expected;
                state.other_hash = recomputed(walk, item);
                // Unless another record stands in its place: then nobody knows which hash comes next.
                if (found != expected) state.hash.reset();
                walk.set_state(state);
                return true;
            }
            const auto second = record_length_at(walk, after);
            if (found == expected + 1 && next == expected && second > 0) {  // two records have changed places
                report(after, expected + 1, "sequence");
                batches_hurt_.push_back({result_.damages.size() - 1, batches_hurt_.back().second});
                state.other_hash = state.hash;
                const auto second_hash = walk.window().view(after + second - hash_bytes, hash_bytes);
                if (second_hash.size() == hash_bytes) state.hash = digest_at(second_hash.data());
                state.offset = after + second;
                state.sequence = expected + 1;
                walk.set_state(state);
                return true;
            }
            if (next == expected) {  // a record too many
                state.sequence = expected - 1;
                state.other_hash = walk.state().hash;
                walk.set_state(state);
                return true;
            }
            if (next && *next == found + 1) {  // records are missing, or a whole stretch stands elsewhere
                state.sequence = found;
                state.other_hash.reset();
                walk.set_state(state);
                return true;
            }
        }
        const auto found = walk.find_intact_after(item.offset);
        if (!found) {
            gap_ = true;
            return false;
        }
        walk.set_state(*found);
        return true;
    }

    bool behind_trailer(SegmentWalk& walk, WalkState state, std::uint64_t after, std::uint64_t end) {
        const auto expected = state.sequence + 1;
        state.offset = after;
        state.place = Place::between_batches;
        if (after == end) {
            walk.set_state(state);
            return true;
        }
        const auto next = walk.sequence_at(after);
        if (!next) {
            const auto found = walk.find_intact_after(after - 1);
            if (!found) {
                gap_ = true;
                return false;
            }
            walk.set_state(*found);
            return true;
        }
        if (*next != expected) {
            // The batch's last records are missing, and with them the hash that the next batch follows.
            state.sequence = *next - 1;
            state.hash.reset();
            state.other_hash.reset();
        }
        walk.set_state(state);
        return true;
    }

    static std::uint32_t record_length_at(SegmentWalk& walk, std::uint64_t offset) {
        const auto bytes = walk.window().view(offset, record_header_bytes);
        if (bytes.size() < record_header_bytes) return 0;
        const auto header = decode_record_header(bytes.data());
        return header.plausible() ? header.length : 0;
    }

    static bool is_at(SegmentWalk& walk, std::uint64_t offset, std::uint32_t marker) {
        const auto bytes = walk.window().view(offset, 4);
        return bytes.size() == 4 && u32_at(bytes.data()) == marker;
    }

    // The hash that a record ought to have; the next one follows it if only the stored hash was changed.
    static std::optional<crypto::Digest> recomputed(SegmentWalk& walk, const WalkItem& item) {
        const auto bytes = walk.window().view(item.offset, static_cast<std::size_t>(item.length));
        if (bytes.size() < item.length || !walk.state().hash) return std::nullopt;
        return crypto::sha256(crypto::view(*walk.state().hash), bytes.substr(0, bytes.size() - hash_bytes));
    }

    // Damage in the newest batch, with nothing intact behind it, may be the remains of an interrupted write: `serve` cuts it.
    void mark_last_batch(FileWindow& window, std::size_t damages_before) {
        if (!id_) return;
        for (const auto& [index, batch_start] : batches_hurt_) {
            if (index >= damages_before) result_.damages[index].last_batch_only = !later_batch_exists(window, *id_, batch_start);
        }
    }

    void check_expected() {
        if (!expect_ || expected_seen_ || expect_->sequence == 0) return;
        const bool shorter = state_.sequence < expect_->sequence;
        LogDamage damage{.file = "log/" + segment_name(1), .offset = state_.offset, .sequence = state_.sequence + 1, .reason = "length", .last_batch_only = false};
        if (!files_.empty()) damage.file = files_.back().shown;
        // Passed over in damaged bytes: already reported there.
        if (shorter) result_.damages.push_back(damage);
    }

    Disk& disk_;
    const FileLogOptions& options_;
    const std::optional<LogHead>& expect_;
    const std::function<void(std::uint64_t, std::uint64_t)>& progress_;

    std::vector<SegmentFile> files_;
    std::size_t current_ = 0;
    std::optional<LogId> id_;
    WalkState state_;
    bool gap_ = false;  // records before the next segment are missing or unreadable, which was reported
    bool expected_seen_ = false;
    std::vector<std::pair<std::size_t, std::uint64_t>> batches_hurt_;  // index of a damage, beginning of its batch
    std::uint64_t bytes_done_ = 0;
    std::uint64_t bytes_total_ = 0;
    VerifyResult result_;
};

}  // namespace

Result<VerifyResult> verify_log(Disk& disk, const FileLogOptions& options, const std::optional<LogHead>& expect,
                                const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    return Verification{disk, options, expect, progress}.run();
}

}  // namespace touchgate
