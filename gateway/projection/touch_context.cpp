#include "gateway/projection/touch_context.hpp"

#include <algorithm>
#include <cstring>

#include "gateway/engine/event_codec.hpp"

namespace touchgate::projection {

std::optional<TouchId> touch_of(const Record& record) {
    const auto type = static_cast<EventType>(record.type);
    TouchId id{};
    if (is_touch_event(type)) {  // the id is the first member of all of them
        if (record.payload.size() < id.bytes.size()) return std::nullopt;
        std::memcpy(id.bytes.data(), record.payload.data(), id.bytes.size());
    } else if (is_receipt_event(type)) {
        ReceiptReceived event;
        if (decode(record.payload, event)) id = event.touch;
    } else if (type == EventType::message_received) {
        MessageReceived event;
        if (decode(record.payload, event)) id = event.reply_to;
    }
    return id.is_nil() ? std::nullopt : std::optional{id};
}

bool TouchContexts::note(const Record& record, const TouchId& touch, Known& known, std::vector<Choice>& newer) {
    const auto type = static_cast<EventType>(record.type);
    if (!is_touch_event(type) || touch_of(record) != touch) return false;
    if (type == EventType::touch_created) {
        TouchCreated event;
        if (!decode(record.payload, event)) return true;
        known.candidates = event.candidates;
        known.key_name = event.key_name;
        known.callback = event.callback;
        known.created_sequence = record.sequence;
        known.created = record.position;
        newer.push_back({record.sequence, 0, event.chosen});
        return true;
    }
    if (type == EventType::touch_decided) {
        TouchDecided event;
        if (decode(record.payload, event)) newer.push_back({record.sequence, 0, event.chosen});
    } else if (type == EventType::touch_dispatching) {
        TouchDispatching event;
        if (decode(record.payload, event)) newer.push_back({record.sequence, event.attempt, event.chosen});
    }
    return false;
}

std::optional<TouchNames> TouchContexts::of(const Record& record, const TouchId& touch, std::uint16_t attempt) {
    const std::lock_guard lock{mutex_};
    auto found = recent_.find(touch);
    if (found == recent_.end()) {
        if (recent_.size() >= touches_max_) {
            older_ = std::move(recent_);
            recent_.clear();
        }
        auto node = older_.extract(touch);
        found = node.empty() ? recent_.try_emplace(touch).first : recent_.insert(std::move(node)).position;
    }
    auto& known = found->second;
    if (record.position > known.known_to) {
        std::vector<Choice> newer;
        bool complete = note(record, touch, known, newer);
        std::string buffer;
        auto position = record.previous_of_contact;
        for (int steps = 0; !complete && position > known.known_to && position.value != 0 && steps < steps_max; ++steps) {
            const auto earlier = reader_.at(position, buffer);
            if (!earlier) break;
            complete = note(*earlier, touch, known, newer);
            position = earlier->previous_of_contact;
        }
        if (known.created_sequence == 0) {
            recent_.erase(found);
            return std::nullopt;
        }
        known.choices.insert(known.choices.end(), newer.rbegin(), newer.rend());
        known.known_to = record.position;
    }
    std::uint8_t chosen = 0;
    for (const auto& choice : known.choices) {
        if (attempt == 0 ? choice.sequence > record.sequence : choice.attempt != attempt) continue;
        chosen = choice.chosen;
    }
    if (known.candidates.empty()) return TouchNames{{}, {}, known.key_name, known.created_sequence, known.callback, known.created};
    return TouchNames{known.candidates[std::min<std::size_t>(chosen, known.candidates.size() - 1)], known.candidates.front(), known.key_name,
                      known.created_sequence, known.callback, known.created};
}

}  // namespace touchgate::projection
