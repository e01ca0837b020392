// FreeSWITCH's hang-up causes: their numbers, and what they mean as words of policy/call_outcomes.hpp. Names and numbers: switch_types.h.
#pragma once

#include <string>
#include <string_view>

#include "adapters/freeswitch_esl/settings.hpp"

namespace touchgate::adapters::freeswitch_esl {

// "USER_BUSY" → 17; 0 for a name that is not known. Numbers above 127 are FreeSWITCH's own and no Q.850.
[[nodiscard]] int cause_number(std::string_view name);
// As Q.850 has it: the number itself up to 127, 31 (normal, unspecified) for FreeSWITCH's own.
[[nodiscard]] int q850(int number);

struct Ending {
    std::string_view cause;      // Hangup-Cause of the leg
    int sip = 0;                 // status of the final answer; 0: unknown
    bool was_answered = false;
    bool by_us = false;          // we asked for it
};
// "answered" if and only if it was; otherwise what the account's outcome_map says of the cause or status, or what they mean.
[[nodiscard]] std::string outcome_of(const Ending& ending, const Settings& settings);

// The cause that a command to hang up takes.
[[nodiscard]] std::string_view cause_word(channel::EndReason reason);

}  // namespace touchgate::adapters::freeswitch_esl
