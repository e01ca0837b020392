#include "adapters/asterisk_ari/adapter.hpp"

#include "adapters/asterisk_ari/commands.hpp"
#include "adapters/asterisk_ari/session.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters {

channel::AdapterInfo asterisk_ari_adapter() {
    return {.name = "asterisk_ari", .channel = "voice", .make = [](JsonReader& reader, const channel::AccountContext& context) -> channel::AnyAdapter {
                return std::make_unique<asterisk_ari::Adapter>(asterisk_ari::read_settings(reader, context.default_region));
            }};
}

namespace asterisk_ari {

Adapter::Adapter(Settings settings) : settings_{std::make_shared<const Settings>(std::move(settings))} {}

channel::Capabilities Adapter::capabilities() const {
    channel::Capabilities capabilities;
    capabilities.channel = "voice";
    capabilities.takes_text = false;
    capabilities.inbound = true;
    return capabilities;
}

channel::CallAdapter::Stream Adapter::stream() const {
    const auto& base = settings_->base;
    Stream stream;
    // http → ws, https → wss
    stream.url = (base.origin.starts_with("https") ? "wss" + base.origin.substr(5) : "ws" + base.origin.substr(std::min<std::size_t>(4, base.origin.size()))) + base.path +
                 "/ari/events?app=" + channel::percent_encode(settings_->app);
    stream.headers = {{"Authorization", "Basic " + crypto::base64(settings_->username + ':' + settings_->password)}};
    stream.tls_verify = settings_->tls_verify;
    return stream;
}

// Rings a channel that there is not: whoever may write is told so, and nothing happens. Opening the event stream would take the application from
// a gateway that runs.
std::optional<channel::HttpRequest> Adapter::probe() const {
    return channel::HttpRequest{.method = "POST",
                                .url = settings_->base.origin + settings_->base.path + "/ari/channels/touchgate-probe/ring",
                                .headers = {{"Authorization", "Basic " + crypto::base64(settings_->username + ':' + settings_->password)}},
                                .body = {}};
}

Result<std::string> Adapter::read_probe(const channel::HttpResponse& response) const {
    const auto message = channel::text_member(channel::parse_foreign_json(response.body), "message");
    const auto& host = settings_->base.host;
    if (response.status == 401) return Error{.kind = ErrorKind::unauthorized, .detail = host + " answers, but refuses the user name or password (a [user] with type=user in ari.conf?)"};
    if (response.status == 403) return Error{.kind = ErrorKind::unauthorized, .detail = host + " answers, but lets this user only read (read_only = yes in ari.conf)"};
    if (response.status == 404 && message.starts_with("Channel")) return "logged in at " + host + " (ARI, application "" + settings_->app + "")";
    const auto status = std::to_string(response.status);
    if (response.status == 404)
        return Error{.kind = ErrorKind::unavailable, .detail = host + " answers, but has no ARI there (HTTP 404; is base_url right, is enabled = yes in ari.conf, is res_ari loaded?)", .retry_after_s = 1};
    return Error{.kind = ErrorKind::unavailable, .detail = host + " answers HTTP " + status, .retry_after_s = 1};
}

bool Adapter::can_play(const std::string& medium) const { return media_uri(medium, *settings_).has_value(); }

std::unique_ptr<channel::CallSession> Adapter::make_session(std::uint64_t seed) const { return std::make_unique<Session>(settings_, seed); }

}  // namespace asterisk_ari
}  // namespace touchgate::adapters
