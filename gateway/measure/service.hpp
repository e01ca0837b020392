// The measures of a call center from counts: service level in its rival definitions, waiting, abandoning, handling, offers, drop rates. Pure;
// any thread.
//
// Counts are of one interval (15, 30 or 60 minutes) by the time of the event; an item belongs to the interval of its offer to the queue. Counts
// of several intervals or queues add up, so a measure of a day is the measure of the sum, never a mean of measures. A measure without a
// denominator is empty. Definitions and who uses which: docs/dialing.md, section "Service measures".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gateway/base/time.hpp"

namespace touchgate::measure {

// What happened to the items of a queue. "Within" is within the threshold of the service level.
struct QueueCounts {
    std::int64_t offered = 0;
    std::int64_t answered = 0, answered_within = 0;
    std::int64_t abandoned = 0, abandoned_within = 0;
    std::int64_t abandoned_short = 0;                      // of `abandoned`: sooner than the time below which nobody was really waiting (5 s by default)
    std::int64_t flowed_out = 0, flowed_out_within = 0;    // to another queue, to voicemail, to a promise
    std::int64_t waiting_at_start = 0, waiting_at_end = 0;
    std::int64_t handled = 0;
    Duration wait_of_answered{0}, talk{0}, hold{0}, wrap_up{0}, dial{0};
    QueueCounts& operator+=(const QueueCounts& other);      // `waiting_…` of consecutive intervals: start of the first, end of the last
    template <class A> void fields(A&& a) {
        a(offered, answered, answered_within, abandoned, abandoned_within, abandoned_short, flowed_out, flowed_out_within, waiting_at_start, waiting_at_end,
          handled, wait_of_answered, talk, hold, wrap_up, dial);
    }
};

enum class ServiceLevel : std::uint8_t {
    offered,             // answered within / (offered − short abandons): ours
    answered,            // answered within / answered: blind to those who gave up
    sl2,                 // (answered + abandoned within) / (answered + abandoned)
    excluding_abandons,  // answered within / (offered − abandoned within)
    ac,                  // left the queue within, in any way / offered
};
// "offered", "answered", "sl2", "excluding_abandons", "ac".
[[nodiscard]] std::optional<ServiceLevel> parse_service_level(std::string_view word);
[[nodiscard]] std::optional<double> service_level(ServiceLevel kind, const QueueCounts& counts);

// Mean wait of those who were answered (ASA).
[[nodiscard]] std::optional<Duration> speed_of_answer(const QueueCounts& counts);
// (abandoned − short) / (offered − short), and abandoned / offered as it is.
[[nodiscard]] std::optional<double> abandon_rate(const QueueCounts& counts);
[[nodiscard]] std::optional<double> abandon_rate_raw(const QueueCounts& counts);
// (talk + hold + wrap-up) / handled; with the time of dialing where a campaign counts it (AHT).
[[nodiscard]] std::optional<Duration> handling_time(const QueueCounts& counts, bool with_dialing = false);
// offered − (answered + abandoned + flowed out + waiting at end − waiting at start): 0 when every item is accounted for.
[[nodiscard]] std::int64_t unaccounted(const QueueCounts& counts);

// What became of offers to agents.
struct OfferCounts {
    std::int64_t created = 0, accepted = 0, rejected = 0, timed_out = 0, rescinded = 0, cancelled = 0, pending = 0;
    std::int64_t hung_up_while_ringing = 0;  // of `cancelled`: the customer left while the agent's device rang; no fault of the agent
    OfferCounts& operator+=(const OfferCounts& other);
    template <class A> void fields(A&& a) { a(created, accepted, rejected, timed_out, rescinded, cancelled, pending, hung_up_while_ringing); }
};
// Ring no answer: timed out / created; the customers' own hang-ups stand beside it.
struct NoAnswerRate {
    std::optional<double> agent, customer;
};
[[nodiscard]] NoAnswerRate no_answer_rate(const OfferCounts& counts);
// accepted / (accepted + rejected + timed out).
[[nodiscard]] std::optional<double> offer_acceptance(const OfferCounts& counts);
// created − all its ends − pending: 0 when every offer is accounted for.
[[nodiscard]] std::int64_t unaccounted(const OfferCounts& counts);

// Calls that a campaign dialed.
struct DialCounts {
    std::int64_t attempts = 0;
    std::int64_t live = 0;                 // answered by a person, dropped ones included
    std::int64_t machines = 0;             // answered by what was taken for a machine or fax
    std::int64_t dropped = 0;              // answered, and no agent within the legal time
    std::int64_t reached_queue = 0;        // answered and offered to agents, dropped ones included
    std::int64_t connected = 0;            // answered and bridged with an agent
    std::int64_t right_party = 0, success = 0;
    std::int64_t contacts = 0, callable = 0, attempted = 0;  // contacts of the list: dialed at all, that may be dialed, of these dialed
    DialCounts& operator+=(const DialCounts& other);
    template <class A> void fields(A&& a) {
        a(attempts, live, machines, dropped, reached_queue, connected, right_party, success, contacts, callable, attempted);
    }
};

// How a jurisdiction or product divides dropped calls. The windows (30 days, 24 hours) are the caller's: counts are of that window.
enum class DropRate : std::uint8_t {
    tsr,       // dropped / answered by a person (16 CFR 310.4(b)(4)(i): per campaign, each 30 days)
    ofcom,     // (dropped − those that were machines, by estimate) / (that + connected with a person); per campaign and 24 hours
    gc_all,    // dropped / answered, machines too
    gc_queue,  // dropped / reached the queue
    vici,      // dropped / answered by a person, of today
};
// "tsr", "ofcom", "gc_all", "gc_queue", "vici".
[[nodiscard]] std::optional<DropRate> parse_drop_rate(std::string_view word);
// `machine_share`: by estimate, the share of dropped calls that were answered by a machine nobody detected, from 0 to 1; read by ofcom only.
[[nodiscard]] std::optional<double> drop_rate(DropRate kind, const DialCounts& counts, double machine_share = 0);

// Of attempts: answered by a person; of these: the right one; of these: with the result wanted.
[[nodiscard]] std::optional<double> contact_rate(const DialCounts& counts);
[[nodiscard]] std::optional<double> right_party_rate(const DialCounts& counts);
[[nodiscard]] std::optional<double> conversion_rate(const DialCounts& counts);
[[nodiscard]] std::optional<double> list_penetration(const DialCounts& counts);
[[nodiscard]] std::optional<double> attempts_per_contact(const DialCounts& counts);

// Jain's index of how evenly work is shared: (Σx)² / (n Σx²); 1 when all have the same, 1/n when one has it all. Empty without work. Shares
// are not negative. (Jain, Chiu and Hawe, DEC-TR-301, 1984.)
[[nodiscard]] std::optional<double> fairness(std::span<const double> shares);

}  // namespace touchgate::measure
