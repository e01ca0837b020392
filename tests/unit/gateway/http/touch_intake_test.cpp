#include "gateway/http/touch_intake.hpp"

#include <nlohmann/json.hpp>

#include "gateway/base/random.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::http;

namespace {

constexpr const char* full_touch = R"({ "key": "double11:cust-42", "contact": {"id": "cust-42"}, "purpose": "marketing", "campaign": "double11",
  "channels": ["wecom", "sms"], "variables": {"name": "王芳", "points": 1200, "vip": true, "rate": 0.5}, "content": {"text": "你好 {{name}}"},
  "priority": 70, "not_before": "2026-11-23T02:00:00.000Z", "expires_at": "2026-11-24T10:00:00+08:00", "fallback_after": "PT30M",
  "delivery": "at_least_once", "unit": "hq/east", "metadata": {"order": 17}, "callback": "scheduler", "fallback_on_unknown": true })";

struct Intake {
    PhoneNumbers phones{"CN"};
    TouchIntake intake{phones, crypto::Key{1, 2, 3}};

    ParsedTouch parse(const std::string& text, IntakeKind kind = IntakeKind::touch) {
        std::string padded = text;
        padded.reserve(text.size() + TouchIntake::padding_bytes);
        return intake.parse(padded, kind);
    }
    bool quickly(const std::string& text, ParsedTouch& out) {
        std::string padded = text;
        padded.reserve(text.size() + TouchIntake::padding_bytes);
        return intake.parse_quickly(padded, out);
    }
};

std::vector<std::string> pointers(const ParsedTouch& touch) {
    std::vector<std::string> list;
    if (touch.error)
        for (const auto& problem : touch.error->problems) list.push_back(problem.pointer);
    return list;
}

// A touch of three members, and `extra` before the closing brace.
std::string touch_with(const std::string& extra) {
    return R"({"contact":{"id":"c"},"purpose":"marketing")" + (extra.empty() ? "" : "," + extra) + "}";
}
std::string touch_and(const std::string& extra) { return touch_with(R"("content":{"text":"hi"})" + (extra.empty() ? "" : "," + extra)); }

}  // namespace

TEST_CASE("intake: every member of a touch arrives") {
    Intake intake;
    const auto touch = intake.parse(full_touch);
    REQUIRE_FALSE(touch.error);
    const auto& request = touch.request;
    CHECK(request.key == "double11:cust-42");
    CHECK(request.contact.id == "cust-42");
    CHECK_FALSE(request.contact.address);
    CHECK(request.purpose == "marketing");
    CHECK(request.campaign == "double11");
    CHECK(request.channels == std::vector<std::string>{"wecom", "sms"});
    CHECK(request.variables == Variables{{"name", "王芳"}, {"points", "1200"}, {"rate", "0.5"}, {"vip", "true"}});
    CHECK(request.content.text == "你好 {{name}}");
    CHECK(request.content.text_is_template);
    CHECK(request.priority == 70);
    CHECK(request.not_before == parse_instant("2026-11-23T02:00:00Z"));
    CHECK(request.expires_at == parse_instant("2026-11-24T02:00:00Z"));
    CHECK(request.fallback_after == Duration{1'800'000});
    CHECK(request.at_least_once);
    CHECK(request.unit == "hq/east");
    CHECK(request.metadata == Metadata{{"order", "17"}});
    CHECK(request.callback == "scheduler");
    CHECK(request.fallback_on_unknown);
}

TEST_CASE("intake: text is literal unless variables are given") {
    Intake intake;
    CHECK_FALSE(intake.parse(touch_and("")).request.content.text_is_template);
    CHECK(intake.parse(touch_and(R"("variables":{})")).request.content.text_is_template);
}

TEST_CASE("intake: both readers read the same") {
    Intake intake;
    const auto text = GENERATE(as<std::string>{}, full_touch, touch_and(""), touch_and(R"("priority":0)"), touch_and(R"("key":"k\u00e9\n\"\\")"),
                               touch_and(R"("variables":{"n":-0.0,"b":1e2,"i":-9007199254740993,"u":18446744073709551615,"d":0.1})"),
                               R"({"contact":{"phone":"138 0013 8000"},"purpose":"p","template":"t"})",
                               R"({"contact":{"phone":"+8613800138000"},"purpose":"p","template":"t","metadata":{}})");
    ParsedTouch quick;
    INFO(text);
    REQUIRE(intake.quickly(text, quick));
    const auto strict = intake.intake.parse_strictly(text);
    REQUIRE_FALSE(strict.error);
    CHECK(quick.request.body_hash == strict.request.body_hash);
    CHECK(quick.request.variables == strict.request.variables);
    CHECK(quick.request.contact.address == strict.request.contact.address);
    CHECK(quick.request.content.text_is_template == strict.request.content.text_is_template);
}

TEST_CASE("intake: equal touches have equal body hashes, whatever their JSON looks like") {
    Intake intake;
    const auto hash = [&](const std::string& text) {
        const auto touch = intake.parse(text);
        INFO(text);
        REQUIRE_FALSE(touch.error);
        return touch.request.body_hash;
    };
    const auto base = hash(R"({"contact":{"phone":"13800138000"},"purpose":"p","content":{"text":"a"},"variables":{"x":"1","y":"2"}})");
    CHECK(base == hash("{ \"purpose\" : \"p\",\n\"variables\":{\"y\":\"2\",\"x\":\"1\"}, "
                       "\"content\":{\"text\":\"\\u0061\"},\"contact\":{\"phone\":\"+86 138-0013-8000\"}}"));
    CHECK(base == hash(R"({"contact":{"phone":"13800138000"},"purpose":"p","content":{"text":"a"},"variables":{"x":1,"y":2},"campaign":null})"));
    CHECK(base != hash(R"({"contact":{"phone":"13800138000"},"purpose":"p","content":{"text":"a"},"variables":{"x":"1","y":"3"}})"));
    CHECK(base != hash(R"({"contact":{"phone":"13800138001"},"purpose":"p","content":{"text":"a"},"variables":{"x":"1","y":"2"}})"));
    // Before defaults: a default that is written out is another body.
    CHECK(base != hash(R"({"contact":{"phone":"13800138000"},"purpose":"p","content":{"text":"a"},"variables":{"x":"1","y":"2"},"priority":50})"));
    CHECK(hash(touch_and(R"("channels":["sms","wecom"])")) != hash(touch_and(R"("channels":["wecom","sms"])")));
}

TEST_CASE("intake: what is not JSON is malformed") {
    Intake intake;
    const auto text = GENERATE(as<std::string>{}, "", "{", "nonsense", "{\"a\":1}{", "{\"a\":1,}", "{'a':1}", "{\"a\":01}", "{\"a\":tru}", "// c\n{}",
                               "{\"purpose\":\"\xff\"}", "{\"purpose\":\"a\nb\"}", R"({"purpose":"a","purpose":"b"})", R"({"priority":1e999})",
                               R"({"purpose":"\ud800"})", "\0{}");
    INFO(text);
    const auto touch = intake.parse(text);
    REQUIRE(touch.error);
    CHECK(touch.error->kind == ErrorKind::malformed);
}

TEST_CASE("intake: every bad field is named with its pointer") {
    Intake intake;
    struct Row {
        std::string text;
        std::vector<std::string> expected;
    };
    const auto long_text = [](std::size_t size) { return std::string(size, 'x'); };
    const auto row = GENERATE_COPY(values<Row>({
        {"[]", {""}},
        {"{}", {"/contact", "/purpose", "/content"}},
        {touch_with(""), {"/content"}},
        {touch_with(R"("template":"t","content":{"text":"x"})"), {"/content"}},
        {touch_and(R"("nonsense":1,"more":2)"), {"/more", "/nonsense"}},
        {touch_and(R"("a/b~c":1)"), {"/a~1b~0c"}},
        {touch_and(R"("key":"")"), {"/key"}},
        {touch_and("\"key\":\"" + long_text(201) + "\""), {"/key"}},
        {touch_and(R"("key":17)"), {"/key"}},
        {touch_and(R"("key":"campaign:x:y")"), {"/key"}},
        {touch_and(R"("campaign":false)"), {"/campaign"}},
        {touch_and(R"("channels":"sms")"), {"/channels"}},
        {touch_and(R"("channels":[])"), {"/channels"}},
        {touch_and(R"("channels":["sms",1])"), {"/channels/1"}},
        {touch_and(R"("channels":["sms","sms"])"), {"/channels/1"}},
        {touch_and(R"("channels":["sms",""])"), {"/channels/1"}},
        {touch_and(R"("priority":101)"), {"/priority"}},
        {touch_and(R"("priority":-1)"), {"/priority"}},
        {touch_and(R"("priority":1.5)"), {"/priority"}},
        {touch_and(R"("priority":"high")"), {"/priority"}},
        {touch_and(R"("not_before":"tomorrow")"), {"/not_before"}},
        {touch_and(R"("not_before":"2026-11-23T02:00:00")"), {"/not_before"}},
        {touch_and(R"("expires_at":1700000000)"), {"/expires_at"}},
        {touch_and(R"("fallback_after":"P1M")"), {"/fallback_after"}},
        {touch_and(R"("delivery":"exactly_once")"), {"/delivery"}},
        {touch_and(R"("fallback_on_unknown":"yes")"), {"/fallback_on_unknown"}},
        {touch_and(R"("variables":[])"), {"/variables"}},
        {touch_and(R"("variables":{"a":{},"b":[],"c":null,"d":"ok"})"), {"/variables/a", "/variables/b", "/variables/c"}},
        {touch_and("\"metadata\":{\"a\":\"" + long_text(2'050) + "\"}"), {"/metadata"}},
        {touch_and(R"("at":"2026-11-23T02:00:00Z")"), {"/at"}},
        {R"({"contact":{},"purpose":"p","template":"t"})", {"/contact"}},
        {R"({"contact":"c","purpose":"p","template":"t"})", {"/contact"}},
        {R"({"contact":{"id":"a","phone":"13800138000"},"purpose":"p","template":"t"})", {"/contact"}},
        {R"({"contact":{"phone":"12"},"purpose":"p","template":"t"})", {"/contact/phone"}},
        {R"({"contact":{"phone":"call me"},"purpose":"p","template":"t"})", {"/contact/phone"}},
        {R"({"contact":{"phone":13800138000},"purpose":"p","template":"t"})", {"/contact/phone"}},
        {R"({"contact":{"openid":"o"},"purpose":"p","template":"t"})", {"/contact/account"}},
        {R"({"contact":{"id":"a","who":1},"purpose":"p","template":"t"})", {"/contact/who"}},
        {R"({"contact":{"id":"a"},"purpose":"p","content":{}})", {"/content"}},
        {R"({"contact":{"id":"a"},"purpose":"p","content":{"text":""}})", {"/content/text"}},
        {R"({"contact":{"id":"a"},"purpose":"p","content":{"text":"a","template_code":"b"}})", {"/content"}},
        {R"({"contact":{"id":"a"},"purpose":"p","content":{"text":"a","params":{"b":"c"}}})", {"/content/params"}},
        {R"({"contact":{"id":"a"},"purpose":"p","content":{"image":"x"}})", {"/content/image"}},
        {R"({"contact":{"id":"a"},"purpose":"p","content":{"texts":"x"}})", {"/content/texts"}},
    }));
    INFO(row.text);
    const auto touch = intake.parse(row.text);
    REQUIRE(touch.error);
    CHECK(touch.error->kind == ErrorKind::invalid_input);
    CHECK(pointers(touch) == row.expected);
}

TEST_CASE("intake: several problems are all listed, those in one field too") {
    Intake intake;
    const auto touch = intake.parse(R"({"contact":{"phone":"1"},"purpose":5,"priority":1000,"content":{"text":"a"},"x":1})");
    CHECK(pointers(touch) == std::vector<std::string>{"/contact/phone", "/purpose", "/priority", "/x"});
    // What could be read is there, so that the engine can check it as well.
    CHECK(touch.request.content.text == "a");
}

TEST_CASE("intake: a decision may carry `at` and needs no content") {
    Intake intake;
    const auto decision = intake.parse(touch_with(R"("at":"2026-11-23T02:00:00Z")"), IntakeKind::decision);
    REQUIRE_FALSE(decision.error);
    CHECK(decision.at == parse_instant("2026-11-23T02:00:00Z"));
}

TEST_CASE("intake: provider templates keep the order of their parameters") {
    Intake intake;
    const auto touch = intake.parse(touch_with(R"("content":{"template_code":"SMS_1","params":{"z":"1","a":2,"m":true}})"));
    REQUIRE_FALSE(touch.error);
    CHECK(touch.request.content.template_code == "SMS_1");
    CHECK(touch.request.content.params == std::vector<std::pair<std::string, std::string>>{{"z", "1"}, {"a", "2"}, {"m", "true"}});
}

TEST_CASE("intake: a channel's own form of content is passed on as it is") {
    Intake intake;
    const auto touch = intake.parse(touch_with(R"("content":{"template_message":{"template_id":"T","data":{"a":{"value":"b"}}}})"));
    REQUIRE_FALSE(touch.error);
    CHECK(touch.request.content.body_json == R"({"template_message":{"data":{"a":{"value":"b"}},"template_id":"T"}})");
}

TEST_CASE("intake: deep nesting and large numbers neither crash nor pass") {
    Intake intake;
    std::string deep = R"({"contact":{"id":"c"},"purpose":"p","content":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
    CHECK(intake.parse(deep).error);
    CHECK(intake.parse(touch_and(R"("priority":99999999999999999999999)")).error);
}

TEST_CASE("intake: whatever the quick reader takes, the strict reader takes the same (mutated touches)") {
    const std::uint64_t seed = 20261123;
    INFO("seed " << seed);
    Random random{seed};
    Intake intake;
    const std::string alphabet = "{}[]\",:\\0123456789.eE+-truefalsn \t\n\xe7\x8e\x8b\xff/";
    std::size_t taken = 0;
    for (int i = 0; i < 30'000; ++i) {
        std::string text = full_touch;
        for (auto edits = 1 + random.below(3); edits > 0; --edits) {
            const auto at = random.below(text.size());
            switch (random.below(3)) {
                case 0: text[at] = alphabet[random.below(alphabet.size())]; break;
                case 1: text.erase(at, 1 + random.below(4)); break;
                default: text.insert(at, 1, alphabet[random.below(alphabet.size())]);
            }
        }
        ParsedTouch quick;
        if (!intake.quickly(text, quick)) continue;
        ++taken;
        const auto strict = intake.intake.parse_strictly(text);
        INFO(text);
        REQUIRE_FALSE(strict.error);
        REQUIRE(quick.request.body_hash == strict.request.body_hash);
    }
    CHECK(taken > 1'000);
}

TEST_CASE("intake: the engine's findings are added where nothing was found yet") {
    std::vector<Problem> known = {{"/contact/phone", "bad"}, {"/priority", "bad"}};
    add_problems_elsewhere(known, {{"/contact", "unknown"}, {"/purpose", "unknown"}, {"/priority", "again"}, {"/prioritys", "no relation"}});
    std::vector<std::string> all;
    for (const auto& problem : known) all.push_back(problem.pointer);
    CHECK(all == std::vector<std::string>{"/contact/phone", "/priority", "/purpose", "/prioritys"});
}
