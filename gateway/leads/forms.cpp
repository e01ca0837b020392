#include "gateway/leads/forms.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::leads {

namespace {

constexpr std::size_t attributes_max = 100;

// A name, or a JSON pointer if it begins with a slash; null when there is no such value.
const Json* value_at(const Json& content, const std::string& from) {
    if (!from.starts_with('/')) {
        const auto found = content.find(from);
        return found == content.end() ? nullptr : &*found;
    }
    const auto* at = &content;
    for (const auto step : split(std::string_view{from}.substr(1), '/')) {
        std::string key{step};
        for (const auto& [escape, plain] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}})
            for (std::size_t place = 0; (place = key.find(escape, place)) != std::string::npos; ++place) key.replace(place, 2, plain);
        if (at->is_object()) {
            const auto found = at->find(key);
            if (found == at->end()) return nullptr;
            at = &*found;
        } else if (at->is_array()) {
            std::size_t index = 0;
            const auto end = key.data() + key.size();
            if (const auto [last, error] = std::from_chars(key.data(), end, index); error != std::errc{} || last != end || index >= at->size()) return nullptr;
            at = &(*at)[index];
        } else {
            return nullptr;
        }
    }
    return at;
}

bool is_scalar(const Json& value) { return (value.is_string() && !value.get_ref<const std::string&>().empty()) || value.is_number() || value.is_boolean(); }

void put(Json& lead, const std::string& to, const Json& value) {
    const auto dot = to.find('.');
    // A telephone number that came as a number is one all the same.
    const auto text = value.is_string() || to.starts_with("attributes.") ? value : Json(value.dump());
    if (dot == std::string::npos) lead[to] = text;
    else lead[to.substr(0, dot)][to.substr(dot + 1)] = text;
}

}  // namespace

std::string sign(std::string_view secret, std::string_view timestamp, std::string_view body) {
    std::string message{timestamp};
    message.append(".").append(body);
    return "v1=" + to_hex(crypto::view(crypto::hmac_sha256(secret, message)));
}

Signed check_signature(const Form& form, std::string_view timestamp, std::string_view signature, std::string_view body, Instant now) {
    if (timestamp.empty() || signature.empty()) return Signed::missing;
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
    if (error != std::errc{} || end != timestamp.data() + timestamp.size() || seconds < 0 || seconds > 253'402'300'799) return Signed::wrong;
    bool known = false;
    for (const auto& secret : form.secrets) {
        const auto expected = sign(secret, timestamp, body);
        for (const auto given : split(signature, ',')) known = crypto::constant_time_equal(trim(given), expected) || known;
    }
    if (!known) return Signed::wrong;
    const auto age = now - from_unix_ms(seconds * 1'000);
    return age > form.window || age < -form.window ? Signed::stale : Signed::ok;
}

Json lead_of(const Form& form, const Json& content) {
    Json lead = Json::object();
    lead["source"] = form.source;
    if (!form.product.empty()) lead["product"] = form.product;
    if (!form.unit.empty()) lead["unit"] = form.unit;
    if (!content.is_object()) return lead;
    std::vector<std::string> taken;
    for (const auto& [from, to] : form.fields) {
        taken.push_back(from);
        if (const auto* value = value_at(content, from); value != nullptr && is_scalar(*value)) put(lead, to, *value);
    }
    if (form.rest_to_attributes)
        for (const auto& [name, value] : content.items()) {
            if (lead.contains("attributes") && lead["attributes"].size() >= attributes_max) break;
            if (is_scalar(value) && std::find(taken.begin(), taken.end(), name) == taken.end()) lead["attributes"][name] = value;
        }
    return lead;
}

std::optional<Json> parse_urlencoded(std::string_view body) {
    const auto decoded = [](std::string_view text) -> std::optional<std::string> {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '+') out += ' ';
            else if (text[i] != '%') out += text[i];
            else {
                const auto byte = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
                if (!byte) return std::nullopt;
                out += *byte;
                i += 2;
            }
        }
        if (!is_valid_utf8(out)) return std::nullopt;
        return out;
    };
    Json object = Json::object();
    for (const auto pair : split(body, '&')) {
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = decoded(pair.substr(0, equals));
        auto value = decoded(equals == pair.size() ? std::string_view{} : pair.substr(equals + 1));
        if (!name || !value) return std::nullopt;
        object[*name] = std::move(*value);
    }
    return object;
}

Form read_form(JsonReader& reader, const std::string& name) {
    Form made;
    made.name = name;
    if (name.empty() || name.size() > 64 || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") != std::string::npos)
        reader.problem_here("a form's name has 1 to 64 lower case letters, digits, '-' or '_'");
    if (const auto* secret = reader.raw("secret"); secret != nullptr && secret->is_array()) made.secrets = reader.texts("secret");
    else made.secrets = {reader.required_text("secret", {16, 500})};
    if (made.secrets.empty() || made.secrets.size() > 2 || std::any_of(made.secrets.begin(), made.secrets.end(), [](const std::string& one) { return one.size() < 16; }))
        reader.problem("secret", "must be one secret of at least 16 characters, or two while they are being changed");
    made.window = reader.duration("window", made.window, Duration{1'000}, std::chrono::hours{24});
    made.source = reader.text("source", "form:" + name, {1, 200});
    made.product = reader.text("product", {}, {0, 200});
    made.unit = reader.text("unit", {}, {0, 200});
    bool names_contact = false;
    reader.members("fields", [&](const std::string& from, const Json& value, const std::string& pointer) {
        const auto to = value.is_string() ? value.get<std::string>() : std::string{};
        const bool of_contact = to == "contact.phone" || to == "contact.id" || to == "contact.external_userid" || to == "contact.openid" || to == "contact.account";
        names_contact = names_contact || of_contact;
        if (!of_contact && to != "key" && to != "product" && to != "unit" && to != "source" && to != "name" && !(to.starts_with("attributes.") && to.size() > 11))
            reader.problems().push_back({pointer, "must be one of contact.phone, contact.id, contact.external_userid, contact.openid, contact.account, name, key, product, unit, "
                                                  "source, attributes.NAME"});
        else made.fields.emplace_back(from, to);
    });
    if (!names_contact) reader.problem("fields", "must say which field tells who the customer is, such as {\"mobile\": \"contact.phone\"}");
    made.rest_to_attributes = reader.choice("rest", {"attributes", "ignore"}, "ignore") == "attributes";
    return made;
}

}  // namespace touchgate::leads
