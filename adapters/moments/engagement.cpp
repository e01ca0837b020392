#include "adapters/moments/engagement.hpp"

#include <utility>
#include <vector>

#include "adapters/wecom_common/errors.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::moments {

namespace {

using namespace channel;
using namespace wecom_common;

constexpr int publishers_max = 1'000;

struct Post {
    std::string id, employee;  // no employee: posts that a corporation made have several, who are asked for first
};

struct Place {
    std::vector<Post> posts;  // still to be asked for
    std::string list;         // the list's own cursor for the page after them; empty: that was the last
};

Place place_of(const std::string& cursor) {
    const auto parsed = parse_foreign_json(cursor);
    Place place{.posts = {}, .list = text_member(parsed, "list")};
    if (const auto& posts = member(parsed, "posts"); posts.is_array())
        for (const auto& post : posts) place.posts.push_back({text_member(post, "id"), text_member(post, "employee")});
    return place;
}

PulledPage page_at(const Place& place, WebhookEvents events = {}) {
    if (place.posts.empty() && place.list.empty()) return {.events = std::move(events)};
    auto posts = Json::array();
    for (const auto& post : place.posts) posts.push_back({{"id", post.id}, {"employee", post.employee}});
    return {.events = std::move(events), .cursor = to_text({{"posts", std::move(posts)}, {"list", place.list}}), .more = true};
}

PulledPage read_list(Place place, const Json& body) {
    auto next = text_member(body, "next_cursor");
    if (next == place.list) next.clear();
    place.list = std::move(next);
    if (const auto& list = member(body, "moment_list"); list.is_array())
        for (const auto& entry : list) {
            Post post{text_member(entry, "moment_id"), text_member(entry, "creator")};
            if (!post.id.empty()) place.posts.push_back(std::move(post));
        }
    return page_at(place);
}

void take(WebhookEvents& events, const Json& list, const std::string& kind, const Post& post) {
    if (!list.is_array()) return;
    for (const auto& entry : list) {
        ProviderEvent event{.kind = kind, .from = text_member(entry, "external_userid")};
        if (event.from.empty()) continue;  // a colleague
        event.employee = post.employee;
        event.ref = post.id;
        event.at = seconds_member(entry, "create_time");
        event.body_json = to_text({{"moment_id", post.id}, {"userid", post.employee}, {"external_userid", event.from}, {"create_time", member(entry, "create_time")}});
        event.id = to_hex(crypto::view(crypto::sha256(kind + "\n", event.body_json)));
        events.events.push_back(std::move(event));
    }
}

// Those who published it.
PulledPage read_publishers(Place place, const Json& body) {
    const auto post = place.posts.front();
    std::vector<Post> published;
    if (const auto& list = member(body, "task_list"); list.is_array())
        for (const auto& entry : list)
            if (auto employee = text_member(entry, "userid"); !employee.empty() && text_member(entry, "publish_status") == "1") published.push_back({post.id, std::move(employee)});
    place.posts.erase(place.posts.begin());
    place.posts.insert(place.posts.begin(), published.begin(), published.end());
    return page_at(place);
}

PulledPage read_post(Place place, const Json& body) {
    const auto post = place.posts.front();
    place.posts.erase(place.posts.begin());
    WebhookEvents events;
    take(events, member(body, "comment_list"), "moment.comment", post);
    take(events, member(body, "like_list"), "moment.like", post);
    return page_at(place, std::move(events));
}

}  // namespace

HttpRequest engagement_request(const Corp& corp, const std::string& cursor, const Resources& resources, Instant now) {
    const auto place = place_of(cursor);
    if (!place.posts.empty() && place.posts.front().employee.empty())
        return post(corp, "/cgi-bin/externalcontact/get_moment_task", {{"moment_id", place.posts.front().id}, {"limit", publishers_max}}, resources);
    if (!place.posts.empty())
        return post(corp, "/cgi-bin/externalcontact/get_moment_comments", {{"moment_id", place.posts.front().id}, {"userid", place.posts.front().employee}}, resources);
    const auto seconds = unix_ms(now) / 1'000;
    Json body = {{"start_time", seconds - days_read * 86'400 + 60}, {"end_time", seconds}, {"limit", posts_per_list}};
    if (!place.list.empty()) body["cursor"] = place.list;
    return post(corp, "/cgi-bin/externalcontact/get_moment_list", body, resources);
}

PulledPage read_engagement(const std::string& cursor, const HttpResponse& response) {
    auto place = place_of(cursor);
    const auto answer = read_answer(response);
    if (says_done(answer)) {
        if (place.posts.empty()) return read_list(std::move(place), answer.body);
        return place.posts.front().employee.empty() ? read_publishers(std::move(place), answer.body) : read_post(std::move(place), answer.body);
    }
    // A post that was deleted, or that nobody published, tells nothing.
    if (answer.readable && !place.posts.empty() && answer.errcode >= 41060 && answer.errcode <= 41062) {
        place.posts.erase(place.posts.begin());
        return page_at(place);
    }
    if (answer.readable && answer.errcode == 50100 && !place.list.empty()) return {};  // from the start, with the next pull
    const auto outcome = outcome_of(answer, Addressee::nobody);
    return {.failed = true, .retry_after = outcome.retry_after, .code = outcome.code, .detail = outcome.detail};
}

}  // namespace touchgate::adapters::moments
