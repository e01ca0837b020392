// Custom, template and subscribe messages.
#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/official_account_peer.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t text_max = 2'048, client_id_max = 32;

// Longest values of a subscribe message's fields, by the kind that their name begins with, in characters.
constexpr std::pair<std::string_view, std::size_t> field_limits[] = {{"thing", 20},  {"character_string", 32}, {"phrase", 5},
                                                                     {"letter", 32}, {"number", 32},           {"symbol", 5}};

std::size_t limit_of(std::string_view field) {
    for (const auto& [kind, limit] : field_limits)
        if (field.starts_with(kind)) return limit;
    return std::string_view::npos;
}

}  // namespace

void OfficialAccountPeer::register_messages() {
    on("POST", "/cgi-bin/message/custom/send", &OfficialAccountPeer::send_custom);
    on("POST", "/cgi-bin/message/custom/typing", &OfficialAccountPeer::show_typing);
    on("POST", "/cgi-bin/message/template/send", &OfficialAccountPeer::send_template);
    on("GET", "/cgi-bin/template/get_all_private_template", &OfficialAccountPeer::list_templates);
    on("POST", "/cgi-bin/template/api_add_template", &OfficialAccountPeer::add_template);
    on("POST", "/cgi-bin/template/del_private_template", &OfficialAccountPeer::delete_template);
    on("POST", "/cgi-bin/message/subscribe/bizsend", &OfficialAccountPeer::send_subscribe);
    on("POST", "/cgi-bin/message/subscribe/send", &OfficialAccountPeer::send_subscribe);
}

int OfficialAccountPeer::check_custom_content(const Call& call) const {
    const auto type = text_of(call.body, "msgtype");
    const auto& content = member_of(call.body, type);
    const std::string_view known[] = {"text",   "image",         "voice",   "video",  "music",           "news",
                                      "mpnews", "mpnewsarticle", "msgmenu", "wxcard", "miniprogrampage", "link"};
    if (std::find(std::begin(known), std::end(known), type) == std::end(known) || !content.is_object()) return 40008;
    if (type == "text") {
        const auto text = text_of(content, "content");
        if (text.empty()) return 44004;
        if (text.size() > text_max) return 45002;
    }
    const bool media = type == "image" || type == "voice" || type == "video";
    if (media && !media_known(text_of(content, "media_id"), call.now)) return 40007;
    return 0;
}

int OfficialAccountPeer::use_allowance(const Account& account, User& user, Instant now) const {
    Allowance* best = nullptr;
    Instant best_end{};
    bool open = false;
    for (auto& [action, allowance] : user.allowances) {
        const bool after_message = action == Action::message || action == Action::payment;
        const auto end = allowance.at + (after_message ? official_.message_window : official_.action_window);
        if (end <= now) continue;
        open = true;
        const auto most = action == Action::payment       ? std::numeric_limits<std::int64_t>::max()
                          : after_message                 ? official_.message_max
                          : account.settings.mini_program ? std::max<std::int64_t>(official_.action_max - 1, 0)
                                                          : official_.action_max;
        // The one that ends first is used up first.
        if (allowance.used >= most || (best != nullptr && best_end <= end)) continue;
        best = &allowance;
        best_end = end;
    }
    if (best == nullptr) return open ? 45047 : 45015;
    ++best->used;
    return 0;
}

Json OfficialAccountPeer::send_custom(const Call& call) {
    auto& account = account_of(call);
    const auto openid = text_of(call.body, "touser");
    auto* const user = user_of(account, openid);
    if (user == nullptr) return fault(40003);
    if (const int code = check_custom_content(call); code != 0) return fault(code);
    // Who stopped following is refused like one whose window is over; who never followed is no follower.
    if (!account.settings.mini_program && !user->follows) return fault(user->followed_once ? 45015 : 43004);
    if (user->blocks) return fault(48002);
    if (const int code = use_allowance(account, *user, call.now.wall); code != 0) return fault(code);
    const auto part = arrive({.application = call.application,
                              .to = openid,
                              .from = account.settings.original_id,
                              .text = readable(call.body),
                              .kind = "custom",
                              .raw = call.request.body},
                             call.now);
    set_state(part, true, "");
    react(account, openid, call.now);
    return {};
}

void OfficialAccountPeer::react(const Account& account, const std::string& openid, Now now) {
    const auto appid = account.settings.appid;
    if (chance(behaviour_.leave)) {
        later(behaviour_.customers.reply_delay.draw(random_), now, [this, appid, openid](Now then) { unfollow(accounts_.at(appid), openid, then); });
        return;
    }
    if (auto answer = customers_.on_message(behaviour_.customers, openid))
        later(answer->after, now, [this, appid, openid, text = answer->text](Now then) { write(accounts_.at(appid), openid, text, {}, then); });
}

Json OfficialAccountPeer::show_typing(const Call& call) {
    const auto command = text_of(call.body, "command");
    if (command != "Typing" && command != "CancelTyping") return fault(45072);
    return user_of(account_of(call), text_of(call.body, "touser")) == nullptr ? fault(40003) : Json::object();
}

std::string OfficialAccountPeer::render(const Account& account, const Json& body, bool limits, int& code) const {
    const auto id = text_of(body, "template_id");
    const auto& data = member_of(body, "data");
    const auto& templates = account.settings.templates;
    const auto found = templates.find(id);
    code = id.empty() || (found == templates.end() && !templates.empty()) ? 40037 : !data.is_object() ? 47003 : 0;
    if (code != 0) return {};
    std::string values;
    for (const auto& [name, value] : data.items()) {
        const auto text = text_of(value, "value");
        if (limits && (text.empty() || to_code_points(text).size() > limit_of(name))) code = 47003;
        values.append(values.empty() ? "" : "\n").append(name).append("：").append(text);
    }
    if (found == templates.end()) return values;
    std::string text;
    std::string_view rest = found->second;
    for (auto start = rest.find("{{"); start != std::string_view::npos; start = rest.find("{{")) {
        const auto end = rest.find(".DATA}}", start);
        if (end == std::string_view::npos) break;
        const auto name = trim(rest.substr(start + 2, end - start - 2));
        if (!data.contains(std::string{name})) code = 47003;
        text.append(rest.substr(0, start)).append(text_of(member_of(data, name), "value"));
        rest.remove_prefix(end + 7);
    }
    return text.append(rest);
}

Json OfficialAccountPeer::send_template(const Call& call) {
    auto& account = account_of(call);
    const auto openid = text_of(call.body, "touser"), client_id = text_of(call.body, "client_msg_id");
    auto* const user = user_of(account, openid);
    if (user == nullptr) return fault(40003);
    if (!user->follows) return fault(43004);
    if (client_id.size() > client_id_max) return fault(45067);
    int code = 0;
    const auto text = render(account, call.body, false, code);
    if (code != 0) return fault(code);
    const auto key = openid + "\n" + client_id;
    if (!client_id.empty()) {
        const auto earlier = account.template_ids.find(key);
        if (earlier != account.template_ids.end() && earlier->second.at + official_.client_id_window > call.now.wall)
            return {{"msgid", earlier->second.msgid}};
    }
    const auto msgid = static_cast<std::int64_t>(3'000'000'000 + new_number());
    if (!client_id.empty()) account.template_ids[key] = {.msgid = msgid, .at = call.now.wall};
    const auto part = arrive({.application = call.application,
                              .to = openid,
                              .from = account.settings.original_id,
                              .text = text,
                              .kind = "template",
                              .raw = call.request.body},
                             call.now);
    const auto status = user->blocks ? std::string{"failed:user block"} : std::string{draw(official_.template_result, random_)};
    if (!status.empty())
        later(official_.template_delay.draw(random_), call.now, [this, appid = call.application, openid, msgid, status, part](Now then) {
            const bool delivered = status == "success";
            set_state(part, delivered, status);
            const auto& owner = accounts_.at(appid);
            auto xml = event(owner, "TEMPLATESENDJOBFINISH", openid, then);
            send_event(owner, "TEMPLATESENDJOBFINISH", openid, xml.number("MsgID", msgid).text("Status", status), then);
            if (delivered) react(owner, openid, then);
        });
    return {{"msgid", msgid}};
}

Json OfficialAccountPeer::list_templates(const Call& call) {
    Json list = Json::array();
    for (const auto& [id, text] : account_of(call).settings.templates)
        list.push_back({{"template_id", id}, {"title", id}, {"primary_industry", ""}, {"deputy_industry", ""}, {"content", text}, {"example", ""}});
    return {{"template_list", std::move(list)}};
}

Json OfficialAccountPeer::add_template(const Call& call) {
    const auto short_id = text_of(call.body, "template_id_short");
    if (short_id.empty()) return fault(40037);
    const auto id = new_id("", 43);
    account_of(call).settings.templates.emplace(id, "{{first.DATA}}");
    return {{"template_id", id}};
}

Json OfficialAccountPeer::delete_template(const Call& call) {
    return account_of(call).settings.templates.erase(text_of(call.body, "template_id")) == 0 ? fault(40037) : Json::object();
}

Json OfficialAccountPeer::send_subscribe(const Call& call) {
    auto& account = account_of(call);
    // One call is for mini programs, the other for service accounts.
    if (account.settings.mini_program != call.request.path().ends_with("/send")) return fault(48001);
    const auto openid = text_of(call.body, "touser"), template_id = text_of(call.body, "template_id");
    auto* const user = user_of(account, openid);
    if (user == nullptr) return fault(40003);
    int code = 0;
    const auto text = render(account, call.body, true, code);
    if (code != 0) return fault(code);
    const auto accepted = user->accepted.find(template_id);
    if (accepted == user->accepted.end() || accepted->second == 0) return fault(43101);
    if (accepted->second > 0) --accepted->second;
    const auto msgid = static_cast<std::int64_t>(1'700'000'000'000'000'000 + new_number());
    const auto part = arrive({.application = call.application,
                              .to = openid,
                              .from = account.settings.original_id,
                              .text = text,
                              .kind = "subscribe",
                              .raw = call.request.body},
                             call.now);
    if (const std::string status{draw(official_.subscribe_result, random_)}; !status.empty())
        later(official_.template_delay.draw(random_), call.now, [this, appid = call.application, openid, template_id, msgid, status, part](Now then) {
            set_state(part, status == "success", status);
            const auto& owner = accounts_.at(appid);
            auto xml = event(owner, "subscribe_msg_sent_event", openid, then);
            xml.open("SubscribeMsgSentEvent")
                .open("List")
                .text("TemplateId", template_id)
                .number("MsgID", msgid)
                .number("ErrorCode", status == "success" ? 0 : 2);
            xml.text("ErrorStatus", status).close("List").close("SubscribeMsgSentEvent");
            send_event(owner, "subscribe_msg_sent_event", openid, xml, then);
        });
    return {{"msgid", msgid}};
}

}  // namespace touchgate::sandbox
