// What agents do with calls.

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

Error no_call(const Uuid& interaction) {
    return {.kind = ErrorKind::conflict, .detail = "interaction " + to_string(interaction) + " is no call", .problems = {}, .retry_after_s = 0, .reference = "wrong_state"};
}

}  // namespace

void Engine::Internals::offer_accepted(Interaction&) {}

Result<void> Engine::Internals::transfer_call(Interaction& interaction, const std::string&, const std::string&, const std::string&, bool) { return no_call(interaction.id); }

Result<InteractionDetails> Desk::dial(const std::string&, const Dial&) {
    return Error{.kind = ErrorKind::conflict, .detail = "no account of the configuration is a telephone system", .problems = {}, .retry_after_s = 0, .reference = "not_configured"};
}
Result<void> Desk::control(const std::string&, const Uuid& interaction, CallControl) { return no_call(interaction); }
Result<void> Desk::send_digits(const std::string&, const Uuid& interaction, const std::string&) { return no_call(interaction); }
Result<void> Desk::supervise(const std::string&, const Uuid& interaction, Supervision) { return no_call(interaction); }
Result<Desk::Softphone> Desk::softphone(const std::string& agent) {
    return Error{.kind = ErrorKind::not_found, .detail = "no softphone is configured for " + agent, .problems = {}, .retry_after_s = 0, .reference = "not_configured"};
}

}  // namespace touchgate
