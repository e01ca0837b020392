// Decisions in words and as the JSON of the API: {"verdict","policy","rule","until","reason","trace":[…]}.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gateway/json/json.hpp"
#include "gateway/policy/decide.hpp"

namespace touchgate::policy {

// Number of the sentence in TraceStep::why. Written to the log: never change a number, only add.
enum class Why : std::uint8_t {
    allowed = 0,
    cannot_evaluate = 1,
    address_gone = 2,
    contact_restricted = 3,
    address_erased = 4,
    opted_out = 5,
    opt_out_review = 6,
    platform_refuses = 7,
    held_out = 8,
    template_not_filed = 9,
    on_list = 10,
    not_on_list = 11,
    no_consent = 12,
    consent_withdrawn = 13,
    consent_too_old = 14,
    outside_hours = 15,
    outside_hours_calendar_ends = 16,
    never_open = 17,
    within_hours = 18,
    within_hours_calendar_ends = 19,
    room_left = 20,
    cap_reached = 21,
    cap_is_zero = 22,
    too_soon_after_touch = 23,
    too_soon_after_complaint = 24,
    too_soon_after_conversation = 25,
    too_soon_after_reply = 26,
    ticket_open = 27,
    no_signature = 28,
    required_text_missing = 29,
    forbidden_text = 30,
    too_long = 31,
    too_many_segments = 32,
    no_text = 33,
    in_blackout = 34,
    window_closed = 35,
    window_used_up = 36,
    waived = 37,
    exempts = 38,
    not_now = 39,  // allowed at the decision's instant, not at those that follow
    budget_left = 40,
    budget_spent = 41,
    fatigued = 42,
    fatigue_below_ceiling = 43,
    too_many_dropped = 44,
    few_enough_dropped = 45,
    too_soon_after_event = 46,
    too_soon_after_disposition = 47,
};

struct Sentence {
    std::string en;
    std::string zh;
};

// One sentence in both languages, with the step's numbers in it.
[[nodiscard]] Sentence sentence(const CompiledPolicy& policy, const TraceStep& step);

// The id by which the outside knows the touch of that sequence number; empty leaves it out.
using TouchNamer = std::function<std::string(std::uint64_t touch)>;

// The decision object. `policy_version` is "name@3". `touches` is present in a step only when the decision was explained.
[[nodiscard]] Json decision_json(const CompiledPolicy& policy, std::string_view policy_version, const Decision& decision,
                                 const TouchNamer& name_touch = {});

[[nodiscard]] std::string_view verdict_word(Verdict verdict);
[[nodiscard]] std::string_view reason_word(Reason reason);  // "" for none

}  // namespace touchgate::policy
