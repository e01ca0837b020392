// Bridges: who hears whom.
#include <algorithm>

#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "adapters/sandbox/pbx/pbx_text.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

Json PbxPeer::bridge_json(const Bridge& bridge) const {
    return {{"id", bridge.id},          {"technology", bridge.channels.size() > 2 ? "softmix" : "simple_bridge"}, {"bridge_type", "mixing"}, {"bridge_class", "stasis"},
            {"creator", "Stasis"},      {"name", bridge.name},                                                     {"channels", bridge.channels},
            {"creationtime", time_text(bridge.created)}, {"video_mode", "talker"}};
}

HttpReply PbxPeer::bridges(Request& request) {
    const auto& method = request.http.method;
    if (request.path.size() == 1 && method == "GET") {
        Json list = Json::array();
        for (const auto& [id, bridge] : bridges_) list.push_back(bridge_json(bridge));
        return json_reply(list);
    }
    if (method == "POST" && request.path.size() <= 2) {
        auto id = request.path.size() == 2 ? request.path[1] : request.text("bridgeId");
        if (id.empty()) id = "bridge-" + std::to_string(next_serial_++);
        if (bridges_.contains(id)) return message_reply(409, "Bridge with the same bridgeId already exists");
        auto& bridge = bridges_[id];
        bridge.id = id;
        bridge.name = request.text("name");
        bridge.type = request.text("type");
        bridge.created = request.now.wall;
        return json_reply(bridge_json(bridge));
    }
    const auto found = bridges_.find(request.path.size() > 1 ? request.path[1] : std::string{});
    if (found == bridges_.end()) return message_reply(404, "Bridge not found");
    auto& bridge = found->second;
    if (request.path.size() == 2) {
        if (method == "GET") return json_reply(bridge_json(bridge));
        if (method != "DELETE") return message_reply(405, "Invalid method");
        for (const auto& id : std::vector<std::string>{bridge.channels})
            if (auto* const channel = find_channel(id)) leave_bridge(*channel, request.now);
        const auto target = "bridge:" + bridge.id;
        bridges_.erase(found);
        // What recorded it ends too; nobody is subscribed to what is told of a bridge that is gone.
        std::vector<std::string> ending;
        for (const auto& [name, recording] : live_)
            if (recording.target_uri == target) ending.push_back(name);
        for (const auto& name : ending) end_recording(name, request.now);
        return done_reply();
    }
    const auto& act = request.path[2];
    if (act == "addChannel" && method == "POST") return add_to_bridge(request, bridge);
    if (act == "removeChannel" && method == "POST") {
        for (const auto id : split(value_of(request.parameters, "channel"), ',')) {
            auto* const channel = find_channel(id);
            if (channel == nullptr) return message_reply(400, "Channel not found");
            if (channel->bridge != bridge.id) return message_reply(422, "Channel not in this bridge");
            leave_bridge(*channel, request.now);
        }
        return done_reply();
    }
    if (act == "moh") return done_reply();
    if (act == "play" && method == "POST") return play(request, "bridge:" + bridge.id);
    if (act == "record" && method == "POST") return record(request, "bridge:" + bridge.id, false);
    return message_reply(404, "Resource not found");
}

HttpReply PbxPeer::add_to_bridge(Request& request, Bridge& bridge) {
    if (!request.has("channel")) return message_reply(400, "Channel is required");
    std::vector<Channel*> joining;
    for (const auto id : split(value_of(request.parameters, "channel"), ',')) {
        auto* const channel = find_channel(id);
        if (channel == nullptr) return message_reply(400, "Channel not found");
        if (channel->app.empty()) return message_reply(422, "Channel not in Stasis application");
        joining.push_back(channel);
    }
    for (auto* const channel : joining) {
        if (channel->bridge == bridge.id) continue;
        leave_bridge(*channel, request.now);
        enter_bridge(bridge, *channel, request.now);
        // There is no way between the codecs: in and out in the same moment, without an error.
        const auto other = [&](const std::string& id) {
            const auto* const member = find_channel(id);
            return member != nullptr && member->manner.other_codec != channel->manner.other_codec;
        };
        if (std::any_of(bridge.channels.begin(), bridge.channels.end(), other)) leave_bridge(*channel, request.now);
    }
    return done_reply();
}

void PbxPeer::enter_bridge(Bridge& bridge, Channel& channel, Now now) {
    bridge.channels.push_back(channel.id);
    bridge.watchers.insert(channel.watchers.begin(), channel.watchers.end());
    channel.bridge = bridge.id;
    tell_bridge(bridge, channel, "ChannelEnteredBridge", now);
    voices_changed(bridge, now);
}

void PbxPeer::leave_bridge(Channel& channel, Now now) {
    const auto found = bridges_.find(channel.bridge);
    if (found == bridges_.end()) return;
    auto& bridge = found->second;
    channel.bridge.clear();
    std::erase(bridge.channels, channel.id);
    if (channel.bridged_at) channel.bridged += std::max(Duration{0}, now.wall - *channel.bridged_at);
    channel.bridged_at.reset();
    tell_bridge(bridge, channel, "ChannelLeftBridge", now);
    voices_changed(bridge, now);
}

// Talk counts while two or more are there.
void PbxPeer::voices_changed(Bridge& bridge, Now now) {
    const bool talking = bridge.channels.size() >= 2;
    for (const auto& id : bridge.channels) {
        auto* const channel = find_channel(id);
        if (channel == nullptr) continue;
        if (talking && !channel->bridged_at) {
            channel->bridged_at = now.wall;
            person_talks(*channel, now);
        } else if (!talking && channel->bridged_at) {
            channel->bridged += std::max(Duration{0}, now.wall - *channel->bridged_at);
            channel->bridged_at.reset();
        }
    }
}

}  // namespace touchgate::sandbox
