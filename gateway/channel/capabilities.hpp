// What an adapter declares about itself: read by machines (routing, checks) and shown to people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/base/time.hpp"

namespace touchgate::channel {

// What one act of a customer opens: so many messages for so long. Any open window will do; a new act of the same kind begins anew.
struct ReplyWindow {
    std::string act;      // "message", "follow", "menu", "scan", "enter"; as in ProviderEvent::act, a message is "message"
    int messages = 0;
    Duration lasts{};
};

struct Capabilities {
    std::string channel;                  // "sms", "wecom" …
    bool takes_text = true;               // free text
    bool takes_template_code = false;     // a template registered at the provider
    std::size_t text_characters_max = 0;  // 0: no limit of its own
    bool idempotent_submit = false;       // repeating a submit is harmless
    bool receipts = false;
    bool inbound = false;
    std::string receipt_scope;            // accounts with the same may get each other's receipts (two binds at one centre); empty: only its own
    bool recall = false;
    bool human_executed = false;
    bool can_reconcile = false;           // an unknown attempt can be asked for
    bool has_validity = false;            // the provider can be told until when to deliver
    std::size_t batch_max = 1;            // attempts in one submit
    std::vector<std::string> rate_scopes = {"account"};
    std::vector<ReplyWindow> reply_windows = {};  // content that needs one (see needs_reply_window) goes only while one is open; empty: no such rule
    std::vector<std::string> topics = {};         // of another account's callbacks: what is meant for this one, see WebhookEvents::topic …
    std::string parent = {};                      // … and that account's name ("corp"); empty: none
    std::string address_scope = {};               // openids belong to this account's name; empty: the account itself. Ignored by other kinds of address
};

}  // namespace touchgate::channel
