// The `data` of each event.

#include "gateway/projection/event_json.hpp"

#include "gateway/base/currency.hpp"
#include "gateway/content/billing.hpp"
#include "gateway/engine/event_codec.hpp"
#include "gateway/engine/event_visit.hpp"
#include "gateway/engine/evidence.hpp"
#include "gateway/projection/lead_events_json.hpp"
#include "gateway/projection/call_json.hpp"
#include "gateway/projection/routing_json.hpp"

namespace touchgate::projection {

namespace {

std::string_view origin_word(policy::Origin origin) {
    switch (origin) {
        case policy::Origin::api: return "api";
        case policy::Origin::campaign: return "campaign";
        case policy::Origin::journey: return "journey";
        case policy::Origin::agent: return "agent";
        case policy::Origin::reply: return "reply";
        case policy::Origin::bot: return "bot";
        case policy::Origin::promise: return "promise";
        case policy::Origin::welcome: return "welcome";
    }
    return "api";
}

std::string_view slot_word(SlotChange change) {
    switch (change) {
        case SlotChange::keep: return "keep";
        case SlotChange::release: return "release";
        case SlotChange::fail: return "fail";
        case SlotChange::reserve: return "reserve";
    }
    return "keep";
}

}  // namespace

// One function per event: its members of `data`. What many events share comes first, from `common`.
struct EventData {
    EventRenderer& renderer;
    JsonText& json;
    const Record& record;
    const Visibility& visibility;

    const NameSource& names() const { return renderer.names_; }

    void contact() {
        if (record.contact.value != 0) json.text_if("contact_id", names().contact_id(record.contact));
    }
    // touch_id, contact_id, attempt, account, channel, campaign of a record that names only the touch.
    void touch(const TouchId& id, std::uint16_t attempt = 0) {
        json.uuid("touch_id", id);
        contact();
        if (attempt != 0) json.number("attempt", attempt);
        const auto found = renderer.touches_.of(record, id, attempt);
        if (!found) return;
        const auto profile = names().profile(found->profile);
        json.text_if("account", profile.account);
        json.text_if("channel", profile.channel);
        json.text_if("campaign", profile.campaign);
        json.text_if("purpose", profile.purpose);
        metadata(found->created);
    }
    // What the caller wrote to recognise the touch by: every event of it says so.
    void metadata(LogPosition created) {
        std::string buffer;
        const auto stored = renderer.reader_.at(created, buffer);
        TouchCreated event;
        if (!stored || !decode(stored->payload, event)) return;
        if (const auto secret = open_sealed<TouchSecret>(names(), stored->contact, event.sealed); secret && !secret->metadata.empty())
            append_metadata(json, secret->metadata);
    }
    // A deferred or blocked touch stands behind the decision that made it so: its creation or a later decision.
    void decision_before(const TouchId& id) {
        std::string buffer;
        const auto before = renderer.reader_.at(record.previous_of_contact, buffer);
        if (!before || touch_of(*before) != id) return;
        if (static_cast<EventType>(before->type) == EventType::touch_created) {
            TouchCreated event;
            if (decode(before->payload, event)) append_decision(json, "decision", event.decision, names());
        } else if (static_cast<EventType>(before->type) == EventType::touch_decided) {
            TouchDecided event;
            if (decode(before->payload, event)) append_decision(json, "decision", event.decision, names());
        }
    }
    void address(std::uint32_t number) {
        if (!visibility.addresses || number == 0) return;
        if (const auto found = renderer.contacts_.address_at(record, number)) json.text("to", found->value);
    }
    // A number as the reader may see it; other addresses only with the scope.
    void party(std::string_view name, const std::string& value) {
        if (value.empty()) return;
        if (visibility.addresses) json.text(name, value);
        else if (value.front() == '+') json.text(name, mask_phone(value));
    }

    void operator()(const ProfileDefined& e) {
        json.number("number", e.id.value);
        json.text_if("purpose", e.purpose);
        json.text_if("channel", e.channel);
        json.text_if("account", e.account);
        json.text_if("campaign", e.campaign);
        json.text_if("unit", e.unit);
        json.text_if("template", e.template_name);
    }
    void operator()(const AttemptFactsDefined& e) {
        json.number("number", e.id);
        if (e.cost_micros != 0) {
            json.text("cost", content::format_money({e.cost_micros}));
            json.text("currency", e.currency);
        }
        std::string labels;
        for (const auto& [key, value] : e.labels) labels.append(labels.empty() ? "" : " ").append(key);
        json.text_if("labels", labels);
    }
    void operator()(const PolicyActivated& e) { policy(e.name, e.version, true); }
    void operator()(const PolicyStored& e) { policy(e.name, e.version, false); }
    void policy(const std::string& name, std::uint32_t version, bool active) {
        json.text("name", name);
        json.number("version", version);
        json.text("policy", name + "@" + std::to_string(version));
        json.boolean("active", active);
    }
    void operator()(const TemplateRegistered& e) {
        json.text("template", e.name);
        char hash[33];
        std::snprintf(hash, sizeof hash, "%016llx%016llx", static_cast<unsigned long long>(e.hash.high), static_cast<unsigned long long>(e.hash.low));
        json.text("hash", hash);
    }

    void operator()(const ContactCreated& e) { contact_details(e.id, e.owner, e.unit, e.legal_hold, e.sealed); }
    void operator()(const ContactUpdated& e) { contact_details(names().contact_id(record.contact), e.owner, e.unit, e.legal_hold, e.sealed); }
    void contact_details(const std::string& id, const std::string& owner, const std::string& unit, bool legal_hold, const std::string& sealed) {
        json.text("contact_id", id);
        json.text_if("owner", owner);
        json.text_if("unit", unit);
        if (legal_hold) json.boolean("legal_hold", true);
        if (!visibility.addresses && !visibility.content) return;
        const auto secret = open_sealed<ContactSecret>(names(), record.contact, sealed);
        if (!secret) return;
        if (visibility.addresses) {
            json.open_array("addresses");
            for (const auto& address : secret->addresses) {
                json.open_object();
                json.text(address_word(address.kind), address.value);
                json.text_if("account", address.account);
                json.close_object();
            }
            json.close_array();
        }
        if (!visibility.content) return;
        json.text_if("name", secret->name);
        json.text_if("locale", secret->locale);
        json.text_if("time_zone", secret->time_zone);
        json.texts_if("tags", secret->tags);
        if (secret->attributes.empty()) return;
        json.open_object("attributes");
        for (const auto& attribute : secret->attributes) {
            std::string name;
            append_json_string(name, attribute.name);
            const std::string_view bare{name.data() + 1, name.size() - 2};
            if (attribute.kind == 0) json.boolean(bare, attribute.number != 0);
            else if (attribute.kind == 1) json.decimal(bare, attribute.number);
            else json.text(bare, attribute.text);
        }
        json.close_object();
    }
    void operator()(const ContactErased& e) {
        contact();
        json.text("mode", e.mode);
    }
    void operator()(const ContactRestricted& e) {
        contact();
        json.boolean("restricted", e.restricted);
    }
    void operator()(const ConsentGranted& e) {
        consent(e);
        if (e.ends_withdrawals) json.boolean("ends_withdrawals", true);
    }
    void operator()(const ConsentWithdrawn& e) { consent(e); }
    template <class E> void consent(const E& e) {
        contact();
        json.text("channel", e.channel);
        json.text("purpose", e.purpose);
        json.text("status", E::type == EventType::consent_granted ? "granted" : "withdrawn");
        json.text_if("unit", e.unit);
        json.text_if("source", e.source);
        json.text_if("notice_version", e.notice_version);
        json.instant("at", e.at);
        if (!visibility.content) return;
        if (const auto secret = open_sealed<ConsentSecret>(names(), record.contact, e.sealed)) json.text_if("evidence", secret->evidence);
    }
    void operator()(const SuppressionAdded& e) {
        json.text("list", e.list);
        contact();
        json.text_if("source", e.source);
        json.text("kind", address_word(e.kind));
        json.text_if("algorithm", e.hash_algorithm);
        json.instant("at", e.at);
        json.texts_if("channels", e.channels);
        json.texts_if("purposes", e.purposes);
        if (e.expires_at != instant_never) json.instant("expires_at", e.expires_at);
        const auto secret = open_sealed<SuppressionSecret>(names(), ContactIndex{}, e.sealed);
        if (!secret) return;
        if (visibility.addresses) {
            json.text_if(address_word(e.kind), secret->value);
            json.text_if("account", secret->account);
            if (!e.phone_hash.empty()) json.text("phone_hash", to_hex(e.phone_hash));
        }
        json.text_if("by", secret->by);
        const auto told_at = evidence_sequence(e.source, secret->evidence);
        if (told_at) json.number("evidence", *told_at);
        if (!visibility.content) return;
        json.text_if("reason", secret->reason);
        if (!told_at) json.text_if("evidence", secret->evidence);
    }
    void operator()(const SuppressionRemoved& e) {
        json.text("list", e.list);
        json.text_if("algorithm", e.hash_algorithm);
        if (visibility.addresses && !e.phone_hash.empty()) json.text("phone_hash", to_hex(e.phone_hash));
    }
    void operator()(const ReviewOpened& e) {
        json.uuid("review_id", e.id);
        contact();
        json.text_if("channel", e.channel);
        json.texts_if("purposes", e.purposes);
        json.number("message_sequence", static_cast<std::int64_t>(e.message_sequence));
        json.instant("due_at", e.due_at);
    }
    void operator()(const ReviewDecided& e) {
        json.uuid("review_id", e.id);
        contact();
        json.boolean("withdrawn", e.withdrawn);
        json.text_if("by", e.by);
    }

    void operator()(const TouchCreated& e) {
        const auto profile = names().profile(e.candidates.empty() ? ProfileId{} : e.candidates[std::min<std::size_t>(e.chosen, e.candidates.size() - 1)]);
        const auto secret = open_sealed<TouchSecret>(names(), record.contact, e.sealed);
        json.uuid("touch_id", e.id);
        contact();
        json.text_or_null("key", secret ? std::string_view{secret->key} : std::string_view{});
        json.text("purpose", profile.purpose);
        json.text_or_null("campaign", profile.campaign);
        json.text("state", to_string(e.state));
        json.text_if("channel", profile.channel);
        json.text_if("account", profile.account);
        json.text_if("template", profile.template_name);
        json.text_if("unit", profile.unit);
        json.number("priority", e.priority);
        json.text("origin", origin_word(e.origin));
        if (e.recipient != 0) {
            json.number("recipient", e.recipient);
            json.text_or_null("arm", e.arm);
            json.text("assigned_by", e.arm_given ? "given" : "hash");
        }
        json.text_if("key_name", e.key_name);
        json.text_if("callback", e.callback);
        json.instant_if("not_before", e.not_before);
        json.instant("expires_at", e.expires_at);
        if (e.segments != 0) json.number("segments", e.segments);
        append_steps(json, e, names());
        address(e.address);
        append_decision(json, "decision", e.decision, names());
        if (!secret) return;
        if (!secret->metadata.empty()) append_metadata(json, secret->metadata);
        if (visibility.content) content(*secret);
    }
    void content(const TouchSecret& secret) {
        if (!secret.variables.empty()) pairs("variables", secret.variables);
        if (secret.text.empty() && secret.template_code.empty() && secret.body_json.empty()) return;
        json.open_object("content");
        json.text_if("text", secret.text);
        json.text_if("template_code", secret.template_code);
        if (!secret.params.empty()) pairs("params", secret.params);
        if (!secret.body_json.empty()) json.text("body", secret.body_json);
        json.close_object();
    }
    void pairs(std::string_view name, const std::vector<std::pair<std::string, std::string>>& values) {
        json.open_object(name);
        for (const auto& [key, value] : values) {
            std::string escaped;
            append_json_string(escaped, key);
            json.text(std::string_view{escaped}.substr(1, escaped.size() - 2), value);
        }
        json.close_object();
    }
    void operator()(const TouchDecided& e) {
        touch(e.touch);
        append_decision(json, "decision", e.decision, names());
    }
    template <EventType Type> void operator()(const TouchChanged<Type>& e) {
        touch(e.touch);
        json.text_if("reason", e.reason);
        constexpr std::string_view yielded = "yielded to ";
        if (e.reason.starts_with(yielded)) json.text("winner", std::string_view{e.reason}.substr(yielded.size()));
        if constexpr (Type == EventType::touch_deferred || Type == EventType::touch_blocked) decision_before(e.touch);
    }
    void operator()(const TouchDispatching& e) {
        touch(e.touch, e.attempt);
        json.number("segments", e.segments);
        if (e.cost_micro != 0) json.text("cost", money_text(e.cost_micro));
        json.text_if("route_reason", e.route_reason);
        address(e.address);
        append_decision(json, "decision", e.decision, names());
    }
    void operator()(const TouchHeldOut& e) {
        touch(e.touch);
        json.text_or_null("arm", e.arm);
    }
    template <EventType Type> void operator()(const PermitEnded<Type>& e) { touch(e.touch, e.attempt); }
    void operator()(const TouchAccepted& e) {
        touch(e.touch, e.attempt);
        json.text("outcome", "accepted");
        json.texts("provider_ids", e.ids);
        json.number("parts", e.parts);
    }
    template <EventType Type> void operator()(const TouchAdvanced<Type>& e) {
        touch(e.touch, e.attempt);
        json.text_if("provider_id", e.provider_id);
        json.text_if("raw", e.raw);
        json.instant_if("provider_time", e.provider_time);
    }
    void operator()(const TouchAttemptEnded& e) {
        touch(e.touch, e.attempt);
        json.text("outcome", channel::to_string(e.outcome));
        json.text_if("code", e.code);
        json.text_if("detail", e.detail);
        json.text("slot", slot_word(e.slot));
        json.instant_if("retry_at", e.retry_at);
    }
    void operator()(const TouchFailed& e) {
        touch(e.touch, e.attempt);
        json.text_or_null("reason", e.reason);
        json.text_if("provider_id", e.provider_id);
        json.text_if("raw", e.raw);
    }
    void operator()(const TouchUnknown& e) {
        touch(e.touch, e.attempt);
        json.text("outcome", "unknown");
        json.text_if("code", e.code);
        json.text_if("detail", e.detail);
    }

    void operator()(const MessageReceived& e) {
        contact();
        json.text_if("account", e.account);
        json.text_if("channel", e.channel);
        json.text_or_null("provider_id", e.provider_id);
        json.text_if("kind", e.kind);
        json.uuid_if("touch_id", e.reply_to);
        if (e.interaction.is_nil()) json.null("interaction_id");
        else json.uuid("interaction_id", e.interaction);
        json.instant("provider_time", e.provider_time);
        json.text_if("word", e.word);
        if (e.kind == "text") sealed_message(e.sealed);
        else platform_message(e.sealed);
    }
    void platform_message(const std::string& sealed) {
        const auto secret = open_sealed<PlatformMessageSecret>(names(), record.contact, sealed);
        if (!secret) return;
        party("from", secret->from);
        party("to", secret->to);
        if (!visibility.content) return;
        json.open_object("content");
        json.text_if("text", secret->text);
        if (!secret->body_json.empty()) json.raw("body", secret->body_json);
        json.close_object();
    }
    void sealed_message(const std::string& sealed) {
        const auto secret = open_sealed<MessageSecret>(names(), record.contact, sealed);
        if (!secret) return;
        party("from", secret->from);
        party("to", secret->to);
        if (!visibility.content || secret->text.empty()) return;
        json.open_object("content");
        json.text("text", secret->text);
        json.close_object();
    }
    template <EventType Type> void operator()(const ReceiptOf<Type>& e) {
        if (!e.touch.is_nil()) {
            json.uuid("touch_id", e.touch);
            if (e.attempt != 0) json.number("attempt", e.attempt);
        }
        contact();
        json.text_if("account", e.account);
        json.text_if("channel", e.channel);
        json.text_if("provider_id", e.provider_id);
        json.text("kind", e.kind.empty() ? "receipt" : e.kind);
        json.text("status", receipt_word(e.status));
        json.text_if("raw", e.raw);
        json.text_if("reason", e.reason);
        json.instant_if("provider_time", e.provider_time);
        json.boolean("duplicate", e.duplicate);
        if (e.touch.is_nil()) json.boolean("parked", true);
        if (e.by_address) json.boolean("by_address", true);
        if (!e.body_json.empty()) json.raw("body", e.body_json);
    }
    void operator()(const EventReceived& e) {
        contact();
        json.text_if("account", e.account);
        json.text_if("channel", e.channel);
        json.text_if("provider_id", e.provider_id);
        json.text_if("kind", e.kind);
        json.text_if("ref", e.ref);
        json.text_if("source", e.source);
        json.instant("provider_time", e.provider_time);
        json.texts_if("channels", e.channels);
        json.texts_if("purposes", e.purposes);
        json.instant_if("until", e.until);
        sealed_message(e.sealed);
    }

    template <EventType Type> void operator()(const PlatformEventOf<Type>& e) {
        contact();
        json.text_if("account", e.account);
        json.text_if("channel", e.channel);
        json.text_if("provider_id", e.provider_id);
        json.text_if("kind", e.name.empty() ? e.kind : e.name);
        json.text_if("act", e.act);
        json.text_if("employee", e.employee);
        json.text_if("source", e.source);
        json.text_if("ref", e.ref);
        json.text_if("refused", e.refused);
        json.instant("provider_time", e.provider_time);
        if (e.stale) json.boolean("stale", true);
        if (!visibility.content) return;
        const auto secret = open_sealed<PlatformEventSecret>(names(), record.contact, e.sealed);
        if (secret && !secret->body_json.empty()) json.raw("body", secret->body_json);
    }
    void operator()(const InteractionOpened& e) {
        json.uuid("interaction_id", e.id);
        contact();
        json.text_if("account", e.account);
        json.text_if("channel", e.channel);
        json.text_if("queue", e.queue);
        json.text_if("campaign", e.campaign);
        json.text("state", e.state);
        json.text_if("reason", e.reason);
        json.uuid_if("touch_id", e.touch);
    }
    // Those whose members are written elsewhere.
    template <class E> requires requires(JsonText& out, const E& event) { append_members(out, event); }
    void operator()(const E& e) {
        contact();
        append_members(json, e);
        if constexpr (requires { e.outbound; e.sealed; })  // the ends of a call
            if (const auto secret = open_sealed<CallSecret>(names(), record.contact, e.sealed)) {
                // Also what is no number of the whole world, such as an extension: `did` tells what is the gateway's own.
                const auto number = [&](std::string_view name, const std::string& value) { json.text_if(name, visibility.addresses || value.empty() ? value : mask_phone(value)); };
                number("from", secret->from);
                number("to", secret->to);
            }
    }
    void operator()(const ContactMerged& e) {
        contact();
        json.text_if("with", names().contact_id(e.other));
        json.text_if("provenance", e.provenance);
        json.text_if("evidence", e.evidence);
    }
    void operator()(const ContactUnmerged& e) {
        contact();
        json.text_if("reason", e.reason);
    }
    void operator()(const AccountOperation& e) {
        contact();
        json.text("account", e.account);
        json.text("operation", e.name);
        json.text("outcome", e.phase);
        json.text_if("code", e.code);
        json.text_if("detail", e.detail);
        json.text_if("by", e.by);
    }
    void operator()(const AccountQuotaExhausted& e) {
        json.text("account", e.account);
        json.text("scope", e.scope);
        json.text_if("code", e.code);
        json.instant("until", e.until);
    }
    void operator()(const PullAdvanced& e) {
        json.text("account", e.account);
        json.text("list", e.name);
    }
    void operator()(const TouchHandedOver& e) {
        touch(e.touch, e.attempt);
        json.text("task", e.task);
        json.text("employee", e.employee);
        json.instant("expires_at", e.ends_at);
    }
    void operator()(const TouchTaskChanged& e) {
        touch(e.touch, e.attempt);
        json.text("status", to_string(e.status));
        json.instant_if("provider_time", e.provider_time);
        json.text_if("reason", e.reason);
    }

    void operator()(const CampaignCreated& e) {
        json.text("campaign", e.id);
        json.text_if("purpose", e.purpose);
        json.text_if("unit", e.unit);
        if (e.holdout > 0) json.decimal("holdout", e.holdout);
        json.text_if("rate", e.rate);
    }
    void operator()(const CampaignAudienceAdded& e) {
        json.text("campaign", e.id);
        json.number("first", e.first);
        json.number("recipients", static_cast<std::int64_t>(e.lines.size()));
        json.text("sha256", to_hex(e.sha256));
    }
    void operator()(const CampaignAudienceRemoved& e) {
        json.text("campaign", e.id);
        json.number("recipients", static_cast<std::int64_t>(e.recipients.size()));
    }
    void operator()(const CampaignStarted& e) {
        json.text("campaign", e.id);
        json.number("size", static_cast<std::int64_t>(e.size));
        json.text("sha256", to_hex(e.sha256));
    }
    void operator()(const CampaignPaused& e) {
        json.text("campaign", e.id);
        json.text_if("reason", e.reason);
    }
    void operator()(const CampaignFinished& e) {
        json.text("campaign", e.id);
        json.number("expired", static_cast<std::int64_t>(e.expired));
    }
    template <EventType Type> void operator()(const CampaignChanged<Type>& e) { json.text("campaign", e.id); }
    void operator()(const HoldSet& e) {
        json.uuid("hold_id", e.id);
        json.texts_if("purposes", e.purposes);
        json.texts_if("channels", e.channels);
        json.texts_if("units", e.units);
        json.texts_if("accounts", e.accounts);
        json.text_if("reason", e.reason);
        json.instant_if("until", e.until);
    }
    void operator()(const CalendarUpdated& e) { json.text("calendar", e.id); }
    void operator()(const HoldLifted& e) { json.uuid("hold_id", e.id); }
    void operator()(const ConversionRecorded& e) {
        contact();
        json.text("kind", e.kind);
        json.raw("value", decimal_text(e.value_cents, currency_digits(e.currency)));
        json.text_if("currency", e.currency);
        json.instant("at", e.at);
        if (const auto secret = open_sealed<ConsentSecret>(names(), record.contact, e.sealed)) json.text_if("key", secret->evidence);
    }
    void operator()(const AccountWentUp& e) { json.text("account", e.account); }
    void operator()(const AccountWentDown& e) {
        json.text("account", e.account);
        json.text_if("reason", e.reason);
        if (e.credentials) json.boolean("credentials", true);
    }
    void operator()(const ClockAccepted& e) { json.number("difference_ms", e.difference_ms); }

    template <class E> void render() {
        E event;
        if (decode(record.payload, event)) (*this)(event);
        else json.boolean("unreadable", true);
    }
    void render_any() {
        (void)visit_event(static_cast<EventType>(record.type), [this]<class E>(std::type_identity<E>) { render<E>(); });
    }
};

void EventRenderer::append_data(std::string& out, const Record& record, const Visibility& visibility) {
    JsonText json{out};
    json.open_object();
    EventData{*this, json, record, visibility}.render_any();
    json.close_object();
}

}  // namespace touchgate::projection
