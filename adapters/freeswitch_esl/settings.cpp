#include "adapters/freeswitch_esl/settings.hpp"

#include <algorithm>
#include <array>

#include "adapters/freeswitch_esl/cause.hpp"

namespace touchgate::adapters::freeswitch_esl {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::array outcome_words = {"busy",       "no_answer", "rejected", "invalid_number", "unreachable",       "congestion",
                                      "failed",     "cancelled", "unknown",  "powered_off",    "suspended",         "blocked_by_carrier"};

// A dial string has signs of its own for variables, several endpoints and their order; a template may hold none of them.
bool is_dial_template(std::string_view text) {
    std::string plain{text};
    for (const auto* placeholder : {"{number}", "{national}", "{extension}"})
        for (std::size_t at = 0; (at = plain.find(placeholder)) != std::string::npos;) plain.erase(at, std::string_view{placeholder}.size());
    return telephony::is_endpoint_template(text) && is_plain_word(plain);
}

std::string read_endpoint(JsonReader& reader, std::string_view key, std::string fallback, const char* example) {
    auto text = fallback.empty() ? reader.required_text(key, {1, 200}) : reader.text(key, std::move(fallback), {1, 200});
    if (!text.empty() && !is_dial_template(text)) reader.problem(key, std::string{"must be one dial string with a placeholder, such as \""}.append(example).append("\""));
    return text;
}

// "USER_BUSY" or "sip 480".
bool is_outcome_key(std::string_view text) {
    if (text.starts_with("sip ")) return text.size() == 7 && text.find_first_not_of("0123456789", 4) == std::string_view::npos;
    return cause_number(text) != 0;
}

void read_outcome_map(JsonReader& reader, Settings& settings) {
    reader.members("outcome_map", [&](const std::string& key, const Json& word, const std::string& pointer) {
        if (!is_outcome_key(key)) {
            reader.problems().push_back({pointer, "the name must be a hang-up cause such as \"SUBSCRIBER_ABSENT\" or a SIP status such as \"sip 480\""});
        } else if (!word.is_string() || std::find(outcome_words.begin(), outcome_words.end(), word.get<std::string>()) == outcome_words.end()) {
            std::string list;
            for (const auto* each : outcome_words) list.append(list.empty() ? "" : ", ").append(each);
            reader.problems().push_back({pointer, std::string{"must be one of: "}.append(list)});
        } else {
            settings.outcome_map[key] = word.get<std::string>();
        }
    });
}

// A single word of a command.
std::string read_word(JsonReader& reader, std::string_view key, std::string fallback) {
    auto word = reader.text(key, fallback, {0, 200});
    if (is_plain_word(word) || word.empty()) return word;
    reader.problem(key, "must have only letters, digits and -_.:+*#@/");
    return fallback;
}

void read_recordings(JsonReader& reader, Settings& settings) {
    auto recordings = reader.object("recordings");
    if (!recordings) return;
    settings.recordings_folder = read_word(*recordings, "folder", settings.recordings_folder);
    if (!settings.recordings_folder.starts_with('/') || settings.recordings_folder.ends_with('/') || settings.recordings_folder.find("..") != std::string::npos)
        recordings->problem("folder", "must be the full path of a folder at the switch, without '..' and without '/' at its end");
    settings.recordings_format = recordings->choice("format", {"wav", "mp3", "ogg", "flac"}, "wav");
    if (recordings->has("base_url")) settings.recordings_url = channel::read_base_url(*recordings, {});
    else (void)recordings->raw("base_url");
    recordings->finish();
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
        if (trunk.has("endpoint")) (void)read_endpoint(trunk, "endpoint", {}, "sofia/gateway/carrier/{number}");
    });
}

}  // namespace

bool is_plain_word(std::string_view text) {
    return !text.empty() && text.find_first_not_of(std::string{letters}.append("-_.:+*#@/")) == std::string_view::npos;
}

Settings read_settings(JsonReader& reader, const std::string& default_region) {
    Settings settings;
    settings.host = reader.required_text("host", {1, 255});
    if (!settings.host.empty() && !is_plain_word(settings.host)) reader.problem("host", "must be a name or an address");
    settings.port = static_cast<std::uint16_t>(reader.integer("port", 8021, 1, 65'535));
    settings.password = reader.required_text("password", {1, 200});
    if (settings.password.find_first_of("\r\n") != std::string::npos) reader.problem("password", "must be one line");
    settings.app = reader.text("app", settings.app, {1, 60});
    if (settings.app.find_first_not_of(std::string{letters}.append("-_")) != std::string::npos) reader.problem("app", "must have only letters, digits, '-' and '_'");
    settings.agent_endpoint = read_endpoint(reader, "agent_endpoint", "user/{extension}", "user/{extension}");
    settings.customer_endpoint = read_endpoint(reader, "customer_endpoint", {}, "sofia/gateway/carrier/{number}");
    settings.numbers.region = default_region;
    settings.numbers.international_prefix = reader.text("international_prefix", "00", {0, 8});
    const auto format = reader.choice("number_format", {"e164", "national", "digits"}, "e164");
    settings.numbers.format = format == "national" ? telephony::NumberFormat::national : format == "digits" ? telephony::NumberFormat::digits : telephony::NumberFormat::e164;
    const bool uses_national = format == "national" || settings.customer_endpoint.find("{national}") != std::string::npos;
    if (uses_national && !telephony::knows_region(default_region))
        reader.problem("number_format", std::string{"the national form of numbers is not known for "}.append(default_region).append("; use e164 or digits"));
    settings.caller_id = reader.text("caller_id", {}, {0, 40});
    if (settings.caller_id.find_first_not_of("+0123456789*#") != std::string::npos) reader.problem("caller_id", "must be a number such as \"+862112345678\"");
    settings.music = read_word(reader, "music", settings.music);
    settings.language = read_word(reader, "language", settings.language);
    settings.speech = reader.text("speech", {}, {0, 80});
    if (settings.speech.find_first_not_of(std::string{letters}.append("-_.|")) != std::string::npos) reader.problem("speech", "must be \"engine|voice\", such as \"flite|kal\"");
    read_recordings(reader, settings);
    if (auto amd = reader.object("amd")) {
        settings.amd_extension = read_word(*amd, "extension", {});
        if (settings.amd_extension.empty()) amd->problem("extension", "is required: where the dial plan looks for machines");
        settings.amd_context = read_word(*amd, "context", "default");
        amd->finish();
    }
    settings.conference_profile = read_word(reader, "conference_profile", settings.conference_profile);
    settings.interaction_header = reader.boolean("interaction_header", true);
    settings.command_timeout = reader.duration("command_timeout", settings.command_timeout, Duration{500}, Duration{120'000});
    settings.window = static_cast<int>(reader.integer("window", 1'000, 1, 100'000));
    read_outcome_map(reader, settings);
    check_shapes(reader);
    return settings;
}

}  // namespace touchgate::adapters::freeswitch_esl
