// Campaigns in the projection: their audiences, and who was assigned to which arm.
#include "gateway/projection/projector.hpp"

namespace touchgate::projection {

void Projector::apply_campaign(const CampaignCreated& event, std::int64_t at) {
    statement("INSERT OR REPLACE INTO campaigns VALUES (?, ?, ?, 'draft', ?, ?, NULL)").bind_text(1, event.id).bind_text(2, event.purpose)
        .bind_text(3, event.unit).bind(4, at).bind(5, at).run();
    auto& insert = statement("INSERT OR REPLACE INTO campaign_arms VALUES (?, ?, ?, ?)");
    insert.bind_text(1, event.id).bind(2, 0).bind_text(3, campaign::holdout_arm).bind_real(4, event.holdout).run();
    std::int64_t position = 0;
    const auto definition = campaign::parse_definition(event.definition);
    for (const auto& arm : definition.arms) insert.bind_text(1, event.id).bind(2, ++position).bind_text(3, arm.name).bind_real(4, arm.share).run();
}

void Projector::apply_audience(const CampaignAudienceAdded& event) {
    auto& started = statement("SELECT started_at FROM campaigns WHERE id = ?").bind_text(1, event.id);
    const bool open = started.step() && !started.is_null(0);
    started.reset();
    if (open) {
        const auto definition = experiment_of(database_, event.id);
        for (const auto& line : event.lines) assign(definition, line.contact.value, line.arm);
        return;
    }
    auto& insert = statement("INSERT OR REPLACE INTO recipients VALUES (?, ?, ?, ?)");
    auto number = std::int64_t{event.first};
    for (const auto& line : event.lines) insert.bind_text(1, event.id).bind(2, number++).bind(3, line.contact.value).bind(4, line.arm).run();
}

void Projector::begin_experiment(const std::string& campaign, std::int64_t at) {
    statement("UPDATE campaigns SET started_at = ? WHERE id = ? AND started_at IS NULL").bind(1, at).bind_text(2, campaign).run();
    const auto definition = experiment_of(database_, campaign);
    auto& recipients = statement("SELECT contact, arm FROM recipients WHERE campaign = ? ORDER BY number").bind_text(1, campaign);
    while (recipients.step()) assign(definition, recipients.integer(0), static_cast<campaign::Assignment>(recipients.integer(1)));
    recipients.reset();
    statement("DELETE FROM recipients WHERE campaign = ?").bind_text(1, campaign).run();
}

// Who is measured is who was assigned, whatever then becomes of the touch. `assignment` is the audience's, or none: then the hash decides.
void Projector::assign(const campaign::Definition& definition, std::int64_t contact, campaign::Assignment assignment) {
    if (assignment == campaign::unassigned) {
        auto& select = statement("SELECT id FROM contacts WHERE number = ?").bind(1, contact);
        if (select.step()) assignment = campaign::Assigner{definition}(select.text(0));
        select.reset();
    }
    statement("INSERT OR IGNORE INTO assignments VALUES (?, ?, ?, ?)").bind(1, contact).bind(2, name_number(definition.id))
        .bind(3, name_number(group_name(definition, assignment))).bind(4, (assignment & campaign::given) != 0 ? 1 : 0).run();
}

void Projector::note_arm(TouchRow& row, const TouchCreated& event) {
    if (event.origin != policy::Origin::campaign) return;
    row.arm = name_number(event.arm.empty() ? only_arm : std::string_view{event.arm});
    // Assigned at the start already; a touch is as good a witness.
    statement("INSERT OR IGNORE INTO assignments VALUES (?, ?, ?, ?)").bind(1, row.contact.value).bind(2, row.campaign).bind(3, row.arm)
        .bind(4, event.arm_given ? 1 : 0).run();
}

}  // namespace touchgate::projection
