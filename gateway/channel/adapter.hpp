// How an adapter presents itself: a name, and a function that turns the account's settings into one of the three shapes.
// The list of all adapters is generated from the folders under adapters/; nothing else names them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gateway/channel/call_adapter.hpp"
#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/channel/media.hpp"
#include "gateway/channel/session_adapter.hpp"
#include "gateway/json/json.hpp"

namespace touchgate::channel {

using AnyAdapter = std::variant<std::unique_ptr<SessionAdapter>, std::unique_ptr<ExchangeAdapter>, std::unique_ptr<CallAdapter>>;

struct AccountContext {
    std::string name;            // of the account
    std::string default_region;  // "CN"
    // The settings of another account by its name, for an account that shares its credentials ("corp": "wecom-main"); null: there is none.
    std::function<const Json*(std::string_view)> settings_of = [](std::string_view) -> const Json* { return nullptr; };
    std::shared_ptr<const MediaLibrary> media = {};  // null: there are no files
};

struct AdapterInfo {
    std::string name;     // as in "adapter": "smpp"
    std::string channel;
    // Reads its own keys from the account's object and reports problems there. The caller has read the keys that every account has
    // (adapter, rate, window, queue, billing, unknown_final_after …) and calls finish(). Never throws; returns an adapter even when
    // there are problems (it is then not used).
    AnyAdapter (*make)(JsonReader& settings, const AccountContext& context);
};

// Generated: every adapters/<name>/adapter.hpp declares `AdapterInfo <name>_adapter();` in namespace touchgate::adapters.
[[nodiscard]] const std::vector<AdapterInfo>& all_adapters();

}  // namespace touchgate::channel
