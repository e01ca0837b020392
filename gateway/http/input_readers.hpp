// Bodies of requests other than touches → the engine's inputs. Each reader takes what is valid and adds every problem it finds; the caller
// of a reader looks at the problems before it uses the result. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/requests.hpp"
#include "gateway/http/phone_numbers.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::http {

// As touchgate::parse_json, and total: a number too large for a double is a malformed body as well.
[[nodiscard]] Result<Json> read_json(std::string_view text);

// One line of the problem list for a bad body: the error of a reader that found problems.
[[nodiscard]] Error fields_error(std::vector<Problem> problems);

// Exactly one of {"id"} (if `with_id`), {"phone"}, {"external_userid"}, {"openid","account"}, {"chat_id"}. Does not call finish().
[[nodiscard]] ContactRef read_contact_ref(JsonReader& contact, const PhoneNumbers& phones, bool with_id);
// The member `contact` of a body, required.
[[nodiscard]] ContactRef read_contact_member(JsonReader& body, const PhoneNumbers& phones);
// {"name": string | number | boolean, …}; numbers and booleans become text.
void read_scalars(JsonReader& body, std::string_view key, const std::function<void(const std::string& name, std::string value)>& each);
[[nodiscard]] Metadata read_metadata(JsonReader& body, std::string_view key);

[[nodiscard]] ContactInput read_contact(JsonReader& body, const PhoneNumbers& phones, std::string* id);
[[nodiscard]] ConsentInput read_consent(JsonReader& body);
[[nodiscard]] SuppressionInput read_suppression(JsonReader& body, const PhoneNumbers& phones, const std::string& list);
[[nodiscard]] ConversionInput read_conversion(JsonReader& body, const PhoneNumbers& phones);
[[nodiscard]] CampaignInput read_campaign(JsonReader& body);
// {"contact", "variables", "arm", "item"}; without variables and arm where recipients are removed.
[[nodiscard]] AudienceLine read_audience_line(JsonReader& body, const PhoneNumbers& phones, bool with_variables);
[[nodiscard]] HoldInput read_hold(JsonReader& body);
[[nodiscard]] InboundInput read_inbound(JsonReader& body, const PhoneNumbers& phones);
[[nodiscard]] CancelFilter read_cancel_filter(JsonReader& body, const PhoneNumbers& phones);

// Is it the name of an IANA time zone?
[[nodiscard]] bool is_time_zone(const std::string& name);

}  // namespace touchgate::http
