#include "gateway/policy/cases.hpp"

#include <algorithm>
#include <cmath>

#include "gateway/policy/calendar.hpp"
#include "gateway/policy/call_outcomes.hpp"
#include "gateway/policy/explain.hpp"
#include "gateway/policy/labels.hpp"

namespace touchgate::policy {

namespace {

// Sources whose grants may end a withdrawal, as in the gateway's default configuration.
constexpr std::string_view regrant_sources[] = {"customer", "reply", "form", "agent"};

struct Names {
    std::string purpose, channel, account, campaign, unit, template_name;
};

struct ConsentRecord {
    std::string channel, purpose, unit;
    bool granted = false;
    bool may_regrant = false;  // has evidence and comes from a source that may end a withdrawal
    Instant at{};
};

struct ListRecord {
    std::string list;
    Instant expires_at = instant_never;
    std::vector<std::string> channels, purposes;
};

using Attributes = std::map<std::string, AttributeValue, std::less<>>;

// Cost and labels of an attempt or of the touch in hand.
struct Facts {
    std::int64_t cost_micros = 0;
    std::string currency = "CNY";
    std::string caller_id, list;
    std::optional<std::string> region;       // absent: of the case's address
    std::optional<Attributes> attributes;    // absent: of the case's contact
    std::map<std::string, std::string, std::less<>> metadata;
};

struct ActRecord {
    Instant at{};
    std::string event, kind, channel;
};

struct Attempt {
    Names names;
    Facts facts;
    Instant at{};
    Slot slot = Slot::counted;
    std::uint64_t touch = 0;
    std::uint32_t address = 1;
    std::uint16_t attempt = 1;
    std::uint8_t outcome = 0;
    bool of_other_contact = false;
};

struct Case {
    std::string name;
    Instant now{};
    std::string contact_id = "case";
    std::string time_zone;
    std::vector<ConsentRecord> consents;
    std::vector<std::string> tags;
    Attributes attributes;
    std::vector<ActRecord> acts;
    bool restricted = false;
    bool open_ticket = false;
    Instant last_inbound = Instant::min(), last_complaint = Instant::min(), last_conversation_end = Instant::min(), last_reply = Instant::min();
    std::uint32_t address = 1;
    std::string region, carrier;
    std::vector<std::string> zones;
    std::vector<ListRecord> lists;
    bool gone = false, erased = false, review_pending = false;
    std::vector<Attempt> history;
    std::vector<std::vector<Attempt>> members;
    Facts facts;  // of the touch
    bool predictive = false;
    Names touch;  // the channel is set for each of `channels`
    std::vector<std::string> channels;
    std::uint64_t touch_number = 1;
    Origin origin = Origin::api;
    Instant not_before = Instant::min(), expires_at = instant_never;
    bool held_out = false, template_not_filed = false;
    bool has_text = false;
    std::string text, sign_name;
    int segments = 1;
    std::string verdict;
    std::optional<std::string> rule, until, reason, channel;  // what is expected; "" for null
};

class CaseParser {
public:
    explicit CaseParser(JsonReader& reader) : reader_{reader} {}

    Case parse() {
        made_.name = reader_.required_text("name");
        if (reader_.raw("now") == nullptr) reader_.problem("now", "is required: an RFC 3339 time");
        made_.now = reader_.instant("now").value_or(Instant{});
        if (auto contact = reader_.object("contact")) read_contact(*contact);
        if (auto address = reader_.object("address")) read_address(*address);
        made_.history = read_history(reader_);
        if (auto touch = reader_.object("touch")) read_touch(*touch);
        else reader_.problem("touch", "is required");
        if (auto expect = reader_.object("expect")) read_expected(*expect);
        else reader_.problem("expect", "is required");
        reader_.finish();
        return std::move(made_);
    }

private:
    static Names read_names(JsonReader& reader) {
        return {reader.text("purpose"),  reader.text("channel"), reader.text("account"),
                reader.text("campaign"), reader.text("unit"),    reader.text("template")};
    }

    void read_contact(JsonReader& reader) {
        made_.contact_id = reader.text("id", made_.contact_id);
        made_.time_zone = reader.text("time_zone");
        made_.tags = reader.texts("tags");
        made_.restricted = reader.boolean("restricted", false);
        made_.open_ticket = reader.boolean("open_ticket", false);
        made_.last_inbound = reader.instant("last_inbound").value_or(Instant::min());
        made_.last_complaint = reader.instant("last_complaint").value_or(Instant::min());
        made_.last_conversation_end = reader.instant("last_conversation_end").value_or(Instant::min());
        made_.last_reply = reader.instant("last_reply").value_or(Instant::min());
        made_.attributes = read_attributes(reader);
        reader.objects("acts", [&](JsonReader& entry, std::size_t) {
            if (entry.raw("at") == nullptr) entry.problem("at", "is required: an RFC 3339 time");
            made_.acts.push_back({entry.instant("at").value_or(Instant{}), entry.text("event", "event.received"), entry.text("kind"), entry.text("channel")});
            entry.finish();
        });
        std::stable_sort(made_.acts.begin(), made_.acts.end(), [](const ActRecord& a, const ActRecord& b) { return a.at < b.at; });
        reader.objects("consents", [&](JsonReader& entry, std::size_t) {
            ConsentRecord record;
            record.channel = entry.text("channel", "*");
            record.purpose = entry.text("purpose", "*");
            record.unit = entry.text("unit");
            record.granted = entry.choice("status", {"granted", "withdrawn"}, "granted") == "granted";
            record.at = entry.instant("at").value_or(Instant{});
            const auto source = entry.text("source");
            record.may_regrant = entry.raw("evidence") != nullptr &&
                                 std::find(std::begin(regrant_sources), std::end(regrant_sources), source) != std::end(regrant_sources);
            entry.text("notice_version");
            entry.finish();
            made_.consents.push_back(std::move(record));
        });
        reader.finish();
    }

    void read_address(JsonReader& reader) {
        made_.address = static_cast<std::uint32_t>(reader.integer("number", 1, 0, 1'000'000));
        made_.region = reader.text("region");
        made_.carrier = reader.text("carrier");
        made_.zones = reader.texts("zones");
        made_.gone = reader.boolean("gone", false);
        made_.erased = reader.boolean("erased", false);
        made_.review_pending = reader.boolean("review_pending", false);
        reader.objects("lists", [&](JsonReader& entry, std::size_t) {
            made_.lists.push_back(
                {entry.required_text("list"), entry.instant("expires_at").value_or(instant_never), entry.texts("channels"), entry.texts("purposes")});
            entry.finish();
        });
        reader.finish();
    }

    static Attributes read_attributes(JsonReader& reader) {
        Attributes attributes;
        reader.members("attributes", [&](const std::string& name, const Json& value, const std::string& pointer) {
            if (value.is_boolean()) attributes[name] = value.get<bool>();
            else if (value.is_number()) attributes[name] = value.get<double>();
            else if (value.is_string()) attributes[name] = value.get<std::string>();
            else reader.problems().push_back({pointer, "must be a string, a number or a boolean"});
        });
        return attributes;
    }

    static Facts read_facts(JsonReader& reader) {
        Facts facts;
        facts.cost_micros = std::llround(reader.number("cost", 0, 0, 1e9) * 1e6);
        facts.currency = reader.text("currency", facts.currency, {3, 3});
        facts.caller_id = reader.text("caller_id");
        facts.list = reader.text("list");
        reader.members("metadata", [&](const std::string& name, const Json& value, const std::string& pointer) {
            if (value.is_string()) facts.metadata[name] = value.get<std::string>();
            else reader.problems().push_back({pointer, "must be text"});
        });
        return facts;
    }

    static std::vector<Attempt> read_history(JsonReader& reader) {
        std::vector<Attempt> history;
        reader.objects("history", [&](JsonReader& entry, std::size_t index) { history.push_back(read_attempt(entry, index)); });
        std::stable_sort(history.begin(), history.end(), [](const Attempt& a, const Attempt& b) { return a.at < b.at; });
        return history;
    }

    static Attempt read_attempt(JsonReader& reader, std::size_t index) {
        Attempt attempt;
        attempt.names = read_names(reader);
        attempt.facts = read_facts(reader);
        if (reader.raw("region") != nullptr) attempt.facts.region = reader.text("region");
        if (reader.raw("attributes") != nullptr) attempt.facts.attributes = read_attributes(reader);
        if (reader.raw("at") == nullptr) reader.problem("at", "is required: an RFC 3339 time");
        attempt.at = reader.instant("at").value_or(Instant{});
        const auto slot = reader.choice("slot", {"reserved", "counted", "failed", "released"}, "counted");
        attempt.slot = slot == "reserved" ? Slot::reserved : slot == "failed" ? Slot::failed : slot == "released" ? Slot::released : Slot::counted;
        attempt.touch = static_cast<std::uint64_t>(reader.integer("touch", static_cast<std::int64_t>(index) + 1'000, 0));
        attempt.attempt = static_cast<std::uint16_t>(reader.integer("attempt", 1, 1, 1'000));
        attempt.address = static_cast<std::uint32_t>(reader.integer("address", 1, 0, 1'000'000));
        attempt.of_other_contact = !reader.text("contact").empty();
        if (const auto outcome = reader.text("outcome"); !outcome.empty()) {
            attempt.outcome = call_outcome_number(outcome);
            if (attempt.outcome == 0) reader.problem("outcome", "is no call outcome");
        }
        reader.finish();
        return attempt;
    }

    void read_touch(JsonReader& reader) {
        made_.touch = read_names(reader);
        made_.facts = read_facts(reader);
        made_.predictive = reader.boolean("predictive", false);
        reader.objects("members", [&](JsonReader& member, std::size_t) {
            made_.members.push_back(read_history(member));
            member.finish();
        });
        made_.channels = reader.texts("channels");
        if (made_.channels.empty()) made_.channels.push_back(made_.touch.channel);
        made_.touch_number = static_cast<std::uint64_t>(reader.integer("number", 1, 0));
        made_.not_before = reader.instant("not_before").value_or(Instant::min());
        made_.expires_at = reader.instant("expires_at").value_or(instant_never);
        made_.held_out = reader.boolean("held_out", false);
        made_.template_not_filed = reader.boolean("template_not_filed", false);
        const auto origin = reader.choice("origin", {"api", "campaign", "journey", "agent", "reply", "bot", "promise", "welcome"}, "api");
        for (const auto& [word, value] :
             {std::pair{"api", Origin::api}, std::pair{"campaign", Origin::campaign}, std::pair{"journey", Origin::journey},
              std::pair{"agent", Origin::agent}, std::pair{"reply", Origin::reply}, std::pair{"bot", Origin::bot},
              std::pair{"promise", Origin::promise}, std::pair{"welcome", Origin::welcome}})
            if (origin == word) made_.origin = value;
        if (auto content = reader.object("content")) {
            made_.has_text = content->raw("text") != nullptr;
            made_.text = content->text("text", {}, {0, 100'000});
            made_.sign_name = content->text("sign_name");
            made_.segments = static_cast<int>(content->integer("segments", 1, 1, 255));
            content->finish();
        }
        reader.finish();
    }

    void read_expected(JsonReader& reader) {
        made_.verdict = reader.required_text("verdict");
        if (made_.verdict != "allow" && made_.verdict != "defer" && made_.verdict != "deny")
            reader.problem("verdict", "must be allow, defer or deny");
        const auto expected = [&](const std::string& key) -> std::optional<std::string> {
            if (reader.value().is_object() && reader.value().contains(key) && reader.value().at(key).is_null()) {
                reader.raw(key);
                return std::string{};
            }
            if (reader.raw(key) == nullptr) return std::nullopt;
            return reader.text(key);
        };
        made_.rule = expected("rule");
        made_.until = expected("until");
        made_.reason = expected("reason");
        made_.channel = expected("channel");
        if (made_.until && !made_.until->empty()) {
            if (const auto until = parse_instant(*made_.until)) made_.until = format_instant(*until);
            else reader.problem("until", "must be an RFC 3339 time");
        }
        reader.finish();
    }

    JsonReader& reader_;
    Case made_;
};

// All attempts of the case, whoever's they are, by counter.
class CaseHistory final : public SharedHistory {
public:
    void add(std::size_t by_set, std::uint64_t key, const HistoryEntry& entry) { entries_[{by_set, key}].push_back(entry); }
    [[nodiscard]] std::span<const HistoryEntry> entries(std::size_t by_set, std::uint64_t key) const override {
        const auto found = entries_.find({by_set, key});
        return found == entries_.end() ? std::span<const HistoryEntry>{} : found->second;
    }

private:
    std::map<std::pair<std::size_t, std::uint64_t>, std::vector<HistoryEntry>> entries_;
};

class CaseRun {
public:
    CaseRun(const Case& tested, CompiledPolicy& policy, SymbolTable& symbols, ProfileTable& profiles)
        : case_{tested}, policy_{policy}, symbols_{symbols}, profiles_{profiles} {
        for (const auto& tag : case_.tags) tags_.push_back(symbols_.intern(tag));
        for (const auto& record : case_.lists) {
            ListEntry entry{symbols_.intern(record.list), record.expires_at};
            for (const auto& channel : record.channels) entry.channels.push_back(symbols_.intern(channel));
            for (const auto& purpose : record.purposes) entry.purposes.push_back(symbols_.intern(purpose));
            lists_.push_back(std::move(entry));
        }
        for (const auto& record : case_.acts)
            acts_.push_back({record.at, symbols_.intern(record.event), symbols_.intern(record.kind), symbols_.intern(record.channel)});
        for (const auto& attempt : case_.history) {
            const auto entry = entry_of(attempt);
            if (!attempt.of_other_contact) history_.push_back(entry);
            for (std::size_t by_set = 0; by_set < policy_.shared_counter_count(); ++by_set)
                if (std::uint64_t key = 0; policy_.counter_key(by_set, profiles_.at(entry.profile), entry, key)) shared_.add(by_set, key, entry);
        }
        for (const auto& member : case_.members) {
            auto& entries = member_entries_.emplace_back();
            for (const auto& attempt : member) entries.push_back(entry_of(attempt));
        }
        for (const auto& entries : member_entries_) members_.emplace_back(entries);
        facts_ = facts_of(case_.facts);
    }

    CaseResult run() {
        std::optional<Decision> best;
        std::string channel;
        for (const auto& tried : case_.channels) {
            auto decision = decide(tried);
            // allow before defer before deny, the earlier `until` first; of two that deny the first.
            const auto rank = [](const Decision& one) { return std::pair{one.verdict, one.until}; };
            if (!best || rank(decision) < rank(*best)) {
                best = std::move(decision);
                channel = tried;
            }
            if (best->verdict == Verdict::allow) break;
        }
        CaseResult result{.name = case_.name, .differences = {}, .decision = decision_json(policy_, policy_.name(), *best, [](std::uint64_t touch) {
                                                                     return std::to_string(touch);
                                                                 })};
        const auto compare = [&](const char* what, const std::optional<std::string>& expected, const Json& got) {
            const auto text = got.is_string() ? got.get<std::string>() : std::string{};
            if (expected && *expected != text)
                result.differences.push_back(std::string{what} + ": expected " + (expected->empty() ? "null" : *expected) + ", got " +
                                             (text.empty() ? "null" : text));
        };
        compare("verdict", case_.verdict, result.decision["verdict"]);
        compare("rule", case_.rule, result.decision["rule"]);
        compare("until", case_.until, result.decision["until"]);
        compare("reason", case_.reason, result.decision.value("reason", Json(nullptr)));
        compare("channel", case_.channel, channel);
        result.passed = result.differences.empty();
        return result;
    }

private:
    ProfileId intern(const Profile& names) {
        bool made = false;
        const auto profile = profiles_.intern(names, made);
        policy_.prepare_profile(profile);
        return profile;
    }
    Profile profile_of(const Names& names) {
        return {symbols_.intern(names.purpose),  symbols_.intern(names.channel), symbols_.intern(names.account),
                symbols_.intern(names.campaign), symbols_.intern(names.unit),    symbols_.intern(names.template_name)};
    }
    AttemptFacts facts_of(const Facts& facts) {
        const LabelSources sources{.metadata = &facts.metadata,
                                   .attributes = facts.attributes ? &*facts.attributes : &case_.attributes,
                                   .region = facts.region ? *facts.region : case_.region,
                                   .caller_id = facts.caller_id,
                                   .list = facts.list};
        return {.cost_micros = facts.cost_micros,
                .currency = facts.cost_micros == 0 ? Symbol{} : symbols_.intern(facts.currency),
                .labels = make_labels(policy_, symbols_, sources, [](std::string_view text) { return std::hash<std::string_view>{}(text); })};
    }
    HistoryEntry entry_of(const Attempt& attempt) {
        bool made = false;
        const auto profile = intern(profile_of(attempt.names));
        return {attempt.at,   attempt.touch,   profile,         attempt.address,
                attempt.slot, attempt.outcome, attempt.attempt, profiles_.facts().intern(facts_of(attempt.facts), made)};
    }
    Symbol star(const std::string& name) { return name == "*" ? Symbol{} : symbols_.intern(name); }

    // The records as the engine hands them over: what ended a withdrawal was decided when the grant came in, for this channel and purpose.
    std::vector<Consent> consents(const Names& touch) {
        std::vector<Consent> records;
        const auto covers = [](const std::string& pattern, const std::string& name) { return pattern == "*" || pattern == name; };
        for (const auto& record : case_.consents) {
            Consent made{star(record.channel), star(record.purpose), symbols_.intern(record.unit), record.granted, false, record.at};
            if (!record.granted)
                made.ended = std::any_of(case_.consents.begin(), case_.consents.end(), [&](const ConsentRecord& grant) {
                    const bool as_specific = covers(record.channel, grant.channel) && covers(record.purpose, grant.purpose) &&
                                             (record.unit.empty() || record.unit == grant.unit);
                    return grant.granted && grant.may_regrant && grant.at > record.at && grant.at <= case_.now && as_specific &&
                           covers(grant.channel, touch.channel) && covers(grant.purpose, touch.purpose);
                });
            records.push_back(made);
        }
        return records;
    }

    Decision decide(const std::string& channel) {
        auto touch = case_.touch;
        touch.channel = channel;
        const auto names = profile_of(touch);
        const auto records = consents(touch);
        const Request request{.profile = intern(names),
                              .names = names,
                              .origin = case_.origin,
                              .touch = case_.touch_number,
                              .not_before = case_.not_before,
                              .expires_at = case_.expires_at,
                              .content = {case_.text, case_.has_text, case_.sign_name, case_.segments},
                              .held_out = case_.held_out,
                              .template_not_filed = case_.template_not_filed,
                              .contact_key = case_.contact_id,
                              .metadata = &case_.facts.metadata,
                              .facts = &facts_,
                              .predictive = case_.predictive,
                              .members = members_};
        const ContactView contact{.time_zone = case_.time_zone,
                                  .consents = records,
                                  .tags = tags_,
                                  .attributes = &case_.attributes,
                                  .restricted = case_.restricted,
                                  .last_inbound = case_.last_inbound,
                                  .last_complaint = case_.last_complaint,
                                  .last_conversation_end = case_.last_conversation_end,
                                  .last_reply = case_.last_reply,
                                  .open_ticket = case_.open_ticket,
                                  .history = history_,
                                  .acts = acts_};
        const AddressView address{.number = case_.address,
                                  .gone = case_.gone,
                                  .lists = lists_,
                                  .erased_denies = case_.erased,
                                  .review_pending = case_.review_pending,
                                  .region = case_.region,
                                  .carrier = case_.carrier,
                                  .zones = case_.zones};
        return policy_.decide(request, contact, address, &shared_, case_.now, Detail::explained);
    }

    const Case& case_;
    CompiledPolicy& policy_;
    SymbolTable& symbols_;
    ProfileTable& profiles_;
    std::vector<Symbol> tags_;
    std::vector<ListEntry> lists_;
    std::vector<HistoryEntry> history_;
    std::vector<Act> acts_;
    std::vector<std::vector<HistoryEntry>> member_entries_;
    std::vector<std::span<const HistoryEntry>> members_;
    AttemptFacts facts_;
    CaseHistory shared_;
};

std::vector<Case> parse_cases(const Json& cases, const std::string& pointer, std::vector<Problem>& problems) {
    std::vector<Case> parsed;
    if (!cases.is_array()) {
        problems.push_back({pointer, "must be an array of cases"});
        return parsed;
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
        JsonReader reader{cases[i], pointer_to(pointer, i), problems};
        if (cases[i].is_object()) parsed.push_back(CaseParser{reader}.parse());
    }
    return parsed;
}

}  // namespace

void check_cases(const Json& cases, const std::string& pointer, std::vector<Problem>& problems) { (void)parse_cases(cases, pointer, problems); }

Result<std::vector<CaseResult>> run_cases(const Json& document, const CaseContext& context) {
    SymbolTable symbols;
    ProfileTable profiles;
    const CompileContext compile_context{.symbols = symbols,
                                         .profiles = profiles,
                                         .calendars = context.calendars,
                                         .include = context.include,
                                         .default_zone = context.default_zone,
                                         .forbidden_words = context.forbidden_words};
    auto policy = CompiledPolicy::compile(document, compile_context);
    if (!policy) return policy.error();
    std::vector<CaseResult> results;
    std::vector<Problem> problems;
    if (const auto cases = document.find("cases"); cases != document.end())
        for (const auto& one : parse_cases(*cases, "/cases", problems)) results.push_back(CaseRun{one, **policy, symbols, profiles}.run());
    return results;
}

}  // namespace touchgate::policy
