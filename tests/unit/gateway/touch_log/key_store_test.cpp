#include "gateway/touch_log/key_store_reading.hpp"

#include "tests/catch.hpp"
#include "tests/simulation/faulty_disk.hpp"

using namespace touchgate;
using simulation::FaultyDisk;

namespace {

const std::string keys_path = "data/keys/contacts.keys";
const std::string erased_path = "data/keys/erased";
const crypto::Key master{1, 2, 3, 4, 5};

std::unique_ptr<KeyStore> open(Disk& disk) { return std::move(KeyStore::open(disk, "data", master)).value(); }

KeyStore::Erased entry(std::uint64_t number) {
    return {.address = {number, number + 1},
            .denies = {{"sms", "marketing"}, {"*", "collection"}},
            .counted = {{from_unix_ms(1'700'000'000'000), "marketing\nsms"}, {from_unix_ms(1'700'000'100'000), "service\nsms"}}};
}

}  // namespace

TEST_CASE("key store: synced keys are there after a restart, unsynced ones are not") {
    FaultyDisk disk{1};
    auto store = open(disk);
    const auto one = store->make(ContactIndex{1});
    const auto two = store->make(ContactIndex{2});
    CHECK(*store->find(ContactIndex{1}) == one);
    REQUIRE(store->sync());
    (void)store->make(ContactIndex{3});
    CHECK(store->find(ContactIndex{4}) == nullptr);
    CHECK(store->find(ContactIndex{0}) == nullptr);
    CHECK(store->find(ContactIndex{0xFFFFFFFF}) == nullptr);
    disk.crash();
    store = open(disk);
    REQUIRE(store->find(ContactIndex{2}) != nullptr);
    CHECK(*store->find(ContactIndex{1}) == one);
    CHECK(*store->find(ContactIndex{2}) == two);
    CHECK(store->find(ContactIndex{3}) == nullptr);
}

TEST_CASE("key store: many new keys cost one sync, and nothing new costs none") {
    FaultyDisk disk{1};
    auto store = open(disk);
    REQUIRE(store->reserve(100));
    for (std::uint32_t contact = 1; contact <= 100; ++contact) (void)store->make(ContactIndex{contact});
    const auto before = disk.counters();
    REQUIRE(store->sync());
    CHECK(disk.counters().syncs == before.syncs + 1);
    CHECK(disk.counters().writes == before.writes + 2);  // slots and header
    REQUIRE(store->sync());
    CHECK(disk.counters().changes == before.changes + 3);
}

TEST_CASE("key store: no key is readable in the files") {
    FaultyDisk disk{1};
    auto store = open(disk);
    const auto key = store->make(ContactIndex{1});
    REQUIRE(store->sync());
    REQUIRE(store->add_erased(entry(1)));
    CHECK(disk.bytes(keys_path).find(std::string_view{crypto::view(key)}.substr(0, 8)) == std::string::npos);
    CHECK(disk.bytes(erased_path).find("marketing") == std::string::npos);
}

TEST_CASE("key store: a destroyed key is overwritten at once and stays gone") {
    FaultyDisk disk{1};
    auto store = open(disk);
    for (std::uint32_t contact = 1; contact <= 3; ++contact) (void)store->make(ContactIndex{contact});
    REQUIRE(store->sync());
    const auto sealed = disk.bytes(keys_path).substr(2 * 64 + 4, 60);
    REQUIRE(store->destroy(ContactIndex{2}));
    CHECK(store->find(ContactIndex{2}) == nullptr);
    disk.crash();
    CHECK(disk.bytes(keys_path).find(sealed.substr(0, 16)) == std::string::npos);
    store = open(disk);
    CHECK(store->find(ContactIndex{1}) != nullptr);
    CHECK(store->find(ContactIndex{2}) == nullptr);
    CHECK(store->find(ContactIndex{3}) != nullptr);
    REQUIRE(store->destroy(ContactIndex{77}));
}

TEST_CASE("key store: a slot that is written anew is sealed under another nonce") {
    FaultyDisk disk{1};
    auto store = open(disk);
    (void)store->make(ContactIndex{1});
    REQUIRE(store->sync());
    const auto first = disk.bytes(keys_path).substr(64 + 4, 12);
    store = open(disk);
    (void)store->make(ContactIndex{1});
    REQUIRE(store->sync());
    CHECK(disk.bytes(keys_path).substr(64 + 4, 12) != first);
    const auto key = *store->find(ContactIndex{1});
    CHECK(*open(disk)->find(ContactIndex{1}) == key);
}

TEST_CASE("key store: a wrong master key and any changed byte of a live slot or the header are refused") {
    FaultyDisk disk{1};
    auto store = open(disk);
    for (std::uint32_t contact = 1; contact <= 2; ++contact) (void)store->make(ContactIndex{contact});
    REQUIRE(store->sync());
    const auto wrong = KeyStore::open(disk, "data", crypto::Key{9});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().kind == ErrorKind::corrupt);
    CHECK(wrong.error().detail == "wrong master key or damaged key store");

    const auto bytes = disk.bytes(keys_path);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 0x10);
        disk.set_bytes(keys_path, changed);
        INFO("byte " << at);
        CHECK_FALSE(KeyStore::open(disk, "data", master));
    }
    auto swapped = bytes;
    swapped.replace(64, 64, bytes.substr(128, 64));
    disk.set_bytes(keys_path, swapped);
    CHECK_FALSE(KeyStore::open(disk, "data", master));
    disk.set_bytes(keys_path, "");
    CHECK_FALSE(KeyStore::open(disk, "data", master));
}

TEST_CASE("key store: the highest log sequence that a sync has seen is kept") {
    FaultyDisk disk{1};
    auto store = open(disk);
    CHECK(store->known_sequence() == 0);
    store->note_sequence(41);
    CHECK(store->known_sequence() == 0);
    (void)store->make(ContactIndex{1});
    REQUIRE(store->sync());
    CHECK(store->known_sequence() == 41);
    store->note_sequence(40);
    (void)store->make(ContactIndex{2});
    REQUIRE(store->sync());
    disk.crash();
    CHECK(open(disk)->known_sequence() == 41);
}

TEST_CASE("key store: a full disk refuses the reservation, and reserved slots can be written") {
    FaultyDisk disk{1};
    auto store = open(disk);
    disk.set_capacity(64 * 11);
    REQUIRE(store->reserve(10));
    CHECK(store->reserve(11).error().kind == ErrorKind::unavailable);
    for (std::uint32_t contact = 1; contact <= 10; ++contact) (void)store->make(ContactIndex{contact});
    REQUIRE(store->sync());
    CHECK(open(disk)->find(ContactIndex{10}) != nullptr);
}

TEST_CASE("key store: erased addresses come back as they were written") {
    FaultyDisk disk{1};
    auto store = open(disk);
    REQUIRE(store->add_erased(entry(1)));
    REQUIRE(store->add_erased({.address = {5, 6}, .denies = {}, .counted = {}}));
    disk.crash();
    store = open(disk);
    REQUIRE(store->erased().size() == 2);
    CHECK(store->erased()[0].address == entry(1).address);
    CHECK(store->erased()[0].denies == entry(1).denies);
    CHECK(store->erased()[0].counted == entry(1).counted);
    CHECK(store->erased()[1].address == crypto::Hash128{5, 6});
    REQUIRE(store->add_erased(entry(3)));
    CHECK(open(disk)->erased().size() == 3);
}

TEST_CASE("key store: an interrupted erased entry is cut, a damaged or missing one is refused") {
    FaultyDisk disk{1};
    auto store = open(disk);
    REQUIRE(store->add_erased(entry(1)));
    REQUIRE(store->add_erased(entry(2)));
    const auto bytes = disk.bytes(erased_path);
    SECTION("interrupted") {
        disk.set_bytes(erased_path, bytes + bytes.substr(0, 50));
        CHECK(open(disk)->erased().size() == 2);
        CHECK(disk.bytes(erased_path) == bytes);
    }
    SECTION("an entry copied behind the last one does not count") {
        disk.set_bytes(erased_path, bytes + bytes.substr(0, bytes.size() / 2));
        CHECK(open(disk)->erased().size() == 2);
    }
    SECTION("damaged") {
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            auto changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ 1);
            disk.set_bytes(erased_path, changed);
            const auto opened = KeyStore::open(disk, "data", master);
            REQUIRE_FALSE(opened);
            CHECK(opened.error().kind == ErrorKind::corrupt);
            CHECK(disk.bytes(erased_path) == changed);
        }
    }
    SECTION("cut") {
        disk.set_bytes(erased_path, bytes.substr(0, bytes.size() - 1));
        CHECK_FALSE(KeyStore::open(disk, "data", master));
    }
    SECTION("missing files") {
        const auto path = GENERATE_REF(keys_path, erased_path);
        REQUIRE(disk.remove(path));
        CHECK_FALSE(KeyStore::open(disk, "data", master));
    }
}

TEST_CASE("key store: a crash at any step of making it is survived") {
    for (std::uint64_t n = 0;; ++n) {
        FaultyDisk disk{n};
        disk.fail_from(n);
        const auto made = KeyStore::open(disk, "data", master);
        if (!disk.failed()) {
            REQUIRE(made);
            break;
        }
        disk.crash();
        auto store = open(disk);
        (void)store->make(ContactIndex{1});
        REQUIRE(store->sync());
    }
}

TEST_CASE("master key: a given one is taken, another is made once and kept") {
    FaultyDisk disk{1};
    const auto given = load_master_key(disk, "data", crypto::base64(crypto::view(master)));
    REQUIRE(given);
    CHECK(*given == master);
    CHECK_FALSE(disk.exists("data/master.key"));
    CHECK(load_master_key(disk, "data", "c2hvcnQ=").error().kind == ErrorKind::invalid_input);
    CHECK(load_master_key(disk, "data", "no base64!").error().kind == ErrorKind::invalid_input);

    const auto made = load_master_key(disk, "data", "");
    REQUIRE(made);
    disk.crash();
    CHECK(*load_master_key(disk, "data", "  \n") == *made);
    CHECK(*load_master_key(disk, "data", crypto::base64(crypto::view(master)) + "\n") == master);
    disk.set_bytes("data/master.key", "garbage\n");
    CHECK(load_master_key(disk, "data", "").error().kind == ErrorKind::invalid_input);
}

TEST_CASE("master key: none is made where a log or keys exist already") {
    FaultyDisk disk{1};
    disk.set_bytes(GENERATE(std::string{"data/log/0000000001.log"}, std::string{"data/keys/contacts.keys"}), "x");
    const auto key = load_master_key(disk, "data", "");
    REQUIRE_FALSE(key);
    CHECK(key.error().kind == ErrorKind::corrupt);
    CHECK_FALSE(disk.exists("data/master.key"));
}

TEST_CASE("master key: a crash at any step of making it leaves a whole key or none") {
    for (std::uint64_t n = 0;; ++n) {
        FaultyDisk disk{n};
        disk.fail_from(n);
        const auto made = load_master_key(disk, "data", "");
        if (!disk.failed()) break;
        CHECK_FALSE(made);
        disk.crash();
        const auto again = load_master_key(disk, "data", "");
        REQUIRE(again);
        CHECK(*load_master_key(disk, "data", "") == *again);
    }
}

TEST_CASE("key store: one that is opened for reading finds the synced keys and changes nothing, also beside its writer") {
    FaultyDisk disk{1};
    CHECK(open_key_store_for_reading(disk, "data", master).error().kind == ErrorKind::not_found);
    CHECK(disk.paths().empty());
    auto store = open(disk);
    const auto one = store->make(ContactIndex{1});
    (void)store->make(ContactIndex{2});
    REQUIRE(store->sync());
    REQUIRE(store->destroy(ContactIndex{2}));
    REQUIRE(store->add_erased(entry(1)));
    // What a writer in the middle of its work leaves: half a slot, and half an entry.
    disk.set_bytes(keys_path, disk.bytes(keys_path) + std::string(20, 'x'));
    disk.set_bytes(erased_path, disk.bytes(erased_path) + std::string(3, 'x'));
    const auto before = disk.counters().changes;
    const auto keys_before = disk.bytes(keys_path);
    const auto reading = open_key_store_for_reading(disk, "data", master);
    REQUIRE(reading);
    REQUIRE((*reading)->find(ContactIndex{1}) != nullptr);
    CHECK(*(*reading)->find(ContactIndex{1}) == one);
    CHECK((*reading)->find(ContactIndex{2}) == nullptr);
    CHECK((*reading)->erased().size() == 1);
    CHECK(disk.counters().changes == before);
    CHECK(disk.bytes(keys_path) == keys_before);
    CHECK_FALSE(open_key_store_for_reading(disk, "data", crypto::Key{9}));
}
