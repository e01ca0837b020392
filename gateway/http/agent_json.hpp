// What agents' desktops and the call center's resources show → JSON (docs/asyncapi.yaml, docs/openapi.yaml).
#pragma once

#include <string>
#include <vector>

#include "gateway/engine/desk.hpp"
#include "gateway/http/json_text.hpp"

namespace touchgate::http {

// One numbered push as it goes over the wire.
[[nodiscard]] std::string render_push(const AgentPush& push);
// The first frame of a connection; without a number.
[[nodiscard]] std::string render_hello(const Hello& hello, Instant token_expires_at);
[[nodiscard]] std::string render_token_notice(Instant expires_at);
[[nodiscard]] std::string render_wallboard_push(std::string_view wallboard_json);

void append_presence_members(JsonObject& json, std::string& out, const PresencePush& presence);
void append_card(std::string& out, const ContactCard& card);
void append_promise(std::string& out, const PromiseDetails& promise);

// The document as it was put, with its id, and what holds now.
void append_agent(std::string& out, const AgentDetails& agent);
void append_queue(std::string& out, const QueueDetails& queue);
// What colleagues see of each other: id, name, unit, state, since when.
void append_colleague(std::string& out, const AgentDetails& agent);
void append_parked(std::string& out, const ParkedCall& parked);

[[nodiscard]] std::string render_wallboard(const Wallboard& wallboard);

}  // namespace touchgate::http
