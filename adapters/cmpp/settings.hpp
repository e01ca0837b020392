// A CMPP account's settings, read and checked once. The table with defaults and meaning is in README.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/cmpp/pdu.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/session_adapter.hpp"
#include "gateway/content/sms_text.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::cmpp {

struct Settings {
    channel::SessionAdapter::Endpoint endpoint;
    std::string sp_id;   // Source_Addr and Msg_src
    std::string secret;
    Version version = Version::v20;
    Submit prototype;    // what every submit shares
    bool ascii_as_ascii = false;  // texts that are ASCII and fit one message go as Msg_Fmt 0
    bool gsm_in_format_0 = false; // received Msg_Fmt 0 holds GSM 7-bit codes
    bool with_country_code = false;  // Chinese numbers are sent with 86
    content::PartHeader part_header = content::PartHeader::reference_8_bit;
    std::size_t parts_max = 255;
    bool uses_validity = true;
    int window = 16;
    Duration response_timeout{60'000};
    Duration link_test_interval{30'000};
    std::vector<std::pair<std::string, channel::ReceiptStatus>> stat_map;
    std::map<std::uint32_t, channel::OutcomeKind> outcome_map;
};

[[nodiscard]] Settings read_settings(JsonReader& reader);

}  // namespace touchgate::adapters::cmpp
