#include "gateway/http/auth.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "gateway/base/text.hpp"

namespace touchgate::http {

namespace {

constexpr std::size_t key_bytes_min = 16;
constexpr std::array<std::string_view, 11> known_scopes = {"touches", "contacts", "campaigns", "agents",     "leads",     "reports",
                                                           "admin",   "content",  "addresses", "recordings", "compliance"};

std::string pointer(std::size_t index, std::string_view member) { return "/api_keys/" + std::to_string(index) + "/" + std::string{member}; }

std::optional<crypto::Digest> digest_of_hex(std::string_view hex) {
    const auto bytes = from_hex(hex);
    crypto::Digest digest{};
    if (!bytes || bytes->size() != digest.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

}  // namespace

bool unit_within(std::string_view unit, std::string_view limit) {
    if (!unit.starts_with(limit)) return false;
    return unit.size() == limit.size() || unit[limit.size()] == '/';
}

bool Access::covers(std::string_view unit) const {
    if (!granted) return false;
    return units.empty() || std::any_of(units.begin(), units.end(), [&](const auto& limit) { return unit_within(unit, limit); });
}

std::optional<std::pair<double, std::chrono::nanoseconds>> RateLimit::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + slash, number);
    if (error != std::errc{} || end != text.data() + slash || number == 0) return std::nullopt;
    const auto unit = text.substr(slash + 1);
    using namespace std::chrono_literals;
    if (unit == "second") return std::pair{static_cast<double>(number), std::chrono::nanoseconds{1s}};
    if (unit == "minute") return std::pair{static_cast<double>(number), std::chrono::nanoseconds{1min}};
    if (unit == "hour") return std::pair{static_cast<double>(number), std::chrono::nanoseconds{1h}};
    if (unit == "day") return std::pair{static_cast<double>(number), std::chrono::nanoseconds{24h}};
    return std::nullopt;
}

int RateLimit::take(std::chrono::nanoseconds now) {
    const std::scoped_lock lock{mutex_};
    const double per_ns = tokens_max_ / static_cast<double>(per_.count());
    if (now > refilled_at_) {
        if (refilled_at_.count() != 0) tokens_ = std::min(tokens_max_, tokens_ + static_cast<double>((now - refilled_at_).count()) * per_ns);
        refilled_at_ = now;
    }
    if (tokens_ >= 1) {
        tokens_ -= 1;
        return 0;
    }
    const double wait_s = (1 - tokens_) / per_ns / 1e9;
    return std::max(1, static_cast<int>(std::ceil(wait_s)));
}

Access Caller::access(std::string_view scope) const {
    Access access;
    for (const auto& grant : grants_) {
        if (grant.scope != scope) continue;
        if (grant.unit.empty()) return {.granted = true};
        access.granted = true;
        access.units.push_back(grant.unit);
    }
    return access;
}

void Caller::note_write(std::uint64_t sequence) const {
    auto known = last_write_.load(std::memory_order_relaxed);
    while (known < sequence && !last_write_.compare_exchange_weak(known, sequence, std::memory_order_relaxed)) {}
}

Result<std::shared_ptr<const ApiKeys>> ApiKeys::make(const std::vector<ApiKeyOptions>& options) {
    auto keys = std::make_shared<ApiKeys>();
    std::vector<Problem> problems;
    for (std::size_t i = 0; i < options.size(); ++i) {
        const auto& option = options[i];
        std::optional<crypto::Digest> hash;
        if (option.key.empty() == option.key_hash.empty()) {
            problems.push_back({pointer(i, "key"), "give either key or key_hash"});
        } else if (!option.key.empty()) {
            if (option.key.size() < key_bytes_min) problems.push_back({pointer(i, "key"), "must have 16 characters or more"});
            hash = crypto::sha256(option.key);
        } else if (hash = digest_of_hex(option.key_hash); !hash) {
            problems.push_back({pointer(i, "key_hash"), "must be the SHA-256 of the key as 64 hex digits"});
        }
        if (option.name.empty()) problems.push_back({pointer(i, "name"), "is required"});
        auto caller = std::make_unique<Caller>(option.name, hash.value_or(crypto::Digest{}));
        for (std::size_t s = 0; s < option.scopes.size(); ++s) {
            const auto at = option.scopes[s].find('@');
            const auto scope = option.scopes[s].substr(0, at);
            const auto unit = at == std::string::npos ? std::string{} : option.scopes[s].substr(at + 1);
            const auto where = pointer(i, "scopes") + "/" + std::to_string(s);
            if (std::find(known_scopes.begin(), known_scopes.end(), scope) == known_scopes.end()) {
                std::string list;
                for (const auto word : known_scopes) list += (list.empty() ? "" : ", ") + std::string{word};
                problems.push_back({where, "unknown scope \"" + scope + "\"; there are: " + list});
            } else if (at != std::string::npos && (unit.empty() || unit.front() == '/' || unit.back() == '/')) {
                problems.push_back({where, "after @ must stand a unit such as hq/east"});
            }
            caller->grants_.push_back({scope, unit});
        }
        if (!option.rate.empty()) {
            if (const auto rate = RateLimit::parse(option.rate)) caller->rate_ = std::make_unique<RateLimit>(rate->first, rate->second);
            else problems.push_back({pointer(i, "rate"), "must be such as \"100/second\" (second, minute, hour or day)"});
        }
        for (const auto& other : keys->callers_) {
            if (other->name_ == option.name) problems.push_back({pointer(i, "name"), "another key has the same name"});
            if (hash && other->key_hash_ == *hash) problems.push_back({pointer(i, "key"), "is the same as another key"});
        }
        keys->callers_.push_back(std::move(caller));
    }
    if (!problems.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = "the API keys are not valid", .problems = std::move(problems)};
    return std::shared_ptr<const ApiKeys>{std::move(keys)};
}

const Caller* ApiKeys::find(std::string_view authorization) const {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size() || to_lower_ascii(authorization.substr(0, scheme.size())) != scheme) return nullptr;
    const auto hash = crypto::sha256(trim(authorization.substr(scheme.size())));
    const Caller* found = nullptr;
    for (const auto& caller : callers_)
        if (crypto::constant_time_equal(crypto::view(caller->key_hash_), crypto::view(hash))) found = caller.get();
    return found;
}

}  // namespace touchgate::http
