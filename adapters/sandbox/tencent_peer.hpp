// A simulated Tencent Cloud SMS: SendSms and the four pull actions behind TC3 signatures, report and reply callbacks.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "adapters/sandbox/cloud_peer.hpp"

namespace touchgate::sandbox {

class TencentPeer final : public CloudPeer {
public:
    TencentPeer(CloudSettings settings, const CloudBehaviour& behaviour, MessageStore& store, Random& random)
        : CloudPeer{Via::tencent, std::move(settings), behaviour, store, random} {}

private:
    HttpReply answer(const HttpRequest& request, Now now) override;
    HttpReply refusal(int status, std::string_view code, std::string_view message) override;
    std::string_view throttle_code() const override { return "RequestLimitExceeded"; }
    int throttle_status() const override { return 200; }
    Json receipt_item(const Send& send) const override;
    Json message_item(std::string_view phone, std::string_view extension, std::string_view sign_name, std::string_view text, std::uint64_t serial,
                      Instant at) const override;
    bool messages_as_array() const override { return false; }
    bool is_taken(const Json& answer) const override;
    std::optional<Json> pulled_receipt(const Send& send) const override;
    std::optional<Json> pulled_message(std::string_view phone, std::string_view extension, std::string_view sign_name, std::string_view text,
                                       Instant at) const override;

    HttpReply send(const Json& body, std::string_view user, const HttpRequest& request, Now now);
    // The next of what waits; each item is given once.
    HttpReply pull(const Json& body, std::deque<Json>& from, const char* set_name);
    // What concerns one number within a span of time; asking takes nothing away.
    HttpReply pull_by_phone(const Json& body, const std::vector<Json>& items, const char* set_name, const char* time_name);
    [[nodiscard]] std::vector<Json> receipts_of(const Json& body) const;
    HttpReply reply(Json response);
};

}  // namespace touchgate::sandbox
