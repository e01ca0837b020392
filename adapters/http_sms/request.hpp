// Builds the configured request for one submission.
#pragma once

#include "adapters/http_sms/settings.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::http_sms {

[[nodiscard]] channel::HttpRequest build_request(const Settings& settings, const channel::Submission& submission,
                                                 const channel::RequestContext& context);

// "20260102110405": local time of the account's offset.
[[nodiscard]] std::string compact_time(Instant instant, Duration utc_offset);
// A number as the provider wrote it, in E.164 where it can be told, else unchanged.
[[nodiscard]] std::string e164_number(std::string_view as_received, std::string_view country_code);

}  // namespace touchgate::adapters::http_sms
