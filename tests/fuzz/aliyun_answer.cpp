// Answers of the provider: any status and any bytes give one outcome for each submission, and a question is answered without harm.
#include <cstdint>
#include <cstdlib>

#include "adapters/aliyun_sms/adapter.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        "\x10"
        R"({"Code":"OK","BizId":"9^0"})",
        "\x10"
        R"({"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发小时级流控Permits:5"})",
        "\x10"
        R"({"Code":"OK","TotalCount":1,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"a-1","SendStatus":2,"ErrCode":"MK:0001","ReceiveDate":"2026-01-02 11:05:00"}]}})",
        "\xA0"
        R"({"Code":"Throttling.User"})"};
}

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
