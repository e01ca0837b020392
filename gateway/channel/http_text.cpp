#include "gateway/channel/http_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/base/text.hpp"

namespace touchgate::channel {

namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::optional<int> number(std::string_view digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty() || digits.front() == '-') return std::nullopt;
    return value;
}

}  // namespace

std::string percent_encode(std::string_view bytes) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        if (is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '~') {
            text.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            text.push_back('%');
            text.push_back(digits[byte >> 4U]);
            text.push_back(digits[byte & 15U]);
        }
    }
    return text;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const auto byte = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
            if (!byte) return std::nullopt;
            bytes += *byte;
            i += 2;
        } else {
            bytes.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
        }
    }
    return bytes;
}

std::string encode_form(const Fields& fields) {
    std::string text;
    for (const auto& [name, value] : fields) {
        if (!text.empty()) text.push_back('&');
        text += percent_encode(name) + "=" + percent_encode(value);
    }
    return text;
}

std::optional<Fields> parse_form(std::string_view text, bool plus_is_space) {
    Fields fields;
    for (const auto part : split(text, '&')) {
        if (part.empty()) continue;
        const auto equals = part.find('=');
        auto name = percent_decode(part.substr(0, equals), plus_is_space);
        auto value = percent_decode(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1), plus_is_space);
        if (!name || !value || !is_valid_utf8(*name) || !is_valid_utf8(*value)) return std::nullopt;
        fields.emplace_back(std::move(*name), std::move(*value));
    }
    return fields;
}

std::string_view field(const Fields& fields, std::string_view name) {
    for (const auto& [key, value] : fields)
        if (key == name) return value;
    return {};
}

std::optional<BaseUrl> parse_base_url(std::string_view url) {
    const bool secure = url.substr(0, 8) == "https://";
    if (!secure && url.substr(0, 7) != "http://") return std::nullopt;
    const std::string_view scheme = secure ? "https://" : "http://";
    const auto rest = url.substr(scheme.size());
    const auto slash = rest.find('/');
    auto host = rest.substr(0, slash);
    auto path = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
    const auto fits = [](char c) { return is_letter_or_digit(c) || std::string_view{"-._:[]"}.find(c) != std::string_view::npos; };
    if (host.empty() || !std::all_of(host.begin(), host.end(), fits)) return std::nullopt;
    for (const char c : path)
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '?' || c == '#' || c == '"' || c == '\\') return std::nullopt;
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);

    auto name = host;
    const auto bracket = host.rfind(']');
    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        const auto port = number(host.substr(colon + 1));
        if (colon == 0 || !port || *port < 1 || *port > 65'535) return std::nullopt;
        name = host.substr(0, colon);
        if (*port == (secure ? 443 : 80)) host = host.substr(0, colon);
    }
    return BaseUrl{std::string{scheme} + std::string{host}, std::string{host}, std::string{name}, std::string{path}};
}

BaseUrl read_base_url(JsonReader& settings, std::string_view fallback) {
    const auto url = fallback.empty() ? settings.required_text("base_url") : settings.text("base_url", std::string{fallback});
    if (auto parsed = parse_base_url(url)) return *parsed;
    if (!url.empty() || settings.has("base_url"))
        settings.problem("base_url", "must be an http or https URL with a host and no query, such as \"https://api.example.com\"");
    return parse_base_url(fallback).value_or(BaseUrl{});
}

std::optional<Instant> parse_http_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" || text[7] != ' ' || text[11] != ' ' || text[16] != ' ')
        return std::nullopt;
    const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
    if (month == months.end()) return std::nullopt;
    const auto month_number = std::to_string(month - months.begin() + 1);
    return parse_instant(std::string{text.substr(12, 4)} + (month_number.size() == 1 ? "-0" : "-") + month_number + "-" +
                         std::string{text.substr(5, 2)} + "T" + std::string{text.substr(17, 8)} + "Z");
}

std::optional<Duration> until_hour_in_china(std::string_view http_date, Duration hour) {
    const auto now = parse_http_date(http_date);
    if (!now) return std::nullopt;
    const auto local = *now + std::chrono::hours{8};
    const auto today = std::chrono::floor<std::chrono::days>(local) + hour;
    return (today > local ? today : today + one_day) - local;
}

std::optional<Duration> parse_retry_after(std::string_view text) {
    const auto seconds = number(trim(text));
    if (!seconds || *seconds > 86'400) return std::nullopt;
    return std::chrono::seconds{*seconds};
}

Json parse_foreign_json(std::string_view text) { return Json::parse(text.begin(), text.end(), nullptr, false); }

const Json& member(const Json& value, std::string_view key) {
    static const Json nothing;
    if (!value.is_object()) return nothing;
    const auto found = value.find(key);
    return found == value.end() ? nothing : *found;
}

std::string as_text(const Json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>();
    if (value.is_number() || value.is_boolean()) return value.dump();
    return {};
}

std::string printable_code(std::string_view code) {
    std::string text{code.substr(0, 100)};
    for (auto& c : text)
        if (!is_letter_or_digit(c) && std::string_view{"._:^-"}.find(c) == std::string_view::npos) c = '?';
    return text;
}

}  // namespace touchgate::channel
