// Pages of a list that stands still long enough: the cursor is the place in it.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "adapters/sandbox/wechat/json_fields.hpp"

namespace touchgate::sandbox {

struct Page {
    std::size_t from = 0, to = 0;
    std::string next_cursor;  // "" at the end
    int code = 0;             // 50100 for a cursor that was never given, 40058 for a limit that is too high
};

// The page that a body's `cursor` and `limit` ask for.
[[nodiscard]] inline Page page_of(const Json& body, std::size_t total, std::int64_t limit_default, std::int64_t limit_max) {
    Page page;
    const auto limit = integer_of(body, "limit", limit_default);
    if (limit < 0 || limit > limit_max) {
        page.code = 40058;
        return page;
    }
    const auto count = static_cast<std::size_t>(limit == 0 ? limit_default : limit);
    if (const auto cursor = text_of(body, "cursor"); !cursor.empty()) {
        const auto* const end = cursor.data() + cursor.size();
        const auto [stopped, wrong] = std::from_chars(cursor.data() + 1, end, page.from);
        if (cursor[0] != 'c' || wrong != std::errc{} || stopped != end || page.from > total) {
            page.code = 50100;
            return page;
        }
    }
    page.to = total - page.from > count ? page.from + count : total;
    if (page.to < total) page.next_cursor = "c" + std::to_string(page.to);
    return page;
}

}  // namespace touchgate::sandbox
