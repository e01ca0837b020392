// An Asterisk account's settings, read and checked once. The table with defaults and meaning is in README.md.
#pragma once

#include <map>
#include <string>

#include "adapters/telephony/numbers.hpp"
#include "gateway/channel/call_adapter.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::asterisk_ari {

using telephony::NumberFormat;
using telephony::NumberRules;

struct Settings {
    channel::BaseUrl base;
    bool tls_verify = true;
    std::string username, password;
    std::string app = "touchgate";
    std::string agent_endpoint, customer_endpoint;  // templates
    NumberRules numbers;
    std::string caller_id;
    std::string music;                  // class of music on hold; empty: the system's own default
    std::string language;               // of sounds; empty: the channel's
    std::string recordings_folder;      // below the system's recording folder; empty: that itself
    std::string recordings_format = "wav";
    std::string amd_context;            // where the dial plan detects machines; empty: nowhere
    std::string amd_extension = "s";
    bool transfers_by_gateway = true;   // a telephone's transfer is asked of the gateway instead of done by the system
    bool interaction_header = true;     // agents' telephones are told the interaction in X-Touchgate-Interaction
    Duration request_timeout{10'000};
    Duration recording_timeout{60'000};
    std::size_t requests_at_once = 8;
    int window = 1'000;
    std::map<std::string, std::string, std::less<>> outcome_map;  // "cause 20" or "sip 480" → outcome word
};

// Also checks the shape of `inbound`, `trunks` and `agent_ring_timeout`, whose meaning is the engine's.
[[nodiscard]] Settings read_settings(JsonReader& reader, const std::string& default_region);

}  // namespace touchgate::adapters::asterisk_ari
