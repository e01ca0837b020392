// How an account that is a telephone system treats calls: read from its configuration by gateway/app, or made by a test.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/voice/ivr.hpp"

namespace touchgate::voice {

// What the caller hears, one medium after the other; words of channel::Play. {position}, {minutes} and {minutes_most} stand for numbers.
using Media = std::vector<std::string>;

struct InboundRules {
    struct Route { std::string did, queue, menu; };  // did: as the dial plan hands it over
    std::string queue;                               // of numbers without a route; empty: the first queue for calls
    std::string menu;                                // instead of the queue at once; empty: none
    std::vector<Route> routes;
    Media greeting;
    bool ringing = false;                            // the call is not answered before an agent is there: the caller hears ringing
};

struct RecordingRules {
    bool always = false;
    std::vector<std::string> queues;                 // else only calls of these
    bool beep = false;
    Media consent;                                   // played to the customer before he is joined with an agent of a recorded call
    Duration retention{std::chrono::hours{24 * 180}};
};

struct CallRules {
    InboundRules inbound;
    RecordingRules recording;
    std::map<std::string, Menu, std::less<>> menus;
    std::map<std::string, std::string, std::less<>> phone_routes;  // "phone:NAME" of a transfer: its E.164 number
    Duration agent_ring_timeout{15'000};
    Duration ring_timeout{30'000};                   // of customers and outside parties
    Duration longest_wait{std::chrono::hours{2}};
    Duration longest_park{std::chrono::minutes{5}};  // then the call is in its queue again, at the front
    Duration longest_call{std::chrono::hours{4}};
    Duration longest_message{120'000};               // of voicemail
    Duration lost_after{std::chrono::minutes{10}};   // so long a call waits for a telephone system that is gone
    Duration announce_every{0};                      // while waiting; 0: never
    Media position, wait;                            // {position}; {minutes} … {minutes_most}
    Media promised, closed, goodbye, dropped, voicemail;  // said before the end; empty: nothing
    std::string music;                               // empty: the telephone system's
    std::string language;                            // of what is played
    // A number as it was handed over in E.164; empty: it is none.
    std::function<std::string(std::string_view)> normalise = [](std::string_view number) { return number.starts_with("+") ? std::string{number} : std::string{}; };
};

}  // namespace touchgate::voice
