// /v1/forms/{name}: forms of other systems that become leads, proven by a signature; /l/{token}: the page on which a lead's owner reports, without a login.
#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/json_text.hpp"
#include "gateway/http/lead_json.hpp"
#include "gateway/leads/texts.hpp"

namespace touchgate::http {

namespace {

// ---- forms

void post_form(const Call& call) {
    const auto& services = call->services();
    const auto found = services.options.forms.find(call->path[0]);
    if (found == services.options.forms.end()) return call->fail({.kind = ErrorKind::not_found, .detail = "there is no form with this name"});
    const auto& form = found->second;
    const std::string signature{call->header("touchgate-signature")};
    switch (leads::check_signature(form, call->header("touchgate-timestamp"), signature, call->body(), services.clock.wall_now())) {
        case leads::Signed::ok: break;
        // Why is the sender's to find out, not a stranger's.
        case leads::Signed::missing:
        case leads::Signed::stale:
        case leads::Signed::wrong: return call->fail({.kind = ErrorKind::forbidden, .detail = "the signature is missing, wrong or too old"});
    }
    std::optional<Json> content;
    if (call->header("content-type").starts_with("application/x-www-form-urlencoded")) {
        content = leads::parse_urlencoded(call->body());
        if (!content) return call->fail({.kind = ErrorKind::malformed, .detail = "the body is no valid form"});
    } else {
        auto read = read_json(call->body());
        if (!read) return call->fail(read.error());
        content = std::move(*read);
    }
    if (!content->is_object()) return call->fail({.kind = ErrorKind::malformed, .detail = "the body must be a JSON object or a form"});
    const auto body = leads::lead_of(form, *content);
    std::vector<Problem> problems;
    JsonReader reader{body, "", problems};
    auto input = read_lead(reader, services.phones, services.options.body_hash_key);
    if (!problems.empty()) return call->fail(fields_error(std::move(problems)));
    // The same request once more is the same lead: its signature tells it, where the form has no key of its own.
    if (input.key.empty()) input.key = "form:" + form.name + ":" + to_hex(crypto::view(crypto::sha256(std::string{call->header("touchgate-timestamp")}, call->body()))).substr(0, 32);
    input.key_name = "form:" + form.name;
    input.evidence = "form " + form.name;
    in_engine(call, [input = std::move(input)](Engine& engine, Exchange& exchange) {
        const auto lead = LeadBook{engine}.capture(input);
        if (!lead) return exchange.problem_of(lead.error(), "lead_id");
        Response response;
        response.status = lead->duplicate || lead->is_duplicate_of ? 200 : 201;
        JsonObject{response.body}.id("id", lead->id).boolean("duplicate", lead->duplicate || lead->is_duplicate_of).close();
        return response;
    });
}

// ---- pages

constexpr std::string_view style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:1em auto;padding:0 1em;color:#222}h1{font-size:1.3em}dl{display:grid;grid-template-columns:auto 1fr;gap:.2em 1em}"
    "dt{color:#666}dd{margin:0}label{display:block;margin:.8em 0 .2em}input,select,textarea{font:inherit;width:100%;padding:.4em;box-sizing:border-box}"
    "button{font:inherit;margin-top:1em;padding:.5em 1.5em}.note{padding:.6em;background:#eef}.bad{padding:.6em;background:#fdd}";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    return out;
}

struct Page {
    std::string language;
    int status = 200;
    std::string body = {};
    [[nodiscard]] std::string say(std::string_view key) const { return escaped(leads::text(key, language)); }
    Page& notice(std::string_view css, const std::string& text) {
        body.append("<p class=\"").append(css).append("\">").append(text).append("</p>");
        return *this;
    }
    [[nodiscard]] Response answer() const {
        Response response;
        response.status = status;
        response.content_type = "text/html; charset=utf-8";
        response.body.append("<!doctype html><html lang=\"").append(language).append("\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" "
                                                                                     "content=\"noindex\"><title>");
        response.body.append(say("page.title")).append("</title><style>").append(style).append("</style></head><body><h1>").append(say("page.title")).append("</h1>").append(body).append("</body></html>");
        // Only this style, by its hash; no script, no frame, nothing from elsewhere; and the link is not told to others.
        response.headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'sha256-" + crypto::base64(crypto::view(crypto::sha256(style))) +
                                                            "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
                            {"Referrer-Policy", "no-referrer"}, {"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}};
        return response;
    }
};

std::string language_of(const Exchange& exchange) {
    const auto asked = exchange.query.text("lang");
    if (!asked.empty()) return asked.starts_with("zh") ? "zh-CN" : "en";
    return exchange.header("accept-language").starts_with("en") ? "en" : "zh-CN";
}

Page refused(const std::string& language, const Error& error) {
    Page page{.language = language};
    page.status = error.kind == ErrorKind::not_found ? 404 : error.kind == ErrorKind::conflict ? 410 : 503;
    page.notice("bad", page.say(error.kind == ErrorKind::not_found ? "page.unknown" : error.kind == ErrorKind::conflict ? "page.expired" : "page.busy"));
    return page;
}

void append_form(Page& page, const LeadDetails& lead, const std::string& time_of_due) {
    const auto line = [&](std::string_view key, std::string_view value) {
        if (!value.empty()) page.body.append("<dt>").append(page.say(key)).append("</dt><dd>").append(escaped(value)).append("</dd>");
    };
    page.body += "<dl>";
    line("page.customer", lead.contact_name.empty() ? lead.contact_phone : lead.contact_phone.empty() ? lead.contact_name : lead.contact_name + " " + lead.contact_phone);
    line("page.product", lead.product);
    line("page.source", lead.touchpoints.empty() ? std::string{} : lead.touchpoints.front().source);
    line("page.grade", leads::to_string(lead.score.grade));
    line("page.stage", leads::text("stage." + std::string{leads::to_string(lead.stage)}, page.language));
    line("page.due", time_of_due);
    page.body += "</dl>";
    if (lead.owner.empty() || leads::is_closed(lead.stage)) {
        page.notice("note", page.say("page.over"));
        return;
    }
    page.body.append("<form method=\"post\"><label for=\"result\">").append(page.say("page.result")).append("</label><select id=\"result\" name=\"result\"><option value=\"\"></option>");
    for (const auto* word : {"accepted", "reached", "visited", "won", "lost", "disqualified"})
        if (!leads::way_to(lead.stage, *stage_of_result(word)).empty())
            page.body.append("<option value=\"").append(word).append("\">").append(page.say(std::string{"result."}.append(word))).append("</option>");
    page.body.append("</select><label for=\"reason\">").append(page.say("page.reason")).append("</label><input id=\"reason\" name=\"reason\" maxlength=\"300\">");
    page.body.append("<label for=\"value\">").append(page.say("page.value")).append("</label><input id=\"value\" name=\"value\" inputmode=\"decimal\">");
    page.body.append("<label for=\"note\">").append(page.say("page.note")).append("</label><textarea id=\"note\" name=\"note\" rows=\"3\" maxlength=\"3000\"></textarea>");
    page.body.append("<button>").append(page.say("page.send")).append("</button></form>");
}

std::string shown_due(const LeadDetails& lead) {
    if (!lead.due_at || lead.contacted_at) return {};
    auto text = format_instant(*lead.due_at).substr(0, 16);
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text.append(" UTC");
}

void show_page(const Call& call) {
    in_engine(call, [language = language_of(*call)](Engine& engine, Exchange& exchange) {
        const auto lead = LeadBook{engine}.open_link(exchange.path[0]);
        if (!lead) return refused(language, lead.error()).answer();
        Page page{.language = language};
        append_form(page, *lead, shown_due(*lead));
        return page.answer();
    });
}

// What the form says, or why it cannot be taken (the key of a text).
struct Given { LeadAct act; std::string_view problem; };
Given read_report(const Json& form) {
    const auto field = [&](const char* name, std::size_t bytes_max) {
        auto text = form.value(name, std::string{});
        if (text.size() > bytes_max) text.clear();
        return std::string{trim(text)};
    };
    Given given;
    given.act.result = field("result", 50);
    given.act.walk = true;
    given.act.via = "link";
    given.act.note = field("note", 10'000);
    given.act.reason = field("reason", 1'000);
    const auto stage = stage_of_result(given.act.result);
    if (!stage) {
        given.problem = "page.missing_result";
        return given;
    }
    given.act.to = *stage;
    if (leads::is_closed(*stage) && *stage != leads::Stage::won && given.act.reason.empty()) given.problem = "page.missing_reason";
    if (const auto value = field("value", 50); !value.empty() && *stage == leads::Stage::won) {
        const auto units = read_amount(value, given.act.currency);
        if (!units) given.problem = "page.bad_value";
        given.act.value_units = units.value_or(0);
    }
    return given;
}

void take_page(const Call& call) {
    const auto form = leads::parse_urlencoded(call->body());
    auto given = form ? read_report(*form) : Given{.act = {}, .problem = "page.missing_result"};
    in_engine(call, [language = language_of(*call), given = std::move(given)](Engine& engine, Exchange& exchange) {
        LeadBook book{engine};
        auto lead = book.open_link(exchange.path[0]);
        if (!lead) return refused(language, lead.error()).answer();
        Page page{.language = language};
        if (!given.problem.empty()) {
            page.status = 422;
            page.notice("bad", page.say(given.problem));
        } else {
            auto act = given.act;
            act.agent = lead->owner;
            if (const auto moved = book.act(lead->id, act)) {
                lead = *moved;
                page.notice("note", page.say("page.saved"));
            } else {
                page.status = http_status(moved.error().kind);
                page.notice("bad", escaped(leads::text("page.refused", language, {{"detail", moved.error().detail}})));
            }
        }
        append_form(page, *lead, shown_due(*lead));
        return page.answer();
    });
}

}  // namespace

void add_form_endpoints(Router& router) {
    router.add({.method = Method::post, .pattern = "/v1/forms/{name}", .handler = post_form, .body = BodyKind::any, .body_max = std::size_t{64} << 10U});
    router.add({.method = Method::get, .pattern = "/l/{token}", .handler = show_page});
    router.add({.method = Method::post, .pattern = "/l/{token}", .handler = take_page, .body = BodyKind::any, .body_max = std::size_t{64} << 10U});
}

}  // namespace touchgate::http
