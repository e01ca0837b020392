// One call against a telephone system in memory, with a host that stands for queue and agents.
#include <random>

#include "gateway/voice/machine.hpp"
#include "tests/catch.hpp"
#include "tests/unit/gateway/voice/fake_pbx.hpp"

namespace touchgate::voice_test {

namespace {

using namespace voice;

const Plan agent_waits{.kind = Plan::Kind::agent_waits, .media = {}, .name = {}};

// Time, telephone system, host and call together.
struct Line final : CallHost {
    FakePbx pbx;
    CallRules rules;
    Call call;
    Instant now = *parse_instant("2026-11-23T02:00:00Z");
    std::vector<Fact> facts;
    std::vector<CallEnded> ends;
    std::vector<std::string> told;                 // what the host was asked for
    bool queued = false, has_queue = true, drop_has_queue = true;
    std::string reserved = "a1", agent;
    int names = 0;
    channel::CommandId commands = 0;
    std::map<channel::CommandId, channel::LegId> made;

    // ---- the host
    void note(const Fact& fact) override {
        facts.push_back(fact);
        apply(call, fact, now);
    }
    channel::CommandId command(channel::CallCommand given) override {
        if (const auto* leg = std::get_if<channel::MakeLeg>(&given)) made[commands + 1] = leg->leg;
        pbx.execute(++commands, given);
        return commands;
    }
    std::string new_name() override { return "n" + std::to_string(++names); }
    std::string queue_name() const override { return "care"; }
    bool is_recorded() const override { return rules.recording.always; }
    std::string extension_of(const std::string& of) const override { return of.empty() ? std::string{} : "ext-" + of; }
    Wait wait() const override { return {.position = 2, .at_least = Duration{60'000}, .at_most = Duration{180'000}}; }
    bool holds(const MenuCondition&) const override { return false; }
    bool enqueue(const std::string& queue, int, const std::vector<std::string>&) override {
        told.push_back("enqueue " + queue);
        queued = has_queue;
        return has_queue;
    }
    void agent_unanswered(const std::string& reason, bool his_fault) override {
        told.push_back("unanswered " + reason + (his_fault ? " rona" : ""));
        queued = true;
    }
    bool agent_dropped(const std::string& reason) override {
        told.push_back("dropped " + reason);
        queued = drop_has_queue;
        return drop_has_queue;
    }
    void nobody_in_time() override {
        told.emplace_back("nobody_in_time");
        queued = false;
    }
    void phase(AgentPhase) override {}
    void agent_is_up() override { told.emplace_back("agent_is_up"); }
    std::string customer_answered(channel::AnsweredBy) override {
        told.emplace_back("customer_answered");
        return reserved;
    }
    void content_played() override { told.emplace_back("content_played"); }
    void handed_on(const std::string& to) override { told.push_back("handed_on " + to); }
    void wants_promise() override { told.emplace_back("promise"); }
    void cut_off() override { told.emplace_back("cut_off"); }
    void transfer_asked(const std::string& to) override { told.push_back("transfer " + to); }
    void consult_over() override { told.emplace_back("consult_over"); }
    void park_over() override {
        told.emplace_back("park_over");
        queued = true;
    }
    void unwritten() override { told.emplace_back("unwritten"); }
    void over(const CallEnded& ended) override { ends.push_back(ended); }

    // ---- the test's hand
    Machine machine() { return Machine{call, rules, *this, now}; }
    void begin(bool outbound) { note(CallStarted{.call = *parse_uuid("0193a2b4-0000-7000-8000-000000000001"), .account = "pbx", .outbound = outbound}); }
    bool was_told(const std::string& what) const { return std::find(told.begin(), told.end(), what) != told.end(); }
    void deliver(channel::CallEvent& event) {
        std::visit(
            [&](auto& each) {
                using Event = std::decay_t<decltype(each)>;
                if constexpr (std::is_same_v<Event, channel::CommandFailed>) {
                    if (const auto leg = made.find(each.command); leg != made.end()) machine().make_failed(leg->second, each);
                    else if (each.command == call.live.play_command) machine().play_failed(each.detail);
                } else if constexpr (std::is_same_v<Event, channel::LegArrived>) {
                    begin(false);
                    machine().arrive(each.leg);
                } else if constexpr (requires { machine().on(each); }) {
                    machine().on(each);
                }
            },
            event);
    }
    void run() {
        for (int i = 0; i < 1'000 && !pbx.events.empty(); ++i) {
            auto event = std::move(pbx.events.front());
            pbx.events.pop_front();
            deliver(event);
        }
    }
    void pass(Duration by) {
        const auto until = now + by;
        while (call.due() <= until) {
            now = std::max(now, call.due());
            machine().due();
            run();
        }
        now = until;
        run();
    }
    void accept(const std::string& who) {
        queued = false;
        agent = who;
        machine().accepted(who);
        run();
    }
    channel::LegId caller() { return pbx.leg_to("+8613812345678"); }
    void arrive() {
        pbx.call_in("+8613812345678", "1000");
        run();
    }
    void talk(const std::string& who = "a1") {
        arrive();
        pass(Duration{5'000});
        accept(who);
        pass(Duration{3'000});
        pbx.pick_up(pbx.leg_to("ext-" + who));
        run();
        REQUIRE(call.stage == Stage::talking);
    }
    void check_over() {
        CHECK(call.stage == Stage::ended);
        CHECK(pbx.legs.empty());
        CHECK(pbx.mixes.empty());
        CHECK(pbx.faults == std::vector<std::string>{});
        REQUIRE(ends.size() == 1);
    }
};

}  // namespace

TEST_CASE("machine: a caller waits with music, is joined with the agent who took him, and hangs up") {
    Line line;
    line.arrive();
    CHECK(line.call.stage == Stage::waiting);
    CHECK(line.was_told("enqueue "));
    CHECK(line.pbx.legs.at(line.caller()).music);
    line.pass(Duration{5'000});
    line.accept("a1");
    CHECK(line.call.stage == Stage::calling_agent);
    CHECK(line.pbx.last_made.target == "ext-a1");
    CHECK(line.pbx.last_made.role == channel::LegRole::agent);
    line.pass(Duration{3'000});
    line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
    line.run();
    CHECK(line.call.stage == Stage::talking);
    CHECK(line.pbx.with("+8613812345678") == std::set<std::string>{"ext-a1"});
    CHECK_FALSE(line.pbx.legs.at(line.caller()).music);
    line.pass(Duration{60'000});
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
    const auto& ended = line.ends.front();
    CHECK(ended.outcome == "answered");
    CHECK(ended.hung_up_by == "customer");
    CHECK(ended.wait_ms == 5'000);
    CHECK(ended.ring_ms == 3'000);
    CHECK(ended.talk_ms == 60'000);
    CHECK(ended.hold_ms == 0);
    CHECK(ended.cause == 16);
}

TEST_CASE("machine: what the agent hangs up is over when the telephone system says so") {
    Line line;
    line.talk();
    line.pass(Duration{10'000});
    line.machine().hang_up("agent");
    CHECK(line.call.stage == Stage::ending);
    line.run();
    line.check_over();
    CHECK(line.ends.front().hung_up_by == "agent");
    CHECK(line.ends.front().talk_ms == 10'000);
}

TEST_CASE("machine: an end of which nothing is heard is over after its time") {
    Line line;
    line.talk();
    line.machine().hang_up("agent");
    line.pbx.events.clear();
    line.pass(Duration{5'000});
    line.check_over();
}

TEST_CASE("machine: a caller who leaves while he waits has abandoned, and the agent's telephone stops ringing") {
    const bool ringing = GENERATE(false, true);
    Line line;
    line.arrive();
    line.pass(Duration{4'000});
    if (ringing) line.accept("a1");
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
    CHECK(line.ends.front().outcome == "abandoned");
    CHECK(line.ends.front().hung_up_by == "customer");
    CHECK(line.ends.front().talk_ms == 0);
}

TEST_CASE("machine: an agent whose telephone does not answer loses the caller, who waits on") {
    const bool refuses = GENERATE(false, true);
    Line line;
    line.arrive();
    line.accept("a1");
    if (refuses) {
        line.pbx.hang_up(line.pbx.leg_to("ext-a1"), 21, "rejected");
        line.run();
        CHECK(line.was_told("unanswered rejected rona"));
    } else {
        line.pass(Duration{18'000});
        CHECK(line.was_told("unanswered no_answer rona"));
    }
    CHECK(line.call.stage == Stage::waiting);
    CHECK(line.pbx.legs.size() == 1);
    CHECK(line.pbx.legs.at(line.caller()).music);
    line.accept("a2");
    line.pbx.pick_up(line.pbx.leg_to("ext-a2"));
    line.run();
    CHECK(line.call.stage == Stage::talking);
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
}

TEST_CASE("machine: when the agent's device drops the customer waits again, and the talk is the sum of both") {
    Line line;
    line.talk();
    line.pass(Duration{20'000});
    line.pbx.hang_up(line.pbx.leg_to("ext-a1"), 44, "congestion");
    line.run();
    CHECK(line.call.stage == Stage::waiting);
    CHECK(line.was_told("dropped agent_device_lost"));
    CHECK(line.pbx.legs.at(line.caller()).music);
    line.pass(Duration{5'000});
    line.accept("a2");
    line.pbx.pick_up(line.pbx.leg_to("ext-a2"));
    line.run();
    line.pass(Duration{10'000});
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
    CHECK(line.ends.front().talk_ms == 30'000);
    CHECK(line.ends.front().agent == "a2");
}

TEST_CASE("machine: a held customer hears music, and the hold is part of the talk") {
    Line line;
    line.talk();
    line.pass(Duration{10'000});
    CHECK(line.machine().hold(true));
    line.run();
    CHECK(line.pbx.legs.at(line.caller()).music);
    CHECK(line.pbx.with("ext-a1").empty());
    line.pass(Duration{7'000});
    CHECK(line.machine().hold(false));
    line.run();
    CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"+8613812345678"});
    line.pass(Duration{3'000});
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
    CHECK(line.ends.front().talk_ms == 20'000);
    CHECK(line.ends.front().hold_ms == 7'000);
}

TEST_CASE("machine: asking a colleague, talking in turn, together, and handing over") {
    Line line;
    line.talk();
    CHECK(line.machine().consult("agent:a2", "ext-a2"));
    line.run();
    CHECK(line.pbx.legs.at(line.caller()).music);
    line.pbx.pick_up(line.pbx.leg_to("ext-a2"));
    line.run();
    CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"ext-a2"});
    SECTION("toggled") {
        CHECK(line.machine().consult_toggle());
        line.run();
        CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"+8613812345678"});
        CHECK(line.machine().consult_toggle());
        line.run();
        CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"ext-a2"});
        CHECK(line.machine().consult_cancel());
        line.run();
        CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"+8613812345678"});
        CHECK(line.pbx.legs.size() == 2);
    }
    SECTION("completed") {
        CHECK(line.machine().consult_complete());
        line.run();
        CHECK(line.was_told("handed_on a2"));
        CHECK(line.pbx.with("ext-a2") == std::set<std::string>{"+8613812345678"});
        CHECK(line.pbx.legs.size() == 2);
        CHECK(line.call.agent == "a2");
    }
    SECTION("conference, then the agent leaves the two alone") {
        CHECK(line.machine().conference());
        line.run();
        CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"ext-a2", "+8613812345678"});
        line.pbx.hang_up(line.pbx.leg_to("ext-a1"));
        line.run();
        CHECK(line.pbx.with("ext-a2") == std::set<std::string>{"+8613812345678"});
        CHECK(line.call.agent == "a2");
    }
    SECTION("the one who is asked hangs up") {
        line.pbx.hang_up(line.pbx.leg_to("ext-a2"));
        line.run();
        CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"+8613812345678"});
        CHECK(line.was_told("consult_over"));
    }
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
}

TEST_CASE("machine: a parked customer waits with music until he is taken up, or waits again in his queue") {
    Line line;
    line.rules.longest_park = Duration{60'000};
    line.rules.announce_every = Duration{10'000};
    line.rules.position = {"number:{position}"};
    line.talk();
    CHECK(line.machine().hold(true));
    CHECK(line.machine().park());
    line.run();
    CHECK(line.call.is_parked());
    CHECK_FALSE(line.call.held);
    CHECK(line.pbx.legs.size() == 1);
    CHECK_FALSE(line.machine().park());
    line.pass(Duration{30'000});
    CHECK(line.call.live.play.empty());  // he has no place that could be told
    SECTION("taken up") {
        line.accept("a2");
        line.pbx.pick_up(line.pbx.leg_to("ext-a2"));
        line.run();
        CHECK(line.call.stage == Stage::talking);
        CHECK(line.call.agent == "a2");
    }
    SECTION("nobody took him up") {
        line.pass(Duration{30'000});
        CHECK(line.was_told("park_over"));
        CHECK_FALSE(line.call.is_parked());
        CHECK(line.call.stage == Stage::waiting);
    }
    SECTION("found again after a restart") {
        line.machine().lost();
        line.machine().recover(line.pbx.snapshot());
        line.run();
        CHECK(line.call.is_parked());
        CHECK(line.call.live.deadline == line.now + Duration{60'000});
    }
    SECTION("handed to somebody else meanwhile") {
        CHECK(line.machine().release("transfer"));
        CHECK_FALSE(line.call.is_parked());
    }
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
    CHECK(line.ends.front().outcome == "answered");
}

TEST_CASE("machine: who is asked and does not answer is let go") {
    Line line;
    line.talk();
    CHECK(line.machine().consult("agent:a2", "ext-a2"));
    line.run();
    line.pass(Duration{33'000});
    CHECK(line.pbx.leg_to("ext-a2").empty());
    CHECK(line.pbx.with("ext-a1") == std::set<std::string>{"+8613812345678"});
}

TEST_CASE("machine: a call that is handed on to a number outside goes on without the agent") {
    const bool answers = GENERATE(true, false);
    Line line;
    line.talk();
    CHECK(line.machine().transfer_outside("phone:lawyer", "+861012345678"));
    line.run();
    CHECK(line.pbx.leg_to("ext-a1").empty());
    if (answers) {
        line.pbx.pick_up(line.pbx.leg_to("+861012345678"));
        line.run();
        CHECK(line.was_told("handed_on "));
        CHECK(line.pbx.with("+8613812345678") == std::set<std::string>{"+861012345678"});
        line.pbx.hang_up(line.pbx.leg_to("+861012345678"));
    } else {
        line.pbx.hang_up(line.pbx.leg_to("+861012345678"), 17, "busy");
        line.run();
        CHECK(line.was_told("dropped transfer_failed"));
        CHECK(line.call.stage == Stage::waiting);
        line.pbx.hang_up(line.caller());
    }
    line.run();
    line.check_over();
}

TEST_CASE("machine: a supervisor listens, whispers, joins in and leaves") {
    Line line;
    line.talk();
    CHECK(line.machine().supervise("boss", "ext-boss", Supervising::monitor));
    line.run();
    line.pbx.pick_up(line.pbx.leg_to("ext-boss"));
    line.run();
    CHECK(line.pbx.with("ext-boss") == std::set<std::string>{"snoop"});
    CHECK(line.machine().supervise("boss", "ext-boss", Supervising::whisper));
    line.run();
    CHECK(line.pbx.with("ext-boss") == std::set<std::string>{"whisper"});
    CHECK(line.machine().supervise("boss", "ext-boss", Supervising::barge));
    line.run();
    CHECK(line.pbx.with("ext-boss") == std::set<std::string>{"ext-a1", "+8613812345678"});
    CHECK(line.machine().supervise("boss", "ext-boss", Supervising::none));
    line.run();
    CHECK(line.pbx.legs.size() == 2);
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
}

TEST_CASE("machine: a dial by an agent calls his telephone, then the customer") {
    Line line;
    line.begin(true);
    line.machine().begin_by_agent("a1");
    line.run();
    CHECK(line.pbx.last_made.target == "ext-a1");
    SECTION("both answer") {
        line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
        line.run();
        CHECK(line.was_told("agent_is_up"));
        line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, agent_waits);
        line.run();
        line.pass(Duration{4'000});
        line.pbx.pick_up(line.caller());
        line.run();
        CHECK(line.call.stage == Stage::talking);
        line.pass(Duration{9'000});
        line.machine().hang_up("agent");
        line.run();
        CHECK(line.ends.front().outcome == "answered");
        CHECK(line.ends.front().ring_ms == 4'000);
        CHECK(line.ends.front().talk_ms == 9'000);
    }
    SECTION("the customer is busy") {
        line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
        line.run();
        line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, agent_waits);
        line.run();
        line.pbx.hang_up(line.caller(), 17, "busy");
        line.run();
        CHECK(line.ends.front().outcome == "busy");
    }
    SECTION("the agent does not answer his own telephone") {
        line.pass(Duration{18'000});
        CHECK(line.ends.front().outcome == "cancelled");
        CHECK(line.ends.front().hung_up_by == "agent");
    }
    SECTION("it may not be dialled") {
        line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
        line.run();
        line.machine().refused();
        line.run();
        CHECK(line.ends.front().outcome == "cancelled");
    }
    SECTION("the line is down") {
        line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
        line.run();
        line.pbx.down = true;
        line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, agent_waits);
        line.run();
        CHECK(line.was_told("unwritten"));
        line.pbx.down = false;
        line.pbx.hang_up(line.pbx.leg_to("ext-a1"));
    }
    line.run();
    line.pass(Duration{5'000});
    line.check_over();
}

TEST_CASE("machine: a customer who was dialled for an agent and gets none is dropped with a word") {
    Line line;
    line.rules.dropped = {"file:sorry"};
    line.reserved = GENERATE(std::string{}, std::string{"a1"});
    line.begin(true);
    line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, {.kind = Plan::Kind::reserved, .media = {}, .name = {}, .agent_within = Duration{2'000}});
    line.run();
    line.pbx.pick_up(line.caller());
    line.run();
    line.pass(Duration{1'990});  // nobody is free, or his telephone is not answered
    CHECK(line.call.stage == (line.reserved.empty() ? Stage::waiting : Stage::calling_agent));
    line.pass(Duration{10});
    CHECK(line.call.stage == Stage::playing);
    CHECK(line.was_told("nobody_in_time"));
    CHECK(line.was_told("unanswered no_answer rona") == !line.reserved.empty());
    CHECK(line.pbx.plays.size() == 1);
    line.pbx.finish_plays();
    line.run();
    line.check_over();
    CHECK(line.ends.front().outcome == "dropped");
}

TEST_CASE("machine: a customer who was dialled is given up when his agent and he do not hear each other in time, however they spent it") {
    Line line;
    line.reserved.clear();
    line.begin(true);
    line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, {.kind = Plan::Kind::reserved, .media = {}, .name = {}, .agent_within = Duration{2'000}});
    line.run();
    line.pbx.pick_up(line.caller());
    line.run();
    line.pass(Duration{1'500});
    CHECK(line.machine().agent_found("a1"));
    line.run();
    SECTION("found late, his telephone rings on: that is not his fault") {
        line.pass(Duration{500});
        CHECK_FALSE(line.was_told("unanswered no_answer rona"));
        line.check_over();
        CHECK(line.ends.front().outcome == "dropped");
    }
    SECTION("in time they talk, for as long as they like") {
        line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
        line.run();
        line.pass(Duration{60'000});
        CHECK(line.call.stage == Stage::talking);
    }
}

TEST_CASE("machine: a customer who answered while the telephone system was out of reach has his time from its return on") {
    Line line;
    line.reserved.clear();
    line.begin(true);
    const Plan plan{.kind = Plan::Kind::reserved, .media = {}, .name = {}, .agent_within = Duration{2'000}};
    line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, plan);
    line.run();
    line.machine().lost();
    const bool restarted = GENERATE(false, true);
    if (restarted) line.call.live = {};  // only the log knew it
    line.pbx.pick_up(line.caller());
    line.pbx.events.clear();
    line.pass(Duration{20'000});
    if (restarted) line.machine().recover(line.pbx.snapshot(), plan);
    else line.machine().recover(line.pbx.snapshot());
    line.run();
    CHECK(line.call.stage == Stage::waiting);
    line.pass(Duration{1'900});
    CHECK(line.call.stage == Stage::waiting);
    CHECK(line.machine().agent_found("a1"));
    line.run();
    line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
    line.run();
    CHECK(line.call.stage == Stage::talking);
}

TEST_CASE("machine: what cannot be played ends the call of which it was all, and nothing else") {
    Line line;
    const bool at_once = GENERATE(true, false);
    SECTION("the content of a touch") {
        line.begin(true);
        line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, {.kind = Plan::Kind::play, .media = {"text:hello"}, .name = {}});
        line.run();
        line.pbx.pick_up(line.caller());
        line.run();
        REQUIRE(line.call.stage == Stage::playing);
        if (at_once) line.machine().play_failed("this system cannot speak");
        else line.machine().on(channel::PlayEnded{.play = line.call.live.play, .completed = false, .failed = true});
        line.run();
        line.check_over();
        CHECK(line.ends.front().outcome == "failed");
        CHECK(line.ends.front().hung_up_by == "gateway");
        CHECK_FALSE(line.was_told("content_played"));
        CHECK_FALSE(line.call.live.failure.empty());
    }
    SECTION("a greeting") {
        line.rules.inbound.greeting = {"text:hello"};
        line.arrive();
        REQUIRE(line.call.stage == Stage::greeting);
        if (at_once) line.machine().play_failed("this system cannot speak");
        else line.machine().on(channel::PlayEnded{.play = line.call.live.play, .completed = false, .failed = true});
        CHECK(line.call.stage == Stage::waiting);
    }
}

TEST_CASE("machine: what is played to a customer has reached him when it was played to its end") {
    Line line;
    line.begin(true);
    line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, {.kind = Plan::Kind::play, .media = {"file:reminder"}, .name = {}});
    line.run();
    line.pbx.pick_up(line.caller());
    line.run();
    if (GENERATE(true, false)) {
        line.pbx.finish_plays();
        line.run();
        CHECK(line.was_told("content_played"));
    } else {
        line.pbx.hang_up(line.caller());
        line.run();
        CHECK_FALSE(line.was_told("content_played"));
    }
    line.check_over();
    CHECK(line.ends.front().outcome == "answered");
}

TEST_CASE("machine: greeting, menu, queue; and a voicemail") {
    Line line;
    std::vector<Problem> problems;
    line.rules.inbound.greeting = {"file:hello"};
    line.rules.inbound.menu = "main";
    line.rules.menus["main"] = read_menu(Json::parse(R"({"start":"ask","nodes":{"ask":{"say":["file:ask"],"collect":{"choices":{"1":"sales","2":"message"},"failed":"bye","tries":2}},
        "sales":{"queue":"sales"},"message":{"voicemail":true},"bye":{"say":["file:bye"],"hang_up":true}}})"), "", problems);
    REQUIRE(problems.empty());
    line.arrive();
    CHECK(line.call.stage == Stage::greeting);
    line.pbx.finish_plays();
    line.run();
    CHECK(line.call.stage == Stage::menu);
    SECTION("a choice") {
        line.pbx.events.push_back(channel::DigitPressed{.leg = line.caller(), .digit = '1'});
        line.run();
        CHECK(line.was_told("enqueue sales"));
        CHECK(line.call.stage == Stage::waiting);
        line.pbx.hang_up(line.caller());
    }
    SECTION("silence") {
        line.pbx.finish_plays();
        line.run();
        line.pass(Duration{6'000});
        line.pbx.finish_plays();
        line.run();
        line.pass(Duration{6'000});
        CHECK(line.pbx.plays.begin()->second == "file:bye");
        line.pbx.finish_plays();
    }
    SECTION("a message") {
        line.pbx.events.push_back(channel::DigitPressed{.leg = line.caller(), .digit = '2'});
        line.run();
        CHECK(line.call.stage == Stage::voicemail);
        REQUIRE(line.pbx.recordings.size() == 1);
        line.pass(Duration{15'000});
        const auto name = line.pbx.recordings.begin()->first;
        line.pbx.events.push_back(channel::RecordingEnded{.recording = name, .lasted = Duration{14'000}, .failure = {}});
        line.pbx.recordings.clear();
        line.run();
        CHECK(line.pbx.fetched == std::vector<std::string>{name});
    }
    line.run();
    line.check_over();
}

TEST_CASE("machine: who rings until an agent is there is answered only then") {
    Line line;
    line.rules.inbound.ringing = true;
    line.arrive();
    CHECK(line.call.stage == Stage::waiting);
    CHECK_FALSE(line.pbx.legs.at(line.caller()).up);
    line.accept("a1");
    line.pbx.pick_up(line.pbx.leg_to("ext-a1"));
    line.run();
    CHECK(line.call.stage == Stage::talking);
    CHECK(line.pbx.legs.at(line.caller()).up);
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
}

TEST_CASE("machine: a snapshot after the telephone system was out of reach decides what goes on") {
    Line line;
    line.talk();
    line.pass(Duration{10'000});
    line.machine().lost();
    line.pass(Duration{30'000});
    SECTION("everybody is there") {
        line.machine().recover(line.pbx.snapshot());
        line.run();
        CHECK(line.call.stage == Stage::talking);
        CHECK(line.call.talked(line.now) == 40'000);
        CHECK(std::get<Bridged>(line.facts.back()).again);
        line.pbx.hang_up(line.caller());
        line.run();
        CHECK(line.ends.front().talk_ms == 40'000);
    }
    SECTION("the customer has gone") {
        line.pbx.legs.erase(line.caller());
        line.machine().recover(line.pbx.snapshot());
        line.run();
        CHECK(line.ends.front().hung_up_by == "customer");
        CHECK(line.ends.front().estimated);
    }
    SECTION("the agent has gone") {
        line.pbx.legs.erase(line.pbx.leg_to("ext-a1"));
        line.machine().recover(line.pbx.snapshot());
        line.run();
        CHECK(line.was_told("dropped agent_device_lost"));
        CHECK(line.call.stage == Stage::waiting);
        line.pbx.hang_up(line.caller());
        line.run();
    }
    SECTION("it never comes back") {
        line.pass(Duration{std::chrono::minutes{10}});
        CHECK(line.ends.front().estimated);
        CHECK(line.ends.front().hung_up_by == "network");
        return;
    }
    line.check_over();
}

TEST_CASE("machine: a recorded call is recorded until its end, but for the pauses") {
    Line line;
    line.rules.recording.always = true;
    line.talk();
    REQUIRE(line.pbx.recordings.size() == 1);
    CHECK(line.machine().pause_recording(true));
    CHECK(line.pbx.recordings.begin()->second);
    CHECK(line.machine().pause_recording(false));
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
    CHECK(line.pbx.recordings.empty());
    CHECK(line.pbx.fetched.size() == 1);
    REQUIRE(line.call.recordings.size() == 1);
    CHECK(line.call.recordings.front().state == RecordingState::ended);
}

TEST_CASE("machine: a recording that the telephone system never began begins when it is there again") {
    Line line;
    line.rules.recording.always = true;
    line.talk();
    const auto name = line.pbx.recordings.begin()->first;
    CHECK(line.machine().pause_recording(true));
    line.machine().lost();
    line.pbx.recordings.clear();
    line.machine().recover(line.pbx.snapshot());
    line.run();
    REQUIRE(line.pbx.recordings.contains(name));
    CHECK(line.pbx.recordings.at(name));
    line.pbx.hang_up(line.caller());
    line.run();
    line.check_over();
}

// Whatever comes in whatever order: no stage without a deadline, and when the call is over no leg of it is left.
TEST_CASE("machine: random events in every state leave no leg behind") {
    for (unsigned seed = 1; seed <= 400; ++seed) {
        std::mt19937 random{seed};
        const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        Line line;
        line.rules.recording.always = pick(2) == 0;
        line.rules.inbound.ringing = pick(4) == 0;
        line.rules.announce_every = Duration{pick(2) == 0 ? 0 : 7'000};
        line.rules.position = {"number:{position}"};
        line.rules.dropped = {"file:sorry"};
        line.drop_has_queue = pick(5) != 0;
        line.has_queue = pick(12) != 0;
        if (pick(3) == 0) line.rules.inbound.greeting = {"file:hello"};
        if (pick(2) == 0) {
            line.arrive();
        } else {
            line.begin(true);
            if (pick(2) == 0) line.machine().begin_by_agent("a1");
            else line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}},
                                              {.kind = static_cast<Plan::Kind>(pick(6)), .media = {"file:x"}, .name = "care", .agent_within = Duration{pick(2) * 2'000}});
            line.run();
        }
        bool lost = false, ever_lost = false;
        for (int step = 0; step < 60 && !line.call.is_over(); ++step) {
            INFO("seed " << seed << " step " << step << " stage " << to_string(line.call.stage));
            REQUIRE(line.call.due() != instant_never);
            std::vector<channel::LegId> legs;
            for (const auto& [name, leg] : line.pbx.legs) legs.push_back(name);
            const auto any = legs.empty() ? channel::LegId{} : legs[pick(static_cast<unsigned>(legs.size()))];
            switch (pick(24)) {
                case 0: case 1: case 2: line.pbx.pick_up(any, pick(5) == 0 ? channel::AnsweredBy::machine : channel::AnsweredBy::human); break;
                case 3: line.pbx.hang_up(any, pick(2) == 0 ? 17 : 16, pick(2) == 0 ? "busy" : "answered", pick(2) == 0); break;
                case 4: case 5: case 6: line.pass(Duration{pick(20'000)}); break;
                case 7: if (line.queued) line.accept(pick(8) == 0 ? "" : "a" + std::to_string(1 + pick(3))); break;
                case 8: case 9: if (line.queued) line.accept("a1"); break;
                case 10: (void)line.machine().hold(pick(2) == 0); break;
                case 11: (void)line.machine().consult(pick(2) == 0 ? "agent:a9" : "phone:x", "target"); break;
                case 12: (void)line.machine().consult_complete(); break;
                case 13: (void)line.machine().consult_toggle(); break;
                case 14: (void)line.machine().consult_cancel(); break;
                case 15: (void)line.machine().conference(); break;
                case 16: (void)line.machine().transfer_outside("phone:x", "+861012345678"); break;
                case 17: (void)line.machine().supervise("boss", "ext-boss", static_cast<Supervising>(pick(4))); break;
                case 18: line.pbx.finish_plays(); break;
                case 19:
                    if (line.told.empty() || line.told.back() != "agent_is_up") break;
                    line.machine().dial_customer({.number = "+8613812345678", .endpoint = {}, .caller_id = {}}, agent_waits);
                    break;
                case 20:
                    if (line.machine().release("transfer")) line.queued = true;
                    break;
                case 21:
                    if (pick(3) != 0) break;
                    lost = !lost;
                    ever_lost = true;
                    line.pbx.down = lost;
                    if (lost) line.machine().lost();
                    else line.machine().recover(line.pbx.snapshot());
                    break;
                case 22: line.pbx.events.push_back(channel::LegParted{.mix = line.call.mix, .leg = any}); break;
                default: if (pick(6) == 0) line.machine().hang_up("agent"); break;
            }
            line.run();
        }
        if (line.pbx.down) {
            line.pbx.down = false;
            line.machine().recover(line.pbx.snapshot());
            line.run();
        }
        if (!line.call.is_over()) line.machine().hang_up("gateway");
        line.run();
        line.pass(Duration{30'000});
        INFO("seed " << seed << " stage " << to_string(line.call.stage));
        REQUIRE(line.call.is_over());
        REQUIRE(line.ends.size() == 1);
        // What the telephone system could not be told while it was out of reach, it is told by whoever reads its snapshot.
        if (!ever_lost) {
            std::string left;
            for (const auto& [name, leg] : line.pbx.legs) left += name + " to " + leg.target + "; ";
            REQUIRE(left.empty());
            REQUIRE(line.pbx.faults == std::vector<std::string>{});
        }
    }
}

}  // namespace touchgate::voice_test
