// What people in and around the corp do: of their own accord, or because the control API says so.
#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

void WecomPeer::register_acts() {
    on_control("POST", "/act", &WecomPeer::post_act);
    on_control("POST", "/press", &WecomPeer::post_press);
    on_control("GET", "/tasks", &WecomPeer::list_tasks);
    on_control("GET", "/people", &WecomPeer::list_people);
    live([this] { return wecom_.follows; }, [this](Now now) { somebody_follows(now); });
    live([this] { return wecom_.writes; }, [this](Now now) { somebody_writes(now); });
}

void WecomPeer::somebody_follows(Now now) {
    if (members_.empty()) return;
    const auto& userid = members_[any_of(members_.size())];
    const auto customer = add_customer({}, userid, now.wall);
    std::string welcome_code;
    follow(userid, customer, {}, false, now, welcome_code);
}

void WecomPeer::somebody_writes(Now now) {
    if (kf_.empty() || customers_by_id_.empty()) return;
    const auto account = std::next(kf_.begin(), static_cast<std::ptrdiff_t>(any_of(kf_.size())));
    const auto customer = std::next(customers_by_id_.begin(), static_cast<std::ptrdiff_t>(any_of(customers_by_id_.size())));
    const auto& words = wecom_.customers.replies;
    kf_customer_writes(account->first, customer->first, words[any_of(words.size())], {}, now);
}

Json WecomPeer::control_problem(Control& control, std::string_view key, std::string detail) {
    control.body.problem(key, std::move(detail));
    return nullptr;
}

void WecomPeer::follow(const std::string& userid, const std::string& customer, const std::string& state, bool half, Now now,
                       std::string& welcome_code) {
    auto& person = customers_by_id_.at(customer);
    auto& relation = person.members[userid];
    customers_of_[userid].insert(customer);
    relation.lost = false;
    relation.since = relation.last_chat = now.wall;
    relation.state = state;
    if (relation.remark.empty()) relation.remark = person.name;
    welcome_code = new_id("", 43);
    welcome_codes_[welcome_code] = {.userid = userid, .customer = customer, .until = now.monotonic + wecom_.welcome_validity};
    auto xml = event("change_external_contact", "sys", now);
    xml.text("ChangeType", half ? "add_half_external_contact" : "add_external_contact").text("UserID", userid).text("ExternalUserID", customer);
    if (!state.empty()) xml.text("State", state);
    broadcast("add_external_contact", xml.text("WelcomeCode", welcome_code).finish(), now);
}

void WecomPeer::leave(const std::string& customer, const std::string& userid, Now now) {
    const auto found = customers_by_id_.find(customer);
    if (found == customers_by_id_.end()) return;
    const auto relation = found->second.members.find(userid);
    if (relation == found->second.members.end() || relation->second.lost) return;
    relation->second.lost = true;
    auto xml = event("change_external_contact", "sys", now);
    broadcast("del_follow_user", xml.text("ChangeType", "del_follow_user").text("UserID", userid).text("ExternalUserID", customer).finish(), now);
}

void WecomPeer::react(const std::string& customer, const std::string& userid, Now now) {
    if (!chance(behaviour_.leave)) return;
    later(behaviour_.customers.reply_delay.draw(random_), now, [this, customer, userid](Now then) { leave(customer, userid, then); });
}

Json WecomPeer::post_act(Control& control) {
    auto& body = control.body;
    const auto act = body.choice("act",
                                 {"follow", "half_follow", "leave", "remove", "edit", "enter", "write", "take", "end", "stop", "create_group", "join",
                                  "quit", "dissolve", "member_write", "resign", "like", "comment"},
                                 "");
    if (act.empty()) return control_problem(control, "act", "must name what is done");
    if (act == "enter" || act == "write" || act == "take" || act == "end" || act == "stop") return post_kf_act(control, act);
    if (act == "create_group" || act == "join" || act == "quit" || act == "dissolve") return post_group_act(control, act);

    const auto userid = body.required_text("userid");
    auto customer = body.text("external_userid");
    const auto name = body.text("name"), unionid = body.text("unionid"), text = body.text("text", {}, {0, 2'048}), config_id = body.text("config_id"),
               agent = body.text("agentid");
    auto state = body.text("state");
    const auto tags = body.texts("tags"), untags = body.texts("untags");
    const auto moment_id = body.text("moment_id");
    body.finish();
    if (!body.problems().empty()) return nullptr;
    const auto now = control.now;
    if (act == "like" || act == "comment") {
        auto* const moment = find_moment(moment_id);
        if (moment == nullptr) return control_problem(control, "moment_id", "no such moment");
        (act == "like" ? moment->likes : moment->comments)[{userid, customer}] = now.wall;
        return {{"moment_id", moment_id}};
    }
    if (!is_member(userid)) return control_problem(control, "userid", "no such member");
    if (act == "member_write") {
        const auto& application = agent.empty() && !settings_.apps.empty() ? settings_.apps.front().agent_id : agent;
        EventXml xml;
        xml.text("ToUserName", settings_.corpid)
            .text("FromUserName", userid)
            .number("CreateTime", unix_ms(now.wall) / 1'000)
            .text("MsgType", "text")
            .text("Content", text);
        xml.number("MsgId", static_cast<std::int64_t>(7'300'000'000'000'000'000 + new_number()));
        xml.number("AgentID", integer_of({{"n", application}}, "n", 0));
        return {{"n", events_.send(application, "text", xml.finish(), {}, behaviour_, now)}};
    }
    if (act == "resign") {
        resign(userid, now);
        return {{"userid", userid}};
    }
    if (act == "follow" || act == "half_follow") {
        if (customer.empty() || !customers_by_id_.contains(customer)) customer = add_customer(customer, userid, now.wall);
        auto& person = customers_by_id_.at(customer);
        if (!name.empty()) person.name = name;
        if (!unionid.empty()) person.unionid = unionid;
        if (const auto way = contact_ways_.find(config_id); way != contact_ways_.end() && state.empty()) state = text_of(way->second, "state");
        std::string welcome_code;
        follow(userid, customer, state, act == "half_follow", now, welcome_code);
        return {{"external_userid", customer}, {"welcome_code", welcome_code}};
    }
    const auto found = customers_by_id_.find(customer);
    if (found == customers_by_id_.end() || !found->second.members.contains(userid))
        return control_problem(control, "external_userid", "no such customer of this member");
    if (act == "leave") {
        leave(customer, userid, now);
        return {{"external_userid", customer}};
    }
    // The member removes the customer, or edits what he noted of him.
    if (act == "remove") {
        found->second.members.erase(userid);
        customers_of_[userid].erase(customer);
    } else {
        auto& relation = found->second.members.at(userid);
        if (!name.empty()) relation.remark = name;
        relation.tags.insert(tags.begin(), tags.end());
        for (const auto& tag : untags) relation.tags.erase(tag);
    }
    auto xml = event("change_external_contact", "sys", now);
    const std::string change = act == "remove" ? "del_external_contact" : "edit_external_contact";
    broadcast(change, xml.text("ChangeType", change).text("UserID", userid).text("ExternalUserID", customer).finish(), now);
    return {{"external_userid", customer}};
}

Json WecomPeer::post_kf_act(Control& control, const std::string& act) {
    auto& body = control.body;
    auto open_kfid = body.text("open_kfid");
    auto customer = body.text("external_userid");
    const auto text = body.text("text", {}, {0, 2'048}), menu_id = body.text("menu_id"), scene = body.text("scene"),
               scene_param = body.text("scene_param");
    const auto servicer = body.text("servicer_userid");
    body.finish();
    if (!body.problems().empty()) return nullptr;
    const auto now = control.now;
    if (open_kfid.empty() && !kf_.empty()) open_kfid = kf_.begin()->first;
    const auto found = kf_.find(open_kfid);
    if (found == kf_.end()) return control_problem(control, "open_kfid", "no such account");
    if (act == "stop") {  // a servicer stops receiving, or starts again
        const auto known = found->second.servicers.find(servicer);
        if (known == found->second.servicers.end()) return control_problem(control, "servicer_userid", "no servicer of this account");
        known->second = 1 - known->second;
        kf_log(open_kfid,
               {{"origin", 4},
                {"msgtype", "event"},
                {"event",
                 {{"event_type", "servicer_status_change"}, {"open_kfid", open_kfid}, {"servicer_userid", servicer}, {"status", known->second + 1}}}},
               now);
        return {{"open_kfid", open_kfid}, {"status", known->second}};
    }
    // People who use customer service need not be anybody's customer.
    if (customer.empty()) customer = new_id("wm", 32);
    if (auto& person = customers_by_id_[customer]; person.name.empty()) {
        person.name = "访客" + std::to_string(customers_by_id_.size());
        person.unionid = new_id("oU", 28);
    }
    Json answer{{"open_kfid", open_kfid}, {"external_userid", customer}};
    auto& session = found->second.sessions[customer];
    const auto log_event = [&](Json fields) {
        fields["open_kfid"] = open_kfid;
        fields["external_userid"] = customer;
        kf_log(open_kfid, {{"external_userid", customer}, {"origin", 4}, {"msgtype", "event"}, {"event", std::move(fields)}}, now);
    };
    if (act == "write") {
        if (text.empty()) return control_problem(control, "text", "must not be empty");
        kf_customer_writes(open_kfid, customer, text, menu_id, now);
    } else if (act == "enter") {
        Json fields{{"event_type", "enter_session"}, {"scene", scene}, {"scene_param", scene_param}};
        const bool wrote = session.last_message && *session.last_message + 48h > now.wall,
                   welcomed = session.welcomed && *session.welcomed + 48h > now.wall;
        if (!wrote && !welcomed) {
            session.welcomed = now.wall;
            fields["welcome_code"] = answer["welcome_code"] = new_event_code(open_kfid, customer, -1, now);
        }
        log_event(std::move(fields));
    } else {  // a servicer takes the session from the pool, or ends it
        const int state = act == "take" ? 3 : 4;
        Json fields{{"event_type", "session_status_change"},
                    {"change_type", act == "take" ? 1 : 3},
                    {"old_servicer_userid", session.servicer},
                    {"new_servicer_userid", act == "take" ? servicer : ""}};
        session.state = state;
        if (act == "take") session.servicer = servicer;
        fields["msg_code"] = answer["msg_code"] = new_event_code(open_kfid, customer, state, now);
        log_event(std::move(fields));
    }
    return answer;
}

Json WecomPeer::post_group_act(Control& control, const std::string& act) {
    auto& body = control.body;
    auto chat_id = body.text("chat_id");
    const auto owner = body.text("userid"), customer = body.text("external_userid"), name = body.text("name"), state = body.text("state");
    body.finish();
    if (!body.problems().empty()) return nullptr;
    const auto now = control.now;
    auto xml = event("change_external_chat", "sys", now);
    if (act == "create_group") {
        if (!is_member(owner)) return control_problem(control, "userid", "no such member");
        if (chat_id.empty()) chat_id = new_id("wr", 32);
        Group group{.name = name.empty() ? "客户群" : name, .owner = owner, .notice = {}, .created = now.wall, .people = {}, .mass = {}};
        group.people.emplace(owner, Group::Person{.customer = false, .joined = now.wall, .scene = 1, .state = {}});
        groups_[chat_id] = std::move(group);
        broadcast("change_external_chat", xml.text("ChatId", chat_id).text("ChangeType", "create").finish(), now);
        return {{"chat_id", chat_id}};
    }
    const auto found = groups_.find(chat_id);
    if (found == groups_.end() || found->second.dissolved) return control_problem(control, "chat_id", "no such group");
    auto& group = found->second;
    if (act == "dissolve") {
        group.dissolved = true;
        broadcast("change_external_chat", xml.text("ChatId", chat_id).text("ChangeType", "dismiss").finish(), now);
        return {{"chat_id", chat_id}};
    }
    if (!customers_by_id_.contains(customer)) return control_problem(control, "external_userid", "no such customer");
    if (act == "join") group.people[customer] = {.joined = now.wall, .state = state};
    else if (group.people.erase(customer) == 0) return control_problem(control, "external_userid", "is not in the group");
    const auto before = group.version++;
    xml.text("ChatId", chat_id).text("ChangeType", "update").text("UpdateDetail", act == "join" ? "add_member" : "del_member");
    xml.number("JoinScene", act == "join" ? 3 : 0).number("QuitScene", 0).number("MemChangeCnt", 1);
    xml.open("MemChangeList").text("Item", customer).close("MemChangeList");
    xml.text("LastMemVer", std::to_string(before)).text("CurMemVer", std::to_string(group.version));
    broadcast("change_external_chat", xml.finish(), now);
    return {{"chat_id", chat_id}};
}

Json WecomPeer::post_press(Control& control) {
    const auto msgid = control.body.text("msgid"), userid = control.body.text("userid");
    control.body.finish();
    if (!control.body.problems().empty()) return nullptr;
    if (!msgid.empty() && !tasks_.contains(msgid) && !moments_.contains(msgid) && find_moment(msgid) == nullptr)
        return control_problem(control, "msgid", "no such task");
    std::uint64_t sent = 0, failed = 0;
    std::vector<std::pair<std::string, std::string>> waiting;
    for (const auto& [id, task] : tasks_)
        for (const auto& [member, what] : task.members)
            if ((msgid.empty() || msgid == id) && (userid.empty() || userid == member) && !what.pressed) waiting.emplace_back(id, member);
    for (const auto& [id, member] : waiting) {
        const auto counts = press(id, member, control.now);
        sent += counts.first;
        failed += counts.second;
    }
    waiting.clear();
    for (const auto& [id, moment] : moments_)
        for (const auto& [member, published] : moment.members)
            if ((msgid.empty() || msgid == id || msgid == moment.moment_id) && (userid.empty() || userid == member)) waiting.emplace_back(id, member);
    for (const auto& [id, member] : waiting) sent += publish(id, member, control.now);
    return {{"sent", sent}, {"failed", failed}};
}

Json WecomPeer::list_tasks(Control& control) {
    control.body.finish();
    Json items = Json::array();
    for (const auto& [id, task] : tasks_) {
        Json members = Json::array();
        for (const auto& [userid, member] : task.members) {
            Json targets = Json::array();
            for (const auto& target : member.targets) targets.push_back({{"id", target.id}, {"status", target.status}});
            members.push_back({{"userid", userid}, {"pressed", member.pressed}, {"targets", std::move(targets)}});
        }
        items.push_back({{"msgid", id},
                         {"chat_type", task.groups ? "group" : "single"},
                         {"application", task.creator},
                         {"created", format_instant(task.created)},
                         {"cancelled", task.cancelled},
                         {"reminders", task.reminders.size()},
                         {"content", task.content},
                         {"members", std::move(members)}});
    }
    Json moments = Json::array();
    for (const auto& [id, moment] : moments_) {
        Json members = Json::array();
        for (const auto& [userid, published] : moment.members) members.push_back({{"userid", userid}, {"published", published != Instant{}}});
        moments.push_back({{"jobid", id},
                           {"moment_id", moment.moment_id},
                           {"cancelled", moment.cancelled},
                           {"content", moment.content},
                           {"members", std::move(members)}});
    }
    return {{"items", std::move(items)}, {"moments", std::move(moments)}};
}

Json WecomPeer::list_people(Control& control) {
    control.body.finish();
    Json customers = Json::array(), groups = Json::array(), accounts = Json::array();
    for (const auto& [id, customer] : customers_by_id_) {
        Json followers = Json::array();
        for (const auto& [userid, relation] : customer.members)
            followers.push_back({{"userid", userid}, {"lost", relation.lost}, {"state", relation.state}});
        customers.push_back({{"external_userid", id},
                             {"name", customer.name},
                             {"unionid", customer.unionid},
                             {"members", std::move(followers)},
                             {"mass_messages", customer.mass.size()}});
    }
    for (const auto& [id, group] : groups_)
        groups.push_back(
            {{"chat_id", id}, {"name", group.name}, {"owner", group.owner}, {"people", group.people.size()}, {"dissolved", group.dissolved}});
    for (const auto& [id, account] : kf_) accounts.push_back({{"open_kfid", id}, {"name", account.name}});
    return {{"members", members_}, {"customers", std::move(customers)}, {"groups", std::move(groups)}, {"kf_accounts", std::move(accounts)}};
}

}  // namespace touchgate::sandbox
