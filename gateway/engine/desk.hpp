// The agents' desktop, as the engine serves it: what an agent's connection may ask for, and what is pushed to it.
//
// Pushes are numbered for each agent, 1, 2, 3 …, by the fold of the log: over all his connections and over restarts no number ever stands for two
// pushes. The engine keeps the last ones (at least 10 minutes) and hands a connection those after the number that it names, in order, each once.
// Nothing is pushed before it is durable.
//
// Errors of the functions below are `Error` with `reference` = the protocol's code: stale_offer, not_yours, unknown_offer, unknown_interaction,
// wrong_state, bad_request, not_allowed, policy_denied, no_capacity, resume_too_old, not_configured.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/engine/requests.hpp"
#include "gateway/engine/views.hpp"

namespace touchgate {

class Engine;

// ---- what is pushed

struct SlotUse { std::string channel; int used = 0, capacity = 0; };

// What an agent sees of a customer: the screen pop. Addresses are masked.
struct ContactCard {
    struct LastTouch { Instant at{}; std::string id, channel, purpose, campaign, state; };
    struct LastInteraction { Uuid id{}; Instant at{}; std::string channel, state, disposition, agent; };
    struct Lead { std::string id, product, stage, grade; int score = 0; Instant due_at{}; };
    struct Consent { std::string channel, purpose; bool granted = false; Instant at{}; };
    struct Promise { std::string id, channel, note; Instant at{}; };
    std::string id, name, owner, unit, locale, time_zone;
    std::vector<std::string> addresses;    // "+86138****0000", "wecom:wm3f…"
    std::vector<std::string> tags;
    AttributeMap attributes;
    std::vector<Consent> consents;         // one for each channel and purpose
    std::vector<LastTouch> touches;        // newest first, at most 10
    std::vector<LastInteraction> interactions;  // newest first, at most 10
    std::vector<Lead> leads;               // open ones
    std::vector<Promise> promises;         // open ones
    std::string suggestion;                // key of the text that says what to do next: "keep_promise", "contact_lead", "answer_question", "greet" …
};

struct PresencePush { std::string agent, state, intent, reason; std::vector<SlotUse> slots; };
struct OfferPush {
    Uuid offer{}, interaction{};
    std::uint64_t fence = 0;
    std::string queue, channel, account, direction, campaign;
    ContactCard contact;
    std::string last_text;                 // of a conversation: what the customer wrote last
    std::string from, to;                  // of a call: masked
    AttributeMap variables = {};           // of the touch that it is to carry out
    Instant expires_at{};
    bool auto_answer = false, preview = false;
};
struct OfferRevokedPush { Uuid offer{}, interaction{}; std::string reason; };
struct ConnectedPush { Uuid interaction{}; std::string channel, contact_id, queue; };
struct MessagePush { Uuid interaction{}; InteractionMessage message; };
struct CallStatePush { Uuid interaction{}; std::string state, cause; };
struct WrapUpPush { Uuid interaction{}; std::optional<Instant> deadline; std::vector<std::string> codes; };
struct ClosedPush { Uuid interaction{}; std::string reason; };
struct LeadPush { std::string lead, contact; Instant due_at{}; };
struct PromisePush { std::string promise, contact, channel, note; Instant at{}; };
struct NoticePush { std::string kind; Uuid interaction{}; std::string text; };  // kind: "reply_due", "idle", "supervisor" …
// What holds now, in place of pushes that are not kept any more; numbered like any push.
struct SnapshotPush {
    PresencePush presence;
    std::vector<OfferPush> offers;
    std::vector<InteractionDetails> interactions;  // his, with messages
};
using PushBody = std::variant<PresencePush, OfferPush, OfferRevokedPush, ConnectedPush, MessagePush, CallStatePush, WrapUpPush, ClosedPush, LeadPush, PromisePush, NoticePush,
                              SnapshotPush>;
struct AgentPush { std::uint64_t seq = 0; Instant at{}; PushBody body; };

// One connection of an agent. Called on the engine's thread after the sync, never with a lock held; must return at once.
class AgentConnection {
public:
    virtual ~AgentConnection() = default;
    // False: it takes no more for now; it asks again with Desk::pull when it does.
    virtual bool push(std::vector<std::shared_ptr<const AgentPush>> pushes) = 0;
    virtual void end(std::string reason) = 0;  // the agent was removed or disabled
};

// ---- what is answered

struct Hello {
    std::string agent, name, role;
    Uuid session{};
    std::uint64_t last_seq = 0;
    Duration lease{15'000};
    std::vector<std::string> rights = {}, dial_purposes = {}, supervises = {};
};

struct AgentDetails {
    std::string id, document;              // as it was put, JSON
    std::string name, unit, state, intent, reason;
    bool healthy = true;
    Instant state_since{};
    std::vector<SlotUse> slots;
    std::vector<Uuid> interactions;
    std::size_t connections = 0;
    bool created = false;
};
struct QueueDetails {
    std::string id, document;
    std::uint64_t waiting = 0, offered = 0, answered = 0, abandoned = 0, rona = 0;
    std::uint32_t signed_in = 0, routable = 0;
    std::int64_t longest_wait_ms = 0;
    double service_level = 1;              // 0 … 1
    bool created = false;
};
struct Wallboard {
    std::vector<QueueDetails> queues;
    std::vector<std::pair<std::string, std::uint32_t>> agents;  // by displayed state
    std::uint64_t seq = 0;
};

struct PromiseInput { std::string contact, channel = "voice", note, agent; Instant at{}; };
struct PromiseDetails { std::string id, contact_id, channel, note, agent, state; Instant at{}; };

// A call that waits until an agent of its queue takes it up.
struct ParkedCall { Uuid interaction{}; std::string queue, by; ContactCard contact; Instant since{}, until{}; };

// What an agent does with a call that is his.
enum class CallControl : std::uint8_t { hold, resume, mute, unmute, hang_up, record_pause, record_resume, consult_complete, consult_cancel, consult_toggle, conference, park };
enum class Supervision : std::uint8_t { monitor, whisper, barge, coach_off };

// Inside a turn only. `agent` is the id that the connection signed in with.
class Desk {
public:
    explicit Desk(Engine& engine) : engine_{engine} {}

    // ---- connections. The first one signs the agent in. Nothing is pushed to it before `resume` or `snapshot`.
    Result<Hello> attach(const std::string& agent, std::shared_ptr<AgentConnection> connection);
    void detach(const std::string& agent, const std::shared_ptr<AgentConnection>& connection);  // his lease goes on
    void heard(const std::string& agent);                    // a frame or a pong: the lease begins anew
    Result<void> resume(const std::string& agent, const std::shared_ptr<AgentConnection>& connection, std::uint64_t after);
    Result<void> snapshot(const std::string& agent, const std::shared_ptr<AgentConnection>& connection);
    void pull(const std::string& agent, const std::shared_ptr<AgentConnection>& connection);    // it can take pushes again

    // ---- presence. `state`: ready, not_ready, after_current, offline.
    Result<PresencePush> set_presence(const std::string& agent, std::string_view state, const std::string& reason);
    Result<void> report_health(const std::string& agent, bool healthy, const std::string& reason);

    // ---- offers and conversations
    Result<InteractionDetails> accept(const std::string& agent, const Uuid& offer, std::optional<std::uint64_t> fence);
    Result<void> reject(const std::string& agent, const Uuid& offer, const std::string& reason);
    Result<TouchView> send(const std::string& agent, const Uuid& interaction, TouchRequest request);  // policy_denied: see the view's decision
    Result<InteractionDetails> wrap_up(const std::string& agent, const Uuid& interaction, const std::string& disposition, const std::string& note);
    Result<void> transfer(const std::string& agent, const Uuid& interaction, const std::string& to, const std::string& note, bool consult);  // "agent:ID", "queue:ID", "phone:ROUTE"
    Result<InteractionDetails> interaction(const std::string& agent, const Uuid& interaction);       // his, or a supervisor's
    Result<ContactCard> card(const std::string& agent, const std::string& contact);
    // The id of the contact whom WeCom calls so; of several accounts the first. Empty: there is none.
    [[nodiscard]] std::string contact_called(const std::string& external_userid);
    Result<void> do_not_contact(const std::string& agent, const std::string& contact, const std::vector<std::string>& channels);
    Result<PromiseDetails> create_promise(const std::string& agent, const PromiseInput& input);
    Result<void> promise_done(const std::string& agent, const std::string& promise);
    [[nodiscard]] std::vector<PromiseDetails> promises(const std::string& agent);

    // ---- calls
    struct Dial { std::optional<std::string> contact, number; std::string purpose, campaign, lead; };
    Result<InteractionDetails> dial(const std::string& agent, const Dial& dial);  // policy_denied with the reason in `detail`
    Result<void> control(const std::string& agent, const Uuid& interaction, CallControl control);
    Result<void> send_digits(const std::string& agent, const Uuid& interaction, const std::string& digits);
    Result<InteractionDetails> pick_up(const std::string& agent, const Uuid& interaction);  // a parked call of a queue of his
    [[nodiscard]] std::vector<ParkedCall> parked(const std::string& agent);                  // those that he may pick up
    // Login data of his softphone, from the configuration; not_configured: he has none.
    struct Softphone { std::string uri, websocket, password; std::vector<std::string> ice; };
    Result<Softphone> softphone(const std::string& agent);

    // ---- supervisors. not_allowed for others, and for what they do not supervise.
    Result<void> supervise(const std::string& supervisor, const Uuid& interaction, Supervision how);
    Result<void> force_presence(const std::string& supervisor, const std::string& agent, const std::string& state);
    Result<void> reassign(const std::string& supervisor, const Uuid& interaction, const std::string& to);
    Result<void> pull_interaction(const std::string& supervisor, const Uuid& interaction);  // takes it over himself

    // ---- for everybody
    Result<AgentDetails> put_agent(const std::string& id, const Json& document);
    Result<QueueDetails> put_queue(const std::string& id, const Json& document);
    [[nodiscard]] Result<AgentDetails> agent(const std::string& id);
    [[nodiscard]] Result<QueueDetails> queue(const std::string& id);
    [[nodiscard]] std::vector<AgentDetails> agents(std::size_t limit, const std::string& after);
    // As `agents`, each with the interactions of those whom he supervises, and of nobody else.
    [[nodiscard]] std::vector<AgentDetails> colleagues(const std::string& agent, std::size_t limit);
    [[nodiscard]] std::vector<QueueDetails> queues(std::size_t limit, const std::string& after);
    [[nodiscard]] Wallboard wallboard();
    // From the bot to people: to "agent:ID" or "queue:ID", or empty: its queue. `summary` is the note that goes with it.
    Result<InteractionDetails> hand_over(const Uuid& interaction, const std::string& to, const std::string& reason, const std::string& summary);
    Result<InteractionDetails> transfer_by_api(const Uuid& interaction, const std::string& to, const std::string& note);

private:
    Engine& engine_;
};

}  // namespace touchgate
