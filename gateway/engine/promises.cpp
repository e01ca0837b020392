// Promises: a customer is called back, or written to, at an agreed time. A promise that is due goes to the agent who gave it; if he does not keep it
// within the grace, it is late, and everybody who serves its queue sees it.

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr Duration grace{std::chrono::minutes{10}};
constexpr Duration broken_after{std::chrono::hours{24}};

Error no_such(const std::string& id) { return {.kind = ErrorKind::not_found, .detail = "there is no open promise " + id, .problems = {}, .retry_after_s = 0, .reference = "bad_request"}; }

}  // namespace

// ---- the fold

void Engine::Internals::apply(const RecordMeta& meta, const PromiseMade& event) {
    state.promises[event.id] = {.id = event.id, .contact = meta.contact, .at = event.at, .channel = event.channel, .agent = event.agent, .queue = event.queue, .state = "open",
                                .sealed = event.sealed, .interaction = event.interaction};
    state.open_promises.emplace(event.at, event.id);
}

void Engine::Internals::apply(const RecordMeta& meta, const PromiseChanged& event) {
    const auto found = state.promises.find(event.id);
    if (found == state.promises.end()) return;
    auto& promise = found->second;
    state.open_promises.erase({promise.at, promise.id});
    promise.state = event.state;
    promise.agent = event.agent;
    if (event.state == "due" || event.state == "late") {
        // Looked at again when it would be late, or broken.
        promise.at = meta.time + (event.state == "due" ? grace : broken_after);
        state.open_promises.emplace(promise.at, promise.id);
        const KeptPush push{.at = meta.time, .kind = PushKind::promise, .offer = event.id, .text = {}, .more = {}};
        if (!event.agent.empty()) push_to(event.agent, push, meta);
        else
            for (const auto agent : router.agents()) {
                const auto view = router.agent(agent);
                const auto& queues = view->definition->queues;
                if (view->session == routing::Session::signed_in &&
                    std::any_of(queues.begin(), queues.end(), [&](const routing::Membership& each) { return each.queue == promise.queue; }))
                    push_to(std::string{agent}, push, meta);
            }
        return;
    }
    if (!promise.is_open()) state.promises.erase(found);
}

// ---- acts

Result<PromiseDetails> Engine::Internals::make_promise(ContactIndex contact, const PromiseInput& input, const std::string& queue, const Uuid& interaction) {
    const auto id = ids.next(now);
    emit(contact, PromiseMade{.id = id, .at = std::max(input.at, now), .channel = input.channel, .agent = input.agent, .queue = queue, .interaction = interaction,
                              .sealed = input.note.empty() ? std::string{} : seal_for(contact, ConsentSecret{.evidence = input.note})});
    return details(state.promises.at(id));
}

void Engine::Internals::run_promises() {
    for (int done = 0; done < 256 && !state.open_promises.empty() && state.open_promises.begin()->first <= now; ++done) {
        if (parts.log.room() < (std::size_t{4} << 20U)) return;
        const auto id = state.open_promises.begin()->second;
        const auto found = state.promises.find(id);
        if (found == state.promises.end()) {
            state.open_promises.erase(state.open_promises.begin());
            continue;
        }
        const auto& promise = found->second;
        if (promise.state == "open") emit(promise.contact, PromiseChanged{.id = id, .state = "due", .agent = promise.agent});
        else if (promise.state == "due") emit(promise.contact, PromiseChanged{.id = id, .state = "late", .agent = {}});
        else emit(promise.contact, PromiseChanged{.id = id, .state = "broken", .agent = promise.agent});
    }
}

PromiseDetails Engine::Internals::details(const PromiseRow& promise) const {
    PromiseDetails shown{.id = to_string(promise.id), .contact_id = state.contact_ids[promise.contact.value], .channel = promise.channel, .note = {}, .agent = promise.agent,
                         .state = promise.state, .at = promise.at};
    ConsentSecret note;
    if (!promise.sealed.empty() && unseal_of(promise.contact, promise.sealed, note)) shown.note = note.evidence;
    return shown;
}

Result<PromiseDetails> Desk::create_promise(const std::string& agent, const PromiseInput& input) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto contact = in.contact_row(input.contact);
    if (contact == 0) return Error{.kind = ErrorKind::not_found, .detail = "there is no contact " + input.contact, .problems = {}, .retry_after_s = 0, .reference = "bad_request"};
    auto made = input;
    if (made.agent.empty()) made.agent = agent;
    const auto view = in.router.agent(agent);
    return in.make_promise(ContactIndex{contact}, made, view && !view->definition->queues.empty() ? view->definition->queues.front().queue : std::string{}, {});
}

Result<void> Desk::promise_done(const std::string& agent, const std::string& promise) {
    auto& in = engine_.internals();
    if (auto error = in.refusal()) return *error;
    const auto id = parse_uuid(promise);
    const auto found = id ? in.state.promises.find(*id) : in.state.promises.end();
    if (found == in.state.promises.end()) return no_such(promise);
    if (!found->second.agent.empty() && found->second.agent != agent)
        return Error{.kind = ErrorKind::conflict, .detail = "it is another agent's promise", .problems = {}, .retry_after_s = 0, .reference = "not_yours"};
    in.emit(found->second.contact, PromiseChanged{.id = *id, .state = "kept", .agent = agent});
    return {};
}

std::vector<PromiseDetails> Desk::promises(const std::string& agent) {
    auto& in = engine_.internals();
    std::vector<PromiseDetails> list;
    for (const auto& [id, promise] : in.state.promises)
        if (promise.agent == agent || promise.agent.empty()) list.push_back(in.details(promise));
    return list;
}

}  // namespace touchgate
