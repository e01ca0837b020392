// touchgate log verify | cat | archive | rebuild

#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "gateway/app/commands/commands.hpp"
#include "gateway/app/reading.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/base/text.hpp"
#include "gateway/projection/export.hpp"

namespace touchgate::app {

namespace {

bool gateway_runs_on(const std::string& data_dir) {
    const int file = ::open((data_dir + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool held = ::flock(file, LOCK_SH | LOCK_NB) != 0;
    ::close(file);
    return held;
}

std::optional<Config> config_of(const std::string& path, int& status) {
    std::vector<FileProblem> problems;
    auto config = load_config(path, problems);
    if (config && !config->data_dir.empty()) return config;  // its log can be read even if a policy or template is wrong
    for (const auto& problem : problems) std::fprintf(stderr, "%s\n", to_string(problem).c_str());
    status = 2;
    return std::nullopt;
}

int failed(const Error& error) {
    std::fprintf(stderr, "%s\n", error.detail.c_str());
    return 2;
}

std::optional<LogHead> parse_head(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos) return std::nullopt;
    const auto bytes = from_hex(text.substr(colon + 1));
    if (!bytes || bytes->size() != 32) return std::nullopt;
    LogHead head;
    head.sequence = std::strtoull(text.c_str(), nullptr, 10);
    std::copy(bytes->begin(), bytes->end(), head.hash.begin());
    return head;
}

int verify(const Config& config, const std::string& expected, bool json) {
    std::optional<LogHead> expect;
    if (!expected.empty()) {
        expect = parse_head(expected);
        if (!expect) return failed({.detail = "--expect must be SEQUENCE:HASH as GET /v1/log/head gives it"});
    }
    const auto disk = make_real_disk();
    const auto result = verify_log(*disk, {.data_dir = config.data_dir, .archive_dir = config.archive_dir}, expect);
    if (!result) return failed(result.error());
    const auto hash = to_hex(crypto::view(result->head.hash));
    if (json) {
        Json damages = Json::array();
        for (const auto& damage : result->damages)
            damages.push_back({{"file", damage.file}, {"offset", damage.offset}, {"sequence", damage.sequence}, {"reason", damage.reason}});
        std::printf("%s\n", Json{{"ok", result->damages.empty()}, {"records", result->records}, {"sequence", result->head.sequence}, {"hash", hash}, {"damaged", damages}}.dump().c_str());
    } else {
        for (const auto& damage : result->damages)
            std::printf("damaged: file=%s offset=%llu sequence=%llu reason=%s\n", damage.file.c_str(), static_cast<unsigned long long>(damage.offset),
                        static_cast<unsigned long long>(damage.sequence), damage.reason.c_str());
        if (result->damages.empty())
            std::printf("ok: %llu records, head %llu:%s\n", static_cast<unsigned long long>(result->records), static_cast<unsigned long long>(result->head.sequence), hash.c_str());
    }
    return result->damages.empty() ? 0 : 1;
}

}  // namespace

void add_log(CLI::App& app, CommandLine& line) {
    auto* log = app.add_subcommand("log", text("log", line.lang));
    log->require_subcommand(1);
    struct Options { std::string path, expect, before, to; bool json = false, offsets = false; };
    auto options = std::make_shared<Options>();
    const auto add = [&](const char* name) {
        auto* command = log->add_subcommand(name, text(std::string{"log."} + name, line.lang));
        command->add_option("--config", options->path, text("option.config", line.lang))->required();
        return command;
    };

    auto* verify_command = add("verify");
    verify_command->add_option("--expect", options->expect, "SEQUENCE:HASH");
    verify_command->add_flag("--json", options->json, text("option.json", line.lang));
    verify_command->callback([options, &line] {
        if (const auto config = config_of(options->path, line.status)) line.status = verify(*config, options->expect, options->json);
    });

    auto* cat = add("cat");
    cat->add_flag("--offsets", options->offsets);
    cat->add_flag("--json", options->json, text("option.json", line.lang));  // it prints nothing else
    cat->callback([options, &line] {
        const auto config = config_of(options->path, line.status);
        if (!config) return;
        auto data = open_data_folder(*config, false);
        if (!data) {
            line.status = failed(data.error());
            return;
        }
        const auto written = projection::cat_log(*data->log, *data->names, options->offsets, [](std::string_view piece) { return std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size(); });
        if (!written) line.status = failed(written.error());
    });

    auto* archive = add("archive");
    archive->add_option("--before", options->before, "RFC 3339")->required();
    archive->add_option("--to", options->to)->required();
    archive->callback([options, &line] {
        const auto config = config_of(options->path, line.status);
        if (!config) return;
        const auto before = parse_instant(options->before);
        if (!before) {
            line.status = failed({.detail = "--before must be a time such as 2026-11-01T00:00:00Z"});
            return;
        }
        std::error_code ignored;
        const auto segments = std::distance(std::filesystem::directory_iterator{config->data_dir + "/log", ignored}, std::filesystem::directory_iterator{});
        if (segments <= 1) return;  // the segment that is being written is never moved
        // Whoever reads the log must find what was moved: the folder is noted beside the log before anything goes there.
        const auto folder = std::filesystem::absolute(options->to).lexically_normal().string();
        if (!config->archive_dir.empty() && config->archive_dir != folder) {
            line.status = failed({.detail = "segments of this log were moved to " + config->archive_dir + " before; all of them must be in one folder"});
            return;
        }
        if (config->archive_dir.empty() && gateway_runs_on(config->data_dir)) {
            line.status = failed({.detail = "the gateway reads the archive's folder when it starts: stop it for the first archiving"});
            return;
        }
        std::filesystem::create_directories(folder, ignored);
        if (config->archive_dir.empty() && !(std::ofstream{archive_note(config->data_dir), std::ios::binary | std::ios::trunc} << folder)) {
            line.status = failed({.detail = archive_note(config->data_dir) + " cannot be written"});
            return;
        }
        const auto disk = make_real_disk();
        const auto moved = archive_segments(*disk, {.data_dir = config->data_dir, .archive_dir = folder}, *before);
        if (!moved) line.status = failed(moved.error());
        else
            for (const auto& file : *moved) std::printf("%s\n", file.c_str());
    });

    auto* rebuild = add("rebuild");
    rebuild->callback([options, &line] {
        const auto config = config_of(options->path, line.status);
        if (!config) return;
        auto data = open_data_folder(*config, false);
        if (!data) {
            line.status = failed(data.error());
            return;
        }
        const auto records = projection::rebuild_projection(config->data_dir + "/projection.sqlite", *data->log);
        if (!records) line.status = failed(records.error());
        else std::printf("%llu records\n", static_cast<unsigned long long>(*records));
    });
}

}  // namespace touchgate::app
