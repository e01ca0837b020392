// The queue in front of one account: classes in strict order (transactional before marketing), within a class higher priority first,
// within a priority the lanes (campaigns) take turns, within a lane first come first served. One huge campaign blocks nobody.
// Pure and volatile: rebuilt from the state at start. An item that is not wanted any more is skipped by its owner when it is popped.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace touchgate::dispatch {

template <class Item> class FairQueue {
public:
    // `class_rank` from 0 (first); `priority` 0 to 100, higher first; `lane` any number.
    void push(int class_rank, int priority, std::uint32_t lane, Item item) {
        auto& level = levels_[{class_rank, -priority}];
        auto [position, made] = level.lanes.try_emplace(lane);
        if (made || position->second.empty()) level.turns.push_back(lane);
        position->second.push_back(std::move(item));
        ++size_;
    }

    // The next item; nothing when empty.
    std::optional<Item> pop() {
        if (levels_.empty()) return std::nullopt;
        const auto first = levels_.begin();
        auto& level = first->second;
        const auto lane = level.turns.front();
        level.turns.pop_front();
        auto position = level.lanes.find(lane);
        Item item = std::move(position->second.front());
        position->second.pop_front();
        if (position->second.empty()) level.lanes.erase(position);
        else level.turns.push_back(lane);
        if (level.turns.empty()) levels_.erase(first);
        --size_;
        return item;
    }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    // Rank of the first class that waits; a large number when empty.
    [[nodiscard]] int first_class() const { return levels_.empty() ? 1'000 : levels_.begin()->first.first; }

private:
    struct Level {
        std::unordered_map<std::uint32_t, std::deque<Item>> lanes;
        std::deque<std::uint32_t> turns;  // lanes that hold something, each once
    };
    std::map<std::pair<int, int>, Level> levels_;
    std::size_t size_ = 0;
};

}  // namespace touchgate::dispatch
