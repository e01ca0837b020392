// Bodies of requests about leads → the engine's inputs, and leads → JSON.
#pragma once

#include <string>

#include "gateway/crypto/crypto.hpp"
#include "gateway/engine/lead_book.hpp"
#include "gateway/http/input_readers.hpp"

namespace touchgate::http {

// {"key", "contact", "source", "product", "unit", "attributes", "name", "callback", "at"}; `hash_key` keys the hash by which bodies of equal keys are compared.
[[nodiscard]] LeadInput read_lead(JsonReader& body, const PhoneNumbers& phones, const crypto::Key& hash_key);

// What somebody reports of a lead: {"result", "reason", "value", "currency", "at", "agent", "note"}.
[[nodiscard]] LeadAct read_lead_result(JsonReader& body);

// The members of a body that only says that a step was taken: {"agent", "note", "at"} and, where the step has them, "reason" (required) or "value" and "currency".
[[nodiscard]] LeadAct read_lead_step(JsonReader& body, leads::Stage to);

// The lead as answers show it; `in_full` with its score's parts, touchpoints, attributes and how its owner was chosen.
void append_lead(std::string& out, const LeadDetails& lead, bool in_full);

// "199.00" and the like of a number or a text; nothing: it is no amount. `units`: in the currency's smallest unit.
[[nodiscard]] std::optional<std::int64_t> read_amount(std::string_view text, std::string_view currency);

}  // namespace touchgate::http
