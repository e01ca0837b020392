#include "adapters/wecom_group/groups.hpp"

#include "adapters/wecom_group/adapter.hpp"
#include "tests/unit/adapters/wecom_common/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using namespace touchgate::adapters::wecom_group;
using test::answered;
using Kind = OutcomeKind;

namespace {

test::Made make_group(const Json& changes = Json::object()) {
    Json settings = {{"adapter", "wecom_group"}, {"corp", "wecom-main"}};
    settings.merge_patch(changes);
    return test::make(adapters::wecom_group_adapter(), settings);
}

HttpRequest request_at(const std::string& cursor, const std::string& hint = "") { return groups_request({}, {}, cursor, hint, {}); }

HttpResponse listed(const std::vector<std::string>& chats, const std::string& next = "") {
    auto list = Json::array();
    for (const auto& chat : chats) list.push_back({{"chat_id", chat}, {"status", 0}});
    return answered({{"errcode", 0}, {"group_chat_list", list}, {"next_cursor", next}});
}

HttpResponse group(const std::string& chat, const std::string& name = "会员群") {
    return answered({{"errcode", 0},
                     {"group_chat",
                      {{"chat_id", chat},
                       {"name", name},
                       {"owner", "agent.wu"},
                       {"create_time", 1'893'456'000},
                       {"member_list", Json::array({{{"userid", "wm1"}, {"type", 2}, {"join_scene", 3}, {"state", "qr9"}}})},
                       {"member_version", "v1"}}}});
}

}  // namespace

TEST_CASE("Groups are listed and then read one by one, and the next page is listed after them") {
    CHECK(test::path_of(request_at("")) == "/cgi-bin/externalcontact/groupchat/list");
    auto page = read_groups("", listed({"wr1", "wr2"}, "p2"));
    CHECK(page.more);
    CHECK(test::body_of(request_at(page.cursor)) == Json{{"chat_id", "wr1"}, {"need_name", 1}});
    page = read_groups(page.cursor, group("wr1"));
    REQUIRE(page.events.events.size() == 1);
    CHECK(test::body_of(request_at(page.cursor)).at("chat_id") == "wr2");
    page = read_groups(page.cursor, group("wr2"));
    CHECK(test::body_of(request_at(page.cursor)).at("cursor") == "p2");
    page = read_groups(page.cursor, listed({"wr3"}));
    page = read_groups(page.cursor, group("wr3"));
    CHECK_FALSE(page.more);
    CHECK(page.cursor.empty());
}

TEST_CASE("A group is an event with its owner and members") {
    const auto page = read_groups(read_groups("", listed({"wr1"})).cursor, group("wr1"));
    REQUIRE(page.events.events.size() == 1);
    const auto& event = page.events.events.front();
    CHECK(event.kind == "group");
    CHECK(event.from == "wr1");
    CHECK(event.ref == "wr1");
    CHECK(event.employee == "agent.wu");
    CHECK(event.reach == ProviderEvent::Reach::reachable);
    const auto body = parse_json(event.body_json).value();
    CHECK(body.at("name") == "会员群");
    CHECK(body.at("members").at(0).at("state") == "qr9");
    CHECK(event.id == read_groups("", group("wr1")).events.events.at(0).id);
    CHECK(event.id != read_groups("", group("wr1", "新名")).events.events.at(0).id);
}

TEST_CASE("A hint reads the one group that changed, unless all are being read") {
    CHECK(test::body_of(request_at("", "wr7")).at("chat_id") == "wr7");
    const auto page = read_groups("", group("wr7"));
    CHECK(page.events.events.size() == 1);
    CHECK_FALSE(page.more);
    CHECK(page.cursor.empty());
    const auto reading = read_groups("", listed({"wr1"})).cursor;
    CHECK(test::body_of(request_at(reading, "wr7")).at("chat_id") == "wr1");
}

TEST_CASE("A group that is gone is passed over") {
    const auto reading = read_groups("", listed({"wr1", "wr2"})).cursor;
    const auto page = read_groups(reading, test::refused(49008));
    CHECK_FALSE(page.failed);
    CHECK(test::body_of(request_at(page.cursor)).at("chat_id") == "wr2");
    const auto hinted = read_groups("", test::refused(90500));
    CHECK_FALSE(hinted.failed);
    CHECK_FALSE(hinted.more);
}

TEST_CASE("Pages that cannot be read change nothing; a forgotten cursor begins anew") {
    const auto reading = read_groups("", listed({"wr1"})).cursor;
    for (const auto& response : {test::refused(-1), test::refused(48002), answered(Json::object()), answered({{"errcode", 0}}), HttpResponse{.status = 500, .headers = {}, .body = ""}})
        CHECK(read_groups(reading, response).failed);
    const auto at_list = read_groups(reading, group("wr1"));
    CHECK_FALSE(at_list.more);
    const auto second = read_groups(read_groups("", listed({}, "p2")).cursor, test::refused(50100));
    CHECK_FALSE(second.failed);
    CHECK(second.cursor.empty());
    CHECK_FALSE(second.more);
}

TEST_CASE("A list that repeats its cursor ends") {
    const auto page = read_groups("", listed({}, "p2"));
    CHECK(page.more);
    CHECK_FALSE(read_groups(page.cursor, listed({}, "p2")).more);
}

TEST_CASE("An account of groups takes what the corporation's account leaves to it") {
    const auto made = make_group();
    CHECK(made.problems.empty());
    const auto capabilities = made.adapter->capabilities();
    CHECK(capabilities.channel == "wecom_group");
    CHECK(capabilities.parent == "wecom-main");
    CHECK(capabilities.topics == std::vector<std::string>{"groups"});
    CHECK(capabilities.human_executed);
    REQUIRE(made.adapter->pulls().size() == 1);
    CHECK(make_group({{"sync", false}}).adapter->pulls().empty());
    CHECK(make_group({{"corp", nullptr}}).problems.size() == 1);
    CHECK(test::pointers(make_group({{"task_max", 2'001}})) == "/accounts/a/task_max");
    CHECK(test::pointers(make_group({{"robots", {{"x", 5}}}})) == "/accounts/a/robots/x");
    CHECK(test::pointers(make_group({{"owners", std::vector<std::string>(101, "a")}})) == "/accounts/a/owners");
}

TEST_CASE("The owners' filter is asked for where it is set") {
    const auto made = make_group({{"owners", {"agent.wu"}}});
    const auto request = made.adapter->pull("groups", "", "", test::with_token(*made.adapter), test::now_context());
    CHECK(test::body_of(request) == Json{{"status_filter", 0}, {"limit", 100}, {"owner_filter", {{"userid_list", {"agent.wu"}}}}});
}

TEST_CASE("A message to groups waits for their owner") {
    const auto made = make_group();
    std::vector<Submission> submissions = {test::to_customer("wr1"), test::to_customer("wr2")};
    CHECK_FALSE(made.adapter->same_batch(submissions[0], submissions[1]));  // each may have another owner
    for (auto& submission : submissions) submission.sender = "agent.wu";
    CHECK(made.adapter->same_batch(submissions[0], submissions[1]));
    CHECK(made.adapter->prepare(submissions).size() == 1);
    const auto request = made.adapter->submit(submissions, test::with_token(*made.adapter), test::now_context());
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/externalcontact/add_msg_template?access_token=TOKEN");
    CHECK(test::body_of(request).at("sender") == "agent.wu");
    const auto outcomes = made.adapter->classify(submissions, answered({{"errcode", 0}, {"msgid", "m"}, {"fail_list", {"wr2"}}}));
    CHECK(outcomes.at(0).kind == Kind::handed_to_human);
    CHECK(outcomes.at(0).employee == "agent.wu");
    CHECK(outcomes.at(1).kind == Kind::recipient_invalid);
}

TEST_CASE("The owner of a group is asked for where nobody knows him, and else the account's sender posts") {
    const auto made = make_group();
    const auto submission = test::to_customer("wr1");
    const auto needs = made.adapter->prepare({&submission, 1});
    REQUIRE(needs.size() == 2);
    auto resources = test::with_token(*made.adapter);
    const auto question = made.adapter->fetch(needs[1], resources, test::now_context());
    CHECK(test::path_of(question) == "/cgi-bin/externalcontact/groupchat/get");
    CHECK(test::body_of(question) == Json{{"chat_id", "wr1"}, {"need_name", 0}});
    const auto sender = [&](const HttpResponse& answer) {
        const auto read = made.adapter->read_fetched(needs[1], answer);
        REQUIRE(std::holds_alternative<Resource>(read));
        resources[needs[1].key] = std::get<Resource>(read).value;
        return test::body_of(made.adapter->submit({&submission, 1}, resources, test::now_context())).at("sender");
    };
    CHECK(sender(group("wr1")) == "agent.wu");
    CHECK(made.adapter->classify({&submission, 1}, answered({{"errcode", 0}, {"msgid", "m"}})).at(0).employee.empty());  // whose the task is tells WeCom
    CHECK(sender(test::refused(48002)) == "agent.lin");  // the corporation's
    CHECK(sender(answered({{"errcode", 0}, {"group_chat", {{"chat_id", "wr1"}}}})) == "agent.lin");
    const auto stale = made.adapter->read_fetched(needs[1], test::refused(42001));
    CHECK(std::holds_alternative<Outcome>(stale));
}

TEST_CASE("A group without an owner and an account without a sender: nothing is sent, and it is said why") {
    for (const auto& [answer, kind] : std::vector<std::pair<HttpResponse, Kind>>{{answered({{"errcode", 0}, {"group_chat", Json::object()}}), Kind::refused},
                                                                                 {test::refused(48002), Kind::config},
                                                                                 {test::refused(49008), Kind::recipient_invalid},
                                                                                 {{.status = 500, .headers = {}, .body = ""}, Kind::not_sent}}) {
        const auto read = read_owner(answer, false);
        REQUIRE(std::holds_alternative<Outcome>(read));
        CHECK(std::get<Outcome>(read).kind == kind);
        CHECK(std::get<Outcome>(read).detail.find("owner") != std::string::npos);
    }
}

TEST_CASE("A robot of an internal group sends at once, by its key alone") {
    const auto made = make_group({{"robots", {{"shop", "KEY-1"}}}});
    CHECK(made.problems.empty());
    const std::vector<Submission> submissions = {test::to_customer("robot:shop", "今天到货")};
    CHECK(made.adapter->prepare(submissions).empty());
    CHECK_FALSE(made.adapter->same_batch(submissions[0], test::to_customer("wr1", "今天到货")));
    const auto request = made.adapter->submit(submissions, {}, test::now_context());
    CHECK(request.url == "http://127.0.0.1:9/cgi-bin/webhook/send?key=KEY-1");
    CHECK(test::body_of(request) == Json{{"msgtype", "text"}, {"text", {{"content", "今天到货"}}}});
    CHECK(made.adapter->classify(submissions, answered({{"errcode", 0}})).at(0).kind == Kind::accepted);
    CHECK(made.adapter->classify(submissions, test::refused(45009)).at(0).kind == Kind::throttled);
    CHECK(made.adapter->classify(submissions, test::refused(93000)).at(0).kind == Kind::recipient_invalid);
    CHECK(made.adapter->classify(submissions, {.status = 200, .headers = {}, .body = "ok"}).at(0).kind == Kind::unknown);
}

TEST_CASE("A robot carries kinds that an owner's message does not") {
    const Content markdown{.body_json = R"({"markdown":{"content":"**到货**"}})"};
    CHECK(make_group({{"robots", {{"shop", "KEY-1"}}}}).adapter->content_problems(markdown).empty());
    CHECK_FALSE(make_group().adapter->content_problems(markdown).empty());
    const auto made = make_group({{"robots", {{"shop", "KEY-1"}}}});
    auto submission = test::to_customer("robot:shop", "");
    submission.content = markdown;
    CHECK(test::body_of(made.adapter->submit({&submission, 1}, {}, test::now_context())) == Json{{"msgtype", "markdown"}, {"markdown", {{"content", "**到货**"}}}});
}

TEST_CASE("A robot that is not configured is a group that WeCom does not know") {
    const auto made = make_group();
    const auto submission = test::to_customer("robot:nobody");
    const auto request = made.adapter->submit({&submission, 1}, test::with_token(*made.adapter), test::now_context());
    CHECK(test::path_of(request) == "/cgi-bin/externalcontact/add_msg_template");
    CHECK(made.adapter->classify({&submission, 1}, test::refused(86003)).at(0).kind == Kind::recipient_invalid);
}

TEST_CASE("With a token and key of its own the account reads its groups' events itself") {
    const auto made = make_group({{"token", test::callback_token}, {"encoding_aes_key", test::aes_key}});
    const auto answer = made.adapter->receive(test::callback_of(test::callback_text("change_external_chat.update.change_name.xml")));
    CHECK(answer.status == 200);
    CHECK(answer.events.topic.empty());
    CHECK(answer.events.pulls.size() == 1);
    CHECK(make_group().adapter->receive(test::callback_of("<xml/>")).status == 404);
}
