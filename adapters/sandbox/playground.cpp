#include "adapters/sandbox/playground.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>

#include "adapters/sandbox/control_reply.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

namespace {

constexpr std::uint64_t list_max = 1'000'000;

HttpReply json_reply(const Json& body, int status = 200) { return {.status = status, .body = body.dump()}; }

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    append_json_string(out, value);
}

// Written by hand: a load test reads millions of these.
void append_message(std::string& out, const StoredMessage& message, bool with_raw) {
    out.append("{\"n\":").append(std::to_string(message.n)).append(",\"at\":\"");
    append_instant(out, message.at);
    out.push_back('"');
    append_member(out, "account_user", message.account_user);
    append_member(out, "to", message.to);
    append_member(out, "from", message.from);
    append_member(out, "text", message.text);
    out.append(",\"parts\":").append(std::to_string(message.parts));
    append_member(out, "state", name_of(message.state));
    append_member(out, "stat", message.stat);
    out.append(",\"answered\":").append(message.answered ? "true" : "false");
    append_member(out, "via", name_of(message.via));
    if (!message.kind.empty()) append_member(out, "kind", message.kind);
    if (with_raw) {
        out.append(",\"raw\":[");
        for (std::size_t i = 0; i < message.raw.size(); ++i) {
            if (i > 0) out.push_back(',');
            append_json_string(out, to_hex(message.raw[i]));
        }
        out.push_back(']');
    }
    out.push_back('}');
}

std::string status_text(std::uint32_t status) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%02X", static_cast<unsigned>(status));
    return text;
}

Json to_json(const Customers& customers) {
    return {{"replies", customers.replies()}, {"opt_outs", customers.opt_outs()}, {"messages_after_opt_out", customers.messages_after_opt_out()}};
}

Json to_json(const SmscPeer& peer) {
    const auto& s = peer.statistics();
    Json refused = Json::object();
    for (const auto& [status, count] : s.refused) refused[status_text(status)] = count;
    return {{"connections", s.connections},
            {"binds", s.binds},
            {"binds_refused", s.binds_refused},
            {"bound", peer.bound_sessions()},
            {"submits", s.submits},
            {"accepted", s.accepted},
            {"answered", s.answered},
            {"refused", refused},
            {"repeated_parts", s.repeated_parts},
            {"incomplete_messages", peer.incomplete_messages()},
            {"receipts_sent", s.receipts_sent},
            {"receipts_answered", s.receipts_answered},
            {"intermediates_sent", s.intermediates_sent},
            {"messages_sent", s.messages_sent},
            {"messages_answered", s.messages_answered},
            {"deliveries_waiting", peer.deliveries_waiting()},
            {"deliveries_refused", s.deliveries_refused},
            {"deliveries_repeated", s.deliveries_repeated},
            {"deliveries_given_up", s.deliveries_given_up},
            {"drops", s.drops},
            {"resets", s.resets},
            {"half_opens", s.half_opens},
            {"protocol_errors", s.protocol_errors},
            {"customers", to_json(peer.customers())}};
}

Json to_json(const CloudPeer& peer) {
    const auto& s = peer.statistics();
    const auto& callbacks = peer.callbacks();
    return {{"requests", s.requests},
            {"signatures_refused", s.signatures_refused},
            {"submits", s.submits},
            {"accepted", s.accepted},
            {"unanswered", s.unanswered},
            {"refused", s.refused},
            {"receipts", s.receipts},
            {"messages", s.messages},
            {"callbacks", {{"sent", callbacks.sent()}, {"taken", callbacks.taken()}, {"repeated", callbacks.repeated()}, {"given_up", callbacks.given_up()},
                           {"waiting", callbacks.waiting()}}},
            {"customers", to_json(peer.customers())}};
}

Json to_json(const PbxPeer& peer) {
    const auto& s = peer.statistics();
    return {{"requests", s.requests},   {"refused", s.refused},
            {"faults", s.faults},       {"unanswered", s.unanswered},
            {"events", s.events},       {"events_lost", s.events_lost},
            {"nonsense", s.nonsense},   {"sockets", s.sockets},
            {"calls_in", s.calls_in},   {"calls_turned_away", s.calls_turned_away},
            {"calls_out", s.calls_out}, {"answered", s.answered},
            {"abandoned", s.abandoned}, {"restarts", s.restarts},
            {"channels", peer.channels()}};
}

Json to_json(const PlatformPeer& peer) {
    const auto& s = peer.statistics();
    const auto& events = peer.events();
    return {{"requests", s.requests},
            {"tokens", s.tokens},
            {"calls", s.calls},
            {"refused", s.refused},
            {"accepted", s.accepted},
            {"unanswered", s.unanswered},
            {"callbacks", {{"sent", events.sent()}, {"taken", events.taken()}, {"repeated", events.repeated()}, {"given_up", events.given_up()},
                           {"lost", events.lost()}, {"waiting", events.waiting()}}},
            {"customers", to_json(peer.customers())}};
}

}  // namespace

Playground::Playground(const Settings& settings)
    : behaviour_{settings.behaviour}, store_{settings.parts_max}, smsc_random_{settings.seed}, aliyun_random_{settings.seed + 1},
      tencent_random_{settings.seed + 2}, wecom_random_{settings.seed + 3}, official_account_random_{settings.seed + 4}, pbx_random_{settings.seed + 5} {
    if (settings.smsc) smsc_.emplace(settings.smsc->peer, behaviour_.smsc, store_, smsc_random_);
    if (settings.aliyun) aliyun_.emplace(settings.aliyun->peer, behaviour_.aliyun, store_, aliyun_random_);
    if (settings.tencent) tencent_.emplace(settings.tencent->peer, behaviour_.tencent, store_, tencent_random_);
    if (settings.wecom) wecom_.emplace(settings.wecom->peer, behaviour_.wecom, store_, wecom_random_);
    if (settings.official_account) official_account_.emplace(settings.official_account->peer, behaviour_.official_account, store_, official_account_random_);
    if (settings.pbx) pbx_.emplace(settings.pbx->peer, behaviour_.pbx, pbx_random_);
}

HttpReply Playground::control(const HttpRequest& request, Now now) {
    const auto parameters = parse_parameters(request.query());
    const auto path = request.path();
    const auto is = [&](std::string_view method, std::string_view wanted) { return request.method == method && path == wanted; };
    if (is("GET", "/sandbox/messages")) return list_messages(parameters);
    if (is("DELETE", "/sandbox/messages")) {
        store_.clear();
        if (smsc_) smsc_->forget_incomplete();
        return {.status = 204};
    }
    if (is("GET", "/sandbox/recipients")) return list_recipients(parameters);
    for (const auto& [prefix, peer] : {std::pair<std::string_view, PlatformPeer*>{"/sandbox/wecom/", wecom()}, {"/sandbox/official_account/", official_account()}})
        if (peer != nullptr && path.starts_with(prefix)) return peer->control(request, path.substr(prefix.size() - 1), now);
    constexpr std::string_view of_pbx = "/sandbox/pbx";
    if (pbx_ && path.starts_with("/sandbox/pbx/")) return pbx_->control(request, path.substr(of_pbx.size()), now);
    if (is("GET", "/sandbox/duplicates")) return list_duplicates(parameters);
    if (is("GET", "/sandbox/behaviour")) return json_reply(to_json(behaviour_));
    if (is("PUT", "/sandbox/behaviour")) return put_behaviour(request, now);
    if (is("POST", "/sandbox/inbound")) return post_inbound(request, now);
    if (is("POST", "/sandbox/disconnect")) return post_disconnect(request);
    if (is("GET", "/sandbox/stats")) return statistics();
    for (const std::string_view known : {"/sandbox/messages", "/sandbox/recipients", "/sandbox/duplicates", "/sandbox/behaviour", "/sandbox/inbound", "/sandbox/disconnect",
                                         "/sandbox/stats"})
        if (path == known) return problem_reply(405, "this resource has no such method");
    return problem_reply(404, "no such resource; see adapters/sandbox/README.md");
}

HttpReply Playground::list_messages(const Parameters& parameters) const {
    const auto after = number_of(parameters, "after", 0);
    const auto limit = std::min(number_of(parameters, "limit", 1'000), list_max);
    const auto to = value_of(parameters, "to"), kind = value_of(parameters, "kind");
    const bool with_raw = value_of(parameters, "raw") == "1";
    std::string body = "{\"items\":[";
    std::uint64_t count = 0;
    if (limit > 0) {
        store_.read(after, with_raw, [&](const StoredMessage& message) {
            if ((!to.empty() && message.to != to) || (!kind.empty() && message.kind != kind)) return true;
            if (count++ > 0) body.push_back(',');
            append_message(body, message, with_raw);
            return count < limit;
        });
    }
    body.append("],\"last\":").append(std::to_string(store_.last_number())).append("}");
    return {.body = std::move(body)};
}

HttpReply Playground::list_recipients(const Parameters& parameters) const {
    const auto via = value_of(parameters, "via"), kind = value_of(parameters, "kind");
    std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
    store_.read(0, false, [&](const StoredMessage& message) {
        if ((via.empty() || name_of(message.via) == via) && (kind.empty() || message.kind == kind)) ++counts[{message.to, message.kind}];
        return true;
    });
    Json items = Json::array();
    for (const auto& [key, count] : counts) {
        Json item{{"to", key.first}, {"count", count}};
        if (!key.second.empty()) item["kind"] = key.second;
        items.push_back(std::move(item));
    }
    return json_reply({{"items", std::move(items)}});
}

HttpReply Playground::list_duplicates(const Parameters& parameters) const {
    const auto all = store_.duplicates(std::numeric_limits<std::size_t>::max());
    const auto limit = number_of(parameters, "limit", 100);
    std::uint64_t surplus = 0;
    Json items = Json::array();
    for (const auto& content : all) {
        surplus += content.count - 1;
        if (items.size() < limit) items.push_back({{"count", content.count}, {"to", content.to}, {"text", content.text}, {"n", content.numbers}});
    }
    return json_reply({{"messages", store_.message_count()}, {"distinct", store_.message_count() - surplus}, {"items", std::move(items)}});
}

HttpReply Playground::put_behaviour(const HttpRequest& request, Now now) {
    const auto body = parse_json(request.body);
    if (!body) return problem_reply(400, body.error().detail);
    std::vector<Problem> problems;
    JsonReader reader{*body, "", problems};
    update(behaviour_, reader);
    if (!problems.empty()) return problem_reply(422, "the behaviour was left as it was", problems);
    if (smsc_) smsc_->behaviour_changed();
    if (pbx_) pbx_->behaviour_changed(now);
    return json_reply(to_json(behaviour_));
}

HttpReply Playground::post_inbound(const HttpRequest& request, Now now) {
    const auto body = parse_json(request.body);
    if (!body) return problem_reply(400, body.error().detail);
    std::vector<Problem> problems;
    JsonReader reader{*body, "", problems};
    static_cast<void>(reader.choice("channel", {"sms"}, "sms"));
    const CustomerMessage message{.from = reader.required_text("from", {1, 20}),
                                  .to = reader.required_text("to", {1, 20}),
                                  .text = reader.text("text", {}, {0, 10'000}),
                                  .user = reader.text("account_user")};
    const auto via = reader.choice("via", {"smsc", "aliyun", "tencent"}, "");
    reader.finish();
    if (!problems.empty()) return problem_reply(422, "the message was not sent", problems);
    std::size_t sent = 0;
    if (smsc_ && (via.empty() || via == "smsc")) sent += smsc_->inbound(message, now);
    if (aliyun_ && (via == "aliyun" || (via.empty() && sent == 0))) sent += aliyun_->inbound(message.from, message.to, message.text, now) ? 1 : 0;
    if (tencent_ && (via == "tencent" || (via.empty() && sent == 0))) sent += tencent_->inbound(message.from, message.to, message.text, now) ? 1 : 0;
    if (sent == 0) return problem_reply(409, "nobody takes it: no such user, or no mo_url is configured");
    return json_reply({{"sent_to", sent}}, 202);
}

HttpReply Playground::post_disconnect(const HttpRequest& request) {
    const auto body = parse_json(request.body.empty() ? "{}" : request.body);
    if (!body) return problem_reply(400, body.error().detail);
    std::vector<Problem> problems;
    JsonReader reader{*body, "", problems};
    const auto how = reader.choice("how", {"close", "reset"}, "close");
    reader.finish();
    if (!problems.empty()) return problem_reply(422, "nothing was disconnected", problems);
    if (smsc_) smsc_->disconnect_all(how == "reset" ? Ending::reset : Ending::close);
    return {.status = 204};
}

HttpReply Playground::statistics() const {
    Json body{{"store", {{"messages", store_.message_count()}, {"last", store_.last_number()}, {"bytes", store_.bytes_held()}}}};
    if (smsc_) body["smsc"] = to_json(*smsc_);
    if (aliyun_) body["aliyun"] = to_json(*aliyun_);
    if (tencent_) body["tencent"] = to_json(*tencent_);
    if (wecom_) body["wecom"] = to_json(*wecom_);
    if (pbx_) body["pbx"] = to_json(*pbx_);
    if (official_account_) body["official_account"] = to_json(*official_account_);
    return json_reply(body);
}

}  // namespace touchgate::sandbox
