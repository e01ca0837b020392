#include "gateway/app/phone_library.hpp"

#include <date/tz.h>
#include <phonenumbers/phonenumberutil.h>

#include <fstream>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <sstream>

namespace touchgate::app {

namespace {

// Countries and their zones from the system's tz database ("country<TAB>coordinates<TAB>zone").
std::map<std::string, std::vector<std::string>> zones_by_country() {
    std::map<std::string, std::vector<std::string>> zones;
    for (const auto* path : {"/usr/share/zoneinfo/zone.tab"}) {
        std::ifstream file{path};
        for (std::string line; std::getline(file, line);) {
            if (line.empty() || line[0] == '#') continue;
            std::istringstream fields{line};
            std::string country, coordinates, zone;
            if (fields >> country >> coordinates >> zone) zones[country].push_back(zone);
        }
    }
    // China has one legal time in its whole area.
    zones["CN"] = {"Asia/Shanghai"};
    return zones;
}

// Number segments of the three mainland carriers (MIIT allocation, without number portability): 134–139 … China Mobile.
std::string carrier_of(std::string_view national) {
    static const std::map<std::string, std::string, std::less<>> by_prefix = [] {
        std::map<std::string, std::string, std::less<>> made;
        const auto add = [&](const char* carrier, std::initializer_list<const char*> prefixes) {
            for (const auto* prefix : prefixes) made[prefix] = carrier;
        };
        add("cmcc", {"134", "135", "136", "137", "138", "139", "147", "148", "150", "151", "152", "157", "158", "159", "172", "178", "182", "183", "184", "187", "188", "195", "197", "198"});
        add("cucc", {"130", "131", "132", "145", "146", "155", "156", "166", "171", "175", "176", "185", "186", "196"});
        add("ctcc", {"133", "149", "153", "173", "174", "177", "180", "181", "189", "190", "191", "193", "199"});
        return made;
    }();
    const auto found = by_prefix.find(national.substr(0, 3));
    return found == by_prefix.end() ? std::string{} : found->second;
}

class PhoneLibrary final : public PhoneFacts {
public:
    PhoneLibrary() : zones_{zones_by_country()} {}

    const PhoneFact& of(std::string_view e164) const override {
        // Chinese mobile numbers, the common case, need three digits.
        if (e164.size() == 14 && e164.starts_with("+861")) return fact("CN", carrier_of(e164.substr(3)));
        i18n::phonenumbers::PhoneNumber number;
        std::string region;
        const auto& util = *i18n::phonenumbers::PhoneNumberUtil::GetInstance();
        if (util.Parse(std::string{e164}, "ZZ", &number) == i18n::phonenumbers::PhoneNumberUtil::NO_PARSING_ERROR) {
            util.GetRegionCodeForNumber(number, &region);
            if (region.empty() || region == "ZZ") util.GetRegionCodeForCountryCode(number.country_code(), &region);
        }
        return fact(region == "ZZ" ? std::string{} : region, {});
    }

private:
    const PhoneFact& fact(const std::string& region, const std::string& carrier) const {
        const auto key = region + "/" + carrier;
        {
            const std::shared_lock lock{mutex_};
            if (const auto known = facts_.find(key); known != facts_.end()) return known->second;
        }
        const std::unique_lock lock{mutex_};
        const auto zones = zones_.find(region);
        return facts_.try_emplace(key, PhoneFact{.region = region, .carrier = carrier, .zones = zones == zones_.end() ? std::vector<std::string>{} : zones->second}).first->second;
    }
    std::map<std::string, std::vector<std::string>> zones_;
    mutable std::shared_mutex mutex_;
    mutable std::map<std::string, PhoneFact> facts_;  // few, never removed
};

}  // namespace

bool is_phone_region(const std::string& region) { return i18n::phonenumbers::PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region) != 0; }

std::shared_ptr<const PhoneFacts> make_phone_library() { return std::make_shared<PhoneLibrary>(); }

}  // namespace touchgate::app
