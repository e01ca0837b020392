// The subcommands of `touchgate`, one file each. Every one registers itself with the command line and leaves its exit status in `status`.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace touchgate::app {

struct CommandLine {
    int status = 0;
    std::string lang = "en";  // of help and messages: --lang, else TOUCHGATE_LANG, else LANG
};

void add_serve(CLI::App& app, CommandLine& line);
void add_check(CLI::App& app, CommandLine& line);
void add_sandbox(CLI::App& app, CommandLine& line);
void add_key(CLI::App& app, CommandLine& line);
void add_log(CLI::App& app, CommandLine& line);
void add_policy(CLI::App& app, CommandLine& line);
void add_report(CLI::App& app, CommandLine& line);
void add_export(CLI::App& app, CommandLine& line);
void add_import(CLI::App& app, CommandLine& line);
void add_campaign(CLI::App& app, CommandLine& line);
void add_routing(CLI::App& app, CommandLine& line);

}  // namespace touchgate::app
