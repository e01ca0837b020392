// Answers of the platform and contents of callers: any bytes give one outcome, and any content is judged and becomes a request.
#include <cstdint>
#include <cstdlib>

#include "adapters/official_account/adapter.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {
        "\x10"
        R"({"errcode":0,"errmsg":"ok","msgid":3456789012345678901})",
        "\x10"
        R"({"errcode":45065,"errmsg":"x rid: 1-2","msg_id":7})",
        "\x10"
        R"({"access_token":"T","expires_in":7200})",
        "\x10"
        R"({"template_message":{"template_id":"T","miniprogram":{"appid":"a"},"data":{"thing1":{"value":"x"}}}})",
        "\x10"
        R"({"mass":{"touser":["a","b"],"news":{"articles":[{"title":"t"}]},"msgmenu":{"list":[{"id":1,"content":"c"}]}}})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto adapter = [] {
        static const Json settings = {{"app_id", "id"}, {"app_secret", "secret"}, {"templates", {{"T", {"thing1"}}}}};
        static std::vector<Problem> problems;
        JsonReader reader{settings, "", problems};
        return std::get<std::unique_ptr<channel::ExchangeAdapter>>(
            adapters::official_account_adapter().make(reader, {.name = "a", .default_region = "CN"}));
    }();
    if (size == 0) return 0;
    const std::string text{reinterpret_cast<const char*>(data) + 1, size - 1};
    const channel::Submission submission{.attempt_id = "a-1", .to = "o1", .content = {.body_json = text}};
    const channel::HttpResponse response{.status = data[0] < 128 ? 200 : 400 + data[0] - 128, .headers = {}, .body = text};
    if (adapter->classify({&submission, 1}, response).size() != 1) std::abort();
    (void)adapter->read_fetched({}, response);
    (void)adapter->content_problems(submission.content);
    if (adapter->submit({&submission, 1}, {}, {}).url.empty()) std::abort();
    return 0;
}
