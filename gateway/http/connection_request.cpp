// What a request asks for, and by whom: route, API key, scope, rate, media type, sizes; then the exchange that goes to its endpoint.
#include "gateway/base/text.hpp"
#include "gateway/http/connection.hpp"

namespace touchgate::http {

namespace {

namespace beast = boost::beast;

bool is_json(std::string_view type) { return type == "application/json"; }

// The media type without its parameters, in lower case; "?" when it names another charset than UTF-8.
std::string media_type(std::string_view content_type) {
    const auto parts = split(content_type, ';');
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto parameter = to_lower_ascii(trim(parts[i]));
        if (parameter.starts_with("charset=") && parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"") return "?";
    }
    return to_lower_ascii(trim(parts[0]));
}

Error plain_error(ErrorKind kind, std::string detail) { return {.kind = kind, .detail = std::move(detail)}; }

}  // namespace

std::string_view Connection::header(std::string_view name) const {
    const auto& message = parser_->get();
    const auto found = message.find(beast::string_view{name.data(), name.size()});
    if (found == message.end()) return {};
    return {found->value().data(), found->value().size()};
}

bool Connection::on_header() {
    const auto& message = parser_->get();
    services_.counters.requests.fetch_add(1, std::memory_order_relaxed);
    keep_alive_ = message.keep_alive() && !services_.draining.load(std::memory_order_relaxed);
    http_1_0_ = message.version() < 11;
    const std::string_view word{message.method_string().data(), message.method_string().size()};
    is_head_ = word == "HEAD";
    method_ = parse_method(word);
    const auto accept_language = header("Accept-Language");
    language_ = accept_language.empty() ? Language::english : preferred_language(accept_language);
    traceparent_ = std::string{header("traceparent")};
    if (traceparent_.size() > 256) traceparent_.clear();

    std::string_view target{message.target().data(), message.target().size()};
    if (target.starts_with("http://") || target.starts_with("https://")) {
        const auto slash = target.find('/', 8);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    const auto question = target.find('?');
    path_.assign(target.substr(0, question));
    raw_query_.assign(question == std::string_view::npos ? std::string_view{} : target.substr(question + 1));
    match_ = services_.router.match(method_, path_);
    early_ = refusal(match_);

    const bool done = parser_->is_done();
    const bool expects_continue = !done && to_lower_ascii(header("Expect")) == "100-continue";
    const auto length = parser_->content_length();
    const auto body_max = match_.route != nullptr ? match_.route->body_max : body_bytes_max;
    const bool bulk = match_.route != nullptr && match_.route->bulk != nullptr;
    const bool too_long = !bulk && length && *length > body_max;
    if (too_long && !early_) {
        count_refused_hook("TOO_LARGE");
        early_ = problem(plain_error(ErrorKind::too_large, "the body is larger than " + std::to_string(body_max) + " bytes"), language_);
    }
    // A refused body that is short is read first, so that the connection can go on.
    const bool endless = bulk && (!length || *length > body_bytes_max);
    if (early_ && !done && (expects_continue || endless || too_long)) {
        refuse_and_close(std::move(*early_));
        return false;
    }
    if (!bulk || early_) parser_->body_limit(body_max);
    parser_->eager(true);
    phase_ = Phase::body;
    if (bulk && !early_) start_bulk(make_call());
    if (expects_continue) {
        next_out_ += "HTTP/1.1 100 Continue\r\n\r\n";
        start_write();
    }
    return true;
}

std::optional<Response> Connection::refusal(RouteMatch& match) {
    // A platform asks with GET and tells with POST; a HEAD is no callback of anybody's.
    if (is_head_ && match.route != nullptr && path_.starts_with("/hooks/")) match = {.route = nullptr, .parameters = {}, .allow = "GET, POST"};
    if (match.route == nullptr) {
        if (match.allow.empty()) return problem(plain_error(ErrorKind::not_found, "there is nothing at this path"), language_);
        count_refused_hook("METHOD");
        auto response = problem(plain_error(ErrorKind::not_allowed, "the path takes " + match.allow), language_);
        response.headers.emplace_back("Allow", match.allow);
        return response;
    }
    const auto& route = *match.route;
    if (services_.draining.load(std::memory_order_relaxed) && !route.while_draining) return problem(draining_error(), language_);
    if (route.scope.empty()) return media_type_refusal(route);
    const auto authorization = header("Authorization");
    // Hashing the key again is spared while a connection repeats it.
    if (authorized_ == nullptr || authorization != authorization_) {
        authorized_ = services_.keys->find(authorization);
        authorization_.assign(authorized_ != nullptr ? authorization : std::string_view{});
    }
    caller_ = authorized_;
    if (caller_ == nullptr) return problem(plain_error(ErrorKind::unauthorized, "send a known API key as \"Authorization: Bearer …\""), language_);
    access_ = caller_->access(route.scope);
    if (!access_.granted && !route.other_scope.empty()) access_ = caller_->access(route.other_scope);
    if (!access_.granted)
        return problem(
            plain_error(ErrorKind::forbidden, "this needs the scope \"" + std::string{route.scope} + "\", which the API key does not have"),
            language_);
    if (caller_->rate() != nullptr) {
        if (const int wait_s = caller_->rate()->take(services_.clock.monotonic_now()); wait_s > 0)
            return problem({.kind = ErrorKind::rate_limited, .detail = "this API key sends faster than its rate allows", .retry_after_s = wait_s},
                           language_);
    }
    return media_type_refusal(route);
}

void Connection::count_refused_hook(std::string_view reason) const {
    constexpr std::string_view hooks = "/hooks/";
    if (!path_.starts_with(hooks)) return;
    const auto name = std::string_view{path_}.substr(hooks.size());
    const auto account = services_.hooks.find(name.substr(0, name.find('/')));
    if (!account) return;
    (void)services_.engine.post([number = account->number, why = std::string{reason}](Engine& engine) { engine.count_hook(number, why); });
}

std::optional<Response> Connection::media_type_refusal(const Route& route) const {
    const auto content_type = header("Content-Type");
    if (content_type.empty() || route.body == BodyKind::none || route.body == BodyKind::any) return std::nullopt;
    const auto type = media_type(content_type);
    bool fits = false;
    std::string_view wanted = "application/json";
    switch (route.body) {
        case BodyKind::json: fits = is_json(type); break;
        case BodyKind::merge_patch: fits = is_json(type) || type == "application/merge-patch+json"; break;
        case BodyKind::ndjson:
            wanted = "application/x-ndjson";
            fits = type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl" || type == "application/x-jsonlines";
            break;
        default: fits = true;
    }
    if (fits) return std::nullopt;
    return problem(plain_error(ErrorKind::unsupported, "send the body as " + std::string{wanted} + " in UTF-8"), language_);
}

Call Connection::make_call() {
    auto call = std::make_shared<Exchange>(services_, *thread_, shared_from_this(), body_);
    call->method = method_;
    call->route = match_.route;
    call->path = std::move(match_.parameters);
    if (!raw_query_.empty()) {
        call->query = QueryParameters{raw_query_};
        call->raw_query = std::move(raw_query_);
    }
    call->caller = caller_;
    call->access = access_;
    call->language = language_;
    return call;
}

void Connection::dispatch() {
    phase_ = Phase::waiting;
    expire_in(services_.options.body_idle_timeout);
    if (early_) {
        deliver(std::move(*early_));
        return;
    }
    if (body_.capacity() < body_.size() + TouchIntake::padding_bytes) body_.reserve(body_.size() + TouchIntake::padding_bytes);
    match_.route->handler(make_call());
}

}  // namespace touchgate::http
