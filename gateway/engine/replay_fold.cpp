#include "gateway/engine/replay_fold.hpp"

#include <algorithm>

namespace touchgate {

class ReplayFold::NoLog final : public LogWriter {
public:
    [[nodiscard]] LogHead head() const override { return {}; }
    Result<void> reserve(std::size_t) override { return {}; }
    [[nodiscard]] std::size_t room() const override { return 0; }
    LogPosition append(Instant, std::uint16_t, std::uint8_t, ContactIndex, LogPosition, std::string_view, std::uint64_t&) override { return {}; }
    Result<void> commit() override { return {}; }
};

class ReplayFold::NoTransport final : public Transport {
public:
    void hand_over(std::vector<AttemptOrder>) override {}
    void revoke(std::vector<channel::AttemptRef>) override {}
    void acknowledge(AckTicket, bool) override {}
    void reconcile(std::vector<ReconcileOrder>) override {}
};

Error unreadable(const Record& record) {
    return {.kind = ErrorKind::corrupt,
            .detail = "event " + std::string{event_name(static_cast<EventType>(record.type))} + " at sequence " + std::to_string(record.sequence) + " cannot be read"};
}

ReplayFold::ReplayFold(const ReplaySource& source, EngineSettings settings)
    : source_{source}, settings_{std::move(settings)}, log_{std::make_unique<NoLog>()}, transport_{std::make_unique<NoTransport>()} {
    make_engine();
}

ReplayFold::~ReplayFold() = default;

void ReplayFold::make_engine() {
    engine_ = Engine::Internals::for_reading(
        {.disk = source_.disk, .log = *log_, .reader = source_.reader, .keys = source_.keys, .clock = clock_, .random = random_, .transport = *transport_}, settings_);
    take_calendars();
}

Result<void> ReplayFold::judge_by(const std::string& document) {
    document_ = document;
    auto compiled = compile();
    if (compiled) return compiled;
    // It may need a calendar that was put by the API.
    auto& calendars = in().calendars;
    const auto scanned = source_.reader.scan(1, [&](const Record& record) {
        CalendarUpdated event;
        if (static_cast<EventType>(record.type) == EventType::calendar_updated && decode(record.payload, event) && !calendars.contains(event.id))
            if (auto calendar = Engine::Internals::parse_calendar(event.id, event.document)) calendars[event.id] = *calendar;
        return record.sequence < source_.head.sequence;
    });
    return scanned ? compile() : compiled;
}

// The policy that is asked about stands at number 0, which no logged policy has, and stays the active one.
Result<void> ReplayFold::compile() {
    auto& inside = in();
    auto& record = inside.state.policies.front();
    std::string name;
    auto compiled = inside.compile(document_, name);
    if (!compiled) return compiled.error();
    record.compiled = std::move(*compiled);
    record.version = std::make_shared<PolicyVersion>();
    record.version->name = name;
    record.version->document = document_;
    record.version->compiled = record.compiled;
    inside.state.active_policy = 0;
    inside.rebuild_shared_counters();
    return {};
}

void ReplayFold::take_calendars() {
    auto& inside = in();
    const auto take = [&](const std::string& id, const std::string& document) {
        if (auto calendar = Engine::Internals::parse_calendar(id, document)) inside.calendars[id] = *calendar;
    };
    for (const auto& [id, document] : settings_.calendars) take(id, document);
    for (const auto& [id, row] : inside.state.calendars) take(id, row.document);
}

// The holidays that were known then. A policy that would no longer compile goes on with those before.
Result<void> ReplayFold::fold_calendar(const Record& record) {
    if (auto done = in().replay(record); !done) return done;
    take_calendars();
    if (!document_.empty()) (void)compile();
    return {};
}

Result<void> ReplayFold::start_from_checkpoint(std::uint64_t sequence, std::optional<Instant> instant, Duration horizon) {
    std::vector<std::string> skipped;
    auto found = read_newest_checkpoint(source_.disk, settings_.data_dir, skipped);
    if (!found || !*found) return {};  // the log is what counts
    const auto head = (*found)->head.sequence;
    if (head >= sequence) return {};
    make_engine();  // names are loaded into an empty state
    auto& inside = in();
    bool fits = inside.load(std::move(**found)).has_value() && (!instant || inside.state.last_time < *instant);
    take_calendars();
    // The engine forgets attempts that its policy no longer counted: one of them may have looked back less far.
    for (std::uint32_t i = 1; fits && i < inside.state.policies.size(); ++i) {
        const auto& record = inside.state.policies[i];
        if (!record.version) continue;
        std::string name;
        const auto compiled = inside.compile(record.version->document, name);
        fits = compiled && (*compiled)->history_horizon() >= horizon;
    }
    if (fits) {
        begin_ = head + 1;
        inside.state.active_policy = 0;
    } else {
        make_engine();
    }
    return {};
}

bool ReplayFold::is_later_touch_event(EventType type) { return type > EventType::touch_created && type <= EventType::touch_task_changed; }

TouchId ReplayFold::touch_of(const Record& record) {
    TouchId id{};
    if (record.payload.size() >= sizeof id.bytes) std::memcpy(id.bytes.data(), record.payload.data(), sizeof id.bytes);
    return id;
}

void ReplayFold::stand_at(Instant at) {
    in().now = at;
    in().state.last_time = at;
}

template <class E, class Forget> Result<void> ReplayFold::fold_without(const Record& record, E& event, Forget forget) {
    if constexpr (requires { event.decision.facts; }) event.decision.facts = {};  // not every record has it, and the event is used again
    if (record.version != event_version || !decode(record.payload, event)) return unreadable(record);
    forget(event);
    stand_at(record.time);
    in().apply({.sequence = record.sequence, .time = record.time, .contact = record.contact, .position = record.position, .replay = true}, event);
    return {};
}

namespace {

template <class Id> void translate(std::vector<Id>& table, Id logged, Id own) {
    if (own == logged && table.empty()) return;
    for (auto next = static_cast<std::uint32_t>(table.size()); next <= logged.value; ++next) table.push_back(Id{next});
    table[logged.value] = own;
}

}  // namespace

Result<void> ReplayFold::fold_profile(const Record& record) {
    ProfileDefined event;
    if (auto done = fold_without(record, event, [](ProfileDefined&) {}); !done) return done;
    auto& state = in().state;
    const auto symbol = [&](const std::string& name) { return state.symbols.intern(name); };
    bool made = false;
    const auto own = state.profiles.intern({.purpose = symbol(event.purpose), .channel = symbol(event.channel), .account = symbol(event.account),
                                            .campaign = symbol(event.campaign), .unit = symbol(event.unit), .template_name = symbol(event.template_name)},
                                           made);
    translate(profiles_, event.id, own);
    return {};
}

Result<void> ReplayFold::fold_facts(const Record& record) {
    AttemptFactsDefined event;
    if (auto done = fold_without(record, event, [](AttemptFactsDefined&) {}); !done) return done;
    auto& state = in().state;
    policy::AttemptFacts facts{.cost_micros = event.cost_micros, .currency = state.symbols.intern(event.currency), .labels = {}};
    for (const auto& [key, value] : event.labels) facts.labels.push_back({state.symbols.intern(key), value});
    std::sort(facts.labels.begin(), facts.labels.end());
    translate(facts_, policy::FactsId{event.id}, in().intern_facts(facts));
    return {};
}

Result<void> ReplayFold::read(const Record& record, TouchCreated& event) {
    // Members that not every record has, of an event that is used again.
    event.decision.facts = {};
    event.recipient = 0;
    event.arm.clear();
    event.arm_given = false;
    event.steps.clear();
    if (record.version != event_version || !decode(record.payload, event) || event.candidates.empty()) return unreadable(record);
    auto& inside = in();
    for (auto& candidate : event.candidates) {
        if (candidate.value < profiles_.size()) candidate = profiles_[candidate.value];
        if (candidate.value >= inside.state.profiles.size()) return unreadable(record);
    }
    if (record.contact.value >= inside.state.contacts.size()) return unreadable(record);
    event.decision.facts = own_facts(event.decision.facts);
    return {};
}

TouchFacts ReplayFold::facts(ContactIndex contact, const TouchCreated& event) {
    auto& inside = in();
    for (const auto candidate : event.candidates) inside.policy().compiled->prepare_profile(candidate);
    asked_.contact = contact;
    asked_.fixed_address = event.fixed_address;
    asked_.plan.assign(event.candidates.begin(), event.candidates.end());
    asked_.not_before = event.not_before == 0 ? Instant::min() : from_unix_ms(event.not_before);
    asked_.expires_at = event.expires_at;
    asked_.used = nullptr;
    if (event.template_hash != crypto::Hash128{})
        if (const auto known = inside.state.template_by_hash.find(event.template_hash); known != inside.state.template_by_hash.end())
            asked_.used = &inside.state.templates[known->second];
    auto made = inside.facts(asked_, event.origin);
    if (event.recipient != 0) {
        const auto campaign = inside.state.campaign_by_symbol.find(inside.state.profiles.at(event.candidates.front()).campaign);
        if (campaign != inside.state.campaign_by_symbol.end()) made.campaign = campaign->second;
    }
    made.content = nullptr;
    if (inside.needs_content(asked_.plan))
        if (auto opened = inside.open_content(contact, event.sealed)) {
            asked_.content = std::move(*opened);
            made.content = &asked_.content;
        }
    return made;
}

void ReplayFold::fold_created(const Record& record, TouchCreated& event) {
    event.has_key = false;
    stand_at(record.time);
    in().apply({.sequence = record.sequence, .time = record.time, .contact = record.contact, .position = record.position, .replay = true}, event);
}

Result<void> ReplayFold::fold(const Record& record) {
    const auto type = static_cast<EventType>(record.type);
    auto& inside = in();
    switch (type) {
        // No decision looks at these: the slot of an attempt counts from its permit on, whatever was answered.
        case EventType::receipt_received:
        case EventType::receipt_matched:
        case EventType::touch_accepted: return {};
        case EventType::profile_defined: return fold_profile(record);
        case EventType::attempt_facts_defined: return fold_facts(record);
        case EventType::calendar_updated: return fold_calendar(record);
        case EventType::touch_created:
            if (auto done = read(record, created_); !done) return done;
            fold_created(record, created_);
            return {};
        case EventType::touch_decided: return fold_without(record, decided_, [&](TouchDecided& event) { event.decision.facts = own_facts(event.decision.facts); });
        case EventType::touch_dispatching:
            return fold_without(record, dispatching_, [&](TouchDispatching& event) { event.decision.facts = own_facts(event.decision.facts); });
        case EventType::touch_delivered: return fold_without(record, delivered_, [](TouchDelivered& event) { event.provider_id.clear(); });
        case EventType::touch_failed: return fold_without(record, failed_, [](TouchFailed& event) { event.provider_id.clear(); });
        case EventType::message_received: return fold_without(record, message_, [](MessageReceived& event) { event.dedupe = {}; });
        case EventType::event_received: return fold_without(record, event_, [](EventReceived& event) { event.dedupe = {}; });
        case EventType::contact_followed:
        case EventType::contact_unfollowed: {
            ContactFollowed followed;  // the same members, and the same fold
            return fold_without(record, followed, [](ContactFollowed& event) { event.dedupe = {}; });
        }
        case EventType::contact_synced:
        case EventType::platform_event: return fold_without(record, platform_event_, [](PlatformEvent& event) { event.dedupe = {}; });
        case EventType::event_unknown: return {};
        default: break;
    }
    if (auto done = inside.replay(record); !done) return done;
    if (type == EventType::policy_activated) inside.state.active_policy = 0;
    if (is_later_touch_event(type) && (++finals_since_purge_ & 511U) == 0) inside.purge_finals();
    return {};
}

}  // namespace touchgate
