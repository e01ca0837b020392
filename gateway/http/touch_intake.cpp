#include "gateway/http/touch_intake.hpp"

#include <simdjson.h>

#include <algorithm>

#include "gateway/base/bytes.hpp"
#include "gateway/base/text.hpp"
#include "gateway/campaign/definition.hpp"
#include "gateway/campaign/steps.hpp"
#include "gateway/http/input_readers.hpp"
#include "gateway/http/touch_fields.hpp"

namespace touchgate::http {

namespace {

namespace ondemand = simdjson::ondemand;

static_assert(TouchIntake::padding_bytes >= simdjson::SIMDJSON_PADDING);

std::optional<TouchField> field_named(std::string_view name) {
    for (std::size_t i = 0; i < touch_field_names.size(); ++i)
        if (touch_field_names[i] == name) return static_cast<TouchField>(i);
    return std::nullopt;
}

// ---- quick: every function returns false to give up -------------------------------------------------------------------------

bool take_text(ondemand::value value, std::string& out, TextLimits limits) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS || !fits(text, limits)) return false;
    out.assign(text);
    return true;
}

bool take_instant(ondemand::value value, std::optional<Instant>& out) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return false;
    out = parse_instant(text);
    return out.has_value();
}

bool take_scalar(ondemand::value value, std::string& out) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::string) {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) return false;
        out.assign(text);
        return true;
    }
    if (type == ondemand::json_type::boolean) {
        bool truth = false;
        if (value.get_bool().get(truth) != simdjson::SUCCESS) return false;
        out = truth ? "true" : "false";
        return true;
    }
    if (type != ondemand::json_type::number) return false;
    ondemand::number number;
    if (value.get_number().get(number) != simdjson::SUCCESS) return false;
    switch (number.get_number_type()) {
        case ondemand::number_type::signed_integer: out = std::to_string(number.get_int64()); return true;
        case ondemand::number_type::unsigned_integer: out = std::to_string(number.get_uint64()); return true;
        case ondemand::number_type::floating_point_number: out = number_text(number.get_double()); return true;
    }
    return false;
}

// Calls `each(name, value)` for every member; `each` returns false to give up.
template <class Each> bool take_members(ondemand::value value, Each each) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto member : object) {
        ondemand::field field;
        std::string_view name;
        if (std::move(member).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
        if (!each(name, field.value())) return false;
    }
    return true;
}

bool take_scalars(ondemand::value value, Variables& out) {
    return take_members(value, [&](std::string_view name, ondemand::value member) {
        if (!fits(name, limits::variable_name) || out.size() == limits::variables_max) return false;
        out.emplace_back(std::string{name}, std::string{});
        return take_scalar(member, out.back().second) && fits(out.back().second, limits::variable_value);
    });
}

bool has_twins(const Variables& sorted) {
    return std::adjacent_find(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first == b.first; }) != sorted.end();
}

bool take_contact(ondemand::value value, const PhoneNumbers& phones, ContactRef& out) {
    // Only the two forms that make up nearly all traffic, and only alone.
    int members = 0;
    return take_members(value, [&](std::string_view name, ondemand::value member) {
        if (++members > 1) return false;
        if (name == "id") return take_text(member, out.id, limits::contact_id);
        std::string_view written;
        if (name != "phone" || member.get_string().get(written) != simdjson::SUCCESS) return false;
        out.address.emplace();
        return phones.normalise(written, out.address->value);
    }) && members == 1;
}

bool take_channels(ondemand::value value, std::vector<std::string>& out) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return false;
    for (auto element : array) {
        ondemand::value channel;
        out.emplace_back();
        if (std::move(element).get(channel) != simdjson::SUCCESS || !take_text(channel, out.back(), limits::name)) return false;
        if (std::find(out.begin(), out.end() - 1, out.back()) != out.end() - 1) return false;
    }
    return !out.empty() && out.size() <= limits::channels_max;
}

bool take_content(ondemand::value value, TouchContent& out) {
    int members = 0;
    return take_members(value, [&](std::string_view name, ondemand::value member) {
        return ++members == 1 && name == "text" && take_text(member, out.text, limits::text);
    }) && members == 1;
}

// Texts, whole numbers and truth values, as JSON; what else metadata may hold is rare.
bool take_metadata(ondemand::value value, Metadata& out) {
    std::size_t bytes = 0;
    return take_members(value, [&](std::string_view name, ondemand::value member) {
        std::string_view text;
        std::int64_t number = 0;
        bool flag = false;
        std::string json;
        if (!fits(name, limits::variable_name)) return false;
        if (member.get_string().get(text) == simdjson::SUCCESS) append_json_string(json, text);
        else if (member.get_int64().get(number) == simdjson::SUCCESS) json = std::to_string(number);
        else if (member.get_bool().get(flag) == simdjson::SUCCESS) json = flag ? "true" : "false";
        else return false;
        bytes += name.size() + json.size();
        return bytes <= limits::metadata_bytes_max && out.emplace(name, std::move(json)).second;
    });
}

bool take_field(TouchField field, ondemand::value value, const PhoneNumbers& phones, TouchRequest& request) {
    switch (field) {
        case TouchField::key: return take_text(value, request.key, limits::key) && !request.key.starts_with(reserved_key_prefix);
        case TouchField::contact: return take_contact(value, phones, request.contact);
        case TouchField::purpose: return take_text(value, request.purpose, limits::name);
        case TouchField::campaign: return take_text(value, request.campaign, limits::name);
        case TouchField::channels: return take_channels(value, request.channels);
        case TouchField::template_name: return take_text(value, request.template_name, limits::name);
        case TouchField::variables: {
            if (!take_scalars(value, request.variables)) return false;
            std::sort(request.variables.begin(), request.variables.end());
            return !has_twins(request.variables);
        }
        case TouchField::content: return take_content(value, request.content);
        case TouchField::priority: {
            std::int64_t priority = 0;
            if (value.get_int64().get(priority) != simdjson::SUCCESS || priority < 0 || priority > 100) return false;
            request.priority = static_cast<int>(priority);
            return true;
        }
        case TouchField::not_before: return take_instant(value, request.not_before);
        case TouchField::expires_at: return take_instant(value, request.expires_at);
        case TouchField::fallback_after: {
            std::string_view text;
            if (value.get_string().get(text) != simdjson::SUCCESS) return false;
            request.fallback_after = parse_duration(text);
            return request.fallback_after.has_value();
        }
        case TouchField::delivery: {
            std::string_view text;
            if (value.get_string().get(text) != simdjson::SUCCESS) return false;
            request.at_least_once = text == "at_least_once";
            return request.at_least_once || text == "at_most_once";
        }
        case TouchField::unit: return take_text(value, request.unit, limits::name);
        case TouchField::metadata: return take_metadata(value, request.metadata);
        case TouchField::callback: return take_text(value, request.callback, limits::name);
        case TouchField::fallback_on_unknown: return value.get_bool().get(request.fallback_on_unknown) == simdjson::SUCCESS;
        case TouchField::at:
        case TouchField::steps:
        case TouchField::first: return false;
    }
    return false;
}

bool has_what_a_touch_needs(std::uint32_t given) {
    const bool content = (given & bit(TouchField::content)) != 0;
    const bool named = (given & bit(TouchField::template_name)) != 0;
    constexpr auto needed = bit(TouchField::contact) | bit(TouchField::purpose);
    return (given & needed) == needed && content != named;
}

// ---- strict -------------------------------------------------------------------------------------------------------------------

void read_channels(JsonReader& body, std::vector<std::string>& channels) {
    const auto* given = body.raw("channels");
    if (given == nullptr) return;
    const auto before = body.problems().size();
    channels = body.texts("channels");
    if (body.problems().size() > before) return;
    if (channels.empty() || channels.size() > limits::channels_max)
        body.problem("channels", "must name 1 to " + std::to_string(limits::channels_max) + " channels or accounts");
    for (std::size_t i = 0; i < channels.size(); ++i) {
        const auto pointer = pointer_to(pointer_to(body.pointer(), "channels"), i);
        if (!fits(channels[i], limits::name)) body.problems().push_back({pointer, "must have 1 to 200 bytes"});
        else if (std::find(channels.begin(), channels.begin() + static_cast<std::ptrdiff_t>(i), channels[i]) !=
                 channels.begin() + static_cast<std::ptrdiff_t>(i))
            body.problems().push_back({pointer, "\"" + channels[i] + "\" stands in the list twice"});
    }
}

// The names of content.params in the order of the document: some providers' parameters go by position, and Json sorts its members.
std::vector<std::string> order_of_params(std::string_view bytes) {
    std::vector<std::string> names;
    const auto document = nlohmann::ordered_json::parse(bytes, nullptr, false);
    if (const auto content = document.find("content"); content != document.end() && content->is_object())
        if (const auto params = content->find("params"); params != content->end() && params->is_object())
            for (const auto& [name, value] : params->items()) names.push_back(name);
    return names;
}

void read_content(JsonReader& body, std::string_view bytes, TouchContent& content) {
    auto reader = body.object("content");
    if (!reader) return;
    const auto before = body.problems().size();
    const bool has_text = reader->has("text");
    const bool has_code = reader->has("template_code");
    content.text = reader->text("text", {}, limits::text);
    content.template_code = reader->text("template_code", {}, limits::name);
    read_scalars(*reader, "params", [&](const std::string& name, std::string value) { content.params.emplace_back(name, std::move(value)); });
    if (content.params.size() > 1) {
        const auto order = order_of_params(bytes);
        const auto place = [&](const auto& param) { return std::find(order.begin(), order.end(), param.first); };
        std::sort(content.params.begin(), content.params.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    }
    if (reader->has("params") && !has_code) reader->problem("params", "belong to a template_code, which is missing");
    auto shaped = Json::object();
    for (const auto word : campaign::shaped_content) {
        if (const auto* value = reader->raw(word)) {
            if (campaign::is_shaped_value(word, *value)) shaped[std::string{word}] = *value;
            else reader->problem(word, "must be an object");
        }
    }
    reader->finish();
    const auto forms = campaign::forms_of(has_text, has_code, shaped);
    if (body.problems().size() == before && forms != 1)
        body.problem("content", "must have exactly one of text, template_code or one of the channels' own forms, has " + std::to_string(forms));
    if (!shaped.empty()) content.body_json = shaped.dump();
}

std::uint32_t fields_given(const JsonReader& body) {
    std::uint32_t given = 0;
    for (std::size_t i = 0; i < touch_field_names.size(); ++i)
        if (body.has(touch_field_names[i])) given |= 1U << i;
    return given;
}

void read_touch(JsonReader& body, std::string_view bytes, const PhoneNumbers& phones, IntakeKind kind, ParsedTouch& out) {
    auto& request = out.request;
    request.key = body.text("key", {}, limits::key);
    if (request.key.starts_with(reserved_key_prefix)) body.problem("key", "the prefix \"campaign:\" is reserved for touches that campaigns make");
    request.contact = read_contact_member(body, phones);
    request.purpose = body.required_text("purpose", limits::name);
    request.campaign = body.text("campaign", {}, limits::name);
    read_channels(body, request.channels);
    campaign::read_steps(body, request.channels, request.steps);
    request.cheapest_first = campaign::read_cheapest_first(body);
    request.template_name = body.text("template", {}, limits::name);
    read_scalars(body, "variables", [&](const std::string& name, std::string value) { request.variables.emplace_back(name, std::move(value)); });
    std::sort(request.variables.begin(), request.variables.end());
    read_content(body, bytes, request.content);
    request.priority = static_cast<int>(body.integer("priority", 50, 0, 100));
    request.not_before = body.instant("not_before");
    request.expires_at = body.instant("expires_at");
    if (body.has("fallback_after")) request.fallback_after = body.duration("fallback_after", Duration{0});
    request.at_least_once = body.choice("delivery", {"at_most_once", "at_least_once"}, "at_most_once") == "at_least_once";
    request.unit = body.text("unit", {}, limits::name);
    request.metadata = read_metadata(body, "metadata");
    request.callback = body.text("callback", {}, limits::name);
    request.fallback_on_unknown = body.boolean("fallback_on_unknown", false);
    if (kind == IntakeKind::decision) out.at = body.instant("at");

    const bool content = body.has("content");
    const bool named = body.has("template");
    if (content && named) body.problem("content", "give either template or content, not both");
    if (!content && !named && kind == IntakeKind::touch) body.problem("content", "either template or content is required");
    body.finish();
}

}  // namespace

struct TouchIntake::Parser {
    ondemand::parser parser;
};

TouchIntake::TouchIntake(const PhoneNumbers& phones, const crypto::Key& body_hash_key)
    : phones_{phones}, body_hash_{body_hash_key}, parser_{std::make_unique<Parser>()} {}
TouchIntake::~TouchIntake() = default;

ParsedTouch TouchIntake::parse(std::string_view padded_bytes, IntakeKind kind) {
    ParsedTouch parsed;
    if (kind == IntakeKind::touch && parse_quickly(padded_bytes, parsed)) return parsed;
    return parse_strictly(padded_bytes, kind);
}

bool TouchIntake::parse_quickly(std::string_view bytes, ParsedTouch& out) {
    ondemand::document document;
    ondemand::object object;
    if (!simdjson::validate_utf8(bytes)) return false;
    if (parser_->parser.iterate(bytes.data(), bytes.size(), bytes.size() + padding_bytes).get(document) != simdjson::SUCCESS) return false;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    std::uint32_t given = 0;
    for (auto member : object) {
        ondemand::field field;
        std::string_view name;
        if (std::move(member).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
        const auto known = field_named(name);
        if (!known || (given & bit(*known)) != 0) return false;
        given |= bit(*known);
        if (!take_field(*known, field.value(), phones_, out.request)) return false;
    }
    // At the end of the bytes there is no location; anything else stands behind the object.
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS || !has_what_a_touch_needs(given)) return false;
    out.request.content.text_is_template = !out.request.content.text.empty() && (given & bit(TouchField::variables)) != 0;
    hash(out.request, given);
    return true;
}

ParsedTouch TouchIntake::parse_strictly(std::string_view bytes, IntakeKind kind) {
    ParsedTouch parsed;
    const auto document = read_json(bytes);
    if (!document) {
        parsed.error = document.error();
        return parsed;
    }
    std::vector<Problem> problems;
    JsonReader body{*document, "", problems};
    if (document->is_object()) read_touch(body, bytes, phones_, kind, parsed);
    if (!problems.empty()) parsed.error = fields_error(std::move(problems));
    const auto given = fields_given(body);
    parsed.request.content.text_is_template = !parsed.request.content.text.empty() && (given & bit(TouchField::variables)) != 0;
    hash(parsed.request, given);
    return parsed;
}

// The canonical form: which members were given, then each value with its length. Null members count as absent, variables and metadata
// are sorted, numbers and phones are in their normal form.
void TouchIntake::hash(TouchRequest& request, std::uint32_t given) {
    ByteWriter writer;
    writer.bytes().swap(canonical_);
    writer.clear();
    writer.u32(given & ~bit(TouchField::at));
    writer.text(request.key);
    writer.text(request.contact.id);
    if (request.contact.address) {
        writer.u8(static_cast<std::uint8_t>(request.contact.address->kind));
        writer.text(request.contact.address->value);
        writer.text(request.contact.address->account);
    }
    for (const auto* text : {&request.purpose, &request.campaign, &request.template_name, &request.unit, &request.callback}) writer.text(*text);
    writer.varint(request.channels.size());
    for (const auto& channel : request.channels) writer.text(channel);
    const auto pairs = [&](const auto& list) {
        writer.varint(list.size());
        for (const auto& [name, value] : list) {
            writer.text(name);
            writer.text(value);
        }
    };
    pairs(request.variables);
    pairs(request.metadata);
    writer.text(request.content.text);
    writer.text(request.content.template_code);
    pairs(request.content.params);
    writer.text(request.content.body_json);
    writer.u8(static_cast<std::uint8_t>(request.priority));
    writer.i64(request.not_before ? unix_ms(*request.not_before) : 0);
    writer.i64(request.expires_at ? unix_ms(*request.expires_at) : 0);
    writer.i64(request.fallback_after ? request.fallback_after->count() : 0);
    writer.boolean(request.at_least_once);
    writer.boolean(request.fallback_on_unknown);
    // Members that came later are written only where they are given: the hashes of bodies without them stay what they were.
    for (const auto& step : request.steps) {
        writer.u8(static_cast<std::uint8_t>(step.until));
        writer.i64(step.within_ms);
    }
    if (request.cheapest_first) writer.boolean(true);
    request.body_hash = body_hash_(writer.bytes());
    writer.bytes().swap(canonical_);
}

void add_problems_elsewhere(std::vector<Problem>& known, const std::vector<Problem>& found) {
    const auto related = [](std::string_view a, std::string_view b) {
        const auto& shorter = a.size() < b.size() ? a : b;
        const auto& longer = a.size() < b.size() ? b : a;
        return longer.starts_with(shorter) && (longer.size() == shorter.size() || longer[shorter.size()] == '/');
    };
    const auto size = known.size();
    for (const auto& problem : found) {
        bool named = false;
        for (std::size_t i = 0; i < size; ++i) named = named || related(known[i].pointer, problem.pointer);
        if (!named) known.push_back(problem);
    }
}

}  // namespace touchgate::http
