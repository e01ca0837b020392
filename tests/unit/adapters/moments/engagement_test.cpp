#include "adapters/moments/engagement.hpp"

#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::moments;
using test::answered;
using test::body_of;
using test::path_of;
using test::refused;

namespace {

const auto now = parse_instant("2030-01-31T00:00:00Z").value();
channel::HttpRequest ask(const std::string& cursor) { return engagement_request({}, cursor, {}, now); }

}  // namespace

TEST_CASE("Posts of a month are listed, those of a corporation are asked for who published them, and each of these for its likes and comments") {
    auto request = ask("");
    CHECK(path_of(request) == "/cgi-bin/externalcontact/get_moment_list");
    CHECK(body_of(request)["end_time"].get<std::int64_t>() - body_of(request)["start_time"].get<std::int64_t>() <= 30 * 86'400);
    auto page = read_engagement("", answered({{"errcode", 0}, {"next_cursor", ""}, {"moment_list", {{{"moment_id", "mom1"}}, {{"moment_id", "mom2"}, {"creator", "bob"}}}}}));
    REQUIRE(page.more);
    request = ask(page.cursor);
    CHECK(path_of(request) == "/cgi-bin/externalcontact/get_moment_task");
    page = read_engagement(page.cursor, answered({{"errcode", 0}, {"task_list", {{{"userid", "alice"}, {"publish_status", 1}}, {{"userid", "carl"}, {"publish_status", 0}}}}}));
    request = ask(page.cursor);
    CHECK(path_of(request) == "/cgi-bin/externalcontact/get_moment_comments");
    CHECK(body_of(request) == Json{{"moment_id", "mom1"}, {"userid", "alice"}});
    page = read_engagement(page.cursor, answered({{"errcode", 0},
                                                  {"comment_list", {{{"external_userid", "wm1"}, {"create_time", 1'893'456'000}}, {{"userid", "alice"}, {"create_time", 1'893'456'001}}}},
                                                  {"like_list", {{{"external_userid", "wm1"}, {"create_time", 1'893'456'002}}}}}));
    REQUIRE(page.events.events.size() == 2);
    CHECK(page.events.events[0].kind == "moment.comment");
    CHECK(page.events.events[1].kind == "moment.like");
    CHECK(page.events.events[1].from == "wm1");
    CHECK(page.events.events[1].employee == "alice");
    CHECK(page.events.events[1].ref == "mom1");
    CHECK(page.events.events[0].id != page.events.events[1].id);
    CHECK(body_of(ask(page.cursor)) == Json{{"moment_id", "mom2"}, {"userid", "bob"}});
    page = read_engagement(page.cursor, refused(41060));  // it was deleted meanwhile
    CHECK_FALSE(page.more);
    CHECK(page.cursor.empty());
}

TEST_CASE("Trouble keeps the place") {
    const auto page = read_engagement("", refused(45033));
    CHECK(page.failed);
    CHECK(page.code == "45033");
}
