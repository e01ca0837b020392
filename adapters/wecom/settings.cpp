#include "adapters/wecom/settings.hpp"

namespace touchgate::adapters::wecom {

Settings read_settings(JsonReader& reader) {
    using namespace std::chrono_literals;
    Settings settings;
    settings.corp = wecom_common::read_corp(reader);
    // Needed by accounts of wecom_app that name this one, which read it there.
    (void)reader.integer("agent_id", 0, 0, 4'294'967'295);
    settings.sender = reader.text("sender", {}, {1, 64});
    settings.task_max = static_cast<std::size_t>(reader.integer("task_max", static_cast<std::int64_t>(settings.task_max), 1, 10'000));
    settings.callback = wechat::read_callback_settings(reader, {.platform = wechat::Platform::wecom, .receive_id = settings.corp.source.app, .required = false});
    settings.sync = reader.boolean("sync", settings.sync);
    settings.sync_interval = reader.duration("sync_interval", settings.sync_interval, 10min, one_day * 30);
    return settings;
}

}  // namespace touchgate::adapters::wecom
