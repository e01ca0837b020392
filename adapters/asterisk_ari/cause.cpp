#include "adapters/asterisk_ari/cause.hpp"

namespace touchgate::adapters::asterisk_ari {

namespace {

using channel::EndReason;

// ITU-T Q.850 numbers as in Asterisk's causes.h.
const char* word_of_cause(int cause, bool by_us) {
    switch (cause) {
        case 1:   // unallocated
        case 3:   // no route to destination
        case 22:  // number changed
        case 28: return "invalid_number";
        case 16: return by_us ? "cancelled" : "no_answer";
        case 17: return "busy";
        case 18:
        case 19: return "no_answer";
        case 20: return "unreachable";  // subscriber absent: the telephone is off
        case 21: return "rejected";
        case 26: return "cancelled";  // answered elsewhere
        case 34:
        case 42:
        case 44: return "congestion";
        case 0:
        case 31:
        case 127: return by_us ? "cancelled" : "failed";  // 487, the answer to a CANCEL, comes as 127
        default: return "failed";
    }
}

}  // namespace

std::string outcome_of(const Ending& ending, const Settings& settings) {
    if (ending.was_answered) return "answered";
    if (ending.tech_cause != 0) {
        const auto found = settings.outcome_map.find("sip " + std::to_string(ending.tech_cause));
        if (found != settings.outcome_map.end()) return found->second;
    }
    const auto found = settings.outcome_map.find("cause " + std::to_string(ending.cause));
    if (found != settings.outcome_map.end()) return found->second;
    return word_of_cause(ending.cause, ending.by_us);
}

const char* reason_word(EndReason reason) {
    switch (reason) {
        case EndReason::busy: return "busy";
        case EndReason::congestion: return "congestion";
        case EndReason::rejected: return "rejected";
        case EndReason::no_answer: return "no_answer";
        case EndReason::answered_elsewhere: return "answered_elsewhere";
        case EndReason::normal: break;
    }
    return "normal";
}

}  // namespace touchgate::adapters::asterisk_ari
