#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "gateway/touch_log/key_store.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/touch_log/log_fixture.hpp"

using namespace touchgate;
using namespace touchgate::log_tests;

namespace {

struct TemporaryFolder {
    std::string path;
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "touch_log_XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
};

void check_contract(Disk& disk, const std::string& folder) {
    REQUIRE(disk.make_folder(folder + "/a/b"));
    REQUIRE(disk.make_folder(folder + "/a/b"));
    CHECK(disk.exists(folder + "/a/b"));
    const auto path = folder + "/a/b/file";
    CHECK(disk.open(path, Disk::Mode::read).error().kind == ErrorKind::not_found);
    CHECK(disk.open(path, Disk::Mode::write).error().kind == ErrorKind::not_found);
    CHECK(disk.list(folder + "/none").error().kind == ErrorKind::not_found);
    {
        auto file = std::move(disk.open(path, Disk::Mode::create)).value();
        CHECK(disk.open(path, Disk::Mode::create).error().kind == ErrorKind::conflict);
        REQUIRE(file->write(3, "abc"));
        CHECK(file->size() == 6);
        REQUIRE(file->reserve(10'000));
        CHECK(file->size() == 6);
        REQUIRE(file->sync());
        CHECK(file->read(0, 6).value() == std::string("\0\0\0abc", 6));
        CHECK(file->read(5, 2).error().kind == ErrorKind::corrupt);
        char two[2];
        REQUIRE(file->read_into(4, two, 2));
        CHECK(std::string_view(two, 2) == "bc");
        REQUIRE(file->truncate(4));
        CHECK(file->size() == 4);
        REQUIRE(file->write(6, "z"));
        CHECK(file->read(0, 7).value() == std::string("\0\0\0a\0\0z", 7));
    }
    CHECK_FALSE(disk.open(path, Disk::Mode::read).value()->write(0, "x"));
    CHECK(disk.open(path, Disk::Mode::write).value()->write(0, "x"));
    REQUIRE(disk.rename(path, folder + "/a/b/other"));
    CHECK_FALSE(disk.exists(path));
    { CHECK(disk.open(folder + "/a/b/a-first", Disk::Mode::create)); }
    CHECK(disk.list(folder + "/a/b").value() == std::vector<std::string>{"a-first", "other"});
    REQUIRE(disk.remove(folder + "/a/b/other"));
    REQUIRE(disk.sync_folder(folder + "/a/b"));
    CHECK(disk.remove(folder + "/a/b/other").error().kind == ErrorKind::not_found);
}

}  // namespace

TEST_CASE("disk: the real and the simulated one keep the same contract") {
    SECTION("real") {
        const TemporaryFolder folder;
        auto disk = make_real_disk();
        check_contract(*disk, folder.path);
    }
    SECTION("simulated") {
        FaultyDisk disk{1};
        check_contract(disk, "folder");
    }
}

TEST_CASE("disk: files are readable by their owner only") {
    const TemporaryFolder folder;
    auto disk = make_real_disk();
    REQUIRE(load_master_key(*disk, folder.path + "/data", ""));
    struct stat status {};
    REQUIRE(::stat((folder.path + "/data/master.key").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
}

TEST_CASE("disk: a log on the real disk rolls, reopens, verifies and is archived") {
    const TemporaryFolder folder;
    auto disk = make_real_disk();
    auto options = options_for(5000);
    options.data_dir = folder.path;
    options.archive_dir = folder.path + "/archive";
    auto log = open_log(*disk, options);
    for (int i = 0; i < 60; ++i) REQUIRE(append_numbered(*log, 4, 100));
    const auto seen = records_of(*log);
    CHECK(log->head().next.segment() > 3);
    auto reader = std::move(FileLog::open_for_reading(*disk, options)).value();
    CHECK(records_of(*reader) == seen);
    CHECK(verify_log(*disk, options, log->durable_head())->damages.empty());
    CHECK(archive_segments(*disk, options, from_unix_ms(1'700'000'000'100)).value().size() == 4);
    CHECK(records_of(*reader) == seen);
    log.reset();
    log = open_log(*disk, options);
    CHECK(records_of(*log) == seen);
}

TEST_CASE("disk: reserved space is taken from the file system without changing the length") {
    const TemporaryFolder folder;
    auto disk = make_real_disk();
    auto file = std::move(disk->open(folder.path + "/file", Disk::Mode::create)).value();
    REQUIRE(file->reserve(1 << 20));
    struct stat status {};
    REQUIRE(::stat((folder.path + "/file").c_str(), &status) == 0);
    CHECK(status.st_size == 0);
    CHECK(file->reserve(std::uint64_t{1} << 60U).error().kind != ErrorKind::not_found);
}

TEST_CASE("simulated disk: a crash keeps what was synced and any part of what was not") {
    bool kept = false;
    bool lost = false;
    bool mixed = false;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        FaultyDisk disk{seed};
        REQUIRE(disk.make_folder("f"));
        auto file = std::move(disk.open("f/x", Disk::Mode::create)).value();
        REQUIRE(file->write(0, std::string(2048, 'a')));
        REQUIRE(file->sync());
        REQUIRE(disk.sync_folder("f"));
        REQUIRE(file->write(0, std::string(2048, 'b')));
        disk.crash();
        CHECK_FALSE(file->write(0, "c"));
        const auto bytes = disk.bytes("f/x");
        REQUIRE(bytes.size() == 2048);
        std::size_t new_sectors = 0;
        for (std::size_t sector = 0; sector < 4; ++sector) {
            const auto part = bytes.substr(sector * 512, 512);
            CHECK((part == std::string(512, 'a') || part == std::string(512, 'b')));
            new_sectors += part[0] == 'b' ? 1 : 0;
        }
        kept |= new_sectors == 4;
        lost |= new_sectors == 0;
        mixed |= new_sectors > 0 && new_sectors < 4;
    }
    CHECK(kept);
    CHECK(lost);
    CHECK(mixed);
}

TEST_CASE("simulated disk: a file whose folder was not synced may be gone, one that was renamed is there") {
    bool gone = false;
    bool there = false;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        FaultyDisk disk{seed};
        REQUIRE(disk.make_folder("f"));
        { REQUIRE(disk.open("f/new", Disk::Mode::create).value()->sync()); }
        { REQUIRE(disk.open("f/temporary", Disk::Mode::create).value()->sync()); }
        REQUIRE(disk.rename("f/temporary", "f/named"));
        { REQUIRE(disk.open("f/later", Disk::Mode::create).value()->sync()); }
        disk.crash();
        CHECK(disk.exists("f/named"));
        CHECK(disk.exists("f/new"));  // the rename synced the folder
        (disk.exists("f/later") ? there : gone) = true;
    }
    CHECK(gone);
    CHECK(there);
}
