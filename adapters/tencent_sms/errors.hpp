// From the provider's answers to outcomes. Source of the codes: the official Go SDK, sms/v20210111/errors.go.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::tencent_sms {

// When the limit named by a code is over.
enum class Reset { none, half_minute, hour, day, next_day, next_opening, from_text };

struct CodeMeaning {
    std::string_view code;  // with a "*" at its end: all codes that start so
    channel::OutcomeKind kind;
    std::string_view scope;  // throttled, quota_exhausted
    std::string_view field;  // content_rejected
    Reset reset;
    std::string_view detail;  // for people
};

// Exact codes first, then groups; the first that fits decides.
[[nodiscard]] std::span<const CodeMeaning> known_codes();

// One outcome per submission; total. A status of its own for each number, or one error for the whole request. A number whose status is
// missing is `unknown`, as is everything in an answer that is unreadable or comes with a 5xx.
[[nodiscard]] std::vector<channel::Outcome> read_answer(std::span<const channel::Submission> submissions, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::tencent_sms
