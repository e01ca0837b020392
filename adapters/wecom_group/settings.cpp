#include "adapters/wecom_group/settings.hpp"

namespace touchgate::adapters::wecom_group {

namespace {

constexpr std::size_t owners_max = 100;

}  // namespace

Settings read_settings(JsonReader& reader, const channel::AccountContext& context) {
    using namespace std::chrono_literals;
    Settings settings;
    settings.corp = wecom_common::read_shared_corp(reader, context);
    settings.sender = reader.text("sender", settings.corp.sender, {1, 64});
    settings.task_max = static_cast<std::size_t>(reader.integer("task_max", static_cast<std::int64_t>(settings.task_max), 1, 2'000));
    settings.owners = reader.texts("owners");
    if (settings.owners.size() > owners_max) reader.problem("owners", "must be at most " + std::to_string(owners_max) + " employees");
    reader.members("robots", [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (value.is_string() && !value.get_ref<const std::string&>().empty()) settings.robots.emplace(name, value.get<std::string>());
        else reader.problems().push_back({pointer, "must be the key of the robot's webhook address"});
    });
    settings.callback = wechat::read_callback_settings(reader, {.platform = wechat::Platform::wecom, .receive_id = settings.corp.source.app, .required = false});
    settings.sync = reader.boolean("sync", settings.sync);
    settings.sync_interval = reader.duration("sync_interval", settings.sync_interval, 10min, one_day * 30);
    return settings;
}

}  // namespace touchgate::adapters::wecom_group
