#include "gateway/projection/report.hpp"

#include "gateway/projection/report_period.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"
#include "tests/unit/gateway/projection/random_log.hpp"
#include "tests/unit/gateway/projection/reports.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Parameters;
using touchgate::test::Reports;
using touchgate::test::Scene;

namespace {

// A member by its path, "states.queued".
std::int64_t value_at(const Json& row, const std::string& path) {
    const auto dot = path.find('.');
    return dot == std::string::npos ? row[path].get<std::int64_t>() : value_at(row[path.substr(0, dot)], path.substr(dot + 1));
}

std::int64_t sum(const Json& rows, const std::string& column) {
    std::int64_t total = 0;
    for (const auto& row : rows) total += value_at(row, column);
    return total;
}

const std::vector<std::string> state_columns = {"held_out", "states.queued", "states.deferred", "states.blocked", "states.dispatching", "states.accepted", "states.delivered",
                                                "states.read", "states.replied", "states.completed", "states.failed", "states.unknown", "states.cancelled", "states.expired"};
const std::vector<std::string> outcome_columns = {"open", "accepted", "delivered", "read", "failed", "unknown", "not_sent", "refused", "lapsed"};

}  // namespace

TEST_CASE("report: every touch is in one state, every attempt in one outcome, and the rows add up to the totals") {
    const auto seed = GENERATE(1, 2);
    INFO("seed " << seed);
    Reports reports;
    test::write_random_touches(reports.scene, static_cast<std::uint64_t>(seed), 600);
    const auto group_by = GENERATE(as<std::string>{}, "campaign", "channel", "day", "hour,account", "month,purpose,unit");
    INFO(group_by);
    const auto campaign = reports.json("campaign", {{"group_by", group_by}});
    CHECK(campaign["totals"]["targeted"] == 600);
    CHECK(campaign["seq"] == reports.scene.durable_head().sequence);
    std::int64_t over_states = 0;
    for (const auto& state : state_columns) {
        CHECK(sum(campaign["rows"], state) == value_at(campaign["totals"], state));
        over_states += value_at(campaign["totals"], state);
    }
    CHECK(over_states == 600);
    for (const auto& row : campaign["rows"]) {
        std::int64_t in_row = 0;
        for (const auto& state : state_columns) in_row += value_at(row, state);
        CHECK(in_row == row["targeted"]);
    }
    const auto channels = reports.json("channels", {{"group_by", group_by}});
    for (const auto& row : channels["rows"]) {
        std::int64_t in_row = 0;
        for (const auto& outcome : outcome_columns) in_row += row[outcome].get<std::int64_t>();
        CHECK(in_row == row["attempts"]);
    }
    CHECK(sum(channels["rows"], "attempts") == channels["totals"]["attempts"].get<std::int64_t>());
    // The same touches through other reports.
    const auto policy = reports.json("policy", {{"group_by", group_by}});
    CHECK(policy["totals"]["touches"] == 600);
    CHECK(policy["totals"]["blocked"] == value_at(campaign["totals"], "states.blocked") + value_at(campaign["totals"], "held_out"));
    const auto funnel = reports.json("funnel", {{"group_by", group_by}});
    CHECK(funnel["totals"]["targeted"] == 600);
    const std::vector<std::string> steps = {"targeted", "allowed", "sent", "delivered", "read", "engaged", "replied"};
    for (const auto& row : funnel["rows"])
        for (std::size_t i = 1; i < steps.size(); ++i) CHECK(row[steps[i]].get<std::int64_t>() <= row[steps[i - 1]].get<std::int64_t>());
    for (const auto* step : {"targeted", "allowed", "sent", "delivered", "read", "replied"}) CHECK(funnel["totals"][step] == campaign["totals"][step]);
    CHECK(value_at(campaign["totals"], "delivered") == value_at(campaign["totals"], "states.delivered") + value_at(campaign["totals"], "states.read") +
                                                     value_at(campaign["totals"], "states.replied") + value_at(campaign["totals"], "states.completed"));
}

TEST_CASE("report: a span cut anywhere splits the numbers exactly") {
    Reports reports;
    const auto start = reports.scene.now;
    test::write_random_touches(reports.scene, 5, 400);
    const auto whole = reports.json("campaign");
    const auto attempts = reports.json("channels");
    const auto rules = reports.json("policy");
    const auto length = (reports.scene.now - start).count();
    for (const auto part : {std::int64_t{0}, length / 7, length / 2 + 12'345, length}) {
        const auto cut = format_instant(start + Duration{part});
        INFO(cut);
        for (const auto* name : {"campaign", "channels", "policy", "cost", "funnel"}) {
            const auto before = reports.json(name, {{"to", cut}});
            const auto after = reports.json(name, {{"from", cut}});
            const auto all = reports.json(name);
            for (const auto& [column, value] : all["totals"].items()) {
                if (column == "delivery_rate" || value.is_null() || value.is_string()) continue;
                if (value.is_object()) {
                    for (const auto& [state, count] : value.items()) CHECK(value_at(before["totals"][column], state) + value_at(after["totals"][column], state) == count.get<std::int64_t>());
                    continue;
                }
                INFO(name << " " << column);
                if (value.is_number_integer()) CHECK(before["totals"][column].get<std::int64_t>() + after["totals"][column].get<std::int64_t>() == value.get<std::int64_t>());
                else CHECK(before["totals"][column].get<double>() + after["totals"][column].get<double>() == Approx(value.get<double>()));
            }
        }
    }
    // A span inside one quarter of an hour.
    std::int64_t in_pieces = 0;
    for (auto at = start; at <= reports.scene.now; at += Duration{3'600'000 * 2})
        in_pieces += reports.json("campaign", {{"from", format_instant(at)}, {"to", format_instant(at + Duration{3'600'000 * 2})}})["totals"]["targeted"].get<std::int64_t>();
    CHECK(in_pieces == 400);
    const auto tiny = reports.json("campaign", {{"from", format_instant(start)}, {"to", format_instant(start + Duration{1})}});
    CHECK(tiny["totals"]["targeted"].get<std::int64_t>() >= 1);
}

TEST_CASE("report: what each rule held back") {
    Reports reports;
    auto& scene = reports.scene;
    const auto contact = scene.contact();
    scene.create(contact, {Scene::sms}, TouchState::blocked, 0);
    scene.create(contact, {Scene::sms}, TouchState::blocked, 0);
    const auto waiting = scene.create(contact, {Scene::sms}, TouchState::deferred, 2);
    TouchDecided again;
    again.touch = waiting;
    again.decision = Scene::decision(policy::Verdict::defer, 2, 1);
    scene.write(again, contact);  // deferred again by the same rule: still one touch
    again.decision = Scene::decision(policy::Verdict::defer, 1, 1);
    scene.write(again, contact);
    again.decision = Scene::decision(policy::Verdict::deny, 1);
    scene.write(again, contact);
    scene.write(TouchBlocked{.touch = waiting, .reason = {}}, contact);
    auto held = scene.create(contact, {Scene::sms}, TouchState::deferred, policy::no_rule);  // waits for its own not_before
    (void)held;
    const auto json = reports.json("policy");
    std::map<std::string, std::pair<int, int>> rows;
    for (const auto& row : json["rows"]) rows[row["rule"].is_null() ? "" : row["rule"].get<std::string>()] = {row["deferred"], row["blocked"]};
    CHECK(rows == std::map<std::string, std::pair<int, int>>{{"opt-out", {0, 2}}, {"quiet-hours", {1, 0}}, {"cap-week", {1, 1}}, {"", {1, 0}}});
    CHECK(json["totals"]["blocked"] == 3);
    CHECK(json["totals"]["touches"] == 4);
}

TEST_CASE("report: filters and units choose profiles") {
    Reports reports;
    auto& scene = reports.scene;
    for (int i = 0; i < 3; ++i) scene.delivered(scene.contact(), Scene::sms);
    for (int i = 0; i < 2; ++i) scene.delivered(scene.contact(), Scene::care_sms);
    scene.delivered(scene.contact(), Scene::plain_sms);
    const auto touches = [&](const Parameters& parameters, const Visibility& visibility = {}) {
        return reports.json("campaign", parameters, visibility)["totals"]["targeted"].get<int>();
    };
    CHECK(touches({}) == 6);
    CHECK(touches({{"campaign", "double11"}}) == 3);
    CHECK(touches({{"unit", "hq"}}) == 6);
    CHECK(touches({{"unit", "hq/west"}}) == 2);
    CHECK(touches({{"unit", "hq/we"}}) == 0);
    CHECK(touches({{"channel", "wecom"}}) == 0);
    CHECK(touches({{"account", "sms-backup"}, {"channel", "sms"}}) == 2);
    CHECK(touches({}, {.units = {"hq/east"}}) == 3);
    CHECK(touches({{"unit", "hq"}}, {.units = {"hq/east", "hq/west"}}) == 5);
    const auto frame = reports.json("campaign", {{"campaign", "double11"}});
    CHECK(frame["report"] == "campaign");
    CHECK(frame["filters"]["campaign"] == "double11");
    CHECK(frame["from"].is_null());
}

TEST_CASE("report: cost by account and month, billed by submit or by delivery") {
    Reports reports;
    auto& scene = reports.scene;
    const auto contact = scene.contact();
    scene.now = *parse_instant("2026-10-31T15:59:59.999Z");  // still October in Shanghai
    scene.delivered(contact, Scene::sms);
    scene.now = *parse_instant("2026-10-31T16:00:00.000Z");
    scene.delivered(contact, Scene::sms);
    const auto lost = scene.create(contact);
    scene.permit(lost, contact);
    scene.accept(lost, contact);
    scene.receipt(lost, contact, channel::ReceiptStatus::failed, "UNDELIV");
    const auto never = scene.create(contact);
    scene.permit(never, contact);
    scene.write(TouchPermitLapsed{.touch = never, .attempt = 1}, contact);
    const auto report = [&](bool on_delivered) {
        return reports.report("cost", {}, {}, [=](const std::string&) { return AccountBilling{"CNY", on_delivered}; });
    };
    const auto submitted = *parse_json(report_json(report(false)));
    REQUIRE(submitted["rows"].size() == 2);
    CHECK(submitted["rows"][0]["account"] == "sms-main");
    CHECK(submitted["rows"][0]["month"] == "2026-10");
    CHECK(submitted["rows"][0]["cost"] == 0.045);
    CHECK(submitted["rows"][1]["month"] == "2026-11");
    CHECK(submitted["rows"][1]["attempts"] == 2);
    CHECK(submitted["rows"][1]["cost"] == 0.09);
    CHECK(submitted["rows"][1]["currency"] == "CNY");
    CHECK(submitted["totals"]["cost"] == 0.135);
    const auto delivered = *parse_json(report_json(report(true)));
    CHECK(delivered["rows"][1]["cost"] == 0.045);
}

TEST_CASE("report: periods begin with the local day of the asked time zone") {
    Reports reports;
    auto& scene = reports.scene;
    const auto contact = scene.contact();
    scene.now = *parse_instant("2026-11-22T17:30:00Z");  // Monday 01:30 in Shanghai, Sunday 23:00 in Kolkata
    scene.delivered(contact);
    const auto label = [&](const std::string& period, const std::string& tz) {
        return reports.json("campaign", {{"group_by", period}, {"tz", tz}})["rows"][0][period].get<std::string>();
    };
    CHECK(label("day", "Asia/Shanghai") == "2026-11-23");
    CHECK(label("week", "Asia/Shanghai") == "2026-11-23");
    CHECK(label("hour", "Asia/Shanghai") == "2026-11-23T01:00");
    CHECK(label("month", "Asia/Shanghai") == "2026-11");
    CHECK(label("day", "Asia/Kolkata") == "2026-11-22");
    CHECK(label("week", "Asia/Kolkata") == "2026-11-16");
    CHECK(label("hour", "Asia/Kolkata") == "2026-11-22T23:00");
    CHECK(reports.json("campaign", {{"from", "2026-11-23"}, {"to", "2026-11-24"}})["totals"]["targeted"] == 1);
    CHECK(reports.json("campaign", {{"from", "2026-11-23"}, {"tz", "UTC"}})["totals"]["targeted"] == 0);
    CHECK(reports.json("campaign", {{"from", "2026-11-23T01:30"}, {"to", "2026-11-23T01:31"}})["totals"]["targeted"] == 1);
}

TEST_CASE("report: local times without an offset") {
    CHECK(parse_report_time("2026-11-23T02:00:00Z", "Asia/Shanghai") == parse_instant("2026-11-23T02:00:00Z"));
    CHECK(parse_report_time("2026-11-23", "Asia/Shanghai") == parse_instant("2026-11-22T16:00:00Z"));
    CHECK(parse_report_time("2026-11-23 10:30", "Asia/Shanghai") == parse_instant("2026-11-23T02:30:00Z"));
    CHECK(parse_report_time("2026-03-29T02:30", "Europe/Berlin") == parse_instant("2026-03-29T01:00:00Z"));  // skipped
    CHECK(parse_report_time("2026-10-25T02:30", "Europe/Berlin") == parse_instant("2026-10-25T00:30:00Z"));  // the first of two
    for (const auto* wrong : {"", "2026", "2026-13-01", "2026-02-30", "23.11.2026", "2026-11-23T25:00", "2026-11-23T10", "2026-11-23T10:00:0", "yesterday"})
        CHECK_FALSE(parse_report_time(wrong, "Asia/Shanghai"));
}

TEST_CASE("report: wrong parameters are named, all of them") {
    Reports reports;
    const auto error = reports.refused("campaign", {{"from", "soon"}, {"tz", "Mars/Base"}, {"group_by", "colour"}, {"half_life", "P1D"}, {"window", "soon"}});
    CHECK(error.kind == ErrorKind::invalid_input);
    std::vector<std::string> pointers;
    for (const auto& problem : error.problems) pointers.push_back(problem.pointer);
    std::sort(pointers.begin(), pointers.end());
    CHECK(pointers == std::vector<std::string>{"/from", "/group_by", "/half_life", "/tz"});
    CHECK(reports.refused("campaign", {{"window", "soon"}}).problems.front().pointer == "/window");
    CHECK(reports.refused("nonsense", {}).kind == ErrorKind::not_found);
    CHECK(reports.refused("campaign", {{"from", "2026-11-24"}, {"to", "2026-11-23"}}).problems.front().pointer == "/to");
}

TEST_CASE("report: CSV for spreadsheets and for machines") {
    std::string out;
    const auto cell = [&](std::string_view text) {
        out.clear();
        append_csv_cell(out, text);
        return out;
    };
    CHECK(cell("plain") == "plain");
    CHECK(cell("a,b") == "\"a,b\"");
    CHECK(cell("say \"hi\"") == "\"say \"\"hi\"\"\"");
    CHECK(cell("=1+1") == "\"'=1+1\"");
    CHECK(cell("+86138") == "\"'+86138\"");
    CHECK(cell("-x") == "\"'-x\"");
    CHECK(cell("@cmd") == "\"'@cmd\"");
    Reports reports;
    reports.scene.delivered(reports.scene.contact());
    const auto report = reports.report("campaign");
    const auto csv = report_csv(report, "zh-CN", true);
    CHECK(csv.substr(0, 3) == "\xEF\xBB\xBF");
    CHECK(csv.find("活动,实验组,目标触达,对照组") == 3);
    CHECK(csv.find("\r\ndouble11,,1,0,") != std::string::npos);
    CHECK(csv.substr(csv.size() - 2) == "\r\n");
    const auto plain = report_csv(report, "en", false);
    CHECK(plain.substr(0, 21) == "campaign,arm,targeted");
}

TEST_CASE("report: as text for a terminal") {
    Reports reports;
    reports.scene.delivered(reports.scene.contact());
    const auto report = reports.report("channels");
    const auto english = report_text(report, "en");
    CHECK(english.find("channel  attempts") != std::string::npos);
    CHECK(english.find("sms") != std::string::npos);
    CHECK(english.find("total  attempts 1") != std::string::npos);
    const auto chinese = report_text(report, "zh-CN");
    CHECK(chinese.find("渠道") != std::string::npos);
    CHECK(chinese.find("合计  尝试次数 1") != std::string::npos);
    Reports empty;
    CHECK(report_text(empty.report("cost"), "en").find("(nothing)") != std::string::npos);
}
