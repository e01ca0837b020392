// Conversations and calls → the JSON of the API and of the agents' socket; and an answer in one, read from its JSON.
#pragma once

#include <string>

#include "gateway/engine/views.hpp"
#include "gateway/http/touch_intake.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::http {

void append_content(std::string& out, const InteractionMessage& message);
void append_message(std::string& out, const InteractionMessage& message);
// `addresses`: telephone numbers in full; else masked.
void append_interaction(std::string& out, const InteractionDetails& interaction, bool with_messages, bool addresses = false);

// An answer is a touch; only whom and over which account it reaches is the interaction's. Members of `body`: key, content, template, variables,
// purpose (else "service"); others are passed over.
[[nodiscard]] ParsedTouch read_answer(const Json& body, TouchIntake& intake);

}  // namespace touchgate::http
