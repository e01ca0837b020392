// What an operator asks of an account beside sending: logged before it leaves, run at the account's own pace, and done once for each key.
//
//   asked (durable) → waits for the account's rate → on its way → done | refused | failed (nothing was done) | unknown
//
// What only reads is not logged before. A key whose operation was done is answered from the log; one whose end nobody knows (the program ended
// meanwhile, or the answer never came) is not run again: whoever asked has to look first.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

using channel::OutcomeKind;

namespace {

// The customer whom a body or its answer is about, where it is one.
std::optional<Address> customer_in(const std::string& body_json, const std::string& account) {
    const auto body = Json::parse(body_json, nullptr, false);
    if (!body.is_object()) return std::nullopt;
    const auto text = [&](const char* name) {
        const auto found = body.find(name);
        return found == body.end() || !found->is_string() ? std::string{} : found->get<std::string>();
    };
    if (auto value = text("external_userid"); !value.empty()) return Address{.kind = AddressKind::external_userid, .value = std::move(value)};
    if (auto value = text("openid"); !value.empty()) return Address{.kind = AddressKind::openid, .value = std::move(value), .account = account};
    return std::nullopt;
}

std::string_view phase_of(OutcomeKind kind) {
    switch (kind) {
        case OutcomeKind::accepted:
        case OutcomeKind::handed_to_human: return "done";
        case OutcomeKind::unknown: return "unknown";
        case OutcomeKind::not_sent:
        case OutcomeKind::throttled:
        case OutcomeKind::quota_exhausted:
        case OutcomeKind::provider_down: return "failed";
        default: return "refused";
    }
}

// In words that say what to do.
Error error_of(const OperationRequest& asked, const channel::Outcome& outcome) {
    std::string detail = "\"" + asked.name + "\" of " + asked.account + ": ";
    const auto said = outcome.code.empty() ? outcome.detail : outcome.detail + " (" + outcome.code + ")";
    const auto seconds = static_cast<int>(std::clamp<std::int64_t>((outcome.retry_after.value_or(Duration{5'000}).count() + 999) / 1'000, 1, 30 * 86'400));
    switch (outcome.kind) {
        case OutcomeKind::throttled:
        case OutcomeKind::quota_exhausted:
            return {.kind = ErrorKind::unavailable, .detail = detail + "the platform takes no more of this now: " + said + "; try again after the time given",
                    .problems = {}, .retry_after_s = seconds};
        case OutcomeKind::not_sent:
        case OutcomeKind::provider_down:
            return {.kind = ErrorKind::unavailable, .detail = detail + "nothing was done: " + said + "; try again", .problems = {}, .retry_after_s = seconds};
        case OutcomeKind::unknown:
            if (!asked.changes) return {.kind = ErrorKind::unavailable, .detail = detail + "no answer: " + said + "; try again", .problems = {}, .retry_after_s = seconds};
            return {.kind = ErrorKind::conflict, .detail = detail + "nobody knows whether it was done: " + said + "; look at the platform's state before asking again with another key"};
        case OutcomeKind::credentials:
            return {.kind = ErrorKind::conflict, .detail = detail + "the platform refuses the account's credentials: " + said + "; check the account's secret"};
        case OutcomeKind::config:
            return {.kind = ErrorKind::conflict, .detail = detail + "the account is not set up for it: " + said + "; check its rights at the platform's console"};
        default: {
            Error error{.kind = ErrorKind::invalid_input, .detail = detail + "the platform refused: " + said};
            if (!outcome.field.empty()) error.problems.push_back({pointer_to("", outcome.field), outcome.detail});
            return error;
        }
    }
}

}  // namespace

void Engine::Internals::apply(const RecordMeta& meta, const AccountOperation& event) {
    if (event.key_hash == crypto::Hash128{}) return;
    auto& row = state.operations[event.key_hash];
    row = {.body = event.body_hash, .phase = event.phase, .position = meta.position, .at = meta.time};
    if (event.phase == "refused" || event.phase == "failed") state.operations.erase(event.key_hash);  // nothing was done: the key is free
}

void Engine::run_operation(OperationRequest request, absl::AnyInvocable<void(Result<OperationResult>)> done) {
    auto& in = *internals_;
    RunningOperation operation;
    operation.request = std::move(request);
    operation.done.push_back(std::move(done));
    const auto fail = [&](Error error) { in.answer_operation(std::move(operation), std::move(error)); };
    if (auto error = in.refusal()) return fail(*error);
    const auto& asked = operation.request;
    const auto number = in.account_numbers.find(asked.account);
    if (number == in.account_numbers.end()) return fail({.kind = ErrorKind::not_found, .detail = "there is no account \"" + asked.account + "\""});
    auto& account = in.accounts[number->second];
    if (!account.up)
        return fail({.kind = ErrorKind::unavailable, .detail = "the account \"" + asked.account + "\" cannot be reached now; nothing was done, try again", .problems = {}, .retry_after_s = 5});
    if (!asked.key.empty()) {
        operation.key = in.index_hash("o" + asked.account + "\n" + asked.key);
        for (auto& [ref, running] : in.operations)
            if (running.key == operation.key) {
                if (running.request.body_hash != asked.body_hash || running.request.name != asked.name)
                    return fail({.kind = ErrorKind::conflict, .detail = "the key is in use for another operation"});
                running.done.push_back(std::move(operation.done.front()));
                return;
            }
        if (const auto known = in.state.operations.find(operation.key); known != in.state.operations.end()) {
            if (known->second.body != asked.body_hash) return fail({.kind = ErrorKind::conflict, .detail = "the key was used for another operation"});
            if (known->second.phase != "done")
                return fail({.kind = ErrorKind::conflict, .detail = "nobody knows whether the operation with this key was done at " + format_instant(known->second.at) +
                                                                        "; look at the platform's state before asking again with another key"});
            std::string buffer;
            AccountOperation event;
            OperationSecret secret_values;
            const auto record = in.parts.reader.at(known->second.position, buffer);
            if (!record || !decode(record->payload, event) || !in.unseal_of(record->contact, event.sealed, secret_values))
                return fail({.kind = ErrorKind::conflict, .detail = "the operation with this key was done; its result was erased with the customer whom it was about"});
            return in.answer_operation(std::move(operation), OperationResult{.result_json = secret_values.result_json, .duplicate = true, .at = known->second.at});
        }
    }
    if (asked.changes)
        in.emit(ContactIndex{}, AccountOperation{.account = asked.account, .name = asked.name, .phase = "asked", .code = {}, .detail = {}, .by = asked.by,
                                                 .key_hash = operation.key, .body_hash = asked.body_hash, .sealed = {}});
    const auto ref = in.next_ref++;
    account.operations.push_back(ref);
    in.operations.emplace(ref, std::move(operation));
}

void Engine::Internals::answer_operation(RunningOperation operation, Result<OperationResult> result) {
    for (auto& done : operation.done) {
        engine.after_sync([done = std::move(done), result]() mutable { done(result); });
        if (result) result->duplicate = true;  // those who asked again meanwhile
    }
}

void Engine::Internals::run_operations() {
    for (AccountNumber number = 0; number < accounts.size(); ++number) {
        auto& account = accounts[number];
        while (!account.operations.empty() && (!account.bucket || account.bucket->free_at(monotonic) <= monotonic)) {
            const auto ref = account.operations.front();
            account.operations.pop_front();
            const auto found = operations.find(ref);
            if (found == operations.end()) continue;
            if (account.bucket) (void)account.bucket->take(monotonic, 1);
            operation_orders.push_back({.account = number, .ref = ref, .name = found->second.request.name, .body_json = found->second.request.body_json});
        }
    }
}

std::optional<channel::Monotonic> Engine::Internals::operations_wake_at() const {
    std::optional<channel::Monotonic> at;
    for (const auto& account : accounts) {
        if (account.operations.empty()) continue;
        const auto free = account.bucket ? std::max(monotonic, account.bucket->free_at(monotonic)) : monotonic;
        if (!at || free < *at) at = free;
    }
    return at;
}

void Engine::Internals::on_event(OperationAnswered& event) {
    auto node = operations.extract(event.ref);
    if (node.empty()) return;
    auto& operation = node.mapped();
    const auto& asked = operation.request;
    const auto& outcome = event.answer.outcome;
    const auto number = account_numbers.at(asked.account);
    if (outcome.kind == OutcomeKind::throttled || outcome.kind == OutcomeKind::quota_exhausted) note_quota(number, outcome);
    const auto phase = phase_of(outcome.kind);
    const bool is_done = phase == "done";
    if (asked.changes) {
        ContactIndex contact{};
        if (const auto customer = customer_in(asked.body_json, asked.account))
            if (const auto address = find_address(*customer); address != 0 && !state.addresses[address].owners.empty()) contact = state.addresses[address].owners.front();
        AccountOperation told{.account = asked.account, .name = asked.name, .phase = std::string{phase}, .code = outcome.code, .detail = outcome.detail, .by = asked.by,
                              .key_hash = operation.key, .body_hash = asked.body_hash, .sealed = {}};
        if (is_done) told.sealed = seal_for(contact, OperationSecret{.result_json = event.answer.result_json});
        emit(contact, told);
    }
    for (auto& hint : event.answer.pulls) engine.after_sync([this, number, hint = std::move(hint)] { parts.transport.hint_pull(number, hint); });
    if (!is_done) return answer_operation(std::move(operation), error_of(asked, outcome));
    answer_operation(std::move(operation), OperationResult{.result_json = event.answer.result_json, .duplicate = false, .at = now});
}

}  // namespace touchgate
