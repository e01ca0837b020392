#include "gateway/http/wallboard_feed.hpp"

#include <algorithm>

#include "gateway/http/agent_json.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::http {

namespace {

constexpr Duration coalesced{200};
constexpr Duration look_again{1'000};
constexpr int looks_between_heartbeats = 15;

}  // namespace

std::string unit_of_document(const std::string& document) {
    const auto parsed = Json::parse(document, nullptr, false, true);
    const auto unit = parsed.is_object() ? parsed.find("unit") : parsed.end();
    return parsed.is_object() && unit != parsed.end() && unit->is_string() ? unit->get<std::string>() : std::string{};
}

Wallboard limited_wallboard(const Wallboard& board, const std::vector<AgentDetails>& agents, const Access& access) {
    Wallboard made{.queues = {}, .agents = {}, .seq = board.seq};
    for (const auto& queue : board.queues)
        if (access.covers(unit_of_document(queue.document))) made.queues.push_back(queue);
    std::map<std::string, std::uint32_t> counts;
    for (const auto& agent : agents)
        if (access.covers(agent.unit)) ++counts[agent.state];
    made.agents.assign(counts.begin(), counts.end());
    return made;
}

Wallboard wallboard_for(AgentDesk& desk, const Access& access) {
    auto board = desk.wallboard();
    if (!access.limited()) return board;
    constexpr std::size_t agents_max = 100'000;
    return limited_wallboard(board, desk.colleagues({}, agents_max), access);
}

WallboardFeed::Room& WallboardFeed::room_of(Worker& worker) {
    const std::scoped_lock lock{mutex_};
    auto& room = rooms_[&worker];
    if (!room) room = std::make_unique<Room>();
    return *room;
}

void WallboardFeed::join(Worker& worker, std::shared_ptr<WallboardReader> reader, std::vector<std::string> units) {
    auto& room = room_of(worker);
    {
        const std::scoped_lock lock{mutex_};
        const bool first = readers_[units]++ == 0;
        asked_anew_ = asked_anew_ || first;
    }
    room.seats.push_back({std::move(reader), std::move(units), 0});
    show(room);
    if (!std::exchange(room.watched, true)) watch_room(worker, room);
    look(worker);
}

void WallboardFeed::leave(Worker& worker, const WallboardReader& reader) {
    auto& room = room_of(worker);
    std::erase_if(room.seats, [&](const Seat& seat) {
        if (seat.reader.get() != &reader) return false;
        const std::scoped_lock lock{mutex_};
        if (const auto count = readers_.find(seat.units); count != readers_.end() && --count->second == 0) readers_.erase(count);
        return true;
    });
}

void WallboardFeed::watch_room(Worker& worker, Room& room) {
    worker.wait_until([] { return false; }, look_again, [this, &worker, &room](bool) {
        std::vector<std::shared_ptr<WallboardReader>> gone;
        const bool heartbeat = ++room.looks % looks_between_heartbeats == 0;
        for (const auto& seat : room.seats) {
            if (!seat.reader->is_open()) gone.push_back(seat.reader);
            else if (heartbeat) seat.reader->still_here();
        }
        for (const auto& reader : gone) leave(worker, *reader);
        show(room);
        room.watched = !room.seats.empty();
        if (room.watched) watch_room(worker, room);
    });
}

void WallboardFeed::show(Room& room) {
    std::shared_ptr<const Boards> boards;
    {
        const std::scoped_lock lock{mutex_};
        boards = boards_;
    }
    for (auto& seat : room.seats) {
        const auto found = boards->by_units.find(seat.units);
        if (found == boards->by_units.end() || seat.shown >= found->second->seq || !seat.reader->is_open()) continue;
        if (seat.reader->show(*found->second)) seat.shown = found->second->seq;
    }
}

void WallboardFeed::look(Worker& worker) {
    {
        const std::scoped_lock lock{mutex_};
        if (looking_ || readers_.empty()) return;
        looking_ = true;
    }
    const auto changed = [this] {
        const std::scoped_lock lock{mutex_};
        return readers_.empty() || asked_anew_ || durable_sequence_() > seen_sequence_;
    };
    constexpr Duration for_ever{std::chrono::hours{1}};
    worker.wait_until(changed, for_ever, [this, &worker](bool) { compute(worker); });
}

void WallboardFeed::compute(Worker& worker) {
    std::vector<Units> wanted;
    {
        const std::scoped_lock lock{mutex_};
        asked_anew_ = false;
        for (const auto& [units, readers] : readers_) wanted.push_back(units);
        if (wanted.empty()) {
            looking_ = false;
            return;
        }
    }
    // The next look is a while after this one, however it goes.
    const auto go_on = [this, &worker] {
        worker.wait_until([] { return false; }, coalesced, [this, &worker](bool) {
            {
                const std::scoped_lock lock{mutex_};
                looking_ = false;
            }
            look(worker);
        });
    };
    const auto before = durable_sequence_();
    (void)desk_.in_turn([this, before, wanted = std::move(wanted)](AgentDesk& desk) {
        std::map<Units, Wallboard> boards;
        for (const auto& units : wanted) boards.emplace(units, wallboard_for(desk, Access{.granted = true, .units = units}));
        desk.after_sync([this, before, boards = std::move(boards)]() mutable { publish(std::move(boards), before); });
    });
    go_on();
}

// The engine's thread, after a sync.
void WallboardFeed::publish(std::map<Units, Wallboard> boards, std::uint64_t sequence) {
    auto next = std::make_shared<Boards>();
    std::vector<std::pair<Worker*, Room*>> rooms;
    {
        const std::scoped_lock lock{mutex_};
        seen_sequence_ = sequence;
        next->number = boards_->number + 1;
        bool changed = false;
        for (auto& [units, board] : boards) {
            auto compared = board;
            compared.seq = 0;
            for (auto& queue : compared.queues) queue.longest_wait_ms = queue.waiting > 0 ? 1 : 0;
            auto text = render_wallboard(compared);
            const auto known = boards_->by_units.find(units);
            if (known != boards_->by_units.end() && known->second->compared == text) {
                next->by_units[units] = known->second;
                continue;
            }
            changed = true;
            auto made = std::make_shared<WallboardText>();
            made->seq = next->number;
            made->json = render_wallboard(board);
            made->compared = std::move(text);
            made->frame = std::make_shared<const AgentFrame>(render_wallboard_push(made->json));
            next->by_units[units] = std::move(made);
        }
        if (!changed) return;
        boards_ = std::move(next);
        for (const auto& [worker, room] : rooms_) rooms.emplace_back(worker, room.get());
    }
    for (const auto& [worker, room] : rooms) worker->run([this, at = room] { show(*at); });
}

}  // namespace touchgate::http
