#include "gateway/base/error.hpp"

#include <stdexcept>

#include "gateway/base/result.hpp"

namespace touchgate {

int http_status(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::malformed: return 400;
        case ErrorKind::unauthorized: return 401;
        case ErrorKind::forbidden: return 403;
        case ErrorKind::not_found: return 404;
        case ErrorKind::not_allowed: return 405;
        case ErrorKind::conflict: return 409;
        case ErrorKind::too_large: return 413;
        case ErrorKind::unsupported: return 415;
        case ErrorKind::invalid_input: return 422;
        case ErrorKind::rate_limited: return 429;
        case ErrorKind::unavailable: return 503;
        case ErrorKind::corrupt: return 500;
    }
    return 500;
}

const char* problem_slug(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::malformed: return "malformed-body";
        case ErrorKind::unauthorized: return "unauthorized";
        case ErrorKind::forbidden: return "forbidden";
        case ErrorKind::not_found: return "not-found";
        case ErrorKind::not_allowed: return "method-not-allowed";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::too_large: return "body-too-large";
        case ErrorKind::unsupported: return "unsupported-media-type";
        case ErrorKind::invalid_input: return "invalid-request";
        case ErrorKind::rate_limited: return "rate-limited";
        case ErrorKind::unavailable: return "unavailable";
        case ErrorKind::corrupt: return "internal";
    }
    return "internal";
}

void throw_unchecked_error(const Error& error) { throw std::logic_error("unchecked error: " + error.detail); }

}  // namespace touchgate
