#include "gateway/touch_log/segment_walk.hpp"

namespace touchgate::log_format {

namespace {

using Place = WalkState::Place;

// How far ahead of the expected sequence a record may be and still be taken for one, when searching damaged bytes.
constexpr std::uint64_t sequence_search_span = std::uint64_t{1} << 24U;

}  // namespace

void SegmentWalk::invalid(const char* reason, std::uint64_t sequence, std::uint64_t length) {
    item_.kind = ItemKind::invalid;
    item_.reason = reason;
    item_.sequence = sequence;
    item_.length = length;
}

const WalkItem& SegmentWalk::next() {
    item_.offset = state_.offset;
    item_.length = 0;
    const auto head = window_.view(state_.offset, 4);
    if (head.empty() && state_.offset >= window_.end()) {
        if (state_.place == Place::in_batch) invalid("length", state_.sequence + 1);
        else item_.kind = ItemKind::end;
        return item_;
    }
    if (head.size() < 4) {
        invalid("length", state_.sequence + 1);
        return item_;
    }
    switch (u32_at(head.data())) {
        case trailer_marker: walk_trailer(); break;
        case footer_marker: walk_footer(); break;
        default: walk_record(); break;
    }
    return item_;
}

bool SegmentWalk::follows(std::string_view record) const {
    if (!state_.hash) return true;
    const auto fields = record.substr(0, record.size() - hash_bytes);
    const auto stored = record.substr(record.size() - hash_bytes);
    if (crypto::view(crypto::sha256(crypto::view(*state_.hash), fields)) == stored) return true;
    return state_.other_hash && crypto::view(crypto::sha256(crypto::view(*state_.other_hash), fields)) == stored;
}

void SegmentWalk::walk_record() {
    const auto expected = state_.sequence + 1;
    const auto head = window_.view(state_.offset, record_header_bytes);
    if (head.size() < record_header_bytes) return invalid("length", expected);
    const auto header = decode_record_header(head.data());
    if (!header.plausible() || header.length > window_.end() - state_.offset) return invalid("length", expected);
    const auto bytes = window_.view(state_.offset, header.length);
    if (bytes.size() < header.length) return invalid("length", expected);
    if (header.sequence != expected) {
        // A changed byte in the sequence itself leaves the next record where it belongs.
        const bool in_place = sequence_at(state_.offset + header.length) == expected + 1;
        return invalid(in_place ? "checksum" : "sequence", expected, header.length);
    }
    if (!follows(bytes)) return invalid("checksum", expected, header.length);
    const bool first = header.flags == flag_first_of_batch;
    if (!first && header.flags != 0) return invalid("checksum", expected, header.length);
    // Between two records of different batches a trailer is missing; at a batch's beginning, the records before this one are.
    if ((first && state_.place == Place::in_batch) || (!first && state_.place == Place::between_batches)) return invalid("length", expected, header.length);

    item_.kind = ItemKind::record;
    item_.length = header.length;
    item_.record = to_record(header, bytes.data(), position_of(segment_, state_.offset));
    if (first) {
        state_.batch_start = state_.offset;
        state_.batch_first_sequence = expected;
        state_.batch_records = 0;
    }
    state_.place = Place::in_batch;
    ++state_.batch_records;
    state_.offset += header.length;
    state_.sequence = expected;
    state_.hash = item_.record.hash;
    state_.other_hash.reset();
}

void SegmentWalk::walk_trailer() {
    const auto expected = state_.sequence + 1;
    const auto bytes = window_.view(state_.offset, trailer_bytes);
    if (bytes.size() < trailer_bytes) return invalid("length", expected);
    const auto trailer = decode_trailer(bytes);
    if (!trailer) return invalid("checksum", state_.sequence, trailer_bytes);
    const bool fits = !id_ || !state_.hash || trailer_check_fits(bytes, *id_, *state_.hash) ||
                      (state_.other_hash && trailer_check_fits(bytes, *id_, *state_.other_hash));
    if (!fits) {
        // An intact trailer that counts one record more: the batch's last record is gone.
        const bool misses_records = trailer->sequence_after() > expected && trailer->sequence_after() - expected <= trailer->records;
        return misses_records ? invalid("sequence", expected, trailer_bytes) : invalid("checksum", state_.sequence, trailer_bytes);
    }
    if (state_.place == Place::between_batches || trailer->records == 0 || trailer->sequence_after() != expected)
        return invalid("sequence", expected, trailer_bytes);
    if (state_.batch_start) {
        if (trailer->first_sequence != state_.batch_first_sequence || trailer->records != state_.batch_records)
            return invalid("sequence", expected, trailer_bytes);
        if (trailer->length != state_.offset + trailer_bytes - *state_.batch_start) return invalid("length", expected, trailer_bytes);
    }
    item_.kind = ItemKind::trailer;
    item_.length = trailer_bytes;
    state_.place = Place::between_batches;
    state_.batch_start.reset();
    state_.offset += trailer_bytes;
}

void SegmentWalk::walk_footer() {
    const auto expected = state_.sequence + 1;
    const auto bytes = window_.view(state_.offset, footer_bytes);
    if (bytes.size() < footer_bytes) return invalid("length", expected);
    const auto footer = decode_footer(bytes);
    if (!footer || (id_ && !footer_check_fits(bytes, *id_))) return invalid("checksum", state_.sequence, footer_bytes);
    if (state_.place == Place::in_batch) return invalid("length", expected, footer_bytes);
    if (footer->last_sequence != state_.sequence) return invalid("sequence", expected, footer_bytes);
    if (state_.hash && footer->last_hash != *state_.hash && !(state_.other_hash && footer->last_hash == *state_.other_hash))
        return invalid("chain", state_.sequence, footer_bytes);
    item_.kind = ItemKind::footer;
    item_.length = footer_bytes;
    item_.footer = *footer;
    state_.place = Place::between_batches;
    state_.hash = footer->last_hash;
    state_.other_hash.reset();
    state_.offset += footer_bytes;
}

std::optional<std::uint64_t> SegmentWalk::sequence_at(std::uint64_t offset) {
    const auto head = window_.view(offset, record_header_bytes);
    if (head.size() < record_header_bytes) return std::nullopt;
    if (u32_at(head.data()) == trailer_marker) {
        const auto trailer = decode_trailer(window_.view(offset, trailer_bytes));
        return trailer ? std::optional{trailer->sequence_after()} : std::nullopt;
    }
    if (u32_at(head.data()) == footer_marker) {
        const auto footer = decode_footer(window_.view(offset, footer_bytes));
        return footer ? std::optional{footer->last_sequence + 1} : std::nullopt;
    }
    const auto header = decode_record_header(head.data());
    if (!header.plausible() || header.length > window_.end() - offset) return std::nullopt;
    return header.sequence;
}

std::optional<WalkState> SegmentWalk::intact_trailer(std::uint64_t offset) {
    if (!id_ || offset < header_bytes + hash_bytes) return std::nullopt;
    const auto bytes = window_.view(offset - hash_bytes, hash_bytes + trailer_bytes);
    if (bytes.size() < hash_bytes + trailer_bytes) return std::nullopt;
    const auto last_hash = digest_at(bytes.data());
    const auto trailer = decode_trailer(bytes.substr(hash_bytes));
    if (!trailer || !trailer_check_fits(bytes.substr(hash_bytes), *id_, last_hash)) return std::nullopt;
    WalkState state;
    state.offset = offset;
    state.sequence = trailer->sequence_after() - 1;
    state.hash = last_hash;
    state.place = Place::unknown;
    return state;
}

std::optional<WalkState> SegmentWalk::intact_footer(std::uint64_t offset) {
    if (!id_) return std::nullopt;
    const auto bytes = window_.view(offset, footer_bytes);
    const auto footer = decode_footer(bytes);
    if (!footer || !footer_check_fits(bytes, *id_)) return std::nullopt;
    WalkState state;
    state.offset = offset;
    state.sequence = footer->last_sequence;
    state.hash = footer->last_hash;
    return state;
}

std::optional<WalkState> SegmentWalk::intact_record(std::uint64_t offset) {
    const auto head = window_.view(offset, record_header_bytes);
    if (head.size() < record_header_bytes) return std::nullopt;
    const auto header = decode_record_header(head.data());
    const bool first = header.flags == flag_first_of_batch;
    if (!header.plausible() || (!first && header.flags != 0) || header.length > window_.end() - offset) return std::nullopt;
    auto hash_from = offset - (first ? hash_before_batch : hash_bytes);
    if (offset == header_bytes) hash_from = header_previous_hash_offset;
    else if (hash_from < header_bytes) return std::nullopt;
    const auto before = window_.view(hash_from, hash_bytes);
    if (before.size() < hash_bytes) return std::nullopt;
    const auto previous = digest_at(before.data());
    const auto bytes = window_.view(offset, header.length);
    if (bytes.size() < header.length) return std::nullopt;
    if (crypto::view(crypto::sha256(crypto::view(previous), bytes.substr(0, header.length - hash_bytes))) != bytes.substr(header.length - hash_bytes))
        return std::nullopt;
    WalkState state;
    state.offset = offset;
    state.sequence = header.sequence - 1;
    state.hash = previous;
    state.place = first ? Place::between_batches : Place::unknown;
    return state;
}

std::optional<WalkState> SegmentWalk::find_intact_after(std::uint64_t offset) {
    const auto expected = state_.sequence + 1;
    for (auto at = offset + 1; at + trailer_bytes <= window_.end(); ++at) {
        const auto bytes = window_.view(at, record_header_bytes);
        if (bytes.size() < record_header_bytes) break;
        const auto start = u32_at(bytes.data());
        std::optional<WalkState> found;
        if (start == trailer_marker) found = intact_trailer(at);
        else if (start == footer_marker) found = intact_footer(at);
        else if (const auto sequence = u64_at(bytes.data() + 4); sequence >= expected && sequence - expected < sequence_search_span) found = intact_record(at);
        if (found && found->sequence >= state_.sequence) return found;
    }
    return std::nullopt;
}

bool later_batch_exists(FileWindow& window, const LogId& id, std::uint64_t batch_start) {
    const auto proves = [&](std::uint64_t offset, std::uint32_t marker) {
        if (marker == footer_marker) return offset > batch_start && footer_check_fits(window.view(offset, footer_bytes), id);
        if (marker != trailer_marker || offset < batch_start + hash_bytes) return false;
        const auto bytes = window.view(offset - hash_bytes, hash_bytes + trailer_bytes);
        if (bytes.size() < hash_bytes + trailer_bytes) return false;
        const auto trailer = decode_trailer(bytes.substr(hash_bytes));
        if (!trailer || !trailer_check_fits(bytes.substr(hash_bytes), id, digest_at(bytes.data()))) return false;
        // The trailer of the damaged batch itself proves nothing: a torn write may keep its last sector and lose another.
        return offset + trailer_bytes > batch_start + trailer->length;
    };
    for (auto at = batch_start; at + 4 <= window.end(); ++at) {
        const auto bytes = window.view(at, 4);
        if (bytes.size() < 4) return false;
        if (proves(at, u32_at(bytes.data()))) return true;
    }
    return false;
}

}  // namespace touchgate::log_format
