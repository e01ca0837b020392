// What an Aliyun account's configuration says.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::aliyun_sms {

enum class Signature { acs3, rpc };

// The provider takes 100 numbers in one SendBatchSms; ours stop at what one OutId can name (see request.hpp).
inline constexpr std::int64_t batch_limit = 60;

struct Settings {
    channel::BaseUrl base;
    std::string access_key_id;
    std::string access_key_secret;
    std::string security_token;      // temporary credentials only
    std::string sign_name;           // without 【】
    std::string sms_up_extend_code;  // digits after the access number, for replies
    Signature signature = Signature::acs3;
    std::string callback_token;  // empty: the hook is /hooks/{account}
    Duration timeout{10'000};
    int window = 32;
    std::size_t batch = 1;  // more: ready submissions of one template share a SendBatchSms
};

[[nodiscard]] Settings read_settings(JsonReader& reader);

}  // namespace touchgate::adapters::aliyun_sms
