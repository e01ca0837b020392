// What a Tencent account's configuration says.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::tencent_sms {

inline constexpr std::int64_t batch_limit = 200;       // numbers in one SendSms
inline constexpr std::size_t named_batch_limit = 120;  // attempts that one SessionContext (below 512 bytes) can name

struct Settings {
    channel::BaseUrl base;
    std::string secret_id;
    std::string secret_key;
    std::string token;  // temporary credentials only
    std::string sdk_app_id;
    std::string sign_name;  // without 【】
    std::string region;
    std::string extend_code;     // digits after the access number, for replies
    std::string callback_token;  // empty: the hook is /hooks/{account}
    bool reconcile = false;      // the provider has opened PullSmsSendStatusByPhoneNumber, with SessionContext in its answers
    Duration timeout{10'000};
    int window = 32;
    std::size_t batch = 1;  // more: ready submissions of one template and equal parameters share a request
};

[[nodiscard]] Settings read_settings(JsonReader& reader);

}  // namespace touchgate::adapters::tencent_sms
