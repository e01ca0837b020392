// What callers and customers do, at random: each act posts one command and notes what its answer promised.
#include "gateway/engine/internals.hpp"
#include "tests/simulation/world.hpp"

namespace touchgate::simulation {

namespace {

Address phone(const Customer& customer) { return {.kind = AddressKind::phone, .value = customer.phone, .account = {}}; }
ContactRef reference(const Customer& customer) { return {.id = {}, .address = phone(customer)}; }

}  // namespace

void World::act() {
    if (random_.chance(0.4)) return random_.chance(0.15) ? customer_writes() : centre_.act(*gateway_->engine);
    const auto kind = random_.below(100);
    if (kind < 60) {
        const auto customer = any_customer();
        new_touch(customer);
        if (random_.chance(0.2)) new_touch(customer);  // in the same turn
    }
    else if (kind < 70) repeat_touch();
    else if (kind < 76) cancel();
    else if (kind < 80) withdraw();
    else if (kind < 87) grant();
    else if (kind < 88) suppress();
    else if (kind < 91) unsuppress();
    else if (kind < 92) change_policy();
    else if (kind < 94) hold();
    else if (kind < 96) new_campaign();
    else if (kind < 98) change_campaign();
    else customer_writes();
}

void World::new_touch(std::size_t customer) {
    Asked made;
    const auto number = std::to_string(oracle_.asked.size());
    made.token = "T" + std::string(6 - std::min<std::size_t>(6, number.size()), '0') + number;
    if (random_.chance(0.6)) made.key = "key-" + number;
    made.customer = customer;
    static constexpr const char* purposes[] = {"marketing", "marketing", "service", "transactional"};
    made.purpose = purposes[random_.below(4)];
    const bool at_least_once = random_.chance(0.05);
    const bool falls_back = random_.chance(0.05);
    made.at_least_once = at_least_once;
    if (falls_back) made.fallback_after = std::chrono::seconds{1 + random_.below(30)};
    else if (random_.chance(0.3)) {
        static constexpr dispatch::Until conditions[] = {dispatch::Until::accepted, dispatch::Until::delivered, dispatch::Until::delivered, dispatch::Until::read, dispatch::Until::replied};
        made.channels = {"main", "spare"};
        if (random_.chance(0.5)) std::swap(made.channels[0], made.channels[1]);
        if (random_.chance(0.2)) made.channels.pop_back();
        for (std::size_t i = 0; i < made.channels.size(); ++i)
            made.steps.push_back({.until = conditions[random_.below(5)], .within_ms = random_.chance(0.7) ? static_cast<std::int64_t>(random_.below(20'000)) : -1});
        made.fallback_on_unknown = random_.chance(0.1);
    }
    made.may_repeat = at_least_once || falls_back || made.fallback_on_unknown || (made.steps.size() > 1 && made.steps[0].within_ms >= 0);
    made.text = made.token + " private words for a customer";
    if (random_.chance(0.1)) made.text += std::string(150, 'x') + " over several parts";
    if (random_.chance(0.2)) made.text += " 会员日";
    oracle_.asked.push_back(std::move(made));
    submit(oracle_.asked.size() - 1, false);
}

void World::repeat_touch() {
    if (oracle_.asked.empty()) return;
    const auto number = oracle_.asked.size() - 1 - random_.below(std::min<std::size_t>(oracle_.asked.size(), 200));
    const auto& each = oracle_.asked[number];
    if (each.key.empty()) return;
    // With another body only where the first body is known to have been taken: else this one would be the first.
    submit(number, each.answered && random_.chance(0.3));
}

void World::submit(std::size_t number, bool changed_body) {
    const auto& each = oracle_.asked[number];
    TouchRequest request;
    request.key = each.key;
    request.body_hash = {.high = changed_body ? 1U : 0U, .low = number};
    request.contact = reference(oracle_.customers[each.customer]);
    request.purpose = each.purpose;
    request.content.text = each.text;
    request.at_least_once = each.at_least_once;
    request.fallback_after = each.fallback_after;
    request.channels = each.channels;
    request.steps = each.steps;
    request.fallback_on_unknown = each.fallback_on_unknown;
    request.key_name = each.token;
    request.priority = static_cast<int>(random_.below(101));
    if (random_.chance(0.1)) request.expires_at = clock_.wall_now() + std::chrono::seconds{1'800 + random_.below(1'200)};
    if (random_.chance(0.1)) request.not_before = clock_.wall_now() + Duration{static_cast<std::int64_t>(random_.below(20'000))};
    gateway_->engine->post([this, number, changed_body, request = std::move(request)](Engine& engine) mutable {
        auto answer = engine.submit_touch(std::move(request));
        engine.after_sync([this, number, changed_body, given = std::move(answer)] {
            if (changed_body) {
                if (given) oracle_.fail("4 keys", oracle_.asked[number].token + ": another body under the same key was accepted");
                else if (given.error().kind != ErrorKind::conflict && given.error().kind != ErrorKind::unavailable) oracle_.fail("4 keys", given.error().detail);
                return;
            }
            if (given) {
                ++accepted_;
                oracle_.check_answer(number, *given);
            } else {
                ++refused_;
                if (given.error().kind != ErrorKind::unavailable) oracle_.fail("4 answer", oracle_.asked[number].token + " was refused: " + given.error().detail);
            }
        });
    });
}

void World::cancel() {
    if (oracle_.asked.empty()) return;
    const auto number = oracle_.asked.size() - 1 - random_.below(std::min<std::size_t>(oracle_.asked.size(), 30));
    if (!oracle_.asked[number].answered) return;
    gateway_->engine->post([this, number, id = *oracle_.asked[number].answered](Engine& engine) {
        const auto answer = engine.cancel_touch(id);
        const bool cancelled = answer && answer->state == TouchState::cancelled;
        engine.after_sync([this, number, cancelled] {
            if (cancelled && oracle_.asked[number].cancelled == 0) oracle_.asked[number].cancelled = oracle_.tick();
        });
    });
}

void World::withdraw() {
    const auto number = any_customer();
    const auto begun = oracle_.tick();
    const auto who = reference(oracle_.customers[number]);
    const bool all = random_.chance(0.3);
    gateway_->engine->post([this, number, begun, who, all](Engine& engine) {
        const auto result = engine.record_consent(who, {.channel = all ? "*" : "sms", .purpose = "marketing", .granted = false, .source = "customer", .evidence = "private words"});
        if (result) engine.when_settled(who, [this, number, begun] { oracle_.withdrawn(number, begun); });
    });
}

void World::grant() {
    const auto number = any_customer();
    auto& customer = oracle_.customers[number];
    customer.marketing_forbidden = 0;
    ++customer.grants_open;
    gateway_->engine->post([this, number, who = reference(customer)](Engine& engine) {
        (void)engine.record_consent(who, {.channel = "*", .purpose = "marketing", .granted = true, .source = "customer", .evidence = "private words"});
        engine.after_sync([this, number] {
            auto& granted = oracle_.customers[number];
            --granted.grants_open;
            granted.last_grant = oracle_.tick();
        });
    });
}

void World::suppress() {
    const auto number = any_customer();
    const auto begun = oracle_.tick();
    gateway_->engine->post([this, number, begun, address = phone(oracle_.customers[number])](Engine& engine) {
        const auto added = engine.add_suppression({.list = "dnc", .address = address, .reason = "private words"});
        if (added) engine.when_settled({.id = {}, .address = address}, [this, number, begun] { oracle_.suppressed(number, begun); });
    });
}

void World::unsuppress() {
    const auto number = any_customer();
    auto& customer = oracle_.customers[number];
    customer.all_forbidden = 0;
    ++customer.removals_open;
    gateway_->engine->post([this, number, address = phone(customer)](Engine& engine) {
        (void)engine.remove_suppression("dnc", address);
        engine.after_sync([this, number] {
            auto& removed = oracle_.customers[number];
            --removed.removals_open;
            removed.last_removal = oracle_.tick();
        });
    });
}

void World::change_policy() {
    gateway_->engine->post([document = policy_document(caps_[random_.below(caps_.size())])](Engine& engine) { (void)engine.put_policy("sim", document, true); });
}

void World::hold() {
    if (!holds_.empty()) {
        gateway_->engine->post([id = holds_.back()](Engine& engine) { (void)engine.lift_hold(id); });
        if (random_.chance(0.8)) holds_.pop_back();
        return;
    }
    const auto until = clock_.wall_now() + std::chrono::seconds{1 + random_.below(120)};
    gateway_->engine->post([this, until](Engine& engine) {
        auto set = engine.set_hold({.purposes = {"marketing"}, .reason = "maintenance", .until = until});
        if (set) engine.after_sync([this, id = set->id] { holds_.push_back(id); });
    });
}

void World::new_campaign() {
    const auto id = "c" + std::to_string(campaigns_++);
    CampaignInput input;
    input.id = id;
    input.purpose = random_.chance(0.7) ? "marketing" : "service";
    static constexpr const char* rates[] = {"", R"(,"rate":"1/second")", R"(,"rate":"20/minute")", R"(,"rate":"100/hour")"};
    const bool has_steps = random_.chance(0.3);
    if (has_steps) oracle_.add_steps(id, {{.until = dispatch::Until::replied, .within_ms = 5'000}, {}});
    input.definition_json = R"({"id":")" + id + R"(","purpose":")" + input.purpose + R"(",)" + (has_steps ? R"("steps":[{"channel":"main","until":"replied","within":"PT5S"},{"channel":"spare"}])" : R"("channels":["sms"])") + R"(,"content":{"text":"{{token}} words of a campaign"},"priority":)" +
                            std::to_string(random_.below(101)) + rates[random_.below(4)] + (random_.chance(0.5) ? R"(,"holdout":0.3)" : "") +
                            (random_.chance(0.2) ? R"(,"stop_on":["reply"])" : "") + "}";
    std::vector<AudienceLine> lines;
    for (std::size_t i = 0; i < oracle_.customers.size(); ++i) {
        if (random_.chance(0.4)) continue;
        Asked made;
        const auto number = std::to_string(oracle_.asked.size());
        made.token = "T" + std::string(6 - std::min<std::size_t>(6, number.size()), '0') + number;
        made.customer = i;
        made.purpose = input.purpose;
        made.text = made.token + " words of a campaign";
        made.campaign = id;
        made.may_repeat = has_steps;
        lines.push_back({.contact = reference(oracle_.customers[i]), .variables = {{"token", made.token}}, .arm = {}, .item = {}});
        oracle_.asked.push_back(std::move(made));
    }
    gateway_->engine->post([input, lines](Engine& engine) {
        if (engine.create_campaign(input)) (void)engine.add_audience(input.id, lines);
    });
    if (random_.chance(0.8)) gateway_->engine->post([id](Engine& engine) { engine.start_campaign(id, [](const Result<CampaignDetails>&) {}); });
}

void World::change_campaign() {
    if (campaigns_ == 0) return;
    const auto id = "c" + std::to_string(campaigns_ - 1 - random_.below(std::min<std::uint64_t>(campaigns_, 5)));
    const auto kind = random_.below(10);
    if (kind < 2) gateway_->engine->post([id](Engine& engine) { engine.start_campaign(id, [](const Result<CampaignDetails>&) {}); });
    else if (kind < 3) gateway_->engine->post([id](Engine& engine) { engine.preview_campaign(id, [](const Result<CampaignPreview>&) {}); });
    else gateway_->engine->post([id, action = kind < 6 ? "pause" : kind < 9 ? "resume" : "cancel"](Engine& engine) { (void)engine.change_campaign(id, action); });
}

void World::customer_writes() {
    static constexpr const char* words[] = {"TD", "T", "OK", "hello there", "请问多少钱"};
    (void)peer_.inbound({.from = oracle_.customers[any_customer()].phone, .to = "10690000", .text = words[random_.below(5)], .user = "main"},
                        {.monotonic = clock_.monotonic_now(), .wall = clock_.wall_now()});
}

}  // namespace touchgate::simulation
