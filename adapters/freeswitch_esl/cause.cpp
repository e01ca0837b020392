#include "adapters/freeswitch_esl/cause.hpp"

#include <algorithm>
#include <array>

namespace touchgate::adapters::freeswitch_esl {

namespace {

using channel::EndReason;

struct Cause {
    std::string_view name;
    int number;
    std::string_view outcome;  // of a leg that was not answered
};
constexpr std::array causes = {
    Cause{"UNALLOCATED_NUMBER", 1, "invalid_number"},
    Cause{"NO_ROUTE_TRANSIT_NET", 2, "failed"},
    Cause{"NO_ROUTE_DESTINATION", 3, "invalid_number"},
    Cause{"NORMAL_CLEARING", 16, "no_answer"},
    Cause{"USER_BUSY", 17, "busy"},
    Cause{"NO_USER_RESPONSE", 18, "no_answer"},
    Cause{"NO_ANSWER", 19, "no_answer"},
    Cause{"SUBSCRIBER_ABSENT", 20, "unreachable"},
    Cause{"CALL_REJECTED", 21, "rejected"},
    Cause{"NUMBER_CHANGED", 22, "invalid_number"},
    Cause{"DESTINATION_OUT_OF_ORDER", 27, "failed"},
    Cause{"INVALID_NUMBER_FORMAT", 28, "invalid_number"},
    Cause{"FACILITY_REJECTED", 29, "failed"},
    Cause{"NORMAL_UNSPECIFIED", 31, "failed"},
    Cause{"NORMAL_CIRCUIT_CONGESTION", 34, "congestion"},
    Cause{"NETWORK_OUT_OF_ORDER", 38, "failed"},
    Cause{"NORMAL_TEMPORARY_FAILURE", 41, "failed"},
    Cause{"SWITCH_CONGESTION", 42, "congestion"},
    Cause{"REQUESTED_CHAN_UNAVAIL", 44, "congestion"},
    Cause{"OUTGOING_CALL_BARRED", 52, "failed"},
    Cause{"BEARERCAPABILITY_NOTAUTH", 57, "failed"},
    Cause{"INCOMPATIBLE_DESTINATION", 88, "failed"},
    Cause{"RECOVERY_ON_TIMER_EXPIRE", 102, "failed"},
    Cause{"INTERWORKING", 127, "failed"},
    Cause{"ORIGINATOR_CANCEL", 487, "cancelled"},
    Cause{"LOSE_RACE", 702, "cancelled"},        // another telephone answered first
    Cause{"MANAGER_REQUEST", 703, "cancelled"},  // ended by a command
    Cause{"BLIND_TRANSFER", 800, "failed"},
    Cause{"ATTENDED_TRANSFER", 801, "failed"},
    Cause{"ALLOTTED_TIMEOUT", 802, "no_answer"},
    Cause{"MEDIA_TIMEOUT", 804, "failed"},
    Cause{"PICKED_OFF", 805, "cancelled"},
    Cause{"USER_NOT_REGISTERED", 806, "unreachable"},
    Cause{"PROGRESS_TIMEOUT", 807, "no_answer"},
    Cause{"GATEWAY_DOWN", 809, "failed"},
    Cause{"BUSY_EVERYWHERE", 815, "busy"},
    Cause{"DECLINE", 816, "rejected"},
    Cause{"REJECT_ALL", 825, "rejected"}};

const Cause* find(std::string_view name) {
    const auto found = std::find_if(causes.begin(), causes.end(), [&](const Cause& each) { return each.name == name; });
    return found == causes.end() ? nullptr : &*found;
}

}  // namespace

int cause_number(std::string_view name) {
    const auto* found = find(name);
    return found == nullptr ? 0 : found->number;
}

int q850(int number) { return number > 127 ? 31 : number; }

std::string outcome_of(const Ending& ending, const Settings& settings) {
    if (ending.was_answered) return "answered";
    if (ending.sip != 0)
        if (const auto mapped = settings.outcome_map.find("sip " + std::to_string(ending.sip)); mapped != settings.outcome_map.end()) return mapped->second;
    if (const auto mapped = settings.outcome_map.find(ending.cause); mapped != settings.outcome_map.end()) return mapped->second;
    const auto* found = find(ending.cause);
    // Our own hang-up before the answer comes back as clearing or as a cancellation.
    if (ending.by_us && (found == nullptr || found->number == 16 || found->number == 31 || found->number == 487)) return "cancelled";
    // Asterisk says 34 where FreeSWITCH says 41: the network had no room.
    if (ending.sip == 503) return "congestion";
    // 408 and 504 share a cause, but who lets it ring without an answer is no failure of the network.
    if (ending.sip == 408) return "no_answer";
    return std::string{found == nullptr ? "failed" : found->outcome};
}

std::string_view cause_word(EndReason reason) {
    switch (reason) {
        case EndReason::busy: return "USER_BUSY";
        case EndReason::congestion: return "NORMAL_CIRCUIT_CONGESTION";
        case EndReason::rejected: return "CALL_REJECTED";
        case EndReason::no_answer: return "NO_ANSWER";
        case EndReason::answered_elsewhere: return "LOSE_RACE";
        case EndReason::normal: break;
    }
    return "NORMAL_CLEARING";
}

}  // namespace touchgate::adapters::freeswitch_esl
