#include "adapters/wechat/official_followers.hpp"

#include <utility>

#include "adapters/wechat/answer.hpp"
#include "adapters/wechat/official_codes.hpp"
#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wechat {

namespace {

using namespace channel;

constexpr int unknown_openid = 40003;
constexpr int not_granted = 48001;  // accounts that are not verified have no list of followers

PulledPage failed(const Answer& answer) {
    if (answer.readable && answer.errcode == not_granted) return {};
    const auto outcome = outcome_of(answer, official_codes());
    return {.failed = true, .retry_after = outcome.retry_after, .code = outcome.code, .detail = outcome.detail};
}

std::optional<ProviderEvent> follower_event(const Json& user) {
    ProviderEvent event{.kind = "customer", .from = text_member(user, "openid")};
    if (event.from.empty() || text_member(user, "subscribe") == "0") return std::nullopt;
    if (const auto& since = member(user, "subscribe_time"); since.is_number_unsigned()) event.at = from_unix_ms(since.get<std::int64_t>() * 1'000);
    event.reach = ProviderEvent::Reach::reachable;
    event.unionid = text_member(user, "unionid");
    auto body = Json::object();
    for (const auto* name : {"openid", "unionid", "remark", "language", "subscribe_time", "subscribe_scene"})
        if (const auto& value = member(user, name); !value.is_null() && value != "") body[name] = value;
    auto tags = Json::array();
    if (const auto& list = member(user, "tagid_list"); list.is_array())
        for (const auto& id : list)
            if (auto text = as_text(id); !text.empty()) tags.push_back(std::move(text));
    if (!tags.empty()) body["tags"] = std::move(tags);
    event.body_json = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    event.id = to_hex(crypto::view(crypto::sha256("follower\n", event.body_json)));
    return event;
}

}  // namespace

HttpRequest followers_request(const TokenSource& source, const std::string& cursor, const Resources& resources) {
    std::string path = "/cgi-bin/user/get";
    if (!cursor.empty()) path.append("?").append(encode_form({{"next_openid", cursor}}));
    return {.method = "GET", .url = authorized_url(source, path, resources), .headers = {{"host", source.base.host}, {"accept", "application/json"}}, .body = {}};
}

PulledPage read_followers(const std::string& cursor, const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (answer.readable && answer.errcode == unknown_openid && !cursor.empty()) return {};  // he has left: from the start, with the next reading
    if (!answer.ok() || !answer.body.is_object() || !answer.body.contains("total")) return failed(answer);
    PulledPage page;
    std::string hint;
    std::size_t count = 0;
    if (const auto& ids = member(member(answer.body, "data"), "openid"); ids.is_array())
        for (const auto& id : ids) {
            const auto openid = as_text(id);
            if (openid.empty() || openid.find(',') != std::string::npos) continue;
            if (!hint.empty()) hint.push_back(',');
            hint.append(openid);
            if (++count % followers_per_question != 0) continue;
            page.events.pulls.push_back({.name = std::string{pull_follower_info}, .hint = std::exchange(hint, {})});
        }
    if (!hint.empty()) page.events.pulls.push_back({.name = std::string{pull_follower_info}, .hint = std::move(hint)});
    // Behind the last page the platform still names an openid, and the page after it is empty.
    if (count == 0) return page;
    page.cursor = text_member(answer.body, "next_openid");
    page.more = !page.cursor.empty();
    return page;
}

HttpRequest follower_info_request(const TokenSource& source, const std::string& hint, const Resources& resources) {
    auto list = Json::array();
    for (const auto openid : split(hint, ','))
        if (!openid.empty() && list.size() < followers_per_question) list.push_back({{"openid", std::string{openid}}, {"lang", "zh_CN"}});
    return authorized_post(source, "/cgi-bin/user/info/batchget", resources, Json{{"user_list", std::move(list)}}.dump(-1, ' ', false, Json::error_handler_t::replace));
}

PulledPage read_follower_info(const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (!answer.ok() || !member(answer.body, "user_info_list").is_array()) return failed(answer);
    PulledPage page;
    for (const auto& user : member(answer.body, "user_info_list"))
        if (auto event = follower_event(user)) page.events.events.push_back(std::move(*event));
    return page;
}

}  // namespace touchgate::adapters::wechat
