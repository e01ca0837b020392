// touchgate policy replay: the log run against another policy, read-only, beside a running gateway or without one.

#include <CLI/CLI.hpp>

#include <cinttypes>
#include <cstdio>

#include "gateway/app/commands/policy_replay_command.hpp"
#include "gateway/app/reading.hpp"
#include "gateway/app/texts.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/policy/explain.hpp"
#include "gateway/projection/json_text.hpp"
#include "gateway/projection/report.hpp"

namespace touchgate::app {

namespace {

constexpr int policy_has_problems = 1;
constexpr int cannot_run = 2;

struct Options { std::string config, policy, from, to, history = "simulated", rows; bool json = false; };

int failed(const Error& error, int status = cannot_run) {
    std::fprintf(stderr, "%s\n", error.detail.c_str());
    for (const auto& problem : error.problems) std::fprintf(stderr, "  %s: %s\n", problem.pointer.c_str(), problem.detail.c_str());
    return status;
}

// One NDJSON line a touch, into a file.
class RowWriter {
public:
    ~RowWriter() {
        if (file_ != nullptr) (void)std::fclose(file_);
    }
    bool open(const std::string& path) {
        file_ = std::fopen(path.c_str(), "wb");
        return file_ != nullptr;
    }
    void write(const ReplayedTouch& row) {
        projection::JsonText json{line_};
        json.open_object();
        json.uuid("touch", row.touch);
        json.text_or_null("contact_id", row.contact_id);
        json.instant("at", row.at);
        json.text("was", policy::verdict_word(row.was));
        json.text_or_null("was_rule", row.was_rule);
        json.text("would", policy::verdict_word(row.would));
        json.text_or_null("would_rule", row.would_rule);
        if (row.until == instant_never) json.null("until");
        else json.instant("until", row.until);
        if (row.erased) json.boolean("erased", true);
        json.close_object();
        line_ += '\n';
        if (line_.size() >= buffer_bytes) flush();
    }
    // False: not everything could be written.
    bool close() {
        flush();
        const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
        return closed && !failed_;
    }

private:
    static constexpr std::size_t buffer_bytes = std::size_t{1} << 20U;
    void flush() {
        failed_ = failed_ || std::fwrite(line_.data(), 1, line_.size(), file_) != line_.size();
        line_.clear();
    }
    std::FILE* file_ = nullptr;
    std::string line_;
    bool failed_ = false;
};

// A line on stderr now and then, so that a long run is seen to go on.
class Progress {
public:
    Progress(std::uint64_t end, std::string lang) : end_{end}, lang_{std::move(lang)}, told_{clock_.monotonic_now()} {}
    void operator()(std::uint64_t sequence) {
        const auto now = clock_.monotonic_now();
        if (now - told_ < std::chrono::seconds{2}) return;
        told_ = now;
        std::fprintf(stderr, "%s %" PRIu64 " / %" PRIu64 " (%" PRIu64 " %%)\n", text("replay.progress", lang_).c_str(), sequence, end_, end_ == 0 ? 100 : sequence * 100 / end_);
    }

private:
    SystemClock clock_;
    std::uint64_t end_;
    std::string lang_;
    std::chrono::nanoseconds told_;
};

Json json_of(const VerdictCounts& counts) { return {{"allow", counts.allow}, {"defer", counts.defer}, {"deny", counts.deny}}; }

Json json_of(const std::optional<Instant>& at) { return at ? Json{format_instant(*at)} : Json{}; }

std::string to_json(const ReplayReport& report, const ReplayRequest& request, const Options& options) {
    Json made = {{"policy", report.policy}, {"history", options.history}, {"from", json_of(request.from)}, {"to", json_of(request.to)}, {"seq", report.sequence},
                 {"touches", report.touches}, {"was", json_of(report.was)}, {"would", json_of(report.would)}, {"changed", report.changed}, {"erased", report.erased},
                 {"became", {{"allow", json_of(report.from_allow)}, {"defer", json_of(report.from_defer)}, {"deny", json_of(report.from_deny)}}},
                 {"by_rule", Json::array()}, {"by_campaign", Json::array()}};
    for (const auto& rule : report.by_rule)
        made["by_rule"].push_back({{"rule", rule.rule.empty() ? Json{} : Json(rule.rule)}, {"defer", rule.defer}, {"deny", rule.deny}, {"was_defer", rule.was_defer}, {"was_deny", rule.was_deny}});
    for (const auto& campaign : report.by_campaign)
        made["by_campaign"].push_back({{"campaign", campaign.campaign.empty() ? Json{} : Json(campaign.campaign)}, {"touches", campaign.touches},
                                       {"was", json_of(campaign.was)}, {"would", json_of(campaign.would)}, {"changed", campaign.changed}});
    return made.dump();
}

std::string to_text(const ReplayReport& report, const Options& options, const std::string& lang) {
    using projection::Cell;
    using projection::ReportColumn;
    using Rows = std::vector<std::vector<Cell>>;
    const auto word = [&](const char* key) { return text(std::string{"replay."} + key, lang); };
    const auto column = [&](const char* key) { return ReportColumn{.name = word(key), .zh = {}}; };
    const auto number = [](std::uint64_t value) { return Cell{static_cast<std::int64_t>(value)}; };
    const auto named = [&](const std::string& name) { return name.empty() ? Cell{} : Cell{name}; };

    std::string out = word("policy") + " " + report.policy + "  " + word(options.history == "logged" ? "logged" : "simulated") + "\n";
    out += word("touches") + " " + std::to_string(report.touches);
    if (report.first) out += "  " + format_instant(*report.first) + " – " + format_instant(*report.last);
    out += "\n\n";
    Rows rows;
    for (const auto& [verdict, became] : {std::pair{policy::Verdict::allow, &report.from_allow}, {policy::Verdict::defer, &report.from_defer}, {policy::Verdict::deny, &report.from_deny}})
        rows.push_back({Cell{word(policy::verdict_word(verdict).data())}, number(became->allow), number(became->defer), number(became->deny), number(report.was.of(verdict))});
    rows.push_back({Cell{word("would")}, number(report.would.allow), number(report.would.defer), number(report.would.deny), number(report.touches)});
    out += projection::table_text({column("was_would"), column("allow"), column("defer"), column("deny"), column("was")}, rows, lang);
    out += "\n" + word("changed") + " " + std::to_string(report.changed) + "\n";
    if (report.erased > 0) out += word("erased") + " " + std::to_string(report.erased) + "\n";
    rows.clear();
    const auto difference = [](std::uint64_t would, std::uint64_t was) {
        const auto value = static_cast<std::int64_t>(would) - static_cast<std::int64_t>(was);
        return Cell{value};
    };
    for (const auto& rule : report.by_rule)
        rows.push_back({named(rule.rule), number(rule.was_defer), number(rule.defer), difference(rule.defer, rule.was_defer), number(rule.was_deny), number(rule.deny),
                        difference(rule.deny, rule.was_deny)});
    out += "\n" + projection::table_text({column("rule"), column("was_defer"), column("would_defer"), column("difference"), column("was_deny"), column("would_deny"), column("difference")}, rows, lang);
    rows.clear();
    for (const auto& campaign : report.by_campaign)
        rows.push_back({named(campaign.campaign), number(campaign.touches), number(campaign.was.allow), number(campaign.would.allow), difference(campaign.would.allow, campaign.was.allow),
                        number(campaign.was.defer), number(campaign.would.defer), number(campaign.was.deny), number(campaign.would.deny)});
    out += "\n" + projection::table_text({column("campaign"), column("touches"), column("was_allow"), column("would_allow"), column("difference"), column("was_defer"), column("would_defer"),
                                           column("was_deny"), column("would_deny")},
                                          rows, lang);
    return out;
}

int replay(const Options& options, const std::string& lang) {
    std::vector<FileProblem> problems;
    auto config = load_config(options.config, problems);
    for (const auto& problem : problems)
        if (!problem.warning) std::fprintf(stderr, "%s\n", to_string(problem).c_str());
    if (!config || has_errors(problems)) return cannot_run;
    const auto document = read_file(options.policy);
    if (!document) return failed({.detail = options.policy + ": " + text("replay.unreadable", lang)});

    ReplayRequest request{.policy_document = *document, .from = parse_instant(options.from), .to = parse_instant(options.to),
                          .history = options.history == "logged" ? ReplayHistory::logged : ReplayHistory::simulated};
    if ((!options.from.empty() && !request.from) || (!options.to.empty() && !request.to) || (request.from && request.to && *request.to <= *request.from))
        return failed({.detail = text("replay.times", lang)});

    auto source = open_replay_folder(*config);
    if (!source) return failed(source.error());
    RowWriter rows;
    if (!options.rows.empty() && !rows.open(options.rows)) return failed({.detail = options.rows + ": " + text("replay.unwritable", lang)});
    std::function<void(const ReplayedTouch&)> each;
    if (!options.rows.empty()) each = [&](const ReplayedTouch& row) { rows.write(row); };
    const auto report = replay_policy(source->view(), config->engine, request, each, Progress{source->head.sequence, lang});
    if (!report) return failed(report.error(), report.error().kind == ErrorKind::invalid_input || report.error().kind == ErrorKind::malformed ? policy_has_problems : cannot_run);
    if (!options.rows.empty() && !rows.close()) return failed({.detail = options.rows + ": " + text("replay.unwritable", lang)});
    std::printf("%s\n", (options.json ? to_json(*report, request, options) : to_text(*report, options, lang)).c_str());
    return 0;
}

}  // namespace

void add_policy_replay(CLI::App& policy_command, CommandLine& line) {
    auto options = std::make_shared<Options>();
    auto* command = policy_command.add_subcommand("replay", text("policy.replay", line.lang));
    command->footer(text("replay.exit", line.lang));
    command->add_option("--config", options->config, text("option.config", line.lang))->required();
    command->add_option("--policy", options->policy, text("replay.option.policy", line.lang))->required();
    command->add_option("--from", options->from, text("replay.option.from", line.lang));
    command->add_option("--to", options->to, text("replay.option.to", line.lang));
    command->add_option("--history", options->history, text("replay.option.history", line.lang))->check(CLI::IsMember({"simulated", "logged"}));
    command->add_option("--rows", options->rows, text("replay.option.rows", line.lang));
    command->add_flag("--json", options->json, text("option.json", line.lang));
    command->callback([options, &line] { line.status = replay(*options, line.lang); });
}

}  // namespace touchgate::app
