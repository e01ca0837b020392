// From the provider's answers to outcomes. Source of the codes: provider help pages 101346, 101347 and 278548.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::aliyun_sms {

struct CodeMeaning {
    std::string_view code;
    channel::OutcomeKind kind;
    std::string_view scope;   // throttled, quota_exhausted
    std::string_view field;   // content_rejected
    std::string_view detail;  // for people
};

// The codes that are known by name. Everything else falls under the rules of `read_answer`.
[[nodiscard]] std::span<const CodeMeaning> known_codes();

// What a SendSms or SendBatchSms answer says of every submission in it; total. For `accepted`, `ids` holds the BizId, if there is one.
//   OK in a 2xx                           accepted
//   a known code, in any status below 500 as in the table
//   Throttling, Throttling.*, HTTP 429    throttled (account)
//   5xx, isp.*, unreadable                unknown: the message may have left
//   another isv.*, another code in a 4xx  refused
//   anything else                         unknown
[[nodiscard]] channel::Outcome read_answer(const channel::HttpResponse& response);

}  // namespace touchgate::adapters::aliyun_sms
