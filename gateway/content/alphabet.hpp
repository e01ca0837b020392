// The alphabets of short messages: UTF-8 text to the bytes of a PDU and back.
//
// GSM 03.38 travels unpacked, one septet a byte (3GPP TS 23.038 section 6.2.1; SMPP and CMPP carry it so). UCS-2 is UTF-16 big-endian
// without a byte-order mark; characters above U+FFFF are surrogate pairs. Decoders are total: any bytes give valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::content {

enum class Alphabet : std::uint8_t { gsm, latin1, ascii, ucs2 };

[[nodiscard]] std::string_view to_string(Alphabet alphabet);

// Reads one code point at `position` and moves it on; a byte that is not UTF-8 gives U+FFFD. `position` must lie inside `utf8`.
[[nodiscard]] char32_t next_code_point(std::string_view utf8, std::size_t& position);

// Septets of a code point: 1, 2 (extension table) or 0 when the alphabet lacks it.
[[nodiscard]] int gsm_septets(char32_t code_point);
// False, with `out` unchanged, when the alphabet lacks the character.
bool append_gsm(std::string& out, char32_t code_point);
void append_ucs2(std::string& out, char32_t code_point);

// Nothing when a character does not fit the alphabet. UCS-2 always fits.
[[nodiscard]] std::optional<std::string> encode(std::string_view utf8, Alphabet alphabet);

// GSM: ESC before an unknown code shows the plain character, a trailing ESC nothing; bytes above 0x7F are U+FFFD. UCS-2: a leading
// byte-order mark is dropped, a lone surrogate is U+FFFD, an odd last byte is dropped. ASCII: bytes above 0x7F are U+FFFD.
[[nodiscard]] std::string decode(std::string_view bytes, Alphabet alphabet);

// GB 18030, a superset of the GBK that CMPP's data coding 15 names; what is not valid becomes U+FFFD.
[[nodiscard]] std::string decode_gb18030(std::string_view bytes);

}  // namespace touchgate::content
