#include "gateway/dialing/answer_rates.hpp"

#include <algorithm>

namespace touchgate::dialing {

namespace {

bool by_key(const auto& entry, const std::string& key) { return entry.first < key; }

}  // namespace

std::vector<std::string> AnswerRates::keys(const DialKind& kind) {
    // A unit separator cannot be part of a name.
    const auto segment = kind.segment + '\x1F';
    const auto carrier = segment + kind.carrier + '\x1F';
    return {std::string{}, segment, carrier, carrier + std::to_string(kind.hour)};
}

const AnswerRates::Level* AnswerRates::find(const std::string& key) const {
    const auto found = std::lower_bound(levels_.begin(), levels_.end(), key, by_key<std::pair<std::string, Level>>);
    return found != levels_.end() && found->first == key ? &found->second : nullptr;
}

void AnswerRates::ended(const DialKind& kind, bool answered) {
    for (auto& key : keys(kind)) {
        auto found = std::lower_bound(levels_.begin(), levels_.end(), key, by_key<std::pair<std::string, Level>>);
        if (found == levels_.end() || found->first != key) {
            if (levels_.size() >= kinds_max) return;
            found = levels_.insert(found, {std::move(key), Level{}});
        }
        auto& level = found->second;
        level.dials = level.dials * (1 - 1 / memory) + 1;
        level.answers = level.answers * (1 - 1 / memory) + (answered ? 1 : 0);
    }
}

double AnswerRates::rate(const DialKind& kind) const {
    auto rate = first_guess;
    for (const auto& key : keys(kind)) {
        const auto* level = find(key);
        if (level == nullptr) break;
        rate = (level->answers + weight * rate) / (level->dials + weight);
    }
    return rate;
}

}  // namespace touchgate::dialing
