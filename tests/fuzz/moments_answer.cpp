// Answers about posts: any bytes at any step give an answer about the task.
#include <cstdint>
#include <cstdlib>

#include "adapters/moments/post.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {R"({"errcode":0,"status":3,"result":{"errcode":0,"moment_id":"mom1"}})", R"({"errcode":0,"next_cursor":"p","task_list":[{"userid":"a","publish_status":1}]})",
            R"({"errcode":0,"customer_list":[{"external_userid":"wm1"}],"next_cursor":""})", R"({"moment":"mom1","listing":false,"members":["a"],"cursor":""})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const channel::HttpResponse response{.status = 200, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data), size}};
    const channel::Task task{.id = "J", .employee = "a"};
    for (const auto& step : {std::string{}, std::string{R"({"moment":"mom1","listing":true,"members":[],"cursor":""})"},
                             std::string{R"({"moment":"mom1","listing":false,"members":["a"],"cursor":"c"})"}, response.body})
        for (const auto act : {channel::TaskAct::poll, channel::TaskAct::remind, channel::TaskAct::cancel}) {
            const auto answer = adapters::moments::read_task_answer(act, step, response);
            if (answer.verdict == channel::TaskAnswer::Verdict::more && answer.next_step.empty()) std::abort();
            (void)adapters::moments::task_request({}, act, task, step, {});
        }
    (void)adapters::moments::read_post({}, "a", response);
    (void)adapters::moments::content_problems({.text = {}, .body_json = response.body});
    return 0;
}
