#include "gateway/projection/report_verify.hpp"

#include <algorithm>
#include <map>

namespace touchgate::projection {

namespace {

using Row = std::vector<Cell>;

// Rows by what names them: the texts before the first number. Where these do not tell rows apart, their places do.
std::map<std::string, const Row*> named_rows(const std::vector<Row>& rows) {
    std::map<std::string, const Row*> named;
    for (const auto& row : rows) {
        std::string name;
        for (const auto& cell : row) {
            const auto* text = std::get_if<std::string>(&cell);
            if (text == nullptr && !std::holds_alternative<std::monostate>(cell)) break;
            name.append(name.empty() ? "" : " / ").append(text == nullptr ? "-" : *text);
        }
        named.emplace(std::move(name), &row);
    }
    if (named.size() == rows.size() && !named.contains("")) return named;
    named.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) named.emplace("row " + std::to_string(i + 1), &rows[i]);
    return named;
}

}  // namespace

std::vector<CellDifference> differences(const Report& shown, const Report& recomputed) {
    std::vector<CellDifference> found;
    const auto ours = named_rows(shown.rows), theirs = named_rows(recomputed.rows);
    const auto compare = [&](const std::string& row, const std::string& column, const Cell& a, const Cell& b) {
        if (a != b) found.push_back({row, column, cell_text(a), cell_text(b)});
    };
    for (const auto& [name, row] : ours) {
        const auto other = theirs.find(name);
        if (other == theirs.end()) {
            found.push_back({name, "", "present", "absent"});
            continue;
        }
        for (std::size_t i = 0; i < std::max(row->size(), other->second->size()); ++i)
            compare(name, i < shown.columns.size() ? shown.columns[i].name : std::to_string(i + 1), i < row->size() ? (*row)[i] : Cell{},
                    i < other->second->size() ? (*other->second)[i] : Cell{});
    }
    for (const auto& [name, row] : theirs)
        if (!ours.contains(name)) found.push_back({name, "", "absent", "present"});
    std::map<std::string, std::pair<Cell, Cell>> totals;
    for (const auto& [name, value] : shown.totals) totals[name].first = value;
    for (const auto& [name, value] : recomputed.totals) totals[name].second = value;
    for (const auto& [name, values] : totals) compare("totals", name, values.first, values.second);
    return found;
}

Result<std::vector<CellDifference>> verify_report(const Report& shown, const ReportQuery& query, const BillingOf& billing, const LogReader& reader, const std::string& path) {
    LogNames names{{}, false};
    auto fresh = Projection::open(path, reader, names);
    if (!fresh) return fresh.error();
    if (shown.sequence > reader.durable_head().sequence)
        return Error{ErrorKind::corrupt, "the projection counts events up to " + std::to_string(shown.sequence) + ", the log ends at " + std::to_string(reader.durable_head().sequence)};
    while ((*fresh)->shown_sequence() < shown.sequence) {
        const auto before = (*fresh)->shown_sequence();
        const auto stepped = (*fresh)->step(std::min<std::uint64_t>(shown.sequence - before, 100'000));
        if (!stepped) return stepped.error();
        if ((*fresh)->shown_sequence() == before) return Error{ErrorKind::corrupt, "the log cannot be read behind event " + std::to_string(before)};
    }
    const auto again = make_report(**fresh, query, billing);
    if (!again) return again.error();
    return differences(shown, *again);
}

}  // namespace touchgate::projection
