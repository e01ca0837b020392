// All customers of all employees, page by page: what callbacks that were lost or made by the API itself do not tell.
// Source: WeCom developer centre, get_follow_user_list and batch/get_by_user.
#pragma once

#include <string>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom {

// Sources of the two others: "获取客户详情" (92114), "获取待分配的离职成员列表" (92124).

// The cursor is a JSON text: how many employees there are and how many are done, up to `employees_per_call` employees whose customers are being read, WeCom's cursor among them, and the last employee
// (in the order of their names) of those. Empty at the start; empty again after the last page.
inline constexpr std::size_t employees_per_call = 50;
inline constexpr int customers_per_page = 100;

[[nodiscard]] channel::HttpRequest customers_request(const wecom_common::Corp& corp, const std::string& cursor, const channel::Resources& resources);
// Each customer of each employee is an event of kind "customer" whose id is a hash of what is said, so that what has not changed is no event again.
[[nodiscard]] channel::PulledPage read_customers(const std::string& cursor, const channel::HttpResponse& response);

// One customer, of whom something changed: an event of the same kind for each employee whom he has.
[[nodiscard]] channel::HttpRequest customer_request(const wecom_common::Corp& corp, const std::string& customer, const channel::Resources& resources);
[[nodiscard]] channel::PulledPage read_customer(const channel::HttpResponse& response);

// Customers of employees who left, page by page: events of kind "unassigned".
[[nodiscard]] channel::HttpRequest unassigned_request(const wecom_common::Corp& corp, const std::string& cursor, const channel::Resources& resources);
[[nodiscard]] channel::PulledPage read_unassigned(const std::string& cursor, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom
