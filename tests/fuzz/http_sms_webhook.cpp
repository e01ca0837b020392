// Pushes of a configured provider, receipts and replies, JSON and form: any body is answered; only a 200 has events.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "adapters/http_sms/adapter.hpp"

using namespace touchgate;

namespace {

std::unique_ptr<channel::ExchangeAdapter> adapter_for(const std::string& format, const std::string& at_format) {
    const Json settings = {
        {"base_url", "http://h"},
        {"request", {{"body", {{"t", "{{text}}"}}}}},
        {"accept", Json::object()},
        {"receipt",
         {{"token", "receipts"},
          {"format", format},
          {"id", "/i"},
          {"status", "/s"},
          {"to", "/t"},
          {"at", "/a"},
          {"at_format", at_format},
          {"map", {{"D", "delivered"}}}}},
        {"mo", {{"token", "replies1"}, {"format", format}, {"from", "/f"}, {"text", "/t"}, {"at", "/a"}, {"at_format", at_format}}}};
    std::vector<Problem> problems;
    JsonReader reader{settings, "", problems};
    return std::get<std::unique_ptr<channel::ExchangeAdapter>>(adapters::http_sms_adapter().make(reader, {.name = "a", .default_region = "CN"}));
}

}  // namespace

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        "\x01"
        R"({"i":"m1","s":"D","t":"13900000001","a":1767323400})",
        "\x01"
        R"([{"i":"m1","s":"X"}])",
        "\x05"
        R"(i=m1&s=D&t=13900000001&a=20260102110405)",
        "\x02"
        R"({"f":"13900000001","t":"R","a":"2026-01-02 11:04:05"})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::array made = {adapter_for("json", "unix"), adapter_for("json", "local"), adapter_for("form", "compact"),
                                    adapter_for("form", "rfc3339"), adapter_for("json", "unix_ms")};
    if (size == 0) return 0;
    const auto& adapter = made[(data[0] >> 1U) % made.size()];
    const auto answer = adapter->receive({.method = "POST",
                                          .path_tail = (data[0] & 1U) != 0 ? "/receipts" : "/replies1",
                                          .query = "",
                                          .headers = {},
                                          .body = std::string{reinterpret_cast<const char*>(data) + 1, size - 1},
                                          .now = {}});
    if (answer.status != 200 && (!answer.events.receipts.empty() || !answer.events.messages.empty())) std::abort();
    return 0;
}
