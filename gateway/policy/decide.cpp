// One decision over all rules. A rule says when it alone would allow; here that is put together with its `when`, with exemptions and with
// all other rules to the least instant at which everything allows.
//
//   effective(rule, t)  least instant ≥ t at which the rule allows, does not bind or is waived
//   settle(t)           t ← max over rules of effective(rule, t), until nothing moves. Every value is a lower bound of the answer, so the
//                       fixed point is the answer; all rules are asked about the same t in a turn, so their order cannot matter.
#include <algorithm>

#include "gateway/policy/counting.hpp"
#include "gateway/policy/implementation.hpp"

namespace touchgate::policy {

namespace {

// Two rules that are never open together would be asked for ever; after so many turns the touch is denied. (A turn moves on by hours.)
constexpr int turns_max = 4'096;

constexpr std::size_t prefetched_entries_max = 16;

class Decider {
public:
    Decider(const CompiledPolicy::Implementation& policy, const ProfileRow& row, Evaluation& evaluation)
        : policy_{policy}, row_{row}, evaluation_{evaluation} {}

    Decision decide(Instant now, Detail detail) {
        const auto& request = evaluation_.request;
        const auto start = std::max(now, request.not_before);
        auto decision = answer(now, start);
        decision.facts = request.facts_id;
        if (detail != Detail::none) trace(decision, start, detail == Detail::explained);
        return decision;
    }

    // The least instant ≥ now at which some rule about the time of day does not allow.
    Instant open_until(Instant now) {
        auto earliest = instant_never;
        for (const auto& binding : row_.bindings) {
            if (!binding.judge->has_closing()) continue;
            auto at = now;
            for (int turn = 0; turn < turns_max && at < earliest; ++turn) {
                const auto change = next_change(binding, at);
                if (binds(binding, at) && waiver(binding, at) == no_rule) {
                    const auto closes = binding.judge->closes(evaluation_, at);
                    if (closes < change) {
                        earliest = std::min(earliest, closes);
                        break;
                    }
                }
                if (change == instant_never) break;
                at = change;
            }
        }
        return earliest;
    }

private:
    struct Effective {
        Instant next;
        bool denies = false;  // refused outright at the instant asked for
        bool waits = false;   // for an event; next is instant_never
        [[nodiscard]] bool never() const { return next == instant_never && !waits; }
    };

    struct Settled {
        Instant at;
        std::uint16_t never = no_rule;  // the rule that makes it impossible
        std::uint16_t waits = no_rule;  // a rule that waits for an event
    };

    [[nodiscard]] bool binds(const Binding& binding, Instant at) const {
        return binding.when == nullptr || binding.when->holds(evaluation_.around, at, at);
    }

    // The exemption that waives the rule at `at`.
    [[nodiscard]] std::uint16_t waiver(const Binding& binding, Instant at) const {
        for (const auto waiver : binding.judge->waivers)
            if (row_.when[waiver]->holds(evaluation_.around, at, at)) return waiver;
        return no_rule;
    }

    [[nodiscard]] Instant next_change(const Binding& binding, Instant at) const {
        if (!binding.timed) return instant_never;
        auto change = binding.when == nullptr ? instant_never : binding.when->next_change(evaluation_.around, at, false);
        if (const auto* counting = binding.judge->counting()) change = std::min(change, counting->counts->next_change(evaluation_.around, at, true));
        for (const auto waiver : binding.judge->waivers) change = std::min(change, row_.when[waiver]->next_change(evaluation_.around, at, false));
        return change;
    }

    [[nodiscard]] Effective effective(const Binding& binding, Instant at) const {
        bool denies = false;
        for (int turn = 0; turn < turns_max; ++turn) {
            if (!binds(binding, at)) return {at, denies};
            const auto judgement = binding.judge->judge(evaluation_, at);
            if (judgement.verdict == Verdict::allow || waiver(binding, at) != no_rule) return {at, denies};
            denies = denies || (turn == 0 && judgement.verdict == Verdict::deny);
            const auto change = next_change(binding, at);
            if (judgement.next < change || change == instant_never) return {judgement.next, denies, judgement.waits};
            at = change;
        }
        return {instant_never, denies};
    }

    [[nodiscard]] Settled settle(Instant at) const {
        for (int turn = 0; turn < turns_max; ++turn) {
            Settled settled{at};
            for (const auto& binding : row_.bindings) {
                const auto rule = effective(binding, at);
                if (rule.never()) return {at, binding.rule};
                if (!rule.waits) settled.at = std::max(settled.at, rule.next);
                else if (settled.waits == no_rule) settled.waits = binding.rule;
            }
            if (settled.at == at) return settled;
            at = settled.at;
        }
        return {at, first_refusing(at)};
    }

    [[nodiscard]] std::uint16_t first_refusing(Instant at) const {
        for (const auto& binding : row_.bindings)
            if (binds(binding, at) && binding.judge->judge(evaluation_, at).verdict != Verdict::allow && waiver(binding, at) == no_rule)
                return binding.rule;
        return no_rule;
    }

    Decision answer(Instant now, Instant start) {
        bool all_allow = true;
        auto never = no_rule;
        for (const auto& binding : row_.bindings) {
            if (binding.when != nullptr && !binding.when->holds(evaluation_.around, start, start)) continue;
            if (binding.judge->judge(evaluation_, start).verdict == Verdict::allow) continue;
            const auto rule = effective(binding, start);
            if (rule.next == start) continue;  // waived
            if (rule.denies) return {.verdict = Verdict::deny, .rule = never == no_rule ? binding.rule : never, .trace = {}};
            if (rule.never() && never == no_rule) never = binding.rule;
            all_allow = false;
        }
        if (never != no_rule) return later(start, {start, never});
        const auto expires_at = evaluation_.request.expires_at;
        if (all_allow && start < expires_at) {
            if (start <= now) return {};
            return {.verdict = Verdict::defer, .until = start, .trace = {}};  // nothing but its own not_before holds it
        }
        return later(start, all_allow ? Settled{start} : settle(start));
    }

    Decision later(Instant start, const Settled& settled) {
        const auto expires_at = evaluation_.request.expires_at;
        if (settled.never == no_rule && settled.at < expires_at) {
            if (settled.waits != no_rule) return {.verdict = Verdict::defer, .rule = settled.waits, .trace = {}};
            return {.verdict = Verdict::defer, .rule = first_refusing(settled.at - Duration{1}), .until = settled.at, .trace = {}};
        }
        if (released_in_time(start)) {
            // Only slots that nobody has used yet are in the way; they may be released before the touch expires.
            const auto rule = expires_at == instant_never ? settled.never : first_refusing(expires_at - Duration{1});
            return {.verdict = Verdict::defer, .rule = rule, .until = expires_at, .reason = Reason::waits_for_release, .trace = {}};
        }
        if (settled.never != no_rule) return {.verdict = Verdict::deny, .rule = settled.never, .trace = {}};
        return {.verdict = Verdict::deny,
                .rule = settled.at == start ? no_rule : first_refusing(settled.at - Duration{1}),
                .reason = Reason::expires_first,
                .trace = {}};
    }

    [[nodiscard]] bool released_in_time(Instant start) {
        evaluation_.ignore_reserved = true;
        const auto settled = settle(start);
        evaluation_.ignore_reserved = false;
        return settled.never == no_rule && settled.at < evaluation_.request.expires_at;
    }

    void trace(Decision& decision, Instant start, bool touches) const {
        auto binding = row_.bindings.begin();
        for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
            const auto& rule = *policy_.rules[i];
            const auto index = static_cast<std::uint16_t>(i);
            while (binding != row_.bindings.end() && binding->rule < index) ++binding;
            const bool deciding = decision.rule == index;
            if (!row_.when[i]->holds(evaluation_.around, start, start) && !deciding) continue;
            TraceStep step;
            step.rule = index;
            const auto judgement = rule.judge(evaluation_, start);
            step.why = static_cast<std::uint8_t>(judgement.why);
            if (binding != row_.bindings.end() && binding->rule == index) {
                const auto by = waiver(*binding, start);
                if (rule.built_in && judgement.verdict == Verdict::allow && !deciding) continue;  // its fact is not there
                rule.describe(evaluation_, start, touches, step);
                if (by != no_rule) {
                    step.waived = true;
                    step.waived_by = by;
                    step.why = static_cast<std::uint8_t>(Why::waived);
                } else if (const auto own = effective(*binding, start); own.next != start || own.denies) {
                    step.verdict = own.denies || own.never() ? Verdict::deny : Verdict::defer;
                    step.until = own.next;
                }
            }
            if (deciding && step.verdict == Verdict::allow) {
                step.verdict = decision.verdict;
                step.until = decision.until;
                step.why = static_cast<std::uint8_t>(Why::not_now);
            }
            decision.trace.push_back(std::move(step));
        }
    }

    const CompiledPolicy::Implementation& policy_;
    const ProfileRow& row_;
    Evaluation& evaluation_;
};

Evaluation evaluation_for(const CompiledPolicy::Implementation& policy, const Request& request, const ContactView& contact,
                          const AddressView& address, const SharedHistory* shared, Instant now) {
    return {.request = request,
            .contact = contact,
            .address = address,
            .shared = shared,
            .profiles = *policy.tables,
            .symbols = policy.symbols,
            .around = {contact, address, request.origin, policy.default_zone},
            .reserved_at = now};
}

}  // namespace

CompiledPolicy::CompiledPolicy(std::unique_ptr<Implementation> implementation) : implementation_{std::move(implementation)} {}
CompiledPolicy::~CompiledPolicy() = default;

Decision CompiledPolicy::decide(const Request& request, const ContactView& contact, const AddressView& address, const SharedHistory* shared,
                                Instant now, Detail detail, Foresight* foresight) const {
    // With millions of contacts their history is never in the cache: have it fetched while the first rules are judged.
    for (std::size_t i = 0; i < contact.history.size() && i < prefetched_entries_max; i += 2) __builtin_prefetch(&contact.history[i]);
    auto evaluation = evaluation_for(*implementation_, request, contact, address, shared, now);
    evaluation.foresight = foresight;
    if (const auto* row = implementation_->tables->row(request.profile, request.names))
        return Decider{*implementation_, *row, evaluation}.decide(now, detail);
    const auto row = implementation_->tables->make_row(request.names);  // nobody prepared it: correct, but slow
    return Decider{*implementation_, row, evaluation}.decide(now, detail);
}

Instant CompiledPolicy::open_until(const Request& request, const ContactView& contact, const AddressView& address, Instant now) const {
    auto evaluation = evaluation_for(*implementation_, request, contact, address, nullptr, now);
    if (const auto* row = implementation_->tables->row(request.profile, request.names))
        return Decider{*implementation_, *row, evaluation}.open_until(now);
    const auto row = implementation_->tables->make_row(request.names);
    return Decider{*implementation_, row, evaluation}.open_until(now);
}

void CompiledPolicy::prepare_profile(ProfileId profile) { implementation_->tables->prepare(profile); }

const std::string& CompiledPolicy::name() const { return implementation_->name; }
const std::vector<std::string>& CompiledPolicy::purposes() const { return implementation_->purposes; }

bool CompiledPolicy::has_purpose(Symbol purpose) const {
    const auto& known = implementation_->purpose_symbols;
    return std::find(known.begin(), known.end(), purpose) != known.end();
}

int CompiledPolicy::class_of(Symbol purpose) const {
    const auto& classes = implementation_->classes;
    for (std::size_t i = 0; i < classes.size(); ++i)
        if (std::find(classes[i].begin(), classes[i].end(), purpose) != classes[i].end()) return static_cast<int>(i);
    return class_count() - 1;
}

int CompiledPolicy::class_count() const { return static_cast<int>(implementation_->classes.size()); }

const std::vector<std::string>& CompiledPolicy::default_channels(std::string_view purpose) const {
    static const std::vector<std::string> none;
    const auto& channels = implementation_->default_channels;
    if (const auto found = channels.find(purpose); found != channels.end()) return found->second;
    const auto any = channels.find("*");
    return any == channels.end() ? none : any->second;
}

std::size_t CompiledPolicy::rule_count() const { return implementation_->rules.size(); }

const std::string& CompiledPolicy::rule_name(std::uint16_t rule) const {
    static const std::string none;
    return rule < rule_count() ? implementation_->rules[rule]->name : none;
}

const std::string& CompiledPolicy::rule_kind(std::uint16_t rule) const {
    static const std::string none;
    return rule < rule_count() ? implementation_->rules[rule]->kind : none;
}

std::uint16_t CompiledPolicy::rule_index(std::string_view name) const {
    for (std::size_t i = 0; i < rule_count(); ++i)
        if (implementation_->rules[i]->name == name) return static_cast<std::uint16_t>(i);
    return no_rule;
}

bool CompiledPolicy::counts_shared(std::uint16_t rule) const {
    const auto* counting = rule < rule_count() ? implementation_->rules[rule]->counting() : nullptr;
    return counting != nullptr && counting->by_set >= 0;
}

bool CompiledPolicy::reads_list(std::string_view list) const {
    return std::any_of(implementation_->rules.begin(), implementation_->rules.end(), [&](const auto& rule) { return rule->reads_list(list); });
}

const std::vector<std::string>& CompiledPolicy::attributes_read() const { return implementation_->attributes; }
const std::vector<std::string>& CompiledPolicy::labels_read() const { return implementation_->labels; }

std::vector<const Calendar*> CompiledPolicy::calendars() const {
    std::vector<const Calendar*> found;
    for (const auto& rule : implementation_->rules)
        if (const auto* calendar = rule->calendar(); calendar != nullptr && std::find(found.begin(), found.end(), calendar) == found.end())
            found.push_back(calendar);
    return found;
}

bool CompiledPolicy::needs_content(ProfileId profile) const {
    if (const auto* row = implementation_->tables->row(profile)) return row->needs_content;
    return implementation_->tables->make_row(implementation_->tables->names(profile)).needs_content;
}

bool CompiledPolicy::binds_kind(ProfileId profile, std::string_view kind) const {
    const auto binds = [&](const ProfileRow& row) { return std::ranges::any_of(row.bindings, [&](const Binding& binding) { return binding.judge->kind == kind; }); };
    if (const auto* row = implementation_->tables->row(profile)) return binds(*row);
    return binds(implementation_->tables->make_row(implementation_->tables->names(profile)));
}

Duration CompiledPolicy::history_horizon() const {
    Duration longest{0};
    for (const auto& rule : implementation_->rules) longest = std::max(longest, rule->horizon());
    return longest;
}

std::size_t CompiledPolicy::shared_counter_count() const { return implementation_->shared_counters.size(); }

bool CompiledPolicy::counter_key(std::size_t by_set, const Profile& profile, const HistoryEntry& entry, std::uint64_t& key) const {
    if (by_set >= shared_counter_count()) return false;
    const auto& by = implementation_->shared_counters[by_set];
    if (by.has(by_address) && entry.address == 0) return false;
    key = shared_key(by, profile, entry.address, implementation_->profiles.facts().at(entry.facts));
    return true;
}

}  // namespace touchgate::policy
