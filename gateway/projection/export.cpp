#include "gateway/projection/export.hpp"

#include "gateway/json/json.hpp"
#include "gateway/projection/report.hpp"
#include "gateway/projection/feed_names.hpp"
#include "gateway/touch_log/format.hpp"

namespace touchgate::projection {

namespace {

// Collects lines and hands them on in large pieces.
class Pieces {
public:
    explicit Pieces(const ExportSink& sink) : sink_{sink} {}
    std::string& text() { return text_; }
    // False when the sink wants no more.
    bool line_done() {
        ++lines_;
        return text_.size() < piece_bytes || flush();
    }
    bool flush() {
        const bool more = text_.empty() || sink_(text_);
        text_.clear();
        return more;
    }
    [[nodiscard]] std::uint64_t lines() const { return lines_; }

private:
    static constexpr std::size_t piece_bytes = 256 * 1024;
    const ExportSink& sink_;
    std::string text_;
    std::uint64_t lines_ = 0;
};

// A member's text for a CSV cell; objects and arrays as JSON, null and absent as nothing.
std::string cell_of(const Json& object, const char* member) {
    const auto found = object.find(member);
    if (found == object.end() || found->is_null()) return {};
    return found->is_string() ? found->get<std::string>() : found->dump();
}

void append_csv_line(std::string& out, const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        append_csv_cell(out, cells[i]);
        out += i + 1 == cells.size() ? "\r\n" : ",";
    }
}

}  // namespace

Result<std::uint64_t> export_events(const LogReader& reader, LogNames& names, const EventExport& what, const ExportSink& sink) {
    EventRenderer renderer{reader, names};
    Pieces pieces{sink};
    if (what.csv) {
        if (what.bom) pieces.text() += "\xEF\xBB\xBF";
        append_csv_line(pieces.text(), {"sequence", "time", "type", "subject", "touch_id", "contact_id", "data"});
    }
    std::string event;
    const auto scanned = reader.scan(1, [&](const Record& record) {
        names.fold(record);
        if (what.to && record.time >= *what.to) return false;
        if (what.from && record.time < *what.from) return true;
        if (!type_matches(feed_name(record), what.types)) return true;
        if (!renderer.matches(record, what.filter, what.visibility)) return true;
        if (!what.csv) {
            renderer.append(pieces.text(), record, what.visibility);
            pieces.text() += '\n';
            return pieces.line_done();
        }
        event.clear();
        renderer.append(event, record, what.visibility);
        const auto parsed = Json::parse(event, nullptr, false);
        const auto& data = parsed["data"];
        append_csv_line(pieces.text(), {std::to_string(record.sequence), format_instant(record.time), cell_of(parsed, "type"), cell_of(parsed, "subject"),
                                        cell_of(data, "touch_id"), cell_of(data, "contact_id"), data.dump()});
        return pieces.line_done();
    });
    if (!scanned) return scanned.error();
    pieces.flush();
    return pieces.lines();
}

Result<std::uint64_t> export_touches(Queries& queries, const TouchExport& what, const ExportSink& sink) {
    Pieces pieces{sink};
    if (what.csv) {
        if (what.bom) pieces.text() += "\xEF\xBB\xBF";
        append_csv_line(pieces.text(), {"id", "key", "contact_id", "purpose", "campaign", "state", "channel", "account", "rule", "reason", "created_at", "updated_at"});
    }
    auto query = what.query;
    query.limit = 1000;
    query.cursor.clear();
    while (true) {
        const auto page = queries.touches(query);
        if (!page) return page.error();
        const auto items = Json::parse(page->items, nullptr, false);
        for (const auto& item : items) {
            if (!what.csv) {
                pieces.text() += item.dump();
                pieces.text() += '\n';
            } else {
                append_csv_line(pieces.text(), {cell_of(item, "id"), cell_of(item, "key"), cell_of(item, "contact_id"), cell_of(item, "purpose"), cell_of(item, "campaign"),
                                                cell_of(item, "state"), cell_of(item, "channel"), cell_of(item, "account"), cell_of(item["decision"], "rule"),
                                                cell_of(item, "reason"), cell_of(item, "created_at"), cell_of(item, "updated_at")});
            }
            if (!pieces.line_done()) return pieces.lines();
        }
        if (page->next_cursor.empty()) break;
        query.cursor = page->next_cursor;
    }
    pieces.flush();
    return pieces.lines();
}

Result<std::uint64_t> cat_log(const LogReader& reader, LogNames& names, bool offsets, const ExportSink& sink) {
    if (!offsets) return export_events(reader, names, {}, sink);
    Pieces pieces{sink};
    const auto scanned = reader.scan(1, [&](const Record& record) {
        JsonText json{pieces.text()};
        json.open_object();
        json.number("sequence", static_cast<std::int64_t>(record.sequence));
        json.text("file", "log/" + log_format::segment_name(record.position.segment()));
        json.number("offset", record.position.offset());
        json.number("length", record.length);
        json.text("type", feed_name(record));
        json.instant("time", record.time);
        json.close_object();
        pieces.text() += '\n';
        return pieces.line_done();
    });
    if (!scanned) return scanned.error();
    pieces.flush();
    return pieces.lines();
}

}  // namespace touchgate::projection
