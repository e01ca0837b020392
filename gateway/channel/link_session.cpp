#include "gateway/channel/link_session.hpp"

#include <algorithm>
#include <utility>

namespace touchgate::channel {

namespace {

constexpr std::chrono::seconds back_off_first{1};
constexpr std::chrono::seconds back_off_max{60};
constexpr std::chrono::seconds stable_after{60};  // a connection that held this long forgives earlier failures
constexpr Duration back_off_min{50};
constexpr std::chrono::seconds drain_limit{10};
constexpr std::chrono::seconds leave_limit{5};
constexpr int ramp_fraction = 8;  // after a drop the window starts at this part of its size

}  // namespace

LinkSession::LinkSession(const LinkRules& rules, std::uint64_t seed) : rules_{rules}, random_{seed}, window_now_{rules.window} {}

// ---- Connection

void LinkSession::on_connected(Monotonic now) {
    connect_at_.reset();
    if (!wanted_) {
        state_ = State::closing;
        output_.close = true;
        return;
    }
    state_ = State::logging_in;
    start_reading();
    next_sequence_ = 1;
    account_refused_ = false;
    quiet_since_ = now;
    test_sequence_.reset();
    tests_missed_ = 0;
    login_sequence_ = take_sequence();
    login_deadline_ = now + rules_.login_timeout;
    append_login(now, output_.bytes, login_sequence_);
}

void LinkSession::on_closed(Monotonic now, std::string_view reason) {
    const std::string why = reason.empty() ? "connection closed" : std::string{reason};
    if (is_open()) output_.events.emplace_back(SessionDown{.reason = why});
    state_ = State::idle;
    output_.bytes.clear();
    output_.close = false;
    for (const auto& [sequence, submit] : in_flight_) {
        // What was encoded but never handed over for writing cannot have left.
        const bool left = submit.output_number < output_number_;
        if (submit.is_long && left) report(long_attempts_.lost(now, {submit.ref, submit.part}, why));
        else if (submit.is_long) long_attempts_.unwritten({submit.ref, submit.part});
        else
            output_.events.emplace_back(
                AttemptOutcome{submit.ref, {.kind = left ? OutcomeKind::unknown : OutcomeKind::not_sent, .code = "connection_lost", .detail = why}});
    }
    in_flight_.clear();
    earliest_deadline_.reset();
    for (auto& finished : long_attempts_.connection_lost(why)) report(std::move(finished));
    deliveries_lost(now);
    if (up_since_) {
        window_now_ = std::max(1, rules_.window / ramp_fraction);
        // A peer that took messages is worth coming back to soon: it drops connections, it is not down.
        if (now - *up_since_ >= stable_after) failures_ = 0;
        else if (took_messages_) failures_ = std::min(failures_, 1U);
    }
    up_since_.reset();
    connect_at_ = wanted_ ? std::optional{now + next_back_off()} : std::nullopt;
}

Duration LinkSession::next_back_off() {
    if (account_refused_) return back_off_max;
    const auto steps = std::min(failures_++, 6U);
    const Duration longest = std::min<Duration>(back_off_first * (1U << steps), back_off_max);
    return std::max(back_off_min, Duration{static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(longest.count()) + 1))});
}

void LinkSession::close(std::string reason, bool credentials) {
    if (!is_open()) return;
    state_ = State::closing;
    output_.close = true;
    output_.events.emplace_back(SessionDown{.reason = std::move(reason), .credentials = credentials});
}

void LinkSession::on_bytes(Monotonic now, std::string_view bytes) {
    if (!is_open()) return;
    quiet_since_ = now;
    tests_missed_ = 0;
    receive(now, bytes);
    fill_window(now);
    leave_when_drained(now);
}

void LinkSession::logged_in(Monotonic now, std::string warning) {
    if (state_ != State::logging_in) return;
    state_ = State::up;
    up_since_ = now;
    took_messages_ = false;
    output_.events.emplace_back(SessionUp{.warning = std::move(warning)});
}

void LinkSession::login_refused(std::string reason, bool credentials, bool account_refused) {
    account_refused_ = account_refused;
    close(std::move(reason), credentials);
}

void LinkSession::link_test_answered(std::uint32_t sequence) {
    if (test_sequence_ == sequence) test_sequence_.reset();
}

void LinkSession::logout_answered() {
    if (state_ == State::leaving) close("logged out");
}

void LinkSession::acknowledge(AckToken token, bool durable) { acknowledge_delivery(token, durable); }

// ---- Submits

bool LinkSession::can_submit() const {
    return state_ == State::up && !drain_deadline_ && rules_.sends && !long_attempts_.has_waiting() && in_flight_.size() < places();
}

void LinkSession::submit(Monotonic now, const Submission& submission) {
    if (state_ != State::up) {
        output_.events.emplace_back(
            AttemptOutcome{submission.ref, {.kind = OutcomeKind::not_sent, .code = "not_connected", .detail = "the session is not logged in"}});
        return;
    }
    auto encoded = encode(now, submission);
    if (auto* outcome = std::get_if<Outcome>(&encoded)) {
        output_.events.emplace_back(AttemptOutcome{submission.ref, std::move(*outcome)});
        return;
    }
    auto& packets = *std::get_if<std::vector<std::string>>(&encoded);
    if (packets.size() == 1) return write(now, std::move(packets.front()), {.ref = submission.ref});
    long_attempts_.add(submission.ref, std::move(packets));
    fill_window(now);
}

void LinkSession::fill_window(Monotonic now) {
    while (state_ == State::up && in_flight_.size() < places()) {
        const auto next = long_attempts_.take_next();
        if (!next) return;
        write(now, *next->packet, {.ref = next->id.ref, .part = next->id.part, .is_long = true});
    }
}

void LinkSession::write(Monotonic now, std::string packet, InFlight submit) {
    const auto sequence = take_sequence();
    for (unsigned i = 0; i < 4; ++i) packet[sequence_offset() + i] = static_cast<char>((sequence >> (24U - 8U * i)) & 0xFFU);
    output_.bytes += packet;
    submit.deadline = now + rules_.response_timeout;
    submit.output_number = output_number_;
    in_flight_.emplace(sequence, submit);
    if (!earliest_deadline_) earliest_deadline_ = submit.deadline;
}

std::optional<LinkSession::InFlight> LinkSession::take_in_flight(std::uint32_t sequence) {
    const auto found = in_flight_.find(sequence);
    if (found == in_flight_.end()) return std::nullopt;
    const auto submit = found->second;
    in_flight_.erase(found);
    return submit;
}

void LinkSession::submit_accepted(Monotonic now, std::uint32_t sequence, std::string message_id) {
    const auto submit = take_in_flight(sequence);
    if (!submit) return;
    took_messages_ = true;
    window_now_ = std::min(window_now_ + 1, rules_.window);
    if (submit->is_long) return report(long_attempts_.accepted(now, {submit->ref, submit->part}, std::move(message_id)));
    Outcome outcome{.kind = OutcomeKind::accepted};
    if (!message_id.empty()) outcome.ids.push_back(std::move(message_id));
    output_.events.emplace_back(AttemptOutcome{submit->ref, std::move(outcome)});
}

void LinkSession::submit_refused(Monotonic now, std::uint32_t sequence, Outcome outcome) {
    const auto submit = take_in_flight(sequence);
    if (!submit) return;
    if (!submit->is_long) output_.events.emplace_back(AttemptOutcome{submit->ref, std::move(outcome)});
    else if (outcome.kind == OutcomeKind::unknown) report(long_attempts_.lost(now, {submit->ref, submit->part}, outcome.detail));
    else report(long_attempts_.refused(now, {submit->ref, submit->part}, std::move(outcome)));
}

void LinkSession::report(std::optional<LongAttempts::Finished> finished) {
    if (finished) output_.events.emplace_back(AttemptOutcome{finished->ref, std::move(finished->outcome)});
}

// ---- Timers

void LinkSession::on_wake(Monotonic now) {
    if (state_ == State::logging_in && now >= login_deadline_) close("no answer to the log-in");
    if (state_ == State::leaving && now >= leave_deadline_) close("left without an answer");
    wake_deliveries(now);
    if (!is_up()) return;
    check_response_deadlines(now);
    long_attempts_.on_wake(now);
    fill_window(now);
    test_link(now);
    leave_when_drained(now);
}

void LinkSession::check_response_deadlines(Monotonic now) {
    if (!earliest_deadline_ || now < *earliest_deadline_) return;
    earliest_deadline_.reset();
    std::vector<std::uint32_t> late;
    for (const auto& [sequence, submit] : in_flight_) {
        if (submit.deadline <= now) late.push_back(sequence);
        else if (!earliest_deadline_ || submit.deadline < *earliest_deadline_) earliest_deadline_ = submit.deadline;
    }
    std::sort(late.begin(), late.end());
    const Outcome no_answer{
        .kind = OutcomeKind::unknown, .code = "no_answer", .detail = "no answer within " + format_duration(rules_.response_timeout)};
    for (const auto sequence : late) submit_refused(now, sequence, no_answer);
    // Silence after a submit may mean a dead peer: ask now instead of after the idle time.
    if (!late.empty() && quiet_since_ + rules_.response_timeout <= now) quiet_since_ = std::min(quiet_since_, now - rules_.idle);
}

void LinkSession::test_link(Monotonic now) {
    if (state_ != State::up) return;
    if (test_sequence_) {
        if (now < test_deadline_) return;
        test_sequence_.reset();
        if (++tests_missed_ >= rules_.tests_missed_max) return close("the peer does not answer");
    } else if (now < quiet_since_ + rules_.idle) {
        return;
    }
    test_sequence_ = take_sequence();
    test_deadline_ = now + rules_.test_timeout;
    append_link_test(output_.bytes, *test_sequence_);
}

std::optional<Monotonic> LinkSession::wake_at() const {
    std::optional<Monotonic> at;
    const auto consider = [&](std::optional<Monotonic> other) {
        if (other && (!at || *other < *at)) at = other;
    };
    consider(deliveries_wake_at());
    if (state_ == State::logging_in) consider(login_deadline_);
    if (state_ == State::leaving) consider(leave_deadline_);
    if (state_ == State::up) {
        consider(test_sequence_ ? test_deadline_ : quiet_since_ + rules_.idle);
        // The last delivery may have been acknowledged since the last bytes came: then nothing is waited for any more.
        if (drain_deadline_) consider(is_drained() ? Monotonic{0} : *drain_deadline_);
        consider(long_attempts_.wake_at());
    }
    if (is_up()) consider(earliest_deadline_);
    return at;
}

// ---- Leaving

void LinkSession::shut_down(Monotonic now) {
    wanted_ = false;
    connect_at_.reset();
    if (state_ == State::logging_in) return close("shutting down");
    if (state_ != State::up || drain_deadline_) return;
    drain_deadline_ = now + drain_limit;
    leave_when_drained(now);
}

void LinkSession::leave_when_drained(Monotonic now) {
    if (state_ != State::up || !drain_deadline_) return;
    if (!is_drained() && now < *drain_deadline_) return;
    state_ = State::leaving;
    leave_deadline_ = now + leave_limit;
    append_logout(output_.bytes, take_sequence());
}

// ---- Output

SessionOutput LinkSession::take_output() {
    if (!output_.bytes.empty()) ++output_number_;
    return std::exchange(output_, {});
}

std::uint32_t LinkSession::take_sequence() {
    const auto sequence = next_sequence_;
    next_sequence_ = next_sequence_ >= rules_.sequence_max ? 1 : next_sequence_ + 1;
    return sequence;
}

}  // namespace touchgate::channel
