// serve, check, sandbox and key: little more than calls.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <iostream>

#include "adapters/sandbox/sandbox.hpp"
#include "gateway/app/commands/commands.hpp"
#include "gateway/app/config.hpp"
#include "gateway/app/serve.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/text.hpp"
#include "gateway/http/auth.hpp"
#include "gateway/net/probe.hpp"

namespace touchgate::app {

namespace {

CLI::Option* config_option(CLI::App& command, std::string& path, const CommandLine& line) {
    return command.add_option("--config", path, text("option.config", line.lang))->required();
}

}  // namespace

void add_serve(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("serve", text("serve", line.lang));
    auto path = std::make_shared<std::string>();
    config_option(*command, *path, line);
    command->callback([path, &line] { line.status = serve(*path); });
}

void add_check(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("check", text("check", line.lang));
    struct Options { std::string path; bool probe = false; bool json = false; };
    auto options = std::make_shared<Options>();
    config_option(*command, options->path, line);
    command->add_flag("--probe", options->probe, text("check.probe", line.lang));
    command->add_flag("--json", options->json, text("option.json", line.lang));
    command->callback([options, &line] {
        std::vector<FileProblem> problems;
        auto config = load_config(options->path, problems);
        if (config && !has_errors(problems) && options->probe) {
            const SystemClock clock;
            for (const auto& account : config->accounts) {
                net::NetAccount probed{.name = account.name, .adapter = &account.adapter, .seed = 1, .http = {}};
                probed.http.ca_file = account.ca_file;
                const auto answer = net::probe_account(probed, clock);
                if (answer) std::printf("%s: %s\n", account.name.c_str(), answer->c_str());
                else problems.push_back({options->path, "/accounts/" + account.name, answer.error().detail});
            }
        }
        if (options->json) {
            Json list = Json::array();
            for (const auto& problem : problems)
                list.push_back({{"file", problem.file}, {"pointer", problem.pointer}, {"detail", problem.detail}, {"warning", problem.warning}});
            std::printf("%s\n", Json{{"ok", !has_errors(problems)}, {"problems", list}}.dump().c_str());
        } else {
            for (const auto& problem : problems) std::printf("%s\n", to_string(problem).c_str());
            if (!has_errors(problems)) std::printf("%s\n", text("check.ok", line.lang).c_str());
        }
        line.status = has_errors(problems) ? 1 : 0;
    });
}

void add_sandbox(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("sandbox", text("sandbox", line.lang));
    auto path = std::make_shared<std::string>();
    config_option(*command, *path, line);
    command->callback([path, &line] {
        const auto bytes = read_file(*path);
        const auto parsed = bytes ? parse_json_with_comments(*bytes) : Result<Json>{Error{.detail = "cannot be read"}};
        if (!parsed) {
            std::fprintf(stderr, "%s: %s\n", path->c_str(), parsed.error().detail.c_str());
            line.status = 2;
            return;
        }
        std::atomic<bool> stop{false};
        line.status = sandbox::run(*parsed, ".", stop);
    });
}

void add_key(CLI::App& app, CommandLine& line) {
    auto* key = app.add_subcommand("key", text("key", line.lang));
    key->require_subcommand(1);
    auto* command = key->add_subcommand("new", text("key.new", line.lang));
    struct Options { std::string name; std::vector<std::string> scopes; bool json = false; };
    auto options = std::make_shared<Options>();
    command->add_option("--name", options->name)->required();
    command->add_option("--scope", options->scopes)->required();
    command->add_flag("--json", options->json, text("option.json", line.lang));
    command->callback([options, &line] {
        std::string bytes(32, '\0');
        crypto::random_bytes(bytes.data(), bytes.size());
        const auto made = "tg_" + to_hex(bytes);
        const auto keys = http::ApiKeys::make({{.name = options->name, .key = made, .key_hash = {}, .scopes = options->scopes, .rate = {}}});
        if (!keys) {
            for (const auto& problem : keys.error().problems) std::fprintf(stderr, "%s\n", problem.detail.c_str());
            line.status = 2;
            return;
        }
        const Json entry{{"name", options->name}, {"key_hash", to_hex(crypto::view(crypto::sha256(made)))}, {"scopes", options->scopes}};
        if (options->json) {
            std::printf("%s\n", Json{{"key", made}, {"config", entry}}.dump().c_str());
        } else {
            std::printf("%s\n  %s\n%s\n  %s\n", text("key.shown", line.lang).c_str(), made.c_str(), text("key.config", line.lang).c_str(), entry.dump().c_str());
        }
    });
}

}  // namespace touchgate::app
