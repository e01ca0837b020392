#include <cmath>

#include "gateway/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/random_log.hpp"
#include "tests/unit/gateway/projection/reports.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Parameters;
using touchgate::test::Reports;
using touchgate::test::Scene;

namespace {

using Credit = std::map<std::string, std::pair<double, double>>;  // conversions and value by group

Credit credit(Reports& reports, Parameters parameters, const std::string& group = "channel") {
    parameters.emplace_back("group_by", group);
    Credit made;
    const auto report = reports.json("attribution", parameters);
    for (const auto& row : report["rows"])
        made[row[group].is_null() ? "" : row[group].get<std::string>()] = {row["conversions"].get<double>(), row["value"].get<double>()};
    return made;
}

// sms, wecom and sms again, a week apart, and 100.01 an hour after the last.
void three_touches_and_an_order(Scene& scene) {
    const auto contact = scene.contact();
    for (const auto profile : {Scene::sms, Scene::wecom, Scene::care_sms}) {
        scene.delivered(contact, profile);
        scene.now += 7 * one_day;
    }
    scene.now -= 7 * one_day - std::chrono::hours{1};
    scene.convert(contact, "order", 10'001);
}

}  // namespace

TEST_CASE("attribution report: each model shares a known path as it is defined") {
    Reports reports;
    three_touches_and_an_order(reports.scene);
    const auto third = Approx(1.0 / 3);
    SECTION("last is the default") {
        CHECK(credit(reports, {}) == Credit{{"sms", {1, 100.01}}});
        CHECK(credit(reports, {{"model", "last"}}, "account") == Credit{{"sms-backup", {1, 100.01}}});
    }
    SECTION("first") { CHECK(credit(reports, {{"model", "first"}}, "account") == Credit{{"sms-main", {1, 100.01}}}); }
    SECTION("linear: 10001 cents are 3334, 3334 and 3333") {
        const auto made = credit(reports, {{"model", "linear"}}, "account");
        CHECK(made.at("sms-main").first == third);
        CHECK(made.at("sms-main").second == 33.34);
        CHECK(made.at("wecom-main").second == 33.34);
        CHECK(made.at("sms-backup").second == 33.33);
    }
    SECTION("position") {
        const auto made = credit(reports, {{"model", "position"}}, "account");
        CHECK(made.at("sms-main").first == Approx(0.4));
        CHECK(made.at("wecom-main").first == Approx(0.2));
        CHECK(made.at("sms-backup").first == Approx(0.4));
    }
    SECTION("time decay by the half-life asked for") {
        const auto week = credit(reports, {{"model", "time_decay"}}, "account");
        CHECK(week.at("sms-main").first == Approx(1.0 / 7));
        CHECK(week.at("wecom-main").first == Approx(2.0 / 7));
        CHECK(week.at("sms-backup").first == Approx(4.0 / 7));
        const auto fortnight = credit(reports, {{"model", "time_decay"}, {"half_life", "P14D"}}, "account");
        CHECK(fortnight.at("sms-backup").first / fortnight.at("sms-main").first == Approx(2));
    }
    SECTION("the window bounds what takes part") {
        CHECK(credit(reports, {{"model", "linear"}, {"window", "P10D"}}, "account").size() == 2);
        CHECK(credit(reports, {{"model", "first"}, {"window", "P10D"}}, "account") == Credit{{"wecom-main", {1, 100.01}}});
        const auto none = reports.json("attribution", {{"window", "PT30M"}});
        CHECK(none["rows"].empty());
        CHECK(none["totals"]["unattributed"]["conversions"] == 1);
        CHECK(none["totals"]["unattributed"]["value"] == 100.01);
    }
    SECTION("groups that the contact or the touch tells") {
        CHECK(credit(reports, {{"model", "linear"}}, "agent") == Credit{{"agent-7", {1, 100.01}}});
        CHECK(credit(reports, {{"model", "position"}}, "campaign").at("double11").first == Approx(0.6));
        CHECK(credit(reports, {{"model", "position"}}, "template").at("").first == Approx(0.4));
    }
}

TEST_CASE("attribution report: only touches that were accepted before the conversion take credit") {
    Reports reports;
    auto& scene = reports.scene;
    const auto contact = scene.contact();
    scene.create(contact, {Scene::sms}, TouchState::blocked, 0);
    scene.create(contact, {Scene::sms}, TouchState::deferred, 2);
    scene.create_for(contact, "holdout");
    const auto failed = scene.create(contact);
    scene.permit(failed, contact);
    scene.accept(failed, contact);
    scene.receipt(failed, contact, channel::ReceiptStatus::failed, "UNDELIV");
    const auto unknown = scene.create(contact);
    scene.permit(unknown, contact);
    scene.write(TouchUnknown{.touch = unknown, .attempt = 1, .code = "timeout", .detail = {}}, contact);
    scene.now += Duration{1000};
    const auto at = scene.now;
    scene.convert(contact, "order", 500);
    scene.delivered(contact, Scene::wecom);  // at the very instant: not before it
    CHECK(at == scene.now);
    const auto before = reports.json("attribution");
    CHECK(before["rows"].empty());
    CHECK(before["totals"]["unattributed"]["conversions"] == 1);

    scene.now += Duration{1000};
    const auto accepted = scene.create(contact, {Scene::plain_sms});
    scene.permit(accepted, contact);
    scene.accept(accepted, contact);
    scene.now += Duration{1000};
    scene.convert(contact, "order", 700);
    scene.convert(scene.contact(), "order", 900);  // somebody else
    CHECK(credit(reports, {}, "account") == Credit{{"sms-main", {1, 7}}});
    const auto totals = reports.json("attribution")["totals"];
    CHECK(totals["conversions"] == 3);
    CHECK(totals["value"] == 21);
    CHECK(totals["unattributed"]["value"] == 14);
}

TEST_CASE("attribution report: a fallback's credit goes to the channel that arrived") {
    Reports reports;
    auto& scene = reports.scene;
    const auto contact = scene.contact();
    const auto touch = scene.create(contact, {Scene::wecom, Scene::sms});
    scene.permit(touch, contact);
    scene.accept(touch, contact);
    scene.write(TouchAttemptEnded{.touch = touch, .attempt = 1, .outcome = channel::OutcomeKind::accepted, .code = {}, .detail = {}, .slot = SlotChange::reserve, .next = 1, .retry_at = 0}, contact);
    scene.permit(touch, contact, 2, 1);
    scene.accept(touch, contact, 2);
    scene.receipt(touch, contact, channel::ReceiptStatus::delivered, "DELIVRD", 2);
    scene.now += Duration{1};
    scene.convert(contact, "order", 100);
    CHECK(credit(reports, {}) == Credit{{"sms", {1, 1}}});
}

TEST_CASE("attribution report: rows and the unattributed add up to the totals, in every model and grouping") {
    const auto seed = GENERATE(3, 4);
    Reports reports;
    auto& scene = reports.scene;
    const auto start = scene.now;
    test::write_random_touches(scene, static_cast<std::uint64_t>(seed), 500);
    const auto end = scene.now;
    Random random{static_cast<std::uint64_t>(seed)};
    std::int64_t cents = 0;
    for (int i = 0; i < 400; ++i) {
        const auto value = static_cast<std::int64_t>(random.below(100'000)) - 5'000;
        scene.now = start + Duration{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>((end - start).count())))};
        scene.convert(ContactIndex{static_cast<std::uint32_t>(1 + random.below(60))}, i % 3 == 0 ? "visit" : "order", i % 3 == 0 ? 0 : value);
        cents += i % 3 == 0 ? 0 : value;
    }
    const auto model = GENERATE(as<std::string>{}, "last", "first", "linear", "time_decay", "position");
    const auto group = GENERATE(as<std::string>{}, "channel", "campaign", "account", "template", "agent", "purpose,day");
    INFO(model << " by " << group);
    const auto report = reports.report("attribution", {{"model", model}, {"group_by", group}, {"half_life", "PT1H"}});
    double conversions = 0;
    std::int64_t units = 0;
    for (const auto& row : report.rows) {
        conversions += std::get<double>(row[row.size() - 2]);
        units += std::get<Money>(row.back()).units;
    }
    const std::map<std::string, Cell> totals{report.totals.begin(), report.totals.end()};
    CHECK(conversions > 100);
    CHECK(conversions + std::get<double>(totals.at("unattributed.conversions")) == Approx(400).epsilon(1e-9));
    CHECK(std::get<double>(totals.at("conversions")) == 400);
    CHECK(units + std::get<Money>(totals.at("unattributed.value")).units == cents);
    CHECK(std::get<Money>(totals.at("value")).units == cents);
}

TEST_CASE("attribution report: kinds, spans and what a reader may see") {
    Reports reports;
    auto& scene = reports.scene;
    const auto east = scene.contact("hq/east"), west = scene.contact("hq/west");
    scene.delivered(east, Scene::sms);
    scene.delivered(west, Scene::care_sms);
    scene.now += one_day;
    const auto second_day = scene.now;
    for (const auto contact : {east, west}) {
        scene.convert(contact, "visit");
        scene.convert(contact, "order", 1'000);
    }
    scene.now += one_day;
    scene.convert(east, "order", 5'000);
    CHECK(reports.json("attribution", {{"kind", "visit"}})["totals"]["conversions"] == 2);
    CHECK(reports.json("attribution", {{"kind", "order"}})["totals"]["value"] == 70);
    CHECK(reports.json("attribution", {{"to", format_instant(second_day + Duration{1})}, {"kind", "order"}})["totals"]["value"] == 20);
    // A filter narrows the touches that may take credit, not the conversions.
    const auto main_only = reports.json("attribution", {{"account", "sms-main"}, {"kind", "order"}});
    CHECK(main_only["rows"].size() == 1);
    CHECK(main_only["totals"]["unattributed"]["value"] == 10);
    const auto of_west = reports.json("attribution", {{"kind", "order"}}, {.units = {"hq/west"}});
    CHECK(of_west["totals"]["value"] == 10);
    CHECK(of_west["totals"]["unattributed"]["value"] == 0);
    CHECK(reports.refused("attribution", {{"model", "best"}, {"window", "P0D"}, {"half_life", "soon"}}).problems.size() == 3);
    CHECK(reports.refused("funnel", {{"model", "last"}}).problems.front().pointer == "/model");
}

TEST_CASE("attribution report: amounts of several currencies stay apart, each with its own decimals") {
    Reports reports;
    auto& scene = reports.scene;
    const auto contact = scene.contact();
    scene.delivered(contact);
    scene.now += Duration{1};
    scene.convert(contact, "order", 19'950, "CNY");
    CHECK(reports.json("attribution")["rows"][0].contains("currency") == false);
    CHECK(report_json(reports.report("attribution")).find("\"value\":199.50") != std::string::npos);
    scene.convert(contact, "order", 500, "JPY");
    scene.convert(contact, "order", 12'345, "KWD");
    const auto text = report_json(reports.report("attribution"));
    CHECK(text.find("\"currency\":\"JPY\",\"conversions\":1,\"value\":500}") != std::string::npos);
    CHECK(text.find("\"currency\":\"KWD\",\"conversions\":1,\"value\":12.345}") != std::string::npos);
    const auto json = *parse_json(text);
    CHECK(json["totals"]["conversions"] == 3);
    CHECK(json["totals"]["value"].is_null());
    CHECK(json["totals"]["by_currency"]["KWD"]["value"] == 12.345);
    CHECK(json["totals"]["by_currency"]["JPY"]["unattributed"]["value"] == 0);
    CHECK(report_csv(reports.report("attribution"), "en", false).find("channel,currency,conversions,value\r\nsms,CNY,1,199.50\r\n") == 0);
}
