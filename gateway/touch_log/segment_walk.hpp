// Going through a segment record by record, checking everything: lengths, sequences, the hash chain, trailers and footers.
// Recovery, verification and reading beside a running gateway all go this way.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/touch_log/segments.hpp"

namespace touchgate::log_format {

// What a walk knows when it stands between two items.
struct WalkState {
    std::uint64_t offset = header_bytes;
    std::uint64_t sequence = 0;               // of the last record
    std::optional<crypto::Digest> hash;       // of the last record; not known after a gap
    std::optional<crypto::Digest> other_hash; // a second value that the next record may follow (after a record whose own bytes are damaged)
    enum class Place { between_batches, in_batch, unknown } place = Place::between_batches;
    std::optional<std::uint64_t> batch_start; // while in a batch whose beginning was seen
    std::uint64_t batch_first_sequence = 0;
    std::uint64_t batch_records = 0;
};

enum class ItemKind { record, trailer, footer, end, invalid };

struct WalkItem {
    ItemKind kind = ItemKind::end;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;     // of the item's bytes, where known
    Record record;                // of a record
    Footer footer;                // of a footer
    std::uint64_t sequence = 0;   // of an invalid item: as in LogDamage
    const char* reason = "";      // of an invalid item
};

class SegmentWalk {
public:
    // `id` unknown (no intact header anywhere): checks of trailers and footers are passed over.
    SegmentWalk(FileWindow& window, const std::optional<LogId>& id, std::uint32_t segment, const WalkState& start)
        : window_{window}, id_{id}, segment_{segment}, state_{start} {}

    // The next item; an invalid one leaves the walk where it was. At the file's end inside a batch: invalid, "length".
    const WalkItem& next();

    [[nodiscard]] const WalkState& state() const { return state_; }
    [[nodiscard]] FileWindow& window() { return window_; }
    void set_state(const WalkState& state) { state_ = state; }
    // The sequence of the record at `offset`, or of the one that must follow a trailer or footer there; nothing if neither may stand there.
    std::optional<std::uint64_t> sequence_at(std::uint64_t offset);
    // The next place after `offset` where an item proves itself: a record by the hash before it, a trailer or footer by its check.
    std::optional<WalkState> find_intact_after(std::uint64_t offset);

private:
    void walk_record();
    void walk_trailer();
    void walk_footer();
    void invalid(const char* reason, std::uint64_t sequence, std::uint64_t length = 0);
    [[nodiscard]] bool follows(std::string_view record) const;
    std::optional<WalkState> intact_trailer(std::uint64_t offset);
    std::optional<WalkState> intact_footer(std::uint64_t offset);
    std::optional<WalkState> intact_record(std::uint64_t offset);

    FileWindow& window_;
    std::optional<LogId> id_;
    std::uint32_t segment_;
    WalkState state_;
    WalkItem item_;
};

// Whether anything intact after the batch that begins at `batch_start` proves that this batch was once complete: a later batch's trailer or
// the footer. If not, the batch is the last one and may be the remains of a write that a crash interrupted.
[[nodiscard]] bool later_batch_exists(FileWindow& window, const LogId& id, std::uint64_t batch_start);

}  // namespace touchgate::log_format
