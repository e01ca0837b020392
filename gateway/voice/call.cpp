#include "gateway/voice/call.hpp"

#include <algorithm>

namespace touchgate::voice {

namespace {

void end_hold(Call& call, Instant at) {
    if (call.held_since != Instant::min()) call.hold_ms += std::max<std::int64_t>(0, (at - call.held_since).count());
    call.held_since = Instant::min();
    call.held = false;
}

void end_talk(Call& call, Instant at) {
    end_hold(call, at);
    if (call.talking_since != Instant::min()) call.talk_ms += std::max<std::int64_t>(0, (at - call.talking_since).count());
    call.talking_since = Instant::min();
}

struct Fold {
    Call& call;
    Instant at;

    void operator()(const CallStarted& e) const {
        call = Call{};
        call.id = e.call;
        call.account = e.account;
        call.did = e.did;
        call.queue = e.queue;
        call.agent = call.dialed_by = e.agent;
        call.outbound = e.outbound;
        call.touch = e.touch;
        call.attempt = e.attempt;
        call.sealed = e.sealed;
        call.started_at = call.stage_at = at;
    }
    void operator()(const CallPermitted& e) const {
        call.touch = e.touch;
        call.attempt = e.attempt;
    }
    void operator()(const StageChanged& e) const {
        const auto from = call.stage;
        call.stage = e.stage;
        call.stage_at = at;
        call.reason = e.reason;
        if (e.stage != Stage::talking && e.stage != Stage::outside) {
            end_talk(call, at);
            call.consult = Consult::none;
        }
        if (e.stage == Stage::waiting && call.queued_at == Instant::min()) call.queued_at = at;
        if (e.stage == Stage::calling_agent && from == Stage::waiting && call.bridged_at == Instant::min()) call.accepted_at = at;
        if (e.stage == Stage::waiting && call.bridged_at == Instant::min()) call.accepted_at = Instant::min();
    }
    void operator()(const LegAdded& e) const {
        Party made;
        made.leg = e.leg;
        made.use = e.use;
        made.who = e.who;
        made.arrived = e.arrived;
        made.added_at = at;
        call.parties.push_back(std::move(made));
        if (e.use == Use::agent) call.agent = e.who;
    }
    void operator()(const LegRang& e) const {
        if (auto* party = call.leg(e.leg)) party->rang = true;
    }
    void operator()(const LegUp& e) const {
        auto* party = call.leg(e.leg);
        if (party == nullptr || party->up) return;
        party->up = true;
        party->up_at = at;
        if (party->use == Use::customer) call.customer_up_at = at;
        // How long a telephone rang before the two could talk: the agent's of a call that came in, the customer's of one that was made.
        if (call.bridged_at == Instant::min() && party->use == (call.outbound ? Use::customer : Use::agent)) call.ring_ms = std::max<std::int64_t>(0, (at - party->added_at).count());
    }
    void operator()(const LegGone& e) const {
        const auto found = std::find_if(call.parties.begin(), call.parties.end(), [&](const Party& party) { return party.leg == e.leg; });
        if (found == call.parties.end()) return;
        if (e.use == Use::customer) {
            call.cause = e.cause;
            call.tech_cause = e.tech_cause;
            if (call.outbound && !found->up) call.ring_ms = std::max<std::int64_t>(0, (at - found->added_at).count());
        }
        if (e.use == Use::customer || (e.use == Use::agent && call.stage == Stage::talking)) end_talk(call, at);
        call.parties.erase(found);
    }
    void operator()(const LegSwapped& e) const {
        if (auto* party = call.leg(e.leg)) party->leg = e.by;
    }
    void operator()(const Bridged& e) const {
        call.mix = e.mix;
        if (call.bridged_at == Instant::min()) call.bridged_at = at;
        if (call.talking_since == Instant::min()) call.talking_since = at;
        if (call.customer_up_at == Instant::min()) call.customer_up_at = at;
    }
    void operator()(const HeldChanged& e) const {
        if (!e.held) return end_hold(call, at);
        call.held = true;
        call.held_since = at;
    }
    void operator()(const ConsultChanged& e) const {
        call.consult = e.state;
        if (e.reason != "completed") return;
        for (auto& party : call.parties)
            if (party.use == Use::consult) {
                party.use = e.with.starts_with("agent:") ? Use::agent : Use::outside;
                if (party.use == Use::agent) call.agent = party.who;
            }
    }
    void operator()(const RecordingChanged& e) const {
        auto found = std::find_if(call.recordings.begin(), call.recordings.end(), [&](const Recording& each) { return each.name == e.recording; });
        if (found == call.recordings.end()) {
            Recording made;
            made.name = e.recording;
            made.voicemail = e.voicemail;
            found = call.recordings.insert(call.recordings.end(), std::move(made));
        }
        found->state = e.state;
        if (e.lasted_ms > 0) found->lasted_ms = e.lasted_ms;
        if (e.bytes > 0) found->bytes = e.bytes;
        if (!e.content_type.empty()) found->content_type = e.content_type;
    }
    void operator()(const SupervisionChanged&) const {}
    void operator()(const CallEnded& e) const {
        end_talk(call, at);
        call.consult = Consult::none;
        call.stage = Stage::ended;
        call.stage_at = call.ended_at = at;
        call.outcome = e.outcome;
        call.hung_up_by = e.hung_up_by;
        call.queue = e.queue;
        call.parties.clear();
    }
};

}  // namespace

Party* Call::party(Use use) {
    const auto found = std::find_if(parties.begin(), parties.end(), [&](const Party& each) { return each.use == use; });
    return found == parties.end() ? nullptr : &*found;
}

Party* Call::leg(std::string_view name) {
    const auto found = std::find_if(parties.begin(), parties.end(), [&](const Party& each) { return each.leg == name; });
    return found == parties.end() ? nullptr : &*found;
}

std::int64_t Call::talked(Instant now) const { return talk_ms + (talking_since == Instant::min() ? 0 : std::max<std::int64_t>(0, (now - talking_since).count())); }
std::int64_t Call::was_held(Instant now) const { return hold_ms + (held_since == Instant::min() ? 0 : std::max<std::int64_t>(0, (now - held_since).count())); }
std::int64_t Call::waited(Instant now) const {
    if (queued_at == Instant::min()) return 0;
    const auto until = accepted_at != Instant::min() ? accepted_at : ended_at != Instant::min() ? ended_at : now;
    return std::max<std::int64_t>(0, (until - queued_at).count());
}

void apply(Call& call, const Fact& fact, Instant at) { std::visit(Fold{call, at}, fact); }

std::string_view to_string(Stage stage) {
    switch (stage) {
        case Stage::arrived: return "arrived";
        case Stage::greeting: return "greeting";
        case Stage::menu: return "menu";
        case Stage::waiting: return "waiting";
        case Stage::calling_agent: return "calling_agent";
        case Stage::joining: return "joining";
        case Stage::talking: return "talking";
        case Stage::calling_customer: return "calling_customer";
        case Stage::calling_outside: return "calling_outside";
        case Stage::outside: return "outside";
        case Stage::playing: return "playing";
        case Stage::voicemail: return "voicemail";
        case Stage::ending: return "ending";
        case Stage::ended: return "ended";
    }
    return "ended";
}

std::string_view to_string(Use use) {
    switch (use) {
        case Use::customer: return "customer";
        case Use::agent: return "agent";
        case Use::consult: return "consult";
        case Use::outside: return "outside";
        case Use::supervisor: return "supervisor";
        case Use::snoop: return "snoop";
    }
    return "customer";
}

std::string_view to_string(Consult consult) {
    switch (consult) {
        case Consult::none: return "none";
        case Consult::ringing: return "ringing";
        case Consult::private_talk: return "private";
        case Consult::with_customer: return "with_customer";
        case Consult::conference: return "conference";
    }
    return "none";
}

std::string_view to_string(RecordingState state) {
    switch (state) {
        case RecordingState::begun: return "begun";
        case RecordingState::paused: return "paused";
        case RecordingState::resumed: return "resumed";
        case RecordingState::ended: return "ended";
        case RecordingState::stored: return "stored";
        case RecordingState::failed: return "failed";
        case RecordingState::deleted: return "deleted";
    }
    return "failed";
}

std::string_view to_string(Supervising how) {
    switch (how) {
        case Supervising::none: return "coach_off";
        case Supervising::monitor: return "monitor";
        case Supervising::whisper: return "whisper";
        case Supervising::barge: return "barge";
    }
    return "coach_off";
}

}  // namespace touchgate::voice
