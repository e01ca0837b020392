// From a submission to the short messages that carry it, and from a short message of a customer back to text.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "adapters/smpp/pdu.hpp"
#include "adapters/smpp/settings.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/submission.hpp"
#include "gateway/content/long_message.hpp"

namespace touchgate::adapters::smpp {

// The parts in order, or why nothing can be sent (no address, no text, too many parts).
[[nodiscard]] std::variant<std::vector<ShortMessage>, channel::Outcome> encode_submission(const channel::Submission& submission,
                                                                                          const Settings& settings,
                                                                                          content::ReferenceNumbers& references);

// "000000020000000R" is two hours (7.1.1). Whole seconds, rounded down but at least one; cut at 31 days.
[[nodiscard]] std::string relative_time(Duration duration);

// Text of a data_coding (5.2.19); 0 means the account's default alphabet. What has no table here is read as Latin-1.
[[nodiscard]] std::string decode_text(std::string_view bytes, std::uint8_t data_coding, content::Alphabet default_alphabet);

// The message's bytes without user-data header, and where they belong: from the header or, failing that, from the SAR parameters, which
// count only when all three are there (5.3.2.22 to .24).
struct ReceivedBytes {
    std::optional<content::PartPlace> place;
    bool wide = false;  // the reference has 16 bits, as that of SAR parameters
    std::string_view text;
};
[[nodiscard]] ReceivedBytes received_bytes(const ShortMessage& message);

// What a refusal of a submit means; `status` is not zero. Classification by the account's outcome_map, then by the table in README.md.
[[nodiscard]] channel::Outcome classify_refusal(std::uint32_t status, const Settings& settings);

}  // namespace touchgate::adapters::smpp
