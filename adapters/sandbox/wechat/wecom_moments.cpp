// Moments (客户朋友圈): a task that each member has to publish.
#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/paging.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

void WecomPeer::register_moments() {
    on("POST", "/cgi-bin/externalcontact/add_moment_task", &WecomPeer::add_moment);
    on("GET", "/cgi-bin/externalcontact/get_moment_task_result", &WecomPeer::moment_job);
    on("POST", "/cgi-bin/externalcontact/get_moment_task", &WecomPeer::moment_members);
    on("POST", "/cgi-bin/externalcontact/get_moment_customer_list", &WecomPeer::moment_customers);
    on("POST", "/cgi-bin/externalcontact/get_moment_send_result", &WecomPeer::moment_customers);
    on("POST", "/cgi-bin/externalcontact/get_moment_list", &WecomPeer::list_moments);
    on("POST", "/cgi-bin/externalcontact/get_moment_comments", &WecomPeer::moment_comments);
    on("POST", "/cgi-bin/externalcontact/cancel_moment_task", &WecomPeer::cancel_moment);
}

Json WecomPeer::add_moment(const Call& call) {
    if (bad_characters(call)) return fault(40033);
    const auto text = text_of(member_of(call.body, "text"), "content");
    const auto& attachments = items_of(call.body, "attachments");
    if (text.empty() && attachments.empty()) return fault(41089);
    if (text.size() > 4'000) return fault(45002);
    if (attachments.size() > 9) return fault(41064);
    for (const auto& attachment : attachments) {
        const auto type = text_of(attachment, "msgtype");
        if (type != "image" && type != "video" && type != "link") return fault(41065);
        if (type == "link") continue;
        const auto media_id = text_of(member_of(attachment, type), "media_id");
        if (!media_known(media_id, call.now)) return fault(40007);
        if (!media_is_attachment(media_id)) return fault(41072);
    }
    const auto& range = member_of(call.body, "visible_range");
    Moment moment{
        .moment_id = new_id("mom", 32), .creator = call.application, .content = Json::object(), .created = call.now.wall, .members = {}, .tags = {}, .likes = {}, .comments = {}};
    for (const auto* key : {"text", "attachments"})
        if (call.body.contains(key)) moment.content[key] = call.body[key];
    for (const auto& tag : texts_of(member_of(range, "external_contact_list"), "tag_list")) moment.tags.insert(tag);
    const auto senders = texts_of(member_of(range, "sender_list"), "user_list");
    for (const auto& userid : senders.empty() ? members_ : senders)
        if (is_member(userid)) moment.members.emplace(userid, Instant{});
    if (moment.members.empty()) return fault(40003);
    const auto jobid = new_id("job", 32);
    const auto& kept = moments_.emplace(jobid, std::move(moment)).first->second;
    for (const auto& [userid, published] : kept.members) {
        if (!chance(wecom_.press)) continue;
        later(wecom_.press_delay.draw(random_), call.now, [this, jobid, userid](Now then) { static_cast<void>(publish(jobid, userid, then)); });
    }
    return {{"jobid", jobid}};
}

Json WecomPeer::moment_job(const Call& call) {
    const auto found = moments_.find(std::string{value_of(call.parameters, "jobid")});
    if (found == moments_.end() || found->second.created + 24h < call.now.wall) return fault(40058);
    if (call.now.wall < found->second.created + wecom_.dispatch) return {{"status", 1}, {"type", "add_moment_task"}};
    return {{"status", 3},
            {"type", "add_moment_task"},
            {"result",
             {{"errcode", 0},
              {"errmsg", "ok"},
              {"moment_id", found->second.moment_id},
              {"invalid_sender_list", {{"user_list", Json::array()}, {"department_list", Json::array()}}},
              {"invalid_external_contact_list", {{"tag_list", Json::array()}}}}}};
}

WecomPeer::Moment* WecomPeer::find_moment(const std::string& moment_id) {
    for (auto& [jobid, moment] : moments_)
        if (moment.moment_id == moment_id) return &moment;
    return nullptr;
}

Json WecomPeer::moment_members(const Call& call) {
    const auto* const moment = find_moment(text_of(call.body, "moment_id"));
    if (moment == nullptr) return fault(41060);
    const std::vector<std::pair<std::string, Instant>> rows{moment->members.begin(), moment->members.end()};
    const auto page = page_of(call.body, rows.size(), 500, 1'000);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i) list.push_back({{"userid", rows[i].first}, {"publish_status", rows[i].second == Instant{} ? 0 : 1}});
    return {{"task_list", std::move(list)}, {"next_cursor", page.next_cursor}};
}

std::vector<std::string> WecomPeer::moment_audience(const Moment& moment, const std::string& userid) const {
    std::vector<std::string> audience;
    const auto of_member = customers_of_.find(userid);
    if (of_member == customers_of_.end()) return audience;
    for (const auto& id : of_member->second) {
        const auto& customer = customers_by_id_.at(id);
        const auto relation = customer.members.find(userid);
        if (relation == customer.members.end() || relation->second.lost) continue;
        const auto& held = relation->second.tags;
        if (moment.tags.empty() || std::any_of(held.begin(), held.end(), [&](const std::string& tag) { return moment.tags.contains(tag); }))
            audience.push_back(id);
    }
    return audience;
}

Json WecomPeer::moment_customers(const Call& call) {
    const auto* const moment = find_moment(text_of(call.body, "moment_id"));
    if (moment == nullptr) return fault(41060);
    const auto userid = text_of(call.body, "userid");
    const auto member = moment->members.find(userid);
    if (member == moment->members.end()) return fault(41061);
    const bool results = call.request.path().ends_with("send_result");
    if (results && member->second == Instant{}) return fault(41062);
    const auto audience = moment_audience(*moment, userid);
    const auto page = page_of(call.body, audience.size(), 500, 1'000);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i) {
        Json item{{"external_userid", audience[i]}};
        if (!results) item["userid"] = userid;
        list.push_back(std::move(item));
    }
    return {{"customer_list", std::move(list)}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::list_moments(const Call& call) {
    const auto start = integer_of(call.body, "start_time", 0), end = integer_of(call.body, "end_time", 0);
    if (start <= 0 || end < start || end - start > 30 * 86'400) return fault(40058);
    std::vector<const Moment*> found;
    for (const auto& [jobid, moment] : moments_) {
        const auto created = unix_ms(moment.created) / 1'000;
        if (created >= start && created <= end && !moment.cancelled) found.push_back(&moment);
    }
    const auto page = page_of(call.body, found.size(), 20, 20);
    if (page.code != 0) return fault(page.code);
    Json list = Json::array();
    for (auto i = page.from; i < page.to; ++i)
        list.push_back({{"moment_id", found[i]->moment_id}, {"create_time", unix_ms(found[i]->created) / 1'000}, {"create_type", 0}, {"visible_type", 1}});
    return {{"moment_list", std::move(list)}, {"next_cursor", page.next_cursor}};
}

Json WecomPeer::moment_comments(const Call& call) {
    const auto* const moment = find_moment(text_of(call.body, "moment_id"));
    if (moment == nullptr) return fault(41060);
    const auto userid = text_of(call.body, "userid");
    const auto member = moment->members.find(userid);
    if (member == moment->members.end()) return fault(41061);
    if (member->second == Instant{}) return fault(41062);
    const auto listed = [&](const auto& acts) {
        Json list = Json::array();
        for (const auto& [who, at] : acts)
            if (who.first == userid) list.push_back({{"external_userid", who.second}, {"create_time", unix_ms(at) / 1'000}});
        return list;
    };
    return {{"comment_list", listed(moment->comments)}, {"like_list", listed(moment->likes)}};
}

Json WecomPeer::cancel_moment(const Call& call) {
    auto* const moment = find_moment(text_of(call.body, "moment_id"));
    if (moment == nullptr) return fault(41060);
    moment->cancelled = true;
    return {};
}

std::uint64_t WecomPeer::publish(const std::string& jobid, const std::string& userid, Now now) {
    const auto found = moments_.find(jobid);
    if (found == moments_.end() || found->second.cancelled) return 0;
    auto& moment = found->second;
    const auto member = moment.members.find(userid);
    if (member == moment.members.end() || member->second != Instant{}) return 0;
    member->second = now.wall;
    const auto audience = moment_audience(moment, userid);
    for (const auto& id : audience) {
        const auto part = arrive({.application = moment.creator,
                                  .to = id,
                                  .from = userid,
                                  .text = readable(moment.content),
                                  .kind = "moment",
                                  .raw = moment.content.dump()},
                                 now);
        store_.set_answered(part);
        set_state(part, true, "1");
    }
    return audience.size();
}

}  // namespace touchgate::sandbox
