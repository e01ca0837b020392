// Operating failures by kind, and the one table that says what each kind means to an HTTP caller.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace touchgate {

enum class ErrorKind {
    malformed,      // 400: the body is not what its media type says
    unauthorized,   // 401
    forbidden,      // 403
    not_found,      // 404
    not_allowed,    // 405: the resource has no such method
    conflict,       // 409
    too_large,      // 413
    unsupported,    // 415: media type
    invalid_input,  // 422: well-formed, but some fields are wrong (see problems)
    rate_limited,   // 429
    unavailable,    // 503: full, draining, out of disk
    corrupt,        // 500: stored bytes are not what was written
};

// One wrong field: where (RFC 6901, without '#') and what to write instead.
struct Problem {
    std::string pointer;
    std::string detail;
};

struct Error {
    ErrorKind kind = ErrorKind::invalid_input;
    std::string detail;
    std::vector<Problem> problems = {};
    int retry_after_s = 0;           // for rate_limited and unavailable: at least 1
    std::string reference = {};      // id of the thing in the way (the touch or contact that a conflict names)
};

[[nodiscard]] int http_status(ErrorKind kind);
// The tail of the problem's `type`, "invalid-request" of "urn:touchgate:invalid-request".
[[nodiscard]] const char* problem_slug(ErrorKind kind);

[[nodiscard]] inline Error invalid(std::string pointer, std::string detail) {
    return {.kind = ErrorKind::invalid_input, .detail = detail, .problems = {{std::move(pointer), detail}}};
}

}  // namespace touchgate
