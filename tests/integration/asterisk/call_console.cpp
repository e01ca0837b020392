// A telephone system's adapter by itself: commands as lines of JSON on stdin, what it reports as lines of JSON on stdout.
//   touchgate-call-console '{"base_url": …}'           the account's settings
//   touchgate-call-console --probe '{"base_url": …}'   only what `touchgate check --probe` says of it; exit status 1 when that is bad
// A command: {"id": 1, "do": "make_leg", "leg": "c1", "owner": "x", "target": "+8613800000000"}; fields are those of call_adapter.hpp, durations
// in milliseconds. Ends when stdin does.
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "adapters/asterisk_ari/adapter.hpp"
#include "gateway/net/net_transport.hpp"
#include "gateway/net/probe.hpp"

using namespace touchgate;
using namespace touchgate::channel;

namespace {

std::string text(const Json& json, const char* key) { return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string{}; }
bool flag(const Json& json, const char* key, bool fallback = false) { return json.contains(key) && json[key].is_boolean() ? json[key].get<bool>() : fallback; }
Duration time_of(const Json& json, const char* key, Duration fallback = {}) { return json.contains(key) && json[key].is_number() ? Duration{json[key].get<std::int64_t>()} : fallback; }

LegRole role_of(const std::string& word) {
    return word == "agent" ? LegRole::agent : word == "outside" ? LegRole::outside : word == "supervisor" ? LegRole::supervisor : LegRole::customer;
}

std::optional<CallCommand> read_command(const Json& json) {
    const auto what = text(json, "do"), leg = text(json, "leg"), mix = text(json, "mix"), recording = text(json, "recording");
    std::vector<std::string> media;
    if (json.contains("media"))
        for (const auto& each : json["media"]) media.push_back(each.get<std::string>());
    if (what == "make_leg")
        return MakeLeg{.leg = leg, .owner = text(json, "owner"), .role = role_of(text(json, "role")), .target = text(json, "target"), .endpoint = text(json, "endpoint"),
                       .caller_id = text(json, "caller_id"), .caller_name = text(json, "caller_name"), .ring_timeout = time_of(json, "ring_timeout", Duration{20'000}),
                       .detect_machine = flag(json, "detect_machine"),
                       .permit_deadline = json.contains("permit_for") ? SystemClock{}.monotonic_now() + time_of(json, "permit_for") : Monotonic::max()};
    if (what == "answer_leg") return AnswerLeg{leg};
    if (what == "ring_leg") return RingLeg{leg};
    if (what == "end_leg") return EndLeg{.leg = leg, .reason = text(json, "reason") == "answered_elsewhere" ? EndReason::answered_elsewhere : EndReason::normal};
    if (what == "make_mix") return MakeMix{.mix = mix, .owner = text(json, "owner")};
    if (what == "join_leg") return JoinLeg{.mix = mix, .leg = leg};
    if (what == "part_leg") return PartLeg{.mix = mix, .leg = leg};
    if (what == "end_mix") return EndMix{mix};
    if (what == "start_music") return StartMusic{.leg = leg, .music = text(json, "music")};
    if (what == "stop_music") return StopMusic{leg};
    if (what == "mute_leg") return MuteLeg{.leg = leg, .muted = flag(json, "muted", true)};
    if (what == "send_digits") return SendDigits{.leg = leg, .digits = text(json, "digits")};
    if (what == "play") return Play{.play = text(json, "play"), .leg = leg, .mix = mix, .media = media, .language = text(json, "language")};
    if (what == "stop_play") return StopPlay{text(json, "play")};
    if (what == "start_recording")
        return StartRecording{.recording = recording, .leg = leg, .mix = mix, .beep = flag(json, "beep"), .longest = time_of(json, "longest"), .end_digits = text(json, "end_digits"),
                              .silence = time_of(json, "silence")};
    if (what == "pause_recording") return PauseRecording{.recording = recording, .paused = flag(json, "paused", true)};
    if (what == "stop_recording") return StopRecording{recording};
    if (what == "fetch_recording") return FetchRecording{recording};
    if (what == "drop_recording") return DropRecording{recording};
    if (what == "snoop_leg") return SnoopLeg{.leg = leg, .of = text(json, "of"), .owner = text(json, "owner"), .whisper = flag(json, "whisper")};
    if (what == "ask_snapshot") return AskSnapshot{};
    return std::nullopt;
}

const char* role_word(LegRole role) { return role == LegRole::agent ? "agent" : role == LegRole::outside ? "outside" : role == LegRole::supervisor ? "supervisor" : "customer"; }

Json snapshot_json(const Snapshot& snapshot) {
    Json legs = Json::array(), mixes = Json::array();
    for (const auto& leg : snapshot.legs)
        legs.push_back({{"leg", leg.leg}, {"owner", leg.owner}, {"role", role_word(leg.role)}, {"number", leg.number}, {"answered", leg.answered}, {"arrived", leg.arrived},
                        {"since", format_instant(leg.since)}});
    for (const auto& mix : snapshot.mixes) mixes.push_back({{"mix", mix.mix}, {"owner", mix.owner}, {"legs", mix.legs}});
    return {{"legs", legs}, {"mixes", mixes}};
}

struct Writer {
    Json operator()(const PbxUp& e) const { return {{"event", "pbx_up"}, {"snapshot", snapshot_json(e.snapshot)}, {"warning", e.warning}}; }
    Json operator()(const PbxDown& e) const { return {{"event", "pbx_down"}, {"reason", e.reason}, {"credentials", e.credentials}}; }
    Json operator()(const Snapshot& e) const { return {{"event", "snapshot"}, {"snapshot", snapshot_json(e)}}; }
    Json operator()(const LegArrived& e) const {
        return {{"event", "leg_arrived"}, {"leg", e.leg}, {"role", role_word(e.role)}, {"from", e.from}, {"from_name", e.from_name}, {"to", e.to}, {"arguments", e.arguments}};
    }
    Json operator()(const LegRinging& e) const { return {{"event", "leg_ringing"}, {"leg", e.leg}}; }
    Json operator()(const LegAnswered& e) const {
        return {{"event", "leg_answered"}, {"leg", e.leg}, {"by", e.by == AnsweredBy::human ? "human" : e.by == AnsweredBy::machine ? "machine" : e.by == AnsweredBy::unsure ? "unsure" : ""}};
    }
    Json operator()(const LegEnded& e) const {
        return {{"event", "leg_ended"}, {"leg", e.leg}, {"cause", e.cause}, {"tech_cause", e.tech_cause}, {"was_answered", e.was_answered}, {"by_far_end", e.by_far_end}, {"outcome", e.outcome}};
    }
    Json operator()(const LegJoined& e) const { return {{"event", "leg_joined"}, {"leg", e.leg}, {"mix", e.mix}}; }
    Json operator()(const LegParted& e) const { return {{"event", "leg_parted"}, {"leg", e.leg}, {"mix", e.mix}}; }
    Json operator()(const DigitPressed& e) const { return {{"event", "digit_pressed"}, {"leg", e.leg}, {"digit", std::string(1, e.digit)}}; }
    Json operator()(const LegHeld& e) const { return {{"event", "leg_held"}, {"leg", e.leg}, {"held", e.held}}; }
    Json operator()(const LegReplaced& e) const { return {{"event", "leg_replaced"}, {"leg", e.leg}, {"by", e.by}}; }
    Json operator()(const TransferAsked& e) const { return {{"event", "transfer_asked"}, {"leg", e.leg}, {"to", e.to}}; }
    Json operator()(const PlayEnded& e) const { return {{"event", "play_ended"}, {"play", e.play}, {"completed", e.completed}}; }
    Json operator()(const RecordingEnded& e) const { return {{"event", "recording_ended"}, {"recording", e.recording}, {"lasted_ms", e.lasted.count()}, {"failure", e.failure}}; }
    Json operator()(const RecordingFetched& e) const {
        return {{"event", "recording_fetched"}, {"recording", e.recording}, {"content_type", e.content_type}, {"bytes", e.bytes.size()}, {"begins", e.bytes.substr(0, 4)}, {"failure", e.failure}};
    }
    Json operator()(const CommandFailed& e) const {
        return {{"event", "command_failed"}, {"command", e.command}, {"unwritten", e.unwritten}, {"unknown", e.unknown}, {"code", e.code}, {"detail", e.detail}};
    }
};

class Printer final : public TransportListener {
public:
    void on_transport_events(std::vector<TransportEvent> events) override {
        for (const auto& event : events)
            if (const auto* reported = std::get_if<CallReported>(&event)) print(std::visit(Writer{}, reported->event));
    }
    void print(const Json& json) {
        const std::lock_guard lock{mutex_};
        std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
    }

private:
    std::mutex mutex_;
};

}  // namespace

int main(int count, char** arguments) {
    const bool probing = count == 3 && std::string_view{arguments[1]} == "--probe";
    if (count != 2 && !probing) {
        std::cerr << "usage: touchgate-call-console [--probe] SETTINGS\n";
        return 2;
    }
    const auto settings = parse_json(arguments[probing ? 2 : 1]);
    if (!settings) {
        std::cerr << settings.error().detail << '\n';
        return 2;
    }
    std::vector<Problem> problems;
    JsonReader reader{*settings, "", problems};
    const AnyAdapter adapter = adapters::asterisk_ari_adapter().make(reader, {.name = "pbx", .default_region = "CN"});
    reader.finish();
    for (const auto& problem : problems) std::cerr << problem.pointer << ": " << problem.detail << '\n';
    if (!problems.empty()) return 2;
    const SystemClock clock;
    const net::NetAccount account{.name = "pbx", .adapter = &adapter, .seed = 1};
    if (probing) {
        const auto said = net::probe_account(account, clock, std::chrono::seconds{5});
        std::cout << (said ? *said : said.error().detail) << '\n';
        return said ? 0 : 1;
    }
    Printer printer;
    net::NetTransport transport{{account}, printer, clock};
    transport.start();
    for (std::string line; std::getline(std::cin, line);) {
        const auto json = parse_json(line);
        const auto command = json && json->is_object() ? read_command(*json) : std::nullopt;
        if (!command) {
            printer.print({{"event", "not_a_command"}, {"line", line}});
            continue;
        }
        transport.call({{.account = 0, .id = json->value("id", CommandId{0}), .command = *command}});
    }
    transport.shut_down(std::chrono::seconds{2});
    return 0;
}
