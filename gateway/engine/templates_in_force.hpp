// The templates that hold now: those of the configuration, or of its last reload.
#pragma once

#include <memory>

#include "gateway/content/templates.hpp"

namespace touchgate {

class Engine;

// Inside a turn. The store is immutable and may be kept.
[[nodiscard]] std::shared_ptr<const content::TemplateStore> templates_in_force(Engine& engine);

}  // namespace touchgate
