// Hours of queues, shifts and menus: the form of policies and leads, and the short one.
#include "gateway/engine/working_hours.hpp"

#include "tests/catch.hpp"

using namespace touchgate;

namespace {

policy::Calendars calendars() {
    const auto calendar =
        policy::parse_calendar(Json::parse(R"({"covers":["2026-01-01","2026-12-31"],"holidays":[{"date":"2026-11-24","name":"feast"}],"workdays":["2026-11-28"]})"), "shop");
    REQUIRE(calendar);
    return {{"shop", *calendar}};
}

std::string state_at(const std::string& hours, const std::string& local) {
    const auto at = parse_instant(local + ":00+08:00");
    REQUIRE(at);
    const auto found = hours_at(Json::parse(hours), *at, "Asia/Shanghai", calendars());
    return std::string{found.open ? "open" : "closed"} + (found.until ? " until " + format_instant(*found.until) : "");
}

}  // namespace

TEST_CASE("hours: the form of policies and leads holds for queues, with holidays and make-up days", "[engine]") {
    const std::string office = R"({"calendar":"shop","open":[{"days":["mon","tue","wed","thu","fri","makeup"],"from":"09:00","to":"18:00"},{"days":["holiday"],"from":"10:00","to":"12:00"}]})";
    const auto [local, expected] = GENERATE(table<std::string, std::string>({
        {"2026-11-23T08:59", "closed until 2026-11-23T01:00:00.000Z"},
        {"2026-11-23T09:00", "open until 2026-11-23T10:00:00.000Z"},
        {"2026-11-23T18:00", "closed until 2026-11-24T02:00:00.000Z"},  // the next day is a holiday
        {"2026-11-24T12:30", "closed until 2026-11-25T01:00:00.000Z"},
        {"2026-11-27T18:00", "closed until 2026-11-28T01:00:00.000Z"},  // a Saturday that is worked
        {"2026-11-28T18:00", "closed until 2026-11-30T01:00:00.000Z"},
    }));
    CHECK(state_at(office, local) == expected);
    CHECK(state_at("[" + office + "]", local) == expected);
}

TEST_CASE("hours: what was written in short means what it did", "[engine]") {
    CHECK(state_at(R"({"days":"mon-fri","from":"09:00","to":"18:00"})", "2026-11-23T09:00") == "open until 2026-11-23T10:00:00.000Z");
    CHECK(state_at(R"({"calendar":"shop","from":"09:00","to":"18:00"})", "2026-11-24T09:30").starts_with("closed"));
    CHECK(state_at(R"([{"days":"sat","from":"09:00","to":"10:00"},{"open":[{"days":["sun"],"from":"09:00","to":"10:00"}]}])", "2026-11-29T09:30").starts_with("open"));
    CHECK(state_at("null", "2026-11-29T09:30") == "open");
}

TEST_CASE("hours: every mistake is named at its place", "[engine]") {
    std::vector<Problem> problems;
    check_hours(Json::parse(R"([{"open":[{"days":["someday"],"from":"9","to":"08:00"}],"zone":"Mars/Base","calendar":"none"},{"days":"often"}])"), "/hours", calendars(), problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    CHECK(pointers == std::vector<std::string>{"/hours/0/zone", "/hours/0/calendar", "/hours/0/open/0/from", "/hours/0/open/0/days/0", "/hours/1"});
}
