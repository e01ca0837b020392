// How long a short message is and how it is cut: alphabet choice, counting of units and segments, splitting that keeps escape pairs and
// surrogate pairs whole. The one splitter of the program: adapters send what it cuts, previews and costs count what it counts.
//
// One message holds 140 octets on the air interface: 160 septets, 140 octets or 70 UCS-2 units. A concatenation header takes 6 octets
// with an 8-bit reference, 7 with a 16-bit one (3GPP TS 23.040 9.2.3.24.1 and .8), which leaves 153/134/67 or 152/133/66 a part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/content/alphabet.hpp"

namespace touchgate::content {

enum class PartHeader : std::uint8_t { reference_8_bit, reference_16_bit };

struct PartCapacity {
    std::size_t single = 0;  // units of a message in one part
    std::size_t part = 0;    // units of each part of several
};
[[nodiscard]] PartCapacity part_capacity(Alphabet alphabet, PartHeader header);

struct SmsSize {
    Alphabet alphabet = Alphabet::gsm;
    std::size_t units = 0;  // septets, octets or UTF-16 units
    int segments = 1;       // an empty text is one
};

// The alphabet in which a text goes: `preferred` when every character fits it, UCS-2 otherwise.
[[nodiscard]] Alphabet choose_alphabet(std::string_view utf8, Alphabet preferred = Alphabet::gsm);

// Units in the alphabet that would be chosen. ASCII text counts as the GSM septets that it becomes on the air interface.
[[nodiscard]] SmsSize measure_sms(std::string_view utf8, Alphabet preferred = Alphabet::gsm, PartHeader header = PartHeader::reference_8_bit);

struct EncodedSms {
    Alphabet alphabet = Alphabet::gsm;
    std::vector<std::string> parts;  // bytes without concatenation headers; at least one
};

// Cuts into as few parts as fit, in order. The number of parts is not limited here: a protocol takes at most 255.
[[nodiscard]] EncodedSms encode_sms(std::string_view utf8, Alphabet preferred = Alphabet::gsm, PartHeader header = PartHeader::reference_8_bit);

}  // namespace touchgate::content
