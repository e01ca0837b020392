// What libphonenumber knows of a number: country and plausible time zones; and the carrier of Chinese mobile numbers by their prefix.
#pragma once

#include <memory>
#include <string>

#include "gateway/engine/phone_facts.hpp"

namespace touchgate::app {

[[nodiscard]] std::shared_ptr<const PhoneFacts> make_phone_library();

// ISO 3166 code of a country that has phone numbers: "CN".
[[nodiscard]] bool is_phone_region(const std::string& region);

}  // namespace touchgate::app
