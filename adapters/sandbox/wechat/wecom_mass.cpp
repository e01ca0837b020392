// Mass messages (企业群发): a task that each member has to send by pressing a button. Nothing reaches a customer before.
#include <algorithm>

#include "adapters/sandbox/wechat/china_calendar.hpp"
#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/paging.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t customers_max = 10'000, groups_max = 2'000, attachments_max = 9, text_max = 4'000;

}  // namespace

void WecomPeer::register_mass() {
    on("POST", "/cgi-bin/externalcontact/add_msg_template", &WecomPeer::add_mass);
    on("POST", "/cgi-bin/externalcontact/get_groupmsg_list_v2", &WecomPeer::list_mass);
    on("POST", "/cgi-bin/externalcontact/get_groupmsg_task", &WecomPeer::mass_members);
    on("POST", "/cgi-bin/externalcontact/get_groupmsg_send_result", &WecomPeer::mass_results);
    on("POST", "/cgi-bin/externalcontact/remind_groupmsg_send", &WecomPeer::remind_mass);
    on("POST", "/cgi-bin/externalcontact/cancel_groupmsg_send", &WecomPeer::cancel_mass);
}

int WecomPeer::check_content(const Json& body, Now now, bool text_or_attachments) const {
    const auto text = text_of(member_of(body, "text"), "content");
    if (text.size() > text_max) return 45002;
    const auto& attachments = items_of(body, "attachments");
    if (attachments.size() > attachments_max) return 41064;
    if (text_or_attachments && text.empty() && attachments.empty()) return 41089;
    for (const auto& attachment : attachments) {
        const auto type = text_of(attachment, "msgtype");
        const auto& content = member_of(attachment, type);
        const bool known = type == "image" || type == "link" || type == "miniprogram" || type == "video" || type == "file";
        if (!known || !content.is_object()) return 41065;
        const auto media_id = text_of(content, type == "miniprogram" ? "pic_media_id" : "media_id");
        if (type == "link") {
            if (text_of(content, "title").empty() || text_of(content, "url").empty()) return 40058;
            continue;
        }
        if (type == "image" && media_id.empty() && !text_of(content, "pic_url").empty()) continue;
        if (!media_known(media_id, now)) return 40007;
    }
    return 0;
}

// Tags of one entry: any of them; the entries: all.
bool WecomPeer::passes_tags(const Json& filter, const Customer& customer, const std::string& userid) const {
    for (const auto& entry : items_of(filter, "group_list")) {
        const auto tags = texts_of(entry, "tag_list");
        const auto& held = customer.members.at(userid).tags;
        if (!tags.empty() && std::none_of(tags.begin(), tags.end(), [&](const std::string& tag) { return held.contains(tag); })) return false;
    }
    return true;
}

Json WecomPeer::add_mass(const Call& call) {
    if (bad_characters(call)) return fault(40033);
    auto type = text_of(call.body, "chat_type");
    if (type.empty()) type = "single";
    if (type != "single" && type != "group") return fault(40058);
    const auto sender = text_of(call.body, "sender");
    if (!sender.empty() && !is_member(sender)) return fault(40003);
    const auto customers = texts_of(call.body, "external_userid"), chats = texts_of(call.body, "chat_id_list");
    if (customers.size() > customers_max || chats.size() > groups_max) return fault(40058);
    if (const int wrong = check_content(call.body, call.now, true); wrong != 0) return fault(wrong);

    MassTask task{
        .groups = type == "group", .creator = call.application, .content = Json::object(), .created = call.now.wall, .reminders = {}, .members = {}};
    for (const auto* key : {"text", "attachments"})
        if (call.body.contains(key)) task.content[key] = call.body[key];
    Json failed = Json::array();
    std::set<std::string> seen;
    const auto add = [&](const std::string& userid, const std::string& id) {
        if (seen.insert(id).second) task.members[userid].targets.push_back({.id = id});
    };
    if (task.groups) {
        if (sender.empty()) return fault(40058);
        if (chats.empty()) {
            for (const auto& [id, group] : groups_)
                if (!group.dissolved && group.owner == sender) add(sender, id);
        }
        for (const auto& id : chats) {
            const auto found = groups_.find(id);
            if (found == groups_.end() || found->second.dissolved || found->second.owner != sender) failed.push_back(id);
            else add(sender, id);
        }
    } else {
        if (customers.empty() && sender.empty()) return fault(40058);
        const auto& filter = member_of(call.body, "tag_filter");
        const auto consider = [&](const std::string& id, const Customer& customer) {
            // The sender, or who talked to the customer last.
            const auto userid = sender.empty() ? last_chat_member(customer) : sender;
            const auto relation = customer.members.find(userid);
            if (userid.empty() || relation == customer.members.end()) return false;
            if (passes_tags(filter, customer, userid)) add(userid, id);
            return true;
        };
        if (customers.empty())
            for (const auto& [id, customer] : customers_by_id_) static_cast<void>(consider(id, customer));
        for (const auto& id : customers) {
            const auto found = customers_by_id_.find(id);
            if (found == customers_by_id_.end() || !consider(id, found->second)) failed.push_back(id);
        }
    }
    if (task.members.empty()) return fault(41048, {{"fail_list", std::move(failed)}});
    const auto msgid = new_id("msg", 32);
    const auto& kept = tasks_.emplace(msgid, std::move(task)).first->second;
    for (const auto& [userid, member] : kept.members) plan_press(msgid, userid, call.now);
    return {{"fail_list", std::move(failed)}, {"msgid", msgid}};
}

void WecomPeer::plan_press(const std::string& msgid, const std::string& userid, Now now) {
    if (!chance(wecom_.press)) return;
    later(wecom_.press_delay.draw(random_), now, [this, msgid, userid](Now then) { static_cast<void>(press(msgid, userid, then)); });
}

bool WecomPeer::mass_allowed(const std::vector<Instant>& received, Instant now) const {
    using namespace std::chrono;
    const auto today = china_day(now);
    if (wecom_.mass_rule == "day") return std::none_of(received.begin(), received.end(), [&](Instant at) { return china_day(at) == today; });
    if (wecom_.mass_rule == "week") {
        const auto monday = today - (weekday{today} - Monday);
        return std::count_if(received.begin(), received.end(), [&](Instant at) { return china_day(at) >= monday; }) < 7;
    }
    const auto first = china_month(now);
    const year_month_day date{first};
    const auto days = (sys_days{date.year() / date.month() / last} - first).count() + 1;
    return std::count_if(received.begin(), received.end(), [&](Instant at) { return china_day(at) >= first; }) < days;
}

std::pair<std::uint64_t, std::uint64_t> WecomPeer::press(const std::string& msgid, const std::string& userid, Now now) {
    std::pair<std::uint64_t, std::uint64_t> counts{0, 0};
    const auto found = tasks_.find(msgid);
    if (found == tasks_.end() || found->second.cancelled) return counts;
    auto& task = found->second;
    const auto member = task.members.find(userid);
    if (member == task.members.end() || member->second.pressed) return counts;
    member->second.pressed = true;
    member->second.sent = now.wall;
    const auto text = readable(task.content), raw = task.content.dump();
    for (auto& target : member->second.targets) {
        std::vector<Instant>* received = nullptr;
        if (task.groups) {
            const auto group = groups_.find(target.id);
            if (group != groups_.end() && !group->second.dissolved) received = &group->second.mass;
        } else {
            const auto customer = customers_by_id_.find(target.id);
            const bool friends =
                customer != customers_by_id_.end() && customer->second.members.contains(userid) && !customer->second.members.at(userid).lost;
            if (friends) received = &customer->second.mass;
        }
        target.status = received == nullptr ? 2 : mass_allowed(*received, now.wall) ? 1 : 3;
        if (target.status != 1) {
            ++counts.second;
            continue;
        }
        ++counts.first;
        target.sent = now.wall;
        received->push_back(now.wall);
        const auto part = arrive(
            {.application = task.creator, .to = target.id, .from = userid, .text = text, .kind = task.groups ? "mass_group" : "mass", .raw = raw},
            now);
        store_.set_answered(part);
        set_state(part, true, "1");
        if (!task.groups) react(target.id, userid, now);
    }
    return counts;
}

int WecomPeer::check_task(const Call& call, bool results) const {
    const auto msgid = text_of(call.body, "msgid");
    if (msgid.empty()) return 41046;
    const auto found = tasks_.find(msgid);
    if (found == tasks_.end()) return 41047;
    if (found->second.cancelled && !(results && wecom_.results_after_cancel)) return 41093;
    return results && call.now.wall < found->second.created + wecom_.dispatch ? 41063 : 0;
}

Json WecomPeer::list_mass(const Call& call) {
    const auto type = text_of(call.body, "chat_type");
    const auto from = integer_of(call.body, "start_time", -1), to = integer_of(call.body, "end_time", -1);
    if ((type != "single" && type != "group") || from < 0 || to < from || to - from > 31 * 86'400) return fault(40058);
    std::vector<std::pair<Instant, const std::string*>> ids;
    for (const auto& [id, task] : tasks_) {
        const auto created = unix_ms(task.created) / 1'000;
        if (task.groups == (type == "group") && created >= from && created <= to) ids.emplace_back(task.created, &id);
    }
    std::stable_sort(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto page = page_of(call.body, ids.size(), 50, 100);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i) {
        const auto& task = tasks_.at(*ids[i].second);
        Json item{{"msgid", *ids[i].second}, {"create_time", std::to_string(unix_ms(task.created) / 1'000)}, {"create_type", 0}};
        item.update(task.content);
        list.push_back(std::move(item));
    }
    return {{"group_msg_list", std::move(list)}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::mass_members(const Call& call) {
    if (const int code = check_task(call, true); code != 0) return fault(code);
    const auto& task = tasks_.at(text_of(call.body, "msgid"));
    std::vector<const std::pair<const std::string, MemberTask>*> rows;
    for (const auto& entry : task.members) rows.push_back(&entry);
    const auto page = page_of(call.body, rows.size(), 500, 1'000);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i) {
        Json item{{"userid", rows[i]->first}, {"status", rows[i]->second.pressed ? 2 : 0}};
        if (rows[i]->second.pressed) item["send_time"] = unix_ms(rows[i]->second.sent) / 1'000;
        list.push_back(std::move(item));
    }
    return {{"task_list", std::move(list)}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::mass_results(const Call& call) {
    if (const int code = check_task(call, true); code != 0) return fault(code);
    const auto& task = tasks_.at(text_of(call.body, "msgid"));
    const auto userid = text_of(call.body, "userid");
    const auto member = task.members.find(userid);
    if (member == task.members.end()) return fault(userid.empty() ? 40058 : 40003);
    const auto& targets = member->second.targets;
    const auto page = page_of(call.body, targets.size(), 500, 1'000);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i) {
        Json item{{task.groups ? "chat_id" : "external_userid", targets[i].id}, {"userid", userid}, {"status", targets[i].status}};
        if (targets[i].status == 1) item["send_time"] = unix_ms(targets[i].sent) / 1'000;
        list.push_back(std::move(item));
    }
    return {{"send_list", std::move(list)}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::remind_mass(const Call& call) {
    if (const int code = check_task(call, false); code != 0) return fault(code);
    const auto msgid = text_of(call.body, "msgid");
    auto& task = tasks_.at(msgid);
    std::erase_if(task.reminders, [&](Instant at) { return at + 24h <= call.now.wall; });
    if (static_cast<std::int64_t>(task.reminders.size()) >= wecom_.reminders_max) return fault(41094);
    task.reminders.push_back(call.now.wall);
    // A reminded member decides anew.
    for (const auto& [userid, member] : task.members)
        if (!member.pressed) plan_press(msgid, userid, call.now);
    return {};
}

Json WecomPeer::cancel_mass(const Call& call) {
    if (const int code = check_task(call, false); code != 0) return fault(code);
    tasks_.at(text_of(call.body, "msgid")).cancelled = true;
    return {};
}

}  // namespace touchgate::sandbox
