// Customer service's answers and pages: any bytes give one outcome, and a page whose every entry is kept.
#include <cstdint>
#include <cstdlib>

#include "adapters/wecom_kf/messages.hpp"
#include "adapters/wecom_kf/sending.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {R"({"errcode":0,"errmsg":"ok","msgid":"m"})", R"({"errcode":95001,"errmsg":"msgid repeat"})",
            R"({"errcode":0,"next_cursor":"c2","has_more":1,"msg_list":[{"msgid":"1","open_kfid":"wk","external_userid":"wm","send_time":1893456000,"origin":3,"msgtype":"text","text":{"content":"x","menu_id":"1"}}]})",
            R"({"errcode":0,"next_cursor":"c2","has_more":0,"msg_list":[{"msgid":"1","send_time":1,"origin":4,"msgtype":"event","event":{"event_type":"enter_session","external_userid":"wm","scene":"s","welcome_code":"w"}},{"msgid":"2","origin":4,"msgtype":"event","event":{"event_type":"msg_send_fail","fail_msgid":"m","fail_type":4}}]})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const channel::HttpResponse response{.status = 200, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data), size}};
    const channel::Submission submission{.attempt_id = "a-1", .to = "wm1", .content = {.text = "x"}};
    if (adapters::wecom_kf::read_sent(submission, response).code.empty()) std::abort();
    const auto page = adapters::wecom_kf::read_messages("c1", response);
    const auto kept = page.events.messages.size() + page.events.receipts.size() + page.events.events.size();
    if (page.failed ? kept != 0 : page.cursor.empty() && page.code.empty()) std::abort();
    const auto body = Json::parse(response.body, nullptr, false);
    if (!page.failed && page.code.empty() && body.is_object() && body.contains("msg_list") && body["msg_list"].is_array() && kept != body["msg_list"].size()) std::abort();
    (void)adapters::wecom_kf::content_problems({.text = {}, .body_json = response.body});
    return 0;
}
