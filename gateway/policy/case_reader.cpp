#include "gateway/policy/case_reader.hpp"

#include <algorithm>
#include <cmath>

#include "gateway/policy/call_outcomes.hpp"

namespace touchgate::policy::cases {

namespace {

// Sources whose grants may end a withdrawal, as in the gateway's default configuration.
constexpr std::string_view regrant_sources[] = {"customer", "reply", "form", "agent"};

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
        for (const auto& word : reader.texts("lead_stages")) {
            const auto known = std::find(lead_stage_words.begin(), lead_stage_words.end(), word);
            if (known == lead_stage_words.end()) reader.problem("lead_stages", "\"" + word + "\" is no stage of a lead");
            else made_.lead_stages |= 1U << static_cast<unsigned>(known - lead_stage_words.begin());
        }
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

}  // namespace

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

}  // namespace touchgate::policy::cases
