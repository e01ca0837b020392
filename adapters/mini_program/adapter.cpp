#include "adapters/mini_program/adapter.hpp"

#include <array>

#include "adapters/wechat/official_adapter.hpp"

namespace touchgate::adapters {

namespace mini_program {

namespace {

using namespace std::chrono_literals;

constexpr std::array custom_kinds = std::to_array<std::string_view>({"text", "image", "link", "miniprogrampage"});
constexpr std::array subscribe_members = std::to_array<std::string_view>({"page", "miniprogram_state", "lang"});

wechat::Offer offer() {
    return {.rules = {.channel = "mini_program",
                      .custom_kinds = custom_kinds,
                      .subscribe_members = subscribe_members,
                      .subscribe_path = "/cgi-bin/message/subscribe/send",
                      .template_code_form = wechat::MessageForm::subscribe},
            .windows = {{"message", 5, 48h}, {"enter", 2, 1min}},
            .json_callbacks = true};
}

}  // namespace

}  // namespace mini_program

channel::AdapterInfo mini_program_adapter() {
    return {
        .name = "mini_program", .channel = "mini_program", .make = [](JsonReader& settings, const channel::AccountContext& context) -> channel::AnyAdapter {
            return wechat::make_official_adapter(wechat::read_official_settings(settings, context, mini_program::offer()));
        }};
}

}  // namespace touchgate::adapters
