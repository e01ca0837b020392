// What a PBX says: any frames and any answers leave a session that goes on, with every request's answer taken once.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/asterisk_ari/adapter.hpp"
#include "adapters/asterisk_ari/session.hpp"

using namespace touchgate;

// What a run without arguments starts from. Lines: "<" an answer to the oldest request, else a frame.
std::vector<std::string> fuzz_seeds() {
    const std::string start = "<{}\n<{\"channel_ids\":[\"a\"]}\n<[{\"id\":\"a\",\"state\":\"Up\",\"dialplan\":{\"app_name\":\"Stasis\",\"app_data\":\"gw,inbound,1000\"}}]\n<[]\n";
    return {start + R"({"type":"StasisStart","timestamp":"2026-11-21T19:50:19.085+0000","args":["inbound","1000"],"channel":{"id":"x","state":"Ring","caller":{"number":"1"}}})" + "\n",
            start + R"({"type":"ChannelStateChange","channel":{"id":"c","state":"Up"}})" + "\n" + R"({"type":"StasisStart","args":["leg","customer","o","+86"],"channel":{"id":"c","state":"Up"}})" +
                "\n" + R"({"type":"ChannelEnteredBridge","timestamp":"2026-11-21T19:50:19.085+0000","bridge":{"id":"m","channels":["c"]},"channel":{"id":"c","state":"Up"}})" + "\n" +
                R"({"type":"ChannelLeftBridge","timestamp":"2026-11-21T19:50:19.085+0000","bridge":{"id":"m","channels":[]},"channel":{"id":"c","state":"Up"}})" + "\n" +
                R"({"type":"ChannelDestroyed","channel":{"id":"c","state":"Up"},"cause":16,"tech_cause":0})" + "\n",
            start + R"({"type":"StasisStart","args":[],"channel":{"id":"y","state":"Ringing"},"replace_channel":{"id":"c"}})" + "\n<{\"message\":\"no\"}\n",
            start + R"({"type":"ChannelTransfer","refer_to":{"requested_destination":{"destination":"sip:2000@x"}},"referred_by":{"source_channel":{"id":"c"}}})" + "\n",
            start + R"({"type":"PlaybackFinished","playback":{"id":"p","state":"done"}})" + "\n" + R"({"type":"RecordingFinished","recording":{"name":"r","duration":3}})" + "\n",
            start + R"({"type":"ApplicationReplaced","application":"gw"})" + "\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace adapters::asterisk_ari;
    auto settings = std::make_shared<Settings>();
    settings->base = {.origin = "http://pbx", .host = "pbx", .name = "pbx", .path = {}};
    settings->app = "gw";
    settings->agent_endpoint = "PJSIP/{extension}";
    settings->customer_endpoint = "PJSIP/{number}@trunk";
    settings->amd_context = "amd";
    Session session{settings, 1};
    channel::Monotonic now{0};
    const auto wall = from_unix_ms(1'790'000'000'000);
    std::vector<std::uint64_t> open;
    std::size_t answered = 0;
    const auto collect = [&] {
        auto output = session.take_output();
        for (const auto& request : output.requests) open.push_back(request.id);
        if (open.size() > 100'000) std::abort();
    };
    session.on_connected(now, wall);
    collect();
    bool commanded = false;
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    for (int lines = 0; !rest.empty() && lines < 500; ++lines) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.starts_with('<') && !open.empty()) {
            const auto id = open.front();
            open.erase(open.begin());
            const int status = line.size() % 7 == 0 ? 404 : line.size() % 11 == 0 ? 409 : line.size() % 13 == 0 ? 500 : 200;
            session.on_answer(now, wall, id, {.status = status, .headers = {}, .body = std::string{line.substr(1)}});
            if (++answered == 4 && !commanded) {
                commanded = true;
                session.execute(now, 1, channel::MakeLeg{.leg = "c", .owner = "o", .target = "+8613800000000", .detect_machine = size % 2 == 0});
                session.execute(now, 2, channel::MakeMix{.mix = "m", .owner = "o"});
                session.execute(now, 3, channel::JoinLeg{.mix = "m", .leg = "c"});
                session.execute(now, 4, channel::Play{.play = "p", .leg = "a", .mix = {}, .media = {"file:x"}});
                session.execute(now, 5, channel::StartRecording{.recording = "r", .leg = {}, .mix = "m"});
                session.execute(now, 6, channel::EndLeg{.leg = "a"});
            }
        } else {
            session.on_bytes(now, wall, line);
        }
        collect();
        now += Duration{100};
        if (const auto wake = session.wake_at(); wake && *wake <= now) session.on_wake(now, wall);
        collect();
    }
    for (int turns = 0; turns < 50 && !open.empty(); ++turns)
        for (const auto id : std::exchange(open, {})) {
            session.on_no_answer(now, id, turns % 2 == 0, "lost");
            collect();
        }
    session.on_closed(now, "end", false);
    session.shut_down(now);
    collect();
    return 0;
}
