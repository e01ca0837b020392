// Feeds bytes to the frame reader and to sessions in every state: at the greeting, while the snapshot is taken, and with legs, mixes and commands.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/freeswitch_esl/session.hpp"

using namespace touchgate;
using namespace touchgate::adapters::freeswitch_esl;

namespace {

constexpr Instant noon = from_unix_ms(1'800'000'000'000);

void end(Session& session, channel::Monotonic now) {
    for (int i = 0; i < 20; ++i) {
        const auto at = session.wake_at();
        if (!at) break;
        now = std::max(now, *at);
        session.on_wake(now, noon);
        (void)session.take_output();
    }
    session.on_closed(now, "end", false);
    (void)session.take_output();
}

void run_session(std::string_view bytes, int stage) {
    const auto settings = std::make_shared<const Settings>([] {
        Settings made;
        made.customer_endpoint = "sofia/gateway/carrier/{number}";
        made.agent_endpoint = "user/{extension}";
        return made;
    }());
    Session session{settings, 1};
    const channel::Monotonic now{std::chrono::hours{1}};
    session.on_connected(now, noon);
    if (stage > 0) session.on_bytes(now, noon, "Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK accepted\n\nContent-Type: command/reply\nReply-Text: +OK\n\n");
    if (stage > 1) {
        session.on_bytes(now, noon, "Content-Type: api/response\nContent-Length: 15\n\n{\"row_count\":0}");
        session.execute(now, 1, channel::MakeLeg{.leg = "c1", .owner = "i1", .target = "+8613900000001"});
        session.execute(now, 2, channel::SnoopLeg{.leg = "sn", .of = "c1", .owner = "i1"});
        session.execute(now, 3, channel::MakeMix{.mix = "m1", .owner = "i1"});
        session.execute(now, 4, channel::JoinLeg{.mix = "m1", .leg = "c1"});
        session.execute(now, 5, channel::Play{.play = "p1", .leg = "c1", .mix = {}, .media = {"file:/a.wav", "number:5"}});
        session.execute(now, 6, channel::StartRecording{.recording = "r1", .leg = "c1", .mix = {}});
    }
    (void)session.take_output();
    // In two pieces, so that messages are cut anywhere.
    session.on_bytes(now, noon, bytes.substr(0, bytes.size() / 2));
    session.execute(now, 7, channel::EndLeg{.leg = "c1"});
    session.on_bytes(now, noon, bytes.substr(bytes.size() / 2));
    (void)session.take_output();
    end(session, now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    for (int stage = 0; stage < 3; ++stage) {
        run_session(bytes, stage);
        const auto body = std::string{bytes};
        const auto length = "Content-Length: " + std::to_string(body.size()) + "\n";
        // The bytes as the body of an event and of an answer.
        run_session("Content-Type: text/event-json\n" + length + "\n" + body, stage);
        run_session("Content-Type: api/response\n" + length + "\n" + body + "Content-Type: api/response\n" + length + "\n" + body, stage);
    }
    return 0;
}

// Read by the corpus runner.
std::vector<std::string> fuzz_seeds();
std::vector<std::string> fuzz_seeds() {
    const auto event = [](const std::string& body) { return "Content-Length: " + std::to_string(body.size()) + "\nContent-Type: text/event-json\n\n" + body; };
    const std::string hangup = R"({"Event-Name":"CHANNEL_HANGUP_COMPLETE","Unique-ID":"c1","Hangup-Cause":"USER_BUSY","variable_sip_term_status":"486"})";
    const std::string bridge = R"({"Event-Name":"CHANNEL_BRIDGE","Unique-ID":"c1","Bridge-A-Unique-ID":"c1","Bridge-B-Unique-ID":"x9"})";
    const std::string rows = R"({"row_count":1,"rows":[{"uuid":"c1","created_epoch":"1799999000","callstate":"ACTIVE"}]})";
    return {event(R"({"Event-Name":"CHANNEL_ANSWER","Unique-ID":"c1"})") + event(R"({"Event-Name":"CHANNEL_PARK","Unique-ID":"c1"})") + event(bridge) + event(hangup), hangup, bridge, rows,
            event(R"({"Event-Name":"CHANNEL_EXECUTE_COMPLETE","Unique-ID":"c1","Application":"playback","Application-UUID":"p1"})") +
                event(R"({"Event-Name":"RECORD_STOP","Record-File-Path":"/var/lib/freeswitch/recordings/touchgate/r1.wav","variable_record_ms":"99"})"),
            "Content-Type: text/disconnect-notice\nContent-Length: 2\n\nx\nContent-Type: text/rude-rejection\n\n",
            R"({"Event-Name":"CHANNEL_PARK","Unique-ID":"u1","variable_touchgate":"touchgate,inbound,1000,a,b"})"};
}
