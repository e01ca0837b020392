#include "gateway/dialing/plan.hpp"

#include <algorithm>
#include <map>

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::dialing;
using namespace std::chrono_literals;

namespace {

constexpr Instant noon = from_unix_ms(1'800'000'000'000);

Outcome word(std::string_view text) {
    const auto number = policy::call_outcome_number(text);
    REQUIRE(number != 0);
    return number;
}

struct Read {
    Plan plan;
    std::map<std::string, std::string> problems;  // by pointer
};

Read read(const std::string& text) {
    const auto document = parse_json(text);
    REQUIRE(document);
    std::vector<Problem> problems;
    JsonReader reader{*document, "/dialing", problems};
    Read made{.plan = read_plan(reader), .problems = {}};
    for (const auto& problem : problems) made.problems[problem.pointer] = problem.detail;
    return made;
}

std::string with(const std::string& more) { return R"({"mode": "predictive", "account": "pbx", "queue": "sales")" + more + "}"; }

}  // namespace

TEST_CASE("plan: what is not said has the documented value", "[dialing]") {
    const auto [plan, problems] = read(with(""));
    CHECK(problems.empty());
    CHECK(plan.mode == Mode::predictive);
    CHECK(plan.account == "pbx");
    CHECK(plan.queue == "sales");
    CHECK(plan.ring_timeout == 20s);
    CHECK(plan.lines_per_agent == 1);
    CHECK(plan.max_lines == 50);
    CHECK(plan.max_drop_percent == 3);
    CHECK(plan.drop_window == 30 * 24h);
    CHECK(plan.drop_rate == measure::DropRate::tsr);
    CHECK_FALSE(plan.detect_machines);
    CHECK(plan.caller_id.empty());
    CHECK(plan.max_attempts == 1);
    CHECK(plan.no_agent_within == 2s);
}

TEST_CASE("plan: every member is read", "[dialing]") {
    const auto [plan, problems] = read(R"({"mode": "power", "account": "pbx", "queue": "sales", "ring_timeout": "PT25S", "lines_per_agent": 1.5, "max_lines": 7,
        "max_drop_percent": 1.5, "drop_window": "P1D", "drop_rate": "ofcom", "machine_share": 0.2, "amd": true, "caller_id": "+862112345678",
        "retry": {"busy": {"after": "PT10M", "max": 2}, "powered_off": {"after": "PT4H"}}, "max_attempts": 5, "no_agent_within": "PT1S"})");
    CHECK(problems.empty());
    CHECK(plan.mode == Mode::power);
    CHECK(plan.ring_timeout == 25s);
    CHECK(plan.lines_per_agent == 1.5);
    CHECK(plan.max_lines == 7);
    CHECK(plan.max_drop_percent == 1.5);
    CHECK(plan.drop_window == 24h);
    CHECK(plan.drop_rate == measure::DropRate::ofcom);
    CHECK(plan.machine_share == 0.2);
    CHECK(plan.detect_machines);
    CHECK(plan.caller_id == "+862112345678");
    REQUIRE(plan.retry.size() == 2);
    CHECK(plan.max_attempts == 5);
    CHECK(plan.no_agent_within == 1s);
}

TEST_CASE("plan: all problems are found at once, each at its place", "[dialing]") {
    const auto [plan, problems] = read(R"({"mode": "aggressive", "queue": 7, "ring_timeout": "soon", "lines_per_agent": 0.5, "max_lines": 0, "max_drop_percent": 101,
        "drop_window": "PT1M", "drop_rate": "mine", "machine_share": 0.5, "amd": "yes", "max_attempts": 0, "no_agent_within": "PT5M", "speed": 9,
        "retry": {"answered": {"after": "PT1M"}, "busy": {"max": 2}, "no_answer": 3, "rejected": {"after": "PT1H", "max": -1, "often": true}}})");
    for (const auto* at : {"/dialing/mode", "/dialing/account", "/dialing/queue", "/dialing/ring_timeout", "/dialing/lines_per_agent", "/dialing/max_lines",
                           "/dialing/max_drop_percent", "/dialing/drop_window", "/dialing/drop_rate", "/dialing/machine_share", "/dialing/amd",
                           "/dialing/max_attempts", "/dialing/no_agent_within", "/dialing/speed", "/dialing/retry/answered", "/dialing/retry/busy/after",
                           "/dialing/retry/no_answer", "/dialing/retry/rejected/max", "/dialing/retry/rejected/often"}) {
        INFO(at);
        CHECK(problems.contains(at));
    }
    CHECK(problems.size() == 19);
    CHECK(read("[]").problems.contains("/dialing"));
}

TEST_CASE("plan: rules without a number of attempts are used; attempts without rules have the usual ones", "[dialing]") {
    CHECK(read(with(R"(, "retry": {"busy": {"after": "PT10M", "max": 2}, "no_answer": {"after": "PT1H", "max": 3}})")).plan.max_attempts == 6);
    CHECK(read(with(R"(, "retry": {})")).plan.max_attempts == 1);
    const auto plan = read(with(R"(, "max_attempts": 3)")).plan;
    const std::array outcomes = {word("busy")};
    CHECK(next_attempt(plan, outcomes, noon).at == noon + 10min);
}

TEST_CASE("next attempt: each outcome has its own pause and its own number of retries", "[dialing]") {
    const auto plan = read(with(R"(, "max_attempts": 4, "retry": {"busy": {"after": "PT10M", "max": 2}, "no_answer": {"after": "PT1H", "max": 1}})")).plan;
    const auto next = [&](std::initializer_list<std::string_view> words) {
        std::vector<Outcome> outcomes;
        for (const auto each : words) outcomes.push_back(word(each));
        return next_attempt(plan, outcomes, noon);
    };
    CHECK(next({"busy"}).at == noon + 10min);
    CHECK(next({"busy", "busy"}).at == noon + 10min);
    CHECK(next({"busy", "busy", "busy"}).why == "rule_used_up");
    CHECK(next({"busy", "no_answer"}).at == noon + 1h);
    CHECK(next({"no_answer", "no_answer"}).why == "rule_used_up");
    CHECK(next({"busy", "no_answer", "busy"}).at == noon + 10min);
    CHECK(next({"busy", "no_answer", "busy", "no_answer"}).why == "attempts_used_up");
    CHECK(next({"rejected"}).why == "no_rule");
    for (const auto* final_word : {"answered", "invalid_number", "cancelled", "unknown", "abandoned"}) CHECK(next({"busy", final_word}).why == "outcome_is_final");
    CHECK(next({}).why == "outcome_is_final");
}

TEST_CASE("next attempt: with one attempt there is no retry, whatever the rules", "[dialing]") {
    const auto plan = read(with(R"(, "max_attempts": 1, "retry": {"busy": {"after": "PT0S", "max": 9}})")).plan;
    const std::array outcomes = {word("busy")};
    CHECK(next_attempt(plan, outcomes, noon).why == "attempts_used_up");
}

TEST_CASE("next attempt: numbers that are no outcome are final", "[dialing]") {
    CHECK_FALSE(is_retryable(0));
    CHECK_FALSE(is_retryable(200));
    CHECK(is_retryable(word("congestion")));
}
