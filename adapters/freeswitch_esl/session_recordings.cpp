// Recordings: begun, paused, ended and fetched, and where they lie.
#include <algorithm>
#include <utility>

#include "adapters/freeswitch_esl/session.hpp"
#include "adapters/freeswitch_esl/switch_text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::freeswitch_esl {

using namespace channel;
using namespace std::chrono_literals;

std::string Session::recording_path(const std::string& recording) const {
    return settings_->recordings_folder + "/" + recording + "." + settings_->recordings_format;
}

std::string Session::recording_at(std::string_view path) const {
    const auto folder = settings_->recordings_folder + "/", ending = "." + settings_->recordings_format;
    if (path.size() <= folder.size() + ending.size() || !path.starts_with(folder) || !path.ends_with(ending)) return {};
    const auto name = path.substr(folder.size(), path.size() - folder.size() - ending.size());
    return is_plain_word(name) ? std::string{name} : std::string{};
}

std::optional<Session::Refusal> Session::plan_recording(Job& job, const StartRecording& command) {
    if (!is_plain_word(command.recording)) return Refusal{"INVALID", "names must be plain words"};
    const auto path = recording_path(command.recording);
    if (recordings_.contains(path)) return std::nullopt;
    const auto limit = command.longest > Duration{0} ? " " + seconds_of(command.longest) : std::string{};
    Recording recording{.name = command.recording, .leg = command.leg, .mix = {}};
    if (command.leg.empty()) {
        const auto mix = mixes_.find(command.mix);
        const auto real = mix == mixes_.end() ? std::vector<LegId>{} : real_legs(mix->second);
        if (real.empty()) return Refusal{"NO_MIX", "there is nobody to record"};
        if (mix->second.conference) recording.mix = command.mix;
        else recording.leg = real.front();
    } else if (find_leg(command.leg) == nullptr) {
        return Refusal{"NO_LEG", "there is no such leg"};
    }
    const auto& leg = recording.leg;
    recording.by_application = recording.mix.empty() && (!command.end_digits.empty() || command.silence > Duration{0});
    if (recording.by_application) {
        // A message that somebody leaves: it ends by a digit or by silence, and so is the leg's own business and not something beside it.
        if (command.end_digits.find_first_not_of("0123456789*#") != std::string::npos) return Refusal{"INVALID", "these are no digits"};
        job.steps.push_back({.text = "uuid_setvar " + leg + " playback_terminators " + (command.end_digits.empty() ? "none" : command.end_digits)});
        if (command.beep) job.steps.push_back({.text = execute_message(leg, "playback", beep, {}), .message = true});
        constexpr std::string_view silence_threshold = " 200 ";
        const auto silence = command.silence > Duration{0} ? std::string{silence_threshold} + seconds_of(command.silence) : std::string{};
        job.steps.push_back({.text = execute_message(leg, "record", path + (limit.empty() ? " 3600" : limit) + silence, {}), .message = true});
    } else if (!recording.mix.empty()) {
        job.steps.push_back({.text = "conference " + command.mix + " record " + path});
    } else {
        if (command.beep) job.steps.push_back({.text = "uuid_broadcast " + leg + " " + std::string{beep} + " both"});
        job.steps.push_back({.text = "uuid_record " + leg + " start " + path + limit});
    }
    recordings_.emplace(path, std::move(recording));
    return std::nullopt;
}

std::optional<Session::Refusal> Session::plan_recorded(Job& job, const std::string& recording) {
    const auto found = recordings_.find(recording_path(recording));
    if (found == recordings_.end()) return std::nullopt;  // it has ended
    const auto& [path, how] = *found;
    const auto* pause = std::get_if<PauseRecording>(&job.what);
    if (pause != nullptr && (!how.mix.empty() || how.by_application)) return Refusal{"UNSUPPORTED", "this recording cannot be paused"};
    if (pause != nullptr) job.steps.push_back({.text = "uuid_record " + how.leg + (pause->paused ? " mask " : " unmask ") + path});
    else if (!how.mix.empty()) job.steps.push_back({.text = "conference " + how.mix + " norecord " + path});
    else if (how.by_application) job.steps.push_back({.text = "uuid_break " + how.leg});
    else job.steps.push_back({.text = "uuid_record " + how.leg + " stop " + path, .may_fail = true});
    return std::nullopt;
}

std::optional<Session::Refusal> Session::plan_fetch(const Job& job, const std::string& recording, bool drop) {
    if (!is_plain_word(recording)) return Refusal{"INVALID", "names must be plain words"};
    if (!settings_->recordings_url) {
        // Without a place to read them from they stay where they are.
        if (!drop) tell(RecordingFetched{.recording = recording, .content_type = {}, .bytes = {}, .failure = "the account has no recordings.base_url"});
        return std::nullopt;
    }
    CallRequest request{.id = next_request_++, .request = {}, .timeout = settings_->recording_timeout};
    request.request.method = drop ? "DELETE" : "GET";
    request.request.url = settings_->recordings_url->origin + settings_->recordings_url->path + "/" + percent_encode(recording + "." + settings_->recordings_format);
    fetches_[request.id] = {.command = job.command, .recording = recording, .drop = drop};
    output_.requests.push_back(std::move(request));
    return std::nullopt;
}

void Session::on_record_stop(const Event& event) {
    const auto path = event.text("Record-File-Path");
    const auto found = recordings_.find(path);
    const auto name = found != recordings_.end() ? found->second.name : recording_at(path);  // one that an earlier run of the gateway began
    if (name.empty()) return;
    auto ms = event.variable("record_ms").empty() ? event.number("variable_record_seconds") * 1'000 : event.number("variable_record_ms");
    ms = std::clamp<std::int64_t>(ms, 0, Duration{24h}.count());
    tell(RecordingEnded{.recording = name, .lasted = Duration{ms}, .failure = {}});
    if (found != recordings_.end()) recordings_.erase(found);
}

}  // namespace touchgate::adapters::freeswitch_esl
