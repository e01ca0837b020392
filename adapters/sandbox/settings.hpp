// The configuration key `sandbox`: which channels are played, where they listen, who may use them, how they behave at first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/cloud_peer.hpp"
#include "adapters/sandbox/pbx/pbx_settings.hpp"
#include "adapters/sandbox/smsc_peer.hpp"
#include "adapters/sandbox/wechat/wechat_settings.hpp"

namespace touchgate::sandbox {

struct ListenAddress {
    std::string host;        // an IP address
    std::uint16_t port = 0;  // 0: any free one
};

struct Settings {
    ListenAddress listen{.host = "127.0.0.1", .port = 8090};  // control API
    std::uint64_t seed = 1;
    std::uint64_t parts_max = 6'000'000;  // kept in the message store

    struct Smsc {
        ListenAddress listen;
        SmscSettings peer;
        std::string certificate_file, key_file;  // both "" without TLS
    };
    struct Cloud {
        ListenAddress listen;
        CloudSettings peer;
    };
    std::optional<Smsc> smsc;
    std::optional<Cloud> aliyun;
    std::optional<Cloud> tencent;
    struct Wecom {
        ListenAddress listen;
        WecomSettings peer;
    };
    struct OfficialAccount {
        ListenAddress listen;
        OfficialAccountSettings peer;
    };
    std::optional<Wecom> wecom;
    std::optional<OfficialAccount> official_account;
    struct Pbx {
        ListenAddress listen;
        PbxSettings peer;
    };
    std::optional<Pbx> pbx;
    Behaviour behaviour;
};

// Reads the value of the key `sandbox`, whose pointer is `pointer`. Problems are added to `problems`; then the result is not to be used.
[[nodiscard]] Settings read_settings(const Json& sandbox, const std::string& pointer, std::vector<Problem>& problems);

}  // namespace touchgate::sandbox
