// Why was this touch decided so? The log keeps a decision's verdict, rule and steps; which touches a counter counted is found by counting
// again, in the state as it was.

#include "gateway/engine/replay_fold.hpp"
#include "gateway/policy/explain.hpp"

namespace touchgate {

namespace {

struct LoggedRecord {
    Record record;
    std::string payload;
    TouchId touch{};
    std::uint8_t chosen = 0;
    LoggedDecision decision;
};

Result<LoggedRecord> read_decision(LogReader& reader, std::uint64_t sequence) {
    LoggedRecord found;
    const auto scanned = reader.scan(sequence, [&](const Record& record) {
        found.record = record;
        found.payload = record.payload;
        return false;
    });
    if (!scanned) return scanned.error();
    found.record.payload = found.payload;
    const auto take = [&](auto event, TouchId decltype(event)::*id) {
        if (!decode(found.payload, event)) return false;
        found.touch = event.*id;
        found.chosen = event.chosen;
        found.decision = std::move(event.decision);
        return true;
    };
    bool read = false;
    if (found.record.sequence == sequence) switch (static_cast<EventType>(found.record.type)) {
            case EventType::touch_created: read = take(TouchCreated{}, &TouchCreated::id); break;
            case EventType::touch_decided: read = take(TouchDecided{}, &TouchDecided::touch); break;
            case EventType::touch_dispatching: read = take(TouchDispatching{}, &TouchDispatching::touch); break;
            default: break;
        }
    if (!read) return Error{.kind = ErrorKind::not_found, .detail = "the log holds no decision at sequence " + std::to_string(sequence)};
    return found;
}

// Everything before the decision. Touches of other contacts only count where counters are shared.
Result<void> fold_until(ReplayFold& fold, const ReplaySource& source, const LoggedRecord& decision, bool all_contacts) {
    std::optional<Error> fault;
    const auto scanned = source.reader.scan(fold.begin(), [&](const Record& record) {
        if (record.sequence >= decision.record.sequence) return false;
        const auto type = static_cast<EventType>(record.type);
        const bool of_touch = type == EventType::touch_created || ReplayFold::is_later_touch_event(type);
        if (of_touch && !all_contacts && record.contact != decision.record.contact) return true;
        if (auto done = fold.fold(record); !done) fault = done.error();
        return !fault;
    });
    if (fault) return *fault;
    if (!scanned) return scanned.error();
    return {};
}

std::optional<policy::Decision> judge_again(ReplayFold& fold, const LoggedRecord& decision) {
    auto& in = fold.in();
    fold.stand_at(decision.record.time);
    if (static_cast<EventType>(decision.record.type) == EventType::touch_created) {
        TouchCreated created;
        if (!fold.read(decision.record, created) || decision.chosen >= created.candidates.size()) return std::nullopt;
        return in.judge(fold.facts(decision.record.contact, created), decision.chosen, decision.record.time, policy::Detail::explained).decision;
    }
    const auto row = in.row_of(decision.touch);
    if (row == 0 || decision.chosen >= in.candidates(in.touch(row)).size()) return std::nullopt;
    for (const auto candidate : in.candidates(in.touch(row))) in.policy().compiled->prepare_profile(candidate);
    return in.judge(in.facts(in.touch(row)), decision.chosen, decision.record.time, policy::Detail::explained).decision;
}

}  // namespace

Result<Json> explain_logged_decision(const ReplaySource& source, EngineSettings settings, std::uint64_t sequence) {
    const auto decision = read_decision(source.reader, sequence);
    if (!decision) return decision.error();
    const auto& logged = decision->decision;

    auto fold = std::make_unique<ReplayFold>(source, settings);
    if (auto started = fold->start_from_checkpoint(sequence, std::nullopt, Duration{0}); !started) return started.error();
    if (auto folded = fold_until(*fold, source, *decision, false); !folded) return folded.error();
    const auto record_of = [&]() -> const PolicyRecord* {
        const auto& policies = fold->in().state.policies;
        return logged.policy < policies.size() && policies[logged.policy].version ? &policies[logged.policy] : nullptr;
    };
    if (record_of() == nullptr) return Error{.kind = ErrorKind::corrupt, .detail = "the policy of the decision is not in the log"};
    const auto document = record_of()->version->document;
    if (auto compiled = fold->judge_by(document); !compiled) return compiled.error();
    if (fold->compiled().shared_counter_count() > 0) {
        fold = std::make_unique<ReplayFold>(source, std::move(settings));
        if (auto started = fold->start_from_checkpoint(sequence, std::nullopt, Duration{0}); !started) return started.error();
        if (auto compiled = fold->judge_by(document); !compiled) return compiled.error();
        if (auto folded = fold_until(*fold, source, *decision, true); !folded) return folded.error();
    }

    const auto& record = *record_of();
    const auto& compiled = fold->compiled();
    std::string rule = logged.rule_override;
    if (rule.empty() && logged.rule < record.rule_names.size()) rule = record.rule_names[logged.rule];
    auto told = from_logged(logged);
    if (source.keys.find(decision->record.contact) != nullptr)  // of an erased contact only what was logged is known
        if (auto again = judge_again(*fold, *decision);
            again && (!logged.rule_override.empty() || (again->verdict == told.verdict && (told.rule == policy::no_rule || compiled.rule_name(again->rule) == rule))))
            told.trace = std::move(again->trace);
    const policy::TouchNamer name_touch = [&](std::uint64_t touch) {
        std::string id;
        (void)source.reader.scan(touch, [&](const Record& made) {
            if (made.sequence == touch && static_cast<EventType>(made.type) == EventType::touch_created) id = to_string(ReplayFold::touch_of(made));
            return false;
        });
        return id;
    };
    auto json = policy::decision_json(compiled, record.version->label(), told, name_touch);
    json["rule"] = rule.empty() ? Json(nullptr) : Json(rule);
    return json;
}

}  // namespace touchgate
