#include "gateway/base/ids.hpp"

namespace touchgate {

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Instant Uuid::time() const {
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) ms = (ms << 8) | bytes[i];
    return from_unix_ms(ms);
}

void append_uuid(std::string& out, const Uuid& id) {
    constexpr char digits[] = "0123456789abcdef";
    char text[36];
    char* to = text;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        *to++ = digits[id.bytes[i] >> 4U];
        *to++ = digits[id.bytes[i] & 15U];
    }
    out.append(text, sizeof text);
}

std::string to_string(const Uuid& id) {
    std::string text;
    append_uuid(text, id);
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid id;
    std::size_t at = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (text[at++] != '-') return std::nullopt;
        }
        const int high = hex_value(text[at++]);
        const int low = hex_value(text[at++]);
        if (high < 0 || low < 0) return std::nullopt;
        id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return id;
}

Uuid UuidSource::next(Instant now) {
    auto ms = unix_ms(now);
    if (ms <= last_ms_) {
        ms = last_ms_;
        if (++counter_ > 0xFFF) {
            ++ms;
            counter_ = 0;
        }
    } else {
        counter_ = static_cast<std::uint32_t>(random_.below(0x100));  // room to rise within the millisecond
    }
    last_ms_ = ms;
    Uuid id;
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
    id.bytes[6] = static_cast<std::uint8_t>(0x70U | (counter_ >> 8U));
    id.bytes[7] = static_cast<std::uint8_t>(counter_);
    const auto random = random_.next();
    for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(random >> (8 * i));
    id.bytes[8] = static_cast<std::uint8_t>(0x80U | (id.bytes[8] & 0x3FU));
    return id;
}

}  // namespace touchgate
