// The router's records: agents, queues, lanes, items and offers, by number. Names are looked up once, at the edge.
#pragma once

#include <absl/container/inlined_vector.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gateway/routing/router.hpp"
#include "gateway/routing/sorted_blocks.hpp"

namespace touchgate::routing {

using AgentNumber = std::uint32_t;
using QueueNumber = std::uint32_t;
using LaneNumber = std::uint32_t;
using ItemNumber = std::uint32_t;
using OfferNumber = std::uint32_t;
inline constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();  // also: no queue, no lane, no item, no offer

using ChannelNumber = std::uint8_t;
inline constexpr std::size_t channels_max = 32;  // a bit of a mask each
using ChannelMask = std::uint32_t;
[[nodiscard]] constexpr ChannelMask bit(ChannelNumber channel) { return ChannelMask{1} << channel; }
inline constexpr ChannelNumber voice = 0;

// The order of waiting: higher priority, `front`, longer age, earlier arrival. One number each, so that comparing is cheap.
struct WaitingKey {
    std::uint64_t rank = 0;      // 8 bits 255 − priority, 1 bit not front, 55 bits first queued (Unix ms)
    std::uint32_t serial = 0;
    ItemNumber item = nobody;
    auto operator<=>(const WaitingKey&) const = default;
};
[[nodiscard]] inline WaitingKey waiting_key(std::uint8_t priority, bool front, Instant first_queued_at, std::uint64_t serial, ItemNumber item) {
    constexpr std::uint64_t time_bits = (std::uint64_t{1} << 55U) - 1;
    const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms(first_queued_at), 0)) & time_bits;
    return {(static_cast<std::uint64_t>(255 - priority) << 56U) | (static_cast<std::uint64_t>(front ? 0 : 1) << 55U) | time, static_cast<std::uint32_t>(serial), item};
}

// An agent among those who may be chosen: smaller first, the agent's id last.
struct Candidate {
    int tier = 0;
    double key = 0;          // of the strategy
    std::int64_t then = 0;   // decides between equal keys: since when he is idle, or his position
    AgentNumber agent = nobody;
};

struct SkillLevel {
    std::uint32_t skill = 0;
    int level = 0;
    auto operator<=>(const SkillLevel&) const = default;
};

// His place in one lane that he may serve.
struct LaneEntry {
    LaneNumber lane = nobody;
    std::uint32_t membership = 0;  // index
    ChannelNumber channel = 0;
    bool listed = false;           // among the lane's candidates, as `stored`; that may be out of date, never too late
    Candidate stored;
};

struct QueueMembership {
    QueueNumber queue = nobody;
    int tier = 1, position = 1;
    double weight = 1;
    double virtual_time = 0;       // of fair share: work taken, divided by his share
};

// The rolling window of fewest_calls and least_talk_time, in buckets.
inline constexpr Duration window_bucket = std::chrono::minutes{5};
inline constexpr Duration window_length = std::chrono::hours{8};
struct WindowBucket {
    std::int64_t number = 0;       // of window_bucket since 1970
    std::uint32_t calls = 0;
    std::int64_t talk_ms = 0;
    [[nodiscard]] std::int64_t leaves_at() const { return (number + 1) * window_bucket.count() + window_length.count(); }  // Unix ms
};

// Whom an item is not offered to for a while.
struct Backoff {
    AgentNumber agent = nobody;
    std::int64_t until = 0;        // Unix ms
};

struct AgentRecord {
    std::string id;
    bool defined = false;          // else only named by an item
    AgentDefinition definition;
    std::string document;
    // ---- what the events say
    Session session = Session::offline;
    Intent intent = Intent::not_ready;
    std::string reason, health_reason;
    bool healthy = true, blocked = false;
    std::array<std::uint32_t, 2> unanswered{};  // offers one after the other: message, voice
    Instant state_since{}, session_since{}, idle_since{};
    std::vector<WindowBucket> window;           // oldest first
    std::vector<QueueMembership> memberships;
    std::vector<ItemNumber> items;              // assigned or wrapping, oldest first
    absl::InlinedVector<OfferNumber, 2> offers;
    // ---- what follows from that and from the time
    AgentState state = AgentState::offline;
    std::uint32_t window_calls = 0;
    std::int64_t window_talk_ms = 0;
    bool on_shift = true, routable = false, changed = false;
    ChannelMask free = 0, available = 0, exclusive = 0;  // channels with a free slot; available: those, of one who is routable
    std::array<std::uint16_t, channels_max> used{}, capacity{};
    std::uint32_t used_total = 0, capacity_total = 0, total_limit = 0;  // capacity: of all channels, as far as the limit lets it
    std::vector<SkillLevel> skills;
    std::vector<LaneEntry> lanes;
    SortedBlocks<WaitingKey> own;               // items that wait for him alone
    std::int64_t due = std::numeric_limits<std::int64_t>::max();
};

struct CandidateLess {
    const std::vector<std::unique_ptr<AgentRecord>>* agents = nullptr;
    bool operator()(const Candidate& a, const Candidate& b) const {
        if (a.tier != b.tier) return a.tier < b.tier;
        if (a.key < b.key || b.key < a.key) return a.key < b.key;
        if (a.then != b.then) return a.then < b.then;
        return a.agent != b.agent && (*agents)[a.agent]->id < (*agents)[b.agent]->id;
    }
};

// The items of a queue that ask for the same: a channel, skills beyond the queue's, a ring. And the agents who may serve them.
struct Lane {
    QueueNumber queue = nobody;
    ChannelNumber channel = 0;
    std::uint32_t needs = 0;
    std::uint8_t ring = 0;
    bool live = false;
    std::vector<SkillLevel> required;
    std::vector<std::uint32_t> scored;          // skills that best_skill adds up
    int tiers = 0;
    std::uint32_t eligible = 0, available = 0;  // agents: routable, of those with a free slot
    double drawn = 0;                           // of weighted and random: the last key that won
    SortedBlocks<WaitingKey> items, reserved;
    CandidateLess candidates_less;
    SortedBlocks<Candidate, CandidateLess> candidates;
};

struct QueueCounts {
    std::uint64_t offered = 0, answered = 0, answered_within = 0, abandoned = 0, short_abandoned = 0, flowed_out = 0, rona = 0;
};

struct QueueRecord {
    std::string id;
    bool defined = false;
    QueueDefinition definition;
    std::string document;
    // ---- what the events say
    std::int64_t day = 0;                       // since 1970, of `counts`
    QueueCounts counts;
    int served_position = 0;                    // round robin: who was offered something last
    AgentNumber served_agent = nobody;
    double virtual_time = 0;
    Instant last_departure{}, busy_since{};
    double departure_mean_ms = 0, departure_deviation_ms = 0;  // exponentially smoothed; 0: nothing measured
    std::uint32_t waiting = 0;
    // ---- what follows
    bool open = true;
    std::int64_t due = std::numeric_limits<std::int64_t>::max();
    std::uint32_t signed_in = 0, routable = 0;
    std::array<std::uint32_t, channels_max> signed_in_by_channel{}, available_by_channel{};
    std::vector<AgentNumber> members;
    std::vector<LaneNumber> lanes;
    SortedBlocks<WaitingKey> held;              // came while it was closed
    std::vector<SkillLevel> required;
};

struct ItemRecord {
    Uuid id{};
    std::uint64_t serial = 0;                   // order of arrival; 0: the place is free
    ItemState state = ItemState::queued;
    Phase phase = Phase::active;
    bool recovering = false, front = false;
    bool dialled = false;                       // reserved for before it was there; not in the queue's figures
    bool after_hours = false;                   // came while the queue was closed
    bool parked = false;                        // nobody is offered it; not in the queue's figures
    QueueNumber queue = nobody;
    ChannelNumber channel = 0;
    std::uint8_t priority = 50;
    std::uint32_t needs = 0;
    AgentNumber agent = nobody, only = nobody, prefers = nobody;
    Instant first_queued_at{}, queued_at{}, entered_at{}, assigned_at{}, wrap_deadline{};
    std::int64_t entered_day = 0;
    std::string outcome;                        // said when wrapping began
    Duration reserve_for{60'000};               // of one that is dialled: how long an agent is kept
    bool auto_answer = false;                   // of one that is dialled; else it is shown before it is
    std::uint32_t unanswered_before = 0;        // of its agent, when he accepted: should his telephone not be answered, he did not
    std::int64_t step_at = std::numeric_limits<std::int64_t>::max();  // ring_progressively: when the next agent is added
    absl::InlinedVector<Backoff, 1> backoffs;
    absl::InlinedVector<OfferNumber, 2> offers;
    // ---- what follows
    LaneNumber lane = nobody;
    enum class Place : std::uint8_t { nowhere, lane, lane_reserved, held, own } place = Place::nowhere;
    bool changed = false;
    bool wants_more = false;                    // ring_progressively: the step is due and nobody was there
    bool takes_slot = false;                    // a part: the slot is still its whole's, and becomes its own with the whole's release
    std::int64_t told_at = 0;                   // that it should leave; 0: never
    bool told_now = false;                      // whoever was told has his turn: nobody is looked for at that very instant
    std::int64_t due = std::numeric_limits<std::int64_t>::max();
    // There only as long as somebody is asked whether it is to be dialled.
    [[nodiscard]] bool is_previewed() const { return dialled && !auto_answer; }
    [[nodiscard]] bool is_counted() const { return !dialled && !parked; }
};

struct OfferRecord {
    Uuid id{};
    ItemNumber item = nobody;                   // nobody: the place is free
    AgentNumber agent = nobody;
    std::uint64_t fence = 0;
    Instant made_at{}, deadline{};
    bool silent = false, auto_answer = false, preview = false;
};

enum class TimerKind : std::uint8_t { offer, item, agent, queue };
struct Timer {
    std::int64_t at = 0;
    TimerKind kind = TimerKind::offer;
    std::uint32_t number = 0;
    bool operator>(const Timer& other) const { return at > other.at; }
};

}  // namespace touchgate::routing
