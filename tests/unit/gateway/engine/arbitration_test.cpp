// Touches of one contact that compete for the same slots, against a model that tries every rule by brute force: the stronger takes a
// reservation from the weakest, who is told by whom, and yields at most three times.

#include <map>

#include "gateway/engine/event_codec.hpp"
#include "tests/unit/gateway/engine/house.hpp"

using namespace touchgate;
using engine_test::House;

namespace {

constexpr const char* capped = R"({"name":"p","rules":[{"name":"cap","kind":"cap","max":2,"per":"P1D","by":["contact"]}]})";
constexpr int yields_max = 3;

// Slots of one contact under a cap of two, as the rules are written.
struct Model {
    struct Waiting {
        TouchId id{};
        int strength = 0;  // class before priority
        std::uint64_t age = 0;
        bool reserved = false;
        int yields = 0;
    };
    std::vector<Waiting> touches;
    int yielded = 0;

    void decide(Waiting& touch) {
        int reserved = 0;
        Waiting* weakest = nullptr;
        for (auto& other : touches) {
            if (!other.reserved || &other == &touch) continue;
            ++reserved;
            if (other.strength >= touch.strength || other.yields >= yields_max) continue;
            if (weakest == nullptr || std::pair{other.strength, -static_cast<std::int64_t>(other.age)} < std::pair{weakest->strength, -static_cast<std::int64_t>(weakest->age)})
                weakest = &other;
        }
        if (reserved < 2) {
            touch.reserved = true;
        } else if (weakest != nullptr) {
            touch.reserved = true;
            weakest->reserved = false;
            ++weakest->yields;
            ++yielded;
        }
    }
    void arrive(const TouchId& id, int strength, std::uint64_t age) {
        touches.push_back({.id = id, .strength = strength, .age = age});
        auto& made = touches.back();
        decide(made);
    }
    void leave(const TouchId& id) {
        std::erase_if(touches, [&](const Waiting& touch) { return touch.id == id; });
        std::vector<Waiting*> deferred;
        for (auto& touch : touches)
            if (!touch.reserved) deferred.push_back(&touch);
        std::sort(deferred.begin(), deferred.end(), [](const Waiting* a, const Waiting* b) { return std::pair{-a->strength, a->age} < std::pair{-b->strength, b->age}; });
        for (auto* touch : deferred) decide(*touch);
    }
};

int strength_of(const std::string& purpose, int priority) {
    const int rank = purpose == "transactional" ? 0 : purpose == "service" ? 1 : purpose == "care" ? 2 : 4;
    return (4 - rank) * 1'000 + priority;
}

}  // namespace

TEST_CASE("arbitration: thousands of contacts with competing campaigns and touches keep exactly the slots that the rules give", "[engine]") {
    House house{capped, 0};  // nothing is ever permitted: all stays a reservation
    constexpr int contacts = 1'200;
    Random random{99};
    std::map<std::uint32_t, Model> models;  // by contact
    std::uint64_t seen = 0;
    // Every touch that was created since, in the order of the log.
    const auto take_arrivals = [&] {
        (void)house.log->scan(seen + 1, [&](const Record& record) {
            seen = record.sequence;
            if (record.type != static_cast<std::uint16_t>(EventType::touch_created)) return true;
            TouchCreated event;
            REQUIRE(decode(record.payload, event));
            const auto& profile = house.engine->internals().state.profiles.at(event.candidates.front());
            const auto purpose = std::string{house.engine->internals().state.symbols.name(profile.purpose)};
            models[record.contact.value].arrive(event.id, strength_of(purpose, event.priority), record.sequence);
            return true;
        });
    };
    const auto phone_of = [](int number) { return "+86139" + std::to_string(10'000'000 + number); };
    const auto run_campaign = [&](const std::string& id, const std::string& purpose, int priority) {
        CampaignInput input;
        input.id = id;
        input.purpose = purpose;
        input.definition_json = R"({"id":")" + id + R"(","purpose":")" + purpose + R"(","channels":["sms"],"content":{"text":"hi"},"priority":)" + std::to_string(priority) + "}";
        REQUIRE(house.in_turn([&](Engine& inside) { return inside.create_campaign(input); }));
        std::vector<AudienceLine> lines;
        for (int i = 0; i < contacts; ++i)
            if (random.chance(0.8)) lines.push_back({.contact = {.id = {}, .address = Address{AddressKind::phone, phone_of(i), {}}}, .variables = {}, .arm = {}, .item = {}});
        REQUIRE(house.in_turn([&](Engine& inside) { return inside.add_audience(id, lines); })->added == lines.size());
        REQUIRE(house.engine->post([&](Engine& inside) { inside.start_campaign(id, [](const Result<CampaignDetails>&) {}); }));
        for (int i = 0; i < 3'000; ++i) {
            house.turn();
            if (house.in_turn([&](Engine& inside) { return inside.find_campaign(id); })->pending == 0) break;
        }
        REQUIRE(house.in_turn([&](Engine& inside) { return inside.find_campaign(id); })->pending == 0);
        take_arrivals();
    };
    static constexpr const char* purposes[] = {"marketing", "care", "service", "transactional"};
    const auto some_touches = [&](int count) {
        for (int i = 0; i < count; ++i) {
            auto request = House::touch(phone_of(static_cast<int>(random.below(contacts))), {}, purposes[random.below(4)]);
            request.priority = static_cast<int>(random.below(101));
            request.expires_at = house.clock.wall_now() + std::chrono::hours{48};
            REQUIRE(house.submit(request));
        }
        take_arrivals();
    };
    const auto some_cancellations = [&](int count) {
        for (int i = 0; i < count; ++i) {
            auto& model = std::next(models.begin(), static_cast<std::ptrdiff_t>(random.below(models.size())))->second;
            if (model.touches.empty()) continue;
            const auto id = model.touches[random.below(model.touches.size())].id;
            REQUIRE(house.in_turn([&](Engine& inside) { return inside.cancel_touch(id); }));
            model.leave(id);
        }
    };
    run_campaign("low", "marketing", 20);
    some_touches(300);
    run_campaign("high", "marketing", 80);
    some_cancellations(200);
    run_campaign("care", "care", 50);
    some_touches(600);
    run_campaign("higher", "marketing", 90);
    run_campaign("service", "service", 10);
    some_cancellations(300);
    some_touches(400);

    std::size_t checked = 0;
    int yielded = 0;
    for (const auto& [contact, model] : models) {
        yielded += model.yielded;
        for (const auto& expected : model.touches) {
            const auto* touch = house.engine->internals().find(expected.id);
            REQUIRE(touch != nullptr);
            INFO("contact " << contact << ", touch " << to_string(expected.id) << ", strength " << expected.strength);
            CHECK((touch->state == TouchState::queued) == expected.reserved);
            CHECK(int{touch->yields} == expected.yields);
            CHECK(expected.yields <= yields_max);
            ++checked;
        }
    }
    CHECK(checked > 3'000);
    CHECK(yielded > 1'000);

    // Every loser's event names the winner: a stronger touch of the same contact.
    std::map<TouchId, std::uint32_t> contact_of;
    int named = 0;
    (void)house.log->scan(1, [&](const Record& record) {
        if (record.type == static_cast<std::uint16_t>(EventType::touch_created)) {
            TouchCreated event;
            REQUIRE(decode(record.payload, event));
            contact_of[event.id] = record.contact.value;
        } else if (record.type == static_cast<std::uint16_t>(EventType::touch_deferred)) {
            TouchDeferred event;
            REQUIRE(decode(record.payload, event));
            if (event.reason.empty()) return true;
            REQUIRE(event.reason.starts_with("yielded to "));
            const auto winner = parse_uuid(event.reason.substr(11));
            REQUIRE(winner);
            CHECK(contact_of.at(*winner) == record.contact.value);
            ++named;
        }
        return true;
    });
    CHECK(named == yielded);
}

TEST_CASE("arbitration: a slot that the cap reserves for service is not given to marketing", "[engine]") {
    House house{R"({"name":"p","rules":[{"name":"cap","kind":"cap","max":2,"per":"P1D","by":["contact"],"reserve":{"service":1}}]})", 0};
    const std::string phone = "+8613800000001";
    CHECK(house.submit(House::touch(phone))->state == TouchState::queued);
    CHECK(house.submit(House::touch(phone))->state != TouchState::queued);
    CHECK(house.submit(House::touch(phone, {}, "service"))->state == TouchState::queued);
}
