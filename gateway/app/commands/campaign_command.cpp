// touchgate campaign create|audience|preview|start|pause|resume|cancel|show|list: campaigns through the running gateway, for people and scripts.

#include <CLI/CLI.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include "gateway/app/commands/commands.hpp"
#include "gateway/app/commands/gateway_client.hpp"
#include "gateway/app/config.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::app {

namespace {

struct Options {
    std::string url = "http://127.0.0.1:8080", key_file, id, file, state;
    bool json = false, watch = false;
};

constexpr const char* count_words[] = {"pending", "queued", "deferred", "blocked", "held_out", "dispatching", "accepted", "delivered",
                                       "read", "replied", "completed", "failed", "unknown", "cancelled", "expired"};

// One word of a path.
std::string encoded(const std::string& word) {
    std::string out;
    for (const char c : word) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) out += c;
        else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

class CampaignTool {
public:
    CampaignTool(Options options, std::string lang, std::string key) : options_{std::move(options)}, lang_{std::move(lang)}, key_{std::move(key)} {}

    int create() {
        const auto document = read_file(options_.file);
        if (!document) return failed(options_.file + " cannot be read");
        const auto json = parse_json_with_comments(*document);
        if (!json) return failed(options_.file + ": " + json.error().detail);
        return shown(ask("POST", "/v1/campaigns", json->dump()));
    }

    int audience(bool remove) {
        GatewayRequest request{.method = "POST", .url = url_of(remove ? "/audience/remove" : "/audience"), .key = key_, .content_type = "application/x-ndjson", .body_file = options_.file};
        request.timeout_s = 0;
        std::error_code unknown;
        const auto total = std::filesystem::file_size(options_.file, unknown);
        if (isatty(2) != 0 && !unknown && total > 0)
            request.progress = [total](std::uint64_t sent) {
                const auto percent = std::min<std::uint64_t>(100, sent * 100 / total);
                std::fprintf(stderr, "\r[%-40s] %3llu %%", std::string(static_cast<std::size_t>(percent * 40 / 100), '#').c_str(), static_cast<unsigned long long>(percent));
            };
        const auto answer = ask_gateway(request);
        if (request.progress) std::fprintf(stderr, "\n");
        if (answer.status != 200) return refused(answer);
        if (options_.json) return print(answer.body);
        const auto json = Json::parse(answer.body, nullptr, false);
        if (!json.is_object()) return failed(answer.body);
        std::printf("%s\n", fmt::format(fmt::runtime(text(remove ? "campaign.removed" : "campaign.added", lang_)), json.value(remove ? "removed" : "added", std::uint64_t{0}),
                                        json.value(remove ? "missing" : "duplicates", std::uint64_t{0}), json.value("rejected", std::uint64_t{0})).c_str());
        if (json.contains("errors"))
            for (const auto& error : json["errors"])
                std::fprintf(stderr, "%s\n", fmt::format("{}: {}", error.value("line", std::uint64_t{0}), error.value("detail", error.value("title", ""))).c_str());
        return json.value("rejected", std::uint64_t{0}) == 0 ? 0 : 1;
    }

    int preview() {
        GatewayRequest request{.method = "POST", .url = url_of("/preview"), .key = key_};
        request.timeout_s = 600;
        const auto answer = ask_gateway(request);
        if (answer.status != 200) return refused(answer);
        if (options_.json) return print(answer.body);
        const auto json = Json::parse(answer.body, nullptr, false);
        if (!json.is_object()) return failed(answer.body);
        const auto& counts = json["counts"];
        for (const auto* word : {"allow", "defer", "deny", "held_out", "missing_variable"}) line(text(std::string{"campaign."} + word, lang_), counts.value(word, std::uint64_t{0}));
        for (const auto& [rule, verdicts] : json["by_rule"].items())
            line("  " + rule, verdicts.value("defer", std::uint64_t{0}) + verdicts.value("deny", std::uint64_t{0}));
        line(text("campaign.messages", lang_), json.value("messages", std::uint64_t{0}));
        line(text("campaign.segments", lang_), json.value("segments", std::uint64_t{0}));
        for (const auto& [currency, amount] : json["cost"].items()) std::printf("%-28s %12s %s\n", text("campaign.cost", lang_).c_str(), amount.get<std::string>().c_str(), currency.c_str());
        for (const auto& hour : json["deferred_until"])
            line("  " + hour.value("hour", ""), hour.value("count", std::uint64_t{0}));
        if (json["earliest_finish"].is_string()) std::printf("%-28s %s\n", text("campaign.finish", lang_).c_str(), json["earliest_finish"].get<std::string>().c_str());
        for (const auto& other : json["overlaps"]) line(fmt::format(fmt::runtime(text("campaign.overlap", lang_)), other.value("campaign", "")), other.value("contacts", std::uint64_t{0}));
        return 0;
    }

    int act(const std::string& action) {
        const auto answer = ask_gateway({.method = "POST", .url = url_of("/" + action), .key = key_, .timeout_s = 600});
        if (answer.status != 200) return refused(answer);
        if (options_.watch) return watch();
        return shown(answer);
    }

    int show() { return options_.watch ? watch() : shown(ask("GET", path() , {})); }

    int list() {
        std::string cursor;
        do {
            const auto answer = ask("GET", "/v1/campaigns?limit=1000" + (options_.state.empty() ? std::string{} : "&state=" + encoded(options_.state)) +
                                               (cursor.empty() ? std::string{} : "&cursor=" + encoded(cursor)), {});
            if (answer.status != 200) return refused(answer);
            const auto json = Json::parse(answer.body, nullptr, false);
            if (!json.is_object()) return failed(answer.body);
            for (const auto& campaign : json["items"]) {
                if (options_.json) std::printf("%s\n", campaign.dump().c_str());
                else std::printf("%-32s %-10s %10llu %10llu\n", campaign.value("id", "").c_str(), campaign.value("state", "").c_str(),
                                 static_cast<unsigned long long>(campaign["audience"].value("size", std::uint64_t{0})),
                                 static_cast<unsigned long long>(campaign["counts"].value("pending", std::uint64_t{0})));
            }
            cursor = json["next_cursor"].is_string() ? json["next_cursor"].get<std::string>() : std::string{};
        } while (!cursor.empty());
        return 0;
    }

private:
    [[nodiscard]] std::string path() const { return "/v1/campaigns/" + encoded(options_.id); }
    [[nodiscard]] std::string url_of(const std::string& rest) const { return options_.url + path() + rest; }
    [[nodiscard]] GatewayAnswer ask(const char* method, const std::string& where, std::string body) const {
        return ask_gateway({.method = method, .url = options_.url + where, .key = key_, .body = std::move(body)});
    }
    static int print(const std::string& body) {
        std::printf("%s\n", body.c_str());
        return 0;
    }
    static int failed(const std::string& detail) {
        std::fprintf(stderr, "%s\n", detail.c_str());
        return 2;
    }
    // The problem's detail and fields, as the gateway names them.
    static int refused(const GatewayAnswer& answer) {
        if (answer.status == 0) return failed(answer.fault);
        const auto problem = Json::parse(answer.body, nullptr, false);
        if (!problem.is_object()) return failed(std::to_string(answer.status) + ": " + answer.body);
        std::fprintf(stderr, "%s\n", problem.value("detail", problem.value("title", answer.body)).c_str());
        if (problem.contains("errors"))
            for (const auto& error : problem["errors"]) std::fprintf(stderr, "  %s: %s\n", error.value("pointer", "").c_str(), error.value("detail", "").c_str());
        return 1;
    }
    static void line(const std::string& name, std::uint64_t number) { std::printf("%-28s %12llu\n", name.c_str(), static_cast<unsigned long long>(number)); }

    int shown(const GatewayAnswer& answer) const {
        if (answer.status != 200 && answer.status != 201) return refused(answer);
        if (options_.json) return print(answer.body);
        const auto json = Json::parse(answer.body, nullptr, false);
        if (!json.is_object()) return failed(answer.body);
        std::printf("%s  %s", json.value("id", "").c_str(), text("campaign.state." + json.value("state", ""), lang_).c_str());
        if (json["reason"].is_string()) std::printf(" (%s)", json["reason"].get<std::string>().c_str());
        std::printf("\n");
        line(text("campaign.size", lang_), json["audience"].value("size", std::uint64_t{0}));
        for (const auto* word : count_words)
            if (const auto number = json["counts"].value(word, std::uint64_t{0}); number > 0) line("  " + text(std::string{"campaign.count."} + word, lang_), number);
        for (const auto& [rule, number] : json["by_rule"].items()) line("    " + rule, number.get<std::uint64_t>());
        for (const auto& [arm, number] : json["by_arm"].items()) line(fmt::format(fmt::runtime(text("campaign.arm", lang_)), arm), number.get<std::uint64_t>());
        return 0;
    }

    // A line that changes until the campaign rests.
    int watch() const {
        const bool terminal = isatty(1) != 0;
        for (;;) {
            const auto answer = ask("GET", path(), {});
            if (answer.status != 200) return refused(answer);
            const auto json = Json::parse(answer.body, nullptr, false);
            if (!json.is_object()) return failed(answer.body);
            const auto state = json.value("state", "");
            const auto size = json["audience"].value("size", std::uint64_t{0});
            std::uint64_t waits = 0;
            for (const auto* word : {"pending", "queued", "deferred", "dispatching"}) waits += json["counts"].value(word, std::uint64_t{0});
            const auto done = size - std::min(size, waits);
            const auto percent = size == 0 ? 100 : done * 100 / size;
            std::string counts;
            for (const auto* word : count_words)
                if (const auto number = json["counts"].value(word, std::uint64_t{0}); number > 0) counts += fmt::format("  {} {}", text(std::string{"campaign.count."} + word, lang_), number);
            std::printf("%s[%-30s] %3llu %%  %s%s%s", terminal ? "\r\033[K" : "", std::string(static_cast<std::size_t>(percent * 30 / 100), '#').c_str(),
                        static_cast<unsigned long long>(percent), text("campaign.state." + state, lang_).c_str(), counts.c_str(), terminal ? "" : "\n");
            std::fflush(stdout);
            if (state != "running") {
                if (terminal) std::printf("\n");
                return 0;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{500});
        }
    }

    Options options_;
    std::string lang_, key_;
};

}  // namespace

void add_campaign(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("campaign", text("campaign", line.lang));
    command->require_subcommand(1);
    auto options = std::make_shared<Options>();
    const auto add = [&](const char* name, bool with_id, bool with_file, bool with_watch, std::function<int(CampaignTool&)> run) {
        auto* sub = command->add_subcommand(name, text(std::string{"campaign."} + name, line.lang));
        if (with_id) sub->add_option("id", options->id)->required();
        if (with_file) sub->add_option("file", options->file)->required();
        sub->add_option("--url", options->url, "http://127.0.0.1:8080");
        sub->add_option("--key-file", options->key_file);
        sub->add_flag("--json", options->json, text("option.json", line.lang));
        if (with_watch) sub->add_flag("--watch", options->watch, text("campaign.watch", line.lang));
        if (std::string_view{name} == "list") sub->add_option("--state", options->state, "draft|running|paused|finished|cancelled");
        sub->callback([options, &line, run = std::move(run)] {
            const auto key = read_api_key(options->key_file);
            if (!key) {
                std::fprintf(stderr, "%s cannot be read\n", options->key_file.c_str());
                line.status = 2;
                return;
            }
            curl_global_init(CURL_GLOBAL_ALL);
            CampaignTool tool{*options, line.lang, *key};
            line.status = run(tool);
        });
    };
    add("create", false, true, false, [](CampaignTool& tool) { return tool.create(); });
    add("audience", true, true, false, [](CampaignTool& tool) { return tool.audience(false); });
    add("remove", true, true, false, [](CampaignTool& tool) { return tool.audience(true); });
    add("preview", true, false, false, [](CampaignTool& tool) { return tool.preview(); });
    for (const auto* action : {"start", "pause", "resume", "cancel"})
        add(action, true, false, true, [action = std::string{action}](CampaignTool& tool) { return tool.act(action); });
    add("show", true, false, true, [](CampaignTool& tool) { return tool.show(); });
    add("list", false, false, false, [](CampaignTool& tool) { return tool.list(); });
}

}  // namespace touchgate::app
