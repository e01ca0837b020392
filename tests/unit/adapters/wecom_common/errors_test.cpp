#include "adapters/wecom_common/errors.hpp"

#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace touchgate::adapters;
using namespace std::chrono_literals;
using wecom_common::Addressee;
using Kind = OutcomeKind;

namespace {

Outcome outcome(int code, Addressee addressee = Addressee::customer, const std::string& message = "m") {
    return wecom_common::outcome_of(wechat::read_answer(test::refused(code, message)), addressee);
}

}  // namespace

TEST_CASE("Each class of WeCom's codes leads to its outcome") {
    const auto [code, kind] = GENERATE(table<int, Kind>({
        {-1, Kind::not_sent},           {6000, Kind::not_sent},         {40001, Kind::credentials},     {40014, Kind::credentials},   {42001, Kind::credentials},
        {40013, Kind::credentials},     {40091, Kind::credentials},     {41001, Kind::config},          {82001, Kind::refused},       {40032, Kind::refused},
        {40058, Kind::refused},         {40007, Kind::content_rejected}, {41006, Kind::content_rejected}, {40008, Kind::content_rejected}, {45002, Kind::content_rejected},
        {42030, Kind::content_rejected}, {42020, Kind::refused},        {40201, Kind::content_rejected}, {40056, Kind::config},       {48002, Kind::config},
        {60020, Kind::config},          {48005, Kind::config},          {45009, Kind::throttled},       {45033, Kind::throttled},     {40096, Kind::recipient_invalid},
        {84061, Kind::recipient_refuses}, {84084, Kind::recipient_refuses}, {41048, Kind::refused},     {41093, Kind::refused},       {41063, Kind::not_sent},
        {41094, Kind::quota_exhausted}, {41050, Kind::refused},         {41051, Kind::accepted},        {41096, Kind::not_sent},      {41072, Kind::content_rejected},
        {41078, Kind::throttled},       {95001, Kind::window_closed},   {95002, Kind::window_closed},   {95013, Kind::window_closed}, {95018, Kind::window_closed},
        {95003, Kind::config},          {95008, Kind::content_rejected}, {95014, Kind::refused},        {701008, Kind::config},       {99999, Kind::refused},
    }));
    CAPTURE(code);
    CHECK(outcome(code).kind == kind);
    CHECK(outcome(code).code == std::to_string(code));
}

TEST_CASE("Nobody's address is bad because of a code about another party") {
    CHECK(outcome(60021, Addressee::member).kind == Kind::recipient_invalid);
    CHECK(outcome(60021, Addressee::customer).kind == Kind::refused);
    CHECK(outcome(40096, Addressee::member).kind == Kind::refused);
    CHECK(outcome(86003, Addressee::group).kind == Kind::recipient_invalid);
    CHECK(outcome(86003, Addressee::customer).kind == Kind::refused);
    CHECK(outcome(40096, Addressee::customer).scope.empty());
}

TEST_CASE("A frequency limit waits for as long as its text says") {
    CHECK(outcome(45009, Addressee::customer, "api freq out of limit").retry_after == Duration{1min});
    CHECK(outcome(45009, Addressee::customer, "api hour quota reached").retry_after == Duration{1h});
    const auto daily = outcome(45009, Addressee::customer, "reach max api daily quota limit, api day quota");
    CHECK(daily.kind == Kind::quota_exhausted);
    CHECK(daily.retry_after == Duration{one_day});
}

TEST_CASE("The detail has the number under which WeCom finds the call, and nothing else of its text") {
    const auto told = outcome(84061, Addressee::customer, "not external contact wm1, hint: [1645025097593810238423219], from ip: 49.74.77.205");
    CHECK(told.detail.find("1645025097593810238423219") != std::string::npos);
    CHECK(told.detail.find("wm1") == std::string::npos);
    CHECK(told.detail.find("49.74") == std::string::npos);
}

TEST_CASE("Codes of the table stand in it once") {
    const auto codes = wecom_common::known_codes();
    for (std::size_t i = 0; i < codes.size(); ++i) {
        CHECK(codes[i].first <= codes[i].last);
        CHECK_FALSE(codes[i].detail.empty());
        for (std::size_t k = i + 1; k < codes.size(); ++k) {
            CAPTURE(codes[i].first, codes[k].first);
            CHECK((codes[i].last < codes[k].first || codes[k].last < codes[i].first));
        }
    }
}
