#include "gateway/dialing/outcomes.hpp"

#include <algorithm>
#include <array>

namespace touchgate::dialing {

namespace {

// What a SIP status tells that its cause does not: 480 of a phone that is off, 603 of one who presses "decline".
std::string_view outcome_of_sip(int status) {
    switch (status) {
        case 404:
        case 410:
        case 484:
        case 604: return "invalid_number";
        case 408:
        case 480: return "no_answer";
        case 486:
        case 600: return "busy";
        case 403:
        case 603:
        case 607:
        case 608: return "rejected";
        case 487: return "cancelled";
        case 503: return "congestion";
        default: return {};
    }
}

}  // namespace

std::string_view outcome_of_cause(int cause) {
    switch (cause) {
        case 1:    // unallocated number
        case 2:    // no route to transit network
        case 3:    // no route to destination
        case 22:   // number changed
        case 28: return "invalid_number";  // invalid number format
        case 16: return "no_answer";       // normal clearing, before an answer
        case 17: return "busy";
        case 18:   // no user responding
        case 19: return "no_answer";       // no answer from user
        case 20: return "unreachable";     // subscriber absent
        case 21: return "rejected";
        case 26: return "cancelled";       // non-selected user clearing: answered elsewhere
        case 34:   // no circuit
        case 42:   // switching equipment congestion
        case 44: return "congestion";      // requested circuit not available
        default: return "failed";
    }
}

int cause_of_sip(int status) {
    switch (status) {
        case 400:
        case 481:
        case 500: return 41;
        case 401:
        case 402:
        case 403:
        case 407:
        case 603: return 21;
        case 404:
        case 604: return 1;
        case 405:
        case 406:
        case 415:
        case 488:
        case 501:
        case 606: return 79;
        case 408:
        case 504: return 102;
        case 410: return 22;
        case 413:
        case 414:
        case 416:
        case 420:
        case 421:
        case 423:
        case 505:
        case 513: return 127;
        case 480: return 18;
        case 482:
        case 483: return 25;
        case 484: return 28;
        case 485: return 1;
        case 486:
        case 600: return 17;
        case 502: return 38;
        case 503: return 41;
        default: return 0;
    }
}

bool is_our_fault(int cause) {
    switch (cause) {
        case 27:
        case 29:
        case 34:
        case 38:
        case 41:
        case 42:
        case 44:
        case 50:
        case 52:
        case 54:
        case 57:
        case 58:
        case 65:
        case 79:
        case 88:
        case 102: return true;
        default: return false;
    }
}

std::string_view outcome_of(const EndedCall& call, const std::vector<OutcomeRule>& rules) {
    if (call.answered) {
        if (call.dropped) return "dropped";
        return call.machine ? "machine" : "answered";
    }
    for (const auto& rule : rules) {
        if (rule.cause != 0 && rule.cause != call.cause) continue;
        if (rule.sip != 0 && rule.sip != call.sip) continue;
        if (!rule.announcement.empty() && rule.announcement != call.announcement) continue;
        return policy::call_outcome_words[rule.outcome];
    }
    if (call.ring_timeout) return "no_answer";
    if (call.by == EndedBy::gateway) return "cancelled";
    if (policy::call_outcome_number(call.adapter_word) != 0) return policy::call_outcome_words[policy::call_outcome_number(call.adapter_word)];
    if (const auto word = outcome_of_sip(call.sip); !word.empty()) return word;
    if (call.cause == 0 && call.sip == 0) return "failed";
    return outcome_of_cause(call.cause != 0 ? call.cause : cause_of_sip(call.sip));
}

std::vector<OutcomeRule> read_outcome_rules(JsonReader& owner, std::string_view key) {
    std::vector<OutcomeRule> rules;
    owner.objects(key, [&](JsonReader& entry, std::size_t) {
        OutcomeRule rule;
        rule.cause = static_cast<int>(entry.integer("cause", 0, 0, 127));
        rule.sip = static_cast<int>(entry.integer("sip", 0, 0, 699));
        rule.announcement = entry.text("announcement", {}, {1, 100});
        const auto word = entry.required_text("outcome", {1, 50});
        rule.outcome = policy::call_outcome_number(word);
        // Whether a call was answered, dropped or given up is known from events and is not a matter of the account's opinion.
        static constexpr std::array<std::string_view, 5> ours = {"answered", "machine", "dropped", "cancelled", "abandoned"};
        if (!word.empty() && (rule.outcome == 0 || std::find(ours.begin(), ours.end(), word) != ours.end()))
            entry.problem("outcome", "must be the outcome of a call that was not answered, such as powered_off, suspended, blocked_by_carrier");
        if (rule.cause == 0 && rule.sip == 0 && rule.announcement.empty()) entry.problem_here("must name a cause, a sip status or an announcement");
        entry.finish();
        rules.push_back(std::move(rule));
    });
    return rules;
}

}  // namespace touchgate::dialing
