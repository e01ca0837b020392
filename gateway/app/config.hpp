// The configuration file, read once into types that cannot be wrong. Every problem is found at once, with its pointer.
// Format: config/config.schema.json; an example that runs: config/demo.json.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/channel/adapter.hpp"
#include "gateway/content/templates.hpp"
#include "gateway/engine/settings.hpp"
#include "gateway/http/options.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::app {

class MediaFolder;

struct Account {
    std::string name;
    channel::AnyAdapter adapter;
    AccountSettings settings;
    std::string ca_file;
    [[nodiscard]] const channel::ExchangeAdapter* exchange() const {
        const auto* held = std::get_if<std::unique_ptr<channel::ExchangeAdapter>>(&adapter);
        return held == nullptr ? nullptr : held->get();
    }
};

struct Callback {
    std::string name;
    std::string url;
    std::vector<std::string> secrets;  // the first signs; all are announced to the receiver
    std::vector<std::string> events;   // "final", "deferred", "replied"
    std::size_t batch = 100;
};

// What is wrong, and in which file.
struct FileProblem {
    std::string file;
    std::string pointer;
    std::string detail;
    bool warning = false;
};

struct Config {
    std::string path;       // of the file
    std::string root;       // what relative paths are relative to
    Json document;          // with ${…} replaced
    http::HttpOptions http;
    EngineSettings engine;  // without the index key, which needs the master key
    std::string data_dir;
    std::string archive_dir;  // where `log archive` moved sealed segments; empty: none were moved
    std::string master_key; // base64, or empty: DATA_DIR/master.key
    std::string log_level = "info";
    std::string policy_file, templates_dir, calendars_dir;
    std::shared_ptr<MediaFolder> media;  // what content names by "media"
    std::vector<Account> accounts;
    std::vector<Callback> callbacks;
    std::map<std::string, Json> agents;  // the declared documents by id
};

// Loads the file and everything it names (policy, templates, calendars). Problems are added to `problems`; when any of them is not a
// warning, the result must not be used to run. Nothing: the file itself cannot be read.
[[nodiscard]] std::optional<Config> load_config(const std::string& path, std::vector<FileProblem>& problems);

// "config/demo.json: /accounts/sms-main/port: must be from 1 to 65535"
[[nodiscard]] std::string to_string(const FileProblem& problem);
[[nodiscard]] bool has_errors(const std::vector<FileProblem>& problems);

// The file that names the folder to which `log archive` moves segments.
[[nodiscard]] std::string archive_note(const std::string& data_dir);

// The whole file as bytes; nothing when it cannot be read.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path);

// Documents that "include" names: <folder of the configured policy>/<name>.json, then the shipped policies/<name>.json.
[[nodiscard]] policy::IncludeLoader make_include_loader(const Config& config);
// Files of forbidden words, one a line ('#' starts a comment), beside the policy file or among the shipped policies.
[[nodiscard]] policy::WordsLoader make_words_loader(const Config& config);
// Reads calendars/*.json: parsed, and as they are by id.
struct LoadedCalendars { policy::Calendars parsed; std::map<std::string, std::string> documents; };
[[nodiscard]] LoadedCalendars load_calendars(const std::string& folder, std::vector<FileProblem>& problems);

}  // namespace touchgate::app
