// Versions of policies: exactly one is active; every activation is an event; a decision names the version under which it was made.

#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

std::vector<std::string> rule_names(const policy::CompiledPolicy& compiled) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < compiled.rule_count(); ++i) names.push_back(compiled.rule_name(static_cast<std::uint16_t>(i)));
    return names;
}

}  // namespace

Result<std::shared_ptr<policy::CompiledPolicy>> Engine::Internals::compile(const std::string& document, std::string& name) {
    const auto parsed = parse_json_with_comments(document);
    if (!parsed) return parsed.error();
    auto compiled = policy::CompiledPolicy::compile(*parsed, {.symbols = state.symbols, .profiles = state.profiles, .calendars = calendars,
                                                              .include = settings.include, .default_zone = settings.time_zone, .known_channels = {},
                                                              .forbidden_words = settings.forbidden_words});
    if (compiled) name = (*compiled)->name();
    return compiled;
}

Result<PolicyActivation> Engine::put_policy(const std::string& name, const std::string& given, bool activate) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    auto parsed = parse_json_with_comments(given);
    if (!parsed) return parsed.error();
    // A document without a name has that of its path.
    auto document = given;
    if (parsed->is_object() && !parsed->contains("name")) {
        (*parsed)["name"] = name;
        document = parsed->dump();
    }
    std::string own_name;
    auto compiled = in.compile(document, own_name);
    if (!compiled) return compiled.error();
    if (own_name != name) return invalid("/name", "must be \"" + name + "\", the name in the path");
    const auto hash = crypto::document_hash(document);
    const auto& active = in.policy();
    if (activate && active.version && active.version->name == name && active.document_hash == hash)
        return PolicyActivation{.version = active.version, .active = true, .changed = false};

    // The same content again is the same version: rolling back is activating it.
    std::uint32_t number = 0;
    std::uint32_t version = 0;
    for (std::uint32_t i = 1; i < in.state.policies.size(); ++i) {
        const auto& known = in.state.policies[i];
        if (!known.version || known.version->name != name) continue;
        version = std::max(version, known.version->version);
        if (known.document_hash == hash && !activate) return PolicyActivation{.version = known.version, .active = i == in.state.active_policy, .changed = false};
    }
    number = static_cast<std::uint32_t>(in.state.policies.size());
    ++version;
    {
        const std::unique_lock lock{in.state.names_mutex};
        in.state.policies.emplace_back();
    }
    in.state.policies[number].compiled = *compiled;
    in.state.policies[number].version = std::make_shared<PolicyVersion>();
    const auto rules = rule_names(**compiled);
    if (activate) {
        in.emit(ContactIndex{}, PolicyActivated{.number = number, .name = name, .version = version, .document = document, .from_file = false, .rule_names = rules});
        in.policy_changed();
    } else {
        in.emit(ContactIndex{}, PolicyStored{.number = number, .name = name, .version = version, .document = document, .rule_names = rules});
    }
    return PolicyActivation{.version = in.state.policies[number].version, .active = activate, .changed = true};
}

// Other threads read it too, to name its rules.
void Engine::Internals::use(PolicyRecord& record, std::shared_ptr<policy::CompiledPolicy> compiled) {
    const std::unique_lock lock{state.names_mutex};
    record.version->compiled = compiled;
    record.compiled = std::move(compiled);
}

// Deferred touches are judged anew within a minute; queued ones are in any case right before they go.
void Engine::Internals::policy_changed() {
    rebuild_shared_counters();
    sweep.clear();
    for (std::uint32_t row = 1; row < state.touches.size(); ++row)
        if (!touch(row).id.is_nil() && (touch(row).state == TouchState::deferred || handed_over(touch(row)) != nullptr)) sweep.push_back(row);
    for (const auto& [id, campaign] : state.campaigns)  // a pause that was not through yet
        if (campaign.state == "paused" && campaign.runtime) sweep.insert(sweep.end(), campaign.runtime->queued.begin(), campaign.runtime->queued.end());
}

// At start: the configured file becomes a new version only if its bytes differ from those last loaded from the file.
Result<void> Engine::Internals::activate_configured_policy() {
    const auto hash = crypto::document_hash(settings.policy_document);
    std::string name;
    if (state.active_policy != 0 && state.file_policy_hash == hash) {
        auto& record = state.policies[state.active_policy];
        auto compiled = compile(record.version->document, name);
        if (!compiled) return Error{.kind = ErrorKind::invalid_input, .detail = "the active policy " + record.version->label() + " does not compile any more: " + compiled.error().detail,
                                    .problems = compiled.error().problems};
        use(record, *compiled);
        // A newer program may know more built-in rules: decisions name rules by number, so the list is written anew.
        const auto rules = rule_names(**compiled);
        if (rules != record.rule_names)
            emit(ContactIndex{}, PolicyActivated{.number = state.active_policy, .name = record.version->name, .version = record.version->version,
                                                 .document = record.version->document, .from_file = false, .rule_names = rules});
    } else {
        auto compiled = compile(settings.policy_document, name);
        if (!compiled) return compiled.error();
        const auto number = static_cast<std::uint32_t>(state.policies.size());
        std::uint32_t version = 1;
        for (std::uint32_t i = 1; i < number; ++i)
            if (state.policies[i].version && state.policies[i].version->name == name) version = std::max(version, state.policies[i].version->version + 1);
        {
            const std::unique_lock lock{state.names_mutex};
            state.policies.emplace_back();
        }
        state.policies[number].compiled = *compiled;
        state.policies[number].version = std::make_shared<PolicyVersion>();
        emit(ContactIndex{}, PolicyActivated{.number = number, .name = name, .version = version, .document = settings.policy_document, .from_file = true,
                                             .rule_names = rule_names(**compiled)});
        sweep_after_start = true;
    }
    // Older versions are needed only to name their rules.
    for (std::uint32_t i = 1; i < state.policies.size(); ++i) {
        auto& record = state.policies[i];
        if (record.compiled || !record.version) continue;
        auto compiled = compile(record.version->document, name);
        record.compiled = compiled ? *compiled : state.policies[state.active_policy].compiled;
        record.version->compiled = record.compiled;
    }
    rebuild_shared_counters();
    return {};
}

Result<void> Engine::reload(EngineSettings fresh) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    in.settings.templates = fresh.templates;
    in.settings.calendars = fresh.calendars;
    in.settings.include = fresh.include;
    in.settings.forbidden_words = fresh.forbidden_words;
    in.settings.reply_words = fresh.reply_words;
    in.settings.opt_out_purposes = fresh.opt_out_purposes;
    in.settings.expires_after = fresh.expires_after;
    in.settings.lead_routing = fresh.lead_routing;
    in.register_templates();
    in.settings.policy_document = fresh.policy_document;
    const bool other_calendars = in.activate_configured_calendars();
    if (in.state.file_policy_hash != crypto::document_hash(fresh.policy_document)) {
        if (auto activated = in.activate_configured_policy(); !activated) return activated.error();
        in.policy_changed();
    } else if (other_calendars) {
        std::string name;
        auto compiled = in.compile(in.policy().version->document, name);
        if (!compiled) return compiled.error();
        in.use(in.state.policies[in.state.active_policy], *compiled);
        in.policy_changed();
    }
    in.compile_leads();
    return {};
}

std::vector<std::shared_ptr<const PolicyVersion>> Engine::policies() const {
    std::vector<std::shared_ptr<const PolicyVersion>> all;
    for (const auto& record : internals_->state.policies)
        if (record.version) all.push_back(record.version);
    return all;
}

std::shared_ptr<const PolicyVersion> Engine::active_policy() const { return internals_->policy().version; }

}  // namespace touchgate
