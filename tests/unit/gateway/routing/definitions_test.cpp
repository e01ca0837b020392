// Documents of agents and queues.

#include "gateway/routing/definitions.hpp"

#include "tests/catch.hpp"

using namespace touchgate;
using namespace touchgate::routing;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> pointers(const std::vector<Problem>& problems) {
    std::vector<std::string> all;
    for (const auto& problem : problems) all.push_back(problem.pointer);
    return all;
}

}  // namespace

TEST_CASE("an agent's document is read in full", "[routing]") {
    std::vector<Problem> problems;
    const auto agent = parse_agent("ann", Json::parse(R"({"name":"Ann","unit":"north","skills":{"english":3},"capacity":{"voice":1,"sms":5},"total":4,"exclusive":["voice"],
        "extension":"1001","queues":["care",{"queue":"tech","tier":2,"position":7,"weight":0.5}],"role":"supervisor","supervises":["north"],"rights":["dial_any"],
        "dial_purposes":["service"],"share":2,"shift":[{"days":"mon-fri","from":"09:00","to":"18:00"}],"drain_before":"PT5M","wecom_userid":"ann",
        "absent":{"from":"2026-12-01T00:00:00Z","to":"2026-12-05T00:00:00Z","delegate":"bob"},"language":"zh-CN","disabled":false})"), problems);
    CHECK(pointers(problems).empty());
    CHECK(agent.capacity_of("voice") == 1);
    CHECK(agent.capacity_of("wecom") == 0);
    REQUIRE(agent.queues.size() == 2);
    CHECK(agent.queues[0].queue == "care");
    CHECK(agent.queues[0].position == 1);
    CHECK(agent.queues[1].tier == 2);
    CHECK(agent.role == Role::supervisor);
    CHECK(agent.drain_before == 5min);
    REQUIRE(agent.absent);
    CHECK(agent.absent->delegate == "bob");
}

TEST_CASE("a queue's document is read in full", "[routing]") {
    std::vector<Problem> problems;
    const auto queue = parse_queue("care", Json::parse(R"({"strategy":"best_skill","required_skills":{"english":2},
        "relax":[{"after":"PT20S","tiers":2},{"after":"PT40S","required_skills":{}}],"offer_timeout":"PT15S","service_level":{"percent":90,"within":"PT30S"},"max_wait":"PT5M",
        "overflow":{"to":"queue:tech"},"when_empty":{"to":"voicemail"},"wrap_up":"PT30S","default_disposition":"none","channels":["voice"],
        "dispositions":["none",{"code":"stop","dnc":{"channels":["sms"],"purposes":["marketing"],"for":"P30D"},"outcome":"failure","right_party":true,"retry_after":"PT1H"}],
        "rona":2,"backoff":{"reject":"PT0S","no_answer":"PT9S"},"hours":{"calendar":"cn"},"closed":"promise","reply_within":"PT3M","idle_close":"PT2H","idle_notice":{"text":"still there?"},
        "on_offline":{"hold_for":"PT10M"},"handler":"bot","handover":{"words":["operator"],"after":3},"priority":70,"age_weight":2.5})"), problems);
    CHECK(pointers(problems).empty());
    CHECK(queue.strategy == Strategy::best_skill);
    REQUIRE(queue.relax.size() == 2);
    CHECK(queue.relax[0].required_skills == Skills{{"english", 2}});  // of the queue: the ring names none
    CHECK(queue.relax[1].required_skills.empty());
    CHECK(queue.relax[1].tiers == 2);
    CHECK(queue.overflow.queue == "tech");
    CHECK(queue.when_empty->kind == Overflow::Kind::voicemail);
    CHECK(queue.rona_voice == 2);
    CHECK(queue.rona_message == 2);
    CHECK(queue.backoff_reject == 0s);
    CHECK(queue.hold_for == 10min);
    CHECK(queue.handover_words == std::vector<std::string>{"operator"});
    CHECK(queue.handover_after == 3);
    CHECK(queue.idle_notice == 5min);
    CHECK(queue.idle_text == "still there?");
    REQUIRE(queue.dispositions.size() == 2);
    CHECK(queue.dispositions[1].dnc_purposes == std::vector<std::string>{"marketing"});
    CHECK(queue.offer_timeout_of(false) == 15s);
    CHECK(QueueDefinition{}.offer_timeout_of(true) == 20s);
    CHECK(QueueDefinition{}.offer_timeout_of(false) == 30s);
}

TEST_CASE("what is wrong in a document is told by its place, all of it at once", "[routing]") {
    std::vector<Problem> problems;
    SECTION("agent") {
        (void)parse_agent("ann", Json::parse(R"({"capacity":{"voice":-1},"skills":{"english":101},"queues":["care","care",7],"role":"boss","extention":"1","absent":{"from":"2026-12-05T00:00:00Z","to":"2026-12-01T00:00:00Z"}})"), problems);
        const auto found = pointers(problems);
        for (const auto* pointer : {"/capacity/voice", "/skills/english", "/queues/1", "/queues/2", "/role", "/extention", "/absent/to"}) {
            INFO(pointer);
            CHECK(std::count(found.begin(), found.end(), pointer) == 1);
        }
    }
    SECTION("queue") {
        (void)parse_queue("care", Json::parse(R"({"strategy":"best","relax":[{"after":"PT20S"},{"after":"PT10S"}],"overflow":{"to":"queue:care"},"max_wait":"soon","priority":101,
            "dispositions":["a","a"],"default_disposition":"b","on_offline":"drop","hours":"always","colour":"red"})"), problems);
        const auto found = pointers(problems);
        for (const auto* pointer : {"/strategy", "/relax/1/after", "/overflow", "/max_wait", "/priority", "/dispositions/1", "/default_disposition", "/on_offline", "/hours", "/colour"}) {
            INFO(pointer);
            CHECK(std::count(found.begin(), found.end(), pointer) == 1);
        }
    }
    SECTION("no object, or no id") {
        (void)parse_agent("a b", Json::parse("[]"), problems);
        CHECK(pointers(problems) == std::vector<std::string>{"/id", ""});
    }
}
