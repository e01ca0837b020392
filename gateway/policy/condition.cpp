#include "gateway/policy/condition.hpp"

#include <algorithm>

#include "gateway/policy/calendar.hpp"
#include "gateway/policy/zones.hpp"

namespace touchgate::policy {

namespace {

using Kind = Condition::Kind;
using Operator = Condition::Operator;

ConditionPtr constant(Kind kind) {
    auto made = std::make_shared<Condition>();
    made->kind = kind;
    return made;
}

bool contains(const std::vector<Symbol>& sorted, Symbol symbol) { return std::binary_search(sorted.begin(), sorted.end(), symbol); }

// -1, 0, 1; nothing when the two are of different types.
std::optional<int> compare(const AttributeValue& a, const AttributeValue& b) {
    if (a.index() != b.index()) return std::nullopt;
    if (a == b) return 0;
    return a < b ? -1 : 1;
}

bool passes(const AttributeValue* value, const Condition::Test& test) {
    if (test.op == Operator::exists) return (value != nullptr) == std::get<bool>(test.values.front());
    if (value == nullptr) return false;
    if (test.op == Operator::in)
        return std::any_of(test.values.begin(), test.values.end(), [&](const auto& wanted) { return compare(*value, wanted) == 0; });
    const auto order = compare(*value, test.values.front());
    switch (test.op) {
        case Operator::eq: return order == 0;
        case Operator::ne: return order != 0;
        case Operator::lt: return order && *order < 0;
        case Operator::lte: return order && *order <= 0;
        case Operator::gt: return order && *order > 0;
        case Operator::gte: return order && *order >= 0;
        default: return false;
    }
}

const AttributeValue* attribute_of(const ContactView& contact, const std::string& name) {
    if (contact.attributes == nullptr) return nullptr;
    const auto found = contact.attributes->find(name);
    return found == contact.attributes->end() ? nullptr : &found->second;
}

// The attribute as an instant: an RFC 3339 time, or a date (its start in UTC).
std::optional<Instant> instant_attribute(const ContactView& contact, const std::string& name) {
    const auto* value = attribute_of(contact, name);
    const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    if (text == nullptr) return std::nullopt;
    if (const auto day = parse_date(*text)) return Instant{day->time_since_epoch()};
    return parse_instant(*text);
}

struct MonthDay {
    std::chrono::month month;
    std::chrono::day day;
};

// The date is taken as it is written; the clock time and offset behind it do not move an anniversary.
std::optional<MonthDay> anniversary_of(const ContactView& contact, const std::string& name) {
    const auto* value = attribute_of(contact, name);
    const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    if (text == nullptr || text->size() < 10) return std::nullopt;
    const auto day = parse_date(std::string_view{*text}.substr(0, 10));
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{*day};
    return MonthDay{date.month(), date.day()};
}

// 29 February is kept on the 28th in common years.
std::chrono::local_days anniversary_in(std::chrono::year year, MonthDay of) {
    const std::chrono::year_month_day date{year, of.month, of.day};
    return date.ok() ? std::chrono::local_days{date} : std::chrono::local_days{year / of.month / std::chrono::last};
}

}  // namespace

bool is_unit_within(std::string_view unit, std::string_view above) {
    return unit.starts_with(above) && !above.empty() && (unit.size() == above.size() || unit[above.size()] == '/');
}

const ConditionPtr& Condition::always() {
    static const auto made = constant(Kind::always);
    return made;
}
const ConditionPtr& Condition::never() {
    static const auto made = constant(Kind::never);
    return made;
}

bool Condition::holds(const Surroundings& around, Instant at, Instant attempt_at) const {
    const auto& contact = around.contact;
    switch (kind) {
        case Kind::always: return true;
        case Kind::all: return std::all_of(children.begin(), children.end(), [&](const auto& child) { return child->holds(around, at, attempt_at); });
        case Kind::any: return std::any_of(children.begin(), children.end(), [&](const auto& child) { return child->holds(around, at, attempt_at); });
        case Kind::none_of: return !children.front()->holds(around, at, attempt_at);
        case Kind::tag: return std::any_of(contact.tags.begin(), contact.tags.end(), [&](Symbol tag) { return contains(symbols, tag); });
        case Kind::attribute: {
            const auto* value = attribute_of(contact, texts.front());
            return std::all_of(tests.begin(), tests.end(), [&](const Test& test) { return passes(value, test); });
        }
        case Kind::origin: return (origins >> static_cast<unsigned>(around.origin) & 1U) != 0;
        case Kind::region: return std::find(texts.begin(), texts.end(), around.address.region) != texts.end();
        case Kind::carrier: return std::find(texts.begin(), texts.end(), around.address.carrier) != texts.end();
        case Kind::lead_stage: return (stages & contact.lead_stages) != 0;
        case Kind::between: return from <= attempt_at && attempt_at < to;
        case Kind::inbound_within: return contact.last_inbound != Instant::min() && contact.last_inbound <= at && at - contact.last_inbound < length;
        case Kind::age: {
            const auto since = instant_attribute(contact, texts.front());
            if (!since) return false;
            const auto age = at - *since;
            switch (op) {
                case Operator::lt: return age < length;
                case Operator::lte: return age <= length;
                case Operator::gt: return age > length;
                default: return age >= length;
            }
        }
        case Kind::anniversary: {
            const auto of = anniversary_of(contact, texts.front());
            if (!of) return false;
            bool everywhere = true;
            const bool known = for_each_zone(around, {}, [&](const Zone& zone) {
                const auto today = std::chrono::floor<std::chrono::days>(zone.local(at));
                everywhere = everywhere && today == anniversary_in(std::chrono::year_month_day{today}.year(), *of);
            });
            return known && everywhere;
        }
        default: return false;
    }
}

Instant Condition::next_change(const Surroundings& around, Instant at, bool of_attempt) const {
    if (!timed) return instant_never;
    auto next = instant_never;
    const auto candidate = [&](Instant change) {
        if (change > at) next = std::min(next, change);
    };
    switch (kind) {
        case Kind::between:
            if (of_attempt) break;
            candidate(from);
            candidate(to);
            break;
        case Kind::inbound_within:
            if (around.contact.last_inbound == Instant::min()) break;
            candidate(around.contact.last_inbound);
            candidate(around.contact.last_inbound + length);
            break;
        case Kind::age:
            if (const auto since = instant_attribute(around.contact, texts.front()))
                candidate(*since + length + Duration{op == Operator::lt || op == Operator::gte ? 0 : 1});
            break;
        case Kind::anniversary:
            if (const auto of = anniversary_of(around.contact, texts.front())) {
                const bool known = for_each_zone(around, {}, [&](const Zone& zone) {
                    const auto year = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(zone.local(at))}.year();
                    for (const auto later : {0, 1}) {
                        const auto day = anniversary_in(year + std::chrono::years{later}, *of);
                        candidate(zone.first_at_or_after(at, day));
                        candidate(zone.first_at_or_after(at, day + std::chrono::days{1}));
                    }
                });
                (void)known;  // an unknown zone never holds, so nothing changes there
            }
            break;
        default:
            for (const auto& child : children) candidate(child->next_change(around, at, of_attempt));
    }
    return next;
}

ConditionPtr Condition::simplify(const ConditionPtr& condition, const Profile& profile, const SymbolTable& symbols) {
    const auto truth = [](bool value) { return value ? always() : never(); };
    switch (condition->kind) {
        case Kind::purpose: return truth(contains(condition->symbols, profile.purpose));
        case Kind::channel: return truth(contains(condition->symbols, profile.channel));
        case Kind::account: return truth(contains(condition->symbols, profile.account));
        case Kind::campaign: return truth(contains(condition->symbols, profile.campaign));
        case Kind::template_name: return truth(contains(condition->symbols, profile.template_name));
        case Kind::unit: {
            const auto unit = symbols.name(profile.unit);
            return truth(
                std::any_of(condition->texts.begin(), condition->texts.end(), [&](const auto& above) { return is_unit_within(unit, above); }));
        }
        case Kind::none_of: {
            const auto child = simplify(condition->children.front(), profile, symbols);
            if (child->kind == Kind::always) return never();
            if (child->kind == Kind::never) return always();
            auto made = std::make_shared<Condition>(*condition);
            made->children = {child};
            made->timed = child->timed;
            return made;
        }
        case Kind::all:
        case Kind::any: {
            // One such child decides; the other constant has no say.
            const auto decides = condition->kind == Kind::all ? Kind::never : Kind::always;
            auto made = std::make_shared<Condition>();
            made->kind = condition->kind;
            for (const auto& child : condition->children) {
                auto simple = simplify(child, profile, symbols);
                if (simple->kind == decides) return simple;
                if (simple->kind == Kind::always || simple->kind == Kind::never) continue;
                made->timed = made->timed || simple->timed;
                made->children.push_back(std::move(simple));
            }
            if (made->children.empty()) return truth(condition->kind == Kind::all);
            if (made->children.size() == 1) return made->children.front();
            return made;
        }
        case Kind::always: return always();
        case Kind::never: return never();
        default: return condition;
    }
}

// ---- Reading.

namespace {

class ConditionParser {
public:
    ConditionParser(JsonReader& reader, ConditionNames& names) : reader_{reader}, names_{names} {}

    ConditionPtr parse() {
        named("purposes", Kind::purpose);
        named("channels", Kind::channel);
        named("accounts", Kind::account);
        named("campaigns", Kind::campaign);
        named("templates", Kind::template_name);
        named("tags", Kind::tag);
        texts("units", Kind::unit);
        texts("regions", Kind::region);
        texts("carriers", Kind::carrier);
        attributes();
        origins();
        lead_stages();
        between();
        inbound_within();
        ages();
        for (const auto& [key, kind] : {std::pair{"all", Kind::all}, std::pair{"any", Kind::any}}) {
            if (reader_.raw(key) == nullptr) continue;
            auto made = std::make_shared<Condition>();
            made->kind = kind;
            reader_.objects(key, [&](JsonReader& nested, std::size_t) {
                made->children.push_back(nested_condition(nested));
                made->timed = made->timed || made->children.back()->timed;
            });
            parts_.push_back(std::move(made));
        }
        if (auto nested = reader_.object("not")) {
            auto made = std::make_shared<Condition>();
            made->kind = Kind::none_of;
            made->children.push_back(nested_condition(*nested));
            made->timed = made->children.front()->timed;
            parts_.push_back(std::move(made));
        }
        if (parts_.empty()) return Condition::always();
        auto made = std::make_shared<Condition>();
        made->kind = Kind::all;
        made->children = std::move(parts_);
        for (const auto& part : made->children) made->timed = made->timed || part->timed;
        return made;
    }

private:
    ConditionPtr nested_condition(JsonReader& reader) {
        auto condition = ConditionParser{reader, names_}.parse();
        reader.finish();
        return condition;
    }

    std::vector<std::string> words(std::string_view key) {
        if (reader_.raw(key) == nullptr) return {};
        const auto before = reader_.problems().size();
        auto found = reader_.texts(key);
        if (found.empty() && reader_.problems().size() == before) reader_.problem(key, "must name at least one");
        for (std::size_t i = 0; i < found.size(); ++i)
            if (found[i].empty()) reader_.problems().push_back({pointer_to(pointer_to(reader_.pointer(), key), i), "must not be empty"});
        return found;
    }

    void named(std::string_view key, Kind kind) {
        if (reader_.raw(key) == nullptr) return;
        auto made = std::make_shared<Condition>();
        made->kind = kind;
        const auto found = words(key);
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (kind == Kind::purpose && std::find(names_.purposes.begin(), names_.purposes.end(), found[i]) == names_.purposes.end())
                reader_.problems().push_back(
                    {pointer_to(pointer_to(reader_.pointer(), key), i), "\"" + found[i] + "\" is not one of the policy's purposes"});
            if (kind == Kind::channel) names_.channels.push_back(found[i]);
            made->symbols.push_back(names_.symbols.intern(found[i]));
        }
        std::sort(made->symbols.begin(), made->symbols.end());
        parts_.push_back(std::move(made));
    }

    void texts(std::string_view key, Kind kind) {
        if (reader_.raw(key) == nullptr) return;
        auto made = std::make_shared<Condition>();
        made->kind = kind;
        made->texts = words(key);
        parts_.push_back(std::move(made));
    }

    static std::optional<AttributeValue> scalar(const Json& value) {
        if (value.is_boolean()) return AttributeValue{value.get<bool>()};
        if (value.is_number()) return AttributeValue{value.get<double>()};
        if (value.is_string()) return AttributeValue{value.get<std::string>()};
        return std::nullopt;
    }

    void attributes() {
        reader_.members("attributes", [&](const std::string& name, const Json& value, const std::string& pointer) {
            names_.attributes.push_back(name);
            auto made = std::make_shared<Condition>();
            made->kind = Kind::attribute;
            made->texts = {name};
            if (!value.is_object() || value.empty()) {
                reader_.problems().push_back({pointer, "must be an object of operators, such as {\"in\": [\"gold\"]}"});
                return;
            }
            for (const auto& [word, operand] : value.items()) {
                static constexpr std::pair<std::string_view, Operator> operators[] = {
                    {"eq", Operator::eq},   {"ne", Operator::ne}, {"in", Operator::in},   {"lt", Operator::lt},
                    {"lte", Operator::lte}, {"gt", Operator::gt}, {"gte", Operator::gte}, {"exists", Operator::exists}};
                const auto* known = std::find_if(std::begin(operators), std::end(operators), [&](const auto& entry) { return entry.first == word; });
                const auto at = pointer_to(pointer, word);
                if (known == std::end(operators)) {
                    reader_.problems().push_back({at, "unknown operator; must be one of eq, ne, in, lt, lte, gt, gte, exists"});
                    continue;
                }
                Condition::Test test{known->second, {}};
                if (test.op == Operator::in) {
                    if (operand.is_array())
                        for (const auto& element : operand)
                            if (auto one = scalar(element)) test.values.push_back(std::move(*one));
                    if (!operand.is_array() || operand.empty() || test.values.size() != operand.size())
                        reader_.problems().push_back({at, "must be an array of strings, numbers or booleans"});
                } else if (auto one = scalar(operand); one && (test.op != Operator::exists || operand.is_boolean())) {
                    test.values.push_back(std::move(*one));
                } else {
                    reader_.problems().push_back(
                        {at, test.op == Operator::exists ? "must be true or false" : "must be a string, a number or a boolean"});
                    continue;
                }
                made->tests.push_back(std::move(test));
            }
            parts_.push_back(std::move(made));
        });
    }

    void origins() {
        static constexpr std::pair<std::string_view, Origin> known[] = {
            {"api", Origin::api},     {"campaign", Origin::campaign}, {"journey", Origin::journey}, {"agent", Origin::agent},
            {"reply", Origin::reply}, {"bot", Origin::bot},           {"promise", Origin::promise}, {"welcome", Origin::welcome}};
        if (reader_.raw("origins") == nullptr) return;
        auto made = std::make_shared<Condition>();
        made->kind = Kind::origin;
        const auto found = words("origins");
        for (std::size_t i = 0; i < found.size(); ++i) {
            const auto* entry = std::find_if(std::begin(known), std::end(known), [&](const auto& pair) { return pair.first == found[i]; });
            if (entry != std::end(known)) made->origins |= 1U << static_cast<unsigned>(entry->second);
            else
                reader_.problems().push_back({pointer_to(pointer_to(reader_.pointer(), "origins"), i),
                                              "must be one of api, campaign, journey, agent, reply, bot, promise, welcome"});
        }
        parts_.push_back(std::move(made));
    }

    void lead_stages() {
        if (reader_.raw("lead_stages") == nullptr) return;
        auto made = std::make_shared<Condition>();
        made->kind = Kind::lead_stage;
        const auto found = words("lead_stages");
        for (std::size_t i = 0; i < found.size(); ++i) {
            const auto word = std::find(lead_stage_words.begin(), lead_stage_words.end(), found[i]);
            if (word != lead_stage_words.end()) made->stages |= 1U << static_cast<unsigned>(word - lead_stage_words.begin());
            else
                reader_.problems().push_back({pointer_to(pointer_to(reader_.pointer(), "lead_stages"), i),
                                              "must be one of new, assigned, accepted, contacted, qualified, disqualified, won, lost, recycled"});
        }
        parts_.push_back(std::move(made));
    }

    void between() {
        if (reader_.raw("between") == nullptr) return;
        auto made = std::make_shared<Condition>();
        made->kind = Kind::between;
        made->timed = true;
        const auto ends = reader_.texts("between");
        const auto from = ends.size() == 2 ? parse_instant(ends[0]) : std::nullopt;
        const auto to = ends.size() == 2 ? parse_instant(ends[1]) : std::nullopt;
        if (!from || !to || *from >= *to) reader_.problem("between", "must be two RFC 3339 times with offset, the first before the second");
        else made->from = *from, made->to = *to;
        parts_.push_back(std::move(made));
    }

    void inbound_within() {
        if (reader_.raw("inbound_within") == nullptr) return;
        auto made = std::make_shared<Condition>();
        made->kind = Kind::inbound_within;
        made->timed = true;
        made->length = reader_.duration("inbound_within", Duration{0}, Duration{1});
        parts_.push_back(std::move(made));
    }

    void age(JsonReader& reader) {
        const auto attribute = reader.required_text("attribute");
        names_.attributes.push_back(attribute);
        bool any = false;
        for (const auto& [word, op] :
             {std::pair{"lt", Operator::lt}, std::pair{"lte", Operator::lte}, std::pair{"gt", Operator::gt}, std::pair{"gte", Operator::gte}}) {
            if (reader.raw(word) == nullptr) continue;
            any = true;
            auto made = std::make_shared<Condition>();
            made->kind = Kind::age;
            made->timed = true;
            made->texts = {attribute};
            made->op = op;
            made->length = reader.duration(word, Duration{0});
            parts_.push_back(std::move(made));
        }
        if (reader.raw("anniversary") != nullptr) {
            any = true;
            if (!reader.boolean("anniversary", false)) reader.problem("anniversary", "must be true; use not: {…} for the other days");
            auto made = std::make_shared<Condition>();
            made->kind = Kind::anniversary;
            made->timed = true;
            made->texts = {attribute};
            parts_.push_back(std::move(made));
        }
        if (!any) reader.problem_here("must have one of lt, lte, gt, gte, anniversary");
        reader.finish();
    }

    void ages() {
        const auto* found = reader_.raw("ages");
        if (found == nullptr) return;
        if (found->is_array()) reader_.objects("ages", [&](JsonReader& reader, std::size_t) { age(reader); });
        else if (auto reader = reader_.object("ages")) age(*reader);
    }

    JsonReader& reader_;
    ConditionNames& names_;
    std::vector<ConditionPtr> parts_;
};

}  // namespace

ConditionPtr parse_condition(JsonReader& reader, ConditionNames& names) { return ConditionParser{reader, names}.parse(); }

}  // namespace touchgate::policy
