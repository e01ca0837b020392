// What libphonenumber knows of a number: country and plausible time zones; and the carrier of Chinese mobile numbers by their prefix.
#pragma once

#include <memory>

#include "gateway/engine/phone_facts.hpp"

namespace touchgate::app {

[[nodiscard]] std::shared_ptr<const PhoneFacts> make_phone_library();

}  // namespace touchgate::app
