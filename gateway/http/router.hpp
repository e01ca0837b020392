// Which function answers which method and path. Filled once at start, read by all I/O threads.
//
// A pattern is a path whose segments may be "{name}" (one segment, percent-decoded) or, as the last, "{*name}" (the rest with its slashes).
// A path without placeholders wins over one with.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/message.hpp"

namespace touchgate::http {

class Exchange;
class BulkReader;
using Call = std::shared_ptr<Exchange>;
using Handler = void (*)(const Call& call);
using BulkMaker = std::unique_ptr<BulkReader> (*)(Exchange& exchange);

enum class BodyKind : std::uint8_t {
    none,         // a body is read and ignored
    json,         // application/json (or without a type)
    merge_patch,  // also application/merge-patch+json
    ndjson,       // application/x-ndjson
    any,          // whatever a provider sends
};

inline constexpr std::size_t body_bytes_max = std::size_t{1} << 20U;

struct Route {
    Method method = Method::get;
    std::string pattern;
    std::string_view scope = {};        // "": no key needed
    Handler handler = nullptr;
    BodyKind body = BodyKind::none;
    BulkMaker bulk = nullptr;           // set: the body is a stream of lines, answered line by line; `handler` is not used
    std::size_t body_max = body_bytes_max;
    std::string_view other_scope = {};  // serves as well as `scope`
    bool while_draining = false;        // answered also while the server drains
};

struct RouteMatch {
    const Route* route = nullptr;
    std::vector<std::string> parameters;  // of the pattern, in order, decoded
    std::string allow = {};               // the path exists with these methods ("GET, POST"), but not with the one asked for
};

class Router {
public:
    void add(Route route);
    [[nodiscard]] RouteMatch match(Method method, std::string_view path) const;
    [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

private:
    struct Pattern {
        std::vector<std::string> segments;
        const Route* route = nullptr;
    };
    std::vector<std::unique_ptr<Route>> routes_;
    absl::flat_hash_map<std::string, std::vector<const Route*>> plain_;
    std::vector<Pattern> patterns_;
};

}  // namespace touchgate::http
