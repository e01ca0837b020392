#include "adapters/tencent_sms/signature.hpp"

#include "gateway/base/text.hpp"
#include "tests/unit/adapters/tencent_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::tencent_sms;

TEST_CASE("signature: every request recorded from the official SDK is reproduced byte for byte", "[tencent_sms]") {
    const auto vectors = test::fixture("signatures.json")["vectors"];
    REQUIRE(vectors.size() == 5);
    for (const auto& vector : vectors) {
        INFO(vector["id"].get<std::string>());
        const auto& recorded = vector["request"];
        const auto& steps = vector["intermediate"];
        const auto header = [&](std::string_view name) {
            for (const auto& pair : recorded["headers"])
                if (to_lower_ascii(pair[0].get<std::string>()) == name) return pair[1].get<std::string>();
            return std::string{};
        };
        const auto target = recorded["target"].get<std::string>();
        const Tc3Request request{.method = recorded["method"].get<std::string>(),
                                 .path = "/",
                                 .query = target.size() > 2 ? target.substr(2) : "",
                                 .content_type = header("content-type"),
                                 .host = header("host"),
                                 .body = recorded["body"].get<std::string>()};
        const auto now = from_unix_ms(vector["input"]["timestamp"].get<std::int64_t>() * 1000);
        const auto canonical = tc3_canonical_request(request);
        CHECK(canonical == steps["canonical_request"].get<std::string>());
        const auto text = tc3_string_to_sign(now, tc3_scope(now, "sms"), canonical);
        CHECK(text == steps["string_to_sign"].get<std::string>());
        CHECK(tc3_signature("made-up-tencent-secret-0001", now, "sms", text) == vector["signature"].get<std::string>());
        CHECK(tc3_authorization("AKID-EXAMPLE-ONLY-0001", "made-up-tencent-secret-0001", now, "sms", request) == header("authorization"));
    }
}

TEST_CASE("signature: the date of the scope changes at midnight in UTC, not in China", "[tencent_sms]") {
    CHECK(tc3_scope(parse_instant("2026-03-31T23:59:59Z").value(), "sms") == "2026-03-31/sms/tc3_request");
    CHECK(tc3_scope(parse_instant("2026-04-01T00:00:00Z").value(), "sms") == "2026-04-01/sms/tc3_request");
}
