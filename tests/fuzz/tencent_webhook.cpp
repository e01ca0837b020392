// Pushes of the provider: any body is answered; only a 200 has events.
#include <cstdint>
#include <cstdlib>

#include "adapters/tencent_sms/adapter.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        R"([{"user_receive_time":"2026-01-02 11:04:09","nationcode":"86","mobile":"13900000001","report_status":"FAIL","errmsg":"MK:0001","sid":"s"}])",
        R"({"extend":"","mobile":"13900000001","nationcode":"86","sign":"s","text":"R","time":1767323400})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto adapter = [] {
        static const Json settings = {
            {"secret_id", "id"}, {"secret_key", "secret"}, {"sdk_app_id", "1400000001"}, {"sign_name", "s"}, {"reconcile", true}};
        static std::vector<Problem> problems;
        JsonReader reader{settings, "", problems};
        return std::get<std::unique_ptr<channel::ExchangeAdapter>>(
            adapters::tencent_sms_adapter().make(reader, {.name = "a", .default_region = "CN"}));
    }();
    const auto answer = adapter->receive(
        {.method = "POST", .path_tail = "", .query = "", .headers = {}, .body = std::string{reinterpret_cast<const char*>(data), size}, .now = {}});
    if (answer.status != 200 && (!answer.events.receipts.empty() || !answer.events.messages.empty())) std::abort();
    return 0;
}
