// Calls after a start of the gateway, and while their telephone system is gone: what is still there goes on, what is not is over, and what nobody
// knows is ended.

#include "gateway/engine/call_host.hpp"
#include "gateway/routing/parts.hpp"

namespace touchgate {

namespace {

constexpr Duration time_to_end{5'000};  // for a recording, before it is fetched though nobody said that it ended

}  // namespace

void Engine::Internals::begin_calls() {
    begin_recordings();
    // Who was busy because he was asked for advice is free: the consultation ended with the program.
    for (const auto id : router.agents()) {
        const auto view = router.agent(id);
        for (const auto& item : std::vector<Uuid>{view->items})
            if (!state.interactions.contains(routing::whole_of(item).value_or(item))) (void)router.end({.id = item, .state = "cancelled", .outcome = {}, .disposition = {}, .reason = "restart", .sealed = {}}, now);
    }
    std::vector<Uuid> live;
    for (const auto& [id, call] : state.calls) {
        for (const auto& recording : call.recordings)
            if (recording.runs() || recording.state == voice::RecordingState::ended) call_names[call_key(call.account, recording.name)] = id;
        if (call.is_over()) continue;
        live.push_back(id);
        for (const auto& party : call.parties) call_names[call_key(call.account, party.leg)] = id;
    }
    for (const auto& id : live) {
        with_call(id, [](voice::Machine& machine) { machine.lost(); });
        if (const auto item = router.item(id); item && item->state == routing::ItemState::assigned) (void)router.set_recovering(id, true, "restart", now);
    }
}

void Engine::Internals::lose_calls(AccountNumber account, std::string_view reason) {
    const auto& name = accounts[account].settings.name;
    std::vector<Uuid> affected;
    for (const auto& [id, call] : state.calls)
        if (!call.is_over() && call.account == name) affected.push_back(id);
    for (const auto& id : affected) {
        with_call(id, [](voice::Machine& machine) { machine.lost(); });
        if (const auto item = router.item(id); item && item->state == routing::ItemState::assigned) (void)router.set_recovering(id, true, reason.empty() ? "pbx_down" : reason, now);
    }
}

void Engine::Internals::recover_calls(AccountNumber account, const channel::Snapshot& snapshot) {
    const auto& name = accounts[account].settings.name;
    std::vector<Uuid> affected;
    for (auto& [id, call] : state.calls) {
        if (call.account != name) continue;
        for (auto& recording : call.recordings) {
            if (recording.state != voice::RecordingState::ended) continue;
            // Whether the order to end it arrived, and its end was told, is not known.
            recording.end_heard = false;
            call_orders.push_back({.account = account, .id = 0, .command = channel::StopRecording{.recording = recording.name}});
            fetch_agenda.insert({now + time_to_end, id, recording.name});
        }
        if (!call.is_over()) affected.push_back(id);
    }
    for (const auto& id : affected) {
        const auto item = router.item(id);
        if (item && item->state == routing::ItemState::recovering) (void)router.set_recovering(id, false, {}, now);
        const auto plan = plan_again(state.calls.at(id));
        with_call(id, [&](voice::Machine& machine) { machine.recover(snapshot, plan); });
    }

    // What is there and belongs to no call of ours. One that came in and still waits to be answered is a caller like any other.
    for (const auto& leg : snapshot.legs) {
        if (leg.unsure || call_names.contains(call_key(name, leg.leg))) continue;
        if (leg.arrived && !leg.answered && leg.owner.empty() && leg.role == channel::LegRole::customer) {
            channel::LegArrived arrival;
            arrival.leg = leg.leg;
            arrival.from = leg.number;
            arrival.at = leg.since;
            arrival.to = leg.to;
            arrival.endpoint = leg.endpoint;
            take_arrival(account, arrival);
        } else {
            call_orders.push_back({.account = account, .id = 0, .command = channel::EndLeg{.leg = leg.leg}});
        }
    }
    for (const auto& mix : snapshot.mixes) {
        const auto owner = parse_uuid(mix.owner);
        const auto* call = owner ? live_call(*owner) : nullptr;
        if (call == nullptr || call->mix != mix.mix) call_orders.push_back({.account = account, .id = 0, .command = channel::EndMix{.mix = mix.mix}});
    }
}

}  // namespace touchgate
