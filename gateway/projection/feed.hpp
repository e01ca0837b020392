// The events feed: pages of the log, filtered, as CloudEvents. Read from the log itself, so what was answered with success is in it at once;
// sequence numbers have gaps only where a filter leaves events out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/projection/event_json.hpp"

namespace touchgate::projection {

struct EventText {
    std::uint64_t sequence = 0;
    std::string type;  // "touch.delivered"
    std::string json;
};

struct FeedQuery {
    std::uint64_t after = 0;              // only events with a greater sequence
    std::vector<std::string> types = {};  // "touch.created", "touch.*", "*"; empty: all
    EventFilter filter = {};
    std::size_t limit = 100;              // at most 1000
    Visibility visibility = {};
};

struct FeedPage {
    std::vector<EventText> items;
    std::uint64_t scanned_to = 0;     // everything up to here was looked at
    std::uint64_t last_sequence = 0;  // newest durable sequence of the log
};

// Does `name` match one of `patterns` ("*" stands for any text at the end of a pattern)? No patterns match everything.
[[nodiscard]] bool type_matches(std::string_view name, const std::vector<std::string>& patterns);

// Error kind corrupt: the log is damaged there. An empty page means that the end is reached.
[[nodiscard]] Result<FeedPage> read_feed(const LogReader& reader, EventRenderer& renderer, const FeedQuery& query);

}  // namespace touchgate::projection
