#include "gateway/projection/report_source.hpp"

#include <limits>

namespace touchgate::projection {

namespace {

constexpr std::int64_t bucket_max = std::numeric_limits<std::int64_t>::max() / bucket_ms - 1;

bool within(std::string_view unit, std::string_view limit) {
    return limit.empty() || Visibility{.addresses = false, .content = false, .units = {std::string{limit}}}.covers(unit);
}

}  // namespace

ReportSource::ReportSource(Database& database, const ProfileFilter& filter) : database_{database} {
    Statement select{database_, "SELECT id, purpose, channel, account, campaign, unit, template FROM profiles"};
    const auto passes = [](const std::string& wanted, const std::string& value) { return wanted.empty() || wanted == value; };
    while (select.step()) {
        const auto text = [&](int at) { return std::string{select.text(at)}; };
        ProfileNames names{text(1), text(2), text(3), text(4), text(5), text(6)};
        if (!passes(filter.purpose, names.purpose) || !passes(filter.channel, names.channel) || !passes(filter.account, names.account) ||
            !passes(filter.campaign, names.campaign) || !within(names.unit, filter.unit) || !filter.visibility.covers(names.unit))
            continue;
        profiles_.emplace(static_cast<std::uint32_t>(select.integer(0)), std::move(names));
    }
    Statement rules{database_, "SELECT id, name FROM names"};
    while (rules.step()) names_.emplace(rules.integer(0), std::string{rules.text(1)});
}

const ProfileNames* ReportSource::profile(std::uint32_t number) const {
    const auto found = profiles_.find(number);
    return found == profiles_.end() ? nullptr : &found->second;
}

const std::string& ReportSource::name_of(std::int64_t number) const {
    static const std::string none;
    const auto found = names_.find(number);
    return found == names_.end() ? none : found->second;
}

ReportSource::Parts ReportSource::parts_of(const ReportSpan& span) {
    Parts parts;
    const auto ceil = [](Instant at) { return (unix_ms(at) + bucket_ms - 1) / bucket_ms; };
    parts.first = span.from ? ceil(*span.from) : 0;
    parts.last = span.to ? bucket_of(*span.to) : bucket_max;
    const auto start = [](std::int64_t bucket) { return from_unix_ms(bucket * bucket_ms); };
    if (span.from && span.to && parts.last < parts.first) {  // all inside one bucket
        if (*span.from < *span.to) parts.edges.emplace_back(*span.from, *span.to);
        parts.last = parts.first;
        return parts;
    }
    if (span.from && *span.from < start(parts.first)) parts.edges.emplace_back(*span.from, start(parts.first));
    if (span.to && start(parts.last) < *span.to) parts.edges.emplace_back(start(parts.last), *span.to);
    return parts;
}

void ReportSource::edge_touches(Instant from, Instant to, bool attempts, const std::function<void(const TouchRow&)>& each) {
    // An attempt of this edge belongs to a touch of any age that changed since; else the id's own time bounds the search.
    Statement select{database_, attempts ? "SELECT state, created_at, fold FROM touches WHERE updated_at >= ?1 AND id < ?2"
                                         : "SELECT state, created_at, fold FROM touches WHERE id >= ?3 AND id < ?2 AND created_at >= ?1 AND created_at < ?4"};
    const auto id_at = [](Instant at) {
        Uuid id;
        const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms(at), 0));
        for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
        return id;
    };
    const auto first = id_at(from);
    const auto last = id_at(to + std::chrono::minutes{1});  // an id may be moments younger than its touch
    select.bind(1, unix_ms(from)).bind_blob(2, last.view());
    if (!attempts) select.bind_blob(3, first.view()).bind(4, unix_ms(to));
    while (select.step()) {
        TouchRow row;
        row.states.state = static_cast<TouchState>(select.integer(0));
        row.created_at = from_unix_ms(select.integer(1));
        if (decode(select.blob(2), row)) each(row);
    }
}

void ReportSource::touches(const ReportSpan& span, const EachTouch& each) {
    const auto parts = parts_of(span);
    Statement select{database_, span.by_time ? "SELECT bucket, profile, class, count FROM touch_counts WHERE bucket >= ? AND bucket < ?"
                                             : "SELECT 0, profile, class, sum(count) FROM touch_counts WHERE bucket >= ? AND bucket < ? GROUP BY profile, class"};
    select.bind(1, parts.first).bind(2, parts.last);
    while (select.step())
        if (const auto* names = profile(static_cast<std::uint32_t>(select.integer(1)))) each(select.integer(0), *names, TouchClass::of(select.integer(2)), select.integer(3));
    for (const auto& [from, to] : parts.edges)
        edge_touches(from, to, false, [&](const TouchRow& row) {
            if (const auto* names = profile(row.profile().value)) each(span.by_time ? bucket_of(row.created_at) : 0, *names, row.counted_as(), 1);
        });
}

void ReportSource::attempts(const ReportSpan& span, const EachAttempt& each) {
    const auto parts = parts_of(span);
    Statement select{database_, span.by_time ? "SELECT bucket, profile, class, count, parts, segments, cost_micro FROM attempt_counts WHERE bucket >= ? AND bucket < ?"
                                             : "SELECT 0, profile, class, sum(count), sum(parts), sum(segments), sum(cost_micro) FROM attempt_counts "
                                               "WHERE bucket >= ? AND bucket < ? GROUP BY profile, class"};
    select.bind(1, parts.first).bind(2, parts.last);
    while (select.step())
        if (const auto* names = profile(static_cast<std::uint32_t>(select.integer(1))))
            each(select.integer(0), *names, {static_cast<AttemptClass>(select.integer(2) & 255), static_cast<std::uint32_t>(select.integer(2) >> 8), select.integer(3), select.integer(4),
                                             select.integer(5), select.integer(6)});
    for (const auto& edge : parts.edges) {
        const auto from = edge.first, to = edge.second;
        edge_touches(from, to, true, [&](const TouchRow& row) {
            for (const auto& attempt : row.attempts) {
                const auto* names = profile(attempt.profile.value);
                if (names == nullptr || attempt.permitted_at < from || attempt.permitted_at >= to) continue;
                each(span.by_time ? bucket_of(attempt.permitted_at) : 0, *names, {attempt.status, row.arm, 1, attempt.parts, attempt.segments, attempt.cost_micro});
            }
        });
    }
}

void ReportSource::rules(const ReportSpan& span, const EachRule& each) {
    const auto parts = parts_of(span);
    Statement select{database_, span.by_time ? "SELECT bucket, profile, rule, deferred, blocked FROM rule_counts WHERE bucket >= ? AND bucket < ?"
                                             : "SELECT 0, profile, rule, sum(deferred), sum(blocked) FROM rule_counts WHERE bucket >= ? AND bucket < ? GROUP BY profile, rule"};
    select.bind(1, parts.first).bind(2, parts.last);
    while (select.step())
        if (const auto* names = profile(static_cast<std::uint32_t>(select.integer(1))))
            each(select.integer(0), *names, name_of(select.integer(2)), select.integer(3), select.integer(4));
    for (const auto& [from, to] : parts.edges)
        edge_touches(from, to, false, [&](const TouchRow& row) {
            const auto* names = profile(row.profile().value);
            if (names == nullptr) return;
            const auto bucket = span.by_time ? bucket_of(row.created_at) : 0;
            for (const auto rule : row.deferred_by) each(bucket, *names, name_of(rule), 1, 0);
            if (row.states.state == TouchState::blocked) each(bucket, *names, name_of(row.rule), 0, 1);
        });
}

}  // namespace touchgate::projection
