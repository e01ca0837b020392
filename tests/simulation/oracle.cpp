#include "tests/simulation/oracle.hpp"

#include <algorithm>

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
        for (const auto& attempt : other.attempts)
            if (attempt.counts && attempt.at <= record.time && record.time < attempt.at + cap_.per) ++counted;
    }
    if (counted == cap_.max) ++counts_.full_caps;
    if (counted > cap_.max)
        fail("2 caps", "permit " + std::to_string(record.sequence) + " of contact " + std::to_string(touch.contact) + " is number " + std::to_string(counted) + " of " +
                           std::to_string(cap_.max) + " within " + format_duration(cap_.per));
}

void Oracle::advance(const TouchId& id, std::uint16_t number, int to, const Record& record) {
    auto* touch = logged(id, record);
    if (touch == nullptr) return;
    if (to <= touch->progress && to > 1)
        fail("6 statuses", "touch " + touch->token + " goes from " + std::to_string(touch->progress) + " to " + std::to_string(to) + " at " + std::to_string(record.sequence));
    touch->progress = std::max(touch->progress, to);
    for (auto& attempt : touch->attempts)
        if (attempt.number == number) attempt.counts = true;
}

void Oracle::take(const Record& record) {
    if (record.sequence != read_to_ + 1) fail("8 log", "record " + std::to_string(record.sequence) + " follows " + std::to_string(read_to_));
    read_to_ = record.sequence;
    ++counts_.records;
    const auto release = [&](const TouchId& id, std::uint16_t number) {
        if (auto* touch = logged(id, record))
            for (auto& attempt : touch->attempts)
                if (attempt.number == number) attempt.counts = false;
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
                                  .marketing = !event.candidates.empty() && marketing_profile_[event.candidates[event.chosen].value], .attempts = {},
                                  .never_again = event.state == TouchState::blocked, .campaign = campaign};
            of_contact_[record.contact.value].push_back(event.id);
            break;
        }
        case EventType::touch_dispatching: {
            const auto event = read<TouchDispatching>(record);
            ++counts_.permits;
            auto* touch = logged(event.touch, record);
            if (touch == nullptr) break;
            if (touch->never_again) fail("6 statuses", "touch " + touch->token + " is permitted after its end, at " + std::to_string(record.sequence));
            if (touch->progress > 0) fail("5 double send", "touch " + touch->token + " is permitted again after it was accepted, at " + std::to_string(record.sequence));
            if (stopped_campaigns_.contains(touch->campaign)) fail("10 campaign", "a permit for a recipient of " + touch->campaign + ", which rests, at " + std::to_string(record.sequence));
            touch->attempts.push_back({.number = event.attempt, .at = record.time, .counts = true});
            if (touch->marketing) check_cap(*touch, record);
            break;
        }
        case EventType::touch_deferred: {
            if (!read<TouchDeferred>(record).reason.empty()) ++counts_.yielded;
            break;
        }
        case EventType::campaign_paused: stopped_campaigns_.insert(read<CampaignPaused>(record).id); break;
        case EventType::campaign_cancelled: stopped_campaigns_.insert(read<CampaignCancelled>(record).id); break;
        case EventType::campaign_resumed: stopped_campaigns_.erase(read<CampaignResumed>(record).id); break;
        case EventType::touch_permit_lapsed: {
            const auto event = read<TouchPermitLapsed>(record);
            release(event.touch, event.attempt);
            break;
        }
        case EventType::touch_permit_revoked: {
            const auto event = read<TouchPermitRevoked>(record);
            release(event.touch, event.attempt);
            break;
        }
        case EventType::touch_attempt_ended: {
            const auto event = read<TouchAttemptEnded>(record);
            if (event.slot != SlotChange::keep) release(event.touch, event.attempt);
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
            if (const auto* touch = logged(event.touch, record); touch != nullptr && touch->progress >= 1)
                fail("6 statuses", "touch " + touch->token + " became unknown after it was accepted, at " + std::to_string(record.sequence));
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
        case EventType::touch_cancelled: never_again(read<TouchCancelled>(record).touch); break;
        case EventType::touch_expired: never_again(read<TouchExpired>(record).touch); break;
        case EventType::touch_blocked: never_again(read<TouchBlocked>(record).touch); break;
        default: break;
    }
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

void Oracle::on_bytes_arrived(std::uint64_t written) {
    if (store_.last_number() == messages_seen_) return;
    read_log();
    store_.read(messages_seen_, false, [&](const sandbox::StoredMessage& message) {
        ++counts_.received;
        const auto token = message.text.substr(0, 7);
        auto* each = by_token(token);
        if (each == nullptr) {
            fail("1 permit", "a message that nobody asked for was received: " + message.text);
            return false;
        }
        ++each->received;
        auto permits = std::size_t{0};
        if (!each->campaign.empty()) {
            const auto touch = touch_of_recipient_.find({each->campaign, customers[each->customer].contact});
            if (touch != touch_of_recipient_.end()) permits = touches_.at(touch->second).attempts.size();
        } else if (const auto touch = touch_of_token_.find(token); touch != touch_of_token_.end()) {
            permits = touches_.at(touch->second).attempts.size();
        }
        if (permits < static_cast<std::size_t>(each->received))
            fail("1 permit", token + " was received " + std::to_string(each->received) + " times with " + std::to_string(permits) + " durable permits");
        if (each->received > 1 && !each->at_least_once) fail("5 double send", token + " was received twice");
        if (message.text != each->text) fail("4 frozen", token + " was received with another text");
        const auto& customer = customers[each->customer];
        if (message.to != customer.phone && message.to != customer.phone.substr(1)) fail("1 permit", token + " reached another phone");
        // The rule is about the first byte. Of a message in parts only the last one's tick is known here, and parts that were throttled or waited
        // for a place in the window follow later; for those nothing can be said.
        const bool whole = message.parts == 1;
        if (whole && customer.marketing_forbidden != 0 && written > customer.marketing_forbidden && each->purpose == "marketing")
            fail("3 opt-out", token + " was written at tick " + std::to_string(written) + ", the withdrawal was acknowledged at " + std::to_string(customer.marketing_forbidden));
        if (whole && customer.all_forbidden != 0 && written > customer.all_forbidden)
            fail("3 suppression", token + " was written at tick " + std::to_string(written) + ", the suppression was acknowledged at " + std::to_string(customer.all_forbidden));
        if (whole && each->cancelled != 0 && written > each->cancelled) fail("4 cancelled", token + " left after its cancellation was answered");
        return true;
    });
    messages_seen_ = store_.last_number();
}

}  // namespace touchgate::simulation
