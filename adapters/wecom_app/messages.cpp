#include "adapters/wecom_app/messages.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "adapters/wecom_common/errors.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::adapters::wecom_app {

namespace {

using namespace channel;
using namespace wecom_common;

constexpr std::array<std::string_view, 10> message_kinds = {"textcard", "markdown", "template_card", "image", "voice", "video", "file", "news", "mpnews", "miniprogram_notice"};
constexpr std::size_t articles_max = 8;

Json shaped(const Content& content) { return content.body_json.empty() ? Json::object() : parse_foreign_json(content.body_json); }

struct Message {
    std::string kind;
    Json object;
};

Message message_of(const Content& content) {
    const auto body = shaped(content);
    for (const auto kind : message_kinds)
        if (const auto& object = member(body, kind); object.is_object()) return {std::string{kind}, object};
    auto text = content.text;
    if (const auto& given = member(body, "text"); text.empty()) text = given.is_object() ? text_member(given, "content") : as_text(given);
    return {"text", {{"content", std::move(text)}}};
}

std::set<std::string> lower_names(const Json& list) {
    std::set<std::string> names;
    for (const auto& name : names_in(list)) names.insert(to_lower_ascii(name));
    return names;
}

// One member and nobody else: "@all" is everybody, and a bar separates names.
bool is_member_id(std::string_view name) {
    const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '@'; };
    return !name.empty() && name.size() <= 64 && name.front() != '@' && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

std::string response_code(const Content& content) { return text_member(shaped(content), "response_code"); }

std::vector<Problem> content_problems(const Content& content) {
    const auto body = shaped(content);
    if (!body.is_object()) return {{"", "must be an object"}};
    std::vector<Problem> problems;
    const bool update = !response_code(content).empty();
    for (const auto& [name, value] : body.items()) {
        if (name == "text" || name == "response_code" || (name == "button" && update)) continue;
        if (std::find(message_kinds.begin(), message_kinds.end(), name) == message_kinds.end())
            problems.push_back({pointer_to("", name), "this channel carries text, textcard, markdown, template_card, image, voice, video, file, news, mpnews and miniprogram_notice"});
        else if (!value.is_object())
            problems.push_back({pointer_to("", name), "must be an object"});
    }
    if (update) {
        if (!member(body, "button").is_object() && !member(body, "template_card").is_object()) problems.push_back({"", "a card is updated by button or template_card"});
        return problems;
    }
    const auto message = message_of(content);
    if (message.kind == "text" || message.kind == "markdown") {
        const auto size = text_member(message.object, "content").size();
        const std::string pointer = "/" + message.kind;
        if (size == 0) problems.push_back({pointer, "must not be empty"});
        if (size > text_bytes_max) problems.push_back({pointer, "must have at most " + std::to_string(text_bytes_max) + " bytes"});
    }
    if (message.kind == "news" && member(message.object, "articles").is_array() && member(message.object, "articles").size() > articles_max)
        problems.push_back({"/news/articles", "must be at most " + std::to_string(articles_max)});
    return problems;
}

HttpRequest send_request(const Settings& settings, std::span<const Submission> submissions, const Resources& resources) {
    const auto& content = submissions.front().content;
    Json body = {{"agentid", settings.agent_id}};
    if (const auto code = response_code(content); !code.empty()) {
        const auto given = shaped(content);
        body["response_code"] = code;
        body["userids"] = Json::array({submissions.front().to});
        for (const auto* name : {"button", "template_card"})
            if (const auto& object = member(given, name); object.is_object()) body[name] = object;
        return post(settings.corp, "/cgi-bin/message/update_template_card", body, resources);
    }
    std::string receivers;
    for (const auto& submission : submissions)
        if (is_member_id(submission.to)) receivers.append(receivers.empty() ? "" : "|").append(submission.to);
    auto message = message_of(content);
    body["touser"] = std::move(receivers);
    body["msgtype"] = message.kind;
    body[message.kind] = std::move(message.object);
    return post(settings.corp, "/cgi-bin/message/send", body, resources);
}

std::vector<Outcome> read_sent(std::span<const Submission> submissions, const HttpResponse& response) {
    const auto answer = read_answer(response);
    const auto of_all = says_done(answer) ? Outcome{} : outcome_of(answer, Addressee::member);
    const auto invalid = lower_names(member(answer.body, "invaliduser"));
    const auto unlicensed = lower_names(member(answer.body, "unlicenseduser"));
    const auto id = text_member(answer.body, "msgid");
    std::vector<Outcome> outcomes;
    outcomes.reserve(submissions.size());
    for (const auto& submission : submissions) {
        const auto name = to_lower_ascii(submission.to);
        if (!is_member_id(submission.to)) {
            outcomes.push_back({.kind = OutcomeKind::recipient_invalid, .code = "touser", .detail = "no member's id"});
        } else if (!says_done(answer)) {
            outcomes.push_back(of_all);
        } else if (invalid.contains(name)) {
            outcomes.push_back({.kind = OutcomeKind::recipient_invalid, .code = "invaliduser", .detail = "no such member, or out of the application's scope"});
        } else if (unlicensed.contains(name)) {
            outcomes.push_back({.kind = OutcomeKind::refused, .code = "unlicenseduser", .detail = "the member has no licence for the interface"});
        } else {
            outcomes.push_back({.kind = OutcomeKind::accepted, .code = "0"});
            if (!id.empty()) outcomes.back().ids.push_back(id);
        }
    }
    return outcomes;
}

HttpRequest recall_request(const Settings& settings, const std::string& message_id, const Resources& resources) {
    return post(settings.corp, "/cgi-bin/message/recall", {{"msgid", message_id}}, resources);
}

}  // namespace touchgate::adapters::wecom_app
