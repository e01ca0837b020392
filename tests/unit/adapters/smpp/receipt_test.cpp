#include "adapters/smpp/receipt.hpp"

#include <algorithm>

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::smpp;
using channel::ReceiptStatus;

namespace {

ShortMessage receipt_message(std::string text, std::vector<Tlv> tlvs = {}, std::uint8_t esm_class = 0x04) {
    ShortMessage message;
    message.source = {.ton = 1, .npi = 1, .digits = "8613900000001"};
    message.destination = {.ton = 0, .npi = 1, .digits = "10690000"};
    message.esm_class = esm_class;
    message.short_message = std::move(text);
    message.tlvs = std::move(tlvs);
    return message;
}

channel::Receipt read(const ShortMessage& message, const ReceiptRules& rules = {}) { return read_receipt(message, message.short_message, rules); }

bool has(const std::vector<std::string>& forms, const std::string& form) { return std::find(forms.begin(), forms.end(), form) != forms.end(); }

}  // namespace

TEST_CASE("receipts: the usual text is read", "[smpp]") {
    const auto receipt =
        read(receipt_message("id:0123456789 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 text:Hello"));
    CHECK(receipt.provider_ids.front() == "0123456789");
    CHECK(receipt.status == ReceiptStatus::delivered);
    CHECK(receipt.raw == "DELIVRD");
    CHECK(receipt.reason.empty());
    CHECK(receipt.destination == "+8613900000001");
    CHECK(receipt.at == parse_instant("2026-01-02T03:05:00Z"));
}

TEST_CASE("receipts: labels in any order and case, missing, or repeated in the customer's text", "[smpp]") {
    const auto odd = parse_receipt_text("STAT:UNDELIV ID:abc Err:0A1 DONE DATE:20260102030405");
    CHECK(odd.stat == "UNDELIV");
    CHECK(odd.id == "abc");
    CHECK(odd.error == "0A1");
    CHECK(odd.done == "20260102030405");
    const auto quoted = parse_receipt_text("id:1 stat:DELIVRD err:000 Text:id:2 stat:REJECTD");
    CHECK(quoted.id == "1");
    CHECK(quoted.stat == "DELIVRD");
    CHECK(quoted.text == "id:2 stat:REJECTD");
    CHECK(parse_receipt_text("").id.empty());
    CHECK(parse_receipt_text("invalid:5 paid:7").id.empty());
    CHECK(parse_receipt_text("id: sub:001").id.empty());
    const auto nothing = read(receipt_message("gibberish"));
    CHECK(nothing.status == ReceiptStatus::unknown);
    CHECK(nothing.provider_ids.empty());
}

TEST_CASE("receipts: what each status word means", "[smpp]") {
    struct Row { std::string word; ReceiptStatus status; std::string reason; };
    const auto row = GENERATE(values<Row>({{"DELIVRD", ReceiptStatus::delivered, ""},
                                           {"delivrd", ReceiptStatus::delivered, ""},
                                           {"DELIVERED", ReceiptStatus::delivered, ""},
                                           {"ACCEPTD", ReceiptStatus::pending, ""},
                                           {"ENROUTE", ReceiptStatus::pending, ""},
                                           {"UNKNOWN", ReceiptStatus::unknown, ""},
                                           {"UNDELIV", ReceiptStatus::failed, "undeliv"},
                                           {"REJECTD", ReceiptStatus::failed, "rejectd"},
                                           {"REJECTED", ReceiptStatus::failed, "rejectd"},
                                           {"EXPIRED", ReceiptStatus::failed, "expired"},
                                           {"DELETED", ReceiptStatus::failed, "deleted"},
                                           {"MK:0001", ReceiptStatus::failed, "mk:0001"},
                                           {"DB:0141", ReceiptStatus::failed, "db:0141"}}));
    INFO(row.word);
    const auto receipt = read(receipt_message("id:1 stat:" + row.word + " err:001"));
    CHECK(receipt.status == row.status);
    CHECK(receipt.reason == row.reason);
    CHECK(receipt.raw == row.word);
}

TEST_CASE("receipts: an account's stat_map overrides, also over the optional parameter", "[smpp]") {
    const ReceiptRules rules{
        .stat_map = {{"MK:0001", ReceiptStatus::recipient_refuses}, {"DB:*", ReceiptStatus::pending}, {"UNKNOWN", ReceiptStatus::failed}}};
    CHECK(read(receipt_message("id:1 stat:MK:0001"), rules).status == ReceiptStatus::recipient_refuses);
    CHECK(read(receipt_message("id:1 stat:MK:0001", {{.tag = tag::message_state, .value = "\x05"}}), rules).status ==
          ReceiptStatus::recipient_refuses);
    CHECK(read(receipt_message("id:1 stat:db:0009"), rules).status == ReceiptStatus::pending);
    CHECK(read(receipt_message("id:1 stat:UNKNOWN"), rules).reason == "unknown");
    CHECK(read(receipt_message("id:1 stat:MK:0002"), rules).status == ReceiptStatus::failed);
}

TEST_CASE("receipts: optional parameters win over the text", "[smpp]") {
    const std::vector<Tlv> tlvs = {{.tag = tag::receipted_message_id, .value = std::string("4f3a2b1c\0", 9)},
                                   {.tag = tag::message_state, .value = "\x02"}};
    const auto receipt = read(receipt_message("id:999 stat:UNDELIV", tlvs));
    CHECK(receipt.provider_ids.front() == "4f3a2b1c");
    CHECK(receipt.status == ReceiptStatus::delivered);
    CHECK(receipt.raw == "DELIVRD");
    const auto no_final_zero =
        read(receipt_message("", {{.tag = tag::receipted_message_id, .value = "AB"}, {.tag = tag::message_state, .value = "\x08"}}));
    CHECK(no_final_zero.provider_ids.front() == "AB");
    CHECK(no_final_zero.reason == "rejectd");
    const auto own_word = read(receipt_message("id:1 stat:MK:0001", {{.tag = tag::message_state, .value = "\x05"}}));
    CHECK(own_word.raw == "MK:0001");
    CHECK(own_word.status == ReceiptStatus::failed);
    CHECK(read(receipt_message("id:1 stat:DELIVRD", {{.tag = tag::message_state, .value = "\x63"}})).status == ReceiptStatus::delivered);
}

TEST_CASE("receipts: ids appear in every form in which the submit may have shown them", "[smpp]") {
    const auto hex = receipt_id_forms("4F3A2B1C", ReceiptIds::automatic);
    CHECK(hex.front() == "4F3A2B1C");
    CHECK(has(hex, "4f3a2b1c"));
    CHECK(has(hex, "1329212188"));
    const auto decimal = receipt_id_forms("1329212188", ReceiptIds::automatic);
    CHECK(has(decimal, "4f3a2b1c"));
    CHECK(has(decimal, "4F3A2B1C"));
    const auto zeros = receipt_id_forms("0000000042", ReceiptIds::same);
    CHECK(has(zeros, "42"));
    CHECK_FALSE(has(zeros, "2a"));
    CHECK(has(receipt_id_forms("42", ReceiptIds::same), "0000000042"));
    CHECK(has(receipt_id_forms("42", ReceiptIds::dec_to_hex), "0000002a"));
    CHECK_FALSE(has(receipt_id_forms("42", ReceiptIds::dec_to_hex), "66"));
    CHECK(has(receipt_id_forms("42", ReceiptIds::hex_to_dec), "66"));
    CHECK(receipt_id_forms("0193c0de-0000-7000-8000-000000000001", ReceiptIds::automatic).size() == 4);
    CHECK(receipt_id_forms("  ", ReceiptIds::automatic).empty());
    CHECK(has(receipt_id_forms("99999999999999999999999", ReceiptIds::automatic), "99999999999999999999999"));
}

TEST_CASE("receipts: dates of 10, 12 and 14 digits in the account's zone", "[smpp]") {
    const auto utc = *parse_receipt_zone("UTC");
    CHECK(parse_receipt_date("2601020304", utc) == parse_instant("2026-01-02T03:04:00Z"));
    CHECK(parse_receipt_date("260102030405", utc) == parse_instant("2026-01-02T03:04:05Z"));
    CHECK(parse_receipt_date("20260102030405", *parse_receipt_zone("+08:00")) == parse_instant("2026-01-01T19:04:05Z"));
    CHECK(parse_receipt_date("2601020304", *parse_receipt_zone("Asia/Shanghai")) == parse_instant("2026-01-01T19:04:00Z"));
    CHECK(parse_receipt_date("2603290230", *parse_receipt_zone("Europe/Berlin")) ==
          parse_instant("2026-03-29T01:00:00Z"));  // a time that does not exist
    for (const auto* bad : {"", "26010203", "260102030", "2613010000", "2602300000", "2601022400", "2601020360", "26010203xx", "260102030461"}) {
        INFO(bad);
        CHECK_FALSE(parse_receipt_date(bad, utc));
    }
    for (const auto* bad : {"", "+8", "+25:00", "Mars/Olympus", "08:00"}) CHECK_FALSE(parse_receipt_zone(bad));
}

TEST_CASE("receipts: a customer who types like a receipt is a customer", "[smpp]") {
    const std::string text = "id:1 sub:001 stat:DELIVRD";
    CHECK_FALSE(is_receipt(receipt_message(text, {}, 0x00), {}));
    CHECK(is_receipt(receipt_message(text, {}, 0x00), {.guess = true}));
    CHECK_FALSE(is_receipt(receipt_message("my id:1 stat:", {}, 0x00), {.guess = true}));
    CHECK(is_receipt(receipt_message("", {{.tag = tag::receipted_message_id, .value = "1"}}, 0x00), {}));
    CHECK(is_receipt(receipt_message("", {}, 0x20), {}));
    CHECK_FALSE(is_receipt(receipt_message("", {}, 0x08), {}));
    CHECK(is_receipt(receipt_message("", {}, 0x44), {}));
}

TEST_CASE("receipts: an intermediate notification settles nothing but a delivery", "[smpp]") {
    CHECK(read(receipt_message("id:1 stat:UNDELIV", {}, 0x20)).status == ReceiptStatus::pending);
    CHECK(read(receipt_message("id:1 stat:ENROUTE", {}, 0x20)).status == ReceiptStatus::pending);
}
