// Who liked a post and who commented on it; what they wrote is not told. Source: WeCom developer centre, "获取客户朋友圈的互动数据" (get_moment_list and
// get_moment_comments).
#pragma once

#include <string>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::moments {

inline constexpr int posts_per_list = 20;
inline constexpr int days_read = 30;  // what is older is not listed

// The cursor is a JSON text: until when the list is read, its own cursor, and the posts of one page of it that are still to be asked for. Empty at
// the start and after the last.
[[nodiscard]] channel::HttpRequest engagement_request(const wecom_common::Corp& corp, const std::string& cursor, const channel::Resources& resources, Instant now);
// Each is an event of kind "moment.like" or "moment.comment" of the customer, `ref` names the post.
[[nodiscard]] channel::PulledPage read_engagement(const std::string& cursor, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::moments
