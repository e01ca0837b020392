// The gateway's commands as those of the switch, and their results.
#include <algorithm>
#include <set>
#include <utility>

#include "adapters/freeswitch_esl/cause.hpp"
#include "adapters/freeswitch_esl/session.hpp"
#include "adapters/freeswitch_esl/switch_text.hpp"
#include "gateway/base/ids.hpp"

namespace touchgate::adapters::freeswitch_esl {

using namespace channel;
using namespace std::chrono_literals;

namespace {

template <class... F> struct Cases : F... { using F::operator()...; };
template <class... F> Cases(F...) -> Cases<F...>;

std::string_view role_word(LegRole role) {
    switch (role) {
        case LegRole::agent: return "agent";
        case LegRole::outside: return "outside";
        case LegRole::supervisor: return "supervisor";
        case LegRole::customer: break;
    }
    return "customer";
}

// Two of them share a key if they must keep their order.
std::vector<std::string> keys_of(const CallCommand& command) {
    const auto of = [](const LegId& leg, const MixId& mix) {
        std::vector<std::string> keys;
        if (!leg.empty()) keys.push_back("leg " + leg);
        if (!mix.empty()) keys.push_back("mix " + mix);
        return keys;
    };
    return std::visit(Cases{[&](const MakeMix& c) { return of({}, c.mix); }, [&](const EndMix& c) { return of({}, c.mix); },
                            [&](const JoinLeg& c) { return of(c.leg, c.mix); }, [&](const PartLeg& c) { return of(c.leg, c.mix); },
                            [&](const Play& c) { return of(c.leg, c.mix); },
                            [&](const StartRecording& c) {
                                auto keys = of(c.leg, c.mix);
                                keys.push_back("recording " + c.recording);
                                return keys;
                            },
                            [&](const PauseRecording& c) { return std::vector{"recording " + c.recording}; },
                            [&](const StopRecording& c) { return std::vector{"recording " + c.recording}; },
                            [&](const FetchRecording&) { return std::vector<std::string>{}; }, [&](const DropRecording&) { return std::vector<std::string>{}; },
                            [&](const StopPlay&) { return std::vector<std::string>{}; }, [&](const AskSnapshot&) { return std::vector<std::string>{}; },
                            // An end waits for nothing: neither for the answer of what rings, nor for what a caller still hears.
                            [&](const EndLeg&) { return std::vector<std::string>{}; }, [&](const auto& c) { return of(c.leg, {}); }},
                      command);
}

// A caller's name inside quotes of a dial string, without what could end them early or part variables.
std::string quoted_name(std::string_view name) {
    std::string clean = "'";
    for (const char c : name)
        if (static_cast<unsigned char>(c) >= 0x20 && std::string_view{"'\"\\,{}[]<>|^$"}.find(c) == std::string_view::npos) clean.push_back(c);
    return clean + "'";
}

struct Medium { std::string application, argument; };
// "playback /x.wav" back into its parts.
Medium parts_of(const std::string& stored) {
    const auto blank = stored.find(' ');
    return {stored.substr(0, blank), blank == std::string::npos ? std::string{} : stored.substr(blank + 1)};
}

bool is_one_line(std::string_view text) { return text.find_first_of("\r\n") == std::string_view::npos && text.find('\0') == std::string_view::npos; }

}  // namespace

std::string Session::new_uuid() {
    Uuid id;
    for (std::size_t i = 0; i < id.bytes.size(); i += 8) {
        const auto word = random_.next();
        for (std::size_t j = 0; j < 8; ++j) id.bytes[i + j] = static_cast<std::uint8_t>(word >> (8 * j));
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
    return to_string(id);
}

std::vector<LegId> Session::real_legs(const Mix& mix) const {
    std::vector<LegId> real;
    for (const auto& id : mix.legs)
        if (const auto found = legs_.find(id); found != legs_.end() && found->second.listens_to.empty()) real.push_back(id);
    return real;
}

// ---- From command to result

void Session::execute(Monotonic now, CommandId id, const CallCommand& command) {
    const auto fail = [&](std::string code, std::string detail) {
        tell(CommandFailed{.command = id, .unwritten = true, .unknown = false, .code = std::move(code), .detail = std::move(detail)});
    };
    if (state_ != State::up) return fail("DOWN", "the connection to the switch is broken");
    const auto number = next_job_++;
    Job job{.command = id, .what = command, .keys = keys_of(command), .steps = {}};
    jobs_.emplace(number, std::move(job));
    run_ready(now);
}

void Session::run_ready(Monotonic now) {
    // What was started may end at once and let others begin: again until nothing changes.
    for (bool again = true; again && state_ == State::up;) {
        again = false;
        std::set<std::string> busy;
        for (auto& [number, job] : jobs_) {
            const bool free = std::none_of(job.keys.begin(), job.keys.end(), [&](const std::string& key) { return busy.contains(key); });
            if (!job.running && free) {
                start(now, number);
                again = true;
                break;
            }
            // A leg that rings is busy with nothing that others must wait for.
            if (!job.running || !std::holds_alternative<MakeLeg>(job.what)) busy.insert(job.keys.begin(), job.keys.end());
        }
    }
}

void Session::start(Monotonic now, std::uint64_t number) {
    auto& job = jobs_.at(number);
    job.running = true;
    job.deadline = now + settings_->command_timeout;
    if (const auto* make = std::get_if<MakeLeg>(&job.what)) {
        if (now > make->permit_deadline) return job_failed(now, number, "PERMIT", "the permit's time is over", true, false);
        job.deadline = now + make->ring_timeout + settings_->command_timeout + (make->detect_machine ? Duration{10s} : Duration{0});
    }
    if (const auto refusal = plan(job)) return job_failed(now, number, refusal->code, refusal->detail, true, false);
    run_step(now, number);
}

void Session::run_step(Monotonic now, std::uint64_t number) {
    auto& job = jobs_.at(number);
    if (job.steps.empty()) {
        const auto done = std::move(job);
        jobs_.erase(number);
        return job_done(now, done);
    }
    const auto& step = job.steps.front();
    if (step.message) return say(step.text, {.what = Asked::message, .job = number});
    auto uuid = new_uuid();
    say("bgapi " + step.text + "\nJob-UUID: " + uuid + "\n\n", {.what = Asked::job, .job = number});
    job_uuids_.emplace(std::move(uuid), number);
}

void Session::step_done(Monotonic now, std::uint64_t number) {
    jobs_.at(number).steps.pop_front();
    run_step(now, number);
}

void Session::job_result(Monotonic now, std::uint64_t number, std::string_view result) {
    const auto found = jobs_.find(number);
    std::erase_if(job_uuids_, [&](const auto& entry) { return entry.second == number; });
    if (found == jobs_.end() || found->second.steps.empty()) return;
    const bool failed = result.starts_with("-ERR") || result.starts_with("-USAGE");
    if (!failed || found->second.steps.front().may_fail) return step_done(now, number);
    auto detail = readable(result.substr(0, 300));
    std::string code = "REFUSED";
    if (detail.find("No such channel") != std::string::npos || detail.find("Invalid uuid") != std::string::npos || detail.find("Cannot locate session") != std::string::npos)
        code = "NO_LEG";
    job_failed(now, number, std::move(code), std::move(detail), false, false);
}

void Session::job_failed(Monotonic, std::uint64_t number, std::string code, std::string detail, bool unwritten, bool unknown) {
    const auto found = jobs_.find(number);
    if (found == jobs_.end()) return;
    const auto job = std::move(found->second);
    jobs_.erase(found);
    std::erase_if(job_uuids_, [&](const auto& entry) { return entry.second == number; });
    if (const auto* make = std::get_if<MakeLeg>(&job.what)) {
        // Nobody waits for it any more: should it come to life after all, it is ended.
        if (unknown) say("bgapi uuid_kill " + make->leg + " ORIGINATOR_CANCEL\n\n", {.what = Asked::nothing});
        if (const auto* leg = find_leg(make->leg); leg != nullptr && !leg->told_ringing && !leg->told_answered) legs_.erase(make->leg);
    } else if (const auto* join = std::get_if<JoinLeg>(&job.what)) {
        if (const auto* leg = find_leg(join->leg); leg != nullptr && leg->mix == join->mix && !leg->joined) forget_in_mix(join->leg);
    } else if (const auto* play = std::get_if<Play>(&job.what)) {
        if (auto* const leg = find_leg(play->leg); leg != nullptr && leg->play == play->play) leg->play.clear();
    } else if (const auto* recording = std::get_if<StartRecording>(&job.what)) {
        recordings_.erase(recording_path(recording->recording));
    }
    tell(CommandFailed{.command = job.command, .unwritten = unwritten, .unknown = unknown, .code = std::move(code), .detail = std::move(detail)});
}

void Session::job_done(Monotonic now, const Job& job) {
    std::visit(Cases{[&](const JoinLeg& c) { joined(c.mix, c.leg); }, [&](const PartLeg& c) { parted(c.leg); },
                     [&](const EndMix& c) {
                         const auto found = mixes_.find(c.mix);
                         if (found == mixes_.end()) return;
                         for (const auto& leg : std::vector<LegId>{found->second.legs}) parted(leg);
                         mixes_.erase(c.mix);
                     },
                     [&](const StopPlay& c) {
                         for (auto& [id, leg] : legs_)
                             if (leg.play == c.play) {
                                 leg.play.clear();
                                 leg.media.clear();
                                 tell(PlayEnded{.play = c.play, .completed = false});
                             }
                     },
                     [&](const Play& c) {
                         // The switch does not tell when all in a mix have heard it.
                         if (c.leg.empty()) tell(PlayEnded{.play = c.play, .completed = true});
                     },
                     [&](const AskSnapshot&) {
                         if (!sync_) start_sync(now, false);
                         sync_->asked_by.push_back(job.command);
                     },
                     [](const auto&) {}},
               job.what);
}

// ---- Steps

std::optional<Session::Refusal> Session::plan(Job& job) {
    return std::visit(Cases{[&](const MakeLeg& c) { return plan_make(job, c); },
                            [&](const MakeMix& c) -> std::optional<Refusal> {
                                if (!is_plain_word(c.mix) || c.mix.find('.') != std::string::npos || (!c.owner.empty() && !is_plain_word(c.owner))) return Refusal{"INVALID", "names must be plain words"};
                                mixes_[c.mix].owner = c.owner;  // once more: the same mix
                                return std::nullopt;
                            },
                            [&](const JoinLeg& c) { return plan_join(job, c); }, [&](const PartLeg& c) { return plan_part(job, c); },
                            [&](const EndMix& c) { return plan_end_mix(job, c); }, [&](const Play& c) { return plan_play(job, c); },
                            [&](const StopPlay& c) { return plan_stop_play(job, c); }, [&](const StartRecording& c) { return plan_recording(job, c); },
                            [&](const PauseRecording& c) { return plan_recorded(job, c.recording); }, [&](const StopRecording& c) { return plan_recorded(job, c.recording); },
                            [&](const FetchRecording& c) { return plan_fetch(job, c.recording, false); },
                            [&](const DropRecording& c) { return plan_fetch(job, c.recording, true); }, [](const AskSnapshot&) { return std::optional<Refusal>{}; },
                            [&](const EndLeg& c) -> std::optional<Refusal> {
                                end_leg(job, c);
                                return std::nullopt;
                            },
                            [&](const SnoopLeg& c) -> std::optional<Refusal> {
                                if (find_leg(c.of) == nullptr) return Refusal{"NO_LEG", "there is no leg to listen to"};
                                if (find_leg(c.leg) != nullptr) return std::nullopt;
                                Leg leg;
                                leg.role = LegRole::supervisor;
                                leg.owner = c.owner;
                                leg.seen = leg.up = true;
                                leg.listens_to = c.of;
                                leg.whispers = c.whisper;
                                answered(c.leg, legs_.emplace(c.leg, std::move(leg)).first->second, AnsweredBy::unasked, wall_);
                                return std::nullopt;
                            },
                            [&](const auto&) { return plan_plain(job); }},
                      job.what);
}

std::optional<Session::Refusal> Session::plan_make(Job& job, const MakeLeg& command) {
    if (!is_plain_word(command.leg) || !is_plain_word(command.owner) || command.owner.find('.') != std::string::npos) return Refusal{"INVALID", "names must be plain words"};
    if (find_leg(command.leg) != nullptr) return std::nullopt;  // asked for again
    const bool is_agent = command.role == LegRole::agent || command.role == LegRole::supervisor;
    const auto& endpoint = !command.endpoint.empty() ? command.endpoint : is_agent ? settings_->agent_endpoint : settings_->customer_endpoint;
    const auto dialled = telephony::fill_endpoint(endpoint, command.target, settings_->numbers);
    if (!dialled || !is_plain_word(*dialled)) return Refusal{"INVALID_TARGET", "the target is neither a number nor an extension"};
    const auto& caller = command.caller_id.empty() ? settings_->caller_id : command.caller_id;
    if (!caller.empty() && !is_plain_word(caller)) return Refusal{"INVALID_CALLER_ID", "the caller id is no number"};

    std::string variables = "origination_uuid=" + command.leg + ",ignore_early_media=true,park_after_bridge=true,hangup_after_bridge=false,originate_timeout=" +
                            seconds_of(command.ring_timeout) + ",touchgate_leg=" + settings_->app + ".";
    variables.append(role_word(command.role)).append(".").append(command.owner).append(".").append(command.target);
    if (!caller.empty()) variables.append(",origination_caller_id_number=").append(telephony::write_number(caller, settings_->numbers.format, settings_->numbers));
    if (!command.caller_name.empty()) variables.append(",origination_caller_id_name=").append(quoted_name(command.caller_name));
    if (is_agent && settings_->interaction_header) variables.append(",sip_h_X-Touchgate-Interaction=").append(command.owner);
    const bool detects = command.detect_machine && !settings_->amd_extension.empty();
    std::string text = "originate {" + variables + "}" + *dialled + " ";
    if (detects) text.append(settings_->amd_extension).append(" XML ").append(settings_->amd_context);
    else text.append("&park()");
    job.steps.push_back({.text = std::move(text)});
    Leg leg;
    leg.role = command.role;
    leg.owner = command.owner;
    leg.number = command.target;
    leg.detects_machine = detects;
    leg.since = wall_;
    legs_.emplace(command.leg, std::move(leg));
    return std::nullopt;
}

void Session::end_leg(Job& job, const EndLeg& command) {
    auto* const leg = find_leg(command.leg);
    if (leg == nullptr) return;  // it ended by itself
    if (!leg->listens_to.empty()) {
        const auto mix = mixes_.find(leg->mix);
        if (mix != mixes_.end())
            for (const auto& supervisor : real_legs(mix->second)) job.steps.push_back({.text = "uuid_park " + supervisor, .may_fail = true});
        return leg_ended(command.leg, {.leg = command.leg, .cause = 16, .was_answered = true, .outcome = "answered", .at = wall_});
    }
    leg->ended_by_us = true;
    job.steps.push_back({.text = "uuid_kill " + command.leg + " " + std::string{cause_word(command.reason)}, .may_fail = true});
}

// The telephone of a supervisor in this mix listens to the leg that the mix's other member stands for.
void Session::listen(Job& job, const Mix& mix) {
    const auto real = real_legs(mix);
    const auto listener = std::find_if(mix.legs.begin(), mix.legs.end(), [&](const LegId& id) {
        const auto* leg = find_leg(id);
        return leg != nullptr && !leg->listens_to.empty();
    });
    if (real.empty() || listener == mix.legs.end()) return;
    const auto& snoop = legs_.at(*listener);
    // The keys that change what an eavesdropper does are read from the digits he sends: 2 lets the one he listens to hear him.
    job.steps.push_back({.text = "uuid_setvar " + real.front() + " eavesdrop_enable_dtmf true"});
    job.steps.push_back({.text = "uuid_transfer " + real.front() + " eavesdrop:" + snoop.listens_to + " inline"});
    if (snoop.whispers) job.steps.push_back({.text = "uuid_recv_dtmf " + real.front() + " 2"});
}

std::optional<Session::Refusal> Session::plan_join(Job& job, const JoinLeg& command) {
    const auto found = mixes_.find(command.mix);
    if (found == mixes_.end()) return Refusal{"NO_MIX", "there is no such mix"};
    auto* const leg = find_leg(command.leg);
    if (leg == nullptr) return Refusal{"NO_LEG", "there is no such leg"};
    if (leg->mix == command.mix) return std::nullopt;
    if (!leg->mix.empty()) parted(command.leg);
    auto& mix = found->second;
    const auto others = real_legs(mix);
    mix.legs.push_back(command.leg);
    leg->mix = command.mix;
    leg->owner = mix.owner;
    const bool is_virtual = !leg->listens_to.empty();
    if (is_virtual || mix.legs.size() > others.size() + 1) {
        listen(job, mix);
        return std::nullopt;
    }
    const auto& id = command.leg;
    // What a restarted gateway reads from the channel. Whoever is left by the other one waits and is not hung up.
    job.steps.push_back({.text = "uuid_setvar " + id + " touchgate_mix " + command.mix + "." + mix.owner});
    if (leg->arrived) {
        job.steps.push_back({.text = "uuid_setvar " + id + " park_after_bridge true"});
        job.steps.push_back({.text = "uuid_setvar " + id + " hangup_after_bridge false"});
    }
    if (others.empty()) return std::nullopt;
    if (others.size() == 1 && !mix.conference) {
        job.steps.push_back({.text = "uuid_bridge " + others.front() + " " + id});
        return std::nullopt;
    }
    // A bridge has two ends: with the third all move into a conference, and stay there.
    const auto room = " conference:" + command.mix + "@" + settings_->conference_profile + " inline";
    if (!mix.conference) {
        mix.conference = true;
        const auto* const first = find_leg(others.front());
        const bool bridged = first != nullptr && first->partner == others.back();
        if (bridged) job.steps.push_back({.text = "uuid_transfer " + others.front() + " -both" + room});
        else
            for (const auto& other : others) job.steps.push_back({.text = "uuid_transfer " + other + room});
    }
    job.steps.push_back({.text = "uuid_transfer " + id + room});
    return std::nullopt;
}

std::optional<Session::Refusal> Session::plan_part(Job& job, const PartLeg& command) {
    const auto* const leg = find_leg(command.leg);
    if (leg == nullptr || leg->mix != command.mix) return std::nullopt;
    const auto mix = mixes_.find(command.mix);
    if (mix == mixes_.end()) return std::nullopt;
    if (!leg->listens_to.empty()) {
        for (const auto& supervisor : real_legs(mix->second)) job.steps.push_back({.text = "uuid_park " + supervisor, .may_fail = true});
        return std::nullopt;
    }
    job.steps.push_back({.text = "uuid_setvar " + command.leg + " touchgate_mix", .may_fail = true});
    if (mix->second.legs.size() > 1) job.steps.push_back({.text = "uuid_park " + command.leg});
    return std::nullopt;
}

std::optional<Session::Refusal> Session::plan_end_mix(Job& job, const EndMix& command) {
    const auto mix = mixes_.find(command.mix);
    if (mix == mixes_.end()) return std::nullopt;
    const auto real = real_legs(mix->second);
    for (const auto& leg : real) {
        job.steps.push_back({.text = "uuid_setvar " + leg + " touchgate_mix", .may_fail = true});
        if (mix->second.legs.size() > 1) job.steps.push_back({.text = "uuid_park " + leg, .may_fail = true});
    }
    return std::nullopt;
}

std::optional<Session::Refusal> Session::plan_play(Job& job, const Play& command) {
    std::deque<std::string> media;
    const auto& language = command.language.empty() ? settings_->language : command.language;
    for (const auto& medium : command.media) {
        const auto colon = medium.find(':');
        const auto kind = std::string_view{medium}.substr(0, colon);
        const auto what = colon == std::string::npos ? std::string{} : medium.substr(colon + 1);
        if (what.empty() || !is_one_line(what) || !is_plain_word(language)) return Refusal{"INVALID_MEDIUM", "cannot be played: " + medium.substr(0, 100)};
        if (kind == "file") media.push_back("playback " + what);
        else if (kind == "recording" && is_plain_word(what)) media.push_back("playback " + recording_path(what));
        else if (kind == "number") media.push_back("say " + language + " number pronounced " + what);
        else if (kind == "digits") media.push_back("say " + language + " number iterated " + what);
        else if (kind == "tone") media.push_back("playback " + (what == "beep" ? std::string{beep} : "tone_stream://" + what));
        else if (kind == "text" && !settings_->speech.empty()) media.push_back("speak " + settings_->speech + "|" + what);
        else return Refusal{kind == "text" ? "NO_SPEECH" : "INVALID_MEDIUM", kind == "text" ? "the account has no `speech`" : "cannot be played: " + medium.substr(0, 100)};
    }
    if (media.empty()) return Refusal{"INVALID_MEDIUM", "there is nothing to play"};
    if (!command.leg.empty()) {
        auto* const leg = find_leg(command.leg);
        if (leg == nullptr) return Refusal{"NO_LEG", "there is no such leg"};
        if (!is_plain_word(command.play)) return Refusal{"INVALID", "names must be plain words"};
        leg->play = command.play;
        const auto first = parts_of(media.front());
        media.pop_front();
        leg->media = std::move(media);
        job.steps.push_back({.text = execute_message(command.leg, first.application, first.argument, command.play), .message = true});
        return std::nullopt;
    }
    const auto mix = mixes_.find(command.mix);
    const auto real = mix == mixes_.end() ? std::vector<LegId>{} : real_legs(mix->second);
    if (real.empty()) return Refusal{"NO_MIX", "there is nobody to play to"};
    for (const auto& medium : media) {
        const auto [application, argument] = parts_of(medium);
        if (application != "playback" || argument.find(' ') != std::string::npos) return Refusal{"INVALID_MEDIUM", "only files and tones can be played to a mix"};
        job.steps.push_back({.text = mix->second.conference ? "conference " + command.mix + " play " + argument : "uuid_broadcast " + real.front() + " " + argument + " both"});
    }
    return std::nullopt;
}

void Session::next_medium(Leg& leg, const LegId& id) {
    const auto next = parts_of(leg.media.front());
    leg.media.pop_front();
    say(execute_message(id, next.application, next.argument, leg.play), {.what = Asked::nothing});
}

std::optional<Session::Refusal> Session::plan_stop_play(Job& job, const StopPlay& command) {
    for (auto& [id, leg] : legs_)
        if (leg.play == command.play) {
            leg.media.clear();
            job.steps.push_back({.text = "uuid_break " + id + " all", .may_fail = true});
        }
    return std::nullopt;
}

// Commands of one step to one leg.
std::optional<Session::Refusal> Session::plan_plain(Job& job) {
    const auto id = std::visit(Cases{[](const AnswerLeg& c) { return c.leg; }, [](const RingLeg& c) { return c.leg; }, [](const StartMusic& c) { return c.leg; },
                                     [](const StopMusic& c) { return c.leg; }, [](const MuteLeg& c) { return c.leg; }, [](const SendDigits& c) { return c.leg; },
                                     [](const auto&) { return LegId{}; }},
                               job.what);
    if (find_leg(id) == nullptr) return Refusal{"NO_LEG", "there is no such leg"};
    if (std::holds_alternative<AnswerLeg>(job.what)) {
        job.steps.push_back({.text = "uuid_answer " + id});
    } else if (std::holds_alternative<RingLeg>(job.what)) {
        job.steps.push_back({.text = execute_message(id, "ring_ready", {}, {}), .message = true});
    } else if (const auto* music = std::get_if<StartMusic>(&job.what)) {
        const auto& what = music->music.empty() ? settings_->music : music->music;
        if (!is_plain_word(what)) return Refusal{"INVALID_MEDIUM", "the music cannot be played"};
        job.steps.push_back({.text = "uuid_broadcast " + id + " " + what + " aleg"});
    } else if (std::holds_alternative<StopMusic>(job.what)) {
        job.steps.push_back({.text = "uuid_break " + id + " all", .may_fail = true});
    } else if (const auto* mute = std::get_if<MuteLeg>(&job.what)) {
        job.steps.push_back({.text = "uuid_audio " + id + (mute->muted ? " start read mute -1" : " stop")});
    } else if (const auto* digits = std::get_if<SendDigits>(&job.what)) {
        if (digits->digits.empty() || digits->digits.find_first_not_of("0123456789*#ABCDwW") != std::string::npos) return Refusal{"INVALID", "these are no digits"};
        job.steps.push_back({.text = "uuid_send_dtmf " + id + " " + digits->digits});
    }
    return std::nullopt;
}

}  // namespace touchgate::adapters::freeswitch_esl
