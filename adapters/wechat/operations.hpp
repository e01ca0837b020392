// Operations of WeCom and official accounts as a table: what may be given, which call it becomes, and what is left of the answer. Both platforms have
// the same frame (a token in the query, an errcode in the answer).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wechat/access_token.hpp"
#include "adapters/wechat/answer.hpp"
#include "gateway/channel/operation.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::adapters::wechat {

struct PlatformOperation {
    channel::Operation shown;
    std::string_view path;                                 // "/cgi-bin/tags/create"
    bool is_get = false;                                   // the fields go into the query
    Json (*body_of)(const Json& given) = nullptr;          // null: the fields as they were given
    void (*normalise)(Json& result) = nullptr;             // after the platform's frame is gone
    std::string_view pulls = {};                           // a list of which those whom it was about are read again: external_userid, openid or openid_list
};

// Null: there is none of that name.
[[nodiscard]] const PlatformOperation* find_operation(std::span<const PlatformOperation> table, std::string_view name);
[[nodiscard]] std::vector<channel::Operation> shown_of(std::span<const PlatformOperation> table);

[[nodiscard]] channel::HttpRequest operation_request(const TokenSource& source, const PlatformOperation& operation, const std::string& body_json,
                                                     const channel::Resources& resources);
// `outcome_of` says what a refusal means on this platform. An answer that is no answer of the platform is `unknown`.
[[nodiscard]] channel::OperationAnswer read_operation_answer(const PlatformOperation& operation, const std::string& body_json, const channel::HttpResponse& response,
                                                             const std::function<channel::Outcome(const Answer&)>& outcome_of);

}  // namespace touchgate::adapters::wechat
