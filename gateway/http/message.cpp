#include "gateway/http/message.hpp"

#include <charconv>

#include "gateway/base/text.hpp"

namespace touchgate::http {

std::string_view to_string(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::put: return "PUT";
        case Method::post: return "POST";
        case Method::patch: return "PATCH";
        case Method::del: return "DELETE";
        case Method::other: break;
    }
    return "?";
}

Method parse_method(std::string_view word) {
    if (word == "GET" || word == "HEAD") return Method::get;
    if (word == "POST") return Method::post;
    if (word == "PUT") return Method::put;
    if (word == "PATCH") return Method::patch;
    if (word == "DELETE") return Method::del;
    return Method::other;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            decoded.push_back(' ');
        } else if (text[i] == '%') {
            if (text.size() - i < 3) return std::nullopt;
            const int high = digit(text[i + 1]);
            const int low = digit(text[i + 2]);
            if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
            decoded.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            decoded.push_back(text[i]);
        }
    }
    if (!is_valid_utf8(decoded)) return std::nullopt;
    return decoded;
}

QueryParameters::QueryParameters(std::string_view raw) {
    if (raw.empty()) return;
    for (const auto part : split(raw, '&')) {
        if (part.empty()) continue;
        const auto equals = part.find('=');
        auto name = percent_decode(part.substr(0, equals), true);
        auto value = equals == std::string_view::npos ? std::string{} : percent_decode(part.substr(equals + 1), true);
        if (name && value) values_.emplace_back(std::move(*name), std::move(*value));
    }
}

bool QueryParameters::has(std::string_view name) const {
    for (const auto& [key, value] : values_)
        if (key == name) return true;
    return false;
}

std::string QueryParameters::text(std::string_view name) const {
    for (const auto& [key, value] : values_)
        if (key == name) return value;
    return {};
}

std::uint64_t QueryParameters::integer(std::string_view name, std::uint64_t fallback, std::uint64_t min, std::uint64_t max,
                                       std::vector<Problem>& problems) const {
    if (!has(name)) return fallback;
    const auto value = text(name);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc{} && end == value.data() + value.size() && !value.empty() && number >= min && number <= max) return number;
    problems.push_back({"/" + std::string{name}, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max)});
    return fallback;
}

std::optional<Instant> QueryParameters::instant(std::string_view name, std::vector<Problem>& problems) const {
    if (!has(name)) return std::nullopt;
    auto value = text(name);
    // An offset's plus sign that was not escaped arrives as a space.
    if (value.size() > 6 && value[value.size() - 6] == ' ') value[value.size() - 6] = '+';
    const auto instant = parse_instant(value);
    if (!instant) problems.push_back({"/" + std::string{name}, "must be an RFC 3339 time with an offset, such as \"2026-11-23T02:00:00.000Z\""});
    return instant;
}

bool QueryParameters::boolean(std::string_view name, bool fallback, std::vector<Problem>& problems) const {
    if (!has(name)) return fallback;
    const auto value = text(name);
    if (value == "true" || value == "1") return true;
    if (value == "false" || value == "0") return false;
    problems.push_back({"/" + std::string{name}, "must be true or false"});
    return fallback;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 304: return "Not Modified";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 426: return "Upgrade Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 503: return "Service Unavailable";
        default: return "";
    }
}

}  // namespace touchgate::http
