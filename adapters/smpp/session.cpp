#include "adapters/smpp/session.hpp"

#include <utility>

namespace touchgate::adapters::smpp {

namespace {

using channel::Outcome;

// The bind was refused for what the account is, not for what the centre can do just now.
bool is_account_refusal(std::uint32_t bind_status) {
    switch (bind_status) {
        case status::bind_failed:
        case status::invalid_password:
        case status::invalid_system_id:
        case status::invalid_system_type:
        case status::already_bound:
        case status::invalid_bind_status: return true;
        default: return false;
    }
}

channel::LinkRules rules_of(const Settings& settings) {
    return {.window = settings.window,
            .sends = settings.bind_command != command::bind_receiver,
            .login_timeout = settings.bind_timeout,
            .response_timeout = settings.response_timeout,
            .idle = settings.enquire_interval,
            .test_timeout = Duration{10'000},
            .tests_missed_max = 2,
            .sequence_max = sequence_max};
}

}  // namespace

Session::Session(std::shared_ptr<const Settings> settings, std::shared_ptr<AccountState> account, std::uint64_t seed)
    : LinkSession{rules_of(*settings), seed},
      settings_{std::move(settings)},
      account_{std::move(account)},
      inbox_{settings_, account_, random().next()} {}

void Session::append_login(Monotonic, std::string& out, std::uint32_t sequence) {
    append_bind(out, settings_->bind_command, sequence, settings_->bind);
}
void Session::append_link_test(std::string& out, std::uint32_t sequence) { append_header_only(out, command::enquire_link, status::ok, sequence); }
void Session::append_logout(std::string& out, std::uint32_t sequence) { append_header_only(out, command::unbind, status::ok, sequence); }

std::variant<std::vector<std::string>, Outcome> Session::encode(Monotonic, const channel::Submission& submission) {
    auto encoded = encode_submission(submission, *settings_, account_->references);
    if (auto* outcome = std::get_if<Outcome>(&encoded)) return std::move(*outcome);
    std::vector<std::string> packets;
    for (const auto& message : *std::get_if<std::vector<ShortMessage>>(&encoded))
        append_short_message(packets.emplace_back(), command::submit_sm, 0, message);
    return packets;
}

void Session::receive(Monotonic now, std::string_view bytes) {
    reader_.feed(bytes);
    while (is_open()) {
        const auto frame = reader_.next();
        if (!frame) break;
        handle(now, *frame);
    }
    if (!reader_.damaged() || !is_open()) return;
    append_header_only(output().bytes, command::generic_nack, status::invalid_command_length, 0);
    close("the peer sent a PDU of impossible length");
}

void Session::handle(Monotonic now, const Frame& frame) {
    const auto& header = frame.header;
    if (header.id != command::deliver_sm && header.id != command::data_sm) inbox_.other_pdu();
    switch (header.id) {
        case command::submit_sm | command::response_bit: return handle_submit_answer(now, frame);
        case command::deliver_sm:
        case command::data_sm: return handle_delivery(now, frame);
        case command::enquire_link:
            return append_header_only(output().bytes, command::enquire_link | command::response_bit, status::ok, header.sequence);
        case command::enquire_link | command::response_bit: return link_test_answered(header.sequence);
        case command::bind_transceiver | command::response_bit:
        case command::bind_transmitter | command::response_bit:
        case command::bind_receiver | command::response_bit: return handle_bind_answer(now, frame);
        case command::generic_nack: return handle_nack(now, frame);
        case command::unbind:
            append_header_only(output().bytes, command::unbind | command::response_bit, status::ok, header.sequence);
            return close("the peer unbound");
        case command::unbind | command::response_bit: return logout_answered();
        case command::alert_notification: return;  // has no answer (4.12)
        default:
            if ((header.id & command::response_bit) == 0)
                append_header_only(output().bytes, command::generic_nack, status::invalid_command_id, header.sequence);
    }
}

void Session::handle_bind_answer(Monotonic now, const Frame& frame) {
    if (!is_logging_in(frame.header.sequence)) return;
    const auto code = frame.header.status;
    if (code == status::ok) return logged_in(now);
    login_refused("bind refused: " + status_code(code) + " " + std::string{status_name(code)},
                  code == status::invalid_password || code == status::invalid_system_id, is_account_refusal(code));
}

void Session::handle_submit_answer(Monotonic now, const Frame& frame) {
    const auto code = frame.header.status;
    if (code == status::ok) return submit_accepted(now, frame.header.sequence, read_message_id(frame.body).value_or(""));
    submit_refused(now, frame.header.sequence, classify_refusal(code, *settings_));
}

void Session::handle_nack(Monotonic now, const Frame& frame) {
    // A nack without a reason still says that the request was not taken.
    const auto code = frame.header.status == status::ok ? status::invalid_command_id : frame.header.status;
    if (is_logging_in(frame.header.sequence))
        return login_refused("bind refused: " + status_code(code) + " " + std::string{status_name(code)}, false, is_account_refusal(code));
    link_test_answered(frame.header.sequence);  // it may not know the command, but it is alive
    submit_refused(now, frame.header.sequence, classify_refusal(code, *settings_));
}

void Session::handle_delivery(Monotonic now, const Frame& frame) {
    const auto refuse = [&](std::uint32_t code) { append_message_answer(output().bytes, frame.header.id, code, frame.header.sequence, {}); };
    if (!is_up()) return refuse(status::invalid_bind_status);
    const auto message = frame.header.id == command::data_sm ? read_data_message(frame.body) : read_short_message(frame.body);
    if (!message) {
        inbox_.other_pdu();
        return refuse(status::permanent_application_error);  // it would be unreadable the next time too
    }
    inbox_.receive(now, frame.header.id, frame.header.sequence, *message);
    drain_inbox();
}

void Session::acknowledge_delivery(channel::AckToken token, bool durable) {
    inbox_.acknowledge(token, durable);
    drain_inbox();
}

void Session::wake_deliveries(Monotonic now) {
    inbox_.on_wake(now);
    drain_inbox();
}

void Session::deliveries_lost(Monotonic now) {
    inbox_.connection_lost(now);
    drain_inbox();
}

void Session::drain_inbox() {
    for (const auto& answer : inbox_.take_answers())
        if (is_up()) append_message_answer(output().bytes, answer.request_id, answer.status, answer.sequence, {});
    for (auto& event : inbox_.take_events()) output().events.push_back(std::move(event));
}

}  // namespace touchgate::adapters::smpp
