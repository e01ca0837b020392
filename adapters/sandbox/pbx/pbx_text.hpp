// Texts that the simulated PBX writes.
#pragma once

#include <string>
#include <string_view>

#include "adapters/sandbox/http_exchange.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

inline HttpReply json_reply(const Json& body, int status = 200) {
    return {.status = status, .content_type = "application/json", .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}
inline HttpReply message_reply(int status, std::string_view message) { return json_reply({{"message", message}}, status); }
inline HttpReply done_reply() { return {.status = 204}; }

// A segment of a path: a '+' is one, unlike in a query.
inline std::string decode_segment(std::string_view segment) {
    std::string text;
    for (const char c : segment) text.append(c == '+' ? std::string_view{"%2B"} : std::string_view{&c, 1});
    return percent_decode(text);
}

// "2026-11-21T19:50:19.085+0000", as Asterisk writes times.
inline std::string time_text(Instant at) {
    auto text = format_instant(at);
    if (!text.empty() && text.back() == 'Z') text.replace(text.size() - 1, 1, "+0000");
    return text;
}

// Q.850 as Asterisk words it.
inline const char* cause_text(int cause) {
    switch (cause) {
        case 1: return "Unallocated (unassigned) number";
        case 16: return "Normal Clearing";
        case 17: return "User busy";
        case 19: return "User alerting, no answer";
        case 20: return "Subscriber absent";
        case 21: return "Call Rejected";
        case 26: return "Answered elsewhere";
        case 34: return "Circuit/channel congestion";
        case 38: return "Network out of order";
        case 44: return "Requested channel not available";
        default: return "Unknown";
    }
}

}  // namespace touchgate::sandbox
