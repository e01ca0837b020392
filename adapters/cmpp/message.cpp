#include "adapters/cmpp/message.hpp"

#include <date/date.h>

#include <algorithm>
#include <array>

#include "gateway/base/text.hpp"

namespace touchgate::adapters::cmpp {

namespace {

using channel::Outcome;
using channel::OutcomeKind;
using channel::ReceiptStatus;

constexpr std::uint8_t format_ascii = 0;
constexpr std::uint8_t format_ucs2 = 8;
constexpr std::uint8_t format_gb = 15;
constexpr std::size_t ascii_characters_max = 159;  // Msg_Length is below 160 when Msg_Fmt is 0
constexpr std::chrono::hours china_offset{8};

bool goes_as_ascii(std::string_view text, const Settings& settings) {
    return settings.ascii_as_ascii && text.size() <= ascii_characters_max &&
           content::choose_alphabet(text, content::Alphabet::ascii) == content::Alphabet::ascii;
}

// Everything else goes as UCS-2, the one format that every gateway handles; so it is cut as if no character fitted a smaller alphabet.
std::vector<std::string> ucs2_parts(std::string_view text, content::PartHeader header) {
    return content::encode_sms(text, content::Alphabet::ucs2, header).parts;
}

Outcome rejected(std::string detail) { return {.kind = OutcomeKind::content_rejected, .detail = std::move(detail), .field = "text"}; }

std::string upper(std::string_view text) {
    std::string out{text};
    for (auto& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

bool matches(std::string_view pattern, std::string_view word) {
    const auto wanted = upper(pattern);
    const auto given = upper(word);
    return wanted.ends_with('*') ? given.starts_with(std::string_view{wanted}.substr(0, wanted.size() - 1)) : given == wanted;
}

}  // namespace

std::variant<std::vector<Submit>, Outcome> encode_submission(const channel::Submission& submission, const Settings& settings,
                                                             content::ReferenceNumbers& references, Instant now) {
    const auto& text = submission.content.text;
    if (text.empty()) return rejected("CMPP takes free text and there is none");
    auto digits = submission.to.starts_with('+') ? submission.to.substr(1) : submission.to;
    if (digits.empty() || digits.size() > 20 || digits.find_first_not_of("0123456789") != std::string::npos)
        return Outcome{.kind = OutcomeKind::recipient_invalid, .detail = "the address is not a phone number"};
    if (!settings.with_country_code && digits.size() == 13 && digits.starts_with("86")) digits.erase(0, 2);

    auto prototype = settings.prototype;
    prototype.destination = digits;
    if (submission.valid_for && settings.uses_validity) prototype.valid_time = absolute_time(now + *submission.valid_for);
    if (goes_as_ascii(text, settings)) {
        prototype.format = format_ascii;
        prototype.content = text;
        return std::vector{prototype};
    }
    prototype.format = format_ucs2;
    auto contents = ucs2_parts(text, settings.part_header);
    if (contents.size() > settings.parts_max)
        return rejected("takes " + std::to_string(contents.size()) + " parts, the account allows " + std::to_string(settings.parts_max));
    std::vector<Submit> submits;
    content::PartPlace place{.reference = contents.size() > 1 ? references.next(digits) : std::uint16_t{0},
                             .total = static_cast<std::uint8_t>(contents.size()),
                             .index = 1};
    for (auto& part : contents) {
        auto& submit = submits.emplace_back(prototype);
        submit.part_total = place.total;
        submit.part_number = place.index;
        if (contents.size() > 1) {
            submit.user_data_header = 1;
            submit.content = content::concatenation_header(settings.part_header, place) + part;
        } else {
            submit.content = std::move(part);
        }
        ++place.index;
    }
    return submits;
}

int segments_of(std::string_view text, const Settings& settings) {
    return goes_as_ascii(text, settings) ? 1 : content::measure_sms(text, content::Alphabet::ucs2, settings.part_header).segments;
}

std::string absolute_time(Instant instant) {
    return date::format("%y%m%d%H%M%S", date::floor<std::chrono::seconds>(instant + china_offset)) + "032+";
}

Outcome classify_result(std::uint32_t result, const Settings& settings) {
    Outcome outcome{.kind = OutcomeKind::refused, .code = std::to_string(result), .detail = std::string{result_name(result)}};
    if (const auto mapped = settings.outcome_map.find(result); mapped != settings.outcome_map.end()) {
        outcome.kind = mapped->second;
    } else {
        switch (result) {
            case 3: outcome.kind = OutcomeKind::unknown; break;  // the gateway saw this sequence before: perhaps it has the message
            case 5:
            case 7:
            case 10:
            case 11: outcome.kind = OutcomeKind::config; break;
            case 6: outcome.kind = OutcomeKind::content_rejected; break;
            case 8: outcome.kind = OutcomeKind::throttled; break;
            case 13: outcome.kind = OutcomeKind::recipient_invalid; break;
            default: break;
        }
    }
    if (outcome.kind == OutcomeKind::throttled || outcome.kind == OutcomeKind::quota_exhausted) outcome.scope = "account";
    if (outcome.kind == OutcomeKind::content_rejected) outcome.field = "text";
    return outcome;
}

channel::Receipt read_receipt(const Report& report, const Settings& settings) {
    channel::Receipt receipt{.kind = "deliver"};
    receipt.provider_ids = {message_id_text(report.message_id)};
    receipt.destination = phone_text(report.destination);
    receipt.status = receipt_status(report.stat, settings);
    receipt.raw = report.stat;
    if (receipt.status == ReceiptStatus::failed || receipt.status == ReceiptStatus::recipient_refuses) receipt.reason = to_lower_ascii(report.stat);
    receipt.at = parse_report_time(report.done_time);
    return receipt;
}

ReceiptStatus receipt_status(std::string_view stat, const Settings& settings) {
    for (const auto& [pattern, status] : settings.stat_map)
        if (matches(pattern, stat)) return status;
    const auto word = upper(stat);
    if (word == "DELIVRD") return ReceiptStatus::delivered;
    if (word == "ACCEPTD" || word == "ENROUTE") return ReceiptStatus::pending;
    // MC: and IC: say that the next element sent no receipt, so nothing is known.
    if (word.empty() || word == "UNKNOWN" || word.starts_with("MC:") || word.starts_with("IC:")) return ReceiptStatus::unknown;
    return ReceiptStatus::failed;
}

std::optional<Instant> parse_report_time(std::string_view digits) {
    if (digits.size() != 10 || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::array<int, 5> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = (digits[2 * i] - '0') * 10 + (digits[2 * i + 1] - '0');
    const auto day = date::year{2000 + pairs[0]} / pairs[1] / pairs[2];
    if (!day.ok() || pairs[3] > 23 || pairs[4] > 59) return std::nullopt;
    return Instant{date::sys_days{day} + std::chrono::hours{pairs[3]} + std::chrono::minutes{pairs[4]} - china_offset};
}

std::string decode_text(std::string_view bytes, std::uint8_t format, const Settings& settings) {
    switch (format) {
        case format_ascii: return content::decode(bytes, settings.gsm_in_format_0 ? content::Alphabet::gsm : content::Alphabet::ascii);
        case format_ucs2: return content::decode(bytes, content::Alphabet::ucs2);
        case format_gb: return content::decode_gb18030(bytes);
        default: return content::decode(bytes, content::Alphabet::latin1);
    }
}

std::string phone_text(std::string_view number) {
    auto digits = number.starts_with('+') ? number.substr(1) : number;
    if (digits.size() == 13 && digits.starts_with("86")) digits.remove_prefix(2);
    const bool mobile = digits.size() == 11 && digits.front() == '1' && digits.find_first_not_of("0123456789") == std::string_view::npos;
    return mobile ? "+86" + std::string{digits} : std::string{number};
}

}  // namespace touchgate::adapters::cmpp
