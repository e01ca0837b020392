#include <atomic>
#include <thread>

#include "gateway/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/touch_log/log_fixture.hpp"

using namespace touchgate;
using namespace touchgate::log_tests;
using log_format::header_bytes;
using log_format::record_overhead_bytes;

TEST_CASE("log: what was committed is read back, by position and in order") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for());
    const auto first = append_numbered(*log, 3).value();
    const auto second = append_batch(*log, {"", std::string(5000, 'x')}).value();

    const auto seen = records_of(*log);
    REQUIRE(seen.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) CHECK(seen[i].sequence == i + 1);
    CHECK(seen[0].position == LogPosition{(std::uint64_t{1} << 32U) | header_bytes});
    CHECK(seen[2].position == first[2]);
    CHECK(seen[3].payload.empty());

    std::string buffer;
    for (const auto& record : seen) {
        const auto found = log->at(record.position, buffer);
        REQUIRE(found);
        CHECK(found->sequence == record.sequence);
        CHECK(found->payload == record.payload);
        CHECK(found->hash == record.hash);
        CHECK(found->length == record.payload.size() + record_overhead_bytes);
    }
    const auto third = log->at(first[2], buffer);
    CHECK(third->previous_of_contact == first[1]);
    CHECK(third->contact == ContactIndex{1});
    CHECK(third->type == 4);
    CHECK(third->version == 1);
    CHECK(unix_ms(third->time) == 1'700'000'000'003);
    CHECK(log->durable_head().sequence == 5);
    CHECK(log->durable_head().hash == seen[4].hash);
    CHECK(log->durable_head().next == log->head().next);
    CHECK(second[1] == seen[4].position);
}

TEST_CASE("log: an appended record is not visible before its commit returned") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for());
    REQUIRE(append_numbered(*log, 1));
    REQUIRE(log->reserve(1000));
    std::uint64_t sequence = 0;
    const auto position = log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, "new", sequence);
    CHECK(sequence == 2);
    CHECK(log->head().sequence == 2);
    CHECK(log->durable_head().sequence == 1);
    CHECK(records_of(*log).size() == 1);
    std::string buffer;
    CHECK(log->at(position, buffer).error().kind == ErrorKind::not_found);
    REQUIRE(log->commit());
    CHECK(records_of(*log).size() == 2);
    CHECK(log->at(position, buffer)->payload == "new");
}

TEST_CASE("log: a commit is one write and one sync, and an empty one is none") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for());
    REQUIRE(append_numbered(*log, 1));
    REQUIRE(log->reserve(100'000));
    std::uint64_t sequence = 0;
    for (int i = 0; i < 500; ++i) (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, "some payload", sequence);
    const auto before = disk.counters();
    REQUIRE(log->commit());
    CHECK(disk.counters().changes == before.changes + 2);
    CHECK(disk.counters().writes == before.writes + 1);
    CHECK(disk.counters().syncs == before.syncs + 1);
    REQUIRE(log->commit());
    CHECK(disk.counters().changes == before.changes + 2);
}

TEST_CASE("log: room is the longest payload that still fits, and none is left after a commit") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for());
    CHECK(log->room() == 0);
    REQUIRE(log->reserve(2 * record_overhead_bytes + 30));
    CHECK(log->room() == record_overhead_bytes + 30);
    std::uint64_t sequence = 0;
    (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, std::string(30, 'a'), sequence);
    CHECK(log->room() == 0);
    (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, "", sequence);
    CHECK_THROWS(log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, "", sequence));
    REQUIRE(log->commit());
    CHECK(records_of(*log).size() == 2);
    REQUIRE(log->reserve(500));
    REQUIRE(log->commit());
    CHECK(log->room() == 0);
}

TEST_CASE("log: reserving again inside an open batch keeps the batch whole") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for(600));
    REQUIRE(append_numbered(*log, 2));
    REQUIRE(log->reserve(record_overhead_bytes + 10));
    std::uint64_t sequence = 0;
    (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, "before", sequence);
    REQUIRE(log->reserve(4000));
    (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, std::string(3000, 'z'), sequence);
    REQUIRE(log->commit());
    const auto seen = records_of(*log);
    REQUIRE(seen.size() == 4);
    CHECK(seen[2].position.segment() == seen[3].position.segment());
    CHECK(verify_log(disk, options_for(600), log->durable_head())->damages.empty());
}

TEST_CASE("log: segments roll when they are full, and reading crosses them") {
    FaultyDisk disk{1};
    const auto options = options_for(1000);
    auto log = open_log(disk, options);
    for (int i = 0; i < 40; ++i) REQUIRE(append_numbered(*log, static_cast<std::size_t>(i % 3 + 1)));
    const auto seen = records_of(*log);
    REQUIRE(seen.size() == log->durable_head().sequence);
    CHECK(seen.back().position.segment() > 5);
    for (std::uint64_t from = 1; from <= seen.size(); ++from) {
        const auto tail = records_of(*log, from);
        REQUIRE(tail.size() == seen.size() - from + 1);
        CHECK(tail.front() == seen[from - 1]);
    }
    std::string buffer;
    for (const auto& record : seen) CHECK(log->at(record.position, buffer)->payload == record.payload);
    CHECK(log->scan(seen.size() + 1, [](const Record&) { return true; }).value() == seen.size() + 1);
    CHECK(log->scan(0, [](const Record&) { return false; }).value() == 2);
    CHECK(log->scan(7, [](const Record& record) { return record.sequence < 20; }).value() == 21);

    log.reset();
    log = open_log(disk, options);
    CHECK(records_of(*log) == seen);
    REQUIRE(append_numbered(*log, 2));
    CHECK(verify_log(disk, options, log->durable_head())->damages.empty());
    CHECK(verify_log(disk, options, log->durable_head())->records == seen.size() + 2);
}

TEST_CASE("log: a footer's hash is the SHA-256 of the file before it") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for(500));
    for (int i = 0; i < 8; ++i) REQUIRE(append_numbered(*log, 2));
    log.reset();
    log = open_log(disk, options_for(500));  // also when the segment was continued after a restart
    for (int i = 0; i < 8; ++i) REQUIRE(append_numbered(*log, 2));
    for (std::uint32_t segment = 1; segment < log->head().next.segment(); ++segment) {
        const auto bytes = disk.bytes(segment_path(segment));
        const auto split = bytes.size() - log_format::footer_bytes;
        const auto footer = log_format::decode_footer(std::string_view{bytes}.substr(split));
        REQUIRE(footer);
        CHECK(footer->file_hash == crypto::sha256(std::string_view{bytes}.substr(0, split)));
    }
}

TEST_CASE("log: a batch larger than a segment stands alone in one") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for(1000));
    REQUIRE(append_numbered(*log, 1));
    REQUIRE(append_batch(*log, {std::string(10'000, 'x'), "y"}));
    REQUIRE(append_numbered(*log, 1));
    const auto seen = records_of(*log);
    CHECK(seen[1].position.segment() == 2);
    CHECK(seen[2].position.segment() == 2);
    CHECK(seen[3].position.segment() == 3);
    CHECK(log->reserve(std::size_t{0xFFFFFFFF}).error().kind == ErrorKind::too_large);
}

TEST_CASE("log: a full disk refuses the reservation and changes nothing") {
    FaultyDisk disk{1};
    const auto options = options_for(4000);
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    disk.set_capacity(6000);
    int accepted = 0;
    while (true) {
        const auto head = log->head();
        const auto files = disk.paths();
        if (const auto done = log->reserve(300); !done) {
            CHECK(done.error().kind == ErrorKind::unavailable);
            CHECK(done.error().retry_after_s >= 1);
            CHECK(log->head().sequence == head.sequence);
            CHECK(log->head().next == head.next);
            CHECK(log->room() == 0);
            CHECK(disk.paths() == files);
            break;
        }
        std::uint64_t sequence = 0;
        (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, std::string(200, 'p'), sequence);
        REQUIRE(log->commit());
        ++accepted;
        REQUIRE(accepted < 100);
    }
    CHECK(accepted > 3);
    disk.set_capacity(FaultyDisk::unlimited);
    REQUIRE(append_numbered(*log, 2));
    CHECK(verify_log(disk, options, log->durable_head())->damages.empty());
}

TEST_CASE("log: a full disk at the roll refuses the reservation; with space again the roll succeeds") {
    FaultyDisk disk{1};
    const auto options = options_for(1000);
    auto log = open_log(disk, options);
    while (log->head().next.offset() < 750) REQUIRE(append_numbered(*log, 1));
    const auto segment = log->head().next.segment();
    disk.set_capacity(1000);
    REQUIRE(log->reserve(600).error().kind == ErrorKind::unavailable);
    CHECK(log->head().next.segment() == segment);
    CHECK(disk.paths().size() == 1);
    disk.set_capacity(FaultyDisk::unlimited);
    REQUIRE(append_batch(*log, {std::string(500, 'x')}));
    CHECK(log->head().next.segment() == segment + 1);
    CHECK(verify_log(disk, options, log->durable_head())->damages.empty());
}

TEST_CASE("log: after a failed sync the log takes nothing more") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for());
    REQUIRE(append_numbered(*log, 1));
    REQUIRE(log->reserve(200));
    std::uint64_t sequence = 0;
    (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, "x", sequence);
    disk.fail_once(1);  // the write succeeds, the sync fails
    const auto done = log->commit();
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == ErrorKind::corrupt);
    CHECK(log->durable_head().sequence == 1);
    CHECK_FALSE(log->reserve(100));
    CHECK_FALSE(log->commit());
}

TEST_CASE("log: a position that is no record is refused, never misread") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for(1500));
    for (int i = 0; i < 10; ++i) REQUIRE(append_numbered(*log, 3));
    std::string buffer;
    std::set<std::uint64_t> records;
    for (const auto& record : records_of(*log)) records.insert(record.position.value);
    for (std::uint32_t offset = 0; offset < 1600; ++offset) {
        const LogPosition position{(std::uint64_t{1} << 32U) | offset};
        const auto found = log->at(position, buffer);
        CHECK(found.has_value() == records.contains(position.value));
        if (!found) CHECK(found.error().kind == ErrorKind::corrupt);
    }
    CHECK_FALSE(log->at(LogPosition{0}, buffer));
    CHECK_FALSE(log->at(LogPosition{500}, buffer));
    CHECK(log->at(LogPosition{std::uint64_t{99} << 32U}, buffer).error().kind == ErrorKind::not_found);
}

TEST_CASE("log: a changed byte in a record is noticed when the record is read by position") {
    FaultyDisk disk{1};
    auto log = open_log(disk, options_for());
    const auto positions = append_numbered(*log, 3).value();
    auto bytes = disk.bytes(segment_path(1));
    bytes[positions[1].offset() + 40] ^= 1;
    disk.set_bytes(segment_path(1), bytes);
    std::string buffer;
    CHECK(log->at(positions[0], buffer));
    CHECK(log->at(positions[1], buffer).error().kind == ErrorKind::corrupt);
    CHECK(log->at(positions[2], buffer));
}

TEST_CASE("log: a reader beside the writer sees committed batches at its next scan, across rolls") {
    FaultyDisk disk{1};
    const auto options = options_for(1000);
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    auto reader = std::move(FileLog::open_for_reading(disk, options)).value();
    CHECK(records_of(*reader) == records_of(*log));
    for (int i = 0; i < 30; ++i) {
        REQUIRE(append_numbered(*log, 2));
        CHECK(reader->durable_head().sequence == log->durable_head().sequence);
        CHECK(reader->durable_head().hash == log->durable_head().hash);
        if (i % 7 == 0) CHECK(records_of(*reader) == records_of(*log));
    }
    const auto position = append_numbered(*log, 1).value().front();
    std::string buffer;
    CHECK(reader->at(position, buffer)->sequence == 63);
    CHECK(records_of(*reader, 40) == records_of(*log, 40));
}

TEST_CASE("log: a reader beside the writer stops before a batch that is not whole yet and cuts nothing") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    const auto before = disk.bytes(segment_path(1));
    REQUIRE(append_numbered(*log, 3));
    const auto after = disk.bytes(segment_path(1));
    for (auto size = before.size(); size < after.size(); size += 3) {
        disk.set_bytes(segment_path(1), after.substr(0, size));
        auto reader = std::move(FileLog::open_for_reading(disk, options)).value();
        CHECK(records_of(*reader).size() == 2);
        CHECK(disk.bytes(segment_path(1)).size() == size);
        disk.set_bytes(segment_path(1), after);
        CHECK(records_of(*reader).size() == 5);
    }
}

TEST_CASE("log: a reader names damage that is followed by intact batches, after what comes before it") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    const auto hurt = append_numbered(*log, 2).value();
    REQUIRE(append_numbered(*log, 2));
    auto bytes = disk.bytes(segment_path(1));
    bytes[hurt[1].offset() + 50] ^= 4;
    disk.set_bytes(segment_path(1), bytes);
    auto reader = std::move(FileLog::open_for_reading(disk, options)).value();
    std::size_t seen = 0;
    const auto next = reader->scan(1, [&](const Record&) {
        ++seen;
        return true;
    });
    CHECK(seen == 2);
    REQUIRE_FALSE(next);
    CHECK(next.error().detail == "damaged: file=log/0000000001.log offset=" + std::to_string(hurt[1].offset()) + " sequence=4 reason=checksum");
}

TEST_CASE("log: reading an absent or empty log") {
    FaultyDisk disk{1};
    CHECK(FileLog::open_for_reading(disk, options_for()).error().kind == ErrorKind::not_found);
    CHECK(verify_log(disk, options_for(), {}).error().kind == ErrorKind::not_found);
    auto log = open_log(disk, options_for());
    CHECK(records_of(*log).empty());
    auto reader = std::move(FileLog::open_for_reading(disk, options_for())).value();
    CHECK(records_of(*reader).empty());
    CHECK(reader->durable_head().sequence == 0);
    CHECK(verify_log(disk, options_for(), {})->damages.empty());
}

TEST_CASE("log: many threads read while one writes") {
    FaultyDisk disk{1};
    const auto options = options_for(20'000);
    auto log = open_log(disk, options);
    const auto first = append_numbered(*log, 1).value().front();
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            std::string buffer;
            while (!stop) {
                const auto head = log->durable_head().sequence;
                std::uint64_t expected = 1;
                const auto next = log->scan(1, [&](const Record& record) {
                    if (record.sequence != expected++ || record.payload != payload_of(record.sequence, 100)) {
                        if (record.sequence > 1) ++wrong;
                    }
                    return true;
                });
                if (!next || *next <= head) ++wrong;
                if (!log->at(first, buffer)) ++wrong;
            }
        });
    }
    for (int i = 0; i < 300; ++i) REQUIRE(append_numbered(*log, 5, 100));
    stop = true;
    for (auto& reader : readers) reader.join();
    CHECK(wrong == 0);
}
