// What an agent may ask over his socket, one reader for each type of request: the frame's fields → work in a turn of the engine → the reply.
// `resume` and `token.renew` are the session's own (agent_session.hpp).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/http/agent_desk.hpp"
#include "gateway/http/agent_protocol.hpp"
#include "gateway/http/phone_numbers.hpp"
#include "gateway/http/query_port.hpp"
#include "gateway/http/touch_intake.hpp"

namespace touchgate::http {

using DeskWork = std::function<AgentReply(AgentDesk&, const std::string& agent)>;
// Where the log tells of a contact: found in a turn, then read on a query thread.
struct TimelineWork { std::string contact; std::size_t limit = 50; std::string before; };
using AgentWork = std::variant<Error, DeskWork, TimelineWork>;

// The error's code is bad_request: fields are missing or wrong, or the type is not known. Own I/O thread (the intake is).
[[nodiscard]] AgentWork read_agent_work(const AgentRequest& request, TouchIntake& intake, const PhoneNumbers& phones);
[[nodiscard]] AgentReply timeline_reply(const Result<ItemPage>& page);

// All types of requests, in order; for the test of the protocol's description.
[[nodiscard]] std::vector<std::string_view> agent_request_types();

}  // namespace touchgate::http
