// The dump of the state, table by table, and its reading. Written at a turn boundary, so it is the fold of all records up to the log's head.
// The version is the first number: a program that meets another one ignores the checkpoint and folds the whole log.

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr std::uint64_t dump_version = 10;

// Hands pieces on as they fill, so that a large state is never held twice.
class DumpWriter {
public:
    explicit DumpWriter(const CheckpointSink& sink) : sink_{sink} {}
    ~DumpWriter() { flush(); }
    template <class... T> void operator()(const T&... values) {
        FieldWriter writer{bytes_};
        (writer.write(values), ...);
        if (bytes_.size() > (std::size_t{1} << 20U)) flush();
    }

private:
    void flush() {
        if (bytes_.size() == 0) return;
        sink_(bytes_.bytes());
        bytes_.clear();
    }
    const CheckpointSink& sink_;
    ByteWriter bytes_;
};

struct Reading {
    ByteReader& in;
    template <class... T> void operator()(T&... values) {
        FieldReader reader{in};
        (reader.read(values), ...);
    }
    template <class T> T take() {
        T value{};
        (*this)(value);
        return value;
    }
};

// One list of members for both directions, as for events; Archive is DumpWriter or Reading.
template <class A> void positions(A& a, LogPosition& position) { a(position.value); }

template <class A> void entry(A& a, policy::HistoryEntry& e) { a(e.at, e.touch, e.profile, e.address, e.slot, e.outcome, e.attempt, e.facts.value); }
template <class A> void consent(A& a, policy::Consent& c) { a(c.channel, c.purpose, c.unit, c.granted, c.ended, c.at); }

template <class T> constexpr bool is_reading = std::is_same_v<T, Reading>;

template <class A, class Container, class Each> void sequence_of(A& a, Container& items, Each each) {
    std::uint64_t size = items.size();
    a(size);
    if constexpr (is_reading<A>) {
        if (size > a.in.remaining()) return a.in.fail();
        items.resize(static_cast<std::size_t>(size));
    }
    for (auto& item : items) each(item);
}

template <class A> void numbers(A& a, auto& items) {
    sequence_of(a, items, [&](auto& item) { a(item); });
}

template <class A> void optional_instant(A& a, std::optional<Instant>& at) {
    std::int64_t ms = at ? unix_ms(*at) : 0;
    a(ms);
    if constexpr (is_reading<A>) at = ms == 0 ? std::nullopt : std::optional{from_unix_ms(ms)};
}

template <class A> void attributes_of(A& a, AttributeMap& attributes) {
    std::vector<LoggedAttribute> list;
    if constexpr (!is_reading<A>)
        for (const auto& [name, value] : attributes) {
            LoggedAttribute logged{.name = name, .kind = static_cast<std::uint8_t>(value.index()), .number = 0, .text = {}};
            if (const auto* flag = std::get_if<bool>(&value)) logged.number = *flag ? 1 : 0;
            else if (const auto* number = std::get_if<double>(&value)) logged.number = *number;
            else logged.text = std::get<std::string>(value);
            list.push_back(std::move(logged));
        }
    a(list);
    if constexpr (is_reading<A>)
        for (auto& logged : list) {
            if (logged.kind == 0) attributes[logged.name] = logged.number != 0;
            else if (logged.kind == 1) attributes[logged.name] = logged.number;
            else attributes[logged.name] = logged.text;
        }
}

template <class A> void extras_of(A& a, ContactExtras& e) {
    a(e.name, e.locale, e.owner, e.unit, e.unionids, e.tags, e.last_conversion, e.last_complaint, e.last_reply, e.last_conversation_end, e.open_tickets, e.restricted, e.legal_hold);
    attributes_of(a, e.attributes);
    sequence_of(a, e.last_inbound, [&](std::pair<Symbol, Instant>& last) { a(last.first, last.second); });
    sequence_of(a, e.acts, [&](policy::Act& act) { a(act.at, act.event, act.kind, act.channel); });
    numbers(a, e.merged);
    sequence_of(a, e.reviews, [&](Review& review) { a(review.id, review.channel, review.purposes, review.due_at); });
}

template <class A> void contact_of(A& a, Contact& c) {
    sequence_of(a, c.history, [&](policy::HistoryEntry& e) { entry(a, e); });
    sequence_of(a, c.consents, [&](policy::Consent& each) { consent(a, each); });
    numbers(a, c.addresses);
    numbers(a, c.live);
    positions(a, c.newest);
    a(c.version, c.time_zone, c.erased);
    bool has_extras = c.extras != nullptr;
    a(has_extras);
    if (has_extras) extras_of(a, c.extra());
}

template <class A> void address_of(A& a, AddressRow& r) {
    a(r.kind, r.value, r.account, r.hash, r.last_used, r.invalid);
    numbers(a, r.owners);
    sequence_of(a, r.lists, [&](policy::ListEntry& e) { a(e.list, e.expires_at, e.channels, e.purposes); });
    sequence_of(a, r.list_details, [&](SuppressionEntry& e) { a(e.source, e.at, e.sealed, e.kind); });
    sequence_of(a, r.shared_consents, [&](SharedConsent& e) {
        a(e.contact);
        consent(a, e.consent);
    });
    bool has_reach = r.reach != nullptr;
    a(has_reach);
    if (!has_reach) return;
    auto& reach = r.reached();
    sequence_of(a, reach.standings, [&](Reach::Standing& each) { a(each.account, each.at, each.refuses); });
    sequence_of(a, reach.acts, [&](Reach::Act& each) { a(each.account, each.kind, each.at, each.since); });
    sequence_of(a, reach.followers, [&](Reach::Follower& each) {
        a(each.account, each.employee, each.record);
        numbers(a, each.tags);
    });
    sequence_of(a, reach.natives, [&](Reach::Native& each) { a(each.account, each.at, each.serves); });
}

template <class A> void text_pointer(A& a, std::unique_ptr<std::string>& text) {
    std::string value = text ? *text : std::string{};
    a(value);
    if constexpr (is_reading<A>) text = value.empty() ? nullptr : std::make_unique<std::string>(std::move(value));
}

template <class A> void touch_of(A& a, Touch& t) {
    a(t.id, t.created_sequence);
    positions(a, t.created_position);
    positions(a, t.decision_position);
    a(t.contact, t.plan, t.cascade, t.address, t.fixed_address, t.template_number, t.policy, t.facts.value, t.rule, t.next_attempt, t.state, t.verdict, t.decision_reason, t.origin, t.chosen,
      t.priority, t.flags, t.retries, t.segments, t.progress, t.final, t.has_key, t.arm, t.yields, t.recipient, t.counted_rule, t.created_at, t.updated_at, t.expires_at, t.not_before, t.until, t.retry_at,
      t.fallback_after_ms, t.key_hash, t.callback, t.key_name);
    sequence_of(a, t.attempts, [&](Attempt& attempt) {
        a(attempt.number, attempt.chosen, attempt.state, attempt.parts, attempt.address, attempt.permitted_at, attempt.progress);
        sequence_of(a, attempt.receipts, [&](PartReceipt& part) { a(part.id, part.progress); });
        bool has_task = attempt.task != nullptr;
        a(has_task);
        if (!has_task) return;
        if constexpr (is_reading<A>) attempt.task = std::make_unique<HumanTask>();
        a(attempt.task->id, attempt.task->employee, attempt.task->created_at, attempt.task->ends_at, attempt.task->status);
    });
    text_pointer(a, t.rule_override);
    text_pointer(a, t.reason);
    bool has_exposed = t.exposed != nullptr;
    a(has_exposed);
    if (has_exposed) {
        if constexpr (is_reading<A>) t.exposed = std::make_unique<std::vector<ContactIndex>>();
        numbers(a, *t.exposed);
    }
    bool has_dialed = t.dialed != nullptr;
    a(has_dialed);
    if (has_dialed) {
        if constexpr (is_reading<A>) t.dialed = std::make_unique<std::vector<std::uint8_t>>();
        numbers(a, *t.dialed);
    }
}

template <class A> void map_of_hashes(A& a, auto& map, auto each) {
    std::uint64_t size = map.size();
    a(size);
    if constexpr (is_reading<A>) {
        if (size > a.in.remaining()) return a.in.fail();
        map.reserve(static_cast<std::size_t>(size));
        for (std::uint64_t i = 0; i < size && !a.in.failed(); ++i) {
            crypto::Hash128 key{};
            a(key);
            each(map[key]);
        }
    } else {
        for (auto& [key, value] : map) {
            a(key);
            each(value);
        }
    }
}

template <class A> void counts_of(A& a, StateCounts& counts) {
    for (auto& count : counts) a(count);
}

template <class A> void campaign_of(A& a, CampaignRow& c) {
    a(c.id, c.purpose, c.unit, c.definition, c.body_hash, c.state, c.reason, c.created_at, c.started_at, c.ended_at, c.holdout, c.rate, c.size, c.pending, c.held_out,
      c.batches, c.sha256, c.templates, c.arm_sizes, c.cost_micro, c.permits, c.complaints, c.permits_before, c.failed_before, c.complaints_before);
    counts_of(a, c.direct);
    counts_of(a, c.counts);
    sequence_of(a, c.arm_counts, [&](StateCounts& counts) { counts_of(a, counts); });
    sequence_of(a, c.recipients, [&](Recipient& r) {
        positions(a, r.batch);
        a(r.contact, r.address, r.item, r.line, r.arm, r.state);
    });
    std::vector<std::pair<std::string, std::uint64_t>> by_rule;
    if constexpr (!is_reading<A>) by_rule.assign(c.by_rule.begin(), c.by_rule.end());
    a(by_rule);
    if constexpr (is_reading<A>) c.by_rule.insert(by_rule.begin(), by_rule.end());
    bool has_dialed = c.dialed != nullptr;
    a(has_dialed);
    if (has_dialed) {
        if constexpr (is_reading<A>) c.dialed = std::make_unique<dialing::DialStatistics>();
        a(*c.dialed);
    }
}

// Rows that carry their name as `id`; never copied, for an audience may be large.
template <class A> void map_of_names(A& a, auto& map, auto each) {
    std::uint64_t size = map.size();
    a(size);
    if constexpr (is_reading<A>) {
        if (size > a.in.remaining()) return a.in.fail();
        for (std::uint64_t i = 0; i < size && !a.in.failed(); ++i) {
            std::decay_t<decltype(map.begin()->second)> row;
            each(row);
            auto id = row.id;
            map.emplace(std::move(id), std::move(row));
        }
    } else {
        for (auto& [id, row] : map) each(row);
    }
}

template <class A> void whole(A& a, State& s, std::vector<std::pair<ProfileId, policy::Profile>>& profiles, std::vector<std::string>& names) {
    a(names);
    sequence_of(a, profiles, [&](std::pair<ProfileId, policy::Profile>& p) {
        a(p.first, p.second.purpose, p.second.channel, p.second.account, p.second.campaign, p.second.unit, p.second.template_name);
    });
    std::uint64_t facts = s.logged_facts;
    a(facts);
    for (std::uint32_t i = 1; i < facts; ++i) {
        policy::AttemptFacts row;
        if constexpr (!is_reading<A>) row = s.profiles.facts().at({i});
        a(row.cost_micros, row.currency);
        sequence_of(a, row.labels, [&](policy::Label& label) { a(label.key, label.value); });
        if constexpr (is_reading<A>) {
            if (a.in.failed()) return;
            bool made = false;
            (void)s.profiles.facts().intern(row, made);
        }
    }
    s.logged_facts = static_cast<std::uint32_t>(facts);
    a(s.plans, s.cascades);
    numbers(a, s.contact_ids);
    sequence_of(a, s.contacts, [&](Contact& c) { contact_of(a, c); });
    sequence_of(a, s.addresses, [&](AddressRow& r) { address_of(a, r); });
    sequence_of(a, s.touches, [&](Touch& t) { touch_of(a, t); });
    map_of_hashes(a, s.keys, [&](KeyEntry& k) { a(k.touch, k.body, k.expires_at); });
    map_of_hashes(a, s.provider_ids, [&](IdTarget& t) { a(t.touch, t.attempt); });
    sequence_of(a, s.inbound_order, [&](std::pair<Instant, crypto::Hash128>& seen) { a(seen.first, seen.second); });
    sequence_of(a, s.finals, [&](std::pair<Instant, std::uint32_t>& final_row) { a(final_row.first, final_row.second); });

    std::vector<ParkedReceipt> parked;
    if constexpr (!is_reading<A>)
        for (const auto& [sequence, each] : s.parked) parked.push_back(each);
    sequence_of(a, parked, [&](ParkedReceipt& p) {
        a(p.receipt.provider_ids, p.receipt.status, p.receipt.raw, p.receipt.reason, p.receipt.attempt_id, p.receipt.kind, p.account, p.received_at, p.destination, p.sequence);
        optional_instant(a, p.receipt.at);
    });
    if constexpr (is_reading<A>)
        for (auto& each : parked) s.parked.emplace(each.sequence, std::move(each));

    sequence_of(a, s.policies, [&](PolicyRecord& p) {
        if constexpr (is_reading<A>) p.version = std::make_shared<PolicyVersion>();
        auto none = PolicyVersion{};
        auto& version = p.version ? *p.version : none;
        a(version.name, version.version, version.activated_at, version.document, p.rule_names, p.document_hash);
        if constexpr (is_reading<A>)
            if (p.version->name.empty()) p.version.reset();
    });
    a(s.active_policy, s.file_policy_hash);
    sequence_of(a, s.templates, [&](TemplateRecord& t) { a(t.name, t.hash, t.document); });

    map_of_names(a, s.campaigns, [&](CampaignRow& c) { campaign_of(a, c); });
    std::vector<HoldRow> holds;
    if constexpr (!is_reading<A>)
        for (const auto& [id, each] : s.holds) holds.push_back(each);
    sequence_of(a, holds, [&](HoldRow& h) {
        a(h.id, h.input.purposes, h.input.channels, h.input.units, h.input.accounts, h.input.reason, h.set_at);
        optional_instant(a, h.input.until);
    });
    std::vector<std::pair<std::string, State::CalendarRow>> calendars;
    if constexpr (!is_reading<A>) calendars.assign(s.calendars.begin(), s.calendars.end());
    sequence_of(a, calendars, [&](std::pair<std::string, State::CalendarRow>& c) { a(c.first, c.second.document, c.second.file_hash, c.second.updated_at); });
    if constexpr (is_reading<A>) s.calendars.insert(calendars.begin(), calendars.end());
    std::vector<std::pair<std::uint32_t, std::vector<crypto::Hash128>>> groups;
    if constexpr (!is_reading<A>) groups.assign(s.groups.begin(), s.groups.end());
    a(groups);
    if constexpr (is_reading<A>) s.groups.insert(groups.begin(), groups.end());
    map_of_hashes(a, s.operations, [&](OperationRow& o) {
        a(o.body, o.phase, o.at);
        positions(a, o.position);
    });
    std::vector<std::pair<std::pair<std::uint32_t, std::string>, EmployeeCounts>> employees;
    if constexpr (!is_reading<A>) employees.assign(s.employees.begin(), s.employees.end());
    sequence_of(a, employees, [&](auto& e) { a(e.first.first, e.first.second, e.second.sent, e.second.failed, e.second.expired, e.second.cancelled, e.second.last_sent_at, e.second.resigned); });
    if constexpr (is_reading<A>) s.employees.insert(employees.begin(), employees.end());
    map_of_names(a, s.interactions, [&](Interaction& i) {
        a(i.id, i.contact, i.address, i.channel, i.account, i.queue, i.campaign, i.touch, i.state, i.reason, i.outcome, i.disposition, i.priority, i.queued_at, i.last_at, i.closed_at,
          i.agent, i.last_agent, i.reminders, i.outbound, i.assigned_at, i.ended_at, i.unanswered_since, i.idle_told_at);
        sequence_of(a, i.messages, [&](Interaction::Message& message) {
            a(message.at, message.touch, message.inbound);
            positions(a, message.position);
        });
    });
    std::vector<voice::Call> calls;
    if constexpr (!is_reading<A>)
        for (const auto& [id, each] : s.calls) calls.push_back(each);
    sequence_of(a, calls, [&](voice::Call& call) { a(call); });
    if constexpr (is_reading<A>)
        for (auto& each : calls) {
            const auto id = each.id;
            s.calls.emplace(id, std::move(each));
        }
    std::vector<std::pair<std::string, AgentRow>> agents;
    if constexpr (!is_reading<A>) agents.assign(s.agents.begin(), s.agents.end());
    sequence_of(a, agents, [&](std::pair<std::string, AgentRow>& agent) {
        a(agent.first, agent.second.last_seq, agent.second.shown, agent.second.state);
        sequence_of(a, agent.second.kept, [&](KeptPush& push) { push.fields(a); });
    });
    if constexpr (is_reading<A>)
        for (auto& [id, row] : agents) s.agents[id] = std::move(row);
    map_of_names(a, s.leads.rows, [&](LeadRow& lead) { a(lead); });
    map_of_names(a, s.leads.owners, [&](LeadOwnerRow& owner) { a(owner); });
    std::vector<PromiseRow> promises;
    if constexpr (!is_reading<A>)
        for (const auto& [id, promise] : s.promises) promises.push_back(promise);
    sequence_of(a, promises, [&](PromiseRow& promise) { promise.fields(a); });
    if constexpr (is_reading<A>)
        for (auto& promise : promises) s.promises[promise.id] = promise;
    std::vector<std::pair<std::pair<std::string, std::string>, std::string>> cursors;
    if constexpr (!is_reading<A>) cursors.assign(s.pull_cursors.begin(), s.pull_cursors.end());
    a(cursors);
    if constexpr (is_reading<A>) s.pull_cursors.insert(cursors.begin(), cursors.end());
    std::vector<std::pair<std::pair<std::string, std::string>, Instant>> quotas;
    if constexpr (!is_reading<A>) quotas.assign(s.quotas.begin(), s.quotas.end());
    a(quotas);
    if constexpr (is_reading<A>) s.quotas.insert(quotas.begin(), quotas.end());
    std::vector<std::pair<Uuid, std::vector<RecordingRow>>> recordings;
    if constexpr (!is_reading<A>) recordings.assign(s.recordings.begin(), s.recordings.end());
    a(recordings);
    if constexpr (is_reading<A>) s.recordings.insert(std::make_move_iterator(recordings.begin()), std::make_move_iterator(recordings.end()));
    std::vector<crypto::Hash128> conversions;
    if constexpr (!is_reading<A>) conversions.assign(s.conversions.begin(), s.conversions.end());
    a(conversions);
    std::vector<State::HashedSuppression> hashed;
    if constexpr (!is_reading<A>)
        for (const auto& [key, each] : s.hashed_suppressions) hashed.push_back(each);
    sequence_of(a, hashed, [&](State::HashedSuppression& h) {
        a(h.list, h.algorithm, h.digest, h.channels, h.purposes, h.expires_at, h.details.source, h.details.at, h.details.sealed, h.details.kind);
    });
    a(s.sequence, s.last_time);
    if constexpr (is_reading<A>) {
        for (auto& each : holds) s.holds[to_string(each.id)] = each;
        s.conversions.insert(conversions.begin(), conversions.end());
        for (auto& each : hashed) s.hashed_suppressions[State::HashedSuppression::key(each.algorithm, each.digest, each.list)] = each;
    }
}

}  // namespace

void Engine::Internals::dump(const CheckpointSink& sink) {
    DumpWriter out{sink};
    out(dump_version);
    std::vector<std::string> account_names;
    for (const auto& account : accounts) account_names.push_back(account.settings.name);
    out(account_names);
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < state.symbols.size(); ++i) names.emplace_back(state.symbols.name(Symbol{i}));
    std::vector<std::pair<ProfileId, policy::Profile>> profiles;
    for (std::uint32_t i = 1; i < state.profiles.size(); ++i)
        if (!unlogged_profiles.contains(ProfileId{i})) profiles.emplace_back(ProfileId{i}, state.profiles.at(ProfileId{i}));
    whole(out, state, profiles, names);
    std::string routed;
    router.save(routed);
    out(routed, dumped_trunks());
}

Result<void> Engine::Internals::load(Checkpoint checkpoint) {
    std::string plain;
    ByteReader pieces{checkpoint.body};
    while (!pieces.at_end()) {
        const auto piece = crypto::unseal(checkpoint_key, pieces.text());
        if (pieces.failed() || !piece) return Error{.kind = ErrorKind::corrupt, .detail = "the checkpoint cannot be opened: wrong master key?"};
        plain += *piece;
    }
    checkpoint.body = {};
    return load(plain);
}

Result<void> Engine::Internals::load(std::string_view body) {
    ByteReader bytes{body};
    Reading in{bytes};
    if (in.take<std::uint64_t>() != dump_version) return Error{.kind = ErrorKind::unavailable, .detail = "the checkpoint is of another version"};
    const auto account_names = in.take<std::vector<std::string>>();
    std::vector<std::string> names;
    std::vector<std::pair<ProfileId, policy::Profile>> profiles;
    whole(in, state, profiles, names);
    const auto routed = in.take<std::string>();
    const auto trunks = in.take<std::vector<std::pair<std::string, std::string>>>();
    if (bytes.failed() || !bytes.at_end() || !router.restore(routed)) return Error{.kind = ErrorKind::corrupt, .detail = "the checkpoint cannot be read"};

    for (const auto& name : names) (void)state.symbols.intern(name);
    for (const auto& [id, profile] : profiles) {
        bool made = false;
        (void)state.profiles.intern(profile, made);
    }
    for (std::uint32_t i = 1; i < state.plans.size(); ++i) state.plan_numbers[state.plans[i]] = i;
    for (std::uint32_t i = 1; i < state.contacts.size(); ++i)
        if (!state.contacts[i].erased) state.contact_by_id[state.contact_ids[i]] = i;
    for (std::uint32_t i = 1; i < state.contacts.size(); ++i)
        if (state.contacts[i].extras)
            for (const auto& unionid : state.contacts[i].extras->unionids) state.contact_by_unionid[index_hash("u" + unionid)] = i;
    for (std::uint32_t i = 1; i < state.addresses.size(); ++i) {
        auto& row = state.addresses[i];
        if (row.hash == crypto::Hash128{}) continue;
        state.address_by_hash[row.hash] = i;
        for (const auto& list : row.lists) ++state.list_sizes[std::string{state.symbols.name(list.list)}];
        const auto& erased = parts.keys.erased();
        for (std::size_t e = 0; e < erased.size(); ++e)
            if (erased[e].address == row.hash) row.erased = static_cast<std::int32_t>(e);
    }
    for (const auto& [key, each] : state.hashed_suppressions) ++state.list_sizes[each.list];
    for (std::uint32_t row = 1; row < state.touches.size(); ++row) {
        const auto& touch_row = state.touches[row];
        if (touch_row.id.is_nil()) {
            state.free_rows.push_back(row);
            continue;
        }
        state.touch_rows[touch_row.id] = row;
        state.touch_by_sequence[touch_row.created_sequence] = touch_row.id;
        ++state.counts[static_cast<std::size_t>(touch_row.state)];
    }
    for (auto& [id, row] : state.campaigns) index_campaign(row);
    for (const auto& [id, row] : state.interactions) {
        if (!row.is_closed()) state.open_interactions[{row.account.value, row.address, row.contact.value}] = id;
        state.interactions_of[row.contact.value].push_back(id);
    }
    for (const auto& [id, rows] : state.recordings) state.recordings_of[rows.front().contact.value].push_back(id);
    load_trunks(trunks);
    hold_quotas();
    for (const auto& [id, lead] : state.leads.rows) state.leads.index(lead);
    for (const auto& [id, promise] : state.promises)
        if (promise.state == "open") state.open_promises.emplace(promise.at, id);
    for (const auto& [at, hash] : state.inbound_order) state.inbound_seen[hash] = at;
    std::vector<std::uint64_t> orphans;
    for (auto& [sequence, parked] : state.parked) {
        // Account numbers follow the configuration, which may have changed since.
        const auto name = parked.account < account_names.size() ? account_names[parked.account] : std::string{};
        const auto number = account_numbers.find(name);
        if (number == account_numbers.end()) {
            orphans.push_back(sequence);  // its account is gone from the configuration
            continue;
        }
        parked.account = number->second;
        for (const auto& alias : parked.receipt.provider_ids) state.parked_by_id[id_hash(number->second, alias)].push_back(sequence);
    }
    for (const auto sequence : orphans) state.parked.erase(sequence);
    for (std::uint32_t i = 1; i < state.templates.size(); ++i) {
        std::vector<Problem> problems;
        state.templates[i].parsed = content::Template::parse(state.templates[i].document, state.templates[i].name, problems);
        state.template_by_hash[state.templates[i].hash] = i;
    }
    return {};
}

}  // namespace touchgate
