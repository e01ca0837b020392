// Access tokens that the simulated platforms give out and take back.
//
// A token belongs to an application (a WeCom app's agent id, an appid) and to the call it came from ("token" and "stable_token" do not
// touch each other). Tokens of one seed are always the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/random.hpp"

namespace touchgate::sandbox {

class AccessTokens {
public:
    using Time = std::chrono::nanoseconds;  // monotonic

    explicit AccessTokens(Random& random) : random_{random} {}

    struct Issued {
        std::string token;
        std::int64_t expires_in = 0;  // s, rounded up
    };
    // The application's valid token of this call that lives longer than `spare`; a new one when there is none.
    Issued current(std::string_view application, std::string_view call, Time validity, Time spare, Time now);
    // A new token. Earlier ones of the same call work for `overlap` more, then they are refused with `code`.
    Issued renew(std::string_view application, std::string_view call, Time validity, Time overlap, int code, Time now);

    struct Checked {
        std::string application;  // "" when refused
        int code = 0;             // 40014 unknown, 42001 expired, or what it was revoked with
    };
    [[nodiscard]] Checked check(std::string_view token, Time now) const;

    // All tokens of the application ("" for every one) are refused with `code` from now on. Gives their number.
    std::size_t revoke(std::string_view application, int code, Time now);

private:
    struct Token {
        std::string application, call;
        Time expires{0};
        Time revoked_at = Time::max();
        int revoked_code = 0;
    };
    Issued issue(std::string_view application, std::string_view call, Time validity, Time now);

    Random& random_;
    std::map<std::string, Token, std::less<>> tokens_;
    std::map<std::string, std::string> newest_;  // application and call → token
};

}  // namespace touchgate::sandbox
