// The calls that the adapter makes, as signed HTTP requests: SendSms and PullSmsSendStatusByPhoneNumber.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "adapters/tencent_sms/settings.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::tencent_sms {

// All submissions have one template and equal parameters. Parameters go by position, their names are not sent.
[[nodiscard]] channel::HttpRequest send_request(const Settings& settings, std::span<const channel::Submission> submissions,
                                                const channel::RequestContext& context);
// The known ends of what was sent to this number since `from` (at most seven days ago).
[[nodiscard]] channel::HttpRequest pull_request(const Settings& settings, std::string_view to, Instant from, const channel::RequestContext& context);

// A request has one SessionContext for all its numbers: the attempt's id when it is alone, else "batch." and four characters of a hash
// for each attempt, or "batch" when there are too many to name.
[[nodiscard]] std::string session_context(std::span<const channel::Submission> submissions);
[[nodiscard]] bool context_names(std::string_view session_context, std::string_view attempt_id);

}  // namespace touchgate::adapters::tencent_sms
