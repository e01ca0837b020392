// Forms of other systems (landing pages, media platforms): who may send them, and what of them becomes a lead.
//
// A request carries `Touchgate-Timestamp` (Unix seconds) and `Touchgate-Signature: v1=hex(HMAC-SHA256(secret, timestamp + "." + body))`, as callbacks
// to callers do; several signatures may be given, separated by commas. Two live secrets allow a change without a gap.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/json/json.hpp"

namespace touchgate::leads {

struct Form {
    std::string name;
    std::vector<std::string> secrets;         // one or two
    Duration window{std::chrono::minutes{5}}; // how far its time may be from ours, both ways
    std::string source;                       // default: "form:<name>"
    std::string product, unit;
    // Where its fields go: from a name or a JSON pointer to "contact.phone", "product", "attributes.city" …
    std::vector<std::pair<std::string, std::string>> fields;
    bool rest_to_attributes = false;          // fields that are not named become attributes
};

enum class Signed : std::uint8_t { ok, missing, stale, wrong };

[[nodiscard]] Signed check_signature(const Form& form, std::string_view timestamp, std::string_view signature, std::string_view body, Instant now);
// What a sender has to send as `Touchgate-Signature`.
[[nodiscard]] std::string sign(std::string_view secret, std::string_view timestamp, std::string_view body);

// The body of POST /v1/leads that the form's content stands for: only what is there. Values that are no scalars are left out.
[[nodiscard]] Json lead_of(const Form& form, const Json& content);
// "a=1&b=%20" as an object of texts; nothing when it is no valid UTF-8 or badly escaped. `+` is a space.
[[nodiscard]] std::optional<Json> parse_urlencoded(std::string_view body);

[[nodiscard]] Form read_form(JsonReader& reader, const std::string& name);

}  // namespace touchgate::leads
