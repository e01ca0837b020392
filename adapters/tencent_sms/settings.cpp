#include "adapters/tencent_sms/settings.hpp"

#include <algorithm>

namespace touchgate::adapters::tencent_sms {

namespace {

bool all_digits(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Settings read_settings(JsonReader& reader) {
    Settings settings;
    settings.base = channel::read_base_url(reader, "https://sms.tencentcloudapi.com");
    settings.secret_id = reader.required_text("secret_id", {1, 200});
    settings.secret_key = reader.required_text("secret_key", {1, 200});
    settings.token = reader.text("token", {}, {0, 4'000});
    settings.sdk_app_id = reader.required_text("sdk_app_id", {1, 20});
    if (!all_digits(settings.sdk_app_id)) reader.problem("sdk_app_id", "must be digits, such as \"1400000001\"");
    settings.sign_name = reader.required_text("sign_name", {1, 100});
    if (settings.sign_name.find("【") != std::string::npos || settings.sign_name.find("】") != std::string::npos)
        reader.problem("sign_name", "must be the approved signature without 【 and 】; the provider adds them");
    settings.region = reader.text("region", "ap-guangzhou", {1, 40});
    settings.extend_code = reader.text("extend_code", {}, {0, 20});
    if (!all_digits(settings.extend_code)) reader.problem("extend_code", "must be digits");
    settings.callback_token = reader.text("callback_token", {}, {8, 200});
    if (settings.callback_token.find('/') != std::string::npos) reader.problem("callback_token", "must not contain '/': it is one step of a path");
    settings.reconcile = reader.boolean("reconcile", false);
    settings.timeout = reader.duration("timeout", settings.timeout, Duration{100}, Duration{120'000});
    settings.window = static_cast<int>(reader.integer("window", settings.window, 1, 1'000));
    settings.batch = static_cast<std::size_t>(reader.integer("batch", 1, 1, batch_limit));
    if (settings.reconcile && settings.batch > named_batch_limit)
        reader.problem("batch", "must be at most " + std::to_string(named_batch_limit) +
                                    " with \"reconcile\": true, for the provider keeps no more text per request");
    return settings;
}

}  // namespace touchgate::adapters::tencent_sms
