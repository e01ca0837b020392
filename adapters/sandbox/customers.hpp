// The people behind the phone numbers: what one of them does when a message has arrived.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "adapters/sandbox/behaviour.hpp"

namespace touchgate::sandbox {

struct CustomerAnswer {
    std::string text;
    std::chrono::nanoseconds after{0};
    bool opt_out = false;
};

class Customers {
public:
    explicit Customers(Random& random) : random_{random} {}

    // A complete message reached `phone` (any spelling, as long as it is always the same). At most one answer.
    [[nodiscard]] std::optional<CustomerAnswer> on_message(const CustomerBehaviour& behaviour, std::string_view phone);

    [[nodiscard]] std::uint64_t replies() const { return replies_; }
    [[nodiscard]] std::uint64_t opt_outs() const { return opt_outs_; }
    // Messages to phones that had decided to opt out before (their word may still have been on its way).
    [[nodiscard]] std::uint64_t messages_after_opt_out() const { return messages_after_opt_out_; }

private:
    Random& random_;
    std::unordered_set<std::string> opted_out_;
    std::uint64_t replies_ = 0;
    std::uint64_t opt_outs_ = 0;
    std::uint64_t messages_after_opt_out_ = 0;
};

}  // namespace touchgate::sandbox
