// What customers do, and what became of messages, as an official account or a mini program tells it.
#pragma once

#include "adapters/wechat/callback.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::wechat {

// A message becomes an InboundMessage, the end of a sent one a Receipt, any other event a ProviderEvent; what is not understood one of kind
// "unknown". Total.
//
// | event | kind | opens | reach |
// | subscribe | follow | follow | reachable |
// | unsubscribe | unfollow | | refuses |
// | SCAN | scan | scan | |
// | CLICK, scancode_push, scancode_waitmsg | their own words in lower case, as of all others | menu | |
// | user_enter_tempsession | | enter | |
// | subscribe_msg_popup_event | subscription_accepted, subscription_rejected, or subscription_changed where several templates differ | | |
// | subscribe_msg_change_event | the same | | reachable; refuses where one was switched off |
[[nodiscard]] channel::WebhookEvents read_official_callback(const Callback& callback);

// "failed: System  Failed" → "failed:systemfailed": copies of the documents differ in blanks and case.
[[nodiscard]] std::string bare_status(std::string_view status);

}  // namespace touchgate::adapters::wechat
