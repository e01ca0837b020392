#include "tests/unit/adapters/sandbox/scripted_esme.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace touchgate::sandbox::test;

TEST_CASE("bind: each kind is answered with its own id, the server's name and its interface version", "[sandbox]") {
    const auto command = GENERATE(1U, 2U, 9U);
    MessageCentre centre;
    centre.connect();
    const auto said = centre.say(bind(command));
    REQUIRE(said.size() == 1);
    CHECK(said[0].command == (command | 0x80000000U));
    CHECK(said[0].status == 0);
    CHECK(said[0].sequence == 1);
    CHECK(said[0].body == "sandbox\0\x02\x10\0\1\x34"s);
    CHECK(centre.peer.bound_sessions() == 1);
}

TEST_CASE("bind: a wrong password, an unknown user, a second bind and a cut body are refused by their own codes", "[sandbox]") {
    MessageCentre centre;
    centre.connect();
    CHECK(centre.say(bind(9, "tg", "wrong")).at(0).status == 0x0E);
    CHECK(centre.say(bind(9, "nobody")).at(0).status == 0x0F);
    CHECK(centre.say(pdu(9, 3, "tg\0pass"s)).at(0).status == 0x02);
    CHECK(centre.say(bind()).at(0).status == 0);
    CHECK(centre.say(bind()).at(0).status == 0x05);
    centre.behaviour.binds_max = 1;
    centre.connect(2);
    CHECK(centre.say(bind(), 2).at(0).status == 0x05);
    centre.behaviour.binds_max = 0;
    centre.behaviour.refuse_bind = 1;
    CHECK(centre.say(bind(), 2).at(0).status == 0x0D);
    CHECK(centre.peer.statistics().binds_refused == 6);
}

TEST_CASE("bind: who does not bind within 30 seconds is disconnected, who did is not", "[sandbox]") {
    MessageCentre centre;
    centre.bound(1);
    centre.connect(2);
    centre.wait(29s, 2);
    CHECK(centre.ending == Ending::none);
    centre.wait(2s, 2);
    CHECK(centre.ending == Ending::close);
    CHECK(centre.peer.bound_sessions() == 1);
}

TEST_CASE("submit: before the bind, and over a receiver's bind, the answer is incorrect bind status", "[sandbox]") {
    MessageCentre centre;
    centre.connect();
    CHECK(centre.say(submit(5)).at(0).status == 0x04);
    CHECK(centre.say(submit(5)).at(0).sequence == 5);
    centre.bound(2, 1);
    CHECK(centre.say(submit(6), 2).at(0).status == 0x04);
    CHECK(centre.store.message_count() == 0);
}

TEST_CASE("stream: PDUs cut anywhere are put together, and several in one read are all answered", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    const auto stream = submit(2) + pdu(0x15, 3) + submit(4);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        auto said = centre.say(std::string_view{stream}.substr(0, cut));
        for (auto& one : centre.say(std::string_view{stream}.substr(cut))) said.push_back(one);
        REQUIRE(said.size() == 3);
        CHECK(said[0].command == 0x80000004);
        CHECK(said[1].command == 0x80000015);
        CHECK(said[2].sequence == 4);
    }
    CHECK(centre.store.message_count() == 2 * (stream.size() + 1));
}

TEST_CASE("stream: a length below 16 or above the cap is nacked and ends the connection, as the stream cannot be trusted any more", "[sandbox]") {
    const auto length = GENERATE(0U, 15U, 70'001U, 0xFFFFFFFFU);
    MessageCentre centre;
    centre.bound();
    std::string stream(116, 'x');
    stream.replace(0, 4, number(length)).replace(4, 12, pdu(4, 77), 4, 12);
    const auto said = centre.say(stream);
    REQUIRE(said.size() == 1);
    CHECK(said[0].command == 0x80000000);
    CHECK(said[0].status == 0x02);
    CHECK(said[0].sequence == 77);
    CHECK(centre.ending == Ending::close);
    CHECK(centre.say(submit(78)).empty());
}

TEST_CASE("stream: an unknown command is nacked with its sequence number and the session goes on; unknown answers are ignored", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    const auto said = centre.say(pdu(0x0777, 9, "abc") + pdu(0x80000777, 10));
    REQUIRE(said.size() == 1);
    CHECK(said[0].command == 0x80000000);
    CHECK(said[0].status == 0x03);
    CHECK(said[0].sequence == 9);
    CHECK(centre.say(submit(11)).at(0).status == 0);
}

TEST_CASE("unbind: is answered, then the connection ends", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    CHECK(centre.say(bytes("0000001000000006000000000000000a")).at(0).command == 0x80000006);
    CHECK(centre.ending == Ending::close);
    CHECK(centre.peer.bound_sessions() == 0);
}

TEST_CASE("enquire_link: a silent session is asked, an active one is not", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.enquire_link = 30s;
    centre.bound();
    centre.wait(20s);
    CHECK(centre.say(pdu(0x15, 5)).size() == 1);
    CHECK(centre.wait(29s).empty());
    const auto said = centre.wait(2s);
    REQUIRE(said.size() == 1);
    CHECK(said[0].command == 0x15);
}

TEST_CASE("submit: what is wrong with a message is told by the specification's code, and nothing is stored", "[sandbox]") {
    struct Row {
        const char* why;
        SubmitFields fields;
        std::uint32_t status;
    };
    const std::vector<Row> rows = {
        {"161 septets", {.text = std::string(161, 'a')}, 0x01},
        {"154 septets behind a header of 6", {.esm_class = 0x40, .text = "\x05\0\x03\x01\x02\x01"s + std::string(154, 'a')}, 0x01},
        {"71 UCS-2 units", {.coding = 8, .text = std::string(142, '\x4e')}, 0x01},
        {"half a UCS-2 unit", {.coding = 8, .text = std::string(3, '\x4e')}, 0x01},
        {"length 255", {.text = std::string(255, 'a')}, 0x01},
        {"text in both places", {.text = "a", .optional = "\x04\x24\0\1b"s}, 0x01},
        {"cut TLV", {.optional = "\x04\x24\0\x05"s "b"}, 0xC4},
        {"priority 4", {.priority = 4}, 0x06},
        {"registered_delivery 3", {.registered = 3}, 0x07},
        {"validity of 5 characters", {.validity = "12345"}, 0x62},
        {"destination with a plus sign", {.to = "+8613900000001"}, 0x0B},
        {"no destination", {.to = ""}, 0x0B},
        {"header bit without header", {.esm_class = 0x40, .text = ""}, 0x43},
        {"header longer than the message", {.esm_class = 0x40, .text = "\x20\0\x03"s}, 0x43},
        {"part 3 of 2", {.esm_class = 0x40, .text = "\x05\0\x03\x01\x02\x03zz"s}, 0x43},
        {"part 0", {.esm_class = 0x40, .text = "\x05\0\x03\x01\x02\0zz"s}, 0x43},
        {"SAR part 3 of 2", {.optional = "\x02\x0c\0\2\0\1\x02\x0e\0\1\2\x02\x0f\0\1\3"s}, 0xC4},
        {"header and SAR both", {.esm_class = 0x40, .text = "\x05\0\x03\x01\x02\x01z"s, .optional = "\x02\x0c\0\2\0\1\x02\x0e\0\1\2\x02\x0f\0\1\1"s}, 0xC4},
    };
    MessageCentre centre;
    centre.bound();
    for (const auto& row : rows) {
        INFO(row.why);
        const auto said = centre.say(submit(9, row.fields));
        REQUIRE(said.size() == 1);
        CHECK(said[0].status == row.status);
        CHECK(said[0].body.empty());
    }
    CHECK(centre.say(pdu(4, 9, "\0\1\1abc"s)).at(0).status == 0x02);  // body ends in the middle
    CHECK(centre.store.message_count() == 0);
    CHECK(centre.peer.statistics().refused.at(0x01) == 6);
}

TEST_CASE("submit: exactly full parts are taken, and long ones when the check of lengths is off", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    CHECK(centre.say(submit(2, {.text = std::string(160, 'a')})).at(0).status == 0);
    CHECK(centre.say(submit(3, {.coding = 8, .text = std::string(140, '\x4e')})).at(0).status == 0);
    CHECK(centre.say(submit(4, {.esm_class = 0x40, .text = "\x05\0\x03\x01\x02\x01"s + std::string(153, 'a')})).at(0).status == 0);
    CHECK(centre.say(submit(5, {.esm_class = 0x40, .text = "\x06\x08\x04\0\x01\x02\x01"s + std::string(152, 'a')})).at(0).status == 0);
    centre.behaviour.strict_length = false;
    CHECK(centre.say(submit(6, {.text = std::string(200, 'a')})).at(0).status == 0);
}

TEST_CASE("submit: the recorded PDUs of an independent implementation are read as their authors meant them", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.say(bytes("0000004000000004000000000000000200050041434d4500010138363133393030303030303031000000000000010000000e48656c6c6f2000201b281b651b29"));
    centre.say(bytes("0000004600000004000000000000000300010131303639303030300001013836313339303030303030303100000000000001000800103010793a4f8b30114f60597dd83dde00"));
    centre.say(bytes("0000003e0000000400000000000000070000003130363930303030000101383631333930303030303030310000000000000100080000042400044f60597d"));
    const auto first = centre.store.message(1).value();
    CHECK(first.text == "Hello @ {€}");
    CHECK(first.from == "ACME");
    CHECK(first.to == "8613900000001");
    CHECK(first.account_user == "tg");
    CHECK(first.at == centre.now.wall);
    CHECK(first.answered);
    CHECK(centre.store.message(2)->text == "【示例】你好😀");
    CHECK(centre.store.message(3)->text == "你好");
    CHECK(centre.store.message(3, true)->raw.at(0).size() == 0x3E);
}

TEST_CASE("long messages: parts by 8-bit, 16-bit and SAR references join in any order, over several connections, and a repeat is no new message", "[sandbox]") {
    MessageCentre centre;
    centre.bound(1);
    centre.bound(2);
    const auto sar = [](char index) { return "\x02\x0c\0\2\x12\x34\x02\x0e\0\1\2\x02\x0f\0\1"s + index; };
    centre.say(submit(2, {.esm_class = 0x40, .text = "\x05\0\x03\x2a\x02\x02world"s}), 1);
    centre.say(submit(2, {.esm_class = 0x40, .text = "\x06\x08\x04\x12\x34\x03\x01one "s}), 2);
    centre.say(submit(3, {.text = "second", .optional = sar(2)}), 1);
    CHECK(centre.peer.incomplete_messages() == 3);
    CHECK(centre.store.message_count() == 0);
    centre.say(submit(3, {.esm_class = 0x40, .text = "\x05\0\x03\x2a\x02\x02world"s}), 1);
    CHECK(centre.peer.statistics().repeated_parts == 1);
    centre.say(submit(4, {.esm_class = 0x40, .text = "\x05\0\x03\x2a\x02\x01hello "s}), 2);
    centre.say(submit(5, {.esm_class = 0x40, .text = "\x06\x08\x04\x12\x34\x03\x03three"s}), 1);
    centre.say(submit(6, {.esm_class = 0x40, .text = "\x06\x08\x04\x12\x34\x03\x02two "s}), 1);
    centre.say(submit(7, {.text = "first ", .optional = sar(1)}), 2);
    REQUIRE(centre.store.message_count() == 3);
    CHECK(centre.store.message(1)->text == "hello world");
    CHECK(centre.store.message(1)->parts == 2);
    CHECK(centre.store.message(2)->text == "one two three");
    CHECK(centre.store.message(2)->parts == 3);
    CHECK(centre.store.message(3)->text == "first second");
    CHECK(centre.peer.incomplete_messages() == 0);
}

TEST_CASE("long messages: an incomplete one does not hold back the sweeping of thousands that were completed after it", "[sandbox]") {
    Assembly assembly;
    const auto place = [](unsigned reference, unsigned index) {
        return smpp::PartPlace{smpp::Joining::udh16, static_cast<std::uint16_t>(reference), 2, static_cast<std::uint8_t>(index)};
    };
    CHECK(assembly.add(1, "a", "b", place(0, 2), 1, 7).complete.empty());
    for (unsigned i = 1; i < 20'000; ++i) {
        assembly.add(1, "a", "b", place(i, 1), 2 * i, 0);
        REQUIRE(assembly.add(1, "a", "b", place(i, 2), 2 * i + 1, 0).complete == std::vector<PartNumber>{2 * i, 2 * i + 1});
    }
    CHECK(assembly.incomplete() == 1);
    const auto last = assembly.add(1, "a", "b", place(0, 1), 9, 8);
    CHECK(last.complete == std::vector<PartNumber>{9, 1});
    CHECK(last.fate == 7);
}

TEST_CASE("faults: shares of refusals come out as asked for, and the same seed refuses the same messages", "[sandbox]") {
    const auto refusals = [](std::uint64_t seed) {
        MessageCentre centre{seed};
        centre.bound();
        centre.behaviour.throttle = 0.1;
        centre.behaviour.queue_full = 0.05;
        centre.behaviour.errors = {{"0x0B", 0.2}};
        std::vector<std::uint32_t> statuses;
        for (std::uint32_t i = 0; i < 10'000; ++i) statuses.push_back(centre.say(submit(i + 2)).at(0).status);
        return statuses;
    };
    const auto first = refusals(42);
    CHECK(first == refusals(42));
    CHECK(first != refusals(43));
    const auto share = [&](std::uint32_t status) { return static_cast<double>(std::count(first.begin(), first.end(), status)) / 10'000; };
    CHECK(share(0x58) == Approx(0.1).margin(0.015));
    CHECK(share(0x14) == Approx(0.05).margin(0.01));
    CHECK(share(0x0B) == Approx(0.2).margin(0.02));
    CHECK(share(0) == Approx(0.65).margin(0.02));
}

TEST_CASE("faults: above the rate submits are throttled until time has passed", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.behaviour.rate = 10;
    CHECK(centre.say(submit(2)).at(0).status == 0);
    CHECK(centre.say(submit(3)).at(0).status == 0x58);
    centre.wait(100ms);
    CHECK(centre.say(submit(4)).at(0).status == 0);
}

TEST_CASE("faults: a late answer counts in the window until it is given", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.behaviour.response_delay = {20ms, 20ms};
    centre.behaviour.window_max = 2;
    centre.behaviour.receipts = {};
    CHECK(centre.say(submit(2) + submit(3)).empty());
    CHECK_FALSE(centre.store.message(1)->answered);
    CHECK(centre.say(submit(4)).at(0).status == 0x58);
    const auto late = centre.wait(20ms);
    REQUIRE(late.size() == 2);
    CHECK(late[0].sequence == 2);
    CHECK(centre.store.message(1)->answered);
    CHECK(centre.say(submit(5)).empty());
}

TEST_CASE("faults: some answers are overtaken by later ones", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.behaviour.out_of_order = 0.5;
    centre.behaviour.receipts = {};
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 2; i < 50; ++i)
        for (const auto& one : centre.say(submit(i))) order.push_back(one.sequence);
    for (const auto& one : centre.wait(1s)) order.push_back(one.sequence);
    CHECK(order.size() == 48);
    CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("faults: after the n-th accepted message the connection closes, resets or goes dead, and that message is kept without an answer", "[sandbox]") {
    const auto [kind, ending] = GENERATE(table<std::string, Ending>({{"drop", Ending::close}, {"reset", Ending::reset}, {"half_open", Ending::none}}));
    INFO(kind);
    MessageCentre centre;
    (kind == "drop" ? centre.behaviour.drop_after : kind == "reset" ? centre.behaviour.reset_after : centre.behaviour.half_open_after) = 3;
    centre.bound();
    const auto said = centre.say(submit(2) + submit(3) + submit(4) + submit(5) + pdu(0x15, 6));
    CHECK(said.size() == (kind == "reset" ? 0U : 2U));  // a reset takes what was not yet written with it
    CHECK(centre.ending == ending);
    CHECK(centre.store.message_count() == 3);
    CHECK(centre.store.message(2)->answered == (kind != "reset"));
    CHECK_FALSE(centre.store.message(3)->answered);
    CHECK(centre.say(submit(7)).empty());
    CHECK(centre.peer.bound_sessions() == 0);
    centre.peer.on_close(1, centre.now);
    centre.bound(2);
    CHECK(centre.say(submit(2), 2).at(0).status == 0);
}

TEST_CASE("faults: no_response takes the message and stays silent", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.no_response = 1;
    centre.bound();
    CHECK(centre.say(submit(2)).empty());
    REQUIRE(centre.store.message_count() == 1);
    CHECK_FALSE(centre.store.message(1)->answered);
    CHECK(centre.wait(1s).at(0).command == 5);  // the receipt comes all the same
}

TEST_CASE("faults: a refused connection is closed before a word is said", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.refuse_connection = 1;
    centre.connect();
    CHECK(centre.hear().empty());
    CHECK(centre.ending == Ending::close);
}

TEST_CASE("robustness: random bytes after a bind never harm the peer", "[sandbox]") {
    Random random{99};
    for (int round = 0; round < 2'000; ++round) {
        MessageCentre centre{static_cast<std::uint64_t>(round)};
        centre.bound();
        auto stream = submit(2, {.esm_class = 0x40, .text = "\x05\0\x03\x2a\x02\x02world"s, .optional = "\x02\x0c\0\2\0\1"s}) + deliver_answer(1) + bind();
        for (int i = 0; i < 5; ++i) stream[static_cast<std::size_t>(random.below(stream.size()))] = static_cast<char>(random.below(256));
        centre.say(stream);
        centre.wait(1s);
    }
    SUCCEED();
}
