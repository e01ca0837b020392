#include "gateway/projection/projector.hpp"

#include "gateway/projection/touch_context.hpp"
#include "gateway/projection/touch_events.hpp"

namespace touchgate::projection {

namespace {

std::int64_t column(LogPosition position) { return static_cast<std::int64_t>(position.value); }
LogPosition position_of(std::int64_t value) { return {static_cast<std::uint64_t>(value)}; }

// Contact status in the table.
enum : std::int64_t { contact_active = 0, contact_restricted_now = 1, contact_erased_now = 2 };

}  // namespace

Projector::Projector(Database& database, LogNames& names) : database_{database}, names_{names}, service_{[this](const char* sql) -> Statement& { return statement(sql); }},
      leads_{[this](const char* sql) -> Statement& { return statement(sql); }} { forget_all(); }

// Back to what the tables say.
void Projector::forget_all() {
    statements_.clear();
    recent_.clear();
    older_.clear();
    dirty_.clear();
    touch_counts_.clear();
    attempt_counts_.clear();
    rule_counts_.clear();
    name_numbers_.clear();
    batched_ = 0;
    in_transaction_ = false;
    cursor_ = {};
    Statement names{database_, "SELECT id, name FROM names"};
    while (names.step()) name_numbers_[std::string{names.text(1)}] = static_cast<std::uint32_t>(names.integer(0));
    Statement cursor{database_, "SELECT sequence, position, hash, time FROM cursor"};
    if (cursor.step())
        cursor_ = {static_cast<std::uint64_t>(cursor.integer(0)), position_of(cursor.integer(1)), std::string{cursor.blob(2)}, from_unix_ms(cursor.integer(3))};
    pending_cursor_ = cursor_;
    if (names_.folded() >= cursor_.sequence) return;
    Statement profiles{database_, "SELECT id, purpose, channel, account, campaign, unit, template FROM profiles"};
    while (profiles.step()) {
        const auto text = [&](int at) { return std::string{profiles.text(at)}; };
        names_.restore_profile({static_cast<std::uint32_t>(profiles.integer(0))}, {text(1), text(2), text(3), text(4), text(5), text(6)});
    }
    Statement policies{database_, "SELECT number, label, rule_names FROM policies"};
    while (policies.step()) {
        std::vector<std::string> rules;
        ByteReader in{policies.blob(2)};
        FieldReader{in}.read(rules);
        names_.restore_policy(static_cast<std::uint32_t>(policies.integer(0)), std::string{policies.text(1)}, std::move(rules));
    }
    Statement contacts{database_, "SELECT number, id FROM contacts"};
    if (names_.keeps_contacts())
        while (contacts.step()) names_.restore_contact({static_cast<std::uint32_t>(contacts.integer(0))}, std::string{contacts.text(1)});
    names_.restore_sequence(cursor_.sequence);
}

Statement& Projector::statement(const char* sql) {
    const auto found = statements_.find(sql);
    return found != statements_.end() ? found->second : statements_.emplace(sql, Statement{database_, sql}).first->second;
}

std::uint32_t Projector::name_number(std::string_view name) {
    if (name.empty()) return 0;
    auto [entry, made] = name_numbers_.try_emplace(std::string{name}, 0);
    if (!made) return entry->second;
    // Ids count the names met, so that a rebuild gives the same ones.
    entry->second = static_cast<std::uint32_t>(name_numbers_.size());
    statement("INSERT INTO names (id, name) VALUES (?, ?)").bind(1, entry->second).bind_text(2, name).run();
    return entry->second;
}

void Projector::apply(const Record& record) {
    if (!in_transaction_) {
        database_.execute("BEGIN IMMEDIATE");
        in_transaction_ = true;
    }
    names_.fold(record);
    const auto type = static_cast<EventType>(record.type);
    if (is_touch_event(type) || is_receipt_event(type)) apply_touch(record);
    else if (type >= EventType::contact_created && type <= EventType::review_decided) apply_contact(record);
    else if (ServiceFacts::is_meant(type)) service_.apply(record);
    else if (LeadTables::is_meant(type)) leads_.apply(record);
    else apply_other(record);
    apply_interaction(record);
    pending_cursor_.sequence = record.sequence;
    pending_cursor_.position = record.position;
    pending_cursor_.hash.assign(crypto::view(record.hash));
    pending_cursor_.time = record.time;
    ++batched_;
}

Projector::Entry* Projector::find_touch(const TouchId& id) {
    if (const auto found = recent_.find(id); found != recent_.end()) return found->second.get();
    if (auto node = older_.extract(id); !node.empty()) return recent_.insert(std::move(node)).position->second.get();
    auto entry = std::make_unique<Entry>();
    if (!load_touch(id, *entry)) return nullptr;
    return (recent_[id] = std::move(entry)).get();
}

bool Projector::load_touch(const TouchId& id, Entry& entry) {
    auto& select = statement("SELECT contact, campaign, state, profile, key_name, created_at, updated_at, key_hash, created, newest, fold FROM touches WHERE id = ?");
    select.bind_blob(1, id.view());
    const bool found = select.step();
    if (found) {
        auto& row = entry.row;
        row.id = id;
        row.contact.value = static_cast<std::uint32_t>(select.integer(0));
        row.campaign = static_cast<std::uint32_t>(select.integer(1));
        row.states.state = static_cast<TouchState>(select.integer(2));
        row.key_name = static_cast<std::uint32_t>(select.integer(4));
        row.created_at = from_unix_ms(select.integer(5));
        row.states.updated_at = from_unix_ms(select.integer(6));
        row.has_key = !select.is_null(7);
        row.key_hash = static_cast<std::uint64_t>(select.integer(7));
        row.created = position_of(select.integer(8));
        row.newest = position_of(select.integer(9));
        if (!decode(select.blob(10), row)) row.candidates.clear();
        entry.stored = true;
        entry.counted = {bucket_of(row.created_at), row.profile().value, row.counted_as().number(), row.arm, row.attempts};
    }
    select.reset();
    return found;
}

void Projector::note_decision(TouchRow& row, const LoggedDecision& decision) {
    row.rule = decision.rule_override.empty() ? (decision.rule == policy::no_rule ? 0 : name_number(names_.rule_name(decision.policy, decision.rule)))
                                              : name_number(decision.rule_override);
    if (decision.verdict == policy::Verdict::allow) row.allowed = true;
    if (decision.verdict != policy::Verdict::defer) return;
    if (std::find(row.deferred_by.begin(), row.deferred_by.end(), row.rule) != row.deferred_by.end()) return;
    row.deferred_by.push_back(row.rule);
    count_rule(row, row.rule, 1, 0);
}

void Projector::count_rule(const TouchRow& row, std::uint32_t rule, std::int64_t deferred, std::int64_t blocked) {
    auto& sums = rule_counts_[{bucket_of(row.created_at), row.profile().value, rule}];
    sums.deferred += deferred;
    sums.blocked += blocked;
}

void Projector::apply_touch(const Record& record) {
    const auto id = touch_of(record);
    if (!id) return;
    const auto type = static_cast<EventType>(record.type);
    Entry* entry = nullptr;
    if (type == EventType::touch_created) {
        auto made = std::make_unique<Entry>();
        made->row.id = *id;
        made->row.contact = record.contact;
        made->row.created_at = record.time;
        made->row.created = record.position;
        entry = (recent_[*id] = std::move(made)).get();
    } else {
        entry = find_touch(*id);
    }
    if (entry == nullptr) return;
    auto& row = entry->row;
    row.newest = record.position;
    const auto before = row.states.state;
    visit_touch_event(record, [&](const auto& event) {
        using E = std::decay_t<decltype(event)>;
        row.states.apply(event, record.time);
        if constexpr (std::is_same_v<E, TouchCreated>) {
            row.candidates = event.candidates;
            row.campaign = name_number(names_.profile(row.profile()).campaign);
            row.key_name = name_number(event.key_name);
            row.has_key = event.has_key;
            row.key_hash = event.key_hash.low;
            note_arm(row, event);
            note_decision(row, event.decision);
            note_message(event.interaction, record, false);
        }
        if constexpr (std::is_same_v<E, TouchDecided> || std::is_same_v<E, TouchDispatching>) note_decision(row, event.decision);
        if constexpr (std::is_same_v<E, TouchHeldOut>) row.held_out = true;
        apply_attempts(row, event, record.time);
    });
    if (row.states.state == TouchState::blocked && (before != TouchState::blocked || type == EventType::touch_created)) count_rule(row, row.rule, 0, 1);
    if (!entry->dirty) {
        entry->dirty = true;
        dirty_.push_back(entry);
    }
}

void Projector::apply_contact(const Record& record) {
    const auto at = unix_ms(record.time);
    const auto contact = std::int64_t{record.contact.value};
    const auto consent = [&](const auto& e, bool granted) {
        statement("INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?, ?, ?)").bind(1, static_cast<std::int64_t>(record.sequence)).bind(2, contact)
            .bind_text(3, e.channel).bind_text(4, e.purpose).bind_text(5, e.unit).bind(6, granted ? 1 : 0).bind_text(7, e.source).bind(8, unix_ms(e.at)).run();
    };
    const auto set_status = [&](std::int64_t status) {
        statement("UPDATE contacts SET status = ?, updated_at = ? WHERE number = ?").bind(1, status).bind(2, at).bind(3, contact).run();
    };
    switch (static_cast<EventType>(record.type)) {
        case EventType::contact_created:
            visit_as<ContactCreated>(record, [&](const ContactCreated& e) {
                statement("INSERT OR REPLACE INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, ?)").bind(1, e.index.value).bind_text(2, e.id).bind_text(3, e.owner)
                    .bind_text(4, e.unit).bind(5, contact_active).bind(6, at).bind(7, at).bind(8, column(record.position)).run();
            });
            return;
        case EventType::contact_updated:
            visit_as<ContactUpdated>(record, [&](const ContactUpdated& e) {
                statement("UPDATE contacts SET owner = ?, unit = ?, updated_at = ?, details = ? WHERE number = ?").bind_text(1, e.owner)
                    .bind_text(2, e.unit).bind(3, at).bind(4, column(record.position)).bind(5, contact).run();
            });
            return;
        case EventType::contact_erased: return set_status(contact_erased_now);
        case EventType::contact_restricted:
            visit_as<ContactRestricted>(record, [&](const ContactRestricted& e) { set_status(e.restricted ? contact_restricted_now : contact_active); });
            return;
        case EventType::consent_granted: visit_as<ConsentGranted>(record, [&](const ConsentGranted& e) { consent(e, true); }); return;
        case EventType::consent_withdrawn: visit_as<ConsentWithdrawn>(record, [&](const ConsentWithdrawn& e) { consent(e, false); }); return;
        case EventType::suppression_added:
            visit_as<SuppressionAdded>(record, [&](const SuppressionAdded& e) {
                auto& insert = statement("INSERT OR REPLACE INTO suppressions VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
                insert.bind_text(1, e.list).bind(2, e.address).bind_text(3, e.hash_algorithm).bind_blob(4, e.phone_hash).bind(5, contact).bind(6, unix_ms(e.at));
                if (e.expires_at == instant_never) insert.bind_null(7);
                else insert.bind(7, unix_ms(e.expires_at));
                insert.bind(8, column(record.position)).run();
            });
            return;
        case EventType::suppression_removed:
            visit_as<SuppressionRemoved>(record, [&](const SuppressionRemoved& e) {
                statement("DELETE FROM suppressions WHERE list = ? AND address = ? AND algorithm = ? AND hash = ?").bind_text(1, e.list).bind(2, e.address)
                    .bind_text(3, e.hash_algorithm).bind_blob(4, e.phone_hash).run();
            });
            return;
        default: return;
    }
}

void Projector::apply_other(const Record& record) {
    const auto at = unix_ms(record.time);
    const auto policy = [&](const auto& e) {
        ByteWriter rules;
        encode(rules, e.rule_names);
        const auto label = e.name + "@" + std::to_string(e.version);
        statement("INSERT OR REPLACE INTO policies VALUES (?, ?, ?)").bind(1, e.number).bind_text(2, label).bind_blob(3, rules.bytes()).run();
    };
    const auto campaign = [&](std::string_view state) {
        ByteReader in{record.payload};
        const auto id = in.text();
        statement("UPDATE campaigns SET state = ?, updated_at = ? WHERE id = ?").bind_text(1, state).bind(2, at).bind_text(3, id).run();
    };
    const auto account = [&](std::string_view name, bool up, std::string_view reason) {
        statement("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)").bind_text(1, name).bind(2, up ? 1 : 0).bind_text(3, reason).bind(4, at).run();
    };
    const auto inbound = [&](std::string_view from_account, std::string_view channel) {
        statement("INSERT INTO inbound VALUES (?, ?, ?, ?)").bind(1, static_cast<std::int64_t>(record.sequence)).bind(2, at).bind_text(3, from_account).bind_text(4, channel).run();
    };
    switch (static_cast<EventType>(record.type)) {
        case EventType::profile_defined:
            visit_as<ProfileDefined>(record, [&](const ProfileDefined& e) {
                statement("INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?)").bind(1, e.id.value).bind_text(2, e.purpose).bind_text(3, e.channel)
                    .bind_text(4, e.account).bind_text(5, e.campaign).bind_text(6, e.unit).bind_text(7, e.template_name).run();
            });
            return;
        case EventType::policy_activated: visit_as<PolicyActivated>(record, policy); return;
        case EventType::policy_stored: visit_as<PolicyStored>(record, policy); return;
        case EventType::campaign_created: visit_as<CampaignCreated>(record, [&](const CampaignCreated& e) { apply_campaign(e, at); }); return;
        case EventType::campaign_audience_added: visit_as<CampaignAudienceAdded>(record, [&](const CampaignAudienceAdded& e) { apply_audience(e); }); return;
        case EventType::campaign_audience_removed:
            // After the start nobody leaves the experiment: it is read by intention to treat.
            visit_as<CampaignAudienceRemoved>(record, [&](const CampaignAudienceRemoved& e) {
                auto& remove = statement("DELETE FROM recipients WHERE campaign = ? AND number = ?");
                for (const auto number : e.recipients) remove.bind_text(1, e.id).bind(2, number).run();
            });
            return;
        case EventType::campaign_started: visit_as<CampaignStarted>(record, [&](const CampaignStarted& e) { begin_experiment(e.id, at); }); return campaign("running");
        case EventType::campaign_resumed: return campaign("running");
        case EventType::campaign_paused: return campaign("paused");
        case EventType::campaign_finished: return campaign("finished");
        case EventType::campaign_cancelled: return campaign("cancelled");
        case EventType::conversion_recorded:
            visit_as<ConversionRecorded>(record, [&](const ConversionRecorded& e) {
                statement("INSERT INTO conversions VALUES (?, ?, ?, ?, ?, ?)").bind(1, static_cast<std::int64_t>(record.sequence)).bind(2, record.contact.value)
                    .bind_text(3, e.kind).bind_text(4, e.currency).bind(5, e.value_cents).bind(6, unix_ms(e.at)).run();
            });
            return;
        case EventType::message_received:
            visit_as<MessageReceived>(record, [&](const MessageReceived& e) {
                inbound(e.account, e.channel);
                note_message(e.interaction, record, true);
            });
            return;
        case EventType::event_received:
            visit_as<EventReceived>(record, [&](const EventReceived& e) {
                if (e.kind == "call") inbound(e.account, e.channel.empty() ? std::string_view{"voice"} : std::string_view{e.channel});
                if (e.kind != "complaint" || record.contact.value == 0) return;
                statement("INSERT INTO complaints VALUES (?, ?, ?)").bind(1, static_cast<std::int64_t>(record.sequence)).bind(2, record.contact.value)
                    .bind(3, unix_ms(e.provider_time)).run();
            });
            return;
        case EventType::account_up: visit_as<AccountWentUp>(record, [&](const AccountWentUp& e) { account(e.account, true, {}); }); return;
        case EventType::account_down: visit_as<AccountWentDown>(record, [&](const AccountWentDown& e) { account(e.account, false, e.reason); }); return;
        default: return;
    }
}

// Conversations as a list; what becomes of each in its queue is ServiceFacts' matter.
void Projector::apply_interaction(const Record& record) {
    const auto at = unix_ms(record.time);
    switch (static_cast<EventType>(record.type)) {
        case EventType::interaction_opened:
            visit_as<InteractionOpened>(record, [&](const InteractionOpened& e) {
                auto& insert = statement("INSERT OR REPLACE INTO interactions (id, contact, account, channel, queue, campaign, touch, state, reason, priority, began_at, last_at) "
                                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
                insert.bind_blob(1, e.id.view()).bind(2, record.contact.value).bind_text(3, e.account).bind_text(4, e.channel).bind_text(5, e.queue).bind_text(6, e.campaign);
                if (e.touch.is_nil()) insert.bind_null(7);
                else insert.bind_blob(7, e.touch.view());
                insert.bind_text(8, e.state).bind_text(9, e.reason).bind(10, std::int64_t{e.priority}).bind(11, at).bind(12, at).run();
            });
            return;
        case EventType::interaction_queued:
            visit_as<InteractionQueued>(record, [&](const InteractionQueued& e) {
                statement("UPDATE interactions SET state = 'queued', queue = ?, agent = '' WHERE id = ?").bind_text(1, e.queue).bind_blob(2, e.item.view()).run();
            });
            return;
        case EventType::interaction_assigned:
            visit_as<InteractionAssigned>(record, [&](const InteractionAssigned& e) {
                statement("UPDATE interactions SET state = 'assigned', agent = ? WHERE id = ?").bind_text(1, e.agent).bind_blob(2, e.item.view()).run();
            });
            return;
        case EventType::interaction_wrapping:
            visit_as<InteractionWrapping>(record, [&](const InteractionWrapping& e) {
                statement("UPDATE interactions SET state = 'wrapping' WHERE id = ?").bind_blob(1, e.item.view()).run();
            });
            return;
        case EventType::interaction_closed:
            visit_as<InteractionClosed>(record, [&](const InteractionClosed& e) {
                statement("UPDATE interactions SET state = ?, reason = ?, outcome = ?, disposition = ?, ended_at = ? WHERE id = ?").bind_text(1, e.state).bind_text(2, e.reason)
                    .bind_text(3, e.outcome).bind_text(4, e.disposition).bind(5, at).bind_blob(6, e.id.view()).run();
            });
            return;
        default: return;
    }
}

void Projector::note_message(const Uuid& interaction, const Record& record, bool inbound) {
    if (interaction.is_nil()) return;
    statement("INSERT OR REPLACE INTO interaction_messages VALUES (?, ?, ?, ?)").bind_blob(1, interaction.view()).bind(2, static_cast<std::int64_t>(record.sequence))
        .bind(3, column(record.position)).bind(4, inbound ? 1 : 0).run();
    statement("UPDATE interactions SET last_at = ? WHERE id = ?").bind(1, unix_ms(record.time)).bind_blob(2, interaction.view()).run();
}

void Projector::count_attempt(const AttemptRow& attempt, std::uint32_t arm, std::int64_t sign) {
    auto& sums = attempt_counts_[{bucket_of(attempt.permitted_at), attempt.profile.value, attempt_number(attempt.status, arm)}];
    sums.count += sign;
    sums.parts += sign * attempt.parts;
    sums.segments += sign * attempt.segments;
    sums.cost_micro += sign * attempt.cost_micro;
}

// Moves the touch's contribution from where it was counted to where it is now.
void Projector::count(Entry& entry) {
    const auto& row = entry.row;
    auto& counted = entry.counted;
    const Counted now{bucket_of(row.created_at), row.profile().value, row.counted_as().number(), row.arm, {}};
    if (counted.number != now.number || counted.profile != now.profile) {
        if (counted.number >= 0) --touch_counts_[{counted.bucket, counted.profile, counted.number}];
        ++touch_counts_[{now.bucket, now.profile, now.number}];
        counted.bucket = now.bucket;
        counted.profile = now.profile;
        counted.number = now.number;
    }
    if (counted.attempts != row.attempts || counted.arm != row.arm) {
        for (const auto& attempt : counted.attempts) count_attempt(attempt, counted.arm, -1);
        for (const auto& attempt : row.attempts) count_attempt(attempt, row.arm, 1);
        counted.attempts = row.attempts;
        counted.arm = row.arm;
    }
}

void Projector::write_touches() {
    auto& insert = statement(
        "INSERT INTO touches (id, contact, campaign, state, profile, key_name, created_at, updated_at, key_hash, created, newest, fold) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    auto& update = statement("UPDATE touches SET state = ?, profile = ?, updated_at = ?, newest = ?, fold = ? WHERE id = ?");
    ByteWriter fold;
    for (auto* entry : dirty_) {
        auto& row = entry->row;
        count(*entry);
        fold.clear();
        encode(fold, row);
        if (entry->stored) {
            update.bind(1, static_cast<std::int64_t>(row.states.state)).bind(2, row.profile().value).bind(3, unix_ms(row.states.updated_at))
                .bind(4, column(row.newest)).bind_blob(5, fold.bytes()).bind_blob(6, row.id.view()).run();
        } else {
            insert.bind_blob(1, row.id.view()).bind(2, row.contact.value);
            if (row.campaign == 0) insert.bind_null(3);
            else insert.bind(3, row.campaign);
            insert.bind(4, static_cast<std::int64_t>(row.states.state)).bind(5, row.profile().value).bind(6, row.key_name).bind(7, unix_ms(row.created_at))
                .bind(8, unix_ms(row.states.updated_at));
            if (row.has_key) insert.bind(9, static_cast<std::int64_t>(row.key_hash));
            else insert.bind_null(9);
            insert.bind(10, column(row.created)).bind(11, column(row.newest)).bind_blob(12, fold.bytes()).run();
        }
        entry->stored = true;
        entry->dirty = false;
    }
    dirty_.clear();
}

void Projector::write_counts() {
    auto& touches = statement("INSERT INTO touch_counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count");
    auto& empty_touches = statement("DELETE FROM touch_counts WHERE bucket = ? AND profile = ? AND class = ? AND count = 0");
    for (const auto& [key, change] : touch_counts_) {
        const auto& [bucket, profile, number] = key;
        if (change == 0) continue;
        touches.bind(1, bucket).bind(2, profile).bind(3, number).bind(4, change).run();
        // Classes that touches only passed through leave no row, so that batches of any size give the same tables.
        if (change < 0) empty_touches.bind(1, bucket).bind(2, profile).bind(3, number).run();
    }
    auto& attempts = statement(
        "INSERT INTO attempt_counts VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, parts = parts + excluded.parts, "
        "segments = segments + excluded.segments, cost_micro = cost_micro + excluded.cost_micro");
    auto& empty_attempts = statement("DELETE FROM attempt_counts WHERE bucket = ? AND profile = ? AND class = ? AND count = 0");
    for (const auto& [key, change] : attempt_counts_) {
        const auto& [bucket, profile, number] = key;
        if (change.count == 0 && change.parts == 0 && change.segments == 0 && change.cost_micro == 0) continue;
        attempts.bind(1, bucket).bind(2, profile).bind(3, number).bind(4, change.count).bind(5, change.parts).bind(6, change.segments).bind(7, change.cost_micro).run();
        if (change.count < 0) empty_attempts.bind(1, bucket).bind(2, profile).bind(3, number).run();
    }
    auto& rules = statement(
        "INSERT INTO rule_counts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET deferred = deferred + excluded.deferred, blocked = blocked + excluded.blocked");
    for (const auto& [key, change] : rule_counts_) {
        const auto& [bucket, profile, rule] = key;
        rules.bind(1, bucket).bind(2, profile).bind(3, rule).bind(4, change.deferred).bind(5, change.blocked).run();
    }
    touch_counts_.clear();
    attempt_counts_.clear();
    rule_counts_.clear();
}

void Projector::write_cursor() {
    statement("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?, ?, ?)").bind(1, static_cast<std::int64_t>(pending_cursor_.sequence))
        .bind(2, column(pending_cursor_.position)).bind_blob(3, pending_cursor_.hash).bind(4, unix_ms(pending_cursor_.time)).run();
}

Result<void> Projector::commit() {
    if (!in_transaction_) return {};
    write_touches();
    write_counts();
    write_cursor();
    database_.execute("COMMIT");
    if (const auto failure = database_.failure()) {
        const auto error = *failure;
        statements_.clear();
        database_.forget_failure();
        database_.execute("ROLLBACK");
        database_.forget_failure();
        forget_all();
        // What the tables say cannot be read either: the caller sees the first failure, the next use the second.
        database_.forget_failure();
        return error;
    }
    cursor_ = pending_cursor_;
    batched_ = 0;
    in_transaction_ = false;
    if (recent_.size() > touches_kept) {
        older_ = std::move(recent_);
        recent_.clear();
    }
    return {};
}

}  // namespace touchgate::projection
