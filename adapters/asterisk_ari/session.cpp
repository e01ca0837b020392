#include "adapters/asterisk_ari/session.hpp"

#include <algorithm>
#include <utility>

#include "gateway/base/ids.hpp"
#include "gateway/base/text.hpp"
#include "gateway/channel/http_text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::asterisk_ari {

using namespace channel;
using namespace std::chrono_literals;

namespace {

constexpr Duration back_off_first = 500ms;
constexpr Duration back_off_max = 15s;
constexpr Duration pause_after_refusal = 60s;
constexpr Duration pause_after_replacement = 5min;
constexpr Duration pause_after_replacement_max = 1h;
constexpr Duration stable_after = 2h;  // the application was ours longer than any pause of a rival of our kind: whoever takes it then is another story
constexpr Duration sync_patience = 30s;

enum SyncPart { part_filter, part_application, part_channels, part_bridges, part_info };

// Events that say nothing that is used here: on a busy server they are most of the stream.
constexpr const char* unused_events[] = {"ChannelVarset", "ChannelDialplan", "ChannelConnectedLine", "ChannelCallerId", "Dial", "ChannelTalkingStarted",
                                         "ChannelTalkingFinished", "DeviceStateChanged", "PlaybackStarted", "PlaybackContinuing", "RecordingStarted"};

// When the PBX started, by our clock: the two clocks differ by what its answer says of the time.
std::optional<Instant> began_at(const Json& info, const HttpResponse& response, Instant wall) {
    const auto started = read_time(text_member(member(info, "status"), "startup_time"));
    const auto there = parse_http_date(response.header("date"));
    if (!started) return std::nullopt;
    return there ? *started + (wall - *there) : *started;
}

}  // namespace

Session::Session(std::shared_ptr<const Settings> settings, std::uint64_t seed) : settings_{std::move(settings)}, random_{seed} {}

Duration Session::back_off() {
    const auto longest = std::min<Duration>(back_off_max, back_off_first * (1U << std::min(failures_, 6U)));
    ++failures_;
    return longest / 2 + Duration{static_cast<Duration::rep>(random_.unit() * static_cast<double>(longest.count()) / 2)};
}

std::uint64_t Session::ask(std::string method, const std::string& path, std::string body, Duration timeout, Monotonic not_after) {
    CallRequest request{.id = next_request_++, .request = {}, .timeout = timeout, .not_after = not_after};
    request.request.method = std::move(method);
    request.request.url = settings_->base.origin + settings_->base.path + "/ari" + path;
    request.request.headers = {{"Authorization", "Basic " + crypto::base64(settings_->username + ':' + settings_->password)}};
    if (!body.empty()) request.request.headers.emplace_back("Content-Type", "application/json");
    request.request.body = std::move(body);
    output_.requests.push_back(std::move(request));
    return output_.requests.back().id;
}

void Session::on_connected(Monotonic now, Instant) {
    connect_at_.reset();
    pause_.reset();
    reason_.reset();
    held_back_.clear();
    if (!wanted_) {
        output_.close = true;
        return;
    }
    state_ = State::syncing;
    start_sync(now, true);
}

void Session::on_closed(Monotonic now, std::string_view reason, bool credentials) {
    state_ = State::idle;
    up_since_.reset();
    held_back_.clear();
    if (sync_) {
        for (const auto command : sync_->asked_by) tell(CommandFailed{.command = command, .unwritten = true, .unknown = false, .code = "DOWN", .detail = "the connection to the PBX is broken"});
        sync_.reset();
    }
    auto down = reason_.value_or(PbxDown{.reason = std::string{reason}, .credentials = credentials});
    reason_.reset();
    const auto pause = pause_ ? *pause_ : down.credentials ? pause_after_refusal : back_off();
    pause_.reset();
    tell(std::move(down));
    for (auto& job : jobs_.take_waiting()) {
        if (job.kind == JobKind::make_leg || job.kind == JobKind::snoop) legs_.erase(job.leg);
        if (job.kind == JobKind::clean_up) cleaning_up_[job.leg].again_at = now + 1s;
        else if (job.kind != JobKind::internal && job.kind != JobKind::detect_machine)
            tell(CommandFailed{.command = job.command, .unwritten = true, .unknown = false, .code = "DOWN", .detail = "the connection to the PBX is broken"});
    }
    if (wanted_) connect_at_ = now + pause;
    else connect_at_.reset();
}

void Session::give_up_connection(Monotonic, std::string reason, bool credentials, Duration pause) {
    if (state_ == State::closing) return;
    state_ = State::closing;
    if (pause > Duration{0}) pause_ = pause;
    reason_ = PbxDown{.reason = std::move(reason), .credentials = credentials};
    output_.close = true;
}

void Session::shut_down(Monotonic) {
    wanted_ = false;
    if (state_ == State::idle) {
        connect_at_.reset();
        return;
    }
    for (auto& job : jobs_.take_waiting())
        if (job.kind != JobKind::internal && job.kind != JobKind::detect_machine && job.kind != JobKind::clean_up)
            tell(CommandFailed{.command = job.command, .unwritten = true, .unknown = false, .code = "DOWN", .detail = "the gateway stops"});
    reason_ = PbxDown{.reason = "the gateway stops"};
    state_ = State::closing;
    output_.close = true;
}

CallOutput Session::take_output() { return std::exchange(output_, {}); }

// ---- The snapshot: events are held back from the first moment, so that nothing falls between it and them.

void Session::start_sync(Monotonic now, bool first) {
    sync_.emplace();
    sync_->first = first;
    sync_->deadline = now + sync_patience;
    if (first) {
        ask_sync_part(part_filter);
        return;
    }
    for (const int part : {part_application, part_channels, part_bridges}) ask_sync_part(part);
}

void Session::ask_sync_part(int part) {
    const auto application = "/applications/" + percent_encode(settings_->app);
    std::uint64_t id = 0;
    if (part == part_filter) {
        Json types = Json::array();
        for (const auto* type : unused_events) types.push_back({{"type", type}});
        id = ask("PUT", application + "/eventFilter", Json{{"disallowed", types}}.dump(), settings_->request_timeout);
    } else {
        id = ask("GET", part == part_application ? application : part == part_channels ? "/channels" : part == part_bridges ? "/bridges" : "/asterisk/info?only=status", {},
                 settings_->request_timeout);
    }
    sync_->requests[id] = part;
}

void Session::on_sync_answer(Monotonic now, Instant wall, int part, const HttpResponse& response) {
    if (response.status == 401) return fail_sync(now, "the PBX refuses the user name or password", true);
    if (part == part_filter) {
        if (response.status == 403) return fail_sync(now, "the PBX lets this user only read (read_only = yes in ari.conf)", true);
        if (response.status >= 500) return fail_sync(now, "the PBX answers HTTP " + std::to_string(response.status), false);
        // Versions before 16.3 cannot filter: only more of the stream is thrown away here then.
        if (response.status / 100 != 2) sync_->warning = "the PBX takes no event filter (HTTP " + std::to_string(response.status) + ")";
        for (const int next : {part_application, part_channels, part_bridges, part_info}) ask_sync_part(next);
        return;
    }
    const auto body = response.status == 200 ? parse_foreign_json(response.body) : Json(Json::value_t::discarded);
    if (part == part_info) {
        // A PBX that does not tell is no worse off than one that never restarts.
        sync_->began_at = began_at(body, response, wall);
        sync_->informed = true;
    } else if (part == part_application) {
        if (response.status == 404) {
            // A simpler PBX: what is ours its channels and bridges tell.
            sync_->warning.append(sync_->warning.empty() ? "" : "; ").append("the PBX does not tell of its applications (HTTP 404)");
            sync_->application = Json::object();
        } else if (!body.is_object()) {
            return fail_sync(now, "the PBX does not tell of the application \"" + settings_->app + "\" (HTTP " + std::to_string(response.status) + ")", false);
        } else {
            sync_->application = body;
        }
    } else {
        if (!body.is_array()) return fail_sync(now, "the PBX does not list its channels and bridges (HTTP " + std::to_string(response.status) + ")", false);
        (part == part_channels ? sync_->channels : sync_->bridges) = body;
    }
    if (sync_->application && sync_->channels && sync_->bridges && (sync_->informed || !sync_->first)) finish_sync(now, wall);
}

void Session::fail_sync(Monotonic now, std::string reason, bool credentials) {
    const auto failed = std::exchange(sync_, std::nullopt);
    for (const auto command : failed->asked_by) tell(CommandFailed{.command = command, .unwritten = false, .unknown = false, .code = "NO_SNAPSHOT", .detail = reason});
    if (failed->first) return give_up_connection(now, std::move(reason), credentials, Duration{0});
    for (auto& event : std::exchange(held_back_, {})) handle(now, event.at.value_or(Instant{}), event);
}

void Session::finish_sync(Monotonic now, Instant wall) {
    auto snapshot = take_stock(wall);
    const auto done = std::exchange(sync_, std::nullopt);
    state_ = State::up;
    if (done->first) {
        failures_ = 0;
        up_since_ = now;
        snapshot.began_at = done->began_at;
        tell(PbxUp{.snapshot = std::move(snapshot), .warning = done->warning});
    } else {
        tell(std::move(snapshot));
    }
    for (const auto& [number, until] : std::map{waiting_for_app_})
        if (const auto* const job = jobs_.find(number))
            if (const auto* const leg = find_leg(job->leg); leg != nullptr && leg->in_app) in_application(now, LegId{job->leg});
    for (const auto& event : std::exchange(held_back_, {})) {
        if (state_ != State::up) break;
        handle(now, wall, event);
    }
}

namespace {

// What the dial plan handed over with the call ("app,inbound,DID"), else the extension.
std::string dialed_of(const ChannelSnapshot& channel) {
    const auto words = split(channel.app_data, ',');
    return words.size() > 2 && words[1] == "inbound" ? std::string{words[2]} : channel.exten;
}

}  // namespace

Snapshot Session::take_stock(Instant wall) {
    std::set<std::string, std::less<>> ours;
    if (const auto& ids = member(*sync_->application, "channel_ids"); ids.is_array())
        for (const auto& id : ids)
            if (id.is_string()) ours.insert(id.get<std::string>());
    // Calls that are only now coming in are told of as such, afterwards.
    std::set<std::string, std::less<>> arriving;
    for (const auto& event : held_back_)
        if (event.type == "StasisStart" && event.replaced.id.empty()) arriving.insert(event.channel.id);

    Snapshot snapshot;
    std::map<LegId, Leg, std::less<>> found, strangers;
    for (const auto& each : *sync_->channels) {
        const auto channel = read_channel(each);
        // A channel that is only being made is sometimes several times in the list (seen with Asterisk 22).
        if (channel.id.empty() || found.contains(channel.id) || strangers.contains(channel.id)) continue;
        const auto known = legs_.find(channel.id);
        Leg leg = known == legs_.end() ? Leg{} : known->second;
        leg.arrived = known == legs_.end() || known->second.arrived;
        learn(leg, channel);
        const bool made_here = !leg.arrived || !leg.owner.empty();
        const bool sure = made_here || (ours.contains(channel.id) && channel.app_name == "Stasis");
        if (leg.arrived && known == legs_.end() && arriving.contains(channel.id)) continue;
        if (unwanted_.contains(channel.id)) continue;
        // A name such as the gateway gives, of which the PBX has kept nothing else.
        if (known == legs_.end() && !made_here && (channel.app_name != "Stasis" || channel.app_data.empty()) && parse_uuid(channel.id)) leg.arrived = false;
        leg.up = channel.state == "Up";
        leg.in_app = leg.in_app || channel.app_name == "Stasis";
        leg.told_ringing = leg.told_ringing || leg.up || channel.state == "Ringing";
        if (leg.machine == Machine::unasked) leg.told_answered = leg.told_answered || leg.up;
        leg.lost_at.reset();
        if (!leg.since) leg.since = channel.created;
        if (!leg.silent)
            snapshot.legs.push_back({.leg = channel.id, .owner = leg.owner, .role = leg.role, .number = leg.number, .answered = leg.up, .arrived = leg.arrived,
                                     .since = std::min(leg.since.value_or(wall), wall), .unsure = !sure, .to = leg.arrived ? dialed_of(channel) : std::string{},
                                     .endpoint = leg.arrived ? endpoint_of(channel.name) : std::string{}});
        (sure || known != legs_.end() ? found : strangers).emplace(channel.id, std::move(leg));
    }
    // What a command under way is only now making is not gone.
    for (auto& [id, leg] : legs_)
        if (!found.contains(id) && jobs_.maker_of(id) != 0) found.emplace(id, std::move(leg));
    legs_ = std::move(found);
    strangers_ = std::move(strangers);
    mixes_.clear();
    if (sync_->first) stopped_plays_.clear();
    for (const auto& each : *sync_->bridges) {
        auto bridge = read_bridge(each);
        const auto owner = owner_of_bridge(*settings_, bridge.name);
        if (!owner || bridge.id.empty()) continue;
        mixes_.insert(bridge.id);
        Snapshot::Mix mix{.mix = bridge.id, .owner = *owner, .legs = {}};
        for (auto& id : bridge.channels)
            if (auto* leg = find_leg(id)) {
                leg->mix = bridge.id;
                mix.legs.push_back(std::move(id));
            }
        snapshot.mixes.push_back(std::move(mix));
    }
    return snapshot;
}

void Session::on_bytes(Monotonic now, Instant wall, std::string_view bytes) {
    if (state_ != State::up && state_ != State::syncing) return;
    auto event = read_event(bytes);
    if (!event) {
        ++counters_.unreadable;
        return;
    }
    ++counters_.events;
    if (event->type == "ApplicationReplaced") {
        // Another client took the application over. Connecting again would take it back, and so on for ever.
        if (up_since_ && now - *up_since_ >= stable_after) replaced_ = 0;
        ++replaced_;
        const auto pause = std::min<Duration>(pause_after_replacement_max, pause_after_replacement * (1U << std::min(replaced_ - 1, 4U)));
        give_up_connection(now, "another client took over the application \"" + settings_->app +
                                    "\" at the PBX: is a second gateway running, or another program with this app name? Calls are not served from here.",
                           false, pause);
        return;
    }
    if (sync_) held_back_.push_back(std::move(*event));
    else handle(now, wall, *event);
}

void Session::on_answer(Monotonic now, Instant wall, std::uint64_t request, const HttpResponse& response) {
    if (sync_) {
        if (const auto part = sync_->requests.find(request); part != sync_->requests.end()) {
            const int which = part->second;
            sync_->requests.erase(part);
            on_sync_answer(now, wall, which, response);
            return run_ready(now);
        }
    }
    const auto found = requests_.find(request);
    if (found == requests_.end()) {
        ++counters_.stray_answers;
        return;
    }
    const auto job = found->second;
    requests_.erase(found);
    on_job_answer(now, wall, job, response);
    run_ready(now);
}

void Session::on_wake(Monotonic now, Instant wall) {
    if (sync_ && now >= sync_->deadline) fail_sync(now, "the PBX does not answer in time", false);
    for (const auto& [number, until] : std::map{waiting_for_app_})
        if (const auto* const job = jobs_.find(number); job != nullptr && until <= now) {
            waiting_for_app_.erase(number);
            job_failed(now, number, {.command = job->command, .unwritten = false, .unknown = false, .code = "NO_ANSWER", .detail = "the channel did not come into the application"});
        }
    std::vector<LegId> due;
    for (const auto& [id, cleaning] : cleaning_up_)
        if (cleaning.again_at && *cleaning.again_at <= now) due.push_back(id);
    for (const auto& id : due) clean_up(now, id);
    run_ready(now);
    std::vector<LegId> lost;
    for (const auto& [id, leg] : legs_)
        if (leg.lost_at && *leg.lost_at <= now) lost.push_back(id);
    for (const auto& id : lost) leg_ended(id, 0, 0, wall);
}

std::optional<Session::Monotonic> Session::wake_at() const {
    std::optional<Monotonic> wake;
    const auto consider = [&](const std::optional<Monotonic>& at) {
        if (at && (!wake || *at < *wake)) wake = at;
    };
    if (sync_) consider(sync_->deadline);
    for (const auto& [number, until] : waiting_for_app_) consider(until);
    for (const auto& [id, cleaning] : cleaning_up_) consider(cleaning.again_at);
    for (const auto& [id, leg] : legs_) consider(leg.lost_at);
    return wake;
}

}  // namespace touchgate::adapters::asterisk_ari
