#include "adapters/moments/settings.hpp"

namespace touchgate::adapters::moments {

Settings read_settings(JsonReader& reader, const channel::AccountContext& context) {
    Settings settings;
    settings.corp = wecom_common::read_shared_corp(reader, context);
    // Without anybody named, WeCom would ask every employee in scope to publish.
    settings.sender = reader.required_text("sender", {1, 64});
    settings.task_max = static_cast<std::size_t>(reader.integer("task_max", static_cast<std::int64_t>(settings.task_max), 1, 10'000));
    settings.engagement = reader.boolean("engagement", settings.engagement);
    settings.engagement_interval = reader.duration("engagement_interval", settings.engagement_interval, Duration{1'000}, one_day * 30);
    return settings;
}

}  // namespace touchgate::adapters::moments
