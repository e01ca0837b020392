#include <set>

#include "tests/unit/adapters/wecom/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::answered;
using test::refused;
using Kind = OutcomeKind;

namespace {

HttpRequest request_of(const std::string& name, const Json& body) {
    const auto made = test::make_wecom();
    return made.adapter->operation(name, body.dump(), test::with_token(*made.adapter), test::now_context());
}
OperationAnswer read(const std::string& name, const HttpResponse& response, const Json& body = Json::object()) {
    return test::make_wecom().adapter->read_operation(name, body.dump(), response);
}

}  // namespace

TEST_CASE("Every operation is declared once, with fields of distinct names, and becomes a call with the token") {
    const auto made = test::make_wecom();
    std::set<std::string_view> names;
    for (const auto& operation : made.adapter->operations()) {
        CAPTURE(operation.name);
        CHECK(names.insert(operation.name).second);
        CHECK_FALSE(operation.about.empty());
        std::set<std::string_view> fields;
        for (const auto& field : operation.fields) CHECK(fields.insert(field.name).second);
        const auto request = made.adapter->operation(operation.name, "{}", test::with_token(*made.adapter), test::now_context());
        CHECK(request.url.find("access_token=TOKEN") != std::string::npos);
        CHECK(test::path_of(request).starts_with("/cgi-bin/externalcontact/"));
    }
    CHECK(names.contains("add_contact_way"));
    CHECK(names.contains("transfer_resigned_customers"));
}

TEST_CASE("A contact way is made with the fields as they were given, and its answer comes without the platform's frame") {
    const Json way = {{"type", 1}, {"scene", 2}, {"user", {"alice"}}, {"state", "spring"}};
    const auto request = request_of("add_contact_way", way);
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/add_contact_way");
    CHECK(test::body_of(request) == way);
    const auto answer = read("add_contact_way", answered({{"errcode", 0}, {"errmsg", "ok"}, {"config_id", "c1"}, {"qr_code", "https://q"}}));
    CHECK(answer.outcome.kind == Kind::accepted);
    CHECK(parse_json(answer.result_json).value() == Json{{"config_id", "c1"}, {"qr_code", "https://q"}});
}

TEST_CASE("What only reads by GET puts its fields into the query") {
    const auto request = request_of("get_customer", {{"external_userid", "wm 1"}});
    CHECK(request.method == "GET");
    CHECK(request.url.find("external_userid=wm%201") != std::string::npos);
    CHECK(request.url.find("access_token=TOKEN") != std::string::npos);
}

TEST_CASE("Transfers say of each customer whether it began and how it stands") {
    auto answer = read("transfer_customers", answered({{"errcode", 0}, {"customer", {{{"external_userid", "wm1"}, {"errcode", 0}}, {{"external_userid", "wm2"}, {"errcode", 40096}}}}}));
    auto result = parse_json(answer.result_json).value();
    CHECK(result["customer"][0]["started"] == true);
    CHECK(result["customer"][1]["started"] == false);
    answer = read("transfer_result", answered({{"errcode", 0}, {"customer", {{{"external_userid", "wm1"}, {"status", 2}}, {{"external_userid", "wm2"}, {"status", 9}}}}}));
    result = parse_json(answer.result_json).value();
    CHECK(result["customer"][0]["state"] == "waiting");
    CHECK(result["customer"][1]["state"] == "unknown");
}

TEST_CASE("Marking a customer's tags has that customer read again") {
    const Json body = {{"userid", "alice"}, {"external_userid", "wm1"}, {"add_tag", {"et1"}}};
    const auto answer = read("mark_tags", answered({{"errcode", 0}}), body);
    REQUIRE(answer.pulls.size() == 1);
    CHECK(answer.pulls[0].name == "customer");
    CHECK(answer.pulls[0].hint == "wm1");
    const auto made = test::make_wecom();
    const auto request = made.adapter->pull("customer", "", "wm1", test::with_token(*made.adapter), test::now_context());
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/get");
    const auto page = made.adapter->read_pull(
        "customer", "", answered({{"errcode", 0}, {"external_contact", {{"external_userid", "wm1"}, {"name", "x"}}},
                                  {"follow_user", {{{"userid", "alice"}, {"createtime", 1'893'456'000}, {"tags", {{{"tag_id", "et1"}, {"tag_name", "VIP"}}}}}, {{"userid", "bob"}}}}}));
    REQUIRE(page.events.events.size() == 2);
    CHECK(page.events.events[0].kind == "customer");
    CHECK(parse_json(page.events.events[0].body_json).value()["tags"] == Json{"et1"});
    CHECK(page.events.events[1].employee == "bob");
}

TEST_CASE("Refusals and answers that are none are told apart") {
    CHECK(read("mark_tags", refused(40096)).outcome.kind != Kind::accepted);
    CHECK(read("mark_tags", refused(48002)).outcome.kind == Kind::config);
    CHECK(read("mark_tags", refused(45009)).outcome.kind == Kind::throttled);
    CHECK(read("mark_tags", {.status = 200, .headers = {}, .body = "<html>"}).outcome.kind == Kind::unknown);
    CHECK(read("mark_tags", {.status = 200, .headers = {}, .body = "{}"}).outcome.kind == Kind::unknown);
    CHECK(read("no_such", answered({{"errcode", 0}})).outcome.kind == Kind::refused);
}

TEST_CASE("Customers of employees who left are pulled page by page") {
    const auto made = test::make_wecom();
    auto page = made.adapter->read_pull("unassigned", "", answered({{"errcode", 0},
                                                                     {"is_last", false},
                                                                     {"next_cursor", "n1"},
                                                                     {"info", {{{"handover_userid", "alice"}, {"external_userid", "wm1"}, {"dimission_time", 1'893'456'000}}, {{"handover_userid", "x"}}}}}));
    CHECK(page.more);
    CHECK(page.cursor == "n1");
    REQUIRE(page.events.events.size() == 1);
    CHECK(page.events.events[0].kind == "unassigned");
    CHECK(page.events.events[0].employee == "alice");
    page = made.adapter->read_pull("unassigned", "n1", answered({{"errcode", 0}, {"is_last", true}, {"next_cursor", ""}, {"info", Json::array()}}));
    CHECK_FALSE(page.more);
    CHECK(page.cursor.empty());
}
