// One frame of ARI's event stream as a value. Total over any bytes: what is missing or of another type is empty.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::asterisk_ari {

// The channel variables that say whose a channel is. They must stand in ari.conf's `channelvars` to be seen again.
inline constexpr const char* owner_variable = "TOUCHGATE_OWNER";  // the interaction
inline constexpr const char* leg_variable = "TOUCHGATE_LEG";      // "<app>,<role>,<number>"

struct ChannelSnapshot {
    std::string id, name, state;
    std::string caller_name, caller_number;
    std::string exten, app_name, app_data;
    std::optional<Instant> created;
    std::string owner, leg;  // the variables above
};
struct BridgeSnapshot {
    std::string id, name;
    std::vector<std::string> channels;
};

struct Event {
    std::string type;
    std::optional<Instant> at;
    ChannelSnapshot channel;   // ChannelTransfer: who asks
    ChannelSnapshot replaced;  // StasisStart's replace_channel
    BridgeSnapshot bridge;
    std::vector<std::string> args;
    int cause = 0;
    int tech_cause = 0;
    bool soft = false;         // ChannelHangupRequest: not by the party
    std::string digit;
    std::string destination;   // ChannelTransfer: what the telephone wants
    std::string state;         // of the transfer, playback or recording
    std::string subject;       // id of the playback, name of the recording
    std::string failure;       // of the recording
    int seconds = 0;           // of the recording
};

// Nothing when the frame is no JSON object with a type.
[[nodiscard]] std::optional<Event> read_event(std::string_view frame);

[[nodiscard]] ChannelSnapshot read_channel(const Json& value);
[[nodiscard]] BridgeSnapshot read_bridge(const Json& value);
// "2026-11-21T19:50:19.085+0000": RFC 3339 but for the offset's colon.
[[nodiscard]] std::optional<Instant> read_time(std::string_view text);

// "PJSIP/agent2-0000001a" → "agent2".
[[nodiscard]] std::string endpoint_of(const std::string& channel_name);
// "sip:2000@pbx;user=phone" → "2000".
[[nodiscard]] std::string user_of(std::string_view address);

}  // namespace touchgate::adapters::asterisk_ari
