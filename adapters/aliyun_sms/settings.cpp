#include "adapters/aliyun_sms/settings.hpp"

#include <algorithm>

namespace touchgate::adapters::aliyun_sms {

Settings read_settings(JsonReader& reader) {
    Settings settings;
    settings.base = channel::read_base_url(reader, "https://dysmsapi.aliyuncs.com");
    settings.access_key_id = reader.required_text("access_key_id", {1, 200});
    settings.access_key_secret = reader.required_text("access_key_secret", {1, 200});
    settings.security_token = reader.text("security_token", {}, {0, 4'000});
    settings.sign_name = reader.required_text("sign_name", {1, 100});
    if (settings.sign_name.find("【") != std::string::npos || settings.sign_name.find("】") != std::string::npos)
        reader.problem("sign_name", "must be the approved signature without 【 and 】; the provider adds them");
    settings.sms_up_extend_code = reader.text("sms_up_extend_code", {}, {0, 20});
    if (!std::all_of(settings.sms_up_extend_code.begin(), settings.sms_up_extend_code.end(), [](char c) { return c >= '0' && c <= '9'; }))
        reader.problem("sms_up_extend_code", "must be digits");
    settings.signature = reader.choice("signature", {"acs3", "rpc"}, "acs3") == "rpc" ? Signature::rpc : Signature::acs3;
    settings.callback_token = reader.text("callback_token", {}, {8, 200});
    if (settings.callback_token.find('/') != std::string::npos) reader.problem("callback_token", "must not contain '/': it is one step of a path");
    settings.timeout = reader.duration("timeout", settings.timeout, Duration{100}, Duration{120'000});
    settings.window = static_cast<int>(reader.integer("window", settings.window, 1, 1'000));
    settings.batch = static_cast<std::size_t>(reader.integer("batch", 1, 1, batch_limit));
    return settings;
}

}  // namespace touchgate::adapters::aliyun_sms
