#include "adapters/wecom_group/groups.hpp"

#include "adapters/wecom_common/errors.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::wecom_group {

namespace {

using namespace channel;
using namespace wecom_common;

struct Place {
    std::vector<std::string> chats;  // still to be read
    std::string list;                // the list's cursor for the page after them; empty: that was the last
};

Place place_of(const std::string& cursor) {
    const auto parsed = parse_foreign_json(cursor);
    return {.chats = names_in(member(parsed, "chats")), .list = text_member(parsed, "list")};
}

PulledPage page_at(const Place& place, WebhookEvents events = {}) {
    if (place.chats.empty() && place.list.empty()) return {.events = std::move(events)};
    return {.events = std::move(events), .cursor = to_text({{"chats", place.chats}, {"list", place.list}}), .more = true};
}

void copy_members(Json& into, const Json& from, std::initializer_list<const char*> names) {
    for (const auto* name : names)
        if (const auto& value = member(from, name); !value.is_null() && value != "") into[name] = value;
}

ProviderEvent group_event(const Json& group, const std::string& chat) {
    ProviderEvent event{.kind = "group", .from = chat};
    event.reach = ProviderEvent::Reach::reachable;
    event.employee = text_member(group, "owner");
    event.ref = chat;
    auto body = Json::object();
    copy_members(body, group, {"chat_id", "name", "owner", "create_time", "notice", "member_version"});
    if (const auto& members = member(group, "member_list"); members.is_array()) body["members"] = members;
    if (const auto& admins = member(group, "admin_list"); admins.is_array()) body["admins"] = admins;
    event.body_json = to_text(body);
    event.id = to_hex(crypto::view(crypto::sha256("group\n", event.body_json)));
    return event;
}

PulledPage read_group(Place place, const Json& group) {
    WebhookEvents events;
    const auto chat = text_member(group, "chat_id");
    if (!chat.empty()) events.events.push_back(group_event(group, chat));
    // A group that was asked for by a hint stands in no list.
    if (!place.chats.empty()) place.chats.erase(place.chats.begin());
    return page_at(place, std::move(events));
}

PulledPage read_list(Place place, const Json& body) {
    auto next = text_member(body, "next_cursor");
    if (next == place.list) next.clear();
    place.list = std::move(next);
    if (const auto& list = member(body, "group_chat_list"); list.is_array())
        for (const auto& entry : list)
            if (auto chat = text_member(entry, "chat_id"); !chat.empty()) place.chats.push_back(std::move(chat));
    return page_at(place);
}

constexpr std::string_view owner_prefix = "owner:";
constexpr Duration owner_kept{std::chrono::minutes{10}};

}  // namespace

Need owner_need(const std::string& chat) { return {.key = std::string{owner_prefix}.append(chat)}; }

std::string chat_of(const Need& need) { return need.key.starts_with(owner_prefix) ? need.key.substr(owner_prefix.size()) : std::string{}; }

HttpRequest owner_request(const Corp& corp, const std::string& chat, const Resources& resources) {
    return post(corp, "/cgi-bin/externalcontact/groupchat/get", {{"chat_id", chat}, {"need_name", 0}}, resources);
}

std::variant<Resource, Outcome> read_owner(const HttpResponse& response, bool has_other_sender) {
    const auto answer = read_answer(response);
    if (says_done(answer)) {
        auto owner = text_member(member(answer.body, "group_chat"), "owner");
        if (!owner.empty() || has_other_sender) return Resource{.value = std::move(owner), .valid_for = owner_kept};
        return Outcome{.kind = OutcomeKind::refused, .code = "NO_OWNER", .detail = "WeCom names no owner of this group, and the account has no sender"};
    }
    if (answer.readable && has_other_sender && !token_is_stale(answer)) return Resource{.value = {}, .valid_for = owner_kept};
    auto outcome = outcome_of(answer, Addressee::group);
    if (outcome.kind == OutcomeKind::unknown || outcome.kind == OutcomeKind::accepted) outcome.kind = OutcomeKind::not_sent;  // only a question went out
    outcome.detail = "the group's owner, who must post to it, cannot be learned: " + outcome.detail;
    return outcome;
}

HttpRequest groups_request(const Corp& corp, const std::vector<std::string>& owners, const std::string& cursor, const std::string& hint, const Resources& resources) {
    const auto place = place_of(cursor);
    const bool at_start = place.chats.empty() && place.list.empty();
    if (!place.chats.empty() || (at_start && !hint.empty()))
        return post(corp, "/cgi-bin/externalcontact/groupchat/get", {{"chat_id", at_start ? hint : place.chats.front()}, {"need_name", 1}}, resources);
    Json body = {{"status_filter", 0}, {"limit", groups_per_list}};
    if (!place.list.empty()) body["cursor"] = place.list;
    if (!owners.empty()) body["owner_filter"] = {{"userid_list", owners}};
    return post(corp, "/cgi-bin/externalcontact/groupchat/list", body, resources);
}

PulledPage read_groups(const std::string& cursor, const HttpResponse& response) {
    auto place = place_of(cursor);
    const auto answer = read_answer(response);
    if (says_done(answer)) {
        if (const auto& group = member(answer.body, "group_chat"); group.is_object()) return read_group(std::move(place), group);
        if (place.chats.empty()) return read_list(std::move(place), answer.body);
        return {.failed = true, .code = "0", .detail = "the answer tells nothing of the group"};
    }
    const auto outcome = outcome_of(answer, Addressee::group);
    if (outcome.kind == OutcomeKind::recipient_invalid) {
        if (!place.chats.empty()) place.chats.erase(place.chats.begin());
        return page_at(place);
    }
    if (answer.readable && answer.errcode == 50100 && !place.list.empty()) return {};  // from the start, with the next pull
    return {.failed = true, .retry_after = outcome.retry_after, .code = outcome.code, .detail = outcome.detail};
}

}  // namespace touchgate::adapters::wecom_group
