// The engine's state at any place of the log, for readers: the engine's own fold in an engine that never turns. What no decision reads
// (idempotency keys, providers' ids, receipts) is left out.
#pragma once

#include "gateway/engine/internals.hpp"
#include "gateway/engine/policy_replay.hpp"

namespace touchgate {

class ReplayFold {
public:
    ReplayFold(const ReplaySource& source, EngineSettings settings);
    ~ReplayFold();
    ReplayFold(const ReplayFold&) = delete;
    ReplayFold& operator=(const ReplayFold&) = delete;

    // Compiles `document` and judges by it from here on, whatever the log activates, with the calendars as the log changes them. A calendar
    // that the log does not know yet is the configured one. Kind invalid_input: all its problems.
    Result<void> judge_by(const std::string& document);
    // Starts from the newest checkpoint instead of the beginning, if it stands before `sequence` and (if given) before `instant` and has kept
    // all history that a policy with that horizon counts. Called before anything is folded; a compiled policy must be compiled again.
    Result<void> start_from_checkpoint(std::uint64_t sequence, std::optional<Instant> instant, Duration horizon);
    // Of the first record to be folded.
    [[nodiscard]] std::uint64_t begin() const { return begin_; }

    // Folds a record as the engine does. touch.created makes the touch known; events of touches that are not known change nothing.
    Result<void> fold(const Record& record);
    // The same for a touch.created that `read` has read; its key is forgotten.
    void fold_created(const Record& record, TouchCreated& event);
    // The clock of what is judged next.
    void stand_at(Instant at);
    // Decodes touch.created, with its candidates as numbers of this state, and what the engine judged the touch by.
    Result<void> read(const Record& record, TouchCreated& event);
    [[nodiscard]] TouchFacts facts(ContactIndex contact, const TouchCreated& event);

    [[nodiscard]] Engine::Internals& in() { return engine_->internals(); }
    [[nodiscard]] const policy::CompiledPolicy& compiled() { return *in().policy().compiled; }

    // Is it an event of one touch after its creation? All of them begin with the touch's id.
    [[nodiscard]] static bool is_later_touch_event(EventType type);
    [[nodiscard]] static TouchId touch_of(const Record& record);

private:
    class NoLog;
    class NoTransport;
    void make_engine();
    template <class E, class Forget> Result<void> fold_without(const Record& record, E& event, Forget forget);
    Result<void> fold_profile(const Record& record);
    Result<void> fold_facts(const Record& record);
    [[nodiscard]] policy::FactsId own_facts(policy::FactsId logged) const { return logged.value < facts_.size() ? facts_[logged.value] : logged; }
    Result<void> fold_calendar(const Record& record);
    void take_calendars();
    Result<void> compile();

    ReplaySource source_;
    EngineSettings settings_;
    ManualClock clock_{Instant{}};
    Random random_{0};
    std::unique_ptr<NoLog> log_;
    std::unique_ptr<NoTransport> transport_;
    std::unique_ptr<Engine> engine_;
    std::string document_;                   // of the policy asked about
    // Judging makes numbers of its own, so the log's are translated. Empty as long as they are equal.
    std::vector<ProfileId> profiles_;
    std::vector<policy::FactsId> facts_;
    Engine::Internals::Prepared asked_;
    std::uint64_t begin_ = 1;
    std::uint32_t finals_since_purge_ = 0;

    // Read into again and again, for their room.
    TouchCreated created_;
    TouchDecided decided_;
    TouchDispatching dispatching_;
    TouchDelivered delivered_;
    TouchFailed failed_;
    MessageReceived message_;
    EventReceived event_;
    PlatformEvent platform_event_;
};

[[nodiscard]] Error unreadable(const Record& record);

}  // namespace touchgate
