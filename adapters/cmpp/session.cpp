#include "adapters/cmpp/session.hpp"

#include <algorithm>
#include <utility>

namespace touchgate::adapters::cmpp {

namespace {

using channel::InboundMessage;
using channel::MessageArrived;
using channel::Outcome;
using channel::ReceiptArrived;
using content::PartAssembly;

constexpr std::uint32_t status_source_address = 2;
constexpr std::uint32_t status_authentication = 3;
constexpr std::uint32_t status_version_too_high = 4;
constexpr std::chrono::minutes expiry_check_every{1};
constexpr std::size_t unanswered_max = 10'000;

channel::LinkRules rules_of(const Settings& settings) {
    return {.window = settings.window,
            .sends = true,
            .login_timeout = Duration{15'000},
            .response_timeout = settings.response_timeout,
            .idle = settings.link_test_interval,
            .test_timeout = Duration{20'000},
            .tests_missed_max = 3,  // N of the standard (7.1)
            .sequence_max = 0xFFFF'FFFF};
}

}  // namespace

Session::Session(std::shared_ptr<const Settings> settings, std::shared_ptr<AccountState> account, std::uint64_t seed)
    : LinkSession{rules_of(*settings), seed}, settings_{std::move(settings)}, account_{std::move(account)}, version_{settings_->version} {}

void Session::on_wall_time(Instant now) { wall_at_connect_ = now; }
Instant Session::wall_at(Monotonic now) const { return wall_at_connect_ + std::chrono::duration_cast<Duration>(now - connected_at_); }

void Session::append_login(Monotonic now, std::string& out, std::uint32_t sequence) {
    connected_at_ = now;
    version_ = account_->lower_version ? std::min(*account_->lower_version, settings_->version) : settings_->version;
    const auto timestamp = connect_timestamp(wall_at_connect_);
    authenticator_ = connect_authenticator(settings_->sp_id, settings_->secret, timestamp);
    append_connect(out, sequence, {.source_address = settings_->sp_id, .authenticator = authenticator_, .version = version_, .timestamp = timestamp});
}

std::variant<std::vector<std::string>, Outcome> Session::encode(Monotonic now, const channel::Submission& submission) {
    auto encoded = encode_submission(submission, *settings_, account_->references, wall_at(now));
    if (auto* outcome = std::get_if<Outcome>(&encoded)) return std::move(*outcome);
    std::vector<std::string> packets;
    for (const auto& submit : *std::get_if<std::vector<Submit>>(&encoded)) append_submit(packets.emplace_back(), 0, submit, is_wide(version_));
    return packets;
}

void Session::receive(Monotonic now, std::string_view bytes) {
    now_ = now;
    reader_.feed(bytes);
    while (is_open()) {
        const auto frame = reader_.next();
        if (!frame) break;
        handle(now, *frame);
    }
    if (reader_.damaged()) close("the peer sent a PDU of impossible length");
}

void Session::handle(Monotonic now, const Frame& frame) {
    const auto sequence = frame.header.sequence;
    switch (frame.header.id) {
        case command::connect | command::response_bit: return handle_connect_answer(now, frame);
        case command::submit | command::response_bit: return handle_submit_answer(now, frame);
        case command::deliver: return handle_deliver(now, frame);
        case command::active_test: return append_active_test_answer(output().bytes, sequence);
        case command::active_test | command::response_bit: return link_test_answered(sequence);
        case command::terminate:
            append_header_only(output().bytes, command::terminate | command::response_bit, sequence);
            return close("the gateway ended the session");
        case command::terminate | command::response_bit: return logout_answered();
        default: return;  // CMPP has no answer for an unknown command
    }
}

void Session::handle_connect_answer(Monotonic now, const Frame& frame) {
    if (!is_logging_in(frame.header.sequence)) return;
    const auto answer = read_connect_answer(frame.body);
    if (!answer) return login_refused("the answer to CONNECT cannot be read", false, false);
    const auto highest = answer->version >= 0x30 ? Version::v30 : answer->version == 0x21 ? Version::v21 : Version::v20;
    const bool lower = answer->version != 0 && highest < version_;
    if (answer->status == 0) {
        if (lower) version_ = highest;  // the layouts of the negotiated version, from here on
        if (lower) account_->lower_version = highest;
        return logged_in(now, check_answer(*answer));
    }
    if (answer->status == status_version_too_high) account_->lower_version = lower ? highest : Version::v20;
    const bool credentials = answer->status == status_source_address || answer->status == status_authentication;
    login_refused("CONNECT refused: " + std::to_string(answer->status) + " " + std::string{connect_status_name(answer->status)}, credentials,
                  credentials);
}

// Implementations differ in how many bytes of the status they hash, and some send nothing useful: a mismatch is worth a warning, no more.
std::string Session::check_answer(const ConnectAnswer& answer) const {
    for (const std::size_t status_bytes : {1U, 4U})
        if (answer_authenticator(answer.status, status_bytes, authenticator_, settings_->secret) == answer.authenticator) return {};
    return "the gateway's AuthenticatorISMG does not fit the shared secret";
}

void Session::handle_submit_answer(Monotonic now, const Frame& frame) {
    const auto answer = read_submit_answer(frame.body);
    if (!answer)
        return submit_refused(now, frame.header.sequence,
                              {.kind = channel::OutcomeKind::unknown, .code = "unreadable", .detail = "the answer cannot be read"});
    if (answer->result == 0) return submit_accepted(now, frame.header.sequence, message_id_text(answer->message_id));
    submit_refused(now, frame.header.sequence, classify_result(answer->result, *settings_));
}

void Session::handle_deliver(Monotonic now, const Frame& frame) {
    if (!is_up()) return;
    // A peer that does not wait for answers must not fill our memory; what is not answered is sent again.
    if (unanswered_.unanswered() >= unanswered_max) return;
    const auto deliver = read_deliver(frame.body, is_wide(version_));
    constexpr std::uint32_t structure_error = 1;
    if (!deliver) return append_deliver_answer(output().bytes, frame.header.sequence, 0, structure_error, is_wide(version_));
    const Request request{.sequence = frame.header.sequence, .message_id = deliver->message_id};
    if (deliver->registered_delivery != 1) return handle_text(now, request, *deliver);
    const auto report = read_report(deliver->content);
    if (!report) return append_deliver_answer(output().bytes, frame.header.sequence, deliver->message_id, structure_error, is_wide(version_));
    auto receipt = read_receipt(*report, *settings_);
    if (receipt.destination.empty()) receipt.destination = phone_text(deliver->source);
    output().events.emplace_back(ReceiptArrived{.receipt = std::move(receipt), .token = unanswered_.wait_for(request)});
}

void Session::handle_text(Monotonic now, const Request& request, const Deliver& deliver) {
    const auto data = deliver.user_data_header != 0 ? content::read_user_data(deliver.content)
                                                    : content::UserData{.place = {}, .wide = false, .text = deliver.content};
    const auto from = deliver.source_type == 0 ? phone_text(deliver.source) : deliver.source;
    const auto id = deliver.message_id == 0 ? std::string{} : message_id_text(deliver.message_id);
    if (data.place) {
        const PartAssembly::Key key{.from = from, .to = deliver.destination, .place = *data.place, .wide = data.wide};
        const auto added =
            unanswered_.add_part(now, account_->assembly, key, {.coding = deliver.format, .bytes = std::string{data.text}, .id = id}, request);
        for (const auto& whole : added.given_up) report_whole(whole, 0);
        if (added.whole) report_whole(*added.whole, added.token);
        if (added.answer) answer(*added.answer);
        return;
    }
    InboundMessage inbound;
    inbound.from = from;
    inbound.to = deliver.destination;
    inbound.text = decode_text(data.text, deliver.format, *settings_);
    inbound.provider_id = id;
    output().events.emplace_back(MessageArrived{.message = std::move(inbound), .token = unanswered_.wait_for(request)});
}

void Session::report_whole(const PartAssembly::Whole& whole, channel::AckToken token) {
    InboundMessage inbound;
    inbound.from = whole.key.from;
    inbound.to = whole.key.to;
    inbound.text = content::join_parts(
        whole, [&](std::string_view bytes, int format) { return decode_text(bytes, static_cast<std::uint8_t>(format), *settings_); });
    inbound.provider_id = whole.parts.begin()->second.id;
    inbound.incomplete = whole.incomplete;
    output().events.emplace_back(MessageArrived{.message = std::move(inbound), .token = token});
}

void Session::answer(const Request& request) {
    if (is_up()) append_deliver_answer(output().bytes, request.sequence, request.message_id, 0, is_wide(version_));
}

void Session::acknowledge_delivery(channel::AckToken token, bool durable) {
    // No result asks for a repetition; a DELIVER without an answer is sent again (7.1).
    for (const auto& request : unanswered_.acknowledge(now_, account_->assembly, token, durable))
        if (durable) answer(request);
}

void Session::wake_deliveries(Monotonic now) {
    now_ = now;
    for (const auto& request : unanswered_.release(now)) answer(request);
    if (now - last_expiry_check_ < expiry_check_every) return;
    last_expiry_check_ = now;
    for (const auto& whole : account_->assembly.expire(now)) report_whole(whole, 0);
}

std::optional<Session::Monotonic> Session::deliveries_wake_at() const {
    auto at = unanswered_.wake_at();
    if (account_->assembly.waiting() > 0 && (!at || last_expiry_check_ + expiry_check_every < *at)) at = last_expiry_check_ + expiry_check_every;
    return at;
}

}  // namespace touchgate::adapters::cmpp
