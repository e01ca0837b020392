// What a customer hears while nobody talks with him: music, announcements, menus and what is played to him.

#include <algorithm>

#include "gateway/voice/machine.hpp"

namespace touchgate::voice {

void Machine::to_queue(const std::string& queue, int priority, const std::vector<std::string>& needs) {
    move(Stage::waiting);
    entertain();
    if (rules_.announce_every > Duration{0} && !(rules_.inbound.ringing && !call_.outbound)) call_.live.tick = now_ + rules_.announce_every;
    if (!host_.enqueue(queue, priority, needs)) say_and_end(rules_.closed, "cancelled");
}

void Machine::wait_again(const std::string& reason) {
    end_supervision();
    drop_all(Use::consult);
    drop_all(Use::agent);
    customer_out();
    move(Stage::waiting, reason);
    entertain();
    if (rules_.announce_every > Duration{0}) call_.live.tick = now_ + rules_.announce_every;
}

void Machine::entertain() {
    const auto* customer = call_.party(Use::customer);
    if (customer == nullptr || call_.live.music || !call_.live.play.empty() || customer->wanted) return;
    // Who was not answered yet hears ringing.
    if (customer->arrived && !customer->up && rules_.inbound.ringing) return;
    call_.live.music = true;
    to(channel::StartMusic{.leg = customer->leg, .music = rules_.music});
}

void Machine::silence() {
    stop_play();
    const auto* customer = call_.party(Use::customer);
    if (customer != nullptr && call_.live.music) to(channel::StopMusic{.leg = customer->leg});
    call_.live.music = false;
}

void Machine::announce() {
    call_.live.tick = rules_.announce_every > Duration{0} ? now_ + rules_.announce_every : instant_never;
    const auto* customer = call_.party(Use::customer);
    if (!call_.live.play.empty() || customer == nullptr || (customer->arrived && !customer->up && rules_.inbound.ringing)) return;
    const auto wait = host_.wait();
    Media said;
    const auto say = [&](const Media& media) {
        for (auto text : media) {
            const auto put = [&](std::string_view name, std::int64_t number) {
                if (const auto at = text.find(name); at != std::string::npos) text.replace(at, name.size(), std::to_string(number));
            };
            const auto minutes = [](Duration wait_of) { return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::minutes>(wait_of).count()); };
            put("{position}", wait.position);
            put("{minutes}", minutes(wait.at_least.value_or(Duration{0})));
            put("{minutes_most}", minutes(wait.at_most.value_or(Duration{0})));
            said.push_back(std::move(text));
        }
    };
    if (wait.position > 0) say(rules_.position);
    if (wait.at_most) say(rules_.wait);
    if (said.empty()) return;
    silence();
    play(said);
}

void Machine::play(const Media& media) {
    stop_play();
    const auto* customer = call_.party(Use::customer);
    if (customer == nullptr || media.empty()) return;
    if (customer->arrived && !customer->up && rules_.inbound.ringing) to(channel::AnswerLeg{.leg = customer->leg});
    call_.live.play = host_.new_name();
    call_.live.play_command = host_.command(channel::Play{.play = call_.live.play, .leg = customer->leg, .mix = {}, .media = media, .language = rules_.language});
}

void Machine::stop_play() {
    if (!call_.live.play.empty()) to(channel::StopPlay{.play = call_.live.play});
    call_.live.play.clear();
}

void Machine::on(const channel::PlayEnded& event) {
    if (event.play != call_.live.play || event.play.empty()) return;
    if (event.failed) return play_failed("the telephone system could not play it");
    call_.live.play.clear();
    switch (call_.stage) {
        case Stage::greeting: return after_greeting();
        case Stage::menu:
            if (const auto menu = rules_.menus.find(call_.live.place.menu); menu != rules_.menus.end()) follow(played(menu->second, call_.live.place, host_));
            return;
        case Stage::playing: {
            if (event.completed && call_.live.played_is_content) host_.content_played();
            const auto outcome = call_.live.after_play;
            return finish(outcome.empty() ? "answered" : outcome, "gateway");
        }
        case Stage::voicemail: {
            if (std::any_of(call_.recordings.begin(), call_.recordings.end(), [](const Recording& each) { return each.voicemail; })) return;
            const auto* customer = call_.party(Use::customer);
            if (customer == nullptr) return;
            const auto name = host_.new_name();
            host_.note(RecordingChanged{.call = call_.id, .recording = name, .state = RecordingState::begun, .lasted_ms = 0, .bytes = 0, .content_type = {}, .failure = {}, .voicemail = true});
            to(channel::StartRecording{.recording = name, .leg = customer->leg, .mix = {}, .beep = true, .longest = rules_.longest_message, .end_digits = "#", .silence = Duration{10'000}});
            return;
        }
        default: entertain();
    }
}

// What was to be said is the call itself: without it nobody is kept on a silent line. Anything else is passed over, as if it were at its end.
void Machine::play_failed(const std::string& detail) {
    if (call_.is_over() || call_.live.play.empty()) return;
    if (call_.stage != Stage::playing || !call_.live.played_is_content) return on(channel::PlayEnded{.play = std::string{call_.live.play}, .completed = false});
    call_.live.play.clear();
    call_.live.failure = detail;
    finish("failed", "gateway");
}

void Machine::on(const channel::DigitPressed& event) {
    const auto* party = call_.leg(event.leg);
    if (party == nullptr || party->use != Use::customer || call_.stage != Stage::menu) return;
    const auto menu = rules_.menus.find(call_.live.place.menu);
    if (menu == rules_.menus.end()) return;
    stop_play();  // who knows the menu need not hear it
    const auto node = menu->second.nodes.find(call_.live.place.node);
    if (const auto step = pressed(menu->second, call_.live.place, event.digit, host_)) follow(*step);
    else if (node != menu->second.nodes.end()) call_.live.deadline = now_ + node->second.timeout;
}

}  // namespace touchgate::voice
