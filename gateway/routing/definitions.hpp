// Agents and queues as they are declared (PUT /v1/agents/{id}, PUT /v1/queues/{id}): typed and checked. The JSON document is what the log keeps.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::routing {

enum class Strategy : std::uint8_t {
    ring_all, ring_progressively, longest_idle, round_robin, least_loaded, fewest_calls, least_talk_time, top_down, best_skill, sticky, weighted, fair_share, random
};

using Skills = std::map<std::string, int, std::less<>>;  // level 0 … 100; needed: at least

struct Membership {
    std::string queue;
    int tier = 1, position = 1;        // smaller first
    double weight = 1;                 // of strategy weighted
};

enum class Role : std::uint8_t { agent, supervisor };

struct AgentDefinition {
    std::string id, name, unit;
    Skills skills;
    std::map<std::string, int, std::less<>> capacity;  // by channel; a missing channel is 0
    std::optional<int> total;                          // over all channels
    std::vector<std::string> exclusive;                // channels whose work keeps offers of all other channels away from him while it lasts
    std::string extension;                             // name of the telephone's endpoint; empty: none
    std::vector<Membership> queues;
    Role role = Role::agent;
    std::vector<std::string> supervises;               // units or queues
    std::vector<std::string> rights;
    std::vector<std::string> dial_purposes{"service"}; // that he may dial for; empty: for none
    double share = 1;                                  // of fair_share
    Json shift = nullptr;                              // calendar entries; null: always
    Duration drain_before{std::chrono::minutes{10}};
    std::string wecom_userid;
    struct Absence { Instant from{}, to{}; std::string delegate; };
    std::optional<Absence> absent;
    std::string language;                              // of texts made for him
    bool disabled = false;
    [[nodiscard]] int capacity_of(std::string_view channel) const {
        const auto found = capacity.find(channel);
        return found == capacity.end() ? 0 : found->second;
    }
};

struct Disposition {
    std::string code, label;
    std::vector<std::string> dnc_channels, dnc_purposes;  // written as withdrawals with the wrap-up
    std::optional<Duration> dnc_for;
    std::string outcome = "neutral";                      // success, failure, neutral
    bool right_party = false, promise = false;
    std::optional<Duration> retry_after;
};

struct Ring {
    Duration after{};
    Skills required_skills;                // those needed from then on, in place of the earlier ones
    std::optional<int> tiers;              // up to this tier from then on
};

// Where an item goes that waited too long, or that nobody can serve.
struct Overflow {
    enum class Kind : std::uint8_t { none, queue, promise, hang_up, voicemail } kind = Kind::none;
    std::string queue;
};

struct QueueDefinition {
    std::string id, name, unit;
    std::vector<std::string> channels;     // empty: whatever is sent here
    Strategy strategy = Strategy::longest_idle;
    Skills required_skills;
    std::vector<Ring> relax;               // by `after`
    Duration offer_timeout{20'000};
    bool offer_timeout_given = false;      // not given: 20 s for calls, 30 s for messages
    double service_level_percent = 80;
    Duration service_level_within{20'000};
    std::optional<Duration> max_wait;
    Overflow overflow;
    std::optional<Overflow> when_empty;    // nobody is signed in who could serve it; none: wait
    Duration wrap_up{0};
    bool wrap_up_mandatory = false;        // a disposition must be given before the time is over, else the queue's default is taken
    std::string default_disposition;
    std::vector<Disposition> dispositions; // empty: any code
    int priority = 50;                     // 0 … 100
    double age_weight = 1;                 // points a second; among items of one priority, and compares those of several queues
    int rona_voice = 1, rona_message = 3;  // unanswered offers until the agent is blocked
    Duration backoff_reject{5'000}, backoff_no_answer{5'000};
    Duration progressive_step{10'000};     // of ring_progressively
    Duration sticky_for{std::chrono::hours{24}};
    Duration resume_within{0};             // a caller who comes back within it has his old place
    Json hours = nullptr;                  // {"calendar": id} or weekly hours; null: always
    Overflow closed;                       // outside of them
    std::optional<Duration> reply_within;  // of conversations: remind, then the supervisor, then queue again
    std::optional<Duration> idle_close;    // nobody wrote for so long: the conversation ends
    Duration idle_notice{0};               // so long before that its agent is told, and the customer if there is a text; 0: nobody
    std::string idle_text;
    bool requeue_on_offline = true;        // conversations of an agent who has gone
    Duration hold_for{0};                  // … after this time
    std::string handler = "agent";         // bot, agent, none
    std::vector<std::string> handover_words = {"转人工", "人工", "人工客服"};  // a customer who writes one gets an agent
    int handover_after = 0;                // so does one who wrote so many messages and had no answer; 0: never
    Duration short_abandon{5'000};
    [[nodiscard]] Duration offer_timeout_of(bool voice) const { return offer_timeout_given || voice ? offer_timeout : Duration{30'000}; }
};

// All problems at once, by pointer; the definition is usable only if none was added. `id` is the one of the path.
[[nodiscard]] AgentDefinition parse_agent(const std::string& id, const Json& document, std::vector<Problem>& problems);
[[nodiscard]] QueueDefinition parse_queue(const std::string& id, const Json& document, std::vector<Problem>& problems);

[[nodiscard]] std::string_view to_string(Strategy strategy);

}  // namespace touchgate::routing
