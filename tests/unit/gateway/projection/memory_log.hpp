// A touch log in memory, with helpers that write whole touches as the engine would. For tests of what reads logs.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/events.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::test {

class MemoryLog : public LogReader {
public:
    Instant now = from_unix_ms(1'795'000'000'000);
    std::map<std::uint32_t, crypto::Key> keys;

    template <class E> std::uint64_t write(const E& event, ContactIndex contact = {}) {
        ByteWriter payload;
        encode(payload, event);
        Kept kept;
        kept.payload = payload.bytes();
        auto& record = kept.record;
        record.sequence = records_.size() + 1;
        record.time = now;
        record.type = static_cast<std::uint16_t>(E::type);
        record.version = event_version;
        record.contact = contact;
        record.position = position(record.sequence);
        record.length = static_cast<std::uint32_t>(kept.payload.size() + 80);
        if (contact.value != 0) {
            record.previous_of_contact = newest[contact.value];
            newest[contact.value] = record.position;
        }
        record.hash = crypto::sha256(records_.empty() ? std::string_view{} : crypto::view(records_.back().record.hash), kept.payload);
        records_.push_back(std::move(kept));
        return records_.size();
    }

    template <class Secret> std::string seal(ContactIndex contact, const Secret& secret) {
        ByteWriter plain;
        encode(plain, secret);
        std::string out;
        if (!keys.contains(contact.value)) keys[contact.value] = crypto::random_key();
        crypto::seal(out, keys[contact.value], records_.size() + 1, 0, plain.bytes());
        return out;
    }

    const crypto::Key* key(ContactIndex contact) const {
        const auto found = keys.find(contact.value);
        return found == keys.end() ? nullptr : &found->second;
    }

    static LogPosition position(std::uint64_t sequence) { return {(std::uint64_t{1} << 32U) | (sequence * 100)}; }

    Result<Record> at(LogPosition where, std::string& buffer) const override {
        const auto sequence = where.offset() / 100;
        if (sequence == 0 || sequence > records_.size() || where != position(sequence)) return Error{ErrorKind::corrupt, "no record there"};
        const auto& kept = records_[sequence - 1];
        buffer = kept.payload;
        auto record = kept.record;
        record.payload = buffer;
        return record;
    }
    Result<std::uint64_t> scan(std::uint64_t from, const std::function<bool(const Record&)>& each) const override {
        for (auto next = from == 0 ? 1 : from; next <= records_.size(); ++next) {
            auto record = records_[next - 1].record;
            record.payload = records_[next - 1].payload;
            if (!each(record)) return next + 1;
        }
        return std::max<std::uint64_t>(from, records_.size() + 1);
    }
    LogHead durable_head() const override {
        if (records_.empty()) return {};
        return {records_.size(), records_.back().record.hash, position(records_.size() + 1)};
    }

    std::map<std::uint32_t, LogPosition> newest;  // of each contact
    // Forgets the newest records, as a log that was replaced by an older copy would.
    void cut_to(std::size_t records) { records_.resize(records); }

private:
    struct Kept {
        Record record;
        std::string payload;
    };
    std::deque<Kept> records_;
};

inline Uuid numbered_id(Instant at, std::uint64_t number) {
    Uuid id;
    const auto ms = static_cast<std::uint64_t>(unix_ms(at));
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
    id.bytes[6] = 0x70;
    id.bytes[8] = 0x80;
    for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>((number >> (8 * i)) | (i == 7 ? 0x80 : 0));
    return id;
}

// The scene of most tests: a policy with three rules, two accounts, contacts "cust-1"…
class Scene : public MemoryLog {
public:
    static constexpr ProfileId sms{1}, wecom{2}, plain_sms{3}, care_sms{4};

    Scene() {
        write(PolicyActivated{.number = 1, .name = "house", .version = 3, .document = "{}", .from_file = true, .rule_names = {"opt-out", "cap-week", "quiet-hours"}});
        write(ProfileDefined{.id = sms, .purpose = "marketing", .channel = "sms", .account = "sms-main", .campaign = "double11", .unit = "hq/east", .template_name = "offer"});
        write(ProfileDefined{.id = wecom, .purpose = "marketing", .channel = "wecom", .account = "wecom-main", .campaign = "double11", .unit = "hq/east", .template_name = "offer"});
        write(ProfileDefined{.id = plain_sms, .purpose = "transactional", .channel = "sms", .account = "sms-main", .campaign = "", .unit = "hq", .template_name = ""});
        write(ProfileDefined{.id = care_sms, .purpose = "care", .channel = "sms", .account = "sms-backup", .campaign = "", .unit = "hq/west/store-1", .template_name = ""});
    }

    ContactIndex contact(const std::string& unit = "hq/east") {
        const ContactIndex index{++contacts_};
        const auto number = std::to_string(13800000000 + contacts_);
        ContactSecret secret;
        secret.addresses = {{.number = contacts_, .kind = AddressKind::phone, .value = "+86" + number, .account = ""}};
        secret.name = "Wang Fang";
        write(ContactCreated{.index = index, .id = "cust-" + std::to_string(contacts_), .owner = "agent-7", .unit = unit, .legal_hold = false, .sealed = seal(index, secret)},
              index);
        return index;
    }

    static LoggedDecision decision(policy::Verdict verdict, std::uint16_t rule = policy::no_rule, std::int64_t until = 0) {
        LoggedDecision made;
        made.policy = 1;
        made.verdict = verdict;
        made.rule = rule;
        made.until = until;
        return made;
    }

    TouchId create(ContactIndex contact, std::vector<ProfileId> candidates = {sms}, TouchState state = TouchState::queued, std::uint16_t rule = policy::no_rule) {
        TouchCreated event;
        event.id = numbered_id(now, ++touches_);
        event.candidates = std::move(candidates);
        event.state = state;
        event.address = contact.value;
        event.expires_at = now + one_day;
        event.key_name = "scheduler";
        event.has_key = true;
        event.key_hash = {0, touches_};
        const auto verdict = state == TouchState::queued ? policy::Verdict::allow : state == TouchState::deferred ? policy::Verdict::defer : policy::Verdict::deny;
        event.decision = decision(verdict, rule, verdict == policy::Verdict::defer ? unix_ms(now) + 60'000 : 0);
        TouchSecret secret;
        secret.key = "key-" + std::to_string(touches_);
        secret.variables = {{"name", "Wang Fang"}};
        secret.text = "Dear customer, 20% off";
        secret.metadata = {{"order", "\"A-1\""}};
        event.sealed = seal(contact, secret);
        write(event, contact);
        if (state == TouchState::deferred) write(TouchDeferred{.touch = event.id, .reason = {}}, contact);
        if (state == TouchState::blocked) write(TouchBlocked{.touch = event.id, .reason = {}}, contact);
        return event.id;
    }
    // A recipient's touch of the campaign "double11", as the gateway releases it from an audience; of arm "holdout" a ghost.
    TouchId create_for(ContactIndex contact, const std::string& arm, bool given = false, TouchState state = TouchState::queued) {
        const bool ghost = arm == "holdout";
        TouchCreated event;
        event.id = numbered_id(now, ++touches_);
        event.candidates = {sms};
        event.state = ghost ? TouchState::blocked : state;
        event.address = contact.value;
        event.origin = policy::Origin::campaign;
        event.expires_at = now + one_day;
        event.recipient = contact.value;
        event.arm = arm;
        event.arm_given = given;
        event.decision = decision(event.state == TouchState::blocked ? policy::Verdict::deny : policy::Verdict::allow);
        if (ghost) event.decision.rule_override = "holdout";
        write(event, contact);
        if (ghost) write(TouchHeldOut{.touch = event.id, .arm = arm}, contact);
        return event.id;
    }
    void campaign(const std::string& id, double holdout, const std::string& definition = "{}") {
        write(CampaignCreated{.id = id, .purpose = "marketing", .unit = "hq/east", .definition = definition, .body_hash = {}, .holdout = holdout, .rate = {}});
    }
    // `units` of the currency's smallest unit.
    void convert(ContactIndex contact, const std::string& kind, std::int64_t units = 0, const std::string& currency = "CNY") {
        write(ConversionRecorded{.key_hash = {}, .kind = kind, .currency = currency, .value_cents = units, .at = now, .sealed = {}}, contact);
    }
    void permit(const TouchId& touch, ContactIndex contact, std::uint16_t attempt = 1, std::uint8_t chosen = 0) {
        TouchDispatching event;
        event.touch = touch;
        event.attempt = attempt;
        event.chosen = chosen;
        event.address = contact.value;
        event.cost_micro = 45'000;
        event.decision = decision(policy::Verdict::allow);
        write(event, contact);
    }
    void accept(const TouchId& touch, ContactIndex contact, std::uint16_t attempt = 1) {
        write(TouchAccepted{.touch = touch, .attempt = attempt, .ids = {"1A2B"}, .parts = 1}, contact);
    }
    void receipt(const TouchId& touch, ContactIndex contact, channel::ReceiptStatus status, const std::string& raw, std::uint16_t attempt = 1) {
        ReceiptReceived event;
        event.account = "sms-main";
        event.channel = "sms";
        event.provider_id = "1A2B";
        event.raw = raw;
        event.status = status;
        event.touch = touch;
        event.attempt = attempt;
        event.provider_time = unix_ms(now);
        write(event, contact);
        if (status == channel::ReceiptStatus::delivered)
            write(TouchDelivered{.touch = touch, .attempt = attempt, .provider_id = "1A2B", .raw = raw, .provider_time = unix_ms(now)}, contact);
        if (status == channel::ReceiptStatus::failed)
            write(TouchFailed{.touch = touch, .attempt = attempt, .reason = "undeliv", .provider_id = "1A2B", .raw = raw, .slot = SlotChange::fail}, contact);
    }
    void deliver(const TouchId& touch, ContactIndex contact) {
        permit(touch, contact);
        accept(touch, contact);
        receipt(touch, contact, channel::ReceiptStatus::delivered, "DELIVRD");
    }
    // Created, permitted, accepted, delivered.
    TouchId delivered(ContactIndex contact, ProfileId profile = sms) {
        const auto touch = create(contact, {profile});
        deliver(touch, contact);
        return touch;
    }

private:
    std::uint32_t contacts_ = 0;
    std::uint64_t touches_ = 0;
};

}  // namespace touchgate::test
