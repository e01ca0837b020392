#include "gateway/dispatch/next_step.hpp"

#include <algorithm>

namespace touchgate::dispatch {

using channel::OutcomeKind;

Duration RetryPlan::delay(int n, Random& random) const {
    auto ceiling = delay_first;
    for (int i = 1; i < n && ceiling < delay_max; ++i) ceiling *= 2;
    ceiling = std::min(ceiling, delay_max);
    return std::max(Duration{100}, Duration{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(ceiling.count())) + 1)});
}

NextStep next_step(OutcomeKind kind, int retries, std::optional<Duration> retry_after, const RetryPlan& plan, Random& random) {
    switch (kind) {
        case OutcomeKind::accepted:
            return {.step = Step::await_receipt, .slot = SlotFate::keep, .account = AccountEffect::success};
        case OutcomeKind::handed_to_human:
            return {.step = Step::await_human, .slot = SlotFate::keep, .account = AccountEffect::success};
        case OutcomeKind::unknown:
            return {.step = Step::await_resolution, .slot = SlotFate::keep, .account = AccountEffect::failure};
        case OutcomeKind::not_sent:
            if (retries < plan.retries_max)
                return {.step = Step::retry_same, .slot = SlotFate::keep, .account = AccountEffect::failure,
                        .delay = std::max(retry_after.value_or(Duration{0}), plan.delay(retries + 1, random))};
            return {.step = Step::next_candidate, .slot = SlotFate::release, .account = AccountEffect::failure};
        case OutcomeKind::throttled:
            return {.step = Step::wait_scope, .slot = SlotFate::keep, .account = AccountEffect::cool_down, .delay = retry_after.value_or(Duration{0}),
                    .counts_as_attempt = false};
        case OutcomeKind::quota_exhausted:
            return {.step = Step::next_candidate, .slot = SlotFate::release, .account = AccountEffect::success};
        case OutcomeKind::window_closed:
        case OutcomeKind::refused:
        case OutcomeKind::content_rejected:
            return {.step = Step::next_candidate, .slot = SlotFate::release, .account = AccountEffect::success};
        case OutcomeKind::recipient_refuses:
            return {.step = Step::next_candidate, .slot = SlotFate::release, .account = AccountEffect::success, .address = AddressEffect::suppress};
        case OutcomeKind::recipient_invalid:
            return {.step = Step::next_candidate, .slot = SlotFate::release, .account = AccountEffect::success, .address = AddressEffect::flag};
        case OutcomeKind::credentials:
        case OutcomeKind::config:
            return {.step = Step::next_candidate, .slot = SlotFate::release, .account = AccountEffect::trip};
        case OutcomeKind::provider_down:
            return {.step = Step::next_candidate, .slot = SlotFate::release, .account = AccountEffect::failure};
    }
    return {.step = Step::await_resolution, .slot = SlotFate::keep};  // a number from a damaged place: never a blind repeat
}

}  // namespace touchgate::dispatch
