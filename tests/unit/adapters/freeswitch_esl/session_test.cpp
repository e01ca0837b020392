#include <fstream>
#include <iterator>

#include "tests/unit/adapters/freeswitch_esl/scripted_switch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::freeswitch_esl;
using namespace touchgate::adapters::freeswitch_esl::test;

TEST_CASE("session: logs in, subscribes, takes the snapshot, and only then is up", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    CHECK(pbx.said.empty());  // the switch speaks first
    pbx.start();
    CHECK(pbx.ups.empty());
    pbx.reply_api(R"({"row_count":0})");
    REQUIRE(pbx.ups.size() == 1);
    CHECK(pbx.ups[0].snapshot.legs.empty());
    CHECK_FALSE(pbx.closed);
}

TEST_CASE("session: everything may come in pieces of any size", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    const auto drip = [&](std::string_view bytes) {
        for (const char c : bytes) pbx.feed({&c, 1});
    };
    drip("Content-Type: auth/request\n\n");
    CHECK(pbx.next().line == "auth secret08");
    drip("Content-Type: command/reply\nReply-Text: +OK accepted\n\n");
    CHECK(pbx.next().is("event json CHANNEL_CREATE"));
    drip("Content-Type: command/reply\nReply-Text: +OK event listener enabled json\n\n");
    CHECK(pbx.next().is("api uptime s"));
    CHECK(pbx.next().is("api show channels"));
    drip("Content-Type: api/response\nContent-Length: 4\n\n3600");
    drip("Content-Type: api/response\nContent-Length: 15\n\n{\"row_count\":0}");
    CHECK(pbx.ups.size() == 1);
    drip(Switch::event_bytes({{"Event-Name", "CHANNEL_PARK"}, {"Unique-ID", "u1"}, {"variable_touchgate", "touchgate,inbound,1000"}, {"Caller-Caller-ID-Name", "张三"}}));
    CHECK(pbx.take_event<LegArrived>()->from_name == "张三");
}

TEST_CASE("session: a wrong password and a refused address are the account's fault and tried again slowly", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    const bool rude = GENERATE(false, true);
    if (rude) {
        pbx.feed("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n");
    } else {
        pbx.feed("Content-Type: auth/request\n\n");
        pbx.next();
        pbx.reply("-ERR invalid");
    }
    CHECK(pbx.closed);
    pbx.drop("closed");
    const auto down = pbx.take_event<PbxDown>();
    REQUIRE(down);
    CHECK(down->credentials);
    CHECK(down->reason.find(rude ? "address" : "password") != std::string::npos);
    CHECK(*pbx.session->connect_at() >= pbx.now + 60s);
}

TEST_CASE("session: something else than an event socket is left at once", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    pbx.feed("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    CHECK(pbx.closed);
    pbx.drop();
    CHECK_FALSE(pbx.take_event<PbxDown>()->credentials);
}

TEST_CASE("session: a switch that does not answer, or falls silent, is given up and tried again with growing pauses", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    pbx.pass(31s);
    CHECK(pbx.closed);
    pbx.drop();
    CHECK(pbx.take_event<PbxDown>());
    pbx.closed = false;
    pbx.up();
    pbx.pass(44s);
    CHECK_FALSE(pbx.closed);
    pbx.event("HEARTBEAT", {});
    pbx.pass(44s);
    CHECK_FALSE(pbx.closed);
    pbx.pass(2s);
    CHECK(pbx.closed);
    Duration longest{0};
    for (int i = 0; i < 10; ++i) {
        pbx.drop();
        const auto pause = *pbx.session->connect_at() - pbx.now;
        CHECK(pause <= 15s);
        longest = std::max(longest, std::chrono::duration_cast<Duration>(pause));
        pbx.connect();
    }
    CHECK(longest > 7s);
}

TEST_CASE("session: a disconnect notice ends the connection, and commands under way are unknown", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.arrived_leg("u1");
    pbx.run(AnswerLeg{"u1"});
    pbx.run(RingLeg{"u1"});  // waits for the answer
    pbx.feed("Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 5\n\nBye.\n");
    CHECK(pbx.closed);
    pbx.drop("closed");
    CHECK(pbx.take_event<PbxDown>()->reason == "the switch ended the connection");
    const auto written = pbx.take_event<CommandFailed>();
    REQUIRE(written);
    CHECK(written->unknown);
    const auto waiting = pbx.take_event<CommandFailed>();
    REQUIRE(waiting);
    CHECK(waiting->unwritten);
    pbx.run(AnswerLeg{"u1"});
    CHECK(pbx.take_event<CommandFailed>()->unwritten);  // while down
}

TEST_CASE("session: garbage in the stream of events is counted and does no harm", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    for (const auto* body : {"no json", "[]", "{}", R"({"Event-Name":7.5})", "{\"Event-Name\":\"CHANNEL_PARK\"}", "{\"Event-Name\":\"BACKGROUND_JOB\",\"Job-UUID\":null}"})
        pbx.feed("Content-Type: text/event-json\nContent-Length: " + std::to_string(std::string{body}.size()) + "\n\n" + body);
    pbx.feed("Content-Type: text/event-plain\nContent-Length: 2\n\nab");
    pbx.reply("+OK nobody asked");
    pbx.event("SOMETHING_NEW", "u1");
    CHECK(pbx.session->counters().unreadable == 3);
    CHECK(pbx.session->counters().stray_answers == 1);
    CHECK(pbx.events.empty());
    CHECK_FALSE(pbx.closed);
    // A caller's name in another encoding must not lose the call.
    const std::string bytes = R"({"Event-Name":"CHANNEL_PARK","Unique-ID":"u9","variable_touchgate":"touchgate,inbound,1000","Caller-Caller-ID-Name":")" "\xD5\xC5\xC8\xFD" R"("})";
    pbx.feed("Content-Type: text/event-json\nContent-Length: " + std::to_string(bytes.size()) + "\n\n" + bytes);
    CHECK(pbx.take_event<LegArrived>()->leg == "u9");
}

TEST_CASE("session: a snapshot finds again what an earlier run made, and what came in", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    pbx.start();
    pbx.reply_api(R"({"row_count":4,"rows":[
        {"uuid":"c1","direction":"outbound","created_epoch":"1799999000","cid_num":"1","callstate":"ACTIVE","dest":"13900000001"},
        {"uuid":"a1","direction":"outbound","created_epoch":"1799999100","callstate":"RINGING","dest":"agent.2"},
        {"uuid":"in1","direction":"inbound","created_epoch":"1799999200","cid_num":"13800000000","callstate":"ACTIVE","dest":"1000"},
        {"uuid":"foreign","direction":"inbound","callstate":"ACTIVE"},{"uuid":"bad id\n\napi shutdown"},7]})");
    const std::map<std::string, std::map<std::string, std::string>> variables = {
        {"c1", {{"touchgate_leg", "touchgate.customer.i1.+8613900000001"}, {"touchgate_mix", "m1.i1"}}},
        {"a1", {{"touchgate_leg", "touchgate.agent.i2.agent.2"}}},
        {"in1", {{"touchgate", "touchgate,inbound,1000"}, {"touchgate_mix", "m1.i1"}}}};
    // An event that comes between belongs after the snapshot.
    pbx.event("CHANNEL_PROGRESS", "a1");
    int asked = 0;
    while (pbx.ups.empty()) {
        const auto question = pbx.next();
        REQUIRE(question.is("api uuid_getvar "));
        ++asked;
        const auto words = question.line.substr(std::string{"api uuid_getvar "}.size());
        const auto blank = words.find(' ');
        const auto of = variables.find(words.substr(0, blank));
        const auto value = of == variables.end() || !of->second.contains(words.substr(blank + 1)) ? "_undef_" : of->second.at(words.substr(blank + 1));
        pbx.reply_api(value);
    }
    CHECK(asked == 12);
    const auto& snapshot = pbx.ups[0].snapshot;
    REQUIRE(snapshot.legs.size() == 3);
    CHECK(snapshot.legs[0].leg == "a1");
    CHECK(snapshot.legs[0].role == LegRole::agent);
    CHECK(snapshot.legs[0].owner == "i2");
    CHECK(snapshot.legs[0].number == "agent.2");
    CHECK_FALSE(snapshot.legs[0].answered);
    CHECK(snapshot.legs[1].leg == "c1");
    CHECK(snapshot.legs[1].owner == "i1");
    CHECK(snapshot.legs[1].number == "+8613900000001");
    CHECK(snapshot.legs[1].answered);
    CHECK(snapshot.legs[1].since == from_unix_ms(1'799'999'000'000));
    CHECK(snapshot.legs[2].arrived);
    CHECK(snapshot.legs[2].to == "1000");
    REQUIRE(snapshot.mixes.size() == 1);
    CHECK(snapshot.mixes[0].mix == "m1");
    CHECK(snapshot.mixes[0].owner == "i1");
    CHECK(snapshot.mixes[0].legs == std::vector<LegId>{"c1", "in1"});
    CHECK(pbx.take_event<LegRinging>()->leg == "a1");
    // It goes on where the earlier run stopped.
    pbx.event("CHANNEL_HANGUP_COMPLETE", "c1", {{"Hangup-Cause", "NORMAL_CLEARING"}, {"variable_sip_hangup_disposition", "recv_bye"}, {"variable_answer_epoch", "1799999010"}});
    CHECK(pbx.take_event<LegParted>()->mix == "m1");
    const auto ended = pbx.take_event<LegEnded>();
    CHECK(ended->outcome == "answered");
    CHECK(ended->by_far_end);
}

TEST_CASE("session: after a restart of the switch nothing of the old calls is left", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.drop();
    CHECK(pbx.take_event<PbxDown>());
    pbx.core = "core-2";
    pbx.up();
    pbx.event("CHANNEL_HANGUP_COMPLETE", "c1", {{"Hangup-Cause", "NORMAL_CLEARING"}});
    CHECK_FALSE(pbx.take_event<LegEnded>());
    pbx.run(EndLeg{.leg = "c1"});
    CHECK(pbx.said.empty());
    CHECK_FALSE(pbx.take_event<CommandFailed>());  // it is gone, as was wanted
}

TEST_CASE("session: the switch says for how long it has run, or does not", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    pbx.start();  // an hour, by the scripted switch
    pbx.reply_api(R"({"row_count":0})");
    REQUIRE(pbx.ups.size() == 1);
    CHECK(pbx.ups[0].snapshot.began_at == noon - 1h);
    Switch old;
    old.connect();
    old.feed("Content-Type: auth/request\n\n");
    old.reply("+OK accepted");
    old.reply("+OK event listener enabled json");
    old.reply_api("-ERR uptime Command not found!\n");
    old.reply_api(R"({"row_count":0})");
    REQUIRE(old.ups.size() == 1);
    CHECK_FALSE(old.ups[0].snapshot.began_at);
}

TEST_CASE("session: a snapshot may be asked for at any time", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.run(AskSnapshot{});
    CHECK(pbx.next().line == "api show channels as json");
    pbx.event("DTMF", "c1", {{"DTMF-Digit", "5"}});
    CHECK_FALSE(pbx.take_event<DigitPressed>());
    pbx.reply_api(R"({"row_count":1,"rows":[{"uuid":"c1","callstate":"ACTIVE"}]})");
    for (const auto* value : {"touchgate.customer.i1.+8613900000001", "_undef_", "-ERR No such channel!"}) {
        CHECK(pbx.next().is("api uuid_getvar c1"));
        pbx.reply_api(value);
    }
    const auto snapshot = pbx.take_event<Snapshot>();
    REQUIRE(snapshot);
    CHECK(snapshot->legs.size() == 1);
    CHECK(pbx.take_event<DigitPressed>()->digit == '5');
    pbx.run(AskSnapshot{});
    pbx.next();
    pbx.reply_api("-ERR no reply");
    CHECK(pbx.take_event<CommandFailed>()->code == "NO_SNAPSHOT");
    CHECK_FALSE(pbx.closed);
}

TEST_CASE("session: a switch that cannot list its channels is not up", "[freeswitch_esl]") {
    Switch pbx;
    pbx.connect();
    pbx.start();
    pbx.reply_api("-ERR no reply");
    CHECK(pbx.closed);
    CHECK(pbx.ups.empty());
}

TEST_CASE("session: shutting down says goodbye and hangs nothing up", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.session->shut_down(pbx.now);
    pbx.take();
    CHECK(pbx.next().line == "exit");
    CHECK(pbx.closed);
    pbx.drop("closed");
    CHECK_FALSE(pbx.session->connect_at());
}

TEST_CASE("session: ten thousand events in one burst are all taken", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    std::string burst;
    for (int i = 0; i < 10'000; ++i) burst += Switch::event_bytes({{"Event-Name", "DTMF"}, {"Unique-ID", "c1"}, {"DTMF-Digit", std::to_string(i % 10)}});
    pbx.feed(burst);
    CHECK(pbx.events.size() == 10'000);
}

TEST_CASE("session: a recorded stream, cut at any place, tells the same call", "[freeswitch_esl]") {
    std::ifstream file{std::string{TOUCHGATE_SOURCE_DIR} + "/adapters/freeswitch_esl/fixtures/stream.txt", std::ios::binary};
    const std::string stream{std::istreambuf_iterator<char>{file}, {}};
    REQUIRE(stream.size() > 1'000);
    for (std::size_t cut = 0; cut < stream.size(); cut += 7) {
        INFO(cut);
        Switch pbx;
        pbx.connect();
        pbx.feed(std::string_view{stream}.substr(0, cut));
        pbx.feed(std::string_view{stream}.substr(cut));
        REQUIRE(pbx.ups.size() == 1);
        const auto arrived = pbx.take_event<LegArrived>();
        REQUIRE(arrived);
        CHECK(arrived->from_name == "王小明");
        CHECK(arrived->arguments == std::vector<std::string>{"vip"});
        CHECK(arrived->at == from_unix_ms(1'800'000'001'000));
        CHECK(pbx.take_event<LegAnswered>()->at == from_unix_ms(1'800'000'003'500));
        CHECK(pbx.take_event<DigitPressed>()->digit == '1');
        const auto ended = pbx.take_event<LegEnded>();
        REQUIRE(ended);
        CHECK(ended->outcome == "answered");
        CHECK(ended->by_far_end);
        CHECK(ended->at == from_unix_ms(1'800'000'063'500));
        CHECK(pbx.closed);
    }
}
