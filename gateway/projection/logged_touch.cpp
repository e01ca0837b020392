#include "gateway/projection/logged_touch.hpp"

#include <algorithm>

#include "gateway/policy/call_outcomes.hpp"
#include "gateway/projection/touch_events.hpp"
#include "gateway/projection/feed_names.hpp"

namespace touchgate::projection {

namespace {

std::optional<Instant> instant_of(std::int64_t ms) { return ms == 0 ? std::nullopt : std::optional{from_unix_ms(ms)}; }

}  // namespace

ProfileId LoggedTouch::profile() const {
    return created.candidates.empty() ? ProfileId{} : created.candidates[std::min<std::size_t>(states.chosen, created.candidates.size() - 1)];
}

LoggedAttempt* LoggedTouch::attempt(std::uint16_t number) {
    for (auto& one : attempts)
        if (one.number == number) return &one;
    return nullptr;
}

// What an event adds beside the state: decisions and attempts.
struct TouchFold {
    LoggedTouch& touch;
    const Record& record;

    template <class E> void operator()(E& event) {
        if constexpr (std::is_same_v<E, TouchCreated>) touch.created = event;
        touch.states.apply(event, record.time);
        add(event);
    }

private:
    template <class E> void add(const E&) {}
    void add(const TouchCreated& e) {
        touch.contact = record.contact;
        touch.decision = e.decision;
        touch.created_at = record.time;
        touch.created_sequence = record.sequence;
    }
    void add(const TouchDecided& e) { touch.decision = e.decision; }
    void add(const TouchDispatching& e) {
        touch.decision = e.decision;
        LoggedAttempt made;
        made.number = e.attempt;
        made.profile = touch.profile();
        made.permitted_at = record.time;
        made.segments = e.segments;
        made.cost_micro = e.cost_micro;
        made.route_reason = e.route_reason;
        touch.attempts.push_back(std::move(made));
    }
    void add(const TouchPermitLapsed& e) { set_state(e.attempt, "lapsed"); }
    void add(const TouchPermitRevoked& e) { set_state(e.attempt, "revoked"); }
    void add(const TouchAccepted& e) {
        auto* one = touch.attempt(e.attempt);
        if (one == nullptr) return;
        one->outcome = "accepted";
        if (one->state == "dispatching" || one->state == "unknown") one->state = "accepted";
        one->answered_at = record.time;
        one->provider_ids = e.ids;
        one->parts = e.parts;
    }
    void add(const TouchHandedOver& e) {
        auto* one = touch.attempt(e.attempt);
        if (one == nullptr) return;
        one->outcome = "handed_to_human";
        one->answered_at = record.time;
        one->task = LoggedAttempt::Task{.id = e.task, .employee = e.employee, .status = std::string{to_string(TaskStatus::waiting)}, .created_at = record.time, .ends_at = e.ends_at};
    }
    void add(const TouchTaskChanged& e) {
        auto* one = touch.attempt(e.attempt);
        if (one == nullptr || !one->task) return;
        // That it is being called back is said by the touch's events; the task waits until the provider has stopped it.
        if (e.status != TaskStatus::cancelling && e.status != TaskStatus::reminded) one->task->status = to_string(e.status);
    }
    template <EventType Type> void add(const TouchAdvanced<Type>& e) {
        auto* one = touch.attempt(e.attempt);
        if (e.provider_id.empty()) tell_call(one, e.raw);
        if (one == nullptr || !dispatch::advances(one->progress, progress_of(Type))) return;
        one->progress = progress_of(Type);
        one->state = event_name(Type).substr(6);  // after "touch."
    }
    void add(const TouchAttemptEnded& e) {
        auto* one = touch.attempt(e.attempt);
        // An accepted attempt that "ended" goes on beside its fallback.
        if (one == nullptr || e.outcome == channel::OutcomeKind::accepted) return;
        if (!one->task) one->outcome = channel::to_string(e.outcome);  // of a task the outcome stays, its status tells the rest
        one->state = "failed";
        one->answered_at = record.time;
        one->code = e.code;
        one->detail = e.detail;
        tell_call(one, e.code);
    }
    void add(const TouchFailed& e) {
        auto* one = touch.attempt(e.attempt);
        if (e.provider_id.empty()) tell_call(one, e.raw);
        if (one == nullptr || !dispatch::advances(one->progress, dispatch::Progress::failed)) return;
        one->progress = dispatch::Progress::failed;
        one->state = "failed";
    }
    void add(const TouchUnknown& e) {
        auto* one = touch.attempt(e.attempt);
        if (one == nullptr) return;
        one->outcome = "unknown";
        if (one->state == "dispatching") one->state = "unknown";
        one->answered_at = record.time;
        one->code = e.code;
        one->detail = e.detail;
    }
    // How a call ended is its outcome, in the words for calls.
    static void tell_call(LoggedAttempt* attempt, const std::string& word) {
        if (attempt != nullptr && policy::call_outcome_number(word) != 0) attempt->outcome = word;
    }
    void set_state(std::uint16_t number, const char* state) {
        if (auto* one = touch.attempt(number)) one->state = state;
    }
    static constexpr dispatch::Progress progress_of(EventType type) {
        switch (type) {
            case EventType::touch_delivered: return dispatch::Progress::delivered;
            case EventType::touch_read: return dispatch::Progress::read;
            case EventType::touch_replied: return dispatch::Progress::replied;
            default: return dispatch::Progress::completed;
        }
    }
};

void LoggedTouch::apply(const Record& record) {
    newest_sequence = record.sequence;
    if (is_receipt_event(static_cast<EventType>(record.type))) {
        visit_as<ReceiptReceived>(record, [&](const ReceiptReceived& e) {
            if (auto* one = attempt(e.attempt))
                one->receipts.push_back({std::string{receipt_word(e.status)}, e.raw, instant_of(e.provider_time), record.time, e.duplicate});
        });
        return;
    }
    visit_touch_event(record, TouchFold{*this, record});
}

Result<std::vector<KeptRecord>> records_of_touch(const LogReader& reader, const TouchId& touch, LogPosition newest, LogPosition created) {
    std::vector<KeptRecord> found;
    std::string buffer;
    for (auto position = newest; position.value != 0 && position >= created;) {
        const auto record = reader.at(position, buffer);
        if (!record) return record.error();
        if (touch_of(*record) == touch) found.emplace_back(*record);
        position = record->previous_of_contact;
    }
    std::reverse(found.begin(), found.end());
    if (found.empty() || static_cast<EventType>(found.front().record.type) != EventType::touch_created)
        return Error{ErrorKind::corrupt, "the records of a contact do not lead back to its touch"};
    return found;
}

void append_attempts(JsonText& json, const LoggedTouch& touch, const NameSource& names) {
    json.open_array("attempts");
    for (const auto& attempt : touch.attempts) {
        // "Too fast" is no attempt: nothing was taken, and the same hand-over is made again. The events tell of it.
        if (attempt.outcome == "throttled") continue;
        const auto profile = names.profile(attempt.profile);
        json.open_object();
        json.number("number", attempt.number);
        json.text("channel", profile.channel);
        json.text("account", profile.account);
        json.text_or_null("outcome", attempt.outcome);
        json.text("state", attempt.state);
        json.instant("permitted_at", attempt.permitted_at);
        // The log knows the permit and the answer, not the first byte between them.
        const bool left = attempt.outcome == "accepted" || attempt.outcome == "unknown" || attempt.outcome == "handed_to_human";
        if (left) json.instant("handed_over_at", attempt.permitted_at);
        else json.null("handed_over_at");
        if (attempt.answered_at) json.instant("answered_at", *attempt.answered_at);
        else json.null("answered_at");
        json.texts("provider_ids", attempt.provider_ids);
        json.number("parts", attempt.parts);
        json.number("segments", attempt.segments);
        if (attempt.cost_micro != 0) {
            json.text("cost", money_text(attempt.cost_micro));
            // Until the provider has said what became of it the price may still change: some bill what was delivered only.
            json.boolean("cost_final", attempt.state == "delivered" || attempt.state == "read" || attempt.state == "failed");
        }
        json.text_if("route_reason", attempt.route_reason);
        if (attempt.task) {
            json.open_object("task");
            json.text("id", attempt.task->id);
            json.text("employee", attempt.task->employee);
            json.text("status", attempt.task->status);
            json.instant("created_at", attempt.task->created_at);
            json.instant("expires_at", attempt.task->ends_at);
            json.close_object();
        }
        if (attempt.code.empty() && attempt.detail.empty()) {
            json.null("error");
        } else {
            json.open_object("error");
            json.text("code", attempt.code);
            json.text("detail", attempt.detail);
            json.close_object();
        }
        json.open_array("receipts");
        for (const auto& receipt : attempt.receipts) {
            json.open_object();
            json.text("status", receipt.status);
            json.text("raw", receipt.raw);
            if (receipt.at) json.instant("at", *receipt.at);
            else json.null("at");
            json.instant("received_at", receipt.received_at);
            json.boolean("duplicate", receipt.duplicate);
            json.close_object();
        }
        json.close_array();
        json.close_object();
    }
    json.close_array();
}

void append_touch(std::string& out, const LoggedTouch& touch, const std::vector<KeptRecord>& records, EventRenderer& renderer,
                  const Visibility& visibility) {
    const auto& names = renderer.names();
    const auto profile = names.profile(touch.profile());
    const auto secret = open_sealed<TouchSecret>(names, touch.contact, touch.created.sealed);
    JsonText json{out};
    json.open_object();
    json.uuid("id", touch.created.id);
    json.text_or_null("key", secret ? std::string_view{secret->key} : std::string_view{});
    json.text_or_null("contact_id", names.contact_id(touch.contact));
    json.text("state", to_string(touch.states.state));
    json.text_or_null("channel", profile.channel);
    json.text_or_null("account", profile.account);
    append_decision(json, "decision", touch.decision, names);
    json.boolean("duplicate", false);
    json.instant("created_at", touch.created_at);
    json.text_or_null("reason", touch.states.reason);
    json.text("purpose", profile.purpose);
    json.text_or_null("campaign", profile.campaign);
    json.text_or_null("arm", touch.created.arm);
    json.instant("expires_at", touch.created.expires_at);
    json.instant("updated_at", touch.states.updated_at);
    json.boolean("final", touch.states.final);
    json.number("priority", touch.created.priority);
    json.instant_or_null("not_before", touch.created.not_before);
    json.text_or_null("template", profile.template_name);
    json.text_or_null("unit", profile.unit);
    json.text_if("callback", touch.created.callback);
    json.text_if("key_name", touch.created.key_name);
    if (touch.created.segments != 0) json.number("segments", touch.created.segments);
    append_steps(json, touch.created, names);
    if (secret && !secret->metadata.empty()) append_metadata(json, secret->metadata);
    append_attempts(json, touch, names);
    if (!records.empty()) {
        json.open_array("events");
        for (const auto& kept : records) {
            renderer.append_brief(out, kept.view(), visibility);
        }
        json.close_array();
    }
    json.close_object();
}

Result<TimelinePage> read_timeline(const LogReader& reader, EventRenderer& renderer, LogPosition newest, std::size_t limit,
                                   const Visibility& visibility) {
    TimelinePage page;
    std::string buffer;
    page.next = newest;
    while (page.next.value != 0 && page.items.size() < limit) {
        const auto record = reader.at(page.next, buffer);
        if (!record) return record.error();
        auto& item = page.items.emplace_back();
        item.sequence = record->sequence;
        item.type = feed_name(*record);
        renderer.append(item.json, *record, visibility);
        page.next = record->previous_of_contact;
    }
    return page;
}

}  // namespace touchgate::projection
