#include "gateway/leads/forms.hpp"
#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::leads;
using namespace std::chrono_literals;

namespace {

Form form(const std::string& text, std::vector<std::string>* wrong = nullptr) {
    const auto json = Json::parse(text);
    std::vector<Problem> problems;
    JsonReader reader{json, "", problems};
    auto made = read_form(reader, "shop");
    reader.finish();
    if (wrong == nullptr) CHECK(problems.empty());
    else
        for (const auto& problem : problems) wrong->push_back(problem.pointer);
    return made;
}

const std::string body = R"({"mobile": "13800138000"})";
constexpr Instant now{1'795'000'000'000ms};
const std::string timestamp = "1795000000";

}  // namespace

TEST_CASE("forms: only a signature with one of the secrets over the time and the body counts, and only for a while", "[leads]") {
    const auto shop = form(R"({"secret": ["secret-one-0123456", "secret-two-0123456"], "window": "PT5M", "fields": {"mobile": "contact.phone"}})");
    const auto one = sign("secret-one-0123456", timestamp, body), two = sign("secret-two-0123456", timestamp, body);
    CHECK(check_signature(shop, timestamp, one, body, now) == Signed::ok);
    CHECK(check_signature(shop, timestamp, two, body, now) == Signed::ok);
    CHECK(check_signature(shop, timestamp, "v1=00, " + two, body, now) == Signed::ok);
    CHECK(check_signature(shop, timestamp, one, body + " ", now) == Signed::wrong);
    CHECK(check_signature(shop, "1795000001", one, body, now) == Signed::wrong);
    CHECK(check_signature(shop, timestamp, sign("secret-of-others-1", timestamp, body), body, now) == Signed::wrong);
    CHECK(check_signature(shop, "soon", sign("secret-one-0123456", "soon", body), body, now) == Signed::wrong);
    CHECK(check_signature(shop, timestamp, "", body, now) == Signed::missing);
    CHECK(check_signature(shop, "", one, body, now) == Signed::missing);
    CHECK(check_signature(shop, timestamp, one, body, now + 5min) == Signed::ok);
    CHECK(check_signature(shop, timestamp, one, body, now + 5min + 1ms) == Signed::stale);
    CHECK(check_signature(shop, timestamp, one, body, now - 6min) == Signed::stale);
}

TEST_CASE("forms: fields go where the configuration says, by name or by pointer; the rest may become attributes", "[leads]") {
    const auto shop = form(R"({"secret": "secret-one-0123456", "product": "suv", "rest": "attributes",
                               "fields": {"/data/0/mobile": "contact.phone", "name": "name", "city": "attributes.city", "missing": "unit"}})");
    const auto lead = lead_of(shop, Json::parse(R"({"data": [{"mobile": 13800138000}], "name": "王芳", "city": "上海", "budget": 30, "tree": {"a": 1}, "empty": ""})"));
    CHECK(lead == Json::parse(R"({"source": "form:shop", "product": "suv", "contact": {"phone": "13800138000"}, "name": "王芳", "attributes": {"city": "上海", "budget": 30}})"));
    CHECK(lead_of(shop, Json::parse("[1]")) == Json::parse(R"({"source": "form:shop", "product": "suv"})"));
}

TEST_CASE("forms: a form of the web is read as it is escaped", "[leads]") {
    CHECK(parse_urlencoded("name=%E7%8E%8B+x&mobile=138&empty=&flag") == Json::parse(R"({"name": "王 x", "mobile": "138", "empty": "", "flag": ""})"));
    CHECK_FALSE(parse_urlencoded("a=%2"));
    CHECK_FALSE(parse_urlencoded("a=%GG"));
    CHECK_FALSE(parse_urlencoded("a=%FF"));
    CHECK(parse_urlencoded("") == Json::object());
}

TEST_CASE("forms: what is wrong is named, all of it", "[leads]") {
    std::vector<std::string> wrong;
    (void)form(R"({"secret": "short", "window": "PT0S", "fields": {"a": "phone", "b": 3}, "rest": "all"})", &wrong);
    CHECK(wrong == std::vector<std::string>{"/secret", "/secret", "/window", "/fields/a", "/fields/b", "/fields", "/rest"});
}
