// The server of official accounts and mini programs (api.weixin.qq.com): accounts with their followers or users.
//
// What users do of their own accord is drawn from the behaviour; the control API can make each of them act at once.
#pragma once

#include <map>
#include <set>

#include "adapters/sandbox/wechat/event_xml.hpp"
#include "adapters/sandbox/wechat/platform_peer.hpp"

namespace touchgate::sandbox {

struct OfficialAccountApp {
    std::string appid, secret;
    std::string original_id;  // gh_…, ToUserName of callbacks
    bool mini_program = false;
    CallbackTarget callback;
    std::int64_t followers = 0;                // made at the start; a mini program's users
    std::vector<std::string> openids;          // made at the start with these names
    std::map<std::string, std::string> templates;  // id → text with {{name.DATA}}; empty: every id is taken
};

struct OfficialAccountSettings {
    std::vector<OfficialAccountApp> apps;
};

class OfficialAccountPeer : public PlatformPeer {
public:
    OfficialAccountPeer(OfficialAccountSettings settings, const OfficialAccountBehaviour& behaviour, MessageStore& store, Random& random);

private:
    // What a user did that allows custom messages for a while.
    enum class Action { message, menu, follow, scan, enter, payment };
    struct Allowance {
        Instant at{};
        std::int64_t used = 0;
    };
    struct User {
        bool follows = false, followed_once = false;
        bool blocks = false;       // refuses messages of the account
        bool blacklisted = false;  // by the account
        Instant since{};
        std::string remark, unionid, subscribe_scene = "ADD_SCENE_SEARCH", scene;
        std::set<std::int64_t> tags;
        std::map<Action, Allowance> allowances;
        std::map<std::string, std::int64_t> accepted;  // template → messages allowed, -1 for ever
        std::vector<Instant> mass;                     // when mass messages reached him
    };
    struct MassJob {
        Json content;
        std::vector<std::string> receivers;
        std::string status = "SENDING";
    };
    struct Scene {
        std::string scene;
        std::optional<Instant> until;
    };
    struct ClientId {
        std::int64_t msgid = 0;
        Instant at{};
    };
    struct Account {
        OfficialAccountApp settings;
        std::map<std::string, User> users;          // by openid
        std::map<std::int64_t, std::string> tags;   // the account's own start at 100
        std::int64_t next_tag = 100;
        std::map<std::string, Scene> scenes;        // by ticket
        std::map<std::string, ClientId> template_ids;  // openid and client_msg_id
        std::map<std::string, std::int64_t> mass_ids;  // clientmsgid → msg_id
        std::map<std::int64_t, MassJob> mass_jobs;
        std::map<std::string, std::int64_t> calls_today;  // by path
        std::chrono::sys_days day{};
        std::int64_t clears = 0, forced = 0;  // clear_quota in `month`, force_refresh today
        std::chrono::sys_days month{};
        std::optional<Instant> last_forced;
        std::int64_t mass_speed = 0;
        Json menu;
    };

    // official_account_peer.cpp
    [[nodiscard]] Json get_token(const Call& call);
    [[nodiscard]] Json get_stable_token(const Call& call);
    [[nodiscard]] Json clear_quota(const Call& call);
    [[nodiscard]] Json read_quota(const Call& call);
    [[nodiscard]] Json create_qr_code(const Call& call);
    [[nodiscard]] Json create_menu(const Call& call);
    [[nodiscard]] Json get_menu(const Call& call);
    [[nodiscard]] Json delete_menu(const Call& call);
    [[nodiscard]] std::string fault_suffix(int code) const override;
    [[nodiscard]] int rate_code() const override { return 45011; }
    [[nodiscard]] int count_call(const Call& call, std::string_view path) override;
    void on_passive_reply(const std::string& application, std::string_view xml, Now now) override;
    [[nodiscard]] Account& account_of(const Call& call) { return accounts_.at(call.application); }
    void turn_day(Account& account, Instant now);
    [[nodiscard]] static User* user_of(Account& account, const std::string& openid);
    [[nodiscard]] EventXml event(const Account& account, std::string_view name, std::string_view openid, Now now) const;
    void send_event(const Account& account, std::string name, const std::string& openid, const EventXml& xml, Now now);

    // official_account_users.cpp
    void register_users();
    [[nodiscard]] Json user_json(const std::string& openid, const User& user) const;
    [[nodiscard]] Json get_user(const Call& call);
    [[nodiscard]] Json get_users(const Call& call);
    [[nodiscard]] Json list_users(const Call& call);
    [[nodiscard]] Json remark_user(const Call& call);
    [[nodiscard]] Json create_tag(const Call& call);
    [[nodiscard]] Json get_tags(const Call& call);
    [[nodiscard]] Json update_tag(const Call& call);
    [[nodiscard]] Json delete_tag(const Call& call);
    [[nodiscard]] Json tag_users(const Call& call);
    [[nodiscard]] Json untag_users(const Call& call);
    [[nodiscard]] Json change_tags(const Call& call, bool add);
    [[nodiscard]] Json tags_of_user(const Call& call);
    [[nodiscard]] Json users_of_tag(const Call& call);
    [[nodiscard]] Json list_blacklist(const Call& call);
    [[nodiscard]] Json change_blacklist(const Call& call);

    // official_account_messages.cpp
    void register_messages();
    [[nodiscard]] Json send_custom(const Call& call);
    [[nodiscard]] Json show_typing(const Call& call);
    [[nodiscard]] int check_custom_content(const Call& call) const;
    // 0 and one message less allowed, or why none is.
    [[nodiscard]] int use_allowance(const Account& account, User& user, Instant now) const;
    [[nodiscard]] Json send_template(const Call& call);
    [[nodiscard]] Json list_templates(const Call& call);
    [[nodiscard]] Json add_template(const Call& call);
    [[nodiscard]] Json delete_template(const Call& call);
    [[nodiscard]] Json send_subscribe(const Call& call);
    // The text of a template with its data; `code` 40037 without such a template, 47003 when the data does not fit.
    [[nodiscard]] std::string render(const Account& account, const Json& body, bool limits, int& code) const;
    // The user may write back, opt out or go.
    void react(const Account& account, const std::string& openid, Now now);

    // official_account_mass.cpp
    void register_mass();
    [[nodiscard]] Json send_mass(const Call& call);
    [[nodiscard]] Json preview_mass(const Call& call);
    [[nodiscard]] Json get_mass(const Call& call);
    [[nodiscard]] Json delete_mass(const Call& call);
    [[nodiscard]] Json get_mass_speed(const Call& call);
    [[nodiscard]] Json set_mass_speed(const Call& call);
    void run_mass(const std::string& appid, std::int64_t msg_id, Now now);

    // official_account_acts.cpp: the control API, and what happens by itself
    void register_acts();
    // An account of one kind and one of its users who follows it (a mini program: any); null without one.
    [[nodiscard]] Account* any_account(bool service_only);
    [[nodiscard]] const std::string* any_user(const Account& account);
    void somebody_acts(std::string_view act, Now now);
    [[nodiscard]] Json post_act(Control& control);
    [[nodiscard]] Json list_people(Control& control);
    void follow(Account& account, const std::string& openid, const std::string& scene, const std::string& ticket, Now now);
    void scan(Account& account, const std::string& openid, const std::string& scene, const std::string& ticket, Now now);
    void click(Account& account, const std::string& openid, const std::string& name, const std::string& key, Now now);
    void unfollow(Account& account, const std::string& openid, Now now);
    void write(Account& account, const std::string& openid, const std::string& text, const std::string& menu_id, Now now);

    const OfficialAccountBehaviour& official_;
    std::map<std::string, Account> accounts_;  // by appid
};

}  // namespace touchgate::sandbox
