// Application messages to the corp's own members.
#include <algorithm>

#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/wecom_peer.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t users_max = 1'000, text_max = 2'048;

std::vector<std::string> ids_of(const std::string& joined) {
    std::vector<std::string> ids;
    for (const auto piece : split(joined, '|'))
        if (!trim(piece).empty()) ids.emplace_back(trim(piece));
    return ids;
}

std::string joined(const std::vector<std::string>& ids) {
    std::string text;
    for (const auto& id : ids) text.append(text.empty() ? "" : "|").append(id);
    return text;
}

}  // namespace

void WecomPeer::register_messages() {
    on("POST", "/cgi-bin/message/send", &WecomPeer::send_to_members);
    on("POST", "/cgi-bin/message/recall", &WecomPeer::recall_message);
}

Json WecomPeer::send_to_members(const Call& call) {
    if (bad_characters(call)) return fault(40033);
    if (text_of(call.body, "agentid") != call.application) return fault(text_of(call.body, "agentid").empty() ? 41011 : 40056);
    const auto type = text_of(call.body, "msgtype");
    const auto& content = member_of(call.body, type);
    if (type.empty() || !content.is_object()) return fault(40008);
    if (type == "text" || type == "markdown") {
        const auto text = text_of(content, "content");
        if (text.empty()) return fault(44004);
        if (text.size() > text_max) return fault(45002);
    }
    const bool media = type == "image" || type == "voice" || type == "video" || type == "file";
    if (media && !media_known(text_of(content, "media_id"), call.now)) return fault(40007);

    const auto touser = text_of(call.body, "touser");
    const auto parties = text_of(call.body, "toparty"), tags = text_of(call.body, "totag");
    if (touser.empty() && parties.empty() && tags.empty()) return fault(82001);
    auto wanted = touser == "@all" ? members_ : ids_of(touser);
    if (wanted.size() > users_max && touser != "@all") return fault(40032);
    std::vector<std::string> invalid;
    std::erase_if(wanted, [&](const std::string& id) {
        if (is_member(id)) return false;
        invalid.push_back(to_lower_ascii(id));
        return true;
    });
    // The corp has no departments and no member tags.
    if (wanted.empty()) return fault(81013, {{"invaliduser", joined(invalid)}, {"invalidparty", parties}, {"invalidtag", tags}});

    const bool check_duplicates = integer_of(call.body, "enable_duplicate_check", 0) == 1;
    const auto interval = std::chrono::seconds{std::min<std::int64_t>(integer_of(call.body, "duplicate_check_interval", 1'800), 4 * 3'600)};
    const auto msgid = new_id("", 64);
    MemberMessage message{.application = call.application, .parts = {}, .at = call.now.wall};
    for (const auto& userid : wanted) {
        const auto key = call.application + "\n" + userid + "\n" + type + "\n" + content.dump();
        const auto earlier = member_duplicates_.find(key);
        if (check_duplicates && earlier != member_duplicates_.end() && earlier->second + interval > call.now.wall) continue;
        if (check_duplicates) member_duplicates_[key] = call.now.wall;
        const auto part = arrive({.application = call.application,
                                  .to = userid,
                                  .from = call.application,
                                  .text = readable(call.body),
                                  .kind = "member",
                                  .raw = call.request.body},
                                 call.now);
        set_state(part, true, "");
        message.parts.push_back(part);
    }
    member_messages_.emplace(msgid, std::move(message));
    return {{"invaliduser", joined(invalid)}, {"invalidparty", parties}, {"invalidtag", tags}, {"msgid", msgid}};
}

Json WecomPeer::recall_message(const Call& call) {
    const auto found = member_messages_.find(text_of(call.body, "msgid"));
    if (found == member_messages_.end() || found->second.application != call.application) return fault(40058);
    if (found->second.at + 24h < call.now.wall) return fault(42052);
    for (const auto part : found->second.parts) set_state(part, false, "recalled");
    return {};
}

}  // namespace touchgate::sandbox
