#include "adapters/freeswitch_esl/session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "adapters/freeswitch_esl/cause.hpp"
#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"

namespace touchgate::adapters::freeswitch_esl {

using namespace channel;
using namespace std::chrono_literals;

namespace {

constexpr Duration back_off_first = 500ms;
constexpr Duration back_off_max = 15s;
constexpr Duration pause_after_refusal = 60s;
constexpr Duration start_patience = 30s;
constexpr Duration silence_max = 45s;  // the switch sends a heartbeat every 20 s

// Only what is used: the switch drops events of a listener that does not keep up.
constexpr std::string_view subscription =
    "event json CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_PARK CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HOLD "
    "CHANNEL_UNHOLD CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE DTMF RECORD_STOP BACKGROUND_JOB HEARTBEAT CUSTOM conference::maintenance\n\n";

// What the gateway has written onto a channel, and what the dial plan has.
constexpr std::array<std::string_view, 3> own_variables = {"touchgate_leg", "touchgate_mix", "touchgate"};

LegRole role_of(std::string_view word) {
    if (word == "agent") return LegRole::agent;
    if (word == "outside") return LegRole::outside;
    if (word == "supervisor") return LegRole::supervisor;
    return LegRole::customer;
}

// The answer to "uptime s".
std::optional<Duration> read_uptime(std::string_view text) {
    text = trim(text);
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || seconds < 0 || seconds > 1'000'000'000) return std::nullopt;
    return std::chrono::seconds{seconds};
}

bool is_up(std::string_view call_state) { return call_state == "ACTIVE" || call_state == "HELD" || call_state == "UNHELD"; }

}  // namespace

Session::Session(std::shared_ptr<const Settings> settings, std::uint64_t seed) : settings_{std::move(settings)}, random_{seed} {}

Duration Session::back_off() {
    const auto longest = std::min<Duration>(back_off_max, back_off_first * (1U << std::min(failures_, 6U)));
    ++failures_;
    return longest / 2 + Duration{static_cast<Duration::rep>(random_.unit() * static_cast<double>(longest.count()) / 2)};
}

CallOutput Session::take_output() { return std::exchange(output_, {}); }

void Session::on_connected(Monotonic now, Instant wall) {
    wall_ = wall;
    connect_at_.reset();
    reason_.reset();
    reader_.clear();
    pending_.clear();
    held_back_.clear();
    heard_at_ = now;
    if (!wanted_) {
        state_ = State::closing;
        output_.close = true;
        return;
    }
    state_ = State::greeting;  // the switch speaks first
    deadline_ = now + start_patience;
}

void Session::on_closed(Monotonic now, std::string_view reason, bool credentials) {
    state_ = State::idle;
    sync_.reset();
    held_back_.clear();
    pending_.clear();
    auto down = reason_.value_or(PbxDown{.reason = std::string{reason}, .credentials = credentials});
    reason_.reset();
    const auto pause = down.credentials ? pause_after_refusal : back_off();
    const auto jobs = std::exchange(jobs_, {});
    job_uuids_.clear();
    tell(std::move(down));
    // What was written may have been carried out: the snapshot of the next connection tells.
    for (const auto& [number, job] : jobs)
        tell(CommandFailed{.command = job.command, .unwritten = !job.running, .unknown = job.running, .code = "DOWN", .detail = "the connection to the switch is broken"});
    if (wanted_) connect_at_ = now + pause;
    else connect_at_.reset();
}

void Session::give_up(std::string reason, bool credentials) {
    if (state_ == State::closing || state_ == State::idle) return;
    state_ = State::closing;
    reason_ = PbxDown{.reason = std::move(reason), .credentials = credentials};
    output_.close = true;
}

void Session::shut_down(Monotonic) {
    wanted_ = false;
    if (state_ == State::idle) {
        connect_at_.reset();
        return;
    }
    if (state_ == State::up || state_ == State::syncing) output_.bytes += "exit\n\n";
    give_up("the gateway stops", false);
}

void Session::say(std::string_view text, Pending expected) {
    output_.bytes.append(text);
    pending_.push_back(std::move(expected));
}

void Session::on_bytes(Monotonic now, Instant wall, std::string_view bytes) {
    if (state_ == State::idle || state_ == State::closing) return;
    heard_at_ = now;
    wall_ = wall;
    reader_.feed(bytes);
    while (state_ != State::closing) {
        const auto frame = reader_.next();
        if (!frame) break;
        handle_frame(now, wall, *frame);
    }
    if (reader_.broken()) {
        ++counters_.unreadable;
        give_up("what answers there is no event socket of FreeSWITCH", false);
    }
    if (state_ == State::up) run_ready(now);
}

void Session::handle_frame(Monotonic now, Instant wall, const Frame& frame) {
    const auto type = frame.header("Content-Type");
    if (type == "auth/request") {
        if (state_ != State::greeting) return;
        state_ = State::logging_in;
        say("auth " + settings_->password + "\n\n", {.what = Asked::login});
    } else if (type == "command/reply" || type == "api/response") {
        handle_reply(now, wall, frame);
    } else if (type == "text/event-json") {
        auto event = Event::read(frame.body);
        if (!event) {
            ++counters_.unreadable;
            return;
        }
        ++counters_.events;
        if (sync_) held_back_.push_back(std::move(*event));
        else if (state_ == State::up) handle(now, wall, *event);
    } else if (type == "text/disconnect-notice") {
        give_up("the switch ended the connection", false);
    } else if (type == "text/rude-rejection") {
        give_up("the switch refuses this address (apply-inbound-acl in event_socket.conf.xml)", true);
    } else {
        ++counters_.unknown;
    }
}

void Session::handle_reply(Monotonic now, Instant wall, const Frame& frame) {
    if (pending_.empty()) {
        ++counters_.stray_answers;
        return;
    }
    const auto asked = std::move(pending_.front());
    pending_.pop_front();
    const auto text = frame.header("Reply-Text");
    switch (asked.what) {
        case Asked::login:
            if (!text.starts_with("+OK")) return give_up("the switch refuses the password", true);
            state_ = State::subscribing;
            return say(subscription, {.what = Asked::subscription});
        case Asked::subscription:
            if (!text.starts_with("+OK")) return give_up("the switch refuses the subscription of events", false);
            state_ = State::syncing;
            return start_sync(now, true);
        case Asked::uptime:
            if (const auto uptime = read_uptime(frame.body); uptime && sync_) sync_->began_at = wall - *uptime;
            return;
        case Asked::channels: return read_channels(now, wall, frame.body);
        case Asked::variable: return read_variable(now, wall, asked, frame.body);
        case Asked::job:
            // Accepted: the result comes as an event.
            if (text.starts_with("-ERR")) job_result(now, asked.job, text);
            return;
        case Asked::message: return job_result(now, asked.job, text);
        case Asked::nothing: return;
    }
}

// ---- The snapshot: events are held back from the first moment, so that nothing falls between it and them.

void Session::start_sync(Monotonic, bool first) {
    sync_.emplace();
    sync_->first = first;
    if (first) say("api uptime s\n\n", {.what = Asked::uptime});
    say("api show channels as json\n\n", {.what = Asked::channels});
}

void Session::read_channels(Monotonic now, Instant wall, const std::string& body) {
    if (!sync_) return;
    const auto list = parse_foreign_json(readable(body));
    // Without channels there is a count and no rows.
    if (!list.is_object() || (!member(list, "rows").is_array() && text_member(list, "row_count") != "0")) {
        if (sync_->first) return give_up("the switch does not list its channels", false);
        const auto failed = std::exchange(sync_, std::nullopt);
        for (const auto command : failed->asked_by) tell(CommandFailed{.command = command, .unwritten = false, .unknown = false, .code = "NO_SNAPSHOT", .detail = "the switch does not list its channels"});
        for (const auto& event : std::exchange(held_back_, {})) handle(now, wall, event);
        return;
    }
    const auto& rows = member(list, "rows");
    for (std::size_t i = 0; i < rows.size() && rows.is_array(); ++i) {
        const auto uuid = text_member(rows[i], "uuid");
        if (!is_plain_word(uuid) || uuid.size() > 100) continue;
        Sync::Row row{.number = text_member(rows[i], "cid_num"), .state = text_member(rows[i], "callstate"), .to = text_member(rows[i], "dest"), .since = wall};
        const auto epoch = text_member(rows[i], "created_epoch");
        if (!epoch.empty() && epoch.size() <= 10 && epoch.find_first_not_of("0123456789") == std::string::npos)
            row.since = std::min(wall, from_unix_ms(std::stoll(epoch) * 1'000));
        if (!sync_->rows.emplace(uuid, std::move(row)).second) continue;
        for (const auto name : own_variables) {
            say("api uuid_getvar " + uuid + " " + std::string{name} + "\n\n", {.what = Asked::variable, .leg = uuid, .variable = std::string{name}});
            ++sync_->missing;
        }
    }
    if (sync_->missing == 0) finish_sync(now, wall);
}

void Session::read_variable(Monotonic now, Instant wall, const Pending& asked, std::string_view body) {
    if (!sync_ || sync_->missing == 0) return;
    const auto value = trim(body);
    const auto row = sync_->rows.find(asked.leg);
    if (row != sync_->rows.end()) {
        // A channel that ended meanwhile has no variables; its end follows as an event.
        if (!value.starts_with("-ERR") && value != "_undef_") row->second.variables[asked.variable] = readable(value);
    }
    if (--sync_->missing == 0) finish_sync(now, wall);
}

Snapshot Session::take_stock(Instant) {
    std::map<LegId, Leg, std::less<>> found;
    mixes_.clear();
    const auto app_is_ours = [&](std::string_view word) { return word == settings_->app; };
    for (auto& [id, row] : sync_->rows) {
        const auto known = legs_.find(id);
        Leg leg = known == legs_.end() ? Leg{} : std::move(known->second);
        const auto made = split(row.variables["touchgate_leg"], '.');
        const auto came = split(row.variables["touchgate"], ',');
        if (made.size() >= 4 && app_is_ours(made[0])) {
            leg.role = role_of(made[1]);
            leg.owner = made[2];
            // A name may have dots of its own.
            leg.number = std::string{row.variables["touchgate_leg"]}.substr(made[0].size() + made[1].size() + made[2].size() + 3);
        } else if (came.size() >= 2 && app_is_ours(came[0])) {
            leg.arrived = true;
            leg.role = came[1] == "agent" ? LegRole::agent : LegRole::customer;
            leg.number = row.number;
            if (came.size() > 2) leg.dialed = came[2];
        } else {
            continue;
        }
        leg.seen = true;
        leg.up = is_up(row.state);
        leg.told_ringing = leg.told_ringing || leg.up;
        leg.told_answered = leg.told_answered || leg.up;
        leg.since = row.since;
        leg.lost_at.reset();
        leg.mix.clear();
        leg.partner.clear();
        leg.joined = false;
        if (const auto mark = split(row.variables["touchgate_mix"], '.'); mark.size() == 2 && !mark[0].empty()) {
            leg.mix = mark[0];
            leg.joined = true;
            leg.owner = mark[1];
            auto& mix = mixes_[leg.mix];
            mix.owner = mark[1];
            mix.legs.push_back(id);
            mix.conference = mix.legs.size() > 2;
        }
        found.emplace(id, std::move(leg));
    }
    // What a command under way is only now making is not gone.
    for (auto& [id, leg] : legs_)
        if (!found.contains(id) && std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
                const auto* make = std::get_if<MakeLeg>(&entry.second.what);
                return make != nullptr && make->leg == id;
            }))
            found.emplace(id, std::move(leg));
    legs_ = std::move(found);
    for (auto& [id, mix] : mixes_)
        if (mix.legs.size() == 2) {
            legs_[mix.legs[0]].partner = mix.legs[1];
            legs_[mix.legs[1]].partner = mix.legs[0];
        }
    Snapshot snapshot;
    for (const auto& [id, leg] : legs_)
        snapshot.legs.push_back({.leg = id, .owner = leg.owner, .role = leg.role, .number = leg.number, .answered = leg.up, .arrived = leg.arrived, .since = leg.since,
                                 .unsure = false, .to = leg.dialed, .endpoint = {}});
    for (const auto& [id, mix] : mixes_) snapshot.mixes.push_back({.mix = id, .owner = mix.owner, .legs = mix.legs});
    return snapshot;
}

void Session::finish_sync(Monotonic now, Instant wall) {
    auto snapshot = take_stock(wall);
    snapshot.began_at = sync_->began_at;
    const bool first = sync_->first;
    sync_.reset();
    if (first) {
        state_ = State::up;
        failures_ = 0;
        tell(PbxUp{.snapshot = std::move(snapshot)});
    } else {
        tell(std::move(snapshot));
    }
    for (const auto& event : std::exchange(held_back_, {})) {
        if (state_ != State::up) break;
        handle(now, wall, event);
    }
}

void Session::on_answer(Monotonic, Instant, std::uint64_t request, const HttpResponse& response) {
    const auto found = fetches_.find(request);
    if (found == fetches_.end()) {
        ++counters_.stray_answers;
        return;
    }
    const auto fetch = std::move(found->second);
    fetches_.erase(found);
    const bool is_good = response.status / 100 == 2 || (fetch.drop && response.status == 404);
    const auto failure = "HTTP " + std::to_string(response.status);
    if (!fetch.drop)
        tell(RecordingFetched{.recording = fetch.recording, .content_type = std::string{response.header("content-type")}, .bytes = is_good ? response.body : std::string{},
                              .failure = is_good ? std::string{} : failure, .passing = response.status >= 500});
    else if (!is_good) tell(CommandFailed{.command = fetch.command, .unwritten = false, .unknown = false, .code = "NOT_DROPPED", .detail = failure});
}

void Session::on_no_answer(Monotonic, std::uint64_t request, bool written, std::string_view reason) {
    const auto found = fetches_.find(request);
    if (found == fetches_.end()) return;
    const auto fetch = std::move(found->second);
    fetches_.erase(found);
    if (!fetch.drop) tell(RecordingFetched{.recording = fetch.recording, .content_type = {}, .bytes = {}, .failure = std::string{reason}, .passing = true});
    else tell(CommandFailed{.command = fetch.command, .unwritten = !written, .unknown = written, .code = "NOT_DROPPED", .detail = std::string{reason}});
}

void Session::on_wake(Monotonic now, Instant wall) {
    wall_ = wall;
    if (state_ == State::idle || state_ == State::closing) return;
    if (state_ != State::up && now >= deadline_) return give_up("the switch does not answer in time", false);
    if (now >= heard_at_ + silence_max) return give_up("the switch has been silent for 45 s", false);
    std::vector<std::uint64_t> late;
    for (const auto& [number, job] : jobs_)
        if (job.running && job.deadline <= now) late.push_back(number);
    for (const auto number : late) job_failed(now, number, "TIMEOUT", "the switch did not report a result in time", false, true);
    std::vector<LegId> lost;
    for (const auto& [id, leg] : legs_)
        if (leg.lost_at && *leg.lost_at <= now) lost.push_back(id);
    for (const auto& id : lost) {
        const auto& leg = legs_.at(id);
        const auto outcome = outcome_of({.cause = leg.failed_cause, .was_answered = leg.up, .by_us = leg.ended_by_us}, *settings_);
        leg_ended(id, {.leg = id, .cause = q850(cause_number(leg.failed_cause)), .was_answered = leg.up, .outcome = outcome, .at = wall});
    }
    if (state_ == State::up) run_ready(now);
}

std::optional<Session::Monotonic> Session::wake_at() const {
    if (state_ == State::idle || state_ == State::closing) return std::nullopt;
    auto wake = heard_at_ + silence_max;
    if (state_ != State::up) wake = std::min(wake, deadline_);
    for (const auto& [number, job] : jobs_)
        if (job.running) wake = std::min(wake, job.deadline);
    for (const auto& [id, leg] : legs_)
        if (leg.lost_at) wake = std::min(wake, *leg.lost_at);
    return wake;
}

}  // namespace touchgate::adapters::freeswitch_esl
