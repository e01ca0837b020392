#include "adapters/smpp/pdu.hpp"

#include <fstream>
#include <iterator>

#include "gateway/base/text.hpp"
#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::smpp;

namespace {

std::string vector_bytes(const std::string& name) {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/smpp/fixtures/pdu_vectors.json"};
    const auto json = parse_json(std::string{std::istreambuf_iterator<char>{file}, {}});
    REQUIRE(json);
    return from_hex(json->at(name).get<std::string>()).value();
}

Frame only_frame(FrameReader& reader, std::string_view bytes) {
    reader.feed(bytes);
    const auto frame = reader.next();
    REQUIRE(frame);
    return *frame;
}

// Reads the vector and writes what was read: both directions must agree with the bytes.
ShortMessage round_trip(const std::string& name, std::uint32_t id) {
    const auto bytes = vector_bytes(name);
    FrameReader reader;
    const auto frame = only_frame(reader, bytes);
    CHECK(frame.header.id == id);
    const auto message = read_short_message(frame.body);
    REQUIRE(message);
    std::string written;
    append_short_message(written, id, frame.header.sequence, *message);
    CHECK(to_hex(written) == to_hex(bytes));
    return *message;
}

}  // namespace

TEST_CASE("smpp: bind and its answer have the bytes of the independent encoder", "[smpp]") {
    std::string written;
    append_bind(written, command::bind_transceiver, 1, {.system_id = "esme01", .password = "secret08"});
    CHECK(to_hex(written) == to_hex(vector_bytes("bind_transceiver")));
    FrameReader reader;
    const auto bind = read_bind(only_frame(reader, written).body);
    REQUIRE(bind);
    CHECK(bind->system_id == "esme01");
    CHECK(bind->password == "secret08");
    CHECK(bind->interface_version == 0x34);

    written.clear();
    append_bind_answer(written, command::bind_transceiver, 0, 1,
                       {.system_id = "SMSC", .tlvs = {{.tag = tag::sc_interface_version, .value = "\x34"}}});
    CHECK(to_hex(written) == to_hex(vector_bytes("bind_transceiver_resp")));
    FrameReader other;
    const auto answer = read_bind_answer(only_frame(other, written).body);
    REQUIRE(answer);
    CHECK(answer->system_id == "SMSC");
}

TEST_CASE("smpp: submit_sm in every way of carrying text reads and writes the same bytes", "[smpp]") {
    const auto gsm = round_trip("submit_gsm", command::submit_sm);
    CHECK(gsm.source == Address{5, 0, "ACME"});
    CHECK(gsm.destination == Address{1, 1, "8613900000001"});
    CHECK(gsm.registered_delivery == 1);
    CHECK(gsm.data_coding == 0);
    const auto ucs2 = round_trip("submit_ucs2", command::submit_sm);
    CHECK(ucs2.data_coding == 8);
    CHECK(ucs2.short_message.size() == 16);
    CHECK(round_trip("submit_udh8_part_1", command::submit_sm).esm_class == 0x40);
    CHECK(round_trip("submit_udh16_part_2", command::submit_sm).short_message.starts_with(std::string{"\x06\x08\x04\x12\x34\x02\x02", 7}));
    const auto sar = round_trip("submit_sar_part_1", command::submit_sm);
    REQUIRE(sar.find(tag::sar_msg_ref_num));
    CHECK(to_hex(sar.find(tag::sar_msg_ref_num)->value) == "1234");
    const auto payload = round_trip("submit_payload", command::submit_sm);
    CHECK(payload.short_message.empty());
    CHECK(to_hex(payload.bytes()) == "4f60597d");
}

TEST_CASE("smpp: a receipt with its optional parameters reads and writes the same bytes", "[smpp]") {
    const auto receipt = round_trip("deliver_receipt", command::deliver_sm);
    CHECK(receipt.esm_class == 0x04);
    REQUIRE(receipt.find(tag::receipted_message_id));
    CHECK(receipt.find(tag::receipted_message_id)->value == std::string("4f3a2b1c\0", 9));
    CHECK(receipt.find(tag::message_state)->value == "\x02");
}

TEST_CASE("smpp: answers and header-only PDUs", "[smpp]") {
    std::string written;
    append_message_answer(written, command::submit_sm, 0, 2, "4f3a2b1c");
    CHECK(to_hex(written) == to_hex(vector_bytes("submit_resp")));
    FrameReader reader;
    CHECK(read_message_id(only_frame(reader, written).body) == "4f3a2b1c");
    const auto check = [](const std::string& name, std::uint32_t id, std::uint32_t code, std::uint32_t sequence) {
        std::string bytes;
        append_header_only(bytes, id, code, sequence);
        CHECK(to_hex(bytes) == to_hex(vector_bytes(name)));
        FrameReader own;
        const auto frame = only_frame(own, bytes);
        CHECK(frame.header.status == code);
        CHECK(frame.header.sequence == sequence);
        CHECK(frame.body.empty());
    };
    check("submit_resp_throttled", command::submit_sm | command::response_bit, status::throttled, 2);
    check("enquire_link", command::enquire_link, 0, 8);
    check("enquire_link_resp", command::enquire_link | command::response_bit, 0, 8);
    check("generic_nack", command::generic_nack, status::invalid_command_id, 9);
    check("unbind", command::unbind, 0, 10);
    written.clear();
    append_message_answer(written, command::deliver_sm, 0, 1, {});
    CHECK(to_hex(written) == to_hex(vector_bytes("deliver_resp")));
    written.clear();
    append_message_answer(written, command::submit_sm, status::throttled, 2, {});
    CHECK(to_hex(written) == to_hex(vector_bytes("submit_resp_throttled")));
}

TEST_CASE("smpp: the same PDUs come out whether the bytes arrive at once or one by one", "[smpp]") {
    const auto stream = vector_bytes("submit_gsm") + vector_bytes("enquire_link") + vector_bytes("deliver_receipt");
    FrameReader at_once;
    at_once.feed(stream);
    FrameReader one_by_one;
    std::vector<std::string> bodies;
    for (const char byte : stream) {
        one_by_one.feed({&byte, 1});
        while (const auto frame = one_by_one.next()) bodies.emplace_back(frame->body);
    }
    CHECK(bodies.size() == 3);
    for (const auto& body : bodies) {
        const auto frame = at_once.next();
        REQUIRE(frame);
        CHECK(frame->body == body);
    }
    CHECK_FALSE(at_once.next());
    CHECK_FALSE(at_once.holds_partial_pdu());
}

TEST_CASE("smpp: an impossible length marks the stream as damaged", "[smpp]") {
    const auto hex = GENERATE(as<std::string>{}, "00000000", "0000000f", "ffffffff", "00011171");
    INFO(hex);
    FrameReader reader;
    reader.feed(*from_hex(hex));
    CHECK_FALSE(reader.next());
    CHECK(reader.damaged());
    reader.feed(vector_bytes("enquire_link"));
    CHECK_FALSE(reader.next());
    reader.clear();
    reader.feed(vector_bytes("enquire_link"));
    CHECK(reader.next());
}

TEST_CASE("smpp: a body cut anywhere gives nothing or a shorter message, never a fault", "[smpp]") {
    const auto body = vector_bytes("deliver_receipt").substr(header_bytes);
    const std::size_t mandatory = body.size() - (4 + 9) - (4 + 1) - (4 + 3);
    for (std::size_t size = 0; size < body.size(); ++size) {
        const auto message = read_short_message(std::string_view{body}.substr(0, size));
        CHECK(message.has_value() == (size >= mandatory));
        (void)read_data_message(std::string_view{body}.substr(0, size));
        (void)read_bind(std::string_view{body}.substr(0, size));
        (void)read_bind_answer(std::string_view{body}.substr(0, size));
    }
    CHECK(read_message_id("abc") == "abc");  // some centres forget the final zero
    CHECK_FALSE(read_message_id(""));
    CHECK(read_message_id(std::string(1, '\0')) == "");
}

TEST_CASE("smpp: status codes have names and two digits at least", "[smpp]") {
    CHECK(status_code(0x0B) == "0x0B");
    CHECK(status_code(0x58) == "0x58");
    CHECK(status_code(0x400) == "0x400");
    CHECK(status_name(0x58) == "ESME_RTHROTTLED");
    CHECK(status_name(0x401) == "vendor specific");
    CHECK(status_name(0x99) == "reserved");
}
