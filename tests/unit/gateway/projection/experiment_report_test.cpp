#include "gateway/measure/comparison.hpp"
#include "gateway/projection/sqlite.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/reports.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Reports;
using touchgate::test::Scene;

namespace {

constexpr const char* two_arms = R"({"arms": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]})";

// 40 contacts of arm a, 40 of arm b, 20 held out; started, all released.
struct Experiment {
    Reports reports;
    std::vector<ContactIndex> a, b, held;
    Instant started{};

    explicit Experiment(bool given = false) {
        auto& scene = reports.scene;
        scene.campaign("double11", 0.2, two_arms);
        scene.now += one_day;
        started = scene.now;
        scene.write(CampaignStarted{.id = "double11", .size = 0, .sha256 = {}, .templates = {}});
        for (int i = 0; i < 100; ++i) {
            const auto contact = scene.contact();
            auto& group = i % 5 == 4 ? held : i % 2 == 0 ? a : b;
            group.push_back(contact);
            const auto touch = scene.create_for(contact, &group == &held ? "holdout" : &group == &a ? "a" : "b", given);
            if (&group != &held && i % 10 != 0) scene.deliver(touch, contact);  // some are never sent: they count all the same
        }
        scene.now += one_day;
    }
    Json row(const Json& report, const std::string& arm, const std::string& outcome) {
        for (const auto& each : report["rows"])
            if (each["arm"] == arm && each["outcome"] == outcome) return each;
        FAIL("no row of " << arm << " and " << outcome);
        return {};
    }
    Json uplift(test::Parameters parameters = {}) {
        parameters.emplace_back("campaign", "double11");
        return reports.json("uplift", parameters);
    }
};

measure::Moments of(std::vector<double> values, std::int64_t members) {
    measure::Moments moments;
    for (const auto value : values) moments.add(value);
    moments.add(0, members - moments.count());
    return moments;
}

}  // namespace

TEST_CASE("uplift: everyone who was assigned counts, with the conversions of the window") {
    Experiment experiment;
    auto& scene = experiment.reports.scene;
    for (int i = 0; i < 12; ++i) scene.convert(experiment.a[static_cast<std::size_t>(i)], "order", 1'000 * (i + 1));
    scene.convert(experiment.a[0], "order", 500);  // the same contact again: still one, but the values add up
    for (int i = 0; i < 3; ++i) scene.convert(experiment.b[static_cast<std::size_t>(i)], "visit");
    for (int i = 0; i < 2; ++i) scene.convert(experiment.held[static_cast<std::size_t>(i)], "order", 2'000);
    scene.convert(scene.contact(), "order", 99'999);  // in no experiment
    const auto within = scene.now;
    scene.now = experiment.started - Duration{1};
    scene.convert(experiment.b[5], "order", 100);  // before the start
    scene.now = experiment.started + 14 * one_day;
    scene.convert(experiment.b[6], "order", 100);  // the window is over
    scene.now = within;

    const auto report = experiment.uplift();
    CHECK(report["rows"].size() == 6);
    CHECK(report["totals"]["assigned"] == 100);
    CHECK(report["totals"]["assigned_by"] == "hash");
    CHECK(report["totals"]["started_at"] == format_instant(experiment.started));
    CHECK(report["totals"]["srm_p_value"].get<double>() == Approx(1));
    const auto rate = experiment.row(report, "a", "order.rate");
    const auto expected = measure::compare(of(std::vector<double>(12, 1), 40), of({1, 1}, 20));
    CHECK(rate["control"] == "holdout");
    CHECK(rate["n"] == 40);
    CHECK(rate["n_control"] == 20);
    CHECK(rate["mean"] == 0.3);
    CHECK(rate["mean_control"] == 0.1);
    CHECK(rate["difference"]["value"].get<double>() == Approx(*expected.difference.value));
    CHECK(rate["difference"]["low"].get<double>() == Approx(*expected.difference.low));
    CHECK(rate["ratio"]["high"].get<double>() == Approx(*expected.ratio.high));
    CHECK(rate["p_value"].get<double>() == Approx(*expected.p_value));
    CHECK(rate["method"] == "welch_t");
    const auto value = experiment.row(report, "a", "order.value");
    std::vector<double> amounts;
    for (int i = 0; i < 12; ++i) amounts.push_back(10.0 * (i + 1) + (i == 0 ? 5 : 0));
    const auto expected_value = measure::compare(of(amounts, 40), of({20, 20}, 20));
    CHECK(value["mean"].get<double>() == Approx(*expected_value.mean));
    CHECK(value["difference"]["high"].get<double>() == Approx(*expected_value.difference.high));
    CHECK(experiment.row(report, "b", "order.rate")["mean"] == 0);
    CHECK(experiment.row(report, "b", "visit.rate")["mean"].get<double>() == Approx(3.0 / 40));
    CHECK(experiment.row(report, "b", "visit.rate")["ratio"]["value"].is_null());

    CHECK(experiment.uplift({{"window", "P15D"}})["rows"].size() == 6);
    CHECK(experiment.row(experiment.uplift({{"window", "P15D"}}), "b", "order.rate")["mean"].get<double>() == Approx(1.0 / 40));
    CHECK(experiment.uplift({{"kind", "visit"}})["rows"].size() == 2);
    CHECK(experiment.uplift({{"to", format_instant(experiment.started)}})["rows"][0]["outcome"] == "conversion.rate");
}

TEST_CASE("uplift: sizes that the shares did not promise are told, unless the arms were given") {
    SECTION("by hash") {
        Experiment experiment;
        auto& scene = experiment.reports.scene;
        for (int i = 0; i < 60; ++i) scene.create_for(scene.contact(), "a");
        const auto totals = experiment.uplift()["totals"];
        CHECK(totals["assigned"] == 160);
        CHECK(totals["srm_p_value"].get<double>() < 0.001);
    }
    SECTION("given") {
        Experiment experiment{true};
        const auto totals = experiment.uplift()["totals"];
        CHECK(totals["srm_p_value"].is_null());
        CHECK(totals["assigned_by"] == "given");
    }
}

TEST_CASE("uplift: a control group that the campaign's name reached nevertheless is told") {
    Experiment experiment;
    auto& scene = experiment.reports.scene;
    CHECK(experiment.uplift()["totals"]["contamination"]["touched"] == 0);
    scene.delivered(experiment.held[0]);
    scene.delivered(experiment.held[0]);
    scene.delivered(experiment.held[1], Scene::care_sms);  // of no campaign
    const auto totals = experiment.uplift()["totals"];
    CHECK(totals["contamination"]["touched"] == 1);
    CHECK(totals["contamination"]["share"] == 0.05);
}

TEST_CASE("uplift: a campaign without arms has one, and amounts of several currencies stay apart") {
    Reports reports;
    auto& scene = reports.scene;
    scene.campaign("double11", 0.5);
    scene.write(CampaignStarted{.id = "double11", .size = 0, .sha256 = {}, .templates = {}});
    for (int i = 0; i < 10; ++i) {
        const auto contact = scene.contact();
        scene.create_for(contact, i % 2 == 0 ? "" : "holdout");
        if (i < 4) scene.convert(contact, "order", 100, i % 4 < 2 ? "CNY" : "USD");
    }
    const auto report = reports.json("uplift", {{"campaign", "double11"}});
    REQUIRE(report["rows"].size() == 3);
    CHECK(report["rows"][0]["arm"] == "treatment");
    CHECK(report["rows"][0]["outcome"] == "order.rate");
    CHECK(report["rows"][0]["currency"].is_null());
    CHECK(report["rows"][1]["currency"] == "CNY");
    CHECK(report["rows"][2]["currency"] == "USD");
    CHECK(report["rows"][2]["mean"] == 0.2);
    CHECK(report["totals"]["srm_p_value"].get<double>() == Approx(1));
}

TEST_CASE("uplift: the whole audience is in the experiment from the start, touched or not, as an analyst computes it") {
    Reports reports;
    auto& scene = reports.scene;
    scene.campaign("double11", 0.1, R"({"id": "double11", "arms": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.3}, {"name": "c", "share": 0.2}]})");
    CampaignAudienceAdded batch{.id = "double11", .first = 1, .sha256 = {}, .lines = {}};
    for (int i = 0; i < 42; ++i)
        batch.lines.push_back({.contact = scene.contact(), .address = 0, .item = 0, .arm = campaign::unassigned, .sealed = {}});
    scene.write(batch);
    scene.write(CampaignAudienceRemoved{.id = "double11", .recipients = {41, 42}});
    CHECK(reports.json("uplift", {{"campaign", "double11"}})["totals"]["assigned"] == 0);
    scene.write(CampaignStarted{.id = "double11", .size = 40, .sha256 = {}, .templates = {}});
    scene.write(CampaignAudienceRemoved{.id = "double11", .recipients = {1, 2}});  // too late to leave the experiment
    scene.convert(ContactIndex{40}, "order", 100);                                // held out
    const auto sizes = [&] {
        std::map<std::string, int> made;
        const auto report = reports.json("uplift", {{"campaign", "double11"}});
        for (const auto& row : report["rows"]) {
            made[row["arm"].get<std::string>()] = row["n"].get<int>();
            made["holdout"] = row["n_control"].get<int>();
        }
        return made;
    };
    // Counted with the Python program in docs/measuring.md.
    CHECK(sizes() == std::map<std::string, int>{{"a", 15}, {"b", 14}, {"c", 8}, {"holdout", 3}});
    const auto report = reports.json("uplift", {{"campaign", "double11"}, {"kind", "order"}});
    CHECK(report["rows"][0]["mean_control"].get<double>() == Approx(1.0 / 3));
    CHECK(report["totals"]["srm_p_value"].get<double>() > 0.01);
    // Who joins a running campaign is assigned at once.
    CampaignAudienceAdded later{.id = "double11", .first = 43, .sha256 = {}, .lines = {}};
    later.lines.push_back({.contact = scene.contact(), .address = 0, .item = 0, .arm = static_cast<campaign::Assignment>(campaign::held_out | campaign::given), .sealed = {}});
    later.lines.push_back({.contact = scene.contact(), .address = 0, .item = 0, .arm = static_cast<campaign::Assignment>(1 | campaign::given), .sealed = {}});
    scene.write(later);
    const auto totals = reports.json("uplift", {{"campaign", "double11"}})["totals"];
    CHECK(totals["assigned"] == 42);
    CHECK(totals["assigned_by"] == "hash and given");
    CHECK(totals["srm_p_value"].is_null());
    CHECK(sizes()["holdout"] == 4);
    // The campaign report tells of those who still wait.
    CHECK(reports.json("campaign")["totals"]["assigned"] == 42);
}

TEST_CASE("uplift: what cannot be asked is refused") {
    Experiment experiment;
    auto& reports = experiment.reports;
    CHECK(reports.refused("uplift", {}).problems.front().pointer == "/campaign");
    CHECK(reports.refused("uplift", {{"campaign", "none"}}).kind == ErrorKind::not_found);
    CHECK(reports.refused("uplift", {{"campaign", "double11"}, {"channel", "sms"}, {"group_by", "day"}, {"window", "x"}}).problems.size() == 3);
    const auto foreign = make_report(*reports.projection, {.name = "uplift", .parameters = {{"campaign", "double11"}}, .visibility = {.units = {"hq/west"}}});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().kind == ErrorKind::not_found);
    reports.scene.campaign("draft", 0.1);
    const auto empty = reports.json("uplift", {{"campaign", "draft"}});
    CHECK(empty["rows"].empty());
    CHECK(empty["totals"]["assigned"] == 0);
}

TEST_CASE("campaign report: the funnel of each arm, what its people did, and the difference to the control group") {
    Experiment experiment;
    auto& scene = experiment.reports.scene;
    for (int i = 0; i < 10; ++i) scene.convert(experiment.a[static_cast<std::size_t>(i)], i < 5 ? "visit" : "order", i < 5 ? 0 : 100);
    scene.convert(experiment.held[0], "order", 100);
    ConsentWithdrawn withdrawn;
    withdrawn.channel = "sms";
    withdrawn.purpose = "marketing";
    withdrawn.source = "reply";
    withdrawn.at = scene.now;
    for (int i = 0; i < 2; ++i) scene.write(withdrawn, experiment.b[0]);
    scene.write(withdrawn, experiment.b[1]);
    EventReceived complaint;
    complaint.kind = "complaint";
    complaint.provider_time = scene.now;
    scene.write(complaint, experiment.b[2]);
    const auto direct = scene.contact();
    scene.delivered(direct);  // names the campaign, belongs to no audience
    scene.now += Duration{1};
    scene.convert(direct, "order", 300);

    const auto report = experiment.reports.json("campaign", {{"campaign", "double11"}});
    std::map<std::string, Json> rows;
    for (const auto& row : report["rows"]) rows[row["arm"].is_null() ? "" : row["arm"].get<std::string>()] = row;
    REQUIRE(rows.size() == 4);
    const auto& a = rows["a"];
    CHECK(a["targeted"] == 40);
    CHECK(a["allowed"] == 40);
    CHECK(a["sent"] == 30);
    CHECK(a["delivered"] == 30);
    CHECK(a["states"]["queued"] == 10);
    CHECK(a["assigned"] == 40);
    CHECK(a["converted"] == 10);
    CHECK(a["conversion_rate"] == 0.25);
    CHECK(a["value"] == 5);
    CHECK(a["cost"].get<double>() == Approx(30 * 0.045));
    const auto expected = measure::compare(of(std::vector<double>(10, 1), 40), of({1}, 20));
    CHECK(a["difference"]["value"].get<double>() == Approx(0.2));
    CHECK(a["difference"]["low"].get<double>() == Approx(*expected.difference.low));
    CHECK(a["p_value"].get<double>() == Approx(*expected.p_value));
    CHECK(rows["b"]["opt_outs"] == 2);
    CHECK(rows["b"]["complaints"] == 1);
    CHECK(rows["b"]["sent"] == 40);
    CHECK(rows["holdout"]["held_out"] == 20);
    CHECK(rows["holdout"]["sent"] == 0);
    CHECK(rows["holdout"]["converted"] == 1);
    CHECK(rows["holdout"]["difference"]["value"].is_null());
    CHECK(rows[""]["targeted"] == 1);
    CHECK(rows[""]["assigned"].is_null());
    CHECK(rows[""]["converted"] == 1);
    CHECK(report["totals"]["targeted"] == 101);
    CHECK(report["totals"]["assigned"] == 100);
    CHECK(report["totals"]["converted"] == 12);
    CHECK(experiment.reports.json("campaign", {{"kind", "visit"}})["totals"]["converted"] == 5);
    CHECK(experiment.reports.json("campaign", {{"window", "PT1H"}})["totals"]["converted"] == 1);
    // Other groups tell touches only, and the arm is one of them.
    const auto by_channel = experiment.reports.json("campaign", {{"group_by", "channel,arm"}});
    CHECK(by_channel["rows"].size() == 4);
    CHECK_FALSE(by_channel["rows"][0].contains("converted"));
    CHECK(experiment.reports.json("cost", {{"group_by", "arm"}})["rows"].size() == 3);
    CHECK(experiment.reports.json("funnel", {{"group_by", "arm"}})["rows"].size() == 4);
    CHECK(experiment.reports.refused("policy", {{"group_by", "arm"}}).problems.size() == 1);
}

TEST_CASE("rfm report: customers scored by fifths, the best first") {
    Reports reports;
    auto& scene = reports.scene;
    const auto start = scene.now;
    for (int i = 1; i <= 5; ++i) {
        const auto contact = scene.contact();
        for (int order = 0; order < i; ++order) {
            scene.now = start + i * one_day;
            scene.convert(contact, "order", 1'000 * i);
        }
    }
    scene.convert(scene.contact(), "visit");  // bought nothing
    const auto report = reports.json("rfm", {{"to", format_instant(start + 10 * one_day)}});
    REQUIRE(report["rows"].size() == 5);
    const auto& best = report["rows"][0];
    CHECK(best["recency"] == 5);
    CHECK(best["frequency"] == 5);
    CHECK(best["monetary"] == 5);
    CHECK(best["customers"] == 1);
    CHECK(best["orders"] == 5);
    CHECK(best["value"] == 250);
    CHECK(best["days_since_last"].get<double>() == Approx(5));
    CHECK(report["rows"][4]["recency"] == 1);
    CHECK(report["totals"]["customers"] == 5);
    CHECK(report["totals"]["orders"] == 15);
    CHECK(report["totals"]["value"] == 550);
    CHECK(reports.json("rfm", {{"kind", "visit"}})["totals"]["customers"] == 1);
    CHECK(reports.json("rfm", {{"unit", "hq/west"}})["totals"]["customers"] == 0);
    CHECK(reports.refused("rfm", {{"campaign", "double11"}}).problems.size() == 1);
}

TEST_CASE("projection: an older projection is read anew by the newer tables") {
    Scene scene;
    scene.delivered(scene.contact());
    scene.convert(scene.contact(), "order", 100);
    test::TemporaryFolder folder;
    LogNames names{{}, false};
    const auto path = folder.file("p.sqlite");
    std::string fresh;
    {
        auto projection = Projection::open(folder.file("fresh.sqlite"), scene, names);
        REQUIRE(projection);
        REQUIRE((*projection)->step());
        fresh = *(*projection)->dump();
    }
    {
        // As version 1 left it: without the newer tables, and with a cursor at the end.
        LogNames old_names{{}, false};
        auto projection = Projection::open(path, scene, old_names);
        REQUIRE(projection);
        REQUIRE((*projection)->step());
    }
    {
        auto database = Database::open(path, Database::Mode::write);
        REQUIRE(database);
        (*database)->execute("DROP TABLE campaign_arms; DROP TABLE recipients; DROP TABLE assignments; DROP TABLE complaints; ALTER TABLE campaigns DROP COLUMN started_at; PRAGMA user_version = 1;");
        REQUIRE_FALSE((*database)->failure());
    }
    LogNames new_names{{}, false};
    auto projection = Projection::open(path, scene, new_names);
    REQUIRE(projection);
    REQUIRE((*projection)->step());
    CHECK(*(*projection)->dump() == fresh);
}
