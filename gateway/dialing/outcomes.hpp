// What the end of a call means: from hang-up causes (Q.850), SIP answers and what was heard before the answer to the outcome words of reports.
// Pure; any thread.
//
// The Q.850 numbers are those of ITU-T Q.850, table 1; the words per cause follow what telephone systems were seen to report: docs/dialing.md,
// section "Outcomes".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/dialing/plan.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::dialing {

// What an account says about announcements and causes of its carrier, before the general table is asked. Chinese carriers answer many calls to
// phones that are off or suspended with an announcement before the answer, and a cause that tells nothing.
struct OutcomeRule {
    int cause = 0;              // Q.850; 0: any
    int sip = 0;                // SIP status; 0: any
    std::string announcement;   // a word of whoever listens to early media; empty: any
    Outcome outcome = 0;
};
// {"outcomes": [{"announcement": "powered_off", "outcome": "powered_off"}, {"sip": 403, "cause": 21, "outcome": "blocked_by_carrier"}]}: the array.
// `owner` is the object that has it. What is wrong goes to its problems.
[[nodiscard]] std::vector<OutcomeRule> read_outcome_rules(JsonReader& owner, std::string_view key = "outcomes");

enum class EndedBy : std::uint8_t { unknown = 0, far_end, gateway };

struct EndedCall {
    int cause = 0;                   // Q.850; 0: none given
    int sip = 0;                     // status of the final answer; 0: none given
    std::string_view announcement = {};  // heard before the answer; empty: nothing known
    std::string_view adapter_word = {};  // what the telephone system's adapter made of it; empty: nothing
    bool answered = false;           // the leg was up: from its own event, never from the cause
    bool machine = false;            // … and a machine or fax spoke
    bool dropped = false;            // … and no agent was there in time
    bool ring_timeout = false;       // our own
    EndedBy by = EndedBy::unknown;
};
// A word of policy::call_outcome_words, never empty. Precedence: what we know ourselves (dropped, machine, answered), the account's rules, the
// gateway's own ring time-out or cancellation, the adapter's word, the SIP answer where it tells more than the cause, the cause.
[[nodiscard]] std::string_view outcome_of(const EndedCall& call, const std::vector<OutcomeRule>& rules = {});

// The word for a Q.850 cause of a call that was not answered; "failed" for one that is not in the table.
[[nodiscard]] std::string_view outcome_of_cause(int cause);
// The Q.850 cause that a SIP status stands for, by RFC 3398, section 8.2.6.1; 0 where that says none.
[[nodiscard]] int cause_of_sip(int status);
// Is the trunk or its configuration to blame, and no fault of the number? Such an end must not count against it. (No circuit, no route, codecs.)
[[nodiscard]] bool is_our_fault(int cause);

}  // namespace touchgate::dialing
