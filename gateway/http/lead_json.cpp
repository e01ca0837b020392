#include "gateway/http/lead_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "gateway/base/currency.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_fields.hpp"
#include "gateway/http/touch_json.hpp"

namespace touchgate::http {

namespace {

constexpr std::size_t attributes_max = 100;
constexpr TextLimits short_text{0, 200}, note_text{0, 10'000}, reason_text{1, 1'000};

std::string read_currency(JsonReader& body) {
    auto currency = body.text("currency", "CNY", {3, 3});
    if (!std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) body.problem("currency", "must be an ISO 4217 code such as CNY");
    return currency;
}

std::string rounded(double value) {
    char digits[40];
    return {digits, std::to_chars(digits, digits + sizeof digits, std::round(value * 1'000) / 1'000).ptr};
}

void append_value(std::string& out, const policy::AttributeValue& value) {
    if (const auto* flag = std::get_if<bool>(&value)) out += *flag ? "true" : "false";
    else if (const auto* number = std::get_if<double>(&value)) out += rounded(*number);
    else append_json_string(out, std::get<std::string>(value));
}

}  // namespace

std::optional<std::int64_t> read_amount(std::string_view text, std::string_view currency) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0) || value > 1e13) return std::nullopt;
    return currency_units(value, currency);
}

LeadInput read_lead(JsonReader& body, const PhoneNumbers& phones, const crypto::Key& hash_key) {
    LeadInput input;
    input.key = body.text("key", {}, limits::key);
    input.contact = read_contact_member(body, phones);
    input.name = body.text("name", {}, short_text);
    input.source = body.required_text("source", limits::name);
    input.product = body.text("product", {}, short_text);
    input.unit = body.text("unit", {}, short_text);
    input.callback = body.text("callback", {}, short_text);
    input.at = body.instant("at");
    std::size_t count = 0;
    body.members("attributes", [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (!fits(name, limits::variable_name)) body.problems().push_back({pointer, "its name must have 1 to 100 bytes"});
        else if (value.is_boolean()) input.attributes.emplace(name, value.get<bool>());
        else if (value.is_number()) input.attributes.emplace(name, value.get<double>());
        else if (value.is_string() && fits(value.get_ref<const std::string&>(), limits::variable_value)) input.attributes.emplace(name, value.get<std::string>());
        else body.problems().push_back({pointer, "must be a string of at most 8192 bytes, a number, true or false"});
        if (++count == attributes_max + 1) body.problem("attributes", "must have at most 100 members");
    });
    body.finish();
    input.body_hash = crypto::KeyedHash{hash_key}("lead\n" + body.value().dump(-1, ' ', false, Json::error_handler_t::replace));
    return input;
}

LeadAct read_lead_result(JsonReader& body) {
    LeadAct act;
    act.walk = true;
    act.via = "file";
    act.result = body.required_text("result", {1, 50});
    const auto stage = stage_of_result(act.result);
    if (!act.result.empty() && !stage) body.problem("result", "must be one of accepted, reached, contacted, visited, qualified, disqualified, won, lost");
    act.to = stage.value_or(act.to);
    act.agent = body.text("agent", {}, short_text);
    act.reason = body.text("reason", {}, {0, 1'000});
    if ((act.to == leads::Stage::lost || act.to == leads::Stage::disqualified) && act.reason.empty()) body.problem("reason", "is required for " + act.result);
    act.note = body.text("note", {}, note_text);
    act.at = body.instant("at");
    act.currency = read_currency(body);
    // A file's cells are text.
    if (const auto* value = body.raw("value"); value != nullptr) {
        const auto units = value->is_number() ? read_amount(value->dump(), act.currency) : value->is_string() ? read_amount(value->get_ref<const std::string&>(), act.currency) : std::nullopt;
        if (!units) body.problem("value", "must be an amount such as 199.00");
        act.value_units = units.value_or(0);
    }
    return act;
}

LeadAct read_lead_step(JsonReader& body, leads::Stage to) {
    LeadAct act;
    act.to = to;
    act.agent = body.text("agent", {}, short_text);
    act.note = body.text("note", {}, note_text);
    act.at = body.instant("at");
    if (to == leads::Stage::disqualified || to == leads::Stage::lost) act.reason = body.required_text("reason", reason_text);
    else if (to == leads::Stage::recycled) act.reason = body.text("reason", {}, {0, 1'000});
    if (to == leads::Stage::won) {
        act.currency = read_currency(body);
        act.value_units = currency_units(body.number("value", 0, 0, 1e13), act.currency);
    }
    body.finish();
    return act;
}

void append_lead(std::string& out, const LeadDetails& lead, bool in_full) {
    JsonObject json{out};
    json.id("id", lead.id).text("contact_id", lead.contact_id);
    json.text_or_null("source", lead.touchpoints.empty() ? std::string_view{} : std::string_view{lead.touchpoints.front().source});
    json.text_or_null("product", lead.product).text_or_null("unit", lead.unit);
    json.text("stage", leads::to_string(lead.stage)).signed_number("score", lead.score.value).text("grade", leads::to_string(lead.score.grade));
    json.text_or_null("owner", lead.owner).instant("due_at", lead.due_at);
    json.name("duplicate_of");
    if (lead.is_duplicate_of) {
        out += '"';
        append_uuid(out, lead.id);
        out += '"';
    } else {
        out += "null";
    }
    json.boolean("duplicate", lead.duplicate).text_or_null("reason", lead.reason).text_or_null("result", lead.result);
    json.instant("created_at", lead.created_at).instant("updated_at", lead.stage_at).instant("assigned_at", lead.assigned_at).instant("accepted_at", lead.accepted_at);
    json.instant("contacted_at", lead.contacted_at).instant("qualified_at", lead.qualified_at).instant("closed_at", lead.closed_at);
    json.instant("protected_until", lead.protected_until).number("recycles", lead.recycles).number("reassigns", lead.reassigns);
    json.text_or_null("overdue", to_string(lead.overdue));
    json.raw("response_ms", lead.response_ms < 0 ? "null" : std::to_string(lead.response_ms));
    if (lead.stage == leads::Stage::won) json.raw("value", decimal_text(lead.value_units, currency_digits(lead.currency))).text("currency", lead.currency);
    if (in_full) {
        json.name("score_parts");
        append_array(out, lead.score.parts, [](std::string& to, const leads::ScorePart& part) {
            JsonObject{to}.text("rule", part.rule).raw("points", rounded(part.points)).raw("full", rounded(part.full)).signed_number("times", part.times).instant("since", part.since).close();
        });
        json.name("touchpoints");
        append_array(out, lead.touchpoints, [](std::string& to, const LeadDetails::Touchpoint& each) {
            JsonObject{to}.text("source", each.source).instant("at", each.at).text_or_null("evidence", each.evidence).close();
        });
        json.name("attributes");
        {
            out += '{';
            bool first = true;
            for (const auto& [name, value] : lead.attributes) {
                if (!first) out += ',';
                first = false;
                append_json_string(out, name);
                out += ':';
                append_value(out, value);
            }
            out += '}';
        }
        json.name("assignment");
        if (lead.cause.empty()) {
            out += "null";
        } else {
            const auto& trace = lead.trace;
            JsonObject{out}.text("cause", lead.cause).text("by", trace.cause).text_or_null("rule", trace.rule).text_or_null("unit", trace.unit).text("strategy", leads::to_string(trace.strategy))
                .number("agents", trace.agents).number("in_unit", trace.in_unit).number("skilled", trace.skilled).number("on_shift", trace.on_shift).number("with_room", trace.with_room)
                .text_or_null("tie_break", trace.tie_break).texts("considered", trace.considered).close();
        }
    }
    json.close();
}

}  // namespace touchgate::http
