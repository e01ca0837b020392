// The fold of names, policies, templates, holds and what else is configured.

#include <algorithm>
#include <mutex>

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::apply(const RecordMeta& meta, const ProfileDefined& event) {
    if (!meta.replay) return;  // interned just before it was logged
    const auto symbol = [&](const std::string& name) { return state.symbols.intern(name); };
    const policy::Profile profile{.purpose = symbol(event.purpose), .channel = symbol(event.channel), .account = symbol(event.account),
                                  .campaign = symbol(event.campaign), .unit = symbol(event.unit), .template_name = symbol(event.template_name)};
    const std::unique_lock lock{state.names_mutex};
    bool made = false;
    (void)state.profiles.intern(profile, made);
}

void Engine::Internals::apply(const RecordMeta& meta, const AttemptFactsDefined& event) {
    if (meta.replay) {  // otherwise interned before it was logged
        policy::AttemptFacts facts{.cost_micros = event.cost_micros, .currency = state.symbols.intern(event.currency), .labels = {}};
        for (const auto& [key, value] : event.labels) facts.labels.push_back({state.symbols.intern(key), value});
        std::sort(facts.labels.begin(), facts.labels.end());
        (void)intern_facts(facts);
    }
    state.logged_facts = event.id + 1;
}

namespace {

// During a replay old versions are kept uncompiled; only the active one is compiled, at the end of the start.
void keep_policy(State& state, std::uint32_t number, const std::string& name, std::uint32_t version, const std::string& document,
                const std::vector<std::string>& rule_names, Instant at, bool replay) {
    while (state.policies.size() <= number) state.policies.emplace_back();
    auto& record = state.policies[number];
    if (!record.version) record.version = std::make_shared<PolicyVersion>();
    record.version->name = name;
    record.version->version = version;
    record.version->document = document;
    record.version->activated_at = at;
    record.rule_names = rule_names;
    record.document_hash = crypto::document_hash(document);
    if (!replay) record.version->compiled = record.compiled;
}

}  // namespace

void Engine::Internals::apply(const RecordMeta& meta, const PolicyActivated& event) {
    keep_policy(state, event.number, event.name, event.version, event.document, event.rule_names, meta.time, meta.replay);
    state.active_policy = event.number;
    if (event.from_file) state.file_policy_hash = crypto::document_hash(event.document);
}

void Engine::Internals::apply(const RecordMeta& meta, const PolicyStored& event) {
    keep_policy(state, event.number, event.name, event.version, event.document, event.rule_names, meta.time, meta.replay);
}

void Engine::Internals::apply(const RecordMeta& meta, const CalendarUpdated& event) {
    auto& row = state.calendars[event.id];
    row.document = event.document;
    row.updated_at = meta.time;
    if (event.from_file) row.file_hash = crypto::document_hash(event.document);
}

void Engine::Internals::apply(const RecordMeta& meta, const HoldSet& event) {
    state.holds[to_string(event.id)] = {.id = event.id,
                                        .input = {.purposes = event.purposes, .channels = event.channels, .units = event.units, .accounts = event.accounts,
                                                  .reason = event.reason, .until = event.until == 0 ? std::nullopt : std::optional{from_unix_ms(event.until)}},
                                        .set_at = meta.time};
}

void Engine::Internals::apply(const RecordMeta&, const HoldLifted& event) { state.holds.erase(to_string(event.id)); }

void Engine::Internals::apply(const RecordMeta& meta, const ConversionRecorded& event) {
    state.conversions.insert(event.key_hash);
    add_act(meta.contact, "conversion.recorded", event.kind, {}, event.at);
    if (meta.contact.value == 0 || meta.contact.value >= state.contacts.size()) return;
    auto& extra = state.contacts[meta.contact.value].extra();
    extra.last_conversion = std::max(extra.last_conversion, event.at);
}

// Whether an account is up is volatile; the events are there for people and feeds.
void Engine::Internals::apply(const RecordMeta&, const AccountWentUp&) {}
void Engine::Internals::apply(const RecordMeta&, const AccountWentDown&) {}
void Engine::Internals::apply(const RecordMeta&, const ClockAccepted&) {}

}  // namespace touchgate
