// What messaging platforms tell, by callback or page by page: follows and unfollows, scans, synchronised customers, and what this program does not
// understand, which is kept as it came. Durable before it is acknowledged, effective once; state follows the platform's own times.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

using Reached = channel::ProviderEvent::Reach;

namespace {

// A follow is told by two records: the platform's event, and its effect, which alone changes what is known of the customer.
bool has_effect(std::string_view kind) { return kind == "follow" || kind == "unfollow"; }
// What the gateway itself read, page by page: no event of the platform.
bool is_read(std::string_view kind) { return kind == "customer" || kind == "group" || kind == "unassigned"; }

constexpr Duration native_for{std::chrono::hours{48}};  // a conversation of WeCom's customer service lasts so long from the customer's start

// WeCom's customer service: an employee took the conversation, was given it, or opened it again in WeCom's own client (change_type 1, 2, 4, or simply
// wrote there), or ended it (3). A customer's message leaves it with the employee who has it.
std::optional<bool> serves_natively(std::string_view kind, std::string_view change) {
    if (kind == "kf.servicer_message") return true;
    if (kind != "kf.session_status_change") return std::nullopt;
    if (change == "1" || change == "2" || change == "4") return true;
    return change == "3" ? std::optional{false} : std::nullopt;
}

}  // namespace

bool Engine::Internals::handled_natively(const Interaction& conversation) const {
    const auto* reach = conversation.address == 0 ? nullptr : state.addresses[conversation.address].reach.get();
    return reach != nullptr && std::any_of(reach->natives.begin(), reach->natives.end(), [&](const Reach::Native& each) {
        return each.account == conversation.account && each.serves && now < each.at + native_for;
    });
}

AccountNumber Engine::Internals::meant_by(AccountNumber number, std::string_view topic) const {
    if (topic.empty()) return number;
    for (AccountNumber other = 0; other < accounts.size(); ++other) {
        const auto& of = accounts[other].settings.capabilities;
        if (of.parent == accounts[number].settings.name && std::find(of.topics.begin(), of.topics.end(), topic) != of.topics.end()) return other;
    }
    return number;
}

Address Engine::Internals::address_from(AccountNumber number, std::string_view value) const {
    const auto& of = accounts[number].settings;
    Address made{.kind = address_kind_of(of.capabilities.channel), .value = std::string{value}, .account = {}};
    if (made.kind == AddressKind::openid) made.account = of.capabilities.address_scope.empty() ? of.name : of.capabilities.address_scope;
    if (made.kind == AddressKind::phone && !value.empty() && value.front() != '+' && value.size() >= 8 && value.find_first_not_of("0123456789") == std::string_view::npos)
        made.value.insert(made.value.begin(), '+');
    return made;
}

// The address and the unionid become the contact's, if they are not yet.
void Engine::Internals::attach(ContactIndex contact, const std::optional<Address>& address, const std::string& unionid) {
    auto values = secret_of(contact);
    bool changed = false;
    if (address) {
        auto number = find_address(*address);
        const auto known = std::any_of(values.addresses.begin(), values.addresses.end(), [&](const LoggedAddress& each) { return number != 0 && each.number == number; });
        if (!known) {
            if (number == 0) number = static_cast<std::uint32_t>(state.addresses.size());
            values.addresses.push_back({.number = number, .kind = address->kind, .value = address->value, .account = address->account});
            changed = true;
        }
    }
    if (!unionid.empty() && !state.contact_by_unionid.contains(index_hash("u" + unionid))) {
        values.unionids.push_back(unionid);
        changed = true;
    }
    if (!changed) return;
    const auto* extras = state.contacts[contact.value].extras.get();
    emit(contact, ContactUpdated{.owner = extras ? extras->owner : std::string{}, .unit = extras ? extras->unit : std::string{},
                                 .legal_hold = extras != nullptr && extras->legal_hold, .sealed = seal_for(contact, values)});
}

namespace {

bool refused_by(const AddressRow& row, Symbol account) {
    if (!row.reach) return false;
    const auto& standings = row.reach->standings;
    return std::any_of(standings.begin(), standings.end(), [&](const Reach::Standing& each) { return each.account == account && each.refuses; });
}

}  // namespace

template <EventType Type> void Engine::Internals::apply(const RecordMeta& meta, const PlatformEventOf<Type>& event) {
    const bool is_record = event.kind == "customer";  // the whole of what is known of a customer and one employee, as of now
    if (!is_record && event.dedupe != crypto::Hash128{} && state.inbound_seen.emplace(event.dedupe, meta.time).second) state.inbound_order.emplace_back(meta.time, event.dedupe);
    if (event.address == 0 || (Type == EventType::platform_event && has_effect(event.kind))) return;
    auto& row = address_row(event.address);
    const auto account = state.symbols.intern(event.account);
    if (const auto serves = serves_natively(event.kind, event.ref)) {
        auto& natives = row.reached().natives;
        auto known = std::find_if(natives.begin(), natives.end(), [&](const Reach::Native& each) { return each.account == account; });
        if (known == natives.end()) known = natives.insert(natives.end(), Reach::Native{.account = account, .at = event.provider_time});
        if (event.provider_time >= known->at) *known = {.account = account, .at = event.provider_time, .serves = *serves};
    }
    if (!event.act.empty()) note_act(event.address, event.account, event.act, event.provider_time, meta.time);
    if (meta.contact.value != 0) add_act(meta.contact, "event.received", event.kind, event.channel, event.provider_time);
    if (event.kind == "unassigned" && !event.employee.empty()) counts_of(account, event.employee).resigned = true;
    if (event.stale && !(is_record && !refused_by(row, account))) return;
    if (event.kind == "group")
        if (PlatformEventSecret values; unseal_of(meta.contact, event.sealed, values)) note_group(event.address, values.body_json);
    // Also handed over to a colleague: the customer is as reachable as before, by somebody else. An account's own follower has no employee; there is one
    // entry for him as soon as something is to be kept in it.
    const bool has_entry = !event.employee.empty() || is_record || event.kind == "unfollow";
    if (has_entry && (event.reach != Reached::unchanged || event.kind == "unfollow" || event.kind == "unassigned")) {
        auto& followers = row.reached().followers;
        const auto known = std::find_if(followers.begin(), followers.end(), [&](const Reach::Follower& each) { return each.account == account && each.employee == event.employee; });
        Reach::Follower follower{.account = account, .employee = event.employee};
        if (known != followers.end()) {
            follower.tags = std::move(known->tags);
            follower.record = known->record;
            followers.erase(known);
        }
        if (is_record) follower.record = event.dedupe.low;
        // An old acquaintance that is only read again does not become the newest.
        if (event.reach == Reached::reachable) followers.insert(event.stale ? followers.begin() : followers.end(), std::move(follower));
        if (event.kind == "follow") counts_of(account, event.employee).resigned = false;
    }
    if (is_record)
        if (PlatformEventSecret values; unseal_of(meta.contact, event.sealed, values)) note_tags(values, event.address, account, event.employee);
    if (event.reach == Reached::unchanged || event.stale) return;
    auto& standings = row.reached().standings;
    auto standing = std::find_if(standings.begin(), standings.end(), [&](const Reach::Standing& each) { return each.account == account; });
    if (standing == standings.end()) standing = standings.insert(standings.end(), Reach::Standing{.account = account});
    standing->at = std::max(standing->at, event.provider_time);
    standing->refuses = event.reach == Reached::refuses;
}
template void Engine::Internals::apply(const RecordMeta&, const PlatformEvent&);
template void Engine::Internals::apply(const RecordMeta&, const EventUnknown&);
template void Engine::Internals::apply(const RecordMeta&, const ContactFollowed&);
template void Engine::Internals::apply(const RecordMeta&, const ContactUnfollowed&);
template void Engine::Internals::apply(const RecordMeta&, const ContactSynced&);

void Engine::Internals::apply(const RecordMeta&, const PullAdvanced& event) { state.pull_cursors[{event.account, event.name}] = event.cursor; }

namespace {

template <class Logged> Logged logged(const channel::ProviderEvent& event) {
    Logged made;
    made.kind = event.kind;
    made.name = event.name;
    made.provider_id = event.id.size() <= 64 ? event.id : std::string{};
    made.act = event.act;
    made.employee = event.employee;
    made.source = event.source;
    made.ref = event.ref;
    made.refused = event.refused;
    made.reach = event.reach;
    return made;
}

}  // namespace

// A record that is read again and again is an event when it says something else than the last one did.
bool Engine::Internals::says_the_same(AccountNumber number, const channel::ProviderEvent& record, const crypto::Hash128& said) const {
    const auto address = find_address(address_from(number, record.from));
    const auto* reach = address == 0 || state.addresses[address].owners.empty() ? nullptr : state.addresses[address].reach.get();
    return reach != nullptr && said != crypto::Hash128{} && std::any_of(reach->followers.begin(), reach->followers.end(), [&](const Reach::Follower& each) {
        return each.account == accounts[number].symbol && each.employee == record.employee && each.record == said.low;
    });
}

void Engine::Internals::take_event(AccountNumber number, const channel::ProviderEvent& event) {
    const auto& of = accounts[number].settings;
    const auto dedupe = event.id.empty() ? crypto::Hash128{} : index_hash("e" + of.name + "\n" + event.id);
    if (event.kind == "customer" ? says_the_same(number, event, dedupe) : seen_before(dedupe)) return;
    if (event.kind == "unknown") ++accounts[number].events_unknown;
    const auto at = std::min(event.at.value_or(now), now);
    ContactIndex contact{};
    std::uint32_t address = 0;
    if (!event.from.empty() && event.kind != "unknown") {
        const auto from = address_from(number, event.from);
        const auto joined = event.unionid.empty() ? state.contact_by_unionid.end() : state.contact_by_unionid.find(index_hash("u" + event.unionid));
        address = find_address(from);
        if ((address == 0 || state.addresses[address].owners.empty()) && joined != state.contact_by_unionid.end()) {
            contact = ContactIndex{joined->second};
            attach(contact, from, {});
            address = find_address(from);
        } else if (const auto resolved = resolve({.id = {}, .address = from}, true, address)) {
            contact = *resolved;
            if (joined == state.contact_by_unionid.end() && !event.unionid.empty()) attach(contact, std::nullopt, event.unionid);
            else if (joined != state.contact_by_unionid.end()) (void)merge(contact, ContactIndex{joined->second}, "unionid", event.kind);
        }
    }
    const auto emit_as = [&](auto made) {
        made.account = of.name;
        made.channel = of.capabilities.channel;
        made.dedupe = dedupe;
        made.address = address;
        made.provider_time = at;
        if (address != 0 && state.addresses[address].reach && event.reach != Reached::unchanged)
            for (const auto& standing : state.addresses[address].reach->standings)
                if (standing.account == accounts[number].symbol && standing.at > at) made.stale = true;
        made.sealed = seal_for(contact, PlatformEventSecret{.unionid = event.unionid, .reply_code = {}, .body_json = event.body_json});
        return std::pair{emit(contact, made), made.stale};
    };
    const auto told = has_effect(event.kind) ? emit_as(logged<PlatformEvent>(event)).first : 0;
    const auto [written, stale] = event.kind == "unknown"    ? emit_as(logged<EventUnknown>(event))
                                  : event.kind == "follow"   ? emit_as(logged<ContactFollowed>(event))
                                  : event.kind == "unfollow" ? emit_as(logged<ContactUnfollowed>(event))
                                  : is_read(event.kind)      ? emit_as(logged<ContactSynced>(event))
                                                             : emit_as(logged<PlatformEvent>(event));
    const auto sequence = told != 0 ? told : written;
    if (address == 0) return;
    const auto list = "platform:" + of.name;
    const auto symbol = state.symbols.intern(list);
    const auto& lists = state.addresses[address].lists;
    const bool listed = std::any_of(lists.begin(), lists.end(), [&](const policy::ListEntry& entry) { return entry.list == symbol && entry.expires_at > now; });
    if (!stale && event.reach == Reached::refuses && !listed) {
        // A customer who has another employee of ours can still be written to.
        const auto* reach = state.addresses[address].reach.get();
        const bool others = !event.employee.empty() && reach != nullptr &&
                            std::any_of(reach->followers.begin(), reach->followers.end(), [&](const Reach::Follower& each) { return each.account == accounts[number].symbol; });
        if (!others) {
            const auto& target = state.addresses[address];
            const SuppressionSecret values{.value = target.value, .account = target.account, .reason = event.kind, .evidence = std::to_string(sequence), .by = "gateway"};
            emit(contact, SuppressionAdded{.list = list, .source = "platform", .address = address, .kind = target.kind, .hash_algorithm = {}, .phone_hash = {}, .at = at,
                                           .expires_at = instant_never, .channels = {}, .purposes = {}, .sealed = seal_for(ContactIndex{}, values)});
        }
    }
    if (!stale && event.reach == Reached::reachable && listed)
        emit(contact, SuppressionRemoved{.list = list, .address = address, .hash_algorithm = {}, .phone_hash = {}});
    if (event.kind == "customer" || event.kind == "unfollow" || event.kind == "unassigned") keep_tags(contact, number);
    if (event.reach != Reached::unchanged || !event.act.empty()) contact_changed(contact);
    if (!stale && !event.source.empty() && contact.value != 0)
        capture_lead(contact, of.capabilities.channel + ":" + event.source, {}, "event " + std::to_string(sequence));
    greet(number, event);
}

// The platform's code for one greeting runs out within seconds: it goes before everything else that waits.
void Engine::Internals::greet(AccountNumber number, const channel::ProviderEvent& event) {
    const auto& of = accounts[number].settings;
    if (event.reply_code.empty() || of.welcome.content_json.empty() || refusal()) return;
    const auto until = event.at.value_or(now) + event.reply_within;
    if (until <= now) return;
    auto content = Json::parse(of.welcome.content_json, nullptr, false);
    if (!content.is_object()) return;
    content["reply_code"] = event.reply_code;
    TouchRequest request;
    request.key = "welcome:" + of.name + ":" + event.id;
    request.body_hash = index_hash(request.key);
    request.contact.address = address_from(number, event.from);
    request.purpose = of.welcome.purpose;
    request.channels = {of.name};
    request.content.body_json = content.dump();
    request.priority = 100;
    request.expires_at = until;
    request.origin = policy::Origin::welcome;
    (void)submit(request, policy::Detail::none, nullptr);
}

void Engine::Internals::take_events(AccountNumber from, channel::WebhookEvents& told, Effect done) {
    const auto number = meant_by(from, told.topic);
    const auto& of = accounts[number].settings;
    for (const auto& receipt : told.receipts) take_receipt(number, receipt);
    for (const auto& event : told.events) take_event(number, event);
    for (auto& hint : told.pulls) engine.after_sync([this, number, hint = std::move(hint)] { parts.transport.hint_pull(number, hint); });
    // `done` once, after the last message has settled.
    struct Countdown { std::size_t left; Effect done; };
    auto countdown = std::make_shared<Countdown>(Countdown{told.messages.size() + 1, std::move(done)});
    const auto one_less = [countdown] {
        if (--countdown->left == 0) countdown->done();
    };
    for (const auto& message : told.messages) (void)take_message(number, message, of.capabilities.channel, of.name, ContactIndex{}, one_less);
    engine.after_sync(one_less);
}

void Engine::Internals::on_event(PageArrived& event) {
    const auto account = event.account;
    auto& page = event.page;
    auto& progress = accounts[account].pulls[event.name];
    if (page.failed) {
        progress.last_error = page.code + (page.detail.empty() ? "" : " " + page.detail);
        return;
    }
    if (!progress.running) progress = {.running = false, .pages = 0, .items = 0, .share = {}, .started_at = now, .page_at = now, .completed_at = progress.completed_at, .last_error = {}};
    progress.running = page.more;
    ++progress.pages;
    progress.items += page.events.events.size() + page.events.messages.size() + page.events.receipts.size();
    if (page.share) progress.share = page.share;
    progress.page_at = now;
    progress.last_error.clear();
    if (!page.more) progress.completed_at = now;
    const auto& name = accounts[account].settings.name;
    take_events(account, page.events, [this, account, list = event.name] { parts.transport.page_kept(account, list, true); });
    auto& known = state.pull_cursors[{name, event.name}];
    if (known != page.cursor) emit(ContactIndex{}, PullAdvanced{.account = name, .name = event.name, .cursor = page.cursor});
}

Result<void> Engine::provider_events(AccountNumber account, channel::WebhookEvents events, Effect done, std::shared_ptr<PassiveReply> passive) {
    auto& in = *internals_;
    if (in.disk_full) return Error{.kind = ErrorKind::unavailable, .detail = "the disk is full", .problems = {}, .retry_after_s = 30};
    in.passive_now = std::move(passive);
    in.take_events(account, events, std::move(done));
    in.passive_now.reset();
    return {};
}

}  // namespace touchgate
