#include "gateway/http/input_readers.hpp"

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::http;

namespace {

const PhoneNumbers& phones() {
    static const PhoneNumbers numbers{"CN"};
    return numbers;
}

// Reads `text` with `read`; `pointers` gets the places of all problems.
template <class Read> auto reading(const std::string& text, Read read, std::vector<std::string>& pointers) {
    const auto document = read_json(text);
    REQUIRE(document);
    std::vector<Problem> problems;
    JsonReader body{*document, "", problems};
    auto value = read(body);
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    return value;
}

}  // namespace

TEST_CASE("json: a number out of range is malformed, not a crash") {
    CHECK(read_json("1e400").error().kind == ErrorKind::malformed);
    CHECK(read_json(R"({"a":-1e9999})").error().kind == ErrorKind::malformed);
}

TEST_CASE("contact: the members that are there are set, null empties") {
    std::vector<std::string> wrong;
    std::string id = "c1";
    const auto contact = reading(R"({"phones":["13800138000"],"openids":[{"account":"oa","openid":"o1"}],"name":null,"time_zone":"Asia/Shanghai",
        "tags":["a"],"attributes":{"tier":"gold","age":41,"vip":true,"old":null}})",
                                 [&](JsonReader& body) { return read_contact(body, phones(), &id); }, wrong);
    CHECK(wrong.empty());
    CHECK(contact.addresses == std::vector<Address>{{AddressKind::phone, "+8613800138000"}, {AddressKind::openid, "o1", "oa"}});
    CHECK(contact.address_kinds == std::vector<AddressKind>{AddressKind::phone, AddressKind::openid});
    CHECK(contact.name == "");
    CHECK_FALSE(contact.locale);
    CHECK(contact.time_zone == "Asia/Shanghai");
    CHECK(contact.attributes->size() == 3);
    CHECK(contact.attributes_removed == std::vector<std::string>{"old"});
}

TEST_CASE("contact: what is wrong is named") {
    std::vector<std::string> wrong;
    std::string id = "c1";
    static_cast<void>(reading(
        R"({"id":"c2","phones":["13800138000","no"],"time_zone":"Mars/Base","openids":[{"openid":"x"}],"attributes":{"a":[]},"legal_hold":1,"x":1})",
        [&](JsonReader& body) { return read_contact(body, phones(), &id); }, wrong));
    CHECK(wrong == std::vector<std::string>{"/id", "/phones/1", "/openids/0/account", "/time_zone", "/attributes/a", "/legal_hold", "/x"});
}

TEST_CASE("consent: status is one of two words") {
    std::vector<std::string> wrong;
    const auto consent =
        reading(R"({"channel":"*","purpose":"marketing","status":"granted","source":"form","evidence":"e","at":"2026-01-01T00:00:00Z"})",
                [](JsonReader& body) { return read_consent(body); }, wrong);
    CHECK(wrong.empty());
    CHECK(consent.granted);
    static_cast<void>(reading(R"({"channel":"","status":"maybe"})", [](JsonReader& body) { return read_consent(body); }, wrong));
    CHECK(wrong == std::vector<std::string>{"/channel", "/purpose", "/status"});
}

TEST_CASE("suppression: an address in any form, or the hash of a phone") {
    std::vector<std::string> wrong;
    const auto read = [](JsonReader& body) { return read_suppression(body, phones(), {}); };
    CHECK(reading(R"({"list":"dnc","phone":"13800138000","reason":"asked","expires_at":null})", read, wrong).address->value == "+8613800138000");
    CHECK(reading(R"({"list":"dnc","external_userid":"wm1"})", read, wrong).address->kind == AddressKind::external_userid);
    CHECK(reading(R"({"list":"dnc","phone_hash":"d41d8cd98f00b204e9800998ecf8427e","algorithm":"md5"})", read, wrong).phone_hash.size() == 16);
    CHECK(wrong.empty());
    static_cast<void>(reading(R"({"phone":"1","phone_hash":"zz","algorithm":"md5"})", read, wrong));
    CHECK(wrong == std::vector<std::string>{"/list", "/phone_hash", "/phone"});
    wrong.clear();
    static_cast<void>(reading(R"({"list":"dnc"})", read, wrong));
    CHECK(wrong == std::vector<std::string>{""});
}

TEST_CASE("conversion: value in cents") {
    std::vector<std::string> wrong;
    const auto read = [](JsonReader& body) { return read_conversion(body, phones()); };
    CHECK(reading(R"({"key":"k","contact":{"id":"c"},"at":"2026-01-01T00:00:00Z","kind":"order","value":199.99,"currency":"CNY"})", read, wrong)
              .value_cents == 19'999);
    CHECK(reading(R"({"key":"k","contact":{"id":"c"},"kind":"visit"})", read, wrong).value_cents == 0);
    CHECK(wrong.empty());
    static_cast<void>(reading(R"({"contact":{},"value":"much","currency":"YUAN"})", read, wrong));
    CHECK(wrong == std::vector<std::string>{"/key", "/contact", "/kind", "/value", "/currency"});
}

TEST_CASE("inbound: kinds and what a message needs") {
    std::vector<std::string> wrong;
    const auto read = [](JsonReader& body) { return read_inbound(body, phones()); };
    CHECK(reading(R"({"key":"k","channel":"sms","contact":{"phone":"13800138000"},"kind":"opt_out"})", read, wrong).kind == InboundKind::opt_out);
    CHECK(reading(R"({"key":"k","channel":"sms","contact":{"id":"c"},"kind":"message","content":{"text":"hi"}})", read, wrong).text == "hi");
    CHECK(wrong.empty());
    static_cast<void>(reading(R"({"key":"k","channel":"sms","contact":{"id":"c"},"kind":"shout"})", read, wrong));
    static_cast<void>(reading(R"({"key":"k","channel":"sms","contact":{"id":"c"}})", read, wrong));
    CHECK(wrong == std::vector<std::string>{"/kind", "/content", "/kind", "/content"});
}

TEST_CASE("cancel: a filter that is empty would cancel everything, and is refused") {
    std::vector<std::string> wrong;
    const auto read = [](JsonReader& body) { return read_cancel_filter(body, phones()); };
    CHECK(reading(R"({"campaign":"c"})", read, wrong).campaign == "c");
    CHECK(reading(R"({"metadata":{"order":7}})", read, wrong).metadata.at("order") == "7");
    CHECK(wrong.empty());
    static_cast<void>(reading("{}", read, wrong));
    static_cast<void>(reading(R"({"metadata":{}})", read, wrong));
    CHECK(wrong == std::vector<std::string>{"", ""});
}

TEST_CASE("campaign: the definition is kept whole, its parts are checked") {
    std::vector<std::string> wrong;
    const auto read = [](JsonReader& body) { return read_campaign(body); };
    const auto campaign = reading(R"({"id":"d11","purpose":"marketing","channels":["sms"],"template":"t","rate":"500/minute","holdout":0.1,
        "arms":[{"name":"a","share":0.5},{"name":"b","share":0.5}],"window":{"from":"2026-11-01T00:00:00Z","to":"2026-11-12T00:00:00Z"}})",
                                  read, wrong);
    CHECK(wrong.empty());
    CHECK(campaign.holdout == 0.1);
    CHECK(Json::parse(campaign.definition_json).at("arms").size() == 2);
    static_cast<void>(
        reading(R"({"rate":"fast","holdout":2,"arms":[{"share":0.2}],"window":{"from":"2026-11-02T00:00:00Z","to":"2026-11-01T00:00:00Z"},"zz":1})",
                read, wrong));
    CHECK(wrong == std::vector<std::string>{"/id", "/rate", "/holdout", "/window/to", "/arms/0/name", "/arms", "/zz"});
}
