// Answers of the provider: any status and any bytes give one outcome for each submission, and a question is answered without harm.
#include <cstdint>
#include <cstdlib>

#include "adapters/tencent_sms/adapter.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        "\x10"
        R"({"Response":{"SendStatusSet":[{"SerialNo":"s","PhoneNumber":"+8613900000001","Fee":1,"Code":"Ok"},{"PhoneNumber":"+8613900000002","Code":"LimitExceeded.DeliveryFrequencyLimit","Message":"1小时"}]}})",
        "\x10"
        R"({"Response":{"Error":{"Code":"AuthFailure.SignatureExpire","Message":"m"}}})",
        "\x10"
        R"({"Response":{"PullSmsSendStatusSet":[{"SessionContext":"a-1","ReportStatus":"SUCCESS","SerialNo":"s","UserReceiveTime":1767323049}]}})"};
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
    static const std::vector<channel::Submission> submissions = {{.attempt_id = "a-1", .to = "+8613900000001"},
                                                                 {.attempt_id = "a-2", .to = "+8613900000002"}};
    if (size == 0) return 0;
    const channel::HttpResponse response{
        .status = data[0] < 128 ? 200 : 400 + data[0] - 128, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data) + 1, size - 1}};
    if (adapter->classify(submissions, response).size() != submissions.size()) std::abort();
    (void)adapter->read_reconcile(submissions.front(), response);
    return 0;
}
