// /console/: the agent's desktop and the sidebar page, as files.
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"

namespace touchgate::http {

namespace {

void get_file(const Call& call) {
    const auto path = percent_decode(call->path.empty() ? std::string_view{} : std::string_view{call->path[0]}, false);
    if (!path) return call->fail({.kind = ErrorKind::not_found, .detail = "there is nothing at this path"});
    call->answer(call->services().console.answer(*path, call->header("if-none-match"), call->language));
}

void redirect(const Call& call) {
    Response response;
    response.status = 308;
    response.content_type = {};
    response.headers.emplace_back("Location", "/console/");
    call->answer(std::move(response));
}

}  // namespace

void add_console_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/console", .handler = redirect, .while_draining = true});
    router.add({.method = Method::get, .pattern = "/console/{*path}", .handler = get_file, .while_draining = true});
}

}  // namespace touchgate::http
