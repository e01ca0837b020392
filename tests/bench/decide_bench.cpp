// Decisions per second on one core over many contacts in memory, visited in random order: what a decision costs when nothing of the
// contact is in the cache. Prints one JSON line.
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "gateway/base/random.hpp"
#include "gateway/policy/calendar.hpp"
#include "gateway/policy/decide.hpp"
#include "tests/bench/decide_bench.hpp"

namespace touchgate::bench {

namespace {

using namespace touchgate::policy;

// As compact as an engine would keep a contact.
struct Row {
    std::uint32_t history_begin;
    std::uint16_t history_size;
    std::uint8_t zone;
    std::uint8_t kind;  // 0: unfollowed lately; below 4: wrote lately
    Consent consent;
};

std::string rules_of(int rules) {
    std::string text = R"({"name": "bench", "rules": [
        {"name": "dnc", "kind": "suppression", "lists": ["*"]},
        {"name": "consent", "kind": "consent", "basis": "opt_in", "valid_for": "P730D"},
        {"name": "hours", "kind": "hours", "open": [{"days": ["mon","tue","wed","thu","fri"], "from": "00:00", "to": "24:00"}, {"days": ["sat","sun"], "from": "10:00", "to": "18:00"}]},
        {"name": "cap-day", "kind": "cap", "max": 4, "per": "day", "by": ["contact"]},
        {"name": "cap-week", "kind": "cap", "when": {"purposes": ["marketing"]}, "max": 6, "per": "P7D", "by": ["contact"]},
        {"name": "gap", "kind": "gap", "after": "touch", "at_least": "PT1M", "by": ["contact"]})";
    for (int i = 6; i < rules; ++i) {
        const auto name = "extra-" + std::to_string(i);
        switch (i % 4) {
            case 0:
                text += R"(, {"name": ")" + name + R"(", "kind": "cap", "max": )" + std::to_string(5 + i) +
                        R"(, "per": "P30D", "by": ["contact", "channel"]})";
                break;
            case 1:
                text += R"(, {"name": ")" + name + R"(", "kind": "cap", "max": )" + std::to_string(5 + i) +
                        R"(, "per": "month", "by": ["contact"], "counts": {"purposes": ["marketing", "care"]}})";
                break;
            case 2:
                text +=
                    R"(, {"name": ")" + name +
                    R"(", "kind": "hours", "when": {"not": {"purposes": ["transactional"]}}, "open": [{"days": ["mon","tue","wed","thu","fri"], "from": "00:00", "to": "24:00"}]})";
                break;
            default: text += R"(, {"name": ")" + name + R"(", "kind": "suppression", "lists": ["list-)" + std::to_string(i) + R"("]})"; break;
        }
    }
    return text + "]}";
}

// Small pages would add a table walk to every miss. What is reserved and not yet written can still be given large ones.
template <class T>
void reserve_in_large_pages(std::vector<T>& values, std::size_t count) {
    values.reserve(count);
    constexpr std::uintptr_t page = 4096;
    const auto begin = (reinterpret_cast<std::uintptr_t>(values.data()) + page - 1) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(values.data() + count) / page * page;
    if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

constexpr const char* zone_names[] = {"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Tokyo"};

// Counters that contacts share are few entries here, those of one address; what matters is that they are looked up.
class AddressHistory final : public SharedHistory {
public:
    std::span<const HistoryEntry> of_address;
    [[nodiscard]] std::span<const HistoryEntry> entries(std::size_t, std::uint64_t) const override { return of_address; }
};

class Population {
public:
    Population(std::size_t contacts, CompiledPolicy& policy, SymbolTable& symbols, ProfileTable& profiles, Instant now)
        : policy_{policy}, profiles_{profiles} {
        for (const auto* purpose : {"marketing", "care", "service"})
            for (const auto* channel : {"sms", "wecom", "voice"}) {
                bool made = false;
                ids_.push_back(profiles.intern({symbols.intern(purpose), symbols.intern(channel), symbols.intern(std::string{channel} + "-main"), {}, {}, {}}, made));
                policy.prepare_profile(ids_.back());
            }
        unfollowed_ = {now - std::chrono::days{5}, symbols.intern("event.received"), symbols.intern("unfollow"), {}};
        reserve_in_large_pages(table_, contacts);
        reserve_in_large_pages(history_, contacts * 5);
        table_.resize(contacts);
        for (auto& row : table_) {
            row.history_begin = static_cast<std::uint32_t>(history_.size());
            row.history_size = static_cast<std::uint16_t>(random_.below(6));
            row.zone = static_cast<std::uint8_t>(random_.below(4));
            row.kind = static_cast<std::uint8_t>(random_.below(20));
            row.consent = {.channel = {}, .purpose = {}, .unit = {}, .granted = true, .at = now - std::chrono::days{100}};
            for (int i = row.history_size; i > 0; --i)
                history_.push_back({.at = now - std::chrono::days{2 * i} - std::chrono::minutes{random_.below(600)},
                                    .touch = history_.size() + 1,
                                    .profile = ids_[random_.below(ids_.size())],
                                    .address = 1,
                                    .slot = Slot::counted});
        }
    }

    // Decisions about random contacts at `at`; prints one line. `details`: contacts with acts and messages, texts, zones of one country.
    void run(const std::string& name, std::size_t rules, Instant at, double seconds, bool details) {
        std::size_t decisions = 0;
        std::size_t allowed = 0;
        std::size_t deferred = 0;
        AddressHistory shared;
        constexpr std::string_view text = "【甲公司】尊敬的会员，您有一张 20 元优惠券将于本周日到期，点击 t.cn/A6x 查看。拒收请回复R";
        const auto start = std::chrono::steady_clock::now();
        const auto cpu_start = std::clock();
        double elapsed = 0;
        while (elapsed < seconds) {
            for (int i = 0; i < 50'000; ++i) {
                const auto& row = table_[random_.below(table_.size())];
                const auto profile = ids_[static_cast<std::size_t>(i) % (details ? ids_.size() : 3)];
                const std::span<const HistoryEntry> history{history_.data() + row.history_begin, row.history_size};
                ContactView contact{.time_zone = zone_names[details ? 0 : row.zone], .consents = {&row.consent, 1}, .history = history};
                const AddressView address{.number = 1};
                Request request{.profile = profile, .names = profiles_.at(profile), .touch = 0};
                if (details) {
                    if (row.kind == 0) contact.acts = {&unfollowed_, 1};
                    if (row.kind < 4) contact.last_inbound = at - std::chrono::minutes{10 * (row.kind + 1)};
                    request.content = {.text = text, .has_text = true};
                    shared.of_address = history;
                }
                const auto decision = policy_.decide(request, contact, address, details ? &shared : nullptr, at, Detail::none);
                allowed += decision.verdict == Verdict::allow ? 1 : 0;
                deferred += decision.verdict == Verdict::defer ? 1 : 0;
                ++decisions;
            }
            elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        }
        // On a busy machine the processor's time says what a free core would do.
        const auto cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
        const auto count = static_cast<double>(decisions);
        std::printf(
            R"({"bench":"%s","contacts":%zu,"rules":%zu,"decisions":%zu,"allowed_share":%.3f,"deferred_share":%.3f,"seconds":%.2f,"per_second":%.0f,"cpu_ns":%.0f,"per_cpu_second":%.0f})"
            "\n",
            name.c_str(), table_.size(), rules, decisions, static_cast<double>(allowed) / count, static_cast<double>(deferred) / count, elapsed, count / elapsed, cpu * 1e9 / count,
            count / cpu);
        std::fflush(stdout);
    }

private:
    CompiledPolicy& policy_;
    const ProfileTable& profiles_;
    Random random_{1};
    std::vector<ProfileId> ids_;
    std::vector<Row> table_;
    std::vector<HistoryEntry> history_;
    Act unfollowed_;
};

std::shared_ptr<CompiledPolicy> compile(const Json& document, const CompileContext& context) {
    const auto compiled = CompiledPolicy::compile(document, context);
    if (compiled) return *compiled;
    for (const auto& problem : compiled.error().problems) std::fprintf(stderr, "%s: %s\n", problem.pointer.c_str(), problem.detail.c_str());
    return nullptr;
}

Result<Json> read_json_file(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return Error{.kind = ErrorKind::not_found, .detail = "there is no file " + path.string()};
    return parse_json_with_comments(std::string{std::istreambuf_iterator<char>{file}, {}});
}

}  // namespace

int run_decide_bench(std::size_t contacts, int rules, double seconds) {
    SymbolTable symbols;
    ProfileTable profiles;
    const Calendars calendars;
    const auto document = parse_json(rules_of(rules));
    if (!document) return 1;
    const auto policy = compile(*document, {.symbols = symbols, .profiles = profiles, .calendars = calendars, .include = {}});
    if (!policy) return 1;
    const auto now = *parse_instant("2026-11-25T12:00:00Z");
    Population{contacts, *policy, symbols, profiles, now}.run("decide", static_cast<std::size_t>(rules), now, seconds, false);
    return 0;
}

int run_policy_bench(std::size_t contacts, const std::string& file, double seconds) {
    namespace fs = std::filesystem;
    const fs::path path{file};
    SymbolTable symbols;
    ProfileTable profiles;
    Calendars calendars;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{path.parent_path() / ".." / "calendars", error})
        if (const auto document = read_json_file(entry.path()); document && document->contains("covers"))
            if (auto calendar = parse_calendar(*document, entry.path().stem().string())) calendars[(*calendar)->name] = *calendar;
    const auto document = read_json_file(path);
    if (!document) {
        std::fprintf(stderr, "%s\n", document.error().detail.c_str());
        return 1;
    }
    const auto include = [&](std::string_view name) { return read_json_file(path.parent_path() / (std::string{name} + ".json")); };
    const auto policy = compile(*document, {.symbols = symbols, .profiles = profiles, .calendars = calendars, .include = include});
    if (!policy) return 1;
    const auto built_in = policy->rule_index("template-not-filed") + std::size_t{1};
    const auto noon = *parse_instant("2026-11-25T06:30:00Z");  // Wednesday, half past two in Shanghai
    Population population{contacts, *policy, symbols, profiles, noon};
    const auto rules = policy->rule_count() - built_in;
    population.run("decide " + policy->name() + " by day", rules, noon, seconds, true);
    population.run("decide " + policy->name() + " by night", rules, noon + std::chrono::hours{10}, seconds, true);
    return 0;
}

}  // namespace touchgate::bench
