#include "gateway/base/time.hpp"

#include "tests/catch.hpp"

using namespace touchgate;
using namespace std::chrono_literals;

TEST_CASE("durations: ISO 8601 text becomes milliseconds, and what has no fixed length is refused", "[base]") {
    const auto [text, expected] = GENERATE(table<std::string, std::optional<Duration>>({
        {"P7D", 7 * 24h}, {"PT30M", 30min}, {"P1DT2H", 26h}, {"PT0.2S", 200ms}, {"PT0S", 0ms}, {"P2W", 14 * 24h}, {"PT1H30M5.5S", 1h + 30min + 5500ms},
        {"P1Y", std::nullopt}, {"P1M", std::nullopt}, {"P", std::nullopt}, {"PT", std::nullopt}, {"7D", std::nullopt}, {"P-1D", std::nullopt},
        {"PT1M1H", std::nullopt}, {"PT1.5M", std::nullopt}, {"P999999999999999D", std::nullopt}, {"PT5", std::nullopt}, {"P1DT", std::nullopt}}));
    INFO(text);
    CHECK(parse_duration(text) == expected);
}

TEST_CASE("durations: the written form reads back as the same duration", "[base]") {
    for (const Duration duration : {Duration{0}, Duration{200}, Duration{1}, Duration{86'400'000}, Duration{90'061'001}, Duration{1'800'000}})
        CHECK(parse_duration(format_duration(duration)) == duration);
    CHECK(format_duration(30min) == "PT30M");
    CHECK(format_duration(7 * 24h) == "P7D");
    CHECK(format_duration(200ms) == "PT0.2S");
}

TEST_CASE("instants: RFC 3339 with any offset is read, and written as UTC with three decimals", "[base]") {
    CHECK(format_instant(parse_instant("2026-11-23T02:00:00Z").value()) == "2026-11-23T02:00:00.000Z");
    CHECK(format_instant(parse_instant("2026-11-23T10:00:00.1239+08:00").value()) == "2026-11-23T02:00:00.123Z");
    CHECK(format_instant(parse_instant("2024-02-29T23:59:59.999-01:30").value()) == "2024-03-01T01:29:59.999Z");
    for (const auto* bad : {"2026-11-23", "2026-11-23T02:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z",
                            "2026-11-23T02:00:00.Z", "", "x", "2026-11-23T02:00:00Zx"}) {
        INFO(bad);
        CHECK_FALSE(parse_instant(bad));
    }
}
