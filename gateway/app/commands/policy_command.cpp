// touchgate policy test | explain | replay

#include <CLI/CLI.hpp>

#include <cstdio>

#include "gateway/app/commands/policy_replay_command.hpp"
#include "gateway/app/reading.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/policy/cases.hpp"
#include "gateway/policy/explain.hpp"

namespace touchgate::app {

namespace {

int test_policies(const std::vector<std::string>& files, const std::string& calendars_dir) {
    std::vector<FileProblem> problems;
    const auto calendars = load_calendars(calendars_dir, problems).parsed;
    std::size_t failures = problems.size();
    for (const auto& problem : problems) std::printf("%s\n", to_string(problem).c_str());
    for (const auto& file : files) {
        const auto bytes = read_file(file);
        const auto document = bytes ? parse_json_with_comments(*bytes) : Result<Json>{Error{.detail = "cannot be read"}};
        if (!document) {
            std::printf("%s: %s\n", file.c_str(), document.error().detail.c_str());
            ++failures;
            continue;
        }
        Config around;
        around.policy_file = file;
        around.root = ".";
        const auto results = policy::run_cases(*document, {.calendars = calendars, .include = make_include_loader(around), .default_zone = "Asia/Shanghai",
                                                           .forbidden_words = make_words_loader(around)});
        if (!results) {
            for (const auto& problem : results.error().problems) std::printf("%s: %s: %s\n", file.c_str(), problem.pointer.c_str(), problem.detail.c_str());
            ++failures;
            continue;
        }
        std::size_t passed = 0;
        for (const auto& result : *results) {
            if (result.passed) {
                ++passed;
                continue;
            }
            ++failures;
            std::printf("%s: FAILED: %s\n", file.c_str(), result.name.c_str());
            for (const auto& difference : result.differences) std::printf("    %s\n", difference.c_str());
        }
        std::printf("%s: %zu of %zu cases pass\n", file.c_str(), passed, results->size());
    }
    return failures == 0 ? 0 : 1;
}

// The newest event of the touch that holds a decision of its own: a permit in the turn that accepted the touch repeats the first.
std::uint64_t newest_decision(const Json& touch) {
    std::uint64_t sequence = 0;
    std::string decided_at;
    for (const auto& event : touch.value("events", Json::array())) {
        const auto type = event.value("type", std::string{});
        const auto at = event.value("time", std::string{});
        if (type != "touch.created" && type != "touch.decided" && (type != "touch.dispatching" || at == decided_at)) continue;
        sequence = event.value("sequence", std::uint64_t{0});
        decided_at = type == "touch.created" ? at : std::string{};
    }
    return sequence;
}

int explain(Config& config, const std::string& touch, bool json, const std::string& lang) {
    const auto id = parse_uuid(touch);
    if (!id) {
        std::fprintf(stderr, "--touch must be a touch id\n");
        return 2;
    }
    auto data = open_data_folder(config, true);
    if (!data) {
        std::fprintf(stderr, "%s\n", data.error().detail.c_str());
        return 2;
    }
    const auto resource = data->queries->touch(*id, {});
    if (!resource) {
        std::fprintf(stderr, "%s\n", resource.error().detail.c_str());
        return 1;
    }
    const auto logged = Json::parse(*resource, nullptr, false);
    auto decision = logged["decision"];
    // What was logged is told in any case; which touches were counted needs the keys and the whole log.
    auto folder = open_replay_folder(config);
    const auto explained = folder ? explain_logged_decision(folder->view(), config.engine, newest_decision(logged)) : Result<Json>{folder.error()};
    if (explained) decision = *explained;
    else std::fprintf(stderr, "%s: %s\n", text("explain.as_logged", lang).c_str(), explained.error().detail.c_str());
    if (json) {
        std::printf("%s\n", decision.dump().c_str());
        return 0;
    }
    const auto word = [&](const Json& value) { return value.is_string() ? value.get<std::string>() : std::string{"-"}; };
    std::printf("%s  %s  rule %s  until %s\n", word(decision.value("verdict", Json{})).c_str(), word(decision.value("policy", Json{})).c_str(),
                word(decision.value("rule", Json{})).c_str(), word(decision.value("until", Json{})).c_str());
    for (const auto& step : decision.value("trace", Json::array())) {
        std::string why;
        if (step.contains("why")) why = step["why"].is_object() ? word(step["why"].value(lang, Json{})) : word(step["why"]);
        std::printf("  %-20s %-7s %s\n", word(step.value("rule", Json{})).c_str(), word(step.value("verdict", Json{})).c_str(), why.c_str());
    }
    return 0;
}

}  // namespace

void add_policy(CLI::App& app, CommandLine& line) {
    auto* policy_command = app.add_subcommand("policy", text("policy", line.lang));
    policy_command->require_subcommand(1);
    struct Options { std::string path, touch, calendars = "calendars"; std::vector<std::string> files; bool json = false; };
    auto options = std::make_shared<Options>();

    auto* test = policy_command->add_subcommand("test", text("policy.test", line.lang));
    test->add_option("files", options->files)->required();
    test->add_option("--calendars", options->calendars);
    test->callback([options, &line] { line.status = test_policies(options->files, options->calendars); });

    auto* explain_command = policy_command->add_subcommand("explain", text("policy.explain", line.lang));
    explain_command->add_option("--config", options->path, text("option.config", line.lang))->required();
    explain_command->add_option("--touch", options->touch)->required();
    explain_command->add_flag("--json", options->json, text("option.json", line.lang));
    explain_command->callback([options, &line] {
        std::vector<FileProblem> problems;
        auto config = load_config(options->path, problems);
        if (!config) {
            for (const auto& problem : problems) std::fprintf(stderr, "%s\n", to_string(problem).c_str());
            line.status = 2;
            return;
        }
        line.status = explain(*config, options->touch, options->json, line.lang);
    });

    add_policy_replay(*policy_command, line);
}

}  // namespace touchgate::app
