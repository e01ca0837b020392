#include "gateway/measure/service.hpp"

#include <algorithm>

namespace touchgate::measure {

namespace {

std::optional<double> ratio(std::int64_t part, std::int64_t whole) {
    if (whole <= 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<Duration> mean(Duration sum, std::int64_t count) {
    if (count <= 0) return std::nullopt;
    return Duration{(sum.count() + count / 2) / count};
}

}  // namespace

QueueCounts& QueueCounts::operator+=(const QueueCounts& other) {
    offered += other.offered;
    answered += other.answered;
    answered_within += other.answered_within;
    abandoned += other.abandoned;
    abandoned_within += other.abandoned_within;
    abandoned_short += other.abandoned_short;
    flowed_out += other.flowed_out;
    flowed_out_within += other.flowed_out_within;
    waiting_at_end = other.waiting_at_end;
    handled += other.handled;
    wait_of_answered += other.wait_of_answered;
    talk += other.talk;
    hold += other.hold;
    wrap_up += other.wrap_up;
    dial += other.dial;
    return *this;
}

std::optional<ServiceLevel> parse_service_level(std::string_view word) {
    if (word == "offered") return ServiceLevel::offered;
    if (word == "answered") return ServiceLevel::answered;
    if (word == "sl2") return ServiceLevel::sl2;
    if (word == "excluding_abandons") return ServiceLevel::excluding_abandons;
    if (word == "ac") return ServiceLevel::ac;
    return std::nullopt;
}

std::optional<double> service_level(ServiceLevel kind, const QueueCounts& counts) {
    switch (kind) {
        case ServiceLevel::offered: return ratio(counts.answered_within, counts.offered - counts.abandoned_short);
        case ServiceLevel::answered: return ratio(counts.answered_within, counts.answered);
        case ServiceLevel::sl2: return ratio(counts.answered_within + counts.abandoned_within, counts.answered + counts.abandoned);
        case ServiceLevel::excluding_abandons: return ratio(counts.answered_within, counts.offered - counts.abandoned_within);
        case ServiceLevel::ac: return ratio(counts.answered_within + counts.abandoned_within + counts.flowed_out_within, counts.offered);
    }
    return std::nullopt;
}

std::optional<Duration> speed_of_answer(const QueueCounts& counts) { return mean(counts.wait_of_answered, counts.answered); }

std::optional<double> abandon_rate(const QueueCounts& counts) {
    return ratio(counts.abandoned - counts.abandoned_short, counts.offered - counts.abandoned_short);
}

std::optional<double> abandon_rate_raw(const QueueCounts& counts) { return ratio(counts.abandoned, counts.offered); }

std::optional<Duration> handling_time(const QueueCounts& counts, bool with_dialing) {
    return mean(counts.talk + counts.hold + counts.wrap_up + (with_dialing ? counts.dial : Duration{0}), counts.handled);
}

std::int64_t unaccounted(const QueueCounts& counts) {
    return counts.offered - (counts.answered + counts.abandoned + counts.flowed_out + counts.waiting_at_end - counts.waiting_at_start);
}

OfferCounts& OfferCounts::operator+=(const OfferCounts& other) {
    created += other.created;
    accepted += other.accepted;
    rejected += other.rejected;
    timed_out += other.timed_out;
    rescinded += other.rescinded;
    cancelled += other.cancelled;
    pending += other.pending;
    hung_up_while_ringing += other.hung_up_while_ringing;
    return *this;
}

NoAnswerRate no_answer_rate(const OfferCounts& counts) {
    return {.agent = ratio(counts.timed_out, counts.created), .customer = ratio(counts.hung_up_while_ringing, counts.created)};
}

std::optional<double> offer_acceptance(const OfferCounts& counts) {
    return ratio(counts.accepted, counts.accepted + counts.rejected + counts.timed_out);
}

std::int64_t unaccounted(const OfferCounts& counts) {
    return counts.created - (counts.accepted + counts.rejected + counts.timed_out + counts.rescinded + counts.cancelled + counts.pending);
}

DialCounts& DialCounts::operator+=(const DialCounts& other) {
    attempts += other.attempts;
    live += other.live;
    machines += other.machines;
    dropped += other.dropped;
    reached_queue += other.reached_queue;
    connected += other.connected;
    right_party += other.right_party;
    success += other.success;
    contacts += other.contacts;
    callable += other.callable;
    attempted += other.attempted;
    return *this;
}

std::optional<DropRate> parse_drop_rate(std::string_view word) {
    if (word == "tsr") return DropRate::tsr;
    if (word == "ofcom") return DropRate::ofcom;
    if (word == "gc_all") return DropRate::gc_all;
    if (word == "gc_queue") return DropRate::gc_queue;
    if (word == "vici") return DropRate::vici;
    return std::nullopt;
}

std::optional<double> drop_rate(DropRate kind, const DialCounts& counts, double machine_share) {
    switch (kind) {
        case DropRate::tsr:
        case DropRate::vici: return ratio(counts.dropped, counts.live);
        case DropRate::gc_all: return ratio(counts.dropped, counts.live + counts.machines);
        case DropRate::gc_queue: return ratio(counts.dropped, counts.reached_queue);
        case DropRate::ofcom: {
            const auto people = static_cast<double>(counts.dropped) * (1 - std::clamp(machine_share, 0.0, 1.0));
            const auto all = people + static_cast<double>(counts.connected);
            if (!(all > 0)) return std::nullopt;
            return people / all;
        }
    }
    return std::nullopt;
}

std::optional<double> contact_rate(const DialCounts& counts) { return ratio(counts.live, counts.attempts); }
std::optional<double> right_party_rate(const DialCounts& counts) { return ratio(counts.right_party, counts.live); }
std::optional<double> conversion_rate(const DialCounts& counts) { return ratio(counts.success, counts.right_party); }
std::optional<double> list_penetration(const DialCounts& counts) { return ratio(counts.attempted, counts.callable); }
std::optional<double> attempts_per_contact(const DialCounts& counts) { return ratio(counts.attempts, counts.contacts); }

std::optional<double> fairness(std::span<const double> shares) {
    double sum = 0;
    double squares = 0;
    for (const auto share : shares) {
        sum += share;
        squares += share * share;
    }
    if (!(squares > 0)) return std::nullopt;
    return sum * sum / (static_cast<double>(shares.size()) * squares);
}

}  // namespace touchgate::measure
