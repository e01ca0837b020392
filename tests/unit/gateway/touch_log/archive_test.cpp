#include "tests/catch.hpp"
#include "tests/unit/gateway/touch_log/log_fixture.hpp"

using namespace touchgate;
using namespace touchgate::log_tests;

namespace {

FileLogOptions archiving() {
    auto options = options_for(700);
    options.archive_dir = "cold/archive";
    return options;
}

// Record n has the time 1700000000000 + n.
Instant time_of(std::uint64_t sequence) { return from_unix_ms(1'700'000'000'000 + static_cast<std::int64_t>(sequence)); }

std::unique_ptr<FileLog> filled(FaultyDisk& disk) {
    auto log = open_log(disk, archiving());
    while (log->head().next.segment() < 5) REQUIRE(append_numbered(*log, 2));
    return log;
}

std::uint64_t last_of(const std::vector<Seen>& records, std::uint32_t segment) {
    std::uint64_t last = 0;
    for (const auto& record : records) last = record.position.segment() == segment ? record.sequence : last;
    return last;
}

}  // namespace

TEST_CASE("archive: old sealed segments move, everything is still read, by the open log too") {
    FaultyDisk disk{1};
    auto log = filled(disk);
    const auto seen = records_of(*log);
    const auto last = last_of(seen, 2);
    CHECK(archive_segments(disk, archiving(), time_of(last)).value() == std::vector<std::string>{"0000000001.log"});  // not older than itself
    CHECK(archive_segments(disk, archiving(), time_of(last + 1)).value() == std::vector<std::string>{"0000000002.log"});
    CHECK_FALSE(disk.exists(segment_path(1)));
    CHECK(disk.exists("cold/archive/0000000002.log"));
    CHECK(records_of(*log) == seen);
    REQUIRE(append_numbered(*log, 3));

    auto reader = std::move(FileLog::open_for_reading(disk, archiving())).value();
    CHECK(records_of(*reader) == records_of(*log));
    const auto verified = verify_log(disk, archiving(), log->durable_head());
    CHECK(verified->damages.empty());
    CHECK(verified->records == seen.size() + 3);
    log.reset();
    log = open_log(disk, archiving());
    std::string buffer;
    for (const auto& record : seen) CHECK(log->at(record.position, buffer)->payload == record.payload);
}

TEST_CASE("archive: the newest segment never moves") {
    FaultyDisk disk{1};
    auto log = filled(disk);
    CHECK(archive_segments(disk, archiving(), Instant::max()).value().size() == 4);
    CHECK(archive_segments(disk, archiving(), Instant::max()).value().empty());
    CHECK(disk.exists(segment_path(5)));
    REQUIRE(append_numbered(*log, 3));
}

TEST_CASE("archive: a damaged segment stays where it is, named") {
    FaultyDisk disk{1};
    auto log = filled(disk);
    auto bytes = disk.bytes(segment_path(2));
    bytes[200] ^= 1;
    disk.set_bytes(segment_path(2), bytes);
    const auto moved = archive_segments(disk, archiving(), Instant::max());
    REQUIRE_FALSE(moved);
    CHECK(moved.error().detail.starts_with("damaged: file=log/0000000002.log"));
    CHECK(disk.exists(segment_path(2)));
    CHECK(archive_segments(disk, options_for(700), Instant::max()).error().kind == ErrorKind::invalid_input);
}

TEST_CASE("archive: damage in the archive is found and named with its path") {
    FaultyDisk disk{1};
    auto log = filled(disk);
    REQUIRE(archive_segments(disk, archiving(), Instant::max()));
    auto bytes = disk.bytes("cold/archive/0000000002.log");
    bytes[200] ^= 1;
    disk.set_bytes("cold/archive/0000000002.log", bytes);
    const auto verified = verify_log(disk, archiving(), {});
    REQUIRE(verified->damages.size() == 1);
    CHECK(verified->damages[0].file == "cold/archive/0000000002.log");
}

TEST_CASE("archive: a crash at any step loses nothing, and moving again completes it") {
    for (std::uint64_t n = 0;; ++n) {
        INFO("failing call " << n);
        FaultyDisk disk{n};
        auto log = filled(disk);
        const auto seen = records_of(*log);
        disk.fail_from(n);
        const auto moved = archive_segments(disk, archiving(), Instant::max());
        const bool failed = disk.failed();
        CHECK(moved.has_value() != failed);
        log.reset();
        disk.crash();
        log = open_log(disk, archiving());
        CHECK(records_of(*log) == seen);
        CHECK(verify_log(disk, archiving(), log->durable_head())->damages.empty());
        REQUIRE(archive_segments(disk, archiving(), Instant::max()));
        CHECK(records_of(*log) == seen);
        for (std::uint32_t segment = 1; segment <= 4; ++segment) CHECK_FALSE(disk.exists(segment_path(segment)));
        if (!failed) break;
    }
}
