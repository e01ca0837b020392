#include "gateway/projection/queries.hpp"

#include "gateway/json/json.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"
#include "tests/unit/gateway/projection/random_log.hpp"
#include "tests/unit/gateway/projection/temporary_folder.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Scene;
using touchgate::test::TemporaryFolder;

namespace {

struct Desk {
    Scene scene;
    TemporaryFolder folder;
    LogNames names{[this](ContactIndex contact) { return scene.key(contact); }};
    std::unique_ptr<Projection> projection;
    std::unique_ptr<Queries> queries;

    Queries& ready() {
        if (!projection) {
            auto opened = Projection::open(folder.file("p.sqlite"), scene, names);
            REQUIRE(opened);
            projection = std::move(*opened);
            // Keys are hashed with their number here: "key-7" is 7.
            queries = std::make_unique<Queries>(*projection, scene, names, [](std::string_view unit, std::string_view key) {
                return crypto::Hash128{0, unit == "hq" ? std::stoull(std::string{key.substr(4)}) : 999'999};
            });
        }
        for (bool more = true; more;) {
            const auto stepped = projection->step();
            REQUIRE(stepped);
            more = *stepped;
        }
        return *queries;
    }
    std::vector<std::string> ids(TouchQuery query) {
        std::vector<std::string> found;
        auto& ready_queries = ready();
        while (true) {
            const auto page = ready_queries.touches(query);
            REQUIRE(page);
            const auto items = parse_json(page->items);
            REQUIRE(items);
            CHECK(items->size() <= query.limit);
            for (const auto& item : *items) found.push_back(item["id"]);
            if (page->next_cursor.empty()) return found;
            REQUIRE(items->size() == query.limit);
            query.cursor = page->next_cursor;
        }
    }
};

}  // namespace

TEST_CASE("touch list: oldest first, in pages, each touch once") {
    Desk desk;
    test::write_random_touches(desk.scene, 3, 57);
    const auto all = desk.ids({.limit = 10});
    CHECK(all.size() == 57);
    CHECK(std::is_sorted(all.begin(), all.end()));
    CHECK(desk.ids({.limit = 19}) == all);
    CHECK(desk.ids({.limit = 1000}) == all);
}

TEST_CASE("touch list: each filter by itself and together") {
    Desk desk;
    auto& scene = desk.scene;
    const auto start = scene.now;
    const auto one = scene.contact(), two = scene.contact("hq/west/store-1");
    const auto sms = to_string(scene.delivered(one, Scene::sms));
    scene.now += Duration{1000};
    const auto wecom = to_string(scene.create(one, {Scene::wecom}));
    scene.now += Duration{1000};
    const auto care = to_string(scene.delivered(two, Scene::care_sms));
    const auto list = [](std::initializer_list<std::string> ids) { return std::vector<std::string>{ids}; };
    CHECK(desk.ids({}) == list({sms, wecom, care}));
    CHECK(desk.ids({.contact = "cust-1"}) == list({sms, wecom}));
    CHECK(desk.ids({.contact = "nobody"}).empty());
    CHECK(desk.ids({.campaign = "double11"}) == list({sms, wecom}));
    CHECK(desk.ids({.campaign = "none"}).empty());
    CHECK(desk.ids({.state = "queued"}) == list({wecom}));
    CHECK(desk.ids({.channel = "sms"}) == list({sms, care}));
    CHECK(desk.ids({.key = "key-2"}) == list({wecom}));
    CHECK(desk.ids({.key_name = "scheduler"}).size() == 3);
    CHECK(desk.ids({.key_name = "other"}).empty());
    CHECK(desk.ids({.from = start + Duration{1000}}) == list({wecom, care}));
    CHECK(desk.ids({.to = start + Duration{1000}}) == list({sms}));
    CHECK(desk.ids({.from = start + Duration{1}, .to = start + Duration{2000}}) == list({wecom}));
    CHECK(desk.ids({.contact = "cust-1", .campaign = "double11", .state = "delivered", .channel = "sms", .key = "key-1"}) == list({sms}));
    CHECK(desk.ids({.visibility = {.units = {"hq/west"}}}) == list({care}));
    const auto wrong = desk.ready().touches({.state = "lost"});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().problems.front().pointer == "/state");
    CHECK_FALSE(desk.ready().touches({.cursor = "'; DROP TABLE touches"}));
}

TEST_CASE("touch list: rows are rendered from the log, so an erased contact's key is gone at once") {
    Desk desk;
    desk.scene.delivered(desk.scene.contact());
    auto page = desk.ready().touches({});
    REQUIRE(page);
    CHECK(page->items.find("\"key\":\"key-1\"") != std::string::npos);
    CHECK(page->items.find("\"attempts\":[{") != std::string::npos);
    CHECK(page->items.find("\"events\"") == std::string::npos);
    desk.scene.keys.clear();
    page = desk.ready().touches({});
    REQUIRE(page);
    CHECK(page->items.find("key-1") == std::string::npos);
}

TEST_CASE("touch by id: from the projection's place in the log; foreign units see nothing") {
    Desk desk;
    const auto contact = desk.scene.contact();
    const auto touch = desk.scene.delivered(contact, Scene::sms);
    auto& queries = desk.ready();
    const auto text = queries.touch(touch, {});
    REQUIRE(text);
    const auto json = parse_json(*text);
    REQUIRE(json);
    CHECK((*json)["state"] == "delivered");
    CHECK((*json)["events"].size() == 5);
    CHECK(queries.touch(touch, {.units = {"hq/east"}}));
    const auto foreign = queries.touch(touch, {.units = {"hq/west"}});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().kind == ErrorKind::not_found);
    const auto missing = queries.touch(test::numbered_id(desk.scene.now, 77), {});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::not_found);
    const auto events = queries.touch_events(touch, desk.scene.newest[contact.value], desk.scene.position(desk.scene.durable_head().sequence - 4), {});
    REQUIRE(events);
    CHECK(events->size() == 5);
}

TEST_CASE("contact list: addresses are masked without the scope, erased contacts are gone") {
    Desk desk;
    desk.scene.contact();
    const auto gone = desk.scene.contact();
    desk.scene.contact("hq/west");
    desk.scene.write(ContactErased{.mode = "erase"}, gone);
    auto page = desk.ready().contacts(1, {}, {});
    REQUIRE(page);
    auto items = parse_json(page->items);
    REQUIRE(items);
    REQUIRE(items->size() == 1);
    CHECK((*items)[0]["id"] == "cust-1");
    CHECK((*items)[0]["phones"] == Json::array({"+86138****0001"}));
    page = desk.ready().contacts(10, page->next_cursor, {.addresses = true});
    REQUIRE(page);
    items = parse_json(page->items);
    REQUIRE(items);
    REQUIRE(items->size() == 1);
    CHECK((*items)[0]["phones"] == Json::array({"+8613800000003"}));
    CHECK(page->next_cursor.empty());
    CHECK(desk.ready().contacts(10, {}, {.units = {"hq/east"}})->items.find("cust-3") == std::string::npos);
}

TEST_CASE("suppression list: added, replaced, removed") {
    Desk desk;
    const auto contact = desk.scene.contact();
    const auto add = [&](const std::string& list, std::uint32_t address, const std::string& phone) {
        SuppressionAdded event;
        event.list = list;
        event.address = address;
        event.at = desk.scene.now;
        SuppressionSecret secret;
        secret.value = phone;
        secret.reason = "asked by phone";
        event.sealed = desk.scene.seal({}, secret);
        desk.scene.write(event, contact);
    };
    add("dnc", 1, "+8613800000001");
    add("dnc", 2, "+8613800000002");
    add("platform:oa", 3, "+8613800000003");
    add("dnc", 1, "+8613800000001");
    SuppressionRemoved removed;
    removed.list = "dnc";
    removed.address = 2;
    desk.scene.write(removed);
    const auto page = desk.ready().suppressions("dnc", 10, {}, {.addresses = true});
    REQUIRE(page);
    const auto items = parse_json(page->items);
    REQUIRE(items);
    REQUIRE(items->size() == 1);
    CHECK((*items)[0]["phone"] == "+8613800000001");
    CHECK((*items)[0]["reason"] == "asked by phone");
    CHECK(desk.ready().suppressions({}, 1, {}, {})->next_cursor != "");
    CHECK(desk.ready().suppressions("dnc", 10, {}, {})->items.find("13800000001") == std::string::npos);
}

TEST_CASE("timeline: a cursor leads on, a made-up one is refused") {
    Desk desk;
    const auto contact = desk.scene.contact();
    desk.scene.delivered(contact);
    auto& queries = desk.ready();
    const auto newest = desk.scene.newest[contact.value];
    const auto first = queries.timeline(newest, 4, {}, {});
    REQUIRE(first);
    REQUIRE_FALSE(first->next_cursor.empty());
    const auto second = queries.timeline(newest, 4, first->next_cursor, {});
    REQUIRE(second);
    CHECK(parse_json(first->items)->size() + parse_json(second->items)->size() == 6);
    CHECK(second->next_cursor.empty());
    CHECK_FALSE(queries.timeline(newest, 4, "17", {}));
    CHECK_FALSE(queries.timeline(newest, 4, "x", {}));
    CHECK_FALSE(queries.timeline(newest, 4, std::to_string(newest.value + 100), {}));
}
