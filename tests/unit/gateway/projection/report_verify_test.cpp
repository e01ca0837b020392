#include "gateway/projection/report_verify.hpp"

#include "gateway/projection/sqlite.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/random_log.hpp"
#include "tests/unit/gateway/projection/reports.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Parameters;
using touchgate::test::Reports;

namespace {

struct Verified {
    Reports reports;
    int made = 0;
    Verified() {
        test::write_random_touches(reports.scene, 9, 300);
        for (std::uint32_t contact = 1; contact < 20; ++contact) reports.scene.convert(ContactIndex{contact}, "order", 1'000 + contact);
    }
    std::vector<CellDifference> verify(const std::string& name, const Parameters& parameters = {}) {
        const auto shown = reports.report(name, parameters);
        reports.scene.delivered(reports.scene.contact());  // what comes later is not looked at
        const auto found = verify_report(shown, {.name = name, .parameters = parameters}, {}, reports.scene, reports.folder.file("again" + std::to_string(++made) + ".sqlite"));
        REQUIRE(found);
        return *found;
    }
    void tamper(const std::string& sql) {
        reports.report("funnel");
        auto database = Database::open(reports.folder.file("p.sqlite"), Database::Mode::write);
        REQUIRE(database);
        (*database)->execute(sql);
        REQUIRE_FALSE((*database)->failure());
    }
};

}  // namespace

TEST_CASE("verify: every report follows from the log") {
    Verified verified;
    for (const auto* name : {"funnel", "channels", "policy", "campaign", "cost", "rfm", "digital_share"}) {
        INFO(name);
        CHECK(verified.verify(name).empty());
    }
    CHECK(verified.verify("attribution", {{"model", "time_decay"}, {"group_by", "day,account"}}).empty());
}

TEST_CASE("verify: a figure that was changed in the projection is found and named") {
    Verified verified;
    SECTION("a count") {
        verified.tamper("UPDATE touch_counts SET count = count + 1 WHERE (bucket, profile, class) = (SELECT bucket, profile, class FROM touch_counts LIMIT 1)");
        const auto found = verified.verify("funnel");
        REQUIRE(found.size() >= 2);
        CHECK(found.front().row == "all");
        CHECK(found.front().column == "targeted");
        CHECK(std::stoi(found.front().shown) == std::stoi(found.front().recomputed) + 1);
        CHECK(found.back().row == "totals");
    }
    SECTION("an amount") {
        verified.tamper("UPDATE conversions SET value_cents = value_cents + 1 WHERE contact = 1");
        const auto found = verified.verify("attribution");
        REQUIRE_FALSE(found.empty());
        CHECK(found.back().row == "totals");
        CHECK(found.back().column == "value");
    }
    SECTION("a row that is gone") {
        verified.tamper("DELETE FROM touch_counts WHERE profile = 2");
        const auto found = verified.verify("campaign", {{"group_by", "channel"}});
        const auto row = std::find_if(found.begin(), found.end(), [](const auto& cell) { return cell.row == "wecom"; });
        REQUIRE(row != found.end());
    }
}

TEST_CASE("verify: a projection that is ahead of the log is an error") {
    Verified verified;
    const auto shown = verified.reports.report("funnel");
    verified.reports.scene.cut_to(100);
    const auto found = verify_report(shown, {.name = "funnel"}, {}, verified.reports.scene, verified.reports.folder.file("again.sqlite"));
    REQUIRE_FALSE(found);
    CHECK(found.error().kind == ErrorKind::corrupt);
}

TEST_CASE("verify: differences are told cell by cell, also where rows have no name") {
    Report shown, again;
    shown.columns = again.columns = {{"recency", ""}, {"customers", ""}};
    shown.rows = {{std::int64_t{5}, std::int64_t{7}}, {std::int64_t{4}, std::int64_t{1}}};
    again.rows = {{std::int64_t{5}, std::int64_t{8}}};
    shown.totals = {{"customers", std::int64_t{8}}, {"value", Money{100, 2}}};
    again.totals = {{"customers", std::int64_t{8}}, {"value", Money{101, 2}}};
    const auto found = differences(shown, again);
    REQUIRE(found.size() == 3);
    CHECK(found[0].row == "row 1");
    CHECK(found[0].column == "customers");
    CHECK(found[0].shown == "7");
    CHECK(found[0].recomputed == "8");
    CHECK(found[1].row == "row 2");
    CHECK(found[1].column.empty());
    CHECK(found[2].column == "value");
    CHECK(found[2].shown == "1.00");
    CHECK(differences(shown, shown).empty());
}
