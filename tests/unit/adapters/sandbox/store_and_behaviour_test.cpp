#include "adapters/sandbox/alphabet.hpp"
#include "adapters/sandbox/behaviour.hpp"
#include "adapters/sandbox/message_store.hpp"
#include "gateway/base/text.hpp"
#include "tests/unit/adapters/sandbox/scripted_esme.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace touchgate::sandbox::test;

namespace {

PartNumber add(MessageStore& store, const std::string& to, const std::string& text, Coding coding = Coding::gsm) {
    const auto raw = to + "from" + text;
    const auto size = [](const std::string& s) { return static_cast<std::uint32_t>(s.size()); };
    return store.add_part({.raw = raw, .to = {0, size(to)}, .from = {size(to), 4}, .payload = {size(to) + 4, size(text)}, .coding = coding, .at = from_unix_ms(1)});
}

std::uint64_t add_message(MessageStore& store, const std::string& to, const std::string& text) {
    const auto part = add(store, to, text);
    return store.add_message({&part, 1});
}

std::vector<Problem> change(Behaviour& behaviour, const std::string& json) {
    std::vector<Problem> problems;
    const auto value = parse_json(json).value();
    JsonReader reader{value, "", problems};
    update(behaviour, reader);
    return problems;
}

}  // namespace

TEST_CASE("alphabets: every GSM character survives the way there and back, others need UCS-2", "[sandbox]") {
    std::string septets;
    for (int code = 0; code < 128; ++code)
        if (code != 0x1B) septets.push_back(static_cast<char>(code));
    septets += "\x1b\x0a\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x40\x1b\x65"s;
    const auto text = decode(septets, Coding::gsm);
    CHECK(encode_gsm(to_code_points(text)) == septets);
    CHECK(decode("\x09"s, Coding::gsm) == "Ç");
    CHECK_FALSE(encode_gsm(U"ç"));
    CHECK_FALSE(encode_gsm(U"`"));
    CHECK_FALSE(encode_gsm(U"中"));
}

TEST_CASE("alphabets: what cannot be decoded shows, and nothing fails", "[sandbox]") {
    CHECK(decode("a\x1b"s, Coding::gsm) == "a\uFFFD");          // escape cut from its character
    CHECK(decode("a\x1b\x01"s, Coding::gsm) == "a ");            // unknown extension
    CHECK(decode("\x80"s, Coding::gsm) == "\uFFFD");
    CHECK(decode(bytes("d83d"), Coding::ucs2) == "\uFFFD");      // half a pair
    CHECK(decode(bytes("de00d83d"), Coding::ucs2) == "\uFFFD\uFFFD");
    CHECK(decode(bytes("4e"), Coding::ucs2) == "\uFFFD");
    CHECK(decode(bytes("e9"), Coding::latin1) == "é");
    CHECK(decode(bytes("00ff"), Coding::octets) == "00ff");
    CHECK(encode_ucs2(U"😀") == bytes("d83dde00"));
}

TEST_CASE("alphabets: data_coding groups", "[sandbox]") {
    const auto [data_coding, coding] = GENERATE(table<int, Coding>({{0, Coding::latin1}, {1, Coding::ascii}, {3, Coding::latin1}, {4, Coding::octets}, {8, Coding::ucs2},
                                                                    {0xC0, Coding::gsm}, {0xE0, Coding::ucs2}, {0xF0, Coding::gsm}, {0xF4, Coding::octets}}));
    CHECK(coding_of(static_cast<std::uint8_t>(data_coding), Coding::latin1) == coding);
}

TEST_CASE("store: duplicates are counted exactly, by destination and text", "[sandbox]") {
    MessageStore store;
    for (int i = 0; i < 1'000; ++i) add_message(store, "86139" + std::to_string(i), "text");
    add_message(store, "861395", "text");
    add_message(store, "861395", "text");
    add_message(store, "861396", "text");
    add_message(store, "861397", "other text");
    const auto duplicates = store.duplicates(10);
    REQUIRE(duplicates.size() == 2);
    CHECK(duplicates[0].count == 3);
    CHECK(duplicates[0].to == "861395");
    CHECK(duplicates[0].numbers == std::vector<std::uint64_t>{6, 1'001, 1'002});
    CHECK(duplicates[1].count == 2);
    CHECK(store.distinct() == 1'001);
}

TEST_CASE("store: the oldest messages go when it is full, numbers go on", "[sandbox]") {
    MessageStore store{100'000};
    for (int i = 0; i < 300'000; ++i) add_message(store, "1", "t");
    CHECK(store.last_number() == 300'000);
    CHECK(store.message_count() <= 100'000);
    CHECK(store.message_count() > 80'000);
    CHECK_FALSE(store.message(1));
    CHECK(store.message(300'000)->text == "t");
    std::uint64_t seen = 0;
    store.read(0, false, [&](const StoredMessage& message) {
        if (seen == 0) CHECK(message.n == 300'000 - store.message_count() + 1);
        ++seen;
        return true;
    });
    CHECK(seen == store.message_count());
}

TEST_CASE("store: after clear nothing is found, late states are ignored and numbers go on", "[sandbox]") {
    MessageStore store;
    const auto part = add(store, "1", "t");
    store.add_message({&part, 1});
    store.clear();
    store.set_state(part, PartState::delivered, 0);
    store.set_answered(part);
    CHECK_FALSE(store.part(part));
    CHECK(store.message_count() == 0);
    CHECK(add_message(store, "1", "new") == 2);
    CHECK(store.message(2)->state == PartState::accepted);
}

TEST_CASE("behaviour: a partial update changes what it names and keeps the rest", "[sandbox]") {
    Behaviour behaviour;
    CHECK(change(behaviour, R"({"smsc":{"throttle":0.1,"drop_after":5,"response_delay":"PT0.5S","receipts":{"DELIVRD":0.9,"UNDELIV":0.05},
                                "receipt_delay":["PT0.05S","PT0.2S"],"reply":0.02,"opt_out":0.01,"receipt_id":"upper"}})").empty());
    CHECK(behaviour.smsc.throttle == 0.1);
    CHECK(behaviour.smsc.response_delay == DelayRange{500ms, 500ms});
    CHECK(change(behaviour, R"({"smsc":{"throttle":0},"aliyun":{"error":{"isv.BUSINESS_LIMIT_CONTROL":0.5},"no_answer":0.25}})").empty());
    CHECK(behaviour.smsc.throttle == 0);
    CHECK(behaviour.smsc.drop_after == 5);
    CHECK(behaviour.smsc.receipts.size() == 2);
    CHECK(behaviour.aliyun.no_response == 0.25);
}

TEST_CASE("behaviour: what is read back is what was set", "[sandbox]") {
    Behaviour behaviour;
    change(behaviour, R"({"smsc":{"throttle":0.1,"receipt_delay":["PT1S","PT2S"],"error":{"0x0B":0.5}},"tencent":{"retry_scale":0.001}})");
    Behaviour again;
    CHECK(change(again, to_json(behaviour).dump()).empty());
    CHECK(to_json(again) == to_json(behaviour));
}

TEST_CASE("behaviour: every mistake is named and nothing is changed", "[sandbox]") {
    const auto [json, pointer] = GENERATE(table<std::string, std::string>({
        {R"({"smsc":{"throttle":1.1}})", "/smsc/throttle"},
        {R"({"smsc":{"throtle":0.1}})", "/smsc/throtle"},
        {R"({"smcs":{}})", "/smcs"},
        {R"({"smsc":{"receipt_delay":["PT2S","PT1S"]}})", "/smsc/receipt_delay"},
        {R"({"smsc":{"receipt_delay":["PT2S"]}})", "/smsc/receipt_delay"},
        {R"({"smsc":{"receipt_delay":5}})", "/smsc/receipt_delay"},
        {R"({"smsc":{"receipts":{"DELIVRD":0.6,"UNDELIV":0.5}}})", "/smsc/receipts"},
        {R"({"smsc":{"receipts":{"DELIVRD":"x"}}})", "/smsc/receipts/DELIVRD"},
        {R"({"smsc":{"error":{"nonsense":0.5}}})", "/smsc/error/nonsense"},
        {R"({"smsc":{"error":{"0x00":0.5}}})", "/smsc/error/0x00"},
        {R"({"smsc":{"drop_after":-1}})", "/smsc/drop_after"},
        {R"({"smsc":{"replies":[]}})", "/smsc/replies"},
        {R"({"smsc":{"receipt_id":"other"}})", "/smsc/receipt_id"},
    }));
    INFO(json);
    Behaviour behaviour;
    const auto problems = change(behaviour, json);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].pointer == pointer);
    CHECK(to_json(behaviour) == to_json(Behaviour{}));
}

TEST_CASE("behaviour: shares that add up to 1 leave no rest", "[sandbox]") {
    Random random{3};
    const Shares shares{{"a", 0.1}, {"b", 0.2}, {"c", 0.7}};
    std::map<std::string, int> drawn;
    for (int i = 0; i < 100'000; ++i) ++drawn[std::string{draw(shares, random)}];
    CHECK(drawn.size() == 3);
    CHECK(drawn["c"] == Approx(70'000).margin(1'000));
    CHECK(draw({}, random).empty());
}
