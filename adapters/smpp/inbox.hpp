// What a message centre delivers: receipts and customers' messages, their acknowledgement, long messages put together, and repeats after a
// broken connection.
//
// A deliver_sm is answered only when what it carries is durable; for parts of long messages see content/part_inbox.hpp.
//
// A message of a customer has no id of its own. Its fingerprint is "<hash of source, destination, coding and bytes>-<occurrence>", and a
// repeat carries the fingerprint of the message that it repeats: equal bytes within 60 s, over a new connection, after a connection that
// broke before any later PDU. Equal fingerprints are one message; different ones are two, whatever their text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/smpp/message.hpp"
#include "adapters/smpp/pdu.hpp"
#include "adapters/smpp/settings.hpp"
#include "gateway/base/random.hpp"
#include "gateway/channel/session_adapter.hpp"
#include "gateway/content/long_message.hpp"
#include "gateway/content/part_inbox.hpp"

namespace touchgate::adapters::smpp {

// Shared by the connections of one account, all driven by one thread.
struct AccountState {
    explicit AccountState(std::uint64_t seed) : references{seed} {}
    struct LastMessage {
        std::string content_hash;
        std::string fingerprint;
        channel::Monotonic at{};
    };
    content::ReferenceNumbers references;
    content::PartAssembly assembly;
    std::vector<LastMessage> may_be_repeated;  // last PDU of a connection that broke
};

// An answer that is due to the centre.
struct Answer {
    std::uint32_t request_id = 0;  // of the request that is answered
    std::uint32_t sequence = 0;
    std::uint32_t status = 0;
};

class Inbox {
public:
    using Monotonic = channel::Monotonic;
    Inbox(std::shared_ptr<const Settings> settings, std::shared_ptr<AccountState> account, std::uint64_t seed);

    // A deliver_sm or data_sm. Events and answers are added to the lists below.
    void receive(Monotonic now, std::uint32_t request_id, std::uint32_t sequence, const ShortMessage& message);
    // Any other PDU came: the last message will not be repeated.
    void other_pdu() { last_message_.reset(); }
    void acknowledge(channel::AckToken token, bool durable);
    void connection_lost(Monotonic now);
    void on_wake(Monotonic now);
    [[nodiscard]] std::optional<Monotonic> wake_at() const;
    [[nodiscard]] bool has_unanswered() const { return unanswered_.has_unacknowledged(); }

    [[nodiscard]] std::vector<channel::SessionEvent> take_events() { return std::exchange(events_, {}); }
    [[nodiscard]] std::vector<Answer> take_answers() { return std::exchange(answers_, {}); }

private:
    struct Request {
        std::uint32_t id = 0;
        std::uint32_t sequence = 0;
    };
    void receive_message(Monotonic now, const Request& request, const ShortMessage& message);
    void report_whole(Monotonic now, const content::PartAssembly::Whole& whole, channel::AckToken token);
    void answer(const Request& request, std::uint32_t status) {
        answers_.push_back({.request_id = request.id, .sequence = request.sequence, .status = status});
    }
    std::string fingerprint(Monotonic now, std::string_view from, std::string_view to, std::string_view bytes);

    std::shared_ptr<const Settings> settings_;
    std::shared_ptr<AccountState> account_;
    Random random_;
    content::PartInbox<Request> unanswered_;
    std::optional<AccountState::LastMessage> last_message_;
    Monotonic last_expiry_check_{};
    Monotonic now_{};
    std::vector<channel::SessionEvent> events_;
    std::vector<Answer> answers_;
};

}  // namespace touchgate::adapters::smpp
