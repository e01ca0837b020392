#include "gateway/dispatch/cascade.hpp"

namespace touchgate::dispatch {

std::string_view to_string(Until until) {
    switch (until) {
        case Until::accepted: return "accepted";
        case Until::delivered: return "delivered";
        case Until::read: return "read";
        case Until::replied: return "replied";
        case Until::answered: return "answered";
    }
    return "delivered";
}

std::size_t Cascade::step_of(std::uint8_t candidate) const {
    std::size_t step = 0;
    while (step + 1 < steps_.size() && steps_[step + 1].first <= candidate) ++step;
    return step;
}

std::optional<std::uint8_t> Cascade::next(std::uint8_t candidate) const {
    if (steps_.empty()) return candidate + std::size_t{1} < candidates_ ? std::optional{static_cast<std::uint8_t>(candidate + 1)} : std::nullopt;
    const auto step = step_of(candidate) + 1;
    return step < steps_.size() && steps_[step].first < candidates_ ? std::optional{steps_[step].first} : std::nullopt;
}

StepTerms Cascade::terms(std::uint8_t candidate) const {
    if (steps_.empty()) return {.until = Until::delivered, .within_ms = fallback_after_ms_};
    const auto& step = steps_[step_of(candidate)];
    return {.until = step.until, .within_ms = step.within_ms};
}

}  // namespace touchgate::dispatch
