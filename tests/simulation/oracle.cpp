#include "tests/simulation/oracle.hpp"

#include <algorithm>

#include "adapters/sandbox/smpp_pdu.hpp"
#include "gateway/engine/event_codec.hpp"

namespace touchgate::simulation {

std::string policy_document(const Cap& cap) {
    return R"({"name":"sim","purposes":["marketing","service","transactional"],"default_channels":{"*":["sms"]},"rules":[)"
           R"({"name":"dnc","kind":"suppression","lists":["*"]},)"
           R"({"name":"cap","kind":"cap","when":{"purposes":["marketing"]},"max":)" +
           std::to_string(cap.max) + R"(,"per":")" + format_duration(cap.per) + R"(","by":["contact"]}]})";
}

template <class E> E Oracle::read(const Record& record) {
    E event;
    if (!decode(record.payload, event)) fail("8 log", "record " + std::to_string(record.sequence) + " cannot be decoded");
    return event;
}

Oracle::Logged* Oracle::logged(const TouchId& id, const Record& record) {
    const auto found = touches_.find(id);
    if (found != touches_.end()) return &found->second;
    fail("8 log", "record " + std::to_string(record.sequence) + " names a touch that was never created");
    return nullptr;
}

Asked* Oracle::by_token(const std::string& token) {
    if (token.size() != 7 || token[0] != 'T') return nullptr;
    const auto number = static_cast<std::size_t>(std::strtoul(token.c_str() + 1, nullptr, 10));
    return number < asked.size() ? &asked[number] : nullptr;
}

std::size_t Oracle::customer_of(std::string_view phone) const {
    for (std::size_t i = 0; i < customers.size(); ++i)
        if (customers[i].phone == phone || customers[i].phone.substr(1) == phone) return i;
    return customers.size();
}

void Oracle::read_log() {
    if (log_ == nullptr) return;
    const auto scanned = log_->scan(read_to_ + 1, [&](const Record& record) {
        take(record);
        desk.take(record);
        if (!desk.broken().empty()) fail(desk.broken(), "");
        return broken_.empty();
    });
    if (!scanned) fail("8 log", scanned.error().detail);
}

void Oracle::check_cap(const Logged& touch, const Record& record) {
    ++counts_.cap_checks;
    int counted = 1;
    for (const auto& id : of_contact_[touch.contact]) {
        const auto& other = touches_.at(id);
        if (!other.marketing || other.id == touch.id) continue;
        // Attempts of one touch share its slot.
        if (std::any_of(other.attempts.begin(), other.attempts.end(),
                        [&](const SentAttempt& attempt) { return attempt.counts && attempt.at <= record.time && record.time < attempt.at + cap_.per; }))
            ++counted;
    }
    if (counted == cap_.max) ++counts_.full_caps;
    if (counted > cap_.max)
        fail("2 caps", "permit " + std::to_string(record.sequence) + " of contact " + std::to_string(touch.contact) + " is number " + std::to_string(counted) + " of " +
                           std::to_string(cap_.max) + " within " + format_duration(cap_.per));
}

void Oracle::advance(const TouchId& id, std::uint16_t number, int to, const Record& record) {
    auto* touch = logged(id, record);
    if (touch == nullptr) return;
    auto before = touch->progress;
    for (auto& attempt : touch->attempts) {
        if (attempt.number != number) continue;
        if (touch->has_steps) before = attempt.progress;  // each attempt of a cascade is told for itself
        attempt.progress = std::max(attempt.progress, to);
        attempt.counts = attempt.accepted = true;
    }
    if (to <= before && to > 1)
        fail("6 statuses", "touch " + touch->token + " goes from " + std::to_string(before) + " to " + std::to_string(to) + " at " + std::to_string(record.sequence));
    touch->progress = std::max(touch->progress, to);
}

void Oracle::take(const Record& record) {
    if (record.sequence != read_to_ + 1) fail("8 log", "record " + std::to_string(record.sequence) + " follows " + std::to_string(read_to_));
    read_to_ = record.sequence;
    ++counts_.records;
    const auto attempt_of = [&](const TouchId& id, std::uint16_t number) -> SentAttempt* {
        if (auto* touch = logged(id, record))
            for (auto& attempt : touch->attempts)
                if (attempt.number == number) return &attempt;
        return nullptr;
    };
    const auto release = [&](const TouchId& id, std::uint16_t number) {
        if (auto* attempt = attempt_of(id, number)) attempt->counts = false;
    };
    const auto unused = [&](const TouchId& id, std::uint16_t number) {
        if (auto* attempt = attempt_of(id, number)) attempt->counts = attempt->may_have_arrived = false;
    };
    const auto never_again = [&](const TouchId& id) {
        if (auto* touch = logged(id, record)) touch->never_again = true;
    };
    switch (static_cast<EventType>(record.type)) {
        case EventType::profile_defined: {
            const auto event = read<ProfileDefined>(record);
            marketing_profile_[event.id.value] = event.purpose == "marketing";
            campaign_of_profile_[event.id.value] = event.campaign;
            break;
        }
        case EventType::policy_activated: {
            const auto found = policies_.find(read<PolicyActivated>(record).document);
            if (found == policies_.end()) fail("8 log", "an unknown policy was activated");
            else cap_ = found->second;
            break;
        }
        case EventType::touch_created: {
            const auto event = read<TouchCreated>(record);
            ++counts_.created;
            const bool of_audience = event.origin == policy::Origin::campaign;
            const auto campaign = of_audience ? campaign_of_profile_[event.candidates.at(0).value] : std::string{};
            if (of_audience) {
                ++counts_.recipients;
                if (!touch_of_recipient_.emplace(std::pair{campaign, record.contact.value}, event.id).second)
                    fail("10 campaign", "a recipient of " + campaign + " got a second touch at " + std::to_string(record.sequence));
                if (stopped_campaigns_.contains(campaign)) fail("10 campaign", "a recipient of " + campaign + " was released while it rested, at " + std::to_string(record.sequence));
            } else if (!touch_of_token_.emplace(event.key_name, event.id).second) {
                const auto* by = by_token(event.key_name);
                if (by == nullptr || !by->key.empty()) fail("4 keys", "the key of " + event.key_name + " made a second touch at " + std::to_string(record.sequence));
            }
            if (event.has_key && !key_hashes_.emplace(event.key_hash.high, event.key_hash.low).second) fail("4 keys", "one key, two touches at " + std::to_string(record.sequence));
            touches_[event.id] = {.id = event.id, .token = event.key_name, .contact = record.contact.value,
                                  .marketing = !event.candidates.empty() && marketing_profile_[event.candidates[event.chosen].value],
                                  .expires_at = event.expires_at, .attempts = {},
                                  .never_again = event.state == TouchState::blocked, .campaign = campaign, .has_steps = !event.steps.empty()};
            if (const auto* by = by_token(event.key_name); by != nullptr && by->steps.empty() != event.steps.empty()) fail("11 cascade", by->token + " was taken with other steps");
            of_contact_[record.contact.value].push_back(event.id);
            break;
        }
        case EventType::touch_dispatching: take_dispatching(record); break;
        case EventType::touch_deferred: {
            if (!read<TouchDeferred>(record).reason.empty()) ++counts_.yielded;
            break;
        }
        case EventType::campaign_audience_added: {
            // Also of a batch whose caller never heard of it, because the gateway stopped between the sync and the answer.
            const auto event = read<CampaignAudienceAdded>(record);
            std::size_t line = 0;
            for (const auto& each : asked)
                if (each.campaign == event.id && line < event.lines.size()) customers[each.customer].contact = event.lines[line++].contact.value;
            break;
        }
        case EventType::campaign_paused: stopped_campaigns_.insert(read<CampaignPaused>(record).id); break;
        case EventType::campaign_cancelled: stopped_campaigns_.insert(read<CampaignCancelled>(record).id); break;
        case EventType::campaign_resumed: stopped_campaigns_.erase(read<CampaignResumed>(record).id); break;
        case EventType::touch_permit_lapsed: {
            const auto event = read<TouchPermitLapsed>(record);
            unused(event.touch, event.attempt);
            break;
        }
        case EventType::touch_permit_revoked: {
            const auto event = read<TouchPermitRevoked>(record);
            unused(event.touch, event.attempt);
            break;
        }
        case EventType::touch_attempt_ended: {
            const auto event = read<TouchAttemptEnded>(record);
            if (event.slot != SlotChange::keep) release(event.touch, event.attempt);
            // What was unknown stays so, whatever the gateway says, until the provider reports a failure.
            if (auto* attempt = attempt_of(event.touch, event.attempt); attempt != nullptr && event.outcome != channel::OutcomeKind::accepted) {
                if (!attempt->unknown || attempt->failed_by_receipt) attempt->may_have_arrived = false;
                if (attempt->failed_by_receipt) {  // the next account or channel may try
                    auto& touch = touches_.at(event.touch);
                    attempt->progress = touch.progress = 0;
                    for (const auto& other : touch.attempts) touch.progress = std::max(touch.progress, other.progress);
                }
            }
            break;
        }
        case EventType::touch_failed: {
            const auto event = read<TouchFailed>(record);
            ++counts_.failed;
            if (const auto* touch = logged(event.touch, record); touch != nullptr && touch->progress >= 2)
                fail("6 statuses", "touch " + touch->token + " failed after it was delivered, at " + std::to_string(record.sequence));
            if (event.slot != SlotChange::keep) release(event.touch, event.attempt);
            break;
        }
        case EventType::touch_unknown: {
            const auto event = read<TouchUnknown>(record);
            ++counts_.unknown;
            if (auto* attempt = attempt_of(event.touch, event.attempt)) {
                attempt->unknown = true;
                if (attempt->accepted)
                    fail("6 statuses", "an attempt of " + touches_.at(event.touch).token + " became unknown after it was accepted, at " + std::to_string(record.sequence));
            }
            break;
        }
        case EventType::touch_accepted: {
            const auto event = read<TouchAccepted>(record);
            advance(event.touch, event.attempt, 1, record);
            break;
        }
        case EventType::touch_delivered: {
            const auto event = read<TouchDelivered>(record);
            ++counts_.delivered;
            advance(event.touch, event.attempt, 2, record);
            break;
        }
        case EventType::touch_read: {
            const auto event = read<TouchRead>(record);
            advance(event.touch, event.attempt, 3, record);
            break;
        }
        case EventType::touch_replied: {
            const auto event = read<TouchReplied>(record);
            advance(event.touch, event.attempt, 4, record);
            break;
        }
        case EventType::receipt_received:
        case EventType::receipt_matched: {
            const auto event = read<ReceiptReceived>(record);
            if (event.touch.is_nil() || (event.status != channel::ReceiptStatus::failed && event.status != channel::ReceiptStatus::recipient_refuses)) break;
            if (auto* attempt = attempt_of(event.touch, event.attempt)) attempt->failed_by_receipt = true;
            break;
        }
        case EventType::message_received: {
            const auto event = read<MessageReceived>(record);
            auto& last = last_message_.try_emplace({event.dedupe.high, event.dedupe.low}, Instant::min()).first->second;
            if (last != Instant::min() && record.time - last <= std::chrono::seconds{60})
                fail("6 inbound", "a repeated message was taken as a new one at " + std::to_string(record.sequence));
            last = record.time;
            break;
        }
        case EventType::touch_settled: {
            const auto event = read<TouchSettled>(record);
            never_again(event.touch);
            ++counts_.settled;
            break;
        }
        case EventType::touch_cancelled: never_again(read<TouchCancelled>(record).touch); break;
        case EventType::touch_expired: never_again(read<TouchExpired>(record).touch); break;
        case EventType::touch_blocked: never_again(read<TouchBlocked>(record).touch); break;
        default: break;
    }
}

// A further attempt beside one that may have arrived needs that one's time to be over, and that nothing came so far as its step waits for.
std::string Oracle::wrong_step(const Logged& touch, const Asked* by, std::uint8_t chosen, const Record& record) const {
    const auto of_campaign = steps_of_campaign_.find(touch.campaign);
    const auto terms = [&](std::uint8_t candidate) -> dispatch::StepTerms {
        if (of_campaign != steps_of_campaign_.end() && candidate < of_campaign->second.size()) return of_campaign->second[candidate];
        if (by != nullptr && candidate < by->steps.size()) return by->steps[candidate];
        return {.until = dispatch::Until::delivered, .within_ms = by != nullptr && by->fallback_after ? by->fallback_after->count() : -1};
    };
    for (const auto& attempt : touch.attempts) {
        const auto asked_for = terms(attempt.chosen);
        const int wanted = asked_for.until == dispatch::Until::accepted ? 1 : asked_for.until == dispatch::Until::delivered ? 2 : asked_for.until == dispatch::Until::read ? 3 : 4;
        if (attempt.progress >= wanted) return "after attempt " + std::to_string(attempt.number) + " came as far as it should";
        if (!attempt.may_have_arrived) continue;
        if (asked_for.within_ms < 0 && !(by != nullptr && by->fallback_on_unknown && attempt.unknown)) return "while an earlier attempt may have arrived";
        if (asked_for.within_ms >= 0 && record.time < attempt.at + Duration{asked_for.within_ms}) return "before the time of attempt " + std::to_string(attempt.number) + " is over";
        if (attempt.unknown && !attempt.accepted && !(by != nullptr && by->fallback_on_unknown)) return "while nobody knows what became of attempt " + std::to_string(attempt.number);
        if (chosen <= attempt.chosen) return "over the same way";
    }
    return {};
}

void Oracle::take_dispatching(const Record& record) {
    const auto event = read<TouchDispatching>(record);
    ++counts_.permits;
    auto* touch = logged(event.touch, record);
    if (touch == nullptr) return;
    const auto says = [&](const std::string& what) { return "touch " + touch->token + " is permitted " + what + ", at " + std::to_string(record.sequence); };
    const auto* by = by_token(touch->token);
    if (touch->never_again) fail("6 statuses", says("after its end"));
    if (record.time >= touch->expires_at) fail("4 stale", says("after it expired"));
    if (by == nullptr || !by->at_least_once)
        if (const auto wrong = wrong_step(*touch, by, event.chosen, record); !wrong.empty()) fail("5 double send", says("again " + wrong));
    if (std::any_of(touch->attempts.begin(), touch->attempts.end(), [](const SentAttempt& attempt) { return attempt.may_have_arrived; })) ++counts_.further_steps;
    if (stopped_campaigns_.contains(touch->campaign)) fail("10 campaign", says("although its campaign " + touch->campaign + " rests"));
    touch->attempts.push_back({.number = event.attempt, .at = record.time, .chosen = event.chosen});
    if (touch->marketing) check_cap(*touch, record);
}

void Oracle::check_after_start() {
    if (log_->durable_head().sequence < read_to_)
        fail("4 kept", "record " + std::to_string(read_to_) + " was durable and is gone: the log ends at " + std::to_string(log_->durable_head().sequence));
    read_log();
    for (const auto& each : asked)
        if (each.answered && !touches_.contains(*each.answered)) fail("4 kept", "touch " + each.token + " was answered and is gone");
}

void Oracle::check_answer(std::size_t number, const TouchView& answer) {
    auto& each = asked[number];
    if (each.answered && *each.answered != answer.id) fail("4 keys", "the key of " + each.token + " was answered with two ids");
    if (each.answered && !answer.duplicate) fail("4 keys", "the repeat of " + each.token + " was answered as new");
    each.answered = answer.id;
    read_log();
    if (!touches_.contains(answer.id)) fail("4 kept", "touch " + each.token + " was answered before it was durable");
}

void Oracle::withdrawn(std::size_t number, std::uint64_t begun) {
    auto& customer = customers[number];
    ++counts_.opt_outs;
    // A grant that was under way meanwhile may have come after it.
    if (customer.grants_open == 0 && begun > customer.last_grant && customer.marketing_forbidden == 0) customer.marketing_forbidden = tick();
}

void Oracle::suppressed(std::size_t number, std::uint64_t begun) {
    auto& customer = customers[number];
    if (customer.removals_open == 0 && begun > customer.last_removal && customer.all_forbidden == 0) customer.all_forbidden = tick();
}

void Oracle::check_campaign(const CampaignDetails& campaign) {
    auto all = campaign.pending + campaign.held_out;
    for (const auto count : campaign.counts) all += count;
    if (all != campaign.audience_size)
        fail("10 campaign", campaign.id + " counts " + std::to_string(all) + " of " + std::to_string(campaign.audience_size) + " recipients");
    if (campaign.state == "running") fail("10 campaign", campaign.id + " still runs after a day without faults");
}

void Oracle::on_message_reported(const AckTicket& ticket, const channel::InboundMessage& message) {
    const auto first = first_report_.emplace(message.from + message.fingerprint, tick()).first->second;
    reported_[{ticket.connection, ticket.token}] = {.from = message.from, .opt_out = message.text == "TD" || message.text == "T", .at = first};
}

void Oracle::on_acknowledged(const AckTicket& ticket, bool durable) {
    const auto found = reported_.find({ticket.connection, ticket.token});
    if (found == reported_.end() || !durable) return;
    if (const auto customer = customer_of(found->second.from); found->second.opt_out && customer < customers.size()) withdrawn(customer, found->second.at);
    reported_.erase(found);
}

void Oracle::on_handed_over(const AttemptOrder& order, channel::Monotonic now) {
    handed_over_[order.submission.touch] = {.account = order.account, .at = now};
}

// The rate is kept by permits; those that were never used do not count.
void Oracle::check_rate(channel::Monotonic permitted) {
    if (limits_.rate_per_second == 0) return;
    const auto [here, is_new] = used_permits_.insert(permitted);
    const auto too_close = [&](channel::Monotonic one, channel::Monotonic other) {
        return std::chrono::duration<double>(other - one).count() * limits_.rate_per_second < 0.999;
    };
    if (!is_new || (here != used_permits_.begin() && too_close(*std::prev(here), permitted)) || (std::next(here) != used_permits_.end() && too_close(permitted, *std::next(here))))
        fail("rate", "messages leave faster than the account's rate, at " + std::to_string(permitted.count() / 1'000'000) + " ms");
}

void Oracle::on_written(sandbox::ConnectionId connection, std::string_view packets, channel::Monotonic now) {
    using namespace sandbox::smpp;
    while (packets.size() >= header_bytes) {
        const auto header = read_header(packets);
        if (header.length < header_bytes || header.length > packets.size()) return fail("simulation", "the gateway wrote half a packet");
        const auto packet = packets.substr(0, header.length);
        packets.remove_prefix(header.length);
        if (header.command != submit_sm) continue;
        const auto submit = read_submit(packet.substr(header_bytes)).submit;
        const auto token = sandbox::decode(submit.payload, sandbox::coding_of(submit.data_coding, sandbox::Coding::gsm)).substr(0, 7);
        if (submit.place.joining == Joining::none) {
            first_byte(token, now);
            continue;
        }
        // A message in parts leaves with its first part. The others follow under the same permit, also when the message centre made them wait;
        // parts that it refused come again.
        auto& known = in_parts_[{connection, std::string{submit.destination}, submit.place.reference}];
        if (submit.place.index == 1) {
            if (known != token) first_byte(token, now);
            known = token;
        } else if (known.empty()) {
            fail("1 permit", "a later part left before the first, to " + std::string{submit.destination});
        }
    }
}

// A recipient of a campaign has no token of its own in the log: he is found by his contact.
std::optional<TouchId> Oracle::touch_of(const std::string& token, const Asked& asked_for) const {
    if (!asked_for.campaign.empty()) {
        const auto found = touch_of_recipient_.find({asked_for.campaign, customers[asked_for.customer].contact});
        return found == touch_of_recipient_.end() ? std::nullopt : std::optional{found->second};
    }
    const auto found = touch_of_token_.find(token);
    return found == touch_of_token_.end() ? std::nullopt : std::optional{found->second};
}

void Oracle::first_byte(const std::string& token, channel::Monotonic now) {
    read_log();
    auto* each = by_token(token);
    if (each == nullptr) return fail("1 permit", "a message that nobody asked for left: " + token);
    ++each->left;
    const auto touch = touch_of(token, *each);
    const auto permits = touch ? touches_.at(*touch).attempts.size() : std::size_t{0};
    if (permits < static_cast<std::size_t>(each->left))
        return fail("1 permit", token + " left " + std::to_string(each->left) + " times with " + std::to_string(permits) + " durable permits");
    const auto& permitted = handed_over_[*touch];
    if (now - permitted.at > limits_.permit_time) fail("1 permit", token + " left after its permit's deadline");
    if (permitted.account == 0) check_rate(permitted.at);
    const auto& customer = customers[each->customer];
    if (customer.marketing_forbidden != 0 && each->purpose == "marketing")
        fail("3 opt-out", token + " left after the withdrawal was acknowledged, at tick " + std::to_string(customer.marketing_forbidden));
    if (customer.all_forbidden != 0) fail("3 suppression", token + " left after the suppression was acknowledged, at tick " + std::to_string(customer.all_forbidden));
    if (each->cancelled != 0) fail("4 cancelled", token + " left after its cancellation was answered");
}

void Oracle::on_bytes_arrived() {
    if (store_.last_number() == messages_seen_) return;
    store_.read(messages_seen_, false, [&](const sandbox::StoredMessage& message) {
        ++counts_.received;
        const auto token = message.text.substr(0, 7);
        auto* each = by_token(token);
        if (each == nullptr) {
            fail("1 permit", "a message that nobody asked for was received: " + message.text);
            return false;
        }
        // One that the phone never got may be followed by another.
        const bool repeated = std::any_of(each->received.begin(), each->received.end(), [&](std::uint64_t number) {
            const auto earlier = store_.message(number);
            return earlier && earlier->state != sandbox::PartState::failed;
        });
        each->received.push_back(message.n);
        if (repeated && !each->may_repeat) fail("5 double send", token + " was received twice");
        if (message.text != each->text) fail("4 frozen", token + " was received with another text");
        const auto& customer = customers[each->customer];
        if (message.to != customer.phone && message.to != customer.phone.substr(1)) fail("1 permit", token + " reached another phone");
        return true;
    });
    messages_seen_ = store_.last_number();
}

}  // namespace touchgate::simulation
