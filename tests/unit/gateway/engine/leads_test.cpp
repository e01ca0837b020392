// Leads in the engine: deadlines in working time, what agents and supervisors are told, restarts, answers from the desk.
#include "gateway/engine/lead_book.hpp"
#include "tests/unit/gateway/engine/screen.hpp"

namespace touchgate::engine_test {

namespace {

using namespace std::chrono_literals;
using leads::Stage;

AccountSettings wecom_app() {
    AccountSettings account;
    account.name = "app";
    account.adapter = "wecom_app";
    account.capabilities.channel = "wecom_app";
    return account;
}

struct Shop : House {
    explicit Shop(const std::string& routing = "{}") : House{R"({"name":"p","rules":[]})", 32, {wecom_app()}} {
        route(routing);
        put_agent("anna", R"("unit":"hq/east","wecom_userid":"anna.w","queues":["care"])");
        put_agent("bo", R"("unit":"hq/east","queues":["care"])");
        put_agent("boss", R"("role":"supervisor","supervises":["hq/east"])");
    }
    void route(const std::string& routing) {
        lead_routing = Json::parse(routing);
        REQUIRE(in_turn([&](Engine& inside) { return inside.reload(settings()); }));
    }
    void put_agent(const std::string& id, const std::string& more) {
        if (!in_turn([&](Engine& inside) { return inside.desk().queue("care"); })) REQUIRE(in_turn([&](Engine& inside) { return inside.desk().put_queue("care", Json::parse(R"({"channels":["sms"]})")); }));
        const auto document = R"({"name":")" + id + R"(","capacity":{"sms":2},)" + more + "}";
        const auto put = in_turn([&](Engine& inside) { return inside.desk().put_agent(id, Json::parse(document)); });
        if (!put) FAIL(put.error().detail << (put.error().problems.empty() ? "" : put.error().problems[0].pointer));
    }
    std::shared_ptr<Screen> sit_down(const std::string& agent) {
        auto screen = std::make_shared<Screen>();
        REQUIRE(in_turn([&](Engine& inside) { return inside.desk().attach(agent, screen); }));
        REQUIRE(in_turn([&](Engine& inside) { return inside.desk().snapshot(agent, screen); }));
        return screen;
    }
    LeadDetails capture(const std::string& phone, const std::string& source = "web:form", const std::string& product = "suv") {
        LeadInput input;
        input.contact.address = Address{.kind = AddressKind::phone, .value = phone, .account = {}};
        input.source = source;
        input.product = product;
        const auto made = in_turn([&](Engine& inside) { return LeadBook{inside}.capture(input); });
        REQUIRE(made);
        return *made;
    }
    LeadDetails shown(const Uuid& id) { return *in_turn([&](Engine& inside) { return LeadBook{inside}.find(id); }); }
    Result<LeadDetails> act(const Uuid& id, LeadAct act) {
        return in_turn([&](Engine& inside) { return LeadBook{inside}.act(id, act); });
    }
    void pass(Duration time) {
        clock.advance(time);
        turn();
        turn();
    }
};

}  // namespace

TEST_CASE("leads: the owner is told on his screen and in his WeCom, by when he has to answer", "[engine][leads]") {
    Shop shop{R"({"notify":{"account":"app"},"rules":[{"agents":["anna"]}],"links":{"base_url":"https://gate.example"}})"};
    shop.engine->on_transport_events({AccountUp{1}});
    const auto screen = shop.sit_down("anna");
    const auto lead = shop.capture("+8613800138000");
    shop.turn();
    CHECK(lead.owner == "anna");
    CHECK(lead.stage == Stage::assigned);
    const auto pushed = screen->all<LeadPush>();
    REQUIRE(pushed.size() == 1);
    CHECK(pushed[0].lead == to_string(lead.id));
    CHECK(pushed[0].contact == lead.contact_id);
    CHECK(pushed[0].due_at == *lead.due_at);
    const auto message = std::find_if(shop.transport.orders.begin(), shop.transport.orders.end(), [](const AttemptOrder& order) { return order.submission.to == "anna.w"; });
    REQUIRE(message != shop.transport.orders.end());
    CHECK(message->submission.content.text.find("https://gate.example/l/") != std::string::npos);
}

TEST_CASE("leads: deadlines run in working time only", "[engine][leads]") {
    // 2026-11-23 is a Monday; the clock stands at 10:00 in Shanghai.
    Shop shop{R"({"hours":{"zone":"Asia/Shanghai","open":[{"days":["mon","tue"],"from":"09:00","to":"10:20"}]},"sla":{"first_response":"PT30M","reassign_after":null}})"};
    const auto lead = shop.capture("+8613800138000");
    CHECK(lead.due_at == parse_instant("2026-11-24T01:10:00Z"));  // 20 minutes today, 10 tomorrow
    shop.pass(14min);
    CHECK(shop.shown(lead.id).overdue == OverdueStep::none);
    shop.pass(2min);
    CHECK(shop.shown(lead.id).overdue == OverdueStep::reminder);
    shop.pass(12h);
    CHECK(shop.shown(lead.id).overdue == OverdueStep::reminder);
    shop.pass(11h);
    CHECK(shop.shown(lead.id).overdue == OverdueStep::supervisor);
    const auto done = shop.act(lead.id, {.to = Stage::contacted});
    REQUIRE(done);
    CHECK(done->response_ms == std::chrono::milliseconds{36min}.count());
    shop.pass(24h);
    CHECK(shop.shown(lead.id).owner == lead.owner);  // an answer ends the deadlines
}

TEST_CASE("leads: no answer is told to the supervisor, then somebody else gets the lead, then the pool", "[engine][leads]") {
    Shop shop{R"({"sla":{"first_response":"PT10M","max_reassigns":1}})"};
    const auto boss = shop.sit_down("boss");
    const auto lead = shop.capture("+8613800138000");
    const auto first = lead.owner;
    const auto screen = shop.sit_down(first);
    shop.pass(6min);
    shop.pass(5min);
    CHECK(shop.shown(lead.id).owner == first);
    const auto notices = boss->all<NoticePush>();
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].kind == "lead_overdue");
    CHECK(notices[0].text == to_string(lead.id));
    shop.pass(10min);
    const auto second = shop.shown(lead.id);
    CHECK(second.owner != first);
    CHECK_FALSE(second.owner.empty());
    CHECK(second.reassigns == 1);
    const auto told = screen->all<NoticePush>();
    REQUIRE(!told.empty());
    CHECK(told.back().kind == "lead_reassigned");
    for (int i = 0; i < 3; ++i) shop.pass(10min);
    CHECK(shop.shown(lead.id).stage == Stage::recycled);
    CHECK(shop.shown(lead.id).owner.empty());
}

TEST_CASE("leads: after a crash everything is as it was, and what fell due meanwhile happens", "[engine][leads]") {
    Shop shop{R"({"sla":{"first_response":"PT10M"}})"};
    const auto lead = shop.capture("+8613800138000");
    const auto before = shop.dump();
    shop.crash();
    shop.clock.advance(6min);
    shop.turn();
    shop.turn();
    const auto after = shop.shown(lead.id);
    CHECK(after.owner == lead.owner);
    CHECK(after.due_at == lead.due_at);
    CHECK(after.overdue == OverdueStep::reminder);
    CHECK(shop.capture("+8613800138000", "again").is_duplicate_of);
    CHECK(shop.shown(lead.id).touchpoints.size() == 2);
    REQUIRE(shop.engine->write_checkpoint_now());
    const auto with_checkpoint = shop.dump();
    shop.crash();
    CHECK(shop.shown(lead.id).touchpoints.size() == 2);
    CHECK(shop.in_turn([&](Engine& inside) { return LeadBook{inside}.list({.owner = lead.owner}); }).size() == 1);
    CHECK(before != with_checkpoint);
}

TEST_CASE("leads: an agent's own message to the customer is the answer", "[engine][leads]") {
    Shop shop;
    InboundInput input;
    input.key = "m1";
    input.channel = "sms";
    input.account = "sms-main";
    input.contact.address = Address{.kind = AddressKind::phone, .value = "+8613800138000", .account = {}};
    input.text = "hello";
    const auto taken = shop.in_turn([&](Engine& inside) { return inside.inbound_event(input); });
    REQUIRE(taken);
    const auto lead = shop.capture("+8613800138000");
    const auto screen = shop.sit_down(lead.owner);
    REQUIRE(shop.in_turn([&](Engine& inside) { return inside.desk().set_presence(lead.owner, "ready", {}); }));
    shop.turn();
    const auto offers = screen->all<OfferPush>();
    REQUIRE(!offers.empty());
    CHECK(offers.back().contact.leads.size() == 1);
    REQUIRE(shop.in_turn([&](Engine& inside) { return inside.desk().accept(lead.owner, offers.back().offer, {}); }));
    TouchRequest answer;
    answer.content.text = "good day";
    answer.purpose = "service";
    REQUIRE(shop.in_turn([&](Engine& inside) { return inside.desk().send(lead.owner, *parse_uuid(taken->interaction), answer); }));
    CHECK(shop.shown(lead.id).stage == Stage::contacted);
}

TEST_CASE("leads: silence is broken by the customer, too", "[engine][leads]") {
    Shop shop{R"({"recycle":{"after":"PT1H"},"sla":{"remind_after":null,"supervisor_after":null,"reassign_after":null}})"};
    const auto lead = shop.capture("+8613800138000");
    shop.pass(50min);
    InboundInput input;
    input.key = "m1";
    input.channel = "sms";
    input.contact.id = lead.contact_id;
    input.text = "still there?";
    REQUIRE(shop.in_turn([&](Engine& inside) { return inside.inbound_event(input); }));
    shop.pass(20min);
    CHECK(shop.shown(lead.id).stage == Stage::assigned);
    shop.pass(45min);
    CHECK(shop.shown(lead.id).stage == Stage::recycled);
}

TEST_CASE("leads: limits of a day end with the day of the configured zone", "[engine][leads]") {
    Shop shop{R"({"max_per_day":1,"rules":[{"agents":["anna"]}]})"};
    CHECK(shop.capture("+8613800138000").owner == "anna");
    const auto second = shop.capture("+8613800138001");
    CHECK(second.owner.empty());
    CHECK(second.stage == Stage::fresh);
    shop.pass(13h);
    CHECK(shop.shown(second.id).owner.empty());
    shop.pass(90min);  // past midnight in Shanghai
    shop.pass(2s);
    CHECK(shop.shown(second.id).owner == "anna");
}

TEST_CASE("leads: a lead of nobody is told to those who supervise its unit", "[engine][leads]") {
    Shop shop{R"({"rules":[{"pool":true,"unit":"hq/east"}],"sla":{"first_response":"PT10M"}})"};
    const auto boss = shop.sit_down("boss");
    LeadInput input;
    input.contact.address = Address{.kind = AddressKind::phone, .value = "+8613800138000", .account = {}};
    input.source = "web";
    input.unit = "hq/east";
    const auto lead = shop.in_turn([&](Engine& inside) { return LeadBook{inside}.capture(input); });
    REQUIRE(lead);
    CHECK(lead->stage == Stage::fresh);
    shop.pass(11min);
    CHECK(boss->all<NoticePush>().size() == 1);
    CHECK(shop.shown(lead->id).overdue == OverdueStep::supervisor);
    const auto claimed = shop.in_turn([&](Engine& inside) { return LeadBook{inside}.claim(lead->id, "bo"); });
    REQUIRE(claimed);
    CHECK(claimed->stage == Stage::accepted);
    const auto late = shop.in_turn([&](Engine& inside) { return LeadBook{inside}.claim(lead->id, "anna"); });
    REQUIRE_FALSE(late);
    CHECK(late.error().detail.find("protected until") != std::string::npos);
}

TEST_CASE("leads: a policy may ask where a contact's leads stand, and what waits is judged anew when they move", "[engine][leads]") {
    Shop shop;
    shop.use(R"({"name":"bought","kind":"cap","max":0,"per":"P1D","by":["contact"],"when":{"lead_stages":["won"],"purposes":["marketing"]}},
                {"name":"not-yet","kind":"blackout","between":["2026-11-01T00:00:00Z","2026-12-10T00:00:00Z"],"when":{"not":{"lead_stages":["qualified","won"]},"purposes":["marketing"]}})");
    const auto lead = shop.capture("+8613800000001");
    auto request = House::touch("+8613800000001", "t1");
    request.expires_at = shop.clock.wall_now() + std::chrono::hours{24 * 30};
    const auto first = shop.submit(request);
    REQUIRE(first);
    CHECK(first->state == TouchState::deferred);
    CHECK(first->decision.rule() == "not-yet");
    REQUIRE(shop.act(lead.id, {.to = Stage::contacted}));
    CHECK(shop.state(first->id) == TouchState::deferred);
    REQUIRE(shop.act(lead.id, {.to = Stage::qualified}));
    CHECK(shop.state(first->id) == TouchState::dispatching);
    REQUIRE(shop.act(lead.id, {.to = Stage::won}));
    for (const bool crashes : {false, true}) {
        if (crashes) shop.crash();
        const auto late = shop.submit(House::touch("+8613800000001", crashes ? "t3" : "t2"));
        REQUIRE(late);
        CHECK(late->state == TouchState::blocked);
        CHECK(late->decision.rule() == "bought");
    }
}

TEST_CASE("leads: a result that comes twice counts once; a link ends with its assignment", "[engine][leads]") {
    Shop shop{R"({"conversions":{"won":"order"}})"};
    const auto lead = shop.capture("+8613800138000");
    const auto link = shop.in_turn([&](Engine& inside) { return LeadBook{inside}.make_link(lead.id); });
    REQUIRE(link);
    const auto token = link->url.substr(link->url.rfind('/') + 1);
    const auto open = [&] { return shop.in_turn([&](Engine& inside) { return LeadBook{inside}.open_link(token); }); };
    CHECK(open());
    shop.crash();
    CHECK(open());
    const LeadAct won{.to = Stage::won, .result = "won", .via = "file", .value_units = 100, .walk = true};
    REQUIRE(shop.act(lead.id, won));
    const auto sequence = shop.engine->sequence();
    REQUIRE(shop.act(lead.id, won));
    CHECK(shop.engine->sequence() == sequence);
    CHECK(shop.engine->internals().state.conversions.size() == 1);
    shop.clock.advance(15 * 24h);
    shop.turn();
    CHECK(open().error().kind == ErrorKind::conflict);
    const auto other = shop.capture("+8613800138001");
    const auto second = shop.in_turn([&](Engine& inside) { return LeadBook{inside}.make_link(other.id); });
    REQUIRE(shop.in_turn([&](Engine& inside) { return LeadBook{inside}.assign(other.id, other.owner == "anna" ? "bo" : "anna", "", true); }));
    const auto old_token = second->url.substr(second->url.rfind('/') + 1);
    CHECK(shop.in_turn([&](Engine& inside) { return LeadBook{inside}.open_link(old_token); }).error().kind == ErrorKind::conflict);
    CHECK(shop.in_turn([&](Engine& inside) { return LeadBook{inside}.open_link("AAAA"); }).error().kind == ErrorKind::not_found);
}

}  // namespace touchgate::engine_test
