// Lines of POST /v1/campaigns/{id}/audience and …/audience/remove: streamed in like other bulk requests, answered with one document at the
// end: {"added", "duplicates", "rejected", "errors": [{"line", "title", "detail"}]}.
#include <algorithm>

#include "gateway/http/bulk.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/touch_queue.hpp"

namespace touchgate::http {

namespace {

constexpr std::size_t errors_max = 1'000;  // listed; `rejected` counts all

// What the chunks of one request have come to; they fill it when they are rendered, in order, on the I/O thread.
struct Tally {
    std::uint64_t changed = 0, duplicates = 0, rejected = 0;
    std::vector<std::pair<std::uint64_t, Error>> errors;
    std::optional<Error> fatal;  // there is no such campaign, or it takes no lines
};

class AudienceChunk final : public BulkChunk {
public:
    AudienceChunk(std::shared_ptr<Tally> tally, const PhoneNumbers& phones, Access access, std::string campaign, bool adds)
        : tally_{std::move(tally)}, phones_{phones}, access_{std::move(access)}, campaign_{std::move(campaign)}, adds_{adds} {}

    [[nodiscard]] std::size_t size() const override { return lines_seen_; }
    void add(std::uint64_t number, std::string_view line) override {
        const auto document = read_json(line);
        if (!document) return add_bad(number, document.error());
        std::vector<Problem> problems;
        JsonReader reader{*document, "", problems};
        auto parsed = read_audience_line(reader, phones_, adds_);
        if (!document->is_object()) return add_bad(number, fields_error({{"", "must be an object"}}));
        if (!problems.empty()) return add_bad(number, fields_error(std::move(problems)));
        ++lines_seen_;
        lines_.push_back(std::move(parsed));
        numbers_.push_back(number);
    }
    void add_bad(std::uint64_t number, Error error) override {
        ++lines_seen_;
        bad_.emplace_back(number, std::move(error));
    }

    bool run(Engine& engine, std::vector<ContactRef>& /*settle*/) override {
        if (fatal_) return true;
        auto campaign = engine.find_campaign(campaign_);
        if (campaign && access_.limited() && !access_.covers(campaign->unit))
            campaign = Error{.kind = ErrorKind::not_found, .detail = "there is no campaign with this id"};
        if (!campaign) {
            fatal_ = campaign.error();
            return true;
        }
        if (access_.limited() && !checked_) {
            std::size_t kept = 0;
            for (std::size_t i = 0; i < lines_.size(); ++i) {
                if (auto foreign = check_unit_of_contact(engine, access_, lines_[i].contact)) {
                    bad_.emplace_back(numbers_[i], std::move(*foreign));
                    continue;
                }
                if (kept != i) {
                    lines_[kept] = std::move(lines_[i]);
                    numbers_[kept] = numbers_[i];
                }
                ++kept;
            }
            lines_.resize(kept);
            numbers_.resize(kept);
            checked_ = true;
        }
        const auto result = adds_ ? engine.add_audience(campaign_, lines_) : engine.remove_audience(campaign_, lines_);
        if (!result && result.error().kind == ErrorKind::unavailable) return false;
        if (!result) {
            fatal_ = result.error();
            return true;
        }
        changed_ += result->added;
        duplicates_ += result->duplicates;
        for (const auto& [place, error] : result->errors) bad_.emplace_back(numbers_[place], error);
        const bool complete = result->taken == lines_.size();
        lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(result->taken));
        numbers_.erase(numbers_.begin(), numbers_.begin() + static_cast<std::ptrdiff_t>(result->taken));
        return complete;
    }
    void refuse_rest(const Error& error) override {
        for (const auto number : numbers_) bad_.emplace_back(number, error);
        lines_.clear();
        numbers_.clear();
    }
    void render(std::string& /*out*/) const override {
        tally_->changed += changed_;
        tally_->duplicates += duplicates_;
        tally_->rejected += bad_.size();
        auto bad = bad_;
        std::sort(bad.begin(), bad.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto& each : bad)
            if (tally_->errors.size() < errors_max) tally_->errors.push_back(std::move(each));
        if (fatal_ && !tally_->fatal) tally_->fatal = fatal_;
    }

private:
    std::shared_ptr<Tally> tally_;
    const PhoneNumbers& phones_;
    Access access_;
    std::string campaign_;
    bool adds_;
    bool checked_ = false;
    std::size_t lines_seen_ = 0;
    std::vector<AudienceLine> lines_;   // not taken by the engine yet
    std::vector<std::uint64_t> numbers_;
    std::vector<std::pair<std::uint64_t, Error>> bad_;
    std::uint64_t changed_ = 0, duplicates_ = 0;
    std::optional<Error> fatal_;
};

class AudienceReader final : public BulkReader {
public:
    AudienceReader(Exchange& exchange, bool adds)
        : exchange_{exchange}, campaign_{exchange.path.empty() ? std::string{} : exchange.path[0]}, adds_{adds} {}

    std::unique_ptr<BulkChunk> new_chunk() override {
        return std::make_unique<AudienceChunk>(tally_, exchange_.services().phones, exchange_.access, campaign_, adds_);
    }
    [[nodiscard]] bool runs_when_empty() const override { return true; }
    [[nodiscard]] std::optional<Response> summary() override {
        if (tally_->fatal) return exchange_.problem_of(*tally_->fatal, "campaign_id");
        Response response;
        JsonObject json{response.body};
        json.number(adds_ ? "added" : "removed", tally_->changed).number(adds_ ? "duplicates" : "missing", tally_->duplicates).number("rejected", tally_->rejected);
        json.name("errors");
        response.body += '[';
        bool first = true;
        for (const auto& [line, error] : tally_->errors) {
            if (!first) response.body += ',';
            first = false;
            // The members of a problem, with the number of the line before them.
            std::string text;
            append_line_error(text, error, {});
            response.body.append("{\"line\":").append(std::to_string(line)).append(1, ',').append(text, 1);
        }
        response.body += ']';
        json.close();
        return response;
    }

private:
    Exchange& exchange_;  // the session keeps its call
    std::string campaign_;
    bool adds_;
    std::shared_ptr<Tally> tally_ = std::make_shared<Tally>();
};

}  // namespace

std::unique_ptr<BulkReader> audience_lines(Exchange& exchange) { return std::make_unique<AudienceReader>(exchange, true); }
std::unique_ptr<BulkReader> audience_removals(Exchange& exchange) { return std::make_unique<AudienceReader>(exchange, false); }

}  // namespace touchgate::http
