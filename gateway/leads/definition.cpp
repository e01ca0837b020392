#include "gateway/leads/definition.hpp"

#include <algorithm>

#include "gateway/base/text.hpp"

namespace touchgate::leads {

bool KeywordRule::matches(std::string_view channel, std::string_view account, std::string_view text) const {
    const auto among = [](const std::vector<std::string>& list, std::string_view word) { return list.empty() || std::find(list.begin(), list.end(), word) != list.end(); };
    return among(channels, channel) && among(accounts, account) &&
           std::any_of(words.begin(), words.end(), [&](const std::string& word) { return exact ? text == word : text.find(word) != std::string_view::npos; });
}

const SourceRule* Definition::source(std::string_view name) const {
    const auto found = std::find_if(sources.begin(), sources.end(), [&](const SourceRule& rule) { return matches_pattern(rule.pattern, name); });
    return found == sources.end() ? nullptr : &*found;
}

double Definition::work_max() const {
    double most = 1;
    for (const auto& [grade, weight] : work) most = std::max(most, weight);
    return most;
}

namespace {

constexpr Duration year = std::chrono::hours{24 * 366};
constexpr TextLimits name_limits{1, 200};

void read_sources(JsonReader& reader, Definition& made) {
    const auto* given = reader.raw("sources");
    if (given == nullptr) {
        for (const auto* pattern : {"wecom:*", "official_account:*", "wecom_kf:*"}) made.sources.push_back({.pattern = pattern, .product = {}, .unit = {}});
        return;
    }
    if (!given->is_array()) return reader.problem("sources", "must be an array of patterns such as \"wecom:*\"");
    for (std::size_t i = 0; i < given->size(); ++i) {
        const auto& entry = (*given)[i];
        const auto pointer = pointer_to(pointer_to(reader.pointer(), "sources"), i);
        SourceRule rule;
        if (entry.is_string()) {
            rule.pattern = entry.get<std::string>();
            if (rule.pattern.empty() || rule.pattern.size() > 200) reader.problems().push_back({pointer, "must have 1 to 200 bytes"});
        } else {
            JsonReader fields{entry, pointer, reader.problems()};
            rule.pattern = fields.required_text("match", name_limits);
            rule.product = fields.text("product", {}, {0, 200});
            rule.unit = fields.text("unit", {}, {0, 200});
            fields.finish();
        }
        made.sources.push_back(std::move(rule));
    }
}

void read_keywords(JsonReader& reader, Definition& made) {
    reader.objects("keywords", [&](JsonReader& entry, std::size_t index) {
        KeywordRule rule;
        rule.name = entry.text("name", "keyword-" + std::to_string(index + 1), {1, 64});
        for (const auto& word : entry.texts("words")) rule.words.push_back(to_lower_ascii(trim(word)));
        if (rule.words.empty() || std::any_of(rule.words.begin(), rule.words.end(), [](const std::string& word) { return word.empty(); }))
            entry.problem("words", "must name at least one word, none of them empty");
        rule.exact = entry.choice("match", {"contains", "exact"}, "contains") == "exact";
        rule.channels = entry.texts("channels");
        rule.accounts = entry.texts("accounts");
        rule.source = entry.required_text("source", name_limits);
        rule.product = entry.text("product", {}, {0, 200});
        rule.unit = entry.text("unit", {}, {0, 200});
        entry.finish();
        made.keywords.push_back(std::move(rule));
    });
}

void read_promptness(JsonReader& reader, Promptness& terms) {
    const auto given = [&](const char* key, std::optional<Duration>& into) {
        if (const auto* value = reader.raw(key); value != nullptr) into = reader.duration(key, Duration{0}, Duration{1}, year);
        else if (reader.value().is_object() && reader.value().contains(key)) into.reset();  // null switches it off
    };
    // Steps that are not given follow the first response.
    if (reader.has("first_response")) {
        terms.first_response = reader.duration("first_response", terms.first_response, Duration{1}, year);
        terms.remind_after = terms.first_response / 2;
        terms.supervisor_after = terms.first_response;
        terms.reassign_after = terms.first_response * 2;
    }
    given("remind_after", terms.remind_after);
    given("supervisor_after", terms.supervisor_after);
    given("reassign_after", terms.reassign_after);
    if (terms.remind_after && terms.supervisor_after && *terms.remind_after > *terms.supervisor_after) reader.problem("supervisor_after", "must not come before remind_after");
    if (terms.supervisor_after && terms.reassign_after && *terms.supervisor_after > *terms.reassign_after) reader.problem("reassign_after", "must not come before supervisor_after");
}

void read_sla(JsonReader& reader, Definition& made) {
    Promptness all;
    all.remind_after = all.first_response / 2;
    all.supervisor_after = all.first_response;
    all.reassign_after = all.first_response * 2;
    auto sla = reader.object("sla");
    if (sla) {
        read_promptness(*sla, all);
        made.max_reassigns = static_cast<int>(sla->integer("max_reassigns", made.max_reassigns, 0, 100));
    }
    for (const auto grade : {Grade::a, Grade::b, Grade::c, Grade::d}) made.promptness[grade] = all;
    if (!sla) return;
    sla->members("by_grade", [&](const std::string& name, const Json& value, const std::string& pointer) {
        const auto grade = parse_grade(name);
        if (!grade) return sla->problems().push_back({pointer, "must be one of A, B, C, D"});
        JsonReader terms{value, pointer, sla->problems()};
        read_promptness(terms, made.promptness[*grade]);
        terms.finish();
    });
    sla->finish();
}

Skills read_skills(JsonReader& reader) {
    Skills skills;
    reader.members("skills", [&](const std::string& name, const Json& value, const std::string& pointer) {
        if (!value.is_number_integer() || value.get<std::int64_t>() < 0 || value.get<std::int64_t>() > 100) reader.problems().push_back({pointer, "must be a whole number from 0 to 100"});
        else skills[name] = value.get<int>();
    });
    return skills;
}

std::optional<std::uint32_t> read_limit(JsonReader& reader, const char* key) {
    if (!reader.has(key)) {
        (void)reader.raw(key);
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(reader.integer(key, 0, 0, 1'000'000));
}

std::optional<Strategy> read_strategy(JsonReader& reader) {
    const auto word = reader.choice("strategy", {"weighted_round_robin", "fair_share", "least_loaded", "best_skill"}, "");
    return parse_strategy(word);
}

void read_rules(JsonReader& reader, Definition& made, SymbolTable& symbols) {
    reader.objects("rules", [&](JsonReader& entry, std::size_t index) {
        RoutingRule rule;
        rule.name = entry.text("name", "rule-" + std::to_string(index + 1), {1, 64});
        if (const auto* when = entry.raw("when")) rule.when = LeadCondition{*when, pointer_to(entry.pointer(), "when"), symbols, entry.problems()};
        if (entry.has("unit")) rule.unit = entry.text("unit", {}, {0, 200});
        (void)entry.raw("unit");
        rule.skills = read_skills(entry);
        rule.agents = entry.texts("agents");
        rule.strategy = read_strategy(entry);
        rule.pool = entry.boolean("pool", false);
        entry.finish();
        made.rules.push_back(std::move(rule));
    });
}

void read_agents(JsonReader& reader, Definition& made, const DefinitionContext& context) {
    reader.members("agents", [&](const std::string& id, const Json& value, const std::string& pointer) {
        JsonReader entry{value, pointer, reader.problems()};
        AgentTerms terms;
        terms.external = entry.boolean("external", false);
        terms.unit = entry.text("unit", {}, {0, 200});
        terms.skills = read_skills(entry);
        if (entry.has("weight")) terms.weight = entry.number("weight", 1, 0.001, 1'000);
        (void)entry.raw("weight");
        terms.max_open = read_limit(entry, "max_open");
        terms.max_per_day = read_limit(entry, "max_per_day");
        terms.wecom_userid = entry.text("wecom_userid", {}, {0, 64});
        terms.supervisor = entry.text("supervisor", {}, {0, 200});
        if (auto shift = entry.object("shift")) {
            terms.shift = WorkingTime{*shift, context.calendars, context.default_zone};
            terms.has_shift = true;
            shift->finish();
        }
        if (!terms.external && (!terms.unit.empty() || !terms.skills.empty() || terms.has_shift))
            entry.problem_here("unit, skills and shift are the agent's own (PUT /v1/agents); here they belong to somebody without a desk: \"external\": true");
        entry.finish();
        made.agents[id] = std::move(terms);
    });
}

void read_life(JsonReader& reader, Definition& made) {
    made.protection = reader.duration("protection", made.protection, Duration{0}, year);
    if (const auto* recycle = reader.raw("recycle"); recycle != nullptr && recycle->is_boolean() && !recycle->get<bool>()) {
        made.recycle_after.reset();
    } else if (auto terms = reader.object("recycle")) {
        made.recycle_after = terms->duration("after", *made.recycle_after, Duration{1}, year);
        made.max_recycles = static_cast<int>(terms->integer("max", made.max_recycles, 0, 1'000));
        made.assign_recycled = terms->choice("to", {"pool", "assign"}, "pool") == "assign";
        terms->finish();
    }
    reader.members("conversions", [&](const std::string& result, const Json& value, const std::string& pointer) {
        if (result != "won" && result != "visited" && result != "qualified") reader.problems().push_back({pointer, "must be one of won, visited, qualified"});
        else if (!value.is_string() || value.get_ref<const std::string&>().empty() || value.get_ref<const std::string&>().size() > 100)
            reader.problems().push_back({pointer, "must be a kind of conversion, such as \"order\""});
        else made.conversions[result] = value.get<std::string>();
    });
    if (auto notify = reader.object("notify")) {
        made.notify_account = notify->required_text("account", {1, 64});
        notify->finish();
    }
    if (auto links = reader.object("links")) {
        made.link_base = links->text("base_url", {}, {0, 500});
        while (made.link_base.ends_with('/')) made.link_base.pop_back();
        made.link_valid_for = links->duration("valid_for", made.link_valid_for, Duration{60'000}, year);
        links->finish();
    }
}

}  // namespace

Definition parse_definition(const Json& document, const std::string& pointer, const DefinitionContext& context, std::vector<Problem>& problems) {
    Definition made;
    JsonReader reader{document, pointer, problems};
    read_sources(reader, made);
    read_keywords(reader, made);
    reader.members("forms", [&](const std::string& name, const Json& value, const std::string& at) {
        JsonReader form{value, at, problems};
        made.forms[name] = read_form(form, name);
        form.finish();
    });
    made.dedupe_window = reader.duration("dedupe_window", made.dedupe_window, Duration{0}, year);
    made.dedupe_closed = reader.boolean("dedupe_closed", true);
    made.scoring = read_scoring(reader, context.symbols);
    if (auto hours = reader.object("hours")) {
        made.hours = WorkingTime{*hours, context.calendars, context.default_zone};
        hours->finish();
    }
    read_sla(reader, made);
    read_agents(reader, made, context);
    read_rules(reader, made, context.symbols);
    const auto owner = reader.choice("owner_first", {"always", "available", "never"}, "always");
    made.owner_first = owner == "always" ? OwnerFirst::always : owner == "available" ? OwnerFirst::available : OwnerFirst::never;
    made.strategy = read_strategy(reader).value_or(made.strategy);
    made.widen = reader.boolean("widen", false);
    made.require_ready = reader.boolean("require_ready", false);
    made.max_open = read_limit(reader, "max_open");
    made.max_per_day = read_limit(reader, "max_per_day");
    if (auto work = reader.object("work")) {
        for (const auto grade : {Grade::a, Grade::b, Grade::c, Grade::d}) made.work[grade] = work->number(to_string(grade), made.work[grade], 0.001, 1'000);
        work->finish();
    }
    read_life(reader, made);
    reader.finish();
    return made;
}

}  // namespace touchgate::leads
