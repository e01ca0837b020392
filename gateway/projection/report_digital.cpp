// The report `digital_share`: how much of what goes to customers, and of what they begin, goes over digital channels: all but voice.
//
// Touches are those of which an attempt left, counted when they were created, by the channel that was used last. Interactions are what
// customers began, messages and calls, counted when they arrived. They belong to a channel and an account, and to no purpose, campaign,
// template or unit: where these divide the rows or filter them, interactions are not counted.
#include <limits>

#include "gateway/projection/report_parts.hpp"

namespace touchgate::projection {

namespace {

constexpr std::string_view not_digital = "voice";

// Per group; the digital ones are among all.
struct Shares {
    std::int64_t touches = 0, digital_touches = 0, interactions = 0, digital_interactions = 0;
    void add(const Shares& other) {
        touches += other.touches;
        digital_touches += other.digital_touches;
        interactions += other.interactions;
        digital_interactions += other.digital_interactions;
    }
};

Cell share(std::int64_t part, std::int64_t whole) { return whole == 0 ? Cell{} : Cell{static_cast<double>(part) / static_cast<double>(whole)}; }

bool divides_interactions(const Parsed& parsed) {
    const auto& filter = parsed.filter;
    if (!filter.campaign.empty() || !filter.purpose.empty() || !filter.unit.empty() || !filter.visibility.units.empty()) return true;
    return std::any_of(parsed.by.begin(), parsed.by.end(), [](const Dimension* by) { return by->name != "channel" && by->name != "account"; });
}

}  // namespace

void fill_digital_share(Database& database, ReportSource& source, const Parsed& parsed, Report& report) {
    std::map<GroupKey, Shares> rows;
    Groups groups{parsed};
    source.touches(parsed.span, [&](std::int64_t bucket, const ProfileNames& profile, TouchClass as, std::int64_t count) {
        if (!as.sent) return;
        auto& row = rows[groups.of(bucket, profile)];
        row.touches += count;
        row.digital_touches += profile.channel == not_digital ? 0 : count;
    });
    const bool with_interactions = !divides_interactions(parsed);
    if (with_interactions) {
        Statement select{database, "SELECT at, account, channel FROM inbound WHERE at >= ? AND at < ?"};
        select.bind(1, parsed.span.from ? unix_ms(*parsed.span.from) : 0).bind(2, parsed.span.to ? unix_ms(*parsed.span.to) : std::numeric_limits<std::int64_t>::max());
        while (select.step()) {
            ProfileNames names;
            names.account = std::string{select.text(1)};
            names.channel = std::string{select.text(2)};
            if ((!parsed.filter.channel.empty() && parsed.filter.channel != names.channel) || (!parsed.filter.account.empty() && parsed.filter.account != names.account)) continue;
            auto& row = rows[groups.of(bucket_of(from_unix_ms(select.integer(0))), names)];
            ++row.interactions;
            row.digital_interactions += names.channel == not_digital ? 0 : 1;
        }
    }

    report.columns = group_columns(parsed);
    for (auto column : std::initializer_list<ReportColumn>{{"touches", "触达数"}, {"digital_touches", "数字渠道触达数"}, {"touch_share", "触达数字化占比"}, {"interactions", "互动数"},
                                                           {"digital_interactions", "数字渠道互动数"}, {"interaction_share", "互动数字化占比"}})
        report.columns.push_back(std::move(column));
    const auto cells_of = [&](const Shares& shares) {
        const auto count = [&](std::int64_t value) { return with_interactions ? Cell{value} : Cell{}; };
        return std::vector<Cell>{shares.touches, shares.digital_touches, share(shares.digital_touches, shares.touches), count(shares.interactions),
                                 count(shares.digital_interactions), share(shares.digital_interactions, shares.interactions)};
    };
    Shares total;
    for (const auto& [key, shares] : rows) {
        total.add(shares);
        auto cells = group_cells(key);
        for (auto& cell : cells_of(shares)) cells.push_back(std::move(cell));
        report.rows.push_back(std::move(cells));
    }
    const auto totals = cells_of(total);
    const auto groups_count = report.columns.size() - totals.size();
    for (std::size_t i = 0; i < totals.size(); ++i) report.totals.emplace_back(report.columns[groups_count + i].name, totals[i]);
}

}  // namespace touchgate::projection
