#include "adapters/wecom_common/corp.hpp"

#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace touchgate::adapters::wecom_common;

namespace {

struct Read {
    Corp corp;
    std::vector<Problem> problems;
};

Read read_shared(const Json& settings, const Json& accounts) {
    Read read;
    JsonReader reader{settings, "", read.problems};
    read.corp = read_shared_corp(reader, {.name = "a", .default_region = "CN", .settings_of = [&](std::string_view name) -> const Json* {
                                              const auto found = accounts.find(name);
                                              return found == accounts.end() ? nullptr : &*found;
                                          }});
    reader.finish();
    return read;
}

}  // namespace

TEST_CASE("An account that names a corporation calls with its id and secret and shares its token") {
    const Json accounts = {{"wecom-main", test::corp_settings()}};
    const auto read = read_shared({{"corp", "wecom-main"}, {"window", 3}}, accounts);
    CHECK(read.problems.empty());
    CHECK(read.corp.account == "wecom-main");
    CHECK(read.corp.window == 3);
    std::vector<Problem> problems;
    JsonReader reader{accounts["wecom-main"], "", problems};
    CHECK(token_need(read_corp(reader)).key == token_need(read.corp).key);
    CHECK(token_need(read.corp).key.starts_with("token:" + test::corp_id + ":"));
    CHECK(token_need(read.corp).shared);
}

TEST_CASE("A secret of its own has a token of its own, and no token's key shows a secret") {
    const Json accounts = {{"wecom-main", test::corp_settings()}};
    const auto shared = read_shared({{"corp", "wecom-main"}}, accounts);
    const auto own = read_shared({{"corp", "wecom-main"}, {"secret", "another"}}, accounts);
    CHECK(token_need(own.corp).key != token_need(shared.corp).key);
    CHECK(token_need(own.corp).key.find("another") == std::string::npos);
}

TEST_CASE("A corporation that is none is a problem at corp") {
    const Json accounts = {{"sms", {{"adapter", "smpp"}}}};
    for (const auto& settings : {Json::object(), Json{{"corp", "nobody"}}, Json{{"corp", "sms"}}}) {
        const auto read = read_shared(settings, accounts);
        REQUIRE(read.problems.size() == 1);
        CHECK(read.problems.front().pointer == "/corp");
    }
}

TEST_CASE("Requests carry the token, and texts go out as they are") {
    Corp corp;
    corp.source.base = parse_base_url("https://qyapi.example.test").value();
    corp.source.app = "ww1";
    corp.source.secret = "s";
    const Resources resources = {{token_need(corp).key, "T+1"}};
    CHECK(post(corp, "/cgi-bin/x", {{"text", "王芳"}}, resources).url == "https://qyapi.example.test/cgi-bin/x?access_token=T%2B1");
    CHECK(post(corp, "/cgi-bin/x", {{"text", "王芳"}}, resources).body == R"({"text":"王芳"})");
    CHECK(get(corp, "/cgi-bin/y", {{"a", "1 2"}}, resources).url == "https://qyapi.example.test/cgi-bin/y?a=1%202&access_token=T%2B1");
    CHECK(get(corp, "/cgi-bin/y", {}, resources).url == "https://qyapi.example.test/cgi-bin/y?access_token=T%2B1");
}

TEST_CASE("Names come in lists or joined by bars; anything else is none") {
    CHECK(names_in(Json{"a", "", 1, "b"}) == std::vector<std::string>{"a", "b"});
    CHECK(names_in("a||b") == std::vector<std::string>{"a", "b"});
    CHECK(names_in(Json{}).empty());
    CHECK(names_in(7).empty());
}

TEST_CASE("Seconds out of any range are no time") {
    CHECK(seconds_member({{"t", 1'893'456'000}}, "t") == from_unix_ms(1'893'456'000'000));
    for (const auto& value : {Json{0}, Json{-5}, Json{1e30}, Json{"1893456000"}, Json{18'446'744'073'709'551'615ULL}}) CHECK_FALSE(seconds_member({{"t", value}}, "t"));
}
