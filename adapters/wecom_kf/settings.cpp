#include "adapters/wecom_kf/settings.hpp"

namespace touchgate::adapters::wecom_kf {

Settings read_settings(JsonReader& reader, const channel::AccountContext& context) {
    using namespace std::chrono_literals;
    Settings settings;
    settings.corp = wecom_common::read_shared_corp(reader, context);
    settings.open_kfid = reader.required_text("open_kfid", {1, 64});
    settings.callback = wechat::read_callback_settings(reader, {.platform = wechat::Platform::wecom, .receive_id = settings.corp.source.app, .required = false});
    settings.native_servicers = reader.boolean("native_servicers", false);
    settings.poll_interval = reader.duration("poll_interval", settings.poll_interval, 1s, one_day);
    return settings;
}

}  // namespace touchgate::adapters::wecom_kf
