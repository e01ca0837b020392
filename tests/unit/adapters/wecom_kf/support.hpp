// Accounts of WeChat customer service for the tests of its adapter.
#pragma once

#include "adapters/wecom_kf/adapter.hpp"
#include "tests/unit/adapters/wecom_common/support.hpp"

namespace touchgate::test {

inline Made make_kf(const Json& changes = Json::object()) {
    Json settings = {{"adapter", "wecom_kf"}, {"corp", "wecom-main"}, {"open_kfid", "wkSYNTH00000000000000001"}};
    settings.merge_patch(changes);
    return make(adapters::wecom_kf_adapter(), settings);
}

}  // namespace touchgate::test
