#include "adapters/wecom_kf/sending.hpp"

#include <algorithm>
#include <array>

#include "adapters/wechat/official_content.hpp"
#include "adapters/wecom_common/errors.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::adapters::wecom_kf {

namespace {

using namespace channel;
using namespace wecom_common;

constexpr std::array<std::string_view, 10> message_kinds = {"image",   "voice",    "video",         "file",   "link",
                                                            "miniprogram", "msgmenu", "location", "business_card", "ca_link"};
constexpr std::size_t menu_items_max = 10;

Json body_of(const Content& content) {
    if (content.body_json.empty()) return Json::object();
    return parse_foreign_json(content.body_json);
}

struct Message {
    std::string kind;
    Json object;
};

Message message_of(const Content& content) {
    const auto body = body_of(content);
    for (const auto kind : message_kinds)
        if (const auto& object = member(body, kind); object.is_object()) return {std::string{kind}, object};
    auto text = content.text;
    if (text.empty()) {
        const auto& given = member(body, "text");
        text = given.is_object() ? text_member(given, "content") : as_text(given);
    }
    return {"text", {{"content", std::move(text)}}};
}

// No document names the code of a message id that was used before, so the words decide; the length of ours is always right.
bool says_used_before(const Answer& answer) {
    const auto words = to_lower_ascii(text_member(answer.body, "errmsg"));
    const auto tells = [&](std::string_view word) { return words.find(word) != std::string::npos; };
    return answer.readable && tells("msgid") && (tells("repeat") || tells("duplicate") || tells("exist"));
}

// The attempts of one touch share the id. A later one that is refused for a parameter may be the repeat of one that was taken.
bool may_be_repeat(const Submission& submission, const Answer& answer) {
    constexpr int parameter = 40058;
    const auto number = submission.attempt_id.substr(submission.attempt_id.rfind('-') + 1);
    return answer.readable && answer.errcode == parameter && number != "1" && submission.attempt_id.size() > number.size();
}

}  // namespace

std::string message_id(const Submission& submission) { return wechat::repeat_id(submission); }

std::string event_code(const Content& content) { return reply_code_of(content, "code"); }

std::vector<Problem> content_problems(const Content& content) {
    const auto body = body_of(content);
    if (!body.is_object()) return {{"", "must be an object"}};
    std::vector<Problem> problems;
    for (const auto& [name, value] : body.items()) {
        if (name == "text" || name == "code" || name == "reply_code") continue;
        if (std::find(message_kinds.begin(), message_kinds.end(), name) == message_kinds.end())
            problems.push_back({pointer_to("", name), "this channel carries text, image, voice, video, file, link, miniprogram, msgmenu, location, business_card and ca_link"});
        else if (!value.is_object())
            problems.push_back({pointer_to("", name), "must be an object"});
    }
    const auto message = message_of(content);
    if (message.kind == "text") {
        const auto size = text_member(message.object, "content").size();
        if (size == 0) problems.push_back({"/text", "must not be empty"});
        if (size > text_bytes_max) problems.push_back({"/text", "must have at most " + std::to_string(text_bytes_max) + " bytes"});
    }
    if (message.kind == "msgmenu" && member(message.object, "list").is_array() && member(message.object, "list").size() > menu_items_max)
        problems.push_back({"/msgmenu/list", "must have at most " + std::to_string(menu_items_max) + " items"});
    if (!event_code(content).empty() && message.kind != "text" && message.kind != "msgmenu")
        problems.push_back({pointer_to("", message.kind), "the answer to an event is a text or a menu"});
    return problems;
}

HttpRequest send_request(const Corp& corp, const std::string& open_kfid, const Submission& submission, const Resources& resources) {
    auto message = message_of(submission.content);
    Json body = {{"msgid", message_id(submission)}, {"msgtype", message.kind}};
    body[message.kind] = std::move(message.object);
    const auto code = event_code(submission.content);
    if (!code.empty()) {
        body["code"] = code;
        return post(corp, "/cgi-bin/kf/send_msg_on_event", body, resources);
    }
    body["touser"] = submission.to;
    body["open_kfid"] = open_kfid;
    return post(corp, "/cgi-bin/kf/send_msg", body, resources);
}

Outcome read_sent(const Submission& submission, const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (!says_done(answer) && !says_used_before(answer)) {
        auto refused = outcome_of(answer, Addressee::customer);
        if (may_be_repeat(submission, answer)) refused.kind = OutcomeKind::unknown;
        return refused;
    }
    Outcome outcome{.kind = OutcomeKind::accepted, .ids = {message_id(submission)}, .code = std::to_string(answer.errcode)};
    if (answer.errcode != 0) outcome.detail = "taken the first time: the message id was used before";
    if (auto id = text_member(answer.body, "msgid"); !id.empty() && id != outcome.ids.front()) outcome.ids.insert(outcome.ids.begin(), std::move(id));
    return outcome;
}

}  // namespace touchgate::adapters::wecom_kf
