#include "gateway/dialing/trunks.hpp"

#include <set>

#include "gateway/dialing/trunk_pool.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::dialing;
using namespace std::chrono_literals;

namespace {

constexpr Instant nine = from_unix_ms(1'800'000'000'000);

std::vector<TrunkTerms> read(const std::string& text, std::vector<Problem>& problems) {
    const auto document = parse_json(text);
    REQUIRE(document);
    JsonReader reader{*document, "/accounts/pbx", problems};
    auto trunks = read_trunks(reader);
    reader.finish();
    return trunks;
}

TrunkPool pool(const std::string& trunks) {
    std::vector<Problem> problems;
    auto terms = read(R"({"trunks": )" + trunks + "}", problems);
    for (const auto& problem : problems) FAIL(problem.pointer << " " << problem.detail);
    return TrunkPool{std::move(terms)};
}

std::string number_for(const TrunkPool& lines, const TrunkPool::Wanted& wanted, Instant at = nine) {
    const auto made = lines.choose(at, wanted);
    REQUIRE(std::holds_alternative<TrunkPool::Choice>(made));
    return std::get<TrunkPool::Choice>(made).caller_id;
}

TrunkPool::Refusal refusal(const TrunkPool& lines, const TrunkPool::Wanted& wanted = {}, Instant at = nine) {
    const auto made = lines.choose(at, wanted);
    REQUIRE(std::holds_alternative<TrunkPool::Refusal>(made));
    return std::get<TrunkPool::Refusal>(made);
}

// Dials as the pool says; the call's name.
std::string dial(TrunkPool& lines, const TrunkPool::Wanted& wanted = {}, Instant at = nine) {
    static int calls = 0;
    const auto made = lines.choose(at, wanted);
    REQUIRE(std::holds_alternative<TrunkPool::Choice>(made));
    auto name = "call" + std::to_string(++calls);
    const auto& choice = std::get<TrunkPool::Choice>(made);
    lines.dialed(at, name, choice.name, choice.caller_id, wanted.contact);
    return name;
}

}  // namespace

TEST_CASE("trunks: the configuration is read whole", "[dialing]") {
    std::vector<Problem> problems;
    const auto trunks = read(R"({"trunks": [{"name": "a", "endpoint": "PJSIP/{number}@a", "max_calls": 30, "inbound_reserve": 5, "cps": 2.5,
        "caller_ids": [{"number": "+862112345678", "region": "上海", "per_hour": 60, "per_day": 300, "max_calls": 3}, {"number": "+861012345678", "state": "off"}],
        "rest": {"answer_rate_below": 0.1, "short_calls_above": 0.4, "calls": 30, "short_call": "PT6S", "for": "PT12H"}}, {"name": "b"}]})", problems);
    CHECK(problems.empty());
    REQUIRE(trunks.size() == 2);
    CHECK(trunks[0].endpoint == "PJSIP/{number}@a");
    CHECK(trunks[0].max_calls == 30);
    CHECK(trunks[0].inbound_reserve == 5);
    CHECK(trunks[0].calls_per_second == 2.5);
    REQUIRE(trunks[0].caller_ids.size() == 2);
    CHECK(trunks[0].caller_ids[0].region == "上海");
    CHECK(trunks[0].caller_ids[0].per_hour == 60U);
    CHECK(trunks[0].caller_ids[0].max_calls == 3U);
    CHECK_FALSE(trunks[0].caller_ids[1].per_day);
    CHECK(trunks[0].caller_ids[1].state == CallerIdState::off);
    CHECK(trunks[0].rest.short_call == 6s);
    CHECK(trunks[0].rest.rest == 12h);
    CHECK(trunks[1].max_calls == 0);
}

TEST_CASE("trunks: every mistake is named at its place", "[dialing]") {
    std::vector<Problem> problems;
    (void)read(R"({"trunks": [{"max_calls": -1, "cps": 0.001, "caller_ids": [{"number": "021-1234"}, {"number": "+862112345678", "per_day": 0, "state": "tired"},
        {"number": "+862112345678"}]}, {"name": "x", "max_calls": 4, "inbound_reserve": 4}, {"name": "x", "inbound_reserve": 1, "rest": {"calls": 1, "why": 0}}]})", problems);
    std::set<std::string> pointers;
    for (const auto& problem : problems) pointers.insert(problem.pointer);
    const std::set<std::string> expected = {"/accounts/pbx/trunks/0/name", "/accounts/pbx/trunks/0/max_calls", "/accounts/pbx/trunks/0/cps",
                                            "/accounts/pbx/trunks/0/caller_ids/0/number", "/accounts/pbx/trunks/0/caller_ids/1/per_day",
                                            "/accounts/pbx/trunks/0/caller_ids/1/state", "/accounts/pbx/trunks/0/caller_ids/2/number",
                                            "/accounts/pbx/trunks/1/inbound_reserve", "/accounts/pbx/trunks/2/name",
                                            "/accounts/pbx/trunks/2/inbound_reserve", "/accounts/pbx/trunks/2/rest/calls",
                                            "/accounts/pbx/trunks/2/rest/why"};
    CHECK(pointers == expected);
}

TEST_CASE("trunk pool: without trunks there are no limits and the account's own number", "[dialing]") {
    TrunkPool lines{{}};
    CHECK(lines.room(nine) == 0xFFFF'FFFF);
    CHECK(number_for(lines, {.contact = 1}).empty());
    CHECK(number_for(lines, {.caller_id = "+8610"}) == "+8610");
}

TEST_CASE("trunk pool: lines are counted both ways, and some are kept for calls that come in", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "max_calls": 5, "inbound_reserve": 2}])");
    CHECK(lines.room(nine) == 3);
    const auto first = dial(lines);
    dial(lines);
    CHECK(lines.room(nine) == 1);
    lines.arrived("in1", "a");  // uses the reserve
    CHECK(lines.room(nine) == 1);
    lines.arrived("in2", "a");
    lines.arrived("in3", "nowhere");
    CHECK(lines.room(nine) == 0);
    CHECK(refusal(lines).why == "lines");
    CHECK_FALSE(refusal(lines).until);
    CHECK_FALSE(lines.ended(nine, first, {}));
    CHECK_FALSE(lines.ended(nine, first, {}));  // told twice
    CHECK(lines.room(nine) == 1);
    lines.ended(nine, "in1", {});
    lines.ended(nine, "never seen", {});
    CHECK(lines.room(nine) == 2);
    lines.forget_calls();
    CHECK(lines.room(nine) == 3);
}

TEST_CASE("trunk pool: the trunk over which a call came is that whose template names the endpoint", "[dialing]") {
    const auto lines = pool(R"([{"name": "a", "endpoint": "PJSIP/{number}@carrier-a"}, {"name": "b", "endpoint": "PJSIP/{number}@carrier"}, {"name": "c", "endpoint": "sofia/gateway/third/{number}"}])");
    CHECK(lines.trunk_over("carrier-a") == "a");
    CHECK(lines.trunk_over("carrier") == "b");
    CHECK(lines.trunk_over("third") == "c");
    CHECK(lines.trunk_over("unheard-of") == "a");
    CHECK(lines.trunk_over("") == "a");
    CHECK(TrunkPool{{}}.trunk_over("carrier").empty());
}

TEST_CASE("trunk pool: calls per second hold in every second", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "cps": 2}])");
    dial(lines);
    const auto wait = refusal(lines);
    CHECK(wait.why == "rate");
    REQUIRE(wait.until);
    CHECK(*wait.until == nine + 500ms);
    dial(lines, {}, nine + 500ms);
    CHECK(*refusal(lines, {}, nine + 500ms).until == nine + 1s);
    auto slow = pool(R"([{"name": "a", "cps": 0.4}])");  // two in five seconds
    dial(slow);
    CHECK(*refusal(slow).until == nine + 2'500ms);
    CHECK(slow.room(nine) == 0);
}

TEST_CASE("trunk pool: a second trunk takes what the first cannot", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "max_calls": 1}, {"name": "b", "max_calls": 1}])");
    CHECK(std::get<TrunkPool::Choice>(lines.choose(nine, {})).name == "a");
    dial(lines);
    CHECK(std::get<TrunkPool::Choice>(lines.choose(nine, {})).name == "b");
    dial(lines);
    CHECK(refusal(lines).why == "lines");
}

TEST_CASE("caller ids: the callee's region first, on whatever trunk, then the least used", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001", "region": "bj"}, {"number": "+8610002", "region": "bj"}]},
                          {"name": "b", "caller_ids": [{"number": "+8621001", "region": "sh"}]}])");
    CHECK(number_for(lines, {.region = "sh"}) == "+8621001");
    CHECK(number_for(lines, {.region = "bj"}) == "+8610001");
    CHECK(number_for(lines, {.region = "gz"}) == "+8610001");
    dial(lines, {.region = "bj"});
    CHECK(number_for(lines, {.region = "bj"}) == "+8610002");
    dial(lines, {.region = "bj"});
    CHECK(number_for(lines, {}) == "+8610001");
}

TEST_CASE("caller ids: a contact sees the same number for a week after the last call", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001"}, {"number": "+8610002"}, {"number": "+8610003", "region": "sh"}]}])");
    dial(lines, {.contact = 7});
    CHECK(number_for(lines, {.contact = 7}, nine + 24h * 6) == "+8610001");
    CHECK(number_for(lines, {.contact = 7, .region = "sh"}, nine + 24h) == "+8610001");
    CHECK(number_for(lines, {.contact = 8}) == "+8610002");
    CHECK(number_for(lines, {.contact = 7, .region = "sh"}, nine + 24h * 7) == "+8610003");
}

TEST_CASE("caller ids: no number is dialed from more often than its limits say", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001", "per_hour": 2, "per_day": 3}]}])");
    dial(lines, {}, nine);
    dial(lines, {}, nine + 10min);
    const auto hour = refusal(lines, {}, nine + 20min);
    CHECK(hour.why == "caller_ids");
    CHECK(hour.until == nine + 1h);
    dial(lines, {}, nine + 1h);
    CHECK(refusal(lines, {}, nine + 2h).until == nine + 24h);
    dial(lines, {}, nine + 24h);
    auto busy = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001", "max_calls": 1}]}])");
    const auto call = dial(busy);
    CHECK(refusal(busy).why == "caller_ids");
    CHECK_FALSE(refusal(busy).until);
    busy.ended(nine, call, {});
    dial(busy);
}

TEST_CASE("caller ids: a campaign's own number keeps the limits it has in the pool", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001", "per_day": 1}, {"number": "+8610002"}]}])");
    CHECK(number_for(lines, {.caller_id = "+8610001"}) == "+8610001");
    dial(lines, {.caller_id = "+8610001"});
    CHECK(refusal(lines, {.caller_id = "+8610001"}).until == nine + 24h);
    CHECK(number_for(lines, {.caller_id = "+8699999"}) == "+8699999");  // not of the pool: without limits
}

TEST_CASE("caller ids: a number that few people answer rests, and comes back", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001"}, {"number": "+8610002", "state": "rested"}],
                           "rest": {"answer_rate_below": 0.2, "calls": 10, "for": "PT12H"}}])");
    std::optional<CallerIdRested> rested;
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(rested);
        rested = lines.ended(nine, dial(lines), {.answered = i == 0, .talked = 60s});
    }
    REQUIRE(rested);
    CHECK(rested->number == "+8610001");
    CHECK(rested->why == "answer_rate");
    CHECK(rested->share == Approx(0.1));
    CHECK(rested->bound == Approx(0.2));
    CHECK(rested->calls == 10);
    CHECK(rested->until == nine + 12h);
    CHECK(number_for(lines, {}) == "+8610001");  // not before it is said
    lines.rest(rested->number, rested->until);
    CHECK(refusal(lines).until == nine + 12h);
    CHECK_FALSE(lines.ended(nine + 13h, dial(lines, {}, nine + 13h), {}));  // judged anew
}

TEST_CASE("caller ids: a number whose calls are hung up at once rests", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001"}], "rest": {"answer_rate_below": 0, "short_calls_above": 0.5, "calls": 10}}])");
    std::optional<CallerIdRested> rested;
    for (int i = 0; i < 10; ++i) rested = lines.ended(nine, dial(lines), {.answered = i < 8, .talked = i < 5 ? 2s : 90s});
    REQUIRE(rested);
    CHECK(rested->why == "short_calls");
    CHECK(rested->share == Approx(5.0 / 8));
    auto few = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001"}], "rest": {"answer_rate_below": 0, "short_calls_above": 0.5, "calls": 10}}])");
    for (int i = 0; i < 30; ++i) CHECK_FALSE(few.ended(nine, dial(few), {.answered = i % 10 < 4, .talked = 1s}));  // four answers prove nothing
}

TEST_CASE("caller ids: what the trunk is to blame for does not count against the number", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001"}], "rest": {"answer_rate_below": 0.9, "calls": 5}}])");
    for (int i = 0; i < 50; ++i) CHECK_FALSE(lines.ended(nine, dial(lines), {.ours = true}));
}

TEST_CASE("caller ids: a clock that is set back does not open a limit", "[dialing]") {
    auto lines = pool(R"([{"name": "a", "caller_ids": [{"number": "+8610001", "per_hour": 2}]}])");
    dial(lines, {}, nine);
    dial(lines, {}, nine - 30min);
    CHECK(refusal(lines, {}, nine - 30min).until == nine + 1h);
}
