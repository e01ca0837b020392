#include "gateway/http/bulk.hpp"

#include <algorithm>

namespace touchgate::http {

namespace {

constexpr std::size_t lines_per_command = 256;
constexpr std::size_t flights_max = 6;
constexpr Duration retry_after{20};

// Bulk may fill 80 % of the intake queue; single requests all of it.
std::size_t bulk_share(std::size_t intake_queue) { return std::max<std::size_t>(1, intake_queue / 5 * 4); }

}  // namespace

struct BulkSession::Flight {
    std::unique_ptr<BulkChunk> chunk;  // not here while it is in the engine
    std::chrono::nanoseconds made_at{};
    bool done = false;
    bool in_engine = false;
    std::string answer = {};
};

BulkSession::BulkSession(Call call, std::unique_ptr<BulkReader> reader, BulkOutput& output)
    : call_{std::move(call)},
      reader_{std::move(reader)},
      output_{output},
      lines_{TouchIntake::padding_bytes},
      chunk_lines_max_{std::min(lines_per_command, bulk_share(call_->services().options.intake_queue))},
      held_{std::make_shared<std::atomic<bool>>(false)} {}

BulkSession::~BulkSession() = default;

void BulkSession::feed(std::string_view bytes) {
    lines_.feed(bytes);
    take_lines();
}

void BulkSession::finish() {
    lines_.finish();
    input_ended_ = true;
    take_lines();
    if (!launched_ && lines_.waiting_bytes() == 0 && reader_->runs_when_empty()) launch(reader_->new_chunk());
    answer_in_order();
}

bool BulkSession::wants_more() const {
    return flights_.size() < flights_max && output_.unsent_bytes() < call_->services().options.bulk_unsent_bytes_max;
}

void BulkSession::output_sent() {
    if (!stopped_reading_ || !wants_more()) return;
    stopped_reading_ = false;
    take_lines();
    if (wants_more()) output_.resume();
    else stopped_reading_ = true;
}

void BulkSession::take_lines() {
    std::unique_ptr<BulkChunk> chunk;
    LineSplitter::Line line;
    while (wants_more() && lines_.next(line)) {
        if (!chunk) chunk = reader_->new_chunk();
        if (line.too_long) chunk->add_bad(line.number, {.kind = ErrorKind::too_large, .detail = "the line is longer than 1 MiB"});
        else chunk->add(line.number, line.text);
        if (chunk->size() == chunk_lines_max_) launch(std::move(chunk));
    }
    if (chunk) launch(std::move(chunk));
    if (!wants_more()) stopped_reading_ = true;
}

void BulkSession::launch(std::unique_ptr<BulkChunk> chunk) {
    launched_ = true;
    auto flight = std::make_shared<Flight>();
    flight->chunk = std::move(chunk);
    flight->made_at = call_->services().clock.monotonic_now();
    flights_.push_back(flight);
    call_->services().counters.bulk_lines.fetch_add(flight->chunk->size(), std::memory_order_relaxed);
    if (retrying_) return;
    post(flight);
}

void BulkSession::post(const std::shared_ptr<Flight>& flight) {
    auto& services = call_->services();
    const auto weight = flight->chunk->size();
    auto& in_engine = services.counters.bulk_lines_in_engine;
    const auto share = bulk_share(services.options.intake_queue);
    if (in_engine.fetch_add(weight) + weight > share && weight < in_engine.load()) {
        in_engine.fetch_sub(weight);
        retry_later();
        return;
    }
    flight->in_engine = true;
    // The chunk travels inside the command and comes back inside the effect, so it has one owner at any time.
    auto cargo = std::make_shared<std::unique_ptr<BulkChunk>>(std::move(flight->chunk));
    auto back = [self = shared_from_this(), flight, &worker = call_->worker(), &in_engine, weight](std::unique_ptr<BulkChunk> chunk, bool complete,
                                                                                                  std::uint64_t sequence) {
        in_engine.fetch_sub(weight);
        worker.run([self, flight, complete, sequence, chunk = std::move(chunk)]() mutable {
            flight->chunk = std::move(chunk);
            flight->in_engine = false;
            self->last_sequence_ = std::max(self->last_sequence_, sequence);
            self->came_back(flight, complete);
        });
    };
    const bool taken = services.engine.post(
        [cargo, back, held = held_](Engine& engine) {
            auto chunk = std::move(*cargo);
            std::vector<ContactRef> settle;
            bool complete = false;
            if (!held->load(std::memory_order_relaxed)) {
                complete = chunk->run(engine, settle);
                if (!complete) held->store(true, std::memory_order_relaxed);
            }
            // The answer waits for the sync and for every withdrawal among the lines to be settled.
            struct Landing {
                std::unique_ptr<BulkChunk> chunk;
                std::size_t waits_for;
            };
            auto landing = std::make_shared<Landing>(Landing{std::move(chunk), settle.size() + 1});
            const auto land = [landing, back, complete, sequence = engine.sequence()] {
                if (--landing->waits_for == 0) back(std::move(landing->chunk), complete, sequence);
            };
            for (const auto& contact : settle) engine.when_settled(contact, land);
            engine.after_sync(land);
        },
        weight);
    if (taken) return;
    in_engine.fetch_sub(weight);
    flight->chunk = std::move(*cargo);
    flight->in_engine = false;
    retry_later();
}

void BulkSession::came_back(const std::shared_ptr<Flight>& flight, bool complete) {
    if (complete) {
        flight->done = true;
    } else {
        flight->chunk->renew();
        retry_later();
    }
    answer_in_order();
}

void BulkSession::retry_later() {
    if (retrying_) return;
    retrying_ = true;
    const auto nothing_in_engine = [this] {
        return std::none_of(flights_.begin(), flights_.end(), [](const auto& flight) { return flight->in_engine; });
    };
    const auto self = shared_from_this();
    const auto due = call_->services().clock.monotonic_now() + retry_after;
    // What is in the engine comes back first, so that lines are taken in order.
    call_->worker().wait_until([self, nothing_in_engine, due] { return nothing_in_engine() && self->call_->services().clock.monotonic_now() >= due; },
                               std::chrono::hours{1}, [self](bool) {
                                   auto& services = self->call_->services();
                                   const auto now = services.clock.monotonic_now();
                                   const bool hopeless = services.draining || self->abandoned_ || !self->output_.is_open();
                                   const Error error = services.draining ? draining_error()
                                                                         : Error{.kind = ErrorKind::unavailable,
                                                                                 .detail = "the gateway is full and could not take the line in 30 s",
                                                                                 .retry_after_s = 5};
                                   self->held_->store(false);
                                   self->retrying_ = false;
                                   for (const auto& flight : std::deque{self->flights_}) {
                                       if (flight->done || flight->in_engine || self->retrying_) continue;
                                       if (hopeless || now - flight->made_at >= services.options.bulk_pressure_timeout) {
                                           flight->chunk->refuse_rest(error);
                                           flight->done = true;
                                       } else {
                                           self->post(flight);
                                       }
                                   }
                                   self->answer_in_order();
                               });
}

void BulkSession::answer_in_order() {
    std::string part;
    while (!flights_.empty() && flights_.front()->done) {
        flights_.front()->chunk->render(part);
        flights_.pop_front();
    }
    if (abandoned_) return;
    // Room in the row of flights: lines that were already fed go next, then the connection reads on.
    const bool had_stopped = stopped_reading_;
    if (had_stopped && wants_more()) {
        stopped_reading_ = false;
        take_lines();
    }
    const bool over = input_ended_ && flights_.empty() && lines_.waiting_bytes() == 0 && !ended_;
    if (!part.empty()) output_.write(std::move(part));
    if (over) {
        ended_ = true;
        if (call_->caller != nullptr) call_->caller->note_write(last_sequence_);
        output_.end(last_sequence_, reader_->summary());
    } else if (had_stopped && !stopped_reading_ && !input_ended_) {
        output_.resume();
    }
}

// ---- lines of everything but touches ------------------------------------------------------------------------------------------

namespace {

class WorkChunk final : public BulkChunk {
public:
    WorkChunk(const LineParser& parse, std::string_view reference_name) : parse_{parse}, reference_name_{reference_name} {}

    [[nodiscard]] std::size_t size() const override { return items_.size(); }
    void add(std::uint64_t number, std::string_view line) override {
        auto work = read(line);
        if (work) items_.push_back({.number = number, .work = std::move(*work)});
        else add_bad(number, work.error());
    }
    void add_bad(std::uint64_t number, Error error) override {
        items_.push_back({.number = number, .outcome = Result<LineOutcome>{std::move(error)}});
    }

    bool run(Engine& engine, std::vector<ContactRef>& settle) override {
        for (; done_ < items_.size(); ++done_) {
            auto& item = items_[done_];
            if (item.outcome) continue;
            auto outcome = item.work(engine);
            if (!outcome && outcome.error().kind == ErrorKind::unavailable) return false;
            if (outcome && outcome->settle) settle.push_back(*outcome->settle);
            item.outcome = std::move(outcome);
        }
        return true;
    }
    void refuse_rest(const Error& error) override {
        for (; done_ < items_.size(); ++done_)
            if (!items_[done_].outcome) items_[done_].outcome = Result<LineOutcome>{error};
    }
    void render(std::string& out) const override {
        for (const auto& item : items_) {
            out += "{\"line\":" + std::to_string(item.number) + ',';
            if (item.outcome && *item.outcome) {
                out += (*item.outcome)->members;
            } else if (item.outcome) {
                out += "\"error\":";
                append_line_error(out, item.outcome->error(), reference_name_);
            }
            out += "}\n";
        }
    }

private:
    struct Item {
        std::uint64_t number = 0;
        LineWork work = {};
        std::optional<Result<LineOutcome>> outcome = {};
    };
    Result<LineWork> read(std::string_view line) const {
        const auto document = read_json(line);
        if (!document) return document.error();
        std::vector<Problem> problems;
        JsonReader reader{*document, "", problems};
        auto work = parse_(reader);
        if (!document->is_object()) return fields_error({{"", "must be an object"}});
        if (!problems.empty()) return fields_error(std::move(problems));
        return work;
    }
    const LineParser& parse_;  // the reader's, which the session keeps
    std::string_view reference_name_;
    std::vector<Item> items_;
    std::size_t done_ = 0;
};

class WorkReader final : public BulkReader {
public:
    WorkReader(LineParser parse, std::string_view reference_name) : parse_{std::move(parse)}, reference_name_{reference_name} {}
    std::unique_ptr<BulkChunk> new_chunk() override { return std::make_unique<WorkChunk>(parse_, reference_name_); }

private:
    LineParser parse_;
    std::string_view reference_name_;
};

}  // namespace

std::unique_ptr<BulkReader> work_lines(LineParser parse, std::string_view reference_name) {
    return std::make_unique<WorkReader>(std::move(parse), reference_name);
}

}  // namespace touchgate::http
