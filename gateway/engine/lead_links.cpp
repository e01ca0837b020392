// Links to the page on which a lead's owner reports what became of it, without a login: the token names the lead and the end of its life, and proves
// that this gateway made it for this assignment. Nothing of it is stored.

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr std::size_t token_bytes = 16 + 6 + 16;  // the lead's id, Unix seconds, the proof

std::string to_base64url(std::string_view bytes) {
    auto text = crypto::base64(bytes);
    while (text.ends_with('=')) text.pop_back();
    for (auto& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

std::optional<std::string> from_base64url(std::string text) {
    for (auto& c : text) {
        if (c == '+' || c == '/' || c == '=') return std::nullopt;
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    while (text.size() % 4 != 0) text += '=';
    return crypto::from_base64(text);
}

std::string bytes_of(const crypto::Hash128& hash) {
    ByteWriter out;
    out.u64(hash.high);
    out.u64(hash.low);
    return std::string{out.bytes()};
}

}  // namespace

crypto::Hash128 Engine::Internals::link_proof(const LeadRow& lead, Instant expires_at) const {
    return index_hash("lead link\n" + to_string(lead.id) + "\n" + std::to_string(unix_ms(expires_at) / 1'000) + "\n" + std::to_string(lead.assignments) + "\n" + lead.owner);
}

LeadLink Engine::Internals::link_of(const LeadRow& lead) const {
    const auto expires_at = std::chrono::floor<std::chrono::seconds>(now + lead_routing.definition.link_valid_for);
    std::string token{lead.id.view()};
    const auto seconds = static_cast<std::uint64_t>(expires_at.time_since_epoch().count());
    for (unsigned shift = 48; shift > 0;) token.push_back(static_cast<char>(seconds >> (shift -= 8) & 0xFFU));
    token += bytes_of(link_proof(lead, expires_at));
    return {.url = lead_routing.definition.link_base + "/l/" + to_base64url(token), .expires_at = expires_at};
}

Result<LeadLink> LeadBook::make_link(const Uuid& id) {
    auto& in = engine_.internals();
    const auto* lead = in.state.leads.find(id);
    if (lead == nullptr) return Error{.kind = ErrorKind::not_found, .detail = "there is no lead " + to_string(id)};
    if (lead->owner.empty())
        return Error{.kind = ErrorKind::conflict, .detail = "nobody owns the lead: a link is its owner's", .problems = {}, .retry_after_s = 0, .reference = to_string(id)};
    return in.link_of(*lead);
}

Result<LeadDetails> LeadBook::open_link(const std::string& token) {
    auto& in = engine_.internals();
    const Error unknown{.kind = ErrorKind::not_found, .detail = "there is no such link"};
    const auto bytes = token.size() > 100 ? std::nullopt : from_base64url(token);
    if (!bytes || bytes->size() != token_bytes) return unknown;
    Uuid id{};
    std::memcpy(id.bytes.data(), bytes->data(), 16);
    std::int64_t seconds = 0;
    for (std::size_t i = 16; i < 22; ++i) seconds = seconds << 8 | static_cast<unsigned char>((*bytes)[i]);
    if (seconds > 253'402'300'799) return unknown;
    const auto* lead = in.state.leads.find(id);
    if (lead == nullptr) return unknown;
    const auto expires_at = from_unix_ms(seconds * 1'000);
    const auto given = std::string_view{*bytes}.substr(22);
    if (!crypto::constant_time_equal(given, bytes_of(in.link_proof(*lead, expires_at)))) {
        // A link of an earlier assignment was true once: its holder learns that it is over, nobody else learns that there is such a lead.
        auto owners = lead->had;
        if (!lead->owner.empty()) owners.push_back(lead->owner);
        auto earlier = *lead;
        for (auto i = owners.size(); i-- > 0 && earlier.assignments > 0; --earlier.assignments) {
            earlier.owner = owners[i];
            if (crypto::constant_time_equal(given, bytes_of(in.link_proof(earlier, expires_at)))) return Error{.kind = ErrorKind::conflict, .detail = "the lead was given to somebody else"};
        }
        return unknown;
    }
    if (expires_at <= in.now) return Error{.kind = ErrorKind::conflict, .detail = "the link has expired"};
    return in.details(*lead);
}

}  // namespace touchgate
