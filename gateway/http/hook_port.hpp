// Which accounts receive provider callbacks at /hooks/{account}, and the adapter that verifies and reads them.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/engine/transport.hpp"

namespace touchgate::http {

struct HookAccount {
    AccountNumber number = 0;
    const channel::ExchangeAdapter* adapter = nullptr;  // its `receive` is called on I/O threads: const and thread-safe
};

class HookPort {
public:
    virtual ~HookPort() = default;
    // Nothing: no such account, or it is of a protocol without callbacks. Any thread.
    [[nodiscard]] virtual std::optional<HookAccount> find(std::string_view account) const = 0;
};

}  // namespace touchgate::http
