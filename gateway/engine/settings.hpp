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
#include "gateway/content/billing.hpp"
#include "gateway/content/reply_words.hpp"
#include "gateway/content/templates.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/engine/phone_facts.hpp"
#include "gateway/policy/decide.hpp"

namespace touchgate {

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
    // Segments that a text takes on this account (the adapter's own counting).
    std::function<int(std::string_view)> segments = [](std::string_view) { return 1; };
};

struct RouteChoice { std::string account; double weight = 1; double max_share = 1; };
struct Route {
    std::string channel;
    Json when = nullptr;                // same grammar as a policy's `when`; null: always
    std::vector<RouteChoice> choices;
};

struct Limits {
    std::size_t waiting_touches = 1'000'000;
    std::size_t deferred_touches = 10'000'000;
    std::size_t intake_queue = 10'000;
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
    std::shared_ptr<const PhoneFacts> phones;  // country, carrier, zones of a number
    crypto::Key index_key{};                   // keys the blind indexes; derived from the master key
};

}  // namespace touchgate
