// What people do at their telephones.
#include <algorithm>
#include <cmath>

#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "adapters/sandbox/pbx/pbx_text.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace {

using namespace std::chrono_literals;

struct Refusal { std::string_view word; int cause, tech_cause; };
constexpr Refusal refusals[] = {{"busy", 17, 486},  {"reject", 21, 603},      {"do_not_disturb", 19, 480}, {"invalid", 1, 404},
                                {"unreachable", 20, 0}, {"congestion", 34, 503}, {"failed", 38, 500}};

}  // namespace

PbxPeer::Manner PbxPeer::manner_of(const std::string& number) const {
    // With or without the plus sign.
    for (const auto& spelling : {number, number.starts_with('+') ? number.substr(1) : '+' + number})
        if (const auto found = manners_.find(spelling); found != manners_.end()) return found->second;
    return {};
}

void PbxPeer::start_ringing(Channel& channel, Duration timeout, Now now) {
    tell_dial(channel, "", now);
    const bool agent = channel.kind == PartyKind::agent;
    channel.outcome = channel.manner.outcome;
    if (channel.outcome.empty()) {
        channel.outcome = std::string{draw(agent ? behaviour_.agent_outcome : behaviour_.outcome, random_)};
        if (channel.outcome == "answer" && !agent && behaviour_.answer_by_hour.size() == 24) {
            const auto hour = (unix_ms(now.wall) / 3'600'000 + 8) % 24;
            if (!random_.chance(behaviour_.answer_by_hour[static_cast<std::size_t>(hour)])) channel.outcome = "no_answer";
        }
        if (channel.outcome.empty()) channel.outcome = "no_answer";
    }
    const auto timer = [&](TimerKind kind) { return Timer{.kind = kind, .subject = channel.id, .serial = channel.serial}; };
    const auto unrung = channel.outcome == "invalid" || channel.outcome == "congestion" || channel.outcome == "failed" || channel.outcome == "unreachable";
    constexpr auto until_ringing = 4ms;
    if (!unrung) plan(until_ringing, timer(TimerKind::ring), now);
    if (channel.outcome == "answer" || channel.outcome == "machine") {
        const std::chrono::nanoseconds after = channel.manner.after ? std::chrono::nanoseconds{*channel.manner.after} : (agent ? behaviour_.agent_ring : behaviour_.ring).draw(random_);
        plan(std::max<std::chrono::nanoseconds>(after, 2 * until_ringing), timer(TimerKind::answer), now);
    } else if (channel.outcome != "no_answer") {
        const std::chrono::nanoseconds after = channel.manner.after ? std::chrono::nanoseconds{*channel.manner.after} : behaviour_.refuse.draw(random_);
        plan(std::max<std::chrono::nanoseconds>(after, 2 * until_ringing), timer(TimerKind::refuse), now);
    }
    if (timeout > Duration{0}) plan(timeout, timer(TimerKind::ring_timeout), now);
}

void PbxPeer::answer(Channel& channel, Now now) {
    change_state(channel, "Up", now);
    tell_dial(channel, "ANSWER", now);
    const auto id = channel.id;
    if (channel.originated && channel.app.empty() && !channel.app_after_answer.empty()) {
        const auto app = applications_.find(channel.app_after_answer);
        // Nobody listens: the application refuses the channel, and it ends.
        if (app == applications_.end() || app->second.socket == 0) return end_channel(id, 16, 0, "pbx", now);
        std::vector<std::string> args;
        if (!channel.args_after_answer.empty())
            for (const auto word : split(channel.args_after_answer, ',')) args.emplace_back(word);
        enter_app(channel, channel.app_after_answer, args, now);
    }
    if (channel.kind != PartyKind::customer) return;
    const std::chrono::nanoseconds talk = channel.manner.talk ? std::chrono::nanoseconds{*channel.manner.talk} : behaviour_.talk.draw(random_);
    if (talk > 0ns) plan(talk, {.kind = TimerKind::hang_up, .subject = id, .serial = channel.serial}, now);
    if (!channel.manner.digits.empty()) press(channel, channel.manner.digits, channel.manner.digits_after, now);
}

void PbxPeer::refuse(Channel& channel, Now now) {
    for (const auto& refusal : refusals)
        if (channel.outcome == refusal.word) return end_channel(channel.id, refusal.cause, refusal.tech_cause, "refusal", now);
}

// A caller who at last hears somebody stays as long as his talk takes.
void PbxPeer::person_talks(Channel& channel, Now now) {
    if (channel.kind != PartyKind::caller || std::exchange(channel.talk_planned, true)) return;
    const std::chrono::nanoseconds talk = channel.manner.talk ? std::chrono::nanoseconds{*channel.manner.talk} : behaviour_.talk.draw(random_);
    if (talk > 0ns) plan(talk, {.kind = TimerKind::hang_up, .subject = channel.id, .serial = channel.serial}, now);
}

void PbxPeer::press(Channel& channel, const std::string& digits, Duration after, Now now) {
    auto at = after;
    for (const char digit : digits) {
        plan(at, {.kind = TimerKind::digit, .subject = channel.id, .serial = channel.serial, .text = std::string(1, digit)}, now);
        at += 150ms;
    }
}

std::string PbxPeer::call_in(const std::string& from, const std::string& name, const std::string& to, const std::vector<std::string>& args, const Manner& manner, bool by_agent, Now now) {
    const auto app = applications_.find(settings_.app);
    if (app == applications_.end() || app->second.socket == 0) {
        // The application refuses new calls; the dial plan goes on to its emergency route.
        ++statistics_.calls_turned_away;
        return {};
    }
    ++statistics_.calls_in;
    auto& channel = add_channel({}, "PJSIP", by_agent ? from : from + "@trunk", now);
    channel.kind = by_agent ? PartyKind::agent : PartyKind::caller;
    channel.number = from;
    channel.state = "Ring";
    channel.caller_number = from;
    channel.caller_name = name;
    channel.exten = to;
    channel.context = by_agent ? "agents" : "from-trunk";
    channel.manner = manner;
    channel.arrived = true;
    std::vector<std::string> words{by_agent ? "agent" : "inbound", to};
    words.insert(words.end(), args.begin(), args.end());
    const auto id = channel.id;
    enter_app(channel, settings_.app, words, now);
    if (!by_agent) {
        const std::chrono::nanoseconds patience = manner.patience ? std::chrono::nanoseconds{*manner.patience} : behaviour_.patience.draw(random_);
        if (patience > 0ns) plan(patience, {.kind = TimerKind::impatience, .subject = id, .serial = channel.serial}, now);
        if (!manner.digits.empty()) press(channel, manner.digits, manner.digits_after, now);
    }
    return id;
}

void PbxPeer::give_verdict(Channel& channel, Now now) {
    bool machine = channel.outcome == "machine";
    if (random_.chance(behaviour_.detection_error)) machine = !machine;
    const auto app = applications_.find(settings_.app);
    if (app == applications_.end() || app->second.socket == 0) return end_channel(channel.id, 16, 0, "pbx", now);
    enter_app(channel, settings_.app, {"amd", machine ? "MACHINE" : "HUMAN", machine ? "LONGGREETING-1500-1500" : "HUMAN-800-800"}, now);
}

void PbxPeer::plan_next_call(Now now) {
    if (behaviour_.calls <= 0) return;
    // Poisson: the time to the next one is exponential.
    double gap = 0;
    for (double left = random_.unit(); gap == 0;) gap = -std::log(std::max(1e-12, 1 - left)) / behaviour_.calls;
    plan(std::chrono::nanoseconds{static_cast<std::int64_t>(gap * 1e9)}, {.kind = TimerKind::call, .serial = call_serial_}, now);
}

void PbxPeer::behaviour_changed(Now now) {
    events_until_drop_ = behaviour_.drop_after;
    ++call_serial_;
    plan_next_call(now);
}

}  // namespace touchgate::sandbox
