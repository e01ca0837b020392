#include "gateway/app/config.hpp"

#include <date/tz.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/app/call_settings.hpp"
#include "gateway/app/desk_settings.hpp"
#include "gateway/app/lead_settings.hpp"
#include "gateway/app/media_folder.hpp"
#include "gateway/app/messaging_settings.hpp"
#include "gateway/app/phone_library.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/dispatch/rate.hpp"
#include "gateway/http/server.hpp"
#include "gateway/policy/calendar.hpp"
#include "gateway/policy/condition.hpp"

namespace touchgate::app {

namespace fs = std::filesystem;

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return std::nullopt;
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return std::move(bytes).str();
}

std::string archive_note(const std::string& data_dir) { return data_dir + "/archive"; }

std::string to_string(const FileProblem& problem) {
    std::string text = problem.file;
    if (!problem.pointer.empty()) text += ": " + problem.pointer;
    return text + ": " + (problem.warning ? "warning: " : "") + problem.detail;
}

bool has_errors(const std::vector<FileProblem>& problems) {
    return std::any_of(problems.begin(), problems.end(), [](const FileProblem& problem) { return !problem.warning; });
}

namespace {

// Replaces ${ENV:NAME} and ${FILE:path} in every string.
void expand(Json& value, const std::string& pointer, const std::string& root, std::vector<Problem>& problems) {
    if (value.is_object()) {
        for (auto& [key, member] : value.items()) expand(member, pointer_to(pointer, key), root, problems);
        return;
    }
    if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) expand(value[i], pointer_to(pointer, i), root, problems);
        return;
    }
    if (!value.is_string()) return;
    auto text = value.get<std::string>();
    for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos;) {
        const auto end = text.find('}', at);
        if (end == std::string::npos) break;
        const auto inside = text.substr(at + 2, end - at - 2);
        std::optional<std::string> replacement;
        if (inside.starts_with("ENV:")) {
            const char* found = std::getenv(inside.c_str() + 4);
            if (found == nullptr) problems.push_back({pointer, "the environment variable " + inside.substr(4) + " is not set"});
            else replacement = found;
        } else if (inside.starts_with("FILE:")) {
            const fs::path named{inside.substr(5)};
            auto bytes = read_file(named.is_absolute() ? named.string() : (fs::path{root} / named).string());
            if (!bytes) problems.push_back({pointer, "the file " + named.string() + " cannot be read"});
            else {
                while (!bytes->empty() && (bytes->back() == '\n' || bytes->back() == '\r')) bytes->pop_back();
                replacement = std::move(*bytes);
            }
        } else {
            at = end;  // a provider's own ${name}
            continue;
        }
        text.replace(at, end - at + 1, replacement.value_or(""));
        at += replacement ? replacement->size() : 0;
    }
    value = std::move(text);
}

std::string resolve_path(const std::string& root, const std::string& path) {
    if (path.empty()) return {};
    const fs::path named{path};
    return named.is_absolute() ? path : (fs::path{root} / named).lexically_normal().string();
}

void read_http(JsonReader& reader, Config& config) {
    auto& options = config.http;
    if (auto http = reader.object("http")) {
        options.listen = http->text("listen", options.listen);
        if (auto tls = http->object("tls")) {
            options.tls_certificate = resolve_path(config.root, tls->required_text("certificate"));
            options.tls_key = resolve_path(config.root, tls->required_text("key"));
            tls->finish();
        }
        options.console_dir = resolve_path(config.root, http->text("console_dir", {}));
        options.threads = static_cast<int>(http->integer("threads", options.threads, 1, 64));
        http->finish();
    }
    reader.objects("api_keys", [&](JsonReader& key, std::size_t) {
        http::ApiKeyOptions made;
        made.name = key.required_text("name", {1, 100});
        made.key = key.text("key", {}, {16, 500});
        made.key_hash = key.text("key_hash", {}, {64, 64});
        if (made.key.empty() == made.key_hash.empty()) key.problem_here("needs exactly one of key (at least 16 characters) and key_hash (made by `touchgate key new`)");
        made.scopes = key.texts("scopes");
        made.rate = key.text("rate");
        if (!made.rate.empty() && !dispatch::parse_rate(made.rate)) key.problem("rate", "must be like \"100/second\" (second, minute, hour or day)");
        key.finish();
        options.api_keys.push_back(std::move(made));
    });
}

void read_limits(JsonReader& reader, Config& config) {
    auto limits = reader.object("limits");
    if (!limits) return;
    auto& engine = config.engine.limits;
    const auto count = [&](const char* key, std::size_t fallback, std::int64_t max) { return static_cast<std::size_t>(limits->integer(key, static_cast<std::int64_t>(fallback), 1, max)); };
    engine.waiting_touches = count("waiting_touches", engine.waiting_touches, 100'000'000);
    engine.deferred_touches = count("deferred_touches", engine.deferred_touches, 1'000'000'000);
    engine.intake_queue = count("intake_queue", engine.intake_queue, 10'000'000);
    config.http.connections_max = count("connections", config.http.connections_max, 1'000'000);
    config.http.intake_queue = engine.intake_queue;
    limits->finish();
}

void read_account(Config& config, const std::string& name, const Json& value, const std::string& pointer, const Json& accounts, std::vector<Problem>& problems) {
    JsonReader reader{value, pointer, problems};
    if (!value.is_object()) return;
    if (name.empty() || name.size() > 64 || name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != std::string::npos)
        reader.problem_here("an account's name has 1 to 64 letters, digits, '-', '_' or '.'");
    const auto adapter_name = reader.required_text("adapter");
    const auto& adapters = channel::all_adapters();
    const auto info = std::find_if(adapters.begin(), adapters.end(), [&](const channel::AdapterInfo& each) { return each.name == adapter_name; });
    if (info == adapters.end()) {
        if (!adapter_name.empty()) {
            std::string list;
            for (const auto& each : adapters) list += (list.empty() ? "" : ", ") + each.name;
            reader.problem("adapter", "there is no adapter \"" + adapter_name + "\"; there are: " + list);
        }
        return;
    }
    Account account;
    account.name = name;
    auto& settings = account.settings;
    settings.name = name;
    settings.adapter = adapter_name;
    if (reader.has("rate")) settings.rate_per_second = reader.number("rate", 1, 0.0001, 1'000'000);
    (void)reader.raw("rate");
    settings.max_retries = static_cast<int>(reader.integer("max_retries", settings.max_retries, 0, 100));
    settings.permit_ttl = reader.duration("permit_ttl", settings.permit_ttl, Duration{100}, Duration{600'000});
    settings.unknown_final_after = reader.duration("unknown_final_after", settings.unknown_final_after, Duration{1'000});
    settings.sign_name = reader.text("sign_name", {}, {0, 100});
    settings.signature_by_provider = reader.choice("signature_mode", {"in_text", "by_provider"}, "in_text") == "by_provider";
    settings.queue = reader.text("queue");
    settings.validity_from_policy = reader.choice("validity", {"policy", "provider"}, "policy") == "policy";
    if (auto billing = reader.object("billing")) settings.billing = content::read_billing(*billing);
    const auto match = reader.choice("receipt_match", {"id", "address"}, "");
    account.ca_file = resolve_path(config.root, reader.text("ca_file"));

    const auto settings_of = [&accounts](std::string_view other) -> const Json* {
        const auto found = accounts.find(other);
        return found == accounts.end() || !found->is_object() ? nullptr : &*found;
    };
    if (const auto* welcome = reader.raw("welcome")) {
        if (welcome->is_object() && !welcome->empty()) settings.welcome.content_json = welcome->dump();
        else reader.problem("welcome", "must be an object: the content that a new customer is greeted with, as a touch's content for this channel");
    }
    settings.welcome.purpose = reader.text("welcome_purpose", settings.welcome.purpose);
    settings.passive_replies = reader.boolean("passive_replies", false);
    read_employees(reader, settings.employees);
    read_tag_names(reader, settings.tag_names);
    reader.objects("auto_replies", [&](JsonReader& rule, std::size_t) { settings.auto_replies.push_back(read_auto_reply(rule)); });
    account.adapter = info->make(reader, {.name = name, .default_region = config.engine.default_region, .settings_of = settings_of, .media = config.media});
    std::visit([&](const auto& held) { settings.capabilities = held->capabilities(); }, account.adapter);
    if (settings.capabilities.human_executed) read_task_rules(reader, settings.tasks);
    if (std::holds_alternative<std::unique_ptr<channel::CallAdapter>>(account.adapter)) {
        settings.calls = read_call_rules(reader, config.engine.default_region);
        settings.trunks = dialing::read_trunks(reader);
        settings.content_problems = [calls = settings.calls, pbx = std::get<std::unique_ptr<channel::CallAdapter>>(account.adapter).get()](const channel::Content& content) {
            return voice_content_problems(*calls, [pbx](const std::string& medium) { return pbx->can_play(medium); }, content);
        };
    }
    reader.finish();
    if (const auto* exchange = account.exchange()) {
        settings.content_problems = [exchange](const channel::Content& content) { return exchange->content_problems(content); };
        settings.repeat_is_safe = [exchange](const channel::Content& content) { return exchange->repeat_is_safe(content); };
        settings.quota_scope = [exchange](const channel::Content& content) { return exchange->quota_scope(content); };
        settings.needs_reply_window = [exchange](const channel::Content& content) { return exchange->needs_reply_window(content); };
    }
    std::visit([&](const auto& held) {
        settings.window = held->window();
        // One request with several attempts takes one place of the window.
        if (settings.capabilities.human_executed) settings.window *= static_cast<int>(settings.capabilities.batch_max);
        settings.segments = [adapter = held.get()](std::string_view text) { return adapter->segments(text); };
    }, account.adapter);
    // A session protocol whose receipts carry ids alone can settle an unknown attempt by its address; on by default there.
    const bool session = std::holds_alternative<std::unique_ptr<channel::SessionAdapter>>(account.adapter);
    settings.match_by_address = match.empty() ? session : match == "address";
    if (settings.capabilities.can_reconcile && !reader.has("unknown_final_after")) settings.unknown_final_after = std::chrono::minutes{30};
    config.accounts.push_back(std::move(account));
}

// A touch that names a channel takes its accounts in the order of the file, which Json does not keep.
void sort_as_written(std::vector<Account>& accounts, std::string_view document) {
    const auto ordered = nlohmann::ordered_json::parse(document, nullptr, false, true);
    if (!ordered.is_object() || !ordered.contains("accounts") || !ordered["accounts"].is_object()) return;
    std::vector<std::string> names;
    for (const auto& [name, account] : ordered["accounts"].items()) names.push_back(name);
    const auto place = [&](const Account& account) { return std::find(names.begin(), names.end(), account.name); };
    std::sort(accounts.begin(), accounts.end(), [&](const Account& a, const Account& b) { return place(a) < place(b); });
}

void read_routes(JsonReader& reader, Config& config) {
    reader.members("routes", [&](const std::string& channel, const Json& value, const std::string& pointer) {
        if (!value.is_array()) {
            reader.problems().push_back({pointer, "must be an array of routes"});
            return;
        }
        for (std::size_t i = 0; i < value.size(); ++i) {
            JsonReader route{value[i], pointer_to(pointer, i), reader.problems()};
            Route made{.channel = channel, .when = nullptr, .choices = {}, .pointer = pointer_to(pointer_to(pointer, i), "when")};
            if (const auto* when = route.raw("when")) made.when = *when;
            route.objects("accounts", [&](JsonReader& choice, std::size_t) {
                RouteChoice one{.account = choice.required_text("account"), .weight = choice.number("weight", 1, 0, 1e9), .max_share = choice.number("max_share", 1, 0, 1)};
                const bool known = std::any_of(config.accounts.begin(), config.accounts.end(), [&](const Account& account) { return account.name == one.account; });
                if (!known && !one.account.empty()) choice.problem("account", "there is no account \"" + one.account + "\"");
                choice.finish();
                made.choices.push_back(std::move(one));
            });
            if (made.choices.empty()) route.problem("accounts", "names no account");
            route.finish();
            config.engine.routes.push_back(std::move(made));
        }
    });
}

void read_opt_out(JsonReader& reader, Config& config) {
    auto words = content::default_opt_out_words();
    auto opt_in_words = content::default_opt_in_words();
    if (auto opt_out = reader.object("opt_out")) {
        words = opt_out->texts("words", words);
        opt_in_words = opt_out->texts("opt_in_words", opt_in_words);
        config.engine.opt_out_purposes = opt_out->texts("purposes", config.engine.opt_out_purposes);
        opt_out->finish();
    }
    config.engine.reply_words = content::ReplyWords{words, opt_in_words};
    if (auto consent = reader.object("consent")) {
        config.engine.regrant_sources = consent->texts("regrant_sources", config.engine.regrant_sources);
        consent->finish();
    }
}

void read_callbacks(JsonReader& reader, Config& config) {
    reader.members("callbacks", [&](const std::string& name, const Json& value, const std::string& pointer) {
        JsonReader callback{value, pointer, reader.problems()};
        Callback made{.name = name, .url = callback.required_text("url"), .secrets = {}, .events = {}, .batch = 100};
        if (const auto* secret = callback.raw("secret"); secret != nullptr && secret->is_array()) made.secrets = callback.texts("secret");
        else made.secrets = {callback.required_text("secret", {16, 500})};
        if (made.secrets.empty() || made.secrets.size() > 2) callback.problem("secret", "must be one secret, or two while they are being changed");
        made.events = callback.texts("events", {"final"});
        for (const auto& event : made.events)
            if (event != "final" && event != "deferred" && event != "replied" && event != "lead") callback.problem("events", "\"" + event + "\" is none of: final, deferred, replied, lead");
        made.batch = static_cast<std::size_t>(callback.integer("batch", 100, 1, 1'000));
        callback.finish();
        config.engine.callbacks.push_back(name);
        config.callbacks.push_back(std::move(made));
    });
}

}  // namespace

policy::IncludeLoader make_include_loader(const Config& config) {
    const auto folder = fs::path{config.policy_file}.parent_path();
    const auto shipped = fs::path{config.root} / "policies";
    return [folder, shipped](std::string_view name) -> Result<Json> {
        for (const auto& place : {folder, shipped})
            if (const auto bytes = read_file((place / (std::string{name} + ".json")).string())) return parse_json_with_comments(*bytes);
        return Error{.kind = ErrorKind::not_found, .detail = "there is no policy file " + std::string{name} + ".json"};
    };
}

policy::WordsLoader make_words_loader(const Config& config) {
    const auto folder = fs::path{config.policy_file}.parent_path();
    const auto shipped = fs::path{config.root} / "policies";
    return [folder, shipped](std::string_view name) -> Result<std::vector<std::string>> {
        // A name, not a path: a policy that comes over the API must not read other files.
        if (name.find('/') != std::string_view::npos || name.starts_with('.'))
            return Error{.kind = ErrorKind::not_found, .detail = "must be the name of a file beside the policy, without a path"};
        for (const auto& place : {folder, shipped}) {
            const auto bytes = read_file((place / std::string{name}).string());
            if (!bytes) continue;
            std::vector<std::string> words;
            std::istringstream lines{*bytes};
            for (std::string line; std::getline(lines, line);) {
                while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
                if (!line.empty() && line.front() != '#') words.push_back(std::move(line));
            }
            return words;
        }
        return Error{.kind = ErrorKind::not_found, .detail = "there is no file " + std::string{name} + " beside the policy"};
    };
}

LoadedCalendars load_calendars(const std::string& folder, std::vector<FileProblem>& problems) {
    LoadedCalendars calendars;
    std::error_code error;
    if (folder.empty() || !fs::is_directory(folder, error)) return calendars;
    for (const auto& entry : fs::directory_iterator{folder, error}) {
        const auto file = entry.path();
        if (file.extension() != ".json" || file.stem().extension() == ".schema") continue;
        const auto bytes = read_file(file.string());
        const auto parsed = bytes ? parse_json_with_comments(*bytes) : Result<Json>{Error{.detail = "cannot be read"}};
        if (!parsed) {
            problems.push_back({file.string(), {}, parsed.error().detail});
            continue;
        }
        auto calendar = policy::parse_calendar(*parsed, file.stem().string());
        if (!calendar) {
            for (const auto& problem : calendar.error().problems) problems.push_back({file.string(), problem.pointer, problem.detail});
            continue;
        }
        calendars.parsed[file.stem().string()] = *calendar;
        calendars.documents[file.stem().string()] = *bytes;
    }
    return calendars;
}

std::optional<Config> load_config(const std::string& path, std::vector<FileProblem>& found) {
    Config config;
    config.path = path;
    const auto bytes = read_file(path);
    if (!bytes) {
        found.push_back({path, {}, "the configuration file cannot be read"});
        return std::nullopt;
    }
    auto parsed = parse_json_with_comments(*bytes);
    if (!parsed) {
        found.push_back({path, {}, parsed.error().detail});
        return std::nullopt;
    }
    config.root = fs::absolute(path).parent_path().parent_path().string();
    config.document = std::move(*parsed);
    std::vector<Problem> problems;
    expand(config.document, {}, config.root, problems);
    JsonReader reader{config.document, {}, problems};

    auto& engine = config.engine;
    engine.default_region = reader.text("default_region", "CN", {2, 2});
    if (!is_phone_region(engine.default_region)) reader.problem("default_region", "\"" + engine.default_region + "\" is no ISO 3166 country code such as \"CN\"");
    engine.time_zone = reader.text("time_zone", "Asia/Shanghai");
    try {
        (void)date::locate_zone(engine.time_zone);
    } catch (const std::exception&) {
        reader.problem("time_zone", "\"" + engine.time_zone + "\" is no IANA time zone");
    }
    engine.default_locale = reader.text("default_locale", "zh-CN");
    config.http.default_region = engine.default_region;
    config.data_dir = resolve_path(config.root, reader.text("data_dir", "data", {1, 1'000}));
    engine.data_dir = config.data_dir;
    if (const auto noted = read_file(archive_note(config.data_dir))) config.archive_dir = *noted;
    config.master_key = reader.text("master_key");
    config.log_level = reader.choice("log_level", {"debug", "info", "warn", "error"}, "info");
    read_http(reader, config);
    read_limits(reader, config);
    reader.members("expires_after", [&](const std::string& purpose, const Json& value, const std::string& pointer) {
        const auto duration = value.is_string() ? parse_duration(value.get_ref<const std::string&>()) : std::nullopt;
        if (!duration || *duration > std::chrono::hours{24 * 366}) problems.push_back({pointer, "must be an ISO 8601 duration of at most P366D"});
        else engine.expires_after[purpose] = *duration;
    });
    engine.drain_timeout = reader.duration("drain_timeout", engine.drain_timeout);
    read_opt_out(reader, config);
    read_callbacks(reader, config);
    config.media = std::make_shared<MediaFolder>(resolve_path(config.root, reader.text("media", "media", {0, 1'000})), config.data_dir + "/media");
    static const Json no_accounts = Json::object();
    const auto* accounts = reader.raw("accounts");
    if (accounts == nullptr) accounts = &no_accounts;
    reader.members("accounts", [&](const std::string& name, const Json& value, const std::string& pointer) { read_account(config, name, value, pointer, *accounts, problems); });
    sort_as_written(config.accounts, *bytes);
    read_routes(reader, config);
    read_desk_settings(reader, config, found);
    for (const auto* later : {"sinks", "lead_routing", "sandbox", "$schema"}) (void)reader.raw(later);

    config.calendars_dir = resolve_path(config.root, reader.text("calendars", "calendars"));
    config.templates_dir = resolve_path(config.root, reader.text("templates"));
    auto policy_name = reader.required_text("policy");
    reader.finish();
    for (auto& problem : http::problems_of(config.http))
        if (std::none_of(problems.begin(), problems.end(), [&](const Problem& known) { return known.pointer.starts_with(problem.pointer); })) problems.push_back(std::move(problem));
    for (auto& problem : problems) found.push_back({path, std::move(problem.pointer), std::move(problem.detail)});

    auto calendars = load_calendars(config.calendars_dir, found);
    std::vector<Problem> in_leads;
    read_lead_routing(config, calendars.parsed, in_leads);
    for (auto& problem : in_leads) found.push_back({path, std::move(problem.pointer), std::move(problem.detail)});
    engine.calendars = std::move(calendars.documents);
    if (!policy_name.empty()) {
        // A file, or the name of a shipped policy.
        config.policy_file = resolve_path(config.root, policy_name);
        if (!fs::exists(config.policy_file)) {
            const auto shipped = fs::path{config.root} / "policies" / (policy_name + ".json");
            if (fs::exists(shipped)) config.policy_file = shipped.string();
        }
        auto document = read_file(config.policy_file);
        if (!document) found.push_back({path, "/policy", "the policy file " + config.policy_file + " cannot be read"});
        else engine.policy_document = std::move(*document);
        engine.policy_source = config.policy_file;
    }
    engine.include = make_include_loader(config);
    engine.forbidden_words = make_words_loader(config);
    if (!engine.policy_document.empty()) {
        const auto document = parse_json_with_comments(engine.policy_document);
        if (!document) {
            found.push_back({config.policy_file, {}, document.error().detail});
        } else {
            SymbolTable symbols;
            policy::ProfileTable profiles;
            std::vector<Problem> warnings;
            const auto compiled = policy::CompiledPolicy::compile(*document, {.symbols = symbols, .profiles = profiles, .calendars = calendars.parsed,
                                                                              .include = engine.include, .default_zone = engine.time_zone, .known_channels = {},
                                                                              .forbidden_words = engine.forbidden_words, .now = SystemClock{}.wall_now()},
                                                                  &warnings);
            if (!compiled) {
                for (const auto& problem : compiled.error().problems) found.push_back({config.policy_file, problem.pointer, problem.detail});
                if (compiled.error().problems.empty()) found.push_back({config.policy_file, {}, compiled.error().detail});
            } else {
                const auto& purposes = (*compiled)->purposes();
                std::vector<std::string> attributes, channels;
                policy::ConditionNames names{symbols, purposes, attributes, channels};
                std::vector<Problem> in_routes;
                for (const auto& route : engine.routes)
                    if (!route.when.is_null()) {
                        JsonReader when{route.when, route.pointer, in_routes};
                        (void)policy::parse_condition(when, names);
                        when.finish();
                    }
                for (auto& problem : in_routes) found.push_back({path, std::move(problem.pointer), std::move(problem.detail)});
                for (const auto& purpose : engine.opt_out_purposes)
                    if (std::find(purposes.begin(), purposes.end(), purpose) == purposes.end())
                        found.push_back({path, "/opt_out/purposes", "the policy has no purpose \"" + purpose + "\""});
            }
            for (const auto& warning : warnings) found.push_back({config.policy_file, warning.pointer, warning.detail, true});
        }
    }
    if (!config.templates_dir.empty()) {
        std::vector<content::FileProblems> template_problems;
        engine.templates = std::make_shared<content::TemplateStore>(content::TemplateStore::load(config.templates_dir, template_problems));
        for (const auto& file : template_problems)
            for (const auto& problem : file.problems) found.push_back({file.file, problem.pointer, problem.detail});
    } else {
        engine.templates = std::make_shared<content::TemplateStore>();
    }
    engine.phones = make_phone_library();
    for (const auto& account : config.accounts) engine.accounts.push_back(account.settings);
    return config;
}

}  // namespace touchgate::app
