// The catalogue of what the command line says to people, in English and Chinese.
#pragma once

#include <string>
#include <string_view>

namespace touchgate::app {

// "zh-CN" or "en", from TOUCHGATE_LANG or the system's LANG.
[[nodiscard]] std::string language_of_system();
// The text under `key` in `lang`; the key itself when there is none (a test finds those).
[[nodiscard]] std::string text(std::string_view key, std::string_view lang);

}  // namespace touchgate::app
