// The official account's adapter, and its fixtures.
#pragma once

#include "adapters/official_account/adapter.hpp"
#include "tests/unit/adapters/wechat/official_support.hpp"

namespace touchgate::test {

inline std::string callback_text(const std::string& name) {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/official_account/fixtures/callbacks/" + name};
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline Made make(const Json& settings) { return make(settings, adapters::official_account_adapter()); }

}  // namespace touchgate::test
