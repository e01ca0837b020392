#include "adapters/wecom_app/settings.hpp"

namespace touchgate::adapters::wecom_app {

Settings read_settings(JsonReader& reader, const channel::AccountContext& context) {
    constexpr std::int64_t agent_id_max = 4'294'967'295;
    Settings settings;
    settings.corp = wecom_common::read_shared_corp(reader, context);
    const auto* shared = settings.corp.account.empty() ? nullptr : context.settings_of(settings.corp.account);
    if (shared != nullptr)
        if (const auto& id = channel::member(*shared, "agent_id"); id.is_number_integer()) settings.agent_id = id.get<std::int64_t>();
    settings.agent_id = reader.integer("agent_id", settings.agent_id, 1, agent_id_max);
    if (settings.agent_id == 0) reader.problem("agent_id", "is required here or at the corporation's account: the application's number, such as 1000002");
    settings.batch = static_cast<std::size_t>(reader.integer("batch", static_cast<std::int64_t>(settings.batch), 1, 1'000));
    settings.callback = wechat::read_callback_settings(reader, {.platform = wechat::Platform::wecom, .receive_id = settings.corp.source.app, .required = false});
    return settings;
}

}  // namespace touchgate::adapters::wecom_app
