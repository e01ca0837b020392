// Every rule, reason and outcome code in words, in English and Chinese: GET /v1/reasons.
#pragma once

#include <string>
#include <string_view>

namespace touchgate::http {

// {"items": [{"kind","code","en","zh-CN"}], "next_cursor": null}
[[nodiscard]] std::string reasons_text();

struct ReasonWords { std::string_view english, chinese; };
// The words for one code; the code itself when there are none.
[[nodiscard]] ReasonWords reason_words(std::string_view kind, std::string_view code);

}  // namespace touchgate::http
