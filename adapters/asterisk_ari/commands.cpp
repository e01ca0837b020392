#include "adapters/asterisk_ari/commands.hpp"

#include <algorithm>

#include "adapters/asterisk_ari/cause.hpp"
#include "adapters/asterisk_ari/event.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::asterisk_ari {

namespace {

using namespace channel;

using Planned = std::variant<Job, Refusal>;

std::string on_channel(const LegId& leg, std::string_view rest = {}) { return "/channels/" + percent_encode(leg).append(rest); }
std::string on_bridge(const MixId& mix, std::string_view rest = {}) { return "/bridges/" + percent_encode(mix).append(rest); }
std::string play_key(const std::string& play) { return "play " + play; }
std::string recording_key(const std::string& recording) { return "recording " + recording; }

std::string with_query(std::string path, const Fields& fields) { return path.append("?").append(encode_form(fields)); }

std::string seconds_of(Duration duration) { return std::to_string((duration.count() + 999) / 1'000); }

// Variables of a new channel; their names may be functions of the dial plan.
std::string variables_body(const Json& variables) { return Json{{"variables", variables}}.dump(-1, ' ', false, Json::error_handler_t::replace); }

Job of_leg(const LegId& leg, Step step) {
    Job job;
    job.keys = {leg_key(leg)};
    job.leg = leg;
    job.steps.push_back(std::move(step));
    return job;
}

Planned plan_leg(const MakeLeg& command, const Settings& settings) {
    const bool is_agent = command.role == LegRole::agent || command.role == LegRole::supervisor;
    const auto& endpoint = !command.endpoint.empty() ? command.endpoint : is_agent ? settings.agent_endpoint : settings.customer_endpoint;
    const auto dialled = telephony::fill_endpoint(endpoint, command.target, settings.numbers);
    if (!dialled) return Refusal{"INVALID_TARGET", "the target is neither a number nor an extension"};
    const auto& caller = command.caller_id.empty() ? settings.caller_id : command.caller_id;
    const auto number = telephony::write_number(caller, settings.numbers.format, settings.numbers);
    Json variables{{owner_variable, command.owner}, {leg_variable, settings.app + ',' + role_word(command.role) + ',' + command.target}};
    const Fields arguments{{"app", settings.app}, {"appArgs", std::string{"leg,"} + role_word(command.role) + ',' + command.owner + ',' + command.target}};

    Job job;
    job.kind = JobKind::make_leg;
    job.keys = {leg_key(command.leg)};
    job.leg = command.leg;
    job.not_after = command.permit_deadline;
    Step make;
    make.proof = Proof::exists;
    make.question = on_channel(command.leg);
    if (!is_agent) {
        // One request, so that the permit stands or falls with its first byte.
        Fields fields = arguments;
        fields.insert(fields.begin(), {"endpoint", *dialled});
        fields.emplace_back("channelId", command.leg);
        fields.emplace_back("timeout", seconds_of(command.ring_timeout));
        if (!number.empty()) fields.emplace_back("callerId", telephony::write_caller(command.caller_name, number));
        make.path = with_query("/channels", fields);
        make.body = variables_body(variables);
        make.dials = true;
        job.steps.push_back(std::move(make));
        return job;
    }
    // Made and dialled in two steps: the channel is in the application before it rings, so that an answer that comes while the event stream is
    // broken keeps the call.
    if (dialled->starts_with("PJSIP/")) {
        if (settings.transfers_by_gateway) variables["PJSIP_TRANSFER_HANDLING()"] = "ari-only";
        if (settings.interaction_header && !command.owner.empty()) variables["PJSIP_HEADER(add,X-Touchgate-Interaction)"] = command.owner;
    }
    if (!number.empty()) {
        variables["CONNECTEDLINE(num,i)"] = number;
        variables["CONNECTEDLINE(num-pres,i)"] = "allowed";
    }
    if (!command.caller_name.empty()) variables["CONNECTEDLINE(name,i)"] = command.caller_name;
    Fields fields = arguments;
    fields.insert(fields.begin(), {"endpoint", *dialled});
    fields.emplace_back("channelId", command.leg);
    make.path = with_query("/channels/create", fields);
    make.body = variables_body(variables);
    make.dials = true;
    job.steps.push_back(std::move(make));
    Step dial{.path = with_query(on_channel(command.leg, "/dial"), {{"timeout", seconds_of(command.ring_timeout)}})};
    dial.in_app = true;
    dial.dials = true;
    job.steps.push_back(std::move(dial));
    return job;
}

Planned plan_play(const Play& command, const Settings& settings) {
    std::string media;
    for (const auto& medium : command.media) {
        const auto uri = media_uri(medium, settings);
        if (!uri) return Refusal{"CANNOT_PLAY", "this system cannot play " + medium.substr(0, 80)};
        media.append(media.empty() ? "" : ",").append(*uri);
    }
    if (media.empty()) return Refusal{"CANNOT_PLAY", "there is nothing to play"};
    const bool to_mix = !command.mix.empty();
    Fields fields{{"media", media}, {"playbackId", command.play}};
    const auto& language = command.language.empty() ? settings.language : command.language;
    if (!language.empty()) fields.emplace_back("lang", language);
    Job job = of_leg(command.leg, {.path = with_query(to_mix ? on_bridge(command.mix, "/play") : on_channel(command.leg, "/play"), fields),
                                   .proof = Proof::exists,
                                   .question = "/playbacks/" + percent_encode(command.play)});
    job.kind = JobKind::play;
    job.subject = command.play;
    job.keys = {to_mix ? mix_key(command.mix) : leg_key(command.leg), play_key(command.play)};
    return job;
}

Planned plan_recording(const StartRecording& command, const Settings& settings) {
    const bool of_mix = !command.mix.empty();
    const auto name = recording_name(settings, command.recording);
    Fields fields{{"name", name}, {"format", settings.recordings_format}, {"ifExists", "fail"}, {"beep", command.beep ? "true" : "false"}};
    if (command.longest > Duration{0}) fields.emplace_back("maxDurationSeconds", seconds_of(command.longest));
    if (command.silence > Duration{0}) fields.emplace_back("maxSilenceSeconds", seconds_of(command.silence));
    if (!command.end_digits.empty()) fields.emplace_back("terminateOn", command.end_digits.size() == 1 ? command.end_digits : "any");
    Job job = of_leg(command.leg, {.path = with_query(of_mix ? on_bridge(command.mix, "/record") : on_channel(command.leg, "/record"), fields),
                                   .proof = Proof::exists,
                                   .question = "/recordings/live/" + percent_encode(name)});
    job.kind = JobKind::start_recording;
    job.subject = command.recording;
    job.keys = {of_mix ? mix_key(command.mix) : leg_key(command.leg), recording_key(command.recording)};
    return job;
}

struct Planner {
    const Settings& settings;

    Planned operator()(const MakeLeg& c) const { return plan_leg(c, settings); }
    Planned operator()(const AnswerLeg& c) const { return of_leg(c.leg, {.path = on_channel(c.leg, "/answer"), .proof = Proof::up, .question = on_channel(c.leg), .again = true}); }
    Planned operator()(const RingLeg& c) const { return of_leg(c.leg, {.path = on_channel(c.leg, "/ring"), .proof = Proof::none}); }
    Planned operator()(const EndLeg& c) const {
        auto job = of_leg(c.leg, {.method = "DELETE", .path = with_query(on_channel(c.leg), {{"reason", reason_word(c.reason)}}), .nothing_left_to_do = {404},
                                  .proof = Proof::gone, .question = on_channel(c.leg), .again = true});
        job.kind = JobKind::end_leg;
        return job;
    }
    Planned operator()(const MakeMix& c) const {
        Job job;
        job.keys = {mix_key(c.mix)};
        job.steps.push_back({.path = with_query("/bridges", {{"type", "mixing"}, {"bridgeId", c.mix}, {"name", bridge_name(settings, c.owner)}}),
                             .proof = Proof::exists, .question = on_bridge(c.mix), .again = true});
        return job;
    }
    Planned operator()(const JoinLeg& c) const {
        auto job = of_leg(c.leg, {.path = with_query(on_bridge(c.mix, "/addChannel"), {{"channel", c.leg}}), .proof = Proof::member, .question = on_bridge(c.mix), .proof_of = c.leg,
                                  .again = true});
        job.kind = JobKind::join;
        job.keys.push_back(mix_key(c.mix));
        return job;
    }
    Planned operator()(const PartLeg& c) const {
        auto job = of_leg(c.leg, {.path = with_query(on_bridge(c.mix, "/removeChannel"), {{"channel", c.leg}}), .nothing_left_to_do = {400, 404, 422}, .proof = Proof::absent,
                                  .question = on_bridge(c.mix), .proof_of = c.leg, .again = true});
        job.keys.push_back(mix_key(c.mix));
        return job;
    }
    Planned operator()(const EndMix& c) const {
        Job job;
        job.keys = {mix_key(c.mix)};
        job.steps.push_back({.method = "DELETE", .path = on_bridge(c.mix), .nothing_left_to_do = {404}, .proof = Proof::gone, .question = on_bridge(c.mix), .again = true});
        return job;
    }
    Planned operator()(const StartMusic& c) const {
        const auto& music = c.music.empty() ? settings.music : c.music;
        return of_leg(c.leg, {.path = music.empty() ? on_channel(c.leg, "/moh") : with_query(on_channel(c.leg, "/moh"), {{"mohClass", music}})});
    }
    Planned operator()(const StopMusic& c) const { return of_leg(c.leg, {.method = "DELETE", .path = on_channel(c.leg, "/moh"), .nothing_left_to_do = {404}}); }
    Planned operator()(const MuteLeg& c) const {
        return of_leg(c.leg, {.method = c.muted ? "POST" : "DELETE", .path = with_query(on_channel(c.leg, "/mute"), {{"direction", "in"}})});
    }
    Planned operator()(const SendDigits& c) const {
        if (c.digits.empty() || c.digits.find_first_not_of("0123456789*#ABCDabcd") != std::string::npos) return Refusal{"INVALID_DIGITS", "digits are 0 to 9, *, # and A to D"};
        return of_leg(c.leg, {.path = with_query(on_channel(c.leg, "/dtmf"), {{"dtmf", c.digits}})});
    }
    Planned operator()(const Play& c) const { return plan_play(c, settings); }
    Planned operator()(const StopPlay& c) const {
        Job job;
        job.keys = {play_key(c.play)};
        job.steps.push_back({.method = "DELETE", .path = "/playbacks/" + percent_encode(c.play), .nothing_left_to_do = {404}, .proof = Proof::gone,
                             .question = "/playbacks/" + percent_encode(c.play), .again = true});
        return job;
    }
    Planned operator()(const StartRecording& c) const { return plan_recording(c, settings); }
    Planned operator()(const PauseRecording& c) const { return of_recording(c.recording, c.paused ? "POST" : "DELETE", "live", "/pause"); }
    Planned operator()(const StopRecording& c) const {
        auto job = of_recording(c.recording, "POST", "live", "/stop");
        job.kind = JobKind::stop_recording;
        if (!c.mix.empty()) job.keys.push_back(mix_key(c.mix));
        job.steps.front().nothing_left_to_do = {404};
        return job;
    }
    Planned operator()(const FetchRecording& c) const {
        auto job = of_recording(c.recording, "GET", "stored", "/file");
        job.kind = JobKind::fetch_recording;
        job.timeout = settings.recording_timeout;
        return job;
    }
    Planned operator()(const DropRecording& c) const {
        auto job = of_recording(c.recording, "DELETE", "stored", "");
        job.steps.front().nothing_left_to_do = {404};
        return job;
    }
    Planned operator()(const SnoopLeg& c) const {
        Job job;
        job.kind = JobKind::snoop;
        job.leg = c.leg;
        job.keys = {leg_key(c.leg), leg_key(c.of)};
        job.steps.push_back({.path = with_query(on_channel(c.of, "/snoop"), {{"spy", "both"},
                                                                            {"whisper", c.whisper ? "out" : "none"},
                                                                            {"app", settings.app},
                                                                            {"appArgs", "snoop," + c.owner},
                                                                            {"snoopId", c.leg}}),
                             .proof = Proof::exists, .question = on_channel(c.leg)});
        return job;
    }
    Planned operator()(const AskSnapshot&) const { return Job{}; }

    Job of_recording(const std::string& recording, const char* method, const char* kind, const char* act) const {
        Job job;
        job.subject = recording;
        job.keys = {recording_key(recording)};
        job.steps.push_back({.method = method, .path = std::string{"/recordings/"} + kind + '/' + percent_encode(recording_name(settings, recording)).append(act)});
        return job;
    }
};

}  // namespace

std::optional<std::string> media_uri(const std::string& medium, const Settings& settings) {
    const auto colon = medium.find(':');
    if (medium.empty() || colon + 1 == medium.size() || medium.find(',') != std::string::npos) return std::nullopt;
    const auto kind = colon == std::string::npos ? std::string{"file"} : medium.substr(0, colon);
    const auto rest = colon == std::string::npos ? medium : medium.substr(colon + 1);
    if (kind == "file" || kind == "sound") return "sound:" + rest;
    if (kind == "number" || kind == "digits" || kind == "tone") return medium;
    if (kind == "recording") return "recording:" + recording_name(settings, rest);
    return std::nullopt;
}

std::variant<Job, Refusal> plan(const CallCommand& command, const Settings& settings) {
    auto planned = std::visit(Planner{settings}, command);
    if (auto* job = std::get_if<Job>(&planned); job != nullptr && job->kind != JobKind::fetch_recording) job->timeout = settings.request_timeout;
    return planned;
}

std::string leg_key(const LegId& leg) { return "leg " + leg; }
std::string mix_key(const MixId& mix) { return "mix " + mix; }

const char* role_word(LegRole role) {
    switch (role) {
        case LegRole::agent: return "agent";
        case LegRole::outside: return "outside";
        case LegRole::supervisor: return "supervisor";
        case LegRole::customer: break;
    }
    return "customer";
}

std::optional<LegRole> role_of(std::string_view word) {
    for (const auto role : {LegRole::customer, LegRole::agent, LegRole::outside, LegRole::supervisor})
        if (word == role_word(role)) return role;
    return std::nullopt;
}

std::string bridge_name(const Settings& settings, const std::string& owner) { return "touchgate/" + settings.app + '/' + owner; }

std::optional<std::string> owner_of_bridge(const Settings& settings, std::string_view name) {
    const auto prefix = bridge_name(settings, {});
    if (!name.starts_with(prefix)) return std::nullopt;
    return std::string{name.substr(prefix.size())};
}

std::string recording_name(const Settings& settings, const std::string& recording) {
    return settings.recordings_folder.empty() ? recording : settings.recordings_folder + '/' + recording;
}

std::string recording_of(const Settings& settings, const std::string& name) {
    const auto prefix = recording_name(settings, {});
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

}  // namespace touchgate::adapters::asterisk_ari
