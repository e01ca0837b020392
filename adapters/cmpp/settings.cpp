#include "adapters/cmpp/settings.hpp"

#include <algorithm>
#include <charconv>

namespace touchgate::adapters::cmpp {

namespace {

using channel::OutcomeKind;
using channel::ReceiptStatus;

bool is_digits(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos; }

void read_stat_map(JsonReader& reader, Settings& settings) {
    reader.members("stat_map", [&](const std::string& word, const Json& meaning, const std::string& pointer) {
        static const std::map<std::string, ReceiptStatus> meanings = {{"delivered", ReceiptStatus::delivered}, {"failed", ReceiptStatus::failed},
                                                                      {"pending", ReceiptStatus::pending},     {"unknown", ReceiptStatus::unknown},
                                                                      {"recipient_refuses", ReceiptStatus::recipient_refuses}};
        const auto found = meaning.is_string() ? meanings.find(meaning.get<std::string>()) : meanings.end();
        if (found == meanings.end()) reader.problems().push_back({pointer, "must be one of: delivered, failed, pending, unknown, recipient_refuses"});
        else settings.stat_map.emplace_back(word, found->second);
    });
    // Exact words before patterns, longer patterns before shorter, for JSON keeps no order.
    std::stable_sort(settings.stat_map.begin(), settings.stat_map.end(), [](const auto& a, const auto& b) {
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
                                                                    {"provider_down", OutcomeKind::provider_down},
                                                                    {"config", OutcomeKind::config}};
        std::uint32_t number = 0;
        const auto [end, failure] = std::from_chars(code.data(), code.data() + code.size(), number);
        const auto found = meaning.is_string() ? meanings.find(meaning.get<std::string>()) : meanings.end();
        if (failure != std::errc{} || end != code.data() + code.size() || number == 0)
            reader.problems().push_back({pointer, "the name must be a result such as \"101\""});
        else if (found == meanings.end())
            reader.problems().push_back({pointer,
                                         "must be one of: not_sent, throttled, recipient_refuses, recipient_invalid, refused, content_rejected, "
                                         "quota_exhausted, provider_down, config"});
        else settings.outcome_map[number] = found->second;
    });
}

void read_submit_fields(JsonReader& reader, Settings& settings) {
    auto& prototype = settings.prototype;
    prototype.source_id = settings.sp_id;
    prototype.source_number = reader.required_text("source_address", {1, 21});
    if (!prototype.source_number.empty() && !is_digits(prototype.source_number))
        reader.problem("source_address", "must be the access number, digits only");
    prototype.service_id = reader.text("service_id", {}, {0, 10});
    prototype.level = static_cast<std::uint8_t>(reader.integer("level", 0, 0, 9));
    prototype.fee_user_type = static_cast<std::uint8_t>(reader.integer("fee_user_type", 2, 0, 2));
    prototype.fee_type = reader.text("fee_type", "01", {2, 2});
    prototype.fee_code = reader.text("fee_code", "000000", {6, 6});
}

}  // namespace

Settings read_settings(JsonReader& reader) {
    Settings settings;
    settings.endpoint.host = reader.required_text("host", {1, 253});
    settings.endpoint.port = static_cast<std::uint16_t>(reader.integer("port", 7890, 1, 65'535));
    settings.endpoint.connect_timeout = reader.duration("connect_timeout", Duration{10'000}, Duration{100}, Duration{300'000});
    settings.sp_id = reader.required_text("sp_id", {1, 6});
    settings.secret = reader.required_text("secret", {1, 64});
    const auto version = reader.choice("version", {"2.0", "2.1", "3.0"}, "2.0");
    settings.version = version == "3.0" ? Version::v30 : version == "2.1" ? Version::v21 : Version::v20;
    read_submit_fields(reader, settings);
    settings.ascii_as_ascii = reader.choice("text_format", {"ucs2", "auto"}, "ucs2") == "auto";
    settings.gsm_in_format_0 = reader.choice("format_0", {"ascii", "gsm"}, "ascii") == "gsm";
    settings.with_country_code = reader.choice("destination_format", {"national", "86"}, "national") == "86";
    settings.part_header = reader.choice("long_messages", {"udh8", "udh16"}, "udh8") == "udh16" ? content::PartHeader::reference_16_bit
                                                                                                : content::PartHeader::reference_8_bit;
    settings.parts_max = static_cast<std::size_t>(reader.integer("parts_max", 255, 1, 255));
    settings.uses_validity = reader.choice("validity", {"policy", "provider"}, "policy") == "policy";
    settings.window = static_cast<int>(reader.integer("window", 16, 1, 10'000));
    settings.response_timeout = reader.duration("response_timeout", settings.response_timeout, Duration{100}, Duration{600'000});
    settings.link_test_interval = reader.duration("link_test_interval", settings.link_test_interval, Duration{1'000}, Duration{3'600'000});
    read_stat_map(reader, settings);
    read_outcome_map(reader, settings);
    return settings;
}

}  // namespace touchgate::adapters::cmpp
