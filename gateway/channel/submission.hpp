// One attempt, as an adapter sees it: where to, what, until when. Plain values; the adapter owns nothing of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/ids.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::channel {

// Time since an arbitrary start, never going back; for deadlines and intervals.
using Monotonic = std::chrono::nanoseconds;

// Names one attempt within this run of the program.
using AttemptRef = std::uint64_t;

struct Content {
    std::string text = {};                                             // rendered
    std::string template_code = {};                                    // a template registered at the provider
    std::vector<std::pair<std::string, std::string>> params = {};      // of that template, in its order
    std::string body_json = {};                                        // provider-shaped content (template_message …), verbatim
};

struct Submission {
    AttemptRef ref = 0;
    TouchId touch = {};
    std::string attempt_id = {};      // "<touch id>-<number>": unique, at most 64 bytes, given to providers that echo one
    std::string to = {};              // E.164 with +, or the channel's own form
    std::string sender = {};          // human-executed: the employee who shall send it, the provider's user id; empty: the account's default
    std::string campaign = {};        // touches of different campaigns share no task
    Content content = {};
    std::optional<Duration> valid_for = {};  // from now: the provider must not deliver later (expiry, quiet hours at the phone)
    Monotonic permit_deadline{};      // the transport must not write the first byte after this instant
};

}  // namespace touchgate::channel
