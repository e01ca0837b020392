// touchgate import KIND FILE: CSV or NDJSON through the running gateway, in batches, resumable, with a reject file that can be imported again.

#include <CLI/CLI.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "gateway/app/commands/commands.hpp"
#include "gateway/app/commands/gateway_client.hpp"
#include "gateway/app/config.hpp"
#include "gateway/app/import_rows.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::app {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t batch_rows = 1'000;

struct Options {
    std::string kind, file, url = "http://127.0.0.1:8080", key, key_file, mapping, encoding = "auto", delimiter, on_conflict;
    bool dry_run = false, restart = false;
};

void show_progress(std::uint64_t done, std::uint64_t total) {
    if (isatty(2) == 0) return;
    const auto percent = total == 0 ? 100 : done * 100 / total;
    std::fprintf(stderr, "\r[%-40s] %3llu %%", std::string(static_cast<std::size_t>(percent * 40 / 100), '#').c_str(), static_cast<unsigned long long>(percent));
}

struct Importer {
    Options options;
    std::string lang;
    std::string source;         // the whole file as UTF-8
    RowReader* rows = nullptr;
    std::string progress_file, reject_file;
    std::uint64_t taken = 0, rejected = 0, seen = 0, reject_bytes = 0;
    std::ofstream rejects;

    int fail(const std::string& detail) const {
        std::fprintf(stderr, "%s\n", detail.c_str());
        return 2;
    }

    void reject(const ImportRow& row, const std::string& pointer, const std::string& reason) {
        if (!rejects.is_open()) {
            // Rows that a killed run wrote after its last progress come again: the file is cut back to what that progress knew.
            std::error_code missing;
            const bool goes_on = rejected > 0 && fs::file_size(reject_file, missing) >= reject_bytes && !missing;
            if (goes_on) fs::resize_file(reject_file, reject_bytes, missing);
            rejects.open(reject_file, std::ios::binary | (goes_on ? std::ios::app : std::ios::trunc));
            if (!goes_on) rejects << rows->reject_header();
        }
        ++rejected;
        rejects << rows->reject_line(row, pointer, reason);
    }

    // Sends one batch; a row that the gateway refuses goes to the reject file. A status other than 0 ends the import.
    int send(const std::vector<ImportRow>& batch) {
        if (batch.empty()) return 0;
        std::string body;
        for (const auto& row : batch) body += row.json + "\n";
        if (options.dry_run) {
            taken += batch.size();
            return 0;
        }
        auto url = options.url + "/v1/" + options.kind + "/bulk";
        if (!options.on_conflict.empty()) url += "?on_conflict=" + options.on_conflict;
        for (int attempt = 1;; ++attempt) {
            const auto given = ask_gateway({.method = "POST", .url = url, .key = options.key, .content_type = "application/x-ndjson", .body = body});
            const auto& [status, answer, fault] = given;
            if (status == 200) {
                std::vector<bool> answered(batch.size());
                for (const auto line : split(answer, '\n')) {
                    if (line.empty()) continue;
                    const auto said = Json::parse(line, nullptr, false);
                    if (!said.is_object()) continue;
                    const auto number = said.value("line", std::uint64_t{0});
                    if (number == 0 || number > batch.size() || answered[number - 1]) continue;
                    answered[number - 1] = true;
                    if (!said.contains("error")) {
                        ++taken;
                        continue;
                    }
                    const auto& error = said["error"];
                    std::string pointer;
                    std::string reason;
                    for (const auto& one : error.value("errors", Json::array())) {
                        if (reason.empty()) pointer = one.value("pointer", "");
                        else reason += "; " + one.value("pointer", "") + ": ";
                        reason += one.value("detail", "");
                    }
                    reject(batch[number - 1], pointer, reason.empty() ? error.value("detail", error.value("title", "refused")) : reason);
                }
                for (std::size_t i = 0; i < batch.size(); ++i)
                    if (!answered[i]) return fail("the gateway did not answer line " + std::to_string(batch[i].line) + "; run the same command again to go on");
                return 0;
            }
            if (status == 401 || status == 403) return fail("the gateway refuses the key: " + answer);
            if (status != 0 && status != 429 && status < 500) return fail("the gateway answered " + std::to_string(status) + ": " + answer);
            if (attempt == 6) return fail("no success after 6 tries (" + (status == 0 ? fault : std::to_string(status)) + "); run the same command again to go on where it stopped");
            ::usleep(static_cast<useconds_t>(200'000 << attempt));
        }
    }

    int run() {
        const auto bytes = read_file(options.file);
        if (!bytes) return fail(options.file + " cannot be read");
        std::string fault;
        auto decoded = to_utf8(*bytes, options.encoding, fault);
        if (!decoded) return fail(fault);
        source = std::move(*decoded);
        Json mapping = Json::object();
        if (!options.mapping.empty()) {
            const auto mapping_bytes = read_file(options.mapping);
            auto parsed = mapping_bytes ? parse_json_with_comments(*mapping_bytes) : Result<Json>{Error{.detail = "cannot be read"}};
            if (!parsed) return fail(options.mapping + ": " + parsed.error().detail);
            mapping = std::move(*parsed);
        }
        std::vector<Problem> problems;
        RowReader reader{source, options.kind, mapping, options.delimiter.empty() ? '\0' : options.delimiter[0], problems};
        if (!problems.empty()) {
            for (const auto& problem : problems) std::fprintf(stderr, "%s%s: %s\n", options.mapping.c_str(), problem.pointer.c_str(), problem.detail.c_str());
            return 2;
        }
        rows = &reader;
        // Where a former run of the same file, read in the same way, stopped.
        const auto fingerprint = to_hex(crypto::view(crypto::sha256(*bytes, options.kind + options.encoding + options.delimiter + mapping.dump()))).substr(0, 32);
        progress_file = options.file + ".import-progress";
        reject_file = options.file + ".reject" + (reader.is_csv() ? ".csv" : ".ndjson");
        if (!options.restart && !options.dry_run)
            if (const auto stored = read_file(progress_file)) {
                const auto state = Json::parse(*stored, nullptr, false);
                if (state.is_object() && state.value("fingerprint", "") == fingerprint) {
                    reader.skip_to(state.value("offset", std::uint64_t{0}), state.value("line", std::uint64_t{1}));
                    taken = state.value("taken", std::uint64_t{0});
                    rejected = state.value("rejected", std::uint64_t{0});
                    reject_bytes = state.value("reject_bytes", std::uint64_t{0});
                    seen = taken + rejected;
                }
            }
        std::vector<ImportRow> batch;
        for (bool more = true; more;) {
            ImportRow row;
            more = reader.next(row);
            if (more && row.skipped) continue;
            if (more) {
                ++seen;
                if (!row.reason.empty()) reject(row, row.pointer, row.reason);
                else batch.push_back(std::move(row));
            }
            if (batch.size() < batch_rows && more) continue;
            if (const int status = send(batch); status != 0) return status;
            batch.clear();
            rejects.flush();
            if (rejects.is_open()) reject_bytes = static_cast<std::uint64_t>(rejects.tellp());
            show_progress(reader.offset(), source.size());
            if (!options.dry_run) {
                std::ofstream progress{progress_file + ".new", std::ios::trunc};
                progress << Json{{"fingerprint", fingerprint}, {"offset", reader.offset()}, {"line", reader.line()}, {"taken", taken}, {"rejected", rejected}, {"reject_bytes", reject_bytes}}.dump();
                progress.close();
                fs::rename(progress_file + ".new", progress_file);
            }
        }
        std::error_code ignored;
        if (!options.dry_run) fs::remove(progress_file, ignored);
        if (isatty(2) != 0) std::fprintf(stderr, "\n");
        std::printf("%s\n", fmt::format(fmt::runtime(text("import.done", lang)), taken, seen, rejected).c_str());
        if (rejected > 0) std::printf("%s\n", reject_file.c_str());
        return rejected == 0 ? 0 : 1;
    }
};

}  // namespace

void add_import(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("import", text("import", line.lang));
    auto options = std::make_shared<Options>();
    command->add_option("kind", options->kind, "contacts|consents|suppressions|conversions|leads|lead-results")
        ->required()
        ->check(CLI::IsMember({"contacts", "consents", "suppressions", "conversions", "leads", "lead-results"}));
    command->add_option("file", options->file)->required();
    command->add_option("--url", options->url, "http://127.0.0.1:8080");
    command->add_option("--key-file", options->key_file);
    command->add_option("--mapping", options->mapping);
    command->add_option("--encoding", options->encoding, "auto|utf-8|gb18030")->check(CLI::IsMember({"auto", "utf-8", "gb18030"}));
    command->add_option("--delimiter", options->delimiter);
    command->add_option("--on-conflict", options->on_conflict)->check(CLI::IsMember({"reject", "merge", "share", "move"}));
    command->add_flag("--dry-run", options->dry_run);
    command->add_flag("--restart", options->restart);
    command->callback([options, &line] {
        const auto key = read_api_key(options->key_file);
        if (!key) {
            std::fprintf(stderr, "%s cannot be read\n", options->key_file.c_str());
            line.status = 2;
            return;
        }
        options->key = *key;
        curl_global_init(CURL_GLOBAL_ALL);
        Importer importer;
        importer.options = *options;
        importer.lang = line.lang;
        line.status = importer.run();
    });
}

}  // namespace touchgate::app
