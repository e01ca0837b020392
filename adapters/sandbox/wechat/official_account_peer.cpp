#include "adapters/sandbox/wechat/official_account_peer.hpp"

#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t forced_refreshes_max = 20, clears_max = 10;
constexpr auto forced_refresh_gap = 30s;
constexpr std::int64_t qr_life_max = 2'592'000, qr_life_default = 30, permanent_scene_max = 100'000;

std::chrono::sys_days china_day(Instant at) { return std::chrono::floor<std::chrono::days>(at + 8h); }

}  // namespace

OfficialAccountPeer::OfficialAccountPeer(OfficialAccountSettings settings, const OfficialAccountBehaviour& behaviour, MessageStore& store, Random& random)
    : PlatformPeer{Via::official_account, behaviour, store, random}, official_{behaviour} {
    on("GET", "/cgi-bin/token", &OfficialAccountPeer::get_token, Access::open);
    on("POST", "/cgi-bin/stable_token", &OfficialAccountPeer::get_stable_token, Access::open);
    on("POST", "/cgi-bin/clear_quota", &OfficialAccountPeer::clear_quota);
    on("POST", "/cgi-bin/openapi/quota/get", &OfficialAccountPeer::read_quota);
    on("POST", "/cgi-bin/qrcode/create", &OfficialAccountPeer::create_qr_code);
    on("POST", "/cgi-bin/menu/create", &OfficialAccountPeer::create_menu);
    on("GET", "/cgi-bin/menu/get", &OfficialAccountPeer::get_menu);
    on("GET", "/cgi-bin/menu/delete", &OfficialAccountPeer::delete_menu);
    register_users();
    register_messages();
    register_mass();
    register_acts();
    for (auto& app : settings.apps) {
        events_.set_receiver(app.appid, {.target = app.callback, .receive_id = app.appid, .to_user = app.original_id, .agent_id = {}});
        Account account{.settings = app, .users = {}, .tags = {{2, "星标组"}}, .scenes = {}, .template_ids = {}, .mass_ids = {}, .mass_jobs = {}, .calls_today = {}, .last_forced = {}, .menu = {}};
        const auto add = [&](std::string openid) {
            account.users.emplace(std::move(openid), User{.follows = !app.mini_program, .followed_once = !app.mini_program, .remark = {}, .unionid = new_id("oU", 28), .scene = {}, .tags = {}, .allowances = {}, .accepted = {}, .mass = {}});
        };
        for (const auto& openid : app.openids) add(openid);
        for (std::int64_t i = 0; i < app.followers; ++i) add(new_id("o", 28));
        accounts_.emplace(app.appid, std::move(account));
    }
}

std::string OfficialAccountPeer::fault_suffix(int) const { return " rid: sandbox-" + std::to_string(statistics_.requests); }

Json OfficialAccountPeer::get_token(const Call& call) {
    const std::string appid{value_of(call.parameters, "appid")};
    const auto secret = value_of(call.parameters, "secret");
    if (value_of(call.parameters, "grant_type") != "client_credential") return fault(40002);
    if (appid.empty()) return fault(41002);
    if (secret.empty()) return fault(41004);
    const auto found = accounts_.find(appid);
    if (found == accounts_.end()) return fault(40013);
    if (secret != found->second.settings.secret) return fault(40125);
    ++statistics_.tokens;
    // Each call makes a new token; the one before works a little longer.
    const auto issued = tokens_.renew(appid, "token", official_.token_validity, official_.token_overlap, 40001, call.now.monotonic);
    return {{"access_token", issued.token}, {"expires_in", issued.expires_in}};
}

Json OfficialAccountPeer::get_stable_token(const Call& call) {
    if (text_of(call.body, "grant_type") != "client_credential") return fault(40002);
    const auto appid = text_of(call.body, "appid"), secret = text_of(call.body, "secret");
    if (appid.empty()) return fault(41002);
    if (secret.empty()) return fault(41004);
    const auto found = accounts_.find(appid);
    if (found == accounts_.end()) return fault(40013);
    auto& account = found->second;
    if (secret != account.settings.secret) return fault(40125);
    ++statistics_.tokens;
    const std::chrono::nanoseconds validity = official_.token_validity;
    if (member_of(call.body, "force_refresh") == true) {
        turn_day(account, call.now.wall);
        if (account.last_forced && *account.last_forced + forced_refresh_gap > call.now.wall) return fault(45011);
        if (account.forced >= forced_refreshes_max) return fault(45009);
        ++account.forced;
        account.last_forced = call.now.wall;
        const auto issued = tokens_.renew(appid, "stable_token", validity, 0ns, 40001, call.now.monotonic);
        return {{"access_token", issued.token}, {"expires_in", issued.expires_in}};
    }
    // Renewed 5 minutes before its end; both work until then. A shorter life (for tests) is renewed at its half.
    const auto issued = tokens_.current(appid, "stable_token", validity, std::min<std::chrono::nanoseconds>(5min, validity / 2), call.now.monotonic);
    return {{"access_token", issued.token}, {"expires_in", issued.expires_in}};
}

void OfficialAccountPeer::turn_day(Account& account, Instant now) {
    const auto today = china_day(now);
    if (today != account.day) {
        account.day = today;
        account.calls_today.clear();
        account.forced = 0;
    }
    const std::chrono::year_month_day date{today};
    const auto month = std::chrono::sys_days{date.year() / date.month() / 1};
    if (month != account.month) {
        account.month = month;
        account.clears = 0;
    }
}

int OfficialAccountPeer::count_call(const Call& call, std::string_view path) {
    auto& account = account_of(call);
    turn_day(account, call.now.wall);
    const auto count = ++account.calls_today[std::string{path}];
    for (const auto& [limited, most] : official_.quotas)
        if (limited == path && count > most) return 45009;
    return 0;
}

Json OfficialAccountPeer::clear_quota(const Call& call) {
    auto& account = account_of(call);
    if (text_of(call.body, "appid") != account.settings.appid) return fault(40013);
    if (account.clears >= clears_max) return fault(48006);
    ++account.clears;
    account.calls_today.clear();
    return {};
}

Json OfficialAccountPeer::read_quota(const Call& call) {
    const auto& account = account_of(call);
    const auto path = text_of(call.body, "cgi_path");
    const auto quota = std::find_if(official_.quotas.begin(), official_.quotas.end(), [&](const auto& entry) { return entry.first == path; });
    const auto used = account.calls_today.find(path);
    const auto most = quota == official_.quotas.end() ? 10'000'000 : quota->second;
    const auto count = used == account.calls_today.end() ? 0 : used->second;
    return {{"quota", {{"daily_limit", most}, {"used", count}, {"remain", std::max<std::int64_t>(most - count, 0)}}}};
}

Json OfficialAccountPeer::create_qr_code(const Call& call) {
    auto& account = account_of(call);
    const auto action = text_of(call.body, "action_name");
    const auto& scene = member_of(member_of(call.body, "action_info"), "scene");
    const bool by_text = action == "QR_STR_SCENE" || action == "QR_LIMIT_STR_SCENE";
    const bool permanent = action == "QR_LIMIT_SCENE" || action == "QR_LIMIT_STR_SCENE";
    if (!by_text && !permanent && action != "QR_SCENE") return fault(47001);
    const auto number = integer_of(scene, "scene_id", 0);
    const auto word = by_text ? text_of(scene, "scene_str") : std::to_string(number);
    if (by_text && (word.empty() || word.size() > 64)) return fault(40035);
    if (!by_text && (number < 1 || number > (permanent ? permanent_scene_max : 4'294'967'295))) return fault(40035);
    const auto ticket = new_id("gQ", 92);
    Json answer{{"ticket", ticket}, {"url", "http://weixin.qq.com/q/" + new_id("", 22)}};
    Scene kept{.scene = word, .until = std::nullopt};
    if (!permanent) {
        const auto life = integer_of(call.body, "expire_seconds", qr_life_default);
        if (life < 1 || life > qr_life_max) return fault(40035);
        kept.until = call.now.wall + std::chrono::seconds{life};
        answer["expire_seconds"] = life;
    }
    account.scenes.emplace(ticket, std::move(kept));
    return answer;
}

Json OfficialAccountPeer::create_menu(const Call& call) {
    account_of(call).menu = call.body;
    return {};
}

Json OfficialAccountPeer::get_menu(const Call& call) {
    const auto& menu = account_of(call).menu;
    return menu.is_null() ? fault(46003) : Json{{"menu", menu}};
}

Json OfficialAccountPeer::delete_menu(const Call& call) {
    account_of(call).menu = nullptr;
    return {};
}

OfficialAccountPeer::User* OfficialAccountPeer::user_of(Account& account, const std::string& openid) {
    const auto found = account.users.find(openid);
    return found == account.users.end() ? nullptr : &found->second;
}

EventXml OfficialAccountPeer::event(const Account& account, std::string_view name, std::string_view openid, Now now) const {
    EventXml xml;
    xml.text("ToUserName", account.settings.original_id).text("FromUserName", openid).number("CreateTime", unix_ms(now.wall) / 1'000);
    return std::move(xml.text("MsgType", "event").text("Event", name));
}

void OfficialAccountPeer::send_event(const Account& account, std::string name, const std::string& openid, const EventXml& xml, Now now) {
    events_.send(account.settings.appid, std::move(name), xml.finish(), openid, behaviour_, now);
}

void OfficialAccountPeer::on_passive_reply(const std::string& application, std::string_view xml, Now now) {
    const auto to = element_text(xml, "ToUserName");
    if (to && accounts_.at(application).users.contains(*to)) PlatformPeer::on_passive_reply(application, xml, now);
}

}  // namespace touchgate::sandbox
