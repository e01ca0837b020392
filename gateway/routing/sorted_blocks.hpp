// An ordered set of small values in a list of short sorted arrays: insertion and removal move a few cache lines, the first value is at hand, and the
// place of a value among all (which a tree of pointers cannot tell) costs one addition for each block before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace touchgate::routing {

// `Less` is a strict total order; it may hold a reference to what it needs for that. T is cheap to copy.
template <class T, class Less = std::less<T>> class SortedBlocks {
public:
    explicit SortedBlocks(Less less = {}) : less_{less} {}

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] const T& front() const { return blocks_.front().values[blocks_.front().begin]; }

    void clear() {
        blocks_.clear();
        size_ = 0;
    }

    // False: it is there already.
    bool insert(const T& value) {
        if (blocks_.empty()) {
            blocks_.push_back(Block{});
            blocks_.back().values.reserve(block_max);
        }
        auto& block = blocks_[block_of(value)];
        const auto at = std::lower_bound(block.values.begin() + static_cast<std::ptrdiff_t>(block.begin), block.values.end(), value, less_);
        if (at != block.values.end() && !less_(value, *at)) return false;
        if (at == block.values.begin() + static_cast<std::ptrdiff_t>(block.begin) && block.begin > 0) block.values[--block.begin] = value;
        else block.values.insert(at, value);
        ++size_;
        if (block.values.size() - block.begin >= block_max) split(static_cast<std::size_t>(&block - blocks_.data()));
        return true;
    }

    // False: it is not there.
    bool erase(const T& value) {
        if (blocks_.empty()) return false;
        const auto number = block_of(value);
        auto& block = blocks_[number];
        const auto at = std::lower_bound(block.values.begin() + static_cast<std::ptrdiff_t>(block.begin), block.values.end(), value, less_);
        if (at == block.values.end() || less_(value, *at)) return false;
        if (at == block.values.begin() + static_cast<std::ptrdiff_t>(block.begin)) ++block.begin;  // the first one leaves most often
        else block.values.erase(at);
        --size_;
        if (block.begin == block.values.size()) {
            if (blocks_.size() > 1) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(number));
            else {
                block.values.clear();
                block.begin = 0;
            }
        } else if (block.begin >= block_max) {
            block.values.erase(block.values.begin(), block.values.begin() + static_cast<std::ptrdiff_t>(block.begin));
            block.begin = 0;
        }
        return true;
    }

    // How many are smaller.
    [[nodiscard]] std::size_t rank(const T& value) const {
        if (blocks_.empty()) return 0;
        const auto number = block_of(value);
        std::size_t before = 0;
        for (std::size_t i = 0; i < number; ++i) before += blocks_[i].values.size() - blocks_[i].begin;
        const auto& block = blocks_[number];
        const auto first = block.values.begin() + static_cast<std::ptrdiff_t>(block.begin);
        return before + static_cast<std::size_t>(std::lower_bound(first, block.values.end(), value, less_) - first);
    }

    // The smallest that is greater than `value`; null: none. Valid until the next change.
    [[nodiscard]] const T* after(const T& value) const {
        if (blocks_.empty()) return nullptr;
        for (auto number = block_of(value); number < blocks_.size(); ++number) {
            const auto& block = blocks_[number];
            const auto at = std::upper_bound(block.values.begin() + static_cast<std::ptrdiff_t>(block.begin), block.values.end(), value, less_);
            if (at != block.values.end()) return &*at;
        }
        return nullptr;
    }

    // In order, until `each` returns false. `each` must not change the set.
    template <class F> void each(F&& each_value) const {
        for (const auto& block : blocks_)
            for (auto i = block.begin; i < block.values.size(); ++i)
                if (!each_value(block.values[i])) return;
    }

private:
    static constexpr std::size_t block_max = 256;
    struct Block {
        std::vector<T> values;
        std::size_t begin = 0;  // those before are gone
    };

    // The first block whose last value is not smaller, else the last block.
    [[nodiscard]] std::size_t block_of(const T& value) const {
        std::size_t low = 0, high = blocks_.size() - 1;
        while (low < high) {
            const auto middle = (low + high) / 2;
            if (less_(blocks_[middle].values.back(), value)) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    void split(std::size_t number) {
        Block second;
        second.values.reserve(block_max);
        auto& first = blocks_[number];
        // What grows at its end is left full: a queue in order of arrival.
        const auto keep = number + 1 == blocks_.size() ? block_max - block_max / 8 : block_max / 2;
        const auto cut = first.values.begin() + static_cast<std::ptrdiff_t>(first.begin + keep);
        second.values.assign(cut, first.values.end());
        first.values.erase(cut, first.values.end());
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(number) + 1, std::move(second));
    }

    std::vector<Block> blocks_;
    std::size_t size_ = 0;
    [[no_unique_address]] Less less_;
};

}  // namespace touchgate::routing
