// What a phone number tells without asking anyone: country, carrier, plausible time zones. Implemented with libphonenumber by
// gateway/app; a table in tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace touchgate {

struct PhoneFact {
    std::string region;               // ISO country, "" when unknown
    std::string carrier;              // "cmcc", "cucc", "ctcc" … or ""
    std::vector<std::string> zones;   // IANA names, all plausible ones
};

class PhoneFacts {
public:
    virtual ~PhoneFacts() = default;
    // Any thread. The fact lives as long as this object (there are few distinct ones: by country and carrier).
    [[nodiscard]] virtual const PhoneFact& of(std::string_view e164) const = 0;
};

}  // namespace touchgate
