// One CMPP connection of one account: the PDUs of channel::LinkSession.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/cmpp/message.hpp"
#include "adapters/cmpp/pdu.hpp"
#include "adapters/cmpp/settings.hpp"
#include "gateway/channel/link_session.hpp"
#include "gateway/content/long_message.hpp"
#include "gateway/content/part_inbox.hpp"

namespace touchgate::adapters::cmpp {

// Shared by the connections of one account, all driven by one thread.
struct AccountState {
    explicit AccountState(std::uint64_t seed) : references{seed} {}
    content::ReferenceNumbers references;
    content::PartAssembly assembly{std::chrono::minutes{10}};
    std::optional<Version> lower_version;  // what the server asked for
};

class Session final : public channel::LinkSession {
public:
    using Monotonic = channel::Monotonic;
    Session(std::shared_ptr<const Settings> settings, std::shared_ptr<AccountState> account, std::uint64_t seed);

    void on_wall_time(Instant now) override;

private:
    void append_login(Monotonic now, std::string& out, std::uint32_t sequence) override;
    void append_link_test(std::string& out, std::uint32_t sequence) override { append_header_only(out, command::active_test, sequence); }
    void append_logout(std::string& out, std::uint32_t sequence) override { append_header_only(out, command::terminate, sequence); }
    [[nodiscard]] std::variant<std::vector<std::string>, channel::Outcome> encode(Monotonic now, const channel::Submission& submission) override;
    [[nodiscard]] std::size_t sequence_offset() const override { return 8; }
    void start_reading() override { reader_.clear(); }
    void receive(Monotonic now, std::string_view bytes) override;
    void acknowledge_delivery(channel::AckToken token, bool durable) override;
    void wake_deliveries(Monotonic now) override;
    [[nodiscard]] std::optional<Monotonic> deliveries_wake_at() const override;
    [[nodiscard]] bool has_unanswered_deliveries() const override { return unanswered_.has_unacknowledged(); }
    void deliveries_lost(Monotonic now) override { unanswered_.connection_lost(now, account_->assembly); }

    struct Request {
        std::uint32_t sequence = 0;
        std::uint64_t message_id = 0;
    };
    void handle(Monotonic now, const Frame& frame);
    void handle_connect_answer(Monotonic now, const Frame& frame);
    void handle_submit_answer(Monotonic now, const Frame& frame);
    void handle_deliver(Monotonic now, const Frame& frame);
    void handle_text(Monotonic now, const Request& request, const Deliver& deliver);
    void report_whole(const content::PartAssembly::Whole& whole, channel::AckToken token);
    void answer(const Request& request);
    [[nodiscard]] Instant wall_at(Monotonic now) const;
    [[nodiscard]] std::string check_answer(const ConnectAnswer& answer) const;

    std::shared_ptr<const Settings> settings_;
    std::shared_ptr<AccountState> account_;
    FrameReader reader_;
    content::PartInbox<Request> unanswered_;
    Version version_;             // of this connection
    std::string authenticator_;   // that we sent
    Instant wall_at_connect_{};
    Monotonic connected_at_{};
    Monotonic now_{};
    Monotonic last_expiry_check_{};
};

}  // namespace touchgate::adapters::cmpp
