// The adapter of official accounts and mini programs: same token, same answers, same callbacks; each says what it offers.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wechat/access_token.hpp"
#include "adapters/wechat/callback_settings.hpp"
#include "adapters/wechat/media.hpp"
#include "adapters/wechat/official_content.hpp"
#include "gateway/channel/adapter.hpp"
#include "gateway/channel/exchange_adapter.hpp"

namespace touchgate::adapters::wechat {

struct Offer {
    ContentRules rules;                         // without what settings say
    std::vector<channel::ReplyWindow> windows;  // the platform's, which `reply_window` may change
    bool json_callbacks = false;                // the platform lets the account choose JSON for its callbacks
    bool followers = false;                     // it has followers, who can be listed
};

struct OfficialSettings {
    TokenSource token = {};
    std::optional<CallbackSettings> callbacks = {};  // nothing: the account receives none
    ContentRules rules = {};
    std::vector<channel::ReplyWindow> windows = {};
    Duration timeout{10'000};
    int window = 32;  // requests in flight
    MediaRules media = {};
    bool lists_followers = false;
    Duration sync_interval = one_day;  // between two readings of all followers
};

// What is wrong becomes a problem of the reader.
[[nodiscard]] OfficialSettings read_official_settings(JsonReader& reader, const channel::AccountContext& context, const Offer& offer);

[[nodiscard]] std::unique_ptr<channel::ExchangeAdapter> make_official_adapter(OfficialSettings settings);

}  // namespace touchgate::adapters::wechat
