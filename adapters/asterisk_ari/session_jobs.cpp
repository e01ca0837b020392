// Commands on their way: requests, their answers, and what is asked when an answer does not come.
#include <algorithm>
#include <utility>

#include "adapters/asterisk_ari/session.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::asterisk_ari {

using namespace channel;
using namespace std::chrono_literals;

namespace {

constexpr Duration wait_for_end = 1s;
constexpr std::size_t unwanted_max = 10'000;
constexpr int clean_up_tries_max = 10;

// Error bodies have "message", those of allocation failures "error".
std::string explain(const HttpResponse& response) {
    const auto body = parse_foreign_json(response.body);
    auto text = text_member(body, "message");
    if (text.empty()) text = text_member(body, "error");
    if (text.size() > 200) text.resize(200);
    if (response.status == 500 && text == "Allocation failed") text.append(" (the endpoint is unknown, or its telephone is not registered)");
    return text.empty() ? "HTTP " + std::to_string(response.status) : text;
}

enum class Finding { carried_out, not_carried_out, unclear };

Finding judge(const Step& step, const HttpResponse& response) {
    if (response.status != 200 && response.status != 404) return Finding::unclear;
    const bool there = response.status == 200;
    const auto yes = [](bool carried_out) { return carried_out ? Finding::carried_out : Finding::not_carried_out; };
    switch (step.proof) {
        case Proof::exists: return yes(there);
        case Proof::gone: return yes(!there);
        case Proof::up: return there ? yes(text_member(parse_foreign_json(response.body), "state") == "Up") : Finding::not_carried_out;
        case Proof::member:
        case Proof::absent: {
            const auto bridge = there ? read_bridge(parse_foreign_json(response.body)) : BridgeSnapshot{};
            const bool member = std::find(bridge.channels.begin(), bridge.channels.end(), step.proof_of) != bridge.channels.end();
            return yes(member == (step.proof == Proof::member));
        }
        case Proof::none: break;
    }
    return Finding::unclear;
}

bool makes_leg(const Job& job) { return job.kind == JobKind::make_leg || job.kind == JobKind::snoop; }

}  // namespace

void Session::execute(Monotonic now, CommandId id, const CallCommand& command) {
    if (state_ != State::up) {
        tell(CommandFailed{.command = id, .unwritten = true, .unknown = false, .code = "DOWN", .detail = "the PBX is not connected"});
        return;
    }
    if (std::holds_alternative<AskSnapshot>(command)) {
        if (!sync_) start_sync(now, false);
        sync_->asked_by.push_back(id);
        return;
    }
    auto planned = plan(command, *settings_);
    if (const auto* refusal = std::get_if<Refusal>(&planned)) {
        tell(CommandFailed{.command = id, .unwritten = true, .unknown = false, .code = refusal->code, .detail = refusal->detail});
        return;
    }
    auto& job = std::get<Job>(planned);
    job.command = id;
    adapt(job, command);
    jobs_.add(std::move(job));
    run_ready(now);
}

// What depends on what is known of the leg.
void Session::adapt(Job& job, const CallCommand& command) {
    if (const auto* made = std::get_if<MakeLeg>(&command)) {
        auto& leg = legs_[made->leg];
        leg = {};
        leg.role = made->role;
        leg.owner = made->owner;
        leg.number = made->target;
        if (made->detect_machine && !settings_->amd_context.empty() && job.steps.size() == 1) leg.machine = Machine::wanted;
    } else if (const auto* snoop = std::get_if<SnoopLeg>(&command)) {
        auto& leg = legs_[snoop->leg];
        leg = {};
        leg.role = LegRole::supervisor;
        leg.owner = snoop->owner;
    } else if (const auto* end = std::get_if<EndLeg>(&command)) {
        if (auto* const leg = find_leg(end->leg)) leg->ended_by_us = true;
        const auto number = jobs_.maker_of(end->leg);
        if (auto* const maker = jobs_.find(number); maker != nullptr && maker->kind == JobKind::make_leg) {
            maker->cancelled = true;
            if (waiting_for_app_.erase(number) == 1) jobs_.finish(number);
        }
    } else if (const auto* mix = std::get_if<MakeMix>(&command)) {
        mixes_.insert(mix->mix);
    } else if (const auto* gone = std::get_if<EndMix>(&command)) {
        for (auto& [id, leg] : legs_)
            if (leg.mix == gone->mix) leg.mix.clear();
    } else if (const auto* join = std::get_if<JoinLeg>(&command)) {
        auto* const leg = find_leg(join->leg);
        if (leg == nullptr) return;
        leg->joined_by = job.command;
        // A channel that plays or hears music takes no further order until that ends.
        std::vector<Step> before;
        stopped_plays_.insert(leg->plays.begin(), leg->plays.end());
        for (const auto& play : leg->plays) before.push_back({.method = "DELETE", .path = "/playbacks/" + percent_encode(play), .nothing_left_to_do = {404}});
        if (std::exchange(leg->music, false)) before.push_back({.method = "DELETE", .path = "/channels/" + percent_encode(join->leg).append("/moh"), .nothing_left_to_do = {404, 409}});
        job.steps.insert(job.steps.begin(), before.begin(), before.end());
    } else if (const auto* part = std::get_if<PartLeg>(&command)) {
        if (auto* const leg = find_leg(part->leg); leg != nullptr && leg->mix == part->mix) leg->mix.clear();
    } else if (const auto* music = std::get_if<StartMusic>(&command)) {
        if (auto* const leg = find_leg(music->leg)) leg->music = true;
    } else if (const auto* silence = std::get_if<StopMusic>(&command)) {
        if (auto* const leg = find_leg(silence->leg)) leg->music = false;
    } else if (const auto* stop = std::get_if<StopPlay>(&command)) {
        stopped_plays_.insert(stop->play);
    } else if (const auto* play = std::get_if<Play>(&command)) {
        if (auto* const leg = play->mix.empty() ? find_leg(play->leg) : nullptr) leg->plays.insert(play->play);
    }
}

void Session::add_internal(Monotonic now, const LegId& leg, Step step, JobKind kind) {
    Job job;
    job.kind = kind;
    job.leg = leg;
    job.keys = {leg_key(leg)};
    job.timeout = settings_->request_timeout;
    job.steps.push_back(std::move(step));
    jobs_.add(std::move(job));
    run_ready(now);
}

void Session::run_ready(Monotonic now) {
    for (auto ready = jobs_.take_ready(); !ready.empty(); ready = jobs_.take_ready())
        for (const auto number : ready)
            if (auto* const job = jobs_.find(number); job != nullptr && !job->started) run_step(now, number, *job);
}

void Session::run_step(Monotonic now, JobNumber number, Job& job) {
    job.started = true;
    job.asking = false;
    if (job.cancelled) {
        // It was to be ended before it began; the end itself waits behind this job.
        jobs_.finish(number);
        return;
    }
    const auto& step = job.steps[job.at];
    if (step.dials && now > job.not_after)
        return job_failed(now, number, {.command = job.command, .unwritten = true, .unknown = false, .code = "PERMIT_LAPSED", .detail = "the permit ended before the call was made"});
    requests_[ask(step.method, step.path, step.body, job.timeout, step.dials ? job.not_after : Monotonic::max())] = number;
}

void Session::ask_what_became(JobNumber number, Job& job) {
    job.asking = true;
    requests_[ask("GET", job.steps[job.at].question, {}, job.timeout)] = number;
}

void Session::on_job_answer(Monotonic now, Instant wall, JobNumber number, const HttpResponse& response) {
    auto* const job = jobs_.find(number);
    if (job == nullptr) return;
    const auto& step = job->steps[job->at];
    const auto failed = [&](bool unknown, std::string code, std::string detail) {
        job_failed(now, number, {.command = job->command, .unwritten = false, .unknown = unknown, .code = std::move(code), .detail = std::move(detail)});
    };
    if (job->asking) {
        switch (judge(step, response)) {
            case Finding::carried_out: return step_done(now, number, *job);
            case Finding::unclear: return failed(!job->after_conflict, job->after_conflict ? "409" : "NO_ANSWER", "the PBX does not tell what became of the request");
            case Finding::not_carried_out: break;
        }
        if (job->after_conflict) return failed(false, "409", "the PBX says that the id is in use, and knows nothing by it");
        if (!step.again || std::exchange(job->repeated, true)) return failed(false, "NO_ANSWER", "the PBX did not carry it out");
        return run_step(now, number, *job);
    }
    if (response.status / 100 == 2) {
        if (job->at + 1 == job->steps.size()) job_done(now, *job, response);
        return step_done(now, number, *job);
    }
    if (std::find(step.nothing_left_to_do.begin(), step.nothing_left_to_do.end(), response.status) != step.nothing_left_to_do.end()) {
        // A channel that the PBX no longer has ends here too, should the word of its end be lost.
        if (job->kind == JobKind::end_leg && response.status == 404) leg_ended(job->leg, 0, 0, wall);
        if (job->kind == JobKind::stop_recording) tell(RecordingEnded{.recording = job->subject, .lasted = Duration{0}, .failure = {}});
        return step_done(now, number, *job);
    }
    // The id is ours alone, so this is our own earlier request, or an error left over from somebody else's.
    if (response.status == 409 && makes_leg(*job) && step.proof == Proof::exists) {
        job->after_conflict = true;
        return ask_what_became(number, *job);
    }
    if (response.status == 404 && !job->leg.empty() && !makes_leg(*job)) leg_not_found(now, job->leg);
    failed(false, std::to_string(response.status), explain(response));
}

void Session::on_no_answer(Monotonic now, std::uint64_t request, bool written, std::string_view reason) {
    if (sync_ && sync_->requests.erase(request) == 1) {
        fail_sync(now, "the PBX's HTTP side does not answer: " + std::string{reason}, false);
        return run_ready(now);
    }
    const auto found = requests_.find(request);
    if (found == requests_.end()) return;
    const auto number = found->second;
    requests_.erase(found);
    if (auto* const job = jobs_.find(number)) {
        const auto& step = job->steps[job->at];
        const auto* const leg = makes_leg(*job) ? find_leg(job->leg) : nullptr;
        if (job->asking) {
            job_failed(now, number, {.command = job->command, .unwritten = false, .unknown = true, .code = "NO_ANSWER", .detail = std::string{reason}});
        } else if (!written) {
            job_failed(now, number, {.command = job->command, .unwritten = true, .unknown = false, .code = "UNWRITTEN", .detail = std::string{reason}});
        } else if (leg != nullptr && (leg->told_ringing || leg->up)) {
            step_done(now, number, *job);  // its telephone rings: the answer is not needed
        } else if (step.proof != Proof::none) {
            ask_what_became(number, *job);
        } else {
            job_failed(now, number, {.command = job->command, .unwritten = false, .unknown = true, .code = "NO_ANSWER", .detail = std::string{reason}});
        }
    }
    run_ready(now);
}

void Session::step_done(Monotonic now, JobNumber number, Job& job) {
    job.asking = false;
    job.after_conflict = false;
    job.repeated = false;
    ++job.at;
    go_on(now, number, job);
}

void Session::go_on(Monotonic now, JobNumber number, Job& job) {
    if (job.at == job.steps.size() || job.cancelled) {
        if (job.kind == JobKind::clean_up) cleaning_up_.erase(job.leg);
        return jobs_.finish(number);
    }
    if (job.steps[job.at].in_app) {
        const auto* const leg = find_leg(job.leg);
        if (leg == nullptr) return jobs_.finish(number);  // it has ended, and its end was told
        if (!leg->in_app) {
            waiting_for_app_[number] = now + job.timeout;
            return;
        }
    }
    run_step(now, number, job);
}

void Session::in_application(Monotonic now, const LegId& id) {
    const auto number = jobs_.maker_of(id);
    auto* const job = jobs_.find(number);
    if (job != nullptr && waiting_for_app_.erase(number) == 1) go_on(now, number, *job);
}

void Session::job_done(Monotonic now, Job& job, const HttpResponse& response) {
    if (job.kind == JobKind::fetch_recording) {
        const auto type = response.header("content-type");
        tell(RecordingFetched{.recording = job.subject, .content_type = type.empty() ? "audio/wav" : std::string{type}, .bytes = response.body, .failure = {}});
    } else if (job.kind == JobKind::end_leg) {
        // The word of its end follows. Should it not, the leg must not stay for ever.
        if (auto* const leg = find_leg(job.leg); leg != nullptr && !leg->lost_at) leg->lost_at = now + 5 * wait_for_end;
    }
}

void Session::job_failed(Monotonic now, JobNumber number, CommandFailed failure) {
    auto* const found = jobs_.find(number);
    if (found == nullptr) return;
    const auto job = *found;
    jobs_.finish(number);
    switch (job.kind) {
        case JobKind::internal: return;
        case JobKind::clean_up:
            if (const auto cleaning = cleaning_up_.find(job.leg); cleaning != cleaning_up_.end()) {
                if (cleaning->second.tries >= clean_up_tries_max) cleaning_up_.erase(cleaning);
                else cleaning->second.again_at = now + cleaning->second.tries * wait_for_end;
            }
            return;
        case JobKind::detect_machine:
            // Nobody listened: the call goes on.
            if (auto* const leg = find_leg(job.leg); leg != nullptr && leg->machine == Machine::listening) {
                leg->machine = Machine::unasked;
                answered(job.leg, *leg, AnsweredBy::unsure, leg->since.value_or(Instant{}));
            }
            return;
        case JobKind::make_leg:
        case JobKind::snoop:
            // Nothing was written of the dialling, but the channel may be there.
            if (job.at > 0 && failure.unwritten == false) failure.detail.insert(0, "made, but not dialled: ");
            forget_made(now, job.leg, job.at > 0 || failure.unknown || !failure.unwritten);
            break;
        case JobKind::fetch_recording:
            tell(RecordingFetched{.recording = job.subject, .content_type = {}, .bytes = {}, .failure = failure.detail, .passing = failure.unknown || failure.unwritten || failure.code.starts_with('5')});
            break;
        case JobKind::play:
            stopped_plays_.erase(job.subject);
            for (auto& [id, leg] : legs_) leg.plays.erase(job.subject);
            break;
        default: break;
    }
    tell(std::move(failure));
}

void Session::forget_made(Monotonic now, const LegId& id, bool may_exist) {
    legs_.erase(id);
    if (!may_exist) return;
    if (unwanted_.insert(id).second) {
        unwanted_order_.push_back(id);
        if (unwanted_order_.size() > unwanted_max) {
            unwanted_.erase(unwanted_order_.front());
            unwanted_order_.pop_front();
        }
    }
    clean_up(now, id);
}

void Session::clean_up(Monotonic now, const LegId& id) {
    auto& cleaning = cleaning_up_[id];
    if (cleaning.tries > 0 && !cleaning.again_at) return;  // under way
    ++cleaning.tries;
    cleaning.again_at.reset();
    add_internal(now, id, {.method = "DELETE", .path = "/channels/" + percent_encode(id).append("?reason=normal"), .nothing_left_to_do = {404}}, JobKind::clean_up);
}

void Session::leg_not_found(Monotonic now, const LegId& id) {
    if (auto* const leg = find_leg(id); leg != nullptr && !leg->lost_at) leg->lost_at = now + wait_for_end;
}

}  // namespace touchgate::adapters::asterisk_ari
