// Campaigns in the engine: audiences, release in small portions, the rate, pause, resume, cancel, experiments, stops, the end, restarts.

#include <set>

#include "tests/unit/gateway/engine/house.hpp"

using namespace touchgate;
using engine_test::House;

namespace {

constexpr const char* open_policy = R"({"name":"p","rules":[]})";

std::string phone_of(int number) {
    auto text = std::to_string(10'000'000 + number);
    return "+86138" + text;
}

struct Stage : House {
    explicit Stage(std::string given_policy = open_policy, int given_window = 10'000) : House{std::move(given_policy), given_window} {}

    Result<CampaignDetails> create(const std::string& json) {
        const auto document = Json::parse(json);
        CampaignInput input;
        input.id = document["id"];
        input.purpose = document.value("purpose", "");
        input.definition_json = json;
        input.body_hash = {1, std::hash<std::string>{}(json)};
        return in_turn([&](Engine& inside) { return inside.create_campaign(input); });
    }
    AudienceResult add(const std::string& id, int from, int to, const std::string& arm = {}) {
        std::vector<AudienceLine> lines;
        for (int i = from; i < to; ++i)
            lines.push_back({.contact = {.id = {}, .address = Address{.kind = AddressKind::phone, .value = phone_of(i), .account = {}}},
                             .variables = {{"name", "N" + std::to_string(i)}}, .arm = arm, .item = {}});
        const auto result = in_turn([&](Engine& inside) { return inside.add_audience(id, lines); });
        REQUIRE(result);
        REQUIRE(result->taken == lines.size());
        return *result;
    }
    Result<CampaignDetails> start_campaign(const std::string& id) {
        std::optional<Result<CampaignDetails>> answer;
        REQUIRE(engine->post([&](Engine& inside) { inside.start_campaign(id, [&](Result<CampaignDetails> result) { answer = std::move(result); }); }));
        for (int i = 0; i < 1'000 && !answer; ++i) turn();
        REQUIRE(answer);
        return *answer;
    }
    Result<CampaignDetails> change(const std::string& id, std::string_view action) {
        return in_turn([&](Engine& inside) { return inside.change_campaign(id, action); });
    }
    CampaignDetails show(const std::string& id) {
        return *in_turn([&](Engine& inside) { return inside.find_campaign(id); });
    }
    CampaignPreview preview(const std::string& id) {
        std::optional<Result<CampaignPreview>> answer;
        REQUIRE(engine->post([&](Engine& inside) { inside.preview_campaign(id, [&](Result<CampaignPreview> result) { answer = std::move(result); }); }));
        for (int i = 0; i < 1'000 && !answer; ++i) turn();
        REQUIRE(answer);
        REQUIRE(*answer);
        return **answer;
    }
    void turns(int count) {
        for (int i = 0; i < count; ++i) turn();
    }
    // Everything that was handed over is accepted.
    void accept_all() {
        const auto orders = std::exchange(transport.orders, {});
        for (const auto& order : orders) {
            ++sent[order.submission.to];
            engine->on_transport_events({AttemptAnswered{order.submission.ref, {.kind = channel::OutcomeKind::accepted, .ids = {to_string(order.submission.touch)}}}});
        }
        turn();
    }
    void run_to_end(const std::string& id) {
        for (int i = 0; i < 2'000 && show(id).state == "running"; ++i) {
            accept_all();
            clock.advance(Duration{20});
        }
    }
    void restart() {
        REQUIRE(engine->write_checkpoint_now());
        crash();
    }
    std::map<std::string, int> sent;
};

std::uint64_t count(const CampaignDetails& campaign, TouchState state) { return campaign.counts[static_cast<std::size_t>(state)]; }

std::uint64_t sum(const CampaignDetails& campaign) {
    auto all = campaign.pending + campaign.held_out;
    for (const auto each : campaign.counts) all += each;
    return all;
}

const std::string plain = R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi {{name}}"}})";

}  // namespace

TEST_CASE("campaign: the same definition again is the same campaign, another one is a conflict", "[engine]") {
    Stage stage;
    CHECK(stage.create(plain)->created);
    CHECK_FALSE(stage.create(plain)->created);
    const auto other = stage.create(R"({"id":"c","purpose":"service"})");
    REQUIRE_FALSE(other);
    CHECK(other.error().kind == ErrorKind::conflict);
}

TEST_CASE("campaign: an audience takes each contact once, names bad lines, and is frozen at the start", "[engine]") {
    Stage stage;
    REQUIRE(stage.create(plain));
    CHECK(stage.start_campaign("c").error().kind == ErrorKind::conflict);  // nobody to send to
    CHECK(stage.add("c", 0, 3).added == 3);
    const auto again = stage.add("c", 2, 5);
    CHECK(again.added == 2);
    CHECK(again.duplicates == 1);
    const auto bad = stage.in_turn([](Engine& inside) { return inside.add_audience("c", {{.contact = {.id = "nobody"}, .variables = {}, .arm = {}, .item = {}}}); });
    REQUIRE(bad->errors.size() == 1);
    CHECK(bad->errors[0].second.problems[0].pointer == "/contact/id");
    const auto gone = stage.in_turn([](Engine& inside) {
        return inside.remove_audience("c", {{.contact = {.id = {}, .address = Address{.kind = AddressKind::phone, .value = phone_of(4), .account = {}}}, .variables = {}, .arm = {}, .item = {}}});
    });
    CHECK(gone->added == 1);
    const auto started = stage.start_campaign("c");
    REQUIRE(started);
    CHECK(started->audience_size == 4);
    CHECK(started->audience_sha256.size() == 64);
    CHECK(stage.start_campaign("c")->audience_sha256 == started->audience_sha256);
    CHECK(stage.in_turn([](Engine& inside) { return inside.add_audience("c", {}); }).error().kind == ErrorKind::conflict);
    stage.run_to_end("c");
    CHECK(stage.show("c").state == "finished");
    CHECK(stage.sent.size() == 4);
    CHECK_FALSE(stage.sent.contains(phone_of(4)));
}

TEST_CASE("campaign: only a small portion is allowed and waiting, and every recipient gets one message", "[engine]") {
    Stage stage{open_policy, 10};
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi {{name}}"},"rate":"50/second"})"));
    stage.add("c", 0, 2'500);
    REQUIRE(stage.start_campaign("c"));
    stage.turns(300);
    const auto early = stage.show("c");
    CHECK(count(early, TouchState::queued) <= 1'000);
    CHECK(early.pending >= 1'400);
    CHECK(sum(early) == 2'500);
    for (int i = 0; i < 20'000 && stage.show("c").state == "running"; ++i) {
        stage.accept_all();
        stage.clock.advance(Duration{20});
        if (i == 500) stage.restart();
        if (i == 900) stage.crash();
    }
    const auto end = stage.show("c");
    CHECK(end.state == "finished");
    CHECK(sum(end) == 2'500);
    CHECK(count(end, TouchState::accepted) + count(end, TouchState::unknown) == 2'500);
    for (const auto& [to, times] : stage.sent) CHECK(times == 1);
}

TEST_CASE("campaign: the k-th permit waits one unit after the (k-N)-th, over a restart too", "[engine]") {
    Stage stage;
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi"},"rate":"30/minute"})"));
    stage.add("c", 0, 200);
    REQUIRE(stage.start_campaign("c"));
    std::vector<Instant> permits;
    for (int i = 0; i < 3'000; ++i) {
        stage.turn();
        for (std::size_t each = 0; each < stage.transport.orders.size(); ++each) permits.push_back(stage.in_turn([](Engine& inside) { return inside.now(); }));
        stage.accept_all();
        stage.clock.advance(Duration{100});
        if (i == 1'000) stage.restart();
    }
    CHECK(permits.size() >= 145);
    for (std::size_t k = 30; k < permits.size(); ++k) CHECK(permits[k] - permits[k - 30] >= std::chrono::minutes{1} - Duration{1});
    CHECK(permits.size() <= 152);
}

TEST_CASE("campaign: pausing frees the slots and shows the touches as deferred; resuming goes on; cancelling ends at once", "[engine]") {
    Stage stage{R"({"name":"p","rules":[{"name":"cap","kind":"cap","max":1,"per":"P7D","by":["contact"]}]})", 1};
    REQUIRE(stage.create(plain));
    stage.add("c", 0, 50);
    REQUIRE(stage.start_campaign("c"));
    stage.turns(20);
    CHECK(count(stage.show("c"), TouchState::queued) == 49);
    REQUIRE(stage.change("c", "pause"));
    stage.turns(20);
    auto paused = stage.show("c");
    CHECK(paused.state == "paused");
    CHECK(count(paused, TouchState::deferred) == 49);
    CHECK(sum(paused) == 50);
    // The slot of a recipient who waits in a paused campaign is free for others.
    const auto other = stage.submit(House::touch(phone_of(40), {}, "service"));
    CHECK(other->decision.decision.verdict == policy::Verdict::allow);
    stage.restart();
    CHECK(count(stage.show("c"), TouchState::deferred) == 49);
    REQUIRE(stage.change("c", "resume"));
    stage.turns(20);
    CHECK(stage.show("c").state == "running");
    CHECK(count(stage.show("c"), TouchState::queued) >= 47);
    stage.accept_all();
    REQUIRE(stage.change("c", "cancel"));
    stage.turns(20);
    const auto end = stage.show("c");
    CHECK(end.state == "cancelled");
    CHECK(count(end, TouchState::queued) + count(end, TouchState::deferred) + end.pending == 0);
    CHECK(count(end, TouchState::cancelled) >= 46);
    CHECK(sum(end) == 50);
}

TEST_CASE("campaign: holdout and arms follow the documented hash, or what the line gives", "[engine]") {
    Stage stage;
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"holdout":0.2,
        "arms":[{"name":"a","share":0.5,"content":{"text":"A {{name}}"}},{"name":"b","share":0.5,"content":{"text":"B {{name}}"}}]})"));
    stage.add("c", 0, 300);
    stage.add("c", 300, 310, "holdout");
    stage.add("c", 310, 320, "b");
    REQUIRE(stage.start_campaign("c"));
    std::map<std::string, std::string> texts;
    for (int i = 0; i < 100; ++i) {
        stage.turn();
        for (const auto& order : stage.transport.orders) texts[order.submission.to] = order.submission.content.text;
        stage.accept_all();
    }
    const auto end = stage.show("c");
    CHECK(end.state == "finished");
    std::uint64_t held = 0;
    const auto& state = stage.engine->internals().state;
    for (int i = 0; i < 320; ++i) {
        const auto address = stage.engine->internals().find_address({AddressKind::phone, phone_of(i), {}});
        const auto& contact = state.contact_ids[state.addresses[address].owners.front().value];
        auto out = crypto::leading_u64be(crypto::sha256("holdout\nc\n" + contact)) < static_cast<std::uint64_t>(0.2 * 18446744073709551616.0);
        auto arm = crypto::leading_u64be(crypto::sha256("arm\nc\n" + contact)) < (std::uint64_t{1} << 63U) ? 'A' : 'B';
        if (i >= 300) out = i < 310;
        if (i >= 310) arm = 'B';
        held += out ? 1 : 0;
        CHECK(texts.contains(phone_of(i)) == !out);
        if (!out) CHECK(texts[phone_of(i)][0] == arm);
    }
    CHECK(end.held_out == held);
    CHECK(end.by_arm.at("a") + end.by_arm.at("b") + held == 320);
    CHECK(end.counts_by_arm.at("b")[static_cast<std::size_t>(TouchState::accepted)] == end.by_arm.at("b"));
    CHECK(count(end, TouchState::blocked) == 0);
}

TEST_CASE("campaign: a missing variable fails that recipient only", "[engine]") {
    Stage stage;
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi {{code}}"}})"));
    stage.add("c", 0, 2);
    const auto with_code = stage.in_turn([](Engine& inside) {
        return inside.add_audience("c", {{.contact = {.id = {}, .address = Address{.kind = AddressKind::phone, .value = phone_of(7), .account = {}}},
                                          .variables = {{"code", "42"}}, .arm = {}, .item = {}}});
    });
    REQUIRE(with_code->added == 1);
    REQUIRE(stage.start_campaign("c"));
    stage.run_to_end("c");
    const auto end = stage.show("c");
    CHECK(end.state == "finished");
    CHECK(count(end, TouchState::failed) == 2);
    CHECK(count(end, TouchState::accepted) == 1);
    CHECK(stage.sent.contains(phone_of(7)));
}

TEST_CASE("campaign: direct touches that name it are counted apart, and held by a pause too", "[engine]") {
    Stage stage{open_policy, 1};
    REQUIRE(stage.create(plain));
    auto first = House::touch(phone_of(1));
    first.campaign = "c";
    REQUIRE(stage.submit(first));
    auto second = House::touch(phone_of(2));
    second.campaign = "c";
    REQUIRE(stage.submit(second));
    auto details = stage.show("c");
    CHECK(details.direct[static_cast<std::size_t>(TouchState::dispatching)] == 1);
    CHECK(details.direct[static_cast<std::size_t>(TouchState::queued)] == 1);
    CHECK(sum(details) == 0);
    REQUIRE(stage.change("c", "pause"));
    stage.turns(3);
    details = stage.show("c");
    CHECK(details.direct[static_cast<std::size_t>(TouchState::deferred)] == 1);
    REQUIRE(stage.change("c", "resume"));
    CHECK(stage.show("c").state == "draft");
    stage.turns(3);
    CHECK(stage.show("c").direct[static_cast<std::size_t>(TouchState::queued)] == 1);
}

TEST_CASE("campaign: whoever complains or is excluded gets nothing more; a reply stops the rest for that contact", "[engine]") {
    Stage stage{open_policy, 1};
    REQUIRE(stage.create(R"({"id":"first","purpose":"marketing","channels":["sms"],"content":{"text":"hi"}})"));
    stage.add("first", 0, 1);
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi"},"exclude":{"lists":["vip"],"campaigns":["first"]},"stop_on":["reply","complaint"]})"));
    stage.add("c", 0, 5);
    (void)stage.in_turn([](Engine& inside) { return inside.add_suppression({.list = "vip", .address = Address{AddressKind::phone, phone_of(1), {}}}); });
    REQUIRE(stage.start_campaign("c"));
    stage.turns(5);
    auto details = stage.show("c");
    CHECK(details.by_rule.at("exclude") == 2);
    CHECK(count(details, TouchState::blocked) == 2);
    REQUIRE(count(details, TouchState::queued) == 2);
    // The last one writes before the message has left.
    (void)stage.in_turn([](Engine& inside) {
        return inside.inbound_event({.key = "m1", .channel = "sms", .contact = {.id = {}, .address = Address{AddressKind::phone, phone_of(4), {}}}, .kind = InboundKind::message, .text = "hello there"});
    });
    (void)stage.in_turn([](Engine& inside) {
        return inside.inbound_event({.key = "m2", .channel = "sms", .contact = {.id = {}, .address = Address{AddressKind::phone, phone_of(3), {}}}, .kind = InboundKind::complaint});
    });
    details = stage.show("c");
    CHECK(details.by_rule.at("stop-on") == 2);
    CHECK(sum(details) == 5);
}

TEST_CASE("campaign: too many failures pause it, with the reason", "[engine]") {
    Stage stage{open_policy, 5};
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi"},"stop_when":{"error_rate":0.5,"after":10}})"));
    stage.add("c", 0, 100);
    REQUIRE(stage.start_campaign("c"));
    for (int i = 0; i < 20 && stage.show("c").state == "running"; ++i) {
        for (const auto& order : std::exchange(stage.transport.orders, {}))
            stage.engine->on_transport_events({AttemptAnswered{order.submission.ref, {.kind = channel::OutcomeKind::refused, .code = "0x45"}}});
        stage.turn();
    }
    const auto details = stage.show("c");
    CHECK(details.state == "paused");
    CHECK(details.reason == "error_rate");
    CHECK(count(details, TouchState::failed) >= 10);
    CHECK(count(details, TouchState::failed) <= 25);
}

TEST_CASE("campaign: the window opens, its days bind, and its end expires who is left", "[engine]") {
    Stage stage;  // 10:00 in Shanghai, a Monday
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi"},"rate":"1/hour",
        "window":{"from":"2026-11-23T03:00:00Z","to":"2026-11-24T04:30:00Z","daily":[{"days":["mon","tue"],"from":"12:00","to":"14:00"}]}})"));
    stage.add("c", 0, 10);
    REQUIRE(stage.start_campaign("c"));
    stage.turns(5);
    CHECK(stage.show("c").pending == 10);
    const auto before = stage.preview("c");
    CHECK(before.defer == 10);
    CHECK(before.by_rule.at("campaign-window").defer == 10);
    std::vector<Instant> at;
    for (int i = 0; i < 3'000 && stage.show("c").state == "running"; ++i) {
        stage.clock.advance(std::chrono::minutes{1});
        stage.turn();
        for (std::size_t each = 0; each < stage.transport.orders.size(); ++each) at.push_back(stage.in_turn([](Engine& inside) { return inside.now(); }));
        stage.accept_all();
    }
    const auto end = stage.show("c");
    CHECK(end.state == "finished");
    CHECK(count(end, TouchState::accepted) == at.size());
    CHECK(at.size() >= 3);
    for (const auto instant : at) {
        const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(instant.time_since_epoch()).count() % 1'440;
        CHECK(minutes >= 4 * 60);
        CHECK(minutes < 6 * 60);
    }
    CHECK(count(end, TouchState::expired) + count(end, TouchState::accepted) + count(end, TouchState::blocked) == 10);
}

TEST_CASE("campaign: a preview judges everyone, writes nothing and foresees the end", "[engine]") {
    Stage stage{R"({"name":"p","rules":[{"name":"dnc","kind":"suppression","lists":["*"]}]})"};
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi {{name}}"},"rate":"10/second","holdout":0.1})"));
    REQUIRE(stage.create(R"({"id":"other","purpose":"marketing","channels":["sms"],"content":{"text":"hi"},"window":{"from":"2026-12-01T00:00:00Z"}})"));
    stage.add("c", 0, 1'000);
    stage.add("other", 990, 1'100);
    REQUIRE(stage.start_campaign("other"));
    for (int i = 0; i < 7; ++i) (void)stage.in_turn([&](Engine& inside) { return inside.add_suppression({.list = "dnc", .address = Address{AddressKind::phone, phone_of(i), {}}}); });
    const auto sequence = stage.in_turn([](Engine& inside) { return inside.sequence(); });
    const auto preview = stage.preview("c");
    CHECK(preview.recipients == 1'000);
    CHECK(preview.allow + preview.defer + preview.deny + preview.held_out == 1'000);
    CHECK(preview.by_rule.at("dnc").deny == preview.deny);
    CHECK(preview.deny <= 7);
    CHECK(preview.overlaps.at("other") == 10);
    CHECK(preview.by_channel.at("sms").allow == preview.allow);
    const auto expected = static_cast<std::int64_t>(preview.allow * 100);
    CHECK((*preview.earliest_finish - preview.at).count() == expected);
    CHECK(stage.in_turn([](Engine& inside) { return inside.sequence(); }) == sequence);
}

TEST_CASE("campaign: a preview foresees what the audience itself uses up", "[engine]") {
    const std::string definition = R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi {{name}}"},"window":{"to":"2027-01-31T00:00:00Z"}})";
    SECTION("a quota of the account, of which others used some") {
        Stage stage{R"({"name":"p","rules":[{"name":"quota","kind":"quota","max":100,"per":"day","zone":"Asia/Shanghai","by":["account"]}]})"};
        for (int i = 0; i < 40; ++i) REQUIRE(stage.submit(House::touch(phone_of(50'000 + i), {}, "service")));
        REQUIRE(stage.create(definition));
        stage.add("c", 0, 250);
        const auto preview = stage.preview("c");
        CHECK(preview.allow == 60);
        CHECK(preview.defer == 190);
        const auto& quota = preview.foreseen.at("quota");
        CHECK(quota.deferred == 190);
        CHECK(quota.denied == 0);
        CHECK(quota.first == parse_instant("2026-11-23T16:00:00Z"));  // midnight in Shanghai
        CHECK(quota.last == parse_instant("2026-11-24T16:00:00Z"));
        CHECK(preview.earliest_finish >= quota.last);
        CHECK(preview.deferred_until.at(*quota.first) == 100);
        CHECK(preview.by_rule.at("quota").defer == 190);
        // Nothing of it was reserved.
        CHECK(stage.preview("c").allow == 60);
        CHECK(stage.submit(House::touch(phone_of(60'000), {}, "service"))->state == TouchState::queued);
    }
    SECTION("a budget that is spent for good") {
        Stage stage{R"({"name":"p","rules":[{"name":"spend","kind":"budget","max":"5.00","by":["campaign"]}]})"};  // 0.05 each
        REQUIRE(stage.create(definition));
        stage.add("c", 0, 250);
        const auto preview = stage.preview("c");
        CHECK(preview.allow == 100);
        CHECK(preview.deny == 150);
        CHECK(preview.foreseen.at("spend").denied == 150);
        CHECK_FALSE(preview.foreseen.at("spend").first);
    }
    SECTION("a sliding cap of a unit") {
        Stage stage{R"({"name":"p","rules":[{"name":"hourly","kind":"cap","max":30,"per":"PT1H","by":["unit"]}]})"};
        REQUIRE(stage.create(definition));
        stage.add("c", 0, 100);
        const auto preview = stage.preview("c");
        CHECK(preview.allow == 30);
        CHECK(preview.foreseen.at("hourly").deferred == 70);
        CHECK(preview.foreseen.at("hourly").last == preview.at + std::chrono::hours{3});
    }
}

TEST_CASE("campaign: an open audience takes lines while it runs", "[engine]") {
    Stage stage;
    REQUIRE(stage.create(R"({"id":"c","purpose":"marketing","channels":["sms"],"content":{"text":"hi"},"audience_mode":"open","window":{"to":"2026-11-24T00:00:00Z"}})"));
    REQUIRE(stage.start_campaign("c"));
    stage.add("c", 0, 5);
    stage.turns(3);
    stage.accept_all();
    CHECK(stage.show("c").state == "running");
    CHECK(stage.add("c", 3, 8).added == 3);
    stage.turns(3);
    stage.accept_all();
    CHECK(stage.sent.size() == 8);
    stage.clock.advance(std::chrono::hours{30});
    stage.turns(3);
    CHECK(stage.show("c").state == "finished");
}

TEST_CASE("campaign: items give one contact several touches", "[engine]") {
    Stage stage;
    REQUIRE(stage.create(R"({"id":"c","purpose":"service","channels":["sms"],"content":{"text":"order {{order}}"},"dedupe":"item"})"));
    const auto line = [](const std::string& item) {
        return AudienceLine{.contact = {.id = {}, .address = Address{AddressKind::phone, phone_of(1), {}}}, .variables = {{"order", item}}, .arm = {}, .item = item};
    };
    const auto added = stage.in_turn([&](Engine& inside) { return inside.add_audience("c", {line("a"), line("b"), line("a")}); });
    CHECK(added->added == 2);
    CHECK(added->duplicates == 1);
    REQUIRE(stage.start_campaign("c"));
    stage.run_to_end("c");
    CHECK(stage.sent[phone_of(1)] == 2);
}
