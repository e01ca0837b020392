#include "gateway/content/long_message.hpp"

#include <algorithm>

namespace touchgate::content {

namespace {

constexpr std::uint8_t element_8_bit = 0x00;
constexpr std::uint8_t element_16_bit = 0x08;
constexpr std::size_t completed_max = 1'000;
constexpr std::size_t bytes_per_part = 64;  // rough cost of keeping one, beside its text

std::size_t hash_of(const PartAssembly::Part& part) { return std::hash<std::string_view>{}(part.bytes) ^ static_cast<std::size_t>(part.coding); }
std::size_t cost_of(const PartAssembly::Part& part) { return part.bytes.size() + bytes_per_part; }

}  // namespace

std::string concatenation_header(PartHeader header, const PartPlace& place) {
    const auto high = static_cast<char>(place.reference >> 8U);
    const auto low = static_cast<char>(place.reference & 0xFFU);
    const auto total = static_cast<char>(place.total);
    const auto index = static_cast<char>(place.index);
    if (header == PartHeader::reference_8_bit) return {5, static_cast<char>(element_8_bit), 3, low, total, index};
    return {6, static_cast<char>(element_16_bit), 4, high, low, total, index};
}

UserData read_user_data(std::string_view bytes) {
    const auto byte_at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    if (bytes.empty() || std::size_t{byte_at(0)} + 1 > bytes.size()) return {.place = std::nullopt, .wide = false, .text = bytes};
    const std::size_t end = std::size_t{byte_at(0)} + 1;
    UserData data;
    data.text = bytes.substr(end);
    for (std::size_t at = 1; at + 2 <= end;) {
        const auto element = byte_at(at);
        const std::size_t size = byte_at(at + 1);
        const auto value = at + 2;
        if (value + size > end) break;
        PartPlace place;
        if (element == element_8_bit && size == 3) place = {.reference = byte_at(value), .total = byte_at(value + 1), .index = byte_at(value + 2)};
        if (element == element_16_bit && size == 4)
            place = {.reference = static_cast<std::uint16_t>((byte_at(value) << 8U) | byte_at(value + 1)),
                     .total = byte_at(value + 2),
                     .index = byte_at(value + 3)};
        if (place.total > 1 && place.index >= 1 && place.index <= place.total) {
            data.place = place;
            data.wide = element == element_16_bit;
        }
        at = value + size;
    }
    return data;
}

ReferenceNumbers::ReferenceNumbers(std::uint64_t seed) {
    for (auto& start : next_) {  // an odd multiplier and a shift (Knuth's) spread the seed well enough for starting points
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        start = static_cast<std::uint16_t>(seed >> 33U);
    }
}

std::uint16_t ReferenceNumbers::next(std::string_view destination) { return next_[std::hash<std::string_view>{}(destination) % next_.size()]++; }

PartAssembly::Result PartAssembly::add(Monotonic now, const Key& key, Part part) {
    Result result;
    const auto index = key.place.index;
    if (const auto done = completed_.find(key); done != completed_.end()) {
        const auto same = done->second.part_hashes.find(index);
        if (now - done->second.at < remember_for && same != done->second.part_hashes.end() && same->second == hash_of(part)) {
            result.added = Added::duplicate;
            return result;
        }
    }
    auto at = waiting_.find(key);
    if (at != waiting_.end())
        if (const auto same = at->second.parts.find(index); same != at->second.parts.end()) {
            if (same->second == part) {
                result.added = Added::duplicate;
                return result;
            }
            result.given_up.push_back(take(at, true));  // another message with a reused reference
            at = waiting_.end();
        }
    if (at == waiting_.end()) at = begin_waiting(now, key);
    bytes_ += cost_of(part);
    at->second.parts.emplace(index, std::move(part));
    if (at->second.parts.size() == key.place.total) {
        auto whole = take(at, false);
        Completed remembered{.part_hashes = {}, .at = now};
        for (const auto& [number, kept] : whole.parts) remembered.part_hashes.emplace(number, hash_of(kept));
        if (completed_.size() >= completed_max)
            completed_.erase(
                std::min_element(completed_.begin(), completed_.end(), [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
        completed_.insert_or_assign(key, std::move(remembered));
        result.added = Added::complete;
        result.whole = std::move(whole);
        return result;
    }
    while (bytes_ > bytes_max && waiting_.size() > 1) {
        skip_stale();
        result.given_up.push_back(take(waiting_.find(order_.front().second), true));
    }
    return result;
}

void PartAssembly::restore(Monotonic now, Whole whole) {
    completed_.erase(whole.key);
    if (whole.parts.empty()) return;
    const auto known = waiting_.find(whole.key);
    auto& waiting = (known == waiting_.end() ? begin_waiting(now, whole.key) : known)->second;
    for (auto& [index, part] : whole.parts) {
        const auto cost = cost_of(part);
        if (waiting.parts.emplace(index, std::move(part)).second) bytes_ += cost;
    }
}

std::vector<PartAssembly::Whole> PartAssembly::expire(Monotonic now) {
    std::vector<Whole> expired;
    for (skip_stale(); !order_.empty() && now - order_.front().first >= keep_for_; skip_stale())
        expired.push_back(take(waiting_.find(order_.front().second), true));
    std::erase_if(completed_, [&](const auto& entry) { return now - entry.second.at >= remember_for; });
    return expired;
}

PartAssembly::Whole PartAssembly::take(std::map<Key, Waiting>::iterator at, bool incomplete) {
    Whole whole{.key = at->first, .parts = std::move(at->second.parts), .incomplete = incomplete};
    for (const auto& [index, part] : whole.parts) bytes_ -= cost_of(part);
    waiting_.erase(at);
    return whole;
}

std::map<PartAssembly::Key, PartAssembly::Waiting>::iterator PartAssembly::begin_waiting(Monotonic now, const Key& key) {
    constexpr std::size_t stale_max = 1'024;
    if (order_.size() > 2 * waiting_.size() + stale_max)
        std::erase_if(order_, [&](const auto& entry) {
            const auto found = waiting_.find(entry.second);
            return found == waiting_.end() || found->second.since != entry.first;
        });
    order_.emplace_back(now, key);
    return waiting_.emplace(key, Waiting{.parts = {}, .since = now}).first;
}

void PartAssembly::skip_stale() {
    while (!order_.empty()) {
        const auto found = waiting_.find(order_.front().second);
        if (found != waiting_.end() && found->second.since == order_.front().first) return;
        order_.pop_front();
    }
}

std::string join_parts(const PartAssembly::Whole& whole, const std::function<std::string(std::string_view, int)>& decode) {
    std::string text;
    std::string run;
    int coding = -1;
    int expected = 1;
    const auto flush = [&] {
        if (coding >= 0) text += decode(run, coding);
        run.clear();
    };
    for (const auto& [index, part] : whole.parts) {
        if (part.coding != coding || index != expected) {
            flush();
            coding = part.coding;
        }
        if (index != expected) text += "…";
        run += part.bytes;
        expected = index + 1;
    }
    flush();
    if (expected <= whole.key.place.total) text += "…";
    return text;
}

}  // namespace touchgate::content
