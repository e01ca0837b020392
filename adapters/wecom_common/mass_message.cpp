#include "adapters/wecom_common/mass_message.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "adapters/wecom_common/errors.hpp"

namespace touchgate::adapters::wecom_common {

namespace {

using namespace channel;

constexpr std::array<std::string_view, 5> attachment_kinds = {"image", "link", "miniprogram", "video", "file"};

bool is_attachment_kind(std::string_view kind) { return std::find(attachment_kinds.begin(), attachment_kinds.end(), kind) != attachment_kinds.end(); }

struct Field {
    std::string_view kind, name;
    bool required;
    std::size_t bytes_max;  // 0: no limit of its own
};
constexpr auto attachment_fields = std::to_array<Field>({
    {"link", "title", true, 128},
    {"link", "desc", false, 512},
    {"link", "url", true, 0},
    {"miniprogram", "title", true, 64},
    {"miniprogram", "pic_media_id", true, 0},
    {"miniprogram", "appid", true, 0},
    {"miniprogram", "page", true, 0},
    {"video", "media_id", true, 0},
    {"file", "media_id", true, 0},
});

void check_attachment(const Json& attachment, const std::string& pointer, std::vector<Problem>& problems) {
    const auto kind = text_member(attachment, "msgtype");
    if (!is_attachment_kind(kind)) {
        problems.push_back({pointer + "/msgtype", "must be image, link, miniprogram, video or file"});
        return;
    }
    const auto& object = member(attachment, kind);
    const auto inner = pointer_to(pointer, kind);
    if (!object.is_object()) {
        problems.push_back({inner, "must be an object"});
        return;
    }
    if (kind == "image" && text_member(object, "media_id").empty() && text_member(object, "pic_url").empty())
        problems.push_back({inner, "needs media_id or pic_url"});
    for (const auto& field : attachment_fields) {
        if (field.kind != kind) continue;
        const auto text = text_member(object, field.name);
        if (field.required && text.empty()) problems.push_back({pointer_to(inner, field.name), "is required"});
        if (field.bytes_max != 0 && text.size() > field.bytes_max)
            problems.push_back({pointer_to(inner, field.name), "must have at most " + std::to_string(field.bytes_max) + " bytes"});
    }
}

// WeCom's fail_list gives no reasons: what has the form of an id of its own is a customer whom the employee cannot reach.
Outcome cannot_be_reached(TaskFor whom, const Submission& submission) {
    if (whom == TaskFor::groups) return {.kind = OutcomeKind::recipient_invalid, .code = "fail_list", .detail = "WeCom cannot send to this group"};
    const bool is_id = submission.to.size() > 2 && submission.to.size() <= 64 && (submission.to.starts_with("wm") || submission.to.starts_with("wo"));
    return {.kind = is_id ? OutcomeKind::recipient_refuses : OutcomeKind::recipient_invalid,
            .code = "fail_list",
            .detail = is_id ? "the customer is no friend of the employee" : "no such customer"};
}

}  // namespace

MassContent read_mass_content(const Content& content) {
    MassContent made;
    made.text = content.text;
    if (content.body_json.empty()) return made;
    auto body = parse_foreign_json(content.body_json);
    if (!body.is_object()) {
        made.readable = false;
        return made;
    }
    for (auto& [name, value] : body.items()) {
        if (name == "text") {
            if (made.text.empty()) made.text = value.is_object() ? text_member(value, "content") : as_text(value);
        } else if (name == "attachments") {
            if (value.is_array()) made.attachments = std::move(value);
            else made.rest[name] = std::move(value);
        } else if (!is_attachment_kind(name)) {
            made.rest[name] = std::move(value);
        }
    }
    for (const auto kind : attachment_kinds)
        if (const auto found = body.find(kind); found != body.end())
            made.attachments.push_back({{"msgtype", std::string{kind}}, {std::string{kind}, std::move(*found)}});
    return made;
}

Json message_of(const MassContent& content) {
    auto message = Json::object();
    if (!content.text.empty()) message["text"] = {{"content", content.text}};
    if (!content.attachments.empty()) message["attachments"] = content.attachments;
    return message;
}

std::vector<Problem> mass_content_problems(const Content& content, std::initializer_list<std::string_view> also) {
    const auto made = read_mass_content(content);
    if (!made.readable) return {{"", "must be an object"}};
    std::vector<Problem> problems;
    if (made.text.empty() && made.attachments.empty()) problems.push_back({"", "needs a text, attachments or both"});
    if (made.text.size() > mass_text_bytes_max) problems.push_back({"/text", "must have at most " + std::to_string(mass_text_bytes_max) + " bytes"});
    if (made.attachments.size() > attachments_max) problems.push_back({"/attachments", "must be at most " + std::to_string(attachments_max)});
    for (std::size_t i = 0; i < made.attachments.size(); ++i) check_attachment(made.attachments[i], pointer_to("/attachments", i), problems);
    for (const auto& [name, value] : made.rest.items())
        if (std::find(also.begin(), also.end(), name) == also.end())
            problems.push_back({pointer_to("", name), "this channel carries text, attachments, image, link, miniprogram, video and file"});
    return problems;
}

HttpRequest add_task_request(const Corp& corp, TaskFor whom, std::span<const Submission> submissions, const std::string& sender, const Resources& resources) {
    auto body = message_of(read_mass_content(submissions.front().content));
    auto receivers = Json::array();
    for (const auto& submission : submissions) receivers.push_back(submission.to);
    if (whom == TaskFor::customers) {
        body["chat_type"] = "single";
        body["external_userid"] = std::move(receivers);
        body["allow_select"] = false;
    } else {
        body["chat_type"] = "group";
        body["chat_id_list"] = std::move(receivers);
    }
    if (!sender.empty()) body["sender"] = sender;
    return post(corp, "/cgi-bin/externalcontact/add_msg_template", body, resources);
}

std::vector<Outcome> read_add_task(TaskFor whom, std::span<const Submission> submissions, const std::string& sender, const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (!says_done(answer)) return std::vector<Outcome>(submissions.size(), outcome_of(answer, whom == TaskFor::customers ? Addressee::customer : Addressee::group));
    const auto task = text_member(answer.body, "msgid");
    const auto named = names_in(member(answer.body, "fail_list"));
    const std::set<std::string_view> failed{named.begin(), named.end()};
    std::vector<Outcome> outcomes;
    outcomes.reserve(submissions.size());
    for (const auto& submission : submissions) {
        if (failed.contains(submission.to)) outcomes.push_back(cannot_be_reached(whom, submission));
        else if (task.empty()) outcomes.push_back({.kind = OutcomeKind::unknown, .code = "0", .detail = "the answer names no task"});
        else outcomes.push_back({.kind = OutcomeKind::handed_to_human, .code = "0", .task = task, .employee = sender});
    }
    return outcomes;
}

}  // namespace touchgate::adapters::wecom_common
