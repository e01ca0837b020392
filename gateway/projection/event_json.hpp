// Renders records of the log as CloudEvents 1.0 JSON objects:
//   {"specversion":"1.0","id":"12","source":"touchgate","type":"touch.created","subject":"0193…","time":"…","datacontenttype":"application/json",
//    "sequence":12,"data":{…}}
// `id` is the sequence as text: unique, for a log has one record of each. Sealed parts are opened with the contact's key only where
// something of them is shown; where the key is gone they are left out.
#pragma once

#include <string>

#include "gateway/projection/contact_context.hpp"
#include "gateway/projection/json_text.hpp"
#include "gateway/projection/touch_context.hpp"
#include "gateway/projection/visibility.hpp"

namespace touchgate::projection {

// {"verdict","policy","rule","until","trace":[…]} and, where there is one, "reason", as a member of the open object.
void append_decision(JsonText& json, std::string_view member, const LoggedDecision& decision, const NameSource& names);
// Name of the rule that decided, "" when none did.
[[nodiscard]] std::string decision_rule(const LoggedDecision& decision, const NameSource& names);

// {"metadata": {…}} as a member of the open object: the values are JSON already and are echoed as they came.
void append_metadata(JsonText& json, const std::vector<std::pair<std::string, std::string>>& metadata);

// Millionths of a currency → "0.045", at least two decimals.
[[nodiscard]] std::string money_text(std::int64_t micro);
[[nodiscard]] std::string_view receipt_word(channel::ReceiptStatus status);
[[nodiscard]] std::string_view address_word(AddressKind kind);

// What a list filter asks of an event.
struct EventFilter {
    std::string campaign = {};
    std::string key_name = {};  // only events of touches posted with this API key
    std::string callback = {};  // only events of touches that name this callback
    [[nodiscard]] bool any() const { return !campaign.empty() || !key_name.empty() || !callback.empty(); }
};

// Any thread. Reader and names must outlive it.
class EventRenderer {
public:
    EventRenderer(const LogReader& reader, const NameSource& names) : reader_{reader}, names_{names}, touches_{reader}, contacts_{reader, names} {}

    // May the reader see this event, and did he ask for it? (Types are filtered before, by the record's number.)
    [[nodiscard]] bool matches(const Record& record, const EventFilter& filter, const Visibility& visibility);
    void append(std::string& out, const Record& record, const Visibility& visibility);
    // {"sequence","type","time","data"}: an event within its touch.
    void append_brief(std::string& out, const Record& record, const Visibility& visibility);
    // Only the "data" object.
    void append_data(std::string& out, const Record& record, const Visibility& visibility);

    [[nodiscard]] const NameSource& names() const { return names_; }

private:
    friend struct EventData;
    const LogReader& reader_;
    const NameSource& names_;
    TouchContexts touches_;
    ContactContexts contacts_;
};

// "steps":[…] of a touch that has some: what each waits for, and over which accounts it goes.
void append_steps(JsonText& json, const TouchCreated& created, const NameSource& names);

}  // namespace touchgate::projection
