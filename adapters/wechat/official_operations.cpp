#include "adapters/wechat/official_operations.hpp"

#include "adapters/wechat/official_followers.hpp"

#include <array>

#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::wechat {

namespace {

using channel::OperationField;
using Kind = OperationField::Kind;

constexpr OperationField openid{"openid", Kind::text, true, 64, "a follower"};
constexpr OperationField openids{"openid_list", Kind::texts, true, 50, "followers"};
constexpr OperationField tag_id{"tagid", Kind::integer, true, 0, "of the tag"};
constexpr OperationField next_openid{"next_openid", Kind::text, false, 64, "the last of the page before"};

constexpr std::array qr_code = {
    OperationField{"scene_str", Kind::text, false, 64, "comes back with every scan: the lead's source is official_account:<scene>; this, or"},
    OperationField{"scene_id", Kind::integer, false, 4'294'967'295, "a number"},
    OperationField{"expire_seconds", Kind::integer, false, 2'592'000, "of a temporary code; without it the code is permanent (100,000 of them in all)"},
};
constexpr std::array new_tag = {OperationField{"name", Kind::text, true, 30, ""}};
constexpr std::array update_tag = {OperationField{"id", Kind::integer, true, 0, ""}, OperationField{"name", Kind::text, true, 30, ""}};
constexpr std::array delete_tag = {OperationField{"id", Kind::integer, true, 0, ""}};
constexpr std::array tag_users = {openids, tag_id};
constexpr std::array one_user = {openid};
constexpr std::array users_of_tag = {tag_id, next_openid};
constexpr std::array user_info = {openid, OperationField{"lang", Kind::text, false, 10, "zh_CN by default"}};
constexpr std::array users_info = {OperationField{"openid_list", Kind::texts, true, 100, "followers"}};
constexpr std::array list_users = {next_openid};
constexpr std::array remark = {openid, OperationField{"remark", Kind::text, true, 30, ""}};

Json qr_body(const Json& given) {
    const bool temporary = given.contains("expire_seconds");
    const bool by_text = given.contains("scene_str");
    Json body = {{"action_name", temporary ? (by_text ? "QR_STR_SCENE" : "QR_SCENE") : (by_text ? "QR_LIMIT_STR_SCENE" : "QR_LIMIT_SCENE")}};
    if (temporary) body["expire_seconds"] = given["expire_seconds"];
    auto& scene = body["action_info"]["scene"] = Json::object();
    for (const auto* name : {"scene_str", "scene_id"})
        if (given.contains(name)) scene[name] = given[name];
    return body;
}

// The ticket is what the picture is fetched by.
void with_picture(Json& result) {
    if (const auto ticket = channel::text_member(result, "ticket"); !ticket.empty())
        result["picture_url"] = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=" + channel::percent_encode(ticket);
}

Json in_tag(const Json& given) { return {{"tag", given}}; }

Json user_list(const Json& given) {
    auto list = Json::array();
    if (const auto found = given.find("openid_list"); found != given.end())
        for (const auto& each : *found) list.push_back({{"openid", each}, {"lang", "zh_CN"}});
    return {{"user_list", std::move(list)}};
}

constexpr std::array table = {
    PlatformOperation{{"create_qr_code", "makes a QR code with a scene, temporary or permanent", true, qr_code}, "/cgi-bin/qrcode/create", false, qr_body, with_picture},
    PlatformOperation{{"create_tag", "makes a tag of followers", true, new_tag}, "/cgi-bin/tags/create", false, in_tag},
    PlatformOperation{{"list_tags", "the tags, with how many followers each has", false, {}}, "/cgi-bin/tags/get", true},
    PlatformOperation{{"update_tag", "renames a tag", true, update_tag}, "/cgi-bin/tags/update", false, in_tag},
    PlatformOperation{{"delete_tag", "ends a tag", true, delete_tag}, "/cgi-bin/tags/delete", false, in_tag},
    PlatformOperation{{"tag_users", "gives followers a tag; the contacts' tags follow", true, tag_users}, "/cgi-bin/tags/members/batchtagging", false, nullptr, nullptr, pull_follower_info},
    PlatformOperation{{"untag_users", "takes a tag from followers; the contacts' tags follow", true, tag_users}, "/cgi-bin/tags/members/batchuntagging", false, nullptr, nullptr,
                      pull_follower_info},
    PlatformOperation{{"tags_of_user", "the tags of a follower", false, one_user}, "/cgi-bin/tags/getidlist"},
    PlatformOperation{{"users_of_tag", "the followers with a tag, page by page", false, users_of_tag}, "/cgi-bin/user/tag/get"},
    PlatformOperation{{"get_user", "a follower", false, user_info}, "/cgi-bin/user/info", true},
    PlatformOperation{{"get_users", "several followers", false, users_info}, "/cgi-bin/user/info/batchget", false, user_list},
    PlatformOperation{{"list_users", "the openids of all followers, 10,000 a page", false, list_users}, "/cgi-bin/user/get", true},
    PlatformOperation{{"remark_user", "a note of a follower", true, remark}, "/cgi-bin/user/info/updateremark"},
};

}  // namespace

std::span<const PlatformOperation> official_operations() { return table; }

}  // namespace touchgate::adapters::wechat
