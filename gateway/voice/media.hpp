// What a text of a touch means to a telephone system that is to play it.
#pragma once

#include <string>

namespace touchgate::voice {

// The medium (a word of channel::Play) for what somebody wrote: "file:…", "text:…", "number:…", "digits:…", "recording:…" and "tone:…" as they are,
// "sound:…" and a bare name ("hello-world", "ivr/welcome.wav": ASCII without spaces) a file of the telephone system, anything else words to be spoken.
[[nodiscard]] std::string medium_of(const std::string& text);

}  // namespace touchgate::voice
