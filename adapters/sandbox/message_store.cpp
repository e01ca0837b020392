#include "adapters/sandbox/message_store.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace touchgate::sandbox {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash ^= value + 0x9E3779B97F4A7C15ULL + (hash << 6U) + (hash >> 2U);
    return hash * 0xFF51AFD7ED558CCDULL;
}

template <class Number> Number intern(std::vector<std::string>& names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<Number>(found - names.begin());
    if (names.size() < std::numeric_limits<Number>::max()) names.emplace_back(name);
    return static_cast<Number>(names.size() - 1);
}

}  // namespace

std::string_view name_of(Via via) {
    switch (via) {
        case Via::smsc: return "smsc";
        case Via::aliyun: return "aliyun";
        case Via::tencent: return "tencent";
        case Via::wecom: return "wecom";
        case Via::official_account: return "official_account";
    }
    return "smsc";
}

std::string_view name_of(PartState state) {
    switch (state) {
        case PartState::accepted: return "accepted";
        case PartState::delivered: return "delivered";
        case PartState::failed: return "failed";
    }
    return "accepted";
}

MessageStore::MessageStore(std::uint64_t parts_max) : parts_max_{std::max(parts_max, 2 * chunk_parts)}, users_{""}, stats_{""}, kinds_{""} {}

std::uint16_t MessageStore::intern_user(std::string_view name) { return intern<std::uint16_t>(users_, name); }
std::uint8_t MessageStore::intern_stat(std::string_view word) { return intern<std::uint8_t>(stats_, word); }
std::uint8_t MessageStore::intern_kind(std::string_view word) { return intern<std::uint8_t>(kinds_, word); }

PartNumber MessageStore::add_part(const NewPart& part) {
    assert(part.to.at + part.to.size <= part.raw.size() && part.from.at + part.from.size <= part.raw.size());
    assert(part.payload.at + part.payload.size <= part.raw.size());
    const auto wanted = next_part_ / chunk_parts - first_chunk_;
    if (wanted >= chunks_.size()) {
        auto chunk = std::make_unique<Chunk>();
        chunk->parts.reserve(chunk_parts);
        chunk->bytes.reserve(chunks_.empty() ? 1U << 20U : chunks_.back()->bytes.size() + 4096);
        chunks_.push_back(std::move(chunk));
        if (chunks_.size() * chunk_parts > parts_max_) {
            chunks_.pop_front();
            ++first_chunk_;
            while (!messages_.empty() && find(messages_.front()) == nullptr) {
                messages_.pop_front();
                ++dropped_messages_;
            }
        }
    }
    auto& chunk = *chunks_.back();
    const std::hash<std::string_view> hash;
    const auto to = part.raw.substr(part.to.at, part.to.size);
    const auto payload = part.raw.substr(part.payload.at, part.payload.size);
    chunk.parts.push_back({.content_hash = mix(mix(hash(to), hash(payload)), static_cast<std::uint64_t>(part.coding)),
                           .next = no_part,
                           .at = part.at,
                           .offset = static_cast<std::uint32_t>(chunk.bytes.size()),
                           .raw_size = static_cast<std::uint32_t>(part.raw.size()),
                           .payload = part.payload,
                           .to_at = static_cast<std::uint16_t>(part.to.at),
                           .from_at = static_cast<std::uint16_t>(part.from.at),
                           .to_size = static_cast<std::uint8_t>(part.to.size),
                           .from_size = static_cast<std::uint8_t>(part.from.size),
                           .user = part.user,
                           .coding = part.coding,
                           .via = part.via,
                           .state = PartState::accepted,
                           .stat = 0,
                           .kind = part.kind,
                           .answered = false});
    chunk.bytes.append(part.raw);
    return next_part_++;
}

std::uint64_t MessageStore::add_message(std::span<const PartNumber> parts) {
    assert(!parts.empty());
    auto* const first = find(parts.front());
    if (first == nullptr) return 0;
    Part* last = first;
    for (const auto number : parts.subspan(1)) {
        auto* const part = find(number);
        if (part == nullptr) continue;
        first->content_hash = mix(first->content_hash, part->content_hash);
        last->next = number;
        last = part;
    }
    messages_.push_back(parts.front());
    return last_number();
}

const MessageStore::Chunk* MessageStore::chunk_of(PartNumber number) const {
    const auto chunk = number / chunk_parts;
    if (number >= next_part_ || chunk < first_chunk_ || chunk - first_chunk_ >= chunks_.size()) return nullptr;
    return chunks_[chunk - first_chunk_].get();
}

const MessageStore::Part* MessageStore::find(PartNumber number) const {
    const auto* const chunk = chunk_of(number);
    return chunk == nullptr ? nullptr : &chunk->parts[number % chunk_parts];
}

MessageStore::Part* MessageStore::find(PartNumber number) { return const_cast<Part*>(std::as_const(*this).find(number)); }

void MessageStore::set_answered(PartNumber number) {
    if (auto* const part = find(number)) part->answered = true;
}

void MessageStore::set_state(PartNumber number, PartState state, std::uint8_t stat) {
    if (auto* const part = find(number)) {
        part->state = state;
        part->stat = stat;
    }
}

std::optional<PartView> MessageStore::part(PartNumber number) const {
    const auto* const found = find(number);
    if (found == nullptr) return std::nullopt;
    const auto raw = std::string_view{chunk_of(number)->bytes}.substr(found->offset, found->raw_size);
    return PartView{.raw = raw,
                    .to = raw.substr(found->to_at, found->to_size),
                    .from = raw.substr(found->from_at, found->from_size),
                    .payload = raw.substr(found->payload.at, found->payload.size),
                    .coding = found->coding,
                    .at = found->at,
                    .user = found->user,
                    .via = found->via,
                    .state = found->state,
                    .stat = found->stat,
                    .answered = found->answered,
                    .to_slice = {found->to_at, found->to_size},
                    .from_slice = {found->from_at, found->from_size}};
}

StoredMessage MessageStore::assemble(std::uint64_t n, PartNumber first, bool with_raw) const {
    StoredMessage message{.n = n};
    message.answered = true;
    bool any_failed = false;
    bool all_delivered = true;
    for (auto number = first; number != no_part;) {
        const auto view = part(number);
        if (!view) break;
        if (message.parts == 0) {
            message.at = view->at;
            message.account_user = user(view->user);
            message.to = view->to;
            message.from = view->from;
            message.via = view->via;
            message.kind = kinds_[find(number)->kind];
        }
        ++message.parts;
        message.text += decode(view->payload, view->coding);
        any_failed = any_failed || view->state == PartState::failed;
        all_delivered = all_delivered && view->state == PartState::delivered;
        message.answered = message.answered && view->answered;
        if (view->stat != 0) message.stat = stat(view->stat);
        if (with_raw) message.raw.emplace_back(view->raw);
        number = find(number)->next;
    }
    if (message.via == Via::aliyun || message.via == Via::tencent) message.parts = billed_segments(message.text);
    message.state = any_failed ? PartState::failed : all_delivered ? PartState::delivered : PartState::accepted;
    return message;
}

std::optional<StoredMessage> MessageStore::message(std::uint64_t n, bool with_raw) const {
    if (n <= dropped_messages_ || n > last_number()) return std::nullopt;
    return assemble(n, messages_[n - dropped_messages_ - 1], with_raw);
}

void MessageStore::read(std::uint64_t after, bool with_raw, const std::function<bool(const StoredMessage&)>& visit) const {
    for (auto n = std::max(after, dropped_messages_) + 1; n <= last_number(); ++n)
        if (!visit(assemble(n, messages_[n - dropped_messages_ - 1], with_raw))) return;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> MessageStore::sorted_hashes() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> hashes;
    hashes.reserve(messages_.size());
    std::uint64_t n = dropped_messages_;
    for (const auto first : messages_) {
        ++n;
        if (const auto* const found = find(first)) hashes.emplace_back(found->content_hash, n);
    }
    std::sort(hashes.begin(), hashes.end());
    return hashes;
}

std::vector<DuplicateContent> MessageStore::duplicates(std::size_t limit) const {
    std::vector<DuplicateContent> found;
    const auto hashes = sorted_hashes();
    for (std::size_t from = 0; from < hashes.size();) {
        auto to = from + 1;
        while (to < hashes.size() && hashes[to].first == hashes[from].first) ++to;
        // Equal hashes are only a candidate: the contents themselves are compared.
        std::vector<DuplicateContent> same_hash;
        for (auto i = from; to - from > 1 && i < to; ++i) {
            const auto stored = message(hashes[i].second);
            if (!stored) continue;
            auto match = std::find_if(same_hash.begin(), same_hash.end(), [&](const auto& d) { return d.to == stored->to && d.text == stored->text; });
            if (match == same_hash.end()) match = same_hash.insert(match, {.count = 0, .numbers = {}, .to = stored->to, .text = stored->text});
            ++match->count;
            if (match->numbers.size() < 100) match->numbers.push_back(stored->n);
        }
        for (auto& content : same_hash)
            if (content.count > 1) found.push_back(std::move(content));
        from = to;
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.numbers.front() < b.numbers.front(); });
    if (found.size() > limit) found.resize(limit);
    return found;
}

std::uint64_t MessageStore::distinct() const {
    std::uint64_t repeated = 0;
    for (const auto& content : duplicates(std::numeric_limits<std::size_t>::max())) repeated += content.count - 1;
    return messages_.size() - repeated;
}

std::uint64_t MessageStore::bytes_held() const {
    std::uint64_t bytes = messages_.size() * sizeof(PartNumber);
    for (const auto& chunk : chunks_) bytes += chunk->bytes.capacity() + chunk->parts.capacity() * sizeof(Part);
    return bytes;
}

void MessageStore::clear() {
    dropped_messages_ += messages_.size();
    messages_.clear();
    chunks_.clear();
    // The next part starts a new chunk, so that numbers of forgotten parts find nothing.
    next_part_ = (next_part_ + chunk_parts - 1) / chunk_parts * chunk_parts;
    first_chunk_ = next_part_ / chunk_parts;
}

}  // namespace touchgate::sandbox
