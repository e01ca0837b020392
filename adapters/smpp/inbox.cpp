#include "adapters/smpp/inbox.hpp"

#include <algorithm>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::smpp {

namespace {

using channel::InboundMessage;
using channel::MessageArrived;
using channel::ReceiptArrived;
using content::PartAssembly;

constexpr std::chrono::seconds repeat_window{60};
constexpr std::chrono::minutes expiry_check_every{1};
constexpr std::size_t unanswered_max = 10'000;

}  // namespace

Inbox::Inbox(std::shared_ptr<const Settings> settings, std::shared_ptr<AccountState> account, std::uint64_t seed)
    : settings_{std::move(settings)}, account_{std::move(account)}, random_{seed} {}

void Inbox::receive(Monotonic now, std::uint32_t request_id, std::uint32_t sequence, const ShortMessage& message) {
    now_ = now;
    last_message_.reset();
    const Request request{.id = request_id, .sequence = sequence};
    // A peer that does not wait for answers must not fill our memory.
    if (unanswered_.unanswered() >= unanswered_max) return answer(request, status::temporary_application_error);
    if (!is_receipt(message, settings_->receipts)) return receive_message(now, request, message);
    const auto received = received_bytes(message);
    auto receipt = read_receipt(message, decode_text(received.text, message.data_coding, settings_->default_alphabet), settings_->receipts);
    events_.emplace_back(ReceiptArrived{.receipt = std::move(receipt), .token = unanswered_.wait_for(request)});
}

void Inbox::receive_message(Monotonic now, const Request& request, const ShortMessage& message) {
    const auto received = received_bytes(message);
    if (received.place) {
        const PartAssembly::Key key{
            .from = address_text(message.source), .to = message.destination.digits, .place = *received.place, .wide = received.wide};
        const auto added =
            unanswered_.add_part(now, account_->assembly, key, {.coding = message.data_coding, .bytes = std::string{received.text}}, request);
        for (const auto& whole : added.given_up) report_whole(now, whole, 0);
        if (added.whole) report_whole(now, *added.whole, added.token);
        if (added.answer) answer(*added.answer, status::ok);
        return;
    }
    InboundMessage inbound;
    inbound.from = address_text(message.source);
    inbound.to = message.destination.digits;
    inbound.text = decode_text(received.text, message.data_coding, settings_->default_alphabet);
    inbound.fingerprint = fingerprint(now, inbound.from, inbound.to, static_cast<char>(message.data_coding) + std::string{message.bytes()});
    events_.emplace_back(MessageArrived{.message = std::move(inbound), .token = unanswered_.wait_for(request)});
}

void Inbox::report_whole(Monotonic now, const PartAssembly::Whole& whole, channel::AckToken token) {
    InboundMessage inbound;
    inbound.from = whole.key.from;
    inbound.to = whole.key.to;
    inbound.text = content::join_parts(whole, [&](std::string_view bytes, int coding) {
        return decode_text(bytes, static_cast<std::uint8_t>(coding), settings_->default_alphabet);
    });
    inbound.incomplete = whole.incomplete;
    std::string bytes;
    for (const auto& [index, part] : whole.parts) bytes += static_cast<char>(index) + part.bytes;
    inbound.fingerprint = fingerprint(now, inbound.from, inbound.to, bytes);
    events_.emplace_back(MessageArrived{.message = std::move(inbound), .token = token});
}

std::string Inbox::fingerprint(Monotonic now, std::string_view from, std::string_view to, std::string_view bytes) {
    std::string content{from};
    content.append(1, '\0').append(to).append(1, '\0').append(bytes);
    const auto digest = crypto::sha256(content);
    AccountState::LastMessage message{.content_hash = to_hex(crypto::view(digest).substr(0, 16)), .fingerprint = {}, .at = now};
    auto& candidates = account_->may_be_repeated;
    std::erase_if(candidates, [&](const auto& candidate) { return now - candidate.at > repeat_window; });
    const auto repeated =
        std::find_if(candidates.begin(), candidates.end(), [&](const auto& candidate) { return candidate.content_hash == message.content_hash; });
    if (repeated != candidates.end()) {
        message.fingerprint = repeated->fingerprint;
        candidates.erase(repeated);
    } else {
        const auto occurrence = random_.next();
        message.fingerprint = message.content_hash + "-" + to_hex({reinterpret_cast<const char*>(&occurrence), sizeof occurrence});
    }
    last_message_ = message;
    return message.fingerprint;
}

void Inbox::acknowledge(channel::AckToken token, bool durable) {
    for (const auto& request : unanswered_.acknowledge(now_, account_->assembly, token, durable))
        answer(request, durable ? status::ok : status::temporary_application_error);
}

void Inbox::connection_lost(Monotonic now) {
    if (last_message_) account_->may_be_repeated.push_back(std::move(*last_message_));
    last_message_.reset();
    answers_.clear();
    unanswered_.connection_lost(now, account_->assembly);
}

void Inbox::on_wake(Monotonic now) {
    now_ = now;
    for (const auto& request : unanswered_.release(now)) answer(request, status::ok);
    if (now - last_expiry_check_ < expiry_check_every) return;
    last_expiry_check_ = now;
    const auto last = last_message_;
    for (const auto& whole : account_->assembly.expire(now)) report_whole(now, whole, 0);
    last_message_ = last;  // nothing came over the wire
}

std::optional<Inbox::Monotonic> Inbox::wake_at() const {
    auto at = unanswered_.wake_at();
    if (account_->assembly.waiting() > 0 && (!at || last_expiry_check_ + expiry_check_every < *at)) at = last_expiry_check_ + expiry_check_every;
    return at;
}

}  // namespace touchgate::adapters::smpp
