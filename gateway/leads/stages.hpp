// Where a lead stands, and where it may go from there.
//
//   new ──► assigned ──► accepted ──► contacted ──► qualified ──► won | lost
//    ▲          │            │            │              │
//    └ recycled ◄────────────┴────────────┴──────────────┘        disqualified: from every open stage
//
// `new` and `recycled` are the pool: nobody owns the lead. Contact implies acceptance; a sale may follow the first contact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace touchgate::leads {

// Numbers are written to the log.
enum class Stage : std::uint8_t { fresh = 1, assigned, accepted, contacted, qualified, disqualified, won, lost, recycled };

[[nodiscard]] std::string_view to_string(Stage stage);  // `fresh` is "new"
[[nodiscard]] std::optional<Stage> parse_stage(std::string_view word);

[[nodiscard]] constexpr bool is_closed(Stage stage) { return stage == Stage::disqualified || stage == Stage::won || stage == Stage::lost; }
[[nodiscard]] constexpr bool is_in_pool(Stage stage) { return stage == Stage::fresh || stage == Stage::recycled; }

// By an act of somebody. Giving a lead to another owner is no step of this machine: it is possible in every open stage and leads to `assigned`.
[[nodiscard]] bool may_go(Stage from, Stage to);
[[nodiscard]] std::vector<Stage> next_stages(Stage from);
// "the lead is won; nothing is allowed any more", "the lead is assigned; allowed: accepted, contacted, …"
[[nodiscard]] std::string refusal(Stage from);

// The steps that lie before `to`, in order, for someone who reports only how it ended: assigned → accepted, contacted, won. Empty: there is no way.
[[nodiscard]] std::vector<Stage> way_to(Stage from, Stage to);

}  // namespace touchgate::leads
