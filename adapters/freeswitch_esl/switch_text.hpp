// Pieces of what is said to the switch.
#pragma once

#include <string>
#include <string_view>

#include "gateway/channel/call_adapter.hpp"

namespace touchgate::adapters::freeswitch_esl {

inline constexpr std::string_view beep = "tone_stream://%(300,0,900)";

// Whole seconds, upwards.
[[nodiscard]] inline std::string seconds_of(Duration duration) { return std::to_string((duration.count() + 999) / 1'000); }

// An application of the dial plan, carried out on this leg; `tag` comes back with its end. Empty parts are left out.
[[nodiscard]] inline std::string execute_message(const channel::LegId& leg, std::string_view application, std::string_view argument, std::string_view tag) {
    std::string text = "sendmsg " + leg + "\ncall-command: execute\nexecute-app-name: ";
    text.append(application);
    if (!argument.empty()) text.append("\nexecute-app-arg: ").append(argument);
    if (!tag.empty()) text.append("\nEvent-UUID: ").append(tag);
    return text.append("\n\n");
}

}  // namespace touchgate::adapters::freeswitch_esl
