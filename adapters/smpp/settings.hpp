// An SMPP account's settings, read and checked once. The table with defaults and meaning is in README.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "adapters/smpp/pdu.hpp"
#include "adapters/smpp/receipt.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/session_adapter.hpp"
#include "gateway/content/sms_text.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::smpp {

enum class LongMessages : std::uint8_t { udh8, udh16, sar, payload };

struct Settings {
    channel::SessionAdapter::Endpoint endpoint;
    std::uint32_t bind_command = command::bind_transceiver;
    Bind bind;
    Address source;
    std::uint8_t destination_ton = 1;
    std::uint8_t destination_npi = 1;
    std::string service_type;
    std::uint8_t esm_class = 0;  // base value; the user-data-header bit is added where needed
    content::Alphabet default_alphabet = content::Alphabet::gsm;  // what data_coding 0 means at this centre
    LongMessages long_messages = LongMessages::udh8;
    std::size_t parts_max = 255;
    std::vector<Tlv> tlvs;  // added to every submit_sm
    bool uses_validity = true;
    int window = 32;
    Duration response_timeout{10'000};
    Duration enquire_interval{30'000};
    Duration bind_timeout{15'000};
    ReceiptRules receipts;
    std::map<std::uint32_t, channel::OutcomeKind> outcome_map;  // overrides of the classification by command status

    [[nodiscard]] content::PartHeader part_header() const {
        // With SAR parameters the centre builds the header, and its reference has 16 bits (5.3.2.22).
        return long_messages == LongMessages::udh8 ? content::PartHeader::reference_8_bit : content::PartHeader::reference_16_bit;
    }
};

[[nodiscard]] Settings read_settings(JsonReader& reader);

}  // namespace touchgate::adapters::smpp
