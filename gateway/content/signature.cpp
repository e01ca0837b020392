#include "gateway/content/signature.hpp"

namespace touchgate::content {

namespace {

constexpr std::string_view opening = "【";
constexpr std::string_view closing = "】";

}  // namespace

std::string_view signature_of(std::string_view text) {
    if (text.starts_with(opening)) {
        const auto end = text.find(closing);
        if (end != std::string_view::npos) return text.substr(opening.size(), end - opening.size());
    }
    if (text.ends_with(closing)) {
        const auto start = text.rfind(opening);
        if (start != std::string_view::npos) return text.substr(start + opening.size(), text.size() - closing.size() - start - opening.size());
    }
    return {};
}

std::string with_signature(std::string_view text, std::string_view sign_name) {
    if (sign_name.empty() || !signature_of(text).empty()) return std::string{text};
    return std::string{opening} + std::string{sign_name} + std::string{closing} + std::string{text};
}

std::string text_to_send(std::string_view text, std::string_view sign_name, SignatureMode mode) {
    if (mode == SignatureMode::in_text) return with_signature(text, sign_name);
    const auto own = std::string{opening} + std::string{sign_name} + std::string{closing};
    if (sign_name.empty()) return std::string{text};
    if (text.starts_with(own)) text.remove_prefix(own.size());
    else if (text.ends_with(own)) text.remove_suffix(own.size());
    return std::string{text};
}

}  // namespace touchgate::content
