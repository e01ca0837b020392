#include "gateway/base/text.hpp"

namespace touchgate {

namespace {

constexpr char32_t invalid_code_point = 0xFFFFFFFF;

// The code point at `at`, which moves past it; invalid_code_point (and one byte on) where the bytes are not UTF-8 (RFC 3629).
char32_t next_code_point(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    if (first < 0x80) return static_cast<char32_t>(text[at++]);
    std::size_t extra = 0;
    char32_t value = 0;
    char32_t least = 0;
    if (first >= 0xC2 && first <= 0xDF) { extra = 1; value = first & 0x1FU; least = 0x80; }
    else if (first >= 0xE0 && first <= 0xEF) { extra = 2; value = first & 0x0FU; least = 0x800; }
    else if (first >= 0xF0 && first <= 0xF4) { extra = 3; value = first & 0x07U; least = 0x10000; }
    else { ++at; return invalid_code_point; }
    if (text.size() - at <= extra) { ++at; return invalid_code_point; }
    for (std::size_t i = 1; i <= extra; ++i) {
        if ((byte(at + i) & 0xC0U) != 0x80U) { ++at; return invalid_code_point; }
        value = (value << 6U) | (byte(at + i) & 0x3FU);
    }
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) { ++at; return invalid_code_point; }
    at += extra + 1;
    return value;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0x80) { ++at; continue; }
        if (next_code_point(text, at) == invalid_code_point) return false;
    }
    return true;
}

std::u32string to_code_points(std::string_view utf8) {
    std::u32string points;
    points.reserve(utf8.size());
    for (std::size_t at = 0; at < utf8.size();) {
        const auto point = next_code_point(utf8, at);
        points.push_back(point == invalid_code_point ? U'\uFFFD' : point);
    }
    return points;
}

void append_utf8(std::string& out, char32_t point) {
    const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
    if (point < 0x80) { put(point); }
    else if (point < 0x800) { put(0xC0U | (point >> 6U)); put(0x80U | (point & 0x3FU)); }
    else if (point < 0x10000) { put(0xE0U | (point >> 12U)); put(0x80U | ((point >> 6U) & 0x3FU)); put(0x80U | (point & 0x3FU)); }
    else { put(0xF0U | (point >> 18U)); put(0x80U | ((point >> 12U) & 0x3FU)); put(0x80U | ((point >> 6U) & 0x3FU)); put(0x80U | (point & 0x3FU)); }
}

std::string to_utf8(std::u32string_view points) {
    std::string text;
    text.reserve(points.size());
    for (const auto point : points) append_utf8(text, point);
    return text;
}

std::string to_hex(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex.push_back(digits[byte >> 4U]);
        hex.push_back(digits[byte & 15U]);
    }
    return hex;
}

std::optional<std::string> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_value(hex[i]);
        const int low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t plain_from = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x80) {
            const auto start = at;
            if (next_code_point(text, at) == invalid_code_point) {
                out.append(text, plain_from, start - plain_from);
                out.append("\xEF\xBF\xBD");
                plain_from = at;
            }
            continue;
        }
        if (byte >= 0x20 && byte != '"' && byte != '\\') { ++at; continue; }
        out.append(text, plain_from, at - plain_from);
        switch (byte) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                out += "\\u00";
                out.push_back(digits[byte >> 4U]);
                out.push_back(digits[byte & 15U]);
        }
        plain_from = ++at;
    }
    out.append(text, plain_from, text.size() - plain_from);
    out.push_back('"');
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\v\f";
    const auto from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

std::string to_lower_ascii(std::string_view text) {
    std::string lower{text};
    for (auto& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string mask_phone(std::string_view e164) {
    if (e164.size() < 9) return "****";
    const auto head = e164.substr(0, e164.size() - 8);
    return std::string{head} + "****" + std::string{e164.substr(e164.size() - 4)};
}

}  // namespace touchgate
