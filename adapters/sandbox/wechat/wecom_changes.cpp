// What administrators change by API: contact ways, tags, transfers of customers and groups, ways into groups, templates of group welcomes.
#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/paging.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

namespace {

std::int64_t seconds(Instant at) { return unix_ms(at) / 1'000; }

}  // namespace

void WecomPeer::register_changes() {
    on("POST", "/cgi-bin/externalcontact/update_contact_way", &WecomPeer::update_contact_way);
    on("POST", "/cgi-bin/externalcontact/list_contact_way", &WecomPeer::list_contact_ways);
    on("POST", "/cgi-bin/externalcontact/edit_corp_tag", &WecomPeer::edit_tag);
    on("POST", "/cgi-bin/externalcontact/transfer_customer", &WecomPeer::transfer_customers);
    on("POST", "/cgi-bin/externalcontact/resigned/transfer_customer", &WecomPeer::transfer_customers);
    on("POST", "/cgi-bin/externalcontact/transfer_result", &WecomPeer::transfer_result);
    on("POST", "/cgi-bin/externalcontact/resigned/transfer_result", &WecomPeer::transfer_result);
    on("POST", "/cgi-bin/externalcontact/get_unassigned_list", &WecomPeer::list_unassigned);
    on("POST", "/cgi-bin/externalcontact/groupchat/transfer", &WecomPeer::transfer_groups);
    on("POST", "/cgi-bin/externalcontact/groupchat/onjob_transfer", &WecomPeer::transfer_groups);
    on("POST", "/cgi-bin/externalcontact/groupchat/add_join_way", &WecomPeer::add_join_way);
    on("POST", "/cgi-bin/externalcontact/groupchat/get_join_way", &WecomPeer::get_join_way);
    on("POST", "/cgi-bin/externalcontact/groupchat/update_join_way", &WecomPeer::update_join_way);
    on("POST", "/cgi-bin/externalcontact/groupchat/del_join_way", &WecomPeer::delete_join_way);
    on("POST", "/cgi-bin/externalcontact/group_welcome_template/add", &WecomPeer::add_group_welcome);
    on("POST", "/cgi-bin/externalcontact/group_welcome_template/edit", &WecomPeer::edit_group_welcome);
    on("POST", "/cgi-bin/externalcontact/group_welcome_template/get", &WecomPeer::get_group_welcome);
    on("POST", "/cgi-bin/externalcontact/group_welcome_template/del", &WecomPeer::delete_group_welcome);
}

Json WecomPeer::update_contact_way(const Call& call) {
    const auto found = contact_ways_.find(text_of(call.body, "config_id"));
    if (found == contact_ways_.end()) return fault(41044);
    if (text_of(call.body, "state").size() > 90) return fault(40058);
    for (const auto& [name, value] : call.body.items())
        if (name != "config_id") found->second[name] = value;
    return {};
}

Json WecomPeer::list_contact_ways(const Call& call) {
    std::vector<const std::string*> ids;
    for (const auto& [id, way] : contact_ways_) ids.push_back(&id);
    const auto page = page_of(call.body, ids.size(), 100, 1'000);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i) list.push_back({{"config_id", *ids[i]}});
    return {{"contact_way", std::move(list)}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::edit_tag(const Call& call) {
    const auto id = text_of(call.body, "id"), name = text_of(call.body, "name");
    if (const auto group = tags_.find(id); group != tags_.end()) {
        if (!name.empty()) group->second.name = name;
        return {};
    }
    for (auto& [group_id, group] : tags_)
        if (const auto tag = group.tags.find(id); tag != group.tags.end()) {
            if (!name.empty()) tag->second = name;
            return {};
        }
    return fault(40068);
}

void WecomPeer::resign(const std::string& userid, Now now) {
    std::erase(members_, userid);
    for (const auto& id : customers_of_[userid]) {
        customers_by_id_.at(id).members.erase(userid);
        unassigned_.push_back({.userid = userid, .customer = id, .at = now.wall});
    }
    customers_of_.erase(userid);
}

Json WecomPeer::list_unassigned(const Call& call) {
    const auto page = page_of({{"cursor", text_of(call.body, "cursor")}, {"limit", integer_of(call.body, "page_size", 1'000)}}, unassigned_.size(), 1'000, 1'000);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i)
        list.push_back({{"handover_userid", unassigned_[i].userid}, {"external_userid", unassigned_[i].customer}, {"dimission_time", seconds(unassigned_[i].at)}});
    return {{"info", std::move(list)}, {"is_last", page.next_cursor.empty()}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::transfer_customers(const Call& call) {
    const bool resigned = call.request.path().find("/resigned/") != std::string_view::npos;
    const auto from = text_of(call.body, "handover_userid"), to = text_of(call.body, "takeover_userid");
    const auto ids = texts_of(call.body, "external_userid");
    if (ids.empty() || ids.size() > 100) return fault(40058);
    if (from == to) return fault(40130);
    if (!is_member(to)) return fault(40098);
    if (resigned == is_member(from)) return fault(resigned ? 40097 : 40003);
    Json list = Json::array();
    for (const auto& id : ids) {
        const auto customer = customers_by_id_.find(id);
        const auto place = std::find_if(unassigned_.begin(), unassigned_.end(), [&](const Unassigned& each) { return each.userid == from && each.customer == id; });
        const bool his = customer != customers_by_id_.end() && (resigned ? place != unassigned_.end() : customer->second.members.contains(from));
        list.push_back({{"external_userid", id}, {"errcode", his ? 0 : 40096}});
        if (!his) continue;
        if (resigned) {
            unassigned_.erase(place);
            customer->second.members[to] = {.since = call.now.wall, .last_chat = call.now.wall, .state = {}, .remark = customer->second.name, .description = {}, .tags = {}};
        } else {
            auto relation = customer->second.members.extract(from);
            customers_of_[from].erase(id);
            relation.key() = to;
            customer->second.members.insert(std::move(relation));
        }
        customers_of_[to].insert(id);
        transfers_.push_back({.from = from, .to = to, .customer = id, .resigned = resigned, .at = call.now.wall});
    }
    return {{"customer", std::move(list)}};
}

Json WecomPeer::transfer_result(const Call& call) {
    const bool resigned = call.request.path().find("/resigned/") != std::string_view::npos;
    const auto from = text_of(call.body, "handover_userid"), to = text_of(call.body, "takeover_userid");
    Json list = Json::array();
    for (const auto& transfer : transfers_)
        if (transfer.from == from && transfer.to == to && transfer.resigned == resigned)
            list.push_back({{"external_userid", transfer.customer}, {"status", 1}, {"takeover_time", seconds(transfer.at)}});
    return {{"customer", std::move(list)}, {"next_cursor", ""}};
}

Json WecomPeer::transfer_groups(const Call& call) {
    const auto to = text_of(call.body, "new_owner");
    const auto ids = texts_of(call.body, "chat_id_list");
    if (ids.empty() || ids.size() > 100) return fault(40058);
    if (!is_member(to)) return fault(40003);
    Json failed = Json::array();
    for (const auto& id : ids) {
        const auto group = groups_.find(id);
        if (group == groups_.end() || group->second.dissolved) {
            failed.push_back({{"chat_id", id}, {"errcode", 40050}, {"errmsg", "no such group"}});
            continue;
        }
        group->second.owner = to;
        group->second.people.insert_or_assign(to, Group::Person{.customer = false, .joined = call.now.wall, .scene = 1, .state = {}});
        ++group->second.version;
    }
    return {{"failed_chat_list", std::move(failed)}};
}

Json WecomPeer::add_join_way(const Call& call) {
    const auto chats = texts_of(call.body, "chat_id_list");
    if (chats.empty() || chats.size() > 5) return fault(40058);
    for (const auto& id : chats)
        if (!groups_.contains(id)) return fault(40050);
    const auto id = new_id("", 32);
    join_ways_[id] = call.body;
    return {{"config_id", id}};
}

Json WecomPeer::get_join_way(const Call& call) {
    const auto found = join_ways_.find(text_of(call.body, "config_id"));
    if (found == join_ways_.end()) return fault(41044);
    auto way = found->second;
    way["config_id"] = found->first;
    way["qr_code"] = "http://sandbox.invalid/join/" + found->first;
    return {{"join_way", std::move(way)}};
}

Json WecomPeer::update_join_way(const Call& call) {
    const auto found = join_ways_.find(text_of(call.body, "config_id"));
    if (found == join_ways_.end()) return fault(41044);
    found->second = call.body;
    return {};
}

Json WecomPeer::delete_join_way(const Call& call) { return join_ways_.erase(text_of(call.body, "config_id")) == 0 ? fault(41044) : Json::object(); }

Json WecomPeer::add_group_welcome(const Call& call) {
    if (group_welcomes_.size() >= 100) return fault(45024);
    if (call.body.empty()) return fault(40058);
    const auto id = new_id("msg", 32);
    group_welcomes_[id] = call.body;
    return {{"template_id", id}};
}

Json WecomPeer::edit_group_welcome(const Call& call) {
    const auto found = group_welcomes_.find(text_of(call.body, "template_id"));
    if (found == group_welcomes_.end()) return fault(40058);
    found->second = call.body;
    return {};
}

Json WecomPeer::get_group_welcome(const Call& call) {
    const auto found = group_welcomes_.find(text_of(call.body, "template_id"));
    if (found == group_welcomes_.end()) return fault(40058);
    auto shown = found->second;
    shown.erase("template_id");
    return shown;
}

Json WecomPeer::delete_group_welcome(const Call& call) { return group_welcomes_.erase(text_of(call.body, "template_id")) == 0 ? fault(40058) : Json::object(); }

}  // namespace touchgate::sandbox
