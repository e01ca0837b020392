#include "gateway/voice/media.hpp"

#include <algorithm>

namespace touchgate::voice {

std::string medium_of(const std::string& text) {
    for (const auto* kind : {"file:", "text:", "number:", "digits:", "recording:", "tone:"})
        if (text.starts_with(kind)) return text;
    if (text.starts_with("sound:")) return "file:" + text.substr(6);
    const bool is_name = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
    return (is_name ? "file:" : "text:") + text;
}

}  // namespace touchgate::voice
