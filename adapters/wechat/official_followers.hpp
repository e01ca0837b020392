// The followers of an official account with their tags, page by page: what no callback tells. Sources: WeChat developer docs, 用户管理 (user/get,
// user/info/batchget).
#pragma once

#include <string>
#include <string_view>

#include "adapters/wechat/access_token.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::wechat {

inline constexpr std::string_view pull_followers = "followers";
inline constexpr std::string_view pull_follower_info = "follower_info";
inline constexpr std::size_t followers_per_question = 100;

// All openids, 10,000 a page; the cursor is the last of the page before. What is to be asked about them are hints for `follower_info`.
[[nodiscard]] channel::HttpRequest followers_request(const TokenSource& source, const std::string& cursor, const channel::Resources& resources);
[[nodiscard]] channel::PulledPage read_followers(const std::string& cursor, const channel::HttpResponse& response);

// Up to 100 openids, separated by commas: each follower is an event of kind "customer" whose id is a hash of what is said, so that what has not changed is
// no event again.
[[nodiscard]] channel::HttpRequest follower_info_request(const TokenSource& source, const std::string& hint, const channel::Resources& resources);
[[nodiscard]] channel::PulledPage read_follower_info(const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wechat
