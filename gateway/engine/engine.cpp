// The turn: take what waits, decide, append, sync once, release. And the engine's life around it.

#include "gateway/engine/engine.hpp"

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr std::size_t turn_bytes = std::size_t{16} << 20U;   // reserved for each turn's batch
constexpr std::size_t room_for_command = std::size_t{4} << 20U;
constexpr std::size_t room_for_page = std::size_t{8} << 20U;  // what an answer of 4 MiB, the transport's bound, becomes in the log
constexpr std::size_t keys_per_turn = 65'536;

crypto::Key derive(const crypto::Key& key, std::string_view purpose) {
    return crypto::hmac_sha256({reinterpret_cast<const char*>(key.data()), key.size()}, purpose);
}

}  // namespace

Engine::Internals::Internals(Engine& owner, EngineParts given, EngineSettings given_settings)
    : engine{owner},
      parts{given},
      settings{std::move(given_settings)},
      index_hash{derive(settings.index_key, "touchgate blind index")},
      own_key{derive(settings.index_key, "touchgate own records")},
      checkpoint_key{derive(settings.index_key, "touchgate checkpoints")},
      time{Instant::min(), given.clock.wall_now(), given.clock.monotonic_now()},
      ids{given.random},
      router{router_settings(), journal, given.random} {
    for (auto& account : settings.accounts) {
        const auto number = static_cast<AccountNumber>(accounts.size());
        account_numbers[account.name] = number;
        auto& made = accounts.emplace_back();
        made.settings = account;
        has_reply_windows = has_reply_windows || !account.capabilities.reply_windows.empty();
        if (account.rate_per_second) made.bucket.emplace(*account.rate_per_second);
    }
}

std::unique_ptr<Engine> Engine::Internals::for_reading(EngineParts parts, EngineSettings settings) {
    std::unique_ptr<Engine> engine{new Engine{nullptr}};
    engine->internals_ = std::make_unique<Internals>(*engine, parts, std::move(settings));
    return engine;
}

Engine::Engine(std::unique_ptr<Internals> internals) : internals_{std::move(internals)} {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::start(EngineParts parts, EngineSettings settings, std::optional<Checkpoint> checkpoint) {
    auto engine = Internals::for_reading(parts, std::move(settings));
    auto& in = *engine->internals_;

    std::uint64_t from = 1;
    if (checkpoint) {
        from = checkpoint->head.sequence + 1;
        if (auto loaded = in.load(std::move(*checkpoint)); !loaded) return loaded.error();
    }
    std::optional<Error> fault;
    const auto scanned = parts.reader.scan(from, [&](const Record& record) {
        if (auto folded = in.replay(record); !folded) fault = folded.error();
        return !fault;
    });
    if (fault) return *fault;
    if (!scanned) return scanned.error();

    // A contact whose key is missing must have been erased.
    for (std::uint32_t i = 1; i < in.state.contacts.size(); ++i)
        if (in.state.contacts[i].erased && parts.keys.find(ContactIndex{i}) != nullptr) {
            // The program ended between the erasure's record and the end of the key.
            if (auto destroyed = parts.keys.destroy(ContactIndex{i}); !destroyed) return destroyed.error();
        } else if (!in.state.contacts[i].erased && parts.keys.find(ContactIndex{i}) == nullptr)
            return Error{.kind = ErrorKind::corrupt, .detail = "the key of contact " + std::to_string(i) + " is missing from keys/ and the contact was not erased: the key store is damaged or older than the log"};

    for (auto& account : in.accounts) {
        account.symbol = in.state.symbols.intern(account.settings.name);
        account.channel = in.state.symbols.intern(account.settings.capabilities.channel);
    }
    in.time = EngineTime{in.state.last_time, parts.clock.wall_now(), parts.clock.monotonic_now()};
    in.now = in.time.now();
    in.monotonic = parts.clock.monotonic_now();
    in.durable = parts.reader.durable_head();

    // What the start itself must say is a first batch of its own.
    if (auto reserved = parts.log.reserve(turn_bytes * 4); !reserved) return reserved.error();
    in.activate_configured_calendars();
    if (auto activated = in.activate_configured_policy(); !activated) return activated.error();
    in.compile_routes();
    in.register_templates();
    in.rebuild_volatile();
    in.begin_routing();
    in.begin_calls();
    in.compile_leads();
    if (in.sweep_after_start) in.policy_changed();
    if (auto synced = parts.keys.sync(); !synced) return synced.error();
    if (auto committed = parts.log.commit(); !committed) return committed.error();
    in.durable = parts.reader.durable_head();
    std::vector<PullStart> pulls;
    for (const auto& [of, cursor] : in.state.pull_cursors)
        if (const auto account = in.account_numbers.find(of.first); account != in.account_numbers.end())
            pulls.push_back({.account = account->second, .name = of.second, .cursor = cursor});
    parts.transport.start_pulls(std::move(pulls));
    return engine;
}

bool Engine::post(Command command, std::size_t weight) {
    auto& in = *internals_;
    {
        const std::lock_guard lock{in.intake_mutex};
        if (in.stop_asked || in.intake_weight + weight > std::max(in.settings.limits.intake_queue, weight)) return false;
        in.intake_weight += weight;
        in.intake.push_back({std::move(command), weight});
        if (in.intake.size() > 1) return true;  // already awake
    }
    in.intake_ready.notify_one();
    return true;
}

void Engine::on_transport_events(std::vector<TransportEvent> events) {
    auto& in = *internals_;
    {
        const std::lock_guard lock{in.intake_mutex};
        if (in.transport_events.empty()) in.transport_events = std::move(events);
        else std::move(events.begin(), events.end(), std::back_inserter(in.transport_events));
    }
    in.intake_ready.notify_one();
}

void Engine::wait_for_work() {
    auto& in = *internals_;
    std::unique_lock lock{in.intake_mutex};
    const auto has_work = [&] { return in.stop_asked || !in.intake.empty() || (!in.transport_events.empty() && !in.disk_full); };
    if (!in.commands.empty() || (!in.events.empty() && !in.disk_full) || has_work()) return;
    const auto at = wake_at();
    if (!at) {
        in.intake_ready.wait(lock, has_work);
        return;
    }
    const auto now = in.parts.clock.monotonic_now();
    if (*at > now) in.intake_ready.wait_for(lock, *at - now, has_work);
}

void Engine::ask_stop() {
    {
        const std::lock_guard lock{internals_->intake_mutex};
        internals_->stop_asked = true;
    }
    internals_->intake_ready.notify_all();
}

std::optional<channel::Monotonic> Engine::wake_at() const {
    const auto& in = *internals_;
    std::optional<channel::Monotonic> at;
    const auto sooner = [&](channel::Monotonic candidate) {
        if (!at || candidate < *at) at = candidate;
    };
    if (in.disk_full) return in.monotonic + std::chrono::milliseconds{200};
    if (!in.sweep.empty() || !in.cancel_later.empty() || !in.cancelled_campaigns.empty() || in.campaigns_busy) return in.monotonic;
    if (const auto campaign = in.campaigns_wake_at()) sooner(*campaign);
    if (const auto due = in.operations_wake_at()) sooner(*due);
    for (const auto due : {in.router.next_due(), in.conversation_agenda.empty() ? std::nullopt : std::optional{in.conversation_agenda.begin()->at},
                           in.call_agenda.empty() ? std::nullopt : std::optional{in.call_agenda.begin()->first}, in.state.open_promises.empty() ? std::nullopt : std::optional{in.state.open_promises.begin()->first}})
        if (due) sooner(in.monotonic + std::max(Duration{0}, *due - in.now));
    if (const auto due = in.leases_due_at()) sooner(*due);
    if (const auto due = in.leads_due_at()) sooner(in.monotonic + std::max(Duration{0}, *due - in.now));
    if (const auto due = in.tasks_due_at()) sooner(in.monotonic + std::max(Duration{0}, *due - in.now));
    if (!in.timers.empty()) sooner(in.monotonic + std::max(Duration{0}, in.timers.top().at - in.now));
    for (const auto& account : in.accounts) {
        if (in.draining || account.queue.empty() || !account.up || account.in_flight >= static_cast<std::uint64_t>(account.settings.window)) continue;
        auto free = in.monotonic;
        if (account.bucket) free = std::max(free, account.bucket->free_at(in.monotonic));
        if (!account.cool_down.is_cool(in.monotonic)) free = std::max(free, account.cool_down.until());
        if (!account.breaker.lets_through(in.monotonic)) {
            if (account.breaker.opens_at() <= in.monotonic) continue;  // its trial is out: the answer wakes
            free = std::max(free, account.breaker.opens_at());
        }
        sooner(free);
    }
    // Parked receipts, old keys and the clock want a look now and then.
    sooner(in.monotonic + std::chrono::seconds{1});
    return at;
}

Result<bool> Engine::turn() {
    auto& in = *internals_;
    in.monotonic = in.parts.clock.monotonic_now();
    in.now = in.time.advance(in.parts.clock.wall_now(), in.monotonic);
    ++in.counters.turns;
    ++in.turns_begun;

    {
        const std::lock_guard lock{in.intake_mutex};
        for (auto& waiting : in.intake) in.commands.push_back(std::move(waiting));
        in.intake.clear();
        for (auto& event : in.transport_events) in.events.push_back(std::move(event));
        in.transport_events.clear();
    }

    // Space first: what is decided from here on can be written.
    in.disk_full = false;
    for (auto reserved : {in.parts.log.reserve(turn_bytes), in.parts.keys.reserve(keys_per_turn)})
        if (!reserved) {
            if (reserved.error().kind != ErrorKind::unavailable) return reserved.error();
            in.disk_full = true;
        }
    in.disk_full_shown = in.disk_full;
    in.clock_healthy_shown = in.time.healthy();
    const auto microseconds_since = [&](channel::Monotonic start) {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(in.parts.clock.monotonic_now() - start).count());
    };
    in.in_turn = true;
    const auto sequence_before = in.state.sequence;
    std::size_t weight_done = 0;
    bool did_something = false;
    if (!in.disk_full) {
        while (!in.events.empty()) {
            const bool is_page = std::holds_alternative<PageArrived>(in.events.front());
            if (in.parts.log.room() < (is_page ? room_for_page : room_for_command)) break;
            auto event = std::move(in.events.front());
            in.events.pop_front();
            std::visit([&](auto& each) { in.on_event(each); }, event);
            did_something = true;
        }
        in.run_timers();
        in.run_tasks();
        in.run_leases();
        in.run_conversations();
        in.run_promises();
        in.run_calls();
        in.run_recordings();
        in.run_leads();
        in.run_routing();
    }
    std::size_t new_contacts = in.state.contacts.size();
    while (!in.commands.empty() && (in.disk_full || in.parts.log.room() >= room_for_command) && in.state.contacts.size() - new_contacts < keys_per_turn - 8'192) {
        auto waiting = std::move(in.commands.front());
        in.commands.pop_front();
        weight_done += waiting.weight;
        ++in.counters.commands;
        waiting.command(*this);
        did_something = true;
    }
    if (!in.disk_full) {
        in.run_cancellations();
        in.run_released();
        in.run_sweep();
        in.run_campaigns();
        in.run_cascades();  // before anything goes that is not needed any more
        in.pump();
        in.run_dialing();
        in.run_cascades();
        in.passive_touches.clear();  // those that may not go at once go by themselves later
        in.run_operations();
        in.run_routing();
        in.forget_inbound();
        in.forget_interactions();
        in.purge_finals();
    }

    const bool wrote = in.state.sequence != sequence_before;
    if (wrote) {
        const auto before_sync = in.parts.clock.monotonic_now();
        in.parts.keys.note_sequence(in.durable.sequence);
        if (auto synced = in.parts.keys.sync(); !synced) return synced.error();
        if (auto committed = in.parts.log.commit(); !committed) return committed.error();
        ++in.counters.syncs;
        in.counters.sync.add(microseconds_since(before_sync));
        {
            const std::lock_guard lock{in.durable_mutex};
            in.durable = in.parts.reader.durable_head();
        }
        in.durable_changed.notify_all();
    }
    in.in_turn = false;
    if (weight_done > 0) {
        const std::lock_guard lock{in.intake_mutex};
        in.intake_weight -= weight_done;
    }

    // Everything above is durable: now others may see it. Effects may ask for more effects, never for events.
    while (!in.effects.empty()) {
        auto effects = std::move(in.effects);
        in.effects.clear();
        for (auto& effect : effects) effect();
    }
    if (!in.orders.empty()) in.parts.transport.hand_over(std::exchange(in.orders, {}));
    if (!in.revocations.empty()) in.parts.transport.revoke(std::exchange(in.revocations, {}));
    if (!in.reconciliations.empty()) in.parts.transport.reconcile(std::exchange(in.reconciliations, {}));
    if (!in.operation_orders.empty()) in.parts.transport.run_operations(std::exchange(in.operation_orders, {}));
    if (!in.call_orders.empty()) in.parts.transport.call(std::exchange(in.call_orders, {}));
    if (!in.task_orders.empty()) in.parts.transport.ask_tasks(std::exchange(in.task_orders, {}));
    for (const auto& [ticket, durable] : std::exchange(in.acknowledgements, {})) in.parts.transport.acknowledge(ticket, durable);
    in.deliver_pushes();
    if (wrote)
        for (auto& listener : in.durable_listeners) listener(in.durable.sequence);

    const auto turn_us = microseconds_since(in.monotonic);
    in.counters.turn_us_max = std::max(in.counters.turn_us_max, turn_us);
    if (did_something || wrote) in.counters.turn.add(turn_us);
    in.checkpoint_when_due();
    return did_something || wrote;
}

Result<void> Engine::write_checkpoint_now() {
    auto& in = *internals_;
    if (in.parts.background != nullptr) in.parts.background->abandon();
    in.log_bytes_since_checkpoint = 0;
    auto written = in.save_checkpoint(in.parts.random.next(), in.checkpoint_due_for_erasure ? 1 : 2);
    if (written) in.checkpoint_due_for_erasure.reset();
    ++(written ? in.counters.checkpoints : in.counters.checkpoints_failed);
    return written;
}

// Addresses are plain in memory and sealed at rest: the dump leaves in sealed pieces, each with its length before it.
Result<void> Engine::Internals::save_checkpoint(std::uint64_t nonce, std::size_t kept) {
    std::uint32_t count = 0;
    return write_checkpoint(
        parts.disk, settings.data_dir, parts.log.head(),
        [&](const CheckpointSink& sink) {
            dump([&](std::string_view piece) {
                ByteWriter out;
                std::string sealed;
                crypto::seal(sealed, checkpoint_key, nonce, count++, piece);
                out.text(sealed);
                sink(out.bytes());
            });
        },
        kept);
}

// A failed one is tried again after as much log: the log is what counts.
void Engine::Internals::checkpoint_when_due() {
    if (parts.background != nullptr) {
        const auto state_of_copy = parts.background->poll();
        if (state_of_copy == BackgroundCopy::State::running) return;
        if (state_of_copy == BackgroundCopy::State::succeeded) ++counters.checkpoints;
        if (state_of_copy == BackgroundCopy::State::failed) ++counters.checkpoints_failed;
    }
    const bool for_erasure = checkpoint_due_for_erasure && *checkpoint_due_for_erasure <= now;
    if (log_bytes_since_checkpoint <= settings.checkpoint_every_bytes && !for_erasure) return;
    log_bytes_since_checkpoint = 0;
    const std::size_t kept = checkpoint_due_for_erasure ? 1 : 2;
    checkpoint_due_for_erasure.reset();
    const auto nonce = parts.random.next();  // drawn here: the copy's draws would be drawn again
    if (parts.background != nullptr && parts.background->begin([&] { return save_checkpoint(nonce, kept).has_value(); })) return;
    ++(save_checkpoint(nonce, kept) ? counters.checkpoints : counters.checkpoints_failed);
}

void Engine::begin_drain() { internals_->draining = true; }
std::uint64_t Engine::turns_begun() const { return internals_->turns_begun; }
bool Engine::drained() const { return internals_->in_flight.empty() && internals_->orders.empty(); }

void Engine::after_sync(Effect effect) { internals_->effects.push_back(std::move(effect)); }
Instant Engine::now() const { return internals_->now; }
std::uint64_t Engine::sequence() const { return internals_->state.sequence; }

LogHead Engine::durable_head() const {
    const std::lock_guard lock{internals_->durable_mutex};
    return internals_->durable;
}

bool Engine::wait_for_sequence(std::uint64_t sequence, Duration timeout) const {
    std::unique_lock lock{internals_->durable_mutex};
    return internals_->durable_changed.wait_for(lock, timeout, [&] { return internals_->durable.sequence > sequence; });
}

void Engine::on_durable(absl::AnyInvocable<void(std::uint64_t)> listener) { internals_->durable_listeners.push_back(std::move(listener)); }

std::string_view Engine::name(Symbol symbol) const { return internals_->state.symbols.name(symbol); }

std::string Engine::contact_name(ContactIndex contact) const {
    const std::shared_lock lock{internals_->state.names_mutex};
    return contact.value < internals_->state.contact_ids.size() ? internals_->state.contact_ids[contact.value] : std::string{};
}

policy::Profile Engine::profile(ProfileId id) const {
    const std::shared_lock lock{internals_->state.names_mutex};
    return id.value < internals_->state.profiles.size() ? internals_->state.profiles.at(id) : policy::Profile{};
}

std::optional<crypto::Key> Engine::contact_key(ContactIndex contact) const {
    if (contact.value == 0) return internals_->own_key;
    const std::shared_lock lock{internals_->keys_mutex};
    const auto* key = internals_->parts.keys.find(contact);
    return key == nullptr ? std::nullopt : std::optional{*key};
}

std::shared_ptr<const policy::CompiledPolicy> Engine::compiled_policy(std::uint32_t number) const {
    const std::shared_lock lock{internals_->state.names_mutex};
    return number < internals_->state.policies.size() ? internals_->state.policies[number].compiled : nullptr;
}

crypto::Hash128 Engine::touch_key_hash(std::string_view unit, std::string_view key) const { return internals_->key_hash(unit, key); }

bool Engine::stop_was_asked() const {
    const std::lock_guard lock{internals_->intake_mutex};
    return internals_->stop_asked && internals_->intake.empty() && internals_->transport_events.empty();
}

bool Engine::disk_is_full() const { return internals_->disk_full_shown; }
bool Engine::clock_is_healthy() const { return internals_->clock_healthy_shown; }

void Engine::set_projection_lag(double seconds) { internals_->projection_lag_s = seconds; }

// A slot became free: what this contact has waiting may go earlier than it was told.
void Engine::Internals::run_released() {
    if (released_contacts.empty()) return;
    auto contacts = std::exchange(released_contacts, {});
    for (std::size_t i = 0, own = contacts.size(); i < own; ++i)
        for (const auto other : merged_with(contacts[i])) contacts.push_back(other);
    std::sort(contacts.begin(), contacts.end());
    contacts.erase(std::unique(contacts.begin(), contacts.end()), contacts.end());
    for (const auto contact : contacts) {
        std::vector<std::uint32_t> rows;
        for (const auto row : state.contacts[contact.value].live)
            if (touch(row).state == TouchState::deferred) rows.push_back(row);
        if (rows.empty()) continue;
        std::sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
            const auto key = [&](std::uint32_t row) { return std::tuple{rank_of(touch(row)), -static_cast<int>(touch(row).priority), touch(row).created_sequence}; };
            return key(a) < key(b);
        });
        for (const auto row : rows) {
            if (parts.log.room() < room_for_command) sweep.push_back(row);
            else decide_again(row, true);
        }
    }
}

// What a cancelled campaign has waiting, some touches each turn; nothing of it can be sent meanwhile.
void Engine::Internals::run_cancellations() {
    const auto until = parts.clock.monotonic_now() + std::chrono::milliseconds{1};
    const auto wanted = [&](std::uint32_t row) { return row < state.touches.size() && !touch(row).id.is_nil() && touch(row).is_waiting(); };
    for (int i = 0; !cancel_later.empty() && parts.log.room() >= room_for_command; ++i) {
        if ((i & 63) == 63 && parts.clock.monotonic_now() > until) return;
        const auto row = cancel_later.front();
        cancel_later.pop_front();
        if (wanted(row)) cancel(row, "campaign_cancelled");
    }
    while (!cancelled_campaigns.empty() && parts.log.room() >= room_for_command) {
        auto& scan = cancelled_campaigns.front();
        for (int i = 0; scan.next < state.touches.size() && parts.log.room() >= room_for_command; ++i) {
            if ((i & 255) == 255 && parts.clock.monotonic_now() > until) return;
            const auto row = scan.next++;
            if (wanted(row) && state.profiles.at(chosen_profile(touch(row))).campaign == scan.campaign) cancel(row, "campaign_cancelled");
        }
        if (scan.next < state.touches.size()) return;
        cancelled_campaigns.pop_front();
    }
}

}  // namespace touchgate
