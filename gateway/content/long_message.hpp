// Long messages on the wire: the concatenation header at the start of each part (3GPP TS 23.040 section 9.2.3.24), the reference numbers
// that tie parts together, and putting received parts together again. Used by every carrier protocol's adapter.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/content/sms_text.hpp"

namespace touchgate::content {

// Where a part belongs.
struct PartPlace {
    std::uint16_t reference = 0;
    std::uint8_t total = 1;
    std::uint8_t index = 1;  // from 1
    bool operator==(const PartPlace&) const = default;
};

// `05 00 03 rr tt ss` or `06 08 04 rr rr tt ss`; an 8-bit reference is the low byte.
[[nodiscard]] std::string concatenation_header(PartHeader header, const PartPlace& place);

struct UserData {
    std::optional<PartPlace> place = {};  // absent: not part of a long message
    bool wide = false;                    // the reference has 16 bits
    std::string_view text;                // what follows the header
};
// Takes the header off. Total: a header that is longer than the bytes, or a place that makes no sense, counts as no header.
[[nodiscard]] UserData read_user_data(std::string_view bytes);

// Reference numbers: rising per destination, from a start that `seed` chooses, so that two long messages to one phone do not share one
// before 256 more (65,536 with 16 bits) went to numbers of the same bucket.
class ReferenceNumbers {
public:
    explicit ReferenceNumbers(std::uint64_t seed);
    [[nodiscard]] std::uint16_t next(std::string_view destination);

private:
    std::array<std::uint16_t, 4096> next_{};
};

// Parts that wait for their siblings, over all connections of one account. Bounded in time and in memory.
class PartAssembly {
public:
    using Monotonic = std::chrono::nanoseconds;
    explicit PartAssembly(Monotonic keep_for = std::chrono::hours{24}) : keep_for_{keep_for} {}
    struct Key {
        std::string from;
        std::string to;
        PartPlace place;  // index is ignored
        bool wide = false;  // kind of reference: 16 bits
        [[nodiscard]] bool operator<(const Key& other) const {
            return std::tie(from, to, place.reference, place.total, wide) <
                   std::tie(other.from, other.to, other.place.reference, other.place.total, other.wide);
        }
    };
    struct Part {
        int coding = 0;       // data coding, whatever the protocol's numbers mean
        std::string bytes;    // without header
        std::string id = {};  // the provider's id of this part, where it has one
        bool operator==(const Part&) const = default;
    };
    struct Whole {
        Key key;
        std::map<std::uint8_t, Part> parts;  // by index; all of them unless incomplete
        bool incomplete = false;
    };

    static constexpr std::chrono::minutes remember_for{10};
    static constexpr std::size_t bytes_max = 16 * 1024 * 1024;

    enum class Added {
        waiting,    // siblings are missing
        complete,   // `whole` is what the parts make
        duplicate,  // this very part is there already, or its message was completed a short time ago
    };
    struct Result {
        Added added = Added::waiting;
        std::optional<Whole> whole = {};
        std::vector<Whole> given_up = {};  // incomplete: another message took its reference, or memory ran out
    };
    [[nodiscard]] Result add(Monotonic now, const Key& key, Part part);
    // Undoes a completion that could not be stored: these parts wait again, and the others may come again.
    void restore(Monotonic now, Whole whole);

    // Messages whose parts waited too long in vain.
    [[nodiscard]] std::vector<Whole> expire(Monotonic now);
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
    struct Waiting {
        std::map<std::uint8_t, Part> parts;
        Monotonic since{};
    };
    struct Completed {
        std::map<std::uint8_t, std::size_t> part_hashes;
        Monotonic at{};
    };
    Whole take(std::map<Key, Waiting>::iterator at, bool incomplete);
    std::map<Key, Waiting>::iterator begin_waiting(Monotonic now, const Key& key);
    // Forgets the entries at the front of order_ whose message is no longer waiting.
    void skip_stale();

    Monotonic keep_for_;
    std::map<Key, Waiting> waiting_;
    std::deque<std::pair<Monotonic, Key>> order_;  // oldest first; may name messages that are gone
    std::map<Key, Completed> completed_;
    std::size_t bytes_ = 0;
};

// The text of a message from its parts. Bytes of one coding are joined before decoding, for some senders cut through a surrogate or escape
// pair; "…" stands where parts never came.
[[nodiscard]] std::string join_parts(const PartAssembly::Whole& whole, const std::function<std::string(std::string_view bytes, int coding)>& decode);

}  // namespace touchgate::content
