// The WeCom server (qyapi): one corp with its members, their customers and customer groups, and its customer-service (kf) accounts.
//
// What members and customers do of their own accord is drawn from the behaviour; the control API can make each of them act at once.
#pragma once

#include <map>
#include <set>

#include "adapters/sandbox/wechat/event_xml.hpp"
#include "adapters/sandbox/wechat/platform_peer.hpp"

namespace touchgate::sandbox {

struct WecomApp {
    std::string agent_id, secret;
    CallbackTarget callback;
};

struct WecomSettings {
    std::string corpid;
    std::vector<WecomApp> apps;
    std::vector<std::string> members;      // userids
    std::int64_t customers = 0;            // made at the start, spread evenly over the members
    std::int64_t groups = 0;               // customer groups, likewise, of up to ten customers of the owner's
    std::vector<std::string> kf_accounts;  // names
};

class WecomPeer : public PlatformPeer {
public:
    WecomPeer(WecomSettings settings, const WecomBehaviour& behaviour, MessageStore& store, Random& random);

private:
    // ---- the corp's people ----
    struct Relation {  // of a member to a customer
        Instant since{}, last_chat{};
        std::string state, remark, description;
        std::set<std::string> tags;
        std::int64_t add_way = 1;
        bool lost = false;  // the customer deleted the member, who still has him in his list
    };
    struct Customer {
        std::string name, unionid;
        std::map<std::string, Relation> members;  // by userid
        std::vector<Instant> mass;                // when mass messages reached him
    };
    struct Group {
        std::string name, owner, notice;
        Instant created{};
        struct Person {
            bool customer = true;
            Instant joined{};
            std::int64_t scene = 3;
            std::string state;
        };
        std::map<std::string, Person> people;
        std::vector<Instant> mass;
        std::uint64_t version = 1;
        bool dissolved = false;
    };
    struct TagGroup {
        std::string name;
        Instant created{};
        std::map<std::string, std::string> tags;  // id → name
    };

    // ---- mass messages ----
    struct Target {
        std::string id;  // external_userid or chat_id
        int status = 0;  // 0 not sent, 1 sent, 2 no friend any more, 3 got too many
        Instant sent{};
    };
    struct MemberTask {
        bool pressed = false;
        Instant sent{};
        std::vector<Target> targets;
    };
    struct MassTask {
        bool groups = false;
        std::string creator;
        Json content;  // text and attachments
        Instant created{};
        bool cancelled = false;
        std::vector<Instant> reminders;
        std::map<std::string, MemberTask> members;
    };

    // ---- moments ----
    struct Moment {
        std::string moment_id, creator;
        Json content;
        Instant created{};
        bool cancelled = false;
        std::map<std::string, Instant> members;  // userid → when published, Instant{} before
        std::set<std::string> tags;              // visible to customers with one of them; empty: to all
        std::map<std::pair<std::string, std::string>, Instant> likes, comments;  // by member and customer
    };

    // ---- customer service ----
    struct Session {
        int state = 4;
        std::string servicer;
        std::optional<Instant> last_message;  // the customer's
        std::int64_t sent = 0;                // since then
        std::optional<Instant> welcomed;      // when a welcome code was last given
    };
    struct KfMessage {
        Instant at{};
        Json item;
    };
    struct KfAccount {
        std::string name;
        std::map<std::string, int> servicers;  // userid → 0 receiving, 1 stopped
        std::vector<KfMessage> log;
        std::map<std::string, Session> sessions;  // by external_userid
        std::set<std::string> msgids;             // ours and the callers'
    };
    struct EventCode {  // what send_msg_on_event needs
        std::string account, customer;
        std::chrono::nanoseconds until{0};
        bool menu_allowed = false;
        int state = -1;  // the session's state that it needs; -1: any
        bool used = false;
    };
    struct WelcomeCode {
        std::string userid, customer;
        std::chrono::nanoseconds until{0};
        bool used = false;
    };
    struct MemberMessage {
        std::string application;
        std::vector<PartNumber> parts;
        Instant at{};
    };

    // wecom_peer.cpp
    [[nodiscard]] Json get_token(const Call& call);
    [[nodiscard]] std::string fault_suffix(int code) const override;
    [[nodiscard]] int rate_code() const override { return 45009; }
    [[nodiscard]] EventXml event(std::string_view name, std::string_view from, Now now) const;
    // To every app that has a callback URL.
    void broadcast(const std::string& name, const std::string& xml, Now now);
    [[nodiscard]] bool is_member(std::string_view userid) const;
    std::string add_customer(std::string id, const std::string& userid, Instant at);
    // The member whose relation is alive and who last chatted; "" when there is none.
    [[nodiscard]] static std::string last_chat_member(const Customer& customer);
    [[nodiscard]] bool bad_characters(const Call& call) const;

    // wecom_contacts.cpp
    void register_contacts();
    [[nodiscard]] Json contact_json(const std::string& id, const Customer& customer) const;
    [[nodiscard]] Json follow_json(const std::string& userid, const Relation& relation, bool whole_tags) const;
    [[nodiscard]] Json get_customer(const Call& call);
    [[nodiscard]] Json get_by_user(const Call& call);
    [[nodiscard]] Json list_customers(const Call& call);
    [[nodiscard]] Json list_follow_users(const Call& call);
    [[nodiscard]] Json remark_customer(const Call& call);
    [[nodiscard]] Json list_tags(const Call& call);
    [[nodiscard]] Json add_tags(const Call& call);
    [[nodiscard]] Json delete_tags(const Call& call);
    [[nodiscard]] Json mark_tags(const Call& call);
    [[nodiscard]] Json find_by_unionid(const Call& call);
    [[nodiscard]] Json add_contact_way(const Call& call);
    [[nodiscard]] Json get_contact_way(const Call& call);
    [[nodiscard]] Json delete_contact_way(const Call& call);
    [[nodiscard]] Json list_groups(const Call& call);
    [[nodiscard]] Json get_group(const Call& call);
    [[nodiscard]] Json send_welcome(const Call& call);

    // wecom_changes.cpp: transfers, resigned members, join ways, templates of group welcomes
    void register_changes();
    [[nodiscard]] Json update_contact_way(const Call& call);
    [[nodiscard]] Json list_contact_ways(const Call& call);
    [[nodiscard]] Json edit_tag(const Call& call);
    [[nodiscard]] Json transfer_customers(const Call& call);
    [[nodiscard]] Json transfer_result(const Call& call);
    [[nodiscard]] Json list_unassigned(const Call& call);
    [[nodiscard]] Json transfer_groups(const Call& call);
    [[nodiscard]] Json add_join_way(const Call& call);
    [[nodiscard]] Json get_join_way(const Call& call);
    [[nodiscard]] Json update_join_way(const Call& call);
    [[nodiscard]] Json delete_join_way(const Call& call);
    [[nodiscard]] Json add_group_welcome(const Call& call);
    [[nodiscard]] Json edit_group_welcome(const Call& call);
    [[nodiscard]] Json get_group_welcome(const Call& call);
    [[nodiscard]] Json delete_group_welcome(const Call& call);
    // A member leaves the corporation: his customers are nobody's.
    void resign(const std::string& userid, Now now);

    // wecom_mass.cpp
    void register_mass();
    [[nodiscard]] Json add_mass(const Call& call);
    [[nodiscard]] int check_content(const Json& body, Now now, bool text_or_attachments) const;
    [[nodiscard]] bool passes_tags(const Json& filter, const Customer& customer, const std::string& userid) const;
    void plan_press(const std::string& msgid, const std::string& userid, Now now);
    // How many messages left and how many failed.
    std::pair<std::uint64_t, std::uint64_t> press(const std::string& msgid, const std::string& userid, Now now);
    [[nodiscard]] bool mass_allowed(const std::vector<Instant>& received, Instant now) const;
    [[nodiscard]] int check_task(const Call& call, bool results) const;
    [[nodiscard]] Json list_mass(const Call& call);
    [[nodiscard]] Json mass_members(const Call& call);
    [[nodiscard]] Json mass_results(const Call& call);
    [[nodiscard]] Json remind_mass(const Call& call);
    [[nodiscard]] Json cancel_mass(const Call& call);

    // wecom_moments.cpp
    void register_moments();
    [[nodiscard]] Json add_moment(const Call& call);
    [[nodiscard]] Json moment_job(const Call& call);
    [[nodiscard]] Json moment_members(const Call& call);
    [[nodiscard]] Json moment_customers(const Call& call);
    [[nodiscard]] Json list_moments(const Call& call);
    [[nodiscard]] Json moment_comments(const Call& call);
    [[nodiscard]] Json cancel_moment(const Call& call);
    [[nodiscard]] Moment* find_moment(const std::string& moment_id);
    [[nodiscard]] std::vector<std::string> moment_audience(const Moment& moment, const std::string& userid) const;
    std::uint64_t publish(const std::string& jobid, const std::string& userid, Now now);

    // wecom_messages.cpp
    void register_messages();
    [[nodiscard]] Json send_to_members(const Call& call);
    [[nodiscard]] Json recall_message(const Call& call);

    // wecom_kf.cpp
    void register_kf();
    [[nodiscard]] KfAccount* kf_account(const Call& call);
    [[nodiscard]] std::string add_kf_account(std::string name);
    [[nodiscard]] Json kf_accounts_add(const Call& call);
    [[nodiscard]] Json kf_accounts_list(const Call& call);
    [[nodiscard]] Json kf_contact_way(const Call& call);
    [[nodiscard]] Json kf_servicers_add(const Call& call);
    [[nodiscard]] Json kf_servicers_delete(const Call& call);
    [[nodiscard]] Json kf_servicers_list(const Call& call);
    [[nodiscard]] Json kf_state_get(const Call& call);
    [[nodiscard]] Json kf_state_change(const Call& call);
    [[nodiscard]] Json kf_sync(const Call& call);
    [[nodiscard]] Json kf_send(const Call& call);
    [[nodiscard]] Json kf_send_on_event(const Call& call);
    [[nodiscard]] Json kf_customers(const Call& call);
    // 0, or why the account cannot take this id; an empty one is made.
    [[nodiscard]] int check_kf_msgid(const KfAccount& account, std::string& msgid);
    // Puts a message or event into the account's log and tells the apps.
    void kf_log(const std::string& open_kfid, Json item, Now now);
    void kf_customer_writes(const std::string& open_kfid, const std::string& customer, const std::string& text, const std::string& menu_id, Now now);
    [[nodiscard]] std::string new_event_code(const std::string& open_kfid, const std::string& customer, int state, Now now);

    // wecom_acts.cpp: the control API, and what happens by itself
    void register_acts();
    void somebody_follows(Now now);
    void somebody_writes(Now now);
    [[nodiscard]] Json post_act(Control& control);
    [[nodiscard]] Json post_kf_act(Control& control, const std::string& act);
    [[nodiscard]] Json post_group_act(Control& control, const std::string& act);
    [[nodiscard]] Json post_press(Control& control);
    [[nodiscard]] Json list_tasks(Control& control);
    [[nodiscard]] Json list_people(Control& control);
    void follow(const std::string& userid, const std::string& customer, const std::string& state, bool half, Now now, std::string& welcome_code);
    void leave(const std::string& customer, const std::string& userid, Now now);
    // What a customer does when a mass message or moment has reached him.
    void react(const std::string& customer, const std::string& userid, Now now);
    [[nodiscard]] Json control_problem(Control& control, std::string_view key, std::string detail);

    WecomSettings settings_;
    const WecomBehaviour& wecom_;
    std::vector<std::string> members_;
    std::map<std::string, Customer> customers_by_id_;
    std::map<std::string, std::set<std::string>> customers_of_;  // by member: those of whom he is a member
    struct Unassigned {
        std::string userid, customer;
        Instant at{};
    };
    std::vector<Unassigned> unassigned_;
    struct Transfer {
        std::string from, to, customer;
        bool resigned = false;
        Instant at{};
    };
    std::vector<Transfer> transfers_;
    std::map<std::string, Json> join_ways_;
    std::map<std::string, Json> group_welcomes_;
    std::map<std::string, Group> groups_;
    std::map<std::string, TagGroup> tags_;
    std::map<std::string, Json> contact_ways_;
    std::map<std::string, WelcomeCode> welcome_codes_;
    std::map<std::string, MassTask> tasks_;
    std::map<std::string, Moment> moments_;  // by jobid
    std::map<std::string, KfAccount> kf_;
    std::map<std::string, std::chrono::nanoseconds> kf_tokens_;  // token of a callback → until when
    std::map<std::string, EventCode> event_codes_;
    TokenBucket kf_pulls_;
    std::map<std::string, MemberMessage> member_messages_;
    std::map<std::string, Instant> member_duplicates_;  // application, receiver and content → when
};

}  // namespace touchgate::sandbox
