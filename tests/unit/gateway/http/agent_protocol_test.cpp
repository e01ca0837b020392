// Tokens, frames, replies and pushes of the agents' protocol, as text.
#include "gateway/http/agent_json.hpp"
#include "gateway/http/agent_protocol.hpp"
#include "gateway/http/agent_token.hpp"
#include "gateway/http/input_readers.hpp"
#include "gateway/http/wallboard_feed.hpp"
#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::http;

namespace {

const Instant now = *parse_instant("2026-11-23T02:00:00Z");

crypto::Key key_of(std::uint8_t byte) {
    crypto::Key key{};
    key.fill(byte);
    return key;
}

std::string malformed(std::string_view text) {
    const auto read = read_agent_request(text);
    const auto* bad = std::get_if<MalformedFrame>(&read);
    return bad == nullptr ? "understood" : bad->id_json;
}

Json pushed(PushBody body) { return Json::parse(render_push(AgentPush{.seq = 12, .at = now, .body = std::move(body)})); }

Uuid uuid(std::uint8_t last) {
    Uuid id{};
    id.bytes[0] = 1;
    id.bytes[15] = last;
    return id;
}

InteractionDetails sms_conversation(const Uuid& id) {
    InteractionDetails made;
    made.id = id;
    made.channel = "sms";
    return made;
}

}  // namespace

TEST_CASE("A token says who and until when, and cannot be changed") {
    const AgentTokens tokens{key_of(1)};
    const auto text = tokens.make({.agent = "agent-王", .expires_at = now + std::chrono::hours{1}, .issued_at = now});
    CHECK(text.find_first_not_of("0123456789abcdef.") == std::string::npos);
    const auto token = tokens.verify(text, now);
    REQUIRE(token);
    CHECK(token->agent == "agent-王");
    CHECK(token->expires_at == now + std::chrono::hours{1});
    CHECK(token->issued_at == now);
    CHECK_FALSE(tokens.verify(text, now + std::chrono::hours{1}));
    CHECK_FALSE(AgentTokens{key_of(2)}.verify(text, now));
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto changed = text;
        changed[i] = changed[i] == '0' ? '1' : '0';
        CHECK_FALSE(tokens.verify(changed, now));
    }
    for (const char* bad : {"", ".", "a.b", "00", "zz.zz"}) CHECK_FALSE(tokens.verify(bad, now));
    CHECK_FALSE(tokens.verify(std::string(100'000, 'a'), now));
}

TEST_CASE("A frame names its request; what cannot be answered by name is answered to null") {
    const auto read = read_agent_request(R"({"id":7,"type":"presence.set","state":"ready"})");
    const auto* request = std::get_if<AgentRequest>(&read);
    REQUIRE(request != nullptr);
    CHECK(request->id_json == "7");
    CHECK(request->type == "presence.set");
    CHECK(request->body["state"] == "ready");
    for (const char* text : {"", "x", "[]", "7", R"({"type":"x"})", R"({"id":null,"type":"x"})", R"({"id":{},"type":"x"})", R"({"id":1,"id":2,"type":"x"})", "{\"id\":\"\xff\",\"type\":\"x\"}"})
        CHECK(malformed(text) == "null");
    CHECK(malformed("{\"id\":\"" + std::string(201, 'x') + R"(","type":"x"})") == "null");
    CHECK(malformed(R"({"id":"a\"b"})") == R"("a\"b")");
    CHECK(malformed(R"({"id":7,"type":1})") == "7");
}

TEST_CASE("A reply says ok and what was asked for, or why not") {
    CHECK(render_reply("7", {}) == R"({"reply_to":7,"ok":true})");
    CHECK(render_reply("\"a\"", {.error = {}, .members = [](std::string&, JsonObject& json) { json.number("n", 1); }}) == R"({"reply_to":"a","ok":true,"n":1})");
    CHECK(render_reply("null", {.error = agent_error("bad_request", "no \"id\""), .members = {}}) == R"({"reply_to":null,"ok":false,"error":{"code":"bad_request","detail":"no \"id\""}})");
    auto fields = fields_error({{"/offer", "is required"}});
    fields.reference = "bad_request";
    CHECK(Json::parse(render_reply("1", {.error = fields, .members = {}}))["error"]["errors"] == Json::parse(R"([{"pointer":"/offer","detail":"is required"}])"));
}

TEST_CASE("Every error has a code of the protocol") {
    CHECK(agent_error_code(agent_error("stale_offer", "")) == "stale_offer");
    CHECK(agent_error_code({.kind = ErrorKind::conflict, .detail = {}, .reference = "some-touch"}) == "wrong_state");
    CHECK(agent_error_code({.kind = ErrorKind::unavailable, .detail = {}}) == "rate_limited");
    CHECK(agent_error_code({.kind = ErrorKind::forbidden, .detail = {}}) == "not_allowed");
    CHECK(agent_error_code({.kind = ErrorKind::not_found, .detail = {}}) == "bad_request");
}

TEST_CASE("Pushes look as they are described") {
    CHECK(pushed(PresencePush{.agent = "a1", .state = "ready", .intent = "ready", .reason = "", .slots = {{"voice", 0, 1}}}) ==
          Json::parse(R"({"seq":12,"type":"presence","agent":"a1","state":"ready","intent":"ready","reason":null,"slots":{"voice":{"used":0,"capacity":1}},"at":"2026-11-23T02:00:00.000Z"})"));
    CHECK(pushed(OfferRevokedPush{.offer = uuid(1), .interaction = uuid(2), .reason = "timeout"}) ==
          Json::parse(R"({"seq":12,"type":"offer.revoked","offer":"01000000-0000-0000-0000-000000000001","interaction":"01000000-0000-0000-0000-000000000002","reason":"timeout","at":"2026-11-23T02:00:00.000Z"})"));
    CHECK(pushed(CallStatePush{.interaction = uuid(2), .state = "ringing", .cause = ""})["cause"] == nullptr);
    CHECK(pushed(WrapUpPush{.interaction = uuid(2), .deadline = std::nullopt, .codes = {"solved"}})["deadline"] == nullptr);
    CHECK(pushed(ClosedPush{.interaction = uuid(2), .reason = "customer"})["type"] == "interaction.closed");
    CHECK(pushed(LeadPush{.lead = "l1", .contact = "c1", .due_at = now})["due_at"] == "2026-11-23T02:00:00.000Z");
    CHECK(pushed(PromisePush{.promise = "p1", .contact = "c1", .channel = "voice", .note = "", .at = now})["type"] == "promise.due");
    CHECK(pushed(NoticePush{.kind = "reply_due", .interaction = uuid(2), .text = ""})["kind"] == "reply_due");
    const auto connected = pushed(ConnectedPush{.interaction = uuid(2), .channel = "sms", .contact_id = "c1", .queue = "care"});
    CHECK(connected["type"] == "interaction.connected");
    CHECK(connected["queue"] == "care");
    const auto message = pushed(MessagePush{.interaction = uuid(2), .message = {.inbound = false, .at = now, .kind = "text", .text = "你好 \"x\"", .body_json = {}, .provider_id = {}, .touch = uuid(3), .state = "queued"}});
    CHECK(message["direction"] == "out");
    CHECK(message["content"] == Json::parse(R"({"text":"你好 \"x\""})"));
    CHECK(message["touch"] == "01000000-0000-0000-0000-000000000003");
}

TEST_CASE("An offer brings the customer with it") {
    OfferPush offer{.offer = uuid(1), .interaction = uuid(2), .fence = 17, .queue = "care", .channel = "sms", .account = "sms-main", .direction = "inbound", .campaign = {}, .contact = {},
                    .last_text = "hello", .from = {}, .to = {}, .expires_at = now};
    offer.contact.id = "c1";
    offer.contact.addresses = {"+86138****0000"};
    offer.contact.attributes = {{"vip", true}, {"spent", 12.5}, {"city", std::string{"上海"}}};
    offer.contact.suggestion = "greet";
    offer.contact.leads = {{.id = "l1", .product = "loan", .stage = "new", .grade = "A", .score = 80}};
    const auto json = pushed(offer);
    CHECK(json["fence"] == 17);
    CHECK(json["expires_at"] == "2026-11-23T02:00:00.000Z");
    CHECK(json["contact"]["attributes"] == Json::parse(R"({"vip":true,"spent":12.5,"city":"上海"})"));
    CHECK(json["contact"]["suggestion"]["key"] == "greet");
    CHECK(json["contact"]["suggestion"]["zh-CN"] == "问候客户并询问需求");
    CHECK(json["contact"]["leads"][0]["due_at"] == nullptr);
    CHECK(json["context"]["last_text"] == "hello");
    const auto snapshot = pushed(SnapshotPush{.presence = {}, .offers = {offer}, .interactions = {sms_conversation(uuid(2))}});
    CHECK(snapshot["offers"][0]["offer"] == json["offer"]);
    CHECK(snapshot["interactions"][0]["id"] == json["interaction"]);
    CHECK(snapshot["interactions"][0]["messages"] == Json::array());
}

TEST_CASE("An agent and a queue show the document that was put, and what holds") {
    std::string out;
    AgentDetails shown;
    shown.id = "a1";
    shown.document = R"({"id":"x","name":"王芳","capacity":{"sms":2}})";
    shown.name = "王芳";
    shown.state = "offline";
    shown.intent = "not_ready";
    append_agent(out, shown);
    auto json = Json::parse(out);
    CHECK(json["id"] == "a1");
    CHECK(json["capacity"] == Json::parse(R"({"sms":2})"));
    CHECK(json["state"] == "offline");
    out.clear();
    append_queue(out, QueueDetails{.id = "care", .document = R"({"service_level":{"percent":80}})", .waiting = 3, .service_level = 0.5});
    json = Json::parse(out);
    CHECK(json["service_level"]["percent"] == 80);
    CHECK(json["now"]["waiting"] == 3);
    CHECK(json["now"]["service_level"] == 0.5);
}

TEST_CASE("A wallboard for some units has their queues and agents only") {
    const Wallboard board{.queues = {{.id = "east", .document = R"({"unit":"hq/east"})", .waiting = 1}, {.id = "west", .document = R"({"unit":"hq/west"})"}, {.id = "all", .document = "{}"}},
                          .agents = {{"ready", 2}}, .seq = 9};
    std::vector<AgentDetails> agents(2);
    agents[0].unit = "hq/east";
    agents[1].unit = "hq/west";
    for (auto& agent : agents) agent.state = "ready";
    const auto seen = Json::parse(render_wallboard(limited_wallboard(board, agents, {.granted = true, .units = {"hq/east"}})));
    CHECK(seen["queues"].size() == 1);
    CHECK(seen["queues"][0]["id"] == "east");
    CHECK(seen["agents"] == Json::parse(R"({"ready":1})"));
    CHECK(seen["seq"] == 9);
}
