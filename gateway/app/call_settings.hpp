// How an account that is a telephone system treats calls, read from its configuration: "inbound", "recording", "ivr", "announcements",
// "phone_routes" and the times. What concerns the system itself (addresses, endpoints, forms of numbers) is read by the adapter.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/channel/submission.hpp"
#include "gateway/json/json.hpp"
#include "gateway/voice/rules.hpp"

namespace touchgate::app {

// All problems go to the reader's list. `default_region`: of numbers written without a country.
[[nodiscard]] std::shared_ptr<const voice::CallRules> read_call_rules(JsonReader& reader, const std::string& default_region);

// What is wrong with the content of a touch that is a call: {"voice": {"play": …} | {"ivr": name} | {"queue": id}}. Pointers are relative to the content.
// `can_play`: whether the telephone system can play a medium. Whether there is such a queue the engine knows.
[[nodiscard]] std::vector<Problem> voice_content_problems(const voice::CallRules& rules, const std::function<bool(const std::string&)>& can_play, const channel::Content& content);

}  // namespace touchgate::app
