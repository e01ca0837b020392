#include "gateway/engine/templates_in_force.hpp"

#include "gateway/engine/internals.hpp"

namespace touchgate {

std::shared_ptr<const content::TemplateStore> templates_in_force(Engine& engine) { return engine.internals().settings.templates; }

}  // namespace touchgate
