// A text frame on its way to one or many agents' sockets: rendered once, at the first write, and shared.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "gateway/engine/desk.hpp"
#include "gateway/http/agent_json.hpp"

namespace touchgate::http {

class AgentFrame {
public:
    explicit AgentFrame(std::string text) : text_{std::move(text)} {}
    explicit AgentFrame(std::shared_ptr<const AgentPush> push) : push_{std::move(push)} {}
    // Any thread.
    [[nodiscard]] const std::string& text() const {
        if (push_) std::call_once(rendered_, [this] { text_ = render_push(*push_); });
        return text_;
    }

private:
    std::shared_ptr<const AgentPush> push_;
    mutable std::once_flag rendered_;
    mutable std::string text_;
};

}  // namespace touchgate::http
