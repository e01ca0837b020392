// The writing side: batches are built in memory, written with one write and made durable with one sync.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "gateway/touch_log/durable_log.hpp"
#include "gateway/touch_log/recovery.hpp"

namespace touchgate {

using namespace log_format;

namespace {

// Space is taken from the file system in steps of this size, so that most reservations need no call.
constexpr std::uint64_t reserve_step_bytes = std::uint64_t{8} << 20U;

// After the first change on disk no error may look like "full, nothing changed".
Error fatal(const Error& error) { return {.kind = ErrorKind::corrupt, .detail = error.detail}; }

std::string new_name(const std::string& path) { return path + ".new"; }

class FileLogOnDisk final : public FileLog {
public:
    FileLogOnDisk(Disk& disk, const FileLogOptions& options) : disk_{disk}, options_{options}, durable_{disk, options} {}

    Result<void> open(const LogHead& verified_to, std::uint64_t known_sequence, LogRecovery& recovery) {
        auto recovered = recover(disk_, options_, verified_to, known_sequence, recovery);
        if (!recovered) return recovered.error();
        for (const auto& header : recovered->segments) durable_.add_segment(header.segment, header.first_sequence);
        if (auto done = disk_.make_folder(log_folder(options_)); !done) return done;
        if (auto done = remove_unfinished(); !done) return done;

        id_ = recovered->id;
        head_ = recovered->head;
        if (recovered->segment == 0) {
            id_ = options_.new_log_id ? *options_.new_log_id : random_log_id();
            head_.hash = genesis_hash(id_);
        }
        if (recovered->segment == 0 || recovered->sealed) {
            auto made = make_segment(recovered->segment + 1, 0);
            if (!made) return made.error();
            if (auto done = use_segment(std::move(*made)); !done) return done;
        } else {
            auto file = disk_.open(segment_path(recovered->segment), Disk::Mode::write);
            if (!file) return file.error();
            file_ = std::move(*file);
            segment_ = recovered->segment;
            first_sequence_ = recovered->first_sequence;
            end_ = recovered->head.next.offset();
            reserved_ = end_;
            file_hash_ = recovered->file_hash;
        }
        indexed_ = end_;
        durable_.publish(head_);
        return {};
    }

    LogHead head() const override { return head_; }
    std::size_t room() const override { return room_ < record_overhead_bytes ? 0 : std::min<std::size_t>(room_, record_bytes_max) - record_overhead_bytes; }

    Result<void> reserve(std::size_t bytes) override {
        room_ = 0;
        if (broken_) return Error{.kind = ErrorKind::corrupt, .detail = "the touch log failed before and takes no more"};
        const auto needed = static_cast<std::uint64_t>(batch_bytes_) + bytes + trailer_bytes + footer_bytes;
        if (header_bytes + needed > segment_bytes_max)
            return Error{.kind = ErrorKind::too_large, .detail = "a batch of " + std::to_string(bytes) + " bytes does not fit into a segment"};
        const bool full = end_ + needed > options_.segment_bytes || end_ + needed > segment_bytes_max;
        if (full && batch_bytes_ == 0 && end_ > header_bytes) {
            if (auto done = roll(needed); !done) return done;
        } else if (end_ + needed > segment_bytes_max) {
            return Error{.kind = ErrorKind::too_large, .detail = "the open batch has become too large for its segment"};
        }
        if (auto done = take_space(*file_, end_ + needed, reserved_); !done) return done;
        make_buffer(hash_bytes + batch_bytes_ + bytes + trailer_bytes);
        room_ = bytes;
        return {};
    }

    LogPosition append(Instant time, std::uint16_t type, std::uint8_t version, ContactIndex contact, LogPosition previous_of_contact,
                       std::string_view payload, std::uint64_t& sequence) override {
        const auto length = payload.size() + record_overhead_bytes;
        if (length > room_ || length > record_bytes_max) throw std::logic_error("a record was appended to the touch log without room for it");
        if (batch_bytes_ == 0) {
            // The hash before the batch stands before the first record's bytes, as in the middle of a batch, so that hashing is one run.
            std::memcpy(buffer_.get(), head_.hash.data(), hash_bytes);
            batch_first_sequence_ = head_.sequence + 1;
        }
        sequence = head_.sequence + 1;
        char* const to = batch() + batch_bytes_;
        encode_record_header(to, {.length = static_cast<std::uint32_t>(length),
                                  .sequence = sequence,
                                  .time_ms = unix_ms(time),
                                  .type = type,
                                  .version = version,
                                  .flags = batch_bytes_ == 0 ? flag_first_of_batch : std::uint8_t{0},
                                  .contact = contact.value,
                                  .previous_of_contact = previous_of_contact.value});
        if (!payload.empty()) std::memcpy(to + record_header_bytes, payload.data(), payload.size());
        head_.hash = crypto::sha256({to - hash_bytes, length}, {});  // the hash before it and all of it but its own hash
        std::memcpy(to + length - hash_bytes, head_.hash.data(), hash_bytes);
        head_.sequence = sequence;
        const auto position = position_of(segment_, end_ + batch_bytes_);
        if (end_ + batch_bytes_ - indexed_ >= index_distance_bytes) {
            indexed_ = end_ + batch_bytes_;
            to_index_.emplace_back(sequence, position);
        }
        batch_bytes_ += length;
        room_ -= length;
        head_.next = position_of(segment_, end_ + batch_bytes_);
        return position;
    }

    Result<void> commit() override {
        room_ = 0;
        if (batch_bytes_ == 0) return {};
        if (broken_) return Error{.kind = ErrorKind::corrupt, .detail = "the touch log failed before and takes no more"};
        const auto length = batch_bytes_ + trailer_bytes;
        encode_trailer(batch() + batch_bytes_,
                       {.length = static_cast<std::uint32_t>(length),
                        .records = static_cast<std::uint32_t>(head_.sequence - batch_first_sequence_ + 1),
                        .first_sequence = batch_first_sequence_},
                       id_, head_.hash);
        broken_ = true;  // until both calls have succeeded
        if (auto done = file_->write(end_, {batch(), length}); !done) return fatal(done.error());
        if (auto done = file_->sync(); !done) return fatal(done.error());
        broken_ = false;
        file_hash_.update({batch(), length});
        end_ += length;
        batch_bytes_ = 0;
        head_.next = position_of(segment_, end_);
        for (const auto& [sequence, position] : to_index_) durable_.index(sequence, position);
        to_index_.clear();
        durable_.publish(head_);
        return {};
    }

    Result<Record> at(LogPosition position, std::string& buffer) const override { return durable_.at(position, buffer); }
    Result<std::uint64_t> scan(std::uint64_t from, const std::function<bool(const Record&)>& each) const override { return durable_.scan(from, each); }
    LogHead durable_head() const override { return durable_.head(); }

private:
    struct NewSegment {
        std::uint32_t number = 0;
        std::unique_ptr<DiskFile> file;
        std::string header;
        std::uint64_t reserved = 0;
    };

    [[nodiscard]] std::string segment_path(std::uint32_t number) const { return log_folder(options_) + '/' + segment_name(number); }
    [[nodiscard]] char* batch() const { return buffer_.get() + hash_bytes; }

    void make_buffer(std::size_t bytes) {
        if (bytes <= capacity_) return;
        bytes = std::max(bytes, capacity_ * 2);
        auto larger = std::make_unique_for_overwrite<char[]>(bytes);
        if (batch_bytes_ > 0) std::memcpy(larger.get(), buffer_.get(), hash_bytes + batch_bytes_);
        buffer_ = std::move(larger);
        capacity_ = bytes;
    }

    Result<void> take_space(DiskFile& file, std::uint64_t upto, std::uint64_t& reserved) const {
        if (upto <= reserved) return {};
        const auto generous = (upto + reserve_step_bytes - 1) / reserve_step_bytes * reserve_step_bytes;
        const auto wanted = std::max(upto, std::min<std::uint64_t>(generous, options_.segment_bytes));
        auto done = file.reserve(wanted);
        if (done) {
            reserved = wanted;
            return {};
        }
        if (done.error().kind != ErrorKind::unavailable || wanted == upto) return done;
        if (done = file.reserve(upto); done) reserved = upto;
        return done;
    }

    // What a roll that was interrupted left behind.
    Result<void> remove_unfinished() {
        const auto names = disk_.list(log_folder(options_));
        if (!names) return names.error();
        for (const auto& name : *names) {
            if (!name.ends_with(".log.new")) continue;
            if (auto done = disk_.remove(log_folder(options_) + '/' + name); !done) return done;
        }
        return {};
    }

    // A segment under a temporary name: whoever sees its real name sees a whole, durable header.
    Result<NewSegment> make_segment(std::uint32_t number, std::uint64_t bytes) {
        NewSegment made{.number = number, .file = {}, .header = {}, .reserved = 0};
        made.header = encode_header({.segment = number, .first_sequence = head_.sequence + 1, .log_id = id_, .previous_hash = head_.hash});
        const auto path = new_name(segment_path(number));
        auto file = disk_.open(path, Disk::Mode::create);
        if (!file) return file.error();
        made.file = std::move(*file);
        const auto fill = [&]() -> Result<void> {
            if (auto done = take_space(*made.file, header_bytes + bytes, made.reserved); !done) return done;
            if (auto done = made.file->write(0, made.header); !done) return done;
            return made.file->sync();
        };
        if (auto done = fill(); !done) {
            made.file.reset();
            // The reservation's error is the one to report; a leftover is removed at the next start.
            if (auto removed = disk_.remove(path); !removed) return fatal(done.error());
            return done.error();
        }
        return made;
    }

    Result<void> use_segment(NewSegment made) {
        const auto path = segment_path(made.number);
        if (auto done = disk_.rename(new_name(path), path); !done) return fatal(done.error());
        file_ = std::move(made.file);
        segment_ = made.number;
        first_sequence_ = head_.sequence + 1;
        end_ = header_bytes;
        indexed_ = end_;
        reserved_ = made.reserved;
        file_hash_ = {};
        file_hash_.update(made.header);
        head_.next = position_of(segment_, end_);
        durable_.add_segment(segment_, first_sequence_);
        return {};
    }

    // Each step leaves a log that opens: the new segment has no name before the old one's footer is durable, and a sealed last segment
    // gets its successor at the next start.
    Result<void> roll(std::uint64_t needed) {
        if (auto done = take_space(*file_, end_ + footer_bytes, reserved_); !done) return done;
        auto made = make_segment(segment_ + 1, needed);
        if (!made) return made.error();
        broken_ = true;
        const auto footer = encode_footer(
            {.records = head_.sequence + 1 - first_sequence_, .last_sequence = head_.sequence, .last_hash = head_.hash, .file_hash = file_hash_.digest()}, id_);
        if (auto done = file_->write(end_, footer); !done) return fatal(done.error());
        // Gives back what was reserved beyond the end.
        if (auto done = file_->truncate(end_ + footer.size()); !done) return fatal(done.error());
        if (auto done = file_->sync(); !done) return fatal(done.error());
        if (auto done = use_segment(std::move(*made)); !done) return done;
        broken_ = false;
        durable_.publish(head_);
        return {};
    }

    // Given.
    Disk& disk_;
    FileLogOptions options_;

    // The last segment.
    LogId id_{};
    std::unique_ptr<DiskFile> file_;
    std::uint32_t segment_ = 0;
    std::uint64_t first_sequence_ = 1;
    std::uint64_t end_ = 0;       // durable bytes
    std::uint64_t reserved_ = 0;  // bytes for which there is space
    crypto::Sha256 file_hash_;    // of the durable bytes
    LogHead head_;
    bool broken_ = false;

    // The open batch: the hash before it, then its records.
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t batch_bytes_ = 0;
    std::uint64_t batch_first_sequence_ = 0;
    std::size_t room_ = 0;

    std::uint64_t indexed_ = 0;  // offset of the newest index entry
    std::vector<std::pair<std::uint64_t, LogPosition>> to_index_;
    DurableLog durable_;
};

}  // namespace

Result<std::unique_ptr<FileLog>> FileLog::open(Disk& disk, const FileLogOptions& options, const LogHead& verified_to, std::uint64_t known_sequence,
                                               LogRecovery& recovery) {
    auto log = std::make_unique<FileLogOnDisk>(disk, options);
    if (auto done = log->open(verified_to, known_sequence, recovery); !done) return done.error();
    return std::unique_ptr<FileLog>{std::move(log)};
}

}  // namespace touchgate
