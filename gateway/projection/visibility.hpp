// What a reader may see, and of which units. Fields that he may not see are masked or left out, never an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace touchgate::projection {

struct Visibility {
    bool addresses = false;              // scope `addresses`: unmasked addresses
    bool content = false;                // scope `content`: message texts, variables, what a contact's profile says
    std::vector<std::string> units = {}; // only objects of these units or below; empty: all

    [[nodiscard]] bool covers(std::string_view unit) const {
        if (units.empty()) return true;
        for (const auto& limit : units)
            if (unit == limit || (unit.size() > limit.size() && unit.substr(0, limit.size()) == limit && unit[limit.size()] == '/')) return true;
        return false;
    }
};

}  // namespace touchgate::projection
