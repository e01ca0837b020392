// Single touches on their way into the engine: those that one I/O thread reads in one round of its loop go as one command, and come back
// as one task. At 256 connections this saves most of the thread wake-ups, which cost more than deciding a touch.
#pragma once

#include <memory>
#include <vector>

#include "gateway/http/exchange.hpp"

namespace touchgate::http {

class TouchQueue {
public:
    // `schedule` runs a task on the own thread after what its loop has ready now.
    TouchQueue(Services& services, Worker& worker, std::function<void(absl::AnyInvocable<void()>)> schedule);

    ~TouchQueue();

    // Own thread only. A touch with `error` has problems of form: the engine adds what else is wrong with it, and nothing is written.
    void add(const Call& call, ParsedTouch touch);

private:
    struct Batch;
    void flush();
    void post(std::unique_ptr<Batch> batch);

    Services& services_;
    Worker& worker_;
    std::function<void(absl::AnyInvocable<void()>)> schedule_;
    std::unique_ptr<Batch> open_;
};

// The unit limits of a caller, checked inside a turn: not his contact, so for him it does not exist.
[[nodiscard]] std::optional<Error> check_unit_of_contact(Engine& engine, const Access& access, const ContactRef& contact);
// Sets what comes from the key: its name, and its unit when the touch names none. An error when the touch names a unit that is not his.
[[nodiscard]] std::optional<Error> apply_caller(const Caller& caller, const Access& access, TouchRequest& request);
// What the engine finds wrong with a touch that has problems of form already, added to them.
void complete_problems(Engine& engine, ParsedTouch& touch);

}  // namespace touchgate::http
