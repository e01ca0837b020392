// What the PBX tells, as the gateway's events.
#include <algorithm>
#include <utility>

#include "adapters/asterisk_ari/cause.hpp"
#include "adapters/asterisk_ari/session.hpp"
#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::asterisk_ari {

using namespace channel;
using namespace std::chrono_literals;

namespace {

// After a channel left the application its end usually follows at once; only then is its cause known.
constexpr Duration wait_for_end = 1s;
// A leg that leaves a mix so soon after it came, with nobody hanging up, found no way between the codecs.
constexpr Duration codec_trap = 100ms;

std::string onto(const std::string& id, std::string_view rest) { return "/channels/" + percent_encode(id).append(rest); }

}  // namespace

Session::Leg* Session::find_leg(const std::string& id) {
    if (const auto found = legs_.find(id); found != legs_.end()) return &found->second;
    auto stranger = strangers_.extract(id);
    return stranger.empty() ? nullptr : &legs_.insert(std::move(stranger)).position->second;
}

void Session::learn(Leg& leg, const ChannelSnapshot& channel) const {
    const auto take = [&](std::string_view role, std::string owner, std::string number) {
        const auto known = role_of(role);
        if (!known) return;
        leg.arrived = false;
        leg.role = *known;
        leg.owner = std::move(owner);
        leg.number = std::move(number);
    };
    // In the application its own arguments tell: "<app>,leg,<role>,<owner>,<number>".
    if (channel.app_name == "Stasis") {
        const auto words = split(channel.app_data, ',');
        if (words.size() >= 5 && words[1] == "leg") return take(words[2], std::string{words[3]}, std::string{words[4]});
        if (words.size() >= 3 && words[1] == "snoop") return take("supervisor", std::string{words[2]}, {});
        if (words.size() >= 3 && words[1] == "agent" && leg.arrived) leg.role = LegRole::agent;
    }
    if (!channel.leg.empty()) {
        const auto words = split(channel.leg, ',');
        if (words.size() >= 3 && words[0] == settings_->app) return take(words[1], channel.owner, std::string{words[2]});
    }
    if (leg.arrived && leg.number.empty()) leg.number = leg.role == LegRole::agent ? endpoint_of(channel.name) : channel.caller_number;
}

void Session::handle(Monotonic now, Instant wall, const Event& event) {
    const auto& type = event.type;
    if (!event.channel.id.empty() && unwanted_.contains(event.channel.id)) {
        // Its making was reported as failed, and yet it lives.
        if (type == "StasisStart" || type == "ChannelStateChange")
            clean_up(now, event.channel.id);
        return;
    }
    if (type == "StasisStart") on_stasis_start(now, wall, event);
    else if (type == "StasisEnd") on_stasis_end(now, event);
    else if (type == "ChannelStateChange") on_state_change(now, wall, event);
    else if (type == "ChannelHangupRequest") on_hangup_request(event);
    else if (type == "ChannelDestroyed") on_destroyed(wall, event);
    else if (type == "ChannelEnteredBridge") on_bridge_event(event, true);
    else if (type == "ChannelLeftBridge") on_bridge_event(event, false);
    else if (type == "ChannelTransfer") on_transfer(now, event);
    else if (type == "PlaybackFinished") on_play_end(event);
    else if (type == "ChannelDtmfReceived") {
        if (find_leg(event.channel.id) != nullptr && event.digit.size() == 1) tell(DigitPressed{.leg = event.channel.id, .digit = event.digit.front()});
    } else if (type == "ChannelHold" || type == "ChannelUnhold") {
        auto* const leg = find_leg(event.channel.id);
        const bool held = type == "ChannelHold";
        if (leg != nullptr && std::exchange(leg->held, held) != held) tell(LegHeld{.leg = event.channel.id, .held = held});
    } else if (type == "RecordingFinished") {
        tell(RecordingEnded{.recording = recording_of(*settings_, event.subject), .lasted = std::chrono::seconds{std::max(0, event.seconds)}, .failure = {}});
    } else if (type == "RecordingFailed") {
        tell(RecordingEnded{.recording = recording_of(*settings_, event.subject), .lasted = Duration{0}, .failure = event.failure.empty() ? "failed" : event.failure});
    } else if (type == "BridgeDestroyed") {
        mixes_.erase(event.bridge.id);
    } else if (type != "BridgeBlindTransfer" && type != "BridgeAttendedTransfer") {
        ++counters_.unknown;
    }
    run_ready(now);
}

void Session::answered(const LegId& id, Leg& leg, AnsweredBy by, Instant wall) {
    if (std::exchange(leg.told_answered, true)) return;
    tell(LegAnswered{.leg = id, .by = by, .at = wall});
}

void Session::on_stasis_start(Monotonic now, Instant wall, const Event& event) {
    const auto& channel = event.channel;
    if (channel.id.empty()) return;
    if (!event.replaced.id.empty()) return on_replacement(now, event);
    const std::string_view word = event.args.empty() ? std::string_view{} : std::string_view{event.args.front()};
    const bool is_strange = strangers_.contains(channel.id);
    auto* leg = find_leg(channel.id);
    if (leg == nullptr || is_strange) {
        if (word != "leg" && word != "snoop" && word != "amd") return on_arrival(now, wall, event);
        // Made by an earlier run of the gateway.
        leg = &legs_[channel.id];
        learn(*leg, channel);
        leg->since = wall;
    }
    leg->in_app = true;
    leg->lost_at.reset();
    leg->up = channel.state == "Up";
    in_application(now, channel.id);
    if (word == "amd") {
        leg->machine = Machine::unasked;
        const std::string_view verdict = event.args.size() > 1 ? std::string_view{event.args[1]} : std::string_view{};
        return answered(channel.id, *leg, verdict == "HUMAN" ? AnsweredBy::human : verdict == "MACHINE" ? AnsweredBy::machine : AnsweredBy::unsure, wall);
    }
    if (!leg->up || leg->arrived) return;
    if (leg->machine == Machine::wanted) {
        leg->machine = Machine::listening;
        return add_internal(now, channel.id, {.path = onto(channel.id, "/continue?context=" + percent_encode(settings_->amd_context) + "&extension=" +
                                                                            percent_encode(settings_->amd_extension) + "&priority=1")},
                            JobKind::detect_machine);
    }
    answered(channel.id, *leg, AnsweredBy::unasked, wall);
}

void Session::on_arrival(Monotonic now, Instant wall, const Event& event) {
    const auto& channel = event.channel;
    const std::string_view word = event.args.empty() ? std::string_view{} : std::string_view{event.args.front()};
    auto& leg = legs_[channel.id];
    leg.arrived = true;
    leg.in_app = true;
    leg.since = wall;
    leg.up = channel.state == "Up";
    leg.told_answered = leg.up;
    LegArrived arrived{.leg = channel.id, .role = LegRole::customer, .from = channel.caller_number, .from_name = channel.caller_name, .to = channel.exten, .arguments = {}, .at = wall,
                       .endpoint = endpoint_of(channel.name)};
    if (word == "inbound" || word == "agent") {
        if (event.args.size() > 1) arrived.to = event.args[1];
        if (event.args.size() > 2) arrived.arguments.assign(event.args.begin() + 2, event.args.end());
    } else {
        arrived.arguments = event.args;
    }
    if (word == "agent") {
        leg.role = arrived.role = LegRole::agent;
        arrived.from = arrived.endpoint;
    }
    leg.number = arrived.from;
    tell(std::move(arrived));
    // Without this the PBX would not tell the cause of its end: it does so only of channels that the application made or asked for.
    add_internal(now, channel.id, {.path = "/applications/" + percent_encode(settings_->app) + "/subscription?eventSource=" + percent_encode("channel:" + channel.id)});
}

void Session::on_replacement(Monotonic now, const Event& event) {
    auto* const old = find_leg(event.replaced.id);
    if (old == nullptr) return;
    Leg next;
    next.role = LegRole::outside;
    next.owner = old->owner;
    next.number = event.channel.exten;
    next.in_app = true;
    next.up = next.told_answered = event.channel.state == "Up";
    next.told_ringing = event.channel.state == "Ringing";
    next.since = event.at;
    // Nobody ends it but us: the telephone's own channel would stay for ever.
    old->silent = true;
    old->ended_by_us = true;
    const auto owner = next.owner, number = next.number;
    legs_[event.channel.id] = std::move(next);
    tell(LegReplaced{.leg = event.replaced.id, .by = event.channel.id});
    const auto variable = [&](const char* name, const std::string& value) {
        add_internal(now, event.channel.id, {.path = onto(event.channel.id, std::string{"/variable?variable="} + name + "&value=" + percent_encode(value))});
    };
    variable(owner_variable, owner);
    variable(leg_variable, settings_->app + ",outside," + number);
    clean_up(now, event.replaced.id);
}

void Session::on_stasis_end(Monotonic now, const Event& event) {
    auto* const leg = find_leg(event.channel.id);
    if (leg == nullptr || leg->machine == Machine::listening) return;
    leg->in_app = false;
    leg->lost_at = now + wait_for_end;
}

void Session::on_state_change(Monotonic, Instant wall, const Event& event) {
    auto* const leg = find_leg(event.channel.id);
    if (leg == nullptr) return;
    if (event.channel.state == "Ringing" && !leg->arrived && !std::exchange(leg->told_ringing, true)) tell(LegRinging{.leg = event.channel.id, .at = wall});
    if (event.channel.state != "Up") return;
    leg->up = true;
    // Until it is in the application nothing could be done with it: StasisStart follows at once.
    if (leg->in_app && leg->machine == Machine::unasked) answered(event.channel.id, *leg, AnsweredBy::unasked, wall);
}

void Session::on_hangup_request(const Event& event) {
    auto* const leg = find_leg(event.channel.id);
    if (leg == nullptr) return;
    // Only the first one tells who wanted it; what the PBX does to clean up is "soft", as is what we and time-outs ask for.
    if (!std::exchange(leg->hangup_asked, true)) leg->far_end_left = !event.soft && !leg->ended_by_us;
    if (event.tech_cause != 0) leg->tech_cause = event.tech_cause;
}

void Session::on_destroyed(Instant wall, const Event& event) {
    (void)find_leg(event.channel.id);
    leg_ended(event.channel.id, event.cause, event.tech_cause, wall);
}

void Session::leg_ended(const LegId& id, int cause, int tech_cause, Instant wall) {
    const auto found = legs_.find(id);
    if (found == legs_.end()) return;
    const auto leg = std::move(found->second);
    legs_.erase(found);
    if (const auto maker = jobs_.maker_of(id); maker != 0 && waiting_for_app_.erase(maker) == 1) jobs_.finish(maker);
    if (leg.silent) return;
    const Ending ending{.cause = cause, .tech_cause = tech_cause != 0 ? tech_cause : leg.tech_cause, .was_answered = leg.up, .by_us = leg.ended_by_us};
    tell(LegEnded{.leg = id, .cause = cause, .tech_cause = ending.tech_cause, .was_answered = leg.up, .by_far_end = leg.far_end_left, .outcome = outcome_of(ending, *settings_), .at = wall});
}

void Session::on_bridge_event(const Event& event, bool entered) {
    auto* const leg = find_leg(event.channel.id);
    if (leg == nullptr || !mixes_.contains(event.bridge.id)) return;
    if (entered) {
        leg->mix = event.bridge.id;
        leg->joined_at = event.at;
        tell(LegJoined{.mix = event.bridge.id, .leg = event.channel.id});
        return;
    }
    tell(LegParted{.mix = event.bridge.id, .leg = event.channel.id});
    const bool asked = leg->mix != event.bridge.id;  // by a command of ours
    leg->mix.clear();
    const bool anybody_left = std::any_of(legs_.begin(), legs_.end(), [&](const auto& each) { return each.second.hangup_asked && (each.first == event.channel.id || each.second.mix == event.bridge.id); });
    if (!asked && !anybody_left && !leg->silent && leg->joined_at && event.at && *event.at - *leg->joined_at <= codec_trap)
        tell(CommandFailed{.command = leg->joined_by, .unwritten = false, .unknown = false, .code = "NO_COMMON_CODEC",
                           .detail = "the leg left the bridge as soon as it came: the PBX cannot convert between the codecs of its parties"});
}

void Session::on_transfer(Monotonic now, const Event& event) {
    // With a state it is the echo of what was answered.
    if (!event.state.empty() || find_leg(event.channel.id) == nullptr) return;
    const bool possible = !event.destination.empty();
    if (possible) tell(TransferAsked{.leg = event.channel.id, .to = event.destination});
    // The telephone waits for word. It keeps its call until the gateway has moved it and hangs up.
    add_internal(now, event.channel.id, {.path = onto(event.channel.id, possible ? "/transfer_progress?states=channel_progress" : "/transfer_progress?states=channel_declined")});
}

void Session::on_play_end(const Event& event) {
    if (event.subject.empty()) return;
    bool cut_off = stopped_plays_.erase(event.subject) == 1;
    for (auto& [id, leg] : legs_)
        if (leg.plays.erase(event.subject) == 1) cut_off = cut_off || leg.hangup_asked;
    tell(PlayEnded{.play = event.subject, .completed = event.state == "done" && !cut_off, .failed = event.state == "failed" && !cut_off});
}

}  // namespace touchgate::adapters::asterisk_ari
