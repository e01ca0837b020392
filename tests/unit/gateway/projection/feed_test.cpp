#include "gateway/projection/feed.hpp"

#include "gateway/json/json.hpp"
#include "gateway/projection/log_names.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Scene;

namespace {

struct TooShort {
    static constexpr auto type = EventType::touch_accepted;
    std::uint8_t nothing = 1;
    template <class A> void fields(A&& a) { a(nothing); }
};

struct Feed {
    Scene scene;
    LogNames names{[this](ContactIndex contact) { return scene.key(contact); }};
    EventRenderer renderer{scene, names};

    FeedPage page(const FeedQuery& query = {}) {
        REQUIRE(names.catch_up(scene));
        auto read = read_feed(scene, renderer, query);
        REQUIRE(read);
        return *read;
    }
    std::vector<Json> events(const FeedQuery& query = {}) {
        std::vector<Json> parsed;
        for (const auto& item : page(query).items) {
            INFO(item.json);
            auto json = parse_json(item.json);
            REQUIRE(json);
            parsed.push_back(*json);
        }
        return parsed;
    }
};

}  // namespace

TEST_CASE("feed: every record is one CloudEvent, in order and without gaps") {
    Feed feed;
    feed.scene.delivered(feed.scene.contact());
    const auto events = feed.events({.limit = 1000});
    REQUIRE(events.size() == feed.scene.durable_head().sequence);
    for (std::size_t i = 0; i < events.size(); ++i) {
        CHECK(events[i]["sequence"] == i + 1);
        CHECK(events[i]["id"] == std::to_string(i + 1));
        CHECK(events[i]["specversion"] == "1.0");
        CHECK(events[i]["source"] == "touchgate");
        CHECK(events[i]["time"] == format_instant(feed.scene.now));
        CHECK_FALSE(events[i]["type"].get<std::string>().empty());
    }
}

TEST_CASE("feed: touch.created carries key, contact, purpose, campaign, decision and metadata") {
    Feed feed;
    const auto touch = feed.scene.create(feed.scene.contact());
    const auto events = feed.events({.types = {"touch.created"}});
    REQUIRE(events.size() == 1);
    CHECK(events[0]["subject"] == to_string(touch));
    const auto& data = events[0]["data"];
    CHECK(data["touch_id"] == to_string(touch));
    CHECK(data["contact_id"] == "cust-1");
    CHECK(data["key"] == "key-1");
    CHECK(data["purpose"] == "marketing");
    CHECK(data["campaign"] == "double11");
    CHECK(data["channel"] == "sms");
    CHECK(data["account"] == "sms-main");
    CHECK(data["metadata"]["order"] == "A-1");
    CHECK(data["decision"]["verdict"] == "allow");
    CHECK(data["decision"]["policy"] == "house@3");
    CHECK(data["decision"]["rule"].is_null());
}

TEST_CASE("feed: addresses and content appear with their scopes only") {
    Feed feed;
    const auto contact = feed.scene.contact();
    const auto touch = feed.scene.create(contact);
    feed.scene.permit(touch, contact);
    MessageReceived message;
    message.account = "sms-main";
    message.kind = "text";
    message.sealed = feed.scene.seal(contact, MessageSecret{.text = "stop it", .from = "+8613800000001", .to = "10690000"});
    feed.scene.write(message, contact);
    const auto text_of = [&](const Visibility& visibility) {
        std::string all;
        for (const auto& item : feed.page({.limit = 1000, .visibility = visibility}).items) all += item.json;
        return all;
    };
    const auto nothing = text_of({});
    CHECK(nothing.find("13800000001") == std::string::npos);
    CHECK(nothing.find("+8613****0001") == std::string::npos);
    CHECK(nothing.find("+86138****0001") != std::string::npos);
    CHECK(nothing.find("10690000") == std::string::npos);
    CHECK(nothing.find("stop it") == std::string::npos);
    CHECK(nothing.find("20% off") == std::string::npos);
    CHECK(nothing.find("Wang Fang") == std::string::npos);
    const auto addresses = text_of({.addresses = true});
    CHECK(addresses.find(R"("to":"+8613800000001")") != std::string::npos);
    CHECK(addresses.find(R"("from":"+8613800000001")") != std::string::npos);
    CHECK(addresses.find("20% off") == std::string::npos);
    const auto content = text_of({.content = true});
    CHECK(content.find("20% off") != std::string::npos);
    CHECK(content.find("stop it") != std::string::npos);
    CHECK(content.find("13800000001") == std::string::npos);
}

TEST_CASE("feed: an erased contact's events stay, without what was sealed") {
    Feed feed;
    const auto contact = feed.scene.contact();
    feed.scene.create(contact);
    feed.scene.write(ContactErased{.mode = "erase"}, contact);
    feed.scene.keys.erase(contact.value);
    const auto events = feed.events({.types = {"touch.*", "contact.*"}, .visibility = {.addresses = true, .content = true}});
    REQUIRE(events.size() == 3);
    CHECK(events[1]["type"] == "touch.created");
    CHECK(events[1]["data"]["key"].is_null());
    CHECK_FALSE(events[1]["data"].contains("content"));
    CHECK_FALSE(events[1]["data"].contains("metadata"));
    CHECK(events[2]["type"] == "contact.erased");
    CHECK_FALSE(events[0]["data"].contains("addresses"));
}

TEST_CASE("feed: types are filtered by name and by star") {
    CHECK(type_matches("touch.created", {}));
    CHECK(type_matches("touch.created", {"*"}));
    CHECK(type_matches("touch.created", {"lead.*", "touch.*"}));
    CHECK(type_matches("touch.created", {"touch.created"}));
    CHECK_FALSE(type_matches("touch.created", {"touch.create"}));
    CHECK_FALSE(type_matches("touch.created", {"contact.*"}));
    CHECK_FALSE(type_matches("touch.created", {""}));
}

TEST_CASE("feed: later events of a touch name account, channel and campaign, also when reading begins in the middle") {
    Feed feed;
    const auto contact = feed.scene.contact();
    const auto touch = feed.scene.create(contact, {Scene::sms, Scene::wecom});
    feed.scene.permit(touch, contact, 1, 0);
    feed.scene.write(TouchAttemptEnded{.touch = touch, .attempt = 1, .outcome = channel::OutcomeKind::refused, .code = "0x0B", .detail = "", .slot = SlotChange::release,
                                       .next = 1, .retry_at = 0},
                     contact);
    feed.scene.permit(touch, contact, 2, 1);
    feed.scene.accept(touch, contact, 2);
    const auto last = feed.scene.durable_head().sequence;
    const auto tail = feed.events({.after = last - 1});
    REQUIRE(tail.size() == 1);
    CHECK(tail[0]["type"] == "touch.accepted");
    CHECK(tail[0]["data"]["account"] == "wecom-main");
    CHECK(tail[0]["data"]["channel"] == "wecom");
    CHECK(tail[0]["data"]["campaign"] == "double11");
    CHECK(tail[0]["data"]["attempt"] == 2);
    // Read again from the beginning: the earlier attempt still shows the account it used.
    for (const auto& event : feed.events({.types = {"touch.attempt_ended", "touch.dispatching"}})) {
        CHECK(event["data"]["account"] == (event["data"]["attempt"] == 1 ? "sms-main" : "wecom-main"));
    }
}

TEST_CASE("feed: filters by campaign, key name and unit hold for later events of the touch too") {
    Feed feed;
    const auto east = feed.scene.contact("hq/east");
    const auto west = feed.scene.contact("hq/west/store-1");
    feed.scene.delivered(east, Scene::sms);
    feed.scene.delivered(west, Scene::care_sms);
    feed.scene.write(CampaignPaused{.id = "double11"});
    feed.scene.write(CampaignPaused{.id = "other"});
    for (const auto& event : feed.events({.filter = {.campaign = "double11"}, .limit = 1000})) {
        INFO(event.dump());
        CHECK((event["data"].value("campaign", "") == "double11" || event["type"] == "receipt.received"));
    }
    CHECK(feed.events({.filter = {.campaign = "double11"}, .limit = 1000}).size() == 6);  // created, dispatching, accepted, receipt, delivered; paused
    CHECK(feed.events({.filter = {.key_name = "scheduler"}, .limit = 1000}).size() == 10);
    CHECK(feed.events({.filter = {.key_name = "someone"}, .limit = 1000}).empty());
    const auto of_west = feed.events({.limit = 1000, .visibility = {.units = {"hq/west"}}});
    REQUIRE(of_west.size() == 6);  // the contact and its touch; no policies, profiles or campaigns
    for (const auto& event : of_west) CHECK(event["data"]["contact_id"] == "cust-2");
    CHECK(feed.events({.limit = 1000, .visibility = {.units = {"hq/we"}}}).empty());
}

TEST_CASE("feed: pages end at the limit, and an empty page means the end") {
    Feed feed;
    for (int i = 0; i < 5; ++i) feed.scene.delivered(feed.scene.contact());
    std::uint64_t after = 0;
    std::size_t seen = 0;
    while (true) {
        const auto page = feed.page({.after = after, .limit = 7});
        CHECK(page.last_sequence == feed.scene.durable_head().sequence);
        if (page.items.empty()) break;
        CHECK(page.items.size() <= 7);
        CHECK(page.items.front().sequence == after + 1);
        after = page.items.back().sequence;
        seen += page.items.size();
    }
    CHECK(seen == feed.scene.durable_head().sequence);
    CHECK(feed.page({.after = after + 100}).items.empty());
}

TEST_CASE("feed: a record that cannot be read is shown as unreadable, never skipped") {
    Feed feed;
    feed.scene.write(TooShort{});
    const auto events = feed.events({.types = {"touch.accepted"}});
    REQUIRE(events.size() == 1);
    CHECK(events[0]["data"]["unreadable"] == true);
}
