// The content of mass messages, welcome messages and moments: a text and attachments; and the call that makes a task of it.
// Source: WeCom developer centre, "创建企业群发" (92135) and "发送新客户欢迎语" (92599).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_common {

inline constexpr std::size_t attachments_max = 9;
inline constexpr std::size_t mass_text_bytes_max = 4'000;

// What a content says, from Content::text and from its own form: "text" (a text, or {"content"}), "attachments" (a list), and beside or instead of
// the list one each of "image", "link", "miniprogram", "video", "file".
struct MassContent {
    std::string text;
    Json attachments = Json::array();  // as WeCom writes them
    Json rest = Json::object();        // every other member: "welcome_code", "visible_range" …
    bool readable = true;              // false: the form is no JSON object
};
[[nodiscard]] MassContent read_mass_content(const channel::Content& content);
// "text" and "attachments", each only if there is something in it.
[[nodiscard]] Json message_of(const MassContent& content);
// Limits of length and number, and what each kind of attachment needs. `also` are further members that the adapter knows.
[[nodiscard]] std::vector<Problem> mass_content_problems(const channel::Content& content, std::initializer_list<std::string_view> also = {});

// Whose customers, or which groups, a task is for.
enum class TaskFor { customers, groups };

// The task: one message for all submissions, which have the same sender and content. An empty sender leaves the choice to WeCom (customers only).
[[nodiscard]] channel::HttpRequest add_task_request(const Corp& corp, TaskFor whom, std::span<const channel::Submission> submissions, const std::string& sender,
                                                    const channel::Resources& resources);
// One outcome per submission: handed_to_human, or a refusal for those that WeCom names in fail_list.
[[nodiscard]] std::vector<channel::Outcome> read_add_task(TaskFor whom, std::span<const channel::Submission> submissions, const std::string& sender,
                                                          const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom_common
