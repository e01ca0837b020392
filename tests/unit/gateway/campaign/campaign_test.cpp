#include "gateway/campaign/assignment.hpp"
#include "gateway/campaign/definition.hpp"
#include "gateway/campaign/forecast.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::campaign;

namespace {

std::vector<std::string> wrong_in(const std::string& text) {
    const auto json = Json::parse(text);
    std::vector<Problem> problems;
    JsonReader reader{json, "", problems};
    (void)read_definition(reader);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    return pointers;
}

}  // namespace

TEST_CASE("definition: what is wrong is named, all of it", "[campaign]") {
    CHECK(wrong_in(R"({"id":"c"})").empty());
    CHECK(wrong_in(R"({"id":"c","channels":["sms","sms"],"template":"t","content":{"text":"x"}})") == std::vector<std::string>{"/content", "/channels/1"});
    CHECK(wrong_in(R"({"id":"c","window":{"daily":[{"from":"9:00","to":"20:00"},{"days":["fri","holiday"],"from":"10:00","to":"09:00"}]}})") ==
          std::vector<std::string>{"/window/daily/0/from", "/window/daily/1/days/1", "/window/daily/1/to"});
    CHECK(wrong_in(R"({"id":"c","arms":[{"name":"holdout","share":0.5},{"name":"b","share":0.4}]})") == std::vector<std::string>{"/arms/0/name", "/arms"});
    CHECK(wrong_in(R"({"id":"c","stop_on":["click"],"stop_when":{"budget":"much","error_rate":2},"exclude":{"people":[]}})") ==
          std::vector<std::string>{"/stop_on/0", "/stop_when/error_rate", "/stop_when/budget", "/exclude/people"});
    CHECK(wrong_in(R"({"id":"c","content":{"text":"x","template_code":"y"},"rate":"often"})") == std::vector<std::string>{"/content", "/rate"});
}

TEST_CASE("definition: an arm without content of its own uses the campaign's; a portion is ten seconds of the rate within its bounds", "[campaign]") {
    const auto made = parse_definition(R"({"id":"c","content":{"text":"base"},"arms":[{"name":"a","share":0.5},{"name":"b","share":0.5,"template":"t"}],"rate":"300/second"})");
    CHECK(made.content_of(0).text == "base");
    CHECK(made.content_of(1).empty());
    CHECK(made.template_of(1) == "t");
    CHECK(made.template_of(0).empty());
    CHECK(made.reservations_max() == 3'000);
    CHECK(parse_definition(R"({"id":"c","rate":"1/hour"})").reservations_max() == 1'000);
    CHECK(parse_definition(R"({"id":"c","rate":"100000/second"})").reservations_max() == 10'000);
    CHECK(parse_definition(R"({"id":"c"})").reservations_max() == 10'000);
    const auto code = parse_definition(R"({"id":"c","content":{"template_code":"1","params":{"z":"1","a":2,"m":true}}})");
    CHECK(code.content.params == std::vector<std::pair<std::string, std::string>>{{"z", "1"}, {"a", "2"}, {"m", "true"}});
}

TEST_CASE("assignment: shares are kept, and the hash is the documented one", "[campaign]") {
    const auto definition = parse_definition(R"({"id":"double11","holdout":0.1,"arms":[{"name":"a","share":0.3},{"name":"b","share":0.7}]})");
    const Assigner assigner{definition};
    int held = 0, a = 0;
    constexpr int contacts = 20'000;
    for (int i = 0; i < contacts; ++i) {
        const auto id = "cust-" + std::to_string(i);
        const auto place = assigner(id);
        const auto hash = crypto::leading_u64be(crypto::sha256("holdout\ndouble11\n" + id));
        CHECK((place == held_out) == (hash < 1844674407370955162U));
        held += place == held_out ? 1 : 0;
        a += place == 0 ? 1 : 0;
    }
    CHECK(std::abs(held - contacts / 10) < 200);
    CHECK(std::abs(a - contacts * 9 / 10 * 3 / 10) < 300);
    CHECK(given_place(definition, "holdout") == static_cast<Assignment>(held_out | given));
    CHECK(arm_name(definition, *given_place(definition, "b")) == "b");
    CHECK_FALSE(given_place(definition, "c"));
    CHECK(lies_below(~std::uint64_t{0}, 1));
    CHECK_FALSE(lies_below(0, 0));
}

TEST_CASE("forecast: what is free later waits for its hour and for what stands before it", "[campaign]") {
    const auto now = *parse_instant("2026-11-23T00:30:00Z");
    Histogram later{std::chrono::hours{1}};
    CHECK(earliest_finish(now, 0, later, 10) == now);
    CHECK(earliest_finish(now, 100, later, 10) == now + std::chrono::seconds{10});
    for (int i = 0; i < 50; ++i) later.add(*parse_instant("2026-11-23T09:59:59Z"));
    CHECK(earliest_finish(now, 100, later, 10) == *parse_instant("2026-11-23T09:00:05Z"));
    CHECK(earliest_finish(now, 360'000 * 2, later, 10) == now + std::chrono::seconds{72'005});
    CHECK(earliest_finish(now, 100, later, 0) == *parse_instant("2026-11-23T09:00:00Z"));
}
