// A post and what becomes of it. Source: WeCom developer centre, "企业发表内容到客户的朋友圈" (96351), "获取客户朋友圈全部的发表记录" (96352).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::moments {

[[nodiscard]] std::vector<Problem> content_problems(const channel::Content& content);

// One post for all submissions. "visible_range" of the content's own form says who publishes and who sees it; without it `sender` publishes for all.
[[nodiscard]] channel::HttpRequest post_request(const wecom_common::Corp& corp, const channel::Content& content, const std::string& sender, const channel::Resources& resources);
// The task is the job's id, which WeCom knows for 24 hours.
[[nodiscard]] channel::Outcome read_post(const channel::Content& content, const std::string& sender, const channel::HttpResponse& response);

// A poll goes from the job to the post, to the employees who published it, to the customers for whom they did: these are `sent`. A stop goes from the
// job to the post. There is no reminder; one only looks at the job. `step` is empty at first.
[[nodiscard]] channel::HttpRequest task_request(const wecom_common::Corp& corp, channel::TaskAct act, const channel::Task& task, const std::string& step,
                                                const channel::Resources& resources);
[[nodiscard]] channel::TaskAnswer read_task_answer(channel::TaskAct act, const std::string& step, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::moments
