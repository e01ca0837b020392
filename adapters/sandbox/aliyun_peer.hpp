// A simulated Aliyun Dysms: SendSms, SendBatchSms and QuerySendDetails behind ACS3 or RPC signatures, SmsReport and SmsUp callbacks.
#pragma once

#include <deque>
#include <string>
#include <unordered_set>
#include <utility>

#include "adapters/sandbox/cloud_peer.hpp"

namespace touchgate::sandbox {

class AliyunPeer final : public CloudPeer {
public:
    AliyunPeer(CloudSettings settings, const CloudBehaviour& behaviour, MessageStore& store, Random& random)
        : CloudPeer{Via::aliyun, std::move(settings), behaviour, store, random} {}

private:
    HttpReply answer(const HttpRequest& request, Now now) override;
    HttpReply refusal(int status, std::string_view code, std::string_view message) override;
    std::string_view throttle_code() const override { return "Throttling.User"; }
    int throttle_status() const override { return 400; }
    Json receipt_item(const Send& send) const override;
    Json message_item(std::string_view phone, std::string_view extension, std::string_view sign_name, std::string_view text, std::uint64_t serial,
                      Instant at) const override;
    bool messages_as_array() const override { return true; }
    bool is_taken(const Json& answer) const override;

    struct Wanted {
        std::string number, sign_name, extension;
        Json values;
    };
    HttpReply send(const std::vector<Wanted>& wanted, const Parameters& parameters, std::string_view user, const HttpRequest& request, Now now);
    HttpReply send_one_text(const Parameters& parameters, std::string_view user, const HttpRequest& request, Now now);
    HttpReply send_batch(const Parameters& parameters, std::string_view user, const HttpRequest& request, Now now);
    HttpReply query(const Parameters& parameters);
    HttpReply reply(std::string_view code, std::string_view message, const std::string& biz_id = {});
    // False when it was used before.
    bool take_nonce(const std::string& nonce, Now now);

    std::unordered_set<std::string> nonces_;
    std::deque<std::pair<Instant, std::string>> nonces_by_age_;
};

}  // namespace touchgate::sandbox
