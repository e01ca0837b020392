// touchgate report NAME and touchgate export touches|events: the same as the API, for people and scripts, beside a running gateway or
// without one.

#include <CLI/CLI.hpp>

#include <cstdio>

#include "gateway/app/commands/commands.hpp"
#include "gateway/app/reading.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/projection/export.hpp"
#include "gateway/projection/report.hpp"

namespace touchgate::app {

namespace {

int failed(const Error& error) {
    std::fprintf(stderr, "%s\n", error.detail.c_str());
    for (const auto& problem : error.problems) std::fprintf(stderr, "  %s: %s\n", problem.pointer.c_str(), problem.detail.c_str());
    return 2;
}

bool to_stdout(std::string_view piece) { return std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size(); }

template <class Act> int with_data(const std::string& path, Act act) {
    std::vector<FileProblem> problems;
    const auto config = load_config(path, problems);
    if (!config) {
        for (const auto& problem : problems) std::fprintf(stderr, "%s\n", to_string(problem).c_str());
        return 2;
    }
    auto data = open_data_folder(*config, true);
    if (!data) return failed(data.error());
    return act(*config, *data);
}

}  // namespace

void add_report(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("report", text("report", line.lang));
    struct Options { std::string path, name, format = "text"; std::map<std::string, std::string> parameters; };
    auto options = std::make_shared<Options>();
    std::string names;
    for (const auto& name : projection::report_names()) names += (names.empty() ? "" : "|") + name;
    command->add_option("name", options->name, names)->required();
    command->add_option("--config", options->path, text("option.config", line.lang))->required();
    command->add_option("--format", options->format, "text|json|csv")->check(CLI::IsMember({"text", "json", "csv"}));
    command->add_flag_callback("--json", [options] { options->format = "json"; }, text("option.json", line.lang));
    for (const auto* parameter : {"from", "to", "campaign", "channel", "account", "purpose", "unit", "group_by", "tz"}) {
        std::string flag = std::string{"--"} + parameter;
        for (auto& c : flag)
            if (c == '_') c = '-';
        command->add_option(flag == "--group-by" ? "--by,--group-by" : flag, options->parameters[parameter]);
    }
    command->callback([options, &line] {
        line.status = with_data(options->path, [&](const Config& config, DataFolder& data) {
            projection::ReportQuery query{.name = options->name, .parameters = {}, .visibility = {}, .default_tz = config.engine.time_zone};
            for (const auto& [name, value] : options->parameters)
                if (!value.empty()) query.parameters.emplace_back(name, value);
            const auto report = projection::make_report(*data.projection, query, [&](const std::string& name) {
                for (const auto& account : config.accounts)
                    if (account.name == name)
                        return projection::AccountBilling{.currency = account.settings.billing.currency, .on_delivered = account.settings.billing.on == content::BillingMoment::delivered};
                return projection::AccountBilling{};
            });
            if (!report) return failed(report.error());
            to_stdout(options->format == "json" ? projection::report_json(*report) + "\n"
                      : options->format == "csv" ? projection::report_csv(*report, line.lang, true)
                                                 : projection::report_text(*report, line.lang));
            return 0;
        });
    });
}

void add_export(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("export", text("export", line.lang));
    struct Options { std::string path, what, format = "ndjson", campaign, state, from, to; bool content = false, addresses = false; };
    auto options = std::make_shared<Options>();
    command->add_option("what", options->what, "touches|events")->required()->check(CLI::IsMember({"touches", "events"}));
    command->add_option("--config", options->path, text("option.config", line.lang))->required();
    command->add_option("--format", options->format, "ndjson|csv")->check(CLI::IsMember({"ndjson", "csv"}));
    command->add_flag_callback("--json", [options] { options->format = "ndjson"; }, text("option.json", line.lang));
    command->add_option("--campaign", options->campaign);
    command->add_option("--state", options->state);
    command->add_option("--from", options->from);
    command->add_option("--to", options->to);
    command->add_flag("--content", options->content);
    command->add_flag("--addresses", options->addresses);
    command->callback([options, &line] {
        line.status = with_data(options->path, [&](const Config&, DataFolder& data) {
            const projection::Visibility visibility{.addresses = options->addresses, .content = options->content, .units = {}};
            const auto from = parse_instant(options->from);
            const auto to = parse_instant(options->to);
            if ((!options->from.empty() && !from) || (!options->to.empty() && !to)) return failed({.detail = "--from and --to must be times such as 2026-11-01T00:00:00Z"});
            if (options->what == "touches") {
                projection::TouchExport what;
                what.query.campaign = options->campaign;
                what.query.state = options->state;
                what.query.from = from;
                what.query.to = to;
                what.query.visibility = visibility;
                what.csv = options->format == "csv";
                const auto written = projection::export_touches(*data.queries, what, to_stdout);
                return written ? 0 : failed(written.error());
            }
            projection::EventExport what;
            what.filter.campaign = options->campaign;
            what.from = from;
            what.to = to;
            what.visibility = visibility;
            what.csv = options->format == "csv";
            const auto written = projection::export_events(*data.log, *data.names, what, to_stdout);
            return written ? 0 : failed(written.error());
        });
    });
}

}  // namespace touchgate::app
