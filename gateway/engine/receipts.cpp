// What comes back: receipts, matched by every form of the provider's id, parked when they are early; messages of customers, read for
// opt-outs; all of it durable before it is acknowledged, and effective once.

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

using channel::ReceiptStatus;
using dispatch::Progress;

namespace {

std::string text_of(const crypto::Hash128& hash) {
    ByteWriter bytes;
    bytes.u64(hash.high);
    bytes.u64(hash.low);
    return to_hex(bytes.bytes());
}

}  // namespace

bool Engine::Internals::seen_before(const crypto::Hash128& dedupe) { return dedupe != crypto::Hash128{} && state.inbound_seen.contains(dedupe); }

void Engine::Internals::forget_inbound() {
    constexpr auto window = std::chrono::hours{72};  // at least 48 h are promised
    while (!state.inbound_order.empty() && state.inbound_order.front().first + window < now) {
        const auto seen = state.inbound_seen.find(state.inbound_order.front().second);
        if (seen != state.inbound_seen.end() && seen->second <= state.inbound_order.front().first) state.inbound_seen.erase(seen);
        state.inbound_order.pop_front();
    }
    while (!state.parked.empty() && state.parked.begin()->second.received_at + std::chrono::hours{48} < now) {
        unpark(state.parked.begin());
    }
    // Idempotency keys are kept until 90 days after the touch is final; a few are looked at each turn.
    static constexpr std::size_t looks = 64;
    if (state.keys.empty() || (counters.turns & 1023U) != 0) return;
    auto at = state.keys.begin();
    for (std::size_t i = 0; i < looks && at != state.keys.end(); ++i) {
        if (at->second.expires_at <= now) state.keys.erase(at++);
        else ++at;
    }
}

void Engine::Internals::unpark(std::map<std::uint64_t, ParkedReceipt>::iterator parked) {
    for (const auto& alias : parked->second.receipt.provider_ids) {
        const auto same_id = state.parked_by_id.find(id_hash(parked->second.account, alias));
        if (same_id == state.parked_by_id.end()) continue;
        auto& sequences = same_id->second;
        sequences.erase(std::remove(sequences.begin(), sequences.end(), parked->first), sequences.end());
        if (sequences.empty()) state.parked_by_id.erase(same_id);
    }
    state.parked.erase(parked);
}

namespace {

struct Meant {
    std::uint32_t row = 0;  // 0: none
    std::uint16_t attempt = 0;
    Instant permitted_at{};
};

// A receipt may be matched by its address alone if it says that all is well, or if nothing is sent again for what it says: for a second
// message a guess is not enough.
bool may_be_guessed(Engine::Internals& in, std::uint32_t row, ReceiptStatus status) {
    if (status == ReceiptStatus::delivered || status == ReceiptStatus::read) return true;
    return status == ReceiptStatus::failed && in.touch(row).chosen + 1U >= in.candidates(in.touch(row)).size();
}

// The attempt to this address whose answer is missing, if it is the only one that can be meant: of one that is still on its way a receipt may
// come before the answer.
Meant only_unknown(Engine::Internals& in, AccountNumber number, const crypto::Hash128& destination) {
    const auto address = in.state.address_by_hash.find(destination);
    if (address == in.state.address_by_hash.end()) return {};
    Meant meant;
    int found = 0;
    for (const auto owner : in.state.addresses[address->second].owners) {
        const auto& contact = in.state.contacts[owner.value];
        std::set<std::uint32_t> rows{contact.live.begin(), contact.live.end()};
        for (const auto& entry : contact.history)  // also of touches that ended with an attempt unanswered
            if (const auto id = in.state.touch_by_sequence.find(entry.touch); id != in.state.touch_by_sequence.end()) rows.insert(in.row_of(id->second));
        for (const auto row : rows)
            for (const auto& attempt : in.touch(row).attempts) {
                const auto shares_receipts = [&](const Attempt& each) {
                    const auto sent_by = in.account_of(in.profile_of(in.touch(row), each.chosen));
                    return sent_by && in.receipt_scope(*sent_by) == in.receipt_scope(number);
                };
                if ((attempt.state != AttemptState::unknown && attempt.state != AttemptState::open) || attempt.address != address->second ||
                    in.now - attempt.permitted_at > std::chrono::hours{48} || !shares_receipts(attempt))
                    continue;
                ++found;
                if (attempt.state == AttemptState::unknown) meant = {.row = row, .attempt = attempt.number, .permitted_at = attempt.permitted_at};
            }
    }
    return found == 1 ? meant : Meant{};
}

}  // namespace

void Engine::Internals::on_event(ReceiptReported& event) {
    take_receipt(event.account, event.receipt);
    if (event.ack.connection != 0) acknowledgements.emplace_back(event.ack, true);
}

void Engine::Internals::take_receipt(AccountNumber number, const channel::Receipt& receipt) {
    ++counters.receipts;
    auto& account = accounts[number];
    ReceiptReceived event;
    event.account = account.settings.name;
    event.channel = account.settings.capabilities.channel;
    event.provider_id = receipt.provider_ids.empty() ? std::string{} : receipt.provider_ids.front();
    event.raw = receipt.raw;
    event.reason = receipt.reason;
    event.status = receipt.status;
    event.provider_time = receipt.at ? unix_ms(*receipt.at) : 0;
    event.attempt_id = receipt.attempt_id;
    event.kind = receipt.kind;
    event.body_json = receipt.body_json;
    if (!receipt.destination.empty()) {
        auto destination = receipt.destination;
        if (destination.front() != '+' && destination.find_first_not_of("0123456789") == std::string::npos) destination.insert(destination.begin(), '+');
        event.destination = address_hash(AddressKind::phone, destination, {});
    }

    // By any form of the id; then by our own id, if the provider echoes it; then by the address, if only one attempt can be meant.
    std::uint32_t row = 0;
    std::uint16_t attempt_number = 0;
    std::string matched_id = event.provider_id;
    const auto match_ids = [&](AccountNumber of, bool to_destination_only) {
        for (const auto& alias : receipt.provider_ids) {
            const auto found = state.provider_ids.find(id_hash(of, alias));
            if (found == state.provider_ids.end()) continue;
            const auto candidate = row_of(found->second.touch);
            if (to_destination_only && (candidate == 0 || state.addresses[touch(candidate).address].hash != event.destination)) continue;
            row = candidate;
            attempt_number = found->second.attempt;
            matched_id = alias;
            return true;
        }
        return false;
    };
    if (!match_ids(number, false) && event.destination != crypto::Hash128{}) {
        // Accounts of one customer at one centre share their receipts: the centre delivers over any of the connections. Ids of different
        // centres may be equal by chance, so the number must be the same as well.
        for (AccountNumber other = 0; other < accounts.size(); ++other) {
            if (other == number || accounts[other].settings.adapter != account.settings.adapter || !match_ids(other, true)) continue;
            number = other;
            event.account = accounts[other].settings.name;
            break;
        }
    }
    if (row == 0 && receipt.attempt_id.size() > 37 && receipt.attempt_id[36] == '-') {
        if (const auto id = parse_uuid(std::string_view{receipt.attempt_id}.substr(0, 36))) {
            row = row_of(*id);
            attempt_number = static_cast<std::uint16_t>(std::strtoul(receipt.attempt_id.c_str() + 37, nullptr, 10));
            event.by_address = row != 0;  // learn the provider's id as well
        }
    }
    if (row == 0 && account.settings.match_by_address && event.destination != crypto::Hash128{}) {
        const auto meant = only_unknown(*this, number, event.destination);
        if (meant.row != 0 && may_be_guessed(*this, meant.row, receipt.status)) {
            row = meant.row;
            attempt_number = meant.attempt;
            event.by_address = true;
        }
    }
    if (row == 0) {
        event.aliases = receipt.provider_ids;
        if (!event.provider_id.empty())
            if (const auto same = state.parked_by_id.find(id_hash(number, event.provider_id)); same != state.parked_by_id.end())
                event.duplicate = std::any_of(same->second.begin(), same->second.end(), [&](std::uint64_t sequence) {
                    const auto& parked = state.parked.at(sequence).receipt;
                    return parked.status == receipt.status && parked.raw == receipt.raw;
                });
        ++counters.receipts_parked;
        // Whose it is can be known also where its touch is not.
        ContactIndex whose{};
        if (const auto known = receipt.destination.empty() ? 0 : find_address(address_from(number, receipt.destination)); known != 0) {
            const auto& target = state.addresses[known];
            const auto& owners = target.owners;
            if (!owners.empty()) whose = std::find(owners.begin(), owners.end(), target.last_used) != owners.end() ? target.last_used : owners.front();
        }
        emit(whose, event);
        return;
    }
    auto& owner = touch(row);
    const auto low = id_hash(number, matched_id).low;
    for (const auto& attempt : owner.attempts)
        if (attempt.number == attempt_number)
            for (const auto& part : attempt.receipts)
                if (part.id == low) {
                    const bool now_failed = receipt.status == ReceiptStatus::failed || receipt.status == ReceiptStatus::recipient_refuses;
                    event.duplicate = (receipt.status == ReceiptStatus::delivered && part.progress >= static_cast<std::uint8_t>(Progress::delivered)) ||
                                      (now_failed && part.progress == static_cast<std::uint8_t>(Progress::failed));
                }
    event.touch = owner.id;
    event.attempt = attempt_number;
    event.provider_id = matched_id;
    emit(owner.contact, event);
    advance(row, attempt_number, receipt, matched_id);
    if (event.by_address) claim_parked(row, attempt_number, number, {matched_id});
}

// A receipt that is recorded moves its touch, if it moves it forward.
void Engine::Internals::advance(std::uint32_t row, std::uint16_t attempt_number, const channel::Receipt& receipt, const std::string& provider_id) {
    auto& owner = touch(row);
    const auto attempt = std::find_if(owner.attempts.begin(), owner.attempts.end(), [&](const Attempt& each) { return each.number == attempt_number; });
    const auto provider_time = receipt.at ? unix_ms(*receipt.at) : 0;
    int delivered = 0;
    int failed = 0;
    int parts_of_message = 1;
    if (attempt != owner.attempts.end()) {
        parts_of_message = attempt->parts;
        for (const auto& part : attempt->receipts) {
            if (part.progress >= static_cast<std::uint8_t>(Progress::delivered)) ++delivered;
            else if (part.progress == static_cast<std::uint8_t>(Progress::failed)) ++failed;
        }
        if (attempt->state == AttemptState::unknown && receipt.status != ReceiptStatus::failed && receipt.status != ReceiptStatus::recipient_refuses &&
            (owner.state == TouchState::unknown || owner.state == TouchState::dispatching))
        {
            emit(owner.contact, TouchAccepted{.touch = owner.id, .attempt = attempt_number, .ids = {provider_id}, .parts = attempt->parts});
            if (!touch(row).final) arm_waiting(row);
        }
    } else {
        delivered = receipt.status == ReceiptStatus::delivered ? 1 : 0;
        failed = receipt.status == ReceiptStatus::failed || receipt.status == ReceiptStatus::recipient_refuses ? 1 : 0;
    }
    auto& moved = touch(row);
    // Every attempt of a touch with steps goes its own way; of others the first that comes somewhere tells for all.
    const auto before = moved.has_steps() && attempt != moved.attempts.end() ? attempt->progress : moved.progress;
    switch (receipt.status) {
        case ReceiptStatus::delivered:
            if (delivered >= parts_of_message && dispatch::advances(before, Progress::delivered))
            {
                emit(moved.contact, TouchDelivered{.touch = moved.id, .attempt = attempt_number, .provider_id = provider_id, .raw = receipt.raw, .provider_time = provider_time});
                // A fallback on its way is not needed any more.
                for (const auto& other : touch(row).attempts)
                    if (other.state == AttemptState::open && other.ref != 0 && in_flight.contains(other.ref)) revocations.push_back(other.ref);
            }
            return;
        case ReceiptStatus::read:
            if (dispatch::advances(before, Progress::read))
                emit(moved.contact, TouchRead{.touch = moved.id, .attempt = attempt_number, .provider_id = provider_id, .raw = receipt.raw, .provider_time = provider_time});
            return;
        case ReceiptStatus::failed:
        case ReceiptStatus::recipient_refuses: {
            if (receipt.status == ReceiptStatus::recipient_refuses && attempt != owner.attempts.end())
                if (const auto account = account_of(profile_of(moved, attempt->chosen))) suppress_platform(row, attempt->address, *account, receipt.raw);
            auto& failing = touch(row);
            if (failing.final && !dispatch::advances(failing.progress, Progress::failed)) return;
            if (before >= Progress::delivered) return;
            const bool newest = !failing.attempts.empty() && failing.attempts.back().number == attempt_number;
            if (!failing.final && !failing.attempts.empty() && !newest) return;  // a later attempt has taken over
            const bool more = !failing.final && !cascade_is_over(failing) && failing.chosen + 1U < candidates(failing).size() && now < failing.expires_at;
            if (more && (failing.is_resting() || failing.state == TouchState::unknown)) {
                // Definite failure: the next account or channel at once.
                emit(failing.contact, TouchAttemptEnded{.touch = failing.id, .attempt = attempt_number, .outcome = channel::OutcomeKind::refused, .code = receipt.raw,
                                                        .detail = "receipt", .slot = SlotChange::fail, .next = 1, .retry_at = 0});
                go_on(row);
                return;
            }
            if (failing.is_waiting()) return;  // a fallback is already on its way
            if (failing.progress >= Progress::delivered) {
                // An earlier step arrived, and no other can follow this one.
                emit(failing.contact, TouchAttemptEnded{.touch = failing.id, .attempt = attempt_number, .outcome = channel::OutcomeKind::refused, .code = receipt.raw,
                                                        .detail = "receipt", .slot = SlotChange::fail, .next = 2, .retry_at = 0});
                (void)keep_what_left(row, "fallback_failed");
                return;
            }
            auto reason = receipt.reason.empty() ? to_lower_ascii(receipt.raw) : receipt.reason;
            emit(failing.contact, TouchFailed{.touch = failing.id, .attempt = attempt_number, .reason = std::move(reason), .provider_id = provider_id, .raw = receipt.raw,
                                              .slot = SlotChange::fail});
            return;
        }
        case ReceiptStatus::pending:
        case ReceiptStatus::unknown: return;
    }
}

// Receipts that came before the submit's answer.
void Engine::Internals::claim_parked(std::uint32_t row, std::uint16_t attempt, AccountNumber account, const std::vector<std::string>& provider_ids) {
    if (state.parked.empty()) return;
    for (const auto& id : provider_ids) {
        for (;;) {
            const auto found = state.parked_by_id.find(id_hash(account, id));
            if (found == state.parked_by_id.end()) break;
            const auto parked = state.parked.at(found->second.front());
            auto& owner = touch(row);
            emit(owner.contact, ReceiptMatched{.account = accounts[account].settings.name, .channel = accounts[account].settings.capabilities.channel, .provider_id = id,
                                               .raw = parked.receipt.raw, .reason = parked.receipt.reason, .status = parked.receipt.status, .touch = owner.id,
                                               .attempt = attempt, .aliases = {}, .attempt_id = {}, .destination = {},
                                               .provider_time = parked.receipt.at ? unix_ms(*parked.receipt.at) : 0, .duplicate = false, .by_address = false,
                                               .kind = parked.receipt.kind, .body_json = {}});
            advance(row, attempt, parked.receipt, id);
        }
    }
}

// Receipts that came while the attempt was still waiting for its answer, which then never came.
void Engine::Internals::match_parked(std::uint32_t address, AccountNumber number) {
    if (state.parked.empty() || !accounts[number].settings.match_by_address) return;
    const auto& destination = state.addresses[address].hash;
    const auto meant = only_unknown(*this, number, destination);
    if (meant.row == 0) return;
    for (const auto& [sequence, parked] : state.parked) {
        if (receipt_scope(parked.account) != receipt_scope(number) || parked.destination != destination || parked.receipt.provider_ids.empty() || parked.received_at < meant.permitted_at ||
            !may_be_guessed(*this, meant.row, parked.receipt.status))
            continue;
        const auto receipt = parked.receipt;
        const auto& id = receipt.provider_ids.front();
        emit(touch(meant.row).contact, ReceiptMatched{.account = accounts[number].settings.name, .channel = accounts[number].settings.capabilities.channel, .provider_id = id,
                                                      .raw = receipt.raw, .reason = receipt.reason, .status = receipt.status, .touch = touch(meant.row).id,
                                                      .attempt = meant.attempt, .aliases = {}, .attempt_id = {}, .destination = destination,
                                                      .provider_time = receipt.at ? unix_ms(*receipt.at) : 0, .duplicate = false, .by_address = true,
                                                      .kind = receipt.kind, .body_json = {}});
        advance(meant.row, meant.attempt, receipt, id);
        claim_parked(meant.row, meant.attempt, number, {id});
        return;
    }
}

void Engine::Internals::on_event(MessageReported& event) {
    auto& account = accounts[event.account];
    const auto ack = event.ack;
    take_message(event.account, event.message, account.settings.capabilities.channel, account.settings.name, ContactIndex{}, [this, ack] {
        if (ack.connection != 0) parts.transport.acknowledge(ack, true);
    });
}

Uuid Engine::Internals::take_message(AccountNumber number, const channel::InboundMessage& message, std::string_view channel_name, std::string_view account_name,
                                     ContactIndex known, Effect settled, const std::string& queue, std::optional<int> priority) {
    // A message is the same one if the provider's id says so; SMPP has none, there the session tells a repeat by its fingerprint.
    crypto::Hash128 dedupe{};
    if (!message.provider_id.empty()) dedupe = index_hash("m" + std::string{account_name} + "\n" + message.provider_id);
    else if (!message.fingerprint.empty()) dedupe = index_hash("f" + std::string{account_name} + "\n" + message.fingerprint);
    if (message.provider_id.empty()) {
        // Without an id of the provider only a repeat within a minute is the same message; the same words later are a new one.
        const auto seen = state.inbound_seen.find(dedupe);
        if (dedupe != crypto::Hash128{} && seen != state.inbound_seen.end() && now - seen->second <= std::chrono::seconds{60}) {
            after_settling(std::move(settled));
            return {};
        }
    } else if (seen_before(dedupe)) {
        after_settling(std::move(settled));
        return {};
    }

    ContactIndex contact = known;
    std::uint32_t address = 0;
    if (contact.value == 0 && !message.from.empty()) {
        if (const auto resolved = resolve({.id = {}, .address = address_from(number, message.from)}, true, address)) contact = *resolved;
    } else if (contact.value != 0) {
        for (const auto known_address : state.contacts[contact.value].addresses)
            if (address == 0) address = known_address;
    }

    // The touch that it answers: the newest of this contact on this channel that reached the provider.
    TouchId reply_to{};
    std::uint32_t reply_row = 0;
    std::uint16_t reply_attempt = 0;
    const content::DeclaredReplies* declared = nullptr;
    const auto& history = state.contacts[contact.value].history;
    const auto channel_symbol = state.symbols.intern(channel_name);
    for (auto i = history.size(); i-- > 0;) {
        if (state.profiles.at(history[i].profile).channel != channel_symbol || history[i].slot == policy::Slot::released || history[i].slot == policy::Slot::reserved) continue;
        if (now - history[i].at > std::chrono::hours{72}) break;
        const auto found = state.touch_by_sequence.find(history[i].touch);
        if (found == state.touch_by_sequence.end()) break;
        // Nobody answers what is still on its way out.
        const auto& answered = touch(row_of(found->second));
        const bool open = std::any_of(answered.attempts.begin(), answered.attempts.end(),
                                      [&](const Attempt& attempt) { return attempt.number == history[i].attempt && attempt.state == AttemptState::open; });
        if (open) continue;
        reply_row = row_of(found->second);
        reply_to = found->second;
        reply_attempt = history[i].attempt;
        if (const auto* used = reply_row == 0 ? nullptr : template_of(touch(reply_row)); used != nullptr && used->parsed) declared = &used->parsed->replies();
        break;
    }
    const auto reading = settings.reply_words.read(message.text, declared);
    std::string word;
    switch (reading.kind) {
        case content::ReplyKind::opt_out: word = "opt_out"; break;
        case content::ReplyKind::opt_in: word = "opt_in"; break;
        case content::ReplyKind::near_miss: word = "near_miss"; break;
        case content::ReplyKind::answer: word = reading.answer; break;
        case content::ReplyKind::none: break;
    }
    const auto at = std::min(message.at.value_or(now), now);
    const auto evidence_id = message.provider_id.empty() ? std::string{} : message.provider_id;
    // A withdrawal is no conversation.
    const bool talks = contact.value != 0 && reading.kind != content::ReplyKind::opt_out && reading.kind != content::ReplyKind::opt_in;
    const bool first = talks && !state.open_interactions.contains({state.symbols.intern(account_name).value, address, contact.value});
    const auto interaction = talks ? interaction_for(contact, address, account_name, channel_name, reply_to, queue, priority) : Uuid{};
    const auto sealed = message.kind == "text"
                            ? seal_for(contact, MessageSecret{.text = message.text, .from = message.from, .to = message.to})
                            : seal_for(contact, PlatformMessageSecret{.text = message.text, .from = message.from, .to = message.to, .body_json = message.body_json});
    const auto sequence = emit(contact, MessageReceived{.account = std::string{account_name}, .channel = std::string{channel_name}, .provider_id = message.provider_id,
                                                        .kind = message.kind, .dedupe = dedupe, .address = address, .provider_time = at, .reply_to = reply_to, .word = word,
                                                        .interaction = interaction, .sealed = sealed});
    if (reply_row != 0 && dispatch::advances(touch(reply_row).progress, Progress::replied))
        emit(touch(reply_row).contact, TouchReplied{.touch = reply_to, .attempt = reply_attempt, .provider_id = message.provider_id, .raw = {}, .provider_time = unix_ms(at)});
    stop_recipients(contact, &campaign::StopOn::reply);

    const auto evidence = evidence_id.empty() ? "message " + std::to_string(sequence) : evidence_id;
    switch (reading.kind) {
        case content::ReplyKind::opt_out:
            for (const auto& purpose : settings.opt_out_purposes) withdraw(contact, channel_name, purpose, {}, "reply", evidence, at);
            settle(contact, std::move(settled));
            return interaction;
        case content::ReplyKind::opt_in:
            for (const auto& purpose : settings.opt_out_purposes)
                grant(contact, {.channel = std::string{channel_name}, .purpose = purpose, .granted = true, .source = "reply", .evidence = evidence, .unit = {}, .notice_version = {},
                                .at = at, .from_bulk = false}, at, evidence);
            contact_changed(contact);
            break;
        case content::ReplyKind::near_miss:
            emit(contact, ReviewOpened{.id = ids.next(now), .channel = std::string{channel_name}, .purposes = settings.opt_out_purposes, .message_sequence = sequence,
                                       .due_at = now + std::chrono::hours{24}});
            settle(contact, std::move(settled));
            return interaction;
        case content::ReplyKind::answer:
        case content::ReplyKind::none: break;
    }
    if (talks && message.kind == "text") capture_by_keyword(contact, channel_name, account_name, message.text, "event " + std::to_string(sequence));
    if (talks) hand_over_by_word(interaction, message.text);
    if (talks && known.value == 0) reply_by_rule(interaction, number, message, first);
    if (talks) hand_over_unanswered(interaction);
    engine.after_sync(std::move(settled));
    return interaction;
}

void Engine::count_hook(AccountNumber account, const std::string& refusal) {
    auto& of = internals_->accounts[account];
    if (refusal.empty()) ++of.hook_accepted;
    else ++of.hook_refused[refusal];
}

Result<InboundResult> Engine::inbound_event(const InboundInput& input) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    if (!input.queue.empty() && !in.router.queue(input.queue))
        return Error{.kind = ErrorKind::invalid_input, .detail = "1 field is not valid", .problems = {{"/queue", "there is no queue " + input.queue}}};
    const std::string account = input.account.empty() ? "api" : input.account;
    // A message is told from its repeat like one that an adapter brought.
    const auto dedupe = in.index_hash(input.kind == InboundKind::message ? "m" + account + "\n" + input.key : "i" + input.key);
    std::uint32_t address = 0;
    auto contact = in.resolve(input.contact, true, address);
    if (!contact) return contact.error();
    // The same key has the same id, a repeat after a restart too.
    InboundResult result{.id = text_of(dedupe), .interaction = {}, .contact_id = in.state.contact_ids[contact->value], .duplicate = in.seen_before(dedupe)};
    if (result.duplicate) {
        // The first one's, which is the newest of this contact and account.
        if (const auto known = in.state.interactions_of.find(contact->value); input.kind == InboundKind::message && known != in.state.interactions_of.end())
            for (auto i = known->second.size(); i-- > 0 && result.interaction.empty();)
                if (const auto found = in.state.interactions.find(known->second[i]); found != in.state.interactions.end() && in.state.symbols.name(found->second.account) == account)
                    result.interaction = to_string(found->first);
        return result;
    }
    const auto at = std::min(input.at.value_or(in.now), in.now);
    const auto channel_or_all = input.channels.empty() ? std::vector<std::string>{input.channel.empty() ? "*" : input.channel} : input.channels;
    const auto purposes = input.purposes.empty() ? in.settings.opt_out_purposes : input.purposes;
    static constexpr std::array<std::string_view, 11> words = {"", "message", "opt_out", "opt_in", "follow", "unfollow", "receipt", "complaint", "ticket_opened", "ticket_closed", "call"};

    if (input.kind == InboundKind::message) {
        channel::InboundMessage message{.from = {}, .to = {}, .text = input.text, .provider_id = input.key, .fingerprint = {}, .at = at, .incomplete = false};
        if (const auto interaction = in.take_message(0, message, input.channel, account, *contact, [] {}, input.queue, input.priority); !interaction.is_nil()) result.interaction = to_string(interaction);
        return result;
    }
    const auto sealed = in.seal_for(*contact, MessageSecret{.text = input.text, .from = {}, .to = {}});
    in.emit(*contact, EventReceived{.account = input.account, .channel = input.channel, .provider_id = input.key,
                                                          .kind = std::string{words[static_cast<std::size_t>(input.kind)]}, .ref = input.ref, .source = input.source,
                                                          .dedupe = dedupe, .provider_time = at, .channels = input.channels, .purposes = input.purposes,
                                                          .until = input.until ? unix_ms(*input.until) : 0, .sealed = sealed});
    const auto evidence = "event " + input.key;
    if (input.kind == InboundKind::opt_out)
        for (const auto& channel : channel_or_all)
            for (const auto& purpose : purposes) in.withdraw(*contact, channel, purpose, {}, input.source.empty() ? "event" : input.source, evidence, at);
    if (input.kind == InboundKind::opt_in)
        for (const auto& channel : channel_or_all)
            for (const auto& purpose : purposes)
                in.grant(*contact, {.channel = channel, .purpose = purpose, .granted = true, .source = input.source.empty() ? "customer" : input.source, .evidence = evidence,
                                    .unit = {}, .notice_version = {}, .at = at, .from_bulk = false}, at, evidence);
    if (input.kind == InboundKind::call) in.capture_lead(*contact, input.source == "missed" ? "call:missed" : "call:inbound", {}, evidence);
    if (input.kind == InboundKind::complaint) in.stop_recipients(*contact, &campaign::StopOn::complaint);
    if (input.kind != InboundKind::opt_out) in.contact_changed(*contact);
    return result;
}

}  // namespace touchgate
