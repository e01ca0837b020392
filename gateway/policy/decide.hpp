// The policy's one question: may this touch go to this contact over this channel now, and if not now, when at the earliest?
//
//   document (JSON) ── compile ──► CompiledPolicy ── decide(request, contact, address, history, now) ──► Decision
//
// Pure: no I/O, no clock, no randomness. A CompiledPolicy is immutable after compile and may be read on any thread, but for its
// match cache by profile, which grows through `prepare_profile` (engine's thread) before `decide` is called with a new profile.
//
// Combination (policy-format of the docs): deny if any bound rule denies; else the least t ≥ max(now, not_before) at which every rule
// allows; t = now → allow; t ≥ expires_at → deny "expires_first" (or defer "waits_for_release" when only unpermitted reservations
// are in the way); else defer. The order of rules never changes verdict or `until`, only which rule is named.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/json/json.hpp"
#include "gateway/policy/inputs.hpp"

namespace touchgate::policy {

enum class Verdict : std::uint8_t { allow = 1, defer, deny };

enum class Reason : std::uint8_t { none = 0, expires_first, waits_for_release, paused };

struct TraceStep {
    std::uint16_t rule = 0;          // index into CompiledPolicy::rule_name
    Verdict verdict = Verdict::allow;
    bool waived = false;
    std::uint16_t waived_by = 0;     // index of the exemption
    Instant until = instant_never;   // earliest instant at which this rule alone allows
    std::int64_t counted_milli = 0;  // weights in thousandths
    std::int64_t max_milli = 0;
    bool counts = false;             // counted_milli and max_milli mean something
    std::uint8_t why = 0;            // number of the sentence, see explain.hpp
    std::int64_t score_milli = -1;   // a fatigue score, thousandths; -1: the rule has none
    std::vector<std::uint64_t> touches = {};  // sequences of the touches counted, oldest first; only in explained decisions
};

inline constexpr std::uint16_t no_rule = 0xFFFF;

struct Decision {
    Verdict verdict = Verdict::allow;
    std::uint16_t rule = no_rule;    // the denying or deferring rule, index into rule_name
    Instant until = instant_never;   // defer only; instant_never: until something changes (open ticket, paused)
    Reason reason = Reason::none;
    std::vector<TraceStep> trace;    // every rule whose `when` matches, in order
    FactsId facts{};                 // Request::facts_id, so that a slot can be made from the decision alone
};

// How much of the trace to make. `none` is for the hot path and replay: verdict, rule and until are the same.
enum class Detail : std::uint8_t { none, steps, explained };

struct Calendar;  // see calendar.hpp
class Foresight;  // see foresight.hpp
using Calendars = std::map<std::string, std::shared_ptr<const Calendar>, std::less<>>;

// Reads other documents by name, for "include". Returns the document's JSON or an error.
using IncludeLoader = std::function<Result<Json>(std::string_view name)>;

// The words of a file, one a line, by the name that a rule gives.
using WordsLoader = std::function<Result<std::vector<std::string>>(std::string_view file)>;

struct CompileContext {
    SymbolTable& symbols;
    const ProfileTable& profiles;
    const Calendars& calendars;
    IncludeLoader include;
    std::string default_zone = "Asia/Shanghai";
    std::vector<std::string> known_channels = {};  // for warnings only; empty: do not warn
    // For a content rule's `forbidden_file`. Empty: a policy with such a rule is refused.
    WordsLoader forbidden_words = {};
    std::optional<Instant> now = {};  // for warnings of what ends soon; absent: no such warnings
};

class CompiledPolicy {
public:
    ~CompiledPolicy();
    // All problems at once (pointers into the document), or the policy. `warnings` gets what is allowed but doubtful.
    static Result<std::shared_ptr<CompiledPolicy>> compile(const Json& document, const CompileContext& context, std::vector<Problem>* warnings = nullptr);

    [[nodiscard]] const std::string& name() const;
    [[nodiscard]] const std::vector<std::string>& purposes() const;
    [[nodiscard]] bool has_purpose(Symbol purpose) const;
    // Order of purposes for dispatch: 0 first. A purpose in no class belongs to the last.
    [[nodiscard]] int class_of(Symbol purpose) const;
    [[nodiscard]] int class_count() const;
    // In order of preference, for a touch that names none.
    [[nodiscard]] const std::vector<std::string>& default_channels(std::string_view purpose) const;

    // Built-in rules first, then the document's (includes before).
    [[nodiscard]] std::size_t rule_count() const;
    [[nodiscard]] const std::string& rule_name(std::uint16_t rule) const;
    [[nodiscard]] const std::string& rule_kind(std::uint16_t rule) const;
    // Index of a rule by name, no_rule if there is none. Built-ins: "opt-out", "platform-refusal", "holdout" …
    [[nodiscard]] std::uint16_t rule_index(std::string_view name) const;
    // Does it count in a counter that contacts share?
    [[nodiscard]] bool counts_shared(std::uint16_t rule) const;

    // Suppression lists that some rule reads; "*" if all.
    [[nodiscard]] bool reads_list(std::string_view list) const;
    // Attributes and tags that some rule reads: only these are kept in the engine's memory.
    [[nodiscard]] const std::vector<std::string>& attributes_read() const;
    // Labels that some counter is divided by, as rules write them: "region", "metadata:debt". Only these need be in an attempt's facts.
    [[nodiscard]] const std::vector<std::string>& labels_read() const;
    // Calendars that rules name, each once.
    [[nodiscard]] std::vector<const Calendar*> calendars() const;
    // Does a rule that binds this profile look at the text, at its cost or at metadata? (Only then must they be there for a decision.)
    [[nodiscard]] bool needs_content(ProfileId profile) const;
    // Is there a rule of this kind that may bind this profile?
    [[nodiscard]] bool binds_kind(ProfileId profile, std::string_view kind) const;
    // How long an entry of the history can matter (the longest sliding `per`, 31 days for calendar months, gaps …).
    [[nodiscard]] Duration history_horizon() const;

    // Counters that are not the contact's own: each is a set of counting dimensions without `contact`.
    [[nodiscard]] std::size_t shared_counter_count() const;
    // Key of the counter in which the entry counts; `profile` is its profile's names. False when it counts in none.
    [[nodiscard]] bool counter_key(std::size_t by_set, const Profile& profile, const HistoryEntry& entry, std::uint64_t& key) const;

    void prepare_profile(ProfileId profile);

    // With foresight caps over shared counters also count what it foresees.
    [[nodiscard]] Decision decide(const Request& request, const ContactView& contact, const AddressView& address, const SharedHistory* shared,
                                  Instant now, Detail detail, Foresight* foresight = nullptr) const;

    // End of the current open span over all binding `hours` and `blackout` rules: until when a message may still reach the phone.
    // instant_never when none binds.
    [[nodiscard]] Instant open_until(const Request& request, const ContactView& contact, const AddressView& address, Instant now) const;

    struct Implementation;

private:
    explicit CompiledPolicy(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace touchgate::policy
