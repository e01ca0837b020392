// The state as bytes: what the events have said. What follows from it (lanes, lists, timers) is made anew. Everything is written in the order of names and of
// arrival, so that equal states are equal bytes, however they came about.

#include <algorithm>
#include <numeric>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

namespace {

constexpr std::uint8_t format = 3;

void write(ByteWriter& out, Instant at) { out.i64(unix_ms(at)); }
Instant read_instant(ByteReader& in) { return from_unix_ms(in.i64()); }

// Numbers of a table in the order of their names.
template <class Table> std::vector<std::uint32_t> by_name(const Table& table) {
    std::vector<std::uint32_t> order(table.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return table[a]->id < table[b]->id; });
    return order;
}

}  // namespace

void Router::save(std::string& bytes) const { internals_->save(bytes); }
bool Router::restore(std::string_view bytes) { return internals_->restore(bytes); }

void Router::Internals::save(std::string& bytes) {
    ByteWriter out;
    out.u8(format);
    out.u64(last_fence);
    out.u64(last_serial);
    write(out, last_at);
    const auto name_of = [&](AgentNumber agent) { return agent == nobody ? std::string_view{} : std::string_view{agents[agent]->id}; };

    out.varint(queues.size());
    for (const auto& entry : queues) {  // in their order, which counts: the first that takes a channel gets what no account's queue does
        const auto& queue = *entry;
        out.text(queue.id);
        out.text(queue.document);
        const auto today = day_of(last_at);
        out.i64(today);
        const auto c = queue.day == today ? queue.counts : QueueCounts{};
        for (const auto count : {c.offered, c.answered, c.answered_within, c.abandoned, c.short_abandoned, c.flowed_out, c.rona}) out.varint(count);
        out.i64(queue.served_position);
        out.text(name_of(queue.served_agent));
        out.f64(queue.virtual_time);
        write(out, queue.last_departure);
        write(out, queue.busy_since);
        out.f64(queue.departure_mean_ms);
        out.f64(queue.departure_deviation_ms);
    }

    const auto defined = [&] {
        auto order = by_name(agents);
        std::erase_if(order, [&](auto number) { return !agents[number]->defined; });
        return order;
    }();
    out.varint(defined.size());
    for (const auto number : defined) {
        const auto& agent = *agents[number];
        out.text(agent.id);
        out.text(agent.document);
        out.u8(static_cast<std::uint8_t>(agent.session));
        out.u8(static_cast<std::uint8_t>(agent.intent));
        out.text(agent.reason);
        out.text(agent.health_reason);
        out.boolean(agent.healthy);
        out.boolean(agent.blocked);
        for (const auto count : agent.unanswered) out.varint(count);
        write(out, agent.state_since);
        write(out, agent.session_since);
        write(out, agent.idle_since);
        out.varint(static_cast<std::uint64_t>(std::count_if(agent.window.begin(), agent.window.end(), [&](const auto& bucket) { return bucket.leaves_at() > unix_ms(last_at); })));
        for (const auto& bucket : agent.window) {
            if (bucket.leaves_at() <= unix_ms(last_at)) continue;
            out.i64(bucket.number);
            out.varint(bucket.calls);
            out.i64(bucket.talk_ms);
        }
        out.varint(agent.memberships.size());
        for (const auto& membership : agent.memberships) {
            out.text(queues[membership.queue]->id);
            out.f64(membership.virtual_time);
        }
    }

    std::vector<ItemNumber> order;
    for (ItemNumber number = 0; number < items.size(); ++number)
        if (items[number].serial != 0) order.push_back(number);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return items[a].serial < items[b].serial; });
    out.varint(order.size());
    for (const auto number : order) {
        const auto& item = items[number];
        out.raw(item.id.view());
        out.u64(item.serial);
        out.u8(static_cast<std::uint8_t>(item.state));
        out.u8(static_cast<std::uint8_t>(item.phase));
        for (const bool flag : {item.recovering, item.front, item.dialled, item.after_hours, item.auto_answer, item.parked}) out.boolean(flag);
        out.text(item.queue == nobody ? std::string_view{} : std::string_view{queues[item.queue]->id});
        out.text(channels[item.channel]);
        out.u8(item.priority);
        out.varint(needs[item.needs].words.size());
        for (const auto& word : needs[item.needs].words) out.text(word);
        for (const auto agent : {item.agent, item.only, item.prefers}) out.text(name_of(agent));
        for (const auto at : {item.first_queued_at, item.queued_at, item.entered_at, item.assigned_at, item.wrap_deadline}) write(out, at);
        out.i64(item.entered_day);
        out.text(item.outcome);
        out.i64(item.reserve_for.count());
        out.i64(item.step_at);
        out.varint(item.unanswered_before);
        std::vector<std::pair<std::string_view, std::int64_t>> backoffs;
        for (const auto& backoff : item.backoffs)
            if (backoff.until > unix_ms(last_at)) backoffs.emplace_back(name_of(backoff.agent), backoff.until);
        std::sort(backoffs.begin(), backoffs.end());
        out.varint(backoffs.size());
        for (const auto& [agent, until] : backoffs) {
            out.text(agent);
            out.i64(until);
        }
    }
    // Who works on what, in the order in which he got it.
    for (const auto number : defined) {
        const auto& mine = agents[number]->items;
        out.varint(mine.size());
        for (const auto item : mine) out.raw(items[item].id.view());
    }

    std::vector<OfferNumber> pending;
    for (OfferNumber number = 0; number < offers.size(); ++number)
        if (offers[number].item != nobody) pending.push_back(number);
    std::sort(pending.begin(), pending.end(), [&](auto a, auto b) { return offers[a].fence < offers[b].fence; });
    out.varint(pending.size());
    for (const auto number : pending) {
        const auto& offer = offers[number];
        out.raw(offer.id.view());
        out.raw(items[offer.item].id.view());
        out.text(name_of(offer.agent));
        out.u64(offer.fence);
        write(out, offer.made_at);
        write(out, offer.deadline);
        for (const bool flag : {offer.silent, offer.auto_answer, offer.preview}) out.boolean(flag);
    }
    out.varint(ended_order.size());
    for (const auto& [id, agent] : ended_order) {
        out.raw(id.view());
        out.text(name_of(agent));
    }
    bytes = std::move(out.bytes());
}

bool Router::Internals::restore(std::string_view bytes) {
    ByteReader in{bytes};
    const auto written_as = in.u8();
    if (written_as != format || !agents.empty() || !queues.empty()) return false;
    last_fence = in.u64();
    const auto serial = in.u64();
    clock = last_at = read_instant(in);
    const auto read_id = [&] {
        Uuid id;
        const auto raw = in.raw(16);
        if (raw.size() == 16) std::memcpy(id.bytes.data(), raw.data(), 16);
        return id;
    };
    const auto count = [&] {
        const auto size = in.varint();
        if (size > in.remaining()) in.fail();  // each takes at least a byte
        return in.failed() ? std::uint64_t{0} : size;
    };

    for (auto left = count(); left > 0 && !in.failed(); --left) {
        const std::string id{in.text()};
        on(QueueDefined{.id = id, .document = std::string{in.text()}}, last_at);
        const auto number = find_queue(id);
        if (number == nobody) return false;
        auto& queue = *queues[number];
        queue.day = in.i64();
        auto& c = queue.counts;
        for (auto* to : {&c.offered, &c.answered, &c.answered_within, &c.abandoned, &c.short_abandoned, &c.flowed_out, &c.rona}) *to = in.varint();
        queue.served_position = static_cast<int>(in.i64());
        queue.served_agent = intern_agent(in.text());
        queue.virtual_time = in.f64();
        queue.last_departure = read_instant(in);
        queue.busy_since = read_instant(in);
        queue.departure_mean_ms = in.f64();
        queue.departure_deviation_ms = in.f64();
    }

    std::vector<AgentNumber> order;
    std::vector<Instant> state_since;
    for (auto left = count(); left > 0 && !in.failed(); --left) {
        const std::string id{in.text()};
        on(AgentDefined{.id = id, .document = std::string{in.text()}}, last_at);
        const auto number = find_agent(id);
        if (number == nobody) return false;
        auto& agent = *agents[number];
        order.push_back(number);
        agent.session = static_cast<Session>(in.u8());
        agent.intent = static_cast<Intent>(in.u8());
        agent.reason = in.text();
        agent.health_reason = in.text();
        agent.healthy = in.boolean();
        agent.blocked = in.boolean();
        for (auto& unanswered : agent.unanswered) unanswered = static_cast<std::uint32_t>(in.varint());
        state_since.push_back(read_instant(in));
        agent.session_since = read_instant(in);
        agent.idle_since = read_instant(in);
        for (auto buckets = count(); buckets > 0 && !in.failed(); --buckets) {
            const auto number_of = in.i64();
            const auto calls = static_cast<std::uint32_t>(in.varint());
            agent.window.push_back({.number = number_of, .calls = calls, .talk_ms = in.i64()});
        }
        for (auto memberships = count(); memberships > 0 && !in.failed(); --memberships) {
            const auto queue = find_queue(in.text());
            const auto virtual_time = in.f64();
            for (auto& membership : agent.memberships)
                if (membership.queue == queue) membership.virtual_time = virtual_time;
        }
        if (agent.session != Session::offline)
            for (const auto& membership : agent.memberships) {
                auto& queue = *queues[membership.queue];
                ++queue.signed_in;
                for (std::size_t channel = 0; channel < channels.size(); ++channel) queue.signed_in_by_channel[channel] += agent.capacity[channel] > 0 ? 1 : 0;
            }
        look_at_shift(agent, number, last_at);
    }

    std::vector<ItemNumber> read_items;
    for (auto left = count(); left > 0 && !in.failed(); --left) {
        const auto number = new_item(read_id());
        read_items.push_back(number);
        auto& item = items[number];
        item.serial = in.u64();
        item.state = static_cast<ItemState>(in.u8());
        item.phase = static_cast<Phase>(in.u8());
        for (auto* flag : {&item.recovering, &item.front, &item.dialled, &item.after_hours, &item.auto_answer}) *flag = in.boolean();
        item.parked = in.boolean();
        item.queue = find_queue(in.text());
        item.channel = intern_channel(in.text()).value_or(voice);
        item.priority = in.u8();
        std::vector<std::string> words;
        for (auto size = count(); size > 0 && !in.failed(); --size) words.emplace_back(in.text());
        item.needs = intern_needs(words);
        for (auto* agent : {&item.agent, &item.only, &item.prefers}) *agent = intern_agent(in.text());
        for (auto* at : {&item.first_queued_at, &item.queued_at, &item.entered_at, &item.assigned_at, &item.wrap_deadline}) *at = read_instant(in);
        item.entered_day = in.i64();
        item.outcome = in.text();
        item.reserve_for = Duration{in.i64()};
        item.step_at = in.i64();
        if (written_as > 1) item.unanswered_before = static_cast<std::uint32_t>(in.varint());
        for (auto size = count(); size > 0 && !in.failed(); --size) {
            const auto agent = intern_agent(in.text());
            item.backoffs.push_back({.agent = agent, .until = in.i64()});
        }
        const bool waits = item.state == ItemState::queued || item.state == ItemState::reserved;
        if (item.serial == 0 || (waits && item.queue == nobody)) return false;
        if (waits && item.is_counted()) ++queues[item.queue]->waiting;
        if (item.agent == nobody) continue;
        auto& agent = *agents[item.agent];
        if (item.state == ItemState::assigned || item.channel == voice) {
            ++agent.used[item.channel];
            ++agent.used_total;
        }
    }
    last_serial = serial;
    for (const auto agent : order)
        for (auto size = count(); size > 0 && !in.failed(); --size)
            if (const auto item = find_item(read_id()); item != nobody) agents[agent]->items.push_back(item);

    for (auto left = count(); left > 0 && !in.failed(); --left) {
        OfferRecord offer;
        offer.id = read_id();
        offer.item = find_item(read_id());
        offer.agent = find_agent(in.text());
        offer.fence = in.u64();
        offer.made_at = read_instant(in);
        offer.deadline = read_instant(in);
        for (auto* flag : {&offer.silent, &offer.auto_answer, &offer.preview}) *flag = in.boolean();
        if (offer.item == nobody || offer.agent == nobody) return false;
        const auto number = static_cast<OfferNumber>(offers.size());
        offers.push_back(offer);
        offer_numbers.emplace(offer.id, number);
        items[offer.item].offers.push_back(number);
        auto& agent = *agents[offer.agent];
        agent.offers.push_back(number);
        ++agent.used[items[offer.item].channel];
        ++agent.used_total;
        arm(TimerKind::offer, number, unix_ms(offer.deadline));
    }
    for (auto left = count(); left > 0 && !in.failed(); --left) {
        const auto id = read_id();
        const auto agent = intern_agent(in.text());
        ended_order.emplace_back(id, agent);
        ended_offers.emplace(id, agent);
    }
    if (!in.at_end()) return false;
    for (const auto number : read_items) {
        if (items[number].state == ItemState::queued || items[number].state == ItemState::reserved) place(number, last_at);
        arm_item(number);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        refresh(order[i], last_at);
        agents[order[i]]->state_since = state_since[i];
    }
    unsettled = true;
    return true;
}

}  // namespace touchgate::routing
