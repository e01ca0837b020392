#include "adapters/wecom_common/corp.hpp"

#include "adapters/wecom_common/errors.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::adapters::wecom_common {

namespace {

using namespace channel;
using namespace std::chrono_literals;

constexpr std::string_view host = "https://qyapi.weixin.qq.com";
constexpr TextLimits id_limits{1, 64};
constexpr TextLimits secret_limits{1, 200};

void read_transport(JsonReader& settings, Corp& corp) {
    corp.timeout = settings.duration("timeout", corp.timeout, Duration{100}, Duration{120'000});
    corp.window = static_cast<int>(settings.integer("window", corp.window, 1, 1'000));
}

}  // namespace

Corp read_corp(JsonReader& settings) {
    Corp corp;
    corp.source.base = read_base_url(settings, host);
    corp.source.app = settings.required_text("corp_id", id_limits);
    corp.source.secret = settings.required_text("secret", secret_limits);
    read_transport(settings, corp);
    return corp;
}

Corp read_shared_corp(JsonReader& settings, const AccountContext& context) {
    Corp corp;
    const auto name = settings.required_text("corp", id_limits);
    const auto* shared = name.empty() ? nullptr : context.settings_of(name);
    if (shared != nullptr && text_member(*shared, "adapter") == "wecom") {
        std::vector<Problem> told_there;  // what is wrong in that account is told at that account
        JsonReader reader{*shared, "", told_there};
        corp = read_corp(reader);
        corp.account = name;
        corp.sender = text_member(*shared, "sender");
    } else if (!name.empty()) {
        settings.problem("corp", "must name an account whose adapter is \"wecom\"; \"" + name + "\" is none");
    }
    corp.source.secret = settings.text("secret", corp.source.secret, secret_limits);
    corp.timeout = Corp{}.timeout;
    corp.window = Corp{}.window;
    read_transport(settings, corp);
    return corp;
}

Need token_need(const Corp& corp) {
    auto need = wechat::token_need(corp.source);
    need.shared = true;
    return need;
}

HttpRequest token_request(const Corp& corp) { return wechat::token_request(corp.source); }

std::variant<Resource, Outcome> read_token(const HttpResponse& response) { return wechat::read_token(response, known_codes()); }

HttpRequest post(const Corp& corp, std::string_view path, const Json& body, const Resources& resources) {
    return wechat::authorized_post(corp.source, path, resources, to_text(body));
}

HttpRequest get(const Corp& corp, std::string_view path, const Fields& query, const Resources& resources) {
    auto whole = std::string{path};
    if (!query.empty()) whole.append("?").append(encode_form(query));
    return {.method = "GET",
            .url = wechat::authorized_url(corp.source, whole, resources),
            .headers = {{"host", corp.source.base.host}, {"accept", "application/json"}},
            .body = {}};
}

std::string reply_code_of(const Content& content, std::string_view own_name) {
    if (content.body_json.empty()) return {};
    const auto body = parse_foreign_json(content.body_json);
    auto code = text_member(body, "reply_code");
    return code.empty() ? text_member(body, own_name) : code;
}

std::vector<std::string> names_in(const Json& list) {
    std::vector<std::string> names;
    if (list.is_string()) {
        for (const auto name : split(list.get_ref<const std::string&>(), '|'))
            if (!name.empty()) names.emplace_back(name);
    } else if (list.is_array()) {
        for (const auto& entry : list)
            if (entry.is_string() && !entry.get_ref<const std::string&>().empty()) names.push_back(entry.get<std::string>());
    }
    return names;
}

std::optional<Instant> seconds_member(const Json& value, std::string_view key) {
    const auto& seconds = member(value, key);
    constexpr std::int64_t seconds_end = 253'402'300'800;  // the year 10000
    const auto count = seconds.is_number_integer() ? seconds.get<std::int64_t>() : 0;
    if (count <= 0 || count >= seconds_end) return std::nullopt;
    return from_unix_ms(count * 1000);
}

std::string to_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace touchgate::adapters::wecom_common
