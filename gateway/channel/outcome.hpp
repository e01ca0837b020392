// What an attempt led to. Adapters only choose the kind; what follows from it is decided in one place, dispatch/next_step.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"

namespace touchgate::channel {

// Numbers are written to the touch log: append only, never renumber.
enum class OutcomeKind : std::uint8_t {
    accepted = 1,       // the provider took it; ids holds its message ids, one per part
    handed_to_human,    // a person must press send; task names the provider's task
    not_sent,           // certainly not sent (connect refused, TLS, busy); may be tried again on the same account
    unknown,            // bytes may have left and the answer is missing or unreadable
    throttled,          // too fast; retry_after and scope say what must cool down; not counted as an attempt
    quota_exhausted,    // nothing more until resets_in
    window_closed,      // the reply window of the platform is closed
    recipient_refuses,  // not following, deleted, black-listed: suppress with evidence
    recipient_invalid,  // no such number, openid
    refused,            // any other definite refusal
    content_rejected,   // field names what was wrong with the content
    credentials,        // wrong secret, expired token
    config,             // the account is set up wrongly
    provider_down,      // sustained trouble on the provider's side; certainly not sent
};

struct Outcome {
    OutcomeKind kind = OutcomeKind::unknown;
    std::vector<std::string> ids = {};          // accepted: as the provider wrote them
    std::string code = {};                      // the provider's own code, "0x0B", "isv.BUSINESS_LIMIT_CONTROL"
    std::string detail = {};                    // for people; never contains addresses, content or secrets
    std::string scope = {};                     // throttled, quota_exhausted: "account", "recipient", "template" …
    std::string field = {};                     // content_rejected
    std::string task = {};                      // handed_to_human: the provider's id of the task
    std::string employee = {};                  // handed_to_human: who must press send, the provider's user id
    std::optional<Duration> retry_after = {};   // throttled, quota_exhausted: from now
    int parts = 1;                              // messages that the provider counts
    bool once_more = false;                     // refused, nobody knows why: it is asked for once more before the refusal counts
};

[[nodiscard]] constexpr std::string_view to_string(OutcomeKind kind) {
    switch (kind) {
        case OutcomeKind::accepted: return "accepted";
        case OutcomeKind::handed_to_human: return "handed_to_human";
        case OutcomeKind::not_sent: return "not_sent";
        case OutcomeKind::unknown: return "unknown";
        case OutcomeKind::throttled: return "throttled";
        case OutcomeKind::quota_exhausted: return "quota_exhausted";
        case OutcomeKind::window_closed: return "window_closed";
        case OutcomeKind::recipient_refuses: return "recipient_refuses";
        case OutcomeKind::recipient_invalid: return "recipient_invalid";
        case OutcomeKind::refused: return "refused";
        case OutcomeKind::content_rejected: return "content_rejected";
        case OutcomeKind::credentials: return "credentials";
        case OutcomeKind::config: return "config";
        case OutcomeKind::provider_down: return "provider_down";
    }
    return "unknown";
}

// What a receipt says of one provider message id. Numbers are written to the log.
enum class ReceiptStatus : std::uint8_t {
    pending = 1,         // intermediate: ENROUTE, ACCEPTD; changes no state
    delivered,
    read,
    failed,              // definite: UNDELIV, REJECTD, EXPIRED, DELETED …
    recipient_refuses,   // definite and the recipient's will: suppress as well
    unknown,             // UNKNOWN: changes no state
};

struct Receipt {
    std::vector<std::string> provider_ids = {};  // one id in all the forms in which the submit may have shown it; first = as received
    std::string destination = {};                // the phone, if the receipt names it, E.164 or as received
    ReceiptStatus status = ReceiptStatus::unknown;
    std::string raw = {};                        // the provider's own word, "DELIVRD", "MK:0001"
    std::string reason = {};                     // lower case, for the touch's `reason` when failed: "undeliv"
    std::optional<Instant> at = {};              // the provider's time of it
    std::string attempt_id = {};                 // our own id, if the provider echoes it (OutId)
    bool redelivery_may_follow = true;
    std::string kind = "receipt";               // the provider's own name of what told it, in lower case: "deliver_sm", "templatesendjobfinish"
    std::string body_json = {};                  // what else it says, a JSON object: of nobody in particular, for it is kept as it is
};

// Something a customer sent.
struct InboundMessage {
    std::string from = {};                       // address as received
    std::string to = {};                         // our number
    std::string text = {};                       // UTF-8; of a voice message what the provider recognised, of a menu's answer its words
    std::string provider_id = {};                // empty where the protocol has none (SMPP)
    std::string fingerprint = {};                // bytes that a repeat would share, where provider_id is empty
    std::optional<Instant> at = {};
    bool incomplete = false;                     // a long message of which parts never came
    std::string kind = "text";                   // "text", "image", "voice", "video", "file", "location", "link", "card" … the provider's word in lower snake case
    std::string body_json = {};                  // not text: the provider's members as a JSON object, verbatim (media_id, url, latitude …)
    std::string reply_code = {};                 // a code of the provider under which one answer may be sent beside the reply window
};

// Something that happened between a customer and one of our accounts and is neither a message nor a receipt.
struct ProviderEvent {
    // What reaching this customer means after it. `reachable` lifts a refusal that an older event set; `refuses` sets one.
    enum class Reach : std::uint8_t { unchanged = 0, reachable, refuses };
    std::string kind = {};                       // "follow", "unfollow", "scan", "menu", "view", "enter", "subscription_accepted", "location" … "unknown": not understood
    std::string name = {};                       // the provider's own word for it in lower case, a sub-kind after a dot; empty: as `kind`
    std::string from = {};                       // the customer's address; empty: the event is about none
    std::string id = {};                         // what a repeat of the event shares: the provider's id, else a hash of the plain text; never empty
    std::optional<Instant> at = {};              // the provider's time; state follows the greatest, not the order of arrival
    Reach reach = Reach::unchanged;
    std::string act = {};                        // opens this kind of reply window, see Capabilities::reply_windows; empty: none
    std::string employee = {};                   // of ours, the provider's user id: who was added, deleted …
    std::string source = {};                     // where the customer came from: state or scene, without the platform's prefix
    std::string unionid = {};                    // of the customer, if the event names it
    std::string reply_code = {};                 // one answer may be sent under it (WelcomeCode, welcome_code) …
    Duration reply_within{};                     // … for so long after `at`
    std::string ref = {};                        // what else it is about: a group, a template, a menu key, a session
    std::string body_json = {};                  // the whole event as a JSON object, for people and later readers
    std::string refused = {};                    // unknown: why it was not read, "XML"
};

}  // namespace touchgate::channel
