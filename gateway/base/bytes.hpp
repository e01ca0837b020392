// Reading and writing of compact little-endian binary values: the touch log's payloads, checkpoints and key files are made of these.
//
// The writer appends to a string it owns. The reader never throws and never reads past its end: the first bad read sets
// `failed()`, and every later read yields zero or empty values, so a decoder checks once at its end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace touchgate {

class ByteWriter {
public:
    void u8(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
    void u16(std::uint16_t value) { fixed(value); }
    void u32(std::uint32_t value) { fixed(value); }
    void u64(std::uint64_t value) { fixed(value); }
    void i64(std::int64_t value) { fixed(static_cast<std::uint64_t>(value)); }
    void boolean(bool value) { u8(value ? 1 : 0); }
    void f64(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }

    // LEB128: 7 bits a byte, least significant first, at most 10 bytes.
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            u8(static_cast<std::uint8_t>(value | 0x80U));
            value >>= 7U;
        }
        u8(static_cast<std::uint8_t>(value));
    }

    void raw(std::string_view value) { bytes_.append(value); }
    // Length as varint, then the bytes.
    void text(std::string_view value) {
        varint(value.size());
        raw(value);
    }

    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    [[nodiscard]] std::string& bytes() { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    void clear() { bytes_.clear(); }

private:
    template <class T> void fixed(T value) {
        static_assert(std::endian::native == std::endian::little);
        char buffer[sizeof value];
        std::memcpy(buffer, &value, sizeof value);
        bytes_.append(buffer, sizeof value);
    }
    std::string bytes_;
};

class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_{bytes} {}

    std::uint8_t u8() { return fixed<std::uint8_t>(); }
    std::uint16_t u16() { return fixed<std::uint16_t>(); }
    std::uint32_t u32() { return fixed<std::uint32_t>(); }
    std::uint64_t u64() { return fixed<std::uint64_t>(); }
    std::int64_t i64() { return static_cast<std::int64_t>(fixed<std::uint64_t>()); }
    bool boolean() { return u8() != 0; }
    double f64() { return std::bit_cast<double>(fixed<std::uint64_t>()); }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 70; shift += 7) {
            const auto byte = u8();
            if (failed_) return 0;
            if (shift == 63 && byte > 1) break;
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80) return value;
        }
        failed_ = true;
        return 0;
    }

    // A view into the reader's bytes: valid as long as they are.
    std::string_view raw(std::size_t size) {
        if (failed_ || rest_.size() < size) {
            failed_ = true;
            return {};
        }
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::string_view text() {
        const auto size = varint();
        return raw(static_cast<std::size_t>(size));
    }

    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool at_end() const { return !failed_ && rest_.empty(); }
    [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
    void fail() { failed_ = true; }

private:
    template <class T> T fixed() {
        static_assert(std::endian::native == std::endian::little);
        T value{};
        const auto taken = raw(sizeof value);
        if (!failed_) std::memcpy(&value, taken.data(), sizeof value);
        return value;
    }
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace touchgate
