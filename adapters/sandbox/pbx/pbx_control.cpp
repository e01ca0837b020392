// The control API of the simulated PBX.
#include <algorithm>

#include "adapters/sandbox/control_reply.hpp"
#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "adapters/sandbox/pbx/pbx_text.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace {

bool is_dialled(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789*#ABCD") == std::string_view::npos; }

std::optional<Duration> optional_duration(JsonReader& reader, std::string_view key) {
    if (!reader.has(key)) {
        (void)reader.raw(key);
        return std::nullopt;
    }
    return reader.duration(key, Duration{0}, Duration{0}, std::chrono::hours{24});
}

}  // namespace

HttpReply PbxPeer::control(const HttpRequest& request, std::string_view path, Now now) {
    const auto parsed = parse_json(request.body.empty() ? "{}" : request.body);
    if (!parsed) return problem_reply(400, parsed.error().detail);
    std::vector<Problem> problems;
    JsonReader body{*parsed, "", problems};
    const auto is = [&](std::string_view method, std::string_view wanted) { return request.method == method && path == wanted; };
    const auto words = split(path.substr(std::min<std::size_t>(1, path.size())), '/');
    const auto read_manner = [&] {
        Manner manner;
        manner.outcome = body.choice("outcome", {"answer", "machine", "busy", "no_answer", "reject", "do_not_disturb", "invalid", "unreachable", "congestion", "failed"}, "");
        manner.after = optional_duration(body, "after");
        manner.talk = optional_duration(body, "talk");
        manner.patience = optional_duration(body, "patience");
        manner.digits = body.text("digits", {}, {0, 50});
        manner.digits_each = body.text("digits_each", {}, {0, 50});
        manner.digits_after = body.duration("digits_after", Duration{1'000}, Duration{0}, std::chrono::hours{1});
        manner.other_codec = body.boolean("other_codec", false);
        manner.registered = body.boolean("registered", true);
        for (const auto* key : {"digits", "digits_each"}) {
            const auto& digits = key == std::string_view{"digits"} ? manner.digits : manner.digits_each;
            if (!digits.empty() && !is_dialled(digits)) body.problem(key, "must be digits, '*' or '#'");
        }
        return manner;
    };

    if (is("POST", "/calls")) {
        const auto from = body.text("from", {}, {0, 40}), name = body.text("name"), to = body.required_text("to", {1, 40});
        const bool by_agent = body.choice("role", {"customer", "agent"}, "customer") == "agent";
        const auto args = body.texts("arguments");
        const auto manner = read_manner();
        body.finish();
        if (!problems.empty()) return problem_reply(422, "nobody was called", problems);
        const auto id = call_in(from, name, to, args, manner, by_agent, now);
        if (id.empty()) return problem_reply(409, "the application is not connected: the dial plan's emergency route has the call");
        return json_reply({{"channel", id}}, 202);
    }
    if (is("GET", "/calls")) {
        const auto after = number_of(parse_parameters(request.query()), "after", 0);
        Json items = Json::array();
        for (const auto& call : ended_)
            if (call.number > after) {
                items.push_back(call.json);
                items.back()["n"] = call.number;
            }
        return json_reply({{"items", items}, {"last", ended_.empty() ? 0 : ended_.back().number}});
    }
    if (is("GET", "/legs")) {
        Json items = Json::array();
        for (const auto& [id, channel] : channels_) {
            Json item{{"channel", id},
                      {"kind", channel.kind == PartyKind::caller ? "caller" : channel.kind == PartyKind::agent ? "agent" : channel.kind == PartyKind::customer ? "customer" : channel.kind == PartyKind::snoop ? "snoop" : "local"},
                      {"number", channel.number}, {"state", channel.state}, {"bridge", channel.bridge}, {"app", channel.app}, {"music", channel.hears_music},
                      {"caller_id", channel.connected_number}};
            if (const auto owner = channel.variables.find("TOUCHGATE_OWNER"); owner != channel.variables.end()) item["owner"] = owner->second;
            items.push_back(std::move(item));
        }
        return json_reply({{"items", items}});
    }
    if (is("GET", "/bridges")) {
        Json items = Json::array();
        for (const auto& [id, bridge] : bridges_) items.push_back({{"bridge", id}, {"name", bridge.name}, {"channels", bridge.channels}});
        return json_reply({{"items", items}});
    }
    if (words.size() == 3 && words[0] == "legs" && request.method == "POST") {
        auto reply = control_leg(request, decode_segment(words[1]), words[2], body, now);
        body.finish();
        return problems.empty() || reply.status >= 400 ? reply : problem_reply(422, "done, but for what is wrong", problems);
    }
    if (words.size() == 2 && words[0] == "numbers" && request.method == "PUT") {
        const auto manner = read_manner();
        body.finish();
        if (!problems.empty()) return problem_reply(422, "the number behaves as before", problems);
        manners_[decode_segment(words[1])] = manner;
        return done_reply();
    }
    if (words.size() == 2 && words[0] == "numbers" && request.method == "DELETE") {
        manners_.erase(decode_segment(words[1]));
        return done_reply();
    }
    if (is("DELETE", "/numbers")) {
        manners_.clear();
        return done_reply();
    }
    if (is("POST", "/disconnect")) {
        const auto how = body.choice("how", {"close", "reset"}, "close");
        body.finish();
        if (!problems.empty()) return problem_reply(422, "nothing was disconnected", problems);
        end_sockets(how == "reset");
        return done_reply();
    }
    if (is("POST", "/restart")) {
        const auto away = body.duration("for", Duration{500}, Duration{0}, std::chrono::hours{1});
        body.finish();
        if (!problems.empty()) return problem_reply(422, "nothing was started again", problems);
        restart(away, now);
        return done_reply();
    }
    if (is("POST", "/frame")) {
        const auto text = body.text("text", {}, {0, 20'000'000});
        body.finish();
        if (!problems.empty()) return problem_reply(422, "nothing was sent", problems);
        for (const auto& [name, app] : applications_)
            if (app.socket != 0) send_frame(app.socket, text);
        return done_reply();
    }
    return problem_reply(404, "no such resource; see adapters/sandbox/README.md");
}

HttpReply PbxPeer::control_leg(const HttpRequest&, const std::string& id, std::string_view act, JsonReader& body, Now now) {
    auto* const channel = find_channel(id);
    if (channel == nullptr) return problem_reply(404, "there is no such leg");
    if (act == "digits") {
        const auto digits = body.required_text("digits", {1, 50});
        if (!is_dialled(digits)) return problem_reply(422, "digits are 0 to 9, '*', '#' and A to D");
        press(*channel, digits, Duration{0}, now);
        return done_reply();
    }
    if (act == "hangup") {
        const auto how = body.choice("how", {"party", "media"}, "party");
        end_channel(id, how == "media" ? 44 : 16, 0, how == "media" ? "media" : "party", now);
        return done_reply();
    }
    if (act == "answer") {
        if (channel->state == "Up" || channel->kind == PartyKind::caller) return problem_reply(409, "it does not ring");
        answer(*channel, now);
        return done_reply();
    }
    if (act == "refuse") {
        channel->outcome = body.choice("outcome", {"busy", "reject", "do_not_disturb", "invalid", "unreachable", "congestion", "failed"}, "reject");
        if (channel->state == "Up") return problem_reply(409, "it has answered");
        refuse(*channel, now);
        return done_reply();
    }
    if (act == "hold" || act == "resume") {
        tell(*channel, act == "hold" ? "ChannelHold" : "ChannelUnhold", act == "hold" ? Json{{"musicclass", "default"}} : Json::object(), now);
        return done_reply();
    }
    if (act == "transfer") return transfer(*channel, body.required_text("to", {1, 80}), now);
    return problem_reply(404, "a leg can do: digits, hangup, answer, refuse, hold, resume, transfer");
}

// The telephone's transfer (REFER): handed over where the channel asks for it, else done here with a Local channel in the old one's place.
HttpReply PbxPeer::transfer(Channel& channel, const std::string& to, Now now) {
    if (channel.state != "Up") return problem_reply(409, "it is not in a call");
    const auto mode = channel.variables.find("PJSIP_TRANSFER_HANDLING()");
    const auto found = bridges_.find(channel.bridge);
    if (mode != channel.variables.end() && mode->second == "ari-only") {
        Json by{{"source_channel", channel_json(channel)}};
        if (found != bridges_.end()) by["bridge"] = bridge_json(found->second);
        tell_watchers(channel.watchers, "ChannelTransfer", {{"refer_to", {{"requested_destination", {{"destination", to}}}}}, {"referred_by", by}}, now);
        return done_reply();
    }
    if (found == bridges_.end()) return problem_reply(409, "it is in no bridge");
    const auto old_id = channel.id, app = channel.app, bridge_id = found->first;
    auto& half = add_channel({}, "Local", to + "@default", now);
    half.kind = PartyKind::local;
    half.number = to;
    half.state = "Ringing";
    half.exten = to;
    auto& old = channels_.at(old_id);
    half.watchers = old.watchers;
    enter_app(half, app, {}, now, &old);
    leave_bridge(old, now);
    enter_bridge(bridges_.at(bridge_id), half, now);
    plan(std::chrono::milliseconds{500}, {.kind = TimerKind::answer, .subject = half.id, .serial = half.serial}, now);
    return json_reply({{"channel", half.id}}, 202);
}

void PbxPeer::end_sockets(bool reset) {
    std::set<SocketId> sockets;
    for (auto& [name, app] : applications_)
        if (app.socket != 0) sockets.insert(std::exchange(app.socket, 0));
    for (const auto socket : sockets) output_.ended.push_back({socket, reset});
}

// Everything that was in memory is gone, without a word.
void PbxPeer::restart(Duration away, Now now) {
    ++statistics_.restarts;
    end_sockets(true);
    channels_.clear();
    bridges_.clear();
    applications_.clear();
    playbacks_.clear();
    live_.clear();
    schedule_ = {};
    away_until_ = now.monotonic + away;
    began_at_ = now.wall + away;
    behaviour_changed(now);
}

}  // namespace touchgate::sandbox
