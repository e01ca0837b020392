#include "adapters/sandbox/wechat/wechat_settings.hpp"

namespace touchgate::sandbox {

namespace {

constexpr std::int64_t people_max = 1'000'000;

CallbackTarget read_callback(JsonReader& app, const std::string& receive_id, bool is_wecom) {
    CallbackTarget target;
    auto reader = app.object("callback");
    if (!reader) return target;
    target.url = reader->text("url");
    if (!target.url.empty() && !target.url.starts_with("http://")) reader->problem("url", "must be an http:// URL");
    target.token = reader->required_text("token", {1, 32});
    target.encoding_aes_key = reader->text("encoding_aes_key");
    const auto mode = is_wecom ? std::string{"secure"} : reader->choice("mode", {"plain", "compatible", "secure"}, "secure");
    target.mode = mode == "plain" ? CallbackMode::plain : mode == "compatible" ? CallbackMode::compatible : CallbackMode::secure;
    const bool needed = target.mode != CallbackMode::plain;
    if ((needed || !target.encoding_aes_key.empty()) && !CallbackCipher::make(target.encoding_aes_key, receive_id))
        reader->problem("encoding_aes_key", "must be 43 letters and digits");
    reader->finish();
    return target;
}

}  // namespace

WecomSettings read_wecom(JsonReader& reader) {
    WecomSettings settings;
    settings.corpid = reader.required_text("corpid", {1, 64});
    reader.objects("apps", [&](JsonReader& app, std::size_t) {
        WecomApp read;
        read.agent_id = std::to_string(app.integer("agentid", 0, 1));
        read.secret = app.required_text("secret");
        read.callback = read_callback(app, settings.corpid, true);
        app.finish();
        settings.apps.push_back(std::move(read));
    });
    if (settings.apps.empty()) reader.problem("apps", "must have at least one app: {\"agentid\": 1000002, \"secret\": \"…\"}");
    settings.members = reader.texts("members");
    settings.customers = reader.integer("customers", 0, 0, people_max);
    settings.groups = reader.integer("groups", 0, 0, 10'000);
    settings.kf_accounts = reader.texts("kf_accounts");
    if ((settings.customers > 0 || settings.groups > 0) && settings.members.empty()) reader.problem("members", "customers and groups need members");
    return settings;
}

OfficialAccountSettings read_official_account(JsonReader& reader) {
    OfficialAccountSettings settings;
    reader.objects("apps", [&](JsonReader& app, std::size_t) {
        OfficialAccountApp read;
        read.appid = app.required_text("appid", {1, 64});
        read.secret = app.required_text("secret");
        read.original_id = app.text("original_id", "gh_sandbox");
        read.mini_program = app.choice("kind", {"service", "mini_program"}, "service") == "mini_program";
        read.callback = read_callback(app, read.appid, false);
        read.followers = app.integer("followers", 0, 0, people_max);
        read.openids = app.texts("openids");
        app.members("templates", [&](const std::string& id, const Json& text, const std::string& pointer) {
            if (text.is_string()) read.templates.emplace(id, text.get<std::string>());
            else app.problems().push_back({pointer, "must be a string"});
        });
        app.finish();
        settings.apps.push_back(std::move(read));
    });
    if (settings.apps.empty()) reader.problem("apps", "must have at least one account: {\"appid\": \"wx…\", \"secret\": \"…\"}");
    return settings;
}

}  // namespace touchgate::sandbox
