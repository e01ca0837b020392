#include "adapters/sandbox/pbx/pbx_settings.hpp"

#include <algorithm>

namespace touchgate::sandbox {

PbxSettings read_pbx(JsonReader& reader) {
    PbxSettings settings;
    reader.members("users", [&](const std::string& name, const Json& password, const std::string& pointer) {
        if (!password.is_string()) reader.problems().push_back({pointer, "must be the user's password, a string"});
        else settings.users.emplace(name, password.get<std::string>());
    });
    if (settings.users.empty()) reader.problem("users", "must name at least one user: {\"name\": \"password\"}");
    settings.read_only = reader.texts("read_only");
    for (const auto& name : settings.read_only)
        if (!settings.users.contains(name)) reader.problem("read_only", "\"" + name + "\" is not among the users");
    settings.agents = reader.texts("agents");
    settings.dids = reader.texts("dids", settings.dids);
    if (settings.dids.empty()) reader.problem("dids", "must not be empty");
    settings.app = reader.text("app", settings.app, {1, 60});
    return settings;
}

}  // namespace touchgate::sandbox
