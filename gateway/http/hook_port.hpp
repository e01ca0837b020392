// The accounts as the outside calls them: which receive provider callbacks at /hooks/{account}, the adapter that verifies and reads them and says what
// the account can be asked to do, and where uploaded media are kept.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/base/result.hpp"
#include "gateway/channel/exchange_adapter.hpp"
#include "gateway/channel/media.hpp"
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
    // Keeps a file that content may name by its digest. May block on disk: not on an I/O thread.
    [[nodiscard]] virtual Result<channel::MediaFacts> keep_media(std::string_view /*name*/, std::string_view /*type*/, std::string_view /*bytes*/) const {
        return Error{.kind = ErrorKind::not_found, .detail = "no media are kept here"};
    }
};

}  // namespace touchgate::http
