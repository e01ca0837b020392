#include <rapidcheck.h>

#include "tests/catch.hpp"
#include "tests/unit/gateway/touch_log/log_fixture.hpp"

using namespace touchgate;
using namespace touchgate::log_tests;

namespace {

// What a caller of the log may rely on.
struct Model {
    std::vector<std::string> committed;  // payloads, by sequence
    std::vector<std::string> in_doubt;   // of the one batch whose commit did not return success
};

std::vector<std::string> random_batch(Random& random) {
    static constexpr std::size_t longest[] = {10, 200, 600, 3000};
    std::vector<std::string> payloads(static_cast<std::size_t>(random.below(6) + 1));
    for (auto& payload : payloads) {
        payload.resize(static_cast<std::size_t>(random.below(longest[random.below(4)] + 1)));
        for (auto& byte : payload) byte = random.chance(0.3) ? '\0' : static_cast<char>(random.next());
    }
    return payloads;
}

void check_equal(const std::vector<Seen>& seen, const std::vector<std::string>& payloads) {
    RC_ASSERT(seen.size() == payloads.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
        RC_ASSERT(seen[i].sequence == i + 1);
        RC_ASSERT(seen[i].payload == payloads[i]);
    }
}

// After a crash: exactly what was committed, or that and the whole batch in doubt; never a part of it.
void settle(Model& model, const std::vector<Seen>& seen) {
    if (!model.in_doubt.empty() && seen.size() > model.committed.size()) model.committed.insert(model.committed.end(), model.in_doubt.begin(), model.in_doubt.end());
    model.in_doubt.clear();
    check_equal(seen, model.committed);
}

}  // namespace

TEST_CASE("log: after any crash the log holds what was committed, at most with the whole last batch, and goes on") {
    CHECK(rc::check("crash", [](std::uint64_t seed) {
        Random random{seed};
        FaultyDisk disk{seed ^ 0x5DEECE66DULL};
        const auto options = options_for(static_cast<std::size_t>(random.below(2) == 0 ? 2000 + random.below(6000) : 1'000'000));
        Model model;
        LogHead known;  // as a checkpoint would know it
        for (int life = 0; life < 8; ++life) {
            if (random.chance(0.2)) disk.fail_from(random.below(8));  // also while opening
            LogRecovery recovery;
            const bool from_known = random.chance(0.5);
            auto opened = try_open(disk, options, recovery, from_known ? known : LogHead{}, random.chance(0.5) ? model.committed.size() : 0);
            if (!opened) {
                if (!disk.failed()) RC_FAIL(opened.error().detail);
                disk.crash();
                continue;
            }
            auto log = std::move(*opened);
            settle(model, records_of(*log));
            const auto verified = verify_log(disk, options, log->durable_head());
            RC_ASSERT(verified.has_value());
            RC_ASSERT(verified->damages.empty());

            if (random.chance(0.7)) disk.fail_from(random.below(60));
            for (auto left = random.below(25); left > 0; --left) {
                const auto batch = random_batch(random);
                model.in_doubt = batch;
                if (!append_batch(*log, batch)) break;
                model.committed.insert(model.committed.end(), batch.begin(), batch.end());
                model.in_doubt.clear();
                if (random.chance(0.2)) known = log->durable_head();
                RC_ASSERT(log->durable_head().sequence == model.committed.size());
            }
            if (!disk.failed()) check_equal(records_of(*log), model.committed);
            if (random.chance(0.8)) disk.crash();
            else disk.kill();
        }
    }));
}

TEST_CASE("log: a crash loses no sector of what was synced") {
    CHECK(rc::check("synced", [](std::uint64_t seed) {
        Random random{seed};
        FaultyDisk disk{seed};
        const auto options = options_for(5000);
        auto log = open_log(disk, options);
        for (auto left = random.below(20) + 1; left > 0; --left) RC_ASSERT(append_batch(*log, random_batch(random)).has_value());
        std::vector<std::string> before;
        for (const auto& path : disk.paths()) before.push_back(path + '=' + disk.bytes(path));
        disk.crash();
        std::vector<std::string> after;
        for (const auto& path : disk.paths()) after.push_back(path + '=' + disk.bytes(path));
        RC_ASSERT(before == after);
    }));
}

TEST_CASE("log: a disk that fills up and empties again costs no record and makes no gap") {
    CHECK(rc::check("full", [](std::uint64_t seed) {
        Random random{seed};
        FaultyDisk disk{seed};
        const auto options = options_for(4000);
        auto log = open_log(disk, options);
        std::vector<std::string> committed;
        for (int step = 0; step < 60; ++step) {
            disk.set_capacity(random.chance(0.5) ? FaultyDisk::unlimited : random.below(40'000));
            const auto batch = random_batch(random);
            const auto done = append_batch(*log, batch);
            if (done) committed.insert(committed.end(), batch.begin(), batch.end());
            else RC_ASSERT(done.error().kind == ErrorKind::unavailable);
        }
        check_equal(records_of(*log), committed);
        disk.crash();
        check_equal(records_of(*open_log(disk, options)), committed);
    }));
}

TEST_CASE("log: a reader in another process always sees a prefix that is whole") {
    CHECK(rc::check("reader", [](std::uint64_t seed) {
        Random random{seed};
        FaultyDisk disk{seed};
        const auto options = options_for(3000);
        auto log = open_log(disk, options);
        auto reader = std::move(FileLog::open_for_reading(disk, options)).value();
        std::vector<std::string> committed;
        std::uint64_t next = 1;
        for (int step = 0; step < 40; ++step) {
            const auto batch = random_batch(random);
            RC_ASSERT(append_batch(*log, batch).has_value());
            committed.insert(committed.end(), batch.begin(), batch.end());
            if (random.chance(0.5)) continue;
            const auto limit = random.below(10) + 1;
            std::uint64_t taken = 0;
            const auto after = reader->scan(next, [&](const Record& record) {
                RC_ASSERT(record.sequence == next + taken);
                RC_ASSERT(record.payload == committed[record.sequence - 1]);
                return ++taken < limit;
            });
            RC_ASSERT(after.has_value());
            RC_ASSERT(*after == next + taken);
            RC_ASSERT(taken == std::min<std::uint64_t>(limit, committed.size() + 1 - next));
            next = *after;
        }
    }));
}

TEST_CASE("log: random damage is found by verification, wherever it is") {
    CHECK(rc::check("damage", [](std::uint64_t seed) {
        Random random{seed};
        FaultyDisk disk{seed};
        const auto options = options_for(3000);
        auto log = open_log(disk, options);
        for (int i = 0; i < 12; ++i) RC_ASSERT(append_batch(*log, random_batch(random)).has_value());
        const auto paths = disk.paths();
        const auto path = paths[static_cast<std::size_t>(random.below(paths.size()))];
        auto bytes = disk.bytes(path);
        const auto at = static_cast<std::size_t>(random.below(bytes.size()));
        switch (random.below(3)) {
            case 0: bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(random.below(255) + 1)); break;
            case 1: bytes.erase(at, static_cast<std::size_t>(random.below(500) + 1)); break;
            default: bytes.insert(at, std::string(static_cast<std::size_t>(random.below(500) + 1), static_cast<char>(random.next()))); break;
        }
        disk.set_bytes(path, bytes);
        const auto result = verify_log(disk, options, log->durable_head());
        RC_ASSERT(result.has_value());
        RC_ASSERT(!result->damages.empty());
        RC_ASSERT(result->damages[0].file == path.substr(5));
    }));
}
