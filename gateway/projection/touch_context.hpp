// Which account, channel, campaign and caller a touch's record belongs to. Hot records name only the touch; the rest stands in its
// touch.created and in the later choice of another candidate, which are found by walking back the contact's records.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/engine/events.hpp"
#include "gateway/touch_log/log.hpp"

namespace touchgate::projection {

[[nodiscard]] constexpr bool is_touch_event(EventType type) { return type >= EventType::touch_created && type <= EventType::touch_task_changed; }
[[nodiscard]] constexpr bool is_receipt_event(EventType type) { return type == EventType::receipt_received || type == EventType::receipt_matched; }

// The touch that a record is about: its own for touch.*, the matched one of a receipt, the one a message answers. Nothing for others.
[[nodiscard]] std::optional<TouchId> touch_of(const Record& record);

struct TouchNames {
    ProfileId profile{};        // of the candidate in use at that record, or of the attempt asked for
    ProfileId first_profile{};  // of the first candidate: campaign, purpose, unit and template are equal in all
    std::string key_name;       // API key that posted it
    std::uint64_t created_sequence = 0;
    std::string callback;       // name of the callback that the caller gave
    LogPosition created{};      // of the touch.created
};

// Remembers the touches asked for lately (bounded). Any thread.
class TouchContexts {
public:
    explicit TouchContexts(const LogReader& reader, std::size_t touches_max = 50'000) : reader_{reader}, touches_max_{touches_max} {}

    // `record` is any record about `touch`, or later in its contact's chain. `attempt` 0: the candidate in use at that record. Nothing when
    // the touch is not found within `steps_max` records back.
    [[nodiscard]] std::optional<TouchNames> of(const Record& record, const TouchId& touch, std::uint16_t attempt = 0);

    static constexpr int steps_max = 10'000;

private:
    struct Choice {
        std::uint64_t sequence = 0;
        std::uint16_t attempt = 0;  // 0: a decision
        std::uint8_t chosen = 0;
    };
    struct Known {
        std::vector<ProfileId> candidates;
        std::string key_name, callback;
        std::uint64_t created_sequence = 0;
        std::vector<Choice> choices;  // by sequence
        LogPosition known_to{}, created{};
    };
    // What `record` says of the candidates of `touch`; true when it is its touch.created.
    static bool note(const Record& record, const TouchId& touch, Known& known, std::vector<Choice>& newer);

    const LogReader& reader_;
    std::size_t touches_max_;
    std::mutex mutex_;
    std::unordered_map<TouchId, Known> recent_, older_;  // a full `recent_` becomes `older_`
};

}  // namespace touchgate::projection
