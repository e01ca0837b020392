// Messages in several parts are one submit under one permit, and their first byte decides: before it the permit can be revoked and lapses,
// after it nothing holds the other parts back.

#include "gateway/channel/link_session.hpp"
#include "gateway/net/session_machine.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/net/fakes.hpp"

using namespace touchgate;
using namespace touchgate::net;
using namespace touchgate::net::test;

namespace {

// A protocol of packets of one letter and a sequence number: L log in, P part, and from the peer A: accepted.
class PlainLink final : public channel::LinkSession {
public:
    PlainLink() : LinkSession{{.window = 2, .response_timeout = Duration{60'000}}, 1} {}

protected:
    static std::string packet(char kind, std::uint32_t sequence) {
        return {kind, static_cast<char>(sequence >> 24U), static_cast<char>(sequence >> 16U), static_cast<char>(sequence >> 8U), static_cast<char>(sequence)};
    }
    void append_login(Monotonic, std::string& out, std::uint32_t sequence) override { out += packet('L', sequence); }
    void append_link_test(std::string& out, std::uint32_t sequence) override { out += packet('T', sequence); }
    void append_logout(std::string& out, std::uint32_t sequence) override { out += packet('Q', sequence); }
    std::variant<std::vector<std::string>, Outcome> encode(Monotonic, const Submission& submission) override {
        return std::vector<std::string>(submission.content.text.size(), packet('P', 0));
    }
    std::size_t sequence_offset() const override { return 1; }
    void start_reading() override {}
    void receive(Monotonic now, std::string_view bytes) override {
        for (; bytes.size() >= 2; bytes.remove_prefix(2)) {
            const auto sequence = static_cast<std::uint32_t>(bytes[1]);
            if (bytes[0] == 'L') logged_in(now);
            else submit_accepted(now, sequence, "id-" + std::to_string(sequence));
        }
    }
    void acknowledge_delivery(channel::AckToken, bool) override {}
    void wake_deliveries(Monotonic) override {}
    std::optional<Monotonic> deliveries_wake_at() const override { return std::nullopt; }
    bool has_unanswered_deliveries() const override { return false; }
    void deliveries_lost(Monotonic) override {}
};

struct Link {
    SessionMachine machine{0, std::make_unique<PlainLink>()};
    Link() {
        CHECK(machine.take_actions(0s).connect);
        machine.on_connected({.monotonic = 0s, .wall = Instant{}});
        (void)machine.take_actions(0s);
        machine.on_writable(0s);
        hears(0s, {'L', 1});
    }
    // What the machine writes and tells next.
    SessionMachine::Actions goes_on(Monotonic now) {
        auto actions = machine.take_actions(now);
        if (!actions.write.empty()) machine.on_writable(now);
        return actions;
    }
    SessionMachine::Actions hears(Monotonic now, std::string bytes) {
        machine.on_bytes(now, bytes);
        return goes_on(now);
    }
    static std::size_t parts(const SessionMachine::Actions& actions) { return static_cast<std::size_t>(std::ranges::count(actions.write, 'P')); }
};

Submission in_parts(AttemptRef ref, std::size_t parts) {
    auto made = order(ref, 5s);
    made.content.text = std::string(parts, 'x');
    return made;
}

}  // namespace

TEST_CASE("long messages: once the first part has left, neither a revocation nor the deadline holds back the others", "[net]") {
    Link link;
    link.machine.hand_over(1s, in_parts(1, 3));
    CHECK(Link::parts(link.goes_on(1s)) == 2);  // the window has two places
    CHECK(link.machine.revoke(2s, 1));
    CHECK(told(link.goes_on(2s).events) == std::vector<std::string>{"written 1"});
    CHECK(Link::parts(link.goes_on(7s)) == 0);
    CHECK(Link::parts(link.hears(8s, {'A', 2})) == 1);
    CHECK(told(link.hears(9s, {'A', 3, 'A', 4}).events) == std::vector<std::string>{"answered 1 accepted"});
}

TEST_CASE("long messages: what finds no place for its first part can be revoked, and lapses", "[net]") {
    Link link;
    link.machine.hand_over(1s, in_parts(1, 3));
    link.machine.hand_over(1s, in_parts(2, 3));
    link.machine.hand_over(1s, in_parts(3, 1));
    CHECK(Link::parts(link.goes_on(1s)) == 2);
    CHECK(link.machine.revoke(2s, 2));
    CHECK(told(link.goes_on(2s).events) == std::vector<std::string>{"revoked 2"});
    CHECK(told(link.goes_on(7s).events) == std::vector<std::string>{"unwritten 3"});
    CHECK(Link::parts(link.hears(8s, {'A', 2, 'A', 3})) == 1);
    CHECK(told(link.hears(9s, {'A', 4}).events) == std::vector<std::string>{"answered 1 accepted"});
    CHECK(Link::parts(link.goes_on(10s)) == 0);
}
