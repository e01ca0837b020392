// `touchgate check --probe`: does this account's host answer, and does it take the credentials? Says in plain words what is wrong.
#pragma once

#include <string>

#include "gateway/base/clock.hpp"
#include "gateway/base/result.hpp"
#include "gateway/net/net_transport.hpp"

namespace touchgate::net {

// Connects and binds (session protocols), or makes the adapter's probe request (HTTP providers; where there is none: its first resource, such
// as an access token, else only a connection). Sends no message. Blocks at most `patience`.
// The text tells what was reached. Errors: `unauthorized` when the credentials were refused, `unavailable` otherwise; `detail` names the
// likely cause (wrong host, refused, TLS, no answer).
[[nodiscard]] Result<std::string> probe_account(const NetAccount& account, const Clock& clock, Duration patience = Duration{15'000});

}  // namespace touchgate::net
