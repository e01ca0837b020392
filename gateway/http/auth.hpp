// Who calls and what he may do: API keys, scopes (each optionally limited to a unit), and the rate of each key.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::http {

// As in the configuration: either `key` in clear or `key_hash`, the hex SHA-256 of it.
struct ApiKeyOptions {
    std::string name;
    std::string key = {};
    std::string key_hash = {};
    std::vector<std::string> scopes = {};  // "touches", "touches@hq/east"
    std::string rate = {};                 // "100/second"; empty: no limit
};

// Is `unit` the unit `limit` or one below it?
[[nodiscard]] bool unit_within(std::string_view unit, std::string_view limit);

// What a caller may do under one scope.
struct Access {
    bool granted = false;
    std::vector<std::string> units = {};  // empty: everywhere
    [[nodiscard]] bool limited() const { return !units.empty(); }
    [[nodiscard]] bool covers(std::string_view unit) const;
};

// "N/second|minute|hour|day" as a token bucket that holds N.
class RateLimit {
public:
    RateLimit(double tokens, std::chrono::nanoseconds per) : tokens_max_{tokens}, per_{per}, tokens_{tokens} {}
    // Nothing for text that is not a rate.
    [[nodiscard]] static std::optional<std::pair<double, std::chrono::nanoseconds>> parse(std::string_view text);
    // Seconds to wait (at least 1), or 0 when the request may go. Any thread.
    [[nodiscard]] int take(std::chrono::nanoseconds monotonic_now);

private:
    const double tokens_max_;
    const std::chrono::nanoseconds per_;
    std::mutex mutex_;
    double tokens_;
    std::chrono::nanoseconds refilled_at_{0};
};

// One API key, for the life of the server.
class Caller {
public:
    Caller(std::string name, crypto::Digest key_hash) : name_{std::move(name)}, key_hash_{key_hash} {}

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] Access access(std::string_view scope) const;
    [[nodiscard]] bool has(std::string_view scope) const { return access(scope).granted; }
    [[nodiscard]] RateLimit* rate() const { return rate_.get(); }

    // The newest write of this key, so that its own reads wait for it.
    void note_write(std::uint64_t sequence) const;
    [[nodiscard]] std::uint64_t last_write() const { return last_write_.load(std::memory_order_relaxed); }

private:
    friend class ApiKeys;
    struct Grant {
        std::string scope, unit;
    };
    std::string name_;
    crypto::Digest key_hash_;
    std::vector<Grant> grants_;
    std::unique_ptr<RateLimit> rate_;
    mutable std::atomic<std::uint64_t> last_write_{0};
};

// All keys. Immutable after `make`, readable on any thread.
class ApiKeys {
public:
    // Problems (pointers below /api_keys): short or missing keys, hashes that are none, unknown scopes, bad rates, a name or key given twice.
    static Result<std::shared_ptr<const ApiKeys>> make(const std::vector<ApiKeyOptions>& options);

    // The caller of an Authorization header's value, null if none. Compares hashes of all keys in constant time.
    [[nodiscard]] const Caller* find(std::string_view authorization) const;

private:
    std::vector<std::unique_ptr<Caller>> callers_;
};

}  // namespace touchgate::http
