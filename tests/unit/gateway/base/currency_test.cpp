#include "gateway/base/currency.hpp"

#include <limits>

#include "tests/catch.hpp"

using namespace touchgate;

TEST_CASE("currency: amounts are whole numbers of the smallest unit", "[base]") {
    CHECK(currency_digits("CNY") == 2);
    CHECK(currency_digits("JPY") == 0);
    CHECK(currency_digits("KWD") == 3);
    CHECK(currency_digits("XXX") == 2);
    CHECK(currency_units(199.99, "CNY") == 19'999);
    CHECK(currency_units(0.285, "KWD") == 285);
    CHECK(currency_units(1.005, "CNY") == 100);  // the double lies below 1.005
    CHECK(currency_units(-0.5, "JPY") == -1);
    CHECK(currency_units(1e13, "CNY") == 1'000'000'000'000'000);
}

TEST_CASE("currency: amounts as text keep all their decimals", "[base]") {
    CHECK(decimal_text(19'900, 2) == "199.00");
    CHECK(decimal_text(-5, 2) == "-0.05");
    CHECK(decimal_text(7, 0) == "7");
    CHECK(decimal_text(0, 3) == "0.000");
    CHECK(decimal_text(std::numeric_limits<std::int64_t>::min(), 2) == "-92233720368547758.08");
}
