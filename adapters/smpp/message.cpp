#include "adapters/smpp/message.hpp"

namespace touchgate::adapters::smpp {

namespace {

using channel::Outcome;
using channel::OutcomeKind;

constexpr std::uint8_t user_data_header_bit = 0x40;  // of esm_class (5.2.12)
constexpr std::uint8_t coding_default = 0x00;
constexpr std::uint8_t coding_ucs2 = 0x08;
constexpr std::size_t address_digits_max = 20;
constexpr std::size_t payload_bytes_max = 65'000;

std::string number_bytes(std::uint32_t value, std::size_t size) {
    std::string bytes;
    for (auto i = size; i-- > 0;) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
    return bytes;
}

Outcome rejected(std::string field, std::string detail) {
    return {.kind = OutcomeKind::content_rejected, .detail = std::move(detail), .field = std::move(field)};
}

std::optional<std::uint32_t> number_of(const Tlv* tlv, std::size_t size) {
    if (tlv == nullptr || tlv->value.size() != size) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : tlv->value) value = (value << 8U) | static_cast<std::uint8_t>(c);
    return value;
}

}  // namespace

std::variant<std::vector<ShortMessage>, Outcome> encode_submission(const channel::Submission& submission, const Settings& settings,
                                                                   content::ReferenceNumbers& references) {
    const auto& text = submission.content.text;
    if (text.empty()) return rejected("text", "SMPP takes free text and there is none");
    const auto digits = submission.to.starts_with('+') ? submission.to.substr(1) : submission.to;
    if (digits.empty() || digits.size() > address_digits_max || digits.find_first_not_of("0123456789") != std::string::npos)
        return Outcome{.kind = OutcomeKind::recipient_invalid, .detail = "the address is not an international number"};

    ShortMessage prototype;
    prototype.service_type = settings.service_type;
    prototype.source = settings.source;
    prototype.destination = {.ton = settings.destination_ton, .npi = settings.destination_npi, .digits = digits};
    prototype.esm_class = settings.esm_class;
    if (submission.valid_for && settings.uses_validity) prototype.validity_period = relative_time(*submission.valid_for);
    prototype.registered_delivery = 1;  // a receipt for success and failure (5.2.17)

    auto encoded = content::encode_sms(text, settings.default_alphabet, settings.part_header());
    prototype.data_coding = encoded.alphabet == content::Alphabet::ucs2 ? coding_ucs2 : coding_default;
    const auto total = encoded.parts.size();
    if (total > settings.parts_max)
        return rejected("text", "takes " + std::to_string(total) + " parts, the account allows " + std::to_string(settings.parts_max));

    std::vector<ShortMessage> messages;
    if (total > 1 && settings.long_messages == LongMessages::payload) {
        auto bytes = content::encode(text, encoded.alphabet);
        if (!bytes || bytes->size() > payload_bytes_max) return rejected("text", "is too long for one message_payload");
        messages.push_back(std::move(prototype));
        messages.back().tlvs.push_back({.tag = tag::message_payload, .value = std::move(*bytes)});
        messages.back().tlvs.insert(messages.back().tlvs.end(), settings.tlvs.begin(), settings.tlvs.end());
        return messages;
    }
    messages.reserve(total);
    content::PartPlace place{
        .reference = total > 1 ? references.next(digits) : std::uint16_t{0}, .total = static_cast<std::uint8_t>(total), .index = 1};
    for (auto& bytes : encoded.parts) {
        auto& message = messages.emplace_back(prototype);
        if (total > 1 && settings.long_messages == LongMessages::sar) {
            message.tlvs = {{.tag = tag::sar_msg_ref_num, .value = number_bytes(place.reference, 2)},
                            {.tag = tag::sar_total_segments, .value = number_bytes(place.total, 1)},
                            {.tag = tag::sar_segment_seqnum, .value = number_bytes(place.index, 1)}};
            message.short_message = std::move(bytes);
        } else if (total > 1) {
            message.esm_class |= user_data_header_bit;
            message.short_message = content::concatenation_header(settings.part_header(), place) + bytes;
        } else {
            message.short_message = std::move(bytes);
        }
        message.tlvs.insert(message.tlvs.end(), settings.tlvs.begin(), settings.tlvs.end());
        ++place.index;
    }
    return messages;
}

std::string relative_time(Duration duration) {
    constexpr std::int64_t seconds_per_day = 86'400;
    constexpr std::int64_t days_max = 31;
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    if (seconds < 1) seconds = 1;
    if (seconds > days_max * seconds_per_day) seconds = days_max * seconds_per_day;
    const auto two = [](std::int64_t value) { return std::string{static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)}; };
    return "0000" + two(seconds / seconds_per_day) + two(seconds / 3'600 % 24) + two(seconds / 60 % 60) + two(seconds % 60) + "000R";
}

std::string decode_text(std::string_view bytes, std::uint8_t data_coding, content::Alphabet default_alphabet) {
    using content::Alphabet;
    switch (data_coding) {
        case 0x00: return content::decode(bytes, default_alphabet);
        case 0x01: return content::decode(bytes, Alphabet::ascii);
        case 0x08: return content::decode(bytes, Alphabet::ucs2);
        default: break;
    }
    // GSM 03.38 groups: 0xC0-0xDF and 0xF0-0xFF default alphabet (bit 2 of the latter: 8-bit data), 0xE0-0xEF UCS-2.
    if (data_coding >= 0xC0 && data_coding <= 0xDF) return content::decode(bytes, Alphabet::gsm);
    if (data_coding >= 0xE0 && data_coding <= 0xEF) return content::decode(bytes, Alphabet::ucs2);
    if (data_coding >= 0xF0 && (data_coding & 0x04U) == 0) return content::decode(bytes, Alphabet::gsm);
    return content::decode(bytes, Alphabet::latin1);
}

ReceivedBytes received_bytes(const ShortMessage& message) {
    const auto bytes = message.bytes();
    if ((message.esm_class & user_data_header_bit) != 0) {
        const auto data = content::read_user_data(bytes);
        return {.place = data.place, .wide = data.wide, .text = data.text};
    }
    const auto reference = number_of(message.find(tag::sar_msg_ref_num), 2);
    const auto total = number_of(message.find(tag::sar_total_segments), 1);
    const auto index = number_of(message.find(tag::sar_segment_seqnum), 1);
    if (reference && total && index && *total > 1 && *index >= 1 && *index <= *total)
        return {.place = content::PartPlace{.reference = static_cast<std::uint16_t>(*reference),
                                            .total = static_cast<std::uint8_t>(*total),
                                            .index = static_cast<std::uint8_t>(*index)},
                .wide = true,
                .text = bytes};
    return {.place = std::nullopt, .wide = false, .text = bytes};
}

Outcome classify_refusal(std::uint32_t status, const Settings& settings) {
    Outcome outcome{.kind = OutcomeKind::refused, .code = status_code(status), .detail = std::string{status_name(status)}};
    if (const auto mapped = settings.outcome_map.find(status); mapped != settings.outcome_map.end()) {
        outcome.kind = mapped->second;
    } else {
        switch (status) {
            case status::throttled:
            case status::queue_full: outcome.kind = OutcomeKind::throttled; break;
            case status::system_error:
            case status::temporary_application_error: outcome.kind = OutcomeKind::not_sent; break;
            case status::invalid_destination: outcome.kind = OutcomeKind::recipient_invalid; break;
            default: break;
        }
    }
    if (outcome.kind == OutcomeKind::throttled || outcome.kind == OutcomeKind::quota_exhausted) outcome.scope = "account";
    if (outcome.kind == OutcomeKind::content_rejected) outcome.field = "text";
    return outcome;
}

}  // namespace touchgate::adapters::smpp
