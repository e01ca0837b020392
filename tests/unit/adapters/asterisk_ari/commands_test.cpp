// Commands: their requests, their order, and what is done when an answer does not come.
#include "support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::asterisk_ari;
using namespace touchgate::adapters::asterisk_ari::test;

namespace {

MakeLeg customer(Monotonic deadline = Monotonic::max()) {
    return {.leg = "c", .owner = "call-1", .target = "+8613800000000", .ring_timeout = 20s, .permit_deadline = deadline};
}
MakeLeg agent() { return {.leg = "g", .owner = "call-1", .role = LegRole::agent, .target = "1001", .caller_id = "+8613900000001", .caller_name = "王芳", .ring_timeout = 15s}; }

}  // namespace

TEST_CASE("ari commands: a customer is called by one request that carries the permit's deadline", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, customer(rig.now + 5s));
    CHECK(rig.take_asked() == Lines{"POST /channels?endpoint=PJSIP%2F%2B8613800000000%40trunk&app=gw&appArgs=leg%2Ccustomer%2Ccall-1%2C%2B8613800000000&channelId=c&timeout=20&callerId=%2B862112345678"});
    CHECK(rig.open.front().not_after == rig.now + 5s);
    const auto body = Json::parse(rig.open.front().request.body);
    CHECK(body["variables"] == Json{{"TOUCHGATE_OWNER", "call-1"}, {"TOUCHGATE_LEG", "gw,customer,+8613800000000"}});
    rig.answer(200);
    CHECK(rig.take_told().empty());
}

TEST_CASE("ari commands: an agent's leg is made and then dialled", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, agent());
    CHECK(rig.take_asked() == Lines{"POST /channels/create?endpoint=PJSIP%2F1001&app=gw&appArgs=leg%2Cagent%2Ccall-1%2C1001&channelId=g"});
    const auto variables = Json::parse(rig.open.front().request.body)["variables"];
    CHECK(variables["PJSIP_TRANSFER_HANDLING()"] == "ari-only");
    CHECK(variables["PJSIP_HEADER(add,X-Touchgate-Interaction)"] == "call-1");
    CHECK(variables["CONNECTEDLINE(num,i)"] == "+8613900000001");
    CHECK(variables["CONNECTEDLINE(name,i)"] == "王芳");
    SECTION("once it is in the application") {
        rig.answer(200);
        CHECK(rig.take_asked().empty());
        rig.enters("g");
    }
    SECTION("which may be told before the answer") {
        rig.enters("g");
        CHECK(rig.take_asked().empty());
        rig.answer(200);
    }
    CHECK(rig.take_asked() == Lines{"POST /channels/g/dial?timeout=15"});
    rig.answer(204);
    CHECK(rig.take_told().empty());
}

TEST_CASE("ari commands: an agent's channel that never comes into the application is given up", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, agent());
    rig.answer(200);
    SECTION("after the time of a request") {
        CHECK(rig.session.wake_at() == rig.now + 10s);
        rig.wake_after(10s);
        CHECK(rig.take_told() == Lines{"failed 1 NO_ANSWER"});
        CHECK(rig.take_asked().back() == "DELETE /channels/g?reason=normal");
    }
    SECTION("at once when it ends") {
        rig.hear(event("ChannelDestroyed", a_channel("g", "Down"), {{"cause", 44}}));
        CHECK(rig.take_told() == Lines{"ended g congestion 44/0"});
        CHECK_FALSE(rig.session.wake_at());
    }
    SECTION("it is found there after a break of the event stream") {
        rig.session.on_closed(rig.now, "reset", false);
        rig.asked.clear();
        rig.connect(Json::array({a_channel("g", "Down", "gw,leg,agent,call-1,1001")}), Json::array(), {"g"});
        CHECK(rig.take_asked().back() == "POST /channels/g/dial?timeout=15");
    }
}

TEST_CASE("ari commands: nothing is dialled after the permit", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    SECTION("by the session") {
        rig.execute(1, customer(rig.now - 1ms));
        CHECK(rig.take_told() == Lines{"failed 1 PERMIT_LAPSED unwritten"});
        CHECK(rig.take_asked().empty());
    }
    SECTION("by the transport") {
        rig.execute(1, customer(rig.now + 1s));
        rig.no_answer(false, "the permit ended");
        CHECK(rig.take_told() == Lines{"failed 1 UNWRITTEN unwritten"});
        CHECK(rig.take_asked().size() == 1);
    }
    SECTION("an agent's channel that was made is taken back") {
        auto late = agent();
        late.permit_deadline = rig.now + 1s;
        rig.execute(1, late);
        rig.now += 2s;
        rig.enters("g");
        rig.answer(200);
        CHECK(rig.take_told() == Lines{"failed 1 PERMIT_LAPSED unwritten"});
        CHECK(rig.take_asked().back() == "DELETE /channels/g?reason=normal");
    }
}

TEST_CASE("ari commands: without an answer the PBX is asked what became of the call", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, customer());
    SECTION("it was made") {
        rig.no_answer(true);
        CHECK(rig.take_asked().back() == "GET /channels/c");
        rig.answer(200, a_channel("c", "Ringing"));
        CHECK(rig.take_told().empty());
        rig.hear(event("ChannelDestroyed", a_channel("c", "Ringing"), {{"cause", 17}}));
        CHECK(rig.take_told() == Lines{"ended c busy 17/0"});
    }
    SECTION("it was not made, and is not made again; should it come to life, it is hung up") {
        rig.no_answer(true);
        rig.answer(404);
        CHECK(rig.take_told() == Lines{"failed 1 NO_ANSWER"});
        rig.answer_all();
        (void)rig.take_asked();
        rig.hear(event("ChannelStateChange", a_channel("c", "Ringing")));
        CHECK(rig.take_told().empty());
        CHECK(rig.take_asked() == Lines{"DELETE /channels/c?reason=normal"});
    }
    SECTION("nobody knows") {
        rig.no_answer(true);
        rig.no_answer(true);
        CHECK(rig.take_told() == Lines{"failed 1 NO_ANSWER unknown"});
    }
    SECTION("its ringing is answer enough") {
        rig.hear(event("ChannelStateChange", a_channel("c", "Ringing", "(Outgoing Line)", "AppDial2")));
        rig.no_answer(true);
        CHECK(rig.take_told() == Lines{"ringing c"});
        CHECK(rig.take_asked().size() == 1);
    }
}

TEST_CASE("ari commands: a conflict on our own id is looked into", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, customer());
    rig.answer(409, {{"message", "Channel with given unique ID already exists"}});
    CHECK(rig.take_asked().back() == "GET /channels/c");
    SECTION("it is our own channel") {
        rig.answer(200, a_channel("c", "Ringing"));
        CHECK(rig.take_told().empty());
    }
    SECTION("it was a left-over of somebody else's error") {
        rig.answer(404);
        CHECK(rig.take_told() == Lines{"failed 1 409"});
    }
}

TEST_CASE("ari commands: a phone that is not registered is said in words", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, agent());
    rig.answer(500, {{"error", "Allocation failed"}});
    REQUIRE(rig.events.size() == 1);
    const auto& failed = std::get<CommandFailed>(rig.events[0]);
    CHECK(failed.code == "500");
    CHECK(failed.detail.find("not registered") != std::string::npos);
    CHECK_FALSE(failed.unknown);
    CHECK_FALSE(failed.unwritten);
}

TEST_CASE("ari commands: those of one leg go one after the other, others at once", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, MakeMix{.mix = "m", .owner = "o"});
    rig.execute(2, AnswerLeg{.leg = "a"});
    rig.execute(3, JoinLeg{.mix = "m", .leg = "a"});
    rig.execute(4, AnswerLeg{.leg = "b"});
    rig.execute(5, EndLeg{.leg = "a", .reason = EndReason::answered_elsewhere});
    CHECK(rig.take_asked() == Lines{"POST /bridges?type=mixing&bridgeId=m&name=touchgate%2Fgw%2Fo", "POST /channels/a/answer", "POST /channels/b/answer"});
    rig.answer(200);
    CHECK(rig.take_asked().empty());
    rig.answer(204);
    CHECK(rig.take_asked() == Lines{"POST /bridges/m/addChannel?channel=a"});
    rig.answer(204);  // b
    rig.answer(204);
    CHECK(rig.take_asked() == Lines{"DELETE /channels/a?reason=answered_elsewhere"});
}

TEST_CASE("ari commands: what a leg plays or hears is stopped before it joins", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.hear(event("StasisStart", a_channel("a"), {{"args", {"inbound", "1000"}}}));
    rig.answer_all();
    (void)rig.take_asked();
    rig.execute(1, StartMusic{.leg = "a"});
    rig.execute(2, Play{.play = "p", .leg = "a", .mix = {}, .media = {"file:wait"}});
    rig.execute(3, JoinLeg{.mix = "m", .leg = "a"});
    rig.answer_all();
    CHECK(rig.take_asked() == Lines{"POST /channels/a/moh", "POST /channels/a/play?media=sound%3Await&playbackId=p", "DELETE /playbacks/p", "DELETE /channels/a/moh", "POST /bridges/m/addChannel?channel=a"});
}

TEST_CASE("ari commands: ending a leg that the PBX no longer has ends it here", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, customer());
    rig.answer(200);
    rig.execute(2, EndLeg{.leg = "c"});
    SECTION("it is gone") {
        rig.answer(404, {{"message", "Channel not found"}});
        CHECK(rig.take_told() == Lines{"ended c cancelled 0/0"});
    }
    SECTION("the word of its end is lost") {
        rig.answer(204);
        CHECK(rig.take_told().empty());
        rig.wake_after(5s);
        CHECK(rig.take_told() == Lines{"ended c cancelled 0/0"});
    }
    SECTION("no answer: it is asked, and hung up once more") {
        rig.no_answer(true);
        CHECK(rig.take_asked().back() == "GET /channels/c");
        rig.answer(200, a_channel("c"));
        CHECK(rig.take_asked() == Lines{"DELETE /channels/c?reason=normal"});
        rig.no_answer(true);
        rig.answer(404);
        rig.hear(event("ChannelDestroyed", a_channel("c", "Ringing"), {{"cause", 16}}));
        CHECK(rig.take_told() == Lines{"ended c cancelled 16/0"});
    }
}

TEST_CASE("ari commands: an agent's leg that is ended before it rings is never dialled", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, agent());
    SECTION("while it is made") {
        rig.execute(2, EndLeg{.leg = "g"});
        rig.answer(200);
    }
    SECTION("while it is on its way into the application") {
        rig.answer(200);
        rig.execute(2, EndLeg{.leg = "g"});
    }
    CHECK(rig.take_asked().back() == "DELETE /channels/g?reason=normal");
    rig.answer(204);
    rig.hear(event("ChannelDestroyed", a_channel("g", "Down"), {{"cause", 16}}));
    CHECK(rig.take_told() == Lines{"ended g cancelled 16/0"});
}

TEST_CASE("ari commands: what cannot be done is refused before anything is written", "[asterisk_ari]") {
    const auto [command, code] = GENERATE(table<CallCommand, std::string>({{MakeLeg{.leg = "x", .owner = "o", .target = "1&2"}, "INVALID_TARGET"},
                                                                           {Play{.play = "p", .leg = "x", .mix = {}, .media = {"text:hello"}}, "CANNOT_PLAY"},
                                                                           {Play{.play = "p", .leg = "x", .mix = {}, .media = {}}, "CANNOT_PLAY"},
                                                                           {Play{.play = "p", .leg = "x", .mix = {}, .media = {"file:a,b"}}, "CANNOT_PLAY"},
                                                                           {SendDigits{.leg = "x", .digits = "12x"}, "INVALID_DIGITS"}}));
    Rig rig;
    rig.come_up();
    rig.execute(9, command);
    CHECK(rig.take_told() == Lines{"failed 9 " + code + " unwritten"});
    CHECK(rig.take_asked().empty());
}

TEST_CASE("ari commands: requests of the others", "[asterisk_ari]") {
    const auto [command, request] = GENERATE(table<CallCommand, std::string>(
        {{RingLeg{.leg = "a"}, "POST /channels/a/ring"},
         {PartLeg{.mix = "m", .leg = "a"}, "POST /bridges/m/removeChannel?channel=a"},
         {EndMix{.mix = "m"}, "DELETE /bridges/m"},
         {StartMusic{.leg = "a", .music = "jazz"}, "POST /channels/a/moh?mohClass=jazz"},
         {StopMusic{.leg = "a"}, "DELETE /channels/a/moh"},
         {MuteLeg{.leg = "a"}, "POST /channels/a/mute?direction=in"},
         {MuteLeg{.leg = "a", .muted = false}, "DELETE /channels/a/mute?direction=in"},
         {SendDigits{.leg = "a", .digits = "1#"}, "POST /channels/a/dtmf?dtmf=1%23"},
         {Play{.play = "p", .leg = {}, .mix = "m", .media = {"digits:12"}}, "POST /bridges/m/play?media=digits%3A12&playbackId=p"},
         {StartRecording{.recording = "r", .leg = {}, .mix = "m"}, "POST /bridges/m/record?name=r&format=wav&ifExists=fail&beep=false"},
         {StartRecording{.recording = "r", .leg = "a", .mix = {}, .beep = true, .longest = 60s, .end_digits = "#", .silence = 5s},
          "POST /channels/a/record?name=r&format=wav&ifExists=fail&beep=true&maxDurationSeconds=60&maxSilenceSeconds=5&terminateOn=%23"},
         {PauseRecording{.recording = "r"}, "POST /recordings/live/r/pause"},
         {PauseRecording{.recording = "r", .paused = false}, "DELETE /recordings/live/r/pause"},
         {StopRecording{.recording = "r"}, "POST /recordings/live/r/stop"},
         {FetchRecording{.recording = "r"}, "GET /recordings/stored/r/file"},
         {DropRecording{.recording = "r"}, "DELETE /recordings/stored/r"}}));
    Rig rig;
    rig.come_up();
    rig.execute(1, command);
    CHECK(rig.take_asked() == Lines{request});
}

TEST_CASE("ari commands: a recording is fetched with its type, or why not", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, FetchRecording{.recording = "r"});
    const auto request = rig.take_request();
    CHECK(request.timeout == 60s);
    rig.session.on_answer(rig.now, rig.wall, request.id, {.status = 200, .headers = {{"content-type", "audio/wav"}}, .body = "RIFF"});
    rig.collect();
    REQUIRE(rig.events.size() == 1);
    CHECK(std::get<RecordingFetched>(rig.events[0]).bytes == "RIFF");
    rig.events.clear();
    rig.execute(2, FetchRecording{.recording = "r"});
    rig.answer(404, {{"message", "Recording not found"}});
    CHECK(rig.take_told() == Lines{"fetched r not: Recording not found", "failed 2 404"});
}

TEST_CASE("ari commands: a mix does not end before its recording has", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, PauseRecording{.recording = "r", .paused = false});
    rig.execute(2, StopRecording{.recording = "r", .mix = "m"});
    rig.execute(3, EndMix{.mix = "m"});
    CHECK(rig.take_asked() == Lines{"DELETE /recordings/live/r/pause"});
    rig.answer(204);
    CHECK(rig.take_asked() == Lines{"POST /recordings/live/r/stop"});
    rig.answer(204);
    CHECK(rig.take_asked() == Lines{"DELETE /bridges/m"});
}

TEST_CASE("ari commands: a recording that is to end and is not there has ended", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, StopRecording{.recording = "r"});
    rig.answer(404, {{"message", "Recording not found"}});
    CHECK(rig.take_told() == Lines{"recording r done"});
}

TEST_CASE("ari commands: whether a recording may still come is told with why it did not", "[asterisk_ari]") {
    const auto [status, passing] = GENERATE(table<int, bool>({{404, false}, {503, true}}));
    Rig rig;
    rig.come_up();
    rig.execute(1, FetchRecording{.recording = "r"});
    rig.answer(status);
    REQUIRE(rig.events.size() == 2);
    CHECK(std::get<RecordingFetched>(rig.events[0]).passing == passing);
}

TEST_CASE("ari commands: a snapshot that is asked for later holds events back until it is there", "[asterisk_ari]") {
    Rig rig;
    rig.come_up();
    rig.execute(1, AskSnapshot{});
    CHECK(rig.take_asked() == Lines{"GET /applications/gw", "GET /channels", "GET /bridges"});
    rig.hear(event("StasisStart", a_channel("a", "Ring"), {{"args", {"inbound", "1000"}}}));
    rig.execute(2, AnswerLeg{.leg = "b"});
    CHECK(rig.take_asked() == Lines{"POST /channels/b/answer"});
    rig.answer(200, {{"channel_ids", {"a"}}});
    SECTION("and then tells them") {
        rig.answer(200, Json::array({a_channel("a", "Ring")}));
        rig.answer(200, Json::array());
        CHECK(rig.take_told() == Lines{"snapshot with 0 legs", "arrived a from 13800000000 to 1000"});
    }
    SECTION("or does not come, and they are told all the same") {
        rig.answer(500);
        CHECK(rig.take_told() == Lines{"failed 1 NO_SNAPSHOT", "arrived a from 13800000000 to 1000"});
        CHECK_FALSE(rig.closes);
    }
}
