// All simulated channels of one sandbox with what they share, and the control API over them. Pure: the driver (sandbox.cpp) brings
// the sockets, a test or the simulation joins the peers in memory.
#pragma once

#include <optional>

#include "adapters/sandbox/aliyun_peer.hpp"
#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/http_exchange.hpp"
#include "adapters/sandbox/message_store.hpp"
#include "adapters/sandbox/pbx/pbx_peer.hpp"
#include "adapters/sandbox/settings.hpp"
#include "adapters/sandbox/smsc_peer.hpp"
#include "adapters/sandbox/tencent_peer.hpp"
#include "adapters/sandbox/wechat/official_account_peer.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

class Playground {
public:
    // Each channel draws from its own source, made from the seed, so that one does not disturb another.
    explicit Playground(const Settings& settings);
    Playground(const Playground&) = delete;
    Playground& operator=(const Playground&) = delete;

    // The control API, README.md. Channels may have output and other wake times afterwards.
    [[nodiscard]] HttpReply control(const HttpRequest& request, Now now);

    [[nodiscard]] MessageStore& store() { return store_; }
    [[nodiscard]] Behaviour& behaviour() { return behaviour_; }
    // Null where the channel is not played.
    [[nodiscard]] SmscPeer* smsc() { return smsc_ ? &*smsc_ : nullptr; }
    [[nodiscard]] AliyunPeer* aliyun() { return aliyun_ ? &*aliyun_ : nullptr; }
    [[nodiscard]] TencentPeer* tencent() { return tencent_ ? &*tencent_ : nullptr; }
    [[nodiscard]] WecomPeer* wecom() { return wecom_ ? &*wecom_ : nullptr; }
    [[nodiscard]] PbxPeer* pbx() { return pbx_ ? &*pbx_ : nullptr; }
    [[nodiscard]] OfficialAccountPeer* official_account() { return official_account_ ? &*official_account_ : nullptr; }

private:
    [[nodiscard]] HttpReply list_messages(const Parameters& parameters) const;
    [[nodiscard]] HttpReply list_recipients(const Parameters& parameters) const;
    [[nodiscard]] HttpReply list_duplicates(const Parameters& parameters) const;
    [[nodiscard]] HttpReply put_behaviour(const HttpRequest& request, Now now);
    [[nodiscard]] HttpReply post_inbound(const HttpRequest& request, Now now);
    [[nodiscard]] HttpReply post_disconnect(const HttpRequest& request);
    [[nodiscard]] HttpReply statistics() const;

    Behaviour behaviour_;
    MessageStore store_;
    Random smsc_random_, aliyun_random_, tencent_random_, wecom_random_, official_account_random_, pbx_random_;
    std::optional<SmscPeer> smsc_;
    std::optional<AliyunPeer> aliyun_;
    std::optional<TencentPeer> tencent_;
    std::optional<WecomPeer> wecom_;
    std::optional<OfficialAccountPeer> official_account_;
    std::optional<PbxPeer> pbx_;
};

}  // namespace touchgate::sandbox
