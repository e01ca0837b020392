#include "gateway/touch_log/checkpoint.hpp"

#include "tests/catch.hpp"
#include "tests/simulation/faulty_disk.hpp"

using namespace touchgate;
using simulation::FaultyDisk;

namespace {

Result<void> write(Disk& disk, std::uint64_t sequence, const std::string& body) {
    return write_checkpoint(disk, "data", {.sequence = sequence, .hash = {static_cast<std::uint8_t>(sequence)}, .next = LogPosition{sequence * 10}}, [&](const CheckpointSink& sink) {
        sink(body.substr(0, body.size() / 2));
        sink(body.substr(body.size() / 2));
    });
}

std::optional<Checkpoint> newest(Disk& disk, std::vector<std::string>* skipped = nullptr) {
    std::vector<std::string> passed_over;
    auto found = std::move(read_newest_checkpoint(disk, "data", passed_over)).value();
    if (skipped != nullptr) *skipped = passed_over;
    return found;
}

}  // namespace

TEST_CASE("checkpoint: none, then the newest, with its head") {
    FaultyDisk disk{1};
    CHECK_FALSE(newest(disk));
    REQUIRE(write(disk, 7, "seven"));
    REQUIRE(write(disk, 12, std::string(3'000'000, 'z')));
    disk.crash();
    const auto found = newest(disk);
    REQUIRE(found);
    CHECK(found->head.sequence == 12);
    CHECK(found->head.hash[0] == 12);
    CHECK(found->head.next == LogPosition{120});
    CHECK(found->body == std::string(3'000'000, 'z'));
    REQUIRE(write(disk, 13, ""));
    CHECK(newest(disk)->body.empty());
}

TEST_CASE("checkpoint: the two newest are kept") {
    FaultyDisk disk{1};
    for (std::uint64_t sequence : {3, 99, 100, 2000}) REQUIRE(write(disk, sequence, "body"));
    CHECK(disk.paths() == std::vector<std::string>{"data/checkpoint/00000000000000000100.ckpt", "data/checkpoint/00000000000000002000.ckpt"});
    REQUIRE(write(disk, 2000, "again"));
    CHECK(newest(disk)->body == "again");
    CHECK(disk.paths().size() == 2);
}

TEST_CASE("checkpoint: any changed byte or other length makes it fall back to the older one") {
    FaultyDisk disk{1};
    REQUIRE(write(disk, 5, "older"));
    REQUIRE(write(disk, 6, "newer"));
    const std::string path = "data/checkpoint/00000000000000000006.ckpt";
    const auto bytes = disk.bytes(path);
    const auto expect_older = [&](const std::string& changed) {
        disk.set_bytes(path, changed);
        std::vector<std::string> skipped;
        const auto found = newest(disk, &skipped);
        REQUIRE(found);
        CHECK(found->body == "older");
        CHECK(skipped == std::vector<std::string>{"00000000000000000006.ckpt"});
    };
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 0x04);
        expect_older(changed);
        expect_older(bytes.substr(0, at));
    }
    expect_older(bytes + 'x');
    disk.set_bytes("data/checkpoint/00000000000000000005.ckpt", "");
    CHECK_FALSE(newest(disk));
}

TEST_CASE("checkpoint: a crash at any step leaves the old one or the new one") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        for (std::uint64_t n = 0;; ++n) {
            FaultyDisk disk{seed * 100 + n};
            REQUIRE(write(disk, 1, "first"));
            REQUIRE(write(disk, 2, "second"));
            disk.fail_from(n);
            (void)write(disk, 3, std::string(2000, '3')).has_value();
            const bool failed = disk.failed();
            disk.crash();
            const auto found = newest(disk);
            REQUIRE(found);
            CHECK((found->body == "second" || found->body == std::string(2000, '3')));
            REQUIRE(write(disk, 4, "fourth"));
            CHECK(newest(disk)->body == "fourth");
            CHECK(disk.paths().size() == 2);
            if (!failed) break;
        }
    }
}

TEST_CASE("checkpoint: a full disk is said, leaves the older ones and no remains") {
    FaultyDisk disk{1};
    REQUIRE(write(disk, 1, "first"));
    disk.set_capacity(1000);
    CHECK(write(disk, 2, std::string(2000, 'x')).error().kind == ErrorKind::unavailable);
    CHECK(newest(disk)->body == "first");
    CHECK(disk.paths().size() == 1);
}
