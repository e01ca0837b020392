// {"kind": "budget", "max": 5000, "currency": "CNY", "per": "month", "zone": "Asia/Shanghai", "by": ["campaign"]}: a cap over money. What is
// counted weighs its cost; attempts that are billed in another currency do not count. Over it: defer to the next period with room; without
// `per` what is spent is spent for good: deny.
#include <charconv>
#include <cmath>

#include "gateway/policy/rules/cap.hpp"

namespace touchgate::policy {

namespace {

class Budget final : public Rule {
public:
    explicit Budget(CapSettings settings) : cap_{make_cap_rule(std::move(settings))} {}

    Judgement judge(const Evaluation& evaluation, Instant at) const override { return cap_->judge(evaluation, at); }
    void describe(const Evaluation& evaluation, Instant at, bool touches, TraceStep& step) const override {
        cap_->describe(evaluation, at, touches, step);
    }
    const Counting* counting() const override { return cap_->counting(); }
    // The cost of a text depends on its length.
    bool reads_content() const override { return true; }
    Duration horizon() const override { return cap_->horizon(); }

private:
    std::unique_ptr<Rule> cap_;
};

// A number, or a decimal as text ("0.045"), exact to a millionth.
std::optional<std::int64_t> micros(const Json& value) {
    constexpr double largest = 1e9;
    double amount = -1;
    if (value.is_number()) {
        amount = value.get<double>();
    } else if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const auto read = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
        if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    }
    if (!(amount >= 0 && amount <= largest) || std::abs(amount * 1e6 - std::round(amount * 1e6)) > 1e-3 * std::max(1.0, amount * 1e-6)) return std::nullopt;
    return std::llround(amount * 1e6);
}

}  // namespace

std::unique_ptr<Rule> make_budget(RuleReader& reader) {
    CapSettings cap;
    cap.counting = parse_counting(reader, by_campaign);
    cap.counting.measure = Measure::cost;
    if (!cap.counting.weights.empty()) reader.json.problem("weight", "has no meaning for a budget: what counts is the cost");
    if (cap.counting.by.has(by_member)) reader.json.problem("by", "\"member\" is for caps only");
    const auto currency = reader.json.text("currency", "CNY", {3, 3});
    cap.counting.currency = reader.names.symbols.intern(currency);
    const auto* max = reader.json.raw("max");
    const auto amount = max == nullptr ? std::nullopt : micros(*max);
    if (max == nullptr) reader.json.problem("max", "is required: an amount such as 5000 or \"12.50\"");
    else if (!amount) reader.json.problem("max", "must be an amount from 0 to 1,000,000,000 with at most six decimals");
    cap.max = amount.value_or(0);
    if (reader.json.raw("per") == nullptr) cap.period = Period::ever;
    else parse_period(reader.json, cap);
    // Money is counted where it is billed, not where the customer lives.
    cap.zone_name = reader.zone("zone", reader.context.default_zone);
    cap.unknown_zones = reader.unknown_zones();
    parse_counts(reader, cap.counting);
    return std::make_unique<Budget>(std::move(cap));
}

}  // namespace touchgate::policy
