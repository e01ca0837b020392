// What employees read about leads: messages to them and the page on which they report. English and Chinese.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace touchgate::leads {

// `{name}` in the text becomes the value; an unknown key is returned as it is. `language`: "zh…" is Chinese, everything else English.
[[nodiscard]] std::string text(std::string_view key, std::string_view language, const std::map<std::string, std::string, std::less<>>& values = {});

}  // namespace touchgate::leads
