// Reading and marking customers, contact ways, customer groups, and the welcome message.
#include <algorithm>
#include <charconv>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/paging.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

namespace {

std::int64_t seconds(Instant at) { return unix_ms(at) / 1'000; }

bool contains(const std::vector<std::string>& list, const std::string& word) { return std::find(list.begin(), list.end(), word) != list.end(); }

}  // namespace

void WecomPeer::register_contacts() {
    on("GET", "/cgi-bin/externalcontact/get", &WecomPeer::get_customer);
    on("POST", "/cgi-bin/externalcontact/batch/get_by_user", &WecomPeer::get_by_user);
    on("GET", "/cgi-bin/externalcontact/list", &WecomPeer::list_customers);
    on("GET", "/cgi-bin/externalcontact/get_follow_user_list", &WecomPeer::list_follow_users);
    on("POST", "/cgi-bin/externalcontact/remark", &WecomPeer::remark_customer);
    on("POST", "/cgi-bin/externalcontact/get_corp_tag_list", &WecomPeer::list_tags);
    on("POST", "/cgi-bin/externalcontact/add_corp_tag", &WecomPeer::add_tags);
    on("POST", "/cgi-bin/externalcontact/del_corp_tag", &WecomPeer::delete_tags);
    on("POST", "/cgi-bin/externalcontact/mark_tag", &WecomPeer::mark_tags);
    on("POST", "/cgi-bin/externalcontact/unionid_to_external_userid", &WecomPeer::find_by_unionid);
    on("POST", "/cgi-bin/idconvert/unionid_to_external_userid", &WecomPeer::find_by_unionid);
    on("POST", "/cgi-bin/externalcontact/add_contact_way", &WecomPeer::add_contact_way);
    on("POST", "/cgi-bin/externalcontact/get_contact_way", &WecomPeer::get_contact_way);
    on("POST", "/cgi-bin/externalcontact/del_contact_way", &WecomPeer::delete_contact_way);
    on("POST", "/cgi-bin/externalcontact/groupchat/list", &WecomPeer::list_groups);
    on("POST", "/cgi-bin/externalcontact/groupchat/get", &WecomPeer::get_group);
    on("POST", "/cgi-bin/externalcontact/send_welcome_msg", &WecomPeer::send_welcome);
}

Json WecomPeer::contact_json(const std::string& id, const Customer& customer) const {
    return {{"external_userid", id}, {"name", customer.name},      {"avatar", "http://sandbox.invalid/" + id}, {"type", 1},
            {"gender", 0},           {"unionid", customer.unionid}};
}

Json WecomPeer::follow_json(const std::string& userid, const Relation& relation, bool whole_tags) const {
    Json follow{{"userid", userid},
                {"remark", relation.remark},
                {"description", relation.description},
                {"createtime", seconds(relation.since)},
                {"remark_mobiles", Json::array()},
                {"add_way", relation.add_way},
                {"oper_userid", userid},
                {"state", relation.state}};
    auto& list = follow[whole_tags ? "tags" : "tag_id"] = Json::array();
    for (const auto& tag : relation.tags) {
        if (!whole_tags) {
            list.push_back(tag);
            continue;
        }
        for (const auto& [group_id, group] : tags_)
            if (const auto found = group.tags.find(tag); found != group.tags.end())
                list.push_back({{"group_name", group.name}, {"tag_name", found->second}, {"tag_id", tag}, {"type", 1}});
    }
    return follow;
}

Json WecomPeer::get_customer(const Call& call) {
    const std::string id{value_of(call.parameters, "external_userid")};
    const auto found = customers_by_id_.find(id);
    if (found == customers_by_id_.end()) return fault(40096);
    if (found->second.members.empty()) return fault(84061);
    Json followers = Json::array();
    for (const auto& [userid, relation] : found->second.members) followers.push_back(follow_json(userid, relation, true));
    return {{"external_contact", contact_json(id, found->second)}, {"follow_user", std::move(followers)}};
}

Json WecomPeer::get_by_user(const Call& call) {
    const auto userids = texts_of(call.body, "userid_list");
    if (userids.empty() || userids.size() > 100) return fault(40058);
    for (const auto& userid : userids)
        if (!is_member(userid)) return fault(60111);
    if (std::all_of(userids.begin(), userids.end(), [&](const std::string& userid) { return customers_of_[userid].empty(); })) return fault(84061);
    const auto limit = integer_of(call.body, "limit", 50);
    if (limit < 0 || limit > 100) return fault(40058);
    const auto count = static_cast<std::size_t>(limit == 0 ? 50 : limit);
    // Half a million customers have thousands of pages: the cursor names the place, "<number of the member>:<last customer>".
    std::size_t member = 0;
    std::string after;
    if (const auto cursor = text_of(call.body, "cursor"); !cursor.empty()) {
        const auto colon = cursor.find(':');
        const auto* const end = cursor.data() + std::min(colon, cursor.size());
        const auto [stopped, wrong] = std::from_chars(cursor.data(), end, member);
        if (colon == std::string::npos || wrong != std::errc{} || stopped != end || member >= userids.size()) return fault(50100);
        after = cursor.substr(colon + 1);
    }
    Json list = Json::array();
    std::string next;
    for (; member < userids.size() && next.empty(); ++member, after.clear()) {
        const auto& ids = customers_of_[userids[member]];
        for (auto id = ids.upper_bound(after); id != ids.end(); ++id) {
            if (list.size() == count) {
                next = std::to_string(member) + ":" + after;
                break;
            }
            const auto& customer = customers_by_id_.at(*id);
            list.push_back({{"external_contact", contact_json(*id, customer)}, {"follow_info", follow_json(userids[member], customer.members.at(userids[member]), false)}});
            after = *id;
        }
    }
    return {{"external_contact_list", std::move(list)}, {"next_cursor", next}};
}

Json WecomPeer::list_customers(const Call& call) {
    const std::string userid{value_of(call.parameters, "userid")};
    if (!is_member(userid)) return fault(60111);
    Json list = customers_of_[userid];
    if (list.empty()) return fault(84061);
    return {{"external_userid", std::move(list)}};
}

Json WecomPeer::list_follow_users(const Call&) { return {{"follow_user", members_}}; }

Json WecomPeer::remark_customer(const Call& call) {
    const auto found = customers_by_id_.find(text_of(call.body, "external_userid"));
    if (found == customers_by_id_.end()) return fault(40096);
    const auto relation = found->second.members.find(text_of(call.body, "userid"));
    if (relation == found->second.members.end()) return fault(84061);
    if (call.body.contains("remark")) relation->second.remark = text_of(call.body, "remark");
    if (call.body.contains("description")) relation->second.description = text_of(call.body, "description");
    return {};
}

Json WecomPeer::list_tags(const Call& call) {
    const auto wanted_groups = texts_of(call.body, "group_id"), wanted_tags = texts_of(call.body, "tag_id");
    Json groups = Json::array();
    for (const auto& [id, group] : tags_) {
        if (!wanted_groups.empty() && !contains(wanted_groups, id)) continue;
        Json tags = Json::array();
        for (const auto& [tag_id, name] : group.tags) {
            if (wanted_groups.empty() && !wanted_tags.empty() && !contains(wanted_tags, tag_id)) continue;
            tags.push_back({{"id", tag_id}, {"name", name}, {"create_time", seconds(group.created)}, {"order", 0}});
        }
        if (!tags.empty())
            groups.push_back(
                {{"group_id", id}, {"group_name", group.name}, {"create_time", seconds(group.created)}, {"order", 0}, {"tag", std::move(tags)}});
    }
    return {{"tag_group", std::move(groups)}};
}

Json WecomPeer::add_tags(const Call& call) {
    if (bad_characters(call)) return fault(40033);
    auto group_id = text_of(call.body, "group_id");
    const auto group_name = text_of(call.body, "group_name");
    const auto& items = items_of(call.body, "tag");
    if (items.empty()) return fault(40058);
    if (group_id.empty()) {
        const auto same = std::find_if(tags_.begin(), tags_.end(), [&](const auto& entry) { return entry.second.name == group_name; });
        group_id = same != tags_.end() ? same->first : new_id("et", 32);
    } else if (!tags_.contains(group_id)) {
        return fault(40068);
    }
    auto& group = tags_[group_id];
    if (group.name.empty()) group = {.name = group_name, .created = call.now.wall, .tags = {}};
    Json tags = Json::array();
    for (const auto& item : items) {
        const auto name = text_of(item, "name");
        if (name.empty()) return fault(40058);
        const auto same = std::find_if(group.tags.begin(), group.tags.end(), [&](const auto& entry) { return entry.second == name; });
        const auto id = same != group.tags.end() ? same->first : new_id("et", 32);
        group.tags[id] = name;
        tags.push_back({{"id", id}, {"name", name}, {"create_time", seconds(call.now.wall)}, {"order", 0}});
    }
    return {{"tag_group",
             {{"group_id", group_id}, {"group_name", group.name}, {"create_time", seconds(group.created)}, {"order", 0}, {"tag", std::move(tags)}}}};
}

Json WecomPeer::delete_tags(const Call& call) {
    for (const auto& id : texts_of(call.body, "group_id")) tags_.erase(id);
    const auto gone = texts_of(call.body, "tag_id");
    for (auto& [id, group] : tags_) std::erase_if(group.tags, [&](const auto& entry) { return contains(gone, entry.first); });
    std::erase_if(tags_, [](const auto& entry) { return entry.second.tags.empty(); });
    return {};
}

Json WecomPeer::mark_tags(const Call& call) {
    const auto found = customers_by_id_.find(text_of(call.body, "external_userid"));
    if (found == customers_by_id_.end()) return fault(40096);
    const auto relation = found->second.members.find(text_of(call.body, "userid"));
    if (relation == found->second.members.end()) return fault(84061);
    const auto add = texts_of(call.body, "add_tag"), remove = texts_of(call.body, "remove_tag");
    if (add.empty() && remove.empty()) return fault(40058);
    for (const auto& tag : add)
        if (std::none_of(tags_.begin(), tags_.end(), [&](const auto& entry) { return entry.second.tags.contains(tag); })) return fault(40068);
    relation->second.tags.insert(add.begin(), add.end());
    for (const auto& tag : remove) relation->second.tags.erase(tag);
    return {};
}

Json WecomPeer::find_by_unionid(const Call& call) {
    const auto unionid = text_of(call.body, "unionid");
    if (unionid.empty()) return fault(40058);
    for (const auto& [id, customer] : customers_by_id_)
        if (customer.unionid == unionid) return {{"external_userid", id}};
    return fault(84061);
}

Json WecomPeer::add_contact_way(const Call& call) {
    const auto type = integer_of(call.body, "type", 0), scene = integer_of(call.body, "scene", 0);
    const auto users = texts_of(call.body, "user");
    if (type < 1 || type > 2 || scene < 1 || scene > 2 || (type == 1 && users.size() != 1)) return fault(40058);
    if (text_of(call.body, "state").size() > 90) return fault(40058);
    for (const auto& userid : users)
        if (!is_member(userid)) return fault(40003);
    const auto id = new_id("", 32);
    contact_ways_[id] = call.body;
    Json answer{{"config_id", id}};
    if (scene == 2) answer["qr_code"] = "http://sandbox.invalid/qr/" + id;
    return answer;
}

Json WecomPeer::get_contact_way(const Call& call) {
    const auto found = contact_ways_.find(text_of(call.body, "config_id"));
    if (found == contact_ways_.end()) return fault(41044);
    auto way = found->second;
    way["config_id"] = found->first;
    return {{"contact_way", std::move(way)}};
}

Json WecomPeer::delete_contact_way(const Call& call) {
    return contact_ways_.erase(text_of(call.body, "config_id")) == 0 ? fault(41044) : Json::object();
}

Json WecomPeer::list_groups(const Call& call) {
    const auto owners = texts_of(member_of(call.body, "owner_filter"), "userid_list");
    const auto limit = integer_of(call.body, "limit", 0);
    if (limit < 1 || limit > 1'000 || owners.size() > 100) return fault(40058);
    std::vector<const std::string*> ids;
    for (const auto& [id, group] : groups_)
        if (!group.dissolved && (owners.empty() || contains(owners, group.owner))) ids.push_back(&id);
    const auto page = page_of(call.body, ids.size(), 1'000, 1'000);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i) list.push_back({{"chat_id", *ids[i]}, {"status", 0}});
    return {{"group_chat_list", std::move(list)}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::get_group(const Call& call) {
    const auto chat_id = text_of(call.body, "chat_id");
    const auto found = groups_.find(chat_id);
    if (found == groups_.end()) return fault(40050);
    const auto& group = found->second;
    if (group.dissolved) return fault(49008);
    const bool with_names = integer_of(call.body, "need_name", 0) == 1;
    Json people = Json::array();
    for (const auto& [id, person] : group.people) {
        Json item{{"userid", id},
                  {"type", person.customer ? 2 : 1},
                  {"join_time", seconds(person.joined)},
                  {"join_scene", person.scene},
                  {"group_nickname", ""}};
        if (!person.customer) {
            people.push_back(std::move(item));
            continue;
        }
        if (!person.state.empty()) item["state"] = person.state;
        if (const auto customer = customers_by_id_.find(id); customer != customers_by_id_.end()) {
            item["unionid"] = customer->second.unionid;
            if (with_names) item["name"] = customer->second.name;
        }
        people.push_back(std::move(item));
    }
    return {{"group_chat",
             {{"chat_id", chat_id},
              {"name", group.name},
              {"owner", group.owner},
              {"create_time", seconds(group.created)},
              {"notice", group.notice},
              {"member_list", std::move(people)},
              {"admin_list", Json::array()},
              {"member_version", std::to_string(group.version)}}}};
}

Json WecomPeer::send_welcome(const Call& call) {
    if (bad_characters(call)) return fault(40033);
    const auto code = text_of(call.body, "welcome_code");
    if (code.empty()) return fault(41049);
    const auto found = welcome_codes_.find(code);
    if (found == welcome_codes_.end()) return fault(41050);
    if (found->second.used) return fault(41051);
    if (found->second.until <= call.now.monotonic) return fault(41050);
    if (const int wrong = check_content(call.body, call.now, true); wrong != 0) return fault(wrong);
    found->second.used = true;
    arrive({.application = call.application,
            .to = found->second.customer,
            .from = found->second.userid,
            .text = readable(call.body),
            .kind = "welcome",
            .raw = call.request.body},
           call.now);
    return {};
}

}  // namespace touchgate::sandbox
