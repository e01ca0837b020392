// A telephone system in memory: carries commands out at once, reports what follows from them, and notes what should not have been asked of it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/channel/call_adapter.hpp"

namespace touchgate::voice_test {

struct FakePbx {
    struct Leg {
        channel::LegRole role = channel::LegRole::customer;
        std::string target, owner, mix;
        bool arrived = false, up = false, music = false, muted = false, snoops = false;
    };
    std::map<channel::LegId, Leg> legs;
    std::map<channel::MixId, std::string> mixes;      // their owners
    std::map<std::string, std::string> plays;         // in hand: the first medium
    std::map<std::string, bool> recordings;           // running: paused?
    std::vector<std::string> fetched, dropped;
    std::deque<channel::CallEvent> events;
    std::vector<std::string> faults;                  // what a telephone system would have refused
    std::vector<channel::EndReason> end_reasons;
    std::set<std::string> answers_itself;             // targets that pick up as soon as they ring
    bool down = false;
    std::string fetch_failure, comes_over = "carrier";
    bool fetch_failure_passes = false, tells_of_recordings = true;
    std::optional<Instant> began_at;
    int made = 0;
    channel::MakeLeg last_made;

    void execute(channel::CommandId id, const channel::CallCommand& command) {
        if (down) {
            events.push_back(channel::CommandFailed{.command = id, .unwritten = true, .unknown = false, .code = "down", .detail = {}});
            return;
        }
        std::visit([&](const auto& each) { act(id, each); }, command);
    }

    // ---- what people do
    channel::LegId call_in(const std::string& from, const std::string& to) {
        const auto leg = "in-" + std::to_string(++made);
        legs[leg] = Leg{.role = channel::LegRole::customer, .target = from, .owner = {}, .mix = {}, .arrived = true};
        channel::LegArrived event;
        event.leg = leg;
        event.from = from;
        event.to = to;
        event.endpoint = comes_over;
        events.push_back(event);
        return leg;
    }
    channel::LegId dial_out(const std::string& extension, const std::string& to) {
        const auto leg = "out-" + std::to_string(++made);
        legs[leg] = Leg{.role = channel::LegRole::agent, .target = extension, .owner = {}, .mix = {}, .arrived = true};
        channel::LegArrived event;
        event.leg = leg;
        event.role = channel::LegRole::agent;
        event.from = extension;
        event.to = to;
        events.push_back(event);
        return leg;
    }
    void pick_up(const channel::LegId& leg, channel::AnsweredBy by = channel::AnsweredBy::unasked) {
        const auto found = legs.find(leg);
        if (found == legs.end() || found->second.up) return;
        found->second.up = true;
        channel::LegAnswered event;
        event.leg = leg;
        event.by = by;
        events.push_back(event);
    }
    void hang_up(const channel::LegId& leg, int cause = 16, const std::string& outcome = "answered", bool by_far_end = true) {
        const auto found = legs.find(leg);
        if (found == legs.end()) return;
        const bool up = found->second.up;
        legs.erase(found);
        events.push_back(channel::LegEnded{.leg = leg, .cause = cause, .tech_cause = 0, .was_answered = up, .by_far_end = by_far_end, .outcome = outcome, .at = {}});
    }
    // All that was in memory is gone, without a word.
    void restart(Instant at) {
        legs.clear();
        mixes.clear();
        plays.clear();
        recordings.clear();
        events.clear();
        began_at = at;
    }
    void finish_plays() {
        for (const auto& [name, medium] : plays) events.push_back(channel::PlayEnded{.play = name, .completed = true});
        plays.clear();
    }
    // The newest leg to somebody; empty: none.
    [[nodiscard]] channel::LegId leg_to(const std::string& target) const {
        for (const auto& [name, leg] : legs)
            if (leg.target == target) return name;
        return {};
    }
    [[nodiscard]] std::set<std::string> heard_in(const channel::MixId& mix) const {
        std::set<std::string> targets;
        for (const auto& [name, leg] : legs)
            if (leg.mix == mix) targets.insert(leg.target);
        return targets;
    }
    // Who hears whom of this leg.
    [[nodiscard]] std::set<std::string> with(const std::string& target) const {
        const auto leg = legs.find(leg_to(target));
        if (leg == legs.end() || leg->second.mix.empty()) return {};
        auto all = heard_in(leg->second.mix);
        all.erase(target);
        return all;
    }
    [[nodiscard]] channel::Snapshot snapshot() const {
        channel::Snapshot made_now;
        made_now.began_at = began_at;
        for (const auto& [name, leg] : legs) {
            channel::Snapshot::Leg shown;
            shown.leg = name;
            shown.owner = leg.owner;
            shown.role = leg.role;
            shown.number = leg.target;
            shown.answered = leg.up;
            shown.arrived = leg.arrived;
            made_now.legs.push_back(shown);
        }
        for (const auto& [name, owner] : mixes) {
            channel::Snapshot::Mix shown;
            shown.mix = name;
            shown.owner = owner;
            for (const auto& [leg, of] : legs)
                if (of.mix == name) shown.legs.push_back(leg);
            made_now.mixes.push_back(shown);
        }
        return made_now;
    }

private:
    Leg* find(const channel::LegId& leg, const char* what) {
        const auto found = legs.find(leg);
        if (found != legs.end()) return &found->second;
        (void)what;  // it may have hung up in this moment
        return nullptr;
    }
    void act(channel::CommandId id, const channel::MakeLeg& c) {
        if (legs.contains(c.leg)) faults.push_back("leg made twice");
        last_made = c;
        legs[c.leg] = Leg{.role = c.role, .target = c.target, .owner = c.owner, .mix = {}};
        (void)id;
        events.push_back(channel::LegRinging{.leg = c.leg, .at = {}});
        if (answers_itself.contains(c.target)) pick_up(c.leg);
    }
    void act(channel::CommandId, const channel::AnswerLeg& c) {
        if (auto* leg = find(c.leg, "answer"); leg != nullptr && !leg->up) pick_up(c.leg);
    }
    void act(channel::CommandId, const channel::RingLeg& c) { (void)find(c.leg, "ring"); }
    void act(channel::CommandId, const channel::EndLeg& c) {
        end_reasons.push_back(c.reason);
        hang_up(c.leg, 16, "cancelled", false);
    }
    void act(channel::CommandId, const channel::MakeMix& c) {
        if (!mixes.emplace(c.mix, c.owner).second) faults.push_back("mix made twice");
    }
    void act(channel::CommandId, const channel::JoinLeg& c) {
        auto* leg = find(c.leg, "join");
        if (leg == nullptr) return;
        if (!mixes.contains(c.mix)) {
            faults.push_back("joined to a mix that is not there");
            return;
        }
        if (leg->music) faults.push_back("joined with music on");
        if (leg->mix == c.mix) return;
        leg->mix = c.mix;
        events.push_back(channel::LegJoined{.mix = c.mix, .leg = c.leg});
    }
    void act(channel::CommandId, const channel::PartLeg& c) {
        auto* leg = find(c.leg, "part");
        if (leg == nullptr || leg->mix != c.mix) return;
        leg->mix.clear();
        events.push_back(channel::LegParted{.mix = c.mix, .leg = c.leg});
    }
    void act(channel::CommandId, const channel::EndMix& c) {
        mixes.erase(c.mix);
        for (auto& [name, leg] : legs)
            if (leg.mix == c.mix) leg.mix.clear();
    }
    void act(channel::CommandId, const channel::StartMusic& c) {
        auto* leg = find(c.leg, "music");
        if (leg == nullptr) return;
        if (!leg->mix.empty()) faults.push_back("music in a mix");
        if (leg->arrived && !leg->up) faults.push_back("music before the answer");
        leg->music = true;
    }
    void act(channel::CommandId, const channel::StopMusic& c) {
        if (auto* leg = find(c.leg, "music")) leg->music = false;
    }
    void act(channel::CommandId, const channel::MuteLeg& c) {
        if (auto* leg = find(c.leg, "mute")) leg->muted = c.muted;
    }
    void act(channel::CommandId, const channel::SendDigits&) {}
    void act(channel::CommandId, const channel::Play& c) {
        if (c.media.empty()) faults.push_back("nothing to play");
        else plays[c.play] = c.media.front();
        if (!c.leg.empty()) {
            if (auto* leg = find(c.leg, "play"); leg != nullptr && !leg->mix.empty()) faults.push_back("played to a leg in a mix");
        }
    }
    void act(channel::CommandId, const channel::StopPlay& c) { plays.erase(c.play); }
    void act(channel::CommandId, const channel::StartRecording& c) { recordings.try_emplace(c.recording, false); }
    void act(channel::CommandId, const channel::PauseRecording& c) { recordings[c.recording] = c.paused; }
    void act(channel::CommandId, const channel::StopRecording& c) {
        if (recordings.erase(c.recording) != 0 && tells_of_recordings) events.push_back(channel::RecordingEnded{.recording = c.recording, .lasted = Duration{1'000}, .failure = {}});
    }
    void act(channel::CommandId, const channel::FetchRecording& c) {
        fetched.push_back(c.recording);
        events.push_back(channel::RecordingFetched{.recording = c.recording, .content_type = "audio/wav", .bytes = fetch_failure.empty() ? "RIFF" + c.recording : std::string{}, .failure = fetch_failure, .passing = fetch_failure_passes && !fetch_failure.empty()});
    }
    void act(channel::CommandId, const channel::DropRecording& c) { dropped.push_back(c.recording); }
    void act(channel::CommandId, const channel::SnoopLeg& c) {
        if (!legs.contains(c.of)) return;
        legs[c.leg] = Leg{.role = channel::LegRole::supervisor, .target = c.whisper ? "whisper" : "snoop", .owner = c.owner, .mix = {}, .arrived = false, .up = true, .music = false,
                          .muted = false, .snoops = true};
    }
    void act(channel::CommandId, const channel::AskSnapshot&) { events.push_back(snapshot()); }
};

}  // namespace touchgate::voice_test
