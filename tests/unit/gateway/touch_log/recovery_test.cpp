#include "tests/catch.hpp"
#include "tests/unit/gateway/touch_log/log_fixture.hpp"

using namespace touchgate;
using namespace touchgate::log_tests;

namespace {

std::string place(std::uint32_t segment, std::uint64_t offset, std::uint64_t sequence, const std::string& reason) {
    return "damaged: file=log/" + log_format::segment_name(segment) + " offset=" + std::to_string(offset) + " sequence=" + std::to_string(sequence) +
           " reason=" + reason;
}

}  // namespace

TEST_CASE("recovery: a last batch that was cut anywhere is cut whole, and the log goes on from there") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    const auto whole = disk.bytes(segment_path(1)).size();
    const auto intact = records_of(*log);
    REQUIRE(append_numbered(*log, 3));
    const auto bytes = disk.bytes(segment_path(1));
    for (auto size = whole + 1; size < bytes.size(); ++size) {
        disk.set_bytes(segment_path(1), bytes.substr(0, size));
        LogRecovery recovery;
        auto reopened = std::move(try_open(disk, options, recovery)).value();
        REQUIRE(recovery.cut);
        CHECK(recovery.cut->last_batch_only);
        CHECK(recovery.cut->offset >= whole);
        CHECK(recovery.records == 2);
        CHECK(records_of(*reopened) == intact);
        CHECK(disk.bytes(segment_path(1)).size() == whole);
        REQUIRE(append_numbered(*reopened, 1));
        CHECK(verify_log(disk, options, reopened->durable_head())->damages.empty());
    }
}

TEST_CASE("recovery: zeros where the last batch should be are cut") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    const auto bytes = disk.bytes(segment_path(1));
    disk.set_bytes(segment_path(1), bytes + std::string(3000, '\0'));
    CHECK(open_log(disk, options)->head().sequence == 2);
    CHECK(disk.bytes(segment_path(1)) == bytes);
}

TEST_CASE("recovery: a last batch with its trailer but without a sector in its middle is cut") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    const auto whole = disk.bytes(segment_path(1)).size();
    REQUIRE(append_numbered(*log, 4, 600));
    auto bytes = disk.bytes(segment_path(1));
    for (std::size_t i = 1024; i < 1536; ++i) bytes[i] = '\0';
    disk.set_bytes(segment_path(1), bytes);
    LogRecovery recovery;
    CHECK(try_open(disk, options, recovery).value()->head().sequence == 2);
    CHECK(recovery.cut);
    CHECK(disk.bytes(segment_path(1)).size() == whole);
}

TEST_CASE("recovery: bytes of a caller that look like a trailer do not turn a torn batch into damage") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    std::string forged(32, 'h');
    forged.resize(72);
    log_format::encode_trailer(forged.data() + 32, {.length = 140, .records = 1, .first_sequence = 4}, log_format::LogId{}, log_format::digest_at(forged.data()));
    REQUIRE(append_batch(*log, {"first", forged, "last"}));
    const auto bytes = disk.bytes(segment_path(1));
    disk.set_bytes(segment_path(1), bytes.substr(0, bytes.size() - 5));
    LogRecovery recovery;
    CHECK(try_open(disk, options, recovery).value()->head().sequence == 2);
    CHECK(recovery.cut);
}

TEST_CASE("recovery: damage followed by a later batch is an error that names the place, and nothing is cut") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    const auto hurt = append_numbered(*log, 3).value();
    const auto end_of_hurt = disk.bytes(segment_path(1)).size();
    REQUIRE(append_numbered(*log, 1));
    const auto bytes = disk.bytes(segment_path(1));
    for (std::size_t at = hurt[0].offset(); at < end_of_hurt; ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 0x20);
        disk.set_bytes(segment_path(1), changed);
        LogRecovery recovery;
        const auto opened = try_open(disk, options, recovery);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().kind == ErrorKind::corrupt);
        CHECK(opened.error().detail.starts_with("damaged: file=log/0000000001.log offset="));
        CHECK(disk.bytes(segment_path(1)) == changed);
    }
    auto changed = bytes;
    changed[hurt[1].offset() + 37] ^= 1;
    disk.set_bytes(segment_path(1), changed);
    LogRecovery recovery;
    CHECK(try_open(disk, options, recovery).error().detail == place(1, hurt[1].offset(), 4, "checksum"));
}

TEST_CASE("recovery: damage in a segment that has a successor is an error, also in its last batch and footer") {
    FaultyDisk disk{1};
    const auto options = options_for(600);
    auto log = open_log(disk, options);
    while (log->head().next.segment() < 3) REQUIRE(append_numbered(*log, 2));
    const auto bytes = disk.bytes(segment_path(2));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 0x01);
        disk.set_bytes(segment_path(2), changed);
        LogRecovery recovery;
        INFO("byte " << at);
        // The footer's file hash proves the file only to those who read it all: verification and scrub.
        CHECK_FALSE(try_open(disk, options, recovery));
    }
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
        disk.set_bytes(segment_path(2), bytes.substr(0, size));
        LogRecovery recovery;
        CHECK_FALSE(try_open(disk, options, recovery));
    }
    disk.set_bytes(segment_path(2), bytes + "x");
    LogRecovery recovery;
    CHECK(try_open(disk, options, recovery).error().detail == place(2, bytes.size(), records_of(*log).back().sequence - 1, "length"));
}

TEST_CASE("recovery: a missing segment is an error") {
    FaultyDisk disk{1};
    const auto options = options_for(600);
    auto log = open_log(disk, options);
    while (log->head().next.segment() < 4) REQUIRE(append_numbered(*log, 2));
    const auto missing = GENERATE(1U, 2U, 3U);
    REQUIRE(disk.remove(segment_path(missing)));
    LogRecovery recovery;
    const auto opened = try_open(disk, options, recovery);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().detail == "segment log/" + log_format::segment_name(missing) + " is missing");
}

TEST_CASE("recovery: a log that ends before a sequence known to others is refused and left as it is") {
    FaultyDisk disk{1};
    const auto options = options_for();
    auto log = open_log(disk, options);
    REQUIRE(append_numbered(*log, 2));
    REQUIRE(append_numbered(*log, 3));
    const auto bytes = disk.bytes(segment_path(1));
    LogRecovery recovery;
    CHECK(try_open(disk, options, recovery, {}, 5));
    CHECK(try_open(disk, options, recovery, {}, 6).error().detail == "the touch log ends before sequence 6, which was durable: its newest records are missing");

    const auto torn = bytes.substr(0, bytes.size() - 1);
    disk.set_bytes(segment_path(1), torn);
    CHECK_FALSE(try_open(disk, options, recovery, {}, 3));
    CHECK(disk.bytes(segment_path(1)) == torn);
    CHECK(try_open(disk, options, recovery, {}, 2));

    FaultyDisk empty{1};
    CHECK_FALSE(try_open(empty, options, recovery, {}, 1));
}

TEST_CASE("recovery: with a known record only what follows it is checked") {
    FaultyDisk disk{1};
    const auto options = options_for(1000);
    auto log = open_log(disk, options);
    for (int i = 0; i < 10; ++i) REQUIRE(append_numbered(*log, 2));
    const auto known = log->head();
    for (int i = 0; i < 10; ++i) REQUIRE(append_numbered(*log, 2));
    const auto seen = records_of(*log);
    REQUIRE(seen.back().position.segment() > known.next.segment());

    LogRecovery recovery;
    CHECK(try_open(disk, options, recovery, known).value()->head().hash == log->head().hash);
    CHECK(recovery.records == 20);

    SECTION("damage before it does not keep the log from opening, and the log goes on") {
        auto bytes = disk.bytes(segment_path(1));
        bytes[200] ^= 1;
        disk.set_bytes(segment_path(1), bytes);
        auto opened = std::move(try_open(disk, options, recovery, known)).value();
        REQUIRE(append_numbered(*opened, 1));
        CHECK_FALSE(try_open(disk, options, recovery));
        CHECK(verify_log(disk, options, {})->damages.size() == 1);
    }
    SECTION("damage after it is an error") {
        auto bytes = disk.bytes(segment_path(known.next.segment()));
        bytes[known.next.offset() + 40] ^= 1;
        disk.set_bytes(segment_path(known.next.segment()), bytes);
        CHECK(try_open(disk, options, recovery, known).error().detail == place(known.next.segment(), known.next.offset(), 21, "checksum"));
    }
    SECTION("another log than the one it belongs to is refused") {
        auto other = known;
        other.hash[0] ^= 1;
        CHECK(try_open(disk, options, recovery, other).error().detail == place(known.next.segment(), known.next.offset(), 20, "chain"));
    }
    SECTION("a log that ends before it is refused") {
        for (auto segment = known.next.segment() + 1; disk.exists(segment_path(segment)); ++segment) REQUIRE(disk.remove(segment_path(segment)));
        const auto bytes = disk.bytes(segment_path(known.next.segment()));
        disk.set_bytes(segment_path(known.next.segment()), bytes.substr(0, known.next.offset() - 1));
        CHECK(try_open(disk, options, recovery, known).error().detail.starts_with("the touch log ends before sequence 20"));
        REQUIRE(disk.remove(segment_path(known.next.segment())));
        CHECK_FALSE(try_open(disk, options, recovery, known));
    }
}

TEST_CASE("recovery: a known record inside a batch, at the end of a segment, or the very last one") {
    FaultyDisk disk{1};
    const auto options = options_for(1000);
    auto log = open_log(disk, options);
    std::vector<LogHead> heads;
    for (int i = 0; i < 12; ++i) {
        REQUIRE(log->reserve(300));
        std::uint64_t sequence = 0;
        for (int k = 0; k < 3; ++k) {
            (void)log->append(from_unix_ms(1), 1, 1, ContactIndex{1}, {}, "some text", sequence);
            heads.push_back(log->head());
        }
        REQUIRE(log->commit());
        heads.push_back(log->head());
    }
    for (const auto& head : heads) {
        LogRecovery recovery;
        auto opened = try_open(disk, options, recovery, head);
        REQUIRE(opened);
        CHECK((*opened)->head().hash == log->head().hash);
        CHECK(recovery.records == 36 - head.sequence);
    }
    // The batch that the known record is part of was complete once: if it is not now, that is damage.
    const auto inside = heads[heads.size() - 3];
    const auto last = inside.next.segment();
    const auto bytes = disk.bytes(segment_path(last));
    disk.set_bytes(segment_path(last), bytes.substr(0, bytes.size() - 3));
    LogRecovery recovery;
    CHECK_FALSE(try_open(disk, options, recovery, inside));
}

TEST_CASE("recovery: a crash at any step of a roll leaves a log that opens with every committed record") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        for (std::uint64_t n = 0;; ++n) {
            INFO("seed " << seed << ", failing call " << n);
            FaultyDisk disk{seed * 1000 + n};
            const auto options = options_for(600);
            auto log = open_log(disk, options);
            while (log->head().next.offset() < 300) REQUIRE(append_numbered(*log, 1));
            const auto before = records_of(*log);
            disk.fail_from(n);
            const auto done = append_numbered(*log, 2);
            if (!disk.failed()) {
                REQUIRE(done);
                REQUIRE(log->head().next.segment() == 2);
                REQUIRE(n >= 7);
                break;
            }
            CHECK_FALSE(done);
            log.reset();
            disk.crash();
            LogRecovery recovery;
            auto reopened = std::move(try_open(disk, options, recovery)).value();
            auto after = records_of(*reopened);
            REQUIRE(after.size() >= before.size());
            CHECK((after.size() == before.size() || after.size() == before.size() + 2));
            after.resize(before.size());
            CHECK(after == before);
            REQUIRE(append_numbered(*reopened, 2));
            CHECK(verify_log(disk, options, reopened->durable_head())->damages.empty());
            for (const auto& path : disk.paths()) CHECK_FALSE(path.ends_with(".new"));
        }
    }
}

TEST_CASE("recovery: a crash at any step of making the log leaves a folder in which one can be made") {
    for (std::uint64_t n = 0;; ++n) {
        FaultyDisk disk{n};
        disk.fail_from(n);
        LogRecovery recovery;
        const auto made = try_open(disk, options_for(), recovery);
        if (!disk.failed()) {
            REQUIRE(made);
            break;
        }
        disk.crash();
        auto log = open_log(disk, options_for());
        REQUIRE(append_numbered(*log, 1));
    }
}

TEST_CASE("recovery: a crash at any step of recovery is recovered from") {
    for (std::uint64_t n = 0;; ++n) {
        FaultyDisk disk{n};
        auto log = open_log(disk, options_for());
        REQUIRE(append_numbered(*log, 2));
        REQUIRE(append_numbered(*log, 3, 700));
        const auto bytes = disk.bytes(segment_path(1));
        disk.set_bytes(segment_path(1), bytes.substr(0, bytes.size() - 600));
        disk.fail_from(n);
        LogRecovery recovery;
        const auto opened = try_open(disk, options_for(), recovery);
        if (!disk.failed()) {
            REQUIRE(opened);
            break;
        }
        disk.crash();
        CHECK(open_log(disk, options_for())->head().sequence == 2);
    }
}

TEST_CASE("recovery: segments of two logs do not mix, and a newer format is named") {
    FaultyDisk disk{1};
    auto options = options_for(600);
    auto log = open_log(disk, options);
    while (log->head().next.segment() < 3) REQUIRE(append_numbered(*log, 2));
    FaultyDisk other{1};
    options.new_log_id = log_format::LogId{7};
    auto stranger = open_log(other, options);
    while (stranger->head().next.segment() < 3) REQUIRE(append_numbered(*stranger, 2));
    LogRecovery recovery;
    SECTION("two logs") {
        disk.set_bytes(segment_path(3), other.bytes(segment_path(3)));
        CHECK(try_open(disk, options, recovery).error().detail == "log/0000000003.log belongs to another log");
    }
    SECTION("newer format") {
        auto bytes = disk.bytes(segment_path(3));
        bytes[8] = 2;
        const auto check = crypto::sha256(std::string_view{bytes}.substr(0, 96));
        std::copy(check.begin(), check.end(), reinterpret_cast<std::uint8_t*>(bytes.data()) + 96);
        disk.set_bytes(segment_path(3), bytes);
        const auto opened = try_open(disk, options, recovery);
        CHECK(opened.error().kind == ErrorKind::unsupported);
        CHECK(opened.error().detail == "the touch log has format 2; this program reads format 1");
        CHECK(verify_log(disk, options, {})->damages.size() == 1);
    }
}
