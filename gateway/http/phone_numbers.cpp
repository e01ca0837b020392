#include "gateway/http/phone_numbers.hpp"

#include <phonenumbers/phonenumberutil.h>

#include <algorithm>

namespace touchgate::http {

namespace {

constexpr std::size_t written_bytes_max = 64;

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A Chinese mobile number: 1, then 3 to 9, then nine digits. All of these are possible numbers.
bool is_chinese_mobile(std::string_view national) {
    return national.size() == 11 && national[0] == '1' && national[1] >= '3' && all_digits(national);
}

}  // namespace

PhoneNumbers::PhoneNumbers(std::string default_region) : default_region_{std::move(default_region)}, chinese_{default_region_ == "CN"} {}

bool PhoneNumbers::normalise(std::string_view written, std::string& out) const {
    if (written.starts_with("+86") && is_chinese_mobile(written.substr(3))) {
        out.append(written);
        return true;
    }
    if (chinese_ && is_chinese_mobile(written)) {
        out.append("+86").append(written);
        return true;
    }
    // The library reads vanity numbers and cuts off what follows a number; here letters are a mistake.
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (written.empty() || written.size() > written_bytes_max || std::any_of(written.begin(), written.end(), is_letter)) return false;
    const auto& util = *i18n::phonenumbers::PhoneNumberUtil::GetInstance();
    i18n::phonenumbers::PhoneNumber number;
    if (util.Parse(std::string{written}, default_region_, &number) != i18n::phonenumbers::PhoneNumberUtil::NO_PARSING_ERROR) return false;
    if (number.has_extension() || !util.IsPossibleNumber(number)) return false;
    std::string formatted;
    util.Format(number, i18n::phonenumbers::PhoneNumberUtil::E164, &formatted);
    out.append(formatted);
    return true;
}

}  // namespace touchgate::http
