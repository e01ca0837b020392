#include "gateway/policy/zones.hpp"

#include <date/tz.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace touchgate::policy {

namespace {

struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};
using Zones = std::unordered_map<std::string, std::unique_ptr<const Zone>, NameHash, std::equal_to<>>;

// Only the names are read here; a zone's file is read when the zone is first used.
Zones make_zones() {
    Zones zones;
    try {
        for (const auto& zone : date::get_tzdb().zones) {
            const auto& name = zone.name();
            if (name.starts_with("right/") || name.starts_with("posix/")) continue;  // other clocks than UTC, and copies
            zones.emplace(name, std::make_unique<const Zone>(name));
        }
    } catch (const std::exception&) {
        // Without zone data no name is known, and every rule that needs one denies.
    }
    return zones;
}

}  // namespace

struct Zone::Table {
    std::once_flag once;
    std::vector<Range> ranges;
};

Zone::Zone(std::string name) : name_{std::move(name)}, table_{std::make_unique<Table>()} {}
Zone::~Zone() = default;

const Zone* Zone::find(std::string_view name) {
    static const Zones zones = make_zones();
    thread_local const Zone* recent = nullptr;  // a policy names few zones: mostly it is the one asked for last
    if (recent != nullptr && recent->name() == name) return recent;
    const auto found = zones.find(name);
    if (found == zones.end() || found->second->ranges().empty()) return nullptr;
    return recent = found->second.get();
}

const std::vector<Zone::Range>& Zone::ranges() const {
    std::call_once(table_->once, [this] {
        auto& ranges = table_->ranges;
        try {
            const auto* zone = date::locate_zone(name_);
            const date::sys_seconds end_of_table{date::sys_days{date::year{2200} / 1 / 1}};
            date::sys_seconds at{};
            while (at < end_of_table) {
                const auto info = zone->get_info(at);
                const Duration offset{std::chrono::duration_cast<Duration>(info.offset)};
                const auto end = std::min(info.end, end_of_table);
                if (ranges.empty()) ranges.push_back({Instant::min(), Instant{Duration{end.time_since_epoch()}}, offset});
                else if (ranges.back().offset == offset) ranges.back().end = Instant{Duration{end.time_since_epoch()}};
                else ranges.push_back({Instant{Duration{at.time_since_epoch()}}, Instant{Duration{end.time_since_epoch()}}, offset});
                if (end <= at) break;
                at = end;
            }
            if (!ranges.empty()) ranges.back().end = instant_never;
        } catch (const std::exception&) {
            ranges.clear();  // an unreadable zone is an unknown zone
        }
    });
    return table_->ranges;
}

const Zone::Range& Zone::search(Instant instant) const {
    const auto& all = ranges();
    const auto after = std::upper_bound(all.begin(), all.end(), instant, [](Instant at, const Range& range) { return at < range.begin; });
    const auto& found = *std::prev(after);
    recent_.store(&found, std::memory_order_release);
    return found;
}

Instant Zone::first_at_or_after(Instant from, LocalTime at) const {
    for (const auto* range = &range_at(from);; range = &range_at(from)) {
        if (range->local(from) >= at) return from;
        const auto reached = range->instant(at);
        if (reached < range->end) return reached;
        if (range->end == instant_never) return instant_never;
        from = range->end;
    }
}

}  // namespace touchgate::policy
