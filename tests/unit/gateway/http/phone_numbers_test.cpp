#include "gateway/http/phone_numbers.hpp"

#include "tests/catch.hpp"

using touchgate::http::PhoneNumbers;

TEST_CASE("phones: what people write becomes E.164") {
    using Row = std::tuple<std::string, std::string, std::string>;
    const auto [region, written, expected] = GENERATE(table<std::string, std::string, std::string>({
        Row{"CN", "13800138000", "+8613800138000"},
        Row{"CN", "+8613800138000", "+8613800138000"},
        Row{"US", "+8613800138000", "+8613800138000"},
        Row{"CN", "+86 138 0013 8000", "+8613800138000"},
        Row{"CN", "0086 138-0013-8000", "+8613800138000"},
        Row{"CN", "１３８００１３８０００", "+8613800138000"},
        Row{"CN", "010 6552 9988", "+861065529988"},
        Row{"CN", "+1 (212) 555-0100", "+12125550100"},
        Row{"US", "(212) 555-0100", "+12125550100"},
        Row{"CN", "+85221234567", "+85221234567"},
    }));
    std::string number;
    INFO(region << " " << written);
    REQUIRE(PhoneNumbers{region}.normalise(written, number));
    CHECK(number == expected);
}

TEST_CASE("phones: what cannot be a number is refused") {
    const auto written = GENERATE(as<std::string>{}, "", "1", "+", "12345678901234567890123", "+999123", "1-800-FLOWERS", "13800138000 ext. 5", "abc",
                                  "13800138000x5", "+86138001380001234567", "\xff\xff\xff");
    std::string number;
    INFO(written);
    CHECK_FALSE(PhoneNumbers{"CN"}.normalise(written, number));
    CHECK(number.empty());
}

TEST_CASE("phones: the quick path for Chinese mobile numbers agrees with the library") {
    // The same number in a form that the quick path does not know goes through the library.
    for (const std::string national : {"13000000000", "13912345678", "14712345678", "17012345678", "19999999999", "16612345678"}) {
        std::string quick;
        std::string slow;
        REQUIRE(PhoneNumbers{"CN"}.normalise(national, quick));
        REQUIRE(PhoneNumbers{"CN"}.normalise(" " + national, slow));
        CHECK(quick == slow);
    }
}
