#include "adapters/smpp/settings.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/base/text.hpp"

namespace touchgate::adapters::smpp {

namespace {

using channel::OutcomeKind;
using channel::ReceiptStatus;

std::optional<std::uint32_t> parse_number(std::string_view text) {
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// A number from 0 to `max`, or "auto" (then `automatic`).
std::uint8_t read_type(JsonReader& reader, std::string_view key, std::uint8_t automatic, std::int64_t max) {
    const auto* found = reader.raw(key);
    if (found == nullptr || *found == "auto") return automatic;
    return static_cast<std::uint8_t>(reader.integer(key, automatic, 0, max));
}

// 5.2.5, 5.2.6: long digits are international E.164, a short code is network specific, anything else is alphanumeric.
Address read_source(JsonReader& reader) {
    constexpr std::size_t short_code_digits_max = 8;
    Address source;
    source.digits = reader.text("source_address", {}, {0, 20});
    for (const char c : source.digits)
        if (c < 0x20 || c > 0x7E) {
            reader.problem("source_address", "must be printable ASCII: SMPP addresses carry nothing else safely");
            break;
        }
    if (source.digits.starts_with('+')) source.digits.erase(0, 1);
    const bool digits_only = !source.digits.empty() && source.digits.find_first_not_of("0123456789") == std::string::npos;
    const bool is_long = source.digits.size() > short_code_digits_max;
    std::uint8_t ton = 5;
    if (source.digits.empty()) ton = 0;
    else if (digits_only) ton = is_long ? 1 : 3;
    source.ton = read_type(reader, "source_ton", ton, 7);
    source.npi = read_type(reader, "source_npi", digits_only && is_long ? std::uint8_t{1} : std::uint8_t{0}, 18);
    return source;
}

void read_tls(JsonReader& reader, channel::SessionAdapter::Endpoint& endpoint) {
    const auto* tls = reader.raw("tls");
    if (tls == nullptr) return;
    if (tls->is_boolean()) {
        endpoint.tls = tls->get<bool>();
    } else if (auto object = tls->is_object() ? reader.object("tls") : std::nullopt) {
        endpoint.tls = true;
        endpoint.tls_verify = object->boolean("verify", true);
        endpoint.tls_ca_file = object->text("ca_file");
        object->finish();
    } else {
        reader.problem("tls", "must be true, false or an object with \"verify\" and \"ca_file\"");
    }
}

std::vector<Tlv> read_tlvs(JsonReader& reader) {
    std::vector<Tlv> tlvs;
    reader.objects("tlvs", [&](JsonReader& each, std::size_t) {
        Tlv tlv;
        const auto number = parse_number(each.required_text("tag"));
        if (!number || *number == 0 || *number > 0xFFFF) each.problem("tag", "must be a number such as \"0x1400\"");
        else tlv.tag = static_cast<std::uint16_t>(*number);
        const auto type = each.choice("type", {"text", "c_string", "hex"}, "text");
        const auto value = each.text("value", {}, {0, 1'000});
        if (type == "hex") {
            if (const auto bytes = from_hex(value)) tlv.value = *bytes;
            else each.problem("value", "must be hexadecimal digits");
        } else {
            tlv.value = value;
            if (type == "c_string") tlv.value.push_back('\0');
        }
        each.finish();
        tlvs.push_back(std::move(tlv));
    });
    return tlvs;
}

void read_stat_map(JsonReader& reader, ReceiptRules& rules) {
    reader.members("stat_map", [&](const std::string& word, const Json& meaning, const std::string& pointer) {
        static const std::map<std::string, ReceiptStatus> meanings = {{"delivered", ReceiptStatus::delivered}, {"failed", ReceiptStatus::failed},
                                                                      {"pending", ReceiptStatus::pending},     {"unknown", ReceiptStatus::unknown},
                                                                      {"recipient_refuses", ReceiptStatus::recipient_refuses}};
        const auto found = meaning.is_string() ? meanings.find(meaning.get<std::string>()) : meanings.end();
        if (found == meanings.end()) reader.problems().push_back({pointer, "must be one of: delivered, failed, pending, unknown, recipient_refuses"});
        else rules.stat_map.emplace_back(word, found->second);
    });
    // Exact words before patterns, longer patterns before shorter, so that the order in the document (which JSON does not keep) is no matter.
    std::stable_sort(rules.stat_map.begin(), rules.stat_map.end(), [](const auto& a, const auto& b) {
        const bool a_open = a.first.ends_with('*');
        const bool b_open = b.first.ends_with('*');
        return a_open != b_open ? b_open : a.first.size() > b.first.size();
    });
}

void read_outcome_map(JsonReader& reader, Settings& settings) {
    reader.members("outcome_map", [&](const std::string& code, const Json& meaning, const std::string& pointer) {
        static const std::map<std::string, OutcomeKind> meanings = {{"not_sent", OutcomeKind::not_sent},
                                                                    {"throttled", OutcomeKind::throttled},
                                                                    {"recipient_refuses", OutcomeKind::recipient_refuses},
                                                                    {"recipient_invalid", OutcomeKind::recipient_invalid},
                                                                    {"refused", OutcomeKind::refused},
                                                                    {"content_rejected", OutcomeKind::content_rejected},
                                                                    {"quota_exhausted", OutcomeKind::quota_exhausted},
                                                                    {"provider_down", OutcomeKind::provider_down}};
        const auto number = parse_number(code);
        const auto found = meaning.is_string() ? meanings.find(meaning.get<std::string>()) : meanings.end();
        if (!number || *number == 0) reader.problems().push_back({pointer, "the name must be a command status such as \"0x45\""});
        else if (found == meanings.end())
            reader.problems().push_back({pointer,
                                         "must be one of: not_sent, throttled, recipient_refuses, recipient_invalid, refused, content_rejected, "
                                         "quota_exhausted, provider_down"});
        else settings.outcome_map[*number] = found->second;
    });
}

}  // namespace

Settings read_settings(JsonReader& reader) {
    Settings settings;
    settings.endpoint.host = reader.required_text("host", {1, 253});
    settings.endpoint.port = static_cast<std::uint16_t>(reader.integer("port", 2775, 1, 65'535));
    settings.endpoint.connect_timeout = reader.duration("connect_timeout", Duration{10'000}, Duration{100}, Duration{300'000});
    read_tls(reader, settings.endpoint);

    // The specification allows 15, 8 and 12 characters; longer passwords are issued by some centres, so only a sane bound is set.
    settings.bind.system_id = reader.required_text("system_id", {1, 64});
    settings.bind.password = reader.text("password", {}, {0, 64});
    settings.bind.system_type = reader.text("system_type", {}, {0, 12});
    const auto bind = reader.choice("bind", {"transceiver", "transmitter", "receiver"}, "transceiver");
    settings.bind_command = bind == "transmitter" ? command::bind_transmitter
                            : bind == "receiver"  ? command::bind_receiver
                                                  : command::bind_transceiver;

    settings.source = read_source(reader);
    settings.destination_ton = static_cast<std::uint8_t>(reader.integer("destination_ton", 1, 0, 7));
    settings.destination_npi = static_cast<std::uint8_t>(reader.integer("destination_npi", 1, 0, 18));
    settings.service_type = reader.text("service_type", {}, {0, 5});
    settings.esm_class = static_cast<std::uint8_t>(reader.integer("esm_class", 0, 0, 3));
    const auto alphabet = reader.choice("default_alphabet", {"gsm", "latin1", "ascii"}, "gsm");
    settings.default_alphabet = alphabet == "latin1"  ? content::Alphabet::latin1
                                : alphabet == "ascii" ? content::Alphabet::ascii
                                                      : content::Alphabet::gsm;
    const auto carried = reader.choice("long_messages", {"udh8", "udh16", "sar", "payload"}, "udh8");
    settings.long_messages = carried == "udh16"     ? LongMessages::udh16
                             : carried == "sar"     ? LongMessages::sar
                             : carried == "payload" ? LongMessages::payload
                                                    : LongMessages::udh8;
    settings.parts_max = static_cast<std::size_t>(reader.integer("parts_max", 255, 1, 255));
    settings.tlvs = read_tlvs(reader);
    settings.uses_validity = reader.choice("validity", {"policy", "provider"}, "policy") == "policy";

    settings.window = static_cast<int>(reader.integer("window", 32, 1, 10'000));
    settings.response_timeout = reader.duration("response_timeout", settings.response_timeout, Duration{100}, Duration{600'000});
    settings.enquire_interval = reader.duration("enquire_interval", settings.enquire_interval, Duration{1'000}, Duration{3'600'000});

    const auto ids = reader.choice("receipt_ids", {"auto", "same", "hex_to_dec", "dec_to_hex"}, "auto");
    settings.receipts.ids = ids == "same"         ? ReceiptIds::same
                            : ids == "hex_to_dec" ? ReceiptIds::hex_to_dec
                            : ids == "dec_to_hex" ? ReceiptIds::dec_to_hex
                                                  : ReceiptIds::automatic;
    if (const auto zone = parse_receipt_zone(reader.text("receipt_zone", "UTC"))) settings.receipts.zone = *zone;
    else reader.problem("receipt_zone", "must be \"UTC\", an offset such as \"+08:00\" or an IANA zone such as \"Asia/Shanghai\"");
    settings.receipts.guess = reader.boolean("guess_receipts", false);
    read_stat_map(reader, settings.receipts);
    read_outcome_map(reader, settings);
    return settings;
}

}  // namespace touchgate::adapters::smpp
