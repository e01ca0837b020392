// Sounds and recordings.
#include <algorithm>

#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "adapters/sandbox/pbx/pbx_text.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace {

// A WAV file of 8 kHz, 16 bits, one channel: a quiet tone of 400 Hz.
std::string make_wav(Duration length) {
    const auto samples = static_cast<std::uint32_t>(std::clamp<std::int64_t>(length.count(), 20, 60'000) * 8);
    std::string wav;
    const auto number = [&](std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) wav.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
    };
    wav.append("RIFF");
    number(36 + samples * 2, 4);
    wav.append("WAVEfmt ");
    number(16, 4);
    number(1, 2);
    number(1, 2);
    number(8'000, 4);
    number(16'000, 4);
    number(2, 2);
    number(16, 2);
    wav.append("data");
    number(samples * 2, 4);
    for (std::uint32_t i = 0; i < samples; ++i) number(i / 10 % 2 == 0 ? 1'000U : 0xFC18U, 2);
    return wav;
}

Json playback_json(const std::string& id, const std::string& media, const std::string& target, const char* state) {
    return {{"id", id}, {"media_uri", media}, {"target_uri", target}, {"language", "en"}, {"state", state}};
}

}  // namespace

std::set<std::string> PbxPeer::watchers_of(const std::string& target_uri) {
    const auto colon = target_uri.find(':');
    const auto id = target_uri.substr(colon + 1);
    if (target_uri.starts_with("bridge:")) {
        const auto bridge = bridges_.find(id);
        return bridge == bridges_.end() ? std::set<std::string>{} : bridge->second.watchers;
    }
    const auto* const channel = find_channel(id);
    return channel == nullptr ? std::set<std::string>{} : channel->watchers;
}

HttpReply PbxPeer::play(Request& request, const std::string& target_uri) {
    const auto media = request.text("media");
    if (media.empty()) return message_reply(400, "Media is required");
    auto id = request.text("playbackId");
    if (id.empty() && request.path.size() > 3) id = request.path[3];
    if (id.empty()) id = "playback-" + std::to_string(next_serial_);
    auto& playback = playbacks_[id];
    playback = {.id = id, .target_uri = target_uri, .media = media, .serial = next_serial_++};
    const bool endless = media.starts_with("tone:");
    const auto parts = static_cast<std::int64_t>(std::count(media.begin(), media.end(), ',')) + 1;
    if (!endless) plan(behaviour_.play.draw(random_) * parts, {.kind = TimerKind::playback, .subject = id, .serial = playback.serial}, request.now);
    tell_watchers(watchers_of(target_uri), "PlaybackStarted", {{"playback", playback_json(id, media, target_uri, "playing")}}, request.now);
    // Who listens may press what is asked for.
    if (target_uri.starts_with("channel:"))
        if (auto* const channel = find_channel(std::string_view{target_uri}.substr(8)); channel != nullptr && !channel->manner.digits_each.empty())
            press(*channel, channel->manner.digits_each, channel->manner.digits_after, request.now);
    return json_reply(playback_json(id, media, target_uri, "queued"), 201);
}

void PbxPeer::end_playback(const std::string& id, const char* state, Now now) {
    const auto found = playbacks_.find(id);
    if (found == playbacks_.end()) return;
    const auto playback = std::move(found->second);
    playbacks_.erase(found);
    tell_watchers(watchers_of(playback.target_uri), "PlaybackFinished", {{"playback", playback_json(playback.id, playback.media, playback.target_uri, state)}}, now);
}

HttpReply PbxPeer::playbacks(Request& request) {
    const auto found = request.path.size() > 1 ? playbacks_.find(request.path[1]) : playbacks_.end();
    if (found == playbacks_.end()) return message_reply(404, "Playback not found");
    const auto& playback = found->second;
    if (request.path.size() == 3 && request.path[2] == "control") return done_reply();
    if (request.http.method == "GET") return json_reply(playback_json(playback.id, playback.media, playback.target_uri, "playing"));
    if (request.http.method != "DELETE") return message_reply(405, "Invalid method");
    end_playback(std::string{playback.id}, "done", request.now);
    return done_reply();
}

HttpReply PbxPeer::record(Request& request, const std::string& target_uri, bool impossible) {
    const auto name = request.text("name"), format = request.text("format");
    if (name.empty() || format.empty()) return message_reply(400, "Name and format are required");
    if (live_.contains(name) || (stored_.contains(name) && request.text("ifExists") != "overwrite")) return message_reply(409, "Recording already exists");
    Json json{{"name", name}, {"format", format}, {"target_uri", target_uri}, {"state", "queued"}};
    if (impossible) {
        json["state"] = "failed";
        json["cause"] = "Cannot record channel while in bridge";
        tell_watchers(watchers_of(target_uri), "RecordingFailed", {{"recording", json}}, request.now);
        return json_reply(json, 201);
    }
    auto& recording = live_[name];
    recording = {.name = name, .format = format, .target_uri = target_uri, .started = request.now.wall, .paused = false, .serial = next_serial_++};
    const auto longest = std::atoi(request.text("maxDurationSeconds").c_str());
    if (longest > 0) plan(std::chrono::seconds{longest}, {.kind = TimerKind::recording, .subject = name, .serial = recording.serial}, request.now);
    Json started = json;
    started["state"] = "recording";
    tell_watchers(watchers_of(target_uri), "RecordingStarted", {{"recording", started}}, request.now);
    return json_reply(json, 201);
}

void PbxPeer::end_recording(const std::string& name, Now now) {
    const auto found = live_.find(name);
    if (found == live_.end()) return;
    const auto recording = std::move(found->second);
    live_.erase(found);
    const auto lasted = std::max(Duration{0}, now.wall - recording.started);
    stored_[recording.name] = lasted;
    tell_watchers(watchers_of(recording.target_uri), "RecordingFinished",
                  {{"recording", {{"name", recording.name}, {"format", recording.format}, {"target_uri", recording.target_uri}, {"state", "done"}, {"duration", lasted.count() / 1'000}}}}, now);
}

HttpReply PbxPeer::recordings(Request& request) {
    const auto& path = request.path;
    const auto& method = request.http.method;
    if (path.size() >= 2 && path[1] == "stored") {
        if (path.size() == 2) {
            Json list = Json::array();
            for (const auto& [name, lasted] : stored_) list.push_back({{"name", name}, {"format", "wav"}});
            return json_reply(list);
        }
        const auto found = stored_.find(path[2]);
        if (found == stored_.end()) return message_reply(404, "Recording not found");
        if (path.size() == 4 && path[3] == "file" && method == "GET") return {.status = 200, .content_type = "audio/wav", .body = make_wav(found->second)};
        if (path.size() == 3 && method == "DELETE") {
            stored_.erase(found);
            return done_reply();
        }
        return json_reply({{"name", found->first}, {"format", "wav"}});
    }
    if (path.size() < 3 || path[1] != "live") return message_reply(404, "Resource not found");
    const auto found = live_.find(path[2]);
    if (found == live_.end()) return message_reply(404, "Recording not found");
    if (path.size() == 3) {
        if (method == "DELETE") {
            live_.erase(found);
            return done_reply();
        }
        return json_reply({{"name", found->first}, {"format", found->second.format}, {"state", found->second.paused ? "paused" : "recording"}, {"target_uri", found->second.target_uri}});
    }
    if (path[3] == "stop") end_recording(std::string{found->first}, request.now);
    else if (path[3] == "pause") found->second.paused = method == "POST";
    else if (path[3] != "mute") return message_reply(404, "Resource not found");
    return done_reply();
}

}  // namespace touchgate::sandbox
