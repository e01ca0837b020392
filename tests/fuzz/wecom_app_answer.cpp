// Answers to application messages: any bytes give one outcome for each member.
#include <cstdint>
#include <cstdlib>

#include "adapters/wecom_app/messages.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {R"({"errcode":0,"errmsg":"ok","invaliduser":"a|b","unlicenseduser":"c","msgid":"m"})", R"({"errcode":81013})", R"({"response_code":"r","button":{}})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const channel::HttpResponse response{.status = 200, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data), size}};
    const std::vector<channel::Submission> submissions = {{.attempt_id = "a-1", .to = "a"}, {.attempt_id = "a-2", .to = response.body}};
    if (adapters::wecom_app::read_sent(submissions, response).size() != submissions.size()) std::abort();
    const channel::Content content{.text = {}, .body_json = response.body};
    (void)adapters::wecom_app::content_problems(content);
    const channel::Submission shaped{.attempt_id = "a-3", .to = "a", .content = content};
    (void)adapters::wecom_app::send_request({}, {&shaped, 1}, {});
    return 0;
}
