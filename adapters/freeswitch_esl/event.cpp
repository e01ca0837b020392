#include "adapters/freeswitch_esl/event.hpp"

#include <charconv>

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::freeswitch_esl {

std::string readable(std::string_view text) { return is_valid_utf8(text) ? std::string{text} : to_utf8(to_code_points(text)); }

std::optional<Event> Event::read(std::string_view body) {
    auto value = channel::parse_foreign_json(readable(body));
    if (!value.is_object() || channel::text_member(value, "Event-Name").empty()) return std::nullopt;
    // Assigned, for a JSON value in braces becomes a list of itself.
    Event event{Json{}};
    event.value_ = std::move(value);
    return event;
}

std::string Event::text(std::string_view key) const { return channel::text_member(value_, key); }

std::string Event::variable(std::string_view key) const { return text(std::string{"variable_"}.append(key)); }

std::int64_t Event::number(std::string_view key) const {
    const auto word = text(key);
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
    return failure == std::errc{} && end == word.data() + word.size() ? value : 0;
}

Instant Event::at(Instant otherwise) const {
    const auto micros = number("Event-Date-Timestamp");
    // From 2001 to 2286: what lies outside is no time of a call.
    if (micros < 1'000'000'000'000'000 || micros > 9'999'999'999'999'999) return otherwise;
    return from_unix_ms(micros / 1'000);
}

}  // namespace touchgate::adapters::freeswitch_esl
