#include "gateway/http/agent_session.hpp"

#include <algorithm>

#include "gateway/http/agent_json.hpp"

namespace touchgate::http {

namespace {

using namespace std::chrono_literals;

constexpr double requests_per_second = 50, requests_burst = 100;
constexpr double refusals_per_second = 10, refusals_burst = 200;  // whoever goes on in spite of being refused is cut off
constexpr std::size_t pushes_max = 512;      // handed over and not yet written
constexpr std::size_t frames_to_pause = 64;  // a desktop that does not read its replies may not ask for more
constexpr std::size_t asked_max = 32;        // requests that wait for their replies
constexpr Duration ping_every{4'500};
constexpr auto snapshot_after = 2s;          // for a desktop that asks for nothing
constexpr auto silent_max = 45s;             // the lease is long over then
constexpr auto write_max = 30s;
constexpr auto close_within = 2s;
constexpr Duration heard_every{1'000};
constexpr auto token_again = 5s;

}  // namespace

// ---- from the engine ----------------------------------------------------------------------------------------------------------

bool AgentSession::push(std::vector<std::shared_ptr<const AgentPush>> pushes) {
    if (gone_.load()) return false;
    if (pushes.empty()) return true;
    // Some are not kept any more: what they led to comes in one piece, after these.
    const bool gap = last_pushed_ != 0 && pushes.front()->seq > last_pushed_ + 1;
    last_pushed_ = pushes.back()->seq;
    const auto waiting = pushes_waiting_ += pushes.size();
    const bool takes_more = waiting <= pushes_max;
    worker_.run([self = shared_from_this(), frames = hub_.frames_of(pushes), takes_more, gap] {
        self->take(frames);
        if (gap) self->hub_.insist(self->worker_, [self](AgentDesk& desk) { (void)desk.snapshot(self->agent_, self); });
        if (!takes_more) self->fall_behind();
    });
    return takes_more;
}

void AgentSession::end(std::string reason) {
    worker_.run([self = shared_from_this(), reason = std::move(reason)] { self->refuse(AgentClose::ended, reason); });
}

void AgentSession::take(const std::vector<std::shared_ptr<const AgentFrame>>& frames) {
    for (const auto& frame : frames) enqueue(frame, true);
}

void AgentSession::fall_behind() {
    behind_ = true;
    pull_if_drained();
}

void AgentSession::pull_if_drained() {
    if (!behind_ || gone_.load() || pushes_waiting_.load() > pushes_max / 2) return;
    behind_ = false;
    hub_.insist(worker_, [self = shared_from_this()](AgentDesk& desk) { desk.pull(self->agent_, self); });
}

// ---- writing ------------------------------------------------------------------------------------------------------------------

void AgentSession::enqueue(std::shared_ptr<const AgentFrame> frame, bool is_push) {
    if (wire_ == nullptr || closing_) {
        if (is_push) --pushes_waiting_;
        return;
    }
    outbox_.push_back({std::move(frame), is_push});
    write_next();
}

void AgentSession::write_next() {
    if (writing_ || wire_ == nullptr) return;
    if (sent_ == outbox_.size()) {
        constexpr std::size_t kept = 16;
        outbox_.clear();
        if (outbox_.capacity() > kept) outbox_.shrink_to_fit();
        sent_ = 0;
        return;
    }
    writing_ = true;
    writing_since_ = now();
    wire_->write(outbox_[sent_].frame->text());
}

void AgentSession::on_written() {
    writing_ = false;
    if (sent_ < outbox_.size()) {
        if (outbox_[sent_].is_push) --pushes_waiting_;
        outbox_[sent_++].frame.reset();
    }
    write_next();
    pull_if_drained();
    read_on_if_paused();
}

bool AgentSession::reads_on() {
    paused_ = (outbox_.size() - sent_ > frames_to_pause || asked_ >= asked_max) && wire_ != nullptr;
    return !paused_;
}

void AgentSession::read_on_if_paused() {
    if (!paused_ || outbox_.size() - sent_ > frames_to_pause / 2 || asked_ > asked_max / 2 || wire_ == nullptr) return;
    paused_ = false;
    wire_->read_on();
}

bool AgentSession::show(const WallboardText& board) {
    if (outbox_.size() - sent_ > frames_to_pause) return false;
    enqueue(board.frame, false);
    return true;
}

// ---- life ---------------------------------------------------------------------------------------------------------------------

void AgentSession::open(AgentWire& wire, const Hello& hello) {
    wire_ = &wire;
    opened_at_ = heard_at_ = told_heard_at_ = refilled_at_ = now();
    requests_left_ = requests_burst;
    refusals_left_ = refusals_burst;
    ping_at_ = opened_at_ + std::min(ping_every, hub_.options().lease / 3);
    send(render_hello(hello, expires_at_));
    look_at_token();
    set_deadline();
}

void AgentSession::on_heard() {
    heard_at_ = now();
    if (heard_at_ - told_heard_at_ < std::min(heard_every, hub_.options().lease / 4)) return;
    told_heard_at_ = heard_at_;
    hub_.heard(agent_, worker_);
}

void AgentSession::on_closed() {
    if (gone_.exchange(true)) return;
    wire_ = nullptr;
    outbox_.clear();
    sent_ = 0;
    if (watching_) hub_.wallboard().leave(worker_, *this);
    hub_.insist(worker_, [self = shared_from_this()](AgentDesk& desk) { desk.detach(self->agent_, self); });
}

void AgentSession::refuse(AgentClose code, std::string_view reason) {
    if (wire_ == nullptr || closing_) return;
    closing_ = true;
    close_by_ = now() + close_within;
    set_deadline();
    wire_->close(code, reason);
}

void AgentSession::set_deadline() {
    if (closing_) {
        deadline_ = close_by_;
        return;
    }
    deadline_ = std::min(ping_at_, token_at_);
    if (!joined_) deadline_ = std::min(deadline_, opened_at_ + snapshot_after);
}

void AgentSession::tick() {
    if (wire_ == nullptr) return;
    const auto at = now();
    if (closing_ || at - heard_at_ > silent_max || (writing_ && at - writing_since_ > write_max)) {
        if (!closing_ || at >= close_by_) wire_->drop();
        return;
    }
    if (!joined_ && at - opened_at_ >= snapshot_after) {
        joined_ = true;
        hub_.insist(worker_, [self = shared_from_this()](AgentDesk& desk) { (void)desk.snapshot(self->agent_, self); });
    }
    if (at >= ping_at_) {
        ping_at_ = at + std::min(ping_every, hub_.options().lease / 3);
        wire_->ping();
    }
    if (at >= token_at_) look_at_token();
    set_deadline();
}

// ---- the token's time ---------------------------------------------------------------------------------------------------------

void AgentSession::look_at_token() {
    const auto left = expires_at_ - hub_.clock().wall_now();
    const auto notice = hub_.options().token_notice;
    if (left <= notice && !told_of_expiry_) {
        told_of_expiry_ = true;
        send(render_token_notice(expires_at_));
    }
    if (left <= Duration{0}) end_if_idle();
    // Never far off: the wall clock may be set.
    const auto next = left > notice ? left - notice : left > Duration{0} ? left : Duration{token_again};
    token_at_ = now() + std::min(next, Duration{1min});
}

// A call or conversation is not cut off because a token has ended; new work is not taken any more.
void AgentSession::end_if_idle() {
    (void)hub_.desk().in_turn([self = shared_from_this()](AgentDesk& desk) {
        const auto details = desk.agent(self->agent_);
        const bool busy = details && !details->interactions.empty();
        if (busy && details->connections <= 1 && details->intent == "ready") (void)desk.set_presence(self->agent_, "after_current", "token_expired");
        desk.after_sync([self, busy] {
            self->worker_.run([self, busy] {
                if (!busy && self->expires_at_ <= self->hub_.clock().wall_now()) self->refuse(AgentClose::token_expired, "the token has expired");
            });
        });
    });
}

void AgentSession::renew(const AgentRequest& request) {
    const auto given = request.body.find("token");
    const auto token = given != request.body.end() && given->is_string() ? hub_.tokens().verify(given->get_ref<const std::string&>(), hub_.clock().wall_now()) : std::nullopt;
    if (!token || token->agent != agent_)
        return reply(request.id_json, {.error = agent_error("not_allowed", "the token is not valid for this agent"), .members = {}});
    expires_at_ = token->expires_at;
    told_of_expiry_ = false;
    look_at_token();
    set_deadline();
    reply(request.id_json, {.error = {}, .members = [at = expires_at_](std::string&, JsonObject& json) { json.instant("expires_at", at); }});
}

// ---- requests -----------------------------------------------------------------------------------------------------------------

bool AgentSession::may_ask() {
    const auto at = now();
    const auto seconds = std::chrono::duration<double>(at - refilled_at_).count();
    refilled_at_ = at;
    requests_left_ = std::min(requests_burst, requests_left_ + seconds * requests_per_second);
    refusals_left_ = std::min(refusals_burst, refusals_left_ + seconds * refusals_per_second);
    if (requests_left_ >= 1) {
        requests_left_ -= 1;
        return true;
    }
    refusals_left_ -= 1;
    return false;
}

void AgentSession::on_text(std::string_view text) {
    if (closing_ || wire_ == nullptr) return;
    on_heard();
    const bool allowed = may_ask();
    if (refusals_left_ < 0) return refuse(AgentClose::policy, "too many requests");
    auto read = read_agent_request(text);
    auto* malformed = std::get_if<MalformedFrame>(&read);
    const auto& id = malformed != nullptr ? malformed->id_json : std::get<AgentRequest>(read).id_json;
    if (!allowed) {
        reply(id, {.error = agent_error("rate_limited", "more than 50 requests a second", ErrorKind::rate_limited), .members = {}});
    } else if (malformed != nullptr) {
        reply(id, {.error = agent_error("bad_request", malformed->detail, ErrorKind::malformed), .members = {}});
    } else {
        dispatch(std::move(std::get<AgentRequest>(read)));
    }
}

void AgentSession::dispatch(AgentRequest request) {
    if (request.type == "resume") return resume(request);
    if (request.type == "token.renew") return renew(request);
    if (request.type == "wallboard.watch") return watch(request);
    const bool takes_work = request.type == "offer.accept" || request.type == "call.dial" || (request.type == "presence.set" && request.body.value("state", Json{}) == Json("ready"));
    if (takes_work && expires_at_ <= hub_.clock().wall_now())
        return reply(request.id_json, {.error = agent_error("not_allowed", "the token has expired: renew it with token.renew"), .members = {}});
    auto work = read_agent_work(request, worker_.intake(), hub_.phones());
    if (auto* error = std::get_if<Error>(&work)) return reply(request.id_json, {.error = std::move(*error), .members = {}});
    if (auto* timeline = std::get_if<TimelineWork>(&work)) return read_timeline(request.id_json, std::move(*timeline));
    in_turn(request.id_json, [self = shared_from_this(), id = request.id_json, work = std::move(std::get<DeskWork>(work))](AgentDesk& desk) mutable {
        auto reply = work(desk, self->agent_);
        self->reply_after_sync(desk, std::move(id), std::move(reply));
    });
}

bool AgentSession::in_turn(const std::string& id_json, absl::AnyInvocable<void(AgentDesk&)> work) {
    const bool first = !std::exchange(joined_, true);
    ++asked_;
    const bool taken = hub_.desk().in_turn([self = shared_from_this(), first, work = std::move(work)](AgentDesk& desk) mutable {
        if (first) (void)desk.snapshot(self->agent_, self);
        work(desk);
    });
    if (taken) return true;
    --asked_;
    joined_ = !first;
    reply(id_json, {.error = agent_error("rate_limited", "the gateway is busy; try again in a moment", ErrorKind::unavailable), .members = {}});
    return false;
}

void AgentSession::resume(const AgentRequest& request) {
    const auto after = request.body.find("after");
    if (after == request.body.end() || !after->is_number_unsigned())
        return reply(request.id_json, {.error = agent_error("bad_request", "\"after\" must be the last seq that was received, or 0"), .members = {}});
    const bool joined_before = std::exchange(joined_, true);
    const bool taken = in_turn(request.id_json, [self = shared_from_this(), id = request.id_json, number = after->get<std::uint64_t>()](AgentDesk& desk) mutable {
        const auto resumed = desk.resume(self->agent_, self, number);
        const bool too_old = !resumed && resumed.error().reference == "resume_too_old";
        self->reply_after_sync(desk, std::move(id), resumed ? AgentReply{} : AgentReply{.error = resumed.error(), .members = {}});
        if (too_old) (void)desk.snapshot(self->agent_, self);
    });
    if (!taken) joined_ = joined_before;
}

void AgentSession::watch(const AgentRequest& request) {
    const auto on = request.body.value("on", Json(true));
    if (!on.is_boolean()) return reply(request.id_json, {.error = agent_error("bad_request", "\"on\" must be true or false"), .members = {}});
    reply(request.id_json, {});
    if (on.get<bool>() == watching_) return;
    watching_ = on.get<bool>();
    if (watching_) hub_.wallboard().join(worker_, shared_from_this(), {});
    else hub_.wallboard().leave(worker_, *this);
}

void AgentSession::read_timeline(std::string id_json, TimelineWork work) {
    const auto id = id_json;
    in_turn(id, [self = shared_from_this(), id_json = std::move(id_json), work = std::move(work)](AgentDesk& desk) mutable {
        const auto start = desk.timeline(self->agent_, work.contact);
        if (!start) return self->reply_after_sync(desk, std::move(id_json), {.error = start.error(), .members = {}});
        TimelineQuery query{.contact_id = work.contact, .contact = start->contact, .newest = start->newest, .limit = work.limit, .cursor = work.before,
                            .visibility = {.addresses = false, .content = true, .units = {}}};
        desk.after_sync([self, id_json = std::move(id_json), query = std::move(query)]() mutable {
            const auto answered = [self, id_json](Result<ItemPage> page) {
                self->worker_.run([self, id_json, page = std::move(page)] { self->reply_asked(id_json, timeline_reply(page)); });
            };
            const bool taken = self->hub_.run_query([answered, query = std::move(query)](QueryPort& queries) { answered(queries.timeline(query)); });
            if (!taken) answered(agent_error("rate_limited", "the gateway is busy; try again in a moment", ErrorKind::unavailable));
        });
    });
}

void AgentSession::reply(const std::string& id_json, AgentReply reply) { send(render_reply(id_json, std::move(reply))); }

void AgentSession::reply_asked(const std::string& id_json, AgentReply answer) {
    --asked_;
    reply(id_json, std::move(answer));
    read_on_if_paused();
}

void AgentSession::reply_after_sync(AgentDesk& desk, std::string id_json, AgentReply answer) {
    desk.after_sync([self = shared_from_this(), id_json = std::move(id_json), answer = std::move(answer)]() mutable {
        self->worker_.run([self, id_json = std::move(id_json), answer = std::move(answer)]() mutable { self->reply_asked(id_json, std::move(answer)); });
    });
}

}  // namespace touchgate::http
