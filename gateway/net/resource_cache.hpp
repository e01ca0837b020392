// The one custodian of an account's access tokens and other shared resources: one fetch at a time for each key, early refresh, and a
// generation number, so that an old answer never replaces a newer one and a token that failed is refreshed once, not by everyone who used it.
// Pure; its owner (ExchangeMachine) sends the requests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/random.hpp"
#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/net/transport_machine.hpp"

namespace touchgate::net {

class ResourceCache {
public:
    using Generation = std::uint64_t;  // from 1, rising over all keys

    struct Settings {
        double refresh_at_share = 0.8;     // of the validity
        double refresh_jitter = 0.05;      // of the validity; that much earlier at most
        Duration failure_rest_min{1'000};  // after a failed fetch nobody asks again for so long, doubling …
        Duration failure_rest_max{60'000};
        std::size_t entries_kept = 1024;  // expired ones are dropped beyond this
    };

    ResourceCache() = default;
    explicit ResourceCache(const Settings& settings) : settings_{settings} {}

    struct View {
        enum class State : std::uint8_t { ready, missing, fetching, failed } state = State::missing;
        bool refresh_wanted = false;                // ready, but old enough to be fetched again in the background
        Generation generation = 0;                  // ready
        const std::string* value = nullptr;         // ready; until the next call that is not const
        const channel::Outcome* failure = nullptr;  // failed: what the last fetch said; until the next call that is not const
    };
    [[nodiscard]] View view(const std::string& key, Monotonic now) const;

    // A request for `key` goes out; must not be called while one is out.
    [[nodiscard]] Generation begin_fetch(const std::string& key);
    // Its answer. One that is older than what is held changes nothing.
    void arrived(const std::string& key, Generation generation, channel::Resource resource, Monotonic now, Random& random);
    void failed(const std::string& key, Generation generation, channel::Outcome failure, Monotonic now, Random& random);
    // The request ended without a verdict about `key`; it may be made again at once.
    void abandoned(const std::string& key, Generation generation);
    // The provider refused `generation`: drops it if it is still the current one. True if so.
    bool invalidate(const std::string& key, Generation generation);

private:
    struct Entry {
        std::string value;
        Generation generation = 0;  // of the value; 0: no value
        Monotonic refresh_at{};
        Monotonic expires_at{};
        Generation fetching = 0;  // generation of the request that is out; 0: none
        channel::Outcome failure;
        int failures = 0;  // in a row
        Monotonic failed_until{};
    };
    void drop_expired(Monotonic now);

    Settings settings_ = {};
    Generation last_generation_ = 0;
    std::map<std::string, Entry, std::less<>> entries_;
};

// What several accounts need under the same key (one app's token, used for several channels): one custodian for all of them. The transport's
// thread only. Must outlive the machines that use it.
struct SharedResources {
    ResourceCache cache;
    std::vector<std::function<void(const std::string& key)>> listeners;  // told of every change, also their own
    void changed(const std::string& key) const {
        for (const auto& listener : listeners) listener(key);
    }
};

}  // namespace touchgate::net
