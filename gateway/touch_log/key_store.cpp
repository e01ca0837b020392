// `keys/contacts.keys`, format 1 (little-endian): slots of 64 bytes, so that none crosses a disk sector; slot 0 is the header, slot n
// belongs to contact n.
//   header  0 magic "TOUCHKEY"  8 format u32  12 zero u32  16 known log sequence u64  24 entries of `keys/erased` u64
//           32 HMAC-SHA256 of bytes 0..31 [32]
//   slot    0 state u8 (0 never made, 1 live, 2 destroyed)  1 generation u24  4 the key, sealed [60]
// `keys/erased`: entries of length u32 and sealed bytes of that length. Sealed are: number of the entry from 1 u64, address (u64 high,
// u64 low), what it denies, what it counts.
//
// The keys that seal slots, entries and header are derived from the master key, one for each use. A slot's nonce is its contact and its
// generation, which rises whenever the slot is written anew; an entry's nonce is random.
#include "gateway/touch_log/key_store_reading.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>

#include "gateway/base/bytes.hpp"

namespace touchgate {

namespace {

constexpr std::string_view keys_magic = "TOUCHKEY";
constexpr std::uint32_t keys_format = 1;
constexpr std::size_t slot_bytes = 64;
constexpr std::size_t slot_sealed_offset = 4;
constexpr std::size_t header_fields_bytes = 32;
constexpr std::size_t load_step_slots = std::size_t{16} << 10U;
constexpr std::uint64_t reserve_step_bytes = std::uint64_t{1} << 20U;
constexpr std::uint32_t erased_entry_bytes_max = 16U << 20U;
static_assert(slot_sealed_offset + crypto::seal_overhead_bytes + sizeof(crypto::Key) == slot_bytes);

enum class SlotState : std::uint8_t { never_made = 0, live = 1, destroyed = 2 };

Error corrupt(std::string detail) { return {.kind = ErrorKind::corrupt, .detail = std::move(detail)}; }

Error wrong_key() { return corrupt("wrong master key or damaged key store"); }

crypto::Key derive(const crypto::Key& master, std::string_view use) { return crypto::hmac_sha256(crypto::view(master), use); }

// The keys in memory: blocks that never move, found without a lock from any thread.
class KeyTable {
public:
    struct Slot {
        crypto::Key key{};
        std::atomic<SlotState> state{SlotState::never_made};
        std::uint32_t generation = 0;
    };

    KeyTable() : blocks_{std::make_unique<std::atomic<Slot*>[]>(block_count)} {}
    ~KeyTable() {
        for (std::size_t i = 0; i < block_count; ++i) delete[] blocks_[i].load();
    }
    KeyTable(const KeyTable&) = delete;
    KeyTable& operator=(const KeyTable&) = delete;

    [[nodiscard]] Slot* find(std::uint32_t contact) const {
        auto* block = blocks_[contact / block_slots].load(std::memory_order_acquire);
        return block == nullptr ? nullptr : block + contact % block_slots;
    }
    Slot& make(std::uint32_t contact) {
        auto& place = blocks_[contact / block_slots];
        if (place.load(std::memory_order_relaxed) == nullptr) place.store(new Slot[block_slots], std::memory_order_release);
        return *find(contact);
    }

private:
    static constexpr std::size_t block_slots = std::size_t{1} << 14U;
    static constexpr std::size_t block_count = (std::size_t{1} << 32U) / block_slots;
    std::unique_ptr<std::atomic<Slot*>[]> blocks_;
};

class FileKeyStore final : public KeyStore {
public:
    FileKeyStore(Disk& disk, const std::string& data_dir, const crypto::Key& master)
        : disk_{disk},
          folder_{data_dir + "/keys"},
          wrapping_{derive(master, "touchgate contact keys")},
          sealing_{derive(master, "touchgate erased addresses")},
          signing_{derive(master, "touchgate key store header")} {}

    Result<void> load() {
        if (auto done = disk_.make_folder(folder_); !done) return done;
        for (const auto* name : {"/contacts.keys.new", "/erased.new"}) {
            if (!disk_.exists(folder_ + name)) continue;
            if (auto done = disk_.remove(folder_ + name); !done) return done;
        }
        if (!disk_.exists(folder_ + "/contacts.keys")) {
            if (disk_.exists(folder_ + "/erased")) {
                auto erased = disk_.open(folder_ + "/erased", Disk::Mode::read);
                if (!erased) return erased.error();
                if ((*erased)->size() > 0) return corrupt(folder_ + "/contacts.keys is missing");
            } else if (auto done = make_file("/erased", {}); !done) {
                return done;
            }
            if (auto done = make_file("/contacts.keys", encode_header()); !done) return done;
        }
        auto keys = disk_.open(folder_ + "/contacts.keys", Disk::Mode::write);
        if (!keys) return keys.error();
        keys_ = std::move(*keys);
        auto erased = disk_.open(folder_ + "/erased", Disk::Mode::write);
        if (!erased) return erased.error().kind == ErrorKind::not_found ? corrupt(folder_ + "/erased is missing") : erased.error();
        erased_file_ = std::move(*erased);
        if (auto done = load_header(); !done) return done;
        if (auto done = load_slots(); !done) return done;
        if (auto done = load_erased(); !done) return done;
        // What was read may be the unsynced rest of a killed process: it must not vanish later.
        if (auto done = keys_->sync(); !done) return done;
        if (auto done = erased_file_->sync(); !done) return done;
        return disk_.sync_folder(folder_);
    }

    // Another process may be writing: what is half written is read again.
    Result<void> load_for_reading() {
        reading_ = true;
        auto keys = disk_.open(folder_ + "/contacts.keys", Disk::Mode::read);
        if (!keys) return keys.error();
        keys_ = std::move(*keys);
        auto erased = disk_.open(folder_ + "/erased", Disk::Mode::read);
        if (!erased) return erased.error();
        erased_file_ = std::move(*erased);
        auto header = load_header();
        for (int again = 0; !header && again < reading_tries; ++again) header = load_header();
        if (!header) return header;
        if (auto done = load_slots(); !done) return done;
        return load_erased();
    }

    const crypto::Key& make(ContactIndex contact) override {
        auto& slot = table_.make(contact.value);
        slot.key = crypto::random_key();
        ++slot.generation;
        slot.state.store(SlotState::live, std::memory_order_release);
        unsynced_.push_back(contact.value);
        highest_ = std::max<std::uint64_t>(highest_, contact.value);
        return slot.key;
    }

    const crypto::Key* find(ContactIndex contact) const override {
        const auto* slot = table_.find(contact.value);
        return slot != nullptr && slot->state.load(std::memory_order_acquire) == SlotState::live ? &slot->key : nullptr;
    }

    Result<void> reserve(std::size_t more_keys) override {
        const auto upto = (highest_ + 1 + more_keys) * slot_bytes;
        if (upto <= reserved_) return {};
        const auto generous = (upto + reserve_step_bytes - 1) / reserve_step_bytes * reserve_step_bytes;
        if (auto done = keys_->reserve(generous); done) {
            reserved_ = generous;
            return done;
        } else if (done.error().kind != ErrorKind::unavailable) {
            return done;
        }
        auto done = keys_->reserve(upto);
        if (done) reserved_ = upto;
        return done;
    }

    Result<void> sync() override {
        if (unsynced_.empty()) return {};
        std::sort(unsynced_.begin(), unsynced_.end());
        unsynced_.erase(std::unique(unsynced_.begin(), unsynced_.end()), unsynced_.end());
        for (std::size_t begin = 0; begin < unsynced_.size();) {
            std::size_t end = begin;
            buffer_.clear();
            for (; end < unsynced_.size() && unsynced_[end] - unsynced_[begin] == end - begin; ++end) append_slot(unsynced_[end]);
            if (auto done = keys_->write(std::uint64_t{unsynced_[begin]} * slot_bytes, buffer_); !done) return done;
            begin = end;
        }
        if (auto done = write_header(); !done) return done;
        unsynced_.clear();
        return {};
    }

    Result<void> destroy(ContactIndex contact) override {
        auto* slot = table_.find(contact.value);
        if (slot == nullptr || slot->state.load() == SlotState::never_made) return {};
        slot->state.store(SlotState::destroyed, std::memory_order_release);
        slot->key.fill(0);
        std::erase(unsynced_, contact.value);
        buffer_.clear();
        append_slot(contact.value);
        if (auto done = keys_->write(std::uint64_t{contact.value} * slot_bytes, buffer_); !done) return done;
        return keys_->sync();
    }

    void note_sequence(std::uint64_t sequence) override { noted_sequence_ = std::max(noted_sequence_, sequence); }
    std::uint64_t known_sequence() const override { return known_sequence_; }

    Result<void> add_erased(const Erased& erased) override {
        ByteWriter plain;
        plain.u64(erased_.size() + 1);
        plain.u64(erased.address.high);
        plain.u64(erased.address.low);
        plain.varint(erased.denies.size());
        for (const auto& [channel, purpose] : erased.denies) {
            plain.text(channel);
            plain.text(purpose);
        }
        plain.varint(erased.counted.size());
        for (const auto& [time, profile] : erased.counted) {
            plain.i64(unix_ms(time));
            plain.text(profile);
        }
        std::uint64_t nonce_high = 0;
        std::uint32_t nonce_low = 0;
        crypto::random_bytes(&nonce_high, sizeof nonce_high);
        crypto::random_bytes(&nonce_low, sizeof nonce_low);
        ByteWriter entry;
        entry.u32(static_cast<std::uint32_t>(plain.size() + crypto::seal_overhead_bytes));
        crypto::seal(entry.bytes(), sealing_, nonce_high, nonce_low, plain.bytes());
        if (auto done = erased_file_->write(erased_end_, entry.bytes()); !done) return done;
        if (auto done = erased_file_->sync(); !done) return done;
        erased_end_ += entry.size();
        erased_.push_back(erased);
        // From here on a missing entry is damage, not an interrupted write.
        return write_header();
    }

    const std::vector<Erased>& erased() const override { return erased_; }

private:
    Result<void> make_file(const std::string& name, std::string_view bytes) {
        const auto path = folder_ + name;
        auto file = disk_.open(path + ".new", Disk::Mode::create);
        if (!file) return file.error();
        if (auto done = (*file)->write(0, bytes); !done) return done;
        if (auto done = (*file)->sync(); !done) return done;
        return disk_.rename(path + ".new", path);
    }

    [[nodiscard]] std::string encode_header() const {
        ByteWriter out;
        out.raw(keys_magic);
        out.u32(keys_format);
        out.u32(0);
        out.u64(noted_sequence_);
        out.u64(erased_.size());
        const auto mac = crypto::hmac_sha256(crypto::view(signing_), out.bytes());
        out.raw(crypto::view(mac));
        return std::move(out.bytes());
    }

    // Also makes durable what was written to slots before.
    Result<void> write_header() {
        const auto sequence = noted_sequence_;
        if (auto done = keys_->write(0, encode_header()); !done) return done;
        if (auto done = keys_->sync(); !done) return done;
        known_sequence_ = sequence;
        return {};
    }

    Result<void> load_header() {
        if (keys_->size() < slot_bytes) return wrong_key();
        const auto bytes = keys_->read(0, slot_bytes);
        if (!bytes) return bytes.error();
        const auto fields = std::string_view{*bytes}.substr(0, header_fields_bytes);
        ByteReader in{fields};
        if (in.raw(keys_magic.size()) != keys_magic) return wrong_key();
        const auto format = in.u32();
        if (format != keys_format)
            return Error{.kind = ErrorKind::unsupported, .detail = "the key store has format " + std::to_string(format) + ", which this program does not know"};
        in.u32();
        known_sequence_ = in.u64();
        noted_sequence_ = known_sequence_;
        erased_known_ = in.u64();
        const auto mac = crypto::hmac_sha256(crypto::view(signing_), fields);
        if (!crypto::constant_time_equal(crypto::view(mac), std::string_view{*bytes}.substr(header_fields_bytes))) return wrong_key();
        return {};
    }

    Result<void> load_slots() {
        const auto slots = keys_->size() / slot_bytes;
        // A last slot that a crash cut was never synced. It goes, lest its remains come to light when the file grows over it.
        if (!reading_ && keys_->size() > slots * slot_bytes) {
            if (auto done = keys_->truncate(slots * slot_bytes); !done) return done;
        }
        reserved_ = keys_->size();
        for (std::uint64_t first = 1; first < slots; first += load_step_slots) {
            const auto count = std::min<std::uint64_t>(load_step_slots, slots - first);
            const auto bytes = keys_->read(first * slot_bytes, static_cast<std::size_t>(count * slot_bytes));
            if (!bytes) return bytes.error();
            for (std::size_t i = 0; i * slot_bytes < bytes->size(); ++i) {
                const auto contact = static_cast<std::uint32_t>(first + i);
                auto done = load_slot(contact, std::string_view{*bytes}.substr(i * slot_bytes, slot_bytes));
                for (int again = 0; !done && reading_ && again < reading_tries; ++again) {
                    const auto slot = keys_->read(std::uint64_t{contact} * slot_bytes, slot_bytes);
                    if (!slot) return slot.error();
                    done = load_slot(contact, *slot);
                }
                if (!done) return done;
            }
        }
        return {};
    }

    Result<void> load_slot(std::uint32_t contact, std::string_view bytes) {
        std::uint32_t head = 0;
        std::memcpy(&head, bytes.data(), sizeof head);
        if (head == 0 && bytes.find_first_not_of('\0') == std::string_view::npos) return {};
        const auto state = static_cast<SlotState>(head & 0xFFU);
        if (state != SlotState::live && state != SlotState::destroyed) return wrong_key();
        auto& slot = table_.make(contact);
        slot.generation = head >> 8U;
        if (state == SlotState::live) {
            // The nonce ties the sealed key to this slot and generation: a key copied from elsewhere does not pass.
            char nonce[12];
            const std::uint64_t high = contact;
            std::memcpy(nonce, &high, 8);
            std::memcpy(nonce + 8, &slot.generation, 4);
            const auto sealed = bytes.substr(slot_sealed_offset);
            const auto key = crypto::unseal(wrapping_, sealed);
            if (!key || key->size() != slot.key.size() || sealed.substr(0, sizeof nonce) != std::string_view{nonce, sizeof nonce}) return wrong_key();
            std::memcpy(slot.key.data(), key->data(), key->size());
        }
        slot.state.store(state, std::memory_order_release);
        highest_ = std::max<std::uint64_t>(highest_, contact);
        return {};
    }

    void append_slot(std::uint32_t contact) {
        const auto& slot = *table_.find(contact);
        const auto state = slot.state.load();
        const std::uint32_t head = static_cast<std::uint32_t>(state) | slot.generation << 8U;
        buffer_.append(reinterpret_cast<const char*>(&head), sizeof head);
        if (state == SlotState::live) crypto::seal(buffer_, wrapping_, contact, slot.generation, crypto::view(slot.key));
        else buffer_.append(slot_bytes - slot_sealed_offset, '\0');
    }

    Result<void> load_erased() {
        const auto size = erased_file_->size();
        while (erased_end_ < size) {
            auto entry = load_entry(size);
            if (!entry) {
                if (entry.error().kind != ErrorKind::corrupt) return entry.error();
                break;
            }
            erased_.push_back(std::move(*entry));
        }
        if (erased_.size() < erased_known_) return corrupt(folder_ + "/erased is damaged or was cut: entry " + std::to_string(erased_.size() + 1) + " is unreadable");
        if (!reading_ && erased_end_ < size) {
            // Entries are synced one by one, so this is the remains of the last one.
            if (auto done = erased_file_->truncate(erased_end_); !done) return done;
        }
        return {};
    }

    // Kind corrupt: no whole entry here. Moves on behind a good one.
    Result<Erased> load_entry(std::uint64_t size) {
        const auto bad = corrupt("no entry");
        if (size - erased_end_ < 4) return bad;
        const auto head = erased_file_->read(erased_end_, 4);
        if (!head) return head.error();
        const auto length = ByteReader{*head}.u32();
        if (length > erased_entry_bytes_max || length > size - erased_end_ - 4) return bad;
        const auto sealed = erased_file_->read(erased_end_ + 4, length);
        if (!sealed) return sealed.error();
        const auto plain = crypto::unseal(sealing_, *sealed);
        if (!plain) return bad;
        ByteReader in{*plain};
        Erased entry;
        if (in.u64() != erased_.size() + 1) return bad;
        entry.address.high = in.u64();
        entry.address.low = in.u64();
        for (auto left = in.varint(); left > 0 && !in.failed(); --left) {
            const std::string channel{in.text()};
            entry.denies.emplace_back(channel, std::string{in.text()});
        }
        for (auto left = in.varint(); left > 0 && !in.failed(); --left) {
            const auto time = from_unix_ms(in.i64());
            entry.counted.emplace_back(time, std::string{in.text()});
        }
        if (!in.at_end()) return bad;
        erased_end_ += 4 + std::uint64_t{length};
        return entry;
    }

    static constexpr int reading_tries = 100;

    Disk& disk_;
    std::string folder_;
    bool reading_ = false;
    crypto::Key wrapping_;
    crypto::Key sealing_;
    crypto::Key signing_;

    std::unique_ptr<DiskFile> keys_;
    KeyTable table_;
    std::uint64_t highest_ = 0;
    std::uint64_t reserved_ = 0;
    std::vector<std::uint32_t> unsynced_;
    std::string buffer_;
    std::uint64_t noted_sequence_ = 0;
    std::uint64_t known_sequence_ = 0;

    std::unique_ptr<DiskFile> erased_file_;
    std::uint64_t erased_end_ = 0;
    std::uint64_t erased_known_ = 0;
    std::vector<Erased> erased_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> KeyStore::open(Disk& disk, const std::string& data_dir, const crypto::Key& master_key) {
    auto store = std::make_unique<FileKeyStore>(disk, data_dir, master_key);
    if (auto done = store->load(); !done) return done.error();
    return std::unique_ptr<KeyStore>{std::move(store)};
}

Result<std::unique_ptr<KeyStore>> open_key_store_for_reading(Disk& disk, const std::string& data_dir, const crypto::Key& master_key) {
    auto store = std::make_unique<FileKeyStore>(disk, data_dir, master_key);
    if (auto done = store->load_for_reading(); !done) return done.error();
    return std::unique_ptr<KeyStore>{std::move(store)};
}

}  // namespace touchgate
