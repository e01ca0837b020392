#include "tests/unit/adapters/sandbox/scripted_esme.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace touchgate::sandbox::test;

namespace {

std::string id_of(const Said& answer) { return answer.body.substr(0, answer.body.size() - 1); }

std::string field(const std::string& text, const std::string& name) {
    const auto at = text.find(name + ":");
    if (at == std::string::npos) return {};
    const auto value = at + name.size() + 1;
    return text.substr(value, text.find(' ', value) - value);
}

std::uint64_t value(const std::string& text, int base) { return std::stoull(text, nullptr, base); }

}  // namespace

TEST_CASE("receipt: comes after its delay with swapped addresses, the usual text and the parameters", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    const auto id = id_of(centre.say(submit(2)).at(0));
    CHECK(centre.wait(49ms).empty());
    const auto said = centre.wait(1ms);
    REQUIRE(said.size() == 1);
    CHECK(said[0].command == 5);
    const auto receipt = read_deliver(said[0].body);
    CHECK(receipt.source == "8613900000001");
    CHECK(receipt.destination == "10690000");
    CHECK(receipt.esm_class == 0x04);
    CHECK(receipt.text == "id:" + id + " sub:001 dlvrd:001 submit date:2611230200 done date:2611230200 stat:DELIVRD err:000 text:Hello");
    CHECK(receipt.optional == "\x00\x1e\x00"s + byte(static_cast<unsigned>(id.size() + 1)) + id + "\0\x04\x27\0\1\2\x04\x23\0\3\3\0\0"s);
    CHECK(centre.store.message(1)->state == PartState::delivered);
    CHECK(centre.store.message(1)->stat == "DELIVRD");
    centre.say(deliver_answer(said[0].sequence));
    CHECK(centre.peer.statistics().receipts_answered == 1);
    CHECK(centre.peer.deliveries_waiting() == 0);
}

TEST_CASE("receipt: forms with text only and parameters only", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.behaviour.receipt_form = "text";
    centre.say(submit(2));
    const auto text_only = read_deliver(centre.wait(50ms).at(0).body);
    CHECK(text_only.optional.empty());
    CHECK(field(text_only.text, "stat") == "DELIVRD");
    centre.behaviour.receipt_form = "tlv";
    centre.say(submit(3));
    const auto parameters_only = read_deliver(centre.wait(50ms).at(0).body);
    CHECK(parameters_only.text.empty());
    CHECK_FALSE(parameters_only.optional.empty());
}

TEST_CASE("receipt: the four ways in which answer and receipt write one id", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    const auto pair_for = [&](const std::string& form) {
        centre.behaviour.receipt_id = form;
        const auto id = id_of(centre.say(submit(2)).at(0));
        return std::pair{id, field(read_deliver(centre.wait(50ms).at(0).body).text, "id")};
    };
    const auto [same_answer, same_receipt] = pair_for("same");
    CHECK(same_answer == same_receipt);
    const auto [hex_answer, decimal_receipt] = pair_for("hex_to_dec");
    CHECK(value(hex_answer, 16) == value(decimal_receipt, 10));
    const auto [decimal_answer, hex_receipt] = pair_for("dec_to_hex");
    CHECK(value(decimal_answer, 10) == value(hex_receipt, 16));
    const auto [low_answer, high_receipt] = pair_for("upper");
    CHECK(low_answer == to_lower_ascii(high_receipt));
    const auto [bare_answer, padded_receipt] = pair_for("padded");
    CHECK(padded_receipt.size() == 20);
    CHECK(padded_receipt.substr(20 - bare_answer.size()) == bare_answer);
}

TEST_CASE("receipt: only for who asked, and with failures only when only these were asked for", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.say(submit(2, {.registered = 0}));
    centre.say(submit(3, {.registered = 2}));
    CHECK(centre.wait(1s).empty());
    centre.behaviour.receipts = {{"UNDELIV", 1.0}};
    centre.say(submit(4, {.registered = 0}));
    centre.say(submit(5, {.registered = 2}));
    CHECK(centre.wait(1s).size() == 1);
    CHECK(centre.store.message(4)->state == PartState::failed);
}

TEST_CASE("receipt: shares by status word, the rest without; carriers' own words are failures", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.behaviour.receipts = {{"DELIVRD", 0.7}, {"MK:0001", 0.2}};
    for (std::uint32_t i = 0; i < 5'000; ++i) centre.say(submit(i + 2));
    centre.behaviour.deliver_window = 0;
    std::map<std::string, int> words;
    for (const auto& one : centre.wait(1s)) ++words[field(read_deliver(one.body).text, "stat")];
    CHECK(words["DELIVRD"] == Approx(3'500).margin(150));
    CHECK(words["MK:0001"] == Approx(1'000).margin(100));
    CHECK(words.size() == 2);
}

TEST_CASE("receipt: all parts of a long message share one fate, each with its own receipt", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.behaviour.receipts = {{"DELIVRD", 0.5}, {"UNDELIV", 0.5}};
    for (unsigned i = 0; i < 100; ++i)
        for (unsigned part = 1; part <= 3; ++part)
            centre.say(submit(2, {.esm_class = 0x40, .text = "\x05\0\x03"s + byte(i) + "\x03"s + byte(part) + "text"}));
    CHECK(centre.wait(1s).size() == 300);
    int failed = 0;
    centre.store.read(0, false, [&](const StoredMessage& message) {
        CHECK(message.state != PartState::accepted);
        failed += message.state == PartState::failed ? 1 : 0;
        return true;
    });
    CHECK(failed > 30);
    CHECK(failed < 70);
}

TEST_CASE("receipt: early, twice, never, and an intermediate one first", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.behaviour.early_receipt = 1;
    const auto early = centre.say(submit(2));
    REQUIRE(early.size() == 2);
    CHECK(early[0].command == 5);
    CHECK(early[1].command == 0x80000004);
    CHECK(field(read_deliver(early[0].body).text, "id") == id_of(early[1]));
    centre.behaviour.early_receipt = 0;
    centre.behaviour.duplicate_receipt = 1;
    centre.say(submit(3));
    const auto twice = centre.wait(1s);
    REQUIRE(twice.size() == 2);
    CHECK(twice[0].body == twice[1].body);
    CHECK(twice[0].sequence != twice[1].sequence);
    centre.behaviour.duplicate_receipt = 0;
    centre.behaviour.intermediate = 1;
    centre.say(submit(4));
    const auto both = centre.wait(1s);
    REQUIRE(both.size() == 2);
    CHECK(read_deliver(both[0].body).esm_class == 0x20);
    CHECK(field(read_deliver(both[0].body).text, "stat") == "ENROUTE");
    CHECK(read_deliver(both[1].body).esm_class == 0x04);
    centre.behaviour.missing_receipt = 1;
    centre.say(submit(5));
    CHECK(centre.wait(10s).size() == 5);  // none of the new message: the five unanswered ones come again
}

TEST_CASE("delivery: unanswered it comes again over the same connection, until it is answered", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.deliver_timeout = 10s;
    centre.bound();
    centre.say(submit(2));
    const auto first = centre.wait(50ms).at(0);
    CHECK(centre.wait(9s).empty());
    const auto again = centre.wait(2s);
    REQUIRE(again.size() == 1);
    CHECK(again[0].body == first.body);
    CHECK(again[0].sequence != first.sequence);
    centre.say(deliver_answer(first.sequence));  // too late: that number is not awaited any more
    CHECK(centre.peer.deliveries_waiting() == 1);
    centre.say(deliver_answer(again[0].sequence));
    CHECK(centre.wait(60s).empty());
    CHECK(centre.peer.statistics().deliveries_repeated == 1);
}

TEST_CASE("delivery: what a lost connection had not answered comes first over the next one, in order", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.say(submit(2, {.text = "one"}) + submit(3, {.text = "two"}) + submit(4, {.text = "three"}));
    const auto sent = centre.wait(50ms);
    REQUIRE(sent.size() == 3);
    centre.say(deliver_answer(sent[1].sequence));
    centre.peer.on_close(1, centre.now);
    CHECK(centre.peer.deliveries_waiting() == 2);
    centre.connect(2);
    const auto said = centre.say(bind(), 2);
    REQUIRE(said.size() == 3);
    CHECK(said[1].body == sent[0].body);
    CHECK(said[2].body == sent[2].body);
    centre.say(deliver_answer(said[1].sequence) + deliver_answer(said[2].sequence), 2);
    CHECK(centre.peer.deliveries_waiting() == 0);
}

TEST_CASE("delivery: a transmitter gets none, a receiver of the same user gets all", "[sandbox]") {
    MessageCentre centre;
    centre.bound(1, 2);
    centre.bound(2, 1);
    centre.say(submit(2), 1);
    CHECK(centre.wait(60ms, 2).size() == 1);
    CHECK(centre.hear(1).empty());
}

TEST_CASE("delivery: 'try later' is repeated after its delay, a permanent refusal is not", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    centre.say(submit(2));
    centre.say(deliver_answer(centre.wait(50ms).at(0).sequence, 0x64));
    CHECK(centre.wait(999ms).empty());
    const auto again = centre.wait(2ms);
    REQUIRE(again.size() == 1);
    centre.say(deliver_answer(again[0].sequence, 0x65));
    CHECK(centre.wait(60s).empty());
    CHECK(centre.peer.statistics().deliveries_refused == 2);
}

TEST_CASE("delivery: no more than the window is in flight", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.deliver_window = 2;
    centre.bound();
    centre.say(submit(2) + submit(3) + submit(4));
    const auto sent = centre.wait(60ms);
    REQUIRE(sent.size() == 2);
    CHECK(centre.say(deliver_answer(sent[1].sequence)).size() == 1);
}

TEST_CASE("delivery: answers out of order and to unknown numbers are matched by number alone", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.enquire_link = 5s;
    centre.bound();
    centre.say(submit(2) + submit(3) + submit(4));
    const auto sent = centre.wait(60ms);
    REQUIRE(sent.size() == 3);
    centre.say(deliver_answer(sent[2].sequence) + deliver_answer(0) + deliver_answer(999) + deliver_answer(sent[2].sequence));
    CHECK(centre.peer.deliveries_waiting() == 2);
    const auto asked = centre.wait(6s);
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].command == 0x15);
    centre.say(pdu(0x80000015, asked[0].sequence));
    centre.say(submit(5));
    const auto last = centre.wait(60ms);
    REQUIRE(last.size() == 1);
    centre.say(deliver_answer(last[0].sequence) + deliver_answer(sent[0].sequence) + deliver_answer(sent[1].sequence));
    CHECK(centre.peer.deliveries_waiting() == 0);
    CHECK(centre.peer.statistics().receipts_answered == 4);
}

TEST_CASE("inbound: goes to who sent from that address, else to all who listen, else waits for who comes", "[sandbox]") {
    MessageCentre centre;
    CHECK(centre.peer.inbound({.from = "+8613900000001", .to = "10690000", .text = "waits", .user = ""}, centre.now) == 2);
    centre.connect(1);
    const auto first = centre.say(bind(), 1);
    REQUIRE(first.size() == 2);
    const auto message = read_deliver(first[1].body);
    CHECK(message.source == "8613900000001");
    CHECK(message.destination == "10690000");
    CHECK(message.text == "waits");
    CHECK(message.esm_class == 0);
    centre.say(deliver_answer(first[1].sequence));
    CHECK(centre.peer.inbound({.from = "+8613900000001", .to = "10690000", .text = "listens", .user = ""}, centre.now) == 1);
    CHECK(centre.hear(1).size() == 1);
    centre.connect(2);
    centre.say(bind(9, "other", "secret"), 2);
    centre.say(submit(2), 1);
    CHECK(centre.peer.inbound({.from = "+8613900000001", .to = "10690000", .text = "answer", .user = ""}, centre.now) == 1);
    CHECK(centre.hear(2).empty());
    CHECK(centre.hear(1).size() == 1);
    CHECK(centre.peer.inbound({.from = "1", .to = "2", .text = "x", .user = "nobody"}, centre.now) == 0);
}

TEST_CASE("inbound: Chinese goes as UCS-2, a long text in parts that cut neither an escape nor a surrogate pair", "[sandbox]") {
    MessageCentre centre;
    centre.bound();
    const auto said_for = [&](const std::string& text) {
        centre.peer.inbound({.from = "+8613900000001", .to = "10690000", .text = text, .user = "tg"}, centre.now);
        return centre.hear();
    };
    const auto chinese = said_for("退订");
    REQUIRE(chinese.size() == 1);
    CHECK(read_deliver(chinese[0].body).coding == 8);
    CHECK(read_deliver(chinese[0].body).text == bytes("90008ba2"));
    std::string euros, faces;
    for (int i = 0; i < 153; ++i) euros += "€";
    for (int i = 0; i < 67; ++i) faces += "😀";
    for (const auto& text : {euros, faces}) {
        const auto parts = said_for(text);
        REQUIRE(parts.size() == 3);
        std::string joined;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto part = read_deliver(parts[i].body);
            CHECK(part.esm_class == 0x40);
            CHECK(part.text.substr(0, 3) == "\x05\0\x03"s);
            CHECK(part.text.substr(4, 2) == "\x03"s + byte(static_cast<unsigned>(i + 1)));
            joined += decode(part.text.substr(6), part.coding == 8 ? Coding::ucs2 : Coding::gsm);
        }
        CHECK(joined == text);
    }
}

TEST_CASE("inbound: a repeat comes over the next connection, for the first one broke right after the answer", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.mo_repeat = 1;
    centre.bound(1);
    centre.peer.inbound({.from = "+8613900000001", .to = "10690000", .text = "R", .user = "tg"}, centre.now);
    const auto first = centre.hear(1);
    REQUIRE(first.size() == 1);
    CHECK(centre.say(deliver_answer(first[0].sequence)).empty());
    CHECK(centre.ending == Ending::close);
    centre.peer.on_close(1, centre.now);
    centre.connect(2);
    const auto second = centre.say(bind(), 2);
    REQUIRE(second.size() == 2);
    CHECK(second[1].body == first[0].body);
    centre.ending = Ending::none;
    centre.say(deliver_answer(second[1].sequence), 2);
    CHECK(centre.ending == Ending::none);
    CHECK(centre.peer.deliveries_waiting() == 0);
}

TEST_CASE("customers: reply and opt out by share and delay, to the address that wrote to them", "[sandbox]") {
    MessageCentre centre;
    centre.behaviour.receipts = {};
    centre.behaviour.customers = {.reply = 0.2, .opt_out = 0.1, .reply_delay = {1s, 2s}, .replies = {"yes"}, .opt_out_words = {"TD"}};
    centre.behaviour.deliver_window = 0;
    centre.bound();
    for (std::uint32_t i = 0; i < 1'000; ++i) centre.say(submit(i + 2, {.to = "86139" + std::to_string(10'000'000 + i)}));
    CHECK(centre.wait(999ms).empty());
    std::map<std::string, int> words;
    for (const auto& one : centre.wait(2s)) {
        const auto message = read_deliver(one.body);
        CHECK(message.destination == "10690000");
        ++words[message.text];
    }
    CHECK(words["yes"] == Approx(200).margin(40));
    CHECK(words["TD"] == Approx(100).margin(30));
    CHECK(centre.peer.customers().opt_outs() == static_cast<std::uint64_t>(words["TD"]));
    centre.behaviour.customers.reply = centre.behaviour.customers.opt_out = 0;
    for (std::uint32_t i = 0; i < 1'000; ++i) centre.say(submit(i + 2, {.to = "86139" + std::to_string(10'000'000 + i)}));
    CHECK(centre.peer.customers().messages_after_opt_out() == static_cast<std::uint64_t>(words["TD"]));
}

TEST_CASE("query_sm: tells a message's state to its sender only", "[sandbox]") {
    MessageCentre centre;
    centre.bound(1);
    const auto id = id_of(centre.say(submit(2)).at(0));
    const auto query = pdu(3, 7, zero_ended(id) + "\0\0\0"s);
    CHECK(centre.say(query).at(0).body == zero_ended(id) + "\0\1\0"s);
    centre.wait(60ms);
    CHECK(centre.say(query).at(0).body == zero_ended(id) + "\0\2\0"s);
    centre.connect(2);
    centre.say(bind(9, "other", "secret"), 2);
    CHECK(centre.say(query, 2).at(0).status == 0x0C);
    CHECK(centre.say(pdu(3, 7, zero_ended("nonsense"))).at(0).status == 0x0C);
}
