// The calls that the adapter makes, as signed HTTP requests: SendSms, SendBatchSms, QuerySendDetails.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "adapters/aliyun_sms/settings.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::aliyun_sms {

// One number: SendSms, all parameters in the query. Several: SendBatchSms, arrays in a form.
[[nodiscard]] channel::HttpRequest send_request(const Settings& settings, std::span<const channel::Submission> submissions,
                                                const channel::RequestContext& context);
// What was sent to this number on the day (in UTC+8) of `day`: the newest 50.
[[nodiscard]] channel::HttpRequest query_request(const Settings& settings, std::string_view to, Instant day, const channel::RequestContext& context);

// The provider writes mainland numbers without +86; others are digits with their country code.
[[nodiscard]] std::string provider_number(std::string_view e164);
// A number as the provider wrote it, in E.164 where it can be told, else unchanged.
[[nodiscard]] std::string e164_number(std::string_view as_received);

// A batch has one OutId for all its numbers. Ours names every attempt in it by the first 24 bits of a hash, so that a later question
// about one attempt can tell whether this batch carried it: "batch." and four characters for each.
[[nodiscard]] std::string batch_out_id(std::span<const channel::Submission> submissions);
[[nodiscard]] bool out_id_names(std::string_view out_id, std::string_view attempt_id);
[[nodiscard]] bool is_batch_out_id(std::string_view out_id);

}  // namespace touchgate::adapters::aliyun_sms
