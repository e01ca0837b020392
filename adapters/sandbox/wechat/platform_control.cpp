// The control API that both platforms have: storms, tokens that die, and callbacks.
#include <limits>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/platform_peer.hpp"

namespace touchgate::sandbox {

namespace {

HttpReply problem(int status, std::string_view title, const std::vector<Problem>& problems = {}) {
    Json body{{"type", "about:blank"}, {"title", title}, {"status", status}};
    for (const auto& one : problems) body["errors"].push_back({{"pointer", one.pointer}, {"detail", one.detail}});
    return {.status = status, .content_type = "application/problem+json", .body = body.dump()};
}

}  // namespace

HttpReply PlatformPeer::control(const HttpRequest& request, std::string_view path, Now now) {
    plan_activities(now);
    const auto found = controls_.find({std::string{path}, request.method});
    if (found == controls_.end()) {
        for (const auto& [key, handler] : controls_)
            if (key.first == path) return problem(405, "this resource has no such method");
        return problem(404, "no such resource; see adapters/sandbox/README.md");
    }
    const auto parameters = parse_parameters(request.query());
    const auto body = parse_json(request.body.empty() ? "{}" : request.body);
    if (!body) return problem(400, body.error().detail);
    std::vector<Problem> problems;
    JsonReader reader{*body, "", problems};
    Control control{.parameters = parameters, .body = reader, .now = now};
    unanswered_.clear();
    auto answer = found->second(control);
    // What a person in the sandbox did was answered to nobody.
    for (const auto part : unanswered_) store_.set_answered(part);
    unanswered_.clear();
    if (!problems.empty()) return problem(422, "nothing was done", problems);
    if (answer.is_null()) return {.status = 204};
    return {.body = answer.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Json PlatformPeer::post_storm(Control& control) {
    auto& body = control.body;
    Storm storm;
    storm.path = body.text("path");
    storm.how = body.choice("how", {"code", "hang_up", "http_error"}, "code");
    storm.code = static_cast<int>(body.integer("code", 45009, -1, 999'999));
    storm.calls = body.integer("calls", std::numeric_limits<std::int64_t>::max(), 1);
    const auto life = body.duration("for", std::chrono::hours{24 * 365}, Duration{1});
    storm.until = control.now.monotonic + life;
    body.finish();
    if (storm.code == 0) body.problem("code", "0 is no refusal");
    if (!storm.path.empty() && !endpoints_.contains(storm.path)) body.problem("path", "no such call");
    if (body.problems().empty()) storms_.push_back(std::move(storm));
    return nullptr;
}

Json PlatformPeer::delete_storms(Control& control) {
    control.body.finish();
    storms_.clear();
    return nullptr;
}

Json PlatformPeer::post_revoke(Control& control) {
    const auto application = control.body.text("application");
    const auto code = static_cast<int>(control.body.integer("code", via_ == Via::wecom ? 40014 : 40001, 1, 999'999));
    control.body.finish();
    if (!control.body.problems().empty()) return nullptr;
    return {{"revoked", tokens_.revoke(application, code, control.now.monotonic)}};
}

Json PlatformPeer::put_callback(Control& control) {
    auto& body = control.body;
    const auto application = body.required_text("application");
    const auto* const known = events_.receiver(application);
    if (known == nullptr) {
        body.problem("application", "no such agent id or appid");
        return nullptr;
    }
    auto receiver = *known;
    auto& target = receiver.target;
    target.url = body.text("url", target.url);
    target.token = body.text("token", target.token);
    target.encoding_aes_key = body.text("encoding_aes_key", target.encoding_aes_key);
    const auto mode = body.choice("mode", {"plain", "compatible", "secure"}, target.mode == CallbackMode::plain ? "plain" : target.mode == CallbackMode::secure ? "secure" : "compatible");
    target.mode = mode == "plain" ? CallbackMode::plain : mode == "secure" ? CallbackMode::secure : CallbackMode::compatible;
    body.finish();
    if (!target.url.empty() && !target.url.starts_with("http://")) body.problem("url", "must be an http:// URL, or \"\" for no callbacks");
    if (receiver.is_wecom && target.mode != CallbackMode::secure) body.problem("mode", "WeCom knows secure only");
    if (!body.problems().empty()) return nullptr;
    if (!events_.set_receiver(application, std::move(receiver))) body.problem("encoding_aes_key", "must be 43 letters and digits");
    return nullptr;
}

Json PlatformPeer::post_verify(Control& control) {
    const auto application = control.body.required_text("application");
    control.body.finish();
    if (!control.body.problems().empty()) return nullptr;
    const auto n = events_.verify(application, control.now);
    if (n == 0) control.body.problem("application", "it has no callback URL");
    return {{"n", n}};
}

Json PlatformPeer::post_callback(Control& control) {
    const auto application = control.body.required_text("application");
    const auto plaintext = control.body.required_text("plaintext", {1, 100'000});
    const auto sender = control.body.text("openid");
    control.body.finish();
    if (!control.body.problems().empty()) return nullptr;
    const auto n = events_.send(application, "raw", plaintext, sender, behaviour_, control.now);
    if (n == 0) control.body.problem("application", "it has no callback URL");
    return {{"n", n}};
}

Json PlatformPeer::list_callbacks(Control& control) {
    control.body.finish();
    std::uint64_t after = 0;
    if (const auto text = value_of(control.parameters, "after"); !text.empty())
        after = static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of({{"after", text}}, "after", 0), 0));
    Json items = Json::array();
    for (const auto& record : events_.records()) {
        if (record.n <= after) continue;
        items.push_back({{"n", record.n}, {"application", record.application}, {"event", record.event}, {"at", format_instant(record.at)}, {"tries", record.tries},
                         {"status", record.status}, {"outcome", name_of(record.outcome)}, {"answer", record.answer}, {"plaintext", record.plaintext}});
    }
    return {{"items", std::move(items)}};
}

}  // namespace touchgate::sandbox
