#include "gateway/content/billing.hpp"

#include <limits>

#include "gateway/content/sms_text.hpp"

namespace touchgate::content {

namespace {

constexpr std::int64_t micros_per_unit = 1'000'000;

Money times(Money price, std::int64_t count) {
    if (count <= 0 || price.micros <= 0) return {};
    if (price.micros > std::numeric_limits<std::int64_t>::max() / count) return {.micros = std::numeric_limits<std::int64_t>::max()};
    return {.micros = price.micros * count};
}

std::int64_t started_steps(Duration talk, Duration step) {
    return talk.count() <= 0 ? 0 : (talk.count() + step.count() - 1) / step.count();
}

}  // namespace

std::optional<Money> parse_money(std::string_view text) {
    constexpr std::size_t digits_before_max = 9;
    constexpr std::size_t decimals_max = 6;
    const auto point = text.find('.');
    const auto whole = text.substr(0, point);
    const auto decimals = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
    if (whole.empty() || whole.size() > digits_before_max || decimals.size() > decimals_max) return std::nullopt;
    if (point != std::string_view::npos && decimals.empty()) return std::nullopt;
    std::int64_t micros = 0;
    for (const auto part : {whole, decimals})
        for (const char c : part) {
            if (c < '0' || c > '9') return std::nullopt;
            micros = micros * 10 + (c - '0');
        }
    for (auto i = decimals.size(); i < decimals_max; ++i) micros *= 10;
    return Money{.micros = micros};
}

std::string format_money(Money money) {
    const bool negative = money.micros < 0;
    const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(money.micros) : static_cast<std::uint64_t>(money.micros);
    auto text = std::to_string(magnitude / micros_per_unit);
    auto decimals = std::to_string(magnitude % micros_per_unit);
    decimals.insert(0, 6 - decimals.size(), '0');
    while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
    if (!decimals.empty()) text += "." + decimals;
    return negative ? "-" + text : text;
}

int billed_segments(std::string_view text, Counting counting) {
    if (counting == Counting::gsm7) return measure_sms(text).segments;
    constexpr std::size_t single = 70;
    constexpr std::size_t each = 67;
    std::size_t units = 0;
    for (std::size_t position = 0; position < text.size();) units += next_code_point(text, position) > 0xFFFF ? 2 : 1;
    return units <= single ? 1 : static_cast<int>((units + each - 1) / each);
}

Money Billing::message_cost(int segments) const {
    if (per == BillingUnit::segment) return times(price, segments);
    return per == BillingUnit::message ? price : Money{};
}

Money Billing::call_cost(Duration talk) const {
    if (per == BillingUnit::minute) return times(price, started_steps(talk, std::chrono::minutes{1}));
    return per == BillingUnit::six_seconds ? times(price, started_steps(talk, std::chrono::seconds{6})) : Money{};
}

Billing read_billing(JsonReader reader) {
    Billing billing;
    billing.currency = reader.text("currency", billing.currency, {3, 3});
    if (const auto* price = reader.raw("price"); price != nullptr) {
        const auto parsed = price->is_string() ? parse_money(price->get_ref<const std::string&>()) : std::nullopt;
        if (parsed) billing.price = *parsed;
        else reader.problem("price", "must be a decimal in a string with at most 6 decimals, such as \"0.045\"");
    } else {
        reader.problem("price", "is required");
    }
    const auto per = reader.choice("per", {"segment", "message", "minute", "6s"}, "segment");
    billing.per = per == "message"  ? BillingUnit::message
                  : per == "minute" ? BillingUnit::minute
                  : per == "6s"     ? BillingUnit::six_seconds
                                    : BillingUnit::segment;
    billing.counting = reader.choice("counting", {"cn70", "gsm7"}, "cn70") == "gsm7" ? Counting::gsm7 : Counting::cn70;
    billing.on = reader.choice("on", {"submit", "delivered"}, "submit") == "delivered" ? BillingMoment::delivered : BillingMoment::submit;
    reader.finish();
    return billing;
}

}  // namespace touchgate::content
