// How event structs become payload bytes and back. Every event lists its members once, in `fields`, and both directions use that list:
// integers as varints, instants as zigzag varints of milliseconds, text and lists with their length before them.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gateway/base/bytes.hpp"
#include "gateway/base/ids.hpp"
#include "gateway/base/time.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate {

template <class T> concept HasFields = requires(T& value) { value.fields([](auto&...) {}); };

class FieldWriter {
public:
    explicit FieldWriter(ByteWriter& out) : out_{out} {}

    template <class... T> void operator()(T&... values) { (write(values), ...); }
    // The last members of an event, which it did not have at first: of a record without them they are read as empty.
    template <class... T> void later(T&... values) { (write(values), ...); }

    template <class T> void write(const T& value) {
        if constexpr (std::is_same_v<T, bool>) out_.boolean(value);
        else if constexpr (std::is_enum_v<T>) out_.varint(static_cast<std::uint64_t>(value));
        else if constexpr (std::is_same_v<T, double>) out_.f64(value);
        else if constexpr (std::is_unsigned_v<T>) out_.varint(value);
        else if constexpr (std::is_integral_v<T>) signed_number(value);
        else if constexpr (std::is_same_v<T, Instant>) signed_number(unix_ms(value));
        else if constexpr (std::is_same_v<T, Duration>) signed_number(value.count());
        else if constexpr (std::is_same_v<T, Uuid>) out_.raw(value.view());
        else if constexpr (std::is_same_v<T, crypto::Hash128>) { out_.u64(value.high); out_.u64(value.low); }
        else if constexpr (std::is_same_v<T, ProfileId> || std::is_same_v<T, ContactIndex> || std::is_same_v<T, Symbol>) out_.varint(value.value);
        else if constexpr (std::is_same_v<T, std::string>) out_.text(value);
        else if constexpr (HasFields<T>) const_cast<T&>(value).fields(*this);  // `fields` only reads here
        else write_container(value);
    }

private:
    void signed_number(std::int64_t value) {
        out_.varint((static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
    }
    template <class T> void write_container(const std::vector<T>& values) {
        out_.varint(values.size());
        for (const auto& value : values) write(value);
    }
    template <class T> void write_container(const std::optional<T>& value) {
        out_.boolean(value.has_value());
        if (value) write(*value);
    }
    template <class A, class B> void write_container(const std::pair<A, B>& value) {
        write(value.first);
        write(value.second);
    }
    ByteWriter& out_;
};

class FieldReader {
public:
    explicit FieldReader(ByteReader& in) : in_{in} {}

    template <class... T> void operator()(T&... values) { (read(values), ...); }
    template <class... T> void later(T&... values) { (read_if_there(values), ...); }

    template <class T> void read(T& value) {
        if constexpr (std::is_same_v<T, bool>) value = in_.boolean();
        else if constexpr (std::is_enum_v<T>) value = static_cast<T>(in_.varint());
        else if constexpr (std::is_same_v<T, double>) value = in_.f64();
        else if constexpr (std::is_unsigned_v<T>) value = static_cast<T>(in_.varint());
        else if constexpr (std::is_integral_v<T>) value = static_cast<T>(signed_number());
        else if constexpr (std::is_same_v<T, Instant>) value = from_unix_ms(signed_number());
        else if constexpr (std::is_same_v<T, Duration>) value = Duration{signed_number()};
        else if constexpr (std::is_same_v<T, Uuid>) {
            const auto bytes = in_.raw(16);
            if (bytes.size() == 16) std::memcpy(value.bytes.data(), bytes.data(), 16);
        } else if constexpr (std::is_same_v<T, crypto::Hash128>) {
            value.high = in_.u64();
            value.low = in_.u64();
        } else if constexpr (std::is_same_v<T, ProfileId> || std::is_same_v<T, ContactIndex> || std::is_same_v<T, Symbol>) value.value = static_cast<std::uint32_t>(in_.varint());
        else if constexpr (std::is_same_v<T, std::string>) value.assign(in_.text());  // an event that is read again and again keeps its memory
        else if constexpr (HasFields<T>) value.fields(*this);
        else read_container(value);
    }

private:
    template <class T> void read_if_there(T& value) {
        if (in_.remaining() == 0) value = T{};
        else read(value);
    }
    std::int64_t signed_number() {
        const auto raw = in_.varint();
        return static_cast<std::int64_t>(raw >> 1U) ^ -static_cast<std::int64_t>(raw & 1U);
    }
    template <class T> void read_container(std::vector<T>& values) {
        const auto size = in_.varint();
        if (size > in_.remaining()) return in_.fail();  // every element takes at least a byte
        values.resize(static_cast<std::size_t>(size));
        for (auto& value : values) read(value);
    }
    template <class T> void read_container(std::optional<T>& value) {
        if (in_.boolean()) read(value.emplace());
        else value.reset();
    }
    template <class A, class B> void read_container(std::pair<A, B>& value) {
        read(value.first);
        read(value.second);
    }
    ByteReader& in_;
};

template <class E> void encode(ByteWriter& out, const E& event) { FieldWriter{out}.write(event); }

// False when the bytes are not exactly one E.
template <class E> [[nodiscard]] bool decode(std::string_view bytes, E& event) {
    ByteReader in{bytes};
    FieldReader{in}.read(event);
    return in.at_end();
}

}  // namespace touchgate
