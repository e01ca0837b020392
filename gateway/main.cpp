// The command line: what each subcommand does is in gateway/app/commands/.

#include <CLI/CLI.hpp>

#include <cstring>

#include "gateway/app/commands/commands.hpp"
#include "gateway/app/texts.hpp"

int main(int argc, char** argv) {
    touchgate::app::CommandLine line;
    line.lang = touchgate::app::language_of_system();
    // Help is written in the asked language, so the choice is needed before the options are described.
    for (int i = 1; i + 1 < argc; ++i)
        if (std::strcmp(argv[i], "--lang") == 0) line.lang = argv[i + 1];
    CLI::App app{touchgate::app::text("app", line.lang), "touchgate"};
    app.set_version_flag("--version", "touchgate 0.1.0");
    app.add_option("--lang", line.lang, touchgate::app::text("option.lang", line.lang));
    app.require_subcommand(1);
    touchgate::app::add_serve(app, line);
    touchgate::app::add_check(app, line);
    touchgate::app::add_sandbox(app, line);
    touchgate::app::add_policy(app, line);
    touchgate::app::add_import(app, line);
    touchgate::app::add_campaign(app, line);
    touchgate::app::add_routing(app, line);
    touchgate::app::add_report(app, line);
    touchgate::app::add_export(app, line);
    touchgate::app::add_log(app, line);
    touchgate::app::add_key(app, line);
    CLI11_PARSE(app, argc, argv);
    return line.status;
}
