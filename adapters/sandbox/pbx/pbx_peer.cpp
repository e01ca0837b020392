#include "adapters/sandbox/pbx/pbx_peer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "adapters/sandbox/pbx/pbx_text.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::sandbox {

PbxPeer::PbxPeer(PbxSettings settings, const PbxBehaviour& behaviour, Random& random) : settings_{std::move(settings)}, behaviour_{behaviour}, random_{random} {}

bool PbxPeer::Request::has(std::string_view name) const {
    return std::any_of(parameters.begin(), parameters.end(), [&](const auto& each) { return each.first == name; });
}

bool PbxPeer::may_enter(const HttpRequest& request, std::string* user) const {
    auto given = std::string{value_of(parse_parameters(request.query()), "api_key")};
    if (given.empty()) {
        const auto header = request.header("authorization");
        if (to_lower_ascii(header.substr(0, 6)) == "basic ") given = crypto::from_base64(trim(header.substr(6))).value_or("");
    }
    const auto colon = given.find(':');
    if (colon == std::string::npos) return false;
    const auto found = settings_.users.find(given.substr(0, colon));
    if (found == settings_.users.end() || found->second != given.substr(colon + 1)) return false;
    if (user != nullptr) *user = found->first;
    return true;
}

HttpReply PbxPeer::handle(const HttpRequest& request, Now now) {
    ++statistics_.requests;
    std::string user;
    if (!may_enter(request, &user)) {
        ++statistics_.refused;
        return message_reply(401, "Authentication required");
    }
    const auto path = request.path();
    if (!path.starts_with("/ari/")) return message_reply(404, "Resource not found");
    if (request.method != "GET" && std::find(settings_.read_only.begin(), settings_.read_only.end(), user) != settings_.read_only.end())
        return message_reply(403, "Write access denied");
    if (const auto status = draw(behaviour_.error, random_); !status.empty()) {
        ++statistics_.faults;
        auto reply = message_reply(std::atoi(std::string{status}.c_str()), "Simulated fault");
        reply.delay = behaviour_.response_delay.draw(random_);
        return reply;
    }
    Request parsed{.http = request, .path = {}, .parameters = parse_parameters(request.query()), .body = {}, .now = now};
    for (const auto segment : split(path.substr(5), '/')) parsed.path.push_back(decode_segment(segment));
    if (request.header("content-type").find("json") != std::string_view::npos && !request.body.empty()) {
        parsed.body = Json::parse(request.body, nullptr, false);
        if (parsed.body.is_discarded()) return message_reply(400, "Request body contained invalid JSON");
        // What may stand in the query may stand in the body.
        if (parsed.body.is_object())
            for (const auto& [key, value] : parsed.body.items()) {
                if (value.is_string()) parsed.parameters.emplace_back(key, value.get<std::string>());
                else if (value.is_number() || value.is_boolean()) parsed.parameters.emplace_back(key, value.dump());
            }
    } else if (request.header("content-type").find("x-www-form-urlencoded") != std::string_view::npos) {
        for (auto& each : parse_parameters(request.body)) parsed.parameters.push_back(std::move(each));
    }
    auto reply = route(parsed);
    reply.delay += behaviour_.response_delay.draw(random_);
    if (behaviour_.no_response > 0 && random_.chance(behaviour_.no_response)) {
        ++statistics_.unanswered;
        reply.hang_up = true;
    }
    return reply;
}

HttpReply PbxPeer::route(Request& request) {
    if (!began_at_) began_at_ = request.now.wall;
    const auto& first = request.path.front();
    if (first == "channels") return channels(request);
    if (first == "bridges") return bridges(request);
    if (first == "applications") return applications(request);
    if (first == "playbacks") return playbacks(request);
    if (first == "recordings") return recordings(request);
    if (first == "asterisk" && request.path.size() == 2 && request.path[1] == "info")
        return json_reply({{"build", Json::object()}, {"system", {{"version", "22.10.1"}, {"entity_id", "02:00:00:00:00:01"}}}, {"config", {{"name", "sandbox"}, {"default_language", "en"}}},
                           {"status", {{"startup_time", time_text(*began_at_)}, {"last_reload_time", time_text(*began_at_)}}}});
    if (first == "asterisk" && request.path.size() == 2 && request.path[1] == "ping")
        return json_reply({{"asterisk_id", "02:00:00:00:00:01"}, {"ping", "pong"}, {"timestamp", time_text(request.now.wall)}});
    if (first == "endpoints" && request.path.size() == 1) {
        Json list = Json::array();
        for (const auto& agent : settings_.agents) list.push_back({{"technology", "PJSIP"}, {"resource", agent}, {"state", "online"}, {"channel_ids", Json::array()}});
        return json_reply(list);
    }
    if (first == "api-docs" && request.path.size() == 2) return description(request.path[1], request.http.header("host"));
    if (first == "deviceStates" || first == "sounds" || first == "mailboxes") return json_reply(Json::array());
    return message_reply(404, "Resource not found");
}

// ---- Applications and their event streams

std::optional<HttpReply> PbxPeer::refuse_socket(const HttpRequest& request, Now) const {
    if (!may_enter(request, nullptr)) return message_reply(401, "Authentication required");
    if (request.path() != "/ari/events") return message_reply(404, "Resource not found");
    if (value_of(parse_parameters(request.query()), "app").empty()) return message_reply(400, "Missing param 'app'");
    return std::nullopt;
}

void PbxPeer::on_socket_open(SocketId socket, const HttpRequest& request, Now now) {
    ++statistics_.sockets;
    const auto parameters = parse_parameters(request.query());
    for (const auto name : split(value_of(parameters, "app"), ',')) {
        if (name.empty()) continue;
        auto& app = applications_[std::string{name}];
        if (app.socket != 0) send_frame(app.socket, Json{{"type", "ApplicationReplaced"}, {"timestamp", time_text(now.wall)}, {"application", name}, {"asterisk_id", "02:00:00:00:00:01"}}.dump());
        app.socket = socket;
        app.subscribe_all = value_of(parameters, "subscribeAll") == "true";
    }
    behaviour_changed(now);
}

void PbxPeer::on_socket_closed(SocketId socket) {
    for (auto each = applications_.begin(); each != applications_.end();) {
        if (each->second.socket == socket) each->second.socket = 0;
        // Known as long as it owns channels.
        const auto& name = each->first;
        const bool owns = std::any_of(channels_.begin(), channels_.end(), [&](const auto& channel) { return channel.second.app == name || channel.second.watchers.contains(name); });
        if (each->second.socket == 0 && !owns) each = applications_.erase(each);
        else ++each;
    }
}

Json PbxPeer::application_json(const std::string& name) const {
    Json channels = Json::array(), bridges = Json::array();
    for (const auto& [id, channel] : channels_)
        if (channel.watchers.contains(name)) channels.push_back(id);
    for (const auto& [id, bridge] : bridges_)
        if (bridge.watchers.contains(name)) bridges.push_back(id);
    Json disallowed = Json::array();
    for (const auto& type : applications_.at(name).disallowed) disallowed.push_back({{"type", type}});
    return {{"name", name}, {"channel_ids", channels}, {"bridge_ids", bridges}, {"endpoint_ids", Json::array()}, {"device_names", Json::array()},
            {"events_allowed", Json::array()}, {"events_disallowed", disallowed}};
}

HttpReply PbxPeer::applications(Request& request) {
    if (request.path.size() == 1) {
        Json list = Json::array();
        for (const auto& [name, app] : applications_) list.push_back(application_json(name));
        return json_reply(list);
    }
    const auto& name = request.path[1];
    const auto found = applications_.find(name);
    if (found == applications_.end()) return message_reply(404, "Application not found");
    if (request.path.size() == 2) return json_reply(application_json(name));
    const bool subscribing = request.http.method == "POST";
    if (request.path[2] == "eventFilter" && request.http.method == "PUT") {
        found->second.disallowed.clear();
        if (request.body.is_object() && request.body.contains("disallowed") && request.body["disallowed"].is_array())
            for (const auto& each : request.body["disallowed"])
                if (each.is_object() && each.contains("type") && each["type"].is_string()) found->second.disallowed.insert(each["type"].get<std::string>());
        return json_reply(application_json(name));
    }
    if (request.path[2] == "subscription" && (subscribing || request.http.method == "DELETE")) {
        for (const auto source : split(value_of(request.parameters, "eventSource"), ',')) {
            const auto kind = source.substr(0, source.find(':')), id = source.substr(std::min(source.size(), kind.size() + 1));
            auto* const channel = kind == "channel" ? find_channel(id) : nullptr;
            const auto bridge = kind == "bridge" ? bridges_.find(id) : bridges_.end();
            if (channel == nullptr && bridge == bridges_.end()) return message_reply(422, "Event source does not exist");
            auto& watchers = channel != nullptr ? channel->watchers : bridge->second.watchers;
            if (subscribing) watchers.insert(name);
            else watchers.erase(name);
            if (channel != nullptr && subscribing) channel->subscribed.insert(name);
            else if (channel != nullptr) channel->subscribed.erase(name);
        }
        return json_reply(application_json(name));
    }
    return message_reply(404, "Resource not found");
}

void PbxPeer::send(const std::string& app, const Json& event, Now now) {
    const auto found = applications_.find(app);
    if (found == applications_.end() || found->second.socket == 0) {
        ++statistics_.events_lost;
        return;
    }
    if (found->second.disallowed.contains(event["type"].get_ref<const std::string&>())) return;
    auto text = event.dump(-1, ' ', false, Json::error_handler_t::replace);
    text.insert(text.size() - 1, ",\"application\":\"" + app + "\",\"asterisk_id\":\"02:00:00:00:00:01\"");
    if (behaviour_.nonsense > 0 && random_.chance(behaviour_.nonsense)) {
        static constexpr std::array<std::string_view, 8> noise = {"", "{", "[]", "null", "{\"type\":7}", R"({"type":"StasisStart","channel":"none","args":{}})",
                                                                  R"({"type":"ChannelDestroyed","channel":{"id":null},"cause":"x"})", R"({"type":"SomethingNew","channel":{"id":"x"}})"};
        ++statistics_.nonsense;
        send_frame(found->second.socket, std::string{noise[random_.below(noise.size())]});
    }
    if (behaviour_.reorder > 0 && random_.chance(behaviour_.reorder)) {
        plan(std::chrono::milliseconds{5 + random_.below(46)}, {.kind = TimerKind::late_event, .text = std::move(text), .socket = found->second.socket}, now);
        return;
    }
    send_frame(found->second.socket, std::move(text));
}

void PbxPeer::send_frame(SocketId socket, std::string text) {
    ++statistics_.events;
    output_.frames.push_back({socket, std::move(text)});
    if (events_until_drop_ > 0 && --events_until_drop_ == 0) end_sockets(true);
}

void PbxPeer::tell_watchers(const std::set<std::string>& watchers, const char* type, Json more, Now now) {
    more["type"] = type;
    more["timestamp"] = time_text(now.wall);
    for (const auto& app : watchers) send(app, more, now);
    for (const auto& [name, app] : applications_)
        if (app.subscribe_all && !watchers.contains(name)) send(name, more, now);
}

void PbxPeer::tell(const Channel& channel, const char* type, Json more, Now now) {
    more["channel"] = channel_json(channel);
    tell_watchers(channel.watchers, type, std::move(more), now);
}

void PbxPeer::tell_bridge(const Bridge& bridge, const Channel& channel, const char* type, Now now) {
    auto watchers = bridge.watchers;
    watchers.insert(channel.watchers.begin(), channel.watchers.end());
    tell_watchers(watchers, type, {{"channel", channel_json(channel)}, {"bridge", bridge_json(bridge)}}, now);
}

void PbxPeer::on_wake(Now now) {
    while (auto timer = schedule_.pop_due(now.monotonic)) on_timer(*timer, now);
}

void PbxPeer::on_timer(const Timer& timer, Now now) {
    switch (timer.kind) {
        case TimerKind::late_event: return send_frame(timer.socket, timer.text);
        case TimerKind::playback:
            if (const auto found = playbacks_.find(timer.subject); found != playbacks_.end() && found->second.serial == timer.serial) end_playback(timer.subject, "done", now);
            return;
        case TimerKind::recording:
            if (const auto found = live_.find(timer.subject); found != live_.end() && found->second.serial == timer.serial) end_recording(timer.subject, now);
            return;
        case TimerKind::call:
            if (timer.serial != call_serial_) return;
            (void)call_in("139" + std::to_string(10'000'000 + random_.below(90'000'000)), {}, settings_.dids[random_.below(settings_.dids.size())], {}, {}, false, now);
            return plan_next_call(now);
        default: break;
    }
    auto* const channel = find_channel(timer.subject);
    if (channel == nullptr || channel->serial != timer.serial) return;
    switch (timer.kind) {
        case TimerKind::ring:
            channel->ringing_shown = true;
            change_state(*channel, "Ringing", now);
            return tell_dial(*channel, "RINGING", now);
        case TimerKind::answer:
            if (channel->state != "Up") answer(*channel, now);
            return;
        case TimerKind::refuse:
            if (channel->state != "Up") refuse(*channel, now);
            return;
        case TimerKind::ring_timeout:
            if (channel->state != "Up") end_channel(channel->id, 19, 480, "timeout", now);
            return;
        case TimerKind::hang_up: return end_channel(channel->id, 16, 0, "party", now);
        case TimerKind::impatience:
            if (channel->bridge.empty()) {
                ++statistics_.abandoned;
                end_channel(channel->id, 16, 0, "party", now);
            }
            return;
        case TimerKind::digit: return tell(*channel, "ChannelDtmfReceived", {{"digit", timer.text}, {"duration_ms", 100}}, now);
        case TimerKind::verdict: return give_verdict(*channel, now);
        default: return;
    }
}

}  // namespace touchgate::sandbox
