#include "gateway/projection/logged_touch.hpp"

#include "gateway/json/json.hpp"
#include "gateway/projection/log_names.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/projection/memory_log.hpp"

using namespace touchgate;
using namespace touchgate::projection;
using touchgate::test::Scene;

namespace {

struct Reader {
    Scene scene;
    LogNames names{[this](ContactIndex contact) { return scene.key(contact); }};
    EventRenderer renderer{scene, names};

    Json touch(const TouchId& id, ContactIndex contact, LogPosition created) {
        REQUIRE(names.catch_up(scene));
        const auto records = records_of_touch(scene, id, scene.newest[contact.value], created);
        REQUIRE(records);
        LoggedTouch read;
        for (const auto& kept : *records) read.apply(kept.view());
        std::string out;
        append_touch(out, read, *records, renderer, {});
        INFO(out);
        auto json = parse_json(out);
        REQUIRE(json);
        return *json;
    }
};

}  // namespace

TEST_CASE("touch from the log: attempts with receipts and events, as the API shows them") {
    Reader reader;
    auto& scene = reader.scene;
    const auto contact = scene.contact();
    const auto created = scene.position(scene.durable_head().sequence + 1);
    const auto touch = scene.delivered(contact);
    scene.delivered(contact);  // another touch of the contact does not mix in
    const auto json = reader.touch(touch, contact, created);
    CHECK(json["id"] == to_string(touch));
    CHECK(json["key"] == "key-1");
    CHECK(json["contact_id"] == "cust-1");
    CHECK(json["state"] == "delivered");
    CHECK(json["final"] == true);
    CHECK(json["channel"] == "sms");
    CHECK(json["account"] == "sms-main");
    CHECK(json["purpose"] == "marketing");
    CHECK(json["campaign"] == "double11");
    CHECK(json["arm"].is_null());
    CHECK(json["reason"].is_null());
    CHECK(json["duplicate"] == false);
    REQUIRE(json["attempts"].size() == 1);
    const auto& attempt = json["attempts"][0];
    CHECK(attempt["number"] == 1);
    CHECK(attempt["outcome"] == "accepted");
    CHECK(attempt["state"] == "delivered");
    CHECK(attempt["provider_ids"] == Json::array({"1A2B"}));
    CHECK(attempt["parts"] == 1);
    CHECK(attempt["error"].is_null());
    for (const auto* member : {"permitted_at", "handed_over_at", "answered_at"}) CHECK(attempt[member] == format_instant(scene.now));
    REQUIRE(attempt["receipts"].size() == 1);
    CHECK(attempt["receipts"][0]["status"] == "delivered");
    CHECK(attempt["receipts"][0]["raw"] == "DELIVRD");
    CHECK(attempt["receipts"][0]["duplicate"] == false);
    REQUIRE(json["events"].size() == 5);
    CHECK(json["events"][0]["type"] == "touch.created");
    CHECK(json["events"][4]["type"] == "touch.delivered");
    CHECK(json["events"][0]["sequence"].get<std::uint64_t>() < json["events"][4]["sequence"].get<std::uint64_t>());
    CHECK(json["events"][1]["data"]["decision"]["policy"] == "house@3");
}

TEST_CASE("touch from the log: a late failure does not overwrite delivered, a late delivery does overwrite failed") {
    using channel::ReceiptStatus;
    Reader reader;
    auto& scene = reader.scene;
    const auto contact = scene.contact();
    const auto created = scene.position(scene.durable_head().sequence + 1);
    const auto touch = scene.create(contact);
    scene.permit(touch, contact);
    scene.accept(touch, contact);
    scene.receipt(touch, contact, ReceiptStatus::failed, "UNDELIV");
    auto json = reader.touch(touch, contact, created);
    CHECK(json["state"] == "failed");
    CHECK(json["reason"] == "undeliv");
    CHECK(json["attempts"][0]["state"] == "failed");
    CHECK(json["attempts"][0]["outcome"] == "accepted");
    scene.receipt(touch, contact, ReceiptStatus::delivered, "DELIVRD");
    json = reader.touch(touch, contact, created);
    CHECK(json["state"] == "delivered");
    CHECK(json["reason"].is_null());
    scene.receipt(touch, contact, ReceiptStatus::failed, "UNDELIV");
    json = reader.touch(touch, contact, created);
    CHECK(json["state"] == "delivered");
    CHECK(json["attempts"][0]["state"] == "delivered");
    CHECK(json["attempts"][0]["receipts"].size() == 3);
}

TEST_CASE("touch from the log: lapsed permit, refusal, fallback to the next candidate, unknown") {
    Reader reader;
    auto& scene = reader.scene;
    const auto contact = scene.contact();
    const auto created = scene.position(scene.durable_head().sequence + 1);
    const auto touch = scene.create(contact, {Scene::sms, Scene::wecom});
    scene.permit(touch, contact, 1);
    scene.write(TouchPermitLapsed{.touch = touch, .attempt = 1}, contact);
    CHECK(reader.touch(touch, contact, created)["state"] == "queued");
    scene.permit(touch, contact, 2);
    scene.write(TouchAttemptEnded{.touch = touch, .attempt = 2, .outcome = channel::OutcomeKind::refused, .code = "0x0B", .detail = "invalid destination",
                                  .slot = SlotChange::release, .next = 1, .retry_at = 0},
                contact);
    CHECK(reader.touch(touch, contact, created)["state"] == "deferred");
    scene.permit(touch, contact, 3, 1);
    scene.write(TouchUnknown{.touch = touch, .attempt = 3, .code = "timeout", .detail = "no answer"}, contact);
    auto json = reader.touch(touch, contact, created);
    CHECK(json["state"] == "unknown");
    CHECK(json["final"] == false);
    CHECK(json["channel"] == "wecom");
    REQUIRE(json["attempts"].size() == 3);
    CHECK(json["attempts"][0]["state"] == "lapsed");
    CHECK(json["attempts"][0]["outcome"].is_null());
    CHECK(json["attempts"][1]["outcome"] == "refused");
    CHECK(json["attempts"][1]["error"]["code"] == "0x0B");
    CHECK(json["attempts"][1]["account"] == "sms-main");
    CHECK(json["attempts"][2]["account"] == "wecom-main");
    CHECK(json["attempts"][2]["state"] == "unknown");
    scene.write(TouchSettled{.touch = touch, .reason = ""}, contact);
    json = reader.touch(touch, contact, created);
    CHECK(json["state"] == "unknown");
    CHECK(json["final"] == true);
}

TEST_CASE("touch from the log: a blocked touch names its rule and makes no attempt") {
    Reader reader;
    const auto contact = reader.scene.contact();
    const auto created = reader.scene.position(reader.scene.durable_head().sequence + 1);
    const auto touch = reader.scene.create(contact, {Scene::sms}, TouchState::blocked, 1);
    const auto json = reader.touch(touch, contact, created);
    CHECK(json["state"] == "blocked");
    CHECK(json["decision"]["rule"] == "cap-week");
    CHECK(json["decision"]["verdict"] == "deny");
    CHECK(json["attempts"].empty());
    CHECK(json["events"].size() == 2);
}

TEST_CASE("touch from the log: a chain that does not lead to the touch is an error, not an empty touch") {
    Reader reader;
    auto& scene = reader.scene;
    const auto one = scene.contact();
    const auto other = scene.contact();
    const auto touch = scene.create(one);
    CHECK_FALSE(records_of_touch(scene, touch, scene.newest[other.value], {1}));
    CHECK_FALSE(records_of_touch(scene, touch, LogPosition{12345}, {1}));
}

TEST_CASE("timeline: newest first, page by page, to the contact's creation") {
    Reader reader;
    auto& scene = reader.scene;
    const auto contact = scene.contact();
    scene.delivered(contact);
    scene.delivered(scene.contact());
    scene.write(ConsentWithdrawn{.channel = "sms", .purpose = "marketing", .unit = "", .source = "reply", .notice_version = "", .at = scene.now, .sealed = ""}, contact);
    REQUIRE(reader.names.catch_up(scene));
    std::vector<std::uint64_t> sequences;
    auto next = scene.newest[contact.value];
    while (next.value != 0) {
        const auto page = read_timeline(scene, reader.renderer, next, 2, {});
        REQUIRE(page);
        for (const auto& event : page->items) sequences.push_back(event.sequence);
        next = page->next;
    }
    REQUIRE(sequences.size() == 7);
    CHECK(std::is_sorted(sequences.rbegin(), sequences.rend()));
}
