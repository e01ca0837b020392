// The bytes of the touch log. docs/touch-log.md describes the same format for readers in other languages, with a worked example that
// a test compares byte for byte.
//
// A segment file is: header, batches, and (once it is full) a footer. A batch is: records, then a trailer. All numbers are little-endian.
//
//   header  (128)  0 magic "TOUCHLOG"  8 format u32  12 header size u32  16 segment u32  20 zero u32  24 first sequence u64
//                  32 log id [16]  48 hash of the record before the segment [32]  80 zero [16]  96 SHA-256 of bytes 0..95 [32]
//   record  (68+n) 0 length u32  4 sequence u64  12 time i64 (Unix ms)  20 type u16  22 version u8  23 flags u8  24 contact u32
//                  28 position of the contact's previous record u64  36 payload [n]  36+n hash [32]
//   trailer (40)   0 marker u32  4 length of the batch with trailer u32  8 records u32  12 zero u32  16 first sequence u64  24 check [16]
//   footer  (104)  0 marker u32  4 footer size u32  8 records of the segment u64  16 last sequence u64  24 hash of the last record [32]
//                  56 SHA-256 of the file before the footer [32]  88 check [16]
//
// A record's hash is SHA-256(hash of the record before it ‖ the record without its hash); the first record follows the genesis hash,
// SHA-256("touchgate touch log\n" ‖ log id). A check is the first half of SHA-256(log id ‖ the fields before the check), for a trailer
// with the hash of the batch's last record at the end. The log id keeps bytes that came from outside from passing as a trailer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::log_format {

using LogId = std::array<std::uint8_t, 16>;
using Check = std::array<std::uint8_t, 16>;

inline constexpr std::string_view magic = "TOUCHLOG";
inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t hash_bytes = 32;
inline constexpr std::size_t header_bytes = 128;
inline constexpr std::size_t record_header_bytes = 36;
inline constexpr std::size_t record_overhead_bytes = record_header_bytes + hash_bytes;
inline constexpr std::size_t trailer_bytes = 40;
inline constexpr std::size_t footer_bytes = 104;

// Markers stand where a record's length would; no record is that long. On disk: "BAT\xFF" and "SEG\xFF".
inline constexpr std::uint32_t trailer_marker = 0xFF544142U;
inline constexpr std::uint32_t footer_marker = 0xFF474553U;
inline constexpr std::uint32_t record_bytes_max = 64U << 20U;
// Positions have 32 bits of offset.
inline constexpr std::uint64_t segment_bytes_max = 0xFFFFFFFFU;

// The only flag: the record is the first of its batch, so a trailer (or the segment's header) stands before it, not a record.
inline constexpr std::uint8_t flag_first_of_batch = 1;

// Where the hash before the segment's first record stands in the header.
inline constexpr std::size_t header_previous_hash_offset = 48;
inline constexpr std::size_t header_log_id_offset = 32;
// Distance from a first-of-batch record back to the hash that it follows.
inline constexpr std::size_t hash_before_batch = trailer_bytes + hash_bytes;

struct SegmentHeader {
    std::uint32_t segment = 0;
    std::uint64_t first_sequence = 0;
    LogId log_id{};
    crypto::Digest previous_hash{};
};

struct RecordHeader {
    std::uint32_t length = 0;  // whole record, header to hash
    std::uint64_t sequence = 0;
    std::int64_t time_ms = 0;
    std::uint16_t type = 0;
    std::uint8_t version = 0;
    std::uint8_t flags = 0;
    std::uint32_t contact = 0;
    std::uint64_t previous_of_contact = 0;

    [[nodiscard]] bool plausible() const { return length >= record_overhead_bytes && length <= record_bytes_max; }
};

struct Trailer {
    std::uint32_t length = 0;  // whole batch, first record to end of trailer
    std::uint32_t records = 0;
    std::uint64_t first_sequence = 0;

    [[nodiscard]] std::uint64_t sequence_after() const { return first_sequence + records; }
};

struct Footer {
    std::uint64_t records = 0;
    std::uint64_t last_sequence = 0;
    crypto::Digest last_hash{};
    crypto::Digest file_hash{};
};

[[nodiscard]] crypto::Digest genesis_hash(const LogId& id);
[[nodiscard]] LogId random_log_id();

[[nodiscard]] std::string encode_header(const SegmentHeader& header);
// Kind corrupt: these are no header's bytes; kind unsupported: an intact header of another format.
[[nodiscard]] Result<SegmentHeader> decode_header(std::string_view bytes);

// `to` has room for record_header_bytes.
void encode_record_header(char* to, const RecordHeader& header);
[[nodiscard]] RecordHeader decode_record_header(const char* from);
// The record as readers see it; `payload` points into `bytes`, which holds the whole record.
[[nodiscard]] Record to_record(const RecordHeader& header, const char* bytes, LogPosition position);

// `to` has room for trailer_bytes.
void encode_trailer(char* to, const Trailer& trailer, const LogId& id, const crypto::Digest& last_hash);
// The fields, unchecked but for marker and zero; `bytes` has trailer_bytes.
[[nodiscard]] std::optional<Trailer> decode_trailer(std::string_view bytes);
[[nodiscard]] bool trailer_check_fits(std::string_view bytes, const LogId& id, const crypto::Digest& last_hash);

[[nodiscard]] std::string encode_footer(const Footer& footer, const LogId& id);
[[nodiscard]] std::optional<Footer> decode_footer(std::string_view bytes);
[[nodiscard]] bool footer_check_fits(std::string_view bytes, const LogId& id);

[[nodiscard]] inline LogPosition position_of(std::uint32_t segment, std::uint64_t offset) {
    return {(static_cast<std::uint64_t>(segment) << 32U) | offset};
}
// "0000000001.log".
[[nodiscard]] std::string segment_name(std::uint32_t segment);
// Nothing when it is not the name of a segment.
[[nodiscard]] std::optional<std::uint32_t> parse_segment_name(std::string_view name);

[[nodiscard]] crypto::Digest digest_at(const char* from);
[[nodiscard]] std::uint32_t u32_at(const char* from);
[[nodiscard]] std::uint64_t u64_at(const char* from);

}  // namespace touchgate::log_format
