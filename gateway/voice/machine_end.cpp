// How a call comes to its end: by words, by somebody who hangs up, by a deadline. Whatever the way, no leg is left.

#include <algorithm>

#include "gateway/voice/machine.hpp"

namespace touchgate::voice {

void Machine::say_and_end(const Media& media, const std::string& outcome) {
    if (call_.is_over() || call_.stage == Stage::ending) return;
    end_supervision();
    drop_all(Use::consult);
    drop_all(Use::agent);
    auto* customer = call_.party(Use::customer);
    if (customer == nullptr) return finish(outcome, "gateway");
    take_out(*customer);
    silence();
    if (media.empty()) return finish(outcome, "gateway");
    move(Stage::playing, outcome);
    call_.live.after_play = outcome;
    call_.live.played_is_content = false;
    play(media);
}

// A customer whom we called, and nobody was with him in time.
void Machine::too_late() {
    const auto* agent = call_.party(Use::agent);
    // Whose telephone rang all that time has not answered it.
    const bool his_fault = call_.stage == Stage::calling_agent && agent != nullptr && !agent->up && agent->added_at + call_.live.plan.agent_within <= now_;
    if (his_fault) host_.agent_unanswered("no_answer", true);
    host_.nobody_in_time();
    say_and_end(rules_.dropped, "dropped");
}

void Machine::take_message() {
    if (call_.is_over() || call_.stage == Stage::ending) return;
    const auto* customer = call_.party(Use::customer);
    if (customer == nullptr) return finish("cancelled", "gateway");
    silence();
    if (customer->arrived && !customer->up && rules_.inbound.ringing) to(channel::AnswerLeg{.leg = customer->leg});
    move(Stage::voicemail);
    play(rules_.voicemail);
    if (!call_.live.play.empty()) return;
    // Nothing is said: the tone is all.
    call_.live.play = host_.new_name();
    on(channel::PlayEnded{.play = std::string{call_.live.play}, .completed = true});
}

void Machine::hang_up(std::string_view by) {
    if (call_.is_over() || call_.stage == Stage::ending) return;
    if (call_.bridged_at != Instant::min() || call_.stage == Stage::joining) return finish("answered", by);
    const auto* customer = call_.party(Use::customer);
    finish(customer != nullptr && customer->up && call_.outbound ? "dropped" : "cancelled", by);
}

void Machine::finish(std::string_view outcome, std::string_view by) {
    if (call_.is_over() || call_.stage == Stage::ending) return;
    const std::string word{outcome}, who{by};
    stop_play();
    move(Stage::ending, {}, word, who);
    stop_recordings();
    end_supervision();
    for (const auto use : {Use::consult, Use::outside, Use::agent, Use::snoop, Use::supervisor}) drop_all(use);
    const auto* customer = call_.party(Use::customer);
    if (customer == nullptr) return close(word, who);
    to(channel::EndLeg{.leg = customer->leg, .reason = word == "no_answer" ? channel::EndReason::no_answer : channel::EndReason::normal});
}

void Machine::close(std::string_view outcome, std::string_view by) {
    if (call_.stage != Stage::ending) move(Stage::ending, {}, outcome, by);
    stop_recordings();
    end_supervision();
    for (const auto use : {Use::consult, Use::outside, Use::agent, Use::snoop, Use::supervisor, Use::customer}) drop_all(use);
    if (!call_.mix.empty()) to(channel::EndMix{.mix = call_.mix});
    const auto ms = [](Instant at) { return at == Instant::min() ? 0 : unix_ms(at); };
    const CallEnded ended{.call = call_.id, .touch = call_.touch, .attempt = call_.attempt, .outbound = call_.outbound, .did = call_.did, .agent = call_.agent,
                          .queue = host_.queue_name(), .outcome = std::string{outcome}, .hung_up_by = by == "api" ? std::string{"gateway"} : std::string{by}, .cause = call_.cause, .tech_cause = call_.tech_cause,
                          .answered_at = ms(call_.customer_up_at), .ended_at = unix_ms(now_), .wait_ms = call_.waited(now_), .ring_ms = call_.ring_ms,
                          .talk_ms = call_.talked(now_), .hold_ms = call_.was_held(now_), .estimated = call_.live.estimated, .sealed = call_.sealed};
    host_.note(ended);
    call_.live.deadline = call_.live.tick = instant_never;
    host_.over(ended);
}

// ---- time

void Machine::due() {
    auto& live = call_.live;
    if (live.tick <= now_) {
        live.tick = instant_never;
        if (call_.stage == Stage::waiting && live.lost_since == instant_never) announce();
        else if (call_.consult == Consult::ringing) (void)consult_cancel();
    }
    if (live.deadline > now_ || call_.is_over()) return;
    if (live.lost_since != instant_never && call_.stage != Stage::ending) {
        // The telephone system did not come back; what it had is not known.
        live.estimated = true;
        if (customer_is_served()) host_.cut_off();
        return close(call_.customer_up_at != Instant::min() || call_.bridged_at != Instant::min() ? "answered" : "unknown", "network");
    }
    if (awaits_agent() && live.agent_by <= now_ && (call_.stage == Stage::waiting || call_.stage == Stage::calling_agent || call_.stage == Stage::joining)) return too_late();
    switch (call_.stage) {
        case Stage::arrived:
        case Stage::greeting:
            stop_play();
            return after_greeting();
        case Stage::menu:
            if (const auto menu = rules_.menus.find(live.place.menu); menu != rules_.menus.end() && live.play.empty())
                return follow(silent(menu->second, live.place, host_));
            return to_queue(rules_.inbound.queue, -1, {});
        case Stage::waiting:
            if (call_.is_parked()) {
                move(Stage::waiting, "park_over");
                if (rules_.announce_every > Duration{0}) live.tick = now_ + rules_.announce_every;
                return host_.park_over();
            }
            return say_and_end(rules_.closed, "cancelled");
        case Stage::calling_agent: {
            const auto* agent = call_.party(Use::agent);
            if (agent == nullptr) return agent_gone({.call = call_.id, .leg = {}, .use = Use::agent, .outcome = "no_answer"});
            const LegGone fact{.call = call_.id, .leg = agent->leg, .use = Use::agent, .cause = 0, .tech_cause = 0, .outcome = "no_answer", .by_far_end = false, .estimated = false};
            drop(channel::LegId{agent->leg}, channel::EndReason::no_answer, "no_answer");
            return agent_gone(fact);
        }
        case Stage::joining: {
            // They cannot be joined: no sound in common, or the agent's telephone is a picture of itself.
            drop_all(Use::agent);
            return agent_gone({.call = call_.id, .leg = {}, .use = Use::agent, .outcome = "not_joined"});
        }
        case Stage::talking:
        case Stage::outside: return finish("answered", "gateway");
        case Stage::calling_customer: return finish("no_answer", "gateway");
        case Stage::calling_outside: {
            drop_all(Use::outside);
            return gone({.call = call_.id, .leg = {}, .use = Use::outside, .outcome = "no_answer"});
        }
        case Stage::playing: return finish(live.after_play.empty() ? std::string{"answered"} : std::string{live.after_play}, "gateway");
        case Stage::voicemail: return finish("cancelled", "gateway");
        case Stage::ending: {
            drop_all(Use::customer);
            const auto space = call_.reason.find(' ');
            return close(std::string{call_.reason.substr(0, space)}, space == std::string::npos ? std::string{"gateway"} : call_.reason.substr(space + 1));
        }
        case Stage::ended: return;
    }
}

}  // namespace touchgate::voice
