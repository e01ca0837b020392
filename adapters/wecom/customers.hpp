// All customers of all employees, page by page: what callbacks that were lost or made by the API itself do not tell.
// Source: WeCom developer centre, get_follow_user_list and batch/get_by_user.
#pragma once

#include <string>

#include "adapters/wecom_common/corp.hpp"

namespace touchgate::adapters::wecom {

// The cursor is a JSON text: up to `employees_per_call` employees whose customers are being read, WeCom's cursor among them, and the last employee
// (in the order of their names) of those. Empty at the start; empty again after the last page.
inline constexpr std::size_t employees_per_call = 50;
inline constexpr int customers_per_page = 100;

[[nodiscard]] channel::HttpRequest customers_request(const wecom_common::Corp& corp, const std::string& cursor, const channel::Resources& resources);
// Each customer of each employee is an event of kind "customer" whose id is a hash of what is said, so that what has not changed is no event again.
[[nodiscard]] channel::PulledPage read_customers(const std::string& cursor, const channel::HttpResponse& response);

}  // namespace touchgate::adapters::wecom
