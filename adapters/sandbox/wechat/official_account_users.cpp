// Followers, tags and the black list.
#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/official_account_peer.hpp"

namespace touchgate::sandbox {

namespace {

constexpr std::size_t page_size = 10'000, batch_max = 100, tag_batch_max = 50, tags_max = 100, user_tags_max = 20, tag_name_max = 30;

// The openids after `next` that `wanted` lets through, one page of them.
template <class Users, class Wanted>
Json openids_after(const Users& users, const std::string& next, Wanted wanted) {
    Json list = Json::array();
    for (auto it = next.empty() ? users.begin() : users.upper_bound(next); it != users.end() && list.size() < page_size; ++it)
        if (wanted(it->second)) list.push_back(it->first);
    return list;
}

}  // namespace

void OfficialAccountPeer::register_users() {
    on("GET", "/cgi-bin/user/info", &OfficialAccountPeer::get_user);
    on("POST", "/cgi-bin/user/info/batchget", &OfficialAccountPeer::get_users);
    on("GET", "/cgi-bin/user/get", &OfficialAccountPeer::list_users);
    on("POST", "/cgi-bin/user/info/updateremark", &OfficialAccountPeer::remark_user);
    on("POST", "/cgi-bin/tags/create", &OfficialAccountPeer::create_tag);
    on("GET", "/cgi-bin/tags/get", &OfficialAccountPeer::get_tags);
    on("POST", "/cgi-bin/tags/update", &OfficialAccountPeer::update_tag);
    on("POST", "/cgi-bin/tags/delete", &OfficialAccountPeer::delete_tag);
    on("POST", "/cgi-bin/tags/members/batchtagging", &OfficialAccountPeer::tag_users);
    on("POST", "/cgi-bin/tags/members/batchuntagging", &OfficialAccountPeer::untag_users);
    on("POST", "/cgi-bin/tags/getidlist", &OfficialAccountPeer::tags_of_user);
    on("", "/cgi-bin/user/tag/get", &OfficialAccountPeer::users_of_tag);
    on("POST", "/cgi-bin/tags/members/getblacklist", &OfficialAccountPeer::list_blacklist);
    on("POST", "/cgi-bin/tags/members/batchblacklist", &OfficialAccountPeer::change_blacklist);
    on("POST", "/cgi-bin/tags/members/batchunblacklist", &OfficialAccountPeer::change_blacklist);
}

Json OfficialAccountPeer::user_json(const std::string& openid, const User& user) const {
    if (!user.follows) return {{"subscribe", 0}, {"openid", openid}};
    Json json{{"subscribe", 1},
              {"openid", openid},
              {"nickname", ""},
              {"sex", 0},
              {"language", "zh_CN"},
              {"city", ""},
              {"province", ""},
              {"country", ""},
              {"headimgurl", ""},
              {"subscribe_time", unix_ms(user.since) / 1'000},
              {"unionid", user.unionid},
              {"remark", user.remark},
              {"groupid", 0},
              {"tagid_list", user.tags},
              {"subscribe_scene", user.subscribe_scene},
              {"qr_scene", 0},
              {"qr_scene_str", ""}};
    const bool number = !user.scene.empty() && std::all_of(user.scene.begin(), user.scene.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number) json["qr_scene"] = integer_of({{"n", user.scene}}, "n", 0);
    else json["qr_scene_str"] = user.scene;
    return json;
}

Json OfficialAccountPeer::get_user(const Call& call) {
    const std::string openid{value_of(call.parameters, "openid")};
    const auto* const user = user_of(account_of(call), openid);
    return user == nullptr ? fault(40003) : user_json(openid, *user);
}

Json OfficialAccountPeer::get_users(const Call& call) {
    const auto& wanted = items_of(call.body, "user_list");
    if (wanted.empty()) return fault(40035);
    if (wanted.size() > batch_max) return fault(40032);
    Json list = Json::array();
    for (const auto& item : wanted) {
        const auto openid = text_of(item, "openid");
        const auto* const user = user_of(account_of(call), openid);
        if (user == nullptr) return fault(40003);
        list.push_back(user_json(openid, *user));
    }
    return {{"user_info_list", std::move(list)}};
}

Json OfficialAccountPeer::list_users(const Call& call) {
    const auto& users = account_of(call).users;
    const std::string next{value_of(call.parameters, "next_openid")};
    if (!next.empty() && !users.contains(next)) return fault(40003);
    auto list = openids_after(users, next, [](const User& user) { return user.follows; });
    const auto total = std::count_if(users.begin(), users.end(), [](const auto& entry) { return entry.second.follows; });
    Json answer{{"total", total}, {"count", list.size()}, {"next_openid", list.empty() ? std::string{} : list.back().get<std::string>()}};
    if (!list.empty()) answer["data"] = {{"openid", std::move(list)}};
    return answer;
}

Json OfficialAccountPeer::remark_user(const Call& call) {
    auto* const user = user_of(account_of(call), text_of(call.body, "openid"));
    if (user == nullptr || !user->follows) return fault(40003);
    user->remark = text_of(call.body, "remark");
    return {};
}

Json OfficialAccountPeer::create_tag(const Call& call) {
    auto& account = account_of(call);
    const auto name = text_of(member_of(call.body, "tag"), "name");
    if (name.empty() || name.size() > tag_name_max) return fault(45157);
    if (std::any_of(account.tags.begin(), account.tags.end(), [&](const auto& entry) { return entry.second == name; })) return fault(45157);
    if (account.tags.size() >= tags_max) return fault(45056);
    const auto id = account.next_tag++;
    account.tags.emplace(id, name);
    return {{"tag", {{"id", id}, {"name", name}}}};
}

Json OfficialAccountPeer::get_tags(const Call& call) {
    const auto& account = account_of(call);
    Json list = Json::array();
    for (const auto& [id, name] : account.tags) {
        const auto tag = id;
        const auto count = std::count_if(account.users.begin(), account.users.end(),
                                         [&](const auto& entry) { return entry.second.follows && entry.second.tags.contains(tag); });
        list.push_back({{"id", id}, {"name", name}, {"count", count}});
    }
    return {{"tags", std::move(list)}};
}

Json OfficialAccountPeer::update_tag(const Call& call) {
    auto& tags = account_of(call).tags;
    const auto& tag = member_of(call.body, "tag");
    const auto id = integer_of(tag, "id", -1);
    const auto name = text_of(tag, "name");
    if (id >= 0 && id < 100) return fault(45058);
    const auto found = tags.find(id);
    if (found == tags.end()) return fault(45159);
    if (name.empty() || name.size() > tag_name_max) return fault(45157);
    found->second = name;
    return {};
}

Json OfficialAccountPeer::delete_tag(const Call& call) {
    auto& account = account_of(call);
    const auto id = integer_of(member_of(call.body, "tag"), "id", -1);
    if (id >= 0 && id < 100) return fault(45058);
    if (account.tags.erase(id) == 0) return fault(45159);
    for (auto& [openid, user] : account.users) user.tags.erase(id);
    return {};
}

Json OfficialAccountPeer::tag_users(const Call& call) { return change_tags(call, true); }
Json OfficialAccountPeer::untag_users(const Call& call) { return change_tags(call, false); }

Json OfficialAccountPeer::change_tags(const Call& call, bool add) {
    auto& account = account_of(call);
    const auto openids = texts_of(call.body, "openid_list");
    const auto id = integer_of(call.body, "tagid", -1);
    if (openids.empty() || openids.size() > tag_batch_max) return fault(40032);
    if (!account.tags.contains(id)) return fault(45159);
    for (const auto& openid : openids) {
        const auto* const user = user_of(account, openid);
        if (user == nullptr || !user->follows) return fault(40003);
        if (add && !user->tags.contains(id) && user->tags.size() >= user_tags_max) return fault(45059);
    }
    for (const auto& openid : openids) {
        auto& tags = account.users.at(openid).tags;
        if (add) tags.insert(id);
        else tags.erase(id);
    }
    return {};
}

Json OfficialAccountPeer::tags_of_user(const Call& call) {
    const auto* const user = user_of(account_of(call), text_of(call.body, "openid"));
    return user == nullptr ? fault(40003) : Json{{"tagid_list", user->tags}};
}

Json OfficialAccountPeer::users_of_tag(const Call& call) {
    const auto& account = account_of(call);
    const auto id = integer_of(call.body, "tagid", -1);
    if (!account.tags.contains(id)) return fault(45159);
    auto list =
        openids_after(account.users, text_of(call.body, "next_openid"), [&](const User& user) { return user.follows && user.tags.contains(id); });
    Json answer{{"count", list.size()}, {"next_openid", list.empty() ? std::string{} : list.back().get<std::string>()}};
    if (!list.empty()) answer["data"] = {{"openid", std::move(list)}};
    return answer;
}

Json OfficialAccountPeer::list_blacklist(const Call& call) {
    const auto& users = account_of(call).users;
    auto list = openids_after(users, text_of(call.body, "begin_openid"), [](const User& user) { return user.blacklisted; });
    const auto total = std::count_if(users.begin(), users.end(), [](const auto& entry) { return entry.second.blacklisted; });
    Json answer{{"total", total}, {"count", list.size()}, {"next_openid", list.empty() ? std::string{} : list.back().get<std::string>()}};
    if (!list.empty()) answer["data"] = {{"openid", std::move(list)}};
    return answer;
}

Json OfficialAccountPeer::change_blacklist(const Call& call) {
    auto& account = account_of(call);
    const auto openids = texts_of(call.body, "openid_list");
    if (openids.empty() || openids.size() > 20) return fault(40032);
    for (const auto& openid : openids)
        if (!account.users.contains(openid)) return fault(40003);
    for (const auto& openid : openids) account.users.at(openid).blacklisted = call.request.path().ends_with("batchblacklist");
    return {};
}

}  // namespace touchgate::sandbox
