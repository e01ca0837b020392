#include "adapters/smpp/message.hpp"

#include <algorithm>

#include "adapters/smpp/adapter.hpp"
#include "gateway/base/text.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::smpp;
using namespace std::chrono_literals;
using channel::Outcome;
using channel::OutcomeKind;

namespace {

Settings settings_from(Json json, std::vector<Problem>* problems_out = nullptr) {
    json["host"] = "smsc.example";
    json["system_id"] = "esme01";
    std::vector<Problem> problems;
    JsonReader reader{json, "/accounts/a", problems};
    auto settings = read_settings(reader);
    reader.finish();
    if (problems_out != nullptr) *problems_out = problems;
    else REQUIRE(problems.empty());
    return settings;
}

std::vector<ShortMessage> encode(const Settings& settings, const std::string& text, std::optional<Duration> valid_for = {}) {
    content::ReferenceNumbers references{1};
    auto encoded = encode_submission({.ref = 1, .to = "+8613900000001", .content = {.text = text}, .valid_for = valid_for}, settings, references);
    auto* messages = std::get_if<std::vector<ShortMessage>>(&encoded);
    REQUIRE(messages);
    return *messages;
}

Outcome refused(const Settings& settings, const std::string& to, const std::string& text) {
    content::ReferenceNumbers references{1};
    auto encoded = encode_submission({.ref = 1, .to = to, .content = {.text = text}}, settings, references);
    auto* outcome = std::get_if<Outcome>(&encoded);
    REQUIRE(outcome);
    return *outcome;
}

std::string chinese(int characters) {
    std::string text;
    for (int i = 0; i < characters; ++i) text += "中";
    return text;
}

}  // namespace

TEST_CASE("smpp: a submission becomes the PDU that the independent encoder makes", "[smpp]") {
    auto settings = settings_from({{"source_address", "ACME"}});
    std::string bytes;
    append_short_message(bytes, command::submit_sm, 2, encode(settings, "Hello @ {€}").front());
    CHECK(to_hex(bytes) ==
          "0000004000000004000000000000000200050041434d4500010138363133393030303030303031000000000000010000000e48656c6c6f2000201b281b651b29");
    settings = settings_from({{"source_address", "10690000"}, {"source_ton", 1}, {"source_npi", 1}});
    bytes.clear();
    append_short_message(bytes, command::submit_sm, 3, encode(settings, "【示例】你好😀").front());
    CHECK(to_hex(bytes) ==
          "0000004600000004000000000000000300010131303639303030300001013836313339303030303030303100000000000001000800103010793a4f8b30114f60597dd83dde"
          "00");
}

TEST_CASE("smpp: long messages travel by header, by SAR parameters or as one payload", "[smpp]") {
    struct Row { std::string way; std::size_t parts, bytes_of_first; std::uint8_t esm_class; };
    const auto row = GENERATE(values<Row>({{"udh8", 2, 6 + 134, 0x40}, {"udh16", 3, 7 + 132, 0x40}, {"sar", 3, 132, 0x00}, {"payload", 1, 0, 0x00}}));
    INFO(row.way);
    const auto messages = encode(settings_from({{"long_messages", row.way}}), chinese(134));
    REQUIRE(messages.size() == row.parts);
    CHECK(messages[0].short_message.size() == row.bytes_of_first);
    CHECK(messages[0].esm_class == row.esm_class);
    std::string text;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto received = received_bytes(messages[i]);
        text += decode_text(received.text, messages[i].data_coding, content::Alphabet::gsm);
        CHECK(received.place.has_value() == (row.way != "payload"));
        if (received.place) {
            CHECK(received.place->index == i + 1);
            CHECK(received.place->total == row.parts);
            CHECK(received.place->reference == received_bytes(messages[0]).place->reference);
        }
    }
    CHECK(text == chinese(134));
    CHECK(encode(settings_from({{"long_messages", row.way}}), "short").front().find(tag::message_payload) == nullptr);
}

TEST_CASE("smpp: two long messages to one phone have different references", "[smpp]") {
    content::ReferenceNumbers references{7};
    const auto first = references.next("8613900000001");
    CHECK(references.next("8613900000001") == static_cast<std::uint16_t>(first + 1));
}

TEST_CASE("smpp: what cannot be sent is refused before a byte is written", "[smpp]") {
    const auto settings = settings_from({{"parts_max", 2}});
    CHECK(refused(settings, "+8613900000001", "").kind == OutcomeKind::content_rejected);
    CHECK(refused(settings, "+8613900000001", chinese(135)).field == "text");
    for (const auto* to : {"", "+", "+86139abc", "+861390000000100000000", "wmAAAA"}) {
        INFO(to);
        CHECK(refused(settings, to, "hi").kind == OutcomeKind::recipient_invalid);
    }
}

TEST_CASE("smpp: validity is relative, at least a second, at most 31 days", "[smpp]") {
    CHECK(relative_time(2h) == "000000020000000R");
    CHECK(relative_time(1'999ms) == "000000000001000R");
    CHECK(relative_time(0ms) == "000000000001000R");
    CHECK(relative_time(26h + 3min + 4s) == "000001020304000R");
    CHECK(relative_time(24h * 400) == "000031000000000R");
    CHECK(encode(settings_from(Json::object()), "x", 2h).front().validity_period == "000000020000000R");
    CHECK(encode(settings_from({{"validity", "provider"}}), "x", 2h).front().validity_period.empty());
}

TEST_CASE("smpp: the account says what data_coding 0 means", "[smpp]") {
    const auto latin = encode(settings_from({{"default_alphabet", "latin1"}}), "é").front();
    CHECK(latin.data_coding == 0);
    CHECK(to_hex(latin.short_message) == "e9");
    CHECK(encode(settings_from({{"default_alphabet", "latin1"}}), "中").front().data_coding == 8);
    CHECK(decode_text("\xE9", 0, content::Alphabet::latin1) == "é");
    CHECK(decode_text(std::string(1, '\0'), 0, content::Alphabet::gsm) == "@");
    CHECK(decode_text("\xE9", 3, content::Alphabet::gsm) == "é");
    CHECK(decode_text("abc", 1, content::Alphabet::gsm) == "abc");
    CHECK(decode_text(std::string(1, '\0'), 0xF0, content::Alphabet::gsm) == "@");
    CHECK(decode_text("\x4F\x60", 0xE0, content::Alphabet::gsm) == "你");
    CHECK(decode_text("\xFF", 0xF4, content::Alphabet::gsm) == "ÿ");
}

TEST_CASE("smpp: type of number of the source is found by itself", "[smpp]") {
    CHECK(settings_from({{"source_address", "106900001234"}}).source == Address{1, 1, "106900001234"});
    CHECK(settings_from({{"source_address", "10690000"}}).source == Address{3, 0, "10690000"});
    CHECK(settings_from({{"source_address", "ACME"}}).source == Address{5, 0, "ACME"});
    CHECK(settings_from({{"source_address", "+447700900123"}}).source == Address{1, 1, "447700900123"});
    CHECK(settings_from({{"source_address", "10690000"}, {"source_ton", 6}, {"source_npi", 8}}).source == Address{6, 8, "10690000"});
    CHECK(settings_from(Json::object()).source == Address{0, 0, ""});
}

TEST_CASE("smpp: how a refused submit is classified", "[smpp]") {
    struct Row { std::uint32_t code; OutcomeKind kind; std::string text, name; };
    const auto row = GENERATE(values<Row>({{0x58, OutcomeKind::throttled, "0x58", "ESME_RTHROTTLED"},
                                           {0x14, OutcomeKind::throttled, "0x14", "ESME_RMSGQFUL"},
                                           {0x08, OutcomeKind::not_sent, "0x08", "ESME_RSYSERR"},
                                           {0x64, OutcomeKind::not_sent, "0x64", "ESME_RX_T_APPN"},
                                           {0x0B, OutcomeKind::recipient_invalid, "0x0B", "ESME_RINVDSTADR"},
                                           {0x45, OutcomeKind::refused, "0x45", "ESME_RSUBMITFAIL"},
                                           {0x04, OutcomeKind::refused, "0x04", "ESME_RINVBNDSTS"},
                                           {0x0A, OutcomeKind::refused, "0x0A", "ESME_RINVSRCADR"},
                                           {0x410, OutcomeKind::refused, "0x410", "vendor specific"},
                                           {0xDEADBEEF, OutcomeKind::refused, "0xDEADBEEF", "reserved"}}));
    INFO(row.text);
    const auto outcome = classify_refusal(row.code, settings_from(Json::object()));
    CHECK(outcome.kind == row.kind);
    CHECK(outcome.code == row.text);
    CHECK(outcome.detail == row.name);
    CHECK(outcome.scope == (row.kind == OutcomeKind::throttled ? "account" : ""));
    CHECK(classify_refusal(0x45, settings_from({{"outcome_map", {{"0x45", "not_sent"}}}})).kind == OutcomeKind::not_sent);
}

TEST_CASE("smpp: every wrong setting is named", "[smpp]") {
    std::vector<Problem> problems;
    (void)settings_from({{"port", 0},
                         {"source_address", "品牌"},
                         {"long_messages", "smoke"},
                         {"receipt_zone", "Mars"},
                         {"stat_map", {{"MK:1", "dead"}}},
                         {"tlvs", {{{"tag", "x"}, {"value", "1"}}, {{"tag", "0x1400"}, {"type", "hex"}, {"value", "zz"}}}},
                         {"outcome_map", {{"abc", "refused"}, {"0x45", "eaten"}}},
                         {"tls", 3},
                         {"esm_class", 64},
                         {"response_timeout", "10"},
                         {"surplus", true}},
                        &problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer.substr(std::string{"/accounts/a/"}.size()));
    std::sort(pointers.begin(), pointers.end());
    CHECK(pointers == std::vector<std::string>{"esm_class", "long_messages", "outcome_map/0x45", "outcome_map/abc", "port", "receipt_zone",
                                               "response_timeout", "source_address", "stat_map/MK:1", "surplus", "tls", "tlvs/0/tag",
                                               "tlvs/1/value"});
}

TEST_CASE("smpp: the adapter tells its endpoint, window, segments and capabilities", "[smpp]") {
    const Json json = {{"host", "smsc.example"}, {"port", 3550}, {"system_id", "x"},
                       {"password", "secret"},   {"window", 50}, {"tls", {{"verify", false}, {"ca_file", "ca.pem"}}}};
    std::vector<Problem> problems;
    JsonReader reader{json, "", problems};
    const auto any = adapters::smpp_adapter().make(reader, {});
    reader.finish();
    CHECK(problems.empty());
    const auto& adapter = *std::get<std::unique_ptr<channel::SessionAdapter>>(any);
    CHECK(adapter.endpoint().host == "smsc.example");
    CHECK(adapter.endpoint().port == 3550);
    CHECK(adapter.endpoint().tls);
    CHECK_FALSE(adapter.endpoint().tls_verify);
    CHECK(adapter.window() == 50);
    CHECK(adapter.segments(chinese(135)) == 3);
    CHECK(adapter.segments("hi") == 1);
    CHECK(adapter.capabilities().receipts);
    CHECK(adapter.capabilities().has_validity);
    CHECK(adapter.make_session(1)->connect_at().has_value());
}
