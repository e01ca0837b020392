// touchgate report NAME and touchgate export touches|events: the same as the API, for people and scripts, beside a running gateway or
// without one. `report uplift --input` needs no gateway at all.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include "gateway/app/commands/commands.hpp"
#include "gateway/app/experiment_file.hpp"
#include "gateway/app/reading.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/projection/export.hpp"
#include "gateway/projection/report_verify.hpp"

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

void print(const projection::Report& report, const std::string& format, const std::string& lang) {
    to_stdout(format == "json" ? projection::report_json(report) + "\n" : format == "csv" ? projection::report_csv(report, lang, true) : projection::report_text(report, lang));
}

// A folder that is gone when this ends.
class ScratchFolder {
public:
    ScratchFolder() {
        auto pattern = (std::filesystem::temp_directory_path() / "touchgate-verify-XXXXXX").string();
        if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

// What differs goes to the error output, so that the report can be read by a program; 1 when anything does.
int verify(const projection::Report& report, const projection::ReportQuery& query, const projection::BillingOf& billing, const DataFolder& data, const std::string& lang) {
    const ScratchFolder scratch;
    if (scratch.path().empty()) return failed({.detail = "no temporary folder can be made"});
    const auto found = projection::verify_report(report, query, billing, *data.log, scratch.path() + "/projection.sqlite");
    if (!found) return failed(found.error());
    for (const auto& cell : *found)
        std::fprintf(stderr, "%s\n", fmt::format(fmt::runtime(text(cell.column.empty() ? "report.row_differs" : "report.differs", lang)), cell.row, cell.column, cell.shown, cell.recomputed).c_str());
    if (found->empty()) std::fprintf(stderr, "%s\n", fmt::format(fmt::runtime(text("report.verified", lang)), report.sequence).c_str());
    return found->empty() ? 0 : 1;
}

struct ReportOptions {
    std::string path, name, format = "text";
    std::map<std::string, std::string> parameters;
    bool verify = false;
    ExperimentFile experiment;
};

int run_report(const ReportOptions& options, const std::string& lang) {
    if (!options.experiment.path.empty()) {
        if (options.name != "uplift") return failed({.detail = "--input belongs to the report uplift"});
        const auto report = report_of_experiment(options.experiment);
        if (!report) return failed(report.error());
        print(*report, options.format, lang);
        return 0;
    }
    if (options.path.empty()) return failed({.detail = "--config is required"});
    return with_data(options.path, [&](const Config& config, DataFolder& data) {
        projection::ReportQuery query{.name = options.name, .parameters = {}, .visibility = {}, .default_tz = config.engine.time_zone};
        for (const auto& [name, value] : options.parameters)
            if (!value.empty()) query.parameters.emplace_back(name, value);
        const projection::BillingOf billing = [&](const std::string& name) {
            for (const auto& account : config.accounts)
                if (account.name == name)
                    return projection::AccountBilling{.currency = account.settings.billing.currency, .on_delivered = account.settings.billing.on == content::BillingMoment::delivered};
            return projection::AccountBilling{};
        };
        const auto report = projection::make_report(*data.projection, query, billing);
        if (!report) return failed(report.error());
        print(*report, options.format, lang);
        return options.verify ? verify(*report, query, billing, data, lang) : 0;
    });
}

}  // namespace

void add_report(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand("report", text("report", line.lang));
    auto options = std::make_shared<ReportOptions>();
    std::string names;
    for (const auto& name : projection::report_names()) names += (names.empty() ? "" : "|") + name;
    command->add_option("name", options->name, names)->required();
    command->add_option("--config", options->path, text("option.config", line.lang));
    command->add_option("--format", options->format, "text|json|csv")->check(CLI::IsMember({"text", "json", "csv"}));
    command->add_flag_callback("--json", [options] { options->format = "json"; }, text("option.json", line.lang));
    for (const auto* parameter : {"from", "to", "campaign", "channel", "account", "purpose", "unit", "group_by", "tz", "model", "window", "half_life", "kind"}) {
        std::string flag = std::string{"--"}.append(parameter);
        for (auto& c : flag)
            if (c == '_') c = '-';
        command->add_option(flag == "--group-by" ? "--by,--group-by" : flag, options->parameters[parameter]);
    }
    command->add_flag("--verify", options->verify, text("report.verify", line.lang));
    auto* input = command->add_option("--input", options->experiment.path, text("report.input", line.lang));
    command->add_option("--arm", options->experiment.arm, text("report.arm", line.lang))->needs(input);
    command->add_option("--control", options->experiment.control, text("report.control", line.lang))->needs(input);
    command->add_option("--outcome", options->experiment.outcomes, text("report.outcome", line.lang))->needs(input)->take_all();
    command->callback([options, &line] { line.status = run_report(*options, line.lang); });
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
