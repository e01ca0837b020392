// A message centre in memory, driven line by line by a test: it sees every PDU that the session writes and answers only what the test says.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/smpp/session.hpp"
#include "tests/catch.hpp"

namespace touchgate::adapters::smpp::test {

using namespace std::chrono_literals;
using channel::AttemptOutcome;
using channel::InboundMessage;
using channel::MessageArrived;
using channel::Monotonic;
using channel::Outcome;
using channel::OutcomeKind;
using channel::Receipt;
using channel::ReceiptArrived;
using channel::SessionDown;
using channel::SessionUp;

inline Settings test_settings() {
    Settings settings;
    settings.endpoint.host = "smsc.example";
    settings.bind.system_id = "esme01";
    settings.bind.password = "secret08";
    settings.source = {.ton = 3, .npi = 0, .digits = "10690000"};
    return settings;
}

struct Pdu {
    Header header;
    std::string body;
};

class Link {
public:
    explicit Link(const Settings& settings = test_settings(), std::uint64_t seed = 1)
        : settings_{std::make_shared<const Settings>(settings)},
          account_{std::make_shared<AccountState>(seed)},
          session{std::make_unique<Session>(settings_, account_, seed)} {}
    // A second connection slot of the same account.
    explicit Link(const Link& sibling, std::uint64_t seed)
        : settings_{sibling.settings_}, account_{sibling.account_}, session{std::make_unique<Session>(settings_, account_, seed)}, now{sibling.now} {}

    void connect() {
        REQUIRE(session->connect_at());
        now = std::max(now, *session->connect_at());
        session->on_connected(now);
        take();
    }
    void bind() {
        connect();
        const auto request = next();
        REQUIRE(request.header.id == command::bind_transceiver);
        std::string bytes;
        append_bind_answer(bytes, command::bind_transceiver, 0, request.header.sequence, {.system_id = "SMSC", .tlvs = {}});
        feed(bytes);
        REQUIRE(ups == 1);
    }
    void drop(std::string_view why = "connection reset") {
        session->on_closed(now, why);
        received.clear();
        reader_.clear();
        take();
    }

    // Bytes from the centre to the session.
    void feed(std::string_view bytes) {
        session->on_bytes(now, bytes);
        take();
    }
    void answer(const Pdu& request, std::uint32_t code, std::string_view id = {}) {
        std::string bytes;
        append_message_answer(bytes, request.header.id, code, request.header.sequence, id);
        feed(bytes);
    }
    void send(std::uint32_t id, std::uint32_t code, std::uint32_t sequence) {
        std::string bytes;
        append_header_only(bytes, id, code, sequence);
        feed(bytes);
    }
    void deliver(const ShortMessage& message, std::uint32_t sequence) {
        std::string bytes;
        append_short_message(bytes, command::deliver_sm, sequence, message);
        feed(bytes);
    }

    void submit(channel::AttemptRef ref, std::string text = "hello", std::string to = "+8613900000001") {
        REQUIRE(session->can_submit());
        session->submit(now, {.ref = ref, .to = std::move(to), .content = {.text = std::move(text)}});
        take();
    }
    // Lets time pass, waking the session exactly when it asks for it.
    void pass(std::chrono::nanoseconds span) {
        const auto end = now + span;
        for (int guard = 0; guard < 10'000; ++guard) {
            const auto at = session->wake_at();
            if (!at || *at > end) break;
            now = std::max(now, *at);
            session->on_wake(now);
            take();
            const auto again = session->wake_at();
            REQUIRE((!again || *again > now));  // it must not ask for the same instant for ever
        }
        now = end;
    }
    void acknowledge(channel::AckToken token, bool durable) {
        session->acknowledge(token, durable);
        take();
    }
    void take() {
        auto output = session->take_output();
        closed = closed || output.close;
        for (auto& event : output.events) {
            if (std::holds_alternative<SessionUp>(event)) ++ups;
            else if (auto* down = std::get_if<SessionDown>(&event)) downs.push_back(*down);
            else if (auto* outcome = std::get_if<AttemptOutcome>(&event)) outcomes.push_back(*outcome);
            else if (auto* receipt = std::get_if<ReceiptArrived>(&event)) receipts.push_back(*receipt);
            else if (auto* message = std::get_if<MessageArrived>(&event)) messages.push_back(*message);
        }
        reader_.feed(output.bytes);
        while (const auto frame = reader_.next()) received.push_back({frame->header, std::string{frame->body}});
    }

    // The oldest PDU that the centre has not looked at.
    Pdu next() {
        REQUIRE_FALSE(received.empty());
        auto pdu = std::move(received.front());
        received.pop_front();
        return pdu;
    }
    Outcome outcome(channel::AttemptRef ref) {
        const auto found = std::find_if(outcomes.begin(), outcomes.end(), [&](const AttemptOutcome& each) { return each.ref == ref; });
        REQUIRE(found != outcomes.end());
        auto taken = std::move(found->outcome);
        outcomes.erase(found);
        return taken;
    }

private:
    std::shared_ptr<const Settings> settings_;
    std::shared_ptr<AccountState> account_;
    FrameReader reader_;

public:
    std::unique_ptr<Session> session;
    Monotonic now{std::chrono::hours{1}};
    std::deque<Pdu> received;
    std::vector<AttemptOutcome> outcomes;
    std::vector<SessionDown> downs;
    std::vector<ReceiptArrived> receipts;
    std::vector<MessageArrived> messages;
    int ups = 0;
    bool closed = false;
};

inline ShortMessage from_customer(std::string text, std::string phone = "8613900000001") {
    ShortMessage message;
    message.source = {.ton = 1, .npi = 1, .digits = std::move(phone)};
    message.destination = {.ton = 3, .npi = 0, .digits = "10690000"};
    message.short_message = std::move(text);
    return message;
}

inline ShortMessage receipt_for(const std::string& id, const std::string& stat = "DELIVRD") {
    auto message = from_customer("id:" + id + " sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:" + stat + " err:000 text:hello");
    message.esm_class = 0x04;
    return message;
}

}  // namespace touchgate::adapters::smpp::test
