#include "adapters/sandbox/settings.hpp"

#include <charconv>

namespace touchgate::sandbox {

namespace {

ListenAddress read_listen(JsonReader& reader, const char* fallback) {
    const auto text = reader.text("listen", fallback);
    const auto colon = text.rfind(':');
    ListenAddress address;
    std::uint16_t port = 0;
    bool fits = colon != std::string::npos && colon > 0;
    if (fits) {
        const auto* const end = text.data() + text.size();
        const auto [stopped, fault] = std::from_chars(text.data() + colon + 1, end, port);
        fits = fault == std::errc{} && stopped == end;
        address = {.host = text.substr(0, colon), .port = port};
        if (address.host.size() > 2 && address.host.front() == '[') address.host = address.host.substr(1, address.host.size() - 2);
    }
    if (!fits) reader.problem("listen", "must be \"address:port\", such as \"127.0.0.1:2775\"; port 0 takes a free one");
    return address;
}

Settings::Smsc read_smsc(JsonReader reader) {
    Settings::Smsc smsc;
    smsc.listen = read_listen(reader, "127.0.0.1:2775");
    reader.members("users", [&](const std::string& name, const Json& password, const std::string& pointer) {
        if (!password.is_string()) reader.problems().push_back({pointer, "must be the user's password, a string"});
        else if (name.empty() || name.size() > 15) reader.problems().push_back({pointer, "a system_id has 1 to 15 characters"});
        else smsc.peer.users.emplace_back(name, password.get<std::string>());
    });
    if (!reader.has("users") || smsc.peer.users.empty()) reader.problem("users", "must name at least one user: {\"system_id\": \"password\"}");
    const auto alphabet = reader.choice("alphabet", {"gsm", "latin1", "ascii"}, "gsm");
    smsc.peer.default_alphabet = alphabet == "latin1" ? Coding::latin1 : alphabet == "ascii" ? Coding::ascii : Coding::gsm;
    if (auto tls = reader.object("tls")) {
        smsc.certificate_file = tls->required_text("certificate");
        smsc.key_file = tls->required_text("key");
        tls->finish();
    }
    reader.finish();
    return smsc;
}

std::string read_url(JsonReader& reader, const char* key) {
    auto url = reader.text(key);
    if (!url.empty() && !url.starts_with("http://")) reader.problem(key, "must be an http:// URL");
    return url;
}

Settings::Cloud read_cloud(JsonReader reader, const char* fallback_listen, CloudBehaviour& behaviour) {
    Settings::Cloud cloud;
    cloud.listen = read_listen(reader, fallback_listen);
    const auto texts = [&](const char* key, auto& into) {
        reader.members(key, [&](const std::string& name, const Json& value, const std::string& pointer) {
            if (!value.is_string()) reader.problems().push_back({pointer, "must be a string"});
            else into.emplace(name, value.get<std::string>());
        });
    };
    texts("keys", cloud.peer.keys);
    if (cloud.peer.keys.empty()) reader.problem("keys", "must name at least one access key: {\"id\": \"secret\"}");
    texts("templates", cloud.peer.templates);
    cloud.peer.sign_names = reader.texts("sign_names");
    behaviour.receipt_url = read_url(reader, "receipt_url");
    behaviour.mo_url = read_url(reader, "mo_url");
    reader.finish();
    return cloud;
}

}  // namespace

Settings read_settings(const Json& sandbox, const std::string& pointer, std::vector<Problem>& problems) {
    Settings settings;
    JsonReader reader{sandbox, pointer, problems};
    settings.listen = read_listen(reader, "127.0.0.1:8090");
    settings.seed = static_cast<std::uint64_t>(reader.integer("seed", 1, 0));
    settings.parts_max = static_cast<std::uint64_t>(reader.integer("parts_max", 6'000'000, 100'000, 100'000'000));
    if (auto smsc = reader.object("smsc")) settings.smsc = read_smsc(*smsc);
    if (auto aliyun = reader.object("aliyun")) settings.aliyun = read_cloud(*aliyun, "127.0.0.1:8091", settings.behaviour.aliyun);
    if (auto tencent = reader.object("tencent")) settings.tencent = read_cloud(*tencent, "127.0.0.1:8092", settings.behaviour.tencent);
    if (auto wecom = reader.object("wecom")) {
        settings.wecom = {.listen = read_listen(*wecom, "127.0.0.1:8093"), .peer = read_wecom(*wecom)};
        wecom->finish();
    }
    if (auto official = reader.object("official_account")) {
        settings.official_account = {.listen = read_listen(*official, "127.0.0.1:8094"), .peer = read_official_account(*official)};
        official->finish();
    }
    if (auto pbx = reader.object("pbx")) {
        settings.pbx = {.listen = read_listen(*pbx, "127.0.0.1:8088"), .peer = read_pbx(*pbx)};
        pbx->finish();
    }
    if (auto behaviour = reader.object("behaviour")) update(settings.behaviour, *behaviour);
    reader.finish();
    return settings;
}

}  // namespace touchgate::sandbox
