#include "adapters/wecom_common/mass_task.hpp"

#include <algorithm>

#include "adapters/wecom_common/errors.hpp"

namespace touchgate::adapters::wecom_common {

namespace {

using namespace channel;
using Verdict = TaskAnswer::Verdict;
using Status = TaskResult::Status;

constexpr int page_size = 1'000;
constexpr std::size_t members_max = 1'000;  // whose results one poll reads

// Where a poll is: members whose results are still to be read, the first one's from `cursor`; `listing` while they are being found.
struct Place {
    std::vector<std::string> members;
    std::string cursor;
    bool listing = false;
};

Place place_of(const Task& task, const std::string& step) {
    if (step.empty()) {
        if (task.employee.empty()) return {.members = {}, .cursor = {}, .listing = true};
        return {.members = {task.employee}, .cursor = {}};
    }
    const auto parsed = parse_foreign_json(step);
    return {.members = names_in(member(parsed, "members")), .cursor = text_member(parsed, "cursor"), .listing = text_member(parsed, "listing") == "true"};
}

std::string step_of(const Place& place) { return to_text({{"members", place.members}, {"cursor", place.cursor}, {"listing", place.listing}}); }

TaskAnswer go_on(const Place& place, std::vector<TaskResult> results = {}) {
    if (!place.listing && place.members.empty()) return {.verdict = Verdict::done, .results = std::move(results)};
    return {.verdict = Verdict::more, .next_step = step_of(place), .results = std::move(results)};
}

// 0 not sent, 1 sent, 2 no friend any more, 3 too many mass messages. A number nobody knows is still waiting.
Status status_of(const Json& entry) {
    const auto number = text_member(entry, "status");
    return number == "1" ? Status::sent : number == "2" ? Status::not_friend : number == "3" ? Status::over_limit : Status::waiting;
}

std::vector<TaskResult> results_in(const Json& list) {
    std::vector<TaskResult> results;
    if (!list.is_array()) return results;
    for (const auto& entry : list) {
        auto recipient = text_member(entry, "external_userid");
        if (recipient.empty()) recipient = text_member(entry, "chat_id");
        if (recipient.empty()) continue;
        TaskResult result{.recipient = std::move(recipient), .status = status_of(entry)};
        if (result.status == Status::sent) result.sent_at = seconds_member(entry, "send_time");
        results.push_back(std::move(result));
    }
    return results;
}

TaskAnswer read_members(Place place, const Json& body) {
    if (const auto& list = member(body, "task_list"); list.is_array())
        for (const auto& entry : list)
            if (auto member_id = text_member(entry, "userid"); !member_id.empty() && place.members.size() < members_max) place.members.push_back(std::move(member_id));
    place.cursor = text_member(body, "next_cursor");
    place.listing = !place.cursor.empty() && place.members.size() < members_max;
    if (!place.listing) place.cursor.clear();
    return go_on(place);
}

TaskAnswer read_results(Place place, const Json& body) {
    auto results = results_in(member(body, "send_list"));
    auto cursor = text_member(body, "next_cursor");
    // A list that repeats its cursor would never end.
    if (cursor == place.cursor) cursor.clear();
    place.cursor = std::move(cursor);
    if (place.cursor.empty() && !place.members.empty()) place.members.erase(place.members.begin());
    return go_on(place, std::move(results));
}

TaskAnswer refused(const Answer& answer) {
    const auto outcome = outcome_of(answer, Addressee::nobody);
    TaskAnswer told{.verdict = Verdict::ask_again, .code = outcome.code, .retry_after = outcome.retry_after};
    if (answer.readable && (answer.errcode == 41093 || answer.errcode == 41047)) told.verdict = Verdict::gone;
    return told;
}

}  // namespace

HttpRequest task_request(const Corp& corp, TaskAct act, const Task& task, const std::string& step, const Resources& resources) {
    if (act == TaskAct::remind) return post(corp, "/cgi-bin/externalcontact/remind_groupmsg_send", {{"msgid", task.id}}, resources);
    if (act == TaskAct::cancel) return post(corp, "/cgi-bin/externalcontact/cancel_groupmsg_send", {{"msgid", task.id}}, resources);
    const auto place = place_of(task, step);
    Json body = {{"msgid", task.id}, {"limit", page_size}};
    if (!place.cursor.empty()) body["cursor"] = place.cursor;
    if (place.listing || place.members.empty()) return post(corp, "/cgi-bin/externalcontact/get_groupmsg_task", body, resources);
    body["userid"] = place.members.front();
    return post(corp, "/cgi-bin/externalcontact/get_groupmsg_send_result", body, resources);
}

TaskAnswer read_task_answer(TaskAct act, const Task& task, const std::string& step, const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (!says_done(answer)) return refused(answer);
    if (act != TaskAct::poll) return {.verdict = Verdict::done, .code = "0"};
    auto place = place_of(task, step);
    return place.listing || place.members.empty() ? read_members(std::move(place), answer.body) : read_results(std::move(place), answer.body);
}

}  // namespace touchgate::adapters::wecom_common
