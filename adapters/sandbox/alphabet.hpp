// The text encodings of short messages: GSM 03.38 (one septet per byte, as SMPP carries it), ASCII, Latin-1, UCS-2 and raw octets.
// Written for the sandbox alone; the gateway's adapters have their own tables, so that the two check each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::sandbox {

enum class Coding : std::uint8_t { gsm, ascii, latin1, octets, ucs2, utf8 };

// The alphabet behind an SMPP data_coding (SMPP 3.4, 5.2.19; GSM 03.38 section 4 for the groups from 0xC0 on). Values without an
// alphabet of ours are octets. `zero` is what this message centre means by data_coding 0.
[[nodiscard]] Coding coding_of(std::uint8_t data_coding, Coding zero);

// UTF-8 of the payload of one part. Total: what cannot be decoded becomes U+FFFD (a surrogate or an escape cut in two by a careless
// splitter shows that way), octets become lower-case hex.
[[nodiscard]] std::string decode(std::string_view payload, Coding coding);

// Septets, one per byte, an extension character as two; nothing when a character is outside the alphabet.
[[nodiscard]] std::optional<std::string> encode_gsm(std::u32string_view text);
// UTF-16, high byte first, no byte-order mark.
[[nodiscard]] std::string encode_ucs2(std::u32string_view text);

// Segments that a Chinese route bills for this UTF-8 text: up to 70 UTF-16 units in one, else 67 in each.
[[nodiscard]] std::size_t billed_segments(std::string_view text);

}  // namespace touchgate::sandbox
