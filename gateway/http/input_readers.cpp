#include "gateway/http/input_readers.hpp"

#include <date/tz.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "gateway/base/currency.hpp"
#include "gateway/base/text.hpp"
#include "gateway/campaign/definition.hpp"
#include "gateway/http/auth.hpp"
#include "gateway/http/touch_fields.hpp"
#include "gateway/json/scalars.hpp"

namespace touchgate::http {

namespace {

std::vector<std::string> read_names(JsonReader& body, std::string_view key) {
    auto names = body.texts(key);
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!fits(names[i], limits::name)) body.problems().push_back({pointer_to(pointer_to(body.pointer(), key), i), "must have 1 to 200 bytes"});
    return names;
}

}  // namespace

Result<Json> read_json(std::string_view text) {
    try {
        return parse_json(text);
    } catch (const Json::exception&) {
        return Error{.kind = ErrorKind::malformed, .detail = "a number in the JSON is out of range"};
    }
}

Error fields_error(std::vector<Problem> problems) {
    Error error{.kind = ErrorKind::invalid_input, .detail = {}};
    error.detail = problems.size() == 1 ? "1 field is not valid" : std::to_string(problems.size()) + " fields are not valid";
    error.problems = std::move(problems);
    return error;
}

ContactRef read_contact_ref(JsonReader& contact, const PhoneNumbers& phones, bool with_id) {
    ContactRef ref;
    std::size_t forms = 0;
    const auto address = [&](AddressKind kind, std::string value) { ref.address = Address{.kind = kind, .value = std::move(value)}; };
    if (with_id && contact.has("id")) {
        ++forms;
        ref.id = contact.text("id", {}, limits::contact_id);
    }
    if (contact.has("phone")) {
        ++forms;
        const auto before = contact.problems().size();
        const auto written = contact.text("phone", {}, {0, 1'000});
        std::string number;
        if (contact.problems().size() == before && !phones.normalise(written, number)) contact.problem("phone", PhoneNumbers::complaint());
        address(AddressKind::phone, std::move(number));
    }
    if (contact.has("external_userid")) {
        ++forms;
        address(AddressKind::external_userid, contact.text("external_userid", {}, limits::platform_id));
    }
    if (contact.has("openid")) {
        ++forms;
        address(AddressKind::openid, contact.text("openid", {}, limits::platform_id));
        ref.address->account = contact.required_text("account", limits::name);
    }
    if (contact.has("chat_id")) {
        ++forms;
        address(AddressKind::chat_id, contact.text("chat_id", {}, limits::platform_id));
    }
    if (forms != 1)
        contact.problem_here(std::string{"must have exactly one of "} + (with_id ? "id, " : "") +
                             "phone, external_userid, openid (with account), chat_id; has " + std::to_string(forms));
    return ref;
}

ContactRef read_contact_member(JsonReader& body, const PhoneNumbers& phones) {
    if (!body.has("contact")) {
        static_cast<void>(body.raw("contact"));
        body.problem("contact", "is required");
        return {};
    }
    auto contact = body.object("contact");
    if (!contact) return {};
    auto ref = read_contact_ref(*contact, phones, true);
    contact->finish();
    return ref;
}

void read_scalars(JsonReader& body, std::string_view key, const std::function<void(const std::string&, std::string)>& each) {
    std::size_t count = 0;
    body.members(key, [&](const std::string& name, const Json& value, const std::string& pointer) {
        auto text = scalar_text(value);
        if (!text) body.problems().push_back({pointer, std::string{"must be a string, a number or true or false, is "} + value.type_name()});
        else if (!fits(name, limits::variable_name)) body.problems().push_back({pointer, "its name must have 1 to 100 bytes"});
        else if (!fits(*text, limits::variable_value)) body.problems().push_back({pointer, "must have at most 8192 bytes"});
        else each(name, std::move(*text));
        if (++count == limits::variables_max + 1) body.problem(key, "must have at most " + std::to_string(limits::variables_max) + " members");
    });
}

Metadata read_metadata(JsonReader& body, std::string_view key) {
    Metadata metadata;
    std::size_t bytes = 0;
    body.members(key, [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (!fits(name, limits::variable_name)) {
            body.problems().push_back({pointer, "its name must have 1 to 100 bytes"});
            return;
        }
        std::string json;
        if (const auto* text = value.get_ptr<const std::string*>()) append_json_string(json, *text);
        else json = value.dump();
        bytes += name.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : json.size());
        metadata.emplace(name, std::move(json));
    });
    if (bytes > limits::metadata_bytes_max)
        body.problem(key, "must have at most 2048 bytes (names and values together), has " + std::to_string(bytes));
    return metadata;
}

bool is_time_zone(const std::string& name) {
    // locate_zone throws for an unknown name, which is slow: bulk contacts name the same few zones over and over.
    thread_local std::unordered_map<std::string, bool> known;
    if (const auto found = known.find(name); found != known.end()) return found->second;
    bool valid = true;
    try {
        static_cast<void>(date::locate_zone(name));
    } catch (const std::exception&) {
        valid = false;
    }
    constexpr std::size_t cached_max = 4096;
    if (known.size() < cached_max) known.emplace(name, valid);
    return valid;
}

namespace {

constexpr std::size_t addresses_max = 50;

void read_phones(JsonReader& body, const PhoneNumbers& phones, std::vector<Address>& out) {
    const auto written = body.texts("phones");
    for (std::size_t i = 0; i < written.size(); ++i) {
        Address address{.kind = AddressKind::phone, .value = {}};
        if (phones.normalise(written[i], address.value)) out.push_back(std::move(address));
        else body.problems().push_back({pointer_to(pointer_to(body.pointer(), "phones"), i), PhoneNumbers::complaint()});
    }
}

void read_platform_ids(JsonReader& body, std::vector<Address>& out) {
    const auto ids = body.texts("external_userids");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (fits(ids[i], limits::platform_id)) out.push_back({.kind = AddressKind::external_userid, .value = ids[i]});
        else body.problems().push_back({pointer_to(pointer_to(body.pointer(), "external_userids"), i), "must have 1 to 128 bytes"});
    }
    body.objects("openids", [&](JsonReader& entry, std::size_t) {
        Address address{.kind = AddressKind::openid, .value = entry.required_text("openid", limits::platform_id)};
        address.account = entry.required_text("account", limits::name);
        entry.finish();
        out.push_back(std::move(address));
    });
}

void read_attributes(JsonReader& body, ContactInput& input) {
    input.attributes.emplace();
    body.members("attributes", [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (!fits(name, limits::variable_name)) body.problems().push_back({pointer, "its name must have 1 to 100 bytes"});
        else if (value.is_null()) input.attributes_removed.push_back(name);
        else if (value.is_boolean()) input.attributes->emplace(name, value.get<bool>());
        else if (value.is_number()) input.attributes->emplace(name, value.get<double>());
        else if (value.is_string() && fits(value.get_ref<const std::string&>(), limits::variable_value))
            input.attributes->emplace(name, value.get<std::string>());
        else body.problems().push_back({pointer, "must be a string of at most 8192 bytes, a number, true, false or null"});
    });
}

}  // namespace

ContactInput read_contact(JsonReader& body, const PhoneNumbers& phones, std::string* id) {
    ContactInput input;
    const auto& value = body.value();
    // In a merge patch null empties a member, so what counts is whether the member is there at all.
    const auto given = [&](const char* key) { return value.is_object() && value.contains(key); };
    const auto text = [&](const char* key, std::optional<std::string>& out, TextLimits limits) {
        auto read = body.text(key, {}, limits);
        if (given(key)) out = std::move(read);
    };
    if (id != nullptr) {
        if (id->empty()) *id = body.required_text("id", limits::contact_id);
        else if (const auto named = body.text("id", *id, limits::contact_id); named != *id) body.problem("id", "differs from the id in the path");
    }
    std::vector<Address> addresses;
    read_phones(body, phones, addresses);
    read_platform_ids(body, addresses);
    if (addresses.size() > addresses_max) body.problem_here("must have at most 50 addresses");
    if (given("phones")) input.address_kinds.push_back(AddressKind::phone);
    if (given("external_userids")) input.address_kinds.push_back(AddressKind::external_userid);
    if (given("openids")) input.address_kinds.push_back(AddressKind::openid);
    if (!input.address_kinds.empty()) input.addresses = std::move(addresses);

    text("name", input.name, {0, 500});
    text("locale", input.locale, {0, 35});
    text("time_zone", input.time_zone, {0, 64});
    if (input.time_zone && !input.time_zone->empty() && !is_time_zone(*input.time_zone))
        body.problem("time_zone", "must be the IANA name of a time zone, such as \"Asia/Shanghai\"");
    text("owner", input.owner, {0, 200});
    text("unit", input.unit, {0, 200});
    auto unionids = read_names(body, "unionids");
    if (given("unionids")) input.unionids = std::move(unionids);
    auto tags = read_names(body, "tags");
    if (given("tags")) input.tags = std::move(tags);
    if (given("attributes")) read_attributes(body, input);
    else static_cast<void>(body.raw("attributes"));
    const bool legal_hold = body.boolean("legal_hold", false);
    if (given("legal_hold")) input.legal_hold = legal_hold;
    body.finish();
    return input;
}

ConsentInput read_consent(JsonReader& body) {
    ConsentInput input;
    input.channel = body.required_text("channel", limits::name);
    input.purpose = body.required_text("purpose", limits::name);
    if (!body.has("status")) {
        static_cast<void>(body.raw("status"));
        body.problem("status", "is required: granted or withdrawn");
    } else {
        input.granted = body.choice("status", {"granted", "withdrawn"}, "withdrawn") == "granted";
    }
    input.source = body.text("source", {}, limits::name);
    input.evidence = body.text("evidence", {}, {0, 2'000});
    input.unit = body.text("unit", {}, limits::name);
    input.notice_version = body.text("notice_version", {}, limits::name);
    input.at = body.instant("at");
    return input;
}

SuppressionInput read_suppression(JsonReader& body, const PhoneNumbers& phones, const std::string& list) {
    SuppressionInput input;
    if (list.empty()) input.list = body.required_text("list", limits::name);
    else {
        input.list = list;
        if (const auto named = body.text("list", list, limits::name); named != list) body.problem("list", "differs from the list in the path");
    }
    if (body.has("phone_hash")) {
        input.hash_algorithm = body.choice("algorithm", {"md5", "sha256", "sm3"}, "");
        if (!body.has("algorithm")) body.problem("algorithm", "is required with phone_hash: md5, sha256 or sm3");
        const auto hex = body.text("phone_hash", {}, {1, 200});
        const std::size_t size = input.hash_algorithm == "md5" ? 16 : 32;
        auto bytes = from_hex(hex);
        if (bytes && bytes->size() == size) input.phone_hash = std::move(*bytes);
        else body.problem("phone_hash", "must be the hex digest of a phone number");
        for (const auto* other : {"phone", "external_userid", "openid", "chat_id"})
            if (body.raw(other) != nullptr) body.problem(other, "give either an address or phone_hash");
    } else {
        input.address = read_contact_ref(body, phones, false).address;
    }
    input.reason = body.text("reason", {}, {0, 1'000});
    input.source = body.text("source", {}, limits::name);
    input.evidence = body.text("evidence", {}, {0, 2'000});
    input.by = body.text("by", {}, limits::name);
    input.expires_at = body.instant("expires_at");
    input.at = body.instant("at");
    input.channels = read_names(body, "channels");
    input.purposes = read_names(body, "purposes");
    body.finish();
    return input;
}

ConversionInput read_conversion(JsonReader& body, const PhoneNumbers& phones) {
    ConversionInput input;
    input.key = body.required_text("key", limits::key);
    input.contact = read_contact_member(body, phones);
    input.kind = body.required_text("kind", limits::name);
    constexpr double value_max = 1e13;
    const auto value = body.number("value", 0, -value_max, value_max);
    input.currency = body.text("currency", "CNY", {3, 3});
    if (!std::all_of(input.currency.begin(), input.currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
        body.problem("currency", "must be an ISO 4217 code such as CNY");
    input.value_cents = currency_units(value, input.currency);
    input.at = body.instant("at");
    body.finish();
    return input;
}

HoldInput read_hold(JsonReader& body) {
    HoldInput input;
    input.purposes = read_names(body, "purposes");
    input.channels = read_names(body, "channels");
    input.units = read_names(body, "units");
    input.accounts = read_names(body, "accounts");
    input.reason = body.required_text("reason", {1, 1'000});
    input.until = body.instant("until");
    body.finish();
    return input;
}

InboundInput read_inbound(JsonReader& body, const PhoneNumbers& phones) {
    InboundInput input;
    input.key = body.required_text("key", limits::key);
    input.channel = body.required_text("channel", limits::name);
    input.account = body.text("account", {}, limits::name);
    input.contact = read_contact_member(body, phones);
    constexpr std::pair<std::string_view, InboundKind> kinds[] = {
        {"message", InboundKind::message},   {"call", InboundKind::call},           {"opt_out", InboundKind::opt_out},
        {"opt_in", InboundKind::opt_in},     {"follow", InboundKind::follow},       {"unfollow", InboundKind::unfollow},
        {"receipt", InboundKind::receipt},   {"complaint", InboundKind::complaint}, {"ticket_opened", InboundKind::ticket_opened},
        {"ticket_closed", InboundKind::ticket_closed}};
    if (!body.has("kind")) body.problem("kind", "is required");
    const auto word = body.choice(
        "kind", {"message", "call", "opt_out", "opt_in", "follow", "unfollow", "receipt", "complaint", "ticket_opened", "ticket_closed"}, "message");
    for (const auto& [name, kind] : kinds)
        if (word == name) input.kind = kind;
    input.ref = body.text("ref", {}, limits::name);
    input.source = body.text("source", {}, limits::name);
    input.channels = read_names(body, "channels");
    input.purposes = read_names(body, "purposes");
    input.receipt_status = body.text("status", {}, limits::name);
    input.until = body.instant("until");
    input.at = body.instant("at");
    input.queue = body.text("queue", {}, limits::name);
    if (const auto priority = body.integer("priority", 50, 0, 100); body.has("priority")) input.priority = static_cast<int>(priority);
    if (auto content = body.object("content")) {
        input.text = content->text("text", {}, limits::text);
        content->finish();
    }
    if (input.kind == InboundKind::message && input.text.empty() && !body.has("content")) body.problem("content", "is required for a message");
    body.finish();
    return input;
}

CancelFilter read_cancel_filter(JsonReader& body, const PhoneNumbers& phones) {
    CancelFilter filter;
    filter.campaign = body.text("campaign", {}, limits::name);
    if (body.has("contact")) filter.contact = read_contact_member(body, phones);
    else static_cast<void>(body.raw("contact"));
    filter.key_prefix = body.text("key_prefix", {}, limits::key);
    filter.metadata = read_metadata(body, "metadata");
    body.finish();
    const bool empty = !body.has("campaign") && !body.has("contact") && !body.has("key_prefix") && (!body.has("metadata") || filter.metadata.empty());
    if (empty && body.value().is_object())
        body.problem_here("name at least one of campaign, contact, key_prefix, metadata: an empty filter would cancel everything");
    return filter;
}

CampaignInput read_campaign(JsonReader& body) {
    CampaignInput input;
    const auto definition = campaign::read_definition(body);
    input.id = definition.id;
    input.purpose = definition.purpose;
    input.unit = definition.unit;
    input.holdout = definition.holdout;
    if (const auto* rate = body.raw("rate"); rate != nullptr && rate->is_string()) input.rate = rate->get<std::string>();
    // Two definitions are equal when their members are, in whatever order.
    input.definition_json = body.value().dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto digest = crypto::sha256(input.definition_json);
    std::memcpy(&input.body_hash.high, digest.data(), 8);
    std::memcpy(&input.body_hash.low, digest.data() + 8, 8);
    return input;
}

AudienceLine read_audience_line(JsonReader& body, const PhoneNumbers& phones, bool with_variables) {
    AudienceLine line;
    line.contact = read_contact_member(body, phones);
    line.item = body.text("item", {}, limits::name);
    if (with_variables) {
        read_scalars(body, "variables", [&](const std::string& name, std::string value) { line.variables.emplace_back(name, std::move(value)); });
        std::sort(line.variables.begin(), line.variables.end());
        line.arm = body.text("arm", {}, limits::name);
    }
    body.finish();
    return line;
}

}  // namespace touchgate::http
