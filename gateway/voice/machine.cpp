// How a call goes from stage to stage: arrivals, dials, what its legs do.

#include "gateway/voice/machine.hpp"

#include <algorithm>

namespace touchgate::voice {

namespace {

constexpr Duration slack{2'000};             // by which the telephone system's own time-out comes first
constexpr int redials_max = 1;               // of an agent whose device dropped out of a call that no queue takes back

}  // namespace

Duration Machine::limit(Stage stage) const {
    switch (stage) {
        case Stage::arrived: return Duration{10'000};
        case Stage::greeting: return Duration{120'000};
        case Stage::menu: return Duration{120'000};
        case Stage::waiting: return rules_.longest_wait;
        case Stage::calling_agent: return rules_.agent_ring_timeout + slack;
        case Stage::joining: return Duration{5'000};
        case Stage::talking: return rules_.longest_call;
        case Stage::calling_customer: return rules_.ring_timeout + Duration{10'000};
        case Stage::calling_outside: return rules_.ring_timeout + slack;
        case Stage::outside: return rules_.longest_call;
        case Stage::playing: return Duration{300'000};
        case Stage::voicemail: return rules_.longest_message + Duration{10'000};
        case Stage::ending: return Duration{3'000};
        case Stage::ended: return Duration::max();
    }
    return Duration{3'000};
}

void Machine::arm() {
    call_.live.deadline = now_ + (call_.is_parked() ? rules_.longest_park : limit(call_.stage));
    const bool counts = call_.stage == Stage::waiting || call_.stage == Stage::calling_agent || call_.stage == Stage::joining;
    if (counts && awaits_agent()) call_.live.deadline = std::min(call_.live.deadline, call_.live.agent_by);
}

void Machine::move(Stage stage, std::string reason, std::string_view outcome, std::string_view by) {
    if (!outcome.empty()) reason = std::string{outcome}.append(" ").append(by);  // of the end: what close() will say
    host_.note(StageChanged{.call = call_.id, .stage = stage, .reason = std::move(reason)});
    if (call_.live.lost_since == instant_never) arm();
    if (stage != Stage::talking && stage != Stage::waiting) call_.live.tick = instant_never;
}

// ---- legs

Party& Machine::add(Use use, const std::string& who, const channel::LegId& leg, bool arrived) {
    host_.note(LegAdded{.call = call_.id, .leg = leg, .use = use, .who = who, .arrived = arrived});
    return *call_.leg(leg);
}

void Machine::drop(const channel::LegId& leg, channel::EndReason reason, std::string_view outcome) {
    const auto* party = call_.leg(leg);
    if (party == nullptr) return;
    const auto use = party->use;
    to(channel::EndLeg{.leg = leg, .reason = reason});
    host_.note(LegGone{.call = call_.id, .leg = leg, .use = use, .cause = 0, .tech_cause = 0, .outcome = std::string{outcome}, .by_far_end = false, .estimated = false});
}

void Machine::drop_all(Use use) {
    while (const auto* party = call_.party(use)) drop(channel::LegId{party->leg});
}

// ---- beginnings

void Machine::arrive(const channel::LegId& leg) {
    (void)add(Use::customer, {}, leg, true);
    move(Stage::arrived);
    const auto& inbound = rules_.inbound;
    if (inbound.ringing) {
        to(channel::RingLeg{.leg = leg});
        return after_greeting();
    }
    to(channel::AnswerLeg{.leg = leg});
    if (inbound.greeting.empty()) return after_greeting();
    move(Stage::greeting);
    play(inbound.greeting);
}

void Machine::after_greeting() {
    const auto& inbound = rules_.inbound;
    const auto route = std::find_if(inbound.routes.begin(), inbound.routes.end(), [&](const InboundRules::Route& each) { return each.did == call_.did; });
    const auto& menu = route != inbound.routes.end() && (!route->menu.empty() || !route->queue.empty()) ? route->menu : inbound.menu;
    if (const auto found = rules_.menus.find(menu); !menu.empty() && found != rules_.menus.end()) {
        call_.live.place = MenuPlace{.menu = menu, .node = {}, .digits = {}, .tries = 0, .entered = {}};
        move(Stage::menu);
        return follow(enter(found->second, call_.live.place, found->second.start, host_));
    }
    to_queue(route != inbound.routes.end() && !route->queue.empty() ? route->queue : inbound.queue, -1, {});
}

void Machine::follow(const MenuStep& step) {
    stop_play();
    switch (step.kind) {
        case MenuStep::Kind::play:
            play(step.media);
            call_.live.deadline = now_ + limit(Stage::menu);
            return;
        case MenuStep::Kind::listen: call_.live.deadline = now_ + step.within; return;
        case MenuStep::Kind::queue: return to_queue(step.node->queue, step.node->priority, step.node->needs);
        case MenuStep::Kind::voicemail: return take_message();
        case MenuStep::Kind::promise:
            host_.wants_promise();
            return say_and_end(rules_.promised, "cancelled");
        case MenuStep::Kind::hang_up: return say_and_end({}, "cancelled");
    }
}

void Machine::begin_by_agent(const std::string& agent) {
    call_.live.plan = Plan{.kind = Plan::Kind::agent_waits, .media = {}, .name = {}, .agent_within = {}, .detect_machine = false};
    move(Stage::calling_agent);
    ring_agent(agent);
}

void Machine::begin_at_telephone(const channel::LegId& leg, const std::string& agent) {
    call_.live.plan = Plan{.kind = Plan::Kind::agent_waits, .media = {}, .name = {}, .agent_within = {}, .detect_machine = false};
    (void)add(Use::agent, agent, leg, true);
    move(Stage::calling_customer, "permit");
    to(channel::RingLeg{.leg = leg});
    host_.phase(AgentPhase::dialing);
    host_.agent_is_up();
}

void Machine::dial_customer(const Target& target, Plan plan) {
    const bool detect = plan.detect_machine;
    call_.live.plan = std::move(plan);
    const auto ring = target.ring_timeout > Duration{0} ? target.ring_timeout : rules_.ring_timeout;
    move(Stage::calling_customer);
    call_.live.deadline = now_ + ring + Duration{10'000};  // the permit's time and the line's own come on top
    const auto leg = host_.new_name();
    const auto made = host_.command(channel::MakeLeg{.leg = leg, .owner = to_string(call_.id), .role = channel::LegRole::customer, .target = target.number, .endpoint = target.endpoint,
                                                     .caller_id = target.caller_id, .caller_name = {}, .ring_timeout = ring, .detect_machine = detect,
                                                     .permit_deadline = target.permit_deadline});
    add(Use::customer, {}, leg, false).command = made;
}

void Machine::refused() {
    if (!call_.is_over()) finish("cancelled", "gateway");
}

void Machine::ring_agent(const std::string& agent) {
    const auto extension = host_.extension_of(agent);
    if (extension.empty()) {
        // Without a telephone he cannot have it; that is nobody's ringing unanswered.
        if (call_.party(Use::customer) == nullptr) return finish("cancelled", "gateway");
        wait_again("no_extension");
        return host_.agent_unanswered("no_extension", true);
    }
    const auto leg = host_.new_name();
    const auto made = host_.command(channel::MakeLeg{.leg = leg, .owner = to_string(call_.id), .role = channel::LegRole::agent, .target = extension, .endpoint = {}, .caller_id = {},
                                                     .caller_name = {}, .ring_timeout = rules_.agent_ring_timeout});
    add(Use::agent, agent, leg, false).command = made;
    host_.phase(AgentPhase::dialing);
}

void Machine::accepted(const std::string& agent) {
    if (call_.is_over() || call_.stage == Stage::ending) return;
    if (call_.stage == Stage::calling_customer && call_.live.plan.kind == Plan::Kind::reserved) return;  // he has him as soon as he answers
    drop_all(Use::agent);
    move(Stage::calling_agent);
    if (call_.live.lost_since == instant_never) ring_agent(agent);
}

// ---- events of legs

void Machine::on(const channel::LegRinging& event) {
    const auto* party = call_.leg(event.leg);
    if (party == nullptr || party->rang || party->up) return;
    host_.note(LegRang{.call = call_.id, .leg = event.leg, .use = party->use});
}

void Machine::on(const channel::LegAnswered& event) {
    const auto* party = call_.leg(event.leg);
    if (party == nullptr || party->up || call_.is_over()) return;
    const auto use = party->use;
    const auto who = party->who;
    host_.note(LegUp{.call = call_.id, .leg = event.leg, .use = use, .by = event.by});
    if (call_.stage == Stage::ending) return;
    switch (use) {
        case Use::customer: return customer_up(event.by);
        case Use::agent: return agent_up();
        case Use::consult:
            if (call_.consult != Consult::ringing) return;
            if (auto* asked = call_.leg(event.leg)) put_in(*asked);
            host_.note(ConsultChanged{.call = call_.id, .state = Consult::private_talk, .with = {}, .reason = {}});
            call_.live.tick = instant_never;
            return;
        case Use::outside: {
            if (call_.stage != Stage::calling_outside) return;
            customer_in();
            if (auto* other = call_.leg(event.leg)) put_in(*other);
            drop_all(Use::agent);
            move(Stage::outside);
            host_.handed_on({});
            return;
        }
        case Use::supervisor: return apply_supervision(who);
        case Use::snoop: return;
    }
}

void Machine::customer_up(channel::AnsweredBy by) {
    if (call_.stage != Stage::calling_customer) return;  // one that came in: it was answered by us
    const auto plan = call_.live.plan;
    const auto agent = host_.customer_answered(by);
    if (call_.stage != Stage::calling_customer) return;
    if (plan.detect_machine && by == channel::AnsweredBy::machine) return finish("machine", "gateway");
    if (const auto* waiting = call_.party(Use::agent)) {
        if (waiting->arrived && !waiting->up) to(channel::AnswerLeg{.leg = waiting->leg});
        return join();
    }
    switch (plan.kind) {
        case Plan::Kind::play:
            move(Stage::playing);
            call_.live.played_is_content = true;
            call_.live.after_play = "answered";
            play(plan.media);
            if (call_.live.play.empty()) finish("answered", "gateway");
            return;
        case Plan::Kind::menu:
            if (const auto menu = rules_.menus.find(plan.name); menu != rules_.menus.end()) {
                call_.live.place = MenuPlace{.menu = plan.name, .node = {}, .digits = {}, .tries = 0, .entered = {}};
                move(Stage::menu);
                return follow(enter(menu->second, call_.live.place, menu->second.start, host_));
            }
            break;
        case Plan::Kind::queue: return to_queue(plan.name, -1, {});
        case Plan::Kind::reserved:
            if (plan.agent_within > Duration{0}) call_.live.agent_by = now_ + plan.agent_within;
            if (agent.empty()) {
                if (plan.agent_within <= Duration{0}) break;
                return move(Stage::waiting, "agent");
            }
            move(Stage::calling_agent);
            return ring_agent(agent);
        case Plan::Kind::agent_waits:
        case Plan::Kind::none: break;
    }
    say_and_end(rules_.dropped, "dropped");
}

bool Machine::agent_found(const std::string& agent) {
    if (call_.stage != Stage::waiting || !awaits_agent()) return false;
    move(Stage::calling_agent);
    ring_agent(agent);
    return true;
}

void Machine::agent_up() {
    if (call_.stage != Stage::calling_agent) return;
    if (call_.party(Use::customer) != nullptr) return join();
    move(Stage::calling_customer, "permit");
    host_.agent_is_up();
}

void Machine::on(const channel::LegEnded& event) {
    const auto* party = call_.leg(event.leg);
    if (party == nullptr) return;
    const bool was_up = party->up || event.was_answered || (party->arrived && party->use == Use::customer);
    const LegGone fact{.call = call_.id, .leg = event.leg, .use = party->use, .cause = event.cause, .tech_cause = event.tech_cause, .outcome = event.outcome,
                       .by_far_end = event.by_far_end, .estimated = false};
    host_.note(fact);
    if (fact.use == Use::customer) customer_gone(fact, was_up);
    else gone(fact);
}

void Machine::gone(const LegGone& event) {
    if (call_.is_over() || call_.stage == Stage::ending) return;
    switch (event.use) {
        case Use::customer: return;
        case Use::agent: return agent_gone(event);
        case Use::consult: return consult_gone();
        case Use::outside:
            if (call_.stage == Stage::outside) return finish("answered", "network");
            if (call_.stage == Stage::calling_outside) {
                wait_again("transfer_failed");
                if (!host_.agent_dropped("transfer_failed")) finish("answered", "gateway");
            }
            return;
        case Use::supervisor:
        case Use::snoop: {
            std::erase_if(call_.live.supervisors, [&](const auto& each) {
                return std::none_of(call_.parties.begin(), call_.parties.end(), [&](const Party& party) { return party.use == Use::supervisor && party.who == each.first; });
            });
            return;
        }
    }
}

void Machine::customer_gone(const LegGone& event, bool was_up) {
    call_.live.music = false;
    call_.live.play.clear();
    if (event.estimated) call_.live.estimated = true;
    switch (call_.stage) {
        case Stage::ended: return;
        case Stage::ending: {
            // What the end was for is in the stage's reason.
            const auto space = call_.reason.find(' ');
            return close(call_.reason.substr(0, space), space == std::string::npos ? std::string_view{"gateway"} : std::string_view{call_.reason}.substr(space + 1));
        }
        case Stage::calling_customer: {
            if (was_up) return finish(call_.party(Use::agent) != nullptr ? "answered" : "dropped", "customer");
            const auto outcome = event.outcome.empty() || event.outcome == "answered" ? std::string{"failed"} : event.outcome;
            return finish(outcome, event.by_far_end ? "customer" : "network");
        }
        default: finish(outcome_of_customer(), "customer");
    }
}

bool Machine::customer_is_served() const {
    switch (call_.stage) {
        case Stage::waiting:
        case Stage::joining:
        case Stage::talking:
        case Stage::calling_outside:
        case Stage::outside: return true;
        case Stage::calling_agent: return call_.customer_up_at != Instant::min() || !call_.outbound;
        default: return false;
    }
}

void Machine::customer_lost() {
    call_.live.music = false;
    call_.live.play.clear();
    call_.live.estimated = true;
    host_.cut_off();
    finish(call_.bridged_at == Instant::min() && !call_.outbound ? "failed" : outcome_of_customer(), "network");
}

std::string_view Machine::outcome_of_customer() const {
    if (call_.bridged_at != Instant::min() || call_.stage == Stage::joining) return "answered";
    if (!call_.outbound) return call_.stage == Stage::playing && !call_.live.after_play.empty() ? std::string_view{call_.live.after_play} : "abandoned";
    switch (call_.stage) {
        case Stage::playing: return call_.live.after_play.empty() ? std::string_view{"answered"} : std::string_view{call_.live.after_play};
        case Stage::menu:
        case Stage::voicemail: return "answered";
        default: return "dropped";  // he was to talk with somebody, and nobody was there
    }
}

void Machine::agent_gone(const LegGone& event) {
    call_.live.muted = false;
    switch (call_.stage) {
        case Stage::calling_agent:
            if (call_.party(Use::customer) == nullptr) return finish("cancelled", "agent");
            if (awaits_agent() && !event.estimated) {
                host_.agent_unanswered(event.outcome, true);
                return say_and_end(rules_.dropped, "dropped");
            }
            wait_again(event.outcome);
            return host_.agent_unanswered(event.outcome, event.outcome != "cancelled" && event.outcome != "unknown");
        case Stage::calling_customer: return finish("cancelled", "agent");
        case Stage::joining:
        case Stage::talking: {
            if (call_.consult == Consult::conference && call_.party(Use::consult) != nullptr) {
                // Two of the three are left; they go on.
                (void)consult_complete();
                return;
            }
            const auto agent = call_.agent;
            wait_again("agent_device_lost");
            if (host_.agent_dropped("agent_device_lost")) return;
            if (call_.live.redialled++ < redials_max) {
                move(Stage::calling_agent, "redial");
                return ring_agent(agent);
            }
            return finish("answered", "agent");
        }
        case Stage::calling_outside: return;  // he has left it to the other
        default: return;
    }
}

void Machine::make_failed(const channel::LegId& leg, const channel::CommandFailed& failure) {
    const auto* party = call_.leg(leg);
    if (party == nullptr || call_.is_over()) return;
    const LegGone fact{.call = call_.id, .leg = leg, .use = party->use, .cause = 0, .tech_cause = 0, .outcome = failure.unknown ? "unknown" : failure.unwritten ? "cancelled" : "failed",
                       .by_far_end = false, .estimated = false};
    if (failure.unknown) to(channel::EndLeg{.leg = leg});  // it may be there
    host_.note(fact);
    if (fact.use != Use::customer) return gone(fact);
    call_.live.failure = failure.detail;
    if (failure.unwritten) host_.unwritten();
    customer_gone(fact, false);
}

void Machine::on(const channel::LegReplaced& event) {
    auto* party = call_.leg(event.leg);
    if (party == nullptr || call_.is_over() || call_.leg(event.by) != nullptr) return;
    const bool joined = party->joined, wanted = party->wanted;
    host_.note(LegSwapped{.call = call_.id, .leg = event.leg, .by = event.by});
    if (auto* by = call_.leg(event.by)) {
        by->joined = joined;
        by->wanted = wanted;
    }
    to(channel::EndLeg{.leg = event.leg});
}

}  // namespace touchgate::voice
