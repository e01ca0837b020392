// /metrics: the counters of server and engine in Prometheus' text format.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/http/exchange.hpp"

namespace touchgate::http {

// Without `engine`, the server's own counters only.
[[nodiscard]] std::string metrics_text(const Services& services, const std::optional<Engine::Metrics>& engine,
                                       const std::vector<AccountDetails>& accounts);

}  // namespace touchgate::http
