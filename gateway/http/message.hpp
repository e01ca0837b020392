// A request and its answer as plain values: what endpoints work with. No sockets, no Beast.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::http {

enum class Method : std::uint8_t { get = 1, put, post, patch, del, other };

[[nodiscard]] std::string_view to_string(Method method);
// HEAD reads as get: the connection leaves the body out.
[[nodiscard]] Method parse_method(std::string_view word);

// The query part of a URL: names and values decoded (`+` is a space, as forms write it).
class QueryParameters {
public:
    QueryParameters() = default;
    explicit QueryParameters(std::string_view raw);

    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name) const;  // "" when absent
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return values_; }

    // Typed readers: a bad value becomes a problem at "/<name>" and yields the fallback.
    std::uint64_t integer(std::string_view name, std::uint64_t fallback, std::uint64_t min, std::uint64_t max, std::vector<Problem>& problems) const;
    std::optional<Instant> instant(std::string_view name, std::vector<Problem>& problems) const;
    bool boolean(std::string_view name, bool fallback, std::vector<Problem>& problems) const;

private:
    std::vector<std::pair<std::string, std::string>> values_;
};

// Nothing when an escape is broken or the result is not valid UTF-8 or has a NUL.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

struct Response {
    int status = 200;
    std::string body = {};
    std::string_view content_type = "application/json";  // a literal; not sent with 204
    std::vector<std::pair<std::string_view, std::string>> headers = {};  // names are literals
    std::optional<std::uint64_t> sequence = {};  // header Touchgate-Seq
};

[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace touchgate::http
