#include "gateway/projection/feed.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/projection/feed_names.hpp"

namespace touchgate::projection {

bool type_matches(std::string_view name, const std::vector<std::string>& patterns) {
    if (patterns.empty()) return true;
    return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
        if (pattern.empty() || pattern.back() != '*') return pattern == name;
        pattern.remove_suffix(1);
        return name.substr(0, pattern.size()) == pattern;
    });
}

Result<FeedPage> read_feed(const LogReader& reader, EventRenderer& renderer, const FeedQuery& query) {
    constexpr std::size_t types_max = 256;
    std::array<bool, types_max> wanted{}, several{};
    for (std::size_t type = 0; type < types_max; ++type) {
        const auto names = feed_names(static_cast<EventType>(type));
        wanted[type] = std::any_of(names.begin(), names.end(), [&](const std::string& name) { return type_matches(name, query.types); });
        several[type] = names.size() > 1;
    }
    FeedPage page;
    page.last_sequence = reader.durable_head().sequence;
    page.scanned_to = std::min(query.after, page.last_sequence);
    if (query.after >= page.last_sequence) return page;
    const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, 1000);
    const auto scanned = reader.scan(query.after + 1, [&](const Record& record) {
        page.scanned_to = record.sequence;
        if (record.type >= types_max || !wanted[record.type]) return true;
        auto name = feed_name(record);
        if (several[record.type] && !type_matches(name, query.types)) return true;
        if (!renderer.matches(record, query.filter, query.visibility)) return true;
        auto& item = page.items.emplace_back();
        item.sequence = record.sequence;
        item.type = std::move(name);
        item.json.reserve(640);
        renderer.append(item.json, record, query.visibility);
        return page.items.size() < limit;
    });
    if (!scanned) return scanned.error();
    // Records may have become durable while the page was read.
    page.last_sequence = std::max(page.last_sequence, page.scanned_to);
    return page;
}

}  // namespace touchgate::projection
