// Names to numbers.

#include <algorithm>
#include <charconv>

#include "gateway/routing/internals.hpp"

namespace touchgate::routing {

AgentNumber Router::Internals::intern_agent(std::string_view id) {
    if (id.empty()) return nobody;
    if (const auto found = agent_numbers.find(id); found != agent_numbers.end()) return found->second;
    const auto number = static_cast<AgentNumber>(agents.size());
    agents.push_back(std::make_unique<AgentRecord>());
    agents.back()->id = std::string{id};
    agent_numbers.emplace(std::string{id}, number);
    return number;
}

std::uint32_t Router::Internals::intern_skill(const std::string& name) { return skill_numbers.try_emplace(name, static_cast<std::uint32_t>(skill_numbers.size())).first->second; }

std::uint32_t Router::Internals::intern_needs(const std::vector<std::string>& words) {
    if (words.empty()) return 0;
    auto sorted = words;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::string signature;
    for (const auto& word : sorted) signature.append(word).push_back('\n');
    const auto [found, added] = needs_numbers.try_emplace(signature, static_cast<std::uint32_t>(needs.size()));
    if (!added) return found->second;
    Needs made;
    for (const auto& word : sorted) {
        const auto colon = word.find(':');
        int level = 1;
        if (colon != std::string::npos) {
            const auto* end = word.data() + word.size();
            if (std::from_chars(word.data() + colon + 1, end, level).ec != std::errc{}) level = 1;
        }
        made.levels.push_back({intern_skill(word.substr(0, colon)), level});
    }
    std::sort(made.levels.begin(), made.levels.end());
    made.words = std::move(sorted);
    needs.push_back(std::move(made));
    return found->second;
}

std::optional<ChannelNumber> Router::Internals::find_channel(std::string_view name) const {
    for (std::size_t i = 0; i < channels.size(); ++i)
        if (channels[i] == name) return static_cast<ChannelNumber>(i);
    return std::nullopt;
}

std::optional<ChannelNumber> Router::Internals::intern_channel(std::string_view name) {
    if (const auto found = find_channel(name)) return found;
    if (channels.size() >= channels_max || name.empty()) return std::nullopt;
    channels.emplace_back(name);
    return static_cast<ChannelNumber>(channels.size() - 1);
}

AgentNumber Router::Internals::find_agent(std::string_view id) const {
    const auto found = agent_numbers.find(id);
    return found == agent_numbers.end() || !agents[found->second]->defined ? nobody : found->second;
}

QueueNumber Router::Internals::find_queue(std::string_view id) const {
    const auto found = queue_numbers.find(id);
    return found == queue_numbers.end() ? nobody : found->second;
}

ItemNumber Router::Internals::find_item(const Uuid& id) const {
    const auto found = item_numbers.find(id);
    return found == item_numbers.end() ? nobody : found->second;
}

std::vector<SkillLevel> Router::Internals::levels_of(const Skills& skills) {
    std::vector<SkillLevel> levels;
    for (const auto& [name, level] : skills) levels.push_back({intern_skill(name), level});
    std::sort(levels.begin(), levels.end());
    return levels;
}

const SkillLevel* Router::Internals::level_in(const std::vector<SkillLevel>& levels, std::uint32_t skill) {
    const auto found = std::lower_bound(levels.begin(), levels.end(), SkillLevel{skill, std::numeric_limits<int>::min()});
    return found == levels.end() || found->skill != skill ? nullptr : &*found;
}

}  // namespace touchgate::routing
