// Pushes of the provider: any body is answered; only a 200 has events.
#include <cstdint>
#include <cstdlib>

#include "adapters/aliyun_sms/adapter.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        R"([{"phone_number":"13900000001","success":true,"biz_id":"9^0","out_id":"a-1","report_time":"2026-01-02 11:04:09","err_code":"DELIVERED"}])",
        R"([{"phone_number":"13900000001","content":"R","send_time":"2026-01-02 11:10:00","dest_code":"90999","sequence_id":1}])"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto adapter = [] {
        static const Json settings = {{"access_key_id", "id"}, {"access_key_secret", "secret"}, {"sign_name", "s"}};
        static std::vector<Problem> problems;
        JsonReader reader{settings, "", problems};
        return std::get<std::unique_ptr<channel::ExchangeAdapter>>(
            adapters::aliyun_sms_adapter().make(reader, {.name = "a", .default_region = "CN"}));
    }();
    const auto answer = adapter->receive(
        {.method = "POST", .path_tail = "", .query = "", .headers = {}, .body = std::string{reinterpret_cast<const char*>(data), size}, .now = {}});
    if (answer.status != 200 && (!answer.events.receipts.empty() || !answer.events.messages.empty())) std::abort();
    return 0;
}
