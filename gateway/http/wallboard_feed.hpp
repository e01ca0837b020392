// The wallboard as it changes: computed at most five times a second while anybody looks, rendered once for all who may see the same, and shown
// only when something on it has changed (that people wait longer is no change: their clock runs with the reader).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/http/agent_desk.hpp"
#include "gateway/http/agent_frame.hpp"
#include "gateway/http/exchange.hpp"

namespace touchgate::http {

struct WallboardText {
    std::uint64_t seq = 0;
    std::string json;
    std::string compared;                      // without what time alone changes
    std::shared_ptr<const AgentFrame> frame;   // as agents' sockets get it
};

// On its own I/O thread.
class WallboardReader {
public:
    virtual ~WallboardReader() = default;
    // False: it cannot take it now; the newest is shown to it a little later.
    virtual bool show(const WallboardText& board) = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
    virtual void still_here() = 0;             // nothing has changed for a while
};

// The board as a caller sees it who is limited to some units: their queues and agents.
[[nodiscard]] Wallboard limited_wallboard(const Wallboard& board, const std::vector<AgentDetails>& agents, const Access& access);
// In a turn.
[[nodiscard]] Wallboard wallboard_for(AgentDesk& desk, const Access& access);
// "unit" of a queue's or agent's document.
[[nodiscard]] std::string unit_of_document(const std::string& document);

class WallboardFeed {
public:
    WallboardFeed(DeskRunner& desk, const Clock& clock, std::function<std::uint64_t()> durable_sequence)
        : desk_{desk}, clock_{clock}, durable_sequence_{std::move(durable_sequence)} {}

    // On the worker's thread. The newest board is shown at once when there is one. `units` empty: everything.
    void join(Worker& worker, std::shared_ptr<WallboardReader> reader, std::vector<std::string> units);
    void leave(Worker& worker, const WallboardReader& reader);

private:
    using Units = std::vector<std::string>;
    struct Seat {
        std::shared_ptr<WallboardReader> reader;
        Units units;
        std::uint64_t shown = 0;               // number of the board, 0 none
    };
    // Those of one I/O thread; touched there only.
    struct Room {
        std::vector<Seat> seats;
        bool watched = false;
        int looks = 0;
    };
    struct Boards {
        std::uint64_t number = 0;
        std::map<Units, std::shared_ptr<const WallboardText>> by_units;
    };
    Room& room_of(Worker& worker);
    void watch_room(Worker& worker, Room& room);
    void show(Room& room);
    void look(Worker& worker);                 // the one loop that finds out whether anything has changed
    void compute(Worker& worker);
    void publish(std::map<Units, Wallboard> boards, std::uint64_t sequence);

    DeskRunner& desk_;
    const Clock& clock_;
    std::function<std::uint64_t()> durable_sequence_;
    std::mutex mutex_;
    std::map<Worker*, std::unique_ptr<Room>> rooms_;          // guarded by mutex_
    std::map<Units, std::size_t> readers_;                    // guarded by mutex_
    std::shared_ptr<const Boards> boards_ = std::make_shared<Boards>();  // guarded by mutex_
    std::uint64_t seen_sequence_ = 0;                         // guarded by mutex_
    bool asked_anew_ = false;                                 // guarded by mutex_: somebody with other units has come
    bool looking_ = false;                                    // guarded by mutex_
};

}  // namespace touchgate::http
