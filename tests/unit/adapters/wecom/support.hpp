// Accounts of WeCom for the tests of its adapter.
#pragma once

#include "adapters/wecom/adapter.hpp"
#include "tests/unit/adapters/wecom_common/support.hpp"

namespace touchgate::test {

inline Made make_wecom(const Json& changes = Json::object()) {
    auto settings = corp_settings();
    settings.merge_patch(changes);
    return make(adapters::wecom_adapter(), settings);
}

}  // namespace touchgate::test
