// Customer and agent together: joining, holding, asking others, handing on, listening in, recording; and what a snapshot says of it all.

#include <algorithm>

#include "gateway/voice/machine.hpp"

namespace touchgate::voice {

namespace {

constexpr Duration consult_ring{32'000};
constexpr int rejoins_max = 2;

}  // namespace

// ---- together

void Machine::join() {
    auto* customer = call_.party(Use::customer);
    auto* agent = call_.party(Use::agent);
    if (customer == nullptr || agent == nullptr) return;
    silence();
    if (customer->arrived && !customer->up && rules_.inbound.ringing) to(channel::AnswerLeg{.leg = customer->leg});
    if (call_.mix.empty()) {
        call_.mix = host_.new_name();  // Bridged will say so; until then it is only wanted
        to(channel::MakeMix{.mix = call_.mix, .owner = to_string(call_.id)});
    }
    move(Stage::joining);
    put_in(*agent);
    put_in(*customer);
}

void Machine::on(const channel::LegJoined& event) {
    auto* party = call_.leg(event.leg);
    if (party == nullptr || event.mix != call_.mix) return;
    party->joined = true;
    if (call_.stage != Stage::joining) return;
    const auto* customer = call_.party(Use::customer);
    const auto* agent = call_.party(Use::agent);
    if (customer != nullptr && agent != nullptr && customer->joined && agent->joined) bridged(false);
}

void Machine::bridged(bool again) {
    move(Stage::talking);
    host_.note(Bridged{.call = call_.id, .mix = call_.mix, .agent = call_.agent, .again = again});
    host_.phase(AgentPhase::active);
    if (!again) begin_recording();
}

void Machine::on(const channel::LegParted& event) {
    auto* party = call_.leg(event.leg);
    if (party == nullptr || event.mix != call_.mix) return;
    const bool meant = !party->wanted;  // we took it out
    party->joined = false;
    if (meant || (call_.stage != Stage::talking && call_.stage != Stage::joining)) return;
    if (party->use != Use::customer && party->use != Use::agent) return;
    // A leg that leaves at once has no sound in common with the others, or its telephone is just handing it on: it is tried again, then it is over.
    if (call_.live.rejoined++ < rejoins_max) put_in(*party);
    else finish("failed", "network");
}

void Machine::put_in(Party& party) {
    party.wanted = true;
    to(channel::JoinLeg{.mix = call_.mix, .leg = party.leg});
}

void Machine::take_out(Party& party) {
    if (party.wanted) to(channel::PartLeg{.mix = call_.mix, .leg = party.leg});
    party.wanted = party.joined = false;
}

void Machine::customer_out() {
    auto* customer = call_.party(Use::customer);
    if (customer == nullptr) return;
    take_out(*customer);
    entertain();
}

void Machine::customer_in() {
    auto* customer = call_.party(Use::customer);
    if (customer == nullptr) return;
    silence();
    if (call_.mix.empty()) {
        call_.mix = host_.new_name();
        to(channel::MakeMix{.mix = call_.mix, .owner = to_string(call_.id)});
    }
    put_in(*customer);
}

// ---- what the agent does

bool Machine::hold(bool held) {
    if (!can_act() || call_.stage != Stage::talking || call_.consult != Consult::none) return false;
    if (call_.held == held) return true;
    if (held) customer_out();
    else customer_in();
    host_.note(HeldChanged{.call = call_.id, .held = held});
    host_.phase(held ? AgentPhase::held : AgentPhase::active);
    return true;
}

void Machine::on(const channel::LegHeld& event) {
    const auto* party = call_.leg(event.leg);
    if (party != nullptr && party->use == Use::agent) (void)hold(event.held);
}

bool Machine::mute(bool muted) {
    const auto* agent = call_.party(Use::agent);
    if (!can_act() || agent == nullptr || !agent->up) return false;
    if (call_.live.muted != muted) to(channel::MuteLeg{.leg = agent->leg, .muted = muted});
    call_.live.muted = muted;
    return true;
}

bool Machine::send_digits(const std::string& digits) {
    const auto* customer = call_.party(Use::customer);
    if (!can_act() || call_.stage != Stage::talking || customer == nullptr) return false;
    to(channel::SendDigits{.leg = customer->leg, .digits = digits});
    return true;
}

bool Machine::release(const std::string& reason) {
    if (!can_act()) return false;
    if (call_.stage != Stage::talking && call_.stage != Stage::joining && call_.stage != Stage::calling_agent && call_.stage != Stage::waiting) return false;
    if (call_.party(Use::customer) == nullptr) return false;
    if (call_.stage != Stage::waiting) wait_again(reason);
    else if (call_.is_parked()) move(Stage::waiting, reason);
    return true;
}

bool Machine::park() {
    if (!can_act() || call_.stage != Stage::talking || call_.consult != Consult::none || call_.party(Use::customer) == nullptr) return false;
    wait_again("parked");
    call_.live.deadline = now_ + rules_.longest_park;
    call_.live.tick = instant_never;  // he has no place in the queue that could be told
    return true;
}

bool Machine::transfer_outside(const std::string& name, const std::string& number) {
    if (!can_act() || call_.stage != Stage::talking || call_.consult != Consult::none) return false;
    customer_out();
    move(Stage::calling_outside, name);
    const auto leg = host_.new_name();
    const auto made = host_.command(channel::MakeLeg{.leg = leg, .owner = to_string(call_.id), .role = channel::LegRole::outside, .target = number, .endpoint = {}, .caller_id = {},
                                                     .caller_name = {}, .ring_timeout = rules_.ring_timeout});
    add(Use::outside, name, leg, false).command = made;
    end_supervision();
    drop_all(Use::agent);
    host_.phase(AgentPhase::dialing);
    return true;
}

void Machine::on(const channel::TransferAsked& event) {
    const auto* party = call_.leg(event.leg);
    if (party != nullptr && party->use == Use::agent && call_.stage == Stage::talking) host_.transfer_asked(event.to);
}

// ---- asking somebody else. All is done in the one mix: who is not to hear is taken out.

bool Machine::consult(const std::string& with, const std::string& target) {
    if (!can_act() || call_.stage != Stage::talking || call_.consult != Consult::none || target.empty()) return false;
    if (!call_.held) customer_out();
    else host_.note(HeldChanged{.call = call_.id, .held = false});
    host_.note(ConsultChanged{.call = call_.id, .state = Consult::ringing, .with = with, .reason = {}});
    const bool colleague = with.starts_with("agent:");
    const auto leg = host_.new_name();
    const auto made = host_.command(channel::MakeLeg{.leg = leg, .owner = to_string(call_.id), .role = colleague ? channel::LegRole::agent : channel::LegRole::outside, .target = target,
                                                     .endpoint = {}, .caller_id = {}, .caller_name = {}, .ring_timeout = Duration{30'000}});
    add(Use::consult, colleague ? with.substr(6) : with, leg, false).command = made;
    call_.live.tick = now_ + consult_ring;
    host_.phase(AgentPhase::consulting);
    return true;
}

bool Machine::consult_toggle() {
    auto* asked = call_.party(Use::consult);
    if (!can_act() || asked == nullptr || (call_.consult != Consult::private_talk && call_.consult != Consult::with_customer)) return false;
    if (call_.consult == Consult::private_talk) {
        take_out(*asked);
        to(channel::StartMusic{.leg = asked->leg, .music = rules_.music});
        customer_in();
        host_.note(ConsultChanged{.call = call_.id, .state = Consult::with_customer, .with = {}, .reason = {}});
    } else {
        customer_out();
        to(channel::StopMusic{.leg = asked->leg});
        put_in(*asked);
        host_.note(ConsultChanged{.call = call_.id, .state = Consult::private_talk, .with = {}, .reason = {}});
    }
    return true;
}

bool Machine::conference() {
    auto* asked = call_.party(Use::consult);
    if (!can_act() || asked == nullptr || (call_.consult != Consult::private_talk && call_.consult != Consult::with_customer)) return false;
    if (call_.consult == Consult::private_talk) {
        customer_in();
    } else {
        to(channel::StopMusic{.leg = asked->leg});
        put_in(*asked);
    }
    host_.note(ConsultChanged{.call = call_.id, .state = Consult::conference, .with = {}, .reason = {}});
    host_.phase(AgentPhase::conference);
    return true;
}

bool Machine::consult_complete() {
    auto* asked = call_.party(Use::consult);
    if (call_.live.lost_since != instant_never || asked == nullptr || !asked->up || call_.consult == Consult::none || call_.consult == Consult::ringing) return false;
    const auto state = call_.consult;
    const auto leg = asked->leg;
    const auto who = asked->who;
    const bool colleague = !who.starts_with("phone:");
    const auto* agent = call_.party(Use::agent);
    const auto old = agent == nullptr ? channel::LegId{} : agent->leg;
    end_supervision();
    if (state == Consult::private_talk) customer_in();
    if (state == Consult::with_customer) {
        to(channel::StopMusic{.leg = leg});
        put_in(*asked);
    }
    host_.note(ConsultChanged{.call = call_.id, .state = Consult::none, .with = colleague ? "agent:" + who : who, .reason = "completed"});
    if (!old.empty()) drop(old);
    if (colleague) {
        host_.handed_on(who);
        host_.note(Bridged{.call = call_.id, .mix = call_.mix, .agent = who, .again = false});
        move(Stage::talking, "transfer");
        host_.phase(AgentPhase::active);
    } else {
        move(Stage::outside);
        host_.handed_on({});
    }
    return true;
}

bool Machine::consult_cancel() {
    if (!can_act() || call_.consult == Consult::none) return false;
    drop_all(Use::consult);
    consult_gone();
    return true;
}

void Machine::consult_gone() {
    if (call_.consult == Consult::none) return;
    const auto state = call_.consult;
    call_.live.tick = instant_never;
    host_.note(ConsultChanged{.call = call_.id, .state = Consult::none, .with = {}, .reason = "left"});
    host_.consult_over();
    if (call_.stage != Stage::talking) return;
    if (state == Consult::ringing || state == Consult::private_talk) customer_in();
    host_.phase(AgentPhase::active);
}

// ---- listening in

bool Machine::supervise(const std::string& supervisor, const std::string& extension, Supervising how) {
    if (!can_act() || call_.stage != Stage::talking) return false;
    const auto known = call_.live.supervisors.find(supervisor);
    if (how == Supervising::none) {
        if (known == call_.live.supervisors.end()) return false;
        const auto mix = known->second.second;
        call_.live.supervisors.erase(known);
        for (;;) {
            const auto found = std::find_if(call_.parties.begin(), call_.parties.end(),
                                            [&](const Party& party) { return (party.use == Use::supervisor || party.use == Use::snoop) && party.who == supervisor; });
            if (found == call_.parties.end()) break;
            drop(channel::LegId{found->leg});
        }
        if (!mix.empty()) to(channel::EndMix{.mix = mix});
        host_.note(SupervisionChanged{.call = call_.id, .supervisor = supervisor, .how = how});
        return true;
    }
    if (known != call_.live.supervisors.end()) {
        if (known->second.first == how) return true;
        known->second.first = how;
        host_.note(SupervisionChanged{.call = call_.id, .supervisor = supervisor, .how = how});
        apply_supervision(supervisor);
        return true;
    }
    if (extension.empty()) return false;
    host_.note(SupervisionChanged{.call = call_.id, .supervisor = supervisor, .how = how});
    call_.live.supervisors[supervisor] = {how, {}};
    const auto leg = host_.new_name();
    const auto made = host_.command(channel::MakeLeg{.leg = leg, .owner = to_string(call_.id), .role = channel::LegRole::supervisor, .target = extension, .endpoint = {}, .caller_id = {},
                                                     .caller_name = {}, .ring_timeout = rules_.agent_ring_timeout});
    add(Use::supervisor, supervisor, leg, false).command = made;
    return true;
}

// Each way of listening is made anew: what a snooping leg may do cannot be changed.
void Machine::apply_supervision(const std::string& supervisor) {
    const auto known = call_.live.supervisors.find(supervisor);
    const auto own = [&](Use use) {
        return std::find_if(call_.parties.begin(), call_.parties.end(), [&](const Party& party) { return party.use == use && party.who == supervisor; });
    };
    const auto desk = own(Use::supervisor);
    const auto* agent = call_.party(Use::agent);
    if (known == call_.live.supervisors.end() || desk == call_.parties.end() || !desk->up) return;
    const auto leg = desk->leg;
    if (const auto old = own(Use::snoop); old != call_.parties.end()) drop(channel::LegId{old->leg});
    auto& [how, mix] = known->second;
    if (how == Supervising::barge) {
        if (!mix.empty()) to(channel::PartLeg{.mix = mix, .leg = leg});
        put_in(*call_.leg(leg));
        return;
    }
    if (agent == nullptr) return;
    take_out(*call_.leg(leg));
    if (mix.empty()) {
        mix = host_.new_name();
        to(channel::MakeMix{.mix = mix, .owner = to_string(call_.id)});
    }
    const auto snoop = host_.new_name();
    const auto made = host_.command(channel::SnoopLeg{.leg = snoop, .of = agent->leg, .owner = to_string(call_.id), .whisper = how == Supervising::whisper});
    add(Use::snoop, supervisor, snoop, false).command = made;
    to(channel::JoinLeg{.mix = mix, .leg = leg});
    to(channel::JoinLeg{.mix = mix, .leg = snoop});
}

void Machine::end_supervision() {
    drop_all(Use::snoop);
    drop_all(Use::supervisor);
    for (const auto& [supervisor, way] : call_.live.supervisors) {
        if (!way.second.empty()) to(channel::EndMix{.mix = way.second});
        host_.note(SupervisionChanged{.call = call_.id, .supervisor = supervisor, .how = Supervising::none});
    }
    call_.live.supervisors.clear();
}

// ---- recording

void Machine::begin_recording() {
    if (!host_.is_recorded()) return;
    if (std::any_of(call_.recordings.begin(), call_.recordings.end(), [](const Recording& each) { return each.runs(); })) return;
    const auto name = host_.new_name();
    if (!rules_.recording.consent.empty())
        to(channel::Play{.play = host_.new_name(), .leg = {}, .mix = call_.mix, .media = rules_.recording.consent, .language = rules_.language});
    host_.note(RecordingChanged{.call = call_.id, .recording = name, .state = RecordingState::begun});
    to(channel::StartRecording{.recording = name, .leg = {}, .mix = call_.mix, .beep = rules_.recording.beep, .longest = rules_.longest_call});
}

void Machine::go_on_recording() {
    // The order to begin may not have arrived. Where it did, the name is taken and it goes on as it was.
    for (const auto& each : std::vector<Recording>{call_.recordings}) {
        if (!each.runs() || each.voicemail) continue;
        to(channel::StartRecording{.recording = each.name, .leg = {}, .mix = call_.mix, .beep = false, .longest = rules_.longest_call});
        if (each.state == RecordingState::paused) to(channel::PauseRecording{.recording = each.name, .paused = true});
    }
}

bool Machine::pause_recording(bool paused) {
    const auto found = std::find_if(call_.recordings.begin(), call_.recordings.end(), [](const Recording& each) { return each.runs(); });
    if (!can_act() || found == call_.recordings.end()) return false;
    const auto name = found->name;
    if ((found->state == RecordingState::paused) == paused) return true;
    to(channel::PauseRecording{.recording = name, .paused = paused});
    host_.note(RecordingChanged{.call = call_.id, .recording = name, .state = paused ? RecordingState::paused : RecordingState::resumed});
    return true;
}

void Machine::stop_recordings() {
    std::vector<std::pair<std::string, bool>> running;
    for (const auto& each : call_.recordings)
        if (each.runs()) running.emplace_back(each.name, each.voicemail);
    for (const auto& [name, of_leg] : running) {
        to(channel::StopRecording{.recording = name, .mix = of_leg ? channel::MixId{} : call_.mix});
        host_.note(RecordingChanged{.call = call_.id, .recording = name, .state = RecordingState::ended});
    }
}

void Machine::on(const channel::RecordingEnded& event) {
    const auto found = std::find_if(call_.recordings.begin(), call_.recordings.end(), [&](const Recording& each) { return each.name == event.recording; });
    if (found == call_.recordings.end() || found->state == RecordingState::stored || found->state == RecordingState::failed ||
        found->state == RecordingState::deleted)
        return;
    // A system that was asked to end what had ended says so twice.
    if (std::exchange(found->end_heard, true)) return;
    const bool message = found->voicemail, failed = !event.failure.empty();
    host_.note(RecordingChanged{.call = call_.id, .recording = event.recording, .state = failed ? RecordingState::failed : RecordingState::ended, .lasted_ms = event.lasted.count(),
                                .bytes = 0, .content_type = {}, .failure = event.failure, .voicemail = message});
    if (!failed) to(channel::FetchRecording{.recording = event.recording});
    if (message && call_.stage == Stage::voicemail) say_and_end(rules_.goodbye, "cancelled");
}

// ---- trouble

void Machine::lost() {
    if (call_.is_over() || call_.live.lost_since != instant_never) return;
    call_.live.lost_since = now_;
    call_.live.deadline = now_ + rules_.lost_after;
    call_.live.tick = instant_never;
}

void Machine::recover(const channel::Snapshot& snapshot, const Plan& plan) {
    auto& live = call_.live;
    live.lost_since = instant_never;
    live.play.clear();
    live.music = false;
    if (call_.is_over()) return;
    if (live.plan.kind == Plan::Kind::none) live.plan = plan;
    // Who waited for an agent meanwhile is given the time again: nobody could be with him.
    if (awaits_agent() && call_.customer_up_at != Instant::min()) live.agent_by = now_ + live.plan.agent_within;
    arm();

    const auto seen = [&](std::string_view leg) -> const channel::Snapshot::Leg* {
        const auto found = std::find_if(snapshot.legs.begin(), snapshot.legs.end(), [&](const channel::Snapshot::Leg& each) { return each.leg == leg; });
        return found == snapshot.legs.end() ? nullptr : &*found;
    };
    for (auto& party : call_.parties) party.joined = party.wanted = false;
    for (const auto& mix : snapshot.mixes)
        if (mix.mix == call_.mix)
            for (const auto& leg : mix.legs)
                if (auto* party = call_.leg(leg)) party->joined = party->wanted = true;
    // Who listened is not needed to go on.
    drop_all(Use::snoop);
    drop_all(Use::supervisor);

    const auto missing = [&](Use use) -> std::optional<LegGone> {
        const auto* party = call_.party(use);
        if (party == nullptr || seen(party->leg) != nullptr) return std::nullopt;
        return LegGone{.call = call_.id, .leg = party->leg, .use = use, .cause = 0, .tech_cause = 0, .outcome = "unknown", .by_far_end = true, .estimated = true};
    };
    if (const auto customer = missing(Use::customer)) {
        const bool was_up = call_.party(Use::customer)->up;
        const bool lost_there = snapshot.began_at && *snapshot.began_at > call_.started_at;
        auto fact = *customer;
        fact.by_far_end = !lost_there;
        host_.note(fact);
        if (lost_there && customer_is_served()) return customer_lost();
        return customer_gone(fact, was_up);
    }
    if (call_.stage == Stage::ending) {
        if (const auto* customer = call_.party(Use::customer)) to(channel::EndLeg{.leg = customer->leg});
        return;
    }
    for (const auto use : {Use::consult, Use::outside, Use::agent})
        if (const auto lost_leg = missing(use)) {
            host_.note(*lost_leg);
            gone(*lost_leg);
            if (call_.is_over() || call_.stage == Stage::ending) return;
        }
    // What was answered meanwhile.
    std::vector<channel::LegId> answered;
    for (const auto& party : call_.parties)
        if (const auto* leg = seen(party.leg); leg != nullptr && leg->answered && !party.up) answered.push_back(party.leg);
    const auto stage_before = call_.stage;
    for (const auto& leg : answered) on(channel::LegAnswered{.leg = leg, .by = channel::AnsweredBy::unasked, .at = now_});
    if (call_.stage != stage_before) return;  // it goes on from there

    auto* customer = call_.party(Use::customer);
    auto* agent = call_.party(Use::agent);
    switch (call_.stage) {
        case Stage::talking: {
            if (customer == nullptr || agent == nullptr) return;
            const bool apart = call_.held || call_.consult == Consult::ringing || call_.consult == Consult::private_talk;
            if (!agent->joined) put_in(*agent);
            if (apart) customer_out();
            else if (!customer->joined) put_in(*customer);
            host_.note(Bridged{.call = call_.id, .mix = call_.mix, .agent = call_.agent, .again = true});
            return go_on_recording();
        }
        case Stage::joining: return join();
        case Stage::waiting: return entertain();
        case Stage::arrived:
        case Stage::greeting:
        case Stage::menu:
            // How far he was is not known: he is served rather than asked again.
            return to_queue(rules_.inbound.queue, -1, {});
        case Stage::playing: return finish(call_.outbound ? "dropped" : "cancelled", "gateway");
        case Stage::voicemail: return finish("cancelled", "gateway");
        case Stage::calling_agent:
            if (agent == nullptr && customer != nullptr) {
                wait_again("restart");
                host_.agent_unanswered("restart", false);
            }
            return;
        case Stage::calling_customer:
            if (customer == nullptr) finish("cancelled", "gateway");  // its permit is not known any more
            return;
        case Stage::calling_outside:
        case Stage::outside:
        case Stage::ending:
        case Stage::ended: return;
    }
}

}  // namespace touchgate::voice
