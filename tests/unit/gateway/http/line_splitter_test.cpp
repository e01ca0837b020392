#include "gateway/http/line_splitter.hpp"

#include <vector>

#include "gateway/base/random.hpp"
#include "tests/catch.hpp"

using touchgate::Random;
using touchgate::http::LineSplitter;

namespace {

struct Seen {
    std::uint64_t number;
    std::string text;
    bool too_long;
    bool operator==(const Seen&) const = default;
};

std::vector<Seen> split_in_parts(const std::string& text, std::size_t part_bytes) {
    LineSplitter lines{64};
    std::vector<Seen> seen;
    LineSplitter::Line line;
    for (std::size_t at = 0; at < text.size(); at += part_bytes) {
        lines.feed(std::string_view{text}.substr(at, part_bytes));
        while (lines.next(line)) seen.push_back({line.number, std::string{line.text}, line.too_long});
    }
    lines.finish();
    while (lines.next(line)) seen.push_back({line.number, std::string{line.text}, line.too_long});
    CHECK(lines.waiting_bytes() == 0);
    return seen;
}

}  // namespace

TEST_CASE("lines: numbered from 1; blank ones are counted and left out; the last needs no LF") {
    const std::string text = "a\n\n  \t\nb\r\n\nc";
    for (std::size_t part = 1; part <= text.size(); ++part)
        CHECK(split_in_parts(text, part) == std::vector<Seen>{{1, "a", false}, {4, "b", false}, {6, "c", false}});
}

TEST_CASE("lines: nothing, and only blanks") {
    CHECK(split_in_parts("", 1).empty());
    CHECK(split_in_parts("\n\n \n", 2).empty());
    CHECK(split_in_parts("   ", 1).empty());
}

TEST_CASE("lines: one over 1 MiB is named, and the next ones go on") {
    const auto limit = LineSplitter::line_bytes_max;
    const auto part = GENERATE(std::size_t{1} << 16U, std::size_t{1} << 22U, std::size_t{100'003});
    const std::string text = "a\n" + std::string(limit + 1, 'x') + "\nb\n" + std::string(3 * limit, 'y') + "\n" + std::string(limit, 'z') + "\nc";
    const auto seen = split_in_parts(text, part);
    REQUIRE(seen.size() == 6);
    CHECK(seen[0] == Seen{1, "a", false});
    CHECK(seen[1] == Seen{2, "", true});
    CHECK(seen[2] == Seen{3, "b", false});
    CHECK(seen[3] == Seen{4, "", true});
    CHECK(seen[4].text.size() == limit);
    CHECK(seen[5] == Seen{6, "c", false});
}

TEST_CASE("lines: a too long last line without LF is named as well") {
    const auto seen = split_in_parts("a\n" + std::string(LineSplitter::line_bytes_max + 5, 'x'), 65'536);
    REQUIRE(seen.size() == 2);
    CHECK(seen[1] == Seen{2, "", true});
}

TEST_CASE("lines: the same lines whatever the parts") {
    const std::uint64_t seed = 7;
    INFO("seed " << seed);
    Random random{seed};
    for (int round = 0; round < 200; ++round) {
        std::string text;
        for (auto i = random.below(200); i > 0; --i) text += "ab \n\n\r{"[random.below(7)];
        CHECK(split_in_parts(text, 1 + random.below(20)) == split_in_parts(text, 1'000));
    }
}
