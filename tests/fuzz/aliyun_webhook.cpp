// Pushes of the provider: any body is answered; only a 200 has events.
#include <cstdint>
#include <cstdlib>

#include "adapters/aliyun_sms/adapter.hpp"

using namespace touchgate;

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
