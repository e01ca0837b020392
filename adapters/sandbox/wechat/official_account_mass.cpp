// Mass messages: accepted at once, sent later, reported by one event.
#include <algorithm>

#include "adapters/sandbox/wechat/china_calendar.hpp"
#include "adapters/sandbox/wechat/json_fields.hpp"
#include "adapters/sandbox/wechat/official_account_peer.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t receivers_min = 2, receivers_max = 10'000, client_id_max = 64;

}  // namespace

void OfficialAccountPeer::register_mass() {
    on("POST", "/cgi-bin/message/mass/send", &OfficialAccountPeer::send_mass);
    on("POST", "/cgi-bin/message/mass/sendall", &OfficialAccountPeer::send_mass);
    on("POST", "/cgi-bin/message/mass/preview", &OfficialAccountPeer::preview_mass);
    on("POST", "/cgi-bin/message/mass/get", &OfficialAccountPeer::get_mass);
    on("POST", "/cgi-bin/message/mass/delete", &OfficialAccountPeer::delete_mass);
    on("POST", "/cgi-bin/message/mass/speed/get", &OfficialAccountPeer::get_mass_speed);
    on("POST", "/cgi-bin/message/mass/speed/set", &OfficialAccountPeer::set_mass_speed);
}

Json OfficialAccountPeer::send_mass(const Call& call) {
    auto& account = account_of(call);
    const auto type = text_of(call.body, "msgtype");
    const auto& content = member_of(call.body, type);
    const std::string_view known[] = {"text", "mpnews", "image", "images", "voice", "mpvideo", "wxcard"};
    if (std::find(std::begin(known), std::end(known), type) == std::end(known) || !content.is_object()) return fault(40008);
    if (type == "text" && text_of(content, "content").empty()) return fault(44004);
    MassJob job{.content = {{"msgtype", type}, {type, content}}, .receivers = {}};
    const auto& filter = member_of(call.body, "filter");
    std::string range;
    if (call.request.path().ends_with("/sendall")) {
        if (!filter.is_object()) return fault(40035);
        const bool all = member_of(filter, "is_to_all") == true;
        const auto tag = integer_of(filter, "tag_id", -1);
        if (!all && !account.tags.contains(tag)) return fault(45159);
        for (const auto& [openid, user] : account.users)
            if (user.follows && (all || user.tags.contains(tag))) job.receivers.push_back(openid);
        range = all ? "all" : std::to_string(tag);
    } else {
        job.receivers = texts_of(call.body, "touser");
        if (job.receivers.size() < receivers_min) return fault(40130);
        if (job.receivers.size() > receivers_max) return fault(40032);
        for (const auto& openid : job.receivers) {
            if (!account.users.contains(openid)) return fault(40003);
            range.append(openid).append("\n");
        }
    }
    auto client_id = text_of(call.body, "clientmsgid");
    if (client_id.size() > client_id_max) return fault(45067);
    // Without one the platform takes the digest of range and content.
    if (client_id.empty()) client_id = to_hex(crypto::view(crypto::sha256(range, job.content.dump())));
    if (const auto earlier = account.mass_ids.find(client_id); earlier != account.mass_ids.end()) return fault(45065, {{"msg_id", earlier->second}});
    const auto msg_id = static_cast<std::int64_t>(1'000'000'000 + new_number());
    account.mass_ids.emplace(client_id, msg_id);
    account.mass_jobs.emplace(msg_id, std::move(job));
    later(official_.mass_delay.draw(random_), call.now, [this, appid = call.application, msg_id](Now then) { run_mass(appid, msg_id, then); });
    return {{"errcode", 0},
            {"errmsg", "send job submission success"},
            {"msg_id", msg_id},
            {"msg_data_id", static_cast<std::int64_t>(2'000'000'000 + new_number())}};
}

void OfficialAccountPeer::run_mass(const std::string& appid, std::int64_t msg_id, Now now) {
    auto& account = accounts_.at(appid);
    auto& job = account.mass_jobs.at(msg_id);
    if (job.status != "SENDING") return;
    const bool success = official_.mass_status == "send success";
    std::int64_t filtered = 0, sent = 0;
    const auto text = readable(job.content), raw = job.content.dump();
    for (const auto& openid : job.receivers) {
        auto& user = account.users.at(openid);
        const auto this_month =
            std::count_if(user.mass.begin(), user.mass.end(), [&](Instant at) { return china_month(at) == china_month(now.wall); });
        if (!success || !user.follows || user.blacklisted || this_month >= official_.mass_month_max) continue;
        ++filtered;
        if (user.blocks) continue;
        ++sent;
        user.mass.push_back(now.wall);
        const auto part =
            arrive({.application = appid, .to = openid, .from = account.settings.original_id, .text = text, .kind = "mass", .raw = raw}, now);
        store_.set_answered(part);
        set_state(part, true, "");
        react(account, openid, now);
    }
    job.status = success ? "SEND_SUCCESS" : "SEND_FAIL";
    const std::string helper = "oMassHelper";
    auto xml = event(account, "MASSSENDJOBFINISH", helper, now);
    xml.number("MsgID", msg_id).text("Status", official_.mass_status).number("TotalCount", static_cast<std::int64_t>(job.receivers.size()));
    send_event(account, "MASSSENDJOBFINISH", helper,
               xml.number("FilterCount", filtered).number("SentCount", sent).number("ErrorCount", filtered - sent), now);
}

Json OfficialAccountPeer::preview_mass(const Call& call) {
    auto& account = account_of(call);
    const auto openid = text_of(call.body, "touser");
    const auto* const user = user_of(account, openid);
    if (user == nullptr || !user->follows) return fault(40003);
    const auto part = arrive({.application = call.application,
                              .to = openid,
                              .from = account.settings.original_id,
                              .text = readable(call.body),
                              .kind = "preview",
                              .raw = call.request.body},
                             call.now);
    set_state(part, true, "");
    return {{"msg_id", static_cast<std::int64_t>(1'000'000'000 + new_number())}};
}

Json OfficialAccountPeer::get_mass(const Call& call) {
    const auto& jobs = account_of(call).mass_jobs;
    const auto found = jobs.find(integer_of(call.body, "msg_id", -1));
    return found == jobs.end() ? fault(40059) : Json{{"msg_id", found->first}, {"msg_status", found->second.status}};
}

Json OfficialAccountPeer::delete_mass(const Call& call) {
    auto& jobs = account_of(call).mass_jobs;
    const auto found = jobs.find(integer_of(call.body, "msg_id", -1));
    if (found == jobs.end()) return fault(40059);
    found->second.status = "DELETE";
    return {};
}

Json OfficialAccountPeer::get_mass_speed(const Call& call) {
    constexpr std::int64_t real_speeds[] = {80, 60, 45, 30, 10};  // ten thousand a minute
    const auto speed = account_of(call).mass_speed;
    return {{"speed", speed}, {"realspeed", real_speeds[speed]}};
}

Json OfficialAccountPeer::set_mass_speed(const Call& call) {
    const auto speed = integer_of(call.body, "speed", -1);
    if (speed < 0 || speed > 4) return fault(45083);
    account_of(call).mass_speed = speed;
    return {};
}

}  // namespace touchgate::sandbox
