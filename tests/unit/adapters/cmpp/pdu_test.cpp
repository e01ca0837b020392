#include "adapters/cmpp/pdu.hpp"

#include <fstream>
#include <iterator>

#include "gateway/base/text.hpp"
#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::cmpp;

namespace {

std::string vector_bytes(const std::string& name) {
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/cmpp/fixtures/pdu_vectors.json"};
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

constexpr std::uint64_t submit_id = 0x110C'4140'03E9'0007;
constexpr std::uint64_t deliver_id = 0x110C'5000'03E9'0008;

}  // namespace

TEST_CASE("cmpp: the log-in digest is that of the standard and of another implementation", "[cmpp]") {
    CHECK(to_hex(connect_authenticator("901234", "s3cret", 102030405)) == "5e7c1a5ce4498943e74ae19925f61235");  // a date with nine digits
    CHECK(to_hex(connect_authenticator("900001", "888888", 1021080510)) == "90d00c1d517abd0b4f65f6bcf8535d16");
    const auto request = connect_authenticator("901234", "s3cret", 102030405);
    CHECK(to_hex(answer_authenticator(0, 1, request, "s3cret")) == "a086717bbdaaf187c33802ed2807da3b");
    CHECK(to_hex(answer_authenticator(0, 4, request, "s3cret")) == "6839891af2c2a3ba0c6cdebdd4df7249");
}

TEST_CASE("cmpp: the log-in's time is China's, whatever the date", "[cmpp]") {
    CHECK(connect_timestamp(*parse_instant("2026-01-01T19:04:05Z")) == 102030405);
    CHECK(connect_timestamp(*parse_instant("2026-12-31T16:00:00Z")) == 101000000);
    CHECK(connect_timestamp(*parse_instant("2026-11-23T02:00:59.999Z")) == 1123100059);
}

TEST_CASE("cmpp: CONNECT and its answers read and write the same bytes", "[cmpp]") {
    for (const auto version : {Version::v20, Version::v30}) {
        const auto bytes = vector_bytes(version == Version::v20 ? "connect v20" : "connect v30");
        std::string written;
        append_connect(written, 1,
                       {.source_address = "901234",
                        .authenticator = connect_authenticator("901234", "s3cret", 102030405),
                        .version = version,
                        .timestamp = 102030405});
        CHECK(to_hex(written) == to_hex(bytes));
        FrameReader reader;
        const auto connect = read_connect(only_frame(reader, bytes).body);
        REQUIRE(connect);
        CHECK(connect->source_address == "901234");
        CHECK(connect->version == version);
        CHECK(connect->timestamp == 102030405);
    }
    for (const bool wide : {false, true}) {
        const auto bytes = vector_bytes(wide ? "connect_resp 3.0" : "connect_resp 2.0");
        FrameReader reader;
        const auto answer = read_connect_answer(only_frame(reader, bytes).body);
        REQUIRE(answer);
        CHECK(answer->status == 0);
        CHECK(answer->version == (wide ? 0x30 : 0x20));
        std::string written;
        append_connect_answer(written, 1, *answer, wide);
        CHECK(to_hex(written) == to_hex(bytes));
    }
}

TEST_CASE("cmpp: SUBMIT in both versions and as a part reads and writes the same bytes", "[cmpp]") {
    struct Row { std::string name; bool wide; std::uint32_t sequence; };
    const auto row = GENERATE(values<Row>({{"submit 2.0", false, 2}, {"submit 3.0", true, 2}, {"submit 2.0 long 1/2", false, 3}}));
    INFO(row.name);
    const auto bytes = vector_bytes(row.name);
    FrameReader reader;
    const auto frame = only_frame(reader, bytes);
    CHECK(frame.header.id == command::submit);
    const auto submit = read_submit(frame.body, row.wide);
    REQUIRE(submit);
    CHECK(submit->service_id == "SVC");
    CHECK(submit->source_id == "901234");
    CHECK(submit->source_number == "10690000");
    CHECK(submit->destination == "13900000001");
    CHECK(submit->format == 8);
    CHECK(submit->fee_user_type == 2);
    CHECK(submit->part_total == (row.sequence == 3 ? 2 : 1));
    CHECK(submit->user_data_header == (row.sequence == 3 ? 1 : 0));
    std::string written;
    append_submit(written, row.sequence, *submit, row.wide);
    CHECK(to_hex(written) == to_hex(bytes));
}

TEST_CASE("cmpp: answers to SUBMIT are read by their length", "[cmpp]") {
    struct Row { std::string name; bool wide; std::uint64_t id; std::uint32_t result; };
    const auto row = GENERATE(values<Row>(
        {{"submit_resp 2.0 ok", false, submit_id, 0}, {"submit_resp 3.0 ok", true, submit_id, 0}, {"submit_resp 2.0 flow control", false, 0, 8}}));
    INFO(row.name);
    const auto bytes = vector_bytes(row.name);
    FrameReader reader;
    const auto answer = read_submit_answer(only_frame(reader, bytes).body);
    REQUIRE(answer);
    CHECK(answer->message_id == row.id);
    CHECK(answer->result == row.result);
    std::string written;
    append_submit_answer(written, 2, *answer, row.wide);
    CHECK(to_hex(written) == to_hex(bytes));
    CHECK(message_id_text(submit_id) == "110c414003e90007");
}

TEST_CASE("cmpp: DELIVER with a report and with text reads and writes the same bytes", "[cmpp]") {
    struct Row { std::string name; bool wide, report; std::uint32_t sequence; };
    const auto row = GENERATE(values<Row>({{"deliver 2.0 report", false, true, 11},
                                           {"deliver 3.0 report", true, true, 11},
                                           {"deliver 2.0 MO", false, false, 12},
                                           {"deliver 3.0 MO", true, false, 12}}));
    INFO(row.name);
    const auto bytes = vector_bytes(row.name);
    FrameReader reader;
    const auto deliver = read_deliver(only_frame(reader, bytes).body, row.wide);
    REQUIRE(deliver);
    CHECK(deliver->destination == "10690000");
    CHECK(deliver->source == "13900000001");
    CHECK((deliver->registered_delivery == 1) == row.report);
    std::string written;
    append_deliver(written, row.sequence, *deliver, row.wide);
    CHECK(to_hex(written) == to_hex(bytes));
    if (!row.report) return;
    const auto report = read_report(deliver->content);
    REQUIRE(report);
    CHECK(report->message_id == submit_id);
    CHECK(report->stat == "DELIVRD");
    CHECK(report->done_time == "2601020305");
    CHECK(report->destination == "13900000001");
    CHECK(report->sequence == 0x12345678);
    CHECK(report_content(*report, row.wide) == deliver->content);
}

TEST_CASE("cmpp: reports of other lengths are read as far as they go", "[cmpp]") {
    Report report{.message_id = submit_id,
                  .stat = "UNDELIV",
                  .submit_time = "2601020304",
                  .done_time = "2601020305",
                  .destination = "13900000001",
                  .sequence = 5};
    CHECK(read_report(report_content(report, false))->destination == "13900000001");  // 60 bytes, whatever the version
    auto odd = report_content(report, false);
    odd.erase(35, 10);  // a number field of 11 bytes
    REQUIRE(read_report(odd));
    CHECK(read_report(odd)->sequence == 5);
    CHECK(read_report(odd)->stat == "UNDELIV");
    CHECK_FALSE(read_report(std::string(38, 'x')));
    CHECK_FALSE(read_report(""));
}

TEST_CASE("cmpp: the small PDUs", "[cmpp]") {
    const auto check = [](const std::string& name, const auto& append) {
        std::string written;
        append(written);
        INFO(name);
        CHECK(to_hex(written) == to_hex(vector_bytes(name)));
    };
    check("deliver_resp 2.0", [](std::string& out) { append_deliver_answer(out, 11, deliver_id, 0, false); });
    check("deliver_resp 3.0", [](std::string& out) { append_deliver_answer(out, 11, deliver_id, 0, true); });
    check("active_test", [](std::string& out) { append_header_only(out, command::active_test, 0x14); });
    check("active_test_resp", [](std::string& out) { append_active_test_answer(out, 0x14); });
    check("terminate", [](std::string& out) { append_header_only(out, command::terminate, 0x15); });
    check("terminate_resp", [](std::string& out) { append_header_only(out, command::terminate | command::response_bit, 0x15); });
}

TEST_CASE("cmpp: bodies cut anywhere give nothing, never a fault; impossible lengths mark the stream", "[cmpp]") {
    for (const auto* name : {"submit 3.0", "deliver 3.0 report", "deliver 2.0 MO", "connect v30", "connect_resp 3.0", "submit_resp 3.0 ok"}) {
        const auto body = vector_bytes(name).substr(header_bytes);
        for (std::size_t size = 0; size <= body.size(); ++size) {
            const auto cut = std::string_view{body}.substr(0, size);
            for (const bool wide : {false, true}) {
                (void)read_submit(cut, wide);
                (void)read_deliver(cut, wide);
            }
            (void)read_connect(cut);
            (void)read_connect_answer(cut);
            (void)read_submit_answer(cut);
            (void)read_report(cut);
        }
    }
    CHECK_FALSE(read_submit_answer("12345678"));
    for (const auto* hex : {"0000000b", "00001001", "ffffffff"}) {
        FrameReader reader;
        reader.feed(*from_hex(hex));
        CHECK_FALSE(reader.next());
        CHECK(reader.damaged());
    }
}

TEST_CASE("cmpp: two PDUs in one piece, and one in three", "[cmpp]") {
    const auto first = vector_bytes("deliver 2.0 MO");
    const auto second = vector_bytes("active_test");
    FrameReader reader;
    reader.feed(first + second);
    CHECK(reader.next()->header.id == command::deliver);
    CHECK(reader.next()->header.id == command::active_test);
    CHECK_FALSE(reader.next());
    reader.feed(first.substr(0, 3));
    CHECK_FALSE(reader.next());
    reader.feed(first.substr(3, 50));
    CHECK_FALSE(reader.next());
    reader.feed(first.substr(53));
    CHECK(reader.next()->body == first.substr(header_bytes));
}
