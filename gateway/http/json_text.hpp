// Hand-written JSON: appends members to a string. Fast, and no more than a comma-keeper.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/ids.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::http {

// Writes one object; the braces are written by constructor and `close`.
class JsonObject {
public:
    explicit JsonObject(std::string& out) : out_{out} { out_ += '{'; }

    // Names are literals without anything to escape.
    JsonObject& name(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_ += name;
        out_ += "\":";
        return *this;
    }
    JsonObject& text(std::string_view key, std::string_view value) {
        name(key);
        append_json_string(out_, value);
        return *this;
    }
    // An empty text is null.
    JsonObject& text_or_null(std::string_view key, std::string_view value) { return value.empty() ? raw(key, "null") : text(key, value); }
    JsonObject& raw(std::string_view key, std::string_view json) {
        name(key);
        out_ += json;
        return *this;
    }
    JsonObject& number(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
    JsonObject& signed_number(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }
    JsonObject& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
    JsonObject& instant(std::string_view key, std::optional<Instant> value) {
        if (!value || *value == instant_never) return raw(key, "null");
        name(key);
        out_ += '"';
        append_instant(out_, *value);
        out_ += '"';
        return *this;
    }
    JsonObject& id(std::string_view key, const Uuid& value) {
        name(key);
        out_ += '"';
        append_uuid(out_, value);
        out_ += '"';
        return *this;
    }
    template <class Range> JsonObject& texts(std::string_view key, const Range& values) {
        name(key);
        out_ += '[';
        bool first = true;
        for (const auto& value : values) {
            if (!first) out_ += ',';
            first = false;
            append_json_string(out_, value);
        }
        out_ += ']';
        return *this;
    }
    // {"name": "value", …}
    template <class Pairs> JsonObject& pairs(std::string_view key, const Pairs& values) {
        name(key);
        out_ += '{';
        bool first = true;
        for (const auto& [member, value] : values) {
            if (!first) out_ += ',';
            first = false;
            append_json_string(out_, member);
            out_ += ':';
            append_json_string(out_, value);
        }
        out_ += '}';
        return *this;
    }
    void close() { out_ += '}'; }

private:
    std::string& out_;
    bool first_ = true;
};

}  // namespace touchgate::http
