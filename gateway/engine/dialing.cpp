// Campaigns that dial: how many calls they make now, for whom an agent is kept, which line and number a call takes, when a recipient is tried again,
// and what is learned from every call. The numbers come from gateway/dialing; whether a recipient may be called at all is the policy's, as for every touch.

#include <algorithm>

#include "gateway/dialing/outcomes.hpp"
#include "gateway/engine/call_host.hpp"
#include "gateway/policy/call_outcomes.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate {

namespace {

constexpr Duration tick{500};

dialing::DialKind kind_of(const std::string& time_zone, Instant at) {
    dialing::DialKind kind;
    if (const auto* zone = policy::Zone::find(time_zone)) {
        const auto local = zone->range_at(at).local(at).time_since_epoch();
        kind.hour = static_cast<std::uint8_t>(std::chrono::duration_cast<std::chrono::hours>(local - std::chrono::floor<std::chrono::days>(local)).count());
    }
    return kind;
}

bool keeps_agents(dialing::Mode mode) { return mode == dialing::Mode::progressive; }

}  // namespace

// ---- the plan

DialingRuntime* Engine::Internals::dialing_of(CampaignRow& row) {
    if (row.parsed->dialing_json.empty()) return nullptr;
    auto& runtime = runtime_of(row);
    if (!runtime.dialing) {
        const auto json = Json::parse(row.parsed->dialing_json, nullptr, false);
        if (!json.is_object()) return nullptr;
        std::vector<Problem> ignored;
        JsonReader reader{json, "", ignored};
        runtime.dialing = std::make_unique<DialingRuntime>();
        runtime.dialing->plan = dialing::read_plan(reader);
        runtime.dialing->pacer = dialing::make_pacer(runtime.dialing->plan);
        if (!row.dialed) row.dialed = std::make_unique<dialing::DialStatistics>(runtime.dialing->plan);
    }
    return runtime.dialing.get();
}

DialingRuntime* Engine::Internals::dialing_of(const TouchId& id) {
    const auto row = row_of(id);
    auto* campaign = row == 0 ? nullptr : campaign_of(touch(row));
    return campaign == nullptr ? nullptr : dialing_of(*campaign);
}

bool Engine::Internals::dialing_problems(CampaignRow& row, std::vector<Problem>& problems) {
    if (row.parsed->dialing_json.empty()) return false;
    const auto json = Json::parse(row.parsed->dialing_json, nullptr, false);
    JsonReader reader{json, "/dialing", problems};
    const auto plan = dialing::read_plan(reader);
    const auto account = account_numbers.find(plan.account);
    if (account == account_numbers.end() || !accounts[account->second].settings.calls) problems.push_back({"/dialing/account", "no telephone system of the configuration is called \"" + plan.account + "\""});
    if (!router.queue(plan.queue)) problems.push_back({"/dialing/queue", "there is no queue \"" + plan.queue + "\""});
    return dialing_of(row) != nullptr;
}

// ---- pacing

bool Engine::Internals::held_by_pacing(const QueueEntry& entry) {
    auto* row = campaign_of(touch(entry.row));
    auto* dialing = row == nullptr ? nullptr : dialing_of(*row);
    if (dialing == nullptr) return false;
    if (dialing->shown.contains(touch(entry.row).id)) {  // listed again when whoever sees him has decided
        touch(entry.row).is_queued = false;
        return true;
    }
    dialing->ready.push_back(entry);
    dialing->look_at = Instant::min();
    return true;
}

void Engine::Internals::run_dialing() {
    if (draining) return;
    look_at_shown();
    for (auto* row : std::vector<CampaignRow*>{active_campaigns}) {
        auto* dialing = row->state == "running" ? dialing_of(*row) : nullptr;
        if (dialing == nullptr || (now < dialing->look_at && !routing_stirred)) continue;
        dialing->look_at = now + tick;
        if (dialing->plan.mode == dialing::Mode::preview) show_recipients(*row, *dialing);
        else dial_some(*row, *dialing);
    }
    routing_stirred = false;
}

void Engine::Internals::dial_some(CampaignRow& row, DialingRuntime& dialing) {
    // First those who are on the line and wait for somebody.
    std::uint32_t waiting = 0;
    for (auto& [id, line] : std::map<TouchId, DialingRuntime::Line>{dialing.lines}) {
        if (!line.answered) continue;
        const auto call = std::find_if(state.calls.begin(), state.calls.end(), [&](const auto& each) { return !each.second.is_over() && each.second.touch == id; });
        if (call == state.calls.end()) continue;
        const auto call_id = call->first;
        if (const auto agent = agent_for_answer(id, call_id); !agent.empty()) with_call(call_id, [&](voice::Machine& machine) { (void)machine.agent_found(agent); });
        else ++waiting;
    }
    if (dialing.ready.empty()) return;
    std::vector<dialing::AgentView> agents;
    for (const auto id : router.agents()) {
        const auto view = router.agent(id);
        const auto& queues = view->definition->queues;
        if (std::none_of(queues.begin(), queues.end(), [&](const routing::Membership& each) { return each.queue == dialing.plan.queue; })) continue;
        if (view->session != routing::Session::signed_in || view->intent != routing::Intent::ready || view->blocked || !view->healthy) continue;
        switch (view->state) {
            case routing::AgentState::ready: agents.push_back({.phase = dialing::AgentPhase::free, .since = view->state_since}); break;
            case routing::AgentState::wrapup: agents.push_back({.phase = dialing::AgentPhase::wrapping, .since = view->state_since}); break;
            case routing::AgentState::offline:
            case routing::AgentState::fault:
            case routing::AgentState::rona_blocked:
            case routing::AgentState::not_ready: break;
            default: agents.push_back({.phase = dialing::AgentPhase::talking, .since = view->state_since}); break;
        }
    }
    std::vector<dialing::LineView> lines;
    for (const auto& [id, line] : dialing.lines) {
        if (line.answered) continue;
        lines.push_back({.dialed_at = line.dialed_at, .answer_rate = line.answer_rate});
        if (!line.offer.is_nil()) agents.push_back({.phase = dialing::AgentPhase::free, .since = line.dialed_at});  // kept for this very line
    }
    const auto account = account_numbers.find(dialing.plan.account);
    if (account == account_numbers.end()) return;
    auto* trunks = trunks_of(account->second);
    const dialing::PacingView view{.agents = agents, .lines = lines, .waiting = waiting, .room = trunks == nullptr ? 0xFFFF'FFFFU : trunks->room(now),
                                   .recipients = static_cast<std::uint32_t>(dialing.ready.size()), .next_answer_rate = row.dialed->answer_rates.rate(kind_of(settings.time_zone, now))};
    const auto pace = dialing.pacer->decide(now, view, *row.dialed);
    dialing.limit = pace.limit;
    for (std::uint32_t i = 0; i < pace.dial; ++i)
        if (!dial_next(row, dialing)) break;
}

bool Engine::Internals::dial_next(CampaignRow& row, DialingRuntime& dialing) {
    const auto found = account_numbers.find(dialing.plan.account);
    if (found == account_numbers.end()) return false;
    while (!dialing.ready.empty()) {
        auto& account = accounts[found->second];
        if (!account.up || account.in_flight >= static_cast<std::uint64_t>(account.settings.window) || !account.breaker.lets_through(monotonic) || !account.cool_down.is_cool(monotonic)) return false;
        if (account.bucket && account.bucket->free_at(monotonic) > monotonic) return false;
        if (parts.log.room() < (std::size_t{1} << 20U)) return false;
        if (keeps_agents(dialing.plan.mode) && router.free_agents(dialing.plan.queue, "voice") == 0) return false;
        const auto entry = dialing.ready.front();
        dialing.ready.pop_front();
        auto& waiting = touch(entry.row);
        if (!waiting.is_queued || waiting.queue_ticket != entry.ticket || !waiting.is_waiting()) continue;
        waiting.is_queued = false;
        const auto id = waiting.id;
        dialing.lines[id] = {.dialed_at = now, .answer_rate = row.dialed->answer_rates.rate(kind_of(settings.time_zone, now)), .offer = {}, .row = entry.row, .answered = false};
        if (permit(entry.row, account, found->second)) return true;
        dialing.lines.erase(id);  // held back in the last moment; the next one is dialled instead
    }
    return false;
}

std::optional<Engine::Internals::DialTerms> Engine::Internals::campaign_terms(std::uint32_t row) {
    const auto& sent = touch(row);
    const auto id_of_touch = sent.id;
    const auto contact = sent.contact;
    const auto address = sent.address;
    auto* dialing = dialing_of(id_of_touch);
    const auto line = dialing == nullptr ? std::map<TouchId, DialingRuntime::Line>::iterator{} : dialing->lines.find(id_of_touch);
    if (dialing == nullptr || line == dialing->lines.end()) return std::nullopt;
    const auto& plan = dialing->plan;
    DialTerms terms;
    terms.plan.kind = voice::Plan::Kind::reserved;
    terms.plan.name = terms.queue = plan.queue;
    terms.plan.detect_machine = plan.detect_machines;
    terms.plan.agent_within = plan.no_agent_within;
    terms.ring_timeout = plan.ring_timeout;
    terms.caller_id = plan.caller_id;
    terms.interaction = ids.next(now);
    emit(contact, InteractionOpened{.id = terms.interaction, .channel = "voice", .account = plan.account, .queue = plan.queue,
                                    .campaign = std::string{state.symbols.name(state.profiles.at(chosen_profile(touch(row))).campaign)}, .state = "queued", .reason = {},
                                    .touch = id_of_touch, .address = address, .priority = 50});
    if (keeps_agents(plan.mode)) {
        const auto reserved = router.reserve({.item = {.item = terms.interaction, .queue = plan.queue, .channel = "voice", .priority = {}, .cause = "dialling"},
                                              .longest = plan.ring_timeout + Duration{30'000}, .auto_answer = true},
                                             now);
        if (reserved) terms.offer = line->second.offer = *reserved;
    }
    return terms;
}

std::string Engine::Internals::agent_for_answer(const TouchId& id, const Uuid& call) {
    auto* dialing = dialing_of(id);
    if (dialing == nullptr) return {};
    const auto line = dialing->lines.find(id);
    if (line == dialing->lines.end()) return {};
    line->second.answered = true;
    if (const auto item = router.item(call)) {
        // He was kept a place by an earlier run of the program: who has accepted him, or is asked, has him.
        auto agent = std::string{item->agent};
        if (agent.empty() && !item->offers.empty())
            if (const auto made = router.offer(item->offers.front()); made && router.accept(made->agent, made->id, std::nullopt, now, routing::Phase::dialing)) agent = made->agent;
        if (!agent.empty()) dialing->lines.erase(line);
        return agent;
    }
    const auto reserved = router.reserve({.item = {.item = call, .queue = dialing->plan.queue, .channel = "voice", .priority = {}, .cause = "answered"}, .longest = Duration{30'000},
                                          .auto_answer = true},
                                         now);
    if (!reserved) return {};
    const auto offer = router.offer(*reserved);
    if (!offer) return {};
    const auto agent = std::string{offer->agent};
    if (!router.accept(agent, *reserved, std::nullopt, now, routing::Phase::dialing)) return {};
    dialing->lines.erase(line);
    return agent;
}

void Engine::Internals::line_is_taken(const TouchId& id) {
    if (auto* dialing = dialing_of(id)) dialing->lines.erase(id);
}

void Engine::Internals::forget_line(const voice::Call& call) {
    for (const auto& tired : std::exchange(tired_numbers, {})) emit(ContactIndex{}, tired);
    routing_stirred = true;
    if (auto* dialing = dialing_of(call.touch)) {
        dialing->lines.erase(call.touch);
        dialing->shown.erase(call.touch);
    }
}

// ---- again

std::optional<Instant> Engine::Internals::redial_at(const Touch& sent) {
    auto* campaign = campaign_of(sent);
    auto* dialing = campaign == nullptr ? nullptr : dialing_of(*campaign);
    if (dialing == nullptr || campaign->state == "cancelled" || sent.attempts.empty()) return std::nullopt;
    const auto& outcomes = sent.dialed ? *sent.dialed : std::vector<dialing::Outcome>{};
    if (outcomes.empty()) return std::nullopt;
    const auto next = dialing::next_attempt(dialing->plan, outcomes, now);
    return next.at && *next.at < sent.expires_at ? next.at : std::nullopt;
}

// ---- what is learned; part of the fold

void Engine::Internals::learn_from_call(const voice::CallEnded& ended) {
    const auto call = state.calls.find(ended.call);
    const auto row = row_of(ended.touch);
    auto* campaign = row == 0 || !ended.outbound ? nullptr : campaign_of(touch(row));
    if (call == state.calls.end() || campaign == nullptr || dialing_of(*campaign) == nullptr) return;
    auto& ends = touch(row).dialed;
    if (!ends) ends = std::make_unique<std::vector<std::uint8_t>>();
    ends->push_back(policy::call_outcome_number(ended.outcome));
    auto& learned = *campaign->dialed;
    const auto end = from_unix_ms(ended.ended_at);
    const bool answered = ended.answered_at != 0;
    if (!dialing::is_our_fault(ended.cause) && ended.outcome != "cancelled" && ended.outcome != "unknown")
        learned.dial_ended(kind_of(settings.time_zone, end), std::max(Duration{0}, (answered ? from_unix_ms(ended.answered_at) : end) - call->second.started_at), answered);
    if (answered) learned.drops.answered(end, {.machine = ended.outcome == "machine", .dropped = ended.outcome == "dropped", .reached_queue = ended.outcome != "machine"});
    if (ended.talk_ms > 0) learned.talk.ended_after(Duration{ended.talk_ms});
}

// ---- lines and numbers

dialing::TrunkPool* Engine::Internals::trunks_of(AccountNumber account) {
    const auto& terms = accounts[account].settings.trunks;
    if (terms.empty()) return nullptr;
    auto& pool = trunk_pools[account];
    if (!pool) pool = std::make_unique<dialing::TrunkPool>(terms);
    return pool.get();
}

dialing::TrunkPool* Engine::Internals::trunks_of(std::string_view name) {
    const auto account = account_numbers.find(name);
    return account == account_numbers.end() ? nullptr : trunks_of(account->second);
}

std::string Engine::Internals::choose_trunk(AccountNumber account, ContactIndex contact, const std::string& number, DialTerms& terms) {
    const auto* trunks = trunks_of(account);
    if (trunks == nullptr || !terms.endpoint.empty()) return {};
    const std::string region = settings.phones ? settings.phones->of(number).region : std::string{};
    const auto chosen = trunks->choose(now, {.contact = contact.value, .region = region, .caller_id = terms.caller_id});
    const auto* choice = std::get_if<dialing::TrunkPool::Choice>(&chosen);
    if (choice == nullptr) return {};  // the account's own line: a campaign was held back before
    terms.endpoint = choice->endpoint;
    if (!choice->caller_id.empty()) terms.caller_id = choice->caller_id;
    return std::string{choice->name};
}

void Engine::Internals::take_line_of_arrival(AccountNumber account, ContactIndex contact, const Uuid& call, std::string_view endpoint) {
    const auto* trunks = trunks_of(account);
    if (trunks == nullptr) return;
    for (const auto id : router.agents())
        if (!endpoint.empty() && router.agent(id)->definition->extension == endpoint) return;  // from a telephone of the house
    emit(contact, CallLineTaken{.call = call, .trunk = std::string{trunks->trunk_over(endpoint)}, .caller_id = {}});
}

void Engine::Internals::apply(const RecordMeta& meta, const CallLineTaken& event) {
    const auto call = state.calls.find(event.call);
    if (call == state.calls.end()) return;
    call->second.trunk = event.trunk;
    call->second.caller_id = event.caller_id;
    auto* trunks = trunks_of(call->second.account);
    if (trunks == nullptr) return;
    if (!call->second.outbound) trunks->arrived(to_string(event.call), event.trunk);
    else trunks->dialed(meta.time, to_string(event.call), event.trunk, event.caller_id, meta.contact.value);
}

void Engine::Internals::leave_trunk(const RecordMeta& meta, const voice::Call& call, const voice::CallEnded& ended) {
    auto* trunks = call.trunk.empty() ? nullptr : trunks_of(call.account);
    if (trunks == nullptr) return;
    const bool ours = dialing::is_our_fault(ended.cause) || ended.outcome == "cancelled" || ended.outcome == "unknown";
    const auto tired = trunks->ended(meta.time, to_string(call.id), {.answered = ended.answered_at != 0, .talked = Duration{ended.talk_ms}, .ours = ours});
    // What was decided about it then stands in the log.
    if (tired && !meta.replay)
        tired_numbers.push_back({.account = call.account, .number = tired->number, .why = std::string{tired->why}, .share = tired->share, .bound = tired->bound, .until = tired->until});
}

void Engine::Internals::apply(const RecordMeta&, const CallerIdRested& event) {
    if (auto* trunks = trunks_of(event.account)) trunks->rest(event.number, event.until);
}

std::vector<std::pair<std::string, std::string>> Engine::Internals::dumped_trunks() {
    std::vector<std::pair<std::string, std::string>> all;
    for (AccountNumber number = 0; number < accounts.size(); ++number) {
        const auto* trunks = trunks_of(number);
        if (trunks == nullptr) continue;
        ByteWriter bytes;
        encode(bytes, *trunks);
        all.emplace_back(accounts[number].settings.name, std::move(bytes.bytes()));
    }
    return all;
}

void Engine::Internals::load_trunks(const std::vector<std::pair<std::string, std::string>>& dumped) {
    for (const auto& [account, bytes] : dumped)
        if (auto* trunks = trunks_of(account); trunks != nullptr && decode(bytes, *trunks)) trunks->forget_calls();
    for (const auto& [id, call] : state.calls)
        if (!call.is_over() && !call.trunk.empty())
            if (auto* trunks = trunks_of(call.account)) {
                if (call.outbound) trunks->goes_on(to_string(id), call.trunk, call.caller_id);
                else trunks->arrived(to_string(id), call.trunk);
            }
}

}  // namespace touchgate
