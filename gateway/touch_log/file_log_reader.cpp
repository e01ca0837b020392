// Reading durable records: by position, in order, and beside a running gateway.
#include <algorithm>
#include <cstring>

#include "gateway/touch_log/durable_log.hpp"
#include "gateway/touch_log/segment_walk.hpp"

namespace touchgate {

using namespace log_format;

namespace log_format {

namespace {

constexpr std::size_t open_files_max = 64;
// One read serves most records: they are a few hundred bytes.
constexpr std::size_t first_read_bytes = 1024;

Error no_record(LogPosition position, const char* why) {
    return {.kind = ErrorKind::corrupt,
            .detail = "no record at offset " + std::to_string(position.offset()) + " of log/" + segment_name(position.segment()) + ": " + why};
}

}  // namespace

void DurableLog::add_segment(std::uint32_t number, std::uint64_t first_sequence) {
    const std::lock_guard lock{mutex_};
    auto& segment = segments_[number];
    segment.first_sequence = first_sequence;
    segment.index.emplace(first_sequence, static_cast<std::uint32_t>(header_bytes));
}

void DurableLog::publish(const LogHead& head) {
    const std::lock_guard lock{mutex_};
    head_ = head;
}

void DurableLog::index(std::uint64_t sequence, LogPosition position) {
    const std::lock_guard lock{mutex_};
    segments_[position.segment()].index.emplace(sequence, position.offset());
}

LogHead DurableLog::head() const {
    const std::lock_guard lock{mutex_};
    return head_;
}

Error DurableLog::damaged(const Place& place, const char* reason) const {
    return {.kind = ErrorKind::corrupt,
            .detail = describe({.file = "log/" + segment_name(place.segment), .offset = place.offset, .sequence = place.sequence, .reason = reason})};
}

Result<std::shared_ptr<const DiskFile>> DurableLog::open(std::uint32_t number) const {
    {
        const std::lock_guard lock{mutex_};
        const auto at = segments_.find(number);
        if (at == segments_.end()) return Error{.kind = ErrorKind::corrupt, .detail = "segment log/" + segment_name(number) + " is missing"};
        at->second.last_use = ++uses_;
        if (at->second.file) return at->second.file;
    }
    auto opened = open_segment(disk_, options_, number);
    if (!opened) return opened.error();
    std::shared_ptr<const DiskFile> file{std::move(*opened)};
    const std::lock_guard lock{mutex_};
    auto& segment = segments_[number];
    if (segment.file) return segment.file;
    segment.file = file;
    if (++open_files_ > open_files_max) {
        const auto oldest = std::min_element(segments_.begin(), segments_.end(), [&](const auto& a, const auto& b) {
            const auto use = [&](const Segment& s) { return s.file && &s != &segment ? s.last_use : ~std::uint64_t{0}; };
            return use(a.second) < use(b.second);
        });
        oldest->second.file.reset();
        --open_files_;
    }
    return file;
}

Result<Record> DurableLog::at(LogPosition position, std::string& buffer) const {
    std::uint64_t end = segment_bytes_max;
    {
        const std::lock_guard lock{mutex_};
        if (position >= head_.next) return Error{.kind = ErrorKind::not_found, .detail = "the log has no durable record at this position"};
        if (position.segment() == head_.next.segment()) end = head_.next.offset();
    }
    const std::uint64_t offset = position.offset();
    if (offset < header_bytes) return no_record(position, "it lies in the segment's header");
    auto opened = open(position.segment());
    if (!opened) return opened.error();
    const auto& file = **opened;
    end = std::min(end, file.size());
    if (offset + record_overhead_bytes > end) return no_record(position, "the segment ends there");

    // The hash that the record follows stands before it: directly, behind a trailer, or in the segment's header.
    const auto begin = offset == header_bytes ? header_previous_hash_offset : offset - hash_before_batch;
    const auto lead = static_cast<std::size_t>(offset - begin);
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(lead + first_read_bytes, end - begin)));
    if (auto done = file.read_into(begin, buffer.data(), buffer.size()); !done) return done.error();
    const auto header = decode_record_header(buffer.data() + lead);
    if (!header.plausible() || offset + header.length > end) return no_record(position, "its length is impossible");
    if (lead + header.length > buffer.size()) {
        const auto have = buffer.size();
        buffer.resize(lead + header.length);
        if (auto done = file.read_into(begin + have, buffer.data() + have, buffer.size() - have); !done) return done.error();
    }
    const bool behind_record = offset != header_bytes && header.flags != flag_first_of_batch;
    const std::string_view previous{buffer.data() + (behind_record ? lead - hash_bytes : 0), hash_bytes};
    const std::string_view fields{buffer.data() + lead, header.length - hash_bytes};
    auto record = to_record(header, buffer.data() + lead, position);
    if (crypto::sha256(previous, fields) != record.hash) return no_record(position, "its hash does not fit");
    return record;
}

Result<DurableLog::Place> DurableLog::locate(std::uint64_t sequence) const {
    const std::lock_guard lock{mutex_};
    auto found = segments_.end();
    for (auto at = segments_.begin(); at != segments_.end() && at->second.first_sequence <= sequence; ++at) {
        // A segment with a damaged header is reached through the one before it.
        if (at->second.first_sequence > 0) found = at;
    }
    if (found == segments_.end())
        return Error{.kind = ErrorKind::corrupt, .detail = "the segment with sequence " + std::to_string(sequence) + " is missing or its header is damaged"};
    const auto& index = found->second.index;
    const auto entry = std::prev(index.upper_bound(sequence));
    return Place{.segment = found->first, .offset = entry->second, .sequence = entry->first};
}

Result<std::uint64_t> DurableLog::scan(std::uint64_t from, const std::function<bool(const Record&)>& each) const {
    const auto stop = head();
    if (from == 0) from = 1;
    if (from > stop.sequence) return from;
    const auto start = locate(from);
    if (!start) return start.error();
    auto place = *start;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> learned;
    const auto keep_learned = [&] {
        if (learned.empty()) return;
        const std::lock_guard lock{mutex_};
        segments_[place.segment].index.insert(learned.begin(), learned.end());
        learned.clear();
    };
    while (true) {
        const auto file = open(place.segment);
        if (!file) return file.error();
        const bool newest = place.segment == stop.next.segment();
        FileWindow window{**file, newest ? stop.next.offset() : (*file)->size()};
        auto indexed = place.offset;
        bool footer = false;
        while (place.offset < window.end()) {
            const auto head = window.view(place.offset, record_header_bytes);
            if (window.failure()) return *window.failure();
            if (head.size() < record_header_bytes) return damaged(place, "length");
            const auto marker = u32_at(head.data());
            if (marker == trailer_marker) {
                place.offset += trailer_bytes;
                continue;
            }
            if (marker == footer_marker) {
                footer = true;
                break;
            }
            const auto header = decode_record_header(head.data());
            if (!header.plausible() || header.length > window.end() - place.offset) return damaged(place, "length");
            if (header.sequence != place.sequence) return damaged(place, "sequence");
            if (place.offset - indexed >= index_distance_bytes) {
                indexed = place.offset;
                learned.emplace_back(place.sequence, static_cast<std::uint32_t>(place.offset));
            }
            if (place.sequence >= from) {
                const auto bytes = window.view(place.offset, header.length);
                if (window.failure()) return *window.failure();
                if (!each(to_record(header, bytes.data(), position_of(place.segment, place.offset)))) {
                    keep_learned();
                    return place.sequence + 1;
                }
            }
            place.offset += header.length;
            ++place.sequence;
        }
        keep_learned();
        if (newest) return place.sequence;
        if (!footer) return damaged(place, "length");
        ++place.segment;
        place.offset = header_bytes;
    }
}

}  // namespace log_format

namespace {

// Reads while another process writes: durable is what stands in whole, intact batches.
class ReadOnlyLog final : public LogReader {
public:
    ReadOnlyLog(Disk& disk, const FileLogOptions& options) : log_{disk, options} {}

    Result<void> open() {
        const auto files = list_segments(log_.disk(), log_.options());
        if (!files) return files.error();
        for (const auto& file : *files) {
            if (auto done = add(file.number); !done) return done;
        }
        if (!files->empty() && segment_ == 0)
            return Error{.kind = ErrorKind::corrupt, .detail = "no segment in " + log_folder(log_.options()) + " has an intact header"};
        return refresh();
    }

    Result<Record> at(LogPosition position, std::string& buffer) const override {
        auto found = log_.at(position, buffer);
        if (found || found.error().kind != ErrorKind::not_found) return found;
        if (auto done = refresh(); !done) return done.error();
        return log_.at(position, buffer);
    }

    Result<std::uint64_t> scan(std::uint64_t from, const std::function<bool(const Record&)>& each) const override {
        if (auto done = refresh(); !done) return done.error();
        bool stopped = false;
        auto next = log_.scan(from, [&](const Record& record) {
            stopped = !each(record);
            return !stopped;
        });
        if (!next || stopped) return next;
        const std::lock_guard lock{mutex_};
        if (damage_) return Error{.kind = ErrorKind::corrupt, .detail = describe(*damage_)};
        return next;
    }

    LogHead durable_head() const override {
        // A disk that fails here fails again at the next scan, which can say so.
        if (auto done = refresh(); !done) return log_.head();
        return log_.head();
    }

private:
    Result<void> add(std::uint32_t number) const {
        auto file = open_segment(log_.disk(), log_.options(), number);
        if (!file) return file.error();
        SegmentHeader header;
        if ((*file)->size() >= header_bytes) {
            const auto bytes = (*file)->read(0, header_bytes);
            if (!bytes) return bytes.error();
            const auto decoded = decode_header(*bytes);
            if (!decoded && decoded.error().kind == ErrorKind::unsupported) return decoded.error();
            if (decoded && decoded->segment == number) header = *decoded;
        }
        log_.add_segment(number, header.first_sequence);
        if (header.first_sequence > 0) {
            id_ = header.log_id;
            // All segments before the newest are complete: only from here on batches may be missing.
            tail_ = {};
            tail_.sequence = header.first_sequence - 1;
            tail_.hash = header.previous_hash;
            segment_ = number;
            publish();
        }
        return {};
    }

    void publish() const {
        log_.publish({.sequence = tail_.sequence, .hash = *tail_.hash, .next = position_of(segment_, tail_.offset)});
    }

    // Walks what was written since the last time.
    Result<void> refresh() const {
        const std::lock_guard lock{mutex_};
        while (segment_ > 0 && !damage_) {
            if (!file_ || file_number_ != segment_) {
                auto opened = open_segment(log_.disk(), log_.options(), segment_);
                if (!opened) return opened.error();
                file_ = std::move(*opened);
                file_number_ = segment_;
            }
            FileWindow window{*file_, file_->size()};
            SegmentWalk walk{window, id_, segment_, tail_};
            auto indexed = tail_.offset;
            bool sealed = false;
            while (true) {
                const auto& item = walk.next();
                if (window.failure()) return *window.failure();
                if (item.kind == ItemKind::record) {
                    if (item.offset - indexed >= index_distance_bytes) {
                        indexed = item.offset;
                        log_.index(item.record.sequence, item.record.position);
                    }
                    continue;
                }
                if (item.kind == ItemKind::trailer) {
                    tail_ = walk.state();
                    publish();
                    continue;
                }
                sealed = item.kind == ItemKind::footer;
                if (item.kind == ItemKind::invalid && later_batch_exists(window, *id_, walk.state().batch_start.value_or(tail_.offset)))
                    damage_ = {.file = "log/" + segment_name(segment_), .offset = item.offset, .sequence = item.sequence, .reason = item.reason};
                break;
            }
            if (!sealed) return {};
            // The footer stays the end of this walk, so that it is found again while the next segment is not there yet.
            const auto next = segment_ + 1;
            const auto files = list_segments(log_.disk(), log_.options());
            if (!files) return files.error();
            if (std::none_of(files->begin(), files->end(), [&](const SegmentFile& file) { return file.number == next; })) return {};
            if (auto done = add(next); !done) return done;
            if (segment_ != next) {
                damage_ = {.file = "log/" + segment_name(next), .offset = 0, .sequence = tail_.sequence + 1, .reason = "checksum"};
            }
        }
        return {};
    }

    mutable DurableLog log_;
    mutable std::mutex mutex_;  // guards what follows
    mutable std::optional<LogId> id_;
    mutable std::uint32_t segment_ = 0;
    mutable WalkState tail_;  // after the last intact batch
    mutable std::unique_ptr<DiskFile> file_;
    mutable std::uint32_t file_number_ = 0;
    mutable std::optional<LogDamage> damage_;
};

}  // namespace

Result<std::unique_ptr<LogReader>> FileLog::open_for_reading(Disk& disk, const FileLogOptions& options) {
    auto log = std::make_unique<ReadOnlyLog>(disk, options);
    if (auto done = log->open(); !done) return done.error();
    return std::unique_ptr<LogReader>{std::move(log)};
}

}  // namespace touchgate
