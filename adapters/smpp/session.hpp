// One SMPP connection slot of one account: the PDUs of channel::LinkSession.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/smpp/inbox.hpp"
#include "adapters/smpp/pdu.hpp"
#include "adapters/smpp/settings.hpp"
#include "gateway/channel/link_session.hpp"

namespace touchgate::adapters::smpp {

class Session final : public channel::LinkSession {
public:
    using Monotonic = channel::Monotonic;
    Session(std::shared_ptr<const Settings> settings, std::shared_ptr<AccountState> account, std::uint64_t seed);

private:
    void append_login(Monotonic now, std::string& out, std::uint32_t sequence) override;
    void append_link_test(std::string& out, std::uint32_t sequence) override;
    void append_logout(std::string& out, std::uint32_t sequence) override;
    [[nodiscard]] std::variant<std::vector<std::string>, channel::Outcome> encode(Monotonic now, const channel::Submission& submission) override;
    [[nodiscard]] std::size_t sequence_offset() const override { return 12; }
    void start_reading() override { reader_.clear(); }
    void receive(Monotonic now, std::string_view bytes) override;
    void acknowledge_delivery(channel::AckToken token, bool durable) override;
    void wake_deliveries(Monotonic now) override;
    [[nodiscard]] std::optional<Monotonic> deliveries_wake_at() const override { return inbox_.wake_at(); }
    [[nodiscard]] bool has_unanswered_deliveries() const override { return inbox_.has_unanswered(); }
    void deliveries_lost(Monotonic now) override;

    void handle(Monotonic now, const Frame& frame);
    void handle_bind_answer(Monotonic now, const Frame& frame);
    void handle_submit_answer(Monotonic now, const Frame& frame);
    void handle_nack(Monotonic now, const Frame& frame);
    void handle_delivery(Monotonic now, const Frame& frame);
    void drain_inbox();

    std::shared_ptr<const Settings> settings_;
    std::shared_ptr<AccountState> account_;
    FrameReader reader_;
    Inbox inbox_;
};

}  // namespace touchgate::adapters::smpp
