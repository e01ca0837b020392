// The report `digital_share`.

#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/reports.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Reports;

namespace {

constexpr ProfileId voice{9};

struct Talking : Reports {
    ContactIndex someone;
    Talking() {
        scene.write(ProfileDefined{.id = voice, .purpose = "care", .channel = "voice", .account = "pbx", .campaign = "", .unit = "hq/east", .template_name = ""});
        scene.now = *parse_instant("2026-11-23T02:00:00Z");
        someone = scene.contact();
    }
    void wrote(const std::string& channel) {
        MessageReceived event;
        event.account = channel + "-main";
        event.channel = channel;
        scene.write(event, someone);
    }
    void called() {
        EventReceived event;
        event.account = "pbx";
        event.channel = "voice";
        event.kind = "call";
        scene.write(event, someone);
    }
    void fill() {
        for (int i = 0; i < 3; ++i) scene.delivered(someone);
        scene.delivered(someone, voice);
        scene.create(someone, {voice}, TouchState::blocked);  // nothing went out
        wrote("sms");
        wrote("wecom");
        scene.now += 31 * one_day;
        scene.delivered(someone, voice);
        called();
        called();
        wrote("sms");
    }
};

}  // namespace

TEST_CASE("digital share: what went out and what came in, by month, with totals") {
    Talking talking;
    talking.fill();
    const auto report = talking.json("digital_share");
    REQUIRE(report["rows"].size() == 2);
    const auto& first = report["rows"][0];
    CHECK(first["month"] == "2026-11");
    CHECK(first["touches"] == 4);
    CHECK(first["digital_touches"] == 3);
    CHECK(first["touch_share"] == 0.75);
    CHECK(first["interactions"] == 2);
    CHECK(first["interaction_share"] == 1.0);
    const auto& second = report["rows"][1];
    CHECK(second["touch_share"] == 0.0);
    CHECK(second["interactions"] == 3);
    CHECK(second["digital_interactions"] == 1);
    CHECK(report["totals"]["touches"] == 5);
    CHECK(report["totals"]["touch_share"] == 0.6);
    CHECK(report["totals"]["interactions"] == 5);
    CHECK(report["totals"]["interaction_share"] == 0.6);
    CHECK(report_csv(talking.report("digital_share"), "en", false).starts_with("month,touches,digital_touches,touch_share,interactions,digital_interactions,interaction_share\r\n"
                                                                               "2026-11,4,3,0.75,2,2,1\r\n"));
}

TEST_CASE("digital share: a span counts exactly, and nothing gives no share") {
    Talking talking;
    talking.fill();
    const auto none = talking.json("digital_share", {{"to", "2026-11-23T02:00:00Z"}});
    CHECK(none["rows"].empty());
    CHECK(none["totals"]["touches"] == 0);
    CHECK(none["totals"]["touch_share"].is_null());
    const auto later = talking.json("digital_share", {{"from", "2026-11-23T02:00:00.001Z"}});
    CHECK(later["totals"]["touches"] == 1);
    CHECK(later["totals"]["interactions"] == 3);
}

TEST_CASE("digital share: interactions belong to a channel and an account, and to nothing else") {
    Talking talking;
    talking.fill();
    const auto by_channel = talking.json("digital_share", {{"group_by", "channel"}});
    REQUIRE(by_channel["rows"].size() == 3);
    CHECK(by_channel["rows"][2]["channel"] == "wecom");
    CHECK(by_channel["rows"][2]["touches"] == 0);
    CHECK(by_channel["rows"][2]["interactions"] == 1);
    CHECK(talking.json("digital_share", {{"account", "pbx"}})["totals"]["interactions"] == 2);
    const auto divided = talking.json("digital_share", {{"group_by", "purpose"}});
    CHECK(divided["totals"]["touches"] == 5);
    CHECK(divided["totals"]["interactions"].is_null());
    CHECK(talking.json("digital_share", {{"unit", "hq/east"}})["totals"]["interactions"].is_null());
    CHECK(talking.json("digital_share", {}, Visibility{.addresses = false, .content = false, .units = {"hq/east"}})["totals"]["interactions"].is_null());
}
