#include "adapters/wechat/operations.hpp"

#include <algorithm>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wechat {

namespace {

using namespace channel;

std::string text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

const PlatformOperation* find_operation(std::span<const PlatformOperation> table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const PlatformOperation& each) { return each.shown.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::vector<Operation> shown_of(std::span<const PlatformOperation> table) {
    std::vector<Operation> shown;
    shown.reserve(table.size());
    for (const auto& each : table) shown.push_back(each.shown);
    return shown;
}

HttpRequest operation_request(const TokenSource& source, const PlatformOperation& operation, const std::string& body_json, const Resources& resources) {
    auto given = parse_foreign_json(body_json);
    if (!given.is_object()) given = Json::object();
    if (operation.is_get) {
        Fields query;
        for (const auto& [name, value] : given.items()) query.emplace_back(name, as_text(value));
        std::string path{operation.path};
        if (!query.empty()) path.append("?").append(encode_form(query));
        return {.method = "GET", .url = authorized_url(source, path, resources), .headers = {{"host", source.base.host}, {"accept", "application/json"}}, .body = {}};
    }
    return authorized_post(source, operation.path, resources, text(operation.body_of == nullptr ? given : operation.body_of(given)));
}

OperationAnswer read_operation_answer(const PlatformOperation& operation, const std::string& body_json, const HttpResponse& response,
                                      const std::function<Outcome(const Answer&)>& outcome_of) {
    auto answer = read_answer(response);
    // A call that reads may have no errcode; one that changes something must say that it did, or bring what it made.
    const bool says_something = answer.has_errcode || (answer.body.is_object() && !answer.body.empty());
    if (!answer.ok() || !says_something) return {.outcome = outcome_of(answer)};
    auto result = std::move(answer.body);
    for (const auto* frame : {"errcode", "errmsg"}) result.erase(frame);
    if (operation.normalise != nullptr) operation.normalise(result);
    OperationAnswer done{.outcome = {.kind = OutcomeKind::accepted, .code = "0"}, .result_json = text(result)};
    if (!operation.pulls.empty()) {
        const auto given = parse_foreign_json(body_json);
        std::string whom;
        for (const auto* name : {"external_userid", "openid"}) whom.append(text_member(given, name));
        if (const auto& list = member(given, "openid_list"); list.is_array())
            for (const auto& each : list) whom.append(whom.empty() ? "" : ",").append(as_text(each));
        if (!whom.empty()) done.pulls.push_back({.name = std::string{operation.pulls}, .hint = std::move(whom)});
    }
    return done;
}

}  // namespace touchgate::adapters::wechat
