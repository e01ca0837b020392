// The customer groups and who is in them, group by group. Source: WeCom developer centre, groupchat/list and groupchat/get.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_group {

inline constexpr int groups_per_list = 100;

// The cursor is a JSON text: the groups of one page of the list that are still to be read, and the list's own cursor. Empty: at the start; then a
// `hint` names one group that changed, which alone is read.
[[nodiscard]] channel::HttpRequest groups_request(const wecom_common::Corp& corp, const std::vector<std::string>& owners, const std::string& cursor,
                                                  const std::string& hint, const channel::Resources& resources);
// Each group is an event of kind "group" whose id is a hash of what is said. A group that is gone is passed over.
[[nodiscard]] channel::PulledPage read_groups(const std::string& cursor, const channel::HttpResponse& response);

// Who owns a group, asked for before a message where nobody knows it yet: only its owner can post to it.
[[nodiscard]] channel::Need owner_need(const std::string& chat);
[[nodiscard]] std::string chat_of(const channel::Need& need);  // empty: the need is another
[[nodiscard]] channel::HttpRequest owner_request(const wecom_common::Corp& corp, const std::string& chat, const channel::Resources& resources);
// An empty owner where WeCom names none and the account has another sender; else the outcome that the message gets.
[[nodiscard]] std::variant<channel::Resource, channel::Outcome> read_owner(const channel::HttpResponse& response, bool has_other_sender);

}  // namespace touchgate::adapters::wecom_group
