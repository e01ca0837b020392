// Tells callers what became of their touches: batches of CloudEvents, posted to the URL that the configuration names, signed, in order per
// touch, at least once. A cursor per callback is kept in DATA_DIR/callbacks/<name>.cursor; what could not be delivered for 24 hours goes to
// <name>.dead.ndjson beside it. What is to be sent again moves to <name>.again.ndjson and stays there until it is delivered.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/app/config.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/projection/queries.hpp"

namespace touchgate::app {

class CallbackSender {
public:
    // References must outlive it. One thread for each callback, started at once.
    CallbackSender(std::vector<Callback> callbacks, std::string data_dir, projection::Queries& queries, const LogReader& reader, const Clock& clock);
    ~CallbackSender();  // breaks off the request in hand: its events are sent again after the next start
    CallbackSender(const CallbackSender&) = delete;
    CallbackSender& operator=(const CallbackSender&) = delete;

    void notify();  // something became durable; cheap, any thread

    // ---- any thread
    [[nodiscard]] bool knows(const std::string& callback) const;
    // A JSON array of events that were given up, oldest first.
    [[nodiscard]] std::string dead_letters(const std::string& callback, std::size_t limit, const std::string& cursor, std::string& next_cursor);
    std::size_t replay(const std::string& callback);  // queues them again; how many

private:
    struct Line;  // one callback: its thread, cursor and files
    std::map<std::string, std::unique_ptr<Line>> lines_;
};

}  // namespace touchgate::app
