#include "gateway/engine/policy_replay.hpp"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <map>

#include "gateway/engine/replay_fold.hpp"

namespace touchgate {

using policy::Verdict;

namespace {

constexpr std::uint64_t progress_every = std::uint64_t{1} << 16U;

// Sums over all touches, by rule and campaign.
class Tally {
public:
    explicit Tally(const SymbolTable& symbols) : symbols_{symbols} {}

    void count(const ReplayedTouch& touch, Symbol campaign) {
        ++report_.touches;
        if (touch.erased) ++report_.erased;
        if (!report_.first) report_.first = touch.at;
        report_.last = touch.at;
        report_.was.add(touch.was);
        report_.would.add(touch.would);
        (touch.was == Verdict::allow ? report_.from_allow : touch.was == Verdict::defer ? report_.from_defer : report_.from_deny).add(touch.would);
        const bool changed = touch.was != touch.would;
        if (changed) ++report_.changed;
        if (touch.was == Verdict::defer) ++rule(touch.was_rule).was_defer;
        if (touch.was == Verdict::deny) ++rule(touch.was_rule).was_deny;
        if (touch.would == Verdict::defer) ++rule(touch.would_rule).defer;
        if (touch.would == Verdict::deny) ++rule(touch.would_rule).deny;
        auto& of = campaigns_[campaign.value];
        ++of.touches;
        if (changed) ++of.changed;
        of.was.add(touch.was);
        of.would.add(touch.would);
    }

    ReplayReport finish(std::string policy, std::uint64_t sequence) {
        report_.policy = std::move(policy);
        report_.sequence = sequence;
        for (auto& [name, sums] : rules_) {
            sums.rule = name;
            report_.by_rule.push_back(std::move(sums));
        }
        const auto weight = [](const ReplayReport::Rule& one) { return one.defer + one.deny + one.was_defer + one.was_deny; };
        std::sort(report_.by_rule.begin(), report_.by_rule.end(), [&](const auto& a, const auto& b) { return std::pair{weight(b), a.rule} < std::pair{weight(a), b.rule}; });
        for (auto& [symbol, sums] : campaigns_) {
            sums.campaign = symbols_.name(Symbol{symbol});
            report_.by_campaign.push_back(std::move(sums));
        }
        std::sort(report_.by_campaign.begin(), report_.by_campaign.end(), [](const auto& a, const auto& b) { return std::pair{b.touches, a.campaign} < std::pair{a.touches, b.campaign}; });
        return std::move(report_);
    }

private:
    ReplayReport::Rule& rule(std::string_view name) {
        const auto found = rules_.find(name);
        return found != rules_.end() ? found->second : rules_[std::string{name}];
    }
    const SymbolTable& symbols_;
    ReplayReport report_;
    std::map<std::string, ReplayReport::Rule, std::less<>> rules_;
    absl::flat_hash_map<std::uint32_t, ReplayReport::Campaign> campaigns_;
};

class Replay {
public:
    Replay(ReplayFold& fold, const ReplaySource& source, const ReplayRequest& request, const std::function<void(const ReplayedTouch&)>& each)
        : fold_{fold}, source_{source}, request_{request}, each_{each}, tally_{fold.in().state.symbols} {}

    // False: the end of the range.
    Result<bool> take(const Record& record) {
        if (record.sequence > source_.head.sequence || (request_.to && record.time >= *request_.to)) return false;
        sequence_ = record.sequence;
        const auto type = static_cast<EventType>(record.type);
        if (type == EventType::touch_created && !(request_.from && record.time < *request_.from)) {
            if (auto done = decide(record); !done) return done.error();
            return true;
        }
        // Under a simulated history what was done about the touches of the range did not happen.
        if (request_.history == ReplayHistory::simulated && ReplayFold::is_later_touch_event(type) && fold_.in().row_of(ReplayFold::touch_of(record)) == 0) {
            if (type == EventType::touch_attempt_ended) return note_invalid_address(record);
            return true;
        }
        if (auto done = fold_.fold(record); !done) return done.error();
        return true;
    }

    ReplayReport finish() { return tally_.finish(fold_.compiled().name(), sequence_); }

private:
    Result<void> decide(const Record& record) {
        if (auto read = fold_.read(record, created_); !read) return read;
        auto& in = fold_.in();
        fold_.stand_at(record.time);
        const auto& logged = created_.decision;

        ReplayedTouch row;
        row.touch = created_.id;
        row.contact_id = in.state.contact_ids[record.contact.value];
        row.at = record.time;
        row.was = logged.verdict;
        row.was_rule = logged_rule(logged);
        row.erased = source_.keys.find(record.contact) == nullptr || !knows_address(created_.fixed_address);
        Choice choice;
        if (row.erased || refused_by_campaign()) {
            choice = {.chosen = created_.chosen, .address = created_.address, .decision = from_logged(logged), .rule_override = {}, .segments = 1};
            row.would_rule = row.was_rule;
        } else {
            auto facts = fold_.facts(record.contact, created_);
            facts.held_out = row.was == Verdict::deny && row.was_rule == "holdout";  // drawn by the campaign
            losers_.clear();
            choice = in.choose_over(facts, fold_.compiled().class_of(in.state.profiles.at(created_.candidates.front()).purpose), created_.priority, policy::Detail::none, 0, losers_);
            row.would_rule = choice.rule_override;
            if (choice.rule_override.empty() && choice.decision.rule != policy::no_rule) row.would_rule = fold_.compiled().rule_name(choice.decision.rule);
        }
        row.would = choice.decision.verdict;
        if (row.would == Verdict::defer) row.until = choice.decision.until;
        tally_.count(row, in.state.profiles.at(created_.candidates.front()).campaign);
        if (each_) each_(row);

        if (request_.history == ReplayHistory::logged) fold_.fold_created(record, created_);
        else simulate(record, choice);
        return {};
    }

    // The slot that the touch would have taken. Touches that are deferred to one instant each take theirs there, in the order in which they
    // were decided, so that the sum at any instant is what the policy lets through.
    void simulate(const Record& record, const Choice& choice) {
        auto at = record.time;
        if (choice.decision.verdict == Verdict::deny) return;
        if (choice.decision.verdict == Verdict::defer) {
            at = choice.decision.until;
            if (at == instant_never || at >= created_.expires_at || (request_.to && at >= *request_.to)) return;
        }
        policy::HistoryEntry entry;
        entry.at = at;
        entry.touch = record.sequence;
        entry.profile = created_.candidates[std::min<std::size_t>(choice.chosen, created_.candidates.size() - 1)];
        entry.address = choice.address;
        entry.slot = policy::Slot::counted;
        entry.attempt = 1;
        entry.facts = choice.decision.facts;
        fold_.in().put_entry(record.contact, entry, record.time);
    }

    // "Consent, suppressions and contact data as they were": that a number does not exist was learned from an attempt.
    Result<bool> note_invalid_address(const Record& record) {
        if (!decode(record.payload, ended_)) return unreadable(record);
        if (ended_.outcome != channel::OutcomeKind::recipient_invalid) return true;
        auto position = record.previous_of_contact;
        while (position.value != 0) {
            const auto earlier = source_.reader.at(position, buffer_);
            if (!earlier) return earlier.error();
            const auto type = static_cast<EventType>(earlier->type);
            const bool own = (type == EventType::touch_created || ReplayFold::is_later_touch_event(type)) && ReplayFold::touch_of(*earlier) == ended_.touch;
            if (own && type == EventType::touch_created) return true;
            if (own && type == EventType::touch_dispatching) {
                TouchDispatching sent;
                if (!decode(earlier->payload, sent)) return unreadable(*earlier);
                if (sent.attempt == ended_.attempt) {
                    if (sent.address != 0) fold_.in().address_row(sent.address).invalid = true;
                    return true;
                }
            }
            position = earlier->previous_of_contact;
        }
        return true;
    }

    // Its own exclusions, ends and missing variables are no matter of the policy.
    [[nodiscard]] bool refused_by_campaign() const {
        const auto& rule = created_.decision.rule_override;
        return created_.recipient != 0 && created_.decision.verdict == Verdict::deny && !rule.empty() && rule != "no-address" && rule != "campaign-window" && rule != "holdout";
    }

    // An address that only an erased contact had is a number without a value.
    [[nodiscard]] bool knows_address(std::uint32_t number) {
        const auto& addresses = fold_.in().state.addresses;
        return number == 0 || (number < addresses.size() && addresses[number].hash != crypto::Hash128{});
    }

    [[nodiscard]] std::string_view logged_rule(const LoggedDecision& logged) {
        if (!logged.rule_override.empty()) return logged.rule_override;
        const auto& policies = fold_.in().state.policies;
        if (logged.rule == policy::no_rule || logged.policy >= policies.size()) return {};
        const auto& names = policies[logged.policy].rule_names;
        return logged.rule < names.size() ? std::string_view{names[logged.rule]} : std::string_view{};
    }

    ReplayFold& fold_;
    const ReplaySource& source_;
    const ReplayRequest& request_;
    const std::function<void(const ReplayedTouch&)>& each_;
    Tally tally_;
    TouchCreated created_;
    TouchAttemptEnded ended_;
    std::vector<std::uint32_t> losers_;  // reservations that would yield
    std::string buffer_;
    std::uint64_t sequence_ = 0;
};

}  // namespace

Result<ReplayReport> replay_policy(const ReplaySource& source, EngineSettings settings, const ReplayRequest& request,
                                   const std::function<void(const ReplayedTouch&)>& each, const std::function<void(std::uint64_t)>& progress) {
    ReplayFold fold{source, std::move(settings)};
    if (auto compiled = fold.judge_by(request.policy_document); !compiled) return compiled.error();
    if (request.from) {
        if (auto started = fold.start_from_checkpoint(source.head.sequence, request.from, fold.compiled().history_horizon()); !started) return started.error();
        if (auto compiled = fold.judge_by(request.policy_document); !compiled) return compiled.error();
    }
    Replay replay{fold, source, request, each};
    std::optional<Error> fault;
    const auto scanned = source.reader.scan(fold.begin(), [&](const Record& record) {
        const auto taken = replay.take(record);
        if (!taken) fault = taken.error();
        if (progress && record.sequence % progress_every == 0) progress(record.sequence);
        return taken && *taken;
    });
    if (fault) return *fault;
    if (!scanned) return scanned.error();
    return replay.finish();
}

}  // namespace touchgate
