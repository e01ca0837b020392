// What an attempt costs, exactly: prices are decimals kept as millionths of a currency unit, never floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/time.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::content {

// Millionths of a currency unit: "0.045" is 45,000.
struct Money {
    std::int64_t micros = 0;
    auto operator<=>(const Money&) const = default;
};

// A non-negative decimal with at most 6 decimals and at most 9 digits before the point: "0.045", "3", "12.50". Nothing otherwise.
[[nodiscard]] std::optional<Money> parse_money(std::string_view text);
// The shortest exact decimal: "0.045", "3", "-0.1".
[[nodiscard]] std::string format_money(Money money);

enum class Counting : std::uint8_t {
    cn70,  // up to 70 characters one segment, above that 67 each, whatever the script; a character above U+FFFF counts as two
    gsm7,  // GSM 03.38 or UCS-2 as it is sent, with an 8-bit reference
};
// Segments that a carrier bills for the text, its signature included. At least 1.
[[nodiscard]] int billed_segments(std::string_view text, Counting counting);

enum class BillingUnit : std::uint8_t { segment, message, minute, six_seconds };
enum class BillingMoment : std::uint8_t { submit, delivered };

// An account's `billing` object.
struct Billing {
    std::string currency = "CNY";
    Money price = {};
    BillingUnit per = BillingUnit::segment;
    Counting counting = Counting::cn70;
    BillingMoment on = BillingMoment::submit;

    // Of one text message. Zero when the account bills by time.
    [[nodiscard]] Money message_cost(int segments) const;
    // Of a call: started minutes or six-second steps of the billed talk time. Zero when the account bills by message.
    [[nodiscard]] Money call_cost(Duration talk) const;
};

// Reads {"currency","price","per","counting","on"}; problems go to the reader.
[[nodiscard]] Billing read_billing(JsonReader reader);

}  // namespace touchgate::content
