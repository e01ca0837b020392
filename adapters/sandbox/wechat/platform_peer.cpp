#include "adapters/sandbox/wechat/platform_peer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "adapters/sandbox/wechat/errors.hpp"
#include "adapters/sandbox/wechat/event_xml.hpp"
#include "adapters/sandbox/wechat/json_fields.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool is_error_status(const Json& answer) { return integer_of(answer, "errcode", 0) != 0; }

}  // namespace

PlatformPeer::PlatformPeer(Via via, const WechatBehaviour& behaviour, MessageStore& store, Random& random)
    : behaviour_{behaviour}, store_{store}, random_{random}, tokens_{random}, events_{random}, customers_{random}, via_{via} {
    on("POST", "/cgi-bin/media/upload", &PlatformPeer::upload);
    on("POST", "/cgi-bin/media/upload_attachment", &PlatformPeer::upload);
    on("POST", "/cgi-bin/media/uploadimg", &PlatformPeer::upload_image);
    on("GET", "/cgi-bin/getcallbackip", &PlatformPeer::callback_addresses);
    on_control("POST", "/storm", &PlatformPeer::post_storm);
    on_control("DELETE", "/storm", &PlatformPeer::delete_storms);
    on_control("POST", "/revoke", &PlatformPeer::post_revoke);
    on_control("PUT", "/callback", &PlatformPeer::put_callback);
    on_control("POST", "/verify", &PlatformPeer::post_verify);
    on_control("POST", "/callbacks", &PlatformPeer::post_callback);
    on_control("GET", "/callbacks", &PlatformPeer::list_callbacks);
}

Json PlatformPeer::fault(int code, Json more) const {
    more["errcode"] = code;
    more["errmsg"] = std::string{error_text(code)}.append(fault_suffix(code));
    return more;
}

HttpReply PlatformPeer::handle(const HttpRequest& request, Now now) {
    ++statistics_.requests;
    plan_activities(now);
    unanswered_.clear();
    bool hang_up = false, http_error = chance(behaviour_.http_error);
    HttpReply reply;
    reply.delay = behaviour_.response_delay.is_zero() ? 0ns : behaviour_.response_delay.draw(random_);
    const std::string path{request.path()};
    Json answered;
    if (!http_error) answered = answer(request, path, now, hang_up, http_error);
    if (http_error) {
        ++statistics_.refused["http"];
        reply.status = 502;
        reply.content_type = "text/html";
        reply.body = "<html><body>502 Bad Gateway</body></html>";
        return reply;
    }
    if (is_error_status(answered)) {
        ++statistics_.refused[std::to_string(integer_of(answered, "errcode", 0))];
    } else {
        ++statistics_.calls[path];
        hang_up = hang_up || (!unanswered_.empty() && chance(behaviour_.no_response));
    }
    if (hang_up) {
        ++statistics_.unanswered;
        reply.hang_up = true;
    } else {
        for (const auto part : unanswered_) store_.set_answered(part);
    }
    unanswered_.clear();
    reply.body = dump(answered);
    return reply;
}

Json PlatformPeer::answer(const HttpRequest& request, const std::string& path, Now now, bool& hang_up, bool& http_error) {
    const auto found = endpoints_.find(path);
    if (found == endpoints_.end()) return fault(40066);
    const auto& endpoint = found->second;
    const auto parameters = parse_parameters(request.query());
    const bool business = endpoint.access == Access::token;
    if (const auto* const storm = storm_over(path, business, now)) {
        hang_up = storm->how == "hang_up";
        http_error = storm->how == "http_error";
        if (http_error) return nullptr;
        if (!hang_up) return fault(storm->code);
    }
    if (!endpoint.method.empty() && request.method != endpoint.method) return fault(endpoint.method == "GET" ? 43001 : 43002);
    std::string application;
    if (business) {
        const auto token = value_of(parameters, "access_token");
        if (token.empty()) return fault(41001);
        auto checked = tokens_.check(token, now.monotonic);
        if (checked.code != 0) return fault(checked.code);
        application = std::move(checked.application);
        if (!buckets_[application].take(behaviour_.rate, now.monotonic)) return fault(rate_code());
        if (chance(behaviour_.throttle)) return fault(45009);
        if (const auto code = draw(behaviour_.error, random_); !code.empty()) {
            int number = 0;
            std::from_chars(code.data(), code.data() + code.size(), number);
            return fault(number);
        }
    }
    Json body;
    const bool multipart = request.header("content-type").starts_with("multipart/");
    if (request.method == "POST" && !multipart) {
        if (request.body.empty()) return fault(44002);
        auto parsed = parse_json(request.body);
        if (!parsed || !parsed->is_object()) return fault(47001);
        body = std::move(*parsed);
    }
    const Call call{.request = request, .parameters = parameters, .body = body, .application = application, .now = now};
    if (business)
        if (const int code = count_call(call, path); code != 0) return fault(code);
    auto answered = endpoint.handler(call);
    if (!answered.is_object()) answered = Json::object();
    if (!answered.contains("errcode") && !answered.contains("access_token")) {
        answered["errcode"] = 0;
        answered["errmsg"] = "ok";
    }
    return answered;
}

PlatformPeer::Storm* PlatformPeer::storm_over(std::string_view path, bool business, Now now) {
    std::erase_if(storms_, [&](const Storm& storm) { return storm.calls <= 0 || storm.until <= now.monotonic; });
    for (auto& storm : storms_) {
        if (storm.path.empty() ? !business : storm.path != path) continue;
        --storm.calls;
        return &storm;
    }
    return nullptr;
}

// A rate that has changed since an act was planned makes that plan void: times between such acts have no memory.
void PlatformPeer::plan_activities(Now now) {
    for (std::size_t i = 0; i < activities_.size(); ++i) {
        auto& activity = activities_[i];
        const auto rate = activity.rate();
        if (rate == activity.planned_at_rate) continue;
        activity.planned_at_rate = rate;
        const auto generation = ++activity.generation;
        if (rate <= 0) continue;
        const std::chrono::duration<double> wait{-std::log(1 - random_.unit()) / rate};
        later(std::chrono::duration_cast<std::chrono::nanoseconds>(wait), now, [this, i, generation](Now then) {
            auto& due = activities_[i];
            if (due.generation != generation) return;
            due.planned_at_rate = 0;
            due.act(then);
            plan_activities(then);
        });
    }
}

std::vector<OutgoingRequest> PlatformPeer::take_requests(Now now) {
    plan_activities(now);
    while (auto action = schedule_.pop_due(now.monotonic)) (*action)(now);
    return events_.take_due(now);
}

std::optional<std::chrono::nanoseconds> PlatformPeer::wake_at() const {
    const auto own = schedule_.next(), theirs = events_.wake_at();
    if (own && theirs) return std::min(*own, *theirs);
    return own ? own : theirs;
}

void PlatformPeer::on_callback_answer(std::uint64_t id, int status, std::string_view body, Now now) {
    if (const auto reply = events_.on_answer(id, status, body, behaviour_, now)) on_passive_reply(reply->application, reply->xml, now);
}

void PlatformPeer::on_passive_reply(const std::string& application, std::string_view xml, Now now) {
    const auto to = element_text(xml, "ToUserName"), from = element_text(xml, "FromUserName"), type = element_text(xml, "MsgType");
    if (!to || !from || !type) return;
    const auto content = element_text(xml, "Content");
    store_.set_answered(arrive({.application = application, .to = *to, .from = *from, .text = content ? std::string_view{*content} : xml, .kind = "reply", .raw = xml}, now));
}

PartNumber PlatformPeer::arrive(const Arrival& arrival, Now now) {
    std::string raw;
    const auto put = [&raw](std::string_view piece, std::size_t size_max) {
        piece = piece.substr(0, size_max);
        const Slice slice{static_cast<std::uint32_t>(raw.size()), static_cast<std::uint32_t>(piece.size())};
        raw.append(piece);
        return slice;
    };
    const auto to = put(arrival.to, 255), from = put(arrival.from, 255), payload = put(arrival.text, arrival.text.size());
    raw.append(arrival.raw);
    const auto part = store_.add_part({.raw = raw, .to = to, .from = from, .payload = payload, .coding = Coding::utf8, .at = now.wall,
                                       .user = store_.intern_user(arrival.application), .via = via_, .kind = store_.intern_kind(arrival.kind)});
    store_.add_message({&part, 1});
    ++statistics_.accepted;
    unanswered_.push_back(part);
    return part;
}

void PlatformPeer::set_state(PartNumber part, bool delivered, std::string_view stat) {
    store_.set_state(part, delivered ? PartState::delivered : PartState::failed, store_.intern_stat(stat));
}

std::string PlatformPeer::new_id(std::string_view prefix, std::size_t size) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string id{prefix};
    while (id.size() < size) id.push_back(letters[static_cast<std::size_t>(random_.below(letters.size()))]);
    return id;
}

std::string PlatformPeer::readable(const Json& message) {
    const auto type = text_of(message, "msgtype");
    if (type.empty() || type == "text") {
        if (const auto text = text_of(member_of(message, "text"), "content"); !text.empty()) return text;
    }
    return dump(type.empty() ? message : member_of(message, type));
}

}  // namespace touchgate::sandbox
