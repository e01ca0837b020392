#include "adapters/sandbox/callbacks.hpp"

#include <algorithm>
#include <iterator>

namespace touchgate::sandbox {

using namespace std::chrono_literals;

void Callbacks::plan(std::chrono::nanoseconds at, std::string url, bool array, Json item) {
    schedule_.add(at, {.url = std::move(url), .array = array, .items = Json::array({std::move(item)}), .tries = 0});
}

std::vector<OutgoingRequest> Callbacks::take_due(std::chrono::nanoseconds now, std::size_t batch_max) {
    std::vector<Planned> batches;
    while (auto due = schedule_.pop_due(now)) {
        const auto open = std::find_if(batches.begin(), batches.end(), [&](const Planned& batch) {
            return batch.array && due->array && batch.tries == 0 && due->tries == 0 && batch.url == due->url && batch.items.size() < batch_max;
        });
        if (open == batches.end()) batches.push_back(std::move(*due));
        else open->items.push_back(std::move(due->items.front()));
    }
    std::vector<OutgoingRequest> requests;
    for (auto& batch : batches) {
        ++sent_;
        if (batch.tries++ > 0) ++repeated_;
        const auto id = next_id_++;
        requests.push_back({.id = id, .url = batch.url, .body = (batch.array ? batch.items : batch.items.front()).dump()});
        in_flight_.emplace(id, std::move(batch));
    }
    return requests;
}

void Callbacks::on_answer(std::uint64_t id, bool taken, std::chrono::nanoseconds now, double retry_scale) {
    auto found = in_flight_.extract(id);
    if (found.empty()) return;
    if (taken) {
        ++taken_;
        return;
    }
    constexpr std::chrono::minutes waits[] = {1min, 5min, 10min};
    auto& planned = found.mapped();
    if (planned.tries > static_cast<int>(std::size(waits))) {
        ++given_up_;
        return;
    }
    const std::chrono::duration<double, std::nano> wait = std::chrono::nanoseconds{waits[planned.tries - 1]} * retry_scale;
    schedule_.add(now + std::chrono::nanoseconds{static_cast<std::int64_t>(wait.count())}, std::move(planned));
}

}  // namespace touchgate::sandbox
