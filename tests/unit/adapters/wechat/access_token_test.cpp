#include "adapters/wechat/access_token.hpp"

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::adapters::wechat;
using namespace touchgate::channel;
using namespace std::chrono_literals;

namespace {

TokenSource source(TokenCall call) {
    return {.call = call, .base = parse_base_url("http://127.0.0.1:8100/prefix").value(), .app = "wx1", .secret = "s e&cret"};
}

HttpResponse said(std::string body, int status = 200, Headers headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

constexpr std::array meanings = std::to_array<CodeMeaning>({
    {-1, -1, OutcomeKind::not_sent, Wait::none, "", "", "busy"},
    {40013, 40013, OutcomeKind::config, Wait::none, "", "", "no such app"},
    {40037, 40037, OutcomeKind::content_rejected, Wait::none, "", "template_id", "the template is unknown"},
    {42027, 42051, OutcomeKind::content_rejected, Wait::none, "", "card", "the card"},
    {45009, 45009, OutcomeKind::quota_exhausted, Wait::midnight, "api", "", "the daily quota"},
    {45011, 45011, OutcomeKind::throttled, Wait::by_itself, "account", "", "too fast"},
});

}  // namespace

TEST_CASE("token: the key names app and secret without telling the secret", "[wechat]") {
    const auto key = token_need(source(TokenCall::stable)).key;
    CHECK(key.starts_with("token:wx1:"));
    CHECK(key.find("cret") == std::string::npos);
    auto other = source(TokenCall::stable);
    other.secret = "other";
    CHECK(token_need(other).key != key);
    CHECK(token_need(source(TokenCall::wecom)).key == key);
}

TEST_CASE("token: each platform is asked in its own way", "[wechat]") {
    const auto stable = token_request(source(TokenCall::stable));
    CHECK(stable.method == "POST");
    CHECK(stable.url == "http://127.0.0.1:8100/prefix/cgi-bin/stable_token");
    CHECK(parse_foreign_json(stable.body) ==
          Json{{"grant_type", "client_credential"}, {"appid", "wx1"}, {"secret", "s e&cret"}, {"force_refresh", false}});
    const auto classic = token_request(source(TokenCall::classic));
    CHECK(classic.method == "GET");
    CHECK(classic.url == "http://127.0.0.1:8100/prefix/cgi-bin/token?grant_type=client_credential&appid=wx1&secret=s%20e%26cret");
    CHECK(token_request(source(TokenCall::wecom)).url == "http://127.0.0.1:8100/prefix/cgi-bin/gettoken?corpid=wx1&corpsecret=s%20e%26cret");
}

TEST_CASE("token: an answer brings it, or says why everyone waits", "[wechat]") {
    const auto token = std::get<Resource>(read_token(said(R"({"access_token":"T","expires_in":300})"), meanings));
    CHECK(token.value == "T");
    CHECK(token.valid_for == 300s);
    CHECK(std::get<Resource>(read_token(said(R"({"errcode":0,"errmsg":"ok","access_token":"T"})"), meanings)).valid_for == 7200s);
    CHECK(std::get<Resource>(read_token(said(R"({"access_token":"T","expires_in":-5})"), meanings)).valid_for == 1s);

    const auto kind = [](const HttpResponse& response) { return std::get<Outcome>(read_token(response, meanings)).kind; };
    CHECK(kind(said(R"({"errcode":40001,"errmsg":"invalid credential"})")) == OutcomeKind::credentials);
    CHECK(kind(said(R"({"errcode":40013})")) == OutcomeKind::config);
    CHECK(kind(said(R"({"errcode":-1})")) == OutcomeKind::not_sent);
    CHECK(kind(said(R"({"errcode":45009})")) == OutcomeKind::quota_exhausted);
    CHECK(kind(said(R"({"errcode":45011})")) == OutcomeKind::throttled);
    CHECK(kind(said(R"({"errcode":77777})")) == OutcomeKind::config);
    CHECK(kind(said(R"({"errcode":40037})")) == OutcomeKind::config);
    CHECK(kind(said(R"({"expires_in":7200})")) == OutcomeKind::not_sent);
    CHECK(kind(said("<html>", 502)) == OutcomeKind::not_sent);
    CHECK(kind(said("", 429)) == OutcomeKind::throttled);
    CHECK(kind(said("[]")) == OutcomeKind::not_sent);
}

TEST_CASE("token: a call carries it in the query", "[wechat]") {
    const auto from = source(TokenCall::stable);
    const Resources resources{{token_need(from).key, "T+/="}};
    const auto request = authorized_post(from, "/cgi-bin/x", resources, "{}");
    CHECK(request.url == "http://127.0.0.1:8100/prefix/cgi-bin/x?access_token=T%2B%2F%3D");
    CHECK(authorized_url(from, "/x?a=1", resources).ends_with("/x?a=1&access_token=T%2B%2F%3D"));
    CHECK(authorized_url(from, "/x", {}).ends_with("/x"));
}

TEST_CASE("answer: outcomes come from the table, and what is not in it has a safe meaning", "[wechat]") {
    const auto outcome = [](const HttpResponse& response) { return outcome_of(read_answer(response), meanings); };
    const auto rejected = outcome(said(R"({"errcode":40037,"errmsg":"invalid template_id hint: [x_1] rid: 63f1-ab o-secret-openid"})"));
    CHECK(rejected.kind == OutcomeKind::content_rejected);
    CHECK(rejected.code == "40037");
    CHECK(rejected.field == "template_id");
    CHECK(rejected.detail == "the template is unknown (rid 63f1-ab)");
    CHECK(outcome(said(R"({"errcode":42040})")).field == "card");
    CHECK(outcome(said(R"({"errcode":45009})", 200, {{"date", "Fri, 02 Jan 2026 15:00:00 GMT"}})).retry_after == 1h);
    CHECK(outcome(said(R"({"errcode":45009})")).retry_after == one_day);
    CHECK(outcome(said(R"({"errcode":45011})", 200, {{"retry-after", "7"}})).retry_after == 7s);
    CHECK(outcome(said(R"({"errcode":99999})")).kind == OutcomeKind::refused);
    CHECK(outcome(said(R"({"errcode":99999})")).once_more);
    CHECK_FALSE(rejected.once_more);
    for (const auto& unreadable :
         {said(""), said("x"), said("[]"), said(R"({"errcode":"x"})"), said(R"({"errcode":1.5})"), said(R"({"errcode":40037})", 500), said("", 404)})
        CHECK(outcome(unreadable).kind == OutcomeKind::unknown);
    CHECK(outcome(said("", 429, {{"retry-after", "3"}})).retry_after == 3s);
}

TEST_CASE("answer: three codes mean a stale token", "[wechat]") {
    for (const int code : {40001, 40014, 42001}) CHECK(token_is_stale(read_answer(said("{\"errcode\":" + std::to_string(code) + "}"))));
    for (const int code : {0, 41001, 40013}) CHECK_FALSE(token_is_stale(read_answer(said("{\"errcode\":" + std::to_string(code) + "}"))));
    CHECK_FALSE(token_is_stale(read_answer(said(R"({"errcode":40001})", 500))));
}
