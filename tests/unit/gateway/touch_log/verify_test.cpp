#include "tests/catch.hpp"
#include "tests/unit/gateway/touch_log/log_fixture.hpp"

using namespace touchgate;
using namespace touchgate::log_tests;

namespace {

// Three segments: batches of one, two and three records, payloads of two lengths.
struct SmallLog {
    FaultyDisk disk{1};
    FileLogOptions options = options_for(1700);
    LogHead head;
    std::vector<Seen> records;

    SmallLog() {
        auto log = open_log(disk, options);
        for (std::size_t i = 0; log->head().next.segment() < 3 || log->head().next.offset() < 600 || i % 3 != 0; ++i) REQUIRE(append_numbered(*log, i % 3 + 1, i % 2 == 0 ? 20 : 33));
        REQUIRE(log->head().next.segment() == 3);
        head = log->durable_head();
        records = records_of(*log);
    }
    std::vector<LogDamage> damages(const std::optional<LogHead>& expect = {}) { return verify_log(disk, options, expect).value().damages; }
    [[nodiscard]] std::string bytes(std::uint32_t segment) const { return disk.bytes(segment_path(segment)); }
    void set(std::uint32_t segment, std::string bytes) { disk.set_bytes(segment_path(segment), std::move(bytes)); }
    // Offsets in a segment at which its header, records, trailers and footer begin, and its end.
    std::vector<std::uint64_t> items(std::uint32_t segment) {
        const auto size = bytes(segment).size();
        std::vector<std::uint64_t> begins{0};
        std::uint64_t end = log_format::header_bytes;
        for (const auto& record : records) {
            if (record.position.segment() != segment) continue;
            if (record.position.offset() != end) begins.push_back(end);
            begins.push_back(record.position.offset());
            end = record.position.offset() + record.length;
        }
        begins.push_back(end);
        if (end + log_format::trailer_bytes != size) begins.push_back(end + log_format::trailer_bytes);
        begins.push_back(size);
        return begins;
    }
};

std::string file_of(std::uint32_t segment) { return "log/" + log_format::segment_name(segment); }

}  // namespace

TEST_CASE("verify: an intact log has no damage, and its head is told") {
    SmallLog log;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    const auto result = verify_log(log.disk, log.options, log.head, [&](std::uint64_t bytes_done, std::uint64_t bytes_total) {
        CHECK(bytes_done >= done);
        done = bytes_done;
        total = bytes_total;
    });
    REQUIRE(result);
    CHECK(result->damages.empty());
    CHECK(result->records == log.records.size());
    CHECK(result->head.sequence == log.head.sequence);
    CHECK(result->head.hash == log.head.hash);
    CHECK(done == total);
    CHECK(total == log.bytes(1).size() + log.bytes(2).size() + log.bytes(3).size());
}

TEST_CASE("verify: every changed byte is found, at the header, record, trailer or footer that holds it") {
    SmallLog log;
    const auto flip = GENERATE(0x01, 0x80, 0xFF);
    for (std::uint32_t segment = 1; segment <= 3; ++segment) {
        const auto bytes = log.bytes(segment);
        const auto items = log.items(segment);
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            auto changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ flip);
            log.set(segment, changed);
            const auto damages = log.damages();
            const auto item = *std::prev(std::upper_bound(items.begin(), items.end(), at));
            INFO("segment " << segment << ", byte " << at << ", item at " << item);
            REQUIRE(damages.size() == 1);
            CHECK(damages[0].file == file_of(segment));
            CHECK(damages[0].offset == item);
            const auto record = std::find_if(log.records.begin(), log.records.end(), [&](const Seen& seen) {
                return seen.position == log_format::position_of(segment, item);
            });
            if (record != log.records.end()) CHECK(damages[0].sequence == record->sequence);
        }
        log.set(segment, bytes);
    }
}

TEST_CASE("verify: damage that only serve would cut is marked as such") {
    SmallLog log;
    const auto bytes = log.bytes(3);
    for (const auto& record : log.records) {
        if (record.position.segment() != 3) continue;
        auto changed = bytes;
        changed[record.position.offset() + 45] ^= 8;
        log.set(3, changed);
        const auto damages = log.damages();
        REQUIRE(damages.size() == 1);
        CHECK(damages[0].last_batch_only == (record.sequence + 3 > log.head.sequence));  // batches end with one of three
    }
    log.set(3, bytes.substr(0, bytes.size() - 1));
    REQUIRE(log.damages().size() == 1);
    CHECK(log.damages()[0].last_batch_only);
    log.set(3, bytes + "rest");
    REQUIRE(log.damages().size() == 1);
    CHECK(log.damages()[0].last_batch_only);
    CHECK(log.damages()[0].offset == bytes.size());
    CHECK(log.damages()[0].sequence == log.head.sequence + 1);
}

TEST_CASE("verify: every removed record is found at its place") {
    SmallLog log;
    for (const auto& record : log.records) {
        const auto segment = record.position.segment();
        const auto bytes = log.bytes(segment);
        auto changed = bytes;
        changed.erase(record.position.offset(), record.length);
        log.set(segment, changed);
        const auto damages = log.damages();
        INFO("record " << record.sequence);
        REQUIRE_FALSE(damages.empty());
        CHECK(damages[0].file == file_of(segment));
        CHECK(damages[0].offset == record.position.offset());
        CHECK(damages[0].sequence == record.sequence);
        CHECK(damages.size() == 1);
        log.set(segment, bytes);
    }
}

TEST_CASE("verify: every duplicated record is found at its place") {
    SmallLog log;
    for (const auto& record : log.records) {
        const auto segment = record.position.segment();
        const auto bytes = log.bytes(segment);
        auto changed = bytes;
        changed.insert(record.position.offset(), bytes.substr(record.position.offset(), record.length));
        log.set(segment, changed);
        const auto damages = log.damages();
        INFO("record " << record.sequence);
        REQUIRE(damages.size() == 1);
        CHECK(damages[0].file == file_of(segment));
        CHECK(damages[0].offset == record.position.offset() + record.length);
        CHECK(damages[0].sequence == record.sequence + 1);
        log.set(segment, bytes);
    }
}

TEST_CASE("verify: every two neighbours that changed places are found") {
    SmallLog log;
    for (std::size_t i = 0; i + 1 < log.records.size(); ++i) {
        const auto& a = log.records[i];
        const auto& b = log.records[i + 1];
        const auto segment = a.position.segment();
        if (b.position.segment() != segment) continue;
        const auto bytes = log.bytes(segment);
        const auto between = bytes.substr(a.position.offset() + a.length, b.position.offset() - a.position.offset() - a.length);
        auto changed = bytes;
        changed.replace(a.position.offset(), a.length + between.size() + b.length,
                        bytes.substr(b.position.offset(), b.length) + between + bytes.substr(a.position.offset(), a.length));
        log.set(segment, changed);
        const auto damages = log.damages();
        INFO("records " << a.sequence << " and " << b.sequence);
        REQUIRE_FALSE(damages.empty());
        CHECK(damages[0].file == file_of(segment));
        CHECK(damages[0].offset == a.position.offset());
        CHECK(damages[0].sequence == a.sequence);
        if (between.empty()) {
            REQUIRE(damages.size() == 2);
            CHECK(damages[1].offset == a.position.offset() + b.length);
            CHECK(damages[1].sequence == b.sequence);
        }
        log.set(segment, bytes);
    }
}

TEST_CASE("verify: any two records of equal length that changed places are found at the first") {
    SmallLog log;
    for (std::size_t i = 0; i < log.records.size(); ++i) {
        for (auto k = i + 1; k < log.records.size(); ++k) {
            const auto& a = log.records[i];
            const auto& b = log.records[k];
            if (a.length != b.length || a.position.segment() != b.position.segment()) continue;
            const auto bytes = log.bytes(a.position.segment());
            auto changed = bytes;
            changed.replace(a.position.offset(), a.length, bytes.substr(b.position.offset(), b.length));
            changed.replace(b.position.offset(), b.length, bytes.substr(a.position.offset(), a.length));
            log.set(a.position.segment(), changed);
            const auto damages = log.damages();
            INFO("records " << a.sequence << " at " << a.position.offset() << " and " << b.sequence << " at " << b.position.offset());
            REQUIRE_FALSE(damages.empty());
            std::string all;
            for (const auto& damage : damages) all += std::to_string(damage.offset) + ' ' + std::to_string(damage.sequence) + ' ' + damage.reason + ", ";
            INFO(all);
            CHECK(damages[0].offset == a.position.offset());
            CHECK(damages[0].sequence == a.sequence);
            CHECK(std::any_of(damages.begin(), damages.end(), [&](const LogDamage& damage) { return damage.offset == b.position.offset() && damage.sequence == b.sequence; }));
            log.set(a.position.segment(), bytes);
        }
    }
}

TEST_CASE("verify: every batch that was removed, doubled or put elsewhere is found") {
    SmallLog log;
    for (std::uint32_t segment = 1; segment <= 3; ++segment) {
        const auto bytes = log.bytes(segment);
        std::vector<std::pair<std::size_t, std::size_t>> batches;  // begin, length
        std::size_t begin = log_format::header_bytes;
        for (std::size_t at = begin; at + log_format::trailer_bytes <= bytes.size();) {
            if (log_format::u32_at(bytes.data() + at) == log_format::trailer_marker) {
                at += log_format::trailer_bytes;
                batches.emplace_back(begin, at - begin);
                begin = at;
            } else if (log_format::u32_at(bytes.data() + at) == log_format::footer_marker) {
                break;
            } else {
                at += log_format::u32_at(bytes.data() + at);
            }
        }
        REQUIRE(batches.size() >= 3);
        for (std::size_t i = 0; i < batches.size(); ++i) {
            const bool newest = segment == 3 && i + 1 == batches.size();
            auto changed = bytes;
            changed.erase(batches[i].first, batches[i].second);
            log.set(segment, changed);
            if (newest) {
                CHECK(log.damages().empty());  // nobody can see that from inside …
                CHECK(log.damages(log.head).size() == 1);
            } else {
                REQUIRE(log.damages().size() == 1);
                CHECK(log.damages()[0].offset == batches[i].first);
            }
            changed = bytes;
            changed.insert(batches[i].first, bytes.substr(batches[i].first, batches[i].second));
            log.set(segment, changed);
            std::string all = std::to_string(i) + " of segment " + std::to_string(segment) + ": ";
            for (const auto& damage : log.damages()) all += damage.file + ' ' + std::to_string(damage.offset) + ' ' + std::to_string(damage.sequence) + ' ' + damage.reason + ", ";
            INFO(all);
            REQUIRE(log.damages().size() == 1);
            CHECK(log.damages()[0].offset == batches[i].first + batches[i].second);
            if (i + 1 < batches.size()) {
                changed = bytes;
                changed.replace(batches[i].first, batches[i].second + batches[i + 1].second,
                                bytes.substr(batches[i + 1].first, batches[i + 1].second) + bytes.substr(batches[i].first, batches[i].second));
                log.set(segment, changed);
                REQUIRE_FALSE(log.damages().empty());
                CHECK(log.damages()[0].offset == batches[i].first);
            }
        }
        log.set(segment, bytes);
    }
}

TEST_CASE("verify: a removed trailer and a removed footer are found") {
    SmallLog log;
    for (std::uint32_t segment = 1; segment <= 3; ++segment) {
        const auto bytes = log.bytes(segment);
        const auto items = log.items(segment);
        for (std::size_t i = 1; i + 1 < items.size(); ++i) {
            auto changed = bytes;
            changed.erase(items[i], items[i + 1] - items[i]);
            log.set(segment, changed);
            INFO("segment " << segment << ", item at " << items[i]);
            REQUIRE_FALSE(log.damages().empty());
            CHECK(log.damages()[0].offset == items[i]);
        }
        log.set(segment, bytes);
    }
}

TEST_CASE("verify: a file cut anywhere is found, the newest one only inside a batch") {
    SmallLog log;
    for (std::uint32_t segment = 1; segment <= 3; ++segment) {
        const auto bytes = log.bytes(segment);
        const auto items = log.items(segment);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            log.set(segment, bytes.substr(0, size));
            const bool whole = segment == 3 && size >= log_format::header_bytes &&
                               (size == log_format::header_bytes || (std::find(items.begin(), items.end(), size) != items.end() &&
                                                                     log_format::u32_at(bytes.data() + size - log_format::trailer_bytes) == log_format::trailer_marker));
            INFO("segment " << segment << ", cut at " << size);
            CHECK(log.damages().empty() == whole);
            CHECK_FALSE(log.damages(log.head).empty());
            if (!whole) CHECK(log.damages()[0].file == file_of(segment));
        }
        log.set(segment, bytes);
    }
}

TEST_CASE("verify: a removed, swapped or foreign segment is found") {
    SmallLog log;
    SECTION("removed, in the middle and at the beginning") {
        const auto gone = GENERATE(1U, 2U);
        REQUIRE(log.disk.remove(segment_path(gone)));
        const auto damages = log.damages();
        REQUIRE(damages.size() == 1);
        CHECK(damages[0].file == file_of(gone));
        CHECK(damages[0].offset == 0);
        CHECK(damages[0].reason == "sequence");
        const auto first = std::find_if(log.records.begin(), log.records.end(), [&](const Seen& seen) { return seen.position.segment() == gone; });
        CHECK(damages[0].sequence == first->sequence);
    }
    SECTION("removed at the end: seen by those who know the head") {
        REQUIRE(log.disk.remove(segment_path(3)));
        CHECK(log.damages().empty());
        REQUIRE(log.damages(log.head).size() == 1);
        CHECK(log.damages(log.head)[0].reason == "length");
    }
    SECTION("two that changed names") {
        const auto one = log.bytes(1);
        log.set(1, log.bytes(2));
        log.set(2, one);
        const auto damages = log.damages();
        REQUIRE(damages.size() >= 2);
        CHECK(damages[0].file == file_of(1));
        CHECK(damages[1].file == file_of(2));
    }
    SECTION("of another log with the same sequences") {
        FaultyDisk other{1};
        auto options = log.options;
        options.new_log_id = log_format::LogId{9};
        auto stranger = open_log(other, options);
        for (std::size_t i = 0; stranger->head().next.segment() < 3; ++i) REQUIRE(append_numbered(*stranger, i % 3 + 1, i % 2 == 0 ? 20 : 33));
        log.set(2, other.bytes(segment_path(2)));
        REQUIRE_FALSE(log.damages().empty());
        CHECK(log.damages()[0].file == file_of(2));
    }
}

TEST_CASE("verify: goes on to later damage") {
    SmallLog log;
    auto bytes = log.bytes(1);
    const auto& a = log.records[1];
    const auto& b = log.records[4];
    bytes[a.position.offset() + 40] ^= 1;
    bytes[b.position.offset()] ^= 0x7F;  // its length
    log.set(1, bytes);
    auto later = log.bytes(3);
    later[later.size() - 10] ^= 1;
    log.set(3, later);
    const auto damages = log.damages();
    REQUIRE(damages.size() == 3);
    CHECK(damages[0].sequence == a.sequence);
    CHECK(damages[1].sequence == b.sequence);
    CHECK(damages[1].offset == b.position.offset());
    CHECK(damages[2].file == file_of(3));
    CHECK(damages[2].last_batch_only);
}

TEST_CASE("verify: an edited record with a new hash breaks the record after it") {
    SmallLog log;
    auto bytes = log.bytes(1);
    const auto& edited = log.records[3];
    const auto& after = log.records[4];
    const auto& before = log.records[2];
    bytes[edited.position.offset() + 40] ^= 1;
    const auto hash = crypto::sha256(crypto::view(before.hash), std::string_view{bytes}.substr(edited.position.offset(), edited.length - 32));
    std::copy(hash.begin(), hash.end(), reinterpret_cast<std::uint8_t*>(bytes.data()) + edited.position.offset() + edited.length - 32);
    log.set(1, bytes);
    const auto damages = log.damages();
    REQUIRE_FALSE(damages.empty());
    CHECK(damages[0].offset >= edited.position.offset());
    CHECK(damages[0].offset <= after.position.offset());
}

TEST_CASE("verify: a head that was noted must be reached with its hash") {
    SmallLog log;
    for (const auto& record : log.records) CHECK(log.damages(LogHead{.sequence = record.sequence, .hash = record.hash, .next = {}}).empty());
    auto other = log.records[5];
    other.hash[3] ^= 1;
    const auto damages = log.damages(LogHead{.sequence = other.sequence, .hash = other.hash, .next = {}});
    REQUIRE(damages.size() == 1);
    CHECK(damages[0].reason == "chain");
    CHECK(damages[0].offset == other.position.offset());
    CHECK(damages[0].sequence == other.sequence);
    const auto beyond = log.damages(LogHead{.sequence = log.head.sequence + 1, .hash = {}, .next = {}});
    REQUIRE(beyond.size() == 1);
    CHECK(beyond[0].reason == "length");
    CHECK(beyond[0].sequence == log.head.sequence + 1);
}

TEST_CASE("verify: any bytes at all end in findings, not in a crash") {
    SmallLog log;
    Random random{7};
    const auto bytes = log.bytes(2);
    for (int round = 0; round < 400; ++round) {
        auto changed = bytes;
        const auto hurt = random.below(40) + 1;
        for (std::uint64_t i = 0; i < hurt; ++i) changed[static_cast<std::size_t>(random.below(changed.size()))] = static_cast<char>(random.next());
        if (random.chance(0.3)) changed.erase(static_cast<std::size_t>(random.below(changed.size())), static_cast<std::size_t>(random.below(300)));
        if (random.chance(0.3)) changed.insert(static_cast<std::size_t>(random.below(changed.size())), std::string(static_cast<std::size_t>(random.below(300)), '\xFF'));
        log.set(2, changed);
        if (changed != bytes) CHECK_FALSE(log.damages().empty());
        LogRecovery recovery;
        CHECK_FALSE(try_open(log.disk, log.options, recovery));
        const auto reader = FileLog::open_for_reading(log.disk, log.options);
        if (reader) (void)read_all(**reader).has_value();
    }
}
