// What the end of a channel means: Q.850 causes and SIP statuses as words of policy/call_outcomes.hpp.
#pragma once

#include <string>

#include "adapters/asterisk_ari/settings.hpp"

namespace touchgate::adapters::asterisk_ari {

struct Ending {
    int cause = 0;       // Q.850, of ChannelDestroyed (the only place where it can be relied on)
    int tech_cause = 0;  // SIP status
    bool was_answered = false;
    bool by_us = false;  // we asked for it
};

// "answered" if and only if it was; otherwise what the cause means, or what the account's outcome_map says of it.
[[nodiscard]] std::string outcome_of(const Ending& ending, const Settings& settings);

// The word that ARI takes as `reason` of a hang-up.
[[nodiscard]] const char* reason_word(channel::EndReason reason);

}  // namespace touchgate::adapters::asterisk_ari
