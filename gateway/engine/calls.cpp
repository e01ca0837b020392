// Calls: what telephone systems report.

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::on_event(CallReported& event) {
    if (std::holds_alternative<channel::PbxUp>(event.event)) {
        AccountUp up{.account = event.account, .warning = std::move(std::get<channel::PbxUp>(event.event).warning)};
        on_event(up);
    } else if (auto* down = std::get_if<channel::PbxDown>(&event.event)) {
        AccountDown gone{.account = event.account, .reason = std::move(down->reason), .credentials = down->credentials};
        on_event(gone);
    }
}

}  // namespace touchgate
