#include "adapters/wechat/media.hpp"

#include "tests/unit/adapters/wecom/support.hpp"

using namespace touchgate;
using namespace touchgate::channel;
using test::answered;
using test::refused;

namespace {

struct Desk {
    std::shared_ptr<test::Shelf> shelf = std::make_shared<test::Shelf>();
    test::Made made;
    Desk() {
        shelf->put("offer.png", 1'000);
        shelf->put("cover.jpg", 1'000);
        shelf->put("large.png", 3U << 20U);
        shelf->put("notes.txt", 1'000);
        shelf->put("tiny.png", 3);
        made = test::make(adapters::wecom_adapter(), test::corp_settings(), shelf);
        REQUIRE(made.problems.empty());
    }
    std::string problems(const Json& body) const {
        std::string all;
        for (const auto& problem : made.adapter->content_problems({.text = "x", .body_json = body.dump()})) all += (all.empty() ? "" : " ") + problem.pointer;
        return all;
    }
};

Submission with(const Json& body) { return {.attempt_id = "a", .to = "wm1", .content = {.text = "x", .body_json = body.dump()}}; }

}  // namespace

TEST_CASE("A named medium is a need after the token; its id stands in the request; the same file is uploaded once") {
    const Desk desk;
    const std::vector submissions = {with({{"image", {{"media", "offer.png"}}}}), with({{"attachments", Json::array({{{"msgtype", "image"}, {"image", {{"media", "sha256:digest-of-offer.png"}}}}})}})};
    const auto needs = desk.made.adapter->prepare(submissions);
    REQUIRE(needs.size() == 2);  // by name or by digest, it is one
    CHECK(needs[1].shared);
    const Resources token{{needs[0].key, "TOKEN"}};
    const auto upload = desk.made.adapter->fetch(needs[1], token, {.now = {}, .nonce = "0123"});
    CHECK(upload.url.find("/cgi-bin/media/upload?type=image&access_token=TOKEN") != std::string::npos);
    CHECK(upload.body.find("filename=\"offer.png\"") != std::string::npos);
    CHECK(upload.body.find("bytes of digest-of-offer.png") != std::string::npos);
    CHECK(upload.body.ends_with("--touchgate-0123--\r\n"));
    const auto read = desk.made.adapter->read_fetched(needs[1], answered({{"errcode", 0}, {"type", "image"}, {"media_id", "M1"}, {"created_at", "1"}}));
    REQUIRE(std::holds_alternative<Resource>(read));
    CHECK(std::get<Resource>(read).value == "M1");
    CHECK(std::get<Resource>(read).valid_for > std::chrono::hours{70});
    const Resources both{{needs[0].key, "TOKEN"}, {needs[1].key, "M1"}};
    const auto request = desk.made.adapter->submit({submissions.data(), 1}, both, test::now_context());
    CHECK(test::body_of(request)["attachments"][0]["image"] == Json{{"media_id", "M1"}});
}

TEST_CASE("Covers of cards and links are pictures") {
    const Desk desk;
    const Json body = {{"miniprogram", {{"title", "t"}, {"appid", "wx"}, {"page", "p"}, {"pic_media", "cover.jpg"}}}};
    CHECK(desk.problems(body).empty());
    const auto submission = with(body);
    const auto needs = desk.made.adapter->prepare({&submission, 1});
    REQUIRE(needs.size() == 2);
    const Resources both{{needs[0].key, "TOKEN"}, {needs[1].key, "M2"}};
    CHECK(test::body_of(desk.made.adapter->submit({&submission, 1}, both, test::now_context()))["attachments"][0]["miniprogram"]["pic_media_id"] == "M2");
}

TEST_CASE("What the platform would refuse is a problem before anything is decided") {
    const Desk desk;
    CHECK(desk.problems({{"image", {{"media", "offer.png"}}}}).empty());
    CHECK(desk.problems({{"image", {{"media", "none.png"}}}}) == "/image/media");
    CHECK(desk.problems({{"image", {{"media", "large.png"}}}}) == "/image/media");
    CHECK(desk.problems({{"image", {{"media", "notes.txt"}}}}) == "/image/media");
    CHECK(desk.problems({{"image", {{"media", "tiny.png"}}}}) == "/image/media");
    CHECK(desk.problems({{"file", {{"media", "notes.txt"}}}}).empty());
    CHECK(desk.problems({{"video", {{"media", "notes.txt"}}}}) == "/video/media");
}

TEST_CASE("An account may know another limit") {
    auto settings = test::corp_settings();
    settings["media_limits"] = {{"image", 5U << 20U}};
    Desk desk;
    const auto made = test::make(adapters::wecom_adapter(), settings, desk.shelf);
    CHECK(made.problems.empty());
    CHECK(made.adapter->content_problems({.text = "x", .body_json = R"({"image":{"media":"large.png"}})"}).empty());
    settings["media_limits"] = {{"picture", 5}};
    CHECK(test::pointers(test::make(adapters::wecom_adapter(), settings)) == "/accounts/a/media_limits/picture");
}

TEST_CASE("An id that the platform has forgotten is stale, and only it; a refused token only the token") {
    const Desk desk;
    const auto submission = with({{"image", {{"media", "offer.png"}}}});
    const auto needs = desk.made.adapter->prepare({&submission, 1});
    REQUIRE(needs.size() == 2);
    CHECK(desk.made.adapter->resources_stale(refused(40007)));
    CHECK_FALSE(desk.made.adapter->resource_stale(needs[0].key, refused(40007)));
    CHECK(desk.made.adapter->resource_stale(needs[1].key, refused(40007)));
    CHECK(desk.made.adapter->resource_stale(needs[0].key, refused(42001)));
    CHECK_FALSE(desk.made.adapter->resource_stale(needs[1].key, refused(42001)));
    CHECK_FALSE(desk.made.adapter->resources_stale(refused(48002)));
}

TEST_CASE("An upload that is refused tells everyone who waits, and nothing was sent") {
    const Desk desk;
    const auto submission = with({{"image", {{"media", "offer.png"}}}});
    const auto need = desk.made.adapter->prepare({&submission, 1})[1];
    const auto outcome = [&](const HttpResponse& response) { return std::get<Outcome>(desk.made.adapter->read_fetched(need, response)).kind; };
    CHECK(outcome(refused(40004)) == OutcomeKind::content_rejected);
    CHECK(outcome({.status = 502, .headers = {}, .body = "bad gateway"}) == OutcomeKind::not_sent);
}
