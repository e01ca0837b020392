#include "gateway/projection/projection.hpp"

#include <fstream>

#include "gateway/base/random.hpp"
#include "gateway/projection/migrations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"
#include "tests/unit/gateway/projection/random_log.hpp"
#include "tests/unit/gateway/projection/temporary_folder.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Scene;
using touchgate::test::TemporaryFolder;

namespace {

void project_all(Projection& projection, std::size_t batch = 4096) {
    for (bool more = true; more;) {
        const auto stepped = projection.step(100'000, batch);
        REQUIRE(stepped);
        more = *stepped;
    }
}

std::string dump_of(Projection& projection) {
    auto text = projection.dump();
    REQUIRE(text);
    return *text;
}

std::unique_ptr<Projection> opened(const std::string& path, const LogReader& log, LogNames& names) {
    auto made = Projection::open(path, log, names);
    REQUIRE(made);
    return std::move(*made);
}

std::int64_t count(Projection& projection, const std::string& sql) {
    auto reading = projection.read();
    REQUIRE(reading);
    const auto value = reading->database().integer(sql);
    REQUIRE_FALSE(reading->database().failure());
    return value;
}

}  // namespace

TEST_CASE("projection: a rebuild gives the same tables, whatever the batches and restarts were") {
    const auto seed = GENERATE(1, 2, 3);
    INFO("seed " << seed);
    Scene scene;
    test::write_random_touches(scene, static_cast<std::uint64_t>(seed), 400);
    TemporaryFolder folder;
    std::string first;
    {
        LogNames names{{}, false};
        auto projection = opened(folder.file("one.sqlite"), scene, names);
        project_all(*projection);
        CHECK(projection->shown_sequence() == scene.durable_head().sequence);
        first = dump_of(*projection);
    }
    CHECK(first.size() > 10'000);
    {
        // Small batches, and a new start after each few.
        Random random{static_cast<std::uint64_t>(seed)};
        for (bool more = true; more;) {
            LogNames names{{}, false};
            auto projection = opened(folder.file("two.sqlite"), scene, names);
            const auto stepped = projection->step(1 + random.below(300), 1 + random.below(40));
            REQUIRE(stepped);
            more = *stepped;
        }
        LogNames names{{}, false};
        CHECK(dump_of(*opened(folder.file("two.sqlite"), scene, names)) == first);
    }
    const auto records = rebuild_projection(folder.file("one.sqlite"), scene);
    REQUIRE(records);
    CHECK(*records == scene.durable_head().sequence);
    LogNames names{{}, false};
    CHECK(dump_of(*opened(folder.file("one.sqlite"), scene, names)) == first);
}

TEST_CASE("projection: no address and no content stands in the database") {
    Scene scene;
    test::write_random_touches(scene, 7, 50);
    TemporaryFolder folder;
    LogNames names{[&](ContactIndex contact) { return scene.key(contact); }, false};
    project_all(*opened(folder.file("p.sqlite"), scene, names));
    std::string bytes;
    for (const char* suffix : {"", "-wal"}) {
        std::ifstream file{folder.file("p.sqlite") + suffix, std::ios::binary};
        bytes.append(std::istreambuf_iterator<char>{file}, {});
    }
    REQUIRE(bytes.size() > 4096);
    for (const char* secret : {"13800000001", "Wang Fang", "20% off", "key-1", "A-1"}) CHECK(bytes.find(secret) == std::string::npos);
}

TEST_CASE("projection: a file that is no database is moved aside and built anew") {
    Scene scene;
    test::write_random_touches(scene, 1, 20);
    TemporaryFolder folder;
    const auto path = folder.file("p.sqlite");
    std::ofstream{path} << std::string(5000, 'x');
    LogNames names{{}, false};
    auto projection = opened(path, scene, names);
    project_all(*projection);
    CHECK(projection->rebuilds() == 1);
    CHECK(count(*projection, "SELECT count(*) FROM touches") == 20);
    CHECK(std::filesystem::exists(path + ".damaged"));
}

TEST_CASE("projection: damage found while writing is moved aside and built anew") {
    Scene scene;
    test::write_random_touches(scene, 1, 2000);
    TemporaryFolder folder;
    const auto path = folder.file("p.sqlite");
    {
        LogNames names{{}, false};
        project_all(*opened(path, scene, names));
    }
    {
        // All pages but the first few, which opening reads.
        std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(0, std::ios::end);
        const auto size = static_cast<std::size_t>(file.tellp());
        file.seekp(4096 * 30);
        const std::string rubbish(size - std::size_t{4096} * 30, '\x5A');
        file.write(rubbish.data(), static_cast<std::streamsize>(rubbish.size()));
    }
    test::write_random_touches(scene, 2, 2000);
    LogNames names{{}, false};
    auto projection = opened(path, scene, names);
    project_all(*projection);
    CHECK(projection->rebuilds() >= 1);
    CHECK(count(*projection, "SELECT count(*) FROM touches") == 4000);
    TemporaryFolder other;
    LogNames fresh_names{{}, false};
    auto fresh = opened(other.file("p.sqlite"), scene, fresh_names);
    project_all(*fresh);
    CHECK(dump_of(*projection) == dump_of(*fresh));
}

TEST_CASE("projection: a database of another or a cut log is built anew") {
    TemporaryFolder folder;
    const auto path = folder.file("p.sqlite");
    Scene scene;
    test::write_random_touches(scene, 1, 50);
    {
        LogNames names{{}, false};
        project_all(*opened(path, scene, names));
    }
    SECTION("another log of the same length") {
        Scene other;
        test::write_random_touches(other, 2, 80);
        LogNames names{{}, false};
        auto projection = opened(path, other, names);
        project_all(*projection);
        CHECK(projection->rebuilds() == 1);
        CHECK(projection->shown_sequence() == other.durable_head().sequence);
    }
    SECTION("a log that ends earlier") {
        scene.cut_to(60);
        LogNames names{{}, false};
        auto projection = opened(path, scene, names);
        project_all(*projection);
        CHECK(projection->rebuilds() == 1);
        CHECK(projection->shown_sequence() == 60);
    }
}

TEST_CASE("projection: a database of a newer program is refused by name and left alone") {
    TemporaryFolder folder;
    const auto path = folder.file("p.sqlite");
    Scene scene;
    {
        LogNames names{{}, false};
        opened(path, scene, names);
        auto database = Database::open(path, Database::Mode::write);
        REQUIRE(database);
        (*database)->execute("PRAGMA user_version = 99");
    }
    LogNames names{{}, false};
    const auto refused = Projection::open(path, scene, names);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
    CHECK(refused.error().detail.find("99") != std::string::npos);
    CHECK(refused.error().detail.find(std::to_string(migrations.size())) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(path + ".damaged"));
    const auto reading = Projection::open_for_reading(path, scene, names);
    REQUIRE_FALSE(reading);
    CHECK(reading.error().kind == ErrorKind::unsupported);
}

TEST_CASE("projection: readers wait for a sequence and see the lag") {
    Scene scene;
    TemporaryFolder folder;
    LogNames names{{}, false};
    auto projection = opened(folder.file("p.sqlite"), scene, names);
    project_all(*projection);
    const auto before = scene.durable_head().sequence;
    CHECK(projection->wait_for(before, Duration{0}));
    CHECK(projection->lag_seconds(scene.now + Duration{5000}) == 0);
    scene.delivered(scene.contact());
    CHECK_FALSE(projection->wait_for(before + 1, Duration{1}));
    CHECK(projection->lag_seconds(scene.now + Duration{2500}) == 2.5);
    {
        ProjectionThread thread{*projection, [](const Error&) {}};
        thread.notify();
        CHECK(projection->wait_for(scene.durable_head().sequence, Duration{10'000}));
    }
    CHECK(projection->lag_seconds(scene.now + Duration{2500}) == 0);
}

TEST_CASE("projection: the sums are those of the rows, for any history") {
    const auto seed = GENERATE(11, 12, 13);
    INFO("seed " << seed);
    Scene scene;
    test::write_random_touches(scene, static_cast<std::uint64_t>(seed), 500);
    TemporaryFolder folder;
    LogNames names{{}, false};
    auto projection = opened(folder.file("p.sqlite"), scene, names);
    project_all(*projection, 37);
    const auto touches = count(*projection, "SELECT count(*) FROM touches");
    CHECK(touches == 500);
    CHECK(count(*projection, "SELECT sum(count) FROM touch_counts") == touches);
    CHECK(count(*projection, "SELECT count(*) FROM touch_counts WHERE count <= 0") == 0);
    CHECK(count(*projection, "SELECT count(*) FROM attempt_counts WHERE count <= 0") == 0);
    CHECK(count(*projection, "SELECT sum(blocked) FROM rule_counts") == count(*projection, "SELECT count(*) FROM touches WHERE state = 3"));
    // Every state by itself.
    for (int state = 1; state < 14; ++state) {
        const auto number = std::to_string(state);
        CHECK(count(*projection, "SELECT coalesce(sum(count), 0) FROM touch_counts WHERE class & 15 = " + number) ==
              count(*projection, "SELECT count(*) FROM touches WHERE state = " + number));
    }
}
