// What the engine asks of the network, and what the network tells the engine. Implemented by gateway/net (real sockets) and by the
// simulation (peers joined in memory).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "gateway/channel/adapter.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/submission.hpp"

namespace touchgate {

// Number of an account in the configuration's order, from 0.
using AccountNumber = std::uint32_t;

// A permitted attempt on its way out. The permit is durable when the transport sees it.
struct AttemptOrder {
    AccountNumber account = 0;
    channel::Submission submission;
};

// A question about an attempt whose outcome is unknown (only to accounts whose adapter can be asked).
struct ReconcileOrder {
    AccountNumber account = 0;
    channel::Submission submission;
    Instant permitted_at{};
};

// A question or an order about a task that waits for an employee. `ref` names it within this run of the program.
struct TaskOrder {
    AccountNumber account = 0;
    std::uint64_t ref = 0;
    channel::TaskAct act = channel::TaskAct::poll;
    channel::Task task;
};

// Something that an operator asks of an account, see channel::Operation. `ref` names it within this run of the program.
struct OperationOrder {
    AccountNumber account = 0;
    std::uint64_t ref = 0;
    std::string name;
    std::string body_json;
};

// A command to a telephone system. `id` names it within this run of the program; its failure is told by CallReported.
struct CallOrder {
    AccountNumber account = 0;
    channel::CommandId id = 0;
    channel::CallCommand command;
};

// From where a list is pulled on, see channel::Pull.
struct PullStart {
    AccountNumber account = 0;
    std::string name;
    std::string cursor;
};

// Names an inbound item that waits for its acknowledgement: connection and token, opaque to the engine. 0 needs none.
struct AckTicket {
    std::uint64_t connection = 0;
    std::uint64_t token = 0;
};

struct AccountUp { AccountNumber account = 0; std::string warning = {}; };  // a warning is for the operator's log
struct AccountDown { AccountNumber account = 0; std::string reason; bool credentials = false; };
struct AttemptAnswered { channel::AttemptRef ref = 0; channel::Outcome outcome; };
// The permit ended unwritten: its deadline had passed, or it was revoked in time. Nothing of the attempt left.
struct AttemptUnwritten { channel::AttemptRef ref = 0; bool revoked = false; };
// In answer to a revocation: too late, the first byte is gone; an AttemptAnswered will follow (or has been sent before).
struct AttemptWritten { channel::AttemptRef ref = 0; };
struct ReceiptReported { AccountNumber account = 0; channel::Receipt receipt; AckTicket ack; };
struct MessageReported { AccountNumber account = 0; channel::InboundMessage message; AckTicket ack; };
struct Reconciled { channel::AttemptRef ref = 0; channel::ReconcileAnswer answer; };
// What was learned of a task, over all the requests that it took.
struct TaskAnswered { std::uint64_t ref = 0; channel::TaskAct act = channel::TaskAct::poll; channel::TaskAnswer answer; };
struct OperationAnswered { std::uint64_t ref = 0; channel::OperationAnswer answer; };
// A page of a pull; the next one is asked for after page_kept(). A failed one is only told: it is asked for again by itself.
struct PageArrived { AccountNumber account = 0; std::string name; channel::PulledPage page; };
// What a telephone system told, in its order.
struct CallReported { AccountNumber account = 0; channel::CallEvent event; };
using TransportEvent = std::variant<AccountUp, AccountDown, AttemptAnswered, AttemptUnwritten, AttemptWritten, ReceiptReported, MessageReported, Reconciled, TaskAnswered,
                                    OperationAnswered, PageArrived, CallReported>;

// Called on the engine's thread, after the sync. Every call returns at once.
class Transport {
public:
    virtual ~Transport() = default;
    // Each order is answered by exactly one AttemptAnswered or AttemptUnwritten, in any order, also when the account is down.
    virtual void hand_over(std::vector<AttemptOrder> orders) = 0;
    // Each ref is answered by AttemptUnwritten{revoked} or AttemptWritten; refs already answered by AttemptAnswered get AttemptWritten.
    virtual void revoke(std::vector<channel::AttemptRef> refs) = 0;
    virtual void acknowledge(AckTicket ticket, bool durable) = 0;
    virtual void reconcile(std::vector<ReconcileOrder> orders) = 0;

    // Of accounts with employees' tasks and with lists to pull; a transport without such accounts ignores them.
    // Each order is answered by exactly one TaskAnswered, at the latest after the account's time-out.
    virtual void ask_tasks(std::vector<TaskOrder> /*orders*/) {}
    // Each order is answered by exactly one OperationAnswered, at the latest after the account's time-out.
    virtual void run_operations(std::vector<OperationOrder> /*orders*/) {}
    // Begins all pulls of all accounts; those that are not named begin at the start of their list. Called once, before hint_pull and page_kept.
    virtual void start_pulls(std::vector<PullStart> /*known*/) {}
    // There is something new in that list: it is pulled at once.
    virtual void hint_pull(AccountNumber /*account*/, channel::PullHint /*hint*/) {}
    // The page that arrived is durable (or, with false, could not be stored: it is pulled again later).
    virtual void page_kept(AccountNumber /*account*/, std::string /*name*/, bool /*durable*/) {}
    // Of accounts that are telephone systems. Those of one leg or mix are carried out in their order.
    virtual void call(std::vector<CallOrder> /*orders*/) {}
};

// Where the transport reports. Called on the transport's thread with a batch, in the order in which things happened per account.
class TransportListener {
public:
    virtual ~TransportListener() = default;
    virtual void on_transport_events(std::vector<TransportEvent> events) = 0;
};

}  // namespace touchgate
