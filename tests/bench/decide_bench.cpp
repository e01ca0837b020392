// Decisions per second on one core over many contacts in memory, visited in random order: what a decision costs when nothing of the
// contact is in the cache. Prints one JSON line.
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include "gateway/base/random.hpp"
#include "gateway/policy/decide.hpp"
#include "tests/bench/decide_bench.hpp"

namespace touchgate::bench {

namespace {

using namespace touchgate::policy;

// As compact as an engine would keep a contact.
struct Row {
    std::uint32_t history_begin;
    std::uint16_t history_size;
    std::uint16_t zone;
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

}  // namespace

int run_decide_bench(std::size_t contacts, int rules, double seconds) {
    SymbolTable symbols;
    ProfileTable profiles;
    const Calendars calendars;
    const auto document = parse_json(rules_of(rules));
    if (!document) return 1;
    const auto compiled = CompiledPolicy::compile(*document, {.symbols = symbols, .profiles = profiles, .calendars = calendars, .include = {}});
    if (!compiled) {
        for (const auto& problem : compiled.error().problems) std::fprintf(stderr, "%s: %s\n", problem.pointer.c_str(), problem.detail.c_str());
        return 1;
    }
    auto& policy = **compiled;

    Random random{1};
    const char* purposes[] = {"marketing", "care", "service"};
    const char* channels[] = {"sms", "wecom", "voice"};
    std::vector<ProfileId> ids;
    for (const auto* purpose : purposes)
        for (const auto* channel : channels) {
            bool made = false;
            ids.push_back(profiles.intern(
                {symbols.intern(purpose), symbols.intern(channel), symbols.intern(std::string{channel} + "-main"), {}, {}, {}}, made));
            policy.prepare_profile(ids.back());
        }
    const char* zones[] = {"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Tokyo"};
    const auto now = *parse_instant("2026-11-25T12:00:00Z");

    std::vector<Row> table;
    std::vector<HistoryEntry> history;
    reserve_in_large_pages(table, contacts);
    reserve_in_large_pages(history, contacts * 5);
    table.resize(contacts);
    for (auto& row : table) {
        row.history_begin = static_cast<std::uint32_t>(history.size());
        row.history_size = static_cast<std::uint16_t>(random.below(6));
        row.zone = static_cast<std::uint16_t>(random.below(4));
        row.consent = {.channel = {}, .purpose = {}, .unit = {}, .granted = true, .at = now - std::chrono::days{100}};
        for (int i = row.history_size; i > 0; --i)
            history.push_back({.at = now - std::chrono::days{2 * i} - std::chrono::minutes{random.below(600)},
                               .touch = history.size() + 1,
                               .profile = ids[random.below(ids.size())],
                               .address = 1,
                               .slot = Slot::counted});
    }

    std::size_t decisions = 0;
    std::size_t allowed = 0;
    const auto start = std::chrono::steady_clock::now();
    const auto cpu_start = std::clock();
    double elapsed = 0;
    while (elapsed < seconds) {
        for (int i = 0; i < 100'000; ++i) {
            const auto& row = table[random.below(contacts)];
            const auto profile = ids[static_cast<std::size_t>(i) % 3];
            const ContactView contact{
                .time_zone = zones[row.zone], .consents = {&row.consent, 1}, .history = {history.data() + row.history_begin, row.history_size}};
            const AddressView address{.number = 1};
            const Request request{.profile = profile, .names = profiles.at(profile), .touch = 0};
            allowed += policy.decide(request, contact, address, nullptr, now, Detail::none).verdict == Verdict::allow ? 1 : 0;
            ++decisions;
        }
        elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    // On a busy machine the processor's time says what a free core would do.
    const auto cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    const auto count = static_cast<double>(decisions);
    std::printf(
        R"({"bench":"decide","contacts":%zu,"rules":%d,"decisions":%zu,"allowed_share":%.3f,"seconds":%.2f,"per_second":%.0f,"cpu_ns":%.0f,"per_cpu_second":%.0f})"
        "\n",
        contacts, rules, decisions, static_cast<double>(allowed) / count, elapsed, count / elapsed, cpu * 1e9 / count, count / cpu);
    return 0;
}

}  // namespace touchgate::bench
