// What the switch tells, as the gateway's events.
#include <algorithm>
#include <utility>

#include "adapters/freeswitch_esl/cause.hpp"
#include "adapters/freeswitch_esl/session.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::adapters::freeswitch_esl {

using namespace channel;
using namespace std::chrono_literals;

Session::Leg* Session::find_leg(const std::string& id) {
    const auto found = legs_.find(id);
    return found == legs_.end() ? nullptr : &found->second;
}

void Session::handle(Monotonic now, Instant wall, const Event& event) {
    const auto name = event.name();
    const auto id = event.leg();
    auto* const leg = find_leg(id);
    if (leg != nullptr && !leg->seen) {
        leg->seen = true;
        // It was to be ended before there was anything to end.
        if (leg->ended_by_us && name != "CHANNEL_HANGUP_COMPLETE") say("bgapi uuid_kill " + id + " ORIGINATOR_CANCEL\n\n", {.what = Asked::nothing});
    }
    if (name == "CHANNEL_PROGRESS" || name == "CHANNEL_PROGRESS_MEDIA") {
        if (leg != nullptr && !leg->arrived && !std::exchange(leg->told_ringing, true)) tell(LegRinging{.leg = id, .at = event.at(wall)});
    } else if (name == "CHANNEL_ANSWER") {
        if (leg == nullptr) return;
        leg->up = true;
        // Of a leg that was made here nothing can be done until it is parked; one that came in was parked before.
        if (leg->arrived) answered(id, *leg, AnsweredBy::unasked, event.at(wall));
    } else if (name == "CHANNEL_PARK") {
        on_park(now, wall, event);
    } else if (name == "CHANNEL_BRIDGE") {
        on_bridge(event);
    } else if (name == "CHANNEL_UNBRIDGE") {
        on_unbridge(event);
    } else if (name == "CHANNEL_HOLD" || name == "CHANNEL_UNHOLD") {
        const bool held = name == "CHANNEL_HOLD";
        if (leg != nullptr && std::exchange(leg->held, held) != held) tell(LegHeld{.leg = id, .held = held});
    } else if (name == "DTMF") {
        const auto digit = event.text("DTMF-Digit");
        if (leg != nullptr && digit.size() == 1) tell(DigitPressed{.leg = id, .digit = digit.front()});
    } else if (name == "CHANNEL_EXECUTE_COMPLETE") {
        on_executed(now, event);
    } else if (name == "CHANNEL_HANGUP_COMPLETE") {
        on_hangup(wall, event);
    } else if (name == "RECORD_STOP") {
        on_record_stop(event);
    } else if (name == "BACKGROUND_JOB") {
        on_job(now, wall, event);
    } else if (name == "CUSTOM" && event.text("Event-Subclass") == "conference::maintenance") {
        on_conference(event);
    } else if (name != "HEARTBEAT" && name != "CHANNEL_CREATE") {
        ++counters_.unknown;
    }
}

void Session::answered(const LegId& id, Leg& leg, AnsweredBy by, Instant at) {
    leg.up = true;
    if (std::exchange(leg.told_answered, true)) return;
    tell(LegAnswered{.leg = id, .by = by, .at = at});
}

void Session::on_park(Monotonic, Instant wall, const Event& event) {
    const auto id = event.leg();
    auto* const leg = find_leg(id);
    if (leg == nullptr) {
        if (const auto marks = event.variable("touchgate"); !marks.empty()) on_arrival(wall, event, marks);
        return;
    }
    if (leg->arrived || leg->told_answered || !leg->up) return;
    if (!leg->detects_machine) return answered(id, *leg, AnsweredBy::unasked, event.at(wall));
    const auto verdict = event.variable("touchgate_amd");
    answered(id, *leg, verdict == "HUMAN" ? AnsweredBy::human : verdict == "MACHINE" ? AnsweredBy::machine : AnsweredBy::unsure, event.at(wall));
}

// "app,inbound,DID,…" or "app,agent,NUMBER", set by the dial plan before it parks the call.
void Session::on_arrival(Instant wall, const Event& event, const std::string& marks) {
    const auto words = split(marks, ',');
    if (words.size() < 2 || words[0] != settings_->app) return;
    const auto id = event.leg();
    Leg leg;
    leg.arrived = leg.seen = true;
    leg.role = words[1] == "agent" ? LegRole::agent : LegRole::customer;
    leg.since = event.at(wall);
    leg.up = leg.told_answered = event.text("Answer-State") == "answered";
    LegArrived arrived{.leg = id,
                       .role = leg.role,
                       .from = event.text(leg.role == LegRole::agent ? "Caller-Username" : "Caller-Caller-ID-Number"),
                       .from_name = event.text("Caller-Caller-ID-Name"),
                       .to = words.size() > 2 && !words[2].empty() ? std::string{words[2]} : event.text("Caller-Destination-Number"),
                       .arguments = {},
                       .at = leg.since,
                       .endpoint = event.variable("sip_gateway_name")};
    if (arrived.from.empty()) arrived.from = event.text("Caller-Caller-ID-Number");
    for (std::size_t i = 3; i < words.size(); ++i) arrived.arguments.emplace_back(words[i]);
    leg.number = arrived.from;
    legs_.emplace(id, std::move(leg));
    tell(std::move(arrived));
}

// ---- Who hears whom

void Session::joined(const MixId& mix, const LegId& id) {
    auto* const leg = find_leg(id);
    if (leg == nullptr || leg->mix != mix || std::exchange(leg->joined, true)) return;
    tell(LegJoined{.mix = mix, .leg = id});
}

void Session::forget_in_mix(const LegId& id) {
    auto* const leg = find_leg(id);
    if (leg == nullptr) return;
    if (auto* const partner = find_leg(leg->partner)) partner->partner.clear();
    leg->partner.clear();
    if (const auto mix = mixes_.find(leg->mix); mix != mixes_.end()) std::erase(mix->second.legs, id);
    leg->mix.clear();
    leg->joined = false;
}

void Session::parted(const LegId& id) {
    const auto* const leg = find_leg(id);
    if (leg == nullptr || leg->mix.empty()) return;
    const auto mix = leg->mix;
    const bool was_told = leg->joined;
    forget_in_mix(id);
    if (was_told) tell(LegParted{.mix = mix, .leg = id});
}

void Session::on_bridge(const Event& event) {
    auto first = event.text("Bridge-A-Unique-ID");
    auto second = event.text("Bridge-B-Unique-ID");
    if (first.empty()) first = event.leg();
    if (second.empty()) second = event.text("Other-Leg-Unique-ID");
    auto* a = find_leg(first);
    auto* b = find_leg(second);
    if (a == nullptr && b == nullptr) return;
    if (a != nullptr && b != nullptr) {
        a->partner = second;
        b->partner = first;
        if (a->mix.empty() || a->mix != b->mix) return;
        const auto mix = a->mix;
        joined(mix, first);
        joined(mix, second);
        return;
    }
    // One of ours now talks with a leg that nobody here made: a telephone's own transfer put it into its place.
    const auto& ours = a != nullptr ? first : second;
    const auto& stranger = a != nullptr ? second : first;
    auto* const leg = a != nullptr ? a : b;
    if (stranger.empty() || leg->mix.empty()) return;
    const auto mix = mixes_.find(leg->mix);
    if (mix == mixes_.end()) return;
    const auto old = std::find_if(mix->second.legs.begin(), mix->second.legs.end(), [&](const LegId& each) { return each != ours; });
    if (old == mix->second.legs.end()) return;
    const auto replaced = *old;
    *old = stranger;
    Leg next;
    next.role = LegRole::outside;
    next.owner = mix->second.owner;
    next.number = event.text("Other-Leg-Destination-Number");
    next.seen = next.up = next.told_ringing = next.told_answered = next.joined = true;
    next.mix = leg->mix;
    next.partner = ours;
    leg->partner = stranger;
    if (auto* const gone = find_leg(replaced)) {
        gone->mix.clear();
        gone->partner.clear();
        gone->joined = false;
    }
    legs_[stranger] = std::move(next);
    tell(LegReplaced{.leg = replaced, .by = stranger});
}

void Session::on_unbridge(const Event& event) {
    // Who parts is told by the command that asked for it, or by the end of the leg; the other one stays in the mix, without sound.
    for (const auto* key : {"Bridge-A-Unique-ID", "Bridge-B-Unique-ID"})
        if (auto* const leg = find_leg(event.text(key))) leg->partner.clear();
}

void Session::on_conference(const Event& event) {
    const auto id = event.leg();
    const auto mix = event.text("Conference-Name");
    const auto action = event.text("Action");
    auto* const leg = find_leg(id);
    if (leg == nullptr || leg->mix != mix) return;
    if (action == "add-member") joined(mix, id);
    else if (action == "del-member") parted(id);
}

// ---- Plays, results, ends

void Session::on_executed(Monotonic, const Event& event) {
    const auto id = event.leg();
    auto* const leg = find_leg(id);
    if (leg == nullptr || leg->play.empty()) return;
    const auto application = event.text("Application");
    if (application != "playback" && application != "say" && application != "speak") return;
    // One that was broken off for another has its own number.
    if (const auto tag = event.text("Application-UUID"); !tag.empty() && tag != leg->play) return;
    const auto response = event.text("Application-Response");
    const bool failed = response == "FILE NOT FOUND" || response == "PLAYBACK ERROR";
    if (!failed && !leg->media.empty()) return next_medium(*leg, id);
    tell(PlayEnded{.play = std::exchange(leg->play, {}), .completed = !failed});
    leg->media.clear();
}

void Session::on_hangup(Instant wall, const Event& event) {
    const auto id = event.leg();
    auto* const leg = find_leg(id);
    if (leg == nullptr) return;
    const auto name = event.text("Hangup-Cause");
    const auto number = cause_number(name);
    const auto disposition = event.variable("sip_hangup_disposition");
    LegEnded ended{.leg = id, .cause = q850(number), .at = event.at(wall)};
    for (const auto* key : {"variable_sip_term_status", "variable_sip_invite_failure_status"}) {
        const auto status = event.number(key);
        if (ended.tech_cause == 0 && status >= 300 && status <= 699) ended.tech_cause = static_cast<int>(status);
    }
    ended.was_answered = leg->up || event.number("variable_answer_epoch") > 0;
    ended.by_far_end = !leg->ended_by_us && (disposition.starts_with("recv_") || (disposition.empty() && ended.was_answered && number == 16));
    ended.outcome = outcome_of({.cause = name, .sip = ended.tech_cause, .was_answered = ended.was_answered, .by_us = leg->ended_by_us}, *settings_);
    leg_ended(id, std::move(ended));
}

void Session::leg_ended(const LegId& id, LegEnded how) {
    const auto* const leg = find_leg(id);
    if (leg == nullptr) return;
    if (!leg->play.empty()) tell(PlayEnded{.play = leg->play, .completed = false});
    parted(id);
    legs_.erase(id);
    // Whoever listened to it hears nothing any more.
    std::vector<LegId> listeners;
    for (const auto& [other, each] : legs_)
        if (each.listens_to == id) listeners.push_back(other);
    const auto at = how.at;
    tell(std::move(how));
    for (const auto& listener : listeners) leg_ended(listener, {.leg = listener, .cause = 16, .was_answered = true, .outcome = "answered", .at = at});
}

void Session::on_job(Monotonic now, Instant wall, const Event& event) {
    const auto found = job_uuids_.find(event.text("Job-UUID"));
    if (found == job_uuids_.end()) return;
    const auto number = found->second;
    const auto result = std::string{trim(event.body())};
    const auto job = jobs_.find(number);
    const auto* const make = job == jobs_.end() ? nullptr : std::get_if<MakeLeg>(&job->second.what);
    if (make == nullptr || !result.starts_with("-ERR")) {
        if (make != nullptr && result.starts_with("+OK"))
            if (auto* const leg = find_leg(make->leg); leg != nullptr && !leg->detects_machine) answered(make->leg, *leg, AnsweredBy::unasked, event.at(wall));
        return job_result(now, number, result);
    }
    // The call came to nothing, for a cause that is a hang-up's and no mistake of the command.
    const auto cause = trim(std::string_view{result}.substr(4));
    const auto id = make->leg;
    if (cause_number(cause) == 0) return job_result(now, number, result);
    auto* const leg = find_leg(id);
    jobs_.erase(number);
    job_uuids_.erase(found);
    if (leg == nullptr) return;  // its end was told before
    if (leg->seen) {
        // The channel's own end follows, with more to say.
        leg->lost_at = now + 1s;
        leg->failed_cause = cause;
        return;
    }
    leg_ended(id, {.leg = id, .cause = q850(cause_number(cause)), .outcome = outcome_of({.cause = cause, .by_us = leg->ended_by_us}, *settings_), .at = event.at(wall)});
}

}  // namespace touchgate::adapters::freeswitch_esl
