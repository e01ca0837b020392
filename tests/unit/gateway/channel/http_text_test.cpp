#include "gateway/channel/http_text.hpp"

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace std::chrono_literals;

TEST_CASE("percent-encoding: only letters, digits and -_.~ stay, and it reads back", "[channel]") {
    CHECK(percent_encode("aZ09-_.~") == "aZ09-_.~");
    CHECK(percent_encode(" +/*!'()&=%\n中") == "%20%2B%2F%2A%21%27%28%29%26%3D%25%0A%E4%B8%AD");
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
    CHECK(percent_decode(percent_encode(all), true) == all);
    CHECK(percent_decode("a+b", true) == "a b");
    CHECK(percent_decode("a+b", false) == "a+b");
    for (const auto* bad : {"%", "%1", "%zz", "a%2", "%%20"}) CHECK_FALSE(percent_decode(bad, true));
}

TEST_CASE("forms: order and repeats are kept, and what is not UTF-8 is refused", "[channel]") {
    CHECK(encode_form({{"a", "1 2"}, {"b&", ""}}) == "a=1%202&b%26=");
    const auto fields = parse_form("a=1&b=%E4%B8%AD&a=2&c&&d==").value();
    CHECK(fields == Fields{{"a", "1"}, {"b", "中"}, {"a", "2"}, {"c", ""}, {"d", "="}});
    CHECK(field(fields, "a") == "1");
    CHECK(field(fields, "x").empty());
    CHECK(parse_form("a=1+2").value()[0].second == "1 2");
    CHECK(parse_form("a=1+2%2B", false).value()[0].second == "1+2+");
    CHECK(parse_form("")->empty());
    CHECK_FALSE(parse_form("a=%FF"));
    CHECK_FALSE(parse_form("a=%F"));
}

TEST_CASE("base URL: scheme, host, port and prefix are told apart, and the scheme's own port is left out", "[channel]") {
    const auto [url, origin, host, name, path] = GENERATE(table<std::string, std::string, std::string, std::string, std::string>(
        {{"https://api.example.com", "https://api.example.com", "api.example.com", "api.example.com", ""},
         {"https://api.example.com:443/", "https://api.example.com", "api.example.com", "api.example.com", ""},
         {"http://127.0.0.1:8090/a/b/", "http://127.0.0.1:8090", "127.0.0.1:8090", "127.0.0.1", "/a/b"},
         {"http://h:80", "http://h", "h", "h", ""},
         {"http://[::1]:9000/x", "http://[::1]:9000", "[::1]:9000", "[::1]", "/x"},
         {"http://[::1]", "http://[::1]", "[::1]", "[::1]", ""}}));
    INFO(url);
    const auto parsed = parse_base_url(url);
    REQUIRE(parsed);
    CHECK(parsed->origin == origin);
    CHECK(parsed->host == host);
    CHECK(parsed->name == name);
    CHECK(parsed->path == path);
}

TEST_CASE("base URL: anything but a plain http or https URL is refused", "[channel]") {
    for (const auto* bad :
         {"", "http://", "https:///a", "ftp://h", "h", "http://u:p@h", "http://h?x", "http://h/a?b", "http://h/#f", "http://h:0", "http://h:99999",
          "http://h:x", "http://h:", "http://:80", "http://h /", "http://h/a b", "http://h/\n", "HTTP://h", "http://h{{x}}"}) {
        INFO(bad);
        CHECK_FALSE(parse_base_url(bad));
    }
}

TEST_CASE("HTTP dates: one form only", "[channel]") {
    CHECK(parse_http_date("Fri, 02 Jan 2026 03:04:05 GMT") == parse_instant("2026-01-02T03:04:05Z"));
    CHECK(parse_http_date("Wed, 31 Dec 2025 23:59:59 GMT") == parse_instant("2025-12-31T23:59:59Z"));
    for (const auto* bad : {"", "Friday, 02-Jan-26 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:05 UTC", "Fri, 32 Jan 2026 03:04:05 GMT",
                            "Fri, 02 Foo 2026 03:04:05 GMT", "Fri, 02 Jan 2026 25:04:05 GMT"})
        CHECK_FALSE(parse_http_date(bad));
    CHECK(parse_retry_after(" 7 ") == 7s);
    for (const auto* bad : {"", "-1", "1.5", "soon", "86401", "99999999999999999999"}) CHECK_FALSE(parse_retry_after(bad));
}

TEST_CASE("foreign JSON: nothing throws, and members of what is no object are null", "[channel]") {
    CHECK(parse_foreign_json("{").is_discarded());
    CHECK(parse_foreign_json("1e999").is_discarded());
    CHECK(parse_foreign_json("\"\xFF\"").is_discarded());
    CHECK(parse_foreign_json(std::string(1'000'000, '[')).is_discarded());
    const auto value = parse_foreign_json(R"({"a":{"b":"x"},"n":12345678901234567890,"f":1.5,"t":true,"z":null,"l":[1]})");
    CHECK(text_member(member(value, "a"), "b") == "x");
    CHECK(text_member(value, "n") == "12345678901234567890");
    CHECK(text_member(value, "f") == "1.5");
    CHECK(text_member(value, "t") == "true");
    CHECK(text_member(value, "z").empty());
    CHECK(text_member(value, "l").empty());
    CHECK(member(member(value, "l"), "x").is_null());
    CHECK(member(parse_foreign_json("{"), "x").is_null());
    CHECK(printable_code("isv.A-1_b:c^0") == "isv.A-1_b:c^0");
    CHECK(printable_code("a\nb<") == "a?b?");
    CHECK(printable_code(std::string(200, 'x')).size() == 100);
}

TEST_CASE("the next hour in China is told from a Date header", "[channel]") {
    using namespace std::chrono_literals;
    CHECK(until_hour_in_china("Fri, 02 Jan 2026 15:00:00 GMT", 0h) == 1h);
    CHECK(until_hour_in_china("Fri, 02 Jan 2026 16:00:00 GMT", 0h) == 24h);
    CHECK(until_hour_in_china("Fri, 02 Jan 2026 23:59:59 GMT", 8h) == 1s);
    CHECK_FALSE(until_hour_in_china("yesterday", 0h));
}
