// What the configuration says of an account of moments.
#pragma once

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::moments {

struct Settings {
    wecom_common::Corp corp;
    std::string sender;             // who publishes where neither the touch nor its content says
    std::size_t task_max = 1'000;   // touches that one post may be for
    bool engagement = true;         // who liked and commented on posts is read …
    Duration engagement_interval{std::chrono::hours{1}};  // … so often
};

[[nodiscard]] Settings read_settings(JsonReader& reader, const channel::AccountContext& context);

}  // namespace touchgate::adapters::moments
