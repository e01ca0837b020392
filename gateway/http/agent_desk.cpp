#include "gateway/http/agent_desk.hpp"

#include "gateway/engine/templates_in_force.hpp"
#include "gateway/http/agent_protocol.hpp"

namespace touchgate::http {

namespace {

class EngineDesk final : public AgentDesk {
public:
    explicit EngineDesk(Engine& engine) : engine_{engine}, desk_{engine} {}
    void after_sync(Effect effect) override { engine_.after_sync(std::move(effect)); }

    using Connection = std::shared_ptr<AgentConnection>;
    Result<Hello> attach(const std::string& agent, Connection connection) override { return desk_.attach(agent, std::move(connection)); }
    Result<void> resume(const std::string& agent, const Connection& connection, std::uint64_t after) override { return desk_.resume(agent, connection, after); }
    Result<void> snapshot(const std::string& agent, const Connection& connection) override { return desk_.snapshot(agent, connection); }
    void pull(const std::string& agent, const Connection& connection) override { desk_.pull(agent, connection); }
    void detach(const std::string& agent, const Connection& connection) override { desk_.detach(agent, connection); }
    void heard(const std::string& agent) override { desk_.heard(agent); }

    Result<PresencePush> set_presence(const std::string& agent, std::string_view state, const std::string& reason) override { return desk_.set_presence(agent, state, reason); }
    Result<void> report_health(const std::string& agent, bool healthy, const std::string& reason) override { return desk_.report_health(agent, healthy, reason); }
    Result<InteractionDetails> accept(const std::string& agent, const Uuid& offer, std::optional<std::uint64_t> fence) override { return desk_.accept(agent, offer, fence); }
    Result<void> reject(const std::string& agent, const Uuid& offer, const std::string& reason) override { return desk_.reject(agent, offer, reason); }
    Result<TouchView> send(const std::string& agent, const Uuid& id, TouchRequest request) override { return desk_.send(agent, id, std::move(request)); }
    Result<InteractionDetails> wrap_up(const std::string& agent, const Uuid& id, const std::string& disposition, const std::string& note) override {
        return desk_.wrap_up(agent, id, disposition, note);
    }
    Result<void> transfer(const std::string& agent, const Uuid& id, const std::string& to, const std::string& note, bool consult) override {
        return desk_.transfer(agent, id, to, note, consult);
    }
    Result<InteractionDetails> interaction(const std::string& agent, const Uuid& id) override { return desk_.interaction(agent, id); }
    Result<ContactCard> card(const std::string& agent, const std::string& contact) override { return desk_.card(agent, contact); }
    std::string contact_called(const std::string& external_userid) override { return desk_.contact_called(external_userid); }
    Result<TimelineStart> timeline(const std::string& agent, const std::string& contact) override {
        // Whose card he may see, of him he may also see the history.
        if (const auto card = desk_.card(agent, contact); !card) return card.error();
        const auto found = engine_.find_contact(contact);
        if (!found) return found.error();
        return TimelineStart{.contact = found->index, .newest = found->newest};
    }
    Result<void> do_not_contact(const std::string& agent, const std::string& contact, const std::vector<std::string>& channels) override {
        return desk_.do_not_contact(agent, contact, channels);
    }
    Result<PromiseDetails> create_promise(const std::string& agent, const PromiseInput& input) override { return desk_.create_promise(agent, input); }
    Result<void> promise_done(const std::string& agent, const std::string& promise) override { return desk_.promise_done(agent, promise); }
    std::vector<PromiseDetails> promises(const std::string& agent) override { return desk_.promises(agent); }
    std::vector<std::shared_ptr<const content::Template>> templates() override {
        const auto store = templates_in_force(engine_);
        std::vector<std::shared_ptr<const content::Template>> all;
        for (const auto& name : store->names()) all.push_back(store->find(name));
        return all;
    }

    std::vector<LeadDetails> leads(const std::string& agent, const std::string& stage) override {
        constexpr std::size_t leads_max = 500;
        return LeadBook{engine_}.list({.stage = stage, .owner = agent, .limit = leads_max});
    }
    Result<LeadDetails> lead(const std::string& agent, const Uuid& id) override {
        auto found = LeadBook{engine_}.find(id);
        if (!found) return agent_error("bad_request", "there is no lead with this id");
        if (found->owner != agent) return agent_error("not_yours", "the lead is not yours");
        return found;
    }
    Result<LeadDetails> act_on_lead(const std::string& agent, const Uuid& id, LeadAct act) override {
        if (auto owned = lead(agent, id); !owned) return owned;
        act.agent = agent;
        act.via = "desk";
        return LeadBook{engine_}.act(id, act);
    }

    Result<InteractionDetails> dial(const std::string& agent, const Desk::Dial& dial) override { return desk_.dial(agent, dial); }
    Result<void> control(const std::string& agent, const Uuid& id, CallControl control) override { return desk_.control(agent, id, control); }
    Result<void> send_digits(const std::string& agent, const Uuid& id, const std::string& digits) override { return desk_.send_digits(agent, id, digits); }
    Result<InteractionDetails> pick_up(const std::string& agent, const Uuid& id) override { return desk_.pick_up(agent, id); }
    std::vector<ParkedCall> parked(const std::string& agent) override { return desk_.parked(agent); }
    Result<Desk::Softphone> softphone(const std::string& agent) override { return desk_.softphone(agent); }

    Result<void> supervise(const std::string& supervisor, const Uuid& id, Supervision how) override { return desk_.supervise(supervisor, id, how); }
    Result<void> force_presence(const std::string& supervisor, const std::string& agent, const std::string& state) override {
        return desk_.force_presence(supervisor, agent, state);
    }
    Result<void> reassign(const std::string& supervisor, const Uuid& id, const std::string& to) override { return desk_.reassign(supervisor, id, to); }
    Result<void> pull_interaction(const std::string& supervisor, const Uuid& id) override { return desk_.pull_interaction(supervisor, id); }

    Result<AgentDetails> agent(const std::string& id) override { return desk_.agent(id); }
    std::vector<AgentDetails> colleagues(const std::string& agent, std::size_t limit) override { return desk_.colleagues(agent, limit); }
    std::vector<QueueDetails> queues(std::size_t limit, const std::string& after) override { return desk_.queues(limit, after); }
    Wallboard wallboard() override { return desk_.wallboard(); }

private:
    Engine& engine_;
    Desk desk_;
};

class EngineRunner final : public DeskRunner {
public:
    explicit EngineRunner(Engine& engine) : engine_{engine} {}
    bool in_turn(absl::AnyInvocable<void(AgentDesk&)> work) override {
        // What agents ask does not count against the intake's limit, which touches fill: each connection has its own (agent_session.cpp).
        constexpr std::size_t weight = 0;
        return engine_.post(
            [work = std::move(work)](Engine& engine) mutable {
                EngineDesk desk{engine};
                work(desk);
            },
            weight);
    }

private:
    Engine& engine_;
};

}  // namespace

std::unique_ptr<DeskRunner> desk_of(Engine& engine) { return std::make_unique<EngineRunner>(engine); }

}  // namespace touchgate::http
