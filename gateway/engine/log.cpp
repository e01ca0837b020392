// Events into the log and back: the only two places where bytes become state.

#include "gateway/engine/event_visit.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::append_record(EventType type, ContactIndex contact, RecordMeta& meta) {
    const auto previous = newest_of(contact);
    meta.position = parts.log.append(now, static_cast<std::uint16_t>(type), event_version, contact, previous, payload.bytes(), meta.sequence);
    state.sequence = meta.sequence;
    state.last_time = now;
    log_bytes_since_checkpoint += payload.size() + 80;
    if (contact.value != 0 && contact.value < state.contacts.size()) state.contacts[contact.value].newest = meta.position;
}

LogPosition Engine::Internals::newest_of(ContactIndex contact) const {
    return contact.value < state.contacts.size() ? state.contacts[contact.value].newest : LogPosition{};
}

std::optional<Error> Engine::Internals::refusal() const {
    if (disk_full) return Error{.kind = ErrorKind::unavailable, .detail = "the disk is full: nothing can be accepted until there is room", .retry_after_s = 30};
    if (draining) return Error{.kind = ErrorKind::unavailable, .detail = "the gateway is shutting down", .retry_after_s = 5};
    // A command's events lie in one batch, so what is left of the reservation must hold them.
    if (parts.log.room() < (std::size_t{256} << 10U))
        return Error{.kind = ErrorKind::unavailable, .detail = "too much in one batch; send the rest again", .retry_after_s = 1};
    return std::nullopt;
}

namespace {

template <class E> bool fold(Engine::Internals& engine, const RecordMeta& meta, std::string_view payload) {
    E event;
    if (!decode(payload, event)) return false;
    engine.apply(meta, event);
    return true;
}

}  // namespace

Result<void> Engine::Internals::replay(const Record& record) {
    const auto place = [&] { return " at sequence " + std::to_string(record.sequence); };
    if (record.version != event_version)
        return Error{.kind = ErrorKind::corrupt, .detail = "the log holds version " + std::to_string(record.version) + " of event type " +
                                                           std::to_string(record.type) + place() + "; this program knows version 1 only: use a newer program"};
    const RecordMeta meta{.sequence = record.sequence, .time = record.time, .contact = record.contact, .position = record.position, .replay = true};
    now = record.time;
    bool ok = false;
    const bool known = visit_event(static_cast<EventType>(record.type), [&]<class E>(std::type_identity<E>) { ok = fold<E>(*this, meta, record.payload); });
    if (!known)
        return Error{.kind = ErrorKind::corrupt, .detail = "the log holds the unknown event type " + std::to_string(record.type) + " (version " +
                                                           std::to_string(record.version) + ")" + place() + ": use a newer program"};
    if (!ok)
        return Error{.kind = ErrorKind::corrupt, .detail = "event " + std::string{event_name(static_cast<EventType>(record.type))} + place() + " cannot be read"};
    if (record.contact.value != 0 && record.contact.value < state.contacts.size()) state.contacts[record.contact.value].newest = record.position;
    state.sequence = record.sequence;
    state.last_time = record.time;
    return {};
}

}  // namespace touchgate
