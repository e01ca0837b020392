#include "adapters/sandbox/alphabet.hpp"

#include <array>

#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace {

constexpr char32_t escape = 0x1B;
constexpr char32_t replacement = 0xFFFD;

// GSM 03.38 6.2.1, by code. The escape's place is not a character.
constexpr std::array<char32_t, 128> gsm_table = {
    U'@', U'£', U'$', U'¥', U'è', U'é', U'ù', U'ì', U'ò', U'Ç', U'\n', U'Ø', U'ø', U'\r', U'Å', U'å',
    U'Δ', U'_', U'Φ', U'Γ', U'Λ', U'Ω', U'Π', U'Ψ', U'Σ', U'Θ', U'Ξ',  escape, U'Æ', U'æ', U'ß', U'É',
    U' ', U'!', U'"', U'#', U'¤', U'%', U'&', U'\'', U'(', U')', U'*', U'+', U',', U'-', U'.', U'/',
    U'0', U'1', U'2', U'3', U'4', U'5', U'6', U'7', U'8', U'9', U':', U';', U'<', U'=', U'>', U'?',
    U'¡', U'A', U'B', U'C', U'D', U'E', U'F', U'G', U'H', U'I', U'J', U'K', U'L', U'M', U'N', U'O',
    U'P', U'Q', U'R', U'S', U'T', U'U', U'V', U'W', U'X', U'Y', U'Z', U'Ä', U'Ö', U'Ñ', U'Ü', U'§',
    U'¿', U'a', U'b', U'c', U'd', U'e', U'f', U'g', U'h', U'i', U'j', U'k', U'l', U'm', U'n', U'o',
    U'p', U'q', U'r', U's', U't', U'u', U'v', U'w', U'x', U'y', U'z', U'ä', U'ö', U'ñ', U'ü', U'à'};

struct Extension {
    unsigned char code;
    char32_t character;
};
constexpr std::array<Extension, 10> extensions = {{{0x0A, U'\f'}, {0x14, U'^'}, {0x28, U'{'}, {0x29, U'}'}, {0x2F, U'\\'},
                                                   {0x3C, U'['}, {0x3D, U'~'}, {0x3E, U']'}, {0x40, U'|'}, {0x65, U'€'}}};

void decode_gsm(std::string& out, std::string_view payload) {
    for (std::size_t i = 0; i < payload.size(); ++i) {
        const auto byte = static_cast<unsigned char>(payload[i]);
        if (byte >= 0x80) {
            append_utf8(out, replacement);
        } else if (byte != escape) {
            append_utf8(out, gsm_table[byte]);
        } else if (i + 1 == payload.size()) {
            append_utf8(out, replacement);  // an escape without its character: the pair was cut
        } else {
            const auto code = static_cast<unsigned char>(payload[++i]);
            char32_t character = U' ';
            for (const auto& extension : extensions)
                if (extension.code == code) character = extension.character;
            append_utf8(out, character);
        }
    }
}

void decode_ucs2(std::string& out, std::string_view payload) {
    const auto unit = [&](std::size_t at) {
        return static_cast<char32_t>((static_cast<unsigned char>(payload[at]) << 8) | static_cast<unsigned char>(payload[at + 1]));
    };
    for (std::size_t i = 0; i + 1 < payload.size(); i += 2) {
        const char32_t first = unit(i);
        if (first >= 0xD800 && first < 0xDC00 && i + 3 < payload.size()) {
            const char32_t second = unit(i + 2);
            if (second >= 0xDC00 && second < 0xE000) {
                append_utf8(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
                i += 2;
                continue;
            }
        }
        append_utf8(out, first >= 0xD800 && first < 0xE000 ? replacement : first);
    }
    if (payload.size() % 2 != 0) append_utf8(out, replacement);
}

}  // namespace

Coding coding_of(std::uint8_t data_coding, Coding zero) {
    switch (data_coding) {
        case 0x00: return zero;
        case 0x01: return Coding::ascii;
        case 0x03: return Coding::latin1;
        case 0x08: return Coding::ucs2;
        default: break;
    }
    const auto group = data_coding & 0xF0U;
    if (group == 0xC0 || group == 0xD0) return Coding::gsm;
    if (group == 0xE0) return Coding::ucs2;
    if (group == 0xF0) return (data_coding & 0x04U) != 0 ? Coding::octets : Coding::gsm;
    return Coding::octets;
}

std::string decode(std::string_view payload, Coding coding) {
    std::string out;
    out.reserve(payload.size() * 3 / 2);
    switch (coding) {
        case Coding::gsm: decode_gsm(out, payload); break;
        case Coding::ucs2: decode_ucs2(out, payload); break;
        case Coding::ascii:
        case Coding::latin1:
            for (const char c : payload) {
                const auto byte = static_cast<unsigned char>(c);
                append_utf8(out, coding == Coding::ascii && byte >= 0x80 ? replacement : byte);
            }
            break;
        case Coding::octets: out = to_hex(payload); break;
        case Coding::utf8: out = is_valid_utf8(payload) ? std::string{payload} : to_utf8(to_code_points(payload)); break;
    }
    return out;
}

std::optional<std::string> encode_gsm(std::u32string_view text) {
    std::string out;
    for (const char32_t character : text) {
        bool found = false;
        for (std::size_t code = 0; code < gsm_table.size() && !found; ++code) {
            if (code == escape || gsm_table[code] != character) continue;
            out.push_back(static_cast<char>(code));
            found = true;
        }
        for (const auto& extension : extensions) {
            if (found || extension.character != character) continue;
            out.push_back(static_cast<char>(escape));
            out.push_back(static_cast<char>(extension.code));
            found = true;
        }
        if (!found) return std::nullopt;
    }
    return out;
}

std::string encode_ucs2(std::u32string_view text) {
    std::string out;
    const auto unit = [&](char32_t value) {
        out.push_back(static_cast<char>(value >> 8));
        out.push_back(static_cast<char>(value & 0xFF));
    };
    for (const char32_t character : text) {
        if (character < 0x10000) {
            unit(character);
        } else {
            unit(0xD800 + ((character - 0x10000) >> 10));
            unit(0xDC00 + ((character - 0x10000) & 0x3FF));
        }
    }
    return out;
}

std::size_t billed_segments(std::string_view text) {
    std::size_t units = 0;
    for (const char32_t character : to_code_points(text)) units += character >= 0x10000 ? 2 : 1;
    return units <= 70 ? 1 : (units + 66) / 67;
}

}  // namespace touchgate::sandbox
