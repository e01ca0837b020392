#include "adapters/sandbox/http_exchange.hpp"

#include <cctype>
#include <charconv>

#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers)
        if (name == lower_case_name) return value;
    return {};
}

std::string_view HttpRequest::path() const {
    const std::string_view whole{target};
    const auto path = whole.substr(0, whole.find('?'));
    return path.empty() ? std::string_view{"/"} : path;
}

std::string_view HttpRequest::query() const {
    const std::string_view whole{target};
    const auto mark = whole.find('?');
    return mark == std::string_view::npos ? std::string_view{} : whole.substr(mark + 1);
}

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out.push_back(' ');
        } else if (text[i] == '%' && i + 2 < text.size()) {
            const auto byte = from_hex(text.substr(i + 1, 2));
            out.append(byte ? *byte : std::string{text.substr(i, 3)});
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~')) {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(digits[byte >> 4U]);
            out.push_back(digits[byte & 0xFU]);
        }
    }
    return out;
}

Parameters parse_parameters(std::string_view text) {
    Parameters parameters;
    if (text.empty()) return parameters;
    for (const auto pair : split(text, '&')) {
        if (pair.empty()) continue;
        const auto mark = pair.find('=');
        parameters.emplace_back(percent_decode(pair.substr(0, mark)),
                                mark == std::string_view::npos ? std::string{} : percent_decode(pair.substr(mark + 1)));
    }
    return parameters;
}

std::string_view value_of(const Parameters& parameters, std::string_view name) {
    for (const auto& [key, value] : parameters)
        if (key == name) return value;
    return {};
}

std::uint64_t number_of(const Parameters& parameters, std::string_view name, std::uint64_t fallback) {
    const auto text = value_of(parameters, name);
    std::uint64_t value = fallback;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace touchgate::sandbox
