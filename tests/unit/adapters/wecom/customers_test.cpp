#include "adapters/wecom/customers.hpp"

#include <set>

#include "tests/unit/adapters/wecom/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace touchgate::adapters::wecom;
using test::answered;

namespace {

Json customer(const std::string& id, const std::string& employee, const std::string& name = "王芳") {
    return {{"external_contact", {{"external_userid", id}, {"name", name}, {"type", 1}, {"unionid", "ou-" + id}, {"avatar", "https://a.test/1"}}},
            {"follow_info",
             {{"userid", employee}, {"remark", "王女士"}, {"createtime", 1'893'456'000}, {"tag_id", {"et1", "et2"}}, {"remark_mobiles", {"13800000000"}}, {"state", "qr7"}, {"add_way", 1}}}};
}

HttpResponse employees(int count) {
    auto names = Json::array();
    for (int i = 0; i < count; ++i) names.push_back("member" + std::to_string(1'000 + i));
    return answered({{"errcode", 0}, {"follow_user", names}});
}

HttpRequest request_at(const std::string& cursor) { return customers_request({}, cursor, {}); }

}  // namespace

TEST_CASE("Customers are read in pages of the employees who have some") {
    auto request = request_at("");
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/get_follow_user_list");
    auto page = read_customers("", employees(2));
    CHECK(page.more);
    CHECK(page.events.events.empty());

    request = request_at(page.cursor);
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/batch/get_by_user");
    CHECK(test::body_of(request) == Json{{"userid_list", {"member1000", "member1001"}}, {"cursor", ""}, {"limit", 100}});
    page = read_customers(page.cursor, answered({{"errcode", 0}, {"next_cursor", "c2"}, {"external_contact_list", Json::array({customer("wm1", "member1000")})}}));
    CHECK(page.more);
    CHECK(page.events.events.size() == 1);
    CHECK(test::body_of(request_at(page.cursor)).at("cursor") == "c2");
    page = read_customers(page.cursor, answered({{"errcode", 0}, {"next_cursor", ""}, {"external_contact_list", Json::array({customer("wm2", "member1001")})}}));
    CHECK(page.more);

    CHECK(test::path_of(request_at(page.cursor)) == "/cgi-bin/externalcontact/get_follow_user_list");
    page = read_customers(page.cursor, employees(2));
    CHECK_FALSE(page.more);
    CHECK_FALSE(page.failed);
    CHECK(page.cursor.empty());
}

TEST_CASE("All employees of a large corporation are read, some at a time, and the cursor stays small") {
    std::string cursor;
    std::set<std::string> seen;
    int pages = 0;
    for (bool more = true; more; ++pages) {
        REQUIRE(pages < 100);
        const auto request = request_at(cursor);
        auto response = employees(173);
        if (request.method == "POST") {
            const auto body = test::body_of(request);
            for (const auto& name : body.at("userid_list")) seen.insert(name.get<std::string>());
            response = answered({{"errcode", 0}, {"external_contact_list", Json::array()}});
        }
        const auto page = read_customers(cursor, response);
        REQUIRE_FALSE(page.failed);
        cursor = page.cursor;
        more = page.more;
        CHECK(cursor.size() < 4'000);
    }
    CHECK(seen.size() == 173);
    CHECK(pages == 9);
}

TEST_CASE("A customer is an event with who, whose, from where and what is known of him") {
    const auto start = read_customers("", employees(1)).cursor;
    const auto page = read_customers(start, answered({{"errcode", 0}, {"external_contact_list", Json::array({customer("wm1", "member1000")})}}));
    REQUIRE(page.events.events.size() == 1);
    const auto& event = page.events.events.front();
    CHECK(event.kind == "customer");
    CHECK(event.from == "wm1");
    CHECK(event.employee == "member1000");
    CHECK(event.unionid == "ou-wm1");
    CHECK(event.source == "qr7");
    CHECK(event.reach == ProviderEvent::Reach::reachable);
    CHECK(event.at == from_unix_ms(1'893'456'000'000));
    const auto body = parse_json(event.body_json).value();
    CHECK(body.at("name") == "王芳");
    CHECK(body.at("remark_mobiles") == Json{"13800000000"});
    CHECK(body.at("tags") == Json{"et1", "et2"});
    CHECK_FALSE(body.contains("avatar"));
}

TEST_CASE("A customer who has not changed has the same id again, one who has changed another") {
    const auto start = read_customers("", employees(1)).cursor;
    const auto id_of = [&](const Json& entry) {
        return read_customers(start, answered({{"errcode", 0}, {"external_contact_list", Json::array({entry})}})).events.events.at(0).id;
    };
    CHECK(id_of(customer("wm1", "a")) == id_of(customer("wm1", "a")));
    CHECK(id_of(customer("wm1", "a")) != id_of(customer("wm1", "b")));
    CHECK(id_of(customer("wm1", "a")) != id_of(customer("wm1", "a", "王小芳")));
    auto moved = customer("wm1", "a");
    moved["external_contact"]["avatar"] = "https://a.test/2";
    CHECK(id_of(customer("wm1", "a")) == id_of(moved));
}

TEST_CASE("Entries that name no customer or no employee are left out") {
    const auto start = read_customers("", employees(1)).cursor;
    const Json list = {customer("", "a"), customer("wm1", ""), Json::array(), "x", nullptr};
    CHECK(read_customers(start, answered({{"errcode", 0}, {"external_contact_list", list}})).events.events.empty());
}

TEST_CASE("One employee without customers does not hide the others'") {
    const auto start = read_customers("", employees(3)).cursor;
    auto page = read_customers(start, test::refused(84061));
    CHECK(test::body_of(request_at(page.cursor)).at("userid_list") == Json{"member1000"});
    page = read_customers(page.cursor, test::refused(84061));
    CHECK(page.more);
    page = read_customers(page.cursor, employees(3));
    CHECK(test::body_of(request_at(page.cursor)).at("userid_list") == Json{"member1001", "member1002"});
}

TEST_CASE("A cursor that WeCom has forgotten starts those employees again, once") {
    const auto start = read_customers("", employees(1)).cursor;
    const auto second = read_customers(start, answered({{"errcode", 0}, {"next_cursor", "c2"}, {"external_contact_list", Json::array()}})).cursor;
    const auto again = read_customers(second, test::refused(50100));
    CHECK(again.more);
    CHECK(test::body_of(request_at(again.cursor)).at("cursor") == "");
    CHECK(read_customers(again.cursor, test::refused(50100)).failed);
}

TEST_CASE("A page that cannot be read changes nothing and says when to ask again") {
    for (const auto& response : {test::refused(-1), test::refused(48002), answered(Json::object()), HttpResponse{.status = 500, .headers = {}, .body = "x"}})
        CHECK(read_customers("", response).failed);
    CHECK(read_customers("", test::refused(45009)).retry_after == Duration{60'000});
}

TEST_CASE("A cursor that is none of ours begins anew") {
    CHECK(test::path_of(request_at("garbage")) == "/cgi-bin/externalcontact/get_follow_user_list");
    CHECK(read_customers("[1,2]", employees(1)).more);
}

TEST_CASE("The account pulls its customers unless that is switched off") {
    const auto made = test::make_wecom();
    REQUIRE(made.adapter->pulls().size() == 3);
    CHECK(made.adapter->pulls().front().name == "customers");
    CHECK(made.adapter->pulls().front().every == Duration{one_day});
    CHECK(test::make_wecom({{"sync_interval", "PT2H"}}).adapter->pulls().front().every == Duration{7'200'000});
    const auto only_told = test::make_wecom({{"sync", false}}).adapter->pulls();  // those of whom a callback tells
    REQUIRE(only_told.size() == 1);
    CHECK(only_told.front().name == "customer");
    CHECK(only_told.front().hinted_only);
}
