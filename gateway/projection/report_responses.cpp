#include "gateway/projection/report_responses.hpp"

#include <algorithm>
#include <set>

namespace touchgate::projection {

namespace {

struct Participation {
    std::int64_t campaign = 0, arm = 0;
    Instant from{};
};

// In which campaigns a contact takes part, and since when.
class Participations {
public:
    Participations(Database& database, const std::map<std::int64_t, CampaignFacts>& campaigns)
        : campaigns_{campaigns},
          assigned_{database, "SELECT campaign, arm FROM assignments WHERE contact = ?"},
          touched_{database, "SELECT campaign, state, created_at, fold FROM touches WHERE contact = ? AND campaign IS NOT NULL"} {}

    const std::vector<Participation>& of(std::int64_t contact) {
        if (contact == contact_) return found_;
        contact_ = contact;
        found_.clear();
        assigned_.bind(1, contact);
        while (assigned_.step())
            if (const auto campaign = campaigns_.find(assigned_.integer(0)); campaign != campaigns_.end())
                found_.push_back({campaign->first, assigned_.integer(1), campaign->second.begins_at});
        assigned_.reset();
        touched_.bind(1, contact);
        while (touched_.step()) {
            const auto campaign = touched_.integer(0);
            if (!campaigns_.contains(campaign)) continue;
            TouchRow row;
            row.states.state = static_cast<TouchState>(touched_.integer(1));
            if (!decode(touched_.blob(3), row) || row.arm != 0 || !row.counted_as().sent) continue;
            const auto at = from_unix_ms(touched_.integer(2));
            const auto known = std::find_if(found_.begin(), found_.end(), [&](const Participation& p) { return p.campaign == campaign; });
            if (known == found_.end()) found_.push_back({campaign, 0, at});
            else if (known->arm == 0) known->from = std::min(known->from, at);
        }
        touched_.reset();
        return found_;
    }

private:
    const std::map<std::int64_t, CampaignFacts>& campaigns_;
    Statement assigned_, touched_;
    std::int64_t contact_ = -1;
    std::vector<Participation> found_;
};

}  // namespace

std::pair<Instant, Instant> window_of(Instant from, Duration window, const ReportSpan& span) {
    auto to = from + window;
    if (span.to) to = std::min(to, *span.to);
    return {span.from ? std::max(from, *span.from) : from, to};
}

std::map<std::int64_t, CampaignFacts> campaigns_of(Database& database, const ProfileFilter& filter) {
    std::map<std::int64_t, CampaignFacts> found;
    // A campaign that nobody was assigned to or touched by has no number yet: nothing can be told of it.
    Statement select{database, "SELECT n.id, c.id, c.unit, c.created_at, c.started_at FROM campaigns c JOIN names n ON n.name = c.id"};
    while (select.step()) {
        if (!filter.visibility.covers(select.text(2)) || (!filter.campaign.empty() && filter.campaign != select.text(1))) continue;
        auto& facts = found[select.integer(0)];
        facts.id = select.text(1);
        facts.begins_at = from_unix_ms(select.integer(3));
        if (select.is_null(4)) continue;
        facts.started_at = from_unix_ms(select.integer(4));
        facts.begins_at = *facts.started_at;
    }
    return found;
}

std::vector<Problem> response_problems(const Parsed& parsed) {
    std::vector<Problem> problems;
    (void)duration_parameter(parsed, "window", response_window_default, problems);
    if (parsed.report.name == "campaign") return problems;
    const auto& filter = parsed.filter;
    const bool uplift = parsed.report.name == "uplift";
    if (uplift && filter.campaign.empty()) problems.push_back({"/campaign", "is required: an experiment belongs to a campaign"});
    const auto refuse = [&](const char* name, bool given) {
        if (given) problems.push_back({std::string{"/"}.append(name), "is no parameter of this report"});
    };
    refuse("campaign", !uplift && !filter.campaign.empty());
    refuse("channel", !filter.channel.empty());
    refuse("account", !filter.account.empty());
    refuse("purpose", !filter.purpose.empty());
    refuse("unit", uplift && !filter.unit.empty());
    refuse("group_by", !parsed.order.empty());
    return problems;
}

ResponsesByArm responses_by_arm(Database& database, const ReportSource& source, const Parsed& parsed) {
    std::vector<Problem> ignored;
    const auto window = duration_parameter(parsed, "window", response_window_default, ignored);
    const auto kind = parsed.parameter("kind");
    const auto campaigns = campaigns_of(database, parsed.filter);
    ResponsesByArm made;
    const auto entry = [&](std::int64_t campaign, std::int64_t arm) -> ArmResponses& { return made[{campaigns.at(campaign).id, source.name_of(arm)}]; };
    {
        Statement sizes{database, "SELECT campaign, arm, count(*) FROM assignments GROUP BY campaign, arm"};
        while (sizes.step())
            if (campaigns.contains(sizes.integer(0))) entry(sizes.integer(0), sizes.integer(1)).assigned = sizes.integer(2);
    }
    Participations participations{database, campaigns};
    // `acts` yields contact and time, ordered by contact; each contact counts once in `count`.
    const auto each_act = [&](Statement acts, std::int64_t ArmResponses::*count, const auto& more) {
        std::int64_t contact = -1;
        std::set<std::int64_t> counted;  // campaigns, of this contact
        while (acts.step()) {
            if (acts.integer(0) != contact) counted.clear();
            contact = acts.integer(0);
            const auto at = from_unix_ms(acts.integer(1));
            for (const auto& participation : participations.of(contact)) {
                const auto [from, to] = window_of(participation.from, window, parsed.span);
                if (at < from || at >= to) continue;
                auto& responses = entry(participation.campaign, participation.arm);
                if (counted.insert(participation.campaign).second) ++(responses.*count);
                more(acts, responses);
            }
        }
    };
    const auto nothing = [](const Statement&, ArmResponses&) {};
    Statement conversions{database, "SELECT contact, at, currency, value_cents FROM conversions WHERE ?1 = '' OR kind = ?1 ORDER BY contact"};
    conversions.bind_text(1, kind);
    each_act(std::move(conversions), &ArmResponses::converted,
             [](const Statement& act, ArmResponses& responses) { responses.value.add(std::string{act.text(2)}, act.integer(3)); });
    each_act({database, "SELECT contact, at FROM consents WHERE granted = 0 ORDER BY contact"}, &ArmResponses::opt_outs, nothing);
    each_act({database, "SELECT contact, at FROM complaints ORDER BY contact"}, &ArmResponses::complaints, nothing);
    return made;
}

}  // namespace touchgate::projection
