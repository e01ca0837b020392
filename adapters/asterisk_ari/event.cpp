#include "adapters/asterisk_ari/event.hpp"

#include <algorithm>
#include <limits>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::asterisk_ari {

using channel::member;
using channel::text_member;

namespace {

int number_member(const Json& value, std::string_view key) {
    const auto& found = member(value, key);
    if (found.is_number_unsigned()) return static_cast<int>(std::min<std::uint64_t>(found.get<std::uint64_t>(), 100'000));
    if (found.is_number_integer()) return static_cast<int>(std::clamp<std::int64_t>(found.get<std::int64_t>(), -1, 100'000));
    return 0;
}

}  // namespace

std::optional<Instant> read_time(std::string_view text) {
    std::string with_colon{text};
    // "+0000" → "+00:00"
    if (with_colon.size() > 5 && (with_colon[with_colon.size() - 5] == '+' || with_colon[with_colon.size() - 5] == '-')) with_colon.insert(with_colon.size() - 2, ":");
    return parse_instant(with_colon);
}

ChannelSnapshot read_channel(const Json& value) {
    ChannelSnapshot channel;
    channel.id = text_member(value, "id");
    channel.name = text_member(value, "name");
    channel.state = text_member(value, "state");
    channel.caller_name = text_member(member(value, "caller"), "name");
    channel.caller_number = text_member(member(value, "caller"), "number");
    const auto& dialplan = member(value, "dialplan");
    channel.exten = text_member(dialplan, "exten");
    channel.app_name = text_member(dialplan, "app_name");
    channel.app_data = text_member(dialplan, "app_data");
    channel.created = read_time(text_member(value, "creationtime"));
    channel.owner = text_member(member(value, "channelvars"), owner_variable);
    channel.leg = text_member(member(value, "channelvars"), leg_variable);
    return channel;
}

BridgeSnapshot read_bridge(const Json& value) {
    BridgeSnapshot bridge{.id = text_member(value, "id"), .name = text_member(value, "name"), .channels = {}};
    if (const auto& channels = member(value, "channels"); channels.is_array())
        for (const auto& each : channels)
            if (each.is_string()) bridge.channels.push_back(each.get<std::string>());
    return bridge;
}

std::optional<Event> read_event(std::string_view frame) {
    const auto json = channel::parse_foreign_json(frame);
    if (!json.is_object()) return std::nullopt;
    if (!member(json, "type").is_string()) return std::nullopt;
    Event event;
    event.type = text_member(json, "type");
    if (event.type.empty()) return std::nullopt;
    event.at = read_time(text_member(json, "timestamp"));
    event.channel = read_channel(member(json, "channel"));
    event.replaced = read_channel(member(json, "replace_channel"));
    event.bridge = read_bridge(member(json, "bridge"));
    if (const auto& args = member(json, "args"); args.is_array())
        for (const auto& each : args) event.args.push_back(channel::as_text(each));
    event.cause = number_member(json, "cause");
    event.tech_cause = number_member(json, "tech_cause");
    event.soft = member(json, "soft") == true;
    event.digit = text_member(json, "digit");
    if (event.type == "ChannelTransfer") {
        const auto& refer_to = member(json, "refer_to");
        event.channel = read_channel(member(member(json, "referred_by"), "source_channel"));
        event.destination = user_of(text_member(member(refer_to, "requested_destination"), "destination"));
        event.state = text_member(json, "state");
    } else if (const auto& playback = member(json, "playback"); playback.is_object()) {
        event.subject = text_member(playback, "id");
        event.state = text_member(playback, "state");
    } else if (const auto& recording = member(json, "recording"); recording.is_object()) {
        event.subject = text_member(recording, "name");
        event.state = text_member(recording, "state");
        event.failure = text_member(recording, "cause");
        event.seconds = number_member(recording, "duration");
    }
    return event;
}

std::string endpoint_of(const std::string& channel_name) {
    const auto slash = channel_name.find('/');
    auto rest = slash == std::string::npos ? channel_name : channel_name.substr(slash + 1);
    // The part after the last '-' numbers the channel, ";1" the halves of a Local one.
    if (const auto dash = rest.rfind('-'); dash != std::string::npos && dash > 0) rest.resize(dash);
    if (const auto at = rest.find('@'); at != std::string::npos) rest.resize(at);
    return rest;
}

std::string user_of(std::string_view address) {
    for (const std::string_view scheme : {"sips:", "sip:", "tel:"})
        if (address.starts_with(scheme)) address.remove_prefix(scheme.size());
    return std::string{address.substr(0, address.find_first_of("@;?>"))};
}

}  // namespace touchgate::adapters::asterisk_ari
