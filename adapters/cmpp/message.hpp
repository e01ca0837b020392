// From a submission to the SUBMITs that carry it; from DELIVERs to receipts and text. Pure and total.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adapters/cmpp/pdu.hpp"
#include "adapters/cmpp/settings.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/submission.hpp"
#include "gateway/content/long_message.hpp"

namespace touchgate::adapters::cmpp {

// The parts in order, or why nothing can be sent. `now` turns valid_for into the time of day that ValId_Time wants.
[[nodiscard]] std::variant<std::vector<Submit>, channel::Outcome> encode_submission(const channel::Submission& submission, const Settings& settings,
                                                                                    content::ReferenceNumbers& references, Instant now);
// SUBMITs that a text takes.
[[nodiscard]] int segments_of(std::string_view text, const Settings& settings);

// "YYMMDDhhmmss032+": a local time in China, 32 quarter hours ahead of UTC.
[[nodiscard]] std::string absolute_time(Instant instant);

// What a result other than 0 means.
[[nodiscard]] channel::Outcome classify_result(std::uint32_t result, const Settings& settings);

// `report` is the content of a DELIVER with registered_delivery 1.
[[nodiscard]] channel::Receipt read_receipt(const Report& report, const Settings& settings);
[[nodiscard]] channel::ReceiptStatus receipt_status(std::string_view stat, const Settings& settings);
// YYMMDDHHMM, local time in China.
[[nodiscard]] std::optional<Instant> parse_report_time(std::string_view digits);

[[nodiscard]] std::string decode_text(std::string_view bytes, std::uint8_t format, const Settings& settings);
// A Chinese mobile number with or without 86 becomes E.164; anything else stays as received.
[[nodiscard]] std::string phone_text(std::string_view number);

}  // namespace touchgate::adapters::cmpp
