// Answers of the provider: any status and any bytes give one outcome for each submission, and a question is answered without harm.
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
    static const std::vector<channel::Submission> submissions = {{.attempt_id = "a-1", .to = "+8613900000001"},
                                                                 {.attempt_id = "a-2", .to = "+8613900000002"}};
    if (size == 0) return 0;
    const channel::HttpResponse response{
        .status = data[0] < 128 ? 200 : 400 + data[0] - 128, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data) + 1, size - 1}};
    if (adapter->classify(submissions, response).size() != submissions.size()) std::abort();
    (void)adapter->read_reconcile(submissions.front(), response);
    return 0;
}
