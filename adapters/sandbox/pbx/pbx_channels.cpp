// Channels: made, dialled, in an application or not, ended.
#include <algorithm>
#include <array>
#include <cstdio>

#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "adapters/sandbox/pbx/pbx_text.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace {

constexpr std::array<std::string_view, 6> technologies = {"PJSIP", "SIP", "Local", "IAX2", "DAHDI", "AudioSocket"};

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    if (!text.empty())
        for (const auto word : split(text, ',')) words.emplace_back(word);
    return words;
}

// `"Name" <number>`, `<number>` or a number.
std::pair<std::string, std::string> read_caller(std::string_view text) {
    const auto open = text.find('<'), close = text.find('>');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {{}, std::string{trim(text)}};
    auto name = trim(text.substr(0, open));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    return {std::string{name}, std::string{text.substr(open + 1, close - open - 1)}};
}

struct Reason { std::string_view word; int cause; };
constexpr std::array<Reason, 13> reasons = {{{"normal", 16}, {"busy", 17}, {"congestion", 34}, {"no_answer", 19}, {"timeout", 18}, {"rejected", 21}, {"unallocated", 1},
                                             {"normal_unspecified", 31}, {"number_incomplete", 28}, {"codec_mismatch", 58}, {"interworking", 127}, {"failure", 38},
                                             {"answered_elsewhere", 26}}};

}  // namespace

PbxPeer::Channel* PbxPeer::find_channel(std::string_view id) {
    const auto found = channels_.find(id);
    return found == channels_.end() ? nullptr : &found->second;
}

Json PbxPeer::channel_json(const Channel& channel) const {
    Json json{{"id", channel.id},
              {"name", channel.name},
              {"state", channel.state},
              {"protocol_id", channel.id + "@sandbox"},
              {"caller", {{"name", channel.caller_name}, {"number", channel.caller_number}}},
              {"connected", {{"name", channel.connected_name}, {"number", channel.connected_number}}},
              {"accountcode", ""},
              {"dialplan", {{"context", channel.context}, {"exten", channel.exten}, {"priority", 1}, {"app_name", channel.app_name}, {"app_data", channel.app_data}}},
              {"creationtime", time_text(channel.created)},
              {"language", "en"}};
    // As with `channelvars = TOUCHGATE_OWNER,TOUCHGATE_LEG` in ari.conf.
    Json variables = Json::object();
    for (const auto* name : {"TOUCHGATE_OWNER", "TOUCHGATE_LEG"}) {
        const auto found = channel.variables.find(name);
        variables[name] = found == channel.variables.end() ? std::string{} : found->second;
    }
    json["channelvars"] = std::move(variables);
    return json;
}

PbxPeer::Channel& PbxPeer::add_channel(std::string id, std::string technology, std::string resource, Now now) {
    char number[16];
    std::snprintf(number, sizeof number, "%08llx", static_cast<unsigned long long>(next_name_++));
    if (id.empty()) id = std::to_string(unix_ms(now.wall) / 1'000) + '.' + std::to_string(next_name_);
    auto& channel = channels_[id];
    channel = {};
    channel.id = id;
    const auto at = resource.find('@');
    channel.number = resource.substr(0, at);
    channel.name = technology + '/' + (at == std::string::npos ? resource : technology == "Local" ? resource : resource.substr(at + 1)) + '-' + number;
    channel.kind = at == std::string::npos ? PartyKind::agent : PartyKind::customer;
    channel.created = now.wall;
    channel.serial = next_serial_++;
    return channel;
}

HttpReply PbxPeer::make_channel(Request& request, bool dial_at_once) {
    const auto endpoint = request.text("endpoint");
    if (endpoint.empty()) return message_reply(400, "Endpoint must be specified");
    const auto slash = endpoint.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == endpoint.size()) return message_reply(400, "Invalid endpoint specified");
    const auto app = request.text("app");
    if (app.empty() && (!dial_at_once || !request.has("extension"))) return message_reply(400, dial_at_once ? "Application or extension must be specified" : "Application must be specified");
    auto id = request.text("channelId");
    if (id.empty() && dial_at_once && request.path.size() == 2) id = request.path[1];
    if (!id.empty() && channels_.contains(id)) return message_reply(409, "Channel with given unique ID already exists");
    const auto technology = endpoint.substr(0, slash), resource = endpoint.substr(slash + 1);
    const auto party = resource.substr(0, resource.find('@'));
    const bool is_agent = resource.find('@') == std::string::npos;
    const auto manner = manner_of(party);
    const bool registered = manner.registered && (!is_agent || settings_.agents.empty() || std::find(settings_.agents.begin(), settings_.agents.end(), party) != settings_.agents.end());
    if (std::find(technologies.begin(), technologies.end(), technology) == technologies.end() || !registered) return json_reply({{"error", "Allocation failed"}}, 500);

    auto& channel = add_channel(id, technology, resource, request.now);
    channel.manner = manner;
    channel.originated = dial_at_once;
    if (!app.empty()) channel.watchers.insert(app);
    if (request.body.is_object() && request.body.contains("variables") && request.body["variables"].is_object())
        for (const auto& [name, value] : request.body["variables"].items())
            if (value.is_string()) channel.variables[name] = value.get<std::string>();
    const auto [name, number] = read_caller(request.text("callerId"));
    channel.caller_name = channel.connected_name = name;
    channel.caller_number = channel.connected_number = number;
    if (const auto found = channel.variables.find("CONNECTEDLINE(num,i)"); found != channel.variables.end()) channel.connected_number = found->second;
    ++statistics_.calls_out;
    auto reply = json_reply(channel_json(channel));
    if (!dial_at_once) {
        enter_app(channel, app, words_of(request.text("appArgs")), request.now);
        return reply;
    }
    channel.app_after_answer = app;
    channel.args_after_answer = request.text("appArgs");
    const auto seconds = request.has("timeout") ? std::atoi(request.text("timeout").c_str()) : 30;
    start_ringing(channel, seconds <= 0 ? Duration{0} : std::chrono::seconds{seconds}, request.now);
    return reply;
}

HttpReply PbxPeer::channels(Request& request) {
    const auto& method = request.http.method;
    if (request.path.size() == 1) {
        if (method == "POST") return make_channel(request, true);
        if (method != "GET") return message_reply(405, "Invalid method");
        Json list = Json::array();
        for (const auto& [id, channel] : channels_) list.push_back(channel_json(channel));
        return json_reply(list);
    }
    if (request.path.size() == 2 && request.path[1] == "create" && method == "POST") return make_channel(request, false);
    auto* const channel = find_channel(request.path[1]);
    if (request.path.size() == 2 && method == "POST") return make_channel(request, true);
    if (channel == nullptr) return message_reply(404, "Channel not found");
    if (request.path.size() == 2) {
        if (method == "GET") return json_reply(channel_json(*channel));
        if (method != "DELETE") return message_reply(405, "Invalid method");
        int cause = 16;
        if (request.has("reason_code")) {
            cause = std::atoi(request.text("reason_code").c_str());
        } else if (request.has("reason")) {
            const auto reason = std::find_if(reasons.begin(), reasons.end(), [&](const Reason& each) { return each.word == request.text("reason"); });
            if (reason == reasons.end()) return message_reply(400, "Invalid Reason");
            cause = reason->cause;
        }
        end_channel(channel->id, cause, 0, "api", request.now);
        return done_reply();
    }
    return on_channel(request, *channel);
}

HttpReply PbxPeer::on_channel(Request& request, Channel& channel) {
    const auto& act = request.path[2];
    const bool post = request.http.method == "POST", remove = request.http.method == "DELETE";
    if (act == "variable") return variable(request, channel);
    if (act == "dial" && post) return dial(request, channel);
    if (act == "snoop" && post) return snoop(request, channel);
    if (act == "rtp_statistics") return json_reply({{"channel_uniqueid", channel.id}, {"txcount", 0}, {"rxcount", 0}});
    // All that follows needs a channel that an application controls.
    if (channel.app.empty()) return message_reply(409, "Channel not in Stasis application");
    if (act == "play" && post) return play(request, "channel:" + channel.id);
    if (act == "record" && post) return record(request, "channel:" + channel.id, !channel.bridge.empty());
    if (!post && !remove) return message_reply(405, "Invalid method");
    if (act == "answer" && post) {
        change_state(channel, "Up", request.now);
        return done_reply();
    }
    if (act == "moh") {
        channel.hears_music = post;
        return done_reply();
    }
    if (act == "ring" || act == "progress" || act == "mute" || act == "hold" || act == "silence") return done_reply();
    if (act == "dtmf" && post) return request.has("dtmf") ? done_reply() : message_reply(400, "DTMF is required");
    if (act == "transfer_progress" && post) {
        if (!request.has("states")) return message_reply(400, "states is required");
        tell_watchers(channel.watchers, "ChannelTransfer",
                      {{"state", request.text("states")}, {"refer_to", {{"requested_destination", Json::object()}}}, {"referred_by", {{"source_channel", channel_json(channel)}}}}, request.now);
        return done_reply();
    }
    if (act == "continue" && post) {
        const auto context = request.text("context");
        leave_bridge(channel, request.now);
        tell(channel, "StasisEnd", {}, request.now);
        channel.app.clear();
        channel.context = context;
        channel.exten = request.text("extension");
        channel.app_name = "AMD";
        channel.app_data.clear();
        // The one thing that this dial plan does: it listens for a machine and gives the call back.
        plan(behaviour_.detection.draw(random_), {.kind = TimerKind::verdict, .subject = channel.id, .serial = channel.serial}, request.now);
        return done_reply();
    }
    return message_reply(404, "Resource not found");
}

HttpReply PbxPeer::variable(Request& request, Channel& channel) {
    const auto name = request.text("variable");
    if (name.empty()) return message_reply(400, "Variable name is required");
    if (request.http.method == "POST") {
        channel.variables[name] = request.text("value");
        return done_reply();
    }
    const auto found = channel.variables.find(name);
    if (found == channel.variables.end()) return message_reply(404, "Provided variable was not found");
    return json_reply({{"value", found->second}});
}

HttpReply PbxPeer::dial(Request& request, Channel& channel) {
    if (channel.app.empty() || channel.state != "Down") return message_reply(409, "Channel is not in the 'Down' state");
    if (auto* const caller = find_channel(request.text("caller"))) {
        channel.connected_name = caller->caller_name;
        channel.connected_number = caller->caller_number;
    }
    const auto seconds = request.has("timeout") ? std::atoi(request.text("timeout").c_str()) : 0;
    start_ringing(channel, seconds <= 0 ? Duration{0} : std::chrono::seconds{seconds}, request.now);
    return done_reply();
}

HttpReply PbxPeer::snoop(Request& request, const Channel& spied) {
    const auto app = request.text("app");
    if (app.empty()) return message_reply(400, "Application name is required");
    if (request.text("spy") == "none" && request.text("whisper") == "none") return message_reply(400, "Direction must be specified for at least spy or whisper");
    auto id = request.path.size() > 3 ? request.path[3] : request.text("snoopId");
    if (!id.empty() && channels_.contains(id)) return message_reply(409, "Channel with given unique ID already exists");
    const auto of = spied.id;
    auto& channel = add_channel(id, "Snoop", of, request.now);
    channel.kind = PartyKind::snoop;
    channel.state = "Up";
    channel.watchers.insert(app);
    auto reply = json_reply(channel_json(channel));
    enter_app(channel, app, words_of(request.text("appArgs")), request.now);
    return reply;
}

void PbxPeer::enter_app(Channel& channel, const std::string& app, const std::vector<std::string>& args, Now now, const Channel* replaced) {
    channel.app = app;
    channel.watchers.insert(app);
    channel.app_name = "Stasis";
    channel.app_data = app;
    for (const auto& word : args) channel.app_data += ',' + word;
    tell(channel, "ChannelVarset", {{"variable", "STASISSTATUS"}, {"value", ""}}, now);
    Json more{{"args", args}};
    if (replaced != nullptr) more["replace_channel"] = channel_json(*replaced);
    tell(channel, "StasisStart", std::move(more), now);
}

void PbxPeer::change_state(Channel& channel, const char* state, Now now) {
    if (channel.state == state) return;
    channel.state = state;
    if (channel.state == "Up" && !channel.answered_at) {
        channel.answered_at = now.wall;
        ++statistics_.answered;
    }
    tell(channel, "ChannelStateChange", {}, now);
}

void PbxPeer::tell_dial(const Channel& channel, const char* status, Now now) {
    tell_watchers(channel.watchers, "Dial", {{"dialstatus", status}, {"forward", ""}, {"dialstring", channel.originated ? channel.number : ""}, {"peer", channel_json(channel)}}, now);
}

void PbxPeer::end_channel(const std::string& id, int cause, int tech_cause, const char* by, Now now) {
    const auto found = channels_.find(id);
    if (found == channels_.end()) return;
    auto& channel = found->second;
    const std::string_view who = by;
    // What the PBX and its clients ask for is "soft"; a party's BYE is not. A ring time-out has no request at all.
    if (who == "api") tell(channel, "ChannelHangupRequest", {{"cause", 32}, {"soft", true}}, now);
    else if (who == "refusal") tell(channel, "ChannelHangupRequest", {{"cause", cause}, {"tech_cause", tech_cause}}, now);
    else if (who == "party") tell(channel, "ChannelHangupRequest", channel.originated ? Json::object() : Json{{"cause", cause}}, now);
    else if (who == "media") tell(channel, "ChannelHangupRequest", {{"cause", 1}, {"soft", true}}, now);
    if (channel.state != "Up" && who != "timeout" && channel.ringing_shown) tell_dial(channel, cause == 17 ? "BUSY" : cause == 34 ? "CONGESTION" : "NOANSWER", now);
    leave_bridge(channel, now);
    for (auto each = playbacks_.begin(); each != playbacks_.end();) {
        const auto& playback = (each++)->second;
        if (playback.target_uri == "channel:" + id) end_playback(std::string{playback.id}, "done", now);
    }
    for (auto each = live_.begin(); each != live_.end();) {
        const auto& recording = (each++)->second;
        if (recording.target_uri == "channel:" + id) end_recording(std::string{recording.name}, now);
    }
    if (!channel.app.empty()) tell(channel, "StasisEnd", {}, now);
    // A party that hangs up without a reason leaves 0 on a leg of an originate.
    const int told = who == "party" && channel.originated && channel.state == "Up" ? 0 : cause;
    Json destroyed{{"cause", told}, {"cause_txt", cause_text(told)}};
    if (tech_cause != 0) destroyed["tech_cause"] = tech_cause;
    if (channel.arrived) channel.watchers = channel.subscribed;
    tell(channel, "ChannelDestroyed", std::move(destroyed), now);

    constexpr std::size_t kept = 100'000;
    Json record{{"channel", channel.id},
                {"kind", channel.kind == PartyKind::caller ? "caller" : channel.kind == PartyKind::agent ? "agent" : channel.kind == PartyKind::customer ? "customer" : "other"},
                {"number", channel.number},
                {"caller_id", channel.connected_number},
                {"started_at", format_instant(channel.created)},
                {"ended_at", format_instant(now.wall)},
                {"cause", told},
                {"hung_up_by", who},
                {"talk_ms", channel.bridged.count()}};
    if (channel.answered_at) record["answered_at"] = format_instant(*channel.answered_at);
    if (const auto owner = channel.variables.find("TOUCHGATE_OWNER"); owner != channel.variables.end()) record["owner"] = owner->second;
    ended_.push_back({ended_.empty() ? 1 : ended_.back().number + 1, std::move(record)});
    if (ended_.size() > kept) ended_.pop_front();
    channels_.erase(found);
}

}  // namespace touchgate::sandbox
