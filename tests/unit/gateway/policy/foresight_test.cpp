// What an audience uses up of shared counters: the same as if every recipient before had been logged, only quicker.

#include "gateway/policy/foresight.hpp"

#include <map>

#include "gateway/base/random.hpp"
#include "tests/unit/gateway/policy/decided.hpp"

using namespace touchgate;
using namespace touchgate::policy;

namespace {

struct Listed final : SharedHistory {
    std::map<std::pair<std::size_t, std::uint64_t>, std::vector<HistoryEntry>> lists;
    [[nodiscard]] std::span<const HistoryEntry> entries(std::size_t by_set, std::uint64_t key) const override {
        const auto found = lists.find({by_set, key});
        return found == lists.end() ? std::span<const HistoryEntry>{} : std::span<const HistoryEntry>{found->second};
    }
};

// A policy, two accounts, and what each was sent before.
struct Office {
    SymbolTable symbols;
    ProfileTable profiles;
    std::shared_ptr<CompiledPolicy> policy;
    std::vector<ProfileId> accounts;
    Listed before;
    Instant now = *parse_instant("2026-11-23T02:00:00.000Z");
    std::uint64_t touches = 0;

    explicit Office(const std::string& rules) {
        auto compiled = CompiledPolicy::compile(json_of(R"({"name": "tested", "rules": )" + rules + "}"), {.symbols = symbols, .profiles = profiles, .calendars = test_calendars(), .include = {}});
        if (!compiled)
            for (const auto& problem : compiled.error().problems) UNSCOPED_INFO(problem.pointer << ": " << problem.detail);
        REQUIRE(compiled);
        policy = *compiled;
        for (const auto* account : {"a", "b"}) {
            bool made = false;
            accounts.push_back(profiles.intern({.purpose = symbols.intern("marketing"), .channel = symbols.intern("sms"), .account = symbols.intern(account), .campaign = symbols.intern("c"),
                                                .unit = symbols.intern("hq"), .template_name = {}}, made));
            policy->prepare_profile(accounts.back());
        }
    }
    void sent(Listed& to, ProfileId profile, Instant at, Slot slot = Slot::counted) {
        const HistoryEntry entry{.at = at, .touch = ++touches, .profile = profile, .address = 1, .slot = slot, .outcome = 0, .attempt = 1};
        for (std::size_t set = 0; set < policy->shared_counter_count(); ++set) {
            std::uint64_t key = 0;
            if (policy->counter_key(set, profiles.at(profile), entry, key)) to.lists[{set, key}].push_back(entry);
        }
    }
    Decision decide(ProfileId profile, const SharedHistory& shared, Foresight* foresight, std::string_view zone = "Asia/Shanghai", Instant not_before = Instant::min()) {
        Request request;
        request.profile = profile;
        request.names = profiles.at(profile);
        request.not_before = not_before;
        request.expires_at = now + std::chrono::hours{24 * 300};
        ContactView contact;
        contact.time_zone = zone;
        AddressView address;
        address.number = 1;
        return policy->decide(request, contact, address, &shared, now, Detail::none, foresight);
    }
};

std::string told(const Office& office, const Decision& decision) {
    return std::string{verdict_word(decision.verdict)} + " " + office.policy->rule_name(decision.rule) + " " + (decision.until == instant_never ? "" : format_instant(decision.until));
}

}  // namespace

TEST_CASE("foresight: decisions are those that a log of all recipients before would give", "[policy]") {
    const auto rules = GENERATE(as<std::string>{},
        R"([{"name":"sliding","kind":"cap","max":7,"per":"PT1H","by":["account"]}])",
        R"([{"name":"quota","kind":"quota","max":9,"per":"day","by":["account"]},{"name":"unit","kind":"cap","max":13,"per":"P2D","by":["unit"]}])",
        R"([{"name":"week","kind":"cap","max":11,"per":"week","by":["campaign"]}])",
        R"([{"name":"kept","kind":"cap","max":8,"per":"PT2H","by":["account"],"reserve":{"service":3}}])",
        R"([{"name":"hours","kind":"hours","zone":"contact","open":[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"09:00","to":"12:00"}]},
            {"name":"quota","kind":"quota","max":6,"per":"day","by":["account"]},{"name":"burst","kind":"cap","max":2,"per":"PT30M","by":["account"]}])");
    INFO(rules);
    Office office{rules};
    Random random{static_cast<std::uint64_t>(rules.size())};
    // On whole minutes, as a ledger keeps what was logged.
    for (int i = 0; i < 12; ++i) office.sent(office.before, office.accounts[random.below(2)], office.now - std::chrono::minutes{random.below(4'000)});
    Foresight foresight;
    auto logged = office.before;
    int deferred = 0;
    for (int i = 0; i < 120; ++i) {
        const auto profile = office.accounts[random.below(2)];
        const auto* zone = random.chance(0.5) ? "Asia/Shanghai" : "Europe/Berlin";
        const auto not_before = random.chance(0.2) ? office.now + std::chrono::minutes{random.below(3'000)} : Instant::min();
        foresight.begin();
        const auto foreseen = office.decide(profile, office.before, &foresight, zone, not_before);
        REQUIRE(told(office, foreseen) == told(office, office.decide(profile, logged, nullptr, zone, not_before)));
        if (foreseen.verdict == Verdict::deny) continue;
        const auto at = foreseen.verdict == Verdict::allow ? std::max(office.now, not_before) : foreseen.until;
        deferred += foreseen.verdict == Verdict::defer ? 1 : 0;
        foresight.take(profile, at);
        office.sent(logged, profile, at);
    }
    CHECK(deferred > 50);
}

TEST_CASE("foresight: only what is taken counts, and only of the way that was chosen", "[policy]") {
    Office office{R"([{"name":"quota","kind":"quota","max":1,"per":"day","by":["account"]}])"};
    Foresight foresight;
    const auto ask = [&](std::size_t account) { return office.decide(office.accounts[account], office.before, &foresight).verdict; };
    foresight.begin();
    CHECK(ask(0) == Verdict::allow);
    CHECK(ask(1) == Verdict::allow);
    foresight.take(office.accounts[1], office.now);
    foresight.begin();
    CHECK(ask(0) == Verdict::allow);
    CHECK(ask(1) == Verdict::defer);
    foresight.begin();
    CHECK(ask(0) == Verdict::allow);
    // Without foresight nothing of it is seen.
    CHECK(office.decide(office.accounts[1], office.before, nullptr).verdict == Verdict::allow);
}

TEST_CASE("foresight: what was reserved and what failed before counts as it does in a decision", "[policy]") {
    Office office{R"([{"name":"quota","kind":"quota","max":2,"per":"day","by":["account"]}])"};
    office.sent(office.before, office.accounts[0], office.now - std::chrono::minutes{5}, Slot::reserved);
    office.sent(office.before, office.accounts[0], office.now - std::chrono::minutes{5}, Slot::released);
    Foresight foresight;
    foresight.begin();
    CHECK(office.decide(office.accounts[0], office.before, &foresight).verdict == Verdict::allow);
    foresight.take(office.accounts[0], office.now);
    foresight.begin();
    CHECK(office.decide(office.accounts[0], office.before, &foresight).verdict == Verdict::defer);
}

TEST_CASE("foresight: a rule that counts in a shared counter is known", "[policy]") {
    Office office{R"([{"name":"own","kind":"cap","max":1,"per":"P1D"},{"name":"theirs","kind":"cap","max":1,"per":"P1D","by":["account"]}])"};
    CHECK_FALSE(office.policy->counts_shared(office.policy->rule_index("own")));
    CHECK(office.policy->counts_shared(office.policy->rule_index("theirs")));
    CHECK_FALSE(office.policy->counts_shared(no_rule));
}
