// Delivery receipts: the text form that every message centre writes a little differently (appendix B) and the optional parameters that
// replace it (5.3.2.12, .35), read into a channel::Receipt. Pure and total.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/smpp/pdu.hpp"
#include "gateway/base/time.hpp"
#include "gateway/channel/outcome.hpp"

namespace date {
class time_zone;
}

namespace touchgate::adapters::smpp {

// How ids in receipts relate to those in submit_sm_resp. The conversion is what is done to the receipt's id.
enum class ReceiptIds : std::uint8_t {
    automatic,   // every reading: as it is, and converted both ways
    same,        // only case and leading zeros may differ
    hex_to_dec,  // the receipt shows hexadecimal, the submit showed decimal
    dec_to_hex,  // the receipt shows decimal, the submit showed hexadecimal
};

// The zone of the dates in receipts, which carry none: a fixed offset or an IANA zone.
using ReceiptZone = std::variant<std::chrono::minutes, const date::time_zone*>;
// "UTC", "Z", "+08:00", "Asia/Shanghai"; nothing when it is none of these or unknown to the system.
[[nodiscard]] std::optional<ReceiptZone> parse_receipt_zone(std::string_view text);

struct ReceiptRules {
    ReceiptIds ids = ReceiptIds::automatic;
    ReceiptZone zone = std::chrono::minutes{0};
    // An account's stat_map: the provider's word (or a beginning of it with '*' at the end) → what it means. The first match decides.
    std::vector<std::pair<std::string, channel::ReceiptStatus>> stat_map = {};
    bool guess = false;  // take a text that looks like a receipt for one, whatever esm_class says
};

// The fields of the text form, as written. Labels may come in any order and case, and any may be missing.
struct ReceiptText {
    std::string id, submitted, done, stat, error, text;
};
[[nodiscard]] ReceiptText parse_receipt_text(std::string_view text);

// 10 digits YYMMDDhhmm, 12 YYMMDDhhmmss or 14 YYYYMMDDhhmmss. A time that a zone skips is taken as the instant after the gap.
[[nodiscard]] std::optional<Instant> parse_receipt_date(std::string_view digits, const ReceiptZone& zone);

// All forms in which a submit may have shown the id: as received first, then lower and upper case, without leading zeros, padded to the
// usual widths (10 decimal digits, 8 hexadecimal), and converted as `ids` says. Each once.
[[nodiscard]] std::vector<std::string> receipt_id_forms(std::string_view id, ReceiptIds ids);

// What a status word means. Words outside the table are definite failures, an empty word says nothing.
[[nodiscard]] channel::ReceiptStatus receipt_status(std::string_view word, const ReceiptRules& rules);

// Is this deliver_sm or data_sm a receipt (or an intermediate notification), not a message from a customer?
[[nodiscard]] bool is_receipt(const ShortMessage& message, const ReceiptRules& rules);
// `text` is the message's decoded text.
[[nodiscard]] channel::Receipt read_receipt(const ShortMessage& message, std::string_view text, const ReceiptRules& rules);

// "+8613800000000" for an international number, else the address as received.
[[nodiscard]] std::string address_text(const Address& address);

}  // namespace touchgate::adapters::smpp
