// Contact keys, wrapped by the master key: the one store besides the log. `DATA_DIR/keys/contacts.keys` holds fixed slots of one contact
// each; `DATA_DIR/keys/erased` the keyed hashes of erased addresses with what they still deny and count.
// The engine's thread writes; `open` (unsealing) may run on any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/result.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/touch_log/disk.hpp"

namespace touchgate {

class KeyStore {
public:
    virtual ~KeyStore() = default;
    // Loads all keys into memory. A slot that does not unwrap under `master_key` is an error (kind corrupt, "wrong master key or damaged key store").
    static Result<std::unique_ptr<KeyStore>> open(Disk& disk, const std::string& data_dir, const crypto::Key& master_key);

    // A new random key for `contact`, kept in memory until `sync`. Contacts are numbered without gaps from 1.
    virtual const crypto::Key& make(ContactIndex contact) = 0;
    // Null when there is none (erased, or never made).
    [[nodiscard]] virtual const crypto::Key* find(ContactIndex contact) const = 0;
    // Room for the slots made since the last sync; kind unavailable: disk full (nothing changed).
    virtual Result<void> reserve(std::size_t more_keys) = 0;
    // Writes and syncs new slots; nothing new: nothing done. Must return before the log batch that uses them is committed.
    virtual Result<void> sync() = 0;
    // Overwrites the slot, syncs, forgets. From then on the contact's sealed bytes are unreadable.
    virtual Result<void> destroy(ContactIndex contact) = 0;
    // Highest log sequence that a sync has seen: the log must not end before it.
    virtual void note_sequence(std::uint64_t sequence) = 0;
    [[nodiscard]] virtual std::uint64_t known_sequence() const = 0;

    // An address of an erased contact: what it still denies, and the attempts that still count (times, oldest first).
    struct Erased {
        crypto::Hash128 address;
        std::vector<std::pair<std::string, std::string>> denies;  // channel, purpose; "*" for all
        std::vector<std::pair<Instant, std::string>> counted;     // permit time; purpose/channel as "purpose\nchannel"
    };
    virtual Result<void> add_erased(const Erased& erased) = 0;    // written and synced
    [[nodiscard]] virtual const std::vector<Erased>& erased() const = 0;
};

// The master key: base64 of 32 bytes given, else DATA_DIR/master.key, made (mode 0600) if the data folder is new.
// Kind invalid_input: not 32 bytes; kind corrupt: the folder holds a log but no master key.
Result<crypto::Key> load_master_key(Disk& disk, const std::string& data_dir, std::string_view given_base64);

}  // namespace touchgate
