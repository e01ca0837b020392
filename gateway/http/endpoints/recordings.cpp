// GET /v1/interactions/{id}/recording: a call's recording, whole or in parts. Each reading is an event of the log.
#include <charconv>

#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/exchange.hpp"

namespace touchgate::http {

namespace {

constexpr int gone = 410;
constexpr std::uint64_t part_max = std::uint64_t{4} << 20U;  // bytes in one answer: a player asks for the next part by itself

Error no_recording() { return {.kind = ErrorKind::not_found, .detail = "there is no recording of this interaction"}; }

struct Range { std::uint64_t from = 0, size = part_max; bool given = false; };

// "bytes=0-499" or "bytes=500-"; anything else is taken as no range, as RFC 9110 allows.
Range read_range(std::string_view text) {
    Range range;
    constexpr std::string_view unit = "bytes=";
    if (!text.starts_with(unit) || text.find(',') != std::string_view::npos) return range;
    text.remove_prefix(unit.size());
    const auto dash = text.find('-');
    if (dash == std::string_view::npos || dash == 0) return range;
    std::uint64_t from = 0, to = 0;
    if (std::from_chars(text.data(), text.data() + dash, from).ec != std::errc{}) return range;
    range.from = from;
    range.given = true;
    const auto end = text.substr(dash + 1);
    if (!end.empty() && std::from_chars(end.data(), end.data() + end.size(), to).ec == std::errc{} && to >= from) range.size = std::min(part_max, to - from + 1);
    return range;
}

// Types of recordings that telephone systems give; the answer's type is a literal.
std::string_view type_of(const std::string& given) {
    for (const std::string_view known : {"audio/wav", "audio/x-wav", "audio/mpeg", "audio/ogg", "audio/basic", "audio/gsm"})
        if (given == known) return known;
    return "application/octet-stream";
}

void get_recording(const Call& call) {
    const auto id = parse_uuid(call->path[0]);
    if (!id) return call->fail(no_recording());
    const auto range = read_range(call->header("range"));
    const auto name = call->query.text("recording");
    const auto reason = call->query.text("reason");
    in_engine(call, [id = *id, range, name, reason](Engine& engine, Exchange& exchange) {
        const auto contact_id = engine.contact_of_recording(id);
        if (contact_id.empty()) return exchange.problem_of(no_recording());
        if (exchange.access.limited()) {
            const auto contact = engine.find_contact(contact_id);
            if (!contact || !exchange.access.covers(contact->unit)) return exchange.problem_of(no_recording());
        }
        const auto by = exchange.caller == nullptr ? std::string{} : exchange.caller->name();
        const auto part = engine.open_recording(id, name, by, reason, range.from, range.size);
        if (!part) return exchange.problem_of(part.error(), {}, part.error().reference == "deleted" ? gone : 0);
        Response response;
        response.content_type = type_of(part->content_type);
        response.headers.emplace_back("Accept-Ranges", "bytes");
        if (range.given && part->from >= part->total && part->total > 0) {
            response.status = 416;
            response.headers.emplace_back("Content-Range", "bytes */" + std::to_string(part->total));
            return response;
        }
        if (range.given || part->bytes.size() < part->total) {
            response.status = 206;
            response.headers.emplace_back("Content-Range", "bytes " + std::to_string(part->from) + "-" + std::to_string(part->from + part->bytes.size() - 1) + "/" +
                                                               std::to_string(part->total));
        }
        response.body = part->bytes;
        return response;
    });
}

}  // namespace

void add_recording_endpoints(Router& router) {
    router.add({.method = Method::get, .pattern = "/v1/interactions/{id}/recording", .scope = "recordings", .handler = get_recording});
}

}  // namespace touchgate::http
