#include "gateway/touch_log/format.hpp"

#include <bit>
#include <cstdio>
#include <cstring>

#include "gateway/base/bytes.hpp"

namespace touchgate::log_format {

static_assert(std::endian::native == std::endian::little);

namespace {

template <class T> void put(char* to, T value) { std::memcpy(to, &value, sizeof value); }

template <class T> T get(const char* from) {
    T value{};
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <std::size_t n> std::string_view text_of(const std::array<std::uint8_t, n>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), n};
}

Check check_of(const LogId& id, std::string_view fields, std::string_view more) {
    crypto::Sha256 hash;
    hash.update(text_of(id));
    hash.update(fields);
    hash.update(more);
    const auto digest = hash.digest();
    Check check;
    std::memcpy(check.data(), digest.data(), check.size());
    return check;
}

}  // namespace

std::uint32_t u32_at(const char* from) { return get<std::uint32_t>(from); }
std::uint64_t u64_at(const char* from) { return get<std::uint64_t>(from); }
crypto::Digest digest_at(const char* from) { return get<crypto::Digest>(from); }

crypto::Digest genesis_hash(const LogId& id) { return crypto::sha256("touchgate touch log\n", text_of(id)); }

LogId random_log_id() {
    LogId id;
    crypto::random_bytes(id.data(), id.size());
    return id;
}

std::string encode_header(const SegmentHeader& header) {
    ByteWriter out;
    out.raw(magic);
    out.u32(format_version);
    out.u32(header_bytes);
    out.u32(header.segment);
    out.u32(0);
    out.u64(header.first_sequence);
    out.raw(text_of(header.log_id));
    out.raw(crypto::view(header.previous_hash));
    out.u64(0);
    out.u64(0);
    const auto check = crypto::sha256(out.bytes());
    out.raw(crypto::view(check));
    return std::move(out.bytes());
}

Result<SegmentHeader> decode_header(std::string_view bytes) {
    const auto corrupt = Error{.kind = ErrorKind::corrupt, .detail = "no segment header"};
    if (bytes.size() < header_bytes || !bytes.starts_with(magic)) return corrupt;
    const auto fields = bytes.substr(0, header_bytes - hash_bytes);
    if (crypto::view(crypto::sha256(fields)) != bytes.substr(fields.size(), hash_bytes)) return corrupt;
    ByteReader in{fields};
    in.raw(magic.size());
    const auto version = in.u32();
    if (version != format_version)
        return Error{.kind = ErrorKind::unsupported,
                     .detail = "the touch log has format " + std::to_string(version) + "; this program reads format " + std::to_string(format_version)};
    SegmentHeader header;
    const auto size = in.u32();
    header.segment = in.u32();
    const auto zero = in.u32();
    header.first_sequence = in.u64();
    std::memcpy(header.log_id.data(), in.raw(header.log_id.size()).data(), header.log_id.size());
    header.previous_hash = digest_at(in.raw(hash_bytes).data());
    if (size != header_bytes || zero != 0 || in.u64() != 0 || in.u64() != 0 || header.segment == 0 || header.first_sequence == 0) return corrupt;
    return header;
}

void encode_record_header(char* to, const RecordHeader& header) {
    put(to, header.length);
    put(to + 4, header.sequence);
    put(to + 12, header.time_ms);
    put(to + 20, header.type);
    put(to + 22, header.version);
    put(to + 23, header.flags);
    put(to + 24, header.contact);
    put(to + 28, header.previous_of_contact);
}

RecordHeader decode_record_header(const char* from) {
    RecordHeader header;
    header.length = get<std::uint32_t>(from);
    header.sequence = get<std::uint64_t>(from + 4);
    header.time_ms = get<std::int64_t>(from + 12);
    header.type = get<std::uint16_t>(from + 20);
    header.version = get<std::uint8_t>(from + 22);
    header.flags = get<std::uint8_t>(from + 23);
    header.contact = get<std::uint32_t>(from + 24);
    header.previous_of_contact = get<std::uint64_t>(from + 28);
    return header;
}

Record to_record(const RecordHeader& header, const char* bytes, LogPosition position) {
    Record record;
    record.sequence = header.sequence;
    record.time = from_unix_ms(header.time_ms);
    record.type = header.type;
    record.version = header.version;
    record.contact = ContactIndex{header.contact};
    record.previous_of_contact = LogPosition{header.previous_of_contact};
    record.payload = {bytes + record_header_bytes, header.length - record_overhead_bytes};
    record.hash = digest_at(bytes + header.length - hash_bytes);
    record.position = position;
    record.length = header.length;
    return record;
}

void encode_trailer(char* to, const Trailer& trailer, const LogId& id, const crypto::Digest& last_hash) {
    put(to, trailer_marker);
    put(to + 4, trailer.length);
    put(to + 8, trailer.records);
    put(to + 12, std::uint32_t{0});
    put(to + 16, trailer.first_sequence);
    put(to + 24, check_of(id, {to, 24}, crypto::view(last_hash)));
}

std::optional<Trailer> decode_trailer(std::string_view bytes) {
    if (bytes.size() < trailer_bytes || u32_at(bytes.data()) != trailer_marker || u32_at(bytes.data() + 12) != 0) return std::nullopt;
    return Trailer{.length = u32_at(bytes.data() + 4), .records = u32_at(bytes.data() + 8), .first_sequence = u64_at(bytes.data() + 16)};
}

bool trailer_check_fits(std::string_view bytes, const LogId& id, const crypto::Digest& last_hash) {
    return bytes.size() >= trailer_bytes && check_of(id, bytes.substr(0, 24), crypto::view(last_hash)) == get<Check>(bytes.data() + 24);
}

std::string encode_footer(const Footer& footer, const LogId& id) {
    ByteWriter out;
    out.u32(footer_marker);
    out.u32(footer_bytes);
    out.u64(footer.records);
    out.u64(footer.last_sequence);
    out.raw(crypto::view(footer.last_hash));
    out.raw(crypto::view(footer.file_hash));
    const auto check = check_of(id, out.bytes(), {});
    out.raw(text_of(check));
    return std::move(out.bytes());
}

std::optional<Footer> decode_footer(std::string_view bytes) {
    if (bytes.size() < footer_bytes || u32_at(bytes.data()) != footer_marker || u32_at(bytes.data() + 4) != footer_bytes) return std::nullopt;
    return Footer{.records = u64_at(bytes.data() + 8),
                  .last_sequence = u64_at(bytes.data() + 16),
                  .last_hash = digest_at(bytes.data() + 24),
                  .file_hash = digest_at(bytes.data() + 56)};
}

bool footer_check_fits(std::string_view bytes, const LogId& id) {
    return bytes.size() >= footer_bytes && check_of(id, bytes.substr(0, 88), {}) == get<Check>(bytes.data() + 88);
}

std::string segment_name(std::uint32_t segment) {
    char name[16];
    std::snprintf(name, sizeof name, "%010u.log", segment);
    return name;
}

std::optional<std::uint32_t> parse_segment_name(std::string_view name) {
    if (name.size() != 14 || !name.ends_with(".log")) return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : name.substr(0, 10)) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (number == 0 || number > 0xFFFFFFFFU) return std::nullopt;
    return static_cast<std::uint32_t>(number);
}

}  // namespace touchgate::log_format
