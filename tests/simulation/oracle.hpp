// What must be true, judged from outside: what the message centre received, what callers were told after the sync, and the records of the
// log, read one by one. It knows the format of the records but shares no decision, counter or state with the engine.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "adapters/sandbox/message_store.hpp"
#include "gateway/engine/events.hpp"
#include "gateway/touch_log/log.hpp"
#include "tests/simulation/desk_oracle.hpp"
#include "tests/simulation/sim_transport.hpp"

namespace touchgate::simulation {

// A policy of the simulation: opt-outs, the suppression list, and one cap on marketing.
struct Cap {
    int max = 1;
    Duration per{};
    bool operator==(const Cap&) const = default;
};
[[nodiscard]] std::string policy_document(const Cap& cap);

// A customer, as the simulation's callers know them.
struct Customer {
    std::string phone;                   // E.164
    // No marketing since this tick; 0: allowed as far as is known.
    std::uint64_t marketing_forbidden = 0;
    std::uint64_t all_forbidden = 0;     // on the suppression list
    int grants_open = 0, removals_open = 0;
    std::uint64_t last_grant = 0, last_removal = 0;
    std::uint32_t contact = 0;           // number in the log, once a campaign has told it
};

// One touch that callers asked for; every text begins with its token, so a message on a phone names its touch.
struct Asked {
    std::string token;
    std::string key;                     // idempotency key, may be empty
    std::size_t customer = 0;
    std::string purpose;
    bool at_least_once = false;
    std::optional<Duration> fallback_after;
    std::vector<std::string> channels = {};           // accounts, one a step; empty: the policy's default
    std::vector<dispatch::StepTerms> steps = {};      // of `channels`
    bool fallback_on_unknown = false;
    bool may_repeat = false;             // the phone may get it twice: a repeat, or a further step beside an earlier one, was asked for
    std::string text;
    std::string campaign = {};           // a line of this campaign's audience, not a touch of its own
    std::optional<TouchId> answered = {};     // accepted under this id
    std::uint64_t cancelled = 0;         // told so at this tick
    int left = 0;                        // first bytes that were given away
    std::vector<std::uint64_t> received; // numbers of the messages at the message centre
};

class Oracle final : public NetworkObserver {
public:
    // Rate of the account number 0 in messages a second (its burst is one; 0: no limit), and how long a permit may be used.
    struct Limits { double rate_per_second = 0; Duration permit_time{}; };
    Oracle(sandbox::MessageStore& store, const Limits& limits) : store_{store}, limits_{limits} {}

    // The rule that broke first, and how. Empty: all is well.
    [[nodiscard]] const std::string& broken() const { return broken_; }
    void fail(const std::string& rule, const std::string& how) {
        if (broken_.empty()) broken_ = rule + ": " + how;
    }

    // The log as it is now durable; read at every check. Null while the gateway is down.
    void watch(const LogReader* log) { log_ = log; }
    // What a campaign asks for each of its recipients.
    void add_steps(const std::string& campaign, std::vector<dispatch::StepTerms> steps) { steps_of_campaign_[campaign] = std::move(steps); }
    void add_policy(const Cap& cap) { policies_[policy_document(cap)] = cap; }
    // Reads the records that have become durable since.
    void read_log();
    // After a start: nothing that was durable may be gone, nothing that was answered may be missing.
    void check_after_start();
    void check_answer(std::size_t asked, const TouchView& answer);
    // A withdrawal whose command was given at `begun` was acknowledged.
    void withdrawn(std::size_t customer, std::uint64_t begun);
    void suppressed(std::size_t customer, std::uint64_t begun);
    // After a start with a wall clock that was wrong nobody knows how long ago the last permits were.
    void time_was_lost() { used_permits_.clear(); }
    // At the end: everybody in the audience is counted, and a campaign that was left to run is through.
    void check_campaign(const CampaignDetails& campaign);

    std::uint64_t tick() override { return ++ticks_; }
    void on_message_reported(const AckTicket& ticket, const channel::InboundMessage& message) override;
    void on_acknowledged(const AckTicket& ticket, bool durable) override;
    void on_handed_over(const AttemptOrder& order, channel::Monotonic now) override;
    void on_written(sandbox::ConnectionId connection, std::string_view packets, channel::Monotonic now) override;
    void on_bytes_arrived() override;

    DeskOracle desk;
    std::vector<Customer> customers;
    std::vector<Asked> asked;

    struct Counts {
        std::uint64_t received = 0, permits = 0, cap_checks = 0, opt_outs = 0, records = 0, created = 0, delivered = 0, failed = 0, unknown = 0, full_caps = 0, recipients = 0, yielded = 0, further_steps = 0, settled = 0;
    };
    [[nodiscard]] const Counts& counts() const { return counts_; }

private:
    struct SentAttempt {
        std::uint16_t number = 0;
        Instant at{};
        std::uint8_t chosen = 0;
        int progress = 0;              // as of a touch, of this attempt alone
        bool counts = true;
        bool may_have_arrived = true;  // not known to have failed
        bool accepted = false;
        bool unknown = false;
        bool failed_by_receipt = false;
    };
    struct Logged {
        TouchId id{};
        std::string token;
        std::uint32_t contact = 0;
        bool marketing = false;
        Instant expires_at{};
        std::vector<SentAttempt> attempts;
        int progress = 0;       // 1 accepted, 2 delivered, 3 read, 4 replied
        bool never_again = false;  // cancelled, expired, blocked
        std::string campaign;      // of whose audience
        bool has_steps = false;
    };
    void take(const Record& record);
    void take_dispatching(const Record& record);
    // Empty: this further permit is what was asked for. Else what is wrong with it.
    [[nodiscard]] std::string wrong_step(const Logged& touch, const Asked* by, std::uint8_t chosen, const Record& record) const;
    [[nodiscard]] std::optional<TouchId> touch_of(const std::string& token, const Asked& asked_for) const;
    void first_byte(const std::string& token, channel::Monotonic now);
    void check_rate(channel::Monotonic permitted);
    template <class E> E read(const Record& record);
    Logged* logged(const TouchId& id, const Record& record);
    void advance(const TouchId& id, std::uint16_t attempt, int to, const Record& record);
    void check_cap(const Logged& touch, const Record& record);
    [[nodiscard]] Asked* by_token(const std::string& token);
    [[nodiscard]] std::size_t customer_of(std::string_view phone) const;

    sandbox::MessageStore& store_;
    Limits limits_;
    const LogReader* log_ = nullptr;
    std::uint64_t ticks_ = 0;
    std::string broken_;
    Counts counts_;

    std::uint64_t read_to_ = 0;            // sequence
    std::map<std::string, Cap> policies_;
    Cap cap_;
    std::map<std::uint32_t, bool> marketing_profile_;
    std::map<std::uint32_t, std::string> campaign_of_profile_;
    std::map<std::pair<std::string, std::uint32_t>, TouchId> touch_of_recipient_;  // by campaign and contact
    std::set<std::string> stopped_campaigns_;
    std::map<std::string, std::vector<dispatch::StepTerms>> steps_of_campaign_;
    std::map<TouchId, Logged> touches_;
    std::map<std::string, TouchId> touch_of_token_;
    std::map<std::uint32_t, std::vector<TouchId>> of_contact_;
    std::set<std::pair<std::uint64_t, std::uint64_t>> key_hashes_;

    std::uint64_t messages_seen_ = 0;
    struct Reported { std::string from; bool opt_out = false; std::uint64_t at = 0; };
    std::map<std::pair<std::uint64_t, std::uint64_t>, Reported> reported_;
    std::map<std::string, std::uint64_t> first_report_;  // by fingerprint
    std::map<std::pair<std::uint64_t, std::uint64_t>, Instant> last_message_;  // by the hash that tells repeats

    struct HandedOver { AccountNumber account = 0; channel::Monotonic at{}; };
    std::map<TouchId, HandedOver> handed_over_;  // newest
    std::set<channel::Monotonic> used_permits_;  // of account 0
    // Token by connection, destination and reference of a message in parts.
    std::map<std::tuple<sandbox::ConnectionId, std::string, std::uint16_t>, std::string> in_parts_;
};

}  // namespace touchgate::simulation
