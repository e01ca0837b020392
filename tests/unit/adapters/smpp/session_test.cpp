#include "adapters/smpp/session.hpp"

#include "gateway/base/text.hpp"
#include "tests/unit/adapters/smpp/scripted_peer.hpp"

using namespace touchgate;
using namespace touchgate::adapters::smpp;
using namespace touchgate::adapters::smpp::test;

TEST_CASE("session: it connects at once, binds, and only then takes submits", "[smpp]") {
    Link link;
    CHECK(link.session->connect_at() <= link.now);
    link.connect();
    CHECK_FALSE(link.session->connect_at());
    CHECK_FALSE(link.session->can_submit());
    const auto bind = link.next();
    CHECK(bind.header.sequence == 1);
    CHECK(read_bind(bind.body)->password == "secret08");
    std::string answer;
    append_bind_answer(answer, command::bind_transceiver, 0, 1, {.system_id = "SMSC", .tlvs = {}});
    for (const char byte : answer) link.feed({&byte, 1});  // half PDUs
    CHECK(link.ups == 1);
    CHECK(link.session->can_submit());
}

TEST_CASE("session: answers out of order settle the right attempts", "[smpp]") {
    Link link;
    link.bind();
    for (channel::AttemptRef ref = 1; ref <= 3; ++ref) link.submit(ref);
    const auto first = link.next();
    const auto second = link.next();
    const auto third = link.next();
    CHECK(read_short_message(first.body)->destination.digits == "8613900000001");
    CHECK(read_short_message(first.body)->registered_delivery == 1);
    link.answer(third, 0, "C");
    link.answer(first, status::invalid_destination);
    link.answer(second, 0, "B");
    CHECK(link.outcome(3).ids == std::vector<std::string>{"C"});
    const auto refused = link.outcome(1);
    CHECK(refused.kind == OutcomeKind::recipient_invalid);
    CHECK(refused.code == "0x0B");
    CHECK(refused.detail == "ESME_RINVDSTADR");
    CHECK(link.outcome(2).kind == OutcomeKind::accepted);
    link.answer(second, 0, "B");  // an answer that nobody waits for
    CHECK(link.outcomes.empty());
}

TEST_CASE("session: the window holds PDUs, and the parts of a long message wait for places inside the session", "[smpp]") {
    auto settings = test_settings();
    settings.window = 2;
    Link link{settings};
    link.bind();
    link.submit(1, std::string(400, 'a'));  // three parts
    CHECK(link.received.size() == 2);
    CHECK_FALSE(link.session->can_submit());
    const auto first = link.next();
    const auto second = link.next();
    link.answer(second, 0, "B");
    CHECK(link.received.size() == 1);
    const auto third = link.next();
    CHECK_FALSE(link.session->can_submit());
    link.answer(first, 0, "A");
    CHECK(link.session->can_submit());
    CHECK(link.outcomes.empty());
    link.answer(third, 0, "C");
    const auto outcome = link.outcome(1);
    CHECK(outcome.kind == OutcomeKind::accepted);
    CHECK(outcome.ids == std::vector<std::string>{"A", "B", "C"});
    CHECK(outcome.parts == 3);
}

TEST_CASE("session: a connection that breaks makes exactly the written submits unknown", "[smpp]") {
    auto settings = test_settings();
    settings.window = 4;
    Link link{settings};
    link.bind();
    link.submit(1);
    link.submit(2);
    link.answer(link.next(), 0, "A");
    // Encoded, but the connection is gone before the transport took the output.
    link.session->submit(link.now, {.ref = 3, .to = "+8613900000003", .content = {.text = "never left"}});
    link.drop();
    CHECK(link.outcome(1).kind == OutcomeKind::accepted);
    CHECK(link.outcome(2).kind == OutcomeKind::unknown);
    CHECK(link.outcome(3).kind == OutcomeKind::not_sent);
    CHECK(link.outcomes.empty());
    REQUIRE(link.downs.size() == 1);
    CHECK_FALSE(link.downs[0].credentials);
    CHECK_FALSE(link.session->can_submit());
}

TEST_CASE("session: a long message cut by a broken connection is unknown once a part has left, else not sent", "[smpp]") {
    auto settings = test_settings();
    settings.window = 1;
    Link link{settings};
    link.bind();
    link.submit(1, std::string(400, 'a'));
    link.answer(link.next(), 0, "A");
    CHECK(link.received.size() == 1);  // part 2 written, part 3 waits
    link.drop();
    const auto cut = link.outcome(1);
    CHECK(cut.kind == OutcomeKind::unknown);
    CHECK(cut.ids == std::vector<std::string>{"A"});
    CHECK(cut.parts == 3);
    Link other{settings};
    other.bind();
    other.session->submit(other.now, {.ref = 2, .to = "+8613900000003", .content = {.text = std::string(400, 'a')}});
    other.drop();
    CHECK(other.outcome(2).kind == OutcomeKind::not_sent);
}

TEST_CASE("session: throttling is reported for the account and takes no window place", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1);
    link.answer(link.next(), status::throttled);
    const auto outcome = link.outcome(1);
    CHECK(outcome.kind == OutcomeKind::throttled);
    CHECK(outcome.scope == "account");
    CHECK(link.session->can_submit());
    link.submit(2);
    link.answer(link.next(), status::queue_full);
    CHECK(link.outcome(2).kind == OutcomeKind::throttled);
}

TEST_CASE("session: a long message whose first part is refused is refused whole, the rest never written", "[smpp]") {
    auto settings = test_settings();
    settings.window = 1;
    const auto code = GENERATE(status::throttled, status::invalid_destination, status::system_error, 0x45U);
    Link link{settings};
    link.bind();
    link.submit(1, std::string(400, 'a'));
    link.answer(link.next(), code);
    CHECK(link.received.empty());
    CHECK(link.outcome(1).code == status_code(code));
    CHECK(link.session->can_submit());
}

TEST_CASE("session: a part throttled after others were accepted is sent again by itself", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1, std::string(400, 'a'));
    const auto first = link.next();
    const auto second = link.next();
    const auto third = link.next();
    link.answer(first, 0, "A");
    link.answer(second, status::throttled);
    link.answer(third, 0, "C");
    CHECK(link.outcomes.empty());
    link.pass(999ms);
    CHECK(link.received.empty());
    link.pass(1ms);
    const auto again = link.next();
    CHECK(read_short_message(again.body)->short_message == read_short_message(second.body)->short_message);
    link.answer(again, 0, "B");
    CHECK(link.outcome(1).ids == std::vector<std::string>{"A", "B", "C"});
}

TEST_CASE("session: a part that stays throttled leaves the attempt unknown after five tries", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1, std::string(200, 'a'));
    link.answer(link.next(), 0, "A");
    auto part = link.next();
    for (int tries = 0; tries < 5; ++tries) {
        link.answer(part, status::throttled);
        CHECK(link.outcomes.empty());
        link.pass(std::chrono::seconds{1 << tries});
        while (link.received.size() > 1) link.send(command::enquire_link | command::response_bit, 0, link.next().header.sequence);
        part = link.next();
    }
    link.answer(part, status::throttled);
    const auto outcome = link.outcome(1);
    CHECK(outcome.kind == OutcomeKind::unknown);
    CHECK(outcome.ids == std::vector<std::string>{"A"});
    CHECK(outcome.code == "0x58");
}

TEST_CASE("session: parts accepted and refused for good are mixed: unknown, never repeated", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1, std::string(200, 'a'));
    const auto first = link.next();
    link.answer(link.next(), status::invalid_destination);
    CHECK(link.outcomes.empty());
    link.answer(first, 0, "A");
    CHECK(link.outcome(1).kind == OutcomeKind::unknown);
}

TEST_CASE("session: an unanswered submit is unknown after the response time, and the place is free again", "[smpp]") {
    auto settings = test_settings();
    settings.window = 1;
    Link link{settings};
    link.bind();
    link.submit(1);
    const auto request = link.next();
    link.pass(9'999ms);
    CHECK(link.outcomes.empty());
    CHECK_FALSE(link.session->can_submit());
    link.pass(1ms);
    CHECK(link.outcome(1).kind == OutcomeKind::unknown);
    CHECK(link.session->can_submit());
    CHECK(link.next().header.id == command::enquire_link);  // the silence is looked into at once
    link.answer(request, 0, "late");
    CHECK(link.outcomes.empty());
}

TEST_CASE("session: a peer that misses two enquiries is left, one that answers is not", "[smpp]") {
    Link link;
    link.bind();
    link.pass(29'999ms);
    CHECK(link.received.empty());
    link.pass(1ms);
    const auto enquiry = link.next();
    CHECK(enquiry.header.id == command::enquire_link);
    link.send(command::enquire_link | command::response_bit, 0, enquiry.header.sequence);
    link.pass(30s);
    CHECK(link.next().header.id == command::enquire_link);
    link.pass(10s);
    CHECK(link.next().header.id == command::enquire_link);
    CHECK_FALSE(link.closed);
    link.pass(10s);
    CHECK(link.closed);
    CHECK(link.downs.size() == 1);
    link.drop();
    CHECK(link.downs.size() == 1);  // told once
    CHECK(link.session->connect_at());
}

TEST_CASE("session: the peer's enquiries are answered at once, unknown commands are refused, strays are ignored", "[smpp]") {
    Link link;
    link.bind();
    link.send(command::enquire_link, 0, 77);
    auto answer = link.next();
    CHECK(answer.header.id == (command::enquire_link | command::response_bit));
    CHECK(answer.header.sequence == 77);
    link.send(0x0000'0099, 0, 78);
    answer = link.next();
    CHECK(answer.header.id == command::generic_nack);
    CHECK(answer.header.status == status::invalid_command_id);
    CHECK(answer.header.sequence == 78);
    link.send(0x8000'0099, 0, 79);
    link.send(command::alert_notification, 0, 80);
    link.send(command::submit_sm | command::response_bit, 0, 4'000);
    link.send(command::generic_nack, status::invalid_command_id, 4'000);
    CHECK(link.received.empty());
    CHECK_FALSE(link.closed);
}

TEST_CASE("session: a generic_nack completes the submit that it names", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1);
    link.send(command::generic_nack, status::invalid_command_length, link.next().header.sequence);
    const auto outcome = link.outcome(1);
    CHECK(outcome.kind == OutcomeKind::refused);
    CHECK(outcome.code == "0x02");
}

TEST_CASE("session: bytes that are no PDU end the connection with a generic_nack", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1);
    link.next();
    link.feed(std::string{"HTTP/1.1 400 Bad Request\r\n"});
    const auto nack = link.next();
    CHECK(nack.header.id == command::generic_nack);
    CHECK(nack.header.status == status::invalid_command_length);
    CHECK(nack.header.sequence == 0);
    CHECK(link.closed);
    link.feed("more garbage");
    CHECK(link.received.empty());
    link.drop();
    CHECK(link.outcome(1).kind == OutcomeKind::unknown);
}

TEST_CASE("session: a refused bind says whether the credentials are wrong, and how long to stay away", "[smpp]") {
    struct Row { std::uint32_t code; bool credentials, long_pause; };
    const auto row = GENERATE(values<Row>({{0x0E, true, true},
                                           {0x0F, true, true},
                                           {0x0D, false, true},
                                           {0x05, false, true},
                                           {0x53, false, true},
                                           {0x08, false, false},
                                           {0x03, false, false}}));
    INFO(status_name(row.code));
    Link link;
    link.connect();
    std::string bytes;
    append_bind_answer(bytes, command::bind_transceiver, row.code, link.next().header.sequence, {});
    link.feed(bytes);
    CHECK(link.closed);
    REQUIRE(link.downs.size() == 1);
    CHECK(link.downs[0].credentials == row.credentials);
    CHECK(link.downs[0].reason.find("secret") == std::string::npos);
    link.drop();
    REQUIRE(link.session->connect_at());
    const auto pause = *link.session->connect_at() - link.now;
    CHECK((pause == 60s) == row.long_pause);
    CHECK(link.ups == 0);
}

TEST_CASE("session: no answer to the bind closes the connection", "[smpp]") {
    Link link;
    link.connect();
    link.pass(15s);
    CHECK(link.closed);
    CHECK(link.downs.size() == 1);
}

TEST_CASE("session: reconnecting backs off with full jitter up to a minute, and a stable bind forgives", "[smpp]") {
    std::vector<Monotonic> first_pauses;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Link link{test_settings(), seed};
        Monotonic longest{};
        for (int failure = 0; failure < 10; ++failure) {
            link.session->on_closed(link.now, "refused");
            REQUIRE(link.session->connect_at());
            const auto pause = *link.session->connect_at() - link.now;
            CHECK(pause <= std::min<Monotonic>(std::chrono::seconds{1LL << failure}, 60s));
            if (failure == 0) first_pauses.push_back(pause);
            longest = std::max(longest, pause);
            link.now = *link.session->connect_at();
        }
        CHECK(longest > 5s);
        link.bind();
        link.pass(10ms);
        link.now += 61s;
        link.drop();
        CHECK(*link.session->connect_at() - link.now <= 1s);
    }
    std::sort(first_pauses.begin(), first_pauses.end());
    CHECK(first_pauses.front() != first_pauses.back());
}

TEST_CASE("session: after a drop the window opens step by step", "[smpp]") {
    auto settings = test_settings();
    settings.window = 16;
    Link link{settings};
    link.bind();
    link.drop();
    link.connect();
    std::string bytes;
    append_bind_answer(bytes, command::bind_transceiver, 0, link.next().header.sequence, {.system_id = "SMSC", .tlvs = {}});
    link.feed(bytes);
    channel::AttemptRef ref = 0;
    while (link.session->can_submit()) link.submit(++ref);
    CHECK(ref == 2);
    for (int i = 0; i < 40; ++i) {
        link.answer(link.next(), 0, "x");
        while (link.session->can_submit()) link.submit(++ref);
    }
    CHECK(link.received.size() == 16);
}

TEST_CASE("session: leaving politely waits for open submits, unbinds and does not come back", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1);
    link.session->shut_down(link.now);
    link.take();
    CHECK_FALSE(link.session->can_submit());
    const auto request = link.next();
    CHECK(link.received.empty());
    link.answer(request, 0, "A");
    CHECK(link.outcome(1).kind == OutcomeKind::accepted);
    const auto unbind = link.next();
    CHECK(unbind.header.id == command::unbind);
    link.send(command::unbind | command::response_bit, 0, unbind.header.sequence);
    CHECK(link.closed);
    link.drop();
    CHECK_FALSE(link.session->connect_at());
}

TEST_CASE("session: leaving waits until what was delivered is durable, and no longer", "[smpp]") {
    Link link;
    link.bind();
    link.deliver(from_customer("hello"), 7);
    REQUIRE(link.messages.size() == 1);
    link.session->shut_down(link.now);
    link.take();
    link.pass(1s);
    CHECK(link.received.empty());
    link.acknowledge(link.messages[0].token, true);
    CHECK(link.next().header.id == (command::deliver_sm | command::response_bit));
    link.pass(1ms);
    CHECK(link.next().header.id == command::unbind);
}

TEST_CASE("session: leaving does not wait for ever", "[smpp]") {
    auto settings = test_settings();
    settings.response_timeout = 60s;
    Link link{settings};
    link.bind();
    link.submit(1);
    link.next();
    link.session->shut_down(link.now);
    link.take();
    link.pass(10s);
    CHECK(link.next().header.id == command::unbind);
    link.pass(5s);
    CHECK(link.closed);
    link.drop();
    CHECK(link.outcome(1).kind == OutcomeKind::unknown);
}

TEST_CASE("session: an unbind of the peer is answered and the connection closed", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1);
    link.next();
    link.send(command::unbind, 0, 5);
    CHECK(link.next().header.id == (command::unbind | command::response_bit));
    CHECK(link.closed);
    CHECK_FALSE(link.session->can_submit());
    link.drop("closed");
    CHECK(link.outcome(1).kind == OutcomeKind::unknown);
    CHECK(link.downs.size() == 1);
    CHECK(link.session->connect_at());
}

TEST_CASE("session: shutting down before or between connections ends it quietly", "[smpp]") {
    Link idle;
    idle.session->shut_down(idle.now);
    CHECK_FALSE(idle.session->connect_at());
    Link binding;
    binding.connect();
    binding.session->shut_down(binding.now);
    binding.take();
    CHECK(binding.closed);
    binding.drop();
    CHECK_FALSE(binding.session->connect_at());
}

TEST_CASE("session: a submit that cannot be encoded is refused without a PDU", "[smpp]") {
    Link link;
    link.bind();
    link.submit(1, "");
    link.submit(2, "hello", "nonsense");
    CHECK(link.outcome(1).kind == OutcomeKind::content_rejected);
    CHECK(link.outcome(2).kind == OutcomeKind::recipient_invalid);
    CHECK(link.received.empty());
}

TEST_CASE("session: it asks for no wake-up while it has no connection, and is quiet when poked", "[smpp]") {
    Link link;
    CHECK_FALSE(link.session->wake_at());
    link.session->on_wake(link.now);
    link.session->on_bytes(link.now, "garbage before any connection");
    link.session->acknowledge(42, true);
    link.take();
    CHECK(link.received.empty());
    CHECK(link.downs.empty());
}

TEST_CASE("session: random bytes at any moment break nothing", "[smpp]") {
    Random random{20260101};
    for (int round = 0; round < 300; ++round) {
        Link link{test_settings(), random.next()};
        if (random.chance(0.8)) link.bind();
        else link.connect();
        for (int i = 0; i < 20 && !link.closed; ++i) {
            std::string bytes;
            const auto size = random.below(80);
            for (std::uint64_t k = 0; k < size; ++k) bytes.push_back(static_cast<char>(random.next()));
            if (random.chance(0.7) && bytes.size() >= 16) {  // a framed PDU with a random inside
                static constexpr std::array ids = {0x05U, 0x103U, 0x8000'0004U, 0x8000'0009U, 0x8000'0015U, 0x15U, 0x8000'0000U, 0x06U};
                std::string head;
                append_header_only(head, ids[random.below(ids.size())], static_cast<std::uint32_t>(random.below(3)),
                                   static_cast<std::uint32_t>(random.below(5)));
                head[3] = static_cast<char>(bytes.size());
                bytes.replace(0, 16, head);
            }
            link.feed(bytes);
            if (link.session->can_submit()) link.submit(static_cast<channel::AttemptRef>(round * 100 + i));
            link.pass(std::chrono::milliseconds{random.below(20'000)});
        }
        link.drop();
        CHECK(link.session->connect_at());
    }
}
