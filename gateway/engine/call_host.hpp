// The engine as the keeper of one call: facts go to the log, commands to the telephone system after the sync, the rest to the routing core and
// to the touch that permitted the call.
#pragma once

#include "gateway/engine/internals.hpp"
#include "gateway/voice/machine.hpp"

namespace touchgate {

// What a telephone system calls a leg, a play or a recording is its own: names of two systems may be equal.
[[nodiscard]] inline std::string call_key(std::string_view account, std::string_view name) { return std::string{account}.append("\n").append(name); }

class EngineCallHost final : public voice::CallHost {
public:
    EngineCallHost(Engine::Internals& in, voice::Call& call) : in_{in}, call_{call}, id_{call.id} {}

    void note(const voice::Fact& fact) override { in_.note_call_fact(fact); }
    channel::CommandId command(channel::CallCommand command) override;
    [[nodiscard]] std::string new_name() override;
    [[nodiscard]] std::string queue_name() const override;
    [[nodiscard]] bool is_recorded() const override;
    [[nodiscard]] std::string extension_of(const std::string& agent) const override { return in_.extension_of(agent); }
    [[nodiscard]] Wait wait() const override;
    [[nodiscard]] bool holds(const voice::MenuCondition& condition) const override;

    bool enqueue(const std::string& queue, int priority, const std::vector<std::string>& needs) override;
    void agent_unanswered(const std::string& reason, bool his_fault) override;
    bool agent_dropped(const std::string& reason) override;
    void nobody_in_time() override;
    void phase(voice::AgentPhase phase) override;
    void agent_is_up() override { in_.ask_permit(id_); }
    std::string customer_answered(channel::AnsweredBy by) override;
    void content_played() override;
    void handed_on(const std::string& to_agent) override;
    void wants_promise() override;
    void cut_off() override;
    void transfer_asked(const std::string& to) override;
    void consult_over() override;
    void park_over() override { in_.park_over(id_); }
    void unwritten() override { in_.call_unwritten(id_); }
    void over(const voice::CallEnded& ended) override { in_.call_over(ended); }

private:
    [[nodiscard]] Interaction* row() const;
    Engine::Internals& in_;
    voice::Call& call_;
    Uuid id_;
};

}  // namespace touchgate
