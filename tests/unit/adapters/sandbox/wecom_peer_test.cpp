// The WeCom server: tokens, mass messages, customer service, members and customers.
#include <set>

#include "tests/unit/adapters/sandbox/wechat_client.hpp"

using namespace touchgate;
using namespace touchgate::sandbox;
using namespace touchgate::sandbox::test;

namespace {

struct Corp : WechatClient {
    Corp()
        : WechatClient{R"({"seed": 3, "wecom": {"listen": "127.0.0.1:0", "corpid": "ww1", "members": ["alice", "bob"], "customers": 6, "groups": 2, "kf_accounts": ["售后"],
                           "apps": [{"agentid": 1000002, "secret": "s", "callback": {"url": "http://127.0.0.1:1/h", "token": "T", "encoding_aes_key": "Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE"}}]},
                           "behaviour": {"wecom": {"press": 0}}})"} {
        wecom_token = wecom("GET", "gettoken?corpid=ww1&corpsecret=s").at("access_token").get<std::string>();
    }
    std::vector<OutgoingRequest> taken(int status = 200) { return callbacks(*playground().wecom(), status); }
    std::vector<std::string> customers_of(const std::string& userid) {
        return wecom("GET", "externalcontact/list?userid=" + userid).at("external_userid").get<std::vector<std::string>>();
    }
    Json mass(const std::vector<std::string>& customers, const std::string& text = "你好") {
        return wecom("POST", "externalcontact/add_msg_template", {{"chat_type", "single"}, {"external_userid", customers}, {"text", {{"content", text}}}});
    }
    std::string mass_to(const std::vector<std::string>& customers) { return mass(customers).at("msgid").get<std::string>(); }
    Json results(const std::string& msgid, const std::string& userid = "alice") {
        return wecom("POST", "externalcontact/get_groupmsg_send_result", {{"msgid", msgid}, {"userid", userid}});
    }
};

}  // namespace

TEST_CASE("wecom: tokens stay the same while they live, then expire, and can be revoked", "[sandbox]") {
    Corp corp;
    CHECK(errcode(corp.wecom("GET", "gettoken?corpid=ww1&corpsecret=wrong")) == 40001);
    CHECK(errcode(corp.wecom("GET", "gettoken?corpid=other&corpsecret=s")) == 40013);
    const auto again = corp.wecom("GET", "gettoken?corpid=ww1&corpsecret=s");
    CHECK(again.at("access_token") == corp.wecom_token);
    CHECK(again.at("expires_in") == 7200);
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 0);
    corp.pass(2h);
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 42001);
    const auto token = corp.wecom("GET", "gettoken?corpid=ww1&corpsecret=s").at("access_token").get<std::string>();
    CHECK(token != corp.wecom_token);
    corp.wecom_token = token;
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 0);
    CHECK(corp.control("POST", "wecom/revoke", Json::object()).at("revoked") == 1);
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 40014);
    corp.wecom_token.clear();
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 41001);
}

TEST_CASE("wecom: a mass message reaches customers when their member presses, not before", "[sandbox]") {
    Corp corp;
    const auto of_alice = corp.customers_of("alice"), of_bob = corp.customers_of("bob");
    auto all = of_alice;
    all.insert(all.end(), of_bob.begin(), of_bob.end());
    all.emplace_back("wmUnknown");
    const auto made = corp.mass(all);
    CHECK(made.at("fail_list") == Json({"wmUnknown"}));
    const auto msgid = made.at("msgid").get<std::string>();
    corp.pass(1h);
    CHECK(corp.taken().empty());
    CHECK(corp.messages().empty());
    CHECK(corp.results(msgid).at("send_list").at(0).at("status") == 0);
    CHECK(corp.control("POST", "wecom/press", {{"msgid", msgid}, {"userid", "alice"}}) == Json({{"sent", 3}, {"failed", 0}}));
    CHECK(corp.messages().size() == 3);
    CHECK(corp.messages().at(0).at("kind") == "mass");
    CHECK(corp.messages().at(0).at("from") == "alice");
    CHECK(corp.messages().at(0).at("text") == "你好");
    const auto tasks = corp.wecom("POST", "externalcontact/get_groupmsg_task", {{"msgid", msgid}}).at("task_list");
    CHECK(tasks.at(0).at("status") == 2);
    CHECK(tasks.at(0).contains("send_time"));
    CHECK(tasks.at(1) == Json({{"userid", "bob"}, {"status", 0}}));
    CHECK(corp.results(msgid).at("send_list").at(0).at("status") == 1);
    // A second press changes nothing.
    CHECK(corp.control("POST", "wecom/press", {{"msgid", msgid}, {"userid", "alice"}}) == Json({{"sent", 0}, {"failed", 0}}));
}

TEST_CASE("wecom: members press of their own accord, by share and delay", "[sandbox]") {
    Corp corp;
    corp.behave({{"wecom", {{"press", 1}, {"press_delay", "PT1M"}}}});
    corp.mass_to(corp.customers_of("alice"));
    corp.pass(59s);
    corp.taken();
    CHECK(corp.messages().empty());
    corp.pass(1s);
    corp.taken();
    CHECK(corp.messages().size() == 3);
}

TEST_CASE("wecom: results are given page by page, and a wrong cursor is refused", "[sandbox]") {
    Corp corp;
    const auto msgid = corp.mass_to(corp.customers_of("alice"));
    std::set<std::string> seen;
    std::string cursor;
    for (int i = 0; i < 3; ++i) {
        const auto page = corp.wecom("POST", "externalcontact/get_groupmsg_send_result", {{"msgid", msgid}, {"userid", "alice"}, {"limit", 1}, {"cursor", cursor}});
        REQUIRE(page.at("send_list").size() == 1);
        seen.insert(page.at("send_list").at(0).at("external_userid").get<std::string>());
        cursor = page.at("next_cursor").get<std::string>();
    }
    CHECK(cursor.empty());
    CHECK(seen.size() == 3);
    CHECK(errcode(corp.wecom("POST", "externalcontact/get_groupmsg_send_result", {{"msgid", msgid}, {"userid", "alice"}, {"cursor", "x9"}})) == 50100);
    CHECK(errcode(corp.wecom("POST", "externalcontact/get_groupmsg_send_result", {{"msgid", "msgNone"}, {"userid", "alice"}})) == 41047);
}

TEST_CASE("wecom: a cancelled task sends nothing more", "[sandbox]") {
    Corp corp;
    const auto msgid = corp.mass_to(corp.customers_of("alice"));
    CHECK(errcode(corp.wecom("POST", "externalcontact/cancel_groupmsg_send", {{"msgid", msgid}})) == 0);
    CHECK(errcode(corp.wecom("POST", "externalcontact/cancel_groupmsg_send", {{"msgid", msgid}})) == 41093);
    CHECK(errcode(corp.wecom("POST", "externalcontact/remind_groupmsg_send", {{"msgid", msgid}})) == 41093);
    CHECK(errcode(corp.results(msgid)) == 41093);
    corp.behave({{"wecom", {{"results_after_cancel", true}}}});
    CHECK(errcode(corp.results(msgid)) == 0);
    CHECK(corp.control("POST", "wecom/press", {{"msgid", msgid}}) == Json({{"sent", 0}, {"failed", 0}}));
}

TEST_CASE("wecom: a task may be reminded of three times in a day", "[sandbox]") {
    Corp corp;
    const auto msgid = corp.mass_to(corp.customers_of("alice"));
    for (int i = 0; i < 3; ++i) CHECK(errcode(corp.wecom("POST", "externalcontact/remind_groupmsg_send", {{"msgid", msgid}})) == 0);
    CHECK(errcode(corp.wecom("POST", "externalcontact/remind_groupmsg_send", {{"msgid", msgid}})) == 41094);
    corp.pass(1h);
    corp.wecom_token = corp.wecom("GET", "gettoken?corpid=ww1&corpsecret=s").at("access_token").get<std::string>();
    corp.pass(23h);
    corp.wecom_token = corp.wecom("GET", "gettoken?corpid=ww1&corpsecret=s").at("access_token").get<std::string>();
    CHECK(errcode(corp.wecom("POST", "externalcontact/remind_groupmsg_send", {{"msgid", msgid}})) == 0);
}

TEST_CASE("wecom: customers who left and customers who got enough are results 2 and 3", "[sandbox]") {
    Corp corp;
    corp.behave({{"wecom", {{"mass_rule", "day"}}}});
    const auto customers = corp.customers_of("alice");
    corp.mass_to({customers[0]});
    corp.control("POST", "wecom/press", Json::object());
    const auto msgid = corp.mass_to(customers);
    corp.control("POST", "wecom/act", {{"act", "leave"}, {"userid", "alice"}, {"external_userid", customers[1]}});
    CHECK(corp.control("POST", "wecom/press", Json::object()) == Json({{"sent", 1}, {"failed", 2}}));
    std::map<std::string, int> status;
    const auto results = corp.results(msgid);
    for (const auto& item : results.at("send_list")) status[item.at("external_userid")] = item.at("status");
    CHECK(status[customers[0]] == 3);
    CHECK(status[customers[1]] == 2);
    CHECK(status[customers[2]] == 1);
    CHECK(errcode(corp.mass({customers[1]})) == 41048);
}

TEST_CASE("wecom: the task goes to the member who talked last, and to groups only through their owner", "[sandbox]") {
    Corp corp;
    const auto customer = corp.customers_of("alice").front();
    corp.pass(1s);
    corp.control("POST", "wecom/act", {{"act", "follow"}, {"userid", "bob"}, {"external_userid", customer}});
    const auto msgid = corp.mass_to({customer});
    CHECK(corp.wecom("POST", "externalcontact/get_groupmsg_task", {{"msgid", msgid}}).at("task_list").at(0).at("userid") == "bob");

    const auto groups = corp.wecom("POST", "externalcontact/groupchat/list", {{"limit", 10}, {"owner_filter", {{"userid_list", {"alice"}}}}}).at("group_chat_list");
    REQUIRE(groups.size() == 1);
    const auto chat_id = groups.at(0).at("chat_id").get<std::string>();
    CHECK(corp.wecom("POST", "externalcontact/groupchat/get", {{"chat_id", chat_id}}).at("group_chat").at("owner") == "alice");
    const Json body{{"chat_type", "group"}, {"chat_id_list", {chat_id}}, {"text", {{"content", "公告"}}}};
    CHECK(errcode(corp.wecom("POST", "externalcontact/add_msg_template", body)) == 40058);
    auto of_bob = body, of_alice = body;
    of_bob["sender"] = "bob";
    of_alice["sender"] = "alice";
    CHECK(errcode(corp.wecom("POST", "externalcontact/add_msg_template", of_bob)) == 41048);
    const auto task = corp.wecom("POST", "externalcontact/add_msg_template", of_alice).at("msgid").get<std::string>();
    CHECK(corp.control("POST", "wecom/press", {{"msgid", task}}).at("sent") == 1);
    CHECK(corp.results(task).at("send_list").at(0).at("chat_id") == chat_id);
    CHECK(corp.messages("?kind=mass_group").at(0).at("to") == chat_id);
}

TEST_CASE("wecom: content that the platform refuses", "[sandbox]") {
    Corp corp;
    const auto customers = corp.customers_of("alice");
    CHECK(errcode(corp.mass(customers, "")) == 41089);
    CHECK(errcode(corp.mass(customers, std::string(4001, 'x'))) == 45002);
    const auto raw = corp.request(*corp.playground().wecom(), "POST", "/cgi-bin/externalcontact/add_msg_template?access_token=" + corp.wecom_token, R"({"text":{"content":"\u4f60"}})");
    CHECK(errcode(parse_json(raw.body).value()) == 40033);
    CHECK(errcode(corp.wecom("POST", "externalcontact/add_msg_template", {{"sender", "alice"}, {"attachments", {{{"msgtype", "image"}, {"image", {{"media_id", "nope"}}}}}}})) == 40007);
    const std::string body = "--B\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n0123456789\r\n--B--\r\n";
    const auto uploaded = corp.request(*corp.playground().wecom(), "POST", "/cgi-bin/media/upload?type=image&access_token=" + corp.wecom_token, body, "multipart/form-data; boundary=B");
    const auto media_id = parse_json(uploaded.body).value().at("media_id").get<std::string>();
    const Json with_image{{"sender", "alice"}, {"attachments", {{{"msgtype", "image"}, {"image", {{"media_id", media_id}}}}}}};
    CHECK(errcode(corp.wecom("POST", "externalcontact/add_msg_template", with_image)) == 0);
    corp.pass(73h);
    corp.wecom_token = corp.wecom("GET", "gettoken?corpid=ww1&corpsecret=s").at("access_token").get<std::string>();
    CHECK(errcode(corp.wecom("POST", "externalcontact/add_msg_template", with_image)) == 40007);
}

TEST_CASE("wecom: who follows brings a welcome code that works once and for 20 seconds", "[sandbox]") {
    Corp corp;
    const auto followed = corp.control("POST", "wecom/act", {{"act", "follow"}, {"userid", "alice"}, {"state", "lead7"}});
    const auto sent = corp.taken();
    REQUIRE(sent.size() == 1);
    const auto xml = opened(sent[0], "ww1");
    CHECK(element_text(xml, "ChangeType") == "add_external_contact");
    CHECK(element_text(xml, "State") == "lead7");
    CHECK(element_text(xml, "WelcomeCode") == followed.at("welcome_code").get<std::string>());
    const Json welcome{{"welcome_code", followed.at("welcome_code")}, {"text", {{"content", "欢迎"}}}};
    CHECK(errcode(corp.wecom("POST", "externalcontact/send_welcome_msg", welcome)) == 0);
    CHECK(errcode(corp.wecom("POST", "externalcontact/send_welcome_msg", welcome)) == 41051);
    CHECK(corp.messages("?kind=welcome").at(0).at("to") == followed.at("external_userid"));
    const auto later = corp.control("POST", "wecom/act", {{"act", "follow"}, {"userid", "alice"}});
    corp.pass(20s);
    CHECK(errcode(corp.wecom("POST", "externalcontact/send_welcome_msg", {{"welcome_code", later.at("welcome_code")}, {"text", {{"content", "欢迎"}}}})) == 41050);
    const auto contact = corp.wecom("GET", "externalcontact/get?external_userid=" + followed.at("external_userid").get<std::string>());
    CHECK(contact.at("follow_user").at(0).at("state") == "lead7");
    CHECK(errcode(corp.wecom("GET", "externalcontact/get?external_userid=wmNobody")) == 40096);
}

TEST_CASE("wecom: customer service tells by callback, is pulled by cursor, and allows five answers", "[sandbox]") {
    Corp corp;
    const auto wrote = corp.control("POST", "wecom/act", {{"act", "write"}, {"text", "在吗"}});
    const auto open_kfid = wrote.at("open_kfid").get<std::string>(), customer = wrote.at("external_userid").get<std::string>();
    const auto event = opened(corp.taken().at(0), "ww1");
    CHECK(element_text(event, "Event") == "kf_msg_or_event");
    CHECK(element_text(event, "OpenKfId") == open_kfid);
    const auto token = element_text(event, "Token").value();
    const auto pulled = corp.wecom("POST", "kf/sync_msg", {{"open_kfid", open_kfid}, {"token", token}});
    REQUIRE(pulled.at("msg_list").size() == 1);
    CHECK(pulled.at("msg_list").at(0).at("text").at("content") == "在吗");
    CHECK(pulled.at("has_more") == 0);
    const auto cursor = pulled.at("next_cursor").get<std::string>();
    CHECK(corp.wecom("POST", "kf/sync_msg", {{"open_kfid", open_kfid}, {"cursor", cursor}}).at("msg_list").empty());
    CHECK(errcode(corp.wecom("POST", "kf/sync_msg", {{"open_kfid", open_kfid}, {"token", "none"}})) == 95007);
    CHECK(errcode(corp.wecom("POST", "kf/sync_msg", {{"open_kfid", open_kfid}, {"cursor", "kf99"}})) == 50100);

    const auto send = [&](const std::string& msgid = "") {
        Json body{{"touser", customer}, {"open_kfid", open_kfid}, {"msgtype", "text"}, {"text", {{"content", "您好"}}}};
        if (!msgid.empty()) body["msgid"] = msgid;
        return corp.wecom("POST", "kf/send_msg", body);
    };
    CHECK(send("m-1").at("msgid") == "m-1");
    CHECK(errcode(send("m-1")) == 40058);
    for (int i = 0; i < 4; ++i) CHECK(errcode(send()) == 0);
    CHECK(errcode(send()) == 95001);
    corp.control("POST", "wecom/act", {{"act", "write"}, {"external_userid", customer}, {"text", "好"}});
    CHECK(errcode(send()) == 0);
    CHECK(corp.messages("?kind=kf").size() == 6);
    corp.behave({{"wecom", {{"kf_window", "PT1H"}}}});
    corp.pass(1h);
    CHECK(errcode(send()) == 95002);
}

TEST_CASE("wecom: the session's state decides who may answer, and its end gives a code for one message", "[sandbox]") {
    Corp corp;
    const auto wrote = corp.control("POST", "wecom/act", {{"act", "write"}, {"text", "在吗"}});
    const Json who{{"open_kfid", wrote.at("open_kfid")}, {"external_userid", wrote.at("external_userid")}};
    CHECK(corp.wecom("POST", "kf/service_state/get", who).at("service_state") == 0);
    auto change = who;
    change["service_state"] = 3;
    CHECK(errcode(corp.wecom("POST", "kf/service_state/trans", change)) == 95014);
    change["servicer_userid"] = "bob";
    CHECK(errcode(corp.wecom("POST", "kf/service_state/trans", change)) == 0);
    CHECK(corp.wecom("POST", "kf/service_state/get", who).at("servicer_userid") == "bob");
    CHECK(errcode(corp.wecom("POST", "kf/send_msg", {{"touser", who["external_userid"]}, {"open_kfid", who["open_kfid"]}, {"msgtype", "text"}, {"text", {{"content", "x"}}}})) == 95018);
    change["service_state"] = 1;
    CHECK(errcode(corp.wecom("POST", "kf/service_state/trans", change)) == 95016);
    change["service_state"] = 4;
    const auto code = corp.wecom("POST", "kf/service_state/trans", change).at("msg_code");
    const Json goodbye{{"code", code}, {"msgtype", "text"}, {"text", {{"content", "再见"}}}};
    CHECK(errcode(corp.wecom("POST", "kf/send_msg_on_event", goodbye)) == 0);
    CHECK(errcode(corp.wecom("POST", "kf/send_msg_on_event", goodbye)) == 41050);
}

TEST_CASE("wecom: a message that fails after it was taken is told by an event", "[sandbox]") {
    Corp corp;
    corp.behave({{"wecom", {{"kf_fail", {{"10", 1}}}}}});
    const auto wrote = corp.control("POST", "wecom/act", {{"act", "write"}, {"text", "在吗"}});
    const auto sent = corp.wecom("POST", "kf/send_msg", {{"touser", wrote["external_userid"]}, {"open_kfid", wrote["open_kfid"]}, {"msgtype", "text"}, {"text", {{"content", "x"}}}});
    corp.pass(1s);
    corp.taken();
    const auto list = corp.wecom("POST", "kf/sync_msg", {{"open_kfid", wrote["open_kfid"]}}).at("msg_list");
    CHECK(list.at(1).at("event").at("event_type") == "msg_send_fail");
    CHECK(list.at(1).at("event").at("fail_msgid") == sent.at("msgid"));
    CHECK(corp.messages("?kind=kf").at(0).at("state") == "failed");
}

TEST_CASE("wecom: messages to members name those who are none", "[sandbox]") {
    Corp corp;
    const auto send = [&](const std::string& touser) {
        return corp.wecom("POST", "message/send", {{"touser", touser}, {"agentid", 1000002}, {"msgtype", "text"}, {"text", {{"content", "开会"}}}, {"enable_duplicate_check", 1}});
    };
    const auto sent = send("alice|Carol");
    CHECK(errcode(sent) == 0);
    CHECK(sent.at("invaliduser") == "carol");
    CHECK(errcode(send("carol")) == 81013);
    CHECK(errcode(send("alice")) == 0);
    CHECK(corp.messages("?kind=member").size() == 1);  // the second was the same
    CHECK(errcode(corp.wecom("POST", "message/recall", {{"msgid", sent.at("msgid")}})) == 0);
    CHECK(corp.messages("?kind=member").at(0).at("state") == "failed");
}

TEST_CASE("wecom: moments reach customers when members publish", "[sandbox]") {
    Corp corp;
    const auto jobid = corp.wecom("POST", "externalcontact/add_moment_task", {{"text", {{"content", "新品"}}}, {"visible_range", {{"sender_list", {{"user_list", {"alice"}}}}}}}).at("jobid").get<std::string>();
    const auto moment_id = corp.wecom("GET", "externalcontact/get_moment_task_result?jobid=" + jobid).at("result").at("moment_id");
    CHECK(corp.wecom("POST", "externalcontact/get_moment_task", {{"moment_id", moment_id}}).at("task_list").at(0).at("publish_status") == 0);
    CHECK(corp.control("POST", "wecom/press", {{"msgid", moment_id}}).at("sent") == 3);
    CHECK(corp.wecom("POST", "externalcontact/get_moment_task", {{"moment_id", moment_id}}).at("task_list").at(0).at("publish_status") == 1);
    CHECK(corp.messages("?kind=moment").size() == 3);
}

TEST_CASE("wecom: customers follow and write by themselves, and stop when the rate is zero", "[sandbox]") {
    Corp corp;
    corp.behave({{"wecom", {{"follows", 1}, {"writes", 1}}}});
    corp.control("GET", "wecom/people");
    const auto count = [&] {
        std::map<std::string, int> events;
        for (int i = 0; i < 1'000; ++i) {
            corp.pass(100ms);
            for (const auto& request : corp.taken()) ++events[element_text(opened(request, "ww1"), "Event").value_or("")];
        }
        return events;
    };
    auto events = count();
    CHECK(events["change_external_contact"] > 50);
    CHECK(events["kf_msg_or_event"] > 50);
    corp.behave({{"wecom", {{"follows", 0}, {"writes", 0}}}});
    CHECK(count().empty());
}

TEST_CASE("wecom: storms refuse, break off after the work, or hide the whole server", "[sandbox]") {
    Corp corp;
    corp.control("POST", "wecom/storm", {{"code", 45009}, {"calls", 2}, {"path", "/cgi-bin/externalcontact/get_follow_user_list"}});
    CHECK(errcode(corp.wecom("GET", "gettoken?corpid=ww1&corpsecret=s")) == 0);
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 45009);
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 45009);
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 0);
    corp.control("POST", "wecom/storm", {{"how", "hang_up"}, {"calls", 1}});
    const auto body = Json{{"sender", "alice"}, {"text", {{"content", "x"}}}}.dump();
    const auto reply = corp.request(*corp.playground().wecom(), "POST", "/cgi-bin/externalcontact/add_msg_template?access_token=" + corp.wecom_token, body);
    CHECK(reply.hang_up);
    CHECK(corp.control("GET", "wecom/tasks").at("items").size() == 1);
    corp.control("POST", "wecom/storm", {{"how", "http_error"}, {"for", "PT1M"}});
    CHECK(corp.request(*corp.playground().wecom(), "POST", "/cgi-bin/externalcontact/add_msg_template?access_token=" + corp.wecom_token, body).status == 502);
    corp.pass(1min);
    CHECK(errcode(corp.wecom("GET", "externalcontact/get_follow_user_list")) == 0);
    corp.control("POST", "wecom/storm", {{"code", 0}}, 422);
    corp.control("GET", "wecom/nothing", nullptr, 404);
    corp.control("GET", "wecom/storm", nullptr, 405);
}

TEST_CASE("wecom: tags, remarks and contact ways come back with the customer", "[sandbox]") {
    Corp corp;
    const auto customer = corp.customers_of("alice").front();
    const auto tag = corp.wecom("POST", "externalcontact/add_corp_tag", {{"group_name", "等级"}, {"tag", {{{"name", "VIP"}}}}}).at("tag_group").at("tag").at(0).at("id").get<std::string>();
    CHECK(errcode(corp.wecom("POST", "externalcontact/mark_tag", {{"userid", "alice"}, {"external_userid", customer}, {"add_tag", {tag}}})) == 0);
    CHECK(errcode(corp.wecom("POST", "externalcontact/remark", {{"userid", "alice"}, {"external_userid", customer}, {"remark", "老客户"}})) == 0);
    const auto follow = corp.wecom("GET", "externalcontact/get?external_userid=" + customer).at("follow_user").at(0);
    CHECK(follow.at("remark") == "老客户");
    CHECK(follow.at("tags").at(0).at("tag_name") == "VIP");
    const auto batch = corp.wecom("POST", "externalcontact/batch/get_by_user", {{"userid_list", {"alice"}}, {"limit", 2}});
    CHECK(batch.at("external_contact_list").size() == 2);
    CHECK_FALSE(batch.at("next_cursor").get<std::string>().empty());
    const auto filtered = corp.wecom("POST", "externalcontact/add_msg_template", {{"sender", "alice"}, {"tag_filter", {{"group_list", {{{"tag_list", {tag}}}}}}}, {"text", {{"content", "VIP"}}}});
    CHECK(corp.control("POST", "wecom/press", {{"msgid", filtered.at("msgid")}}).at("sent") == 1);
    const auto config_id = corp.wecom("POST", "externalcontact/add_contact_way", {{"type", 1}, {"scene", 2}, {"user", {"bob"}}, {"state", "qr9"}}).at("config_id");
    corp.control("POST", "wecom/act", {{"act", "follow"}, {"userid", "bob"}, {"config_id", config_id}});
    CHECK(element_text(opened(corp.taken().at(0), "ww1"), "State") == "qr9");
}
