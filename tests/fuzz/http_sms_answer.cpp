// Answers of a configured provider, in each of the three formats: any status and any bytes give one outcome.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "adapters/http_sms/adapter.hpp"

using namespace touchgate;

namespace {

std::unique_ptr<channel::ExchangeAdapter> adapter_for(const std::string& format) {
    const Json settings = {{"base_url", "http://h"},
                           {"request", {{"body", {{"t", "{{text}}"}}}}},
                           {"accept",
                            {{"format", format},
                             {"ok_when", {{"pointer", "/0"}, {"equals", {0, "ok"}}}},
                             {"id", "/1"},
                             {"code", "/0"},
                             {"errors", {{"1*", "throttled"}}}}}};
    std::vector<Problem> problems;
    JsonReader reader{settings, "", problems};
    return std::get<std::unique_ptr<channel::ExchangeAdapter>>(adapters::http_sms_adapter().make(reader, {.name = "a", .default_region = "CN"}));
}

}  // namespace

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        "\x03\x10"
        R"(["0","m1"])",
        "\x01\x10"
        R"(0=ok&1=m1)",
        "\x02\x10"
        R"(0,m1)",
        "\x02\x10"
        R"(101,x)"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::array adapters_by_format = {adapter_for("json"), adapter_for("form"), adapter_for("text")};
    static const std::vector<channel::Submission> submissions = {{.attempt_id = "a-1", .to = "+8613900000001"}};
    if (size < 2) return 0;
    const channel::HttpResponse response{
        .status = data[1] < 128 ? 200 : 400 + data[1] - 128, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data) + 2, size - 2}};
    if (adapters_by_format[data[0] % adapters_by_format.size()]->classify(submissions, response).size() != 1) std::abort();
    return 0;
}
