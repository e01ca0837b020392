// From WeCom's error codes to outcomes, one table for all its adapters. Source of the codes: the global error page, developer centre 90313.
#pragma once

#include <span>
#include <string_view>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_common {

// Whom the request was for: the same code may speak of the receiver or of the employee who sends.
enum class Addressee { nobody, customer, member, group };

// A recipient's kind of outcome has the party that the code speaks of in the place of its scope: "customer", "member", "group".
[[nodiscard]] std::span<const wechat::CodeMeaning> known_codes();

// Total. A code about another party than the addressee is `refused`: nobody's address is bad because the sender's is. An unreadable answer is
// `unknown`, or `throttled` with status 429.
[[nodiscard]] channel::Outcome outcome_of(const Answer& answer, Addressee addressee);

}  // namespace touchgate::adapters::wecom_common
