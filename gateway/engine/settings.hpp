// The engine's configuration: typed, checked, complete. Made by gateway/app from the configuration file, or by a test.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/channel/capabilities.hpp"
#include "gateway/channel/submission.hpp"
#include "gateway/content/billing.hpp"
#include "gateway/dialing/trunks.hpp"
#include "gateway/content/reply_words.hpp"
#include "gateway/content/templates.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/engine/phone_facts.hpp"
#include "gateway/policy/decide.hpp"

namespace touchgate {

namespace voice { struct CallRules; }

// How tasks that wait for an employee are kept in hand.
struct TaskRules {
    Duration poll_interval{30'000};              // at first; slower as a task grows old
    Duration batch_window{1'000};                // so long touches wait for others that may share their task
    Duration expires_after{std::chrono::hours{24}};
    std::vector<Duration> remind_after = {Duration{std::chrono::hours{4}}};
    int reminders = 3;                           // at most, for one task
    bool ends_with_hours = true;                 // when the open span of a binding rule of hours or blackout ends
};

// What a new customer is greeted with, by the code that his coming brings.
struct Welcome {
    std::string content_json = {};               // in the adapter's shape; empty: no greeting
    std::string purpose = "service";
};

// What is answered without a person: the first rule of an account that fits a message.
struct AutoReply {
    struct Hours { std::uint8_t days = 0; int from_minute = 0, to_minute = 0; };  // days: bit 1 Monday … bit 7 Sunday
    std::vector<std::string> keywords = {};      // lower case; one of them is in the text; empty: any text
    bool first_contact = false;                  // only the message that opens a conversation
    std::optional<Hours> outside = {};           // only outside these hours of the configured time zone
    std::string text = {}, content_json = {};    // one of them
};

// An employee of ours, by his user id at the platform: who sends in his place while he is away or after he left.
struct Employee {
    Instant absent_from = instant_never, absent_to = instant_never;
    std::string delegate = {};                   // a user id, or empty
    bool resigned = false;
    [[nodiscard]] bool is_away(Instant at) const { return resigned || (at >= absent_from && at < absent_to); }
};

// One account, as the engine sees it. The adapter itself is the transport's.
struct AccountSettings {
    std::string name;
    std::string adapter;
    channel::Capabilities capabilities;
    std::optional<double> rate_per_second = {};  // tokens; one submit PDU or one HTTP request each
    int window = 32;                             // submits in flight
    int max_retries = 5;                         // of not_sent
    Duration permit_ttl{5'000};
    Duration unknown_final_after{std::chrono::hours{72}};
    bool match_by_address = false;               // receipt_match: "address"
    std::string sign_name = {};
    bool signature_by_provider = false;
    content::Billing billing = {};
    std::string queue = {};
    bool validity_from_policy = true;
    TaskRules tasks = {};
    std::vector<dialing::TrunkTerms> trunks = {};  // of a telephone system
    Welcome welcome = {};
    std::vector<AutoReply> auto_replies = {};
    bool passive_replies = false;                // answers by rule go in the answer to the callback, where the platform has that
    std::map<std::string, Employee, std::less<>> employees = {};     // those of whom something is to be said
    std::map<std::string, std::string, std::less<>> tag_names = {};  // a contact's tag by the platform's tag id; others: "<account>:<tag id>"
    std::shared_ptr<const voice::CallRules> calls = {};  // of a telephone system; null: it is none
    // What is wrong with content before anything is decided; pointers are relative to the content.
    std::function<std::vector<Problem>(const channel::Content&)> content_problems = [](const channel::Content&) { return std::vector<Problem>{}; };
    std::function<bool(const channel::Content&)> repeat_is_safe = [](const channel::Content&) { return false; };
    std::function<bool(const channel::Content&)> needs_reply_window = [](const channel::Content&) { return true; };
    std::function<std::string(const channel::Content&)> quota_scope = [](const channel::Content&) { return std::string{}; };
    // Segments that a text takes on this account (the adapter's own counting).
    std::function<int(std::string_view)> segments = [](std::string_view) { return 1; };
};

struct RouteChoice { std::string account; double weight = 1; double max_share = 1; };
struct Route {
    std::string channel;
    Json when = nullptr;                // same grammar as a policy's `when`; null: always
    std::vector<RouteChoice> choices;
    std::string pointer = {};           // of `when`, for messages
};

struct Limits {
    std::size_t waiting_touches = 1'000'000;
    std::size_t deferred_touches = 10'000'000;
    std::size_t intake_queue = 10'000;
};

// How agents' connections are kept.
struct AgentRules {
    Duration lease{15'000};              // from the last sign of life
    Duration grace{30'000};              // after it, until the agent is signed out
    bool require_health = false;         // who never reported a healthy telephone gets no calls
    Json softphone = nullptr;            // {"uri": "sip:{extension}@…", "websocket": "wss://…", "password": …, "ice": […]}
};

struct EngineSettings {
    std::string data_dir;
    std::string default_region = "CN";
    std::string time_zone = "Asia/Shanghai";
    std::string default_locale = "zh-CN";
    std::string policy_document;            // the configured file's bytes
    std::string policy_source;              // its path, for messages
    policy::IncludeLoader include;          // other policies by name
    std::map<std::string, std::string> calendars;  // the configured files' bytes by id
    policy::WordsLoader forbidden_words;    // files of words that content rules name
    std::shared_ptr<const content::TemplateStore> templates;
    std::vector<AccountSettings> accounts;
    std::vector<Route> routes;
    Limits limits;
    std::map<std::string, Duration> expires_after = {{"transactional", std::chrono::minutes{15}}, {"*", std::chrono::hours{72}}};
    content::ReplyWords reply_words;        // opt-out and opt-in words
    std::vector<std::string> opt_out_purposes = {"marketing"};
    std::vector<std::string> regrant_sources = {"customer", "reply", "form", "agent"};
    std::vector<std::string> callbacks = {};  // names that a touch may give
    Duration drain_timeout{20'000};
    std::uint64_t checkpoint_every_bytes = std::uint64_t{512} << 20U;
    AgentRules agents;
    std::vector<std::pair<std::string, Json>> queues = {};  // the configured documents, in their order: the first that takes a channel gets what no account's queue does
    Json lead_routing = Json::object();
    std::shared_ptr<const PhoneFacts> phones;  // country, carrier, zones of a number
    crypto::Key index_key{};                   // keys the blind indexes; derived from the master key
};

}  // namespace touchgate
