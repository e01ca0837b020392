#include "gateway/http/problem.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::http;
using Json = nlohmann::json;

TEST_CASE("problem: all fields, as the contract writes it") {
    const auto response = problem({.kind = ErrorKind::invalid_input, .detail = "1 field is not valid", .problems = {{"/purpose", "is \"required\""}}},
                                  Language::english);
    CHECK(response.status == 422);
    CHECK(response.content_type == "application/problem+json");
    CHECK(Json::parse(response.body) == Json::parse(R"({"type":"urn:touchgate:invalid-request","title":"Some fields are not valid","status":422,
        "detail":"1 field is not valid","errors":[{"pointer":"/purpose","detail":"is \"required\""}]})"));
}

TEST_CASE("problem: each kind has its status; 429 and 503 say when to come back") {
    const auto [kind, status] = GENERATE(table<ErrorKind, int>({{ErrorKind::malformed, 400},
                                                                {ErrorKind::unauthorized, 401},
                                                                {ErrorKind::forbidden, 403},
                                                                {ErrorKind::not_found, 404},
                                                                {ErrorKind::not_allowed, 405},
                                                                {ErrorKind::conflict, 409},
                                                                {ErrorKind::too_large, 413},
                                                                {ErrorKind::unsupported, 415},
                                                                {ErrorKind::invalid_input, 422},
                                                                {ErrorKind::rate_limited, 429},
                                                                {ErrorKind::unavailable, 503}}));
    const auto response = problem({.kind = kind, .detail = "d"}, Language::english);
    CHECK(response.status == status);
    CHECK(Json::parse(response.body).at("status") == status);
    CHECK_FALSE(Json::parse(response.body).contains("errors"));
    std::string retry_after;
    for (const auto& [name, value] : response.headers)
        if (name == "Retry-After") retry_after = value;
    CHECK(retry_after == (status == 429 || status == 503 ? "1" : ""));
}

TEST_CASE("problem: a conflict names the thing in the way") {
    const Error error{.kind = ErrorKind::conflict, .detail = "d", .reference = "0193"};
    CHECK(Json::parse(problem(error, Language::english, "touch_id").body).at("touch_id") == "0193");
    CHECK_FALSE(Json::parse(problem(error, Language::english).body).contains("touch_id"));
}

TEST_CASE("problem: titles follow Accept-Language") {
    const auto [header, language] = GENERATE(table<std::string, Language>({{"", Language::english},
                                                                           {"zh-CN", Language::chinese},
                                                                           {"zh", Language::chinese},
                                                                           {"en-GB, zh;q=0.5", Language::english},
                                                                           {"zh-CN,zh;q=0.9,en;q=0.8", Language::chinese},
                                                                           {"en;q=0.1, zh-TW;q=0.2", Language::chinese},
                                                                           {"fr", Language::english},
                                                                           {";;;,,q=", Language::english}}));
    INFO(header);
    CHECK(preferred_language(header) == language);
    CHECK(problem_title(ErrorKind::not_found, Language::chinese) == "对象不存在");
}

TEST_CASE("problem: a bulk line's error has title, detail, status and errors") {
    std::string out;
    append_line_error(out, {.kind = ErrorKind::conflict, .detail = "another body", .reference = "0193"}, "touch_id");
    CHECK(Json::parse(out) == Json::parse(R"({"title":"In conflict with what is there","detail":"another body","status":409,"touch_id":"0193"})"));
}
