// Commands about items and offers.

#include <algorithm>
#include <array>

#include "gateway/routing/internals.hpp"
#include "gateway/routing/parts.hpp"

namespace touchgate::routing {

namespace {

Error no_such_item() { return not_found("unknown_interaction", "there is no such interaction, or it has ended"); }

bool is_final(std::string_view state) {
    static constexpr std::array<std::string_view, 5> finals = {"completed", "abandoned", "flowed_out", "cancelled", "expired"};
    return std::find(finals.begin(), finals.end(), state) != finals.end();
}

}  // namespace

void Router::Internals::end_offer(OfferNumber number, OfferResult result, std::string_view reason, Instant backoff_until, bool blocks) {
    const auto& offer = offers[number];
    append(OfferEnded{.offer = offer.id, .item = items[offer.item].id, .agent = agents[offer.agent]->id, .result = result, .reason = std::string{reason}, .blocks = blocks,
                      .backoff_until = unix_ms(backoff_until)});
}

void Router::Internals::requeue(ItemNumber number, QueueNumber queue, std::string_view only, bool front, std::string_view cause) {
    const auto& item = items[number];
    append(ItemQueued{.item = item.id, .queue = queues[queue]->id, .channel = channels[item.channel], .priority = item.priority, .first_queued_at = unix_ms(item.first_queued_at),
                      .cause = std::string{cause}, .needs = needs[item.needs].words, .prefers = item.prefers == nobody ? std::string{} : agents[item.prefers]->id,
                      .only = std::string{only}, .front = front});
}

void Router::Internals::back_to_queue(ItemNumber number, std::string_view cause) {
    const auto& item = items[number];
    if (item.serial == 0 || item.state != ItemState::reserved || !item.offers.empty()) return;
    if (item.is_previewed()) {
        // Whoever asked looks for somebody else, or asks about something else.
        append(ItemEnded{.id = item.id, .state = "cancelled", .outcome = {}, .disposition = {}, .reason = std::string{cause}, .sealed = {}});
        return;
    }
    const auto only = item.only == nobody ? std::string{} : agents[item.only]->id;
    requeue(number, item.queue, only, item.front, cause);
}

void Router::Internals::reject(OfferNumber number, std::string_view reason, Instant now) {
    const auto item = offers[number].item;
    end_offer(number, OfferResult::rejected, reason.empty() ? "rejected" : reason, now + queues[items[item].queue]->definition.backoff_reject, false);
    back_to_queue(item, to_string(OfferResult::rejected));
}

void Router::Internals::time_out(OfferNumber number, std::string_view reason, Instant now) {
    const auto item = offers[number].item;
    const auto agent = offers[number].agent;
    if (offers[number].silent) {
        // Whoever dials has not come back: the agent is free, and the item was never there.
        const auto id = items[item].id;
        end_offer(number, OfferResult::timed_out, reason, {}, false);
        while (!items[item].offers.empty()) end_offer(items[item].offers.front(), OfferResult::cancelled, "cancelled", {}, false);
        append(ItemEnded{.id = id, .state = "expired", .outcome = {}, .disposition = {}, .reason = "reservation", .sealed = {}});
        return;
    }
    const auto& definition = queues[items[item].queue]->definition;
    const bool call = items[item].channel == voice;
    const auto limit = static_cast<std::uint32_t>(call ? definition.rona_voice : definition.rona_message);
    const bool blocks = agents[agent]->unanswered[call ? 1 : 0] + 1 >= limit;
    end_offer(number, OfferResult::timed_out, reason.empty() ? "timeout" : reason, now + definition.backoff_no_answer, blocks);
    back_to_queue(item, to_string(OfferResult::timed_out));
    if (blocks) withdraw_offers_of(agent, "not_routable");
}

void Router::Internals::finish_wrap_up(ItemNumber number) {
    const auto& item = items[number];
    append(ItemEnded{.id = item.id, .state = "completed", .outcome = item.outcome,
                     .disposition = item.queue == nobody ? std::string{} : queues[item.queue]->definition.default_disposition, .reason = "auto", .sealed = {}});
}

Uuid Router::Internals::begin_part(ItemNumber of) {
    const auto& item = items[of];
    if (item.state != ItemState::assigned || item.channel != voice || item.queue == nobody || queues[item.queue]->definition.wrap_up <= Duration{0}) return {};
    for (int n = 0; n < parts_max; ++n) {
        const auto part = part_of(item.id, n);
        if (find_item(part) != nobody) continue;
        append(ItemAssigned{.item = part, .agent = agents[item.agent]->id, .channel = channels[item.channel], .queue = queues[item.queue]->id, .cause = std::string{part_cause}});
        return part;
    }
    return {};
}

void Router::Internals::wrap_part(const Uuid& part, Instant now) {
    const auto number = part.is_nil() ? nobody : find_item(part);
    if (number == nobody) return;
    append(ItemWrapping{.item = part, .deadline = unix_ms(now + queues[items[number].queue]->definition.wrap_up), .outcome = "transferred", .reason = "transfer"});
}

Result<void> Router::enqueue(const ItemRequest& request, Instant now) {
    auto& in = *internals_;
    const auto queue = in.find_queue(request.queue);
    if (queue == nobody) return not_found("unknown_queue", "there is no queue \"" + request.queue + "\"");
    if (request.channel.empty() || (!in.find_channel(request.channel) && in.channels.size() >= channels_max)) return invalid("/channel", "must be a channel");
    if (in.find_item(request.item) != nobody) return conflict("wrong_state", "the interaction is already routed");
    if (!request.only.empty() && in.find_agent(request.only) == nobody) return not_found("unknown_agent", "there is no agent \"" + request.only + "\"");
    const Decision decision{in, now};
    in.append(ItemQueued{.item = request.item, .queue = request.queue, .channel = request.channel,
                         .priority = static_cast<std::uint8_t>(std::clamp(request.priority.value_or(in.queues[queue]->definition.priority), 0, 100)),
                         .first_queued_at = unix_ms(request.first_queued_at.value_or(now)), .cause = request.cause == "dialing" ? "arrived" : request.cause, .needs = request.needs,
                         .prefers = request.prefers, .only = request.only, .front = request.front});
    return {};
}

Result<void> Router::accept(std::string_view agent_id, const Uuid& offer_id, std::optional<std::uint64_t> fence, Instant now, Phase phase) {
    auto& in = *internals_;
    const auto agent = in.find_agent(agent_id);
    if (agent == nobody) return not_found("unknown_agent", "there is no such agent");
    const auto found = in.offer_numbers.find(offer_id);
    if (found == in.offer_numbers.end()) {
        const auto ended = in.ended_offers.find(offer_id);
        if (ended == in.ended_offers.end()) return not_found("unknown_offer", "there is no such offer");
        if (ended->second != agent) return conflict("not_yours", "the offer was made to somebody else");
        return conflict("stale_offer", "the offer has ended");
    }
    const auto number = found->second;
    const auto& offer = in.offers[number];
    if (offer.agent != agent) return conflict("not_yours", "the offer was made to somebody else");
    if (fence && *fence != offer.fence) return conflict("stale_offer", "the fence is that of another offer");
    if (now >= offer.deadline) return conflict("stale_offer", "the offer's deadline is over");
    const auto item = offer.item;
    const Decision decision{in, now};
    // First: it is his in that phase, and in no other before.
    if (in.items[item].phase != phase) in.append(ItemPhaseChanged{.item = in.items[item].id, .phase = phase});
    in.end_offer(number, OfferResult::accepted, "accepted", {}, false);
    while (!in.items[item].offers.empty()) in.end_offer(in.items[item].offers.front(), OfferResult::rescinded, "accepted_elsewhere", {}, false);
    return {};
}

Result<void> Router::reject(std::string_view agent_id, const Uuid& offer_id, std::string_view reason, Instant now) {
    auto& in = *internals_;
    const auto agent = in.find_agent(agent_id);
    if (agent == nobody) return not_found("unknown_agent", "there is no such agent");
    const auto found = in.offer_numbers.find(offer_id);
    if (found == in.offer_numbers.end()) {
        const auto ended = in.ended_offers.find(offer_id);
        if (ended == in.ended_offers.end()) return not_found("unknown_offer", "there is no such offer");
        return ended->second == agent ? conflict("stale_offer", "the offer has ended") : conflict("not_yours", "the offer was made to somebody else");
    }
    if (in.offers[found->second].agent != agent) return conflict("not_yours", "the offer was made to somebody else");
    const Decision decision{in, now};
    in.reject(found->second, reason, now);
    return {};
}

Result<void> Router::end_offer(const Uuid& offer_id, OfferResult result, std::string_view reason, Instant now) {
    auto& in = *internals_;
    const auto found = in.offer_numbers.find(offer_id);
    if (found == in.offer_numbers.end())
        return in.ended_offers.contains(offer_id) ? conflict("stale_offer", "the offer has ended") : not_found("unknown_offer", "there is no such offer");
    if (result == OfferResult::pending || result == OfferResult::accepted) return conflict("wrong_state", "an offer is taken back as rejected, timed out, rescinded or cancelled");
    const Decision decision{in, now};
    const auto number = found->second;
    if (result == OfferResult::timed_out) in.time_out(number, reason, now);
    else if (result == OfferResult::rejected) in.reject(number, reason, now);
    else {
        const auto item = in.offers[number].item;
        in.end_offer(number, result, reason, {}, false);
        in.back_to_queue(item, to_string(result));
    }
    return {};
}

Result<void> Router::unanswered(const Uuid& id, std::string_view reason, Instant now) {
    auto& in = *internals_;
    const auto item = in.find_item(id);
    if (item == nobody) return no_such_item();
    const auto& record = in.items[item];
    if (record.state != ItemState::assigned || record.queue == nobody) return conflict("wrong_state", "nobody is working on it, or it came from no queue");
    const Decision decision{in, now};
    const auto agent = record.agent;
    const auto queue = record.queue;
    const auto& definition = in.queues[queue]->definition;
    const bool call = record.channel == voice;
    const auto before = std::max(in.agents[agent]->unanswered[call ? 1 : 0], record.unanswered_before);
    const bool blocks = before + 1 >= static_cast<std::uint32_t>(call ? definition.rona_voice : definition.rona_message);
    in.append(OfferEnded{.offer = {}, .item = id, .agent = in.agents[agent]->id, .result = OfferResult::timed_out, .reason = std::string{reason}, .blocks = blocks,
                         .backoff_until = unix_ms(now + definition.backoff_no_answer)});
    if (in.items[item].is_previewed())
        in.append(ItemEnded{.id = id, .state = "cancelled", .outcome = {}, .disposition = {}, .reason = "timeout", .sealed = {}});
    else in.requeue(item, queue, {}, false, to_string(OfferResult::timed_out));
    if (blocks) in.withdraw_offers_of(agent, "not_routable");
    return {};
}

Result<Router::Internals::Reserved> Router::Internals::find_for(const Reserve& request, Instant now) {
    const auto& wanted = request.item;
    const auto queue = find_queue(wanted.queue);
    if (queue == nobody) return not_found("unknown_queue", "there is no queue \"" + wanted.queue + "\"");
    if (find_item(wanted.item) != nobody) return conflict("wrong_state", "the interaction is already routed");
    const Error nobody_free{.kind = ErrorKind::unavailable, .detail = "no agent is free", .reference = "no_capacity"};
    const auto channel = find_channel(wanted.channel);
    if (!channel) return nobody_free;
    if (!wanted.only.empty()) {
        const auto agent = find_agent(wanted.only);
        if (agent == nobody) return not_found("unknown_agent", "there is no agent \"" + wanted.only + "\"");
        if ((agents[agent]->available & bit(*channel)) == 0) return nobody_free;
        return Reserved{.agent = agent, .lane = nobody,
                        .trace = {.strategy = "only", .tie_break = "only_candidate", .members = static_cast<std::uint32_t>(queues[queue]->members.size()), .routable = 1, .skilled = 1,
                                  .not_in_backoff = 1, .with_capacity = 1, .ring = 0, .considered = {wanted.only}}};
    }
    const auto lane = lane_of(queue, *channel, intern_needs(wanted.needs), 0);
    best_candidates(lane, nullptr, considered_max + request.not_to.size(), false, false, now);
    std::erase_if(scratch, [&](const Candidate& each) { return std::find(request.not_to.begin(), request.not_to.end(), agents[each.agent]->id) != request.not_to.end(); });
    if (scratch.empty()) return nobody_free;
    Reserved found{.agent = scratch.front().agent, .lane = lane, .trace = trace_of(*lanes[lane], nullptr, now)};
    found.trace.tie_break = std::string{tie_break(*lanes[lane])};
    for (std::size_t i = 0; i < scratch.size() && i < considered_max; ++i) found.trace.considered.push_back(agents[scratch[i].agent]->id);
    return found;
}

bool Router::can_reserve(const Reserve& request, Instant now) {
    const Decision decision{*internals_, now};  // settled: who is free is listed
    return internals_->find_for(request, now).has_value();
}

Result<Uuid> Router::reserve(const Reserve& request, Instant now) {
    auto& in = *internals_;
    const Decision decision{in, now};
    auto found = in.find_for(request, now);
    if (!found) return found.error();
    const auto& wanted = request.item;
    const auto& definition = in.queues[in.find_queue(wanted.queue)]->definition;
    const bool draws_again = in.won_draw(found->agent, found->lane);
    in.append(ItemQueued{.item = wanted.item, .queue = wanted.queue, .channel = wanted.channel,
                         .priority = static_cast<std::uint8_t>(std::clamp(wanted.priority.value_or(definition.priority), 0, 100)),
                         .first_queued_at = unix_ms(wanted.first_queued_at.value_or(now)), .cause = "dialing", .needs = wanted.needs, .prefers = wanted.prefers, .only = wanted.only,
                         .front = wanted.front});
    const auto offer = in.journal.new_offer_id();
    const auto lasts = request.preview ? definition.offer_timeout_of(in.find_channel(wanted.channel) == voice) : request.longest;
    in.append(OfferMade{.offer = offer, .item = wanted.item, .agent = in.agents[found->agent]->id, .fence = in.last_fence + 1, .deadline = unix_ms(now + lasts),
                        .silent = !request.preview, .auto_answer = request.auto_answer && !request.preview, .preview = request.preview, .trace = std::move(found->trace)});
    if (draws_again && in.agents[found->agent]->available != 0) in.list(found->agent);
    return offer;
}

Result<void> Router::park(const Uuid& id, Instant now) {
    auto& in = *internals_;
    const auto item = in.find_item(id);
    if (item == nobody) return no_such_item();
    if (in.items[item].state != ItemState::assigned || in.items[item].queue == nobody) return conflict("wrong_state", "nobody is working on it, or it came from no queue");
    const Decision decision{in, now};
    in.requeue(item, in.items[item].queue, {}, false, parked_cause);
    return {};
}

Result<void> Router::assign(const Uuid& id, std::string_view agent_id, std::string_view channel, std::string_view queue, std::string_view cause, bool over_capacity, Instant now,
                             bool wraps_up) {
    auto& in = *internals_;
    const auto agent = in.find_agent(agent_id);
    if (agent == nobody) return not_found("unknown_agent", "there is no agent \"" + std::string{agent_id} + "\"");
    const auto& record = *in.agents[agent];
    if (record.session == Session::offline) return conflict("wrong_state", "the agent is not signed in");
    auto item = in.find_item(id);
    if (item != nobody && in.items[item].agent == agent && in.items[item].state == ItemState::assigned) return conflict("wrong_state", "it is his already");
    const auto known = item != nobody ? std::optional{in.items[item].channel} : in.find_channel(channel);
    if (!known && (channel.empty() || in.channels.size() >= channels_max)) return invalid("/channel", "must be a channel");
    const bool his_offer = item != nobody && in.has_offer(in.items[item], agent);  // its slot is his already
    if (!over_capacity && !his_offer && (!known || record.used[*known] >= record.capacity[*known] || record.used_total >= record.total_limit))
        return conflict("no_capacity", "he has no free slot");
    const Decision decision{in, now};
    auto channel_name = known ? in.channels[*known] : std::string{channel};
    if (item != nobody)
        while (!in.items[item].offers.empty()) in.end_offer(in.items[item].offers.front(), OfferResult::rescinded, "accepted_elsewhere", {}, false);
    const auto part = wraps_up && item != nobody ? in.begin_part(item) : Uuid{};
    in.append(ItemAssigned{.item = id, .agent = record.id, .channel = std::move(channel_name), .queue = std::string{queue}, .cause = std::string{cause}});
    in.wrap_part(part, now);
    return {};
}

Result<void> Router::set_phase(const Uuid& id, Phase phase, Instant now) {
    auto& in = *internals_;
    const auto item = in.find_item(id);
    if (item == nobody) return no_such_item();
    if (in.items[item].state != ItemState::assigned) return conflict("wrong_state", "nobody is working on it");
    if (in.items[item].phase == phase) return {};
    const Decision decision{in, now};
    in.append(ItemPhaseChanged{.item = id, .phase = phase});
    return {};
}

Result<void> Router::set_recovering(const Uuid& id, bool recovering, std::string_view reason, Instant now) {
    auto& in = *internals_;
    const auto item = in.find_item(id);
    if (item == nobody) return no_such_item();
    if (in.items[item].state != ItemState::assigned) return conflict("wrong_state", "nobody is working on it");
    if (in.items[item].recovering == recovering) return {};
    const Decision decision{in, now};
    in.append(ItemRecovering{.item = id, .recovering = recovering, .reason = std::string{reason}});
    return {};
}

Result<void> Router::requeue(const Uuid& id, const std::string& queue_id, const std::string& only, bool front, std::string_view cause, Instant now, bool wraps_up) {
    auto& in = *internals_;
    const auto item = in.find_item(id);
    if (item == nobody) return no_such_item();
    const auto queue = queue_id.empty() ? in.items[item].queue : in.find_queue(queue_id);
    if (queue == nobody) return not_found("unknown_queue", queue_id.empty() ? "it came from no queue" : "there is no queue \"" + queue_id + "\"");
    if (!only.empty() && in.find_agent(only) == nobody) return not_found("unknown_agent", "there is no agent \"" + only + "\"");
    const Decision decision{in, now};
    while (!in.items[item].offers.empty()) in.end_offer(in.items[item].offers.front(), OfferResult::rescinded, "cancelled", {}, false);
    const auto part = wraps_up ? in.begin_part(item) : Uuid{};
    in.requeue(item, queue, only, front, cause);
    in.wrap_part(part, now);
    return {};
}

Result<void> Router::finish(const Uuid& id, std::string_view outcome, std::string_view reason, Instant now) {
    auto& in = *internals_;
    const auto item = in.find_item(id);
    if (item == nobody) return no_such_item();
    if (in.items[item].state != ItemState::assigned) return conflict("wrong_state", "nobody is working on it");
    const auto queue = in.items[item].queue;
    const auto wrap_up = queue == nobody ? Duration{0} : in.queues[queue]->definition.wrap_up;
    const Decision decision{in, now};
    if (wrap_up > Duration{0})
        in.append(ItemWrapping{.item = id, .deadline = unix_ms(now + wrap_up), .outcome = std::string{outcome}, .reason = std::string{reason}});
    else in.append(ItemEnded{.id = id, .state = "completed", .outcome = std::string{outcome}, .disposition = {}, .reason = std::string{reason}, .sealed = {}});
    return {};
}

Result<void> Router::end(const ItemEnded& terms, Instant now) {
    auto& in = *internals_;
    const auto item = in.find_item(terms.id);
    if (item == nobody) return no_such_item();
    if (!is_final(terms.state)) return invalid("/state", "must be completed, abandoned, flowed_out, cancelled or expired");
    const Decision decision{in, now};
    while (!in.items[item].offers.empty()) in.end_offer(in.items[item].offers.front(), OfferResult::cancelled, "cancelled", {}, false);
    in.append(terms);
    return {};
}

}  // namespace touchgate::routing
