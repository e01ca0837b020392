#include "gateway/content/alphabet.hpp"

#include <iconv.h>

#include <array>

#include "gateway/base/text.hpp"

namespace touchgate::content {

namespace {

constexpr char32_t replacement = 0xFFFD;
constexpr std::uint8_t escape_code = 0x1B;

// GSM 03.38 default alphabet by code; 0x1B is the escape to the extension table.
constexpr std::array<char16_t, 128> gsm_table = {
    u'@', u'£', u'$', u'¥', u'è', u'é', u'ù', u'ì', u'ò', u'Ç', u'\n', u'Ø', u'ø', u'\r', u'Å', u'å',
    u'Δ', u'_', u'Φ', u'Γ', u'Λ', u'Ω', u'Π', u'Ψ', u'Σ', u'Θ', u'Ξ', 0x1B, u'Æ', u'æ', u'ß', u'É',
    u' ', u'!', u'"', u'#', u'¤', u'%', u'&', u'\'', u'(', u')', u'*', u'+', u',', u'-', u'.', u'/',
    u'0', u'1', u'2', u'3', u'4', u'5', u'6', u'7', u'8', u'9', u':', u';', u'<', u'=', u'>', u'?',
    u'¡', u'A', u'B', u'C', u'D', u'E', u'F', u'G', u'H', u'I', u'J', u'K', u'L', u'M', u'N', u'O',
    u'P', u'Q', u'R', u'S', u'T', u'U', u'V', u'W', u'X', u'Y', u'Z', u'Ä', u'Ö', u'Ñ', u'Ü', u'§',
    u'¿', u'a', u'b', u'c', u'd', u'e', u'f', u'g', u'h', u'i', u'j', u'k', u'l', u'm', u'n', u'o',
    u'p', u'q', u'r', u's', u't', u'u', u'v', u'w', u'x', u'y', u'z', u'ä', u'ö', u'ñ', u'ü', u'à'};

struct Extension { std::uint8_t code; char16_t character; };
constexpr std::array<Extension, 10> gsm_extensions = {{{0x0A, u'\f'}, {0x14, u'^'}, {0x28, u'{'}, {0x29, u'}'}, {0x2F, u'\\'},
                                                       {0x3C, u'['}, {0x3D, u'~'}, {0x3E, u']'}, {0x40, u'|'}, {0x65, u'€'}}};

// Code of a character below U+0400, with 0x80 set for the extension table; 0xFF: not in the alphabet.
constexpr std::uint8_t no_code = 0xFF;
constexpr auto gsm_codes = [] {
    std::array<std::uint8_t, 0x400> codes{};
    for (auto& code : codes) code = no_code;
    for (std::size_t i = 0; i < gsm_table.size(); ++i)
        if (i != escape_code) codes[gsm_table[i]] = static_cast<std::uint8_t>(i);
    for (const auto& extension : gsm_extensions)
        if (extension.character < 0x400) codes[extension.character] = static_cast<std::uint8_t>(extension.code | 0x80U);
    return codes;
}();

std::uint8_t gsm_code(char32_t code_point) {
    if (code_point < 0x400) return gsm_codes[code_point];
    return code_point == U'€' ? std::uint8_t{0x65 | 0x80} : no_code;
}

void append_unit(std::string& out, std::uint32_t unit) {
    out.push_back(static_cast<char>(unit >> 8U));
    out.push_back(static_cast<char>(unit & 0xFFU));
}

std::string decode_gsm(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() + bytes.size() / 8);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto code = static_cast<std::uint8_t>(bytes[i]);
        if (code == escape_code) {
            if (++i == bytes.size()) break;
            code = static_cast<std::uint8_t>(bytes[i]);
            char32_t extended = 0;
            for (const auto& extension : gsm_extensions)
                if (extension.code == code) extended = extension.character;
            if (extended != 0) {
                append_utf8(text, extended);
                continue;
            }
            if (code == escape_code) {  // reserved for a further table: a space (TS 23.038)
                text.push_back(' ');
                continue;
            }
        }
        append_utf8(text, code < gsm_table.size() ? char32_t{gsm_table[code]} : replacement);
    }
    return text;
}

std::string decode_ucs2(std::string_view bytes) {
    const auto unit_at = [&](std::size_t i) {
        return (std::uint32_t{static_cast<std::uint8_t>(bytes[i])} << 8U) | static_cast<std::uint8_t>(bytes[i + 1]);
    };
    std::string text;
    text.reserve(bytes.size() * 3 / 2);
    std::size_t i = bytes.size() >= 2 && unit_at(0) == 0xFEFF ? 2 : 0;
    for (; i + 1 < bytes.size(); i += 2) {
        const auto unit = unit_at(i);
        if (unit < 0xD800 || unit > 0xDFFF) {
            append_utf8(text, unit);
        } else if (unit < 0xDC00 && i + 3 < bytes.size() && unit_at(i + 2) >= 0xDC00 && unit_at(i + 2) <= 0xDFFF) {
            append_utf8(text, 0x10000 + ((unit - 0xD800) << 10U) + (unit_at(i + 2) - 0xDC00));
            i += 2;
        } else {
            append_utf8(text, replacement);
        }
    }
    return text;
}

}  // namespace

std::string_view to_string(Alphabet alphabet) {
    switch (alphabet) {
        case Alphabet::gsm: return "gsm";
        case Alphabet::latin1: return "latin1";
        case Alphabet::ascii: return "ascii";
        case Alphabet::ucs2: return "ucs2";
    }
    return "ucs2";
}

char32_t next_code_point(std::string_view utf8, std::size_t& position) {
    const auto byte_at = [&](std::size_t i) { return static_cast<std::uint8_t>(utf8[i]); };
    const char32_t first = byte_at(position++);
    if (first < 0x80) return first;
    const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4) return replacement;
    char32_t code_point = first & (0x3FU >> static_cast<unsigned>(more));
    std::size_t at = position;
    for (int i = 0; i < more; ++i, ++at) {
        if (at == utf8.size() || (byte_at(at) & 0xC0U) != 0x80) return replacement;
        code_point = (code_point << 6U) | (byte_at(at) & 0x3FU);
    }
    constexpr std::array<char32_t, 4> least = {0, 0x80, 0x800, 0x10000};
    if (code_point < least[static_cast<std::size_t>(more)] || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
        return replacement;
    position = at;
    return code_point;
}

int gsm_septets(char32_t code_point) {
    const auto code = gsm_code(code_point);
    return code == no_code ? 0 : code >= 0x80 ? 2 : 1;
}

bool append_gsm(std::string& out, char32_t code_point) {
    const auto code = gsm_code(code_point);
    if (code == no_code) return false;
    if (code >= 0x80) out.push_back(static_cast<char>(escape_code));
    out.push_back(static_cast<char>(code & 0x7FU));
    return true;
}

void append_ucs2(std::string& out, char32_t code_point) {
    if (code_point < 0x10000) return append_unit(out, code_point);
    const std::uint32_t offset = code_point - 0x10000;
    append_unit(out, 0xD800 + (offset >> 10U));
    append_unit(out, 0xDC00 + (offset & 0x3FFU));
}

std::optional<std::string> encode(std::string_view utf8, Alphabet alphabet) {
    std::string out;
    out.reserve(alphabet == Alphabet::ucs2 ? utf8.size() * 2 : utf8.size());
    for (std::size_t position = 0; position < utf8.size();) {
        const auto code_point = next_code_point(utf8, position);
        switch (alphabet) {
            case Alphabet::gsm:
                if (!append_gsm(out, code_point)) return std::nullopt;
                break;
            case Alphabet::latin1:
            case Alphabet::ascii:
                if (code_point > (alphabet == Alphabet::ascii ? 0x7FU : 0xFFU)) return std::nullopt;
                out.push_back(static_cast<char>(code_point));
                break;
            case Alphabet::ucs2: append_ucs2(out, code_point); break;
        }
    }
    return out;
}

std::string decode(std::string_view bytes, Alphabet alphabet) {
    if (alphabet == Alphabet::gsm) return decode_gsm(bytes);
    if (alphabet == Alphabet::ucs2) return decode_ucs2(bytes);
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        const auto code = static_cast<std::uint8_t>(c);
        append_utf8(text, alphabet == Alphabet::ascii && code > 0x7F ? replacement : char32_t{code});
    }
    return text;
}

std::string decode_gb18030(std::string_view bytes) {
    std::string text;
    const auto converter = iconv_open("UTF-8", "GB18030");
    if (converter == reinterpret_cast<iconv_t>(-1)) return decode(bytes, Alphabet::ascii);  // NOLINT: iconv's own error value
    std::string input{bytes};
    char* from = input.data();
    std::size_t left = input.size();
    while (left > 0) {
        std::array<char, 1024> buffer;
        char* to = buffer.data();
        std::size_t room = buffer.size();
        const auto before = left;
        const auto result = iconv(converter, &from, &left, &to, &room);
        text.append(buffer.data(), buffer.size() - room);
        if (result == static_cast<std::size_t>(-1) && left > 0 && (left == before || room > 8)) {
            append_utf8(text, replacement);
            ++from;
            --left;
            iconv(converter, nullptr, nullptr, nullptr, nullptr);
        }
    }
    iconv_close(converter);
    return text;
}

}  // namespace touchgate::content
