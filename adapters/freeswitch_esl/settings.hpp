// A FreeSWITCH account's settings, read and checked once. The table with defaults and meaning is in README.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "adapters/telephony/numbers.hpp"
#include "gateway/channel/call_adapter.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::freeswitch_esl {

struct Settings {
    std::string host;
    std::uint16_t port = 8021;
    std::string password;
    std::string app = "touchgate";              // marks our legs and the dial plan's calls for us
    std::string agent_endpoint, customer_endpoint;  // templates of dial strings
    telephony::NumberRules numbers;
    std::string caller_id;
    std::string music = "local_stream://default";
    std::string language = "en";                // of numbers and digits that are spoken
    std::string speech;                         // "engine|voice" of text that is spoken; empty: the system cannot
    std::string recordings_folder = "/var/lib/freeswitch/recordings/touchgate";
    std::string recordings_format = "wav";
    std::optional<channel::BaseUrl> recordings_url;  // where the folder can be read over HTTP; none: recordings stay there
    std::string amd_extension, amd_context;     // of the dial plan; empty: machines are not looked for
    std::string conference_profile = "default";
    bool interaction_header = true;             // agents' telephones are told the interaction in X-Touchgate-Interaction
    Duration command_timeout{10'000};
    Duration recording_timeout{60'000};
    int window = 1'000;
    std::map<std::string, std::string, std::less<>> outcome_map;  // "USER_BUSY" or "sip 480" → outcome word
};

// Also checks the shape of `inbound`, `trunks` and `agent_ring_timeout`, whose meaning is the engine's.
[[nodiscard]] Settings read_settings(JsonReader& reader, const std::string& default_region);

// Can this stand in a command as one word? Letters, digits and "-_.:+*#@/".
[[nodiscard]] bool is_plain_word(std::string_view text);

}  // namespace touchgate::adapters::freeswitch_esl
