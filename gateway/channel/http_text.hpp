// Text forms that adapters of HTTP providers share: percent-encoding, forms, base URLs, HTTP dates, and members of JSON that others wrote.
// All functions are pure and total over bytes from outside; none throws.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/time.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::channel {

// Names and values in their order; names may repeat.
using Fields = std::vector<std::pair<std::string, std::string>>;

// RFC 3986: letters, digits and "-_.~" stay, every other byte becomes %XX in upper case.
[[nodiscard]] std::string percent_encode(std::string_view bytes);
// Nothing when a '%' is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// "a=1&b=2", names and values percent-encoded.
[[nodiscard]] std::string encode_form(const Fields& fields);
// application/x-www-form-urlencoded or a query; a name without '=' has an empty value. Nothing when it cannot be decoded or is not UTF-8.
[[nodiscard]] std::optional<Fields> parse_form(std::string_view text, bool plus_is_space = true);
// The first value of a name, or empty.
[[nodiscard]] std::string_view field(const Fields& fields, std::string_view name);

// "https://host:8443/prefix" in its parts.
struct BaseUrl {
    std::string origin;  // "https://host:8443"
    std::string host;    // "host:8443", as the Host header must say it: the scheme's own port is left out
    std::string name;    // "host"
    std::string path;    // "/prefix" or empty; never ends in '/'
};
// Nothing unless it is http or https with a host, and without user, query, fragment, blanks or control characters.
[[nodiscard]] std::optional<BaseUrl> parse_base_url(std::string_view url);
// Reads the account's `base_url`; what is wrong becomes a problem there. An empty fallback makes it required.
[[nodiscard]] BaseUrl read_base_url(JsonReader& settings, std::string_view fallback);

// The Date header of RFC 9110, "Fri, 02 Jan 2026 03:04:05 GMT"; no other form.
[[nodiscard]] std::optional<Instant> parse_http_date(std::string_view text);
// From the time of a Date header to the next `hour` o'clock in China, where most providers' days begin; nothing when the header cannot be read.
[[nodiscard]] std::optional<Duration> until_hour_in_china(std::string_view http_date, Duration hour);
// Retry-After in seconds (0 to 86,400), or nothing.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view text);

// JSON that a provider or a caller of a hook wrote. Check `is_discarded()`: it tells that the text is not JSON.
[[nodiscard]] Json parse_foreign_json(std::string_view text);
// A member of an object; a null value when there is none or `value` is no object.
[[nodiscard]] const Json& member(const Json& value, std::string_view key);
// A string as it is, a number or boolean as written in JSON, anything else empty.
[[nodiscard]] std::string as_text(const Json& value);
[[nodiscard]] inline std::string text_member(const Json& value, std::string_view key) { return as_text(member(value, key)); }

// What a provider calls an error, made fit for logs: at most 100 characters of letters, digits and "._:^-"; others become '?'.
[[nodiscard]] std::string printable_code(std::string_view code);

}  // namespace touchgate::channel
