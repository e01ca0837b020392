// The sender's signature 【品牌】 that Chinese carriers ask for at the start (or end) of a text, and the two ways in which it gets there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace touchgate::content {

enum class SignatureMode : std::uint8_t {
    in_text,      // the gateway sends it as part of the text
    by_provider,  // the carrier or cloud puts it there; the gateway must not send it as well
};

// The signature that the text carries, without its brackets; empty when it starts and ends with none.
[[nodiscard]] std::string_view signature_of(std::string_view text);

// What the customer will read, and what content rules, length and cost are judged on: the text, with 【sign_name】 in front unless it
// carries a signature already or there is no sign_name.
[[nodiscard]] std::string with_signature(std::string_view text, std::string_view sign_name);

// What goes over the wire: the text as read, or without the account's own signature when the provider adds it.
[[nodiscard]] std::string text_to_send(std::string_view text, std::string_view sign_name, SignatureMode mode);

}  // namespace touchgate::content
