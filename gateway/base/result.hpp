// Result<T>: a value or an Error. An answer of the field (deny, defer, unknown) is a value; an Error is an operating failure.
//
// Written out here, for Boost's result cannot hold a JSON value (which converts to everything) without ambiguity.
#pragma once

#include <utility>
#include <variant>

#include "gateway/base/error.hpp"

namespace touchgate {

// Ends the program by an exception nobody catches: a bug, not an input error.
[[noreturn]] void throw_unchecked_error(const Error& error);

template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : held_{std::in_place_index<0>, std::move(value)} {}       // NOLINT: implicit on purpose
    Result(Error error) : held_{std::in_place_index<1>, std::move(error)} {}   // NOLINT

    [[nodiscard]] bool has_value() const { return held_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    [[nodiscard]] T& value() & { check(); return *std::get_if<0>(&held_); }
    [[nodiscard]] const T& value() const& { check(); return *std::get_if<0>(&held_); }
    [[nodiscard]] T&& value() && { check(); return std::move(*std::get_if<0>(&held_)); }
    [[nodiscard]] T& operator*() & { return value(); }
    [[nodiscard]] const T& operator*() const& { return value(); }
    [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
    [[nodiscard]] T* operator->() { return &value(); }
    [[nodiscard]] const T* operator->() const { return &value(); }

    [[nodiscard]] const Error& error() const { return *std::get_if<1>(&held_); }
    [[nodiscard]] Error& error() { return *std::get_if<1>(&held_); }

private:
    void check() const { if (!has_value()) throw_unchecked_error(*std::get_if<1>(&held_)); }
    std::variant<T, Error> held_;
};

template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_{std::move(error)}, failed_{true} {}  // NOLINT: implicit on purpose
    [[nodiscard]] bool has_value() const { return !failed_; }
    explicit operator bool() const { return !failed_; }
    void value() const { if (failed_) throw_unchecked_error(error_); }
    [[nodiscard]] const Error& error() const { return error_; }

private:
    Error error_{};
    bool failed_ = false;
};

}  // namespace touchgate
