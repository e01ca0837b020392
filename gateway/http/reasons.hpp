// Every rule, reason and outcome code in words, in English and Chinese: GET /v1/reasons.
#pragma once

#include <string>

namespace touchgate::http {

// {"items": [{"kind","code","en","zh-CN"}], "next_cursor": null}
[[nodiscard]] std::string reasons_text();

}  // namespace touchgate::http
