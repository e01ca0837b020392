#include "gateway/dialing/plan.hpp"

#include <algorithm>

namespace touchgate::dialing {

namespace {

constexpr std::uint32_t attempts_max = 100;

// Where the document gives no rules of its own but allows several attempts.
std::vector<RetryRule> usual_rules() {
    using std::chrono::hours;
    using std::chrono::minutes;
    return {{policy::call_outcome_number("busy"), minutes{10}, attempts_max},
            {policy::call_outcome_number("no_answer"), hours{2}, attempts_max},
            {policy::call_outcome_number("unreachable"), hours{4}, attempts_max},
            {policy::call_outcome_number("powered_off"), hours{4}, attempts_max},
            {policy::call_outcome_number("machine"), hours{4}, attempts_max},
            {policy::call_outcome_number("congestion"), minutes{1}, attempts_max},
            {policy::call_outcome_number("failed"), minutes{30}, attempts_max},
            {policy::call_outcome_number("rejected"), hours{24}, 1}};
}

void read_retry(JsonReader& dialing, Plan& plan) {
    if (!dialing.has("retry")) {
        (void)dialing.raw("retry");
        plan.retry = usual_rules();
        return;
    }
    dialing.members("retry", [&](const std::string& word, const Json& value, const std::string& pointer) {
        if (std::find(retryable_words.begin(), retryable_words.end(), word) == retryable_words.end()) {
            std::string list;
            for (const auto each : retryable_words) list.append(list.empty() ? "" : ", ").append(each);
            dialing.problems().push_back({pointer, "is no outcome that may be tried again; these are: " + list});
            return;
        }
        JsonReader rule{value, pointer, dialing.problems()};
        if (!value.is_object()) return;
        if (!rule.has("after")) rule.problem("after", "is required: a duration such as \"PT10M\"");
        RetryRule made;
        made.outcome = policy::call_outcome_number(word);
        made.after = rule.duration("after", Duration{0}, Duration{0}, one_day * 366);
        made.max = static_cast<std::uint32_t>(rule.integer("max", 1, 0, attempts_max));
        rule.finish();
        plan.retry.push_back(made);
    });
}

}  // namespace

std::string_view to_string(Mode mode) {
    switch (mode) {
        case Mode::preview: return "preview";
        case Mode::progressive: return "progressive";
        case Mode::power: return "power";
        case Mode::predictive: return "predictive";
    }
    return {};
}

bool is_retryable(Outcome outcome) {
    if (outcome == 0 || outcome >= policy::call_outcome_words.size()) return false;
    return std::find(retryable_words.begin(), retryable_words.end(), policy::call_outcome_words[outcome]) != retryable_words.end();
}

Plan read_plan(JsonReader& dialing) {
    using std::chrono::minutes;
    using std::chrono::seconds;
    Plan plan;
    if (!dialing.has("mode")) dialing.problem("mode", "is required: one of preview, progressive, power, predictive");
    const auto mode = dialing.choice("mode", {"preview", "progressive", "power", "predictive"}, "progressive");
    for (const auto each : {Mode::preview, Mode::progressive, Mode::power, Mode::predictive})
        if (mode == to_string(each)) plan.mode = each;
    plan.account = dialing.required_text("account", {1, 200});
    plan.queue = dialing.required_text("queue", {1, 200});
    plan.ring_timeout = dialing.duration("ring_timeout", plan.ring_timeout, seconds{1}, minutes{3});
    plan.lines_per_agent = dialing.number("lines_per_agent", plan.lines_per_agent, 1, 20);
    plan.max_lines = static_cast<std::uint32_t>(dialing.integer("max_lines", plan.max_lines, 1, 100'000));
    plan.max_drop_percent = dialing.number("max_drop_percent", plan.max_drop_percent, 0, 100);
    plan.drop_window = dialing.duration("drop_window", plan.drop_window, minutes{10}, one_day * 366);
    plan.drop_rate = *measure::parse_drop_rate(dialing.choice("drop_rate", {"tsr", "ofcom", "gc_all", "gc_queue", "vici"}, "tsr"));
    plan.machine_share = dialing.number("machine_share", 0, 0, 1);
    if (dialing.has("machine_share") && plan.drop_rate != measure::DropRate::ofcom) dialing.problem("machine_share", "belongs to the drop_rate \"ofcom\"");
    plan.detect_machines = dialing.boolean("amd", false);
    plan.caller_id = dialing.text("caller_id", {}, {0, 50});
    plan.no_agent_within = dialing.duration("no_agent_within", plan.no_agent_within, Duration{0}, minutes{1});
    read_retry(dialing, plan);
    // Rules without a number of attempts are meant to be used.
    std::uint64_t retries = 0;
    if (dialing.has("retry"))
        for (const auto& rule : plan.retry) retries += rule.max;
    const auto fallback = static_cast<std::int64_t>(std::min<std::uint64_t>(1 + retries, attempts_max));
    plan.max_attempts = static_cast<std::uint32_t>(dialing.integer("max_attempts", fallback, 1, attempts_max));
    dialing.finish();
    return plan;
}

NextAttempt next_attempt(const Plan& plan, std::span<const Outcome> outcomes, Instant ended) {
    if (outcomes.empty() || !is_retryable(outcomes.back())) return {.at = std::nullopt, .why = "outcome_is_final"};
    const auto rule = std::find_if(plan.retry.begin(), plan.retry.end(), [&](const RetryRule& each) { return each.outcome == outcomes.back(); });
    if (rule == plan.retry.end()) return {.at = std::nullopt, .why = "no_rule"};
    if (outcomes.size() >= plan.max_attempts) return {.at = std::nullopt, .why = "attempts_used_up"};
    // Each earlier attempt with this outcome caused a retry by this rule.
    const auto used = static_cast<std::uint64_t>(std::count(outcomes.begin(), outcomes.end() - 1, outcomes.back()));
    if (used >= rule->max) return {.at = std::nullopt, .why = "rule_used_up"};
    return {.at = ended + rule->after};
}

}  // namespace touchgate::dialing
