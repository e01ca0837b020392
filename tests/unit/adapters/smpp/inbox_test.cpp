#include "adapters/smpp/inbox.hpp"

#include "gateway/base/text.hpp"
#include "tests/unit/adapters/smpp/scripted_peer.hpp"

using namespace touchgate;
using namespace touchgate::adapters::smpp;
using namespace touchgate::adapters::smpp::test;

namespace {

ShortMessage part_of(const std::string& text, std::uint8_t total, std::uint8_t index, std::uint16_t reference = 7) {
    auto message = from_customer(content::concatenation_header(content::PartHeader::reference_8_bit, {reference, total, index}) + text);
    message.esm_class = 0x40;
    return message;
}

void rebind(Link& link) {
    link.ups = 0;
    link.closed = false;
    link.bind();
}

}  // namespace

TEST_CASE("inbox: a message is answered only once it is durable", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(from_customer("R"), 31);
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.text == "R");
    CHECK(link.messages[0].message.from == "+8613900000001");
    CHECK(link.messages[0].message.to == "10690000");
    CHECK(link.received.empty());
    link.acknowledge(link.messages[0].token, true);
    const auto answer = link.next();
    CHECK(answer.header.id == (command::deliver_sm | command::response_bit));
    CHECK(answer.header.status == status::ok);
    CHECK(answer.header.sequence == 31);
    CHECK(answer.body == std::string(1, '\0'));
    link.acknowledge(link.messages[0].token, true);
    CHECK(link.received.empty());
}

TEST_CASE("inbox: what could not be stored is asked for again", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(receipt_for("A"), 32);
    REQUIRE(link.receipts.size() == 1);
    link.acknowledge(link.receipts[0].token, false);
    const auto answer = link.next();
    CHECK(answer.header.status == status::temporary_application_error);
    CHECK(answer.body.empty());
}

TEST_CASE("inbox: a receipt that overtakes the answer to its submit is reported all the same", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1);
    const auto request = link.next();
    link.deliver(receipt_for("4F3A2B1C"), 1);
    REQUIRE(link.receipts.size() == 1);
    CHECK(link.receipts[0].receipt.provider_ids.front() == "4F3A2B1C");
    CHECK(link.receipts[0].receipt.status == channel::ReceiptStatus::delivered);
    CHECK(link.outcomes.empty());
    link.answer(request, 0, "4f3a2b1c");
    CHECK(link.outcome(1).ids == std::vector<std::string>{"4f3a2b1c"});
}

TEST_CASE("inbox: receipts come by data_sm too and are answered in kind", "[smpp]") {
    Link link;
    link.bind();
    auto receipt = receipt_for("A");
    receipt.tlvs = {{.tag = tag::receipted_message_id, .value = "77"}, {.tag = tag::message_state, .value = "\x05"}};
    std::string bytes;
    append_data_message(bytes, 9, receipt);
    link.feed(bytes);
    REQUIRE(link.receipts.size() == 1);
    CHECK(link.receipts[0].receipt.reason == "undeliv");
    link.acknowledge(link.receipts[0].token, true);
    CHECK(link.next().header.id == (command::data_sm | command::response_bit));
}

TEST_CASE("inbox: text in every coding reaches the gateway as UTF-8", "[smpp]") {
    struct Row { std::uint8_t coding; std::string hex, text; };
    const auto row = GENERATE(values<Row>({{0x00, "48656c6c6f2000201b281b651b29", "Hello @ {€}"},
                                           {0x08, "3010793a4f8b30114f60597dd83dde00", "【示例】你好😀"},
                                           {0x03, "e9", "é"},
                                           {0x01, "5244", "RD"},
                                           {0x08, "feff9000", "退"}}));
    Link link;
    link.bind();
    auto message = from_customer(*from_hex(row.hex));
    message.data_coding = row.coding;
    link.deliver(message, 1);
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.text == row.text);
    auto payload = from_customer("");
    payload.data_coding = row.coding;
    payload.tlvs = {{.tag = tag::message_payload, .value = *from_hex(row.hex)}, {.tag = 0x1401, .value = "unknown tags are ignored"}};
    link.deliver(payload, 2);
    REQUIRE(link.messages.size() == 2);
    CHECK(link.messages[1].message.text == row.text);
}

TEST_CASE("inbox: a deliver_sm that cannot be read is refused for good", "[smpp]") {
    Link link;
    link.bind();
    std::string bytes;
    append_header_only(bytes, command::deliver_sm, 0, 5);
    link.feed(bytes);
    const auto answer = link.next();
    CHECK(answer.header.status == status::permanent_application_error);
    CHECK_FALSE(link.closed);
}

TEST_CASE("inbox: parts in any order make one message, and all are answered when it is durable", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(part_of("lo ", 3, 2), 2);
    link.deliver(part_of("hel", 3, 1), 1);
    CHECK(link.messages.empty());
    link.deliver(part_of("you", 3, 3), 3);
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.text == "hello you");
    CHECK_FALSE(link.messages[0].message.incomplete);
    CHECK(link.received.empty());
    link.acknowledge(link.messages[0].token, true);
    CHECK(link.received.size() == 3);
    link.deliver(part_of("lo ", 3, 2), 4);  // repeated after all
    CHECK(link.messages.size() == 1);
    CHECK(link.next().header.status == status::ok);
}

TEST_CASE("inbox: a pair cut in two by the sender is whole again", "[smpp]") {
    Link link;
    link.bind();
    auto first = part_of(*from_hex("4f60d83d"), 2, 1);
    auto second = part_of(*from_hex("de00"), 2, 2);
    first.data_coding = second.data_coding = 8;
    link.deliver(first, 1);
    link.deliver(second, 2);
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.text == "你😀");
}

TEST_CASE("inbox: a centre with a window of one gets its answer after a second, so that the next part can come", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(part_of("hel", 2, 1), 1);
    link.pass(999ms);
    CHECK(link.received.empty());
    link.pass(1ms);
    CHECK(link.next().header.sequence == 1);
    link.deliver(part_of("lo", 2, 2), 2);
    REQUIRE(link.messages.size() == 1);
    link.acknowledge(link.messages[0].token, false);
    CHECK(link.next().header.status == status::temporary_application_error);
    link.deliver(part_of("lo", 2, 2), 3);  // only the unanswered part comes again
    REQUIRE(link.messages.size() == 2);
    CHECK(link.messages[1].message.text == "hello");
    link.acknowledge(link.messages[1].token, true);
    CHECK(link.next().header.status == status::ok);
}

TEST_CASE("inbox: parts may come over different connections of the account", "[smpp]") {
    Link one;
    one.bind();
    Link two{one, 2};
    two.bind();
    one.deliver(part_of("hel", 2, 1), 1);
    two.deliver(part_of("lo", 2, 2), 1);
    REQUIRE(two.messages.size() == 1);
    CHECK(two.messages[0].message.text == "hello");
    one.pass(1s);
    CHECK(one.received.size() == 1);
}

TEST_CASE("inbox: SAR parameters make parts like headers do", "[smpp]") {
    Link link;
    link.bind();
    for (int index = 1; index <= 2; ++index) {
        auto message = from_customer(index == 1 ? "hel" : "lo");
        message.tlvs = {{.tag = tag::sar_msg_ref_num, .value = std::string{"\x12\x34", 2}},
                        {.tag = tag::sar_total_segments, .value = "\x02"},
                        {.tag = tag::sar_segment_seqnum, .value = std::string(1, static_cast<char>(index))}};
        link.deliver(message, static_cast<std::uint32_t>(index));
    }
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.text == "hello");
    auto two_of_three = from_customer("alone");
    two_of_three.tlvs = {{.tag = tag::sar_msg_ref_num, .value = "\x12\x34"}, {.tag = tag::sar_total_segments, .value = "\x02"}};
    link.deliver(two_of_three, 3);
    CHECK(link.messages.size() == 2);
}

TEST_CASE("inbox: a message whose parts never all come is delivered after a day, marked incomplete", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(part_of("lo", 3, 2), 1);
    for (int hour = 0; hour < 24; ++hour) {
        CHECK(link.messages.empty());
        for (int step = 0; step < 120; ++step) {
            link.pass(30s);
            for (; !link.received.empty();) {
                const auto pdu = link.next();
                if (pdu.header.id == command::enquire_link) link.send(command::enquire_link | command::response_bit, 0, pdu.header.sequence);
            }
        }
    }
    link.pass(2min);
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.incomplete);
    CHECK(link.messages[0].message.text == "…lo…");
    CHECK(link.messages[0].token == 0);
}

TEST_CASE("inbox: a reused reference with another text starts a new message", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(part_of("old", 2, 1), 1);
    link.deliver(part_of("new", 2, 1), 2);
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.incomplete);
    link.deliver(part_of("er", 2, 2), 3);
    REQUIRE(link.messages.size() == 2);
    CHECK(link.messages[1].message.text == "newer");
}

TEST_CASE("inbox: equal texts are two messages, unless the bind broke right after the first", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(from_customer("R"), 1);
    link.deliver(from_customer("R"), 2);
    REQUIRE(link.messages.size() == 2);
    CHECK(link.messages[0].message.fingerprint != link.messages[1].message.fingerprint);

    link.drop();
    rebind(link);
    link.deliver(from_customer("R"), 1);  // repeats the second
    REQUIRE(link.messages.size() == 3);
    CHECK(link.messages[2].message.fingerprint == link.messages[1].message.fingerprint);
    link.deliver(from_customer("R"), 2);  // and this is one more
    CHECK(link.messages[3].message.fingerprint != link.messages[1].message.fingerprint);
}

TEST_CASE("inbox: a later PDU, another text or a minute make it a new message", "[smpp]") {
    const auto how = GENERATE(0, 1, 2, 3);
    INFO(how);
    Link link;
    link.bind();
    link.deliver(from_customer("R"), 1);
    if (how == 0) link.send(command::enquire_link, 0, 2);
    link.drop();
    rebind(link);
    if (how == 1) {
        link.drop();
        link.now += 61s;
        rebind(link);
    }
    link.deliver(from_customer(how == 2 ? "T" : "R", how == 3 ? "8613900000002" : "8613900000001"), 1);
    REQUIRE(link.messages.size() == 2);
    CHECK(link.messages[0].message.fingerprint != link.messages[1].message.fingerprint);
}

TEST_CASE("inbox: acknowledgements of a broken connection are not sent over the next one", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(from_customer("hi"), 1);
    const auto token = link.messages[0].token;
    link.drop();
    rebind(link);
    link.acknowledge(token, true);
    CHECK(link.received.empty());
}

TEST_CASE("inbox: a message that was whole but not acknowledged is made again from repeated parts", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(part_of("hel", 2, 1), 1);
    link.deliver(part_of("lo", 2, 2), 2);
    REQUIRE(link.messages.size() == 1);
    link.drop();
    rebind(link);
    link.deliver(part_of("hel", 2, 1), 1);
    link.deliver(part_of("lo", 2, 2), 2);
    REQUIRE(link.messages.size() == 2);
    CHECK(link.messages[1].message.text == "hello");
    CHECK(link.messages[1].message.fingerprint == link.messages[0].message.fingerprint);
}

TEST_CASE("inbox: a peer that ignores answers cannot fill the memory", "[smpp]") {
    Link link;
    link.bind();
    std::string bytes;
    for (std::uint32_t i = 1; i <= 10'050; ++i) append_short_message(bytes, command::deliver_sm, i, from_customer("flood"));
    link.feed(bytes);
    CHECK(link.messages.size() == 10'000);
    CHECK(link.received.size() == 50);
    CHECK(link.received.front().header.status == status::temporary_application_error);
}
