// What a decision is made from: compact views of a touch, its contact, its address and what was sent before. The engine keeps these in
// memory; the policy only reads them. Nothing here owns what it points to; a view must outlive the call it is passed to.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/symbols.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::policy {

// The names under which an attempt is selected and counted. Interned as one ProfileId by ProfileTable.
struct Profile {
    Symbol purpose, channel, account, campaign, unit, template_name;
    auto operator<=>(const Profile&) const = default;
    template <class H> friend H AbslHashValue(H h, const Profile& p) {
        return H::combine(std::move(h), p.purpose, p.channel, p.account, p.campaign, p.unit, p.template_name);
    }
};

// A value that attempts may be counted by and that is no name of a profile. The value itself is not kept, only a hash of it: who keeps
// the facts chooses the hash, and equal values must be equal hashes. 0: the attempt has no such value; those without one count together.
struct Label {
    Symbol key;  // as rules write it: "region", "caller_id", "list", "metadata:debt", "attribute:household"
    std::uint64_t value = 0;
    auto operator<=>(const Label&) const = default;
};

// What an attempt counts by beside its profile. Interned as one FactsId by FactsTable. Only the labels that a policy reads are kept.
struct AttemptFacts {
    std::int64_t cost_micros = 0;       // millionths of `currency`
    Symbol currency = {};
    std::vector<Label> labels = {};     // sorted by key, no key twice
    auto operator<=>(const AttemptFacts&) const = default;
    [[nodiscard]] std::uint64_t label(Symbol key) const {
        for (const auto& one : labels)
            if (one.key == key) return one.value;
        return 0;
    }
};
using FactsId = Number<struct FactsTag>;  // 0: no cost, no labels

// Facts by number, from 0, the empty ones. One writer; the engine's thread only.
class FactsTable {
public:
    FactsTable() : rows_(1) {}
    // The number of `facts`; `made` says whether it is new (the engine then logs attempt_facts.defined).
    FactsId intern(const AttemptFacts& facts, bool& made);
    // An unknown number is read as the empty facts.
    [[nodiscard]] const AttemptFacts& at(FactsId id) const { return rows_[id.value < rows_.size() ? id.value : 0]; }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }

private:
    std::deque<AttemptFacts> rows_;
    std::map<AttemptFacts, std::uint32_t> numbers_;
};

// Profiles by number, and the facts of attempts beside them. Number 0 is the empty profile. One writer; the engine's thread only.
class ProfileTable {
public:
    [[nodiscard]] FactsTable& facts() { return facts_; }
    [[nodiscard]] const FactsTable& facts() const { return facts_; }

    ProfileTable() : profiles_(1) {}
    // The number of `profile`; `made` says whether it is new (the engine then logs profile.defined).
    ProfileId intern(const Profile& profile, bool& made);
    [[nodiscard]] const Profile& at(ProfileId id) const { return profiles_[id.value]; }
    [[nodiscard]] std::size_t size() const { return profiles_.size(); }

private:
    std::vector<Profile> profiles_;
    std::map<Profile, std::uint32_t> numbers_;
    FactsTable facts_;
};

// How one attempt (one slot) counts.
enum class Slot : std::uint8_t {
    reserved = 1,  // allowed and not yet permitted, or a human-executed task that waits: counts at every instant
    counted,       // counts at `at`
    failed,        // counted until a receipt said definite failure: released unless a rule has release_on_failed_receipt false
    released,      // does not count
};

enum class Origin : std::uint8_t { api = 1, campaign, journey, agent, reply, bot, promise, welcome };

struct HistoryEntry {
    Instant at{};               // the permit's logged time; for `reserved` the decision's
    std::uint64_t touch = 0;    // sequence of the touch's touch.created; names the touch in a trace
    ProfileId profile{};
    std::uint32_t address = 0;  // number of the address used, 0 unknown
    Slot slot = Slot::released;
    std::uint8_t outcome = 0;   // calls: number of the outcome word; 0 for messages
    std::uint16_t attempt = 0;  // number of the attempt within its touch, from 1
    FactsId facts{};            // its cost and labels
};
static_assert(sizeof(HistoryEntry) == 32);

// One consent record. Channel or purpose 0 is "*"; unit 0 binds all units.
struct Consent {
    Symbol channel, purpose, unit;
    bool granted = false;
    bool ended = false;  // a withdrawal that a later, valid grant has ended (the engine decides that when the grant arrives)
    Instant at{};
};

// The address stands on a suppression list.
struct ListEntry {
    Symbol list;
    Instant expires_at = instant_never;
    std::vector<Symbol> channels = {};  // empty: all
    std::vector<Symbol> purposes = {};  // empty: all
};

// Something that the contact did or that happened to him, beside the attempts: what gaps after events, fatigue and session windows look at.
struct Act {
    Instant at{};
    Symbol event;    // its type in the event feed: "message.received", "event.received", "conversion.recorded", "disposition"
    Symbol kind;     // which of that type: "text", "complaint", "refund", the code of a disposition
    Symbol channel;  // 0: on no channel
};

using AttributeValue = std::variant<bool, double, std::string>;

// Where a contact's leads may stand, for `lead_stages` of a condition.
inline constexpr std::array<std::string_view, 9> lead_stage_words = {"new", "assigned", "accepted", "contacted", "qualified", "disqualified", "won", "lost", "recycled"};

struct ContactView {
    std::string_view time_zone = {};            // IANA name, empty when unknown
    std::span<const Consent> consents = {};
    std::span<const Symbol> tags = {};
    const std::map<std::string, AttributeValue, std::less<>>* attributes = nullptr;
    bool restricted = false;
    Instant last_inbound = Instant::min();      // on the touch's channel
    Instant last_complaint = Instant::min();
    Instant last_conversation_end = Instant::min();
    Instant last_reply = Instant::min();
    bool open_ticket = false;
    std::span<const HistoryEntry> history = {}; // all attempts of the contact, oldest first
    std::span<const Act> acts = {};             // oldest first
    std::uint32_t lead_stages = 0;              // of his leads: a bit for each of lead_stage_words
};

struct AddressView {
    std::uint32_t number = 0;                   // as in HistoryEntry::address; 0: no address known
    bool gone = false;                          // the touch was made for an address that no longer belongs to the contact
    std::span<const ListEntry> lists = {};
    bool erased_denies = false;                 // the address is on the built-in list `erased` for this purpose
    bool review_pending = false;                // a near miss of an opt-out waits for a person on this channel
    std::string_view region = {};               // ISO country, "CN"
    std::string_view carrier = {};
    std::span<const std::string> zones = {};    // all IANA zones of the number's country or area
};

// The text, as it will leave. Absent when the content is a provider's template without filed wording.
struct ContentView {
    std::string_view text = {};
    bool has_text = false;
    std::string_view sign_name = {};            // counts as signature when the provider adds it
    int segments = 1;
};

struct Request {
    ProfileId profile{};
    Profile names{};
    Origin origin = Origin::api;
    std::uint64_t touch = 0;                    // own entries never count against the touch; 0 for a touch that does not exist yet
    Instant not_before = Instant::min();
    Instant expires_at = instant_never;
    ContentView content = {};
    bool held_out = false;                      // by its campaign
    bool template_not_filed = false;
    std::string_view contact_key = {};          // the contact's id, for holdout rules' stable hash
    const std::map<std::string, std::string, std::less<>>* metadata = nullptr;
    const AttemptFacts* facts = nullptr;        // the cost and labels that its slot would have; null: none
    FactsId facts_id{};                         // their number; comes back in the decision
    bool predictive = false;                    // a dial that no agent is held free for
    // A post to a group: the attempts that each known member was exposed to, oldest first.
    std::span<const std::span<const HistoryEntry>> members = {};
};

// Where slots of others are found that share a counter with this touch without sharing its contact (by address, campaign, account …).
// `by_set` is one of CompiledPolicy::shared_counters(); the key is made by CompiledPolicy::counter_key. Entries oldest first.
class SharedHistory {
public:
    virtual ~SharedHistory() = default;
    [[nodiscard]] virtual std::span<const HistoryEntry> entries(std::size_t by_set, std::uint64_t key) const = 0;
};

}  // namespace touchgate::policy
