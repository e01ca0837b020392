// Events that wait for their time. Those due at the same nanosecond come out in the order in which they went in, so that one seed
// gives one run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace touchgate::sandbox {

template <class Event> class Schedule {
public:
    void add(std::chrono::nanoseconds at, Event event) {
        heap_.push_back({at, order_++, std::move(event)});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }

    [[nodiscard]] std::optional<std::chrono::nanoseconds> next() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.front().at;
    }

    // The earliest event that is due at `now`, taken out.
    [[nodiscard]] std::optional<Event> pop_due(std::chrono::nanoseconds now) {
        if (heap_.empty() || heap_.front().at > now) return std::nullopt;
        std::pop_heap(heap_.begin(), heap_.end(), later);
        auto event = std::move(heap_.back().event);
        heap_.pop_back();
        return event;
    }

    [[nodiscard]] std::size_t size() const { return heap_.size(); }

private:
    struct Entry {
        std::chrono::nanoseconds at;
        std::uint64_t order;
        Event event;
    };
    static bool later(const Entry& a, const Entry& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }

    std::vector<Entry> heap_;
    std::uint64_t order_ = 0;
};

}  // namespace touchgate::sandbox
