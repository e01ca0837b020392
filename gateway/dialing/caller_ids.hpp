// Which number a call shows: of the callee's region, then the least used, the same for a contact for a week, within its limits; and when a number
// must rest. Pure: the instant is an argument. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/dialing/trunks.hpp"

namespace touchgate::dialing {

// Event caller_id.rested.
struct CallerIdRested {
    std::string number;
    std::string_view why;     // "answer_rate" or "short_calls"
    double share = 0, bound = 0;
    std::uint32_t calls = 0;  // that it was seen over
    Instant until{};
};

class CallerIds {
public:
    static constexpr Duration sticky_for = one_day * 7;  // since the contact's last call

    CallerIds(std::vector<CallerIdTerms> terms, RestTerms rest);

    struct Choice {
        std::string_view number = {};  // empty: none may be used now
        std::optional<Instant> free_at = {};  // then: when a limit in time lets one go again, as far as that can be told
    };
    // `only`: the campaign's own number; its limits hold if it is one of these. `contact` 0: nobody known.
    [[nodiscard]] Choice choose(Instant now, std::uint64_t contact, std::string_view region, std::string_view only = {}) const;
    [[nodiscard]] bool has(std::string_view number) const { return find(number) != nullptr; }

    void dialed(Instant now, std::string_view number, std::uint64_t contact);
    struct Ended {
        bool answered = false;
        Duration talked{0};
        bool ours = false;          // the trunk or we are to blame, or it was cancelled: says nothing about the number
    };
    // The value when the number should rest from now on, which it does when `rest` says so. A number that was not dialed here is ignored.
    std::optional<CallerIdRested> ended(Instant now, std::string_view number, const Ended& call);
    void rest(std::string_view number, Instant until);
    // A call that was dialled before the use of the numbers was read back, and goes on.
    void goes_on(std::string_view number);

    // Calls that were in flight when the program ended are gone, or told of by `goes_on`.
    void forget_calls();

    struct Number {
        std::string number;
        std::vector<Instant> dials = {};      // of the last 24 hours, oldest first
        std::vector<std::uint8_t> ends = {};  // of the last calls, oldest first: 0 unanswered, 1 answered, 2 answered and short
        std::uint32_t calls = 0;              // now
        Instant rests_until{};
        template <class A> void fields(A&& a) { a(number, dials, ends, calls, rests_until); }
    };
    struct Sticky {
        std::uint64_t contact = 0;
        std::string number;
        Instant at{};
        template <class A> void fields(A&& a) { a(contact, number, at); }
    };
    // Adds what must outlive the program to these.
    void dump(std::vector<Number>& numbers, std::vector<Sticky>& contacts) const;
    // Takes what is said of numbers that it has; the configuration may have others by now.
    void load(const std::vector<Number>& numbers, const std::vector<Sticky>& contacts);

private:
    [[nodiscard]] const Number* find(std::string_view number) const;
    [[nodiscard]] Number* find(std::string_view number);
    // `now` or earlier: it may be used. instant_never: not by the passing of time.
    [[nodiscard]] Instant usable_at(std::size_t index, Instant now) const;
    void forget_contacts(Instant now);

    std::vector<CallerIdTerms> terms_;
    RestTerms rest_;
    std::vector<Number> numbers_;             // at the places of terms_
    std::unordered_map<std::uint64_t, Sticky> contacts_;
    std::size_t forget_at_ = 1'000;           // size at which old contacts are looked for
};

}  // namespace touchgate::dialing
