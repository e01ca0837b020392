// For session protocols: attempts whose text takes several parts. Which parts were written, what came of each, and what that makes of the
// whole. A part is an encoded packet; this knows nothing of its bytes.
//
// The rule, from the certain to the doubtful:
//   - every part accepted: accepted, with all ids in order;
//   - a part refused for good, or held back (throttled, busy), and no part accepted or lost: that refusal, for nothing reached anybody;
//     parts not yet written then never are;
//   - some parts accepted and the others held back: the others are written again, after 1 s, then 2, 4, 8 and 16, for half a message
//     helps nobody and a whole new attempt would repeat the accepted parts;
//   - anything else mixed (accepted and refused, accepted and lost, given up after the five tries): unknown, with the ids of the accepted
//     parts and the total in `parts`. The customer may have read a part, so the attempt must stay counted and must not be repeated.
//
// All parts are one submit under one permit, which is used with the first part's first byte. From then on neither a withdrawal nor the
// permit's deadline holds back the other parts, also those that are written again: what was begun can no longer be called back, and half of
// it would only be less clear. Before that byte the whole attempt is revoked or lapses.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/channel/outcome.hpp"
#include "gateway/channel/submission.hpp"

namespace touchgate::channel {

class LongAttempts {
public:
    struct PartId {
        AttemptRef ref = 0;
        std::size_t part = 0;
    };
    struct Finished {
        AttemptRef ref = 0;
        Outcome outcome;
    };

    void add(AttemptRef ref, std::vector<std::string> packets);

    struct NextPart {
        PartId id;
        const std::string* packet = nullptr;  // valid until the next call that changes anything
    };
    // The next part that wants a place in the window; nothing when none waits. It counts as written from now on.
    [[nodiscard]] std::optional<NextPart> take_next();
    [[nodiscard]] bool has_waiting() const { return !waiting_.empty(); }

    // What came of a written part. Each returns the attempt's outcome when it is decided.
    std::optional<Finished> accepted(Monotonic now, PartId id, std::string message_id);
    std::optional<Finished> refused(Monotonic now, PartId id, Outcome refusal);
    std::optional<Finished> lost(Monotonic now, PartId id, std::string_view why);

    // Parts of `id` that never left this program, because the connection was gone first.
    void unwritten(PartId id);
    // The connection is gone: all lost() and unwritten() have been told. Decides every attempt that is left.
    [[nodiscard]] std::vector<Finished> connection_lost(std::string_view why);

    // Held-back parts whose pause is over wait for a place again.
    void on_wake(Monotonic now);
    [[nodiscard]] std::optional<Monotonic> wake_at() const;
    [[nodiscard]] bool empty() const { return attempts_.empty(); }

private:
    enum class State { unwritten, written, accepted, held_back, refused, lost };
    struct Part {
        std::string packet;
        State state = State::unwritten;
        std::string id = {};
    };
    struct Attempt {
        std::vector<Part> parts;
        std::optional<Outcome> refusal = {};  // of the first part that was refused or held back
        std::string lost_why = {};
        int tries = 0;
    };
    using Attempts = std::unordered_map<AttemptRef, Attempt>;

    Part* find(PartId id);
    void stop_waiting(AttemptRef ref);
    std::optional<Finished> decide(Monotonic now, AttemptRef ref);
    Finished finish(Attempts::iterator at, Outcome outcome);
    static Outcome mixed(const Attempt& attempt, std::string_view why);

    Attempts attempts_;
    std::deque<PartId> waiting_;
    std::multimap<Monotonic, AttemptRef> pauses_;
};

}  // namespace touchgate::channel
