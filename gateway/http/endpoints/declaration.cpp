#include "gateway/http/endpoints/declaration.hpp"

namespace touchgate::http {

std::optional<Json> read_declaration(const Call& call) {
    const auto fail = [&](const Error& error) {
        call->fail(error);
        return std::nullopt;
    };
    auto parsed = read_json(call->body());
    if (!parsed) return fail(parsed.error());
    if (!parsed->is_object()) return fail(fields_error({{"", "must be an object"}}));
    auto& document = *parsed;
    if (const auto id = document.find("id"); id != document.end()) {
        if (*id != Json(call->path[0])) return fail(fields_error({{"/id", "must be the id of the path"}}));
        document.erase(id);
    }
    if (call->access.limited()) {
        const auto unit = document.find("unit");
        if (unit == document.end() || unit->is_null()) document["unit"] = call->access.units.front();
        else if (!unit->is_string() || !call->access.covers(unit->get_ref<const std::string&>()))
            return fail({.kind = ErrorKind::forbidden, .detail = "this API key is limited to other units", .problems = {{"/unit", "is not a unit of this API key"}}});
    }
    return std::move(document);
}

}  // namespace touchgate::http
