// One agent's connection without a socket and without an engine: who is asked what, what is written, what is held back.
#include "gateway/http/agent_session.hpp"

#include <deque>
#include <stdexcept>

#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::http;

namespace {

using namespace std::chrono_literals;

const Instant start = *parse_instant("2026-11-23T02:00:00Z");

// Tells what it was asked.
class FakeDesk final : public AgentDesk {
public:
    std::vector<std::string> asked;
    std::deque<Effect> effects;
    bool resume_too_old = false, busy = false;
    TouchState sent_state = TouchState::queued;

    void after_sync(Effect effect) override { effects.push_back(std::move(effect)); }
    void sync() {
        while (!effects.empty()) {
            auto effect = std::move(effects.front());
            effects.pop_front();
            effect();
        }
    }

    using Connection = std::shared_ptr<AgentConnection>;
    Result<Hello> attach(const std::string&, Connection) override { return Hello{}; }
    Result<void> resume(const std::string&, const Connection&, std::uint64_t after) override {
        asked.push_back("resume " + std::to_string(after));
        if (resume_too_old) return agent_error("resume_too_old", "too old");
        return {};
    }
    Result<void> snapshot(const std::string&, const Connection& connection) override {
        asked.emplace_back("snapshot");
        after_sync([connection] { (void)connection->push({std::make_shared<const AgentPush>(AgentPush{.seq = 1, .at = start, .body = SnapshotPush{}})}); });
        return {};
    }
    void pull(const std::string&, const Connection&) override { asked.emplace_back("pull"); }
    void detach(const std::string& agent, const Connection&) override { asked.push_back("detach " + agent); }
    void heard(const std::string& agent) override { asked.push_back("heard " + agent); }
    Result<PresencePush> set_presence(const std::string& agent, std::string_view state, const std::string& reason) override {
        asked.push_back("presence " + std::string{state} + " " + reason);
        return PresencePush{.agent = agent, .state = std::string{state}, .intent = std::string{state}, .reason = reason, .slots = {}};
    }
    Result<void> report_health(const std::string&, bool healthy, const std::string& reason) override { return told("health " + std::string{healthy ? "good" : "bad"} + " " + reason); }
    Result<InteractionDetails> accept(const std::string&, const Uuid&, std::optional<std::uint64_t> fence) override {
        asked.push_back("accept " + (fence ? std::to_string(*fence) : std::string{"-"}));
        return agent_error("stale_offer", "it is over");
    }
    Result<void> reject(const std::string&, const Uuid&, const std::string& reason) override { return told("reject " + reason); }
    Result<TouchView> send(const std::string&, const Uuid&, TouchRequest request) override {
        asked.push_back("send " + request.content.text + " " + request.purpose);
        TouchView view;
        view.state = sent_state;
        view.decision.rule_override = "dnc";
        return view;
    }
    Result<InteractionDetails> wrap_up(const std::string&, const Uuid&, const std::string& disposition, const std::string& note) override {
        asked.push_back("wrap_up " + disposition + " " + note);
        return InteractionDetails{};
    }
    Result<void> transfer(const std::string&, const Uuid&, const std::string& to, const std::string&, bool consult) override { return told("transfer " + to + (consult ? " consult" : "")); }
    Result<InteractionDetails> interaction(const std::string&, const Uuid&) override { return InteractionDetails{}; }
    Result<ContactCard> card(const std::string&, const std::string& contact) override {
        asked.push_back("card " + contact);
        return ContactCard{};
    }
    std::string contact_called(const std::string& external_userid) override { return external_userid == "wmLin" ? "lin" : ""; }
    Result<TimelineStart> timeline(const std::string&, const std::string& contact) override {
        asked.push_back("timeline " + contact);
        return TimelineStart{};
    }
    Result<void> do_not_contact(const std::string&, const std::string&, const std::vector<std::string>& channels) override { return told("dnc " + channels.at(0)); }
    Result<PromiseDetails> create_promise(const std::string&, const PromiseInput&) override { return PromiseDetails{}; }
    Result<void> promise_done(const std::string&, const std::string& promise) override { return told("promise_done " + promise); }
    std::vector<PromiseDetails> promises(const std::string&) override { return {}; }
    std::vector<std::shared_ptr<const content::Template>> templates() override { return {}; }
    std::vector<LeadDetails> leads(const std::string&, const std::string&) override { return {}; }
    Result<LeadDetails> lead(const std::string&, const Uuid&) override { return agent_error("not_yours", "not yours"); }
    Result<LeadDetails> act_on_lead(const std::string&, const Uuid&, LeadAct act) override {
        asked.push_back("lead " + std::string{leads::to_string(act.to)} + " " + act.reason);
        return LeadDetails{};
    }
    Result<InteractionDetails> dial(const std::string&, const Desk::Dial& dial) override {
        asked.push_back("dial " + dial.number.value_or("-") + " " + dial.contact.value_or("-"));
        return InteractionDetails{};
    }
    Result<void> control(const std::string&, const Uuid&, CallControl control) override { return told("control " + std::to_string(static_cast<int>(control))); }
    Result<void> send_digits(const std::string&, const Uuid&, const std::string& digits) override { return told("digits " + digits); }
    Result<InteractionDetails> pick_up(const std::string&, const Uuid&) override {
        asked.emplace_back("pick up");
        return InteractionDetails{};
    }
    std::vector<ParkedCall> parked(const std::string&) override { return {}; }
    Result<Desk::Softphone> softphone(const std::string&) override { return agent_error("not_configured", "none"); }
    Result<void> supervise(const std::string&, const Uuid&, Supervision how) override { return told("supervise " + std::to_string(static_cast<int>(how))); }
    Result<void> force_presence(const std::string&, const std::string& agent, const std::string& state) override { return told("force " + agent + " " + state); }
    Result<void> reassign(const std::string&, const Uuid&, const std::string& to) override { return told("reassign " + to); }
    Result<void> pull_interaction(const std::string&, const Uuid&) override { return told("take over"); }
    Result<AgentDetails> agent(const std::string& id) override {
        AgentDetails details;
        details.id = id;
        details.state = details.intent = "ready";
        if (busy) details.interactions.emplace_back();
        details.connections = 1;
        return details;
    }
    std::vector<AgentDetails> colleagues(const std::string&, std::size_t) override { return {}; }
    std::vector<QueueDetails> queues(std::size_t, const std::string&) override { return {}; }
    Wallboard wallboard() override { return {}; }

private:
    Result<void> told(std::string what) {
        asked.push_back(std::move(what));
        return {};
    }
};

class FakeRunner final : public DeskRunner {
public:
    explicit FakeRunner(FakeDesk& desk) : desk_{desk} {}
    bool full = false;
    bool in_turn(absl::AnyInvocable<void(AgentDesk&)> work) override {
        if (full) return false;
        work(desk_);
        desk_.sync();
        return true;
    }

private:
    FakeDesk& desk_;
};

class FakeWorker final : public Worker {
public:
    explicit FakeWorker(const PhoneNumbers& phones) : intake_{phones, crypto::Key{}} {}
    [[nodiscard]] bool is_current() const override { return true; }
    void run(absl::AnyInvocable<void()> task) override { task(); }
    void wait_until(absl::AnyInvocable<bool()> ready, Duration, absl::AnyInvocable<void(bool)> then) override {
        if (ready()) then(true);
        else waiting.push_back(std::move(then));
    }
    [[nodiscard]] TouchIntake& intake() override { return intake_; }
    [[nodiscard]] TouchQueue& touches() override { throw std::logic_error{"not used here"}; }
    void times_out() {
        for (auto& then : std::exchange(waiting, {})) then(false);
    }
    std::vector<absl::AnyInvocable<void(bool)>> waiting;

private:
    TouchIntake intake_;
};

class FakeWire final : public AgentWire {
public:
    std::vector<Json> frames;
    std::vector<std::string> texts;
    bool blocked = false;  // what is being written does not leave
    int pings = 0, reads = 0;
    bool dropped = false;
    std::optional<AgentClose> closed;
    http::AgentSession* session = nullptr;

    void write(std::string_view text) override {
        REQUIRE_FALSE(writing_);
        writing_ = true;
        texts.emplace_back(text);
        frames.push_back(Json::parse(text));
        if (!blocked) leaves();
    }
    void leaves() {
        writing_ = false;
        session->on_written();
    }
    void unblock() {
        blocked = false;
        if (writing_) leaves();
    }
    void ping() override { ++pings; }
    void read_on() override { ++reads; }
    void close(AgentClose code, std::string_view) override { closed = code; }
    void drop() override { dropped = true; }

private:
    bool writing_ = false;
};

struct Fixture {
    ManualClock clock{start};
    PhoneNumbers phones{"CN"};
    FakeDesk desk;
    FakeRunner* runner = nullptr;
    std::unique_ptr<AgentHub> hub;
    FakeWorker worker{phones};
    FakeWire wire;
    std::shared_ptr<http::AgentSession> session;

    explicit Fixture(Duration ttl = 8h) {
        auto made = std::make_unique<FakeRunner>(desk);
        runner = made.get();
        hub = std::make_unique<AgentHub>(AgentHub::Parts{.options = {}, .desk = std::move(made), .clock = clock, .phones = phones,
                                                         .run_query = [](absl::AnyInvocable<void(QueryPort&)>) { return false; }, .durable_sequence = [] { return 0; }});
        clock.advance(1h);
        session = open(wire, ttl);
    }
    std::shared_ptr<http::AgentSession> open(FakeWire& on, Duration ttl) {
        auto made = std::make_shared<http::AgentSession>(*hub, worker, AgentToken{.agent = "a1", .expires_at = clock.wall_now() + ttl, .issued_at = {}});
        on.session = made.get();
        made->open(on, Hello{.agent = "a1", .name = "Ann", .role = "agent", .session = {}, .last_seq = 4});
        return made;
    }
    Json ask(const std::string& text) {
        const auto before = wire.frames.size();
        session->on_text(text);
        for (auto i = before; i < wire.frames.size(); ++i)
            if (wire.frames[i].contains("reply_to")) return wire.frames[i];
        return nullptr;
    }
    void pass(Duration time) {
        clock.advance(time);
        session->tick();
    }
    static std::vector<std::shared_ptr<const AgentPush>> pushes(std::uint64_t first, std::size_t count) {
        std::vector<std::shared_ptr<const AgentPush>> made;
        for (std::size_t i = 0; i < count; ++i) made.push_back(std::make_shared<const AgentPush>(AgentPush{.seq = first + i, .at = start, .body = NoticePush{.kind = "idle", .interaction = {}, .text = {}}}));
        return made;
    }
    [[nodiscard]] std::size_t times(std::string_view what) const { return static_cast<std::size_t>(std::count(desk.asked.begin(), desk.asked.end(), what)); }
};

const std::string some_id = "01939999-0000-7000-8000-000000000000";

}  // namespace

TEST_CASE("The first frame greets, without a number") {
    Fixture at;
    REQUIRE(at.wire.frames.size() == 1);
    CHECK(at.wire.frames[0]["type"] == "hello");
    CHECK(at.wire.frames[0]["last_seq"] == 4);
    CHECK(at.wire.frames[0]["lease"] == "PT15S");
    CHECK_FALSE(at.wire.frames[0].contains("seq"));
}

TEST_CASE("The state is pushed before the first request is answered, or when nothing is asked for two seconds") {
    Fixture at;
    SECTION("at the first request") {
        at.session->on_text(R"({"id":1,"type":"queues.list"})");
        CHECK(at.desk.asked == std::vector<std::string>{"snapshot"});
        CHECK(at.wire.frames[1]["type"] == "snapshot");
        CHECK(at.wire.frames[2]["reply_to"] == 1);
        at.session->on_text(R"({"id":2,"type":"queues.list"})");
        CHECK(at.times("snapshot") == 1);
    }
    SECTION("by itself") {
        at.pass(1s);
        CHECK(at.times("snapshot") == 0);
        at.pass(1s);
        CHECK(at.times("snapshot") == 1);
        at.pass(1s);
        CHECK(at.times("snapshot") == 1);
    }
    SECTION("a frame that cannot be understood asks for nothing") {
        at.session->on_text("{");
        CHECK(at.times("snapshot") == 0);
    }
    SECTION("not when it is resumed") {
        CHECK(at.ask(R"({"id":1,"type":"resume","after":3})")["ok"] == true);
        at.pass(3s);
        CHECK(at.times("resume 3") == 1);
        CHECK(at.times("snapshot") == 0);
    }
    SECTION("when what was missed is not kept any more, after the reply that says so") {
        at.desk.resume_too_old = true;
        at.session->on_text(R"({"id":1,"type":"resume","after":3})");
        CHECK(at.wire.frames[1]["error"]["code"] == "resume_too_old");
        CHECK(at.wire.frames[2]["type"] == "snapshot");
    }
}

TEST_CASE("Requests reach the desk with what they say") {
    Fixture at;
    const auto [frame, asked] = GENERATE(table<std::string, std::string>({
        {R"("type":"presence.set","state":"after_current","reason":"lunch")", "presence after_current lunch"},
        {R"("type":"health.report","microphone":true,"registered":true,"rtt_ms":30)", "health good "},
        {R"("type":"health.report","microphone":"denied")", "health bad microphone"},
        {R"("type":"health.report","registered":false)", "health bad not_registered"},
        {R"("type":"health.report","rtt_ms":5000)", "health bad slow_connection"},
        {R"("type":"offer.accept","offer":"ID","fence":17)", "accept 17"},
        {R"("type":"offer.accept","offer":"ID")", "accept -"},
        {R"("type":"offer.reject","offer":"ID","reason":"busy")", "reject busy"},
        {R"("type":"message.send","interaction":"ID","content":{"text":"hi"},"key":"k")", "send hi service"},
        {R"("type":"interaction.wrap_up","interaction":"ID","disposition":"solved","note":"n")", "wrap_up solved n"},
        {R"("type":"interaction.transfer","interaction":"ID","to":"queue:care")", "transfer queue:care"},
        {R"("type":"call.transfer","interaction":"ID","to":"agent:a2","mode":"consult")", "transfer agent:a2 consult"},
        {R"("type":"call.hold","interaction":"ID")", "control 0"},
        {R"("type":"call.hangup","interaction":"ID")", "control 4"},
        {R"("type":"call.conference","interaction":"ID")", "control 10"},
        {R"("type":"call.dtmf","interaction":"ID","digits":"12#")", "digits 12#"},
        {R"("type":"call.dial","contact":"c1","purpose":"service")", "dial - c1"},
        {R"("type":"call.dial","contact":{"id":"c1"},"purpose":"service")", "dial - c1"},
        {R"("type":"call.dial","number":"138 0013 8000","purpose":"service")", "dial +8613800138000 -"},
        {R"("type":"contact.get","contact":"c1")", "card c1"},
        {R"("type":"timeline.get","contact":"c1","limit":5)", "timeline c1"},
        {R"("type":"contact.do_not_contact","contact":"c1")", "dnc *"},
        {R"("type":"promise.done","promise":"p1")", "promise_done p1"},
        {R"("type":"lead.accept","lead":"ID")", "lead accepted "},
        {R"("type":"lead.lost","lead":"ID","reason":"price")", "lead lost price"},
        {R"("type":"supervisor.whisper","interaction":"ID")", "supervise 1"},
        {R"("type":"supervisor.set_presence","agent":"a2","state":"ready")", "force a2 ready"},
        {R"("type":"supervisor.reassign","interaction":"ID","to":"queue:care")", "reassign queue:care"},
        {R"("type":"supervisor.pull","interaction":"ID")", "take over"},
    }));
    auto text = "{\"id\":1," + frame + "}";
    if (const auto found = text.find("\"ID\""); found != std::string::npos) text.replace(found, 4, "\"" + some_id + "\"");
    at.session->on_text(text);
    REQUIRE(at.desk.asked.size() == 2);
    CHECK(at.desk.asked[1] == asked);
}

TEST_CASE("What is wrong with a request is told with its code, and the desk is not asked") {
    Fixture at;
    const std::string frame = GENERATE(as<std::string>{}, R"("type":"offer.accept")", R"("type":"presence.set","state":"glad")", R"("type":"no.such")", R"("type":"lead.lost","lead":"01939999-0000-7000-8000-000000000000")",
                                       R"("type":"message.send","interaction":"01939999-0000-7000-8000-000000000000")", R"("type":"call.dial","purpose":"service")",
                                       R"("type":"call.dial","purpose":"service","number":"12")", R"("type":"call.dtmf","interaction":"01939999-0000-7000-8000-000000000000","digits":"x")",
                                       R"("type":"timeline.get","contact":"c","limit":0)", R"("type":"resume","after":"1")", R"("type":"wallboard.watch","on":1)", R"("type":"promise.create","contact":"c")");
    const auto reply = at.ask("{\"id\":1," + frame + "}");
    CHECK(reply["ok"] == false);
    CHECK(reply["error"]["code"] == "bad_request");
    CHECK(at.desk.asked.empty());
}

TEST_CASE("The desk's errors and decisions are told") {
    Fixture at;
    CHECK(at.ask(R"({"id":1,"type":"offer.accept","offer":")" + some_id + "\"}")["error"]["code"] == "stale_offer");
    CHECK(at.ask(R"({"id":1,"type":"sip.settings"})")["error"]["code"] == "not_configured");
    const auto message = R"({"id":2,"type":"message.send","content":{"text":"x"},"interaction":")" + some_id + "\"}";
    CHECK(at.ask(message)["touch"]["state"] == "queued");
    at.desk.sent_state = TouchState::blocked;
    const auto denied = at.ask(message);
    CHECK(denied["error"]["code"] == "policy_denied");
    CHECK(denied["decision"]["rule"] == "dnc");
    at.runner->full = true;
    CHECK(at.ask(message)["error"]["code"] == "rate_limited");
    CHECK(at.ask(R"({"id":3,"type":"timeline.get","contact":"c1"})")["error"]["code"] == "rate_limited");
}

TEST_CASE("Frames are written one after the other, in order, and shared by the connections of an agent") {
    Fixture at;
    FakeWire other;
    const auto second = at.open(other, 8h);
    at.wire.blocked = true;
    const auto batch = Fixture::pushes(5, 3);
    CHECK(at.session->push(batch));
    CHECK(second->push(batch));
    CHECK(at.wire.texts.size() == 2);  // hello, and the first, which has not left
    CHECK(other.texts.size() == 4);
    at.wire.unblock();
    REQUIRE(at.wire.texts.size() == 4);
    for (std::size_t i = 1; i < 4; ++i) CHECK(at.wire.frames[i]["seq"] == 4 + i);
    CHECK(at.hub->frames_of(batch) == at.hub->frames_of(batch));
}

TEST_CASE("A slow reader is given no more than some; the rest is asked for when that has left") {
    Fixture at;
    (void)at.ask(R"({"id":1,"type":"resume","after":0})");
    at.wire.blocked = true;
    CHECK(at.session->push(Fixture::pushes(1, 256)));
    CHECK(at.session->push(Fixture::pushes(257, 256)));
    CHECK_FALSE(at.session->push(Fixture::pushes(513, 256)));
    CHECK(at.times("pull") == 0);
    at.wire.unblock();
    CHECK(at.times("pull") == 1);
    CHECK(at.wire.frames.back()["seq"] == 768);
    CHECK(at.session->push(Fixture::pushes(769, 1)));
}

TEST_CASE("What the engine does not keep any more is made up for by the state") {
    Fixture at;
    (void)at.ask(R"({"id":1,"type":"resume","after":0})");
    CHECK(at.session->push(Fixture::pushes(1, 2)));
    CHECK(at.times("snapshot") == 0);
    CHECK(at.session->push(Fixture::pushes(9, 1)));
    CHECK(at.times("snapshot") == 1);
}

TEST_CASE("Who does not read the replies is not read either") {
    Fixture at;
    at.wire.blocked = true;
    for (int i = 0; i < 70; ++i) at.session->on_text(R"({"id":1,"type":"queues.list"})");
    CHECK_FALSE(at.session->reads_on());
    at.wire.unblock();
    CHECK(at.wire.reads == 1);
    CHECK(at.session->reads_on());
}

TEST_CASE("More than 50 requests a second are refused, and who goes on is cut off") {
    Fixture at;
    int allowed = 0;
    for (int i = 0; i < 150; ++i) allowed += at.ask(R"({"id":1,"type":"queues.list"})")["ok"] == true ? 1 : 0;
    CHECK(allowed == 100);
    at.clock.advance(1s);
    allowed = 0;
    for (int i = 0; i < 100; ++i) allowed += at.ask(R"({"id":1,"type":"queues.list"})")["ok"] == true ? 1 : 0;
    CHECK(allowed == 50);
    CHECK_FALSE(at.wire.closed);
    for (int i = 0; i < 300; ++i) at.session->on_text("{");
    CHECK(at.wire.closed == AgentClose::policy);
    CHECK(at.ask(R"({"id":1,"type":"queues.list"})") == nullptr);
}

TEST_CASE("Signs of life are told to the engine at most once a second, together with those of others") {
    Fixture at;
    at.clock.advance(1s);
    at.session->on_heard();
    at.session->on_heard();
    CHECK(at.times("heard a1") == 0);
    at.worker.times_out();
    CHECK(at.times("heard a1") == 1);
    at.clock.advance(500ms);
    at.session->on_heard();
    at.worker.times_out();
    CHECK(at.times("heard a1") == 1);
    at.clock.advance(500ms);
    at.session->on_text(R"({"id":1,"type":"queues.list"})");
    at.worker.times_out();
    CHECK(at.times("heard a1") == 2);
}

TEST_CASE("The connection is pinged within five seconds and dropped when nothing comes back") {
    Fixture at;
    for (int i = 0; i < 9; ++i) {
        at.pass(5s);
        CHECK(at.wire.pings == i + 1);
        CHECK_FALSE(at.wire.dropped);
    }
    at.pass(5s);
    CHECK(at.wire.dropped);
}

TEST_CASE("A frame that does not leave ends the connection") {
    Fixture at;
    at.wire.blocked = true;
    (void)at.session->push(Fixture::pushes(1, 1));
    for (int i = 0; i < 6; ++i) {
        at.session->on_heard();
        at.pass(5s);
    }
    CHECK_FALSE(at.wire.dropped);
    at.session->on_heard();
    at.pass(5s);
    CHECK(at.wire.dropped);
}

TEST_CASE("A token's end is told, and ends the connection when no work is open") {
    Fixture at{10min};
    const auto notices = [&] { return std::count_if(at.wire.frames.begin(), at.wire.frames.end(), [](const Json& frame) { return frame.value("type", "") == "token.expiring"; }); };
    const auto pass = [&](Duration time) {
        for (Duration passed{0}; passed < time; passed += 5s) {
            at.session->on_heard();
            at.pass(5s);
        }
    };
    pass(4min);
    CHECK(notices() == 0);
    pass(2min);
    CHECK(notices() == 1);
    SECTION("nothing open") {
        pass(4min + 5s);
        CHECK(at.wire.closed == AgentClose::token_expired);
    }
    SECTION("a conversation is open") {
        at.desk.busy = true;
        pass(5min);
        CHECK_FALSE(at.wire.closed);
        CHECK(at.times("presence after_current token_expired") >= 1);
        CHECK(at.ask(R"({"id":1,"type":"presence.set","state":"ready"})")["error"]["code"] == "not_allowed");
        CHECK(at.ask(R"({"id":1,"type":"presence.set","state":"not_ready"})")["ok"] == true);
        at.desk.busy = false;
        pass(10s);
        CHECK(at.wire.closed == AgentClose::token_expired);
    }
    SECTION("renewed") {
        const auto renew = [&](const std::string& agent) {
            return at.ask(R"({"id":1,"type":"token.renew","token":")" + at.hub->tokens().make({.agent = agent, .expires_at = at.clock.wall_now() + 1h, .issued_at = {}}) + "\"}");
        };
        CHECK(renew("a2")["error"]["code"] == "not_allowed");
        CHECK(renew("a1")["ok"] == true);
        pass(30min);
        CHECK_FALSE(at.wire.closed);
    }
}

TEST_CASE("A connection that ends is taken from the desk once, and takes no more pushes") {
    Fixture at;
    at.session->on_closed();
    at.session->on_closed();
    CHECK(at.times("detach a1") == 1);
    CHECK_FALSE(at.session->push(Fixture::pushes(1, 1)));
    SECTION("also when the engine is full just then") {
        Fixture full;
        full.runner->full = true;
        full.session->on_closed();
        CHECK(full.times("detach a1") == 0);
        full.runner->full = false;
        full.worker.times_out();
        CHECK(full.times("detach a1") == 1);
    }
}

TEST_CASE("A removed agent is told so") {
    Fixture at;
    at.session->end("disabled");
    CHECK(at.wire.closed == AgentClose::ended);
    at.pass(3s);
    CHECK(at.wire.dropped);
}
