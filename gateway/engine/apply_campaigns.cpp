// The fold of campaigns: their audiences, their states, and what became of every recipient.

#include "gateway/engine/internals.hpp"

namespace touchgate {

void Engine::Internals::index_campaign(CampaignRow& row) {
    row.parsed = std::make_shared<campaign::Definition>(campaign::parse_definition(row.definition));
    state.campaign_by_symbol[state.symbols.intern(row.id)] = &row;
}

void Engine::Internals::assign(CampaignRow& row, std::size_t from) {
    const campaign::Assigner assigner{*row.parsed};
    for (auto i = from; i < row.recipients.size(); ++i) {
        auto& recipient = row.recipients[i];
        if (recipient.arm == campaign::unassigned) recipient.arm = assigner(state.contact_ids[recipient.contact.value]);
        if (const auto arm = campaign::place(recipient.arm); recipient.state != RecipientState::removed && arm < row.arm_sizes.size()) ++row.arm_sizes[arm];
    }
}

void Engine::Internals::take_recipient(CampaignRow& row, Touch& made, std::uint32_t number) {
    if (made.state == TouchState::queued && row.runtime) row.runtime->queued.insert(row_of(made.id));
    const auto at = static_cast<std::size_t>(made.state);
    if (number == 0 || number > row.recipients.size()) {
        ++row.direct[at];
        return;
    }
    auto& recipient = row.recipients[number - 1];
    made.recipient = number;
    made.arm = recipient.arm;
    if (recipient.state == RecipientState::pending) --row.pending;
    recipient.state = RecipientState::released;
    const auto arm = campaign::place(made.arm);
    if (arm == campaign::held_out) {
        ++row.held_out;
        return;
    }
    ++row.counts[at];
    if (arm < row.arm_counts.size()) ++row.arm_counts[arm][at];
    count_rule(made);
}

void Engine::Internals::count_complaint(ContactIndex contact, Instant at) {
    constexpr auto week = std::chrono::hours{24 * 7};
    std::vector<CampaignRow*> reached;
    for (const auto& entry : state.contacts[contact.value].history) {
        if (entry.slot == policy::Slot::released || entry.slot == policy::Slot::reserved || entry.at + week < at) continue;
        const auto found = state.campaign_by_symbol.find(state.profiles.at(entry.profile).campaign);
        if (found != state.campaign_by_symbol.end() && std::find(reached.begin(), reached.end(), found->second) == reached.end()) reached.push_back(found->second);
    }
    for (auto* row : reached) ++row->complaints;
}

void Engine::Internals::apply(const RecordMeta&, const CampaignCreated& event) {
    auto& row = state.campaigns[event.id];
    row.id = event.id;
    row.purpose = event.purpose;
    row.unit = event.unit;
    row.definition = event.definition;
    row.body_hash = event.body_hash;
    row.created_at = now;
    row.holdout = event.holdout;
    row.rate = event.rate;
    index_campaign(row);
}

void Engine::Internals::apply(const RecordMeta& meta, const CampaignAudienceAdded& event) {
    auto& row = state.campaigns[event.id];
    const auto first = row.recipients.size();
    for (std::size_t i = 0; i < event.lines.size(); ++i) {
        const auto& line = event.lines[i];
        row.recipients.push_back({.batch = meta.position, .contact = line.contact, .address = line.address, .item = line.item,
                                  .line = static_cast<std::uint16_t>(i), .arm = line.arm, .state = RecipientState::pending});
    }
    row.size += event.lines.size();
    row.pending += event.lines.size();
    ++row.batches;
    if (row.started()) assign(row, first);
}

void Engine::Internals::apply(const RecordMeta&, const CampaignAudienceRemoved& event) {
    auto& row = state.campaigns[event.id];
    for (const auto number : event.recipients) {
        if (number == 0 || number > row.recipients.size()) continue;
        auto& recipient = row.recipients[number - 1];
        if (recipient.state != RecipientState::pending) continue;
        recipient.state = RecipientState::removed;
        --row.size;
        --row.pending;
        if (const auto arm = campaign::place(recipient.arm); row.started() && arm < row.arm_sizes.size()) --row.arm_sizes[arm];
    }
}

void Engine::Internals::apply(const RecordMeta& meta, const CampaignStarted& event) {
    auto& row = state.campaigns[event.id];
    row.state = "running";
    row.started_at = meta.time;
    row.sha256 = event.sha256;
    row.templates = event.templates;
    row.arm_sizes.assign(row.parsed->arms.size(), 0);
    row.arm_counts.assign(row.parsed->arms.size(), StateCounts{});
    row.permits_before = row.permits;
    row.complaints_before = row.complaints;
    assign(row, 0);
}

void Engine::Internals::apply(const RecordMeta&, const CampaignPaused& event) {
    auto& row = state.campaigns[event.id];
    row.state = "paused";
    row.reason = event.reason;
}

void Engine::Internals::apply(const RecordMeta&, const CampaignResumed& event) {
    auto& row = state.campaigns[event.id];
    row.state = row.started() ? "running" : "draft";
    row.reason.clear();
    row.permits_before = row.permits;
    row.failed_before = row.counts[static_cast<std::size_t>(TouchState::failed)];
    row.complaints_before = row.complaints;
}

void Engine::Internals::apply(const RecordMeta& meta, const CampaignCancelled& event) {
    auto& row = state.campaigns[event.id];
    row.state = "cancelled";
    row.ended_at = meta.time;
    row.counts[static_cast<std::size_t>(TouchState::cancelled)] += row.pending;  // who has no touch yet gets none
    row.pending = 0;
}

void Engine::Internals::apply(const RecordMeta& meta, const CampaignFinished& event) {
    auto& row = state.campaigns[event.id];
    row.state = "finished";
    row.ended_at = meta.time;
    const auto expired = std::min(event.expired, row.pending);
    row.counts[static_cast<std::size_t>(TouchState::expired)] += expired;
    row.pending -= expired;
}

}  // namespace touchgate
