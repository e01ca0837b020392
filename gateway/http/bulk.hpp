// Bulk requests: NDJSON in, NDJSON out in the same order, the answer streaming while the request still does.
//
//   bytes ─► LineSplitter ─► BulkChunk (up to 256 lines, parsed on the I/O thread) ─► one engine command ─► one part of the answer
//
// Several chunks are under way at once; they are answered in order. When the engine cannot take more, the session holds what it has and
// wants no more bytes; what could not be taken for 30 s is answered 503, line by line.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/http/exchange.hpp"
#include "gateway/http/line_splitter.hpp"

namespace touchgate::http {

// Some lines of one request. Filled and rendered on the I/O thread, run on the engine's; never at the same time.
class BulkChunk {
public:
    virtual ~BulkChunk() = default;
    [[nodiscard]] virtual std::size_t size() const = 0;
    virtual void add(std::uint64_t number, std::string_view padded_line) = 0;
    virtual void add_bad(std::uint64_t number, Error error) = 0;
    // Inside a turn: takes lines in order from the first that is not done. False: the engine is full; the rest waits for another run.
    // Contacts whose open permits must be settled before the answer are added to `settle`.
    virtual bool run(Engine& engine, std::vector<ContactRef>& settle) = 0;
    // On the I/O thread, before another run: makes ready again what the last run spoilt.
    virtual void renew() {}
    // Answers what is not done with `error`.
    virtual void refuse_rest(const Error& error) = 0;
    virtual void render(std::string& out) const = 0;
};

// Makes the chunks of one request: one class per kind of line.
class BulkReader {
public:
    virtual ~BulkReader() = default;
    virtual std::unique_ptr<BulkChunk> new_chunk() = 0;
    // True: a request without a line goes through the engine too, as an empty chunk.
    [[nodiscard]] virtual bool runs_when_empty() const { return false; }
    // After the last chunk: the whole answer, where it is one document and not lines. I/O thread.
    [[nodiscard]] virtual std::optional<Response> summary() { return std::nullopt; }
};

// Where a session writes and what it may ask of its surroundings. I/O thread only.
class BulkOutput {
public:
    virtual ~BulkOutput() = default;
    virtual void write(std::string part) = 0;
    // All lines are answered. `sequence`: of the last event written. `answer`: instead of what was written, if nothing was.
    virtual void end(std::uint64_t sequence, std::optional<Response> answer) = 0;
    // The session can take bytes again after it had said that it cannot.
    virtual void resume() = 0;
    [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
};

class BulkSession : public std::enable_shared_from_this<BulkSession> {
public:
    // `output` lives as long as `call` does (it is the connection).
    BulkSession(Call call, std::unique_ptr<BulkReader> reader, BulkOutput& output);
    ~BulkSession();

    // I/O thread. Takes the bytes; they count as read whatever comes.
    void feed(std::string_view bytes);
    void finish();
    // May more bytes be read now? When false, BulkOutput::resume tells when.
    [[nodiscard]] bool wants_more() const;
    // Lines are under way.
    [[nodiscard]] bool is_busy() const { return !flights_.empty(); }
    // The connection is gone: what runs in the engine goes on, the rest is dropped.
    void abandon() { abandoned_ = true; }
    // The output has been sent; there may be room again.
    void output_sent();

private:
    struct Flight;  // a chunk under way
    void take_lines();
    void launch(std::unique_ptr<BulkChunk> chunk);
    void post(const std::shared_ptr<Flight>& flight);
    void came_back(const std::shared_ptr<Flight>& flight, bool complete);
    void retry_later();
    void answer_in_order();

    Call call_;
    std::unique_ptr<BulkReader> reader_;
    BulkOutput& output_;
    LineSplitter lines_;
    std::deque<std::shared_ptr<Flight>> flights_;  // in the order of their lines
    std::size_t chunk_lines_max_;
    std::shared_ptr<std::atomic<bool>> held_;      // set on the engine's thread when it is full: later chunks then do not overtake
    std::uint64_t last_sequence_ = 0;
    bool input_ended_ = false;
    bool ended_ = false;
    bool stopped_reading_ = false;
    bool retrying_ = false;
    bool abandoned_ = false;
    bool launched_ = false;
};

// ---- the two kinds of chunks ---------------------------------------------------------------------------------------------------

// Touches: the fast one.
[[nodiscard]] std::unique_ptr<BulkReader> touch_lines(Exchange& exchange);

// A campaign's audience, added to or taken from: one answer for all lines.
[[nodiscard]] std::unique_ptr<BulkReader> audience_lines(Exchange& exchange);
[[nodiscard]] std::unique_ptr<BulkReader> audience_removals(Exchange& exchange);

// Everything else. `parse` reads a line into what the engine shall do; that yields the answer's members after "line" (`"id":"…"`).
struct LineOutcome {
    std::string members;
    std::optional<ContactRef> settle = {};
};
using LineWork = absl::AnyInvocable<Result<LineOutcome>(Engine&)>;
using LineParser = std::function<Result<LineWork>(JsonReader& body)>;
[[nodiscard]] std::unique_ptr<BulkReader> work_lines(LineParser parse, std::string_view reference_name);

}  // namespace touchgate::http
