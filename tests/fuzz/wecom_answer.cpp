// WeCom's answers: any status and any bytes give one outcome for each submission, an answer about a task, and a page whose cursor stays small.
#include <cstdint>
#include <cstdlib>

#include "adapters/wecom/adapter.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {"\x01"
            R"({"errcode":0,"errmsg":"ok","fail_list":["wm2"],"msgid":"msgT"})",
            "\x01"
            R"({"errcode":45009,"errmsg":"api freq out of limit, hint: [1645]"})",
            "\x01"
            R"({"errcode":0,"next_cursor":"c","send_list":[{"external_userid":"wm1","userid":"a","status":1,"send_time":1893456000}]})",
            "\x01"
            R"({"errcode":0,"follow_user":["a","b"]})",
            "\x01"
            R"({"errcode":0,"next_cursor":"c","external_contact_list":[{"external_contact":{"external_userid":"wm1","name":"n","unionid":"o"},"follow_info":{"userid":"a","createtime":1893456000,"tag_id":["et"],"remark_mobiles":["1"],"state":"s"}}]})",
            "\x01"
            R"({"errcode":0,"access_token":"T","expires_in":7200})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto adapter = [] {
        static const Json settings = {{"corp_id", "ww1"}, {"secret", "s"}, {"sender", "a"}};
        static std::vector<Problem> problems;
        JsonReader reader{settings, "", problems};
        return std::get<std::unique_ptr<channel::ExchangeAdapter>>(adapters::wecom_adapter().make(reader, {.name = "a", .default_region = "CN"}));
    }();
    static const std::vector<channel::Submission> submissions = {{.attempt_id = "a-1", .to = "wm1"}, {.attempt_id = "a-2", .to = "wm2"}};
    static const std::vector<channel::Submission> welcome = {{.attempt_id = "a-3", .to = "wm1", .content = {.body_json = R"({"welcome_code":"c"})"}}};
    if (size == 0) return 0;
    const channel::HttpResponse response{
        .status = data[0] < 128 ? 200 : 400 + data[0] - 128, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data) + 1, size - 1}};
    if (adapter->classify(submissions, response).size() != submissions.size()) std::abort();
    if (adapter->classify(welcome, response).size() != welcome.size()) std::abort();
    (void)adapter->read_fetched({}, response);
    (void)adapter->resources_stale(response);
    for (const auto act : {channel::TaskAct::poll, channel::TaskAct::remind, channel::TaskAct::cancel}) {
        const channel::Task task{.id = "msgT", .employee = data[0] % 2 == 0 ? "a" : ""};
        const auto answer = adapter->read_task(act, task, "", response);
        if (answer.verdict == channel::TaskAnswer::Verdict::more) (void)adapter->ask_task(act, task, answer.next_step, {}, {});
        (void)adapter->read_task(act, task, response.body, response);
    }
    // A cursor of ours, and any other.
    for (const auto* cursor : {"", R"({"employees":["a","b"],"after":"","cursor":"c"})"}) {
        const auto page = adapter->read_pull("customers", cursor, response);
        if (page.failed && (page.more || !page.events.events.empty())) std::abort();
        (void)adapter->pull("customers", page.cursor, "", {}, {});
    }
    (void)adapter->read_pull("customers", response.body, response);
    (void)adapter->content_problems({.text = "t", .body_json = response.body});
    return 0;
}
