#include <rapidcheck.h>

#include <map>

#include "gateway/touch_log/key_store.hpp"
#include "tests/catch.hpp"
#include "tests/simulation/faulty_disk.hpp"

using namespace touchgate;
using simulation::FaultyDisk;

TEST_CASE("key store: a synced key survives every crash, a destroyed one never comes back, erased entries stay") {
    const auto master = crypto::random_key();
    CHECK(rc::check("keys", [&](std::uint64_t seed) {
        Random random{seed};
        FaultyDisk disk{seed ^ 0x9E3779B97F4A7C15ULL};
        std::map<std::uint32_t, crypto::Key> synced;
        std::map<std::uint32_t, bool> in_doubt;   // being destroyed when the disk failed
        std::set<std::uint32_t> destroyed;
        std::uint32_t next = 1;
        std::uint64_t erased = 0;
        bool erasing = false;
        std::uint64_t known = 0;
        for (int life = 0; life < 8; ++life) {
            if (random.chance(0.2)) disk.fail_from(random.below(12));
            auto opened = KeyStore::open(disk, "data", master);
            if (!opened) {
                if (!disk.failed()) RC_FAIL(opened.error().detail);
                disk.crash();
                continue;
            }
            auto& store = **opened;
            for (const auto& [contact, key] : synced) {
                const auto* found = store.find(ContactIndex{contact});
                if (in_doubt.contains(contact) && found == nullptr) continue;
                RC_ASSERT(found != nullptr);
                RC_ASSERT(*found == key);
            }
            for (const auto contact : destroyed) RC_ASSERT(store.find(ContactIndex{contact}) == nullptr);
            RC_ASSERT(store.erased().size() == erased || (erasing && store.erased().size() == erased + 1));
            erased = store.erased().size();
            erasing = false;
            RC_ASSERT(store.known_sequence() >= known);
            for (const auto& [contact, unused] : in_doubt) {
                if (store.find(ContactIndex{contact}) == nullptr) {
                    synced.erase(contact);
                    destroyed.insert(contact);
                }
            }
            in_doubt.clear();

            if (random.chance(0.7)) disk.fail_from(random.below(40));
            for (int step = 0; step < 15 && !disk.failed(); ++step) {
                const auto choice = random.below(10);
                if (choice < 6) {
                    const auto count = random.below(12) + 1;
                    if (!store.reserve(static_cast<std::size_t>(count))) break;
                    std::map<std::uint32_t, crypto::Key> made;
                    for (std::uint64_t i = 0; i < count; ++i) made[next + static_cast<std::uint32_t>(i)] = store.make(ContactIndex{next + static_cast<std::uint32_t>(i)});
                    store.note_sequence(known + 5);
                    if (!store.sync()) break;
                    known += 5;
                    // A contact whose key was never synced gets a new one after the crash: its number is used again.
                    synced.insert(made.begin(), made.end());
                    next += static_cast<std::uint32_t>(count);
                } else if (choice < 8 && !synced.empty()) {
                    auto at = synced.begin();
                    std::advance(at, static_cast<std::ptrdiff_t>(random.below(synced.size())));
                    const auto contact = at->first;
                    if (!store.destroy(ContactIndex{contact})) {
                        in_doubt[contact] = true;
                        break;
                    }
                    synced.erase(contact);
                    destroyed.insert(contact);
                    RC_ASSERT(store.find(ContactIndex{contact}) == nullptr);
                } else {
                    KeyStore::Erased entry{.address = {seed, erased}, .denies = {{"sms", "marketing"}}, .counted = {{from_unix_ms(7), std::string(static_cast<std::size_t>(random.below(2000)), 'c')}}};
                    erasing = true;
                    if (!store.add_erased(entry)) break;
                    erasing = false;
                    ++erased;
                }
            }
            opened->reset();
            if (random.chance(0.8)) disk.crash();
            else disk.kill();
        }
    }));
}
