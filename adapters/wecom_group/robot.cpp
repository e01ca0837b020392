#include "adapters/wecom_group/robot.hpp"

#include <algorithm>
#include <array>

#include "adapters/wecom_common/errors.hpp"

namespace touchgate::adapters::wecom_group {

namespace {

using namespace channel;
using namespace wecom_common;

constexpr std::string_view robot_prefix = "robot:";
constexpr std::array<std::string_view, 5> robot_kinds = {"markdown", "image", "news", "file", "template_card"};

}  // namespace

std::string robot_key(const Settings& settings, std::string_view address) {
    if (!address.starts_with(robot_prefix)) return {};
    const auto found = settings.robots.find(address.substr(robot_prefix.size()));
    return found == settings.robots.end() ? std::string{} : found->second;
}

bool is_robot_content(const Content& content) {
    if (content.body_json.empty()) return false;
    const auto shaped = parse_foreign_json(content.body_json);
    return std::any_of(robot_kinds.begin(), robot_kinds.end(), [&](std::string_view kind) { return member(shaped, kind).is_object(); });
}

HttpRequest robot_request(const Settings& settings, const std::string& key, const Content& content) {
    const auto shaped = content.body_json.empty() ? Json::object() : parse_foreign_json(content.body_json);
    Json body = {{"msgtype", "text"}, {"text", {{"content", content.text}}}};
    if (const auto& text = member(shaped, "text"); content.text.empty() && text.is_object()) body["text"] = text;
    for (const auto kind : robot_kinds)
        if (const auto& object = member(shaped, kind); object.is_object()) body = {{"msgtype", std::string{kind}}, {std::string{kind}, object}};
    const auto& base = settings.corp.source.base;
    return {.method = "POST",
            .url = base.origin + base.path + "/cgi-bin/webhook/send?key=" + percent_encode(key),
            .headers = {{"host", base.host}, {"content-type", "application/json"}, {"accept", "application/json"}},
            .body = to_text(body)};
}

Outcome read_robot(const HttpResponse& response) {
    const auto answer = read_answer(response);
    if (says_done(answer)) return {.kind = OutcomeKind::accepted, .code = "0"};
    return outcome_of(answer, Addressee::group);
}

}  // namespace touchgate::adapters::wecom_group
