#include "adapters/wechat/callback.hpp"

#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"
#include "tests/unit/adapters/wechat/support.hpp"

using namespace touchgate;
using namespace touchgate::adapters::wechat;
using namespace touchgate::channel;
using touchgate::test::plain;
using touchgate::test::sealed;
using namespace std::chrono_literals;

namespace {

struct Received {
    WebhookAnswer answer;
    std::vector<Callback> taken;
};

Received give(const CallbackSettings& settings, WebhookRequest request) {
    Received received;
    received.answer = receive_callback(settings, request, [&](const Callback& callback) {
        received.taken.push_back(callback);
        return WebhookEvents{.events = {unknown_event(callback)}};
    });
    return received;
}

void check_refused(const Received& received, int status, std::string_view why) {
    CHECK(received.answer.status == status);
    CHECK(received.answer.refusal == why);
    CHECK(received.answer.body.empty());
    CHECK(received.taken.empty());
    CHECK(received.answer.events.events.empty());
}

WebhookRequest request_of(const Json& vector) {
    const auto& http = vector.at("http");
    return {.method = http.at("method").get<std::string>(),
            .path_tail = "",
            .query = http.at("query").get<std::string>(),
            .headers = {},
            .body = http.value("body", ""),
            .now = test::time_of(vector)};
}

const std::string text_message =
    "<xml><FromUserName>o1</FromUserName><CreateTime>1893456000</CreateTime><MsgType>text</MsgType><Content>hi</Content></xml>";

}  // namespace

TEST_CASE("callback: the recorded requests are answered as the platform expects", "[wechat]") {
    const auto vectors = test::callback_vectors();
    int seen = 0;
    for (const auto& vector : vectors.at("positive")) {
        if (!vector.contains("http")) continue;
        ++seen;
        INFO(vector.at("id").get<std::string>());
        const bool official = vector.at("group") == "official_account";
        const auto settings = test::settings_for(vector, official ? Platform::official : Platform::wecom);
        const auto received = give(settings, request_of(vector));
        CHECK(received.answer.status == 200);
        CHECK(received.answer.refusal.empty());
        CHECK(received.answer.content_type == "text/plain");
        if (vector.at("http").at("method") == "GET") {
            CHECK(received.answer.body == vector.at("http").at("expected_body"));
            CHECK(received.taken.empty());
        } else {
            CHECK(received.answer.body == (official ? "success" : ""));
            REQUIRE(received.taken.size() == 1);
            CHECK(received.taken[0].text == vector.at("plaintext"));
            CHECK(received.taken[0].message.name == "xml");
        }
        if (vector.contains("plain_mode_get")) {
            const auto& echo = vector.at("plain_mode_get");
            const WebhookRequest get{.method = "GET",
                                     .path_tail = "",
                                     .query = echo.at("query").get<std::string>(),
                                     .headers = {},
                                     .body = "",
                                     .now = test::time_of(vector)};
            CHECK(give(settings, get).answer.body == echo.at("expected_body"));
            auto forged = get;
            forged.query.replace(forged.query.find("nonce=") + 6, 1, "x");
            check_refused(give(settings, forged), 403, "SIGNATURE_MISMATCH");
        }
    }
    CHECK(seen == 10);
}

TEST_CASE("callback: the forged vectors are refused over HTTP, all alike", "[wechat]") {
    const auto vectors = test::callback_vectors();
    for (const auto& vector : vectors.at("negative")) {
        INFO(vector.at("id").get<std::string>());
        if (vector.at("expected_error") == "AES_KEY") continue;
        const auto settings = test::settings_for(vector);
        const auto query =
            encode_form({{"msg_signature", vector.at("msg_signature")}, {"timestamp", vector.at("timestamp")}, {"nonce", vector.at("nonce")}});
        const auto body = "<xml><Encrypt><![CDATA[" + vector.at("encrypt").get<std::string>() + "]]></Encrypt></xml>";
        check_refused(give(settings, {.method = "POST", .path_tail = "", .query = query, .headers = {}, .body = body, .now = test::time_of(vector)}),
                      403, vector.at("expected_error").get<std::string>());
        check_refused(give(settings, {.method = "GET",
                                      .path_tail = "",
                                      .query = query + "&echostr=" + percent_encode(vector.at("encrypt").get<std::string>()),
                                      .headers = {},
                                      .body = "",
                                      .now = test::time_of(vector)}),
                      403, vector.at("expected_error").get<std::string>());
    }
}

TEST_CASE("callback: a plus in the query is a plus", "[wechat]") {
    const auto vector = test::callback_vector("wecom-url-verify-plus-slash");
    auto request = request_of(vector);
    for (auto at = request.query.find("%2B"); at != std::string::npos; at = request.query.find("%2B")) request.query.replace(at, 3, "+");
    CHECK(give(test::settings_for(vector), request).answer.body == vector.at("http").at("expected_body"));
}

TEST_CASE("callback: the time stamp must be near, both ways, unless that is switched off", "[wechat]") {
    const auto vector = test::callback_vector("wecom-text-zh");
    auto settings = test::settings_for(vector);
    auto request = request_of(vector);
    const auto now = request.now;
    for (const auto& [offset, fresh] : std::vector<std::pair<Duration, bool>>{
             {0ms, true}, {600'000ms, true}, {-600'000ms, true}, {600'001ms, false}, {-600'001ms, false}, {24h * 400, false}}) {
        request.now = now + offset;
        if (fresh) CHECK(give(settings, request).answer.status == 200);
        else check_refused(give(settings, request), 403, "STALE");
    }
    // A wrong signature is that first.
    auto forged = request;
    forged.query.replace(forged.query.find("msg_signature=") + 14, 1, "x");
    check_refused(give(settings, forged), 403, "SIGNATURE_MISMATCH");
    settings.max_skew.reset();
    CHECK(give(settings, request).answer.status == 200);
}

TEST_CASE("callback: what is no callback is refused by its status", "[wechat]") {
    const auto vector = test::callback_vector("wecom-text-zh");
    const auto settings = test::settings_for(vector);
    const auto good = request_of(vector);
    const auto with = [&](auto change) {
        auto request = good;
        change(request);
        return give(settings, request);
    };
    for (const auto* body : {"", "{}", "<xml/>", "<xml><Encrypt>", "<a><Encrypt>x</Encrypt></a>", "<!DOCTYPE xml><xml><Encrypt>x</Encrypt></xml>"})
        check_refused(with([&](auto& request) { request.body = body; }), 400, "XML");
    check_refused(with([&](auto& request) { request.body.append(document_bytes_max, ' '); }), 413, "TOO_LARGE");
    check_refused(with([&](auto& request) { request.method = "PUT"; }), 405, "METHOD");
    check_refused(with([&](auto& request) { request.path_tail = "/x"; }), 404, "PATH");
    for (const auto* query : {"", "%", "msg_signature", "nonce=%FF"})
        check_refused(with([&](auto& request) { request.query = query; }), 403, "SIGNATURE_MISMATCH");
    check_refused(with([&](auto& request) { request.method = "GET"; }), 403, "SIGNATURE_MISMATCH");
}

TEST_CASE("callback: a message that is no XML is taken and has no effect but an unknown event", "[wechat]") {
    auto settings = test::settings_for(test::callback_vector("wecom-text-zh"));
    const auto now = from_unix_ms(1893456000'000);
    for (const std::string inside : {"", "hello", "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><MsgType>&a;</MsgType></xml>", "<xml>\xFF</xml>"}) {
        INFO(inside);
        const auto received = give(settings, sealed(settings, inside, now));
        CHECK(received.answer.status == 200);
        CHECK(received.answer.refusal.empty());
        CHECK(received.taken.empty());
        REQUIRE(received.answer.events.events.size() == 1);
        CHECK(received.answer.events.events[0].kind == "unknown");
        CHECK(received.answer.events.events[0].refused == "XML");
        CHECK(received.answer.events.events[0].id.size() == 64);
    }
    settings.receive_id = "";
    CHECK(give(settings, sealed(settings, text_message, now)).taken.size() == 1);
}

TEST_CASE("callback: a repeat has the same id though it is signed anew, another event of that second has not", "[wechat]") {
    const auto settings = test::settings_for(test::callback_vector("wecom-text-zh"));
    const auto now = from_unix_ms(1893456000'000);
    const auto first = give(settings, sealed(settings, text_message, now)).taken.at(0);
    const auto again = give(settings, sealed(settings, text_message, now + 5s)).taken.at(0);
    auto other_text = text_message;
    other_text.replace(other_text.find("hi"), 2, "ho");
    CHECK(first.id() == again.id());
    CHECK(first.id() != give(settings, sealed(settings, other_text, now)).taken.at(0).id());
    CHECK(first.at == now);
}

TEST_CASE("callback: an official account takes what its mode allows", "[wechat]") {
    auto settings = test::settings_for(test::callback_vector("oa-aes-text"), Platform::official);
    const auto now = from_unix_ms(1893456000'000);
    const auto envelope = sealed(settings, text_message, now, "&encrypt_type=aes");

    SECTION("secure: only what is encrypted and says so") {
        CHECK(give(settings, envelope).taken.size() == 1);
        check_refused(give(settings, plain(settings, text_message, now)), 403, "NOT_ENCRYPTED");
        check_refused(give(settings, sealed(settings, text_message, now)), 403, "NOT_ENCRYPTED");
        check_refused(give(settings, plain(settings, text_message, now, "&encrypt_type=aes")), 400, "XML");
        check_refused(give(settings, plain(settings, text_message, now, "&encrypt_type=raw")), 403, "NOT_ENCRYPTED");
    }
    SECTION("compatible: the encrypted one counts, a plain one is taken where there is no other") {
        settings.mode = CallbackMode::compatible;
        auto both = envelope;
        both.body.insert(5, "<FromUserName>forged</FromUserName><MsgType>text</MsgType>");
        REQUIRE(give(settings, both).taken.size() == 1);
        CHECK(give(settings, both).taken[0]["FromUserName"] == "o1");
        CHECK(give(settings, plain(settings, text_message, now)).taken.size() == 1);
        // With an Encrypt that does not verify, the plain fields do not count either.
        auto forged = plain(settings, "<xml><MsgType>text</MsgType><Encrypt>AAAA</Encrypt></xml>", now);
        check_refused(give(settings, forged), 403, "SIGNATURE_MISMATCH");
    }
    SECTION("plain: the signature decides") {
        settings.mode = CallbackMode::plain;
        settings.aes_key.reset();
        CHECK(give(settings, plain(settings, text_message, now)).taken.at(0).text == text_message);
        auto forged = plain(settings, text_message, now);
        forged.query.replace(forged.query.find("nonce=nonce"), 11, "nonce=other");
        check_refused(give(settings, forged), 403, "SIGNATURE_MISMATCH");
        check_refused(give(settings, plain(settings, "<xml/>", now)), 400, "XML");
        auto stale = plain(settings, text_message, now);
        stale.now = now + 11min;
        check_refused(give(settings, stale), 403, "STALE");
    }
}

TEST_CASE("callback: an encrypted question of an official account is answered too", "[wechat]") {
    const auto settings = test::settings_for(test::callback_vector("oa-aes-text"), Platform::official);
    const auto now = from_unix_ms(1893456000'000);
    auto request = sealed(settings, "5836271904826153", now, "&encrypt_type=aes");
    const auto envelope = read_xml(request.body).value();
    request.method = "GET";
    request.query += "&echostr=" + percent_encode(envelope.text_of("Encrypt"));
    request.body.clear();
    CHECK(give(settings, request).answer.body == "5836271904826153");
}

TEST_CASE("callback: the encrypted answer is the recorded one", "[wechat]") {
    const auto vector = test::callback_vector("wecom-passive-reply-text");
    const auto bytes = from_hex(vector.at("random_hex").get<std::string>()).value();
    std::array<std::uint8_t, 16> random{};
    std::copy_n(bytes.begin(), random.size(), random.begin());
    CHECK(encrypted_answer(test::settings_for(vector), vector.at("plaintext").get<std::string>(), test::time_of(vector),
                           vector.at("nonce").get<std::string>(), random) == vector.at("reply_body").get<std::string>());
    CHECK(encrypted_answer({}, "x", {}, "n", random).empty());
}

TEST_CASE("callback: settings are read, and a bad key is named", "[wechat]") {
    const auto read = [](const Json& json, const CallbackDefaults& defaults) {
        std::vector<Problem> problems;
        JsonReader reader{json, "/accounts/a", problems};
        auto settings = read_callback_settings(reader, defaults);
        reader.finish();
        return std::pair{settings, problems};
    };
    const std::string key(43, 'A');
    const auto [settings, none] = read({{"token", "t"}, {"encoding_aes_key", key}}, {.receive_id = "corp"});
    REQUIRE(settings);
    CHECK(none.empty());
    CHECK(settings->receive_id == "corp");
    CHECK(settings->max_skew == 10min);
    CHECK(settings->aes_key);
    CHECK_FALSE(read({{"token", "t"}, {"encoding_aes_key", key}, {"callback_max_skew", nullptr}, {"receive_id", ""}}, {.receive_id = "corp"})
                    .first->max_skew);
    CHECK(read({{"token", "t"}, {"encoding_aes_key", key}, {"receive_id", ""}}, {.receive_id = "corp"}).first->receive_id.empty());
    CHECK(read({{"token", "t"}, {"encoding_aes_key", key}, {"mode", "compatible"}}, {.platform = Platform::official}).first->mode ==
          CallbackMode::compatible);
    CHECK(read({{"token", "t"}, {"mode", "plain"}}, {.platform = Platform::official}).second.empty());
    CHECK(read(Json::object(), {.required = false}).second.empty());
    CHECK_FALSE(read(Json::object(), {.required = false}).first);

    for (const auto& bad : {Json{{"token", "t"}, {"encoding_aes_key", key + "A"}}, Json{{"token", "t"}, {"encoding_aes_key", ""}},
                            Json{{"token", "t"}}, Json{{"token", "t"}, {"encoding_aes_key", 7}}}) {
        const auto problems = read(bad, {}).second;
        INFO(bad.dump());
        REQUIRE(problems.size() >= 1);
        CHECK(problems.back().pointer == "/accounts/a/encoding_aes_key");
        CHECK(problems.back().detail.find("AES_KEY") != std::string::npos);
    }
    CHECK(read({{"encoding_aes_key", key}}, {.required = false}).second.at(0).pointer == "/accounts/a/token");
}
