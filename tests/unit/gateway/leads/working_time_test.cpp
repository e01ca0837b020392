#include "gateway/leads/working_time.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::leads;
using namespace std::chrono_literals;

namespace {

const policy::Calendars calendars = {
    {"cn", *policy::parse_calendar(Json::parse(R"({"covers": ["2026-01-01", "2026-12-31"], "holidays": ["2026-10-01", "2026-10-02"], "workdays": ["2026-10-10"]})"), "cn")}};

WorkingTime hours(const std::string& text, std::vector<std::string>* pointers = nullptr) {
    const auto json = Json::parse(text);
    std::vector<Problem> problems;
    JsonReader reader{json, "/hours", problems};
    WorkingTime made{reader, calendars, "Asia/Shanghai"};
    reader.finish();
    if (pointers != nullptr)
        for (const auto& problem : problems) pointers->push_back(problem.pointer);
    else CHECK(problems.empty());
    return made;
}

const char* office = R"({"calendar": "cn", "open": [{"days": ["mon", "tue", "wed", "thu", "fri", "makeup"], "from": "09:00", "to": "18:00"}]})";
Instant at(const char* local) { return *parse_instant(std::string{local} + "+08:00"); }

}  // namespace

TEST_CASE("working time: runs while hours are open and stands still while they are closed", "[leads]") {
    const auto office_hours = hours(office);
    const auto [from, amount, expected] = GENERATE(table<const char*, Duration, const char*>({
        {"2026-11-23T10:00:00", 30min, "2026-11-23T10:30:00"},
        {"2026-11-23T17:45:00", 30min, "2026-11-24T09:15:00"},   // over the night
        {"2026-11-20T17:45:00", 30min, "2026-11-23T09:15:00"},   // over the weekend
        {"2026-11-21T12:00:00", 30min, "2026-11-23T09:30:00"},   // on a Saturday
        {"2026-11-23T17:30:00", 30min, "2026-11-23T18:00:00"},   // exactly at the closing
        {"2026-09-30T17:30:00", 60min, "2026-10-05T09:30:00"},   // over holidays and the weekend behind them
        {"2026-10-10T09:00:00", 60min, "2026-10-10T10:00:00"},   // a Saturday that is worked
        {"2026-11-23T09:00:00", 18h, "2026-11-24T18:00:00"},
    }));
    INFO(from);
    CHECK(office_hours.after(at(from), amount) == at(expected));
    CHECK(office_hours.between(at(from), at(expected)) == amount);
}

TEST_CASE("working time: nothing declared is always open; what never opens never ends", "[leads]") {
    CHECK(WorkingTime{}.after(at("2026-11-21T12:00:00"), 30min) == at("2026-11-21T12:30:00"));
    CHECK(WorkingTime{}.between(at("2026-11-21T12:00:00"), at("2026-11-22T12:00:00")) == 24h);
    const auto never = hours(R"({"open": []})");
    CHECK(never.after(at("2026-11-21T12:00:00"), 1min) == instant_never);
    CHECK(never.between(at("2026-11-21T12:00:00"), at("2026-12-21T12:00:00")) == 0ms);
    CHECK(hours(office).between(at("2026-11-24T12:00:00"), at("2026-11-23T12:00:00")) == 0ms);
}

TEST_CASE("working time: an hour that a clock change skips or repeats is counted as it passes", "[leads]") {
    const auto berlin = hours(R"({"zone": "Europe/Berlin", "open": [{"days": ["sun"], "from": "00:00", "to": "06:00"}]})");
    CHECK(berlin.between(*parse_instant("2026-03-28T22:00:00Z"), *parse_instant("2026-03-29T10:00:00Z")) == 5h);   // 02:00 to 03:00 does not exist
    CHECK(berlin.between(*parse_instant("2026-10-24T20:00:00Z"), *parse_instant("2026-10-25T10:00:00Z")) == 7h);   // 02:00 to 03:00 comes twice
}

TEST_CASE("working time: what is wrong is named", "[leads]") {
    std::vector<std::string> wrong;
    (void)hours(R"({"zone": "Mars/Base", "calendar": "none", "open": [{"days": ["someday"], "from": "9", "to": "08:00"}], "shut": true})", &wrong);
    CHECK(wrong == std::vector<std::string>{"/hours/zone", "/hours/calendar", "/hours/open/0/from", "/hours/open/0/days/0", "/hours/shut"});
}
