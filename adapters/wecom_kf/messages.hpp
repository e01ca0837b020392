// What customers wrote and did, pulled page by page: the callback only says that there is something new.
// Source: WeCom developer centre, "接收消息和事件" (94670).
#pragma once

#include <string>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_kf {

inline constexpr int messages_per_page = 1'000;

// `token` is a callback's and may be empty; without a cursor the last three days come.
[[nodiscard]] channel::HttpRequest messages_request(const wecom_common::Corp& corp, const std::string& open_kfid, const std::string& cursor, const std::string& token,
                                                    const channel::Resources& resources);
// A customer's message is a message; a failed message of ours is a receipt; everything else is an event whose kind is "kf." and WeCom's name of it,
// but for a customer who enters ("enter"). An entry that cannot be read becomes an event of kind "unknown". An expired token ends the pull
// without harm: the next one goes without. A forgotten cursor begins anew.
[[nodiscard]] channel::PulledPage read_messages(const std::string& cursor, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom_kf
