#include "gateway/routing/definitions.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace touchgate::routing {

namespace {

constexpr TextLimits id_limits{1, 200};
constexpr int level_max = 100;
constexpr int capacity_max = 1'000;
constexpr Duration wait_longest = std::chrono::hours{24 * 30};

constexpr std::array<std::string_view, 13> strategies = {"ring_all",        "ring_progressively", "longest_idle", "round_robin", "least_loaded", "fewest_calls", "least_talk_time",
                                                         "top_down",        "best_skill",         "sticky",       "weighted",    "fair_share",   "random"};

Skills read_skills(JsonReader& owner, std::string_view key) {
    Skills skills;
    owner.members(key, [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (name.empty() || name.size() > id_limits.bytes_max || name.find(':') != std::string::npos) owner.problems().push_back({pointer, "the name of a skill has 1 to 200 bytes and no colon"});
        if (!value.is_number_integer() || value < 0 || value > level_max) owner.problems().push_back({pointer, "must be a whole number from 0 to 100"});
        else skills[name] = value.get<int>();
    });
    return skills;
}

// `count` of each channel.
std::map<std::string, int, std::less<>> read_capacity(JsonReader& owner) {
    std::map<std::string, int, std::less<>> capacity;
    owner.members("capacity", [&](const std::string& channel, const Json& value, const std::string& pointer) {
        if (!value.is_number_integer() || value < 0 || value > capacity_max) owner.problems().push_back({pointer, "must be a whole number from 0 to 1000"});
        else capacity[channel] = value.get<int>();
    });
    return capacity;
}

std::vector<std::string> read_names(JsonReader& owner, std::string_view key) {
    auto names = owner.texts(key);
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto pointer = pointer_to(pointer_to(owner.pointer(), key), i);
        if (names[i].empty() || names[i].size() > id_limits.bytes_max) owner.problems().push_back({pointer, "must have 1 to 200 bytes"});
        else if (!seen.insert(names[i]).second) owner.problems().push_back({pointer, "\"" + names[i] + "\" stands in the list twice"});
    }
    return names;
}

// A name, or {"queue","tier","position","weight"}.
std::vector<Membership> read_memberships(JsonReader& owner) {
    constexpr int place_max = 10'000;
    constexpr double weight_least = 0.001, weight_most = 1'000;
    std::vector<Membership> all;
    const auto* list = owner.raw("queues");
    if (list == nullptr) return all;
    const auto pointer = pointer_to(owner.pointer(), "queues");
    if (!list->is_array()) {
        owner.problem("queues", "must be an array of names or of objects with \"queue\", \"tier\", \"position\" and \"weight\"");
        return all;
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto& entry = (*list)[i];
        const auto here = pointer_to(pointer, i);
        Membership membership;
        membership.position = static_cast<int>(std::min<std::size_t>(i + 1, place_max));
        if (entry.is_string()) membership.queue = entry.get<std::string>();
        else if (entry.is_object()) {
            JsonReader body{entry, here, owner.problems()};
            membership.queue = body.required_text("queue", id_limits);
            membership.tier = static_cast<int>(body.integer("tier", 1, 0, place_max));
            membership.position = static_cast<int>(body.integer("position", membership.position, 0, place_max));
            membership.weight = body.number("weight", 1, weight_least, weight_most);
            body.finish();
        } else {
            owner.problems().push_back({here, "must be the name of a queue or an object with \"queue\""});
            continue;
        }
        if (membership.queue.empty() || membership.queue.size() > id_limits.bytes_max) owner.problems().push_back({here, "the name of a queue has 1 to 200 bytes"});
        else if (!seen.insert(membership.queue).second) owner.problems().push_back({here, "\"" + membership.queue + "\" stands in the list twice"});
        else all.push_back(std::move(membership));
    }
    return all;
}

std::optional<AgentDefinition::Absence> read_absence(JsonReader& owner) {
    auto body = owner.object("absent");
    if (!body) return std::nullopt;
    AgentDefinition::Absence absence;
    const auto from = body->instant("from");
    const auto to = body->instant("to");
    absence.delegate = body->text("delegate", {}, {0, id_limits.bytes_max});
    body->finish();
    if (!from) body->problem("from", "is required: an instant");
    if (!to) body->problem("to", "is required: an instant");
    if (!from || !to) return std::nullopt;
    if (*from >= *to) body->problem("to", "must be after from");
    absence.from = *from;
    absence.to = *to;
    return absence;
}

// What they mean is told by whoever knows calendars.
Json read_hours(JsonReader& owner, std::string_view key) {
    const auto* value = owner.raw(key);
    if (value == nullptr) return nullptr;
    const bool listed = value->is_array() && std::all_of(value->begin(), value->end(), [](const Json& each) { return each.is_object(); });
    if (!value->is_object() && !listed) owner.problem(key, "must be an object or an array of objects that say when");
    return *value;
}

// {"to": "queue:NAME" | "promise" | "hangup" | "voicemail"}, or the word alone.
Overflow read_overflow(JsonReader& owner, std::string_view key) {
    const auto* value = owner.raw(key);
    if (value == nullptr) return {};
    std::string word;
    if (value->is_string()) word = value->get<std::string>();
    else if (value->is_object()) {
        JsonReader body{*value, pointer_to(owner.pointer(), key), owner.problems()};
        word = body.required_text("to", id_limits);
        body.finish();
        if (word.empty()) return {};
    }
    constexpr std::string_view queue_prefix = "queue:";
    if (word.starts_with(queue_prefix) && word.size() > queue_prefix.size()) return {.kind = Overflow::Kind::queue, .queue = word.substr(queue_prefix.size())};
    if (word == "promise") return {Overflow::Kind::promise, {}};
    if (word == "hangup" || word == "hang_up") return {Overflow::Kind::hang_up, {}};
    if (word == "voicemail") return {Overflow::Kind::voicemail, {}};
    owner.problem(key, "must be {\"to\": \"queue:NAME\"}, or \"promise\", \"hangup\" or \"voicemail\" as `to`");
    return {};
}

void read_dnc(JsonReader& body, Disposition& to) {
    auto dnc = body.object("dnc");
    if (!dnc) return;
    to.dnc_channels = read_names(*dnc, "channels");
    to.dnc_purposes = read_names(*dnc, "purposes");
    if (dnc->has("for")) to.dnc_for = dnc->duration("for", Duration{0});
    dnc->finish();
    if (to.dnc_channels.empty()) to.dnc_channels = {"*"};
}

std::vector<Disposition> read_dispositions(JsonReader& owner) {
    std::vector<Disposition> all;
    const auto* list = owner.raw("dispositions");
    if (list == nullptr) return all;
    const auto pointer = pointer_to(owner.pointer(), "dispositions");
    if (!list->is_array()) {
        owner.problem("dispositions", "must be an array of codes or of objects with \"code\"");
        return all;
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto& entry = (*list)[i];
        const auto here = pointer_to(pointer, i);
        Disposition made;
        if (entry.is_string()) made.code = entry.get<std::string>();
        else if (entry.is_object()) {
            JsonReader body{entry, here, owner.problems()};
            made.code = body.required_text("code", id_limits);
            made.label = body.text("label");
            made.outcome = body.choice("outcome", {"success", "failure", "neutral"}, "neutral");
            made.right_party = body.boolean("right_party", false);
            made.promise = body.boolean("promise", false);
            if (body.has("retry_after")) made.retry_after = body.duration("retry_after", Duration{0});
            read_dnc(body, made);
            body.finish();
        } else owner.problems().push_back({here, "must be a code or an object with \"code\""});
        if (made.code.empty()) continue;
        if (!seen.insert(made.code).second) owner.problems().push_back({here, "\"" + made.code + "\" stands in the list twice"});
        all.push_back(std::move(made));
    }
    return all;
}

// A ring that names no skills or tiers keeps those of the one before it.
void read_rings(JsonReader& owner, QueueDefinition& to) {
    constexpr std::size_t rings_max = 16;
    constexpr int tiers_max = 10'000;
    owner.objects("relax", [&](JsonReader& body, std::size_t) {
        Ring ring;
        if (!body.has("after")) body.problem("after", "is required: a duration such as \"PT20S\"");
        ring.after = body.duration("after", Duration{0}, Duration{0}, wait_longest);
        ring.required_skills = body.has("required_skills") ? read_skills(body, "required_skills") : to.relax.empty() ? to.required_skills : to.relax.back().required_skills;
        if (body.has("tiers")) ring.tiers = static_cast<int>(body.integer("tiers", 1, 0, tiers_max));
        else if (!to.relax.empty()) ring.tiers = to.relax.back().tiers;
        body.finish();
        if (!to.relax.empty() && ring.after <= to.relax.back().after) body.problem("after", "must be longer than that of the ring before");
        to.relax.push_back(std::move(ring));
    });
    if (to.relax.size() > rings_max) owner.problem("relax", "must be at most 16 rings");
}

// Of a conversation that nobody has gone on with: by default 5 minutes before it is closed, or half of the time if that is less.
void read_idle_notice(JsonReader& body, QueueDefinition& to) {
    if (to.idle_close) to.idle_notice = std::min(Duration{300'000}, *to.idle_close / 2);
    auto notice = body.object("idle_notice");
    if (!notice) return;
    to.idle_notice = notice->duration("before", to.idle_notice, Duration{0}, one_day);
    to.idle_text = notice->text("text", {}, {0, 1'000});
    notice->finish();
    if (!to.idle_close) body.problem("idle_notice", "needs idle_close");
    else if (to.idle_notice >= *to.idle_close) body.problem("idle_notice", "\"before\" must be shorter than idle_close");
}

void read_rona(JsonReader& owner, QueueDefinition& to) {
    constexpr int most = 1'000;
    const auto* value = owner.raw("rona");
    if (value == nullptr) return;
    if (value->is_object()) {
        JsonReader body{*value, pointer_to(owner.pointer(), "rona"), owner.problems()};
        to.rona_voice = static_cast<int>(body.integer("voice", to.rona_voice, 1, most));
        to.rona_message = static_cast<int>(body.integer("message", to.rona_message, 1, most));
        body.finish();
    } else to.rona_voice = to.rona_message = static_cast<int>(owner.integer("rona", 1, 1, most));
}

// "requeue" or {"hold_for": duration}; {"hold_for": null} keeps the conversation with him until somebody moves it.
void read_on_offline(JsonReader& owner, QueueDefinition& to) {
    const auto* value = owner.raw("on_offline");
    if (value == nullptr || *value == "requeue") return;
    if (*value == "keep") {
        to.requeue_on_offline = false;
        return;
    }
    if (!value->is_object()) return owner.problem("on_offline", "must be \"requeue\", \"keep\" or {\"hold_for\": duration}");
    JsonReader body{*value, pointer_to(owner.pointer(), "on_offline"), owner.problems()};
    if (!body.has("hold_for")) body.problem("hold_for", "is required: a duration such as \"PT10M\"");
    to.hold_for = body.duration("hold_for", Duration{0}, Duration{0}, wait_longest);
    body.finish();
}

void check_id(const std::string& id, std::vector<Problem>& problems) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '@'; };
    if (id.empty() || id.size() > id_limits.bytes_max || !std::all_of(id.begin(), id.end(), allowed))
        problems.push_back({"/id", "must have 1 to 200 letters, digits, \"_\", \".\", \"-\" or \"@\""});
}

// The document may repeat the id of its path.
void read_id(JsonReader& body, const std::string& id) {
    if (body.has("id") && body.text("id") != id) body.problem("id", "must be that of the path");
}

}  // namespace

AgentDefinition parse_agent(const std::string& id, const Json& document, std::vector<Problem>& problems) {
    AgentDefinition to;
    to.id = id;
    check_id(id, problems);
    JsonReader body{document, "", problems};
    if (!document.is_object()) return to;
    read_id(body, id);
    to.name = body.text("name", {}, {0, 200});
    to.unit = body.text("unit", {}, {0, 200});
    to.skills = read_skills(body, "skills");
    to.capacity = read_capacity(body);
    if (body.has("total")) to.total = static_cast<int>(body.integer("total", 0, 0, capacity_max));
    to.exclusive = read_names(body, "exclusive");
    to.extension = body.text("extension", {}, {0, 200});
    to.queues = read_memberships(body);
    to.role = body.choice("role", {"agent", "supervisor"}, "agent") == "supervisor" ? Role::supervisor : Role::agent;
    to.supervises = read_names(body, "supervises");
    to.rights = read_names(body, "rights");
    to.dial_purposes = body.has("dial_purposes") ? read_names(body, "dial_purposes") : std::vector<std::string>{"service"};
    to.share = body.number("share", 1, 0.001, 1'000);
    to.shift = read_hours(body, "shift");
    to.drain_before = body.duration("drain_before", to.drain_before, Duration{0}, one_day);
    to.wecom_userid = body.text("wecom_userid", {}, {0, 200});
    to.absent = read_absence(body);
    to.language = body.text("language", {}, {0, 35});
    to.disabled = body.boolean("disabled", false);
    body.finish();
    return to;
}

QueueDefinition parse_queue(const std::string& id, const Json& document, std::vector<Problem>& problems) {
    QueueDefinition to;
    to.id = id;
    check_id(id, problems);
    JsonReader body{document, "", problems};
    if (!document.is_object()) return to;
    read_id(body, id);
    to.name = body.text("name", {}, {0, 200});
    to.unit = body.text("unit", {}, {0, 200});
    to.channels = read_names(body, "channels");
    const auto word = body.choice("strategy", {strategies[0], strategies[1], strategies[2], strategies[3], strategies[4], strategies[5], strategies[6], strategies[7], strategies[8],
                                               strategies[9], strategies[10], strategies[11], strategies[12]}, "longest_idle");
    if (const auto found = std::find(strategies.begin(), strategies.end(), word); found != strategies.end()) to.strategy = static_cast<Strategy>(found - strategies.begin());
    to.required_skills = read_skills(body, "required_skills");
    read_rings(body, to);
    to.offer_timeout_given = body.has("offer_timeout");
    to.offer_timeout = body.duration("offer_timeout", to.offer_timeout, Duration{1'000}, one_day);
    if (auto level = body.object("service_level")) {
        to.service_level_percent = level->number("percent", to.service_level_percent, 0, 100);
        to.service_level_within = level->duration("within", to.service_level_within);
        level->finish();
    }
    if (body.has("max_wait")) to.max_wait = body.duration("max_wait", Duration{0}, Duration{0}, wait_longest);
    to.overflow = read_overflow(body, "overflow");
    if (body.has("when_empty")) to.when_empty = read_overflow(body, "when_empty");
    to.wrap_up = body.duration("wrap_up", to.wrap_up, Duration{0}, one_day);
    to.wrap_up_mandatory = body.boolean("wrap_up_mandatory", false);
    to.default_disposition = body.text("default_disposition", {}, {0, 200});
    to.dispositions = read_dispositions(body);
    to.priority = static_cast<int>(body.integer("priority", to.priority, 0, 100));
    to.age_weight = body.number("age_weight", to.age_weight, 0, 1'000);
    read_rona(body, to);
    if (auto backoff = body.object("backoff")) {
        to.backoff_reject = backoff->duration("reject", to.backoff_reject, Duration{0}, one_day);
        to.backoff_no_answer = backoff->duration("no_answer", to.backoff_no_answer, Duration{0}, one_day);
        backoff->finish();
    }
    to.progressive_step = body.duration("progressive_step", to.progressive_step, Duration{1'000}, one_day);
    to.sticky_for = body.duration("sticky_for", to.sticky_for);
    to.resume_within = body.duration("resume_within", to.resume_within, Duration{0}, one_day);
    to.hours = read_hours(body, "hours");
    to.closed = read_overflow(body, "closed");
    if (body.has("reply_within")) to.reply_within = body.duration("reply_within", Duration{0}, Duration{1'000});
    if (body.has("idle_close")) to.idle_close = body.duration("idle_close", Duration{0}, Duration{1'000});
    read_idle_notice(body, to);
    read_on_offline(body, to);
    to.handler = body.choice("handler", {"bot", "agent", "none"}, to.handler);
    if (auto handover = body.object("handover")) {
        to.handover_words = handover->texts("words", to.handover_words);
        to.handover_after = static_cast<int>(handover->integer("after", 0, 0, 100));
        handover->finish();
    }
    to.short_abandon = body.duration("short_abandon", to.short_abandon);
    body.finish();
    if (!to.default_disposition.empty() && !to.dispositions.empty() &&
        std::none_of(to.dispositions.begin(), to.dispositions.end(), [&](const auto& entry) { return entry.code == to.default_disposition; }))
        body.problem("default_disposition", "must be one of the dispositions");
    for (const auto& [key, overflow] : {std::pair{"overflow", &to.overflow}, std::pair{"closed", &to.closed}})
        if (overflow->kind == Overflow::Kind::queue && overflow->queue == id) body.problem(key, "must be another queue");
    if (to.when_empty && to.when_empty->kind == Overflow::Kind::queue && to.when_empty->queue == id) body.problem("when_empty", "must be another queue");
    return to;
}

std::string_view to_string(Strategy strategy) {
    const auto number = static_cast<std::size_t>(strategy);
    return number < strategies.size() ? strategies[number] : "longest_idle";
}

}  // namespace touchgate::routing
