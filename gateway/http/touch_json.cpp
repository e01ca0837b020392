#include "gateway/http/touch_json.hpp"

#include <algorithm>

#include "gateway/engine/evidence.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/policy/explain.hpp"

namespace touchgate::http {

namespace {

// 1500 → "1.5": weights are counted in thousandths.
std::string thousandths(std::int64_t value) {
    auto text = std::to_string(value / 1000);
    auto rest = std::abs(value % 1000);
    if (rest == 0) return text;
    auto digits = std::to_string(1000 + rest).substr(1);
    while (digits.back() == '0') digits.pop_back();
    return text + "." + digits;
}

// Millionths of a currency → "0.045", at least two decimals.
std::string money(std::int64_t micro) {
    const bool negative = micro < 0;
    const auto value = negative ? -micro : micro;
    auto digits = std::to_string(1'000'000 + value % 1'000'000).substr(1);
    while (digits.size() > 2 && digits.back() == '0') digits.pop_back();
    return (negative ? "-" : "") + std::to_string(value / 1'000'000) + "." + digits;
}

void append_step(std::string& out, const DecisionView& view, const policy::TraceStep& step) {
    const auto& compiled = *view.policy->compiled;
    JsonObject json{out};
    json.text("rule", compiled.rule_name(step.rule)).text("kind", compiled.rule_kind(step.rule));
    json.text("verdict", step.waived ? std::string_view{"waived"} : policy::verdict_word(step.verdict));
    const auto why = policy::sentence(compiled, step);
    json.name("why");
    JsonObject{out}.text("en", why.en).text("zh-CN", why.zh).close();
    if (step.verdict == policy::Verdict::defer) json.instant("until", step.until);
    if (step.waived && step.waived_by != policy::no_rule) json.text("waived_by", compiled.rule_name(step.waived_by));
    if (step.counts) json.raw("counted", thousandths(step.counted_milli)).raw("max", thousandths(step.max_milli));
    if (!step.touches.empty() || (view.explained && step.counts)) {
        std::vector<std::string> ids;
        for (const auto sequence : step.touches) {
            const auto found = std::find_if(view.touches.begin(), view.touches.end(), [&](const auto& pair) { return pair.first == sequence; });
            if (found != view.touches.end()) ids.push_back(to_string(found->second));
        }
        json.texts("touches", ids);
    }
    json.close();
}

void append_attempt(std::string& out, const AttemptView& attempt) {
    JsonObject json{out};
    json.number("number", attempt.number).text("channel", attempt.channel).text("account", attempt.account);
    json.text_or_null("outcome", attempt.outcome).text("state", attempt.state);
    json.instant("permitted_at", attempt.permitted_at).instant("handed_over_at", attempt.handed_over_at).instant("answered_at", attempt.answered_at);
    json.texts("provider_ids", attempt.provider_ids).signed_number("parts", attempt.parts);
    if (attempt.error_code.empty() && attempt.error_detail.empty()) {
        json.raw("error", "null");
    } else {
        json.name("error");
        JsonObject{out}.text("code", attempt.error_code).text("detail", attempt.error_detail).close();
    }
    if (!attempt.task.empty()) {
        json.name("task");
        JsonObject{out}.text("id", attempt.task).close();
    }
    json.signed_number("segments", attempt.segments);
    if (!attempt.currency.empty()) json.text("cost", money(attempt.cost_micro)).text("currency", attempt.currency);
    if (!attempt.route_reason.empty()) json.text("route_reason", attempt.route_reason);
    json.name("receipts");
    append_array(out, attempt.receipts, [](std::string& to, const ReceiptView& receipt) {
        JsonObject{to}
            .text("status", receipt.status)
            .text("raw", receipt.raw)
            .instant("at", receipt.at)
            .instant("received_at", receipt.received_at)
            .boolean("duplicate", receipt.duplicate)
            .close();
    });
    json.close();
}

// The values are JSON already: they are echoed as they came.
void append_metadata(std::string& out, const Metadata& metadata) {
    char separator = '{';
    for (const auto& [name, value] : metadata) {
        out += separator;
        separator = ',';
        append_json_string(out, name);
        out.append(":").append(value);
    }
    out += '}';
}

void append_touch_members(std::string& out, JsonObject& json, const TouchView& touch) {
    json.id("id", touch.id).text_or_null("key", touch.key).text_or_null("contact_id", touch.contact_id);
    json.text("state", to_string(touch.state)).text_or_null("channel", touch.channel).text_or_null("account", touch.account);
    json.name("decision");
    append_decision(out, touch.decision);
    json.boolean("duplicate", touch.duplicate).instant("created_at", touch.created_at);
    json.text_or_null("reason", touch.reason).text("purpose", touch.purpose).text_or_null("campaign", touch.campaign).text_or_null("arm", touch.arm);
    json.text_or_null("template", touch.template_name).text_or_null("unit", touch.unit).signed_number("priority", touch.priority);
    json.instant("not_before", touch.not_before).instant("expires_at", touch.expires_at).instant("updated_at", touch.updated_at);
    json.boolean("final", touch.final);
    if (!touch.metadata.empty()) {
        json.name("metadata");
        append_metadata(out, touch.metadata);
    }
    if (!touch.callback.empty()) json.text("callback", touch.callback);
}

void append_attribute(std::string& out, const policy::AttributeValue& value) {
    if (const auto* truth = std::get_if<bool>(&value)) out += *truth ? "true" : "false";
    else if (const auto* number = std::get_if<double>(&value)) out += Json(*number).dump();
    else append_json_string(out, std::get<std::string>(value));
}

void append_address(JsonObject& json, const Address& address) {
    switch (address.kind) {
        case AddressKind::phone: json.text("phone", address.value); break;
        case AddressKind::external_userid: json.text("external_userid", address.value); break;
        case AddressKind::openid: json.text("openid", address.value).text("account", address.account); break;
        case AddressKind::chat_id: json.text("chat_id", address.value); break;
    }
}

std::vector<std::string_view> values_of(const std::vector<Address>& addresses, AddressKind kind) {
    std::vector<std::string_view> values;
    for (const auto& address : addresses)
        if (address.kind == kind) values.emplace_back(address.value);
    return values;
}

}  // namespace

void append_decision(std::string& out, const DecisionView& view) {
    JsonObject json{out};
    json.text("verdict", policy::verdict_word(view.decision.verdict));
    json.text_or_null("policy", view.policy ? view.policy->label() : std::string{}).text_or_null("rule", view.rule());
    json.instant("until", view.decision.verdict == policy::Verdict::defer ? std::optional{view.decision.until} : std::nullopt);
    if (view.decision.reason != policy::Reason::none) json.text("reason", policy::reason_word(view.decision.reason));
    json.name("trace");
    if (!view.policy || !view.policy->compiled) out += "[]";
    else append_array(out, view.decision.trace, [&](std::string& to, const policy::TraceStep& step) { append_step(to, view, step); });
    json.close();
}

void append_touch(std::string& out, const TouchView& touch) {
    JsonObject json{out};
    append_touch_members(out, json, touch);
    json.close();
}

void append_touch_in_full(std::string& out, const TouchView& touch, const std::vector<EventText>& events) {
    JsonObject json{out};
    append_touch_members(out, json, touch);
    json.name("attempts");
    append_array(out, touch.attempts, append_attempt);
    json.name("events");
    append_array(out, events, [](std::string& to, const EventText& event) { to += event.json; });
    json.close();
}

void append_attributes(std::string& out, const AttributeMap& attributes) {
    out += '{';
    bool first = true;
    for (const auto& [name, value] : attributes) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, name);
        out += ':';
        append_attribute(out, value);
    }
    out += '}';
}

void append_contact(std::string& out, const ContactDetails& contact) {
    JsonObject json{out};
    json.text("id", contact.id).text_or_null("name", contact.name);
    json.texts("phones", values_of(contact.addresses, AddressKind::phone));
    json.texts("external_userids", values_of(contact.addresses, AddressKind::external_userid));
    std::vector<const Address*> openids;
    for (const auto& address : contact.addresses)
        if (address.kind == AddressKind::openid) openids.push_back(&address);
    json.name("openids");
    append_array(out, openids, [](std::string& to, const Address* address) {
        JsonObject{to}.text("account", address->account).text("openid", address->value).close();
    });
    json.texts("unionids", contact.unionids).text_or_null("locale", contact.locale).text_or_null("time_zone", contact.time_zone);
    json.texts("tags", contact.tags).name("attributes");
    append_attributes(out, contact.attributes);
    if (!contact.merged_with.empty()) json.texts("merged_with", contact.merged_with);
    json.text_or_null("owner", contact.owner).text_or_null("unit", contact.unit);
    json.boolean("restricted", contact.restricted).boolean("legal_hold", contact.legal_hold).number("version", contact.version);
    json.close();
}

void append_suppression(std::string& out, const SuppressionDetails& entry) {
    JsonObject json{out};
    json.text("list", entry.list);
    if (entry.address) append_address(json, *entry.address);
    else json.text("phone_hash", entry.phone_hash_hex).text("algorithm", entry.hash_algorithm);
    json.text_or_null("reason", entry.reason)
        .text_or_null("source", entry.source)
        .text_or_null("by", entry.by);
    if (const auto told_at = evidence_sequence(entry.source, entry.evidence)) json.number("evidence", static_cast<std::uint64_t>(*told_at));
    else json.text_or_null("evidence", entry.evidence);
    json.instant("at", entry.at).instant("expires_at", entry.expires_at);
    if (!entry.channels.empty()) json.texts("channels", entry.channels);
    if (!entry.purposes.empty()) json.texts("purposes", entry.purposes);
    json.close();
}

void append_account(std::string& out, const AccountDetails& account) {
    JsonObject json{out};
    json.text("name", account.name).text("adapter", account.adapter).text("channel", account.channel);
    json.text("health", account.health).text("breaker", account.breaker);
    json.number("backlog", account.backlog).number("in_flight", account.in_flight);
    json.raw("rate", account.rate ? Json(*account.rate).dump() : "null").text_or_null("last_error", account.last_error);
    json.name("hook");
    JsonObject hook{out};
    hook.number("accepted", account.hook_accepted).name("refused");
    JsonObject refused{out};
    for (const auto& [reason, count] : account.hook_refused) refused.number(reason, count);
    refused.close();
    hook.close();
    json.number("tasks_open", account.tasks_open);
    json.name("quota_until");
    JsonObject quotas{out};
    for (const auto& [scope, until] : account.quota_until) quotas.instant(scope, until);
    quotas.close();
    json.name("pulls");
    append_array(out, account.pulls, [](std::string& to, const PullDetails& pull) {
        JsonObject shown{to};
        shown.text("list", pull.name).text("state", pull.running ? "running" : pull.completed_at ? "complete" : "waiting");
        shown.number("pages", pull.pages).number("items", pull.items);
        shown.raw("share", pull.share ? Json(std::round(*pull.share * 1'000) / 1'000).dump() : "null");
        shown.instant("started_at", pull.started_at).instant("page_at", pull.page_at).instant("completed_at", pull.completed_at);
        shown.text_or_null("last_error", pull.last_error);
        shown.close();
    });
    json.close();
}

void append_hold(std::string& out, const HoldDetails& details) {
    JsonObject json{out};
    json.text("id", details.id).text("reason", details.hold.reason);
    json.texts("purposes", details.hold.purposes)
        .texts("channels", details.hold.channels)
        .texts("units", details.hold.units)
        .texts("accounts", details.hold.accounts);
    json.instant("until", details.hold.until).instant("set_at", details.set_at);
    json.close();
}

std::string list_of(std::string_view items, std::string_view next_cursor) {
    std::string out;
    JsonObject{out}.raw("items", items).text_or_null("next_cursor", next_cursor).close();
    return out;
}

}  // namespace touchgate::http
