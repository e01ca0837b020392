#include "adapters/sandbox/wechat/wecom_peer.hpp"

#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

WecomPeer::WecomPeer(WecomSettings settings, const WecomBehaviour& behaviour, MessageStore& store, Random& random)
    : PlatformPeer{Via::wecom, behaviour, store, random}, settings_{std::move(settings)}, wecom_{behaviour}, members_{settings_.members} {
    on("GET", "/cgi-bin/gettoken", &WecomPeer::get_token, Access::open);
    register_contacts();
    register_changes();
    register_mass();
    register_moments();
    register_messages();
    register_kf();
    register_acts();
    for (const auto& app : settings_.apps)
        events_.set_receiver(
            app.agent_id,
            {.target = app.callback, .receive_id = settings_.corpid, .to_user = settings_.corpid, .agent_id = app.agent_id, .is_wecom = true});
    for (const auto& name : settings_.kf_accounts) static_cast<void>(add_kf_account(name));
    if (members_.empty()) return;
    for (std::int64_t i = 0; i < settings_.customers; ++i) add_customer({}, members_[static_cast<std::size_t>(i) % members_.size()], Instant{});
    for (std::int64_t i = 0; i < settings_.groups; ++i) {
        Group group{.name = "客户群 " + std::to_string(i + 1),
                    .owner = members_[static_cast<std::size_t>(i) % members_.size()],
                    .notice = {},
                    .people = {},
                    .mass = {}};
        group.people.emplace(group.owner, Group::Person{.customer = false, .joined = {}, .scene = 1, .state = {}});
        for (const auto& id : customers_of_[group.owner]) {
            if (group.people.size() > 10) break;
            group.people.emplace(id, Group::Person{.joined = {}, .state = {}});
        }
        groups_.emplace(new_id("wr", 32), std::move(group));
    }
}

Json WecomPeer::get_token(const Call& call) {
    const auto corpid = value_of(call.parameters, "corpid"), secret = value_of(call.parameters, "corpsecret");
    if (corpid.empty()) return fault(41002);
    if (secret.empty()) return fault(41004);
    if (corpid != settings_.corpid) return fault(40013);
    const auto app = std::find_if(settings_.apps.begin(), settings_.apps.end(), [&](const WecomApp& one) { return one.secret == secret; });
    if (app == settings_.apps.end()) return fault(40001);
    ++statistics_.tokens;
    // The same token as long as it lives.
    const auto issued = tokens_.current(app->agent_id, "gettoken", wecom_.token_validity, 0ns, call.now.monotonic);
    return {{"errcode", 0}, {"errmsg", "ok"}, {"access_token", issued.token}, {"expires_in", issued.expires_in}};
}

std::string WecomPeer::fault_suffix(int code) const {
    std::string suffix = ", hint: [";
    suffix.append(std::to_string(1'000'000 + statistics_.requests))
        .append("], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=");
    return suffix.append(std::to_string(code));
}

EventXml WecomPeer::event(std::string_view name, std::string_view from, Now now) const {
    EventXml xml;
    xml.text("ToUserName", settings_.corpid);
    if (!from.empty()) xml.text("FromUserName", from);
    xml.number("CreateTime", unix_ms(now.wall) / 1'000).text("MsgType", "event").text("Event", name);
    return xml;
}

void WecomPeer::broadcast(const std::string& name, const std::string& xml, Now now) {
    for (const auto& app : settings_.apps) events_.send(app.agent_id, name, xml, {}, behaviour_, now);
}

bool WecomPeer::is_member(std::string_view userid) const { return std::find(members_.begin(), members_.end(), userid) != members_.end(); }

std::string WecomPeer::add_customer(std::string id, const std::string& userid, Instant at) {
    if (id.empty()) id = new_id("wm", 32);
    auto& customer = customers_by_id_[id];
    if (customer.name.empty()) {
        customer.name = "客户" + std::to_string(customers_by_id_.size());
        customer.unionid = new_id("oU", 28);
    }
    customers_of_[userid].insert(id);
    customer.members[userid] = {.since = at, .last_chat = at, .state = {}, .remark = customer.name, .description = {}, .tags = {}};
    return id;
}

std::string WecomPeer::last_chat_member(const Customer& customer) {
    std::string userid;
    Instant latest = Instant::min();
    for (const auto& [member, relation] : customer.members) {
        if (relation.lost || relation.last_chat <= latest) continue;
        latest = relation.last_chat;
        userid = member;
    }
    return userid;
}

// The platform refuses letters written as \uXXXX (only control characters may be).
bool WecomPeer::bad_characters(const Call& call) const {
    const std::string_view text{call.request.body};
    for (auto at = text.find("\\u"); at != std::string_view::npos; at = text.find("\\u", at + 2)) {
        const bool escaped_backslash = at > 0 && text[at - 1] == '\\';
        if (!escaped_backslash && text.substr(at + 2, 2) != "00") return true;
    }
    return false;
}

}  // namespace touchgate::sandbox
