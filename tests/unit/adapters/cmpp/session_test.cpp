#include "adapters/cmpp/session.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <iterator>

#include "adapters/cmpp/adapter.hpp"
#include "gateway/base/text.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::cmpp;
using namespace std::chrono_literals;
using channel::Monotonic;
using channel::Outcome;
using channel::OutcomeKind;
using channel::ReceiptStatus;

namespace {

Settings settings_from(Json json = Json::object(), std::vector<Problem>* problems_out = nullptr) {
    json.update(Json{{"host", "ismg.example"}, {"sp_id", "901234"}, {"secret", "s3cret"}});
    if (!json.contains("source_address")) json["source_address"] = "10690000";
    std::vector<Problem> problems;
    JsonReader reader{json, "/accounts/a", problems};
    auto settings = read_settings(reader);
    reader.finish();
    if (problems_out != nullptr) *problems_out = problems;
    else REQUIRE(problems.empty());
    return settings;
}

struct Pdu { Header header; std::string body; };

// A gateway in memory that answers only what the test says.
struct Link {
    explicit Link(const Settings& settings_to_use)
        : settings{std::make_shared<const Settings>(settings_to_use)}, account{std::make_shared<AccountState>(1)}, session{settings, account, 1} {}

    void connect() {
        now = std::max(now, session.connect_at().value());
        session.on_wall_time(*parse_instant("2026-01-01T19:04:05Z"));
        session.on_connected(now);
        take();
    }
    void login(std::uint8_t version, bool wide) {
        connect();
        const auto request = next();
        REQUIRE(request.header.id == command::connect);
        std::string bytes;
        append_connect_answer(bytes, request.header.sequence,
                              {.status = 0,
                               .authenticator = answer_authenticator(0, wide ? 4 : 1, read_connect(request.body)->authenticator, "s3cret"),
                               .version = version},
                              wide);
        feed(bytes);
    }
    void feed(std::string_view bytes) {
        session.on_bytes(now, bytes);
        take();
    }
    void answer(const Pdu& request, std::uint64_t id, std::uint32_t result, bool wide = false) {
        std::string bytes;
        append_submit_answer(bytes, request.header.sequence, {.message_id = id, .result = result}, wide);
        feed(bytes);
    }
    void submit(channel::AttemptRef ref, std::string text, std::optional<Duration> valid_for = {}) {
        REQUIRE(session.can_submit());
        session.submit(now, {.ref = ref, .to = "+8613900000001", .content = {.text = std::move(text)}, .valid_for = valid_for});
        take();
    }
    void pass(std::chrono::nanoseconds span) {
        const auto end = now + span;
        for (auto at = session.wake_at(); at && *at <= end; at = session.wake_at()) {
            now = std::max(now, *at);
            session.on_wake(now);
            take();
        }
        now = end;
    }
    void acknowledge(channel::AckToken token, bool durable) {
        session.acknowledge(token, durable);
        take();
    }
    void drop() {
        session.on_closed(now, "reset");
        received.clear();
        reader.clear();
        take();
    }
    void take() {
        auto output = session.take_output();
        closed = closed || output.close;
        for (auto& event : output.events) {
            if (auto* up = std::get_if<channel::SessionUp>(&event)) ups.push_back(*up);
            else if (auto* down = std::get_if<channel::SessionDown>(&event)) downs.push_back(*down);
            else if (auto* outcome = std::get_if<channel::AttemptOutcome>(&event)) outcomes.push_back(*outcome);
            else if (auto* receipt = std::get_if<channel::ReceiptArrived>(&event)) receipts.push_back(*receipt);
            else if (auto* message = std::get_if<channel::MessageArrived>(&event)) messages.push_back(*message);
        }
        reader.feed(output.bytes);
        while (const auto frame = reader.next()) received.push_back({frame->header, std::string{frame->body}});
    }
    Pdu next() {
        REQUIRE_FALSE(received.empty());
        auto pdu = received.front();
        received.pop_front();
        return pdu;
    }
    Outcome outcome(channel::AttemptRef ref) {
        const auto found = std::find_if(outcomes.begin(), outcomes.end(), [&](const auto& each) { return each.ref == ref; });
        REQUIRE(found != outcomes.end());
        auto taken = found->outcome;
        outcomes.erase(found);
        return taken;
    }

    std::shared_ptr<const Settings> settings;
    std::shared_ptr<AccountState> account;
    Session session;
    FrameReader reader;
    Monotonic now{1h};
    std::deque<Pdu> received;
    std::vector<channel::SessionUp> ups;
    std::vector<channel::SessionDown> downs;
    std::vector<channel::AttemptOutcome> outcomes;
    std::vector<channel::ReceiptArrived> receipts;
    std::vector<channel::MessageArrived> messages;
    bool closed = false;
};

Deliver text_from(std::string content, std::uint8_t format, std::uint64_t id = 5) {
    Deliver deliver;
    deliver.message_id = id;
    deliver.destination = "10690000";
    deliver.source = "13900000001";
    deliver.format = format;
    deliver.content = std::move(content);
    return deliver;
}

}  // namespace

TEST_CASE("cmpp: it logs in with the digest of China's time and reports a gateway that answers wrongly", "[cmpp]") {
    Link link{settings_from()};
    link.connect();
    const auto request = link.next();
    std::string written;
    append_header_only(written, request.header.id, request.header.sequence);
    CHECK(to_hex(request.body) == "3930313233345e7c1a5ce4498943e74ae19925f61235200614dc45");
    std::string bytes;
    append_connect_answer(bytes, 1, {.status = 0, .authenticator = std::string(16, 'x'), .version = 0x20}, false);
    link.feed(bytes);
    REQUIRE(link.ups.size() == 1);
    CHECK_FALSE(link.ups[0].warning.empty());
    Link good{settings_from()};
    good.login(0x20, true);  // a 3.0 answer to a 2.0 client
    REQUIRE(good.ups.size() == 1);
    CHECK(good.ups[0].warning.empty());
}

TEST_CASE("cmpp: refused log-ins", "[cmpp]") {
    struct Row { std::uint32_t status; bool credentials; };
    const auto row = GENERATE(values<Row>({{2, true}, {3, true}, {1, false}, {5, false}}));
    Link link{settings_from()};
    link.connect();
    std::string bytes;
    append_connect_answer(bytes, 1, {.status = row.status, .authenticator = {}, .version = 0x20}, false);
    link.feed(bytes);
    CHECK(link.closed);
    REQUIRE(link.downs.size() == 1);
    CHECK(link.downs[0].credentials == row.credentials);
    CHECK(link.downs[0].reason.find("s3cret") == std::string::npos);
    link.drop();
    CHECK((*link.session.connect_at() - link.now == 60s) == row.credentials);
}

TEST_CASE("cmpp: a server with a lower version gets that version's layouts", "[cmpp]") {
    Link told{settings_from({{"version", "3.0"}})};
    told.login(0x20, true);
    told.submit(1, "你好");
    CHECK(told.next().header.length == 138 + 21 + 4);
    Link refused{settings_from({{"version", "3.0"}})};
    refused.connect();
    CHECK(read_connect(refused.next().body)->version == Version::v30);
    std::string bytes;
    append_connect_answer(bytes, 1, {.status = 4, .authenticator = {}, .version = 0x20}, true);
    refused.feed(bytes);
    CHECK(refused.closed);
    refused.drop();
    refused.connect();
    CHECK(read_connect(refused.next().body)->version == Version::v20);
    Link wide{settings_from({{"version", "3.0"}})};
    wide.login(0x30, true);
    wide.submit(1, "你好");
    CHECK(wide.next().header.length == 163 + 32 + 4);
}

TEST_CASE("cmpp: a SUBMIT has the bytes of the independent script", "[cmpp]") {
    Link link{settings_from({{"service_id", "SVC"}, {"level", 1}})};
    link.login(0x20, false);
    link.submit(1, "【示例】您好");
    const auto request = link.next();
    std::ifstream file{TOUCHGATE_SOURCE_DIR "/adapters/cmpp/fixtures/pdu_vectors.json"};
    const auto vectors = parse_json(std::string{std::istreambuf_iterator<char>{file}, {}});
    REQUIRE(vectors);
    CHECK(to_hex(request.body) == vectors->at("submit 2.0").get<std::string>().substr(2 * header_bytes));
    link.answer(request, 0x110C414003E90007, 0);
    CHECK(link.outcome(1).ids == std::vector<std::string>{"110c414003e90007"});
}

TEST_CASE("cmpp: how results are classified", "[cmpp]") {
    struct Row { std::uint32_t result; OutcomeKind kind; };
    const auto row = GENERATE(values<Row>({{1, OutcomeKind::refused},
                                           {3, OutcomeKind::unknown},
                                           {6, OutcomeKind::content_rejected},
                                           {8, OutcomeKind::throttled},
                                           {9, OutcomeKind::refused},
                                           {10, OutcomeKind::config},
                                           {13, OutcomeKind::recipient_invalid},
                                           {42, OutcomeKind::refused},
                                           {101, OutcomeKind::refused}}));
    Link link{settings_from()};
    link.login(0x20, false);
    link.submit(1, "hi");
    link.answer(link.next(), 0, row.result);
    const auto outcome = link.outcome(1);
    CHECK(outcome.kind == row.kind);
    CHECK(outcome.code == std::to_string(row.result));
    CHECK(classify_result(101, settings_from({{"outcome_map", {{"101", "recipient_refuses"}}}})).kind == OutcomeKind::recipient_refuses);
}

TEST_CASE("cmpp: long texts are cut at 67 characters with matching part fields", "[cmpp]") {
    Link link{settings_from()};
    link.login(0x20, false);
    std::string text;
    for (int i = 0; i < 71; ++i) text += "中";
    link.submit(1, text);
    REQUIRE(link.received.size() == 2);
    const auto first = link.next();
    const auto second = link.next();
    const auto one = *read_submit(first.body, false);
    const auto two = *read_submit(second.body, false);
    CHECK(one.content.size() == 140);
    CHECK(one.part_total == 2);
    CHECK(two.part_number == 2);
    CHECK(one.user_data_header == 1);
    CHECK(content::read_user_data(one.content).place->reference == content::read_user_data(two.content).place->reference);
    link.answer(second, 22, 0);
    link.answer(first, 11, 0);
    CHECK(link.outcome(1).ids == std::vector<std::string>{message_id_text(11), message_id_text(22)});
    CHECK(segments_of(text, *link.settings) == 2);
}

TEST_CASE("cmpp: formats, validity and numbers follow the settings", "[cmpp]") {
    content::ReferenceNumbers references{1};
    const auto now = *parse_instant("2026-01-01T19:04:05Z");
    const auto first = [&](const Settings& settings, const std::string& to, const std::string& text) {
        auto encoded = encode_submission({.ref = 1, .to = to, .content = {.text = text}, .valid_for = 2h}, settings, references, now);
        REQUIRE(std::holds_alternative<std::vector<Submit>>(encoded));
        return std::get<std::vector<Submit>>(encoded).front();
    };
    CHECK(first(settings_from(), "+8613900000001", "hi").format == 8);
    CHECK(first(settings_from(), "+8613900000001", "hi").valid_time == "260102050405032+");
    CHECK(first(settings_from({{"validity", "provider"}}), "+8613900000001", "hi").valid_time.empty());
    const auto automatic = settings_from({{"text_format", "auto"}, {"destination_format", "86"}});
    CHECK(first(automatic, "+8613900000001", "hi").format == 0);
    CHECK(first(automatic, "+8613900000001", "hi").destination == "8613900000001");
    CHECK(first(automatic, "+8613900000001", std::string(160, 'a')).format == 8);
    CHECK(first(automatic, "+8613900000001", "你").format == 8);
    CHECK(first(settings_from(), "+85291234567", "hi").destination == "85291234567");
    CHECK(std::get<Outcome>(encode_submission({.to = "x", .content = {.text = "hi"}}, automatic, references, now)).kind ==
          OutcomeKind::recipient_invalid);
    CHECK(std::get<Outcome>(encode_submission({.to = "+861", .content = {.text = ""}}, automatic, references, now)).kind ==
          OutcomeKind::content_rejected);
}

TEST_CASE("cmpp: a report becomes a receipt, is answered once durable and not answered when it was not", "[cmpp]") {
    Link link{settings_from()};
    link.login(0x20, false);
    auto deliver = text_from(report_content({.message_id = 0x110C414003E90007,
                                             .stat = "MK:0001",
                                             .submit_time = "2601020304",
                                             .done_time = "2601020305",
                                             .destination = "13900000001",
                                             .sequence = 1},
                                            true),
                             0, 77);
    deliver.registered_delivery = 1;
    std::string bytes;
    append_deliver(bytes, 9, deliver, false);
    link.feed(bytes);
    REQUIRE(link.receipts.size() == 1);
    const auto& receipt = link.receipts[0].receipt;
    CHECK(receipt.provider_ids == std::vector<std::string>{"110c414003e90007"});
    CHECK(receipt.status == ReceiptStatus::failed);
    CHECK(receipt.reason == "mk:0001");
    CHECK(receipt.destination == "+8613900000001");
    CHECK(receipt.at == parse_instant("2026-01-01T19:05:00Z"));
    CHECK(link.received.empty());
    link.acknowledge(link.receipts[0].token, true);
    const auto answer = link.next();
    CHECK(to_hex(answer.body) == "000000000000004d00");
    CHECK(answer.header.sequence == 9);
    link.feed(bytes);
    link.acknowledge(link.receipts[1].token, false);
    CHECK(link.received.empty());
}

TEST_CASE("cmpp: what the status words mean", "[cmpp]") {
    struct Row { std::string word; ReceiptStatus status; };
    const auto row = GENERATE(values<Row>({{"DELIVRD", ReceiptStatus::delivered},
                                           {"EXPIRED", ReceiptStatus::failed},
                                           {"ACCEPTD", ReceiptStatus::pending},
                                           {"UNKNOWN", ReceiptStatus::unknown},
                                           {"REJECTD", ReceiptStatus::failed},
                                           {"MA:0001", ReceiptStatus::failed},
                                           {"MC:0001", ReceiptStatus::unknown},
                                           {"IC:0001", ReceiptStatus::unknown},
                                           {"IB:0008", ReceiptStatus::failed},
                                           {"DB:0141", ReceiptStatus::failed},
                                           {"", ReceiptStatus::unknown}}));
    INFO(row.word);
    CHECK(receipt_status(row.word, settings_from()) == row.status);
    CHECK(receipt_status("DB:0141", settings_from({{"stat_map", {{"DB:*", "recipient_refuses"}}}})) == ReceiptStatus::recipient_refuses);
}

TEST_CASE("cmpp: replies in every format, with the DELIVER's id", "[cmpp]") {
    struct Row { std::uint8_t format; std::string hex, text; };
    const auto row = GENERATE(values<Row>({{8, "90008ba2", "退订"}, {15, "52", "R"}, {15, "cdcbb6a9", "退订"}, {0, "5444", "TD"}}));
    Link link{settings_from()};
    link.login(0x20, false);
    std::string bytes;
    append_deliver(bytes, 12, text_from(*from_hex(row.hex), row.format, 0x110C500003E90009), false);
    for (const char byte : bytes) link.feed({&byte, 1});
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.text == row.text);
    CHECK(link.messages[0].message.from == "+8613900000001");
    CHECK(link.messages[0].message.to == "10690000");
    CHECK(link.messages[0].message.provider_id == "110c500003e90009");
}

TEST_CASE("cmpp: parts of a reply make one message; alone they are delivered after ten minutes", "[cmpp]") {
    Link link{settings_from({{"link_test_interval", "PT1H"}})};
    link.login(0x20, false);
    const auto part = [](const std::string& text, std::uint8_t index, std::uint64_t id, std::uint16_t reference = 7) {
        auto deliver = text_from(content::concatenation_header(content::PartHeader::reference_8_bit, {reference, 2, index}) + text, 0, id);
        deliver.user_data_header = 1;
        return deliver;
    };
    std::string bytes;
    append_deliver(bytes, 1, part("lo", 2, 22), false);
    append_deliver(bytes, 2, part("hel", 1, 21), false);
    append_deliver(bytes, 3, part("alone", 1, 23, 8), false);
    link.feed(bytes);
    REQUIRE(link.messages.size() == 1);
    CHECK(link.messages[0].message.text == "hello");
    CHECK(link.messages[0].message.provider_id == message_id_text(21));
    link.acknowledge(link.messages[0].token, true);
    CHECK(link.received.size() == 2);
    link.pass(12min);
    REQUIRE(link.messages.size() == 2);
    CHECK(link.messages[1].message.text == "alone…");
    CHECK(link.messages[1].message.incomplete);
}

TEST_CASE("cmpp: link tests both ways, three misses end the connection", "[cmpp]") {
    Link link{settings_from()};
    link.login(0x20, false);
    std::string bytes;
    append_header_only(bytes, command::active_test, 99);
    link.feed(bytes);
    CHECK(link.next().header.id == (command::active_test | command::response_bit));
    link.pass(30s);
    const auto test = link.next();
    CHECK(test.header.id == command::active_test);
    bytes.clear();
    append_header_only(bytes, command::active_test | command::response_bit, test.header.sequence);  // 12 bytes
    link.feed(bytes);
    link.pass(30s + 59s);
    CHECK_FALSE(link.closed);
    link.pass(1s);
    CHECK(link.closed);
}

TEST_CASE("cmpp: no answer within a minute is unknown and never sent again; a drop likewise", "[cmpp]") {
    Link link{settings_from({{"link_test_interval", "PT1H"}})};
    link.login(0x20, false);
    link.submit(1, "hi");
    link.next();
    link.pass(60s);
    CHECK(link.outcome(1).kind == OutcomeKind::unknown);
    link.submit(2, "hi");
    link.drop();
    CHECK(link.outcome(2).kind == OutcomeKind::unknown);
    Link ended{settings_from()};
    ended.login(0x20, false);
    std::string bytes;
    append_header_only(bytes, command::terminate, 4);
    ended.feed(bytes);
    CHECK(ended.next().header.id == (command::terminate | command::response_bit));
    CHECK(ended.closed);
}

TEST_CASE("cmpp: garbage ends the connection, unknown commands are ignored", "[cmpp]") {
    Link link{settings_from()};
    link.login(0x20, false);
    std::string bytes;
    append_header_only(bytes, 0x77, 4);
    append_header_only(bytes, command::deliver, 5);
    link.feed(bytes);
    CHECK_FALSE(link.closed);
    CHECK(to_hex(link.next().body) == "000000000000000001");
    link.feed("GET / HTTP/1.1\r\n");
    CHECK(link.closed);
}

TEST_CASE("cmpp: leaving sends TERMINATE and does not come back", "[cmpp]") {
    Link link{settings_from()};
    link.login(0x20, false);
    link.session.shut_down(link.now);
    link.take();
    const auto request = link.next();
    CHECK(request.header.id == command::terminate);
    std::string bytes;
    append_header_only(bytes, command::terminate | command::response_bit, request.header.sequence);
    link.feed(bytes);
    CHECK(link.closed);
    link.drop();
    CHECK_FALSE(link.session.connect_at());
}

TEST_CASE("cmpp: every wrong setting is named, and the adapter is found by name", "[cmpp]") {
    std::vector<Problem> problems;
    (void)settings_from({{"port", 0},
                         {"version", "1.0"},
                         {"source_address", "ACME"},
                         {"fee_code", "1"},
                         {"outcome_map", {{"x", "refused"}}},
                         {"stat_map", {{"A", 1}}},
                         {"surplus", 1}},
                        &problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer.substr(std::string{"/accounts/a/"}.size()));
    std::sort(pointers.begin(), pointers.end());
    CHECK(pointers == std::vector<std::string>{"fee_code", "outcome_map/x", "port", "source_address", "stat_map/A", "surplus", "version"});
    CHECK(adapters::cmpp_adapter().name == "cmpp");
    const Adapter adapter{settings_from()};
    CHECK(adapter.window() == 16);
    CHECK(adapter.endpoint().port == 7890);
    CHECK(adapter.segments("hi") == 1);
    CHECK(adapter.capabilities().has_validity);
    CHECK(adapter.make_session(1) != nullptr);
}
