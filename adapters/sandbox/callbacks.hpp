// Callbacks that a simulated cloud owes its customer: planned for a time, sent several in one request, tried again after 1, 5 and 10
// minutes (as Aliyun documents; Tencent's pattern is not documented and taken to be the same).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sandbox/http_exchange.hpp"
#include "adapters/sandbox/schedule.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::sandbox {

class Callbacks {
public:
    // `array`: the body is an array of items that are due together; else each item is a body of its own.
    void plan(std::chrono::nanoseconds at, std::string url, bool array, Json item);
    [[nodiscard]] std::vector<OutgoingRequest> take_due(std::chrono::nanoseconds now, std::size_t batch_max);
    // `taken` false: refused, not reached or timed out.
    void on_answer(std::uint64_t id, bool taken, std::chrono::nanoseconds now, double retry_scale);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> wake_at() const { return schedule_.next(); }

    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t taken() const { return taken_; }
    [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
    [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
    [[nodiscard]] std::size_t waiting() const { return schedule_.size() + in_flight_.size(); }

private:
    struct Planned {
        std::string url;
        bool array = false;
        Json items = Json::array();  // of a repeat: what the first try carried
        int tries = 0;
    };
    Schedule<Planned> schedule_;
    std::map<std::uint64_t, Planned> in_flight_;
    std::uint64_t next_id_ = 1;
    std::uint64_t sent_ = 0, taken_ = 0, repeated_ = 0, given_up_ = 0;  // requests
};

}  // namespace touchgate::sandbox
