#include "gateway/projection/export.hpp"

#include "gateway/json/json.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"
#include "tests/unit/gateway/projection/temporary_folder.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Scene;
using touchgate::test::TemporaryFolder;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (const auto line : split(text, '\n'))
        if (!line.empty()) lines.emplace_back(line);
    return lines;
}

}  // namespace

TEST_CASE("export: events as NDJSON, complete and filtered") {
    Scene scene;
    const auto contact = scene.contact();
    scene.delivered(contact);
    scene.now += one_day;
    scene.delivered(contact);
    std::string text;
    const ExportSink sink = [&](std::string_view piece) {
        text += piece;
        return true;
    };
    const auto run = [&](const EventExport& what) {
        text.clear();
        LogNames names{[&](ContactIndex one) { return scene.key(one); }};
        const auto written = export_events(scene, names, what, sink);
        REQUIRE(written);
        return *written;
    };
    CHECK(run({}) == scene.durable_head().sequence);
    for (const auto& line : lines_of(text)) CHECK(parse_json(line));
    CHECK(text.find("13800000001") == std::string::npos);
    CHECK(run({.types = {"touch.created"}, .from = scene.now}) == 1);
    CHECK(run({.types = {"touch.created"}, .to = scene.now}) == 1);
    CHECK(run({.types = {"touch.*"}, .csv = true}) == 8);
    CHECK(text.substr(0, 20) == "\xEF\xBB\xBFsequence,time,typ");
    CHECK(lines_of(text)[1].find("touch.created") != std::string::npos);
    CHECK(lines_of(text)[1].find("cust-1") != std::string::npos);
}

TEST_CASE("export: a sink that has enough ends it") {
    Scene scene;
    const auto contact = scene.contact();
    for (int i = 0; i < 2000; ++i) scene.delivered(contact);
    LogNames names;
    int pieces = 0;
    const auto written = export_events(scene, names, {}, [&](std::string_view) { return ++pieces < 2; });
    REQUIRE(written);
    CHECK(pieces == 2);
    CHECK(*written < scene.durable_head().sequence);
}

TEST_CASE("export: touches as NDJSON and CSV") {
    Scene scene;
    const auto contact = scene.contact();
    scene.delivered(contact);
    scene.create(contact, {Scene::sms}, TouchState::blocked, 1);
    TemporaryFolder folder;
    LogNames names{[&](ContactIndex one) { return scene.key(one); }};
    auto projection = Projection::open(folder.file("p.sqlite"), scene, names);
    REQUIRE(projection);
    REQUIRE((*projection)->step());
    Queries queries{**projection, scene, names};
    std::string text;
    const ExportSink sink = [&](std::string_view piece) {
        text += piece;
        return true;
    };
    REQUIRE(export_touches(queries, {}, sink));
    CHECK(lines_of(text).size() == 2);
    text.clear();
    REQUIRE(export_touches(queries, {.query = {}, .csv = true, .bom = false}, sink));
    const auto lines = lines_of(text);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].substr(0, 14) == "id,key,contact");
    CHECK(lines[1].find(",key-1,cust-1,marketing,double11,delivered,sms,sms-main,,,") != std::string::npos);
    CHECK(lines[2].find(",blocked,sms,sms-main,cap-week,,") != std::string::npos);
}

TEST_CASE("log cat: every record with its place") {
    Scene scene;
    scene.delivered(scene.contact());
    LogNames names;
    std::string text;
    const auto written = cat_log(scene, names, true, [&](std::string_view piece) {
        text += piece;
        return true;
    });
    REQUIRE(written);
    const auto lines = lines_of(text);
    REQUIRE(lines.size() == scene.durable_head().sequence);
    const auto json = parse_json(lines[0]);
    REQUIRE(json);
    CHECK((*json)["sequence"] == 1);
    CHECK((*json)["offset"] == 100);
    CHECK((*json)["file"].get<std::string>().substr(0, 4) == "log/");
    CHECK((*json)["type"] == "policy.activated");
    CHECK((*json)["length"].get<int>() > 0);
    CHECK((*json)["time"] == format_instant(scene.now));
}

TEST_CASE("names: a reading without a running gateway finds a projection, or says that there is none") {
    Scene scene;
    TemporaryFolder folder;
    LogNames names;
    const auto missing = Projection::open_for_reading(folder.file("p.sqlite"), scene, names);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::not_found);
    REQUIRE(rebuild_projection(folder.file("p.sqlite"), scene));
    const auto reading = Projection::open_for_reading(folder.file("p.sqlite"), scene, names);
    REQUIRE(reading);
    CHECK((*reading)->shown_sequence() == scene.durable_head().sequence);
}
