// Campaigns as their owners see them: made, given an audience, started, paused, resumed, cancelled. What sends is campaign_release.cpp.

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/engine/internals.hpp"

namespace touchgate {

namespace {

constexpr std::size_t batch_bytes_max = std::size_t{1} << 20U;
// A line and the contact that it makes take at most so much of a turn's batch.
constexpr std::size_t room_for_line = (std::size_t{3} << 20U) / 2;

Error no_campaign(const std::string& id) { return {.kind = ErrorKind::not_found, .detail = "there is no campaign \"" + id + "\""}; }

Error wrong_state(const CampaignRow& row, std::string_view detail) {
    return {.kind = ErrorKind::conflict, .detail = "campaign \"" + row.id + "\" " + std::string{detail}, .problems = {}, .retry_after_s = 0, .reference = row.id};
}

}  // namespace

CampaignDetails Engine::Internals::details(const CampaignRow& row) const {
    CampaignDetails made;
    made.id = row.id;
    made.state = row.state;
    made.unit = row.unit;
    made.definition_json = row.definition;
    made.reason = row.reason;
    made.created_at = row.created_at;
    if (row.started()) made.started_at = row.started_at;
    if (row.ended_at != Instant::min()) made.ended_at = row.ended_at;
    made.audience_size = row.size;
    made.audience_batches = row.batches;
    made.audience_sha256 = to_hex(row.sha256);
    made.starting = row.runtime && row.runtime->freezing;
    made.pending = row.pending;
    made.held_out = row.held_out;
    made.counts = row.counts;
    made.direct = row.direct;
    made.by_rule = {row.by_rule.begin(), row.by_rule.end()};
    for (std::size_t i = 0; i < row.parsed->arms.size(); ++i) {
        made.by_arm[row.parsed->arms[i].name] = i < row.arm_sizes.size() ? row.arm_sizes[i] : 0;
        made.counts_by_arm[row.parsed->arms[i].name] = i < row.arm_counts.size() ? row.arm_counts[i] : StateCounts{};
    }
    made.cost_micro = row.cost_micro;
    made.permits = row.permits;
    made.complaints = row.complaints;
    return made;
}

CampaignRuntime& Engine::Internals::runtime_of(CampaignRow& row) {
    if (!row.runtime) {
        row.runtime = std::make_shared<CampaignRuntime>();
        if (row.parsed->rate) row.runtime->rate.emplace(*row.parsed->rate);
    }
    return *row.runtime;
}

Result<CampaignDetails> Engine::create_campaign(const CampaignInput& input) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    if (const auto known = in.state.campaigns.find(input.id); known != in.state.campaigns.end()) {
        if (known->second.body_hash != input.body_hash)
            return Error{.kind = ErrorKind::conflict, .detail = "there is a campaign \"" + input.id + "\" with another definition", .problems = {{"/id", "is taken"}},
                         .retry_after_s = 0, .reference = input.id};
        return in.details(known->second);
    }
    if (!input.purpose.empty()) {
        Symbol purpose;
        if (!in.state.symbols.find(input.purpose, purpose) || !in.policy().compiled->has_purpose(purpose)) return invalid("/purpose", "unknown purpose \"" + input.purpose + "\"");
    }
    in.emit(ContactIndex{}, CampaignCreated{.id = input.id, .purpose = input.purpose, .unit = input.unit, .definition = input.definition_json, .body_hash = input.body_hash,
                                            .holdout = input.holdout, .rate = input.rate});
    auto& row = in.state.campaigns.at(input.id);
    in.runtime_of(row);
    auto made = in.details(row);
    made.created = true;
    return made;
}

Result<CampaignDetails> Engine::find_campaign(const std::string& id) {
    const auto found = internals_->state.campaigns.find(id);
    if (found == internals_->state.campaigns.end()) return no_campaign(id);
    return internals_->details(found->second);
}

std::vector<CampaignDetails> Engine::campaigns(const std::string& state, std::size_t limit, const std::string& after) {
    std::vector<CampaignDetails> found;
    const auto& all = internals_->state.campaigns;
    for (auto at = after.empty() ? all.begin() : all.upper_bound(after); at != all.end() && found.size() < limit; ++at)
        if (state.empty() || at->second.state == state) found.push_back(internals_->details(at->second));
    return found;
}

// ---- the audience

bool Engine::Internals::takes_lines(const CampaignRow& row) const {
    if (row.runtime && row.runtime->freezing) return false;
    if (row.state == "finished" || row.state == "cancelled") return false;
    return !row.started() || row.parsed->open_audience;
}

// What two lines must not have in common.
std::uint64_t Engine::Internals::known_as(const CampaignRow& row, const Recipient& recipient) const {
    switch (row.parsed->dedupe) {
        case campaign::Dedupe::contact: return recipient.contact.value;
        case campaign::Dedupe::item: return std::uint64_t{recipient.contact.value} << 32U | recipient.item;
        case campaign::Dedupe::address: break;
    }
    if (recipient.address != 0) return recipient.address;
    // The address that a touch to this contact would use first.
    policy::Profile profile;
    const auto& channels = row.parsed->channels.empty() ? policy().compiled->default_channels(row.purpose) : row.parsed->channels;
    if (!channels.empty()) {
        if (const auto account = account_numbers.find(channels.front()); account != account_numbers.end()) {
            profile.account = accounts[account->second].symbol;
            profile.channel = accounts[account->second].channel;
        } else {
            (void)state.symbols.find(channels.front(), profile.channel);
        }
    }
    TouchFacts of;
    of.contact = recipient.contact;
    bool gone = false;
    const auto address = resolve_address(of, profile, gone);
    return address != 0 ? address : std::uint64_t{recipient.contact.value} << 32U;
}

Result<AudienceResult> Engine::add_audience(const std::string& id, const std::vector<AudienceLine>& lines) {
    auto& in = *internals_;
    const auto found = in.state.campaigns.find(id);
    if (found == in.state.campaigns.end()) return no_campaign(id);
    auto& row = found->second;
    if (!in.takes_lines(row)) return wrong_state(row, "is " + row.state + ": its audience is frozen");
    if (auto error = in.refusal()) return *error;
    auto& runtime = in.runtime_of(row);
    if (!runtime.known_is_built) {
        for (const auto& recipient : row.recipients)
            if (recipient.state != RecipientState::removed) runtime.known.insert(in.known_as(row, recipient));
        runtime.known_is_built = true;
    }
    AudienceResult result;
    CampaignAudienceAdded batch{.id = id, .first = static_cast<std::uint32_t>(row.recipients.size() + 1), .sha256 = {}, .lines = {}};
    campaign::AudienceHash hash;
    std::size_t bytes = 0;
    const auto write = [&] {
        if (batch.lines.empty()) return;
        batch.sha256 = hash.digest();
        in.emit(ContactIndex{}, batch);
        batch.first = static_cast<std::uint32_t>(row.recipients.size() + 1);
        batch.lines.clear();
        hash = {};
        bytes = 0;
    };
    for (; result.taken < lines.size(); ++result.taken) {
        if (in.parts.log.room() < bytes + room_for_line) break;
        const auto& line = lines[result.taken];
        const auto refuse = [&](Error error) { result.errors.emplace_back(result.taken, std::move(error)); };
        std::optional<campaign::Assignment> arm = campaign::unassigned;
        if (!line.arm.empty()) arm = campaign::given_place(*row.parsed, line.arm);
        if (!arm) {
            refuse(invalid("/arm", "the campaign has no arm \"" + line.arm + "\""));
            continue;
        }
        std::uint32_t address = 0;
        const auto contact = in.resolve(line.contact, true, address);
        if (!contact) {
            refuse(contact.error());
            continue;
        }
        const auto item = line.item.empty() ? std::uint32_t{0} : std::max<std::uint32_t>(1, static_cast<std::uint32_t>(in.index_hash("item\n" + line.item).low));
        const Recipient recipient{.batch = {}, .contact = *contact, .address = address, .item = item, .line = 0, .arm = *arm, .state = RecipientState::pending};
        if (!runtime.known.insert(in.known_as(row, recipient)).second) {
            ++result.duplicates;
            continue;
        }
        ++result.added;
        std::string sealed;
        if (!line.variables.empty() || !line.item.empty()) sealed = in.seal_for(*contact, RecipientSecret{.variables = line.variables, .item = line.item});
        bytes += sealed.size() + 32;
        hash.add(in.state.contact_ids[contact->value], line.arm);
        batch.lines.push_back({.contact = *contact, .address = address, .item = item, .arm = *arm, .sealed = std::move(sealed)});
        if (bytes > batch_bytes_max || batch.lines.size() == 4'096) write();
    }
    write();
    return result;
}

Result<AudienceResult> Engine::remove_audience(const std::string& id, const std::vector<AudienceLine>& lines) {
    auto& in = *internals_;
    const auto found = in.state.campaigns.find(id);
    if (found == in.state.campaigns.end()) return no_campaign(id);
    auto& row = found->second;
    if (!in.takes_lines(row)) return wrong_state(row, "is " + row.state + ": its audience is frozen");
    if (auto error = in.refusal()) return *error;
    AudienceResult result;
    struct Wanted { std::size_t line = 0; bool met = false; };
    absl::flat_hash_map<std::uint64_t, Wanted> wanted;  // by contact and item; item 0: all of the contact's
    for (; result.taken < lines.size(); ++result.taken) {
        const auto& line = lines[result.taken];
        std::uint32_t address = 0;
        const auto contact = in.resolve(line.contact, false, address);
        if (!contact) {
            result.errors.emplace_back(result.taken, contact.error());
            continue;
        }
        const auto item = line.item.empty() ? std::uint32_t{0} : std::max<std::uint32_t>(1, static_cast<std::uint32_t>(in.index_hash("item\n" + line.item).low));
        if (contact->value == 0 || !wanted.try_emplace(std::uint64_t{contact->value} << 32U | item, Wanted{result.taken}).second) ++result.duplicates;
    }
    CampaignAudienceRemoved event{.id = id, .recipients = {}};
    for (std::size_t i = 0; i < row.recipients.size() && !wanted.empty(); ++i) {
        const auto& recipient = row.recipients[i];
        if (recipient.state != RecipientState::pending) continue;
        for (const auto item : {recipient.item, std::uint32_t{0}}) {
            const auto asked = wanted.find(std::uint64_t{recipient.contact.value} << 32U | item);
            if (asked == wanted.end()) continue;
            asked->second.met = true;
            event.recipients.push_back(static_cast<std::uint32_t>(i + 1));
            break;
        }
    }
    for (const auto& [key, asked] : wanted)
        if (!asked.met) ++result.duplicates;
    result.added = event.recipients.size();
    if (!event.recipients.empty()) {
        in.emit(ContactIndex{}, event);
        auto& runtime = in.runtime_of(row);
        runtime.known.clear();
        runtime.known_is_built = false;
    }
    return result;
}

// ---- start

// What stands in the way of sending anything, and the templates as they are now.
std::vector<Problem> Engine::Internals::start_problems(CampaignRow& row, std::vector<crypto::Hash128>& templates) {
    std::vector<Problem> problems;
    const auto& definition = *row.parsed;
    Symbol purpose;
    if (definition.purpose.empty()) problems.push_back({"/purpose", "is required before the campaign can start"});
    else if (!state.symbols.find(definition.purpose, purpose) || !policy().compiled->has_purpose(purpose)) problems.push_back({"/purpose", "unknown purpose \"" + definition.purpose + "\""});
    const bool dials = dialing_problems(row, problems);
    if (!dials && !definition.has_content()) problems.push_back({"/template", "the campaign says nothing: give template or content, or one in every arm"});
    const auto take = [&](const std::string& name, const std::string& pointer) {
        crypto::Hash128 hash{};
        if (!name.empty()) {
            const auto found = settings.templates ? settings.templates->find(name) : nullptr;
            if (!found) problems.push_back({pointer, "there is no template \"" + name + "\""});
            else {
                if (!found->serves(definition.purpose)) problems.push_back({pointer, "template \"" + name + "\" does not serve purpose \"" + definition.purpose + "\""});
                hash = found->document_hash();
            }
        }
        templates.push_back(hash);
    };
    take(definition.template_name, "/template");
    for (std::size_t i = 0; i < definition.arms.size(); ++i) take(definition.arms[i].template_name, "/arms/" + std::to_string(i) + "/template");
    if (!definition.callback.empty() && std::find(settings.callbacks.begin(), settings.callbacks.end(), definition.callback) == settings.callbacks.end())
        problems.push_back({"/callback", "there is no callback \"" + definition.callback + "\" in the configuration"});
    if (definition.to && *definition.to <= now) problems.push_back({"/window/to", "lies in the past"});
    if (problems.empty()) {
        TouchRequest request;
        request.purpose = definition.purpose;
        request.campaign = row.id;
        request.channels = dials ? std::vector{runtime_of(row).dialing->plan.account} : definition.channels;
        request.steps = definition.steps;
        request.unit = row.unit;
        if (const auto plan = make_plan(request, false); !plan) problems = plan.error().problems;
    }
    return problems;
}

void Engine::start_campaign(const std::string& id, absl::AnyInvocable<void(Result<CampaignDetails>)> done) {
    auto& in = *internals_;
    const auto answer = [&](Result<CampaignDetails> result) {
        after_sync([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
    };
    if (auto error = in.refusal()) return answer(*error);
    const auto found = in.state.campaigns.find(id);
    if (found == in.state.campaigns.end()) return answer(no_campaign(id));
    auto& row = found->second;
    if (row.started() && (row.state == "running" || row.state == "paused")) return answer(in.details(row));
    if (row.state != "draft") return answer(wrong_state(row, "is " + row.state + " and cannot be started"));
    auto& runtime = in.runtime_of(row);
    if (runtime.freezing) {
        runtime.freezing->done.push_back(std::move(done));
        return;
    }
    std::vector<crypto::Hash128> templates;
    if (auto problems = in.start_problems(row, templates); !problems.empty()) {
        auto detail = problems.front().detail;
        return answer(Error{.kind = ErrorKind::invalid_input, .detail = std::move(detail), .problems = std::move(problems)});
    }
    if (row.size == 0 && !row.parsed->open_audience) return answer(wrong_state(row, "has no audience"));
    runtime.freezing = std::make_unique<CampaignRuntime::Freezing>();
    runtime.freezing->templates = std::move(templates);
    runtime.freezing->done.push_back(std::move(done));
    in.activate(row);
    in.freeze_some(row);
}

void Engine::Internals::freeze_some(CampaignRow& row) {
    auto& freezing = *row.runtime->freezing;
    const auto until = parts.clock.monotonic_now() + std::chrono::milliseconds{1};
    const campaign::Assigner assigner{*row.parsed};
    for (int i = 0; freezing.next < row.recipients.size(); ++i, ++freezing.next) {
        if ((i & 63) == 63 && parts.clock.monotonic_now() > until) return;
        auto& recipient = row.recipients[freezing.next];
        if (recipient.state == RecipientState::removed) continue;
        const auto& contact_id = state.contact_ids[recipient.contact.value];
        const bool given = recipient.arm != campaign::unassigned && (recipient.arm & campaign::given) != 0;
        freezing.hash.add(contact_id, given ? campaign::arm_name(*row.parsed, recipient.arm) : std::string_view{});
        if (recipient.arm == campaign::unassigned) recipient.arm = assigner(contact_id);  // as the fold will find it by itself
    }
    if (refusal()) return;
    emit(ContactIndex{}, CampaignStarted{.id = row.id, .size = row.size, .sha256 = freezing.hash.digest(), .templates = freezing.templates});
    if (!row.parsed->open_audience) row.runtime->known = {};
    row.runtime->known_is_built = false;
    const auto done = std::exchange(row.runtime->freezing, nullptr);
    for (auto& each : done->done) engine.after_sync([each = std::move(each), made = details(row)]() mutable { each(std::move(made)); });
}

// ---- pause, resume, cancel

// Its slots are free at once; a few touches a turn say so in the log.
void Engine::Internals::pause(CampaignRow& row, std::string reason) {
    stopped_at_sequence = emit(ContactIndex{}, CampaignPaused{.id = row.id, .reason = std::move(reason)});
    if (row.runtime)
        for (const auto waiting : row.runtime->queued) sweep.push_front(waiting);
}

Result<CampaignDetails> Engine::change_campaign(const std::string& id, std::string_view action) {
    auto& in = *internals_;
    if (auto error = in.refusal()) return *error;
    const auto found = in.state.campaigns.find(id);
    if (found == in.state.campaigns.end()) return no_campaign(id);
    auto& row = found->second;
    const auto symbol = in.state.symbols.intern(id);
    const auto stop_freezing = [&] {
        if (!row.runtime || !row.runtime->freezing) return;
        const auto freezing = std::exchange(row.runtime->freezing, nullptr);
        for (auto& done : freezing->done)
            after_sync([done = std::move(done), error = wrong_state(row, "was stopped before it had started")]() mutable { done(std::move(error)); });
    };
    if (action == "pause") {
        if (row.state == "paused") return in.details(row);
        if (row.state != "draft" && row.state != "running") return wrong_state(row, "is " + row.state);
        stop_freezing();
        in.pause(row, {});
    } else if (action == "resume") {
        if (row.state == "running") return in.details(row);
        if (row.state != "paused") return wrong_state(row, "is " + row.state);
        in.emit(ContactIndex{}, CampaignResumed{id});
        if (row.state == "running") in.activate(row);
        for (const auto waiting : in.held_rows)
            if (in.state.profiles.at(in.chosen_profile(in.touch(waiting))).campaign == symbol) in.sweep.push_back(waiting);
    } else if (action == "cancel") {
        if (row.state == "cancelled") return in.details(row);
        if (row.state == "finished") return wrong_state(row, "is finished");
        stop_freezing();
        in.stopped_at_sequence = in.emit(ContactIndex{}, CampaignCancelled{id});
        if (row.runtime)
            for (const auto waiting : row.runtime->queued) in.cancel_later.push_back(waiting);
        in.cancelled_campaigns.push_back({.campaign = symbol});
        for (const auto& [ref, flight] : in.in_flight)
            if (auto& out = in.touch(flight.row); out.generation == flight.generation && !out.final && in.state.profiles.at(in.chosen_profile(out)).campaign == symbol)
                in.revocations.push_back(ref);
    } else {
        return wrong_state(row, "is " + row.state);
    }
    return in.details(row);
}

}  // namespace touchgate
