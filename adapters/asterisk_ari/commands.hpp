// Commands as ARI requests. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "adapters/asterisk_ari/job.hpp"
#include "adapters/asterisk_ari/settings.hpp"

namespace touchgate::adapters::asterisk_ari {

// Why a command cannot be carried out at all.
struct Refusal {
    std::string code, detail;
};

// The requests of a command. AskSnapshot has none. What the session knows of the leg (its plays, its music) is added by the session.
[[nodiscard]] std::variant<Job, Refusal> plan(const channel::CallCommand& command, const Settings& settings);

// "file:welcome" → "sound:welcome", as are "sound:welcome" and "welcome"; nothing when this system cannot play it.
[[nodiscard]] std::optional<std::string> media_uri(const std::string& medium, const Settings& settings);

// The keys under which commands wait for one another.
[[nodiscard]] std::string leg_key(const channel::LegId& leg);
[[nodiscard]] std::string mix_key(const channel::MixId& mix);

// "customer" …, as in TOUCHGATE_LEG and in the application's arguments.
[[nodiscard]] const char* role_word(channel::LegRole role);
[[nodiscard]] std::optional<channel::LegRole> role_of(std::string_view word);
// The name of a mix's bridge, and what can be read from it.
[[nodiscard]] std::string bridge_name(const Settings& settings, const std::string& owner);
[[nodiscard]] std::optional<std::string> owner_of_bridge(const Settings& settings, std::string_view name);

// The name under which the PBX keeps a recording.
[[nodiscard]] std::string recording_name(const Settings& settings, const std::string& recording);
[[nodiscard]] std::string recording_of(const Settings& settings, const std::string& name);

}  // namespace touchgate::adapters::asterisk_ari
