// What an agent's requests ask of the engine (engine/desk.hpp), as an interface: tests put their own behind it.
#pragma once

#include <absl/functional/any_invocable.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/engine/desk.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/engine/lead_book.hpp"

namespace touchgate::http {

// Inside a turn. See Desk for what each does.
class AgentDesk {
public:
    virtual ~AgentDesk() = default;
    virtual void after_sync(Effect effect) = 0;

    virtual Result<Hello> attach(const std::string& agent, std::shared_ptr<AgentConnection> connection) = 0;
    virtual Result<void> resume(const std::string& agent, const std::shared_ptr<AgentConnection>& connection, std::uint64_t after) = 0;
    virtual Result<void> snapshot(const std::string& agent, const std::shared_ptr<AgentConnection>& connection) = 0;
    virtual void pull(const std::string& agent, const std::shared_ptr<AgentConnection>& connection) = 0;
    virtual void detach(const std::string& agent, const std::shared_ptr<AgentConnection>& connection) = 0;
    virtual void heard(const std::string& agent) = 0;

    virtual Result<PresencePush> set_presence(const std::string& agent, std::string_view state, const std::string& reason) = 0;
    virtual Result<void> report_health(const std::string& agent, bool healthy, const std::string& reason) = 0;
    virtual Result<InteractionDetails> accept(const std::string& agent, const Uuid& offer, std::optional<std::uint64_t> fence) = 0;
    virtual Result<void> reject(const std::string& agent, const Uuid& offer, const std::string& reason) = 0;
    virtual Result<TouchView> send(const std::string& agent, const Uuid& interaction, TouchRequest request) = 0;
    virtual Result<InteractionDetails> wrap_up(const std::string& agent, const Uuid& interaction, const std::string& disposition, const std::string& note) = 0;
    virtual Result<void> transfer(const std::string& agent, const Uuid& interaction, const std::string& to, const std::string& note, bool consult) = 0;
    virtual Result<InteractionDetails> interaction(const std::string& agent, const Uuid& interaction) = 0;
    virtual Result<ContactCard> card(const std::string& agent, const std::string& contact) = 0;
    virtual std::string contact_called(const std::string& external_userid) = 0;
    // Where the log tells of the contact; only whom the agent may see.
    struct TimelineStart { ContactIndex contact{}; LogPosition newest{}; };
    virtual Result<TimelineStart> timeline(const std::string& agent, const std::string& contact) = 0;
    virtual Result<void> do_not_contact(const std::string& agent, const std::string& contact, const std::vector<std::string>& channels) = 0;
    virtual Result<PromiseDetails> create_promise(const std::string& agent, const PromiseInput& input) = 0;
    virtual Result<void> promise_done(const std::string& agent, const std::string& promise) = 0;
    virtual std::vector<PromiseDetails> promises(const std::string& agent) = 0;
    // Names of templates with a wording for the channel (empty: all).
    virtual std::vector<std::shared_ptr<const content::Template>> templates() = 0;

    // His own ones.
    virtual std::vector<LeadDetails> leads(const std::string& agent, const std::string& stage) = 0;
    virtual Result<LeadDetails> lead(const std::string& agent, const Uuid& id) = 0;
    virtual Result<LeadDetails> act_on_lead(const std::string& agent, const Uuid& id, LeadAct act) = 0;

    virtual Result<InteractionDetails> dial(const std::string& agent, const Desk::Dial& dial) = 0;
    virtual Result<void> control(const std::string& agent, const Uuid& interaction, CallControl control) = 0;
    virtual Result<void> send_digits(const std::string& agent, const Uuid& interaction, const std::string& digits) = 0;
    virtual Result<InteractionDetails> pick_up(const std::string& agent, const Uuid& interaction) = 0;
    virtual std::vector<ParkedCall> parked(const std::string& agent) = 0;
    virtual Result<Desk::Softphone> softphone(const std::string& agent) = 0;

    virtual Result<void> supervise(const std::string& supervisor, const Uuid& interaction, Supervision how) = 0;
    virtual Result<void> force_presence(const std::string& supervisor, const std::string& agent, const std::string& state) = 0;
    virtual Result<void> reassign(const std::string& supervisor, const Uuid& interaction, const std::string& to) = 0;
    virtual Result<void> pull_interaction(const std::string& supervisor, const Uuid& interaction) = 0;

    virtual Result<AgentDetails> agent(const std::string& id) = 0;
    virtual std::vector<AgentDetails> colleagues(const std::string& agent, std::size_t limit) = 0;
    virtual std::vector<QueueDetails> queues(std::size_t limit, const std::string& after) = 0;
    virtual Wallboard wallboard() = 0;
};

// Brings work into a turn.
class DeskRunner {
public:
    virtual ~DeskRunner() = default;
    // False: the engine takes no more for now, and `work` was dropped. Any thread.
    virtual bool in_turn(absl::AnyInvocable<void(AgentDesk&)> work) = 0;
};

[[nodiscard]] std::unique_ptr<DeskRunner> desk_of(Engine& engine);  // the engine must outlive it

}  // namespace touchgate::http
