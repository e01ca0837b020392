// Answers about groups: any bytes give a page or none, and one outcome for each submission.
#include <cstdint>
#include <cstdlib>

#include "adapters/wecom_common/mass_message.hpp"
#include "adapters/wecom_group/groups.hpp"
#include "adapters/wecom_group/robot.hpp"

using namespace touchgate;

// What a run without arguments starts from.
std::vector<std::string> fuzz_seeds() {
    return {R"({"errcode":0,"group_chat_list":[{"chat_id":"wr1","status":0}],"next_cursor":"p"})",
            R"({"errcode":0,"group_chat":{"chat_id":"wr1","name":"n","owner":"a","member_list":[{"userid":"wm1","type":2}],"admin_list":[]}})", R"({"errcode":49008})",
            R"({"chats":["wr1","wr2"],"list":"p"})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const channel::HttpResponse response{.status = 200, .headers = {}, .body = std::string{reinterpret_cast<const char*>(data), size}};
    for (const auto& cursor : {std::string{}, std::string{R"({"chats":["wr1"],"list":"p"})"}, response.body}) {
        const auto page = adapters::wecom_group::read_groups(cursor, response);
        if (page.failed && !page.events.events.empty()) std::abort();
        if (page.more == page.cursor.empty() && !page.failed) std::abort();
        (void)adapters::wecom_group::groups_request({}, {}, cursor, "wr1", {});
    }
    const std::vector<channel::Submission> submissions = {{.attempt_id = "a-1", .to = "wr1"}, {.attempt_id = "a-2", .to = "wr2"}};
    if (adapters::wecom_common::read_add_task(adapters::wecom_common::TaskFor::groups, submissions, "a", response).size() != 2) std::abort();
    (void)adapters::wecom_group::read_robot(response);
    return 0;
}
