#include "adapters/sandbox/assembly.hpp"

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
        while (!by_age_.empty()) {
            const auto oldest = groups_.find(by_age_.front().second);
            if (oldest != groups_.end() && oldest->second.serial == by_age_.front().first) break;
            by_age_.pop_front();
        }
    } else if (groups_.size() > groups_max) {
        while (groups_.size() > groups_max && !by_age_.empty()) {
            const auto oldest = groups_.find(by_age_.front().second);
            if (oldest != groups_.end() && oldest->second.serial == by_age_.front().first) groups_.erase(oldest);
            by_age_.pop_front();
        }
    }
    return result;
}

void Assembly::clear() {
    groups_.clear();
    by_age_.clear();
}

}  // namespace touchgate::sandbox
