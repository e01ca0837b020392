#include "gateway/leads/stages.hpp"

#include <algorithm>
#include <array>

namespace touchgate::leads {

namespace {

constexpr std::array<std::string_view, 10> words = {"", "new", "assigned", "accepted", "contacted", "qualified", "disqualified", "won", "lost", "recycled"};

}  // namespace

std::string_view to_string(Stage stage) { return words[static_cast<std::size_t>(stage) % words.size()]; }

std::optional<Stage> parse_stage(std::string_view word) {
    for (std::size_t i = 1; i < words.size(); ++i)
        if (words[i] == word) return static_cast<Stage>(i);
    return std::nullopt;
}

std::vector<Stage> next_stages(Stage from) {
    using enum Stage;
    switch (from) {
        case fresh: return {assigned, disqualified};
        case recycled: return {assigned, disqualified, lost};
        case assigned: return {accepted, contacted, disqualified, lost, recycled};
        case accepted: return {contacted, disqualified, lost, recycled};
        case contacted: return {qualified, disqualified, won, lost, recycled};
        case qualified: return {disqualified, won, lost, recycled};
        case disqualified:
        case won:
        case lost: return {};
    }
    return {};
}

bool may_go(Stage from, Stage to) {
    const auto next = next_stages(from);
    return std::find(next.begin(), next.end(), to) != next.end();
}

std::string refusal(Stage from) {
    std::string text{"the lead is "};
    text.append(to_string(from));
    const auto next = next_stages(from);
    if (next.empty()) return text.append("; nothing is allowed any more");
    text.append("; allowed: ");
    for (std::size_t i = 0; i < next.size(); ++i) text.append(i == 0 ? "" : ", ").append(to_string(next[i]));
    return text;
}

std::vector<Stage> way_to(Stage from, Stage to) {
    if (may_go(from, to)) return {to};
    if (is_in_pool(from) || is_closed(from)) return {};
    constexpr std::array line = {Stage::assigned, Stage::accepted, Stage::contacted, Stage::qualified};
    std::vector<Stage> way;
    auto at = std::find(line.begin(), line.end(), from);
    while (at != line.end() && ++at != line.end()) {
        way.push_back(*at);
        if (*at == to) return way;
        if (may_go(*at, to)) {
            way.push_back(to);
            return way;
        }
    }
    return {};
}

}  // namespace touchgate::leads
