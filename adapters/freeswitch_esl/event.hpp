// An event of the switch in JSON form: one object whose values are all text. Pure and total over bytes from outside.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/json/json.hpp"

namespace touchgate::adapters::freeswitch_esl {

class Event {
public:
    // Nothing unless it is a JSON object with an Event-Name. Names of callers in other encodings than UTF-8 do not make it unreadable.
    [[nodiscard]] static std::optional<Event> read(std::string_view body);

    [[nodiscard]] std::string name() const { return text("Event-Name"); }
    [[nodiscard]] std::string text(std::string_view key) const;
    [[nodiscard]] std::string variable(std::string_view key) const;  // of the channel: "variable_" + key
    [[nodiscard]] std::int64_t number(std::string_view key) const;   // 0 for none
    [[nodiscard]] std::string leg() const { return text("Unique-ID"); }
    // Event-Date-Timestamp; `otherwise` where it has none or one that cannot be.
    [[nodiscard]] Instant at(Instant otherwise) const;
    [[nodiscard]] std::string body() const { return text("_body"); }

private:
    explicit Event(Json value) : value_{std::move(value)} {}
    Json value_;
};

// Text from the switch as valid UTF-8.
[[nodiscard]] std::string readable(std::string_view text);

}  // namespace touchgate::adapters::freeswitch_esl
