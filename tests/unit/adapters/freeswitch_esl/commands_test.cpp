#include "tests/unit/adapters/freeswitch_esl/scripted_switch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::freeswitch_esl;
using namespace touchgate::adapters::freeswitch_esl::test;

TEST_CASE("legs: a dial carries our names, and is answered when it waits parked", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .role = LegRole::customer, .target = "+8613900000001", .caller_name = "O'Neil, {x}", .ring_timeout = 25s});
    const auto originate = pbx.next();
    CHECK(originate.line == "bgapi originate {origination_uuid=c1,ignore_early_media=true,park_after_bridge=true,hangup_after_bridge=false,originate_timeout=25,"
                            "touchgate_leg=touchgate.customer.i1.+8613900000001,origination_caller_id_number=+862112345678,origination_caller_id_name='ONeil x'}"
                            "sofia/gateway/carrier/+8613900000001 &park()");
    CHECK(originate.job().size() == 36);
    // Its result may come before the command's own answer was seen.
    pbx.event("CHANNEL_CREATE", "c1");
    pbx.reply("+OK Job-UUID: " + originate.job());
    pbx.event("CHANNEL_PROGRESS_MEDIA", "c1");
    pbx.event("CHANNEL_PROGRESS", "c1");
    CHECK(pbx.take_event<LegRinging>()->leg == "c1");
    CHECK_FALSE(pbx.take_event<LegRinging>());
    pbx.event("CHANNEL_ANSWER", "c1");
    CHECK_FALSE(pbx.take_event<LegAnswered>());  // nothing could be done with it yet
    pbx.event("CHANNEL_PARK", "c1", {{"Event-Date-Timestamp", "1800000001234000"}});
    CHECK(pbx.take_event<LegAnswered>()->at == from_unix_ms(1'800'000'001'234));
    pbx.event("BACKGROUND_JOB", {}, {{"Job-UUID", originate.job()}, {"_body", "+OK c1\n"}});
    CHECK(pbx.events.empty());
}

TEST_CASE("legs: an agent's telephone is told the interaction", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.run(MakeLeg{.leg = "a1", .owner = "i1", .role = LegRole::agent, .target = "agent2"});
    const auto line = pbx.next().line;
    CHECK(line.find("sip_h_X-Touchgate-Interaction=i1") != std::string::npos);
    CHECK(line.find("}user/agent2 &park()") != std::string::npos);
}

TEST_CASE("legs: the same leg asked for twice is made once", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .target = "+8613900000001"});
    CHECK(pbx.said.empty());
    CHECK(pbx.events.empty());
}

TEST_CASE("legs: what could say something else to the switch is refused", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    const auto target = GENERATE(as<std::string>{}, "", "1 &system(rm)", "1\n\napi shutdown", "a,error/user_busy", "{x=y}1", "agent 2");
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .target = target});
    CHECK(pbx.said.empty());
    const auto failed = pbx.take_event<CommandFailed>();
    REQUIRE(failed);
    CHECK(failed->unwritten);
    CHECK(failed->code == "INVALID_TARGET");
}

TEST_CASE("legs: nothing is dialed after the permit's time", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .target = "+8613900000001", .permit_deadline = pbx.now - 1ns});
    CHECK(pbx.said.empty());
    CHECK(pbx.take_event<CommandFailed>()->unwritten);
    pbx.run(MakeLeg{.leg = "c2", .owner = "i1", .target = "+8613900000001", .permit_deadline = pbx.now});
    CHECK(pbx.next().is("bgapi originate"));
}

TEST_CASE("legs: how a call ended is told once, by the channel's own event where there is one", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    const bool job_first = GENERATE(false, true);
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .target = "+8613900000001"});
    const auto originate = pbx.next();
    pbx.reply("+OK Job-UUID: " + originate.job());
    pbx.event("CHANNEL_CREATE", "c1");
    const auto job = [&] { pbx.event("BACKGROUND_JOB", {}, {{"Job-UUID", originate.job()}, {"_body", "-ERR USER_BUSY\n"}}); };
    if (job_first) job();
    CHECK_FALSE(pbx.take_event<LegEnded>());
    pbx.event("CHANNEL_HANGUP_COMPLETE", "c1", {{"Hangup-Cause", "USER_BUSY"}, {"variable_sip_term_status", "486"}});
    if (!job_first) job();
    const auto ended = pbx.take_event<LegEnded>();
    REQUIRE(ended);
    CHECK(ended->cause == 17);
    CHECK(ended->tech_cause == 486);
    CHECK(ended->outcome == "busy");
    CHECK_FALSE(ended->was_answered);
    CHECK(pbx.events.empty());
    pbx.pass(5s);
    CHECK(pbx.events.empty());
}

TEST_CASE("legs: a dial that never became a channel ends with its cause; a mistake is a failed command", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.run(MakeLeg{.leg = "a1", .owner = "i1", .role = LegRole::agent, .target = "agent2"});
    pbx.finish(pbx.next(), "-ERR USER_NOT_REGISTERED");
    const auto ended = pbx.take_event<LegEnded>();
    REQUIRE(ended);
    CHECK(ended->outcome == "unreachable");
    CHECK(ended->cause == 31);
    pbx.run(MakeLeg{.leg = "a2", .owner = "i1", .role = LegRole::agent, .target = "agent2"});
    pbx.finish(pbx.next(), "-USAGE: <call url> <exten>|&<application_name>(<app_args>)");
    CHECK(pbx.take_event<CommandFailed>()->code == "REFUSED");
    pbx.run(MakeLeg{.leg = "a3", .owner = "i1", .role = LegRole::agent, .target = "agent2"});
    pbx.next();
    pbx.reply("-ERR permission denied");
    CHECK(pbx.take_event<CommandFailed>()->detail == "-ERR permission denied");
}

TEST_CASE("legs: a job whose channel is told of, but not its end, is not waited for for ever", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .target = "+8613900000001"});
    const auto originate = pbx.next();
    pbx.event("CHANNEL_CREATE", "c1");
    pbx.finish(originate, "-ERR NO_ANSWER");
    pbx.pass(2s);
    const auto ended = pbx.take_event<LegEnded>();
    REQUIRE(ended);
    CHECK(ended->cause == 19);
    CHECK(ended->outcome == "no_answer");
    // And one without any result.
    pbx.run(MakeLeg{.leg = "c2", .owner = "i1", .target = "+8613900000001", .ring_timeout = 5s});
    pbx.next();
    pbx.pass(10s);
    pbx.event("HEARTBEAT", {});
    pbx.pass(6s);
    const auto failed = pbx.take_event<CommandFailed>();
    REQUIRE(failed);
    CHECK(failed->unknown);
    CHECK(pbx.next().is("bgapi uuid_kill c2"));
}

TEST_CASE("legs: a dial that is cancelled waits for nothing, and is ended again if it was not there yet", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .target = "+8613900000001"});
    const auto originate = pbx.next();
    pbx.run(EndLeg{.leg = "c1", .reason = EndReason::normal});
    const auto kill = pbx.next();
    CHECK(kill.line == "bgapi uuid_kill c1 NORMAL_CLEARING");
    pbx.reply("+OK Job-UUID: " + originate.job());
    pbx.finish(kill, "-ERR No such channel!");
    CHECK(pbx.events.empty());
    pbx.event("CHANNEL_CREATE", "c1");
    CHECK(pbx.next().is("bgapi uuid_kill c1"));
    pbx.event("CHANNEL_HANGUP_COMPLETE", "c1", {{"Hangup-Cause", "ORIGINATOR_CANCEL"}, {"variable_sip_term_status", "487"}});
    const auto ended = pbx.take_event<LegEnded>();
    CHECK(ended->outcome == "cancelled");
    CHECK_FALSE(ended->by_far_end);
}

TEST_CASE("legs: reasons to hang up are the switch's causes", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.arrived_leg("u1");
    const auto [reason, cause] = GENERATE(table<EndReason, std::string>({{EndReason::busy, "USER_BUSY"}, {EndReason::congestion, "NORMAL_CIRCUIT_CONGESTION"},
                                                                          {EndReason::rejected, "CALL_REJECTED"}, {EndReason::no_answer, "NO_ANSWER"},
                                                                          {EndReason::answered_elsewhere, "LOSE_RACE"}}));
    pbx.run(EndLeg{.leg = "u1", .reason = reason});
    CHECK(pbx.next().line == "bgapi uuid_kill u1 " + cause);
}

TEST_CASE("legs: machines are looked for by the dial plan, and the answer is told with its verdict", "[freeswitch_esl]") {
    auto settings = test_settings();
    settings.amd_extension = "amd";
    settings.amd_context = "default";
    Switch pbx{settings};
    pbx.up();
    pbx.run(MakeLeg{.leg = "c1", .owner = "i1", .target = "+8613900000001", .detect_machine = true});
    const auto originate = pbx.next();
    CHECK(originate.line.ends_with(" amd XML default"));
    pbx.finish(originate, "+OK c1");
    pbx.event("CHANNEL_ANSWER", "c1");
    CHECK_FALSE(pbx.take_event<LegAnswered>());
    pbx.event("CHANNEL_PARK", "c1", {{"variable_touchgate_amd", "MACHINE"}});
    CHECK(pbx.take_event<LegAnswered>()->by == AnsweredBy::machine);
}

TEST_CASE("legs: a call that comes in is told with what the dial plan handed over", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.event("CHANNEL_PARK", "u1", {{"variable_touchgate", "touchgate,inbound,1000,vip,2"}, {"Caller-Caller-ID-Number", "13800000000"}, {"Caller-Caller-ID-Name", "Wang"}, {"Answer-State", "ringing"}, {"variable_sip_gateway_name", "carrier"}});
    const auto arrived = pbx.take_event<LegArrived>();
    REQUIRE(arrived);
    CHECK(arrived->from == "13800000000");
    CHECK(arrived->from_name == "Wang");
    CHECK(arrived->to == "1000");
    CHECK(arrived->endpoint == "carrier");
    CHECK(arrived->arguments == std::vector<std::string>{"vip", "2"});
    pbx.event("CHANNEL_PARK", "u1", {{"variable_touchgate", "touchgate,inbound,1000"}});
    CHECK(pbx.events.empty());  // parked again is not a new call
    pbx.run(AnswerLeg{"u1"});
    pbx.expect("bgapi uuid_answer u1");
    pbx.event("CHANNEL_ANSWER", "u1");
    CHECK(pbx.take_event<LegAnswered>()->leg == "u1");
    pbx.event("CHANNEL_PARK", "u2", {{"variable_touchgate", "touchgate,agent,+8613900000001"}, {"Caller-Username", "agent2"}, {"Caller-Caller-ID-Number", "1002"}});
    const auto agent = pbx.take_event<LegArrived>();
    CHECK(agent->role == LegRole::agent);
    CHECK(agent->from == "agent2");
    CHECK(agent->to == "+8613900000001");
    pbx.event("CHANNEL_PARK", "u3", {{"variable_touchgate", "other,inbound,1000"}});
    pbx.event("CHANNEL_PARK", "u4");
    CHECK(pbx.events.empty());  // not ours
}

TEST_CASE("mixes: two are bridged, and the third moves all into a conference", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.answered_leg("a1", LegRole::agent);
    pbx.bridged("c1", "a1");
    pbx.answered_leg("a2", LegRole::agent);
    pbx.run(JoinLeg{.mix = "m1", .leg = "a2"});
    pbx.expect("bgapi uuid_setvar a2 touchgate_mix m1.i1");
    CHECK(pbx.expect("bgapi uuid_transfer").line == "bgapi uuid_transfer c1 -both conference:m1@default inline");
    CHECK(pbx.expect("bgapi uuid_transfer").line == "bgapi uuid_transfer a2 conference:m1@default inline");
    CHECK(pbx.take_event<LegJoined>()->leg == "a2");
    pbx.event("CHANNEL_UNBRIDGE", "c1", {{"Bridge-A-Unique-ID", "c1"}, {"Bridge-B-Unique-ID", "a1"}});
    pbx.event("CUSTOM", "a2", {{"Event-Subclass", "conference::maintenance"}, {"Action", "add-member"}, {"Conference-Name", "m1"}});
    CHECK(pbx.events.empty());
    pbx.event("CUSTOM", "a1", {{"Event-Subclass", "conference::maintenance"}, {"Action", "del-member"}, {"Conference-Name", "m1"}});
    CHECK(pbx.take_event<LegParted>()->leg == "a1");
}

TEST_CASE("mixes: who is parted waits alone, and so does who is left", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.answered_leg("a1", LegRole::agent);
    pbx.bridged("c1", "a1");
    pbx.run(PartLeg{.mix = "m1", .leg = "c1"});
    pbx.expect("bgapi uuid_setvar c1 touchgate_mix");
    const auto park = pbx.next();
    CHECK(park.line == "bgapi uuid_park c1");
    pbx.event("CHANNEL_UNBRIDGE", "c1", {{"Bridge-A-Unique-ID", "c1"}, {"Bridge-B-Unique-ID", "a1"}});
    CHECK(pbx.events.empty());
    pbx.finish(park, "+OK");
    CHECK(pbx.take_event<LegParted>()->leg == "c1");
    CHECK(pbx.events.empty());
    pbx.run(StartMusic{.leg = "c1"});
    CHECK(pbx.expect("bgapi uuid_broadcast").line == "bgapi uuid_broadcast c1 local_stream://default aleg");
    pbx.run(StopMusic{.leg = "c1"});
    pbx.expect("bgapi uuid_break c1 all", "-ERR nothing to break");
    pbx.run(JoinLeg{.mix = "m1", .leg = "c1"});
    pbx.expect("bgapi uuid_setvar c1");
    pbx.expect("bgapi uuid_bridge a1 c1");
    CHECK(pbx.take_event<LegJoined>()->leg == "c1");
    pbx.run(EndMix{.mix = "m1"});
    for (int i = 0; i < 4; ++i) pbx.expect(i % 2 == 0 ? "bgapi uuid_setvar" : "bgapi uuid_park");
    CHECK(pbx.take_event<LegParted>());
    CHECK(pbx.take_event<LegParted>());
    CHECK_FALSE(pbx.take_event<CommandFailed>());
}

TEST_CASE("mixes: a caller who came in is not hung up when the agent leaves", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.arrived_leg("u1");
    pbx.run(MakeMix{.mix = "m1", .owner = "i1"});
    pbx.run(JoinLeg{.mix = "m1", .leg = "u1"});
    CHECK(pbx.expect("bgapi uuid_setvar").line == "bgapi uuid_setvar u1 touchgate_mix m1.i1");
    CHECK(pbx.expect("bgapi uuid_setvar").line == "bgapi uuid_setvar u1 park_after_bridge true");
    CHECK(pbx.expect("bgapi uuid_setvar").line == "bgapi uuid_setvar u1 hangup_after_bridge false");
    CHECK(pbx.take_event<LegJoined>());
}

TEST_CASE("mixes: a telephone's own transfer puts another leg into its place", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.answered_leg("a1", LegRole::agent);
    pbx.bridged("c1", "a1");
    pbx.event("CHANNEL_UNBRIDGE", "c1", {{"Bridge-A-Unique-ID", "c1"}, {"Bridge-B-Unique-ID", "a1"}});
    pbx.event("CHANNEL_BRIDGE", "c1", {{"Bridge-A-Unique-ID", "c1"}, {"Bridge-B-Unique-ID", "x9"}});
    const auto replaced = pbx.take_event<LegReplaced>();
    REQUIRE(replaced);
    CHECK(replaced->leg == "a1");
    CHECK(replaced->by == "x9");
    pbx.event("CHANNEL_HANGUP_COMPLETE", "a1", {{"Hangup-Cause", "BLIND_TRANSFER"}, {"variable_answer_epoch", "1"}});
    CHECK(pbx.take_event<LegEnded>()->outcome == "answered");
    CHECK_FALSE(pbx.take_event<LegParted>());
    pbx.event("CHANNEL_HANGUP_COMPLETE", "x9", {{"Hangup-Cause", "NORMAL_CLEARING"}, {"variable_answer_epoch", "1"}});
    CHECK(pbx.take_event<LegEnded>()->leg == "x9");
}

TEST_CASE("mixes: a supervisor's telephone listens, whispers and stops", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("a1", LegRole::agent);
    pbx.answered_leg("s1", LegRole::supervisor);
    pbx.run(SnoopLeg{.leg = "sn1", .of = "a1", .owner = "i1", .whisper = true});
    CHECK(pbx.take_event<LegAnswered>()->leg == "sn1");
    pbx.run(MakeMix{.mix = "m2", .owner = "i1"});
    pbx.run(JoinLeg{.mix = "m2", .leg = "sn1"});
    CHECK(pbx.take_event<LegJoined>()->leg == "sn1");
    pbx.run(JoinLeg{.mix = "m2", .leg = "s1"});
    pbx.expect("bgapi uuid_setvar s1 eavesdrop_enable_dtmf true");
    pbx.expect("bgapi uuid_transfer s1 eavesdrop:a1 inline");
    pbx.expect("bgapi uuid_recv_dtmf s1 2");
    CHECK(pbx.take_event<LegJoined>()->leg == "s1");
    pbx.event("CHANNEL_HANGUP_COMPLETE", "a1", {{"Hangup-Cause", "NORMAL_CLEARING"}, {"variable_answer_epoch", "1"}});
    CHECK(pbx.take_event<LegEnded>()->leg == "a1");
    CHECK(pbx.take_event<LegEnded>()->leg == "sn1");
    pbx.run(SnoopLeg{.leg = "sn2", .of = "nobody", .owner = "i1"});
    CHECK(pbx.take_event<CommandFailed>()->code == "NO_LEG");
}

TEST_CASE("commands: those of one leg keep their order, others do not wait for them", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.arrived_leg("u1");
    pbx.arrived_leg("u2");
    pbx.run(AnswerLeg{"u1"});
    pbx.run(SendDigits{.leg = "u1", .digits = "12#"});
    pbx.run(MuteLeg{.leg = "u2"});
    const auto answer = pbx.next();
    CHECK(answer.line == "bgapi uuid_answer u1");
    CHECK(pbx.next().line == "bgapi uuid_audio u2 start read mute -1");
    CHECK(pbx.said.empty());
    pbx.finish(answer, "-ERR Cannot locate session!");
    CHECK(pbx.take_event<CommandFailed>()->code == "NO_LEG");
    CHECK(pbx.next().line == "bgapi uuid_send_dtmf u1 12#");
}

TEST_CASE("commands: a result that does not come is unknown", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.arrived_leg("u1");
    const auto answer = pbx.run(AnswerLeg{"u1"});
    pbx.next();
    pbx.pass(11s);
    const auto failed = pbx.take_event<CommandFailed>();
    REQUIRE(failed);
    CHECK(failed->command == answer);
    CHECK(failed->unknown);
}

TEST_CASE("commands: those for legs that have ended fail, digits that are none are refused", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.run(AnswerLeg{"gone"});
    CHECK(pbx.take_event<CommandFailed>()->code == "NO_LEG");
    pbx.arrived_leg("u1");
    pbx.run(SendDigits{.leg = "u1", .digits = "1 2"});
    CHECK(pbx.take_event<CommandFailed>()->code == "INVALID");
    pbx.run(JoinLeg{.mix = "m9", .leg = "u1"});
    CHECK(pbx.take_event<CommandFailed>()->code == "NO_MIX");
    CHECK(pbx.said.empty());
}

TEST_CASE("plays: one medium after the other, told when the last is over", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.run(Play{.play = "p1", .leg = "c1", .mix = {}, .media = {"file:/hello world.wav", "number:42"}, .language = "zh"});
    const auto first = pbx.next();
    CHECK(first.line == "sendmsg c1");
    CHECK(first.headers.at("execute-app-name") == "playback");
    CHECK(first.headers.at("execute-app-arg") == "/hello world.wav");
    CHECK(first.headers.at("Event-UUID") == "p1");
    pbx.reply("+OK");
    pbx.event("CHANNEL_EXECUTE_COMPLETE", "c1", {{"Application", "playback"}, {"Application-UUID", "other"}});
    CHECK(pbx.said.empty());
    pbx.event("CHANNEL_EXECUTE_COMPLETE", "c1", {{"Application", "playback"}, {"Application-UUID", "p1"}, {"Application-Response", "FILE PLAYED"}});
    const auto second = pbx.next();
    CHECK(second.headers.at("execute-app-name") == "say");
    CHECK(second.headers.at("execute-app-arg") == "zh number pronounced 42");
    pbx.reply("+OK");
    CHECK(pbx.events.empty());
    pbx.event("CHANNEL_EXECUTE_COMPLETE", "c1", {{"Application", "say"}, {"Application-UUID", "p1"}});
    CHECK(pbx.take_event<PlayEnded>()->completed);
}

TEST_CASE("plays: a file that is missing, a stop and a hang-up are no completion", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    const auto play = [&](const char* name) {
        pbx.run(Play{.play = name, .leg = "c1", .mix = {}, .media = {"file:/x.wav", "file:/y.wav"}});
        pbx.next();
        pbx.reply("+OK");
    };
    play("p1");
    pbx.event("CHANNEL_EXECUTE_COMPLETE", "c1", {{"Application", "playback"}, {"Application-UUID", "p1"}, {"Application-Response", "FILE NOT FOUND"}});
    CHECK_FALSE(pbx.take_event<PlayEnded>()->completed);
    CHECK(pbx.said.empty());
    play("p2");
    pbx.run(StopPlay{.play = "p2"});
    pbx.expect("bgapi uuid_break c1 all");
    CHECK_FALSE(pbx.take_event<PlayEnded>()->completed);
    pbx.event("CHANNEL_EXECUTE_COMPLETE", "c1", {{"Application", "playback"}, {"Application-UUID", "p2"}});
    CHECK(pbx.events.empty());
    play("p3");
    pbx.event("CHANNEL_HANGUP_COMPLETE", "c1", {{"Hangup-Cause", "NORMAL_CLEARING"}, {"variable_answer_epoch", "1"}});
    CHECK_FALSE(pbx.take_event<PlayEnded>()->completed);
    CHECK(pbx.take_event<LegEnded>());
    pbx.run(Play{.play = "p4", .leg = "c1", .mix = {}, .media = {"file:/x.wav"}});
    CHECK(pbx.take_event<CommandFailed>()->code == "NO_LEG");
}

TEST_CASE("plays: text needs a voice, and no medium may hold a second line", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    const auto [medium, code] = GENERATE(table<std::string, std::string>({{"text:hello", "NO_SPEECH"}, {"file:/x\n\napi shutdown", "INVALID_MEDIUM"}, {"what", "INVALID_MEDIUM"}, {"dance:7", "INVALID_MEDIUM"}}));
    pbx.run(Play{.play = "p1", .leg = "c1", .mix = {}, .media = {medium}});
    CHECK(pbx.take_event<CommandFailed>()->code == code);
    CHECK(pbx.said.empty());
}

TEST_CASE("recordings: of a call with pauses, told when it has ended", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.answered_leg("a1", LegRole::agent);
    pbx.bridged("c1", "a1");
    const std::string path = "/var/lib/freeswitch/recordings/touchgate/r1.wav";
    pbx.run(StartRecording{.recording = "r1", .leg = {}, .mix = "m1", .longest = 600s});
    CHECK(pbx.expect("bgapi uuid_record").line == "bgapi uuid_record c1 start " + path + " 600");
    pbx.run(PauseRecording{.recording = "r1", .paused = true});
    pbx.expect("bgapi uuid_record c1 mask " + path);
    pbx.run(PauseRecording{.recording = "r1", .paused = false});
    pbx.expect("bgapi uuid_record c1 unmask " + path);
    pbx.run(StopRecording{.recording = "r1"});
    pbx.expect("bgapi uuid_record c1 stop " + path);
    pbx.event("RECORD_STOP", "c1", {{"Record-File-Path", path}, {"variable_record_ms", "12340"}});
    const auto ended = pbx.take_event<RecordingEnded>();
    REQUIRE(ended);
    CHECK(ended->recording == "r1");
    CHECK(ended->lasted == 12'340ms);
    pbx.run(StopRecording{.recording = "r1"});
    CHECK(pbx.events.empty());
    CHECK(pbx.said.empty());
}

TEST_CASE("recordings: the end of one that an earlier run of the gateway began is told", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.event("RECORD_STOP", "c1", {{"Record-File-Path", "/tmp/elsewhere/r1.wav"}});
    CHECK(pbx.events.empty());
    pbx.event("RECORD_STOP", "c1", {{"Record-File-Path", "/var/lib/freeswitch/recordings/touchgate/r1.wav"}, {"variable_record_ms", "900"}});
    const auto ended = pbx.take_event<RecordingEnded>();
    REQUIRE(ended);
    CHECK(ended->recording == "r1");
}

TEST_CASE("recordings: a message that is left ends by a digit or silence", "[freeswitch_esl]") {
    Switch pbx;
    pbx.up();
    pbx.answered_leg("c1");
    pbx.run(StartRecording{.recording = "vm1", .leg = "c1", .mix = {}, .beep = true, .longest = 60s, .end_digits = "#", .silence = 4s});
    pbx.expect("bgapi uuid_setvar c1 playback_terminators #");
    CHECK(pbx.expect("sendmsg c1").headers.at("execute-app-name") == "playback");
    const auto record = pbx.expect("sendmsg c1");
    CHECK(record.headers.at("execute-app-name") == "record");
    CHECK(record.headers.at("execute-app-arg") == "/var/lib/freeswitch/recordings/touchgate/vm1.wav 60 200 4");
}

TEST_CASE("recordings: are fetched where the account says that they can be", "[freeswitch_esl]") {
    auto settings = test_settings();
    settings.recordings_url = channel::parse_base_url("http://switch.example/rec");
    Switch pbx{settings};
    pbx.up();
    pbx.run(FetchRecording{.recording = "r1"});
    REQUIRE(pbx.requests.size() == 1);
    CHECK(pbx.requests[0].request.method == "GET");
    CHECK(pbx.requests[0].request.url == "http://switch.example/rec/r1.wav");
    pbx.session->on_answer(pbx.now, noon, pbx.requests[0].id, {.status = 200, .headers = {{"content-type", "audio/wav"}}, .body = "RIFF"});
    pbx.take();
    CHECK(pbx.take_event<RecordingFetched>()->bytes == "RIFF");
    pbx.run(DropRecording{.recording = "r1"});
    CHECK(pbx.requests[1].request.method == "DELETE");
    pbx.session->on_no_answer(pbx.now, pbx.requests[1].id, true, "time-out");
    pbx.take();
    CHECK(pbx.take_event<CommandFailed>()->unknown);
    Switch without;
    without.up();
    without.run(FetchRecording{.recording = "r1"});
    CHECK_FALSE(without.take_event<RecordingFetched>()->failure.empty());
}
