// What becomes of a mass message's task: asking who was sent it, reminding the employee, stopping it. There is no callback for it.
// Source: WeCom developer centre, "获取企业的全部群发记录" (96355), "提醒成员群发" (97610), "停止企业群发" (97611).
#pragma once

#include <string>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom_common {

// A poll reads the results page by page; without an employee it first asks whose task it is. `step` is empty at first.
[[nodiscard]] channel::HttpRequest task_request(const Corp& corp, channel::TaskAct act, const channel::Task& task, const std::string& step,
                                                const channel::Resources& resources);
[[nodiscard]] channel::TaskAnswer read_task_answer(channel::TaskAct act, const channel::Task& task, const std::string& step, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom_common
