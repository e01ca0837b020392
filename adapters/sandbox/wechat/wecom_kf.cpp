// 微信客服: accounts and servicers, the state of a session, what came (pulled by cursor), and sending within the window.
#include <algorithm>
#include <cctype>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr auto log_life = std::chrono::hours{72};
constexpr auto callback_token_life = 10min;
constexpr std::size_t text_max = 2'048, menu_max = 10;

int check_kf_content(const Json& body, bool texts_only) {
    const auto type = text_of(body, "msgtype");
    const auto& content = member_of(body, type);
    const std::string_view known[] = {"text", "msgmenu", "image", "voice", "video", "file", "link", "miniprogram", "location", "business_card", "ca_link"};
    if (std::find(std::begin(known), texts_only ? std::begin(known) + 2 : std::end(known), type) == (texts_only ? std::begin(known) + 2 : std::end(known))) return 40008;
    if (!content.is_object()) return 40008;
    if (type == "text" && text_of(content, "content").empty()) return 44004;
    if (type == "text" && text_of(content, "content").size() > text_max) return 45002;
    if (type == "msgmenu" && items_of(content, "list").size() > menu_max) return 95008;
    return 0;
}

}  // namespace

void WecomPeer::register_kf() {
    on("POST", "/cgi-bin/kf/account/add", &WecomPeer::kf_accounts_add);
    on("", "/cgi-bin/kf/account/list", &WecomPeer::kf_accounts_list);
    on("POST", "/cgi-bin/kf/add_contact_way", &WecomPeer::kf_contact_way);
    on("POST", "/cgi-bin/kf/servicer/add", &WecomPeer::kf_servicers_add);
    on("POST", "/cgi-bin/kf/servicer/del", &WecomPeer::kf_servicers_delete);
    on("GET", "/cgi-bin/kf/servicer/list", &WecomPeer::kf_servicers_list);
    on("POST", "/cgi-bin/kf/service_state/get", &WecomPeer::kf_state_get);
    on("POST", "/cgi-bin/kf/service_state/trans", &WecomPeer::kf_state_change);
    on("POST", "/cgi-bin/kf/sync_msg", &WecomPeer::kf_sync);
    on("POST", "/cgi-bin/kf/send_msg", &WecomPeer::kf_send);
    on("POST", "/cgi-bin/kf/send_msg_on_event", &WecomPeer::kf_send_on_event);
    on("POST", "/cgi-bin/kf/customer/batchget", &WecomPeer::kf_customers);
}

std::string WecomPeer::add_kf_account(std::string name) {
    auto id = new_id("wk", 32);
    auto& account = kf_[id];
    account.name = std::move(name);
    for (const auto& userid : members_) account.servicers.emplace(userid, 0);
    return id;
}

WecomPeer::KfAccount* WecomPeer::kf_account(const Call& call) {
    const auto found = kf_.find(text_of(call.body, "open_kfid"));
    return found == kf_.end() ? nullptr : &found->second;
}

Json WecomPeer::kf_accounts_add(const Call& call) {
    const auto name = text_of(call.body, "name");
    if (name.empty()) return fault(40058);
    const auto id = add_kf_account(name);
    kf_.at(id).servicers.clear();
    return {{"open_kfid", id}};
}

Json WecomPeer::kf_accounts_list(const Call& call) {
    const auto offset = integer_of(call.body, "offset", 0), limit = integer_of(call.body, "limit", 100);
    if (offset < 0 || limit < 1 || limit > 100) return fault(40058);
    Json list = Json::array();
    std::int64_t place = 0;
    for (const auto& [id, account] : kf_) {
        if (place++ < offset || static_cast<std::int64_t>(list.size()) >= limit) continue;
        list.push_back({{"open_kfid", id}, {"name", account.name}, {"avatar", "http://sandbox.invalid/" + id}, {"manage_privilege", true}});
    }
    return {{"account_list", std::move(list)}};
}

Json WecomPeer::kf_contact_way(const Call& call) {
    if (kf_account(call) == nullptr) return fault(95004);
    const auto scene = text_of(call.body, "scene");
    if (scene.size() > 32) return fault(40058);
    return {{"url", "http://sandbox.invalid/kfid/" + text_of(call.body, "open_kfid") + "?enc_scene=" + percent_encode(scene)}};
}

Json WecomPeer::kf_servicers_add(const Call& call) {
    auto* const account = kf_account(call);
    if (account == nullptr) return fault(95004);
    const auto userids = texts_of(call.body, "userid_list");
    if (userids.empty() || userids.size() > 100) return fault(40058);
    Json results = Json::array();
    for (const auto& userid : userids) {
        const int code = is_member(userid) ? 0 : 60111;
        if (code == 0) account->servicers.emplace(userid, 0);
        auto result = fault(code, {{"userid", userid}});
        if (code == 0) result["errmsg"] = "success";
        results.push_back(std::move(result));
    }
    return {{"result_list", std::move(results)}};
}

Json WecomPeer::kf_servicers_delete(const Call& call) {
    auto* const account = kf_account(call);
    if (account == nullptr) return fault(95004);
    Json results = Json::array();
    for (const auto& userid : texts_of(call.body, "userid_list")) {
        account->servicers.erase(userid);
        results.push_back({{"userid", userid}, {"errcode", 0}, {"errmsg", "success"}});
    }
    return {{"result_list", std::move(results)}};
}

Json WecomPeer::kf_servicers_list(const Call& call) {
    const auto found = kf_.find(std::string{value_of(call.parameters, "open_kfid")});
    if (found == kf_.end()) return fault(95004);
    Json list = Json::array();
    for (const auto& [userid, status] : found->second.servicers) list.push_back({{"userid", userid}, {"status", status}});
    return {{"servicer_list", std::move(list)}};
}

Json WecomPeer::kf_state_get(const Call& call) {
    auto* const account = kf_account(call);
    if (account == nullptr) return fault(95004);
    const auto customer = text_of(call.body, "external_userid");
    if (!customers_by_id_.contains(customer)) return fault(40096);
    const auto session = account->sessions.find(customer);
    Json answer{{"service_state", session == account->sessions.end() ? 4 : session->second.state}};
    if (session != account->sessions.end() && session->second.state == 3) answer["servicer_userid"] = session->second.servicer;
    return answer;
}

std::string WecomPeer::new_event_code(const std::string& open_kfid, const std::string& customer, int state, Now now) {
    const auto code = new_id("", 48);
    const bool brief = state == 4 || state == -1;  // the end of a session and the welcome
    event_codes_[code] = {.account = open_kfid, .customer = customer, .until = now.monotonic + (brief ? std::chrono::nanoseconds{20s} : std::chrono::nanoseconds{48h}),
                          .menu_allowed = brief, .state = state};
    return code;
}

Json WecomPeer::kf_state_change(const Call& call) {
    auto* const account = kf_account(call);
    if (account == nullptr) return fault(95004);
    const auto customer = text_of(call.body, "external_userid");
    const auto found = account->sessions.find(customer);
    if (found == account->sessions.end()) return fault(95016);
    auto& session = found->second;
    const auto wanted = integer_of(call.body, "service_state", -1);
    const bool allowed = session.state == 3 ? wanted == 3 || wanted == 4 : session.state < 3 && wanted > session.state && wanted <= 4;
    if (!allowed) return fault(95016);
    if (wanted == 3) {
        const auto servicer = text_of(call.body, "servicer_userid");
        const auto known = account->servicers.find(servicer);
        if (known == account->servicers.end()) return fault(95014);
        if (known->second != 0) return fault(95019);
        session.servicer = servicer;
    }
    session.state = static_cast<int>(wanted);
    if (wanted == 1) return {};
    return {{"msg_code", new_event_code(text_of(call.body, "open_kfid"), customer, session.state, call.now)}};
}

Json WecomPeer::kf_sync(const Call& call) {
    const auto token = text_of(call.body, "token"), cursor = text_of(call.body, "cursor");
    const auto limit = integer_of(call.body, "limit", 1'000);
    if (limit < 1 || limit > 1'000) return fault(40058);
    const auto* account = kf_account(call);
    if (account == nullptr && text_of(call.body, "open_kfid").empty() && kf_.size() == 1) account = &kf_.begin()->second;
    if (account == nullptr) return fault(95000);
    if (!token.empty()) {
        const auto known = kf_tokens_.find(token);
        if (known == kf_tokens_.end() || known->second <= call.now.monotonic) return fault(95007);
    } else if (!kf_pulls_.take(static_cast<double>(wecom_.kf_pulls) / 60, call.now.monotonic)) {
        return fault(45009);
    }
    const auto& log = account->log;
    // Nothing older than three days is given, whatever the cursor says.
    auto from = static_cast<std::size_t>(std::lower_bound(log.begin(), log.end(), call.now.wall - log_life, [](const KfMessage& message, Instant at) { return message.at < at; }) - log.begin());
    if (!cursor.empty()) {
        const auto place = cursor.starts_with("kf") ? integer_of({{"n", cursor.substr(2)}}, "n", -1) : -1;
        if (place < 0 || static_cast<std::size_t>(place) > log.size()) return fault(50100);
        from = std::max(from, static_cast<std::size_t>(place));
    }
    const auto to = std::min(log.size(), from + static_cast<std::size_t>(limit));
    Json list = Json::array();
    for (auto i = from; i < to; ++i) list.push_back(log[i].item);
    return {{"next_cursor", "kf" + std::to_string(to)}, {"has_more", to < log.size() ? 1 : 0}, {"msg_list", std::move(list)}};
}

int WecomPeer::check_kf_msgid(const KfAccount& account, std::string& msgid) {
    if (msgid.empty()) msgid = new_id("", 32);
    if (msgid.size() > 32) return 40058;
    for (const char c : msgid)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') return 40058;
    // The code for an id that was used before is not documented.
    return account.msgids.contains(msgid) ? 40058 : 0;
}

Json WecomPeer::kf_send(const Call& call) {
    if (bad_characters(call)) return fault(40033);
    auto* const account = kf_account(call);
    if (account == nullptr) return fault(95004);
    const auto open_kfid = text_of(call.body, "open_kfid"), customer = text_of(call.body, "touser");
    if (!customers_by_id_.contains(customer)) return fault(40096);
    if (const int code = check_kf_content(call.body, false); code != 0) return fault(code);
    auto msgid = text_of(call.body, "msgid");
    if (const int code = check_kf_msgid(*account, msgid); code != 0) return fault(code);
    const auto found = account->sessions.find(customer);
    if (found == account->sessions.end() || !found->second.last_message || *found->second.last_message + wecom_.kf_window <= call.now.wall) return fault(95002);
    auto& session = found->second;
    if (session.state > 1) return fault(95018);
    if (session.sent >= wecom_.kf_messages) return fault(95001);
    ++session.sent;
    account->msgids.insert(msgid);
    const auto part = arrive({.application = call.application, .to = customer, .from = open_kfid, .text = readable(call.body), .kind = "kf", .raw = call.request.body}, call.now);
    if (const auto failure = draw(wecom_.kf_fail, random_); !failure.empty()) {
        set_state(part, false, failure);
        const auto type = integer_of({{"n", failure}}, "n", 0);
        later(100ms, call.now, [this, open_kfid, customer, msgid, type](Now then) {
            kf_log(open_kfid, {{"external_userid", customer}, {"origin", 4}, {"msgtype", "event"},
                               {"event", {{"event_type", "msg_send_fail"}, {"open_kfid", open_kfid}, {"external_userid", customer}, {"fail_msgid", msgid}, {"fail_type", type}}}}, then);
        });
        return {{"msgid", msgid}};
    }
    set_state(part, true, "");
    if (auto answer = customers_.on_message(behaviour_.customers, customer))
        later(answer->after, call.now, [this, open_kfid, customer, text = answer->text](Now then) { kf_customer_writes(open_kfid, customer, text, {}, then); });
    return {{"msgid", msgid}};
}

Json WecomPeer::kf_send_on_event(const Call& call) {
    if (bad_characters(call)) return fault(40033);
    const auto found = event_codes_.find(text_of(call.body, "code"));
    // What a used or dead code is refused with is not documented; the welcome code's refusal is taken.
    if (found == event_codes_.end() || found->second.used || found->second.until <= call.now.monotonic) return fault(41050);
    auto& code = found->second;
    auto& account = kf_.at(code.account);
    const auto type = text_of(call.body, "msgtype");
    if (type == "msgmenu" && !code.menu_allowed) return fault(40008);
    if (const int wrong = check_kf_content(call.body, true); wrong != 0) return fault(wrong);
    if (code.state >= 0 && account.sessions[code.customer].state != code.state) return fault(95018);
    auto msgid = text_of(call.body, "msgid");
    if (const int wrong = check_kf_msgid(account, msgid); wrong != 0) return fault(wrong);
    code.used = true;
    account.msgids.insert(msgid);
    const auto part = arrive({.application = call.application, .to = code.customer, .from = code.account, .text = readable(call.body), .kind = "kf_event", .raw = call.request.body}, call.now);
    set_state(part, true, "");
    return {{"msgid", msgid}};
}

Json WecomPeer::kf_customers(const Call& call) {
    const auto ids = texts_of(call.body, "external_userid_list");
    if (ids.empty() || ids.size() > 100) return fault(40058);
    Json list = Json::array(), invalid = Json::array();
    for (const auto& id : ids) {
        const auto found = customers_by_id_.find(id);
        if (found == customers_by_id_.end()) invalid.push_back(id);
        else list.push_back({{"external_userid", id}, {"nickname", found->second.name}, {"avatar", "http://sandbox.invalid/" + id}, {"gender", 0}, {"unionid", found->second.unionid}});
    }
    return {{"customer_list", std::move(list)}, {"invalid_external_userid", std::move(invalid)}};
}

void WecomPeer::kf_log(const std::string& open_kfid, Json item, Now now) {
    item["msgid"] = new_id("", 32);
    item["open_kfid"] = open_kfid;
    item["send_time"] = unix_ms(now.wall) / 1'000;
    kf_.at(open_kfid).log.push_back({.at = now.wall, .item = std::move(item)});
    std::erase_if(kf_tokens_, [&](const auto& entry) { return entry.second <= now.monotonic; });
    const auto token = new_id("ENC", 48);
    kf_tokens_[token] = now.monotonic + callback_token_life;
    broadcast("kf_msg_or_event", event("kf_msg_or_event", {}, now).text("Token", token).text("OpenKfId", open_kfid).finish(), now);
}

void WecomPeer::kf_customer_writes(const std::string& open_kfid, const std::string& customer, const std::string& text, const std::string& menu_id, Now now) {
    auto& session = kf_.at(open_kfid).sessions[customer];
    if (session.state == 4) session.state = 0;
    session.last_message = now.wall;
    session.sent = 0;
    Json content{{"content", text}};
    if (!menu_id.empty()) content["menu_id"] = menu_id;
    kf_log(open_kfid, {{"external_userid", customer}, {"origin", 3}, {"msgtype", "text"}, {"text", std::move(content)}}, now);
}

}  // namespace touchgate::sandbox
