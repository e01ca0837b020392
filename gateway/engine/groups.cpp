// Groups of customers: who is known to be in them, and what a post to one means for its members. A post is an exposure of each known member, in that
// member's own history, at the post's time; a policy says how much it weighs.

#include <algorithm>

#include "gateway/engine/internals.hpp"

namespace touchgate {

// Members are kept by the hash of their address: a member of whom nothing else is known makes no contact.
void Engine::Internals::note_group(std::uint32_t address, std::string_view body_json) {
    const auto body = Json::parse(body_json, nullptr, false);
    if (!body.is_object()) return;
    const auto found = body.find("members");
    if (found == body.end() || !found->is_array()) return;
    auto& members = state.groups[address];
    members.clear();
    for (const auto& member : *found) {
        if (!member.is_object()) continue;
        const auto userid = member.find("userid");
        const auto type = member.find("type");
        constexpr int customer = 2;  // 1: an employee
        if (userid == member.end() || !userid->is_string() || type == member.end() || !type->is_number_integer() || type->get<int>() != customer) continue;
        members.push_back(address_hash(AddressKind::external_userid, userid->get_ref<const std::string&>(), {}));
    }
}

std::vector<ContactIndex> Engine::Internals::members_of(std::uint32_t address) const {
    std::vector<ContactIndex> known;
    const auto group = state.groups.find(address);
    if (group == state.groups.end()) return known;
    for (const auto& hash : group->second) {
        const auto found = state.address_by_hash.find(hash);
        if (found == state.address_by_hash.end()) continue;
        const auto& row = state.addresses[found->second];
        if (row.owners.empty()) continue;
        const bool used = row.last_used.value != 0 && std::find(row.owners.begin(), row.owners.end(), row.last_used) != row.owners.end();
        known.push_back(used ? row.last_used : row.owners.front());
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    return known;
}

void Engine::Internals::expose(Touch& post) {
    post.exposed.reset();
    if (state.groups.empty() || post.address == 0 || state.addresses[post.address].kind != AddressKind::chat_id) return;
    auto members = members_of(post.address);
    std::erase(members, post.contact);
    if (!members.empty()) post.exposed = std::make_unique<std::vector<ContactIndex>>(std::move(members));
}

}  // namespace touchgate
