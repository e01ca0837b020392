// The settings of accounts on messaging platforms that are the gateway's and not the adapter's: tasks of employees, answers by rule.
#pragma once

#include "gateway/engine/settings.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::app {

// poll_interval, batch_window, task_expires_after, remind_after, reminders, task_hours of the account; what is wrong becomes a problem there.
void read_task_rules(JsonReader& account, TaskRules& rules);
// One entry of "auto_replies"; likewise. Calls finish().
[[nodiscard]] AutoReply read_auto_reply(JsonReader& rule);

// "employees": {"zhangsan": {"absent": {"from", "to"}, "delegate", "resigned"}}; likewise.
void read_employees(JsonReader& account, std::map<std::string, Employee, std::less<>>& employees);
// "contact_tags": {"<tag id>": "<tag of the contact>"}; likewise.
void read_tag_names(JsonReader& account, std::map<std::string, std::string, std::less<>>& names);

}  // namespace touchgate::app
