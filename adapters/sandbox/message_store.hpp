// Every message that the simulated channels took: what a test compares with what the gateway says it sent.
//
// A message is one or more parts (SMPP submits; a cloud's message is one part). Parts are kept as received, in chunks of flat bytes,
// about 60 bytes plus the raw bytes each; texts are decoded only when somebody reads them. When more than `parts_max` are held, the
// oldest chunk goes. Refused submissions are not here: only what the channel accepted, answered or not. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sandbox/alphabet.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::sandbox {

enum class Via : std::uint8_t { smsc, aliyun, tencent, wecom, official_account };
[[nodiscard]] std::string_view name_of(Via via);

enum class PartState : std::uint8_t { accepted, delivered, failed };
[[nodiscard]] std::string_view name_of(PartState state);

using PartNumber = std::uint64_t;
inline constexpr PartNumber no_part = std::numeric_limits<PartNumber>::max();

// A piece of the raw bytes.
struct Slice {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
};

struct NewPart {
    std::string_view raw;
    Slice to;
    Slice from;
    Slice payload;  // without a user-data header
    Coding coding = Coding::gsm;
    Instant at;
    std::uint16_t user = 0;  // from intern_user
    Via via = Via::smsc;
    std::uint8_t kind = 0;   // from intern_kind: what sort of message it is, where a provider has several
};

// A part as stored. Views are valid until the next add_part or clear.
struct PartView {
    std::string_view raw;
    std::string_view to;
    std::string_view from;
    std::string_view payload;
    Coding coding;
    Instant at;
    std::uint16_t user;
    Via via;
    PartState state;
    std::uint8_t stat;  // from intern_stat; 0: no receipt yet
    bool answered;
    Slice to_slice;
    Slice from_slice;
};

struct StoredMessage {
    std::uint64_t n = 0;
    Instant at = {};  // of its first part
    std::string account_user = {};
    std::string to = {};
    std::string from = {};
    std::string text = {};
    std::size_t parts = 0;                  // as received; of a cloud's message: as billed
    PartState state = PartState::accepted;  // failed when one part is, delivered when all are
    std::string stat = {};                  // the status word of the last part's receipt, "" without one
    bool answered = false;                  // the answer to every part was handed over for writing
    Via via = Via::smsc;
    std::string kind = {};                  // "" where a provider has one sort of message only
    std::vector<std::string> raw = {};  // one per part, only when asked for
};

struct DuplicateContent {
    std::uint64_t count = 0;
    std::vector<std::uint64_t> numbers = {};  // the first 100
    std::string to;
    std::string text;
};

class MessageStore {
public:
    explicit MessageStore(std::uint64_t parts_max = 6'000'000);

    std::uint16_t intern_user(std::string_view name);   // at most 65,535 names; then all further ones share the last
    std::uint8_t intern_stat(std::string_view word);    // at most 255 words, likewise
    std::uint8_t intern_kind(std::string_view word);    // likewise
    [[nodiscard]] const std::string& user(std::uint16_t number) const { return users_[number]; }
    [[nodiscard]] const std::string& stat(std::uint8_t number) const { return stats_[number]; }

    PartNumber add_part(const NewPart& part);
    // Parts in reading order, at least one; gives the message its number n (1, 2, 3 … without gaps).
    std::uint64_t add_message(std::span<const PartNumber> parts);
    void set_answered(PartNumber part);
    void set_state(PartNumber part, PartState state, std::uint8_t stat);

    // Nothing when the part is not (or no longer) here.
    [[nodiscard]] std::optional<PartView> part(PartNumber number) const;
    [[nodiscard]] std::optional<StoredMessage> message(std::uint64_t n, bool with_raw = false) const;
    // Calls `visit` with the messages after number `after`, oldest first, until it returns false.
    void read(std::uint64_t after, bool with_raw, const std::function<bool(const StoredMessage&)>& visit) const;

    // Contents (destination, alphabet, text bytes) that were accepted more than once, most frequent first. Exact.
    [[nodiscard]] std::vector<DuplicateContent> duplicates(std::size_t limit) const;
    [[nodiscard]] std::uint64_t distinct() const;

    [[nodiscard]] std::uint64_t message_count() const { return messages_.size(); }
    [[nodiscard]] std::uint64_t last_number() const { return dropped_messages_ + messages_.size(); }
    [[nodiscard]] PartNumber next_part() const { return next_part_; }
    [[nodiscard]] std::uint64_t bytes_held() const;
    // Forgets all messages; numbers go on rising.
    void clear();

private:
    struct Part {
        std::uint64_t content_hash;  // of the whole message in its first part
        PartNumber next;             // the message's next part, or no_part
        Instant at;
        std::uint32_t offset;  // of the raw bytes in the chunk
        std::uint32_t raw_size;
        Slice payload;
        std::uint16_t to_at, from_at;
        std::uint8_t to_size, from_size;
        std::uint16_t user;
        Coding coding;
        Via via;
        PartState state;
        std::uint8_t stat;
        std::uint8_t kind;
        bool answered;
    };
    struct Chunk {
        std::vector<Part> parts;
        std::string bytes;
    };
    static constexpr std::uint64_t chunk_parts = 16'384;

    [[nodiscard]] const Chunk* chunk_of(PartNumber number) const;
    [[nodiscard]] const Part* find(PartNumber number) const;
    [[nodiscard]] Part* find(PartNumber number);
    [[nodiscard]] StoredMessage assemble(std::uint64_t n, PartNumber first, bool with_raw) const;
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted_hashes() const;

    std::uint64_t parts_max_;
    std::deque<std::unique_ptr<Chunk>> chunks_;
    std::uint64_t first_chunk_ = 0;  // number of chunks_.front()
    PartNumber next_part_ = 0;
    std::deque<PartNumber> messages_;  // the first part of each
    std::uint64_t dropped_messages_ = 0;
    std::vector<std::string> users_;
    std::vector<std::string> stats_;
    std::vector<std::string> kinds_;
};

}  // namespace touchgate::sandbox
