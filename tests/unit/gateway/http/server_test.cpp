#include "gateway/http/server.hpp"

#include "tests/unit/gateway/http/live_server.hpp"

using namespace touchgate;
using namespace touchgate::test;

namespace {

std::string touch(const std::string& key, const std::string& phone = "13800138000", const std::string& more = {}) {
    return R"({"key":")" + key + R"(","contact":{"phone":")" + phone + R"("},"purpose":"service","channels":["sms"],"content":{"text":"hi"})" +
           (more.empty() ? "" : "," + more) + "}";
}

constexpr const char* ndjson = "Content-Type: application/x-ndjson\r\n";

std::vector<Json> lines_of(const std::string& body) {
    std::vector<Json> lines;
    std::size_t at = 0;
    for (auto end = body.find('\n'); end != std::string::npos; at = end + 1, end = body.find('\n', at))
        lines.push_back(Json::parse(body.substr(at, end - at)));
    return lines;
}

std::vector<std::string> pointers(const Json& problem) {
    std::vector<std::string> list;
    for (const auto& entry : problem.at("errors")) list.push_back(entry.at("pointer"));
    return list;
}

}  // namespace

TEST_CASE("server: a touch is accepted, repeated, conflicts, and is read back") {
    LiveServer live;
    Client client{live.port()};
    const auto first = client.request("POST", "/v1/touches", touch("k1"));
    REQUIRE(first.status == 202);
    CHECK(first.header("content-type") == "application/json");
    CHECK(std::stoull(first.header("touchgate-seq")) > 0);
    const auto made = first.json();
    CHECK(made.at("key") == "k1");
    CHECK(made.at("duplicate") == false);
    CHECK(made.at("channel") == "sms");
    CHECK(made.at("decision").at("verdict") == "allow");
    CHECK(made.at("decision").at("policy") == "open@1");
    CHECK(made.at("decision").at("trace").is_array());

    const auto again = client.request("POST", "/v1/touches", touch("k1"));
    CHECK(again.status == 200);
    CHECK(again.json().at("duplicate") == true);
    CHECK(again.json().at("id") == made.at("id"));

    const auto other = client.request("POST", "/v1/touches", touch("k1", "13800138001"));
    CHECK(other.status == 409);
    CHECK(other.json().at("touch_id") == made.at("id"));

    const auto read = client.request("GET", "/v1/touches/" + made.at("id").get<std::string>());
    REQUIRE(read.status == 200);
    CHECK(read.json().at("attempts").is_array());
    CHECK(read.json().at("events").size() == 1);
    CHECK(client.request("GET", "/v1/touches/0193a1b2-0000-7000-8000-000000000000").status == 404);
    CHECK(client.request("GET", "/v1/touches/nonsense").status == 404);
}

TEST_CASE("server: problems of form and of meaning are named together") {
    LiveServer live;
    Client client{live.port()};
    const auto answer = client.request("POST", "/v1/touches",
                                       R"({"contact":{"phone":"13800138000"},"purpose":"nonsense","content":{"text":"hi"},"priority":500,"x":1})");
    REQUIRE(answer.status == 422);
    CHECK(answer.header("content-type") == "application/problem+json");
    auto found = pointers(answer.json());
    std::sort(found.begin(), found.end());
    CHECK(found == std::vector<std::string>{"/priority", "/purpose", "/x"});
    CHECK(client.request("POST", "/v1/touches", "{").status == 400);
    CHECK(client.request("POST", "/v1/touches", "").status == 400);
    const auto past = client.request("POST", "/v1/touches", touch("", "13800138000", R"("expires_at":"2020-01-01T00:00:00Z")"));
    CHECK(past.status == 422);
}

TEST_CASE("server: who may do what") {
    LiveServer live;
    Client client{live.port()};
    client.key = "";
    const auto none = client.request("POST", "/v1/touches", touch("a"));
    CHECK(none.status == 401);
    CHECK(none.header("www-authenticate") == "Bearer");
    client.key = "not-the-key-of-anyone";
    CHECK(client.request("GET", "/v1/accounts").status == 401);
    client.key = "east-key-of-sixteen-bytes";
    CHECK(client.request("GET", "/v1/accounts").status == 403);
    client.key = "";
    for (const auto* open : {"/healthz", "/readyz", "/metrics", "/openapi.json"}) CHECK(client.request("GET", open).status == 200);
    CHECK(client.request("POST", "/hooks/nobody", "x").status == 404);
}

TEST_CASE("server: a key limited to a unit sees its unit only") {
    LiveServer live;
    Client client{live.port()};
    const auto foreign = client.request("POST", "/v1/touches", touch("w", "13800138000", R"("unit":"hq/west")")).json();
    client.key = "east-key-of-sixteen-bytes";
    CHECK(client.request("GET", "/v1/touches/" + foreign.at("id").get<std::string>()).status == 404);
    CHECK(client.request("POST", "/v1/touches", touch("e", "13800138001", R"("unit":"hq/west")")).status == 403);
    const auto own = client.request("POST", "/v1/touches", touch("e", "13800138001"));
    REQUIRE(own.status == 202);
    CHECK(own.json().at("unit") == "hq/east");
    CHECK(client.request("GET", "/v1/touches/" + own.json().at("id").get<std::string>()).status == 200);
}

TEST_CASE("server: a key that sends too fast gets 429 and when to come back") {
    LiveServer live;
    Client client{live.port()};
    client.key = "slow-key-of-sixteen-bytes";
    CHECK(client.request("POST", "/v1/touches", touch("1")).status == 202);
    CHECK(client.request("POST", "/v1/touches", touch("2")).status == 202);
    const auto refused = client.request("POST", "/v1/touches", touch("3"));
    CHECK(refused.status == 429);
    CHECK(std::stoi(refused.header("retry-after")) >= 1);
}

TEST_CASE("server: paths, methods, media types, sizes") {
    LiveServer live;
    Client client{live.port()};
    CHECK(client.request("GET", "/v1/nothing").status == 404);
    const auto wrong_method = client.request("DELETE", "/v1/touches");
    CHECK(wrong_method.status == 405);
    CHECK(wrong_method.header("allow") == "POST, GET, HEAD");
    CHECK(client.request("POST", "/v1/touches", "a=b", "Content-Type: application/x-www-form-urlencoded\r\n").status == 415);
    CHECK(client.request("POST", "/v1/touches", touch("a"), "Content-Type: application/json; charset=latin1\r\n").status == 415);
    CHECK(client.request("POST", "/v1/touches", touch("a"), "Content-Type: Application/JSON; charset=UTF-8\r\n").status == 202);
    CHECK(client.request("POST", "/v1/touches/bulk", touch("a")).status == 415);
    const auto head = client.request("HEAD", "/healthz");
    CHECK(head.status == 200);
    CHECK(head.header("content-length") == "15");
    const auto zh = client.request("GET", "/v1/nothing", "",
                                   "Accept-Language: zh-CN\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n");
    CHECK(zh.json().at("title") == "对象不存在");
    CHECK(zh.header("traceparent") == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    // The connection has served all of them.
    CHECK(client.request("GET", "/healthz").status == 200);
}

TEST_CASE("server: a body over 1 MiB is refused, announced or not, and the answer arrives") {
    LiveServer live;
    const std::string big(3'000'000, ' ');
    Client announced{live.port()};
    CHECK(announced.request("POST", "/v1/touches", big).status == 413);
    Client chunked{live.port()};
    chunked.send("POST /v1/touches HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + chunked.key + "\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; ++i) chunked.send("f4240\r\n" + std::string(1'000'000, ' ') + "\r\n");
    CHECK(chunked.receive().status == 413);
}

TEST_CASE("server: broken requests get a clear answer, and never stop the others") {
    LiveServer live;
    const auto bytes =
        GENERATE(as<std::string>{}, "nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /v1/touches HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                 "POST /v1/touches HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "GET /a b HTTP/1.1\r\n\r\n");
    Client broken{live.port()};
    broken.send(bytes);
    INFO(bytes);
    CHECK(broken.receive().status == 400);
    CHECK(broken.is_closed());
    Client large{live.port()};
    large.send("GET /healthz HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
    CHECK(large.receive().status == 431);
    Client fine{live.port()};
    CHECK(fine.request("GET", "/healthz").status == 200);
}

TEST_CASE("server: half a request times out with an answer, silence without") {
    http::HttpOptions options;
    options.header_timeout = Duration{300};
    options.body_idle_timeout = Duration{300};
    options.keep_alive_timeout = Duration{300};
    LiveServer live{options};
    Client header{live.port()};
    header.send("POST /v1/touches HT");
    Client body{live.port()};
    body.send("POST /v1/touches HTTP/1.1\r\nAuthorization: Bearer " + body.key + "\r\nContent-Length: 100\r\n\r\n{");
    Client silent{live.port()};
    Client ended{live.port()};
    ended.send("POST /v1/touches HTTP/1.1\r\nAuthorization: Bearer " + body.key + "\r\nContent-Length: 100\r\n\r\n{");
    ended.end_sending();
    CHECK(header.receive().status == 408);
    CHECK(body.receive().status == 408);
    CHECK(ended.receive().status == 400);
    CHECK(silent.receive().status == 0);
}

TEST_CASE("server: pipelined requests are answered in order") {
    LiveServer live;
    Client client{live.port()};
    std::string all;
    for (int i = 0; i < 20; ++i) {
        const auto body = touch("p" + std::to_string(i));
        all += "POST /v1/touches HTTP/1.1\r\nAuthorization: Bearer " + client.key + "\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }
    client.send(all);
    for (int i = 0; i < 20; ++i) CHECK(client.receive().json().at("key") == "p" + std::to_string(i));
}

TEST_CASE("bulk: same order, bad lines beside good ones, blank lines counted, no LF at the end") {
    LiveServer live;
    Client client{live.port()};
    const auto body = touch("b1") + "\n\n{nonsense\n" + touch("b1") + "\n" + touch("b1", "13900000000") + "\n" +
                      R"({"purpose":"service","contact":{"id":"nobody"},"content":{"text":"x"}})" + "\n\xff\xfe\n" + touch("b2");
    const auto answer = client.request("POST", "/v1/touches/bulk", body, ndjson);
    REQUIRE(answer.status == 200);
    CHECK(answer.header("content-type") == "application/x-ndjson");
    CHECK(std::stoull(answer.header("touchgate-seq")) > 0);
    const auto lines = lines_of(answer.body);
    REQUIRE(lines.size() == 7);
    CHECK(lines[0].at("line") == 1);
    CHECK(lines[0].contains("id"));
    CHECK(lines[0].at("rule").is_null());
    CHECK(lines[1].at("line") == 3);
    CHECK(lines[1].at("error").at("status") == 400);
    CHECK(lines[2] == Json{{"line", 4}, {"id", lines[0].at("id")}, {"state", lines[0].at("state")}, {"rule", nullptr}, {"duplicate", true}});
    CHECK(lines[3].at("error").at("status") == 409);
    CHECK(lines[3].at("error").at("touch_id") == lines[0].at("id"));
    CHECK(lines[4].at("error").at("status") == 422);
    CHECK(pointers(lines[4].at("error")) == std::vector<std::string>{"/contact/id"});
    CHECK(lines[5].at("error").at("status") == 400);
    CHECK(lines[6].at("line") == 8);
    CHECK(lines[6].contains("id"));
}

TEST_CASE("bulk: the answer streams while the request still does") {
    LiveServer live;
    Client client{live.port()};
    client.send("POST /v1/touches/bulk HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + client.key +
                "\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.receive().status == 100);
    const auto send_line = [&](const std::string& line) {
        char size[16];
        std::snprintf(size, sizeof size, "%zx\r\n", line.size());
        client.send(size + line + "\r\n");
    };
    send_line(touch("s1") + "\n");
    CHECK(client.receive_until("\"line\":1").find("200 OK") != std::string::npos);
    send_line(touch("s2") + "\n" + touch("s3").substr(0, 10));
    client.receive_until("\"line\":2");
    send_line(touch("s3").substr(10));
    client.send("0\r\n\r\n");
    const auto rest = client.receive_until("\r\n0\r\n");
    CHECK(rest.find("\"line\":3") != std::string::npos);
    CHECK(client.receive_until("\r\n\r\n").find("Touchgate-Seq: ") == 0);
    CHECK(client.request("GET", "/healthz").status == 200);
}

TEST_CASE("bulk: many lines arrive in order") {
    LiveServer live;
    Client client{live.port()};
    std::string body;
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i) body += touch("m" + std::to_string(i), "138" + std::to_string(10'000'000 + i)) + "\n";
    const auto lines = lines_of(client.request("POST", "/v1/touches/bulk", body, ndjson).body);
    REQUIRE(lines.size() == count);
    bool in_order = true;
    for (int i = 0; i < count; ++i)
        in_order = in_order && lines[static_cast<std::size_t>(i)].at("line") == i + 1 && lines[static_cast<std::size_t>(i)].contains("id");
    CHECK(in_order);
}

TEST_CASE("bulk: lines that the engine cannot take for too long are answered 503, the rest is kept") {
    http::HttpOptions options;
    options.bulk_pressure_timeout = Duration{200};
    Limits limits;
    limits.waiting_touches = 10;
    LiveServer live{options, limits};
    Client client{live.port()};
    std::string body;
    for (int i = 0; i < 30; ++i) body += touch("w" + std::to_string(i), "138" + std::to_string(10'000'000 + i)) + "\n";
    const auto lines = lines_of(client.request("POST", "/v1/touches/bulk", body, ndjson).body);
    REQUIRE(lines.size() == 30);
    std::size_t taken = 0;
    for (const auto& line : lines) {
        if (line.contains("id")) ++taken;
        else CHECK(line.at("error").at("status") == 503);
    }
    CHECK(taken == 8);  // bulk may fill 80 % of what may wait
    // Single posts may fill all of it.
    CHECK(client.request("POST", "/v1/touches", touch("one", "13900000001")).status == 202);
    CHECK(client.request("POST", "/v1/touches", touch("two", "13900000002")).status == 202);
    const auto full = client.request("POST", "/v1/touches", touch("three", "13900000003"));
    CHECK(full.status == 503);
    CHECK(std::stoi(full.header("retry-after")) >= 1);
}

TEST_CASE("bulk: a caller who waits for the gateway is not cut off, one who stops sending is") {
    http::HttpOptions options;
    options.body_idle_timeout = Duration{400};
    options.bulk_pressure_timeout = Duration{2'500};
    Limits limits;
    limits.waiting_touches = 10;
    LiveServer live{options, limits};
    Client client{live.port()};
    client.send("POST /v1/touches/bulk HTTP/1.1\r\nAuthorization: Bearer " + client.key +
                "\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 9; ++i) {
        const auto line = touch("t" + std::to_string(i), "138" + std::to_string(10'000'000 + i)) + "\n";
        char size[16];
        std::snprintf(size, sizeof size, "%zx\r\n", line.size());
        client.send(size + line + "\r\n");
    }
    CHECK(client.receive_until("\"line\":9").find("\"line\":8") != std::string::npos);
    CHECK(client.receive_until("\n").find("503") != std::string::npos);
    // Now it is the caller who is silent.
    client.receive_until("\r\n");
    CHECK(client.is_closed());
}

TEST_CASE("bulk: contacts, consents, suppressions, conversions") {
    LiveServer live;
    Client client{live.port()};
    auto lines = lines_of(
        client.request("POST", "/v1/contacts/bulk", "{\"id\":\"c1\",\"phones\":[\"13800138000\"]}\n{\"id\":\"c2\",\"phones\":[\"x\"]}\n", ndjson)
            .body);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].at("id") == "c1");
    CHECK(pointers(lines[1].at("error")) == std::vector<std::string>{"/phones/0"});
    lines = lines_of(client
                         .request("POST", "/v1/consents/bulk",
                                  R"({"contact":{"id":"c1"},"channel":"sms","purpose":"marketing","status":"withdrawn","source":"x"})", ndjson)
                         .body);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].contains("id"));
    lines = lines_of(client.request("POST", "/v1/suppressions/bulk", R"({"list":"dnc","phone":"13800138000"})", ndjson).body);
    CHECK(lines.at(0).contains("id"));
    lines = lines_of(client
                         .request("POST", "/v1/conversions/bulk",
                                  "{\"key\":\"o1\",\"contact\":{\"id\":\"c1\"},\"kind\":\"order\",\"value\":1}\n{\"key\":\"o1\",\"contact\":{\"id\":"
                                  "\"c1\"},\"kind\":\"order\",\"value\":1}",
                                  ndjson)
                         .body);
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].at("duplicate") == true);
}

TEST_CASE("server: contacts, consents and suppressions") {
    LiveServer live;
    Client client{live.port()};
    const auto made = client.request("PUT", "/v1/contacts/c%201", R"({"phones":["13800138000"],"attributes":{"tier":"gold"}})");
    CHECK(made.status == 201);
    CHECK(made.json().at("id") == "c 1");
    const auto etag = made.header("etag");
    CHECK(client.request("PUT", "/v1/contacts/c%201", R"({"phones":["13800138000"]})").status == 200);
    CHECK(client.request("PATCH", "/v1/contacts/c%201", R"({"name":"王"})", "If-Match: " + etag + "\r\n").status == 412);
    CHECK(client.request("PATCH", "/v1/contacts/none", R"({"name":"王"})").status == 404);
    const auto clash = client.request("PUT", "/v1/contacts/c2", R"({"phones":["+8613800138000"]})");
    CHECK(clash.status == 409);
    CHECK(clash.json().at("contact_id") == "c 1");
    CHECK(client.request("GET", "/v1/contacts/c%201").json().at("phones") == Json{"+8613800138000"});

    CHECK(client.request("POST", "/v1/contacts/c%201/consents", R"({"channel":"sms","purpose":"service","status":"withdrawn","source":"call"})")
              .status == 201);
    CHECK(client.request("POST", "/v1/contacts/none/consents", R"({"channel":"sms","purpose":"service","status":"withdrawn"})").status == 404);
    const auto denied =
        client.request("POST", "/v1/touches", R"({"contact":{"id":"c 1"},"purpose":"service","channels":["sms"],"content":{"text":"x"}})");
    CHECK(denied.status == 202);
    CHECK(denied.json().at("state") == "blocked");
    CHECK(denied.json().at("decision").at("rule") == "opt-out");

    CHECK(client.request("POST", "/v1/suppressions", R"({"list":"dnc","phone":"13800138000"})").status == 201);
    CHECK(client.request("POST", "/v1/suppressions", R"({"list":"dnc","phone":"13800138000"})").status == 200);
    CHECK(client.request("GET", "/v1/suppressions?list=dnc").json().at("items").size() == 1);
    CHECK(client.request("DELETE", "/v1/suppressions/dnc/%2B8613800138000").status == 204);
    CHECK(client.request("DELETE", "/v1/suppressions/dnc/%2B8613800138000").status == 404);
    CHECK(
        client.request("PUT", "/v1/suppressions/robinson", "{\"phone\":\"13800138001\"}\n{\"phone\":\"13800138002\"}", ndjson).json().at("entries") ==
        2);
    CHECK(client.request("DELETE", "/v1/contacts/c%201").status == 204);
    CHECK(client.request("GET", "/v1/contacts/c%201").status == 404);
}

TEST_CASE("server: decisions are bare and write nothing") {
    LiveServer live;
    Client client{live.port()};
    const auto before = client.request("GET", "/v1/log/head").json();
    const auto decision = client.request(
        "POST", "/v1/decisions",
        R"({"contact":{"phone":"13800138000"},"purpose":"marketing","channels":["sms"],"content":{"text":"x"},"at":"2030-01-01T00:00:00Z"})");
    REQUIRE(decision.status == 200);
    CHECK(decision.json().at("verdict") == "allow");
    CHECK(decision.json().at("trace").at(0).at("rule") == "cap");
    CHECK(client.request("GET", "/v1/log/head").json() == before);
}

TEST_CASE("server: policies, holds, campaigns, accounts, reports") {
    LiveServer live;
    Client client{live.port()};
    const auto put = client.request("PUT", "/v1/policies/open", R"({"name":"open","rules":[]})");
    REQUIRE(put.status == 200);
    CHECK(put.json().at("policy") == "open@2");
    CHECK(put.json().at("active") == true);
    const auto bad = client.request("PUT", "/v1/policies/open", R"({"name":"open","rules":[{"kind":"cap"}]})");
    CHECK(bad.status == 422);
    CHECK_FALSE(bad.json().at("errors").empty());
    CHECK(client.request("GET", "/v1/policies").json().at("items").size() >= 1);

    const auto hold = client.request("POST", "/v1/holds", R"({"purposes":["marketing"],"reason":"wrong price"})");
    REQUIRE(hold.status == 201);
    CHECK(client.request("GET", "/v1/holds").json().at("items").size() == 1);
    CHECK(client.request("DELETE", "/v1/holds/" + hold.json().at("id").get<std::string>()).status == 204);

    CHECK(client.request("POST", "/v1/campaigns", R"({"id":"d11","purpose":"marketing"})").status == 201);
    CHECK(client.request("POST", "/v1/campaigns", R"({"purpose":"marketing","id":"d11"})").status == 200);
    CHECK(client.request("POST", "/v1/campaigns", R"({"id":"d11","purpose":"service"})").status == 409);
    CHECK(client.request("POST", "/v1/campaigns/d11/start").json().at("errors")[0].at("pointer") == "/template");
    const auto lines = "{\"contact\":{\"phone\":\"13800138000\"},\"variables\":{\"n\":1}}\n\n{\"contact\":{\"phone\":\"13800138000\"}}\n{\"contact\":{\"id\":\"nobody\"}}\nno";
    const auto audience = client.request("POST", "/v1/campaigns/d11/audience", lines, ndjson);
    CHECK(audience.status == 200);
    CHECK(audience.header("content-type") == "application/json");
    CHECK(audience.json().at("added") == 1);
    CHECK(audience.json().at("duplicates") == 1);
    CHECK(audience.json().at("rejected") == 2);
    CHECK(audience.json().at("errors")[0].at("line") == 4);
    CHECK(audience.json().at("errors")[1].at("line") == 5);
    CHECK(client.request("POST", "/v1/campaigns/none/audience", {}, ndjson).status == 404);
    CHECK(client.request("GET", "/v1/campaigns").json().at("items").size() == 1);
    CHECK(client.request("POST", "/v1/campaigns/none/start").status == 404);
    CHECK(client.request("GET", "/v1/campaigns/d11").json().at("counts").at("pending") == 1);

    CHECK(client.request("GET", "/v1/accounts").json().at("items").at(0).at("name") == "sms-main");
    CHECK(client.request("GET", "/v1/reports/funnel").json().at("report") == "funnel");
    CHECK(client.request("GET", "/v1/reports/funnel?format=csv").header("content-type") == "text/csv; charset=utf-8");
    CHECK(client.request("GET", "/v1/reports/funnel?format=xml").status == 422);
    CHECK(client.request("GET", "/v1/reasons").json().at("items").size() > 20);
    const auto metrics = client.request("GET", "/metrics").body;
    CHECK(metrics.find("touchgate_http_requests_total ") != std::string::npos);
    CHECK(metrics.find("touchgate_permits_total ") != std::string::npos);
    CHECK(client.request("GET", "/openapi.json").json().at("openapi") == "3.1.0");
}

TEST_CASE("server: reads wait for the sequence they name") {
    http::HttpOptions options;
    options.min_seq_timeout = Duration{100};
    LiveServer live{options};
    Client client{live.port()};
    const auto sequence = client.request("POST", "/v1/touches", touch("q")).header("touchgate-seq");
    const auto list = client.request("GET", "/v1/touches?min_seq=" + sequence);
    CHECK(list.status == 200);
    CHECK(std::stoull(list.header("touchgate-seq")) >= std::stoull(sequence));
    CHECK(list.json().at("next_cursor") == "next");
    const auto never = client.request("GET", "/v1/touches?min_seq=999999");
    CHECK(never.status == 503);
    CHECK_FALSE(never.header("retry-after").empty());
    CHECK(client.request("GET", "/v1/touches?limit=0&from=x&state=lost").json().at("errors").size() == 3);
}

TEST_CASE("events: pages, long polls and streams") {
    LiveServer live;
    Client client{live.port()};
    client.request("POST", "/v1/touches", touch("e1"));
    const auto page = client.request("GET", "/v1/events?after=0&limit=1&types=touch.*,lead.*").json();
    CHECK(page.at("items").size() == 1);
    const auto last = page.at("last_seq").get<std::uint64_t>();

    Client waiting{live.port()};
    waiting.send("GET /v1/events?wait=PT20S&after=" + std::to_string(last) + " HTTP/1.1\r\nAuthorization: Bearer " + client.key + "\r\n\r\n");
    client.request("POST", "/v1/touches", touch("e2"));
    CHECK(waiting.receive().json().at("items").size() >= 1);
    CHECK(client.request("GET", "/v1/events?after=999999").json().at("items").empty());

    Client stream{live.port()};
    stream.send("GET /v1/events HTTP/1.1\r\nAuthorization: Bearer " + client.key +
                "\r\nAccept: text/event-stream\r\nLast-Event-ID: " + std::to_string(last) + "\r\n\r\n");
    CHECK(stream.receive_until("id: " + std::to_string(last + 1) + "\n").find("text/event-stream") != std::string::npos);
    client.request("POST", "/v1/touches", touch("e3"));
    CHECK(stream.receive_until("data: {\"sequence\":" + std::to_string(last + 2) + "}\n\n").find("event: touch.created") != std::string::npos);
    live.server->begin_drain();
    CHECK(stream.receive_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
}

TEST_CASE("events: the scope touches alone reads its own touches only") {
    LiveServer live;
    Client client{live.port()};
    client.key = "east-key-of-sixteen-bytes";
    CHECK(client.request("GET", "/v1/events?types=contact.created,touch.failed").status == 200);
    const std::scoped_lock lock{live.queries->mutex};
    CHECK(live.queries->last_events.key_name == "east");
    CHECK(live.queries->last_events.types == std::vector<std::string>{"touch.failed"});
    CHECK(live.queries->last_events.visibility.units == std::vector<std::string>{"hq/east"});
}

TEST_CASE("server: while draining new requests are refused and those under way finish") {
    LiveServer live;
    live.hold_engine();
    Client busy{live.port()};
    const auto body = touch("d1");
    busy.send("POST /v1/touches HTTP/1.1\r\nAuthorization: Bearer " + busy.key + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              body);
    Client client{live.port()};
    CHECK(client.request("GET", "/readyz").status == 200);
    live.server->begin_drain();
    Client late{live.port()};
    const auto refused = late.request("POST", "/v1/touches", touch("d2"));
    CHECK(refused.status == 503);
    CHECK(std::stoi(refused.header("retry-after")) >= 1);
    CHECK(refused.header("connection") == "close");
    Client probe{live.port()};
    CHECK(probe.request("GET", "/readyz").status == 503);
    Client health{live.port()};
    CHECK(health.request("GET", "/healthz").status == 200);
    live.release_engine();
    const auto done = busy.receive();
    CHECK((done.status == 202 || done.status == 503));
}

TEST_CASE("server: over the limit of connections a new one is told so") {
    http::HttpOptions options;
    options.connections_max = 2;
    LiveServer live{options};
    Client one{live.port()};
    Client two{live.port()};
    CHECK(one.request("GET", "/healthz").status == 200);
    CHECK(two.request("GET", "/healthz").status == 200);
    Client three{live.port()};
    CHECK(three.receive().status == 503);
}

TEST_CASE("server: a full intake queue answers 503 to single touches") {
    Limits limits;
    limits.intake_queue = 4;
    http::HttpOptions options;
    options.threads = 1;  // requests are then taken in the order in which they came
    LiveServer live{options, limits};
    live.hold_engine();
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 12; ++i) {
        clients.push_back(std::make_unique<Client>(live.port()));
        const auto body = touch("i" + std::to_string(i));
        clients.back()->send("POST /v1/touches HTTP/1.1\r\nAuthorization: Bearer " + clients.back()->key +
                             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    // Those that find no room are answered while the engine stands still.
    Client last{live.port()};
    CHECK(last.request("POST", "/v1/touches", touch("last")).status == 503);
    live.release_engine();
    int accepted = 0;
    for (auto& client : clients) {
        const auto answer = client->receive();
        CHECK((answer.status == 202 || answer.status == 503));
        accepted += answer.status == 202 ? 1 : 0;
    }
    CHECK(accepted >= 1);
}

TEST_CASE("server: what cannot be set up is said") {
    SystemClock clock;
    http::HttpOptions options;
    options.listen = GENERATE(as<std::string>{}, "nonsense", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "no.such.host.invalid:80");
    LiveServer live;
    options.api_keys = {};
    struct Nothing final : http::HookPort {
        std::optional<http::HookAccount> find(std::string_view) const override { return std::nullopt; }
    } hooks;
    const auto started = http::HttpServer::start(options, live.engine(), *live.queries, hooks, clock);
    REQUIRE_FALSE(started);
    CHECK(started.error().problems.at(0).pointer == "/http/listen");
}
