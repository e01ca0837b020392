// Exports for people and scripts: the log's events or the touches, as NDJSON or CSV, and `log cat`. Everything goes to a sink in pieces, so
// that an export of any size takes little memory.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/projection/log_names.hpp"
#include "gateway/projection/queries.hpp"

namespace touchgate::projection {

// Takes the next piece of text; false stops the export (a closed pipe).
using ExportSink = std::function<bool(std::string_view text)>;

struct EventExport {
    std::vector<std::string> types = {};      // as in the feed; empty: all
    EventFilter filter = {};
    std::optional<Instant> from = {}, to = {};  // on the record's time; from inclusive, to exclusive
    bool csv = false;
    bool bom = true;                          // csv only
    Visibility visibility = {};
};

// Reads the whole log once, folding names on the way. `names` must be empty or must have folded a beginning of this log; the keys it was
// made with open what `visibility` allows. The number of events written. CSV columns: sequence, time, type, subject, touch_id, contact_id, data.
[[nodiscard]] Result<std::uint64_t> export_events(const LogReader& reader, LogNames& names, const EventExport& what, const ExportSink& sink);

// Touches in order of creation, rendered like lists. CSV columns: id, key, contact_id, purpose, campaign, state, channel, account, rule,
// reason, created_at, updated_at.
struct TouchExport {
    TouchQuery query = {};  // limit and cursor are not used
    bool csv = false;
    bool bom = true;
};
[[nodiscard]] Result<std::uint64_t> export_touches(Queries& queries, const TouchExport& what, const ExportSink& sink);

// `log cat`: every record as NDJSON; with `offsets` {"sequence","file","offset","length","type","time"}, else as CloudEvents without
// addresses and content. `file` is relative to the data folder.
[[nodiscard]] Result<std::uint64_t> cat_log(const LogReader& reader, LogNames& names, bool offsets, const ExportSink& sink);

}  // namespace touchgate::projection
