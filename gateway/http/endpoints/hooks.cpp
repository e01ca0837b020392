// /hooks/{account}: a provider's callbacks, in its own protocol. The adapter verifies and reads; what it found takes effect before it is answered.
#include <array>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"

namespace touchgate::http {

namespace {

constexpr std::string_view headers_given[] = {"content-type", "user-agent", "authorization", "date", "content-md5", "x-acs-signature", "x-signature",
                                              "x-timestamp", "x-nonce", "x-tc-signature"};

// Providers read status and body only; the type is one of few.
std::string_view literal_type(const std::string& type) {
    for (const std::string_view known : {"text/plain", "application/json", "application/xml", "text/xml", "text/html"})
        if (type == known) return known;
    return "text/plain";
}

channel::RequestContext fresh_context(Exchange& exchange) {
    std::array<char, 16> random{};
    crypto::random_bytes(random.data(), random.size());
    return {.now = exchange.services().clock.wall_now(), .nonce = to_hex({random.data(), random.size()})};
}

void receive(const Call& call) {
    auto& services = call->services();
    const auto account = services.hooks.find(call->path[0]);
    if (!account) {
        call->fail({.kind = ErrorKind::not_found, .detail = "no account receives callbacks here"});
        return;
    }
    channel::WebhookRequest request;
    request.method = std::string{to_string(call->method)};
    request.path_tail = call->path.size() > 1 ? "/" + call->path[1] : std::string{};
    request.query = call->raw_query;
    for (const auto name : headers_given)
        if (const auto value = call->header(name); !value.empty()) request.headers.emplace_back(name, value);
    request.body = call->body();
    request.now = services.clock.wall_now();
    auto answer = account->adapter->receive(request);
    auto passive = answer.events.messages.size() == 1 ? std::make_shared<PassiveReply>() : nullptr;
    Response response;
    response.status = answer.status;
    response.content_type = literal_type(answer.content_type);
    response.body = std::move(answer.body);
    const bool taken = services.engine.post([call, passive, number = account->number, adapter = account->adapter, events = std::move(answer.events), refusal = std::move(answer.refusal),
                                             response = std::move(response)](Engine& engine) mutable {
        engine.count_hook(number, refusal);
        Effect reply = [call, adapter, passive, response = std::move(response)]() mutable {
            if (passive && passive->content)
                if (auto body = adapter->passive_reply(passive->message, *passive->content, fresh_context(*call))) {
                    response.content_type = "text/xml";
                    response.body = std::move(*body);
                }
            call->answer(std::move(response));
        };
        if (events.is_empty()) engine.after_sync(std::move(reply));
        else if (auto taken_in = engine.provider_events(number, std::move(events), std::move(reply), passive); !taken_in)
            engine.after_sync([call, error = taken_in.error()] { call->fail(error); });
    });
    // The provider tries again; nothing was acknowledged.
    if (!taken) call->fail(queue_full());
}

}  // namespace

void add_hook_endpoints(Router& router) {
    for (const char* pattern : {"/hooks/{account}", "/hooks/{account}/{*tail}"})
        for (const auto method : {Method::get, Method::post})  // others are refused and counted by the connection
            router.add({.method = method, .pattern = pattern, .handler = receive, .body = BodyKind::any});
}

}  // namespace touchgate::http
