// From the document to the CompiledPolicy: every problem at once, each with its pointer.
#include <algorithm>
#include <set>

#include "gateway/policy/cases.hpp"
#include "gateway/policy/counting.hpp"
#include "gateway/policy/implementation.hpp"

namespace touchgate::policy {

namespace {

constexpr std::size_t rules_max = 1'000;

bool is_rule_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 &&
           std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

const std::vector<std::string>& purposes_by_default() {
    static const std::vector<std::string> purposes = {"marketing", "service", "care", "transactional", "collection"};
    return purposes;
}

const std::vector<std::vector<std::string>>& classes_by_default() {
    static const std::vector<std::vector<std::string>> classes = {{"transactional"}, {"service"}, {"care"}, {"collection"}, {"marketing"}};
    return classes;
}

class Compiler {
public:
    Compiler(const CompileContext& context, std::vector<Problem>* warnings, CompiledPolicy::Implementation& made)
        : context_{context}, warnings_{warnings}, made_{made} {}

    std::vector<Problem> run(const Json& document) {
        made_.rules = built_in_rules();
        for (const auto& rule : made_.rules) names_.insert(rule->name);
        std::vector<Problem> problems;
        read_document(document, problems, true);
        resolve_exemptions(problems);
        if (made_.rules.size() > rules_max)
            problems.push_back({"/rules", "more than " + std::to_string(rules_max) + " rules, included and built-in ones counted"});
        finish_lists();
        return problems;
    }

    [[nodiscard]] std::uint16_t columns() const { return columns_; }

private:
    void read_document(const Json& document, std::vector<Problem>& problems, bool top) {
        JsonReader reader{document, "", problems};
        reader.text("$schema");
        auto name = reader.required_text("name");
        if (!name.empty() && !is_rule_name(name)) reader.problem("name", "must match [a-z0-9-]{1,64}");
        read_title(reader);
        open_.push_back(name);

        auto purposes = read_purposes(reader);
        if (top) {
            made_.name = name;
            made_.purposes = purposes;
            for (const auto& purpose : purposes) made_.purpose_symbols.push_back(context_.symbols.intern(purpose));
        }
        read_channels(reader, purposes, top);
        read_classes(reader, purposes, top);
        read_includes(reader);
        if (reader.raw("rules") == nullptr) reader.problem("rules", "is required: an array of rules, which may be empty");
        reader.objects("rules", [&](JsonReader& rule, std::size_t) { read_rule(rule, purposes); });
        if (const auto* cases = reader.raw("cases")) check_cases(*cases, pointer_to(reader.pointer(), "cases"), reader.problems());
        reader.finish();
        open_.pop_back();
    }

    static void read_title(JsonReader& reader) {
        const auto* title = reader.raw("title");
        if (title == nullptr || title->is_string()) return;
        if (auto words = reader.object("title")) {
            for (const auto* language : {"en", "zh-CN"}) words->text(language);
            words->finish();
        }
    }

    static std::vector<std::string> read_purposes(JsonReader& reader) {
        if (reader.raw("purposes") == nullptr) return purposes_by_default();
        auto purposes = reader.texts("purposes");
        if (purposes.empty()) reader.problem("purposes", "must name at least one purpose");
        for (std::size_t i = 0; i < purposes.size(); ++i) {
            const auto at = pointer_to(pointer_to(reader.pointer(), "purposes"), i);
            if (purposes[i].empty() || purposes[i] == "*") reader.problems().push_back({at, "must be a name"});
            if (std::find(purposes.begin(), purposes.begin() + static_cast<std::ptrdiff_t>(i), purposes[i]) !=
                purposes.begin() + static_cast<std::ptrdiff_t>(i))
                reader.problems().push_back({at, "is named twice"});
        }
        return purposes;
    }

    void read_channels(JsonReader& reader, const std::vector<std::string>& purposes, bool top) {
        reader.members("default_channels", [&](const std::string& purpose, const Json& value, const std::string& pointer) {
            if (purpose != "*" && std::find(purposes.begin(), purposes.end(), purpose) == purposes.end())
                reader.problems().push_back({pointer, "\"" + purpose + "\" is not one of the policy's purposes"});
            std::vector<std::string> channels;
            if (value.is_array())
                for (const auto& channel : value)
                    if (channel.is_string()) channels.push_back(channel.get<std::string>());
            if (!value.is_array() || value.empty() || channels.size() != value.size())
                reader.problems().push_back({pointer, "must be an array of channels"});
            channels_.insert(channels_.end(), channels.begin(), channels.end());
            if (top) made_.default_channels[purpose] = std::move(channels);
        });
    }

    void read_classes(JsonReader& reader, const std::vector<std::string>& purposes, bool top) {
        auto classes = classes_by_default();
        if (const auto* found = reader.raw("classes")) {
            classes.clear();
            std::set<std::string> seen;
            if (!found->is_array() || found->empty()) reader.problem("classes", "must be an array of arrays of purposes, the first to go first");
            else
                for (std::size_t i = 0; i < found->size(); ++i) {
                    auto& one = classes.emplace_back();
                    const auto& element = (*found)[i];
                    const auto at = pointer_to(pointer_to(reader.pointer(), "classes"), i);
                    if (!element.is_array()) reader.problems().push_back({at, "must be an array of purposes"});
                    else
                        for (std::size_t j = 0; j < element.size(); ++j) {
                            const auto purpose = element[j].is_string() ? element[j].get<std::string>() : std::string{};
                            if (std::find(purposes.begin(), purposes.end(), purpose) == purposes.end())
                                reader.problems().push_back({pointer_to(at, j), "is not one of the policy's purposes"});
                            else if (!seen.insert(purpose).second)
                                reader.problems().push_back({pointer_to(at, j), "\"" + purpose + "\" is in two classes"});
                            one.push_back(purpose);
                        }
                }
        }
        if (!top) return;
        for (const auto& purposes_of_class : classes) {
            auto& symbols = made_.classes.emplace_back();
            for (const auto& purpose : purposes_of_class) symbols.push_back(context_.symbols.intern(purpose));
        }
    }

    void read_includes(JsonReader& reader) {
        const auto included = reader.texts("include");
        for (std::size_t i = 0; i < included.size(); ++i) {
            const auto at = pointer_to(pointer_to(reader.pointer(), "include"), i);
            const auto& name = included[i];
            if (std::find(open_.begin(), open_.end(), name) != open_.end()) {
                reader.problems().push_back({at, "\"" + name + "\" includes itself"});
                continue;
            }
            if (!included_.insert(name).second) continue;  // by two ways, but its rules come once
            if (!context_.include) {
                reader.problems().push_back({at, "no other policies can be read here"});
                continue;
            }
            const auto document = context_.include(name);
            if (!document) {
                reader.problems().push_back({at, "\"" + name + "\" cannot be included: " + document.error().detail});
                continue;
            }
            std::vector<Problem> inner;
            read_document(*document, inner, false);
            for (auto& problem : inner)
                reader.problems().push_back(
                    {at, "in \"" + name + "\" at " + (problem.pointer.empty() ? "/" : problem.pointer) + ": " + problem.detail});
        }
    }

    void read_rule(JsonReader& reader, const std::vector<std::string>& purposes) {
        const auto name = reader.required_text("name");
        if (!name.empty() && !is_rule_name(name)) reader.problem("name", "must match [a-z0-9-]{1,64}");
        if (!name.empty() && !names_.insert(name).second)
            reader.problem("name", "another rule is called \"" + name + "\" (built-in and included rules counted)");
        const auto kind_name = reader.required_text("kind");
        ConditionNames names{context_.symbols, purposes, made_.attributes, channels_};
        auto when = Condition::always();
        if (auto conditions = reader.object("when")) {
            when = parse_condition(*conditions, names);
            conditions->finish();
        }
        if (kind_name.empty()) return;
        const auto& kinds = rule_kinds();
        const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const RuleKind& one) { return one.name == kind_name; });
        if (kind == kinds.end()) {
            std::string list;
            for (const auto& one : kinds) list += (list.empty() ? "" : ", ") + std::string{one.name};
            return reader.problem("kind", "\"" + kind_name + "\" is no kind of rule; must be one of " + list);
        }
        RuleReader rule_reader{reader, context_, names, when, name, columns_, made_.shared_counters, made_.labels, warnings_};
        auto rule = kind->make(rule_reader);
        rule->name = name;
        rule->kind = kind_name;
        rule->when = std::move(when);
        pointers_.emplace_back(rule.get(), open_.size() == 1 ? reader.pointer() : std::string{"/include"});
        made_.rules.push_back(std::move(rule));
        reader.finish();
    }

    // Only when all rules are known: an exemption may stand before what it waives.
    void resolve_exemptions(std::vector<Problem>& problems) {
        for (std::size_t i = 0; i < made_.rules.size(); ++i) {
            const auto& exemption = made_.rules[i];
            const auto place = std::find_if(pointers_.begin(), pointers_.end(), [&](const auto& entry) { return entry.first == exemption.get(); });
            const auto& waived_names = exemption->waives();
            for (std::size_t j = 0; j < waived_names.size(); ++j) {
                if (waived_names[j] == "*") continue;  // already a problem
                const auto at = pointer_to(pointer_to(place->second, "waives"), j);
                const auto found =
                    std::find_if(made_.rules.begin(), made_.rules.end(), [&](const auto& rule) { return rule->name == waived_names[j]; });
                if (found == made_.rules.end()) problems.push_back({at, "there is no rule \"" + waived_names[j] + "\""});
                else if ((*found)->kind == "exemption") problems.push_back({at, "\"" + waived_names[j] + "\" is an exemption itself"});
                else (*found)->waivers.push_back(static_cast<std::uint16_t>(i));
            }
        }
    }

    void finish_lists() {
        constexpr std::string_view of_attribute = "attribute:";
        for (const auto& label : made_.labels)
            if (label.starts_with(of_attribute)) made_.attributes.push_back(label.substr(of_attribute.size()));
        for (auto* names : {&made_.attributes, &made_.labels}) {
            std::sort(names->begin(), names->end());
            names->erase(std::unique(names->begin(), names->end()), names->end());
        }
        if (warnings_ == nullptr || context_.known_channels.empty()) return;
        std::set<std::string> told;
        for (const auto& channel : channels_)
            if (std::find(context_.known_channels.begin(), context_.known_channels.end(), channel) == context_.known_channels.end() &&
                told.insert(channel).second)
                warnings_->push_back({"", "no account has the channel \"" + channel + "\""});
    }

    const CompileContext& context_;
    std::vector<Problem>* warnings_;
    CompiledPolicy::Implementation& made_;
    std::set<std::string> names_;
    std::set<std::string> included_;
    std::vector<std::string> open_;      // documents being read, the outermost first
    std::vector<std::string> channels_;  // named anywhere
    std::vector<std::pair<const Rule*, std::string>> pointers_;
    std::uint16_t columns_ = 0;
};

}  // namespace

Result<std::shared_ptr<CompiledPolicy>> CompiledPolicy::compile(const Json& document, const CompileContext& context, std::vector<Problem>* warnings) {
    auto made = std::make_unique<Implementation>(context.symbols, context.profiles, context.default_zone);
    Compiler compiler{context, warnings, *made};
    auto problems = compiler.run(document);
    if (Zone::find(context.default_zone) == nullptr)
        problems.push_back({"", "the default zone \"" + context.default_zone + "\" is not an IANA time zone"});
    if (!problems.empty()) return Error{.detail = "the policy has problems", .problems = std::move(problems)};
    made->tables = std::make_unique<ProfileTables>(made->rules, compiler.columns(), made->profiles, made->symbols);
    for (std::uint32_t profile = 0; profile < context.profiles.size(); ++profile) made->tables->prepare({profile});
    return std::shared_ptr<CompiledPolicy>{new CompiledPolicy{std::move(made)}};
}

}  // namespace touchgate::policy
