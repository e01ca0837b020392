// The volatile side of the engine: queues, timers, what is on its way. Never logged; made again at every start. Engine's thread only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/campaign/forecast.hpp"
#include "gateway/dialing/pacing.hpp"
#include "gateway/dialing/trunk_pool.hpp"
#include "gateway/dispatch/breaker.hpp"
#include "gateway/dispatch/fair_queue.hpp"
#include "gateway/dispatch/rate.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/engine/state.hpp"
#include "gateway/policy/condition.hpp"

namespace touchgate {

struct QueueEntry {
    std::uint32_t row = 0;
    std::uint32_t ticket = 0;
};

enum class TimerKind : std::uint8_t { wake, expire, fallback, settle, reconcile, review };
struct Timer {
    Instant at{};
    std::uint32_t row = 0;
    std::uint32_t generation = 0;
    TimerKind kind = TimerKind::wake;
    bool operator>(const Timer& other) const { return at > other.at; }
};

// How far the reading of a list is.
struct PullProgress {
    bool running = false;                    // between its first page and its last
    std::uint64_t pages = 0, items = 0;      // of this reading, or of the last one
    std::optional<double> share;             // 0 to 1
    Instant started_at = Instant::min(), page_at = Instant::min(), completed_at = Instant::min();
    std::string last_error;                  // of the page that is asked for again
};

// What an operator asked of an account, and who waits for its answer.
struct RunningOperation {
    OperationRequest request;
    crypto::Hash128 key{};                   // zero: it has none
    std::vector<absl::AnyInvocable<void(Result<OperationResult>)>> done;
};

// The volatile side of an account.
struct AccountRuntime {
    AccountSettings settings;
    Symbol symbol, channel;
    bool up = false;
    bool down_logged = false;
    bool credentials_bad = false;
    std::string last_error;
    std::optional<dispatch::TokenBucket> bucket;
    dispatch::Breaker breaker;
    dispatch::CoolDown cool_down;
    dispatch::FairQueue<QueueEntry> queue;
    std::uint64_t in_flight = 0;
    std::uint64_t hook_accepted = 0;
    std::uint64_t events_unknown = 0;
    std::map<std::string, std::uint64_t> hook_refused;
    std::map<std::string, Instant, std::less<>> quota_until;  // by Outcome::scope, "account" for all of it
    std::map<std::string, PullProgress> pulls;
    std::deque<std::uint64_t> operations;    // that wait for the account's rate
};

// Which accounts serve a channel under a condition, and how often each was taken since the start.
struct CompiledRoute {
    struct Choice { AccountNumber account = 0; double weight = 1, max_share = 1; std::uint64_t taken = 0; };
    std::string channel;
    std::string label;                       // "route sms/0"
    policy::ConditionPtr when = policy::Condition::always();
    std::vector<Choice> choices = {};
    std::uint64_t taken = 0;
};

// A keyed hash that remembers its last answer: one command asks for the same address or id several times.
class LastHash {
public:
    template <class Write> crypto::Hash128 of(const crypto::KeyedHash& hash, Write write) {
        asked_.clear();
        write(asked_);
        if (asked_ == text_) return value_;
        value_ = hash(asked_);
        text_.swap(asked_);
        return value_;
    }

private:
    std::string asked_, text_;
    crypto::Hash128 value_;
};

struct InFlight {
    std::uint32_t row = 0;
    std::uint32_t generation = 0;
    std::uint16_t attempt = 0;
    AccountNumber account = 0;
};

// The volatile side of a campaign; made again at every start.
// A campaign that dials: what is volatile of it.
struct DialingRuntime {
    dialing::Plan plan;
    std::unique_ptr<dialing::Pacer> pacer;
    std::deque<QueueEntry> ready;            // may be dialled as far as the policy goes, in the audience's order
    struct Line { Instant dialed_at{}; double answer_rate = 0.3; Uuid offer{}; std::uint32_t row = 0; bool answered = false; };
    std::map<TouchId, Line> lines;           // dialled, and not yet with an agent or over
    // Of mode preview: who is shown to an agent, or is dialled because an agent has asked for it.
    struct Shown { Uuid interaction{}; bool accepted = false; };
    std::map<TouchId, Shown> shown;
    struct Skip { std::string agent; Instant until{}; };
    std::map<TouchId, std::vector<Skip>> skips;  // whom a recipient is not shown to for a while
    Instant look_at = Instant::min();        // next tick
    std::string limit;                       // what held the last decision back
};

struct CampaignRuntime {
    std::unique_ptr<DialingRuntime> dialing;
    std::size_t ghosts = 0;                  // recipients before this one have their ghost touch if they are held out
    std::size_t next = 0;                    // recipients before this one are not pending
    std::optional<dispatch::ExactRate> rate;
    std::deque<QueueEntry> gate;             // popped from their account's queue before the rate allowed it
    absl::flat_hash_set<std::uint32_t> queued;  // rows of its touches that are allowed and not permitted, direct ones too
    std::shared_ptr<policy::CompiledPolicy> window;  // the daily window as a rule of hours
    struct { LogPosition position{}; std::vector<LoggedRecipient> lines; } batch;  // the one read last
    absl::flat_hash_set<std::uint64_t> known;   // recipients by what tells them apart, while lines are taken
    bool known_is_built = false;
    absl::flat_hash_set<std::uint32_t> excluded;  // contacts of the campaigns that it excludes
    bool excluded_is_built = false;
    struct Freezing {
        std::size_t next = 0;
        campaign::AudienceHash hash;
        std::vector<crypto::Hash128> templates;
        std::vector<absl::AnyInvocable<void(Result<CampaignDetails>)>> done;
    };
    std::unique_ptr<Freezing> freezing;
};

namespace policy { class Foresight; }

struct PreviewJob {
    std::string id;
    std::size_t next = 0;
    CampaignPreview preview;
    campaign::Histogram deferred{std::chrono::hours{1}};
    std::shared_ptr<policy::Foresight> foresight;
    std::shared_ptr<policy::CompiledPolicy> foreseen_by;  // its counters are those of this policy
    std::vector<std::string> others;         // running campaigns whose audiences are still to be compared
    std::size_t next_of_other = 0;
    std::vector<bool> contacts;              // of this audience
    std::vector<bool> counted;               // of the other campaign
    absl::flat_hash_map<std::uint32_t, std::uint32_t> exposed;  // members of groups: how often
    absl::AnyInvocable<void(Result<CampaignPreview>)> done;
};

// A task that waits for an employee, with the touches that it carries. Made again at every start from their attempts.
struct OpenTask {
    // ending: its state is asked for a last time while it can still be told; closing: cancelled at the provider, and asked once more.
    enum class Phase : std::uint8_t { waiting, ending, cancelling, closing };
    AccountNumber account = 0;
    channel::Task task;
    std::vector<TouchId> touches;
    Instant created_at{}, ends_at{};         // ends_at: the earliest of its touches
    Instant next_at{};                       // when something is due
    Phase phase = Phase::waiting;
    int polls = 0, reminders = 0, tries = 0;
    std::uint64_t asked = 0;                 // the question that is out; 0: none
};
using TaskKey = std::pair<AccountNumber, std::string>;  // account, provider's id and employee

struct Settling {
    std::set<channel::AttemptRef> waiting;
    Effect done;
};

}  // namespace touchgate
