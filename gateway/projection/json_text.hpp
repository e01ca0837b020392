// Writes compact JSON straight into a string: no tree, no allocation but the string's own. Commas are found by the last byte written.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ids.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/time.hpp"

namespace touchgate::projection {

class JsonText {
public:
    explicit JsonText(std::string& out) : out_{out} {}

    // `{`, `}`, `[`, `]`; the forms with a name are members of the open object.
    void open_object() { separate(); out_ += '{'; }
    void open_object(std::string_view name) { member(name); out_ += '{'; }
    void close_object() { out_ += '}'; }
    void open_array(std::string_view name) { member(name); out_ += '['; }
    void open_array() { separate(); out_ += '['; }
    void close_array() { out_ += ']'; }

    // A member's name; one of the plain values must follow.
    void member(std::string_view name) {
        separate();
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }
    void text(std::string_view name, std::string_view value) { member(name); append_json_string(out_, value); }
    // Left out when empty.
    void text_if(std::string_view name, std::string_view value) { if (!value.empty()) text(name, value); }
    void text_or_null(std::string_view name, std::string_view value) { if (value.empty()) null(name); else text(name, value); }
    void null(std::string_view name) { member(name); out_ += "null"; }
    void boolean(std::string_view name, bool value) { member(name); out_ += value ? "true" : "false"; }
    void number(std::string_view name, std::int64_t value) { member(name); append(value); }
    void decimal(std::string_view name, double value) { member(name); append(value); }
    void instant(std::string_view name, Instant value) { member(name); out_ += '"'; append_instant(out_, value); out_ += '"'; }
    // Unix milliseconds; 0 is "none" and left out.
    void instant_if(std::string_view name, std::int64_t ms) { if (ms != 0) instant(name, from_unix_ms(ms)); }
    void instant_or_null(std::string_view name, std::int64_t ms) { if (ms == 0) null(name); else instant(name, from_unix_ms(ms)); }
    void uuid(std::string_view name, const Uuid& id) { member(name); out_ += '"'; append_uuid(out_, id); out_ += '"'; }
    void uuid_if(std::string_view name, const Uuid& id) { if (!id.is_nil()) uuid(name, id); }
    // JSON made elsewhere.
    void raw(std::string_view name, std::string_view json) { member(name); out_ += json; }
    template <class List> void texts(std::string_view name, const List& values) {
        open_array(name);
        for (const auto& value : values) element(value);
        close_array();
    }
    template <class List> void texts_if(std::string_view name, const List& values) { if (!values.empty()) texts(name, values); }
    void element(std::string_view value) { separate(); append_json_string(out_, value); }
    [[nodiscard]] std::string& out() { return out_; }

private:
    void separate() {
        if (out_.empty()) return;
        const char last = out_.back();
        if (last != '{' && last != '[' && last != ':' && last != ',' && last != '\n') out_ += ',';
    }
    template <class T> void append(T value) {
        char digits[40];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        out_.append(digits, end);
    }
    std::string& out_;
};

}  // namespace touchgate::projection
