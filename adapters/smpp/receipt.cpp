#include "adapters/smpp/receipt.hpp"

#include <date/date.h>
#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "gateway/base/text.hpp"

namespace touchgate::adapters::smpp {

namespace {

using channel::ReceiptStatus;

// esm_class bits 5-2 of a deliver_sm (5.2.12).
constexpr std::uint8_t message_type_mask = 0x3C;
constexpr std::uint8_t type_receipt = 0x04;
constexpr std::uint8_t type_intermediate = 0x20;

// Status words by message_state (table 5-6; 0 and 9 are of version 5.0).
constexpr std::array<std::string_view, 10> state_words = {"SCHEDULED", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED",
                                                          "UNDELIV",   "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED"};

struct StatusWord { std::string_view written, canonical; ReceiptStatus status; };
// The words of appendix B, and their long spellings that some centres use.
constexpr std::array status_words = std::to_array<StatusWord>({
    {"DELIVRD", "DELIVRD", ReceiptStatus::delivered},       {"DELIVERED", "DELIVRD", ReceiptStatus::delivered},
    {"ENROUTE", "ENROUTE", ReceiptStatus::pending},         {"ACCEPTD", "ACCEPTD", ReceiptStatus::pending},
    {"ACCEPTED", "ACCEPTD", ReceiptStatus::pending},        {"SCHEDULED", "SCHEDULED", ReceiptStatus::pending},
    {"UNDELIV", "UNDELIV", ReceiptStatus::failed},          {"UNDELIVERED", "UNDELIV", ReceiptStatus::failed},
    {"UNDELIVERABLE", "UNDELIV", ReceiptStatus::failed},    {"REJECTD", "REJECTD", ReceiptStatus::failed},
    {"REJECTED", "REJECTD", ReceiptStatus::failed},         {"EXPIRED", "EXPIRED", ReceiptStatus::failed},
    {"DELETED", "DELETED", ReceiptStatus::failed},          {"SKIPPED", "SKIPPED", ReceiptStatus::failed},
    {"UNKNOWN", "UNKNOWN", ReceiptStatus::unknown},
});

std::string to_upper_ascii(std::string_view text) {
    std::string upper{text};
    for (auto& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return upper;
}

const StatusWord* find_status_word(std::string_view word) {
    const auto upper = to_upper_ascii(word);
    const auto found = std::find_if(status_words.begin(), status_words.end(), [&](const StatusWord& known) { return known.written == upper; });
    return found == status_words.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> to_number(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string in_base(std::uint64_t value, int base) {
    std::array<char, 24> buffer;
    const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, base);
    return failure == std::errc{} ? std::string{buffer.data(), end} : std::string{};
}

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.insert(0, width - text.size(), '0');
    return text;
}

std::optional<int> two_digits(std::string_view digits, std::size_t at) {
    if (at + 2 > digits.size() || digits[at] < '0' || digits[at] > '9' || digits[at + 1] < '0' || digits[at + 1] > '9') return std::nullopt;
    return (digits[at] - '0') * 10 + (digits[at + 1] - '0');
}

bool looks_like_receipt(std::string_view text) {
    const auto lower = to_lower_ascii(text);
    return lower.starts_with("id:") && lower.find(" stat:") != std::string::npos;
}

bool matches(std::string_view pattern, std::string_view word) {
    const auto wanted = to_upper_ascii(pattern);
    const auto upper = to_upper_ascii(word);
    return wanted.ends_with('*') ? upper.starts_with(std::string_view{wanted}.substr(0, wanted.size() - 1)) : upper == wanted;
}

bool is_mapped(std::string_view word, const ReceiptRules& rules) {
    return std::any_of(rules.stat_map.begin(), rules.stat_map.end(), [&](const auto& entry) { return matches(entry.first, word); });
}

// The parameter wins over the text, but a word of the centre's own (MK:0001) with the same meaning, or one that the account maps, is kept.
bool text_says_more(std::string_view word, std::string_view state, const ReceiptRules& rules) {
    if (word.empty()) return false;
    if (is_mapped(word, rules)) return true;
    const auto* known = find_status_word(word);
    return known == nullptr ? receipt_status(word, rules) == receipt_status(state, rules) : known->canonical == state;
}

std::string without_final_zeros(std::string_view value) {
    while (!value.empty() && value.back() == '\0') value.remove_suffix(1);
    return std::string{value};
}

}  // namespace

std::optional<ReceiptZone> parse_receipt_zone(std::string_view text) {
    if (text == "UTC" || text == "Z") return ReceiptZone{std::chrono::minutes{0}};
    if (text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':') {
        const auto hours = two_digits(text, 1);
        const auto minutes = two_digits(text, 4);
        if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
        const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
        return ReceiptZone{text[0] == '-' ? -offset : offset};
    }
    try {
        return ReceiptZone{date::locate_zone(std::string{text})};
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

ReceiptText parse_receipt_text(std::string_view text) {
    struct Label { std::string_view name; std::string ReceiptText::*field; };
    static const std::array labels = std::to_array<Label>({{"id:", &ReceiptText::id},
                                                           {"sub:", nullptr},
                                                           {"dlvrd:", nullptr},
                                                           {"submit date:", &ReceiptText::submitted},
                                                           {"done date:", &ReceiptText::done},
                                                           {"stat:", &ReceiptText::stat},
                                                           {"err:", &ReceiptText::error},
                                                           {"text:", &ReceiptText::text}});
    const auto lower = to_lower_ascii(text);
    struct Found { std::size_t at; const Label* label; };
    std::vector<Found> found;
    // Everything after "text:" is the customer's message, where labels mean nothing.
    std::size_t end = lower.size();
    for (std::size_t at = 0; at < end; ++at) {
        if (at > 0 && lower[at - 1] != ' ' && lower[at - 1] != '\n' && lower[at - 1] != ',') continue;
        for (const auto& label : labels)
            if (lower.compare(at, label.name.size(), label.name) == 0 &&
                std::none_of(found.begin(), found.end(), [&](const Found& earlier) { return earlier.label == &label; })) {
                found.push_back({at, &label});
                if (label.field == &ReceiptText::text) end = at + 1;
                break;
            }
    }
    ReceiptText read;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto from = found[i].at + found[i].label->name.size();
        const auto to = i + 1 < found.size() ? found[i + 1].at : text.size();
        if (found[i].label->field == nullptr) continue;
        auto value = trim(text.substr(from, to - from));
        if (found[i].label->field != &ReceiptText::text)
            while (!value.empty() && value.back() == ',') value = trim(value.substr(0, value.size() - 1));
        read.*(found[i].label->field) = std::string{value};
    }
    return read;
}

std::optional<Instant> parse_receipt_date(std::string_view digits, const ReceiptZone& zone) {
    if (digits.size() != 10 && digits.size() != 12 && digits.size() != 14) return std::nullopt;
    std::array<int, 7> pairs{};
    for (std::size_t i = 0; i < digits.size() / 2; ++i) {
        const auto pair = two_digits(digits, i * 2);
        if (!pair) return std::nullopt;
        pairs[i] = *pair;
    }
    const bool long_year = digits.size() == 14;
    const std::size_t month_at = long_year ? 2 : 1;
    const int year = long_year ? pairs[0] * 100 + pairs[1] : 2000 + pairs[0];
    const int seconds = digits.size() == 10 ? 0 : pairs[month_at + 4];
    const auto day = date::year{year} / pairs[month_at] / pairs[month_at + 1];
    if (!day.ok() || year < 1970 || pairs[month_at + 2] > 23 || pairs[month_at + 3] > 59 || seconds > 59) return std::nullopt;
    const date::local_time<Duration> local =
        date::local_days{day} + std::chrono::hours{pairs[month_at + 2]} + std::chrono::minutes{pairs[month_at + 3]} + std::chrono::seconds{seconds};
    if (const auto* offset = std::get_if<std::chrono::minutes>(&zone)) return Instant{local.time_since_epoch() - *offset};
    const auto* const* named = std::get_if<const date::time_zone*>(&zone);
    return Instant{(*named)->to_sys(local, date::choose::earliest).time_since_epoch()};
}

std::vector<std::string> receipt_id_forms(std::string_view id, ReceiptIds ids) {
    std::vector<std::string> forms;
    const auto add = [&](std::string form) {
        if (!form.empty() && std::find(forms.begin(), forms.end(), form) == forms.end()) forms.push_back(std::move(form));
    };
    const auto add_cases = [&](const std::string& form) {
        add(form);
        add(to_lower_ascii(form));
        add(to_upper_ascii(form));
    };
    constexpr std::size_t decimal_width = 10;
    constexpr std::size_t hex_width = 8;
    id = trim(id);
    if (id.empty()) return forms;
    add_cases(std::string{id});
    auto stripped = id;
    while (stripped.size() > 1 && stripped.front() == '0') stripped.remove_prefix(1);
    add_cases(std::string{stripped});
    const auto decimal = to_number(stripped, 10);
    const auto hex = to_number(stripped, 16);
    if (decimal) add(padded(in_base(*decimal, 10), decimal_width));
    if (hex) add_cases(padded(to_lower_ascii(stripped), hex_width));
    if (hex && (ids == ReceiptIds::automatic || ids == ReceiptIds::hex_to_dec)) {
        add(in_base(*hex, 10));
        add(padded(in_base(*hex, 10), decimal_width));
    }
    if (decimal && (ids == ReceiptIds::automatic || ids == ReceiptIds::dec_to_hex)) {
        add_cases(in_base(*decimal, 16));
        add_cases(padded(in_base(*decimal, 16), hex_width));
    }
    return forms;
}

ReceiptStatus receipt_status(std::string_view word, const ReceiptRules& rules) {
    for (const auto& [pattern, status] : rules.stat_map)
        if (matches(pattern, word)) return status;
    if (word.empty()) return ReceiptStatus::unknown;
    const auto* known = find_status_word(word);
    return known == nullptr ? ReceiptStatus::failed : known->status;
}

bool is_receipt(const ShortMessage& message, const ReceiptRules& rules) {
    const auto type = message.esm_class & message_type_mask;
    if (type == type_receipt || type == type_intermediate) return true;
    if (message.find(tag::receipted_message_id) != nullptr) return true;
    return rules.guess && looks_like_receipt(message.bytes());
}

channel::Receipt read_receipt(const ShortMessage& message, std::string_view text, const ReceiptRules& rules) {
    const auto fields = parse_receipt_text(text);
    channel::Receipt receipt{.kind = "deliver_sm"};
    auto id = fields.id;
    if (const auto* tlv = message.find(tag::receipted_message_id); tlv != nullptr)
        if (auto value = without_final_zeros(tlv->value); !value.empty()) id = std::move(value);
    auto word = fields.stat;
    if (const auto* tlv = message.find(tag::message_state); tlv != nullptr && tlv->value.size() == 1) {
        const auto state = static_cast<std::uint8_t>(tlv->value[0]);
        if (state < state_words.size() && !text_says_more(word, state_words[state], rules)) word = state_words[state];
    }
    receipt.provider_ids = receipt_id_forms(id, rules.ids);
    receipt.destination = address_text(message.source);  // in a receipt the two are swapped (2.11)
    receipt.status = receipt_status(word, rules);
    const bool intermediate = (message.esm_class & message_type_mask) == type_intermediate;
    if (intermediate && receipt.status != ReceiptStatus::delivered) receipt.status = ReceiptStatus::pending;
    receipt.raw = word;
    if (receipt.status == ReceiptStatus::failed || receipt.status == ReceiptStatus::recipient_refuses) {
        const auto* known = find_status_word(word);
        receipt.reason = to_lower_ascii(known == nullptr ? std::string_view{word} : known->canonical);
    }
    receipt.at = parse_receipt_date(fields.done, rules.zone);
    return receipt;
}

std::string address_text(const Address& address) {
    const bool digits_only = !address.digits.empty() && address.digits.find_first_not_of("0123456789") == std::string::npos;
    return address.ton == 1 && digits_only ? "+" + address.digits : address.digits;
}

}  // namespace touchgate::adapters::smpp
