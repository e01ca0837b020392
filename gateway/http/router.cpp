#include "gateway/http/router.hpp"

#include <algorithm>
#include <optional>

#include "gateway/base/text.hpp"

namespace touchgate::http {

namespace {

// The values of a pattern's placeholders, or nothing if the path does not fit.
std::optional<std::vector<std::string>> fit(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (i >= path.size()) return std::nullopt;
        if (pattern[i].starts_with("{*")) {
            std::string rest;
            for (std::size_t k = i; k < path.size(); ++k) rest.append(k > i ? "/" : "").append(path[k]);
            values.push_back(std::move(rest));
            return values;
        }
        if (pattern[i].starts_with("{")) {
            auto value = percent_decode(path[i], false);
            if (!value || value->empty()) return std::nullopt;
            values.push_back(std::move(*value));
        } else if (pattern[i] != path[i]) {
            return std::nullopt;
        }
    }
    if (path.size() != pattern.size()) return std::nullopt;
    return values;
}

void allow_method(std::string& allow, Method method) {
    const auto word = to_string(method);
    if (allow.find(word) != std::string::npos) return;
    allow += (allow.empty() ? "" : ", ") + std::string{word};
    if (method == Method::get) allow += ", HEAD";
}

}  // namespace

void Router::add(Route route) {
    routes_.push_back(std::make_unique<Route>(std::move(route)));
    const auto* added = routes_.back().get();
    if (added->pattern.find('{') == std::string::npos) {
        plain_[added->pattern].push_back(added);
        return;
    }
    Pattern pattern{.segments = {}, .route = added};
    for (const auto segment : split(added->pattern, '/')) pattern.segments.emplace_back(segment);
    patterns_.push_back(std::move(pattern));
}

RouteMatch Router::match(Method method, std::string_view path) const {
    RouteMatch match;
    if (const auto found = plain_.find(absl::string_view{path.data(), path.size()}); found != plain_.end()) {
        for (const auto* route : found->second) {
            if (route->method == method) {
                match.route = route;
                return match;
            }
            allow_method(match.allow, route->method);
        }
    }
    const auto segments = split(path, '/');
    for (const auto& pattern : patterns_) {
        auto values = fit(pattern.segments, segments);
        if (!values) continue;
        if (pattern.route->method == method) return {.route = pattern.route, .parameters = std::move(*values)};
        allow_method(match.allow, pattern.route->method);
    }
    return match;
}

}  // namespace touchgate::http
