// Lines of POST /v1/touches/bulk: parsed by the hot intake, answered without a trace.
#include <optional>

#include "gateway/http/bulk.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_queue.hpp"

namespace touchgate::http {

namespace {

class TouchChunk final : public BulkChunk {
public:
    TouchChunk(TouchIntake& intake, const Caller& caller, Access access) : intake_{intake}, caller_{caller}, access_{std::move(access)} {}

    [[nodiscard]] std::size_t size() const override { return items_.size(); }
    void add(std::uint64_t number, std::string_view padded_line) override {
        auto& item = items_.emplace_back();
        item.number = number;
        item.text_at = texts_.size();
        item.text_size = padded_line.size();
        texts_.append(padded_line);
        read(item, padded_line);
    }
    void add_bad(std::uint64_t number, Error error) override {
        auto& item = items_.emplace_back();
        item.number = number;
        item.touch.error = std::move(error);
    }

    bool run(Engine& engine, std::vector<ContactRef>& /*settle*/) override {
        for (; done_ < items_.size(); ++done_) {
            auto& item = items_[done_];
            complete_problems(engine, item.touch);
            if (!item.touch.error)
                if (auto foreign = check_unit_of_contact(engine, access_, item.touch.request.contact)) item.touch.error = std::move(*foreign);
            if (item.touch.error) continue;
            auto line = engine.submit_touch_line(std::move(item.touch.request));
            if (line) {
                item.line = std::move(*line);
            } else if (line.error().kind == ErrorKind::unavailable) {
                return false;
            } else {
                item.touch.error = line.error();
            }
        }
        return true;
    }
    // The line that the engine refused was given away: it is read again from its text.
    void renew() override {
        if (done_ == items_.size() || items_[done_].touch.error) return;
        auto& item = items_[done_];
        std::string padded;
        padded.reserve(item.text_size + TouchIntake::padding_bytes);
        padded.append(texts_, item.text_at, item.text_size);
        read(item, padded);
    }
    void refuse_rest(const Error& error) override {
        for (; done_ < items_.size(); ++done_)
            if (!items_[done_].touch.error) items_[done_].touch.error = error;
    }
    void render(std::string& out) const override {
        for (const auto& item : items_) {
            JsonObject json{out};
            json.number("line", item.number);
            if (item.touch.error) {
                json.name("error");
                append_line_error(out, *item.touch.error, "touch_id");
            } else {
                json.id("id", item.line.id).text("state", to_string(item.line.state));
                json.text_or_null("rule", item.line.duplicate ? std::string_view{} : std::string_view{item.line.rule});
                if (item.line.duplicate) json.boolean("duplicate", true);
            }
            json.close();
            out += '\n';
        }
    }

private:
    struct Item {
        std::uint64_t number = 0;
        ParsedTouch touch;
        TouchLine line;
        std::size_t text_at = 0, text_size = 0;
    };
    void read(Item& item, std::string_view padded_line) {
        item.touch = intake_.parse(padded_line);
        if (auto error = apply_caller(caller_, access_, item.touch.request); error && !item.touch.error) item.touch.error = std::move(*error);
    }
    TouchIntake& intake_;
    const Caller& caller_;
    Access access_;
    std::vector<Item> items_;
    std::string texts_;
    std::size_t done_ = 0;
};

class TouchReader final : public BulkReader {
public:
    explicit TouchReader(Exchange& exchange) : intake_{exchange.worker().intake()}, caller_{*exchange.caller}, access_{exchange.access} {}
    std::unique_ptr<BulkChunk> new_chunk() override { return std::make_unique<TouchChunk>(intake_, caller_, access_); }

private:
    TouchIntake& intake_;
    const Caller& caller_;
    Access access_;
};

}  // namespace

std::unique_ptr<BulkReader> touch_lines(Exchange& exchange) { return std::make_unique<TouchReader>(exchange); }

}  // namespace touchgate::http
