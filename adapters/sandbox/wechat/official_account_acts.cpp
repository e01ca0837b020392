// What users of an account do: of their own accord, or because the control API says so.
#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/official_account_peer.hpp"

namespace touchgate::sandbox {

void OfficialAccountPeer::register_acts() {
    on_control("POST", "/act", &OfficialAccountPeer::post_act);
    on_control("GET", "/people", &OfficialAccountPeer::list_people);
    live([this] { return official_.follows; }, [this](Now now) { somebody_acts("follow", now); });
    live([this] { return official_.writes; }, [this](Now now) { somebody_acts("write", now); });
    live([this] { return official_.scans; }, [this](Now now) { somebody_acts("scan", now); });
    live([this] { return official_.clicks; }, [this](Now now) { somebody_acts("click", now); });
}

OfficialAccountPeer::Account* OfficialAccountPeer::any_account(bool service_only) {
    std::vector<Account*> choice;
    for (auto& [appid, account] : accounts_)
        if (!service_only || !account.settings.mini_program) choice.push_back(&account);
    return choice.empty() ? nullptr : choice[any_of(choice.size())];
}

const std::string* OfficialAccountPeer::any_user(const Account& account) {
    std::vector<const std::string*> choice;
    for (const auto& [openid, user] : account.users)
        if (user.follows || account.settings.mini_program) choice.push_back(&openid);
    return choice.empty() ? nullptr : choice[any_of(choice.size())];
}

void OfficialAccountPeer::somebody_acts(std::string_view act, Now now) {
    auto* const account = any_account(act != "write");
    if (account == nullptr) return;
    if (act == "follow") return follow(*account, new_id("o", 28), {}, {}, now);
    if (act == "scan") {
        // Every other one is new to the account.
        const auto* const known = random_.chance(0.5) ? any_user(*account) : nullptr;
        if (!account->scenes.empty()) {
            const auto code = std::next(account->scenes.begin(), static_cast<std::ptrdiff_t>(any_of(account->scenes.size())));
            if (!code->second.until || *code->second.until > now.wall) scan(*account, known != nullptr ? std::string{*known} : new_id("o", 28), code->second.scene, code->first, now);
        }
        return;
    }
    const auto* const openid = any_user(*account);
    if (openid == nullptr) return;
    const auto& words = official_.customers.replies;
    if (act == "write") write(*account, *openid, words[any_of(words.size())], {}, now);
    else click(*account, *openid, "CLICK", "MENU", now);
}

void OfficialAccountPeer::scan(Account& account, const std::string& openid, const std::string& scene, const std::string& ticket, Now now) {
    auto& user = account.users[openid];
    if (!user.follows) return follow(account, openid, scene, ticket, now);
    user.allowances[Action::scan] = {.at = now.wall};
    auto xml = event(account, "SCAN", openid, now);
    send_event(account, "SCAN", openid, xml.text("EventKey", scene).text("Ticket", ticket), now);
}

void OfficialAccountPeer::click(Account& account, const std::string& openid, const std::string& name, const std::string& key, Now now) {
    if (name == "CLICK") account.users[openid].allowances[Action::menu] = {.at = now.wall};
    auto xml = event(account, name, openid, now);
    send_event(account, name, openid, xml.text("EventKey", key), now);
}

void OfficialAccountPeer::follow(Account& account, const std::string& openid, const std::string& scene, const std::string& ticket, Now now) {
    auto& user = account.users[openid];
    if (user.unionid.empty()) user.unionid = new_id("oU", 28);
    user.follows = user.followed_once = true;
    user.since = now.wall;
    user.scene = scene;
    user.subscribe_scene = scene.empty() ? "ADD_SCENE_SEARCH" : "ADD_SCENE_QR_CODE";
    user.allowances[scene.empty() ? Action::follow : Action::scan] = {.at = now.wall};
    auto xml = event(account, "subscribe", openid, now);
    xml.text("EventKey", scene.empty() ? std::string{} : "qrscene_" + scene);
    if (!ticket.empty()) xml.text("Ticket", ticket);
    send_event(account, "subscribe", openid, xml, now);
}

void OfficialAccountPeer::unfollow(Account& account, const std::string& openid, Now now) {
    auto* const user = user_of(account, openid);
    if (user == nullptr || !user->follows) return;
    user->follows = false;
    user->allowances.clear();
    user->tags.clear();
    auto xml = event(account, "unsubscribe", openid, now);
    send_event(account, "unsubscribe", openid, xml.text("EventKey", ""), now);
}

void OfficialAccountPeer::write(Account& account, const std::string& openid, const std::string& text, const std::string& menu_id, Now now) {
    auto& user = account.users[openid];
    user.allowances[Action::message] = {.at = now.wall};
    EventXml xml;
    xml.text("ToUserName", account.settings.original_id).text("FromUserName", openid).number("CreateTime", unix_ms(now.wall) / 1'000).text("MsgType", "text").text("Content", text);
    if (!menu_id.empty()) xml.text("bizmsgmenuid", menu_id);
    xml.number("MsgId", static_cast<std::int64_t>(24'000'000'000'000'000 + new_number()));
    send_event(account, "text", openid, xml, now);
}

Json OfficialAccountPeer::post_act(Control& control) {
    auto& body = control.body;
    const auto act = body.choice("act", {"follow", "unfollow", "write", "scan", "click", "view", "enter", "pay", "block", "unblock", "accept", "reject", "switch_off"}, "");
    const auto appid = body.text("appid");
    auto openid = body.text("openid");
    const auto text = body.text("text", {}, {0, 2'048}), menu_id = body.text("menu_id"), key = body.text("key"), ticket = body.text("ticket"), template_id = body.text("template_id");
    const auto unionid = body.text("unionid");
    auto scene = body.text("scene");
    const auto count = body.integer("count", 1, -1, 1'000'000);
    body.finish();
    if (act.empty()) body.problem("act", "must name what is done");
    const auto found = appid.empty() ? accounts_.begin() : accounts_.find(appid);
    if (found == accounts_.end()) body.problem("appid", "no such account");
    if (!body.problems().empty()) return nullptr;
    auto& account = found->second;
    const auto now = control.now;
    if (openid.empty()) openid = new_id("o", 28);
    auto& user = account.users[openid];
    if (!unionid.empty()) user.unionid = unionid;
    if (user.unionid.empty()) user.unionid = new_id("oU", 28);

    if (act == "follow") {
        follow(account, openid, scene, ticket, now);
    } else if (act == "unfollow") {
        unfollow(account, openid, now);
    } else if (act == "write") {
        write(account, openid, text, menu_id, now);
    } else if (act == "scan") {
        if (!ticket.empty()) {
            const auto code = account.scenes.find(ticket);
            if (code == account.scenes.end() || (code->second.until && *code->second.until <= now.wall)) {
                body.problem("ticket", "no such QR code, or it is too old");
                return nullptr;
            }
            scene = code->second.scene;
        }
        scan(account, openid, scene, ticket, now);
    } else if (act == "click" || act == "view") {
        click(account, openid, act == "click" ? "CLICK" : "VIEW", key, now);
    } else if (act == "enter") {
        user.allowances[Action::enter] = {.at = now.wall};
        auto xml = event(account, "user_enter_tempsession", openid, now);
        send_event(account, "user_enter_tempsession", openid, xml.text("SessionFrom", scene), now);
    } else if (act == "pay") {
        user.allowances[Action::payment] = {.at = now.wall};
    } else if (act == "block" || act == "unblock") {
        user.blocks = act == "block";
    } else {
        if (template_id.empty()) {
            body.problem("template_id", "must name the template");
            return nullptr;
        }
        auto& accepted = user.accepted[template_id];
        accepted = act != "accept" ? 0 : count < 0 ? -1 : accepted < 0 ? -1 : accepted + count;
        const bool popup = act != "switch_off";
        const std::string name = popup ? "subscribe_msg_popup_event" : "subscribe_msg_change_event", element = popup ? "SubscribeMsgPopupEvent" : "SubscribeMsgChangeEvent";
        auto xml = event(account, name, openid, now);
        xml.open(element).open("List").text("TemplateId", template_id).text("SubscribeStatusString", act == "accept" ? "accept" : "reject");
        if (popup) xml.number("PopupScene", 2);
        send_event(account, name, openid, xml.close("List").close(element), now);
    }
    return {{"openid", openid}, {"appid", account.settings.appid}};
}

Json OfficialAccountPeer::list_people(Control& control) {
    control.body.finish();
    Json accounts = Json::array();
    for (const auto& [appid, account] : accounts_) {
        Json users = Json::array();
        for (const auto& [openid, user] : account.users)
            users.push_back({{"openid", openid}, {"unionid", user.unionid}, {"follows", user.follows}, {"blocks", user.blocks}, {"accepted", user.accepted}, {"mass_messages", user.mass.size()}});
        accounts.push_back({{"appid", appid}, {"mini_program", account.settings.mini_program}, {"users", std::move(users)}});
    }
    return {{"accounts", std::move(accounts)}};
}

}  // namespace touchgate::sandbox
