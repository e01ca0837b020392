#include "adapters/sandbox/assembly.hpp"

#include <utility>

namespace touchgate::sandbox {

Assembly::Result Assembly::add(std::uint16_t user, std::string_view from, std::string_view to, const smpp::PartPlace& place, PartNumber part,
                               std::uint8_t fate) {
    std::string key = std::to_string(user) + '\n' + std::to_string(static_cast<int>(place.joining)) + '\n' + std::to_string(place.reference) + '\n' +
                      std::to_string(place.total) + '\n';
    key.append(from).append("\n").append(to);
    auto [found, is_new] = groups_.try_emplace(std::move(key));
    auto& group = found->second;
    if (is_new) {
        group = {.parts = std::vector<PartNumber>(place.total, no_part), .missing = place.total, .fate = fate, .serial = ++serial_};
        by_age_.emplace_back(group.serial, found->first);
    }
    Result result{.complete = {}, .fate = group.fate};
    auto& slot = group.parts[place.index - std::size_t{1}];
    if (slot != no_part) {
        result.repeated = true;
        return result;
    }
    slot = part;
    if (--group.missing == 0) {
        result.complete = std::move(group.parts);
        groups_.erase(found);
    }
    while (groups_.size() > groups_max && !by_age_.empty()) {
        if (is_open(by_age_.front())) groups_.erase(by_age_.front().second);
        by_age_.pop_front();
    }
    // Entries of completed messages are swept out once they are the greater part.
    if (by_age_.size() > 2 * groups_.size() + 1'000) std::erase_if(by_age_, [this](const auto& entry) { return !is_open(entry); });
    return result;
}

bool Assembly::is_open(const std::pair<std::uint64_t, std::string>& entry) const {
    const auto found = groups_.find(entry.second);
    return found != groups_.end() && found->second.serial == entry.first;
}

void Assembly::clear() {
    groups_.clear();
    by_age_.clear();
}

}  // namespace touchgate::sandbox
