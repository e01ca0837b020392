#include "adapters/telephony/numbers.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace touchgate::adapters::telephony {

namespace {

// Country calling codes and the digit that national numbers are dialled with (ITU-T E.164 and the numbering plans' annex).
struct Region {
    std::string_view name, code, trunk_prefix;
};
constexpr std::array regions = {
    Region{"CN", "86", "0"},  Region{"HK", "852", ""}, Region{"MO", "853", ""},  Region{"TW", "886", "0"}, Region{"SG", "65", ""},   Region{"MY", "60", "0"},
    Region{"JP", "81", "0"},  Region{"KR", "82", "0"}, Region{"TH", "66", "0"},  Region{"VN", "84", "0"},  Region{"PH", "63", "0"},  Region{"ID", "62", "0"},
    Region{"IN", "91", "0"},  Region{"US", "1", ""},   Region{"CA", "1", ""},    Region{"GB", "44", "0"},  Region{"IE", "353", "0"}, Region{"DE", "49", "0"},
    Region{"AT", "43", "0"},  Region{"CH", "41", "0"}, Region{"FR", "33", "0"},  Region{"NL", "31", "0"},  Region{"BE", "32", "0"},  Region{"IT", "39", ""},
    Region{"ES", "34", ""},   Region{"PT", "351", ""}, Region{"PL", "48", ""},   Region{"SE", "46", "0"},  Region{"NO", "47", ""},   Region{"DK", "45", ""},
    Region{"RU", "7", "8"},   Region{"TR", "90", "0"}, Region{"AE", "971", "0"}, Region{"SA", "966", "0"}, Region{"ZA", "27", "0"},  Region{"AU", "61", "0"},
    Region{"NZ", "64", "0"},  Region{"BR", "55", "0"}, Region{"MX", "52", ""}};

const Region* find_region(std::string_view name) {
    const auto found = std::find_if(regions.begin(), regions.end(), [&](const Region& each) { return each.name == name; });
    return found == regions.end() ? nullptr : &*found;
}

bool is_name_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-'; }

bool is_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    return !text.empty() && text.size() <= 40 && text.find_first_not_of("0123456789*#") == std::string_view::npos;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) text.replace(at, what.size(), with);
}

}  // namespace

bool knows_region(std::string_view region) { return find_region(region) != nullptr; }

std::string write_number(const std::string& number, NumberFormat format, const NumberRules& rules) {
    if (!number.starts_with('+') || format == NumberFormat::e164) return number;
    const auto digits = number.substr(1);
    if (format == NumberFormat::digits) return digits;
    const auto* const region = find_region(rules.region);
    if (region == nullptr) return digits;
    if (!digits.starts_with(region->code)) return rules.international_prefix + digits;
    auto own = digits.substr(region->code.size());
    // Mobile numbers of China are dialled as they are; area codes get a zero.
    const bool plain = region->name == "CN" && own.size() == 11 && own.front() == '1';
    return plain ? own : std::string{region->trunk_prefix}.append(own);
}

std::optional<std::string> fill_endpoint(std::string_view endpoint, const std::string& target, const NumberRules& rules) {
    const bool fits = is_number(target) || (!target.empty() && target.size() <= 80 && std::all_of(target.begin(), target.end(), is_name_character));
    if (!fits) return std::nullopt;
    std::string filled{endpoint};
    replace_all(filled, "{number}", write_number(target, rules.format, rules));
    replace_all(filled, "{national}", write_number(target, NumberFormat::national, rules));
    replace_all(filled, "{extension}", target);
    return filled;
}

bool is_endpoint_template(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size() || text.find_first_of("&, \t\r\n\"") != std::string_view::npos) return false;
    return text.find("{number}") != std::string_view::npos || text.find("{national}") != std::string_view::npos || text.find("{extension}") != std::string_view::npos;
}

std::string write_caller(std::string_view name, std::string_view number) {
    std::string clean;
    for (const char c : name)
        if (c != '"' && c != '<' && c != '>' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) clean.push_back(c);
    if (clean.empty()) return std::string{number};
    return "\"" + clean + "\" <" + std::string{number}.append(">");
}

}  // namespace touchgate::adapters::telephony
