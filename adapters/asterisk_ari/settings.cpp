#include "adapters/asterisk_ari/settings.hpp"

#include <algorithm>
#include <array>

namespace touchgate::adapters::asterisk_ari {

namespace {

constexpr std::array outcome_words = {"busy",       "no_answer", "rejected", "invalid_number", "unreachable",       "congestion",
                                      "failed",     "cancelled", "unknown",  "powered_off",    "suspended",         "blocked_by_carrier"};

std::string read_endpoint(JsonReader& reader, std::string_view key, const char* example) {
    auto text = reader.required_text(key, {1, 200});
    if (!text.empty() && !telephony::is_endpoint_template(text))
        reader.problem(key, std::string{"must be one endpoint with a placeholder, such as \""}.append(example).append("\""));
    return text;
}

// "cause 20" or "20", "sip 480".
std::string outcome_key(const std::string& text) {
    const auto is_digits = [](std::string_view part) { return !part.empty() && part.size() <= 3 && part.find_first_not_of("0123456789") == std::string_view::npos; };
    if (is_digits(text)) return std::string{"cause "}.append(text);
    if (text.starts_with("cause ") && is_digits(std::string_view{text}.substr(6))) return text;
    if (text.starts_with("sip ") && is_digits(std::string_view{text}.substr(4))) return text;
    return {};
}

void read_outcome_map(JsonReader& reader, Settings& settings) {
    reader.members("outcome_map", [&](const std::string& key, const Json& word, const std::string& pointer) {
        const auto cause = outcome_key(key);
        if (cause.empty()) {
            reader.problems().push_back({pointer, "the name must be a Q.850 cause such as \"cause 20\" or a SIP status such as \"sip 480\""});
        } else if (!word.is_string() || std::find(outcome_words.begin(), outcome_words.end(), word.get<std::string>()) == outcome_words.end()) {
            std::string list;
            for (const auto* each : outcome_words) list.append(list.empty() ? "" : ", ").append(each);
            reader.problems().push_back({pointer, std::string{"must be one of: "}.append(list)});
        } else {
            settings.outcome_map[cause] = word.get<std::string>();
        }
    });
}

// The meaning of these is the engine's; what cannot be right whatever it makes of them is said here.
void check_shapes(JsonReader& reader) {
    (void)reader.duration("agent_ring_timeout", Duration{15'000}, Duration{1'000}, Duration{600'000});
    if (auto inbound = reader.object("inbound")) {
        (void)inbound->text("queue", {}, {0, 100});
        (void)inbound->boolean("ringing", true);
        inbound->objects("routes", [](JsonReader& route, std::size_t) { (void)route.required_text("did", {1, 80}); });
    }
    reader.objects("trunks", [](JsonReader& trunk, std::size_t) {
        (void)trunk.required_text("name", {1, 100});
        if (trunk.has("endpoint")) (void)read_endpoint(trunk, "endpoint", "PJSIP/{number}@trunk");
    });
}

}  // namespace

Settings read_settings(JsonReader& reader, const std::string& default_region) {
    Settings settings;
    settings.base = channel::read_base_url(reader, {});
    if (auto tls = reader.object("tls")) {
        settings.tls_verify = tls->boolean("verify", true);
        tls->finish();
    }
    settings.username = reader.required_text("username", {1, 100});
    settings.password = reader.required_text("password", {1, 200});
    if (settings.username.find(':') != std::string::npos) reader.problem("username", "must have no ':'");
    settings.app = reader.text("app", settings.app, {1, 60});
    if (settings.app.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != std::string::npos)
        reader.problem("app", "must have only letters, digits, '-', '_' and '.', as in the dial plan's Stasis(…)");
    settings.agent_endpoint = read_endpoint(reader, "agent_endpoint", "PJSIP/{extension}");
    settings.customer_endpoint = read_endpoint(reader, "customer_endpoint", "PJSIP/{number}@trunk");
    settings.numbers.region = default_region;
    settings.numbers.international_prefix = reader.text("international_prefix", "00", {0, 8});
    const auto format = reader.choice("number_format", {"e164", "national", "digits"}, "e164");
    settings.numbers.format = format == "national" ? NumberFormat::national : format == "digits" ? NumberFormat::digits : NumberFormat::e164;
    const bool uses_national = format == "national" || settings.customer_endpoint.find("{national}") != std::string::npos;
    if (uses_national && !telephony::knows_region(default_region))
        reader.problem("number_format", std::string{"the national form of numbers is not known for "}.append(default_region).append("; use e164 or digits"));
    settings.caller_id = reader.text("caller_id", {}, {0, 40});
    if (settings.caller_id.find_first_not_of("+0123456789*#") != std::string::npos) reader.problem("caller_id", "must be a number such as \"+862112345678\"");
    settings.music = reader.text("music", {}, {0, 80});
    settings.language = reader.text("language", {}, {0, 20});
    if (auto recordings = reader.object("recordings")) {
        settings.recordings_folder = recordings->text("folder", {}, {0, 100});
        if (settings.recordings_folder.find("..") != std::string::npos || settings.recordings_folder.starts_with('/') || settings.recordings_folder.ends_with('/'))
            recordings->problem("folder", "must be a folder below the system's recording folder, without '..' and without '/' at its ends");
        settings.recordings_format = recordings->choice("format", {"wav", "gsm", "ulaw", "alaw", "sln", "wav49", "g722"}, "wav");
        recordings->finish();
    }
    if (auto amd = reader.object("amd")) {
        settings.amd_context = amd->required_text("context", {1, 80});
        settings.amd_extension = amd->text("extension", "s", {1, 80});
        amd->finish();
    }
    settings.transfers_by_gateway = reader.choice("transfers", {"gateway", "pbx"}, "gateway") == "gateway";
    settings.interaction_header = reader.boolean("interaction_header", true);
    settings.request_timeout = reader.duration("request_timeout", settings.request_timeout, Duration{500}, Duration{120'000});
    settings.requests_at_once = static_cast<std::size_t>(reader.integer("requests_at_once", 8, 1, 64));
    settings.window = static_cast<int>(reader.integer("window", 1'000, 1, 100'000));
    read_outcome_map(reader, settings);
    check_shapes(reader);
    return settings;
}

}  // namespace touchgate::adapters::asterisk_ari
