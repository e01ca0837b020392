#include "adapters/official_account/adapter.hpp"

#include <array>

#include "adapters/wechat/official_adapter.hpp"

namespace touchgate::adapters {

namespace official_account {

namespace {

using namespace std::chrono_literals;

constexpr std::array custom_kinds = std::to_array<std::string_view>(
    {"text", "image", "voice", "video", "music", "news", "mpnews", "mpnewsarticle", "msgmenu", "wxcard", "miniprogrampage"});
constexpr std::array subscribe_members = std::to_array<std::string_view>({"page", "miniprogram"});

wechat::Offer offer() {
    return {.rules = {.channel = "official_account",
                      .custom_kinds = custom_kinds,
                      .template_messages = true,
                      .mass = true,
                      .subscribe_members = subscribe_members,
                      .subscribe_path = "/cgi-bin/message/subscribe/bizsend",
                      .template_code_form = wechat::MessageForm::template_},
            // The platform's table of the customer-service message, 2026; in 2021 it said 20 messages instead of 5.
            .windows = {{"message", 5, 48h}, {"menu", 3, 1min}, {"follow", 3, 1min}, {"scan", 3, 1min}},
            .followers = true};
}

}  // namespace

}  // namespace official_account

channel::AdapterInfo official_account_adapter() {
    return {.name = "official_account",
            .channel = "official_account",
            .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
                return wechat::make_official_adapter(wechat::read_official_settings(settings, context, official_account::offer()));
            }};
}

}  // namespace touchgate::adapters
