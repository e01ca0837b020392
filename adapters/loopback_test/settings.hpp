// What a loopback_test account's configuration says.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::loopback_test {

struct Settings {
    channel::BaseUrl base;
    std::string secret;
    std::string callback_token;
    bool human = true;  // tasks wait for a person; false: the provider sends at once
    Duration timeout{10'000};
    int window = 8;
    std::size_t batch = 10;
};

[[nodiscard]] inline Settings read_settings(JsonReader& reader) {
    Settings settings;
    settings.base = channel::read_base_url(reader, "");
    settings.secret = reader.required_text("secret", {1, 200});
    settings.callback_token = reader.required_text("callback_token", {8, 200});
    settings.human = reader.boolean("human", true);
    settings.timeout = reader.duration("timeout", settings.timeout, Duration{100}, Duration{120'000});
    settings.window = static_cast<int>(reader.integer("window", settings.window, 1, 1'000));
    settings.batch = static_cast<std::size_t>(reader.integer("batch", 10, 1, 1'000));
    return settings;
}

}  // namespace touchgate::adapters::loopback_test
