// Calling touches back: one by its id, or all that a filter names. What may have reached the customer stands.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

bool Engine::Internals::left_before(const Touch& waiting) {
    return std::any_of(waiting.attempts.begin(), waiting.attempts.end(), [](const Attempt& attempt) { return attempt.may_have_arrived(); });
}

void Engine::Internals::cancel(std::uint32_t row, std::string reason) {
    if (keep_what_left(row, "fallback_cancelled")) return;
    emit(touch(row).contact, TouchCancelled{.touch = touch(row).id, .reason = std::move(reason)});
}

Result<TouchView> Engine::cancel_touch(const TouchId& id) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto row = in.row_of(id);
    if (row == 0) return Error{.kind = ErrorKind::not_found, .detail = "there is no touch " + to_string(id) + " that could be cancelled"};
    auto& found = in.touch(row);
    if (found.state == TouchState::cancelled) return *find_touch(id);
    if (in.call_back(row, "cancelled")) return *find_touch(id);
    if (!found.is_waiting() || Internals::left_before(found))
        return Error{.kind = ErrorKind::conflict, .detail = "the touch is " + std::string{to_string(found.state)} + " and cannot be cancelled any more",
                     .problems = {}, .retry_after_s = 0, .reference = to_string(id)};
    in.cancel(row, {});
    return *find_touch(id);
}

CancelCounts Engine::cancel_touches(const CancelFilter& filter) {
    auto& in = *internals_;
    CancelCounts counts;
    if (in.refusal()) return counts;
    std::uint32_t only_contact = 0;
    if (filter.contact) {
        std::uint32_t address = 0;
        const auto found = in.resolve(*filter.contact, false, address);
        if (!found || found->value == 0) return counts;
        only_contact = found->value;
    }
    const auto consider = [&](std::uint32_t row) {
        auto& each = in.touch(row);
        const auto& profile = in.state.profiles.at(in.chosen_profile(each));
        if (only_contact != 0 && each.contact.value != only_contact) return;
        if (!filter.campaign.empty() && in.state.symbols.name(profile.campaign) != filter.campaign) return;
        if (!filter.unit.empty() && !policy::is_unit_within(in.state.symbols.name(profile.unit), filter.unit)) return;
        if (!filter.key_prefix.empty() || !filter.metadata.empty()) {
            const bool had = each.content != nullptr;
            const auto* content = in.content_of(each);
            const bool fits = content != nullptr && content->key.starts_with(filter.key_prefix) &&
                              std::all_of(filter.metadata.begin(), filter.metadata.end(), [&](const auto& wanted) {
                                  const auto found = content->metadata.find(wanted.first);
                                  return found != content->metadata.end() && found->second == wanted.second;
                              });
            if (!had && each.content) {
                each.content.reset();
                --in.cached_contents;
            }
            if (!fits) return;
        }
        if (each.final) ++counts.already_final;
        else if (in.call_back(row, "cancelled")) ++counts.cancelled;
        else if (!each.is_waiting() || Internals::left_before(each)) ++counts.too_late;
        else if (in.refusal()) ++counts.too_late;
        else {
            in.cancel(row, {});
            ++counts.cancelled;
        }
    };
    if (only_contact != 0) {
        const auto live = in.state.contacts[only_contact].live;
        for (const auto row : live) consider(row);
        return counts;
    }
    for (std::uint32_t row = 1; row < in.state.touches.size(); ++row)
        if (!in.touch(row).id.is_nil()) consider(row);
    return counts;
}

}  // namespace touchgate
