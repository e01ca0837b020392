#include "adapters/aliyun_sms/signature.hpp"

#include "gateway/base/text.hpp"
#include "tests/unit/adapters/aliyun_sms/support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::aliyun_sms;

namespace {

std::string header(const Json& vector, std::string_view name) {
    for (const auto& pair : vector["request"]["headers"])
        if (to_lower_ascii(pair[0].get<std::string>()) == name) return pair[1].get<std::string>();
    return {};
}

channel::Fields query_of(const Json& vector) {
    const auto target = vector["request"]["target"].get<std::string>();
    const auto mark = target.find('?');
    return mark == std::string::npos ? channel::Fields{} : channel::parse_form(target.substr(mark + 1)).value();
}

}  // namespace

TEST_CASE("signature: every request recorded from the official SDKs is reproduced byte for byte", "[aliyun_sms]") {
    const auto vectors = test::fixture("signatures.json")["vectors"];
    REQUIRE(vectors.size() == 12);
    for (const auto& vector : vectors) {
        INFO(vector["id"].get<std::string>());
        const auto& request = vector["request"];
        const auto secret = vector["input"]["credentials"]["accessKeySecret"].get<std::string>();
        const auto body = request["body"].get<std::string>();
        const auto& steps = vector["intermediate"];
        if (vector["id"].get<std::string>().starts_with("acs3")) {
            Acs3Request signed_request{.method = "POST", .path = "/", .query = query_of(vector), .headers = {}, .body = body};
            for (const auto& pair : request["headers"]) signed_request.headers.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
            const auto canonical = acs3_canonical_request(signed_request);
            CHECK(canonical == steps["canonical_request"].get<std::string>());
            CHECK(acs3_string_to_sign(canonical) == steps["string_to_sign"].get<std::string>());
            CHECK(acs3_signature(secret, acs3_string_to_sign(canonical)) == vector["signature"].get<std::string>());
            CHECK(acs3_signed_headers(signed_request) == vector["signed_headers"].get<std::string>());
            CHECK(acs3_authorization("LTAI-EXAMPLE-ONLY-0001", secret, signed_request) == header(vector, "authorization"));
        } else {
            auto parameters = query_of(vector);
            const auto form = channel::parse_form(body).value();
            parameters.insert(parameters.end(), form.begin(), form.end());
            std::erase_if(parameters, [](const auto& parameter) { return parameter.first == "Signature"; });
            const auto text = rpc_string_to_sign(request["method"].get<std::string>(), parameters);
            CHECK(text == steps["string_to_sign"].get<std::string>());
            CHECK(rpc_signature(secret, text) == vector["signature"].get<std::string>());
        }
    }
}

TEST_CASE("signature: an empty value keeps its equals sign, and a changed byte changes the signature", "[aliyun_sms]") {
    Acs3Request request{.method = "POST",
                        .path = "/",
                        .query = {{"B", ""}, {"A", "x y"}},
                        .headers = {{"Host", "h"}, {"X-Acs-Date", " d "}, {"accept", "a"}},
                        .body = ""};
    CHECK(acs3_canonical_request(request) ==
          "POST\n/\nA=x%20y&B=\nhost:h\nx-acs-date:d\n\nhost;x-acs-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const auto before = acs3_authorization("id", "secret", request);
    request.body = "x";
    CHECK(acs3_authorization("id", "secret", request) != before);
    CHECK(rpc_string_to_sign("GET", {{"a", "b"}}) != rpc_string_to_sign("POST", {{"a", "b"}}));
}
