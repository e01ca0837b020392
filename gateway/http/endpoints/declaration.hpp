// The body of a PUT that declares an agent or a queue: kept as it is, but for what the path and the API key say.
#pragma once

#include <optional>

#include "gateway/http/exchange.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::http {

// Nothing when the call was answered: the body is no object, names another id than the path, or a unit that the key may not declare in. A key that
// is limited to units declares in its first one when the document names none.
[[nodiscard]] std::optional<Json> read_declaration(const Call& call);

}  // namespace touchgate::http
