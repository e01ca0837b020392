#include "adapters/moments/post.hpp"

#include <algorithm>

#include "adapters/wecom_common/errors.hpp"
#include "adapters/wecom_common/mass_message.hpp"

namespace touchgate::adapters::moments {

namespace {

using namespace channel;
using namespace wecom_common;
using Verdict = TaskAnswer::Verdict;

constexpr int page_size = 1'000;
constexpr std::size_t members_max = 1'000;  // whose customers one poll reads

const Json& visible_range(const MassContent& content) { return member(content.rest, "visible_range"); }

// Where the questions about a post are. Members are those who published; `listing` while they are being found.
struct Place {
    std::string moment;  // empty: the job is asked for it
    bool listing = true;
    std::vector<std::string> members = {};
    std::string cursor = {};
};

Place place_of(const std::string& step) {
    const auto parsed = parse_foreign_json(step);
    return {.moment = text_member(parsed, "moment"),
            .listing = text_member(parsed, "listing") != "false",
            .members = names_in(member(parsed, "members")),
            .cursor = text_member(parsed, "cursor")};
}

TaskAnswer go_on(const Place& place, std::vector<TaskResult> results = {}) {
    if (!place.listing && place.members.empty()) return {.verdict = Verdict::done, .results = std::move(results)};
    return {.verdict = Verdict::more,
            .next_step = to_text({{"moment", place.moment}, {"listing", place.listing}, {"members", place.members}, {"cursor", place.cursor}}),
            .results = std::move(results)};
}

TaskAnswer read_job(TaskAct act, const Json& body) {
    constexpr std::string_view done = "3";
    if (text_member(body, "status") != done) return {.verdict = Verdict::ask_again};
    const auto& result = member(body, "result");
    const auto moment = text_member(result, "moment_id");
    if (const auto code = text_member(result, "errcode"); moment.empty() || (!code.empty() && code != "0"))
        return {.verdict = Verdict::gone, .code = printable_code(code)};  // no post came of it
    if (act == TaskAct::remind) return {.verdict = Verdict::done, .code = "0"};
    return go_on({.moment = moment});
}

TaskAnswer read_members(Place place, const Json& body) {
    if (const auto& list = member(body, "task_list"); list.is_array())
        for (const auto& entry : list)
            if (auto name = text_member(entry, "userid"); !name.empty() && text_member(entry, "publish_status") == "1" && place.members.size() < members_max)
                place.members.push_back(std::move(name));
    auto next = text_member(body, "next_cursor");
    place.listing = !next.empty() && next != place.cursor && place.members.size() < members_max;
    place.cursor = place.listing ? std::move(next) : std::string{};
    return go_on(place);
}

TaskAnswer read_customers(Place place, const Json& body) {
    std::vector<TaskResult> results;
    if (const auto& list = member(body, "customer_list"); list.is_array())
        for (const auto& entry : list)
            if (auto customer = text_member(entry, "external_userid"); !customer.empty())
                results.push_back({.recipient = std::move(customer), .status = TaskResult::Status::sent});
    auto next = text_member(body, "next_cursor");
    if (next == place.cursor) next.clear();
    place.cursor = std::move(next);
    if (place.cursor.empty() && !place.members.empty()) place.members.erase(place.members.begin());
    return go_on(place, std::move(results));
}

}  // namespace

std::vector<Problem> content_problems(const Content& content) {
    auto problems = mass_content_problems(content, {"visible_range"});
    const auto made = read_mass_content(content);
    std::size_t images = 0;
    std::size_t others = 0;
    for (std::size_t i = 0; i < made.attachments.size(); ++i) {
        const auto kind = text_member(made.attachments[i], "msgtype");
        const auto pointer = pointer_to("/attachments", i);
        ++(kind == "image" ? images : others);
        if (kind == "miniprogram" || kind == "file") problems.push_back({pointer + "/msgtype", "moments carry images, one video or one link"});
        if ((kind == "image" || kind == "link") && text_member(member(made.attachments[i], kind), "media_id").empty())
            problems.push_back({pointer_to(pointer, kind) + "/media_id", "is required, of a media uploaded as an attachment of moments"});
    }
    if (others > 1 || (others == 1 && images > 0)) problems.push_back({"/attachments", "must be at most 9 images, or one video, or one link"});
    if (const auto& range = visible_range(made); !range.is_null() && !range.is_object()) problems.push_back({"/visible_range", "must be an object"});
    return problems;
}

HttpRequest post_request(const Corp& corp, const Content& content, const std::string& sender, const Resources& resources) {
    const auto made = read_mass_content(content);
    auto body = message_of(made);
    const auto& range = visible_range(made);
    body["visible_range"] = range.is_object() ? range : Json{{"sender_list", {{"user_list", Json::array({sender})}}}};
    return post(corp, "/cgi-bin/externalcontact/add_moment_task", body, resources);
}

Outcome read_post(const Content& content, const std::string& sender, const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (!says_done(answer)) return outcome_of(answer, Addressee::nobody);
    const auto job = text_member(answer.body, "jobid");
    if (job.empty()) return {.kind = OutcomeKind::unknown, .code = "0", .detail = "the answer names no job"};
    const bool named = visible_range(read_mass_content(content)).is_object();
    return {.kind = OutcomeKind::handed_to_human, .code = "0", .task = job, .employee = named ? std::string{} : sender};
}

HttpRequest task_request(const Corp& corp, TaskAct act, const Task& task, const std::string& step, const Resources& resources) {
    const auto place = place_of(step);
    if (place.moment.empty()) return get(corp, "/cgi-bin/externalcontact/get_moment_task_result", {{"jobid", task.id}}, resources);
    if (act == TaskAct::cancel) return post(corp, "/cgi-bin/externalcontact/cancel_moment_task", {{"moment_id", place.moment}}, resources);
    Json body = {{"moment_id", place.moment}, {"limit", page_size}};
    if (!place.cursor.empty()) body["cursor"] = place.cursor;
    if (place.listing || place.members.empty()) return post(corp, "/cgi-bin/externalcontact/get_moment_task", body, resources);
    body["userid"] = place.members.front();
    return post(corp, "/cgi-bin/externalcontact/get_moment_send_result", body, resources);
}

TaskAnswer read_task_answer(TaskAct act, const std::string& step, const HttpResponse& response) {
    auto place = place_of(step);
    const auto answer = read_answer(response);
    if (!says_done(answer)) {
        const auto outcome = outcome_of(answer, Addressee::nobody);
        // A job or a post that WeCom does not know (any more) can neither be asked for nor stopped.
        const bool gone = answer.readable && (place.moment.empty() ? answer.errcode == 40088 || answer.errcode == 40058 : answer.errcode == 41060);
        return {.verdict = gone ? Verdict::gone : Verdict::ask_again, .code = outcome.code, .retry_after = outcome.retry_after};
    }
    if (place.moment.empty()) return read_job(act, answer.body);
    if (act != TaskAct::poll) return {.verdict = Verdict::done, .code = "0"};
    return place.listing ? read_members(std::move(place), answer.body) : read_customers(std::move(place), answer.body);
}

}  // namespace touchgate::adapters::moments
