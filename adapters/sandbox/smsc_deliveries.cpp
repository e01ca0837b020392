// What the message centre sends of its own accord: receipts and customers' messages, again and again until they are answered.
#include <algorithm>
#include <limits>
#include <utility>

#include "adapters/sandbox/smsc_peer.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox {

using namespace std::chrono_literals;
using smpp::Header;

namespace {

constexpr std::uint8_t attempts_max = 20;
constexpr std::size_t queue_max = 10'000'000;

// Table 5-6 and appendix B; words of carriers' own ("MK:0001") are definite failures.
std::uint8_t message_state_of(std::string_view stat) {
    constexpr std::pair<std::string_view, std::uint8_t> states[] = {{"SCHEDULED", 0}, {"ENROUTE", 1}, {"DELIVRD", 2}, {"EXPIRED", 3}, {"DELETED", 4},
                                                                    {"UNDELIV", 5},   {"ACCEPTD", 6}, {"UNKNOWN", 7}, {"REJECTD", 8}, {"SKIPPED", 9}};
    for (const auto& [word, state] : states)
        if (word == stat) return state;
    return 5;
}

PartState part_state_of(std::string_view stat) {
    switch (message_state_of(stat)) {
        case 2: return PartState::delivered;
        case 0:
        case 1:
        case 6:
        case 7: return PartState::accepted;
        default: return PartState::failed;
    }
}

// The table's sequence numbers run from 1 to 0x7FFFFFFF and start again.
std::uint32_t after(std::uint32_t sequence) { return sequence >= smpp::sequence_max ? 1 : sequence + 1; }

std::string hex(std::uint64_t value, bool upper) {
    constexpr std::string_view low = "0123456789abcdef";
    constexpr std::string_view high = "0123456789ABCDEF";
    std::string text;
    for (; value != 0; value >>= 4U) text.push_back((upper ? high : low)[value & 0xFU]);
    std::reverse(text.begin(), text.end());
    return text;
}

std::string_view digits_of(std::string_view address) {
    if (!address.empty() && address.front() == '+') address.remove_prefix(1);
    return address;
}

}  // namespace

std::string SmscPeer::answer_id(PartNumber part) const {
    const auto value = id_base_ + part;
    return behaviour_.receipt_id == "dec_to_hex" ? std::to_string(value) : hex(value, false);
}

std::string SmscPeer::receipt_id(PartNumber part) const {
    const auto value = id_base_ + part;
    if (behaviour_.receipt_id == "hex_to_dec") return std::to_string(value);
    const auto text = hex(value, behaviour_.receipt_id == "upper");
    return behaviour_.receipt_id == "padded" ? std::string(20 - text.size(), '0') + text : text;
}

std::optional<PartNumber> SmscPeer::part_of(std::string_view message_id) const {
    std::uint64_t value = 0;
    const unsigned base = behaviour_.receipt_id == "dec_to_hex" ? 10 : 16;
    if (message_id.empty() || message_id.size() > 20) return std::nullopt;
    for (const char c : message_id) {
        unsigned digit = 16;
        if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
        else if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
        if (digit >= base) return std::nullopt;
        value = value * base + digit;
    }
    if (value < id_base_) return std::nullopt;
    return value - id_base_;
}

std::string_view SmscPeer::minute_text(Instant at, std::size_t cache) {
    auto& cached = minute_texts_[cache];
    const auto minute = unix_ms(at) / 60'000;
    if (minute != cached.minute) {
        const auto text = format_instant(at);  // 2026-11-23T02:00:00.000Z
        cached.minute = minute;
        cached.text = text.substr(2, 2) + text.substr(5, 2) + text.substr(8, 2) + text.substr(11, 2) + text.substr(14, 2);
    }
    return cached.text;
}

std::uint32_t SmscPeer::next_sequence(Connection& connection) { return connection.sequence = after(connection.sequence); }

std::size_t SmscPeer::deliveries_waiting() const {
    std::size_t waiting = 0;
    for (const auto& user : users_) waiting += user.queue.size();
    for (const auto& [id, connection] : connections_) waiting += static_cast<std::size_t>(connection.in_flight);
    return waiting;
}

std::size_t SmscPeer::bound_sessions() const {
    return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(), [](const auto& entry) { return entry.second.bound; }));
}

void SmscPeer::leave(Connection& connection) {
    if (!connection.bound) return;
    connection.bound = false;
    auto& user = users_[connection.user];
    --user.binds;
    std::erase(user.receivers, connection.id);
    // In front and in order: they are older than whatever waits.
    for (auto outstanding = connection.outstanding.rbegin(); outstanding != connection.outstanding.rend(); ++outstanding)
        if (!outstanding->answered) user.queue.push_front(outstanding->delivery);
    connection.outstanding.clear();
    connection.in_flight = 0;
}

void SmscPeer::deliver(std::uint16_t user, Delivery delivery, Now now) {
    auto& queue = users_[user].queue;
    if (queue.size() >= queue_max) {
        ++statistics_.deliveries_given_up;
        return;
    }
    queue.push_back(delivery);
    flush(user, now);
}

void SmscPeer::flush(std::uint16_t user_index, Now now) {
    auto& user = users_[user_index];
    const auto window = behaviour_.deliver_window > 0 ? behaviour_.deliver_window : std::numeric_limits<std::int64_t>::max();
    std::size_t full = 0;
    while (!user.queue.empty() && full < user.receivers.size()) {
        user.turn = (user.turn + 1) % user.receivers.size();
        auto* const connection = find(user.receivers[user.turn]);
        if (connection == nullptr || connection->in_flight >= window) {
            ++full;
            continue;
        }
        full = 0;
        const auto delivery = user.queue.front();
        user.queue.pop_front();
        write(*connection, delivery, now);
    }
}

void SmscPeer::write(Connection& connection, Delivery delivery, Now now) {
    if (delivery.attempts > 0) ++statistics_.deliveries_repeated;
    ++delivery.attempts;
    if (delivery.kind == DeliveryKind::message) {
        const auto found = messages_.find(delivery.subject);
        if (found == messages_.end()) return;
        const auto& message = found->second;
        smpp::append_deliver(connection.out, next_sequence(connection),
                             {.source = message.source,
                              .destination_ton = 0,
                              .destination = message.destination,
                              .esm_class = message.esm_class,
                              .data_coding = message.data_coding,
                              .short_message = message.bytes,
                              .receipted_id = {},
                              .network_error = {}});
        ++statistics_.messages_sent;
    } else if (!write_receipt(connection, delivery, now)) {
        return;
    }
    if (connection.outstanding.empty()) connection.first_outstanding = connection.sequence;
    // An enquire_link takes a sequence number too: its place is filled with an answered entry, so that a number finds its entry by counting.
    connection.outstanding.push_back({.delivery = delivery, .sent = now.monotonic, .answered = false});
    ++connection.in_flight;
    touch(connection);
    plan_check(connection, now);
}

bool SmscPeer::write_receipt(Connection& connection, const Delivery& delivery, Now now) {
    const auto part = store_.part(delivery.subject);
    if (!part) return false;  // the store has forgotten it
    const auto& stat = store_.stat(delivery.stat);
    const auto id = receipt_id(delivery.subject);
    const bool final_one = delivery.kind == DeliveryKind::receipt;
    const auto state = part_state_of(stat);
    auto& text = scratch_;
    text.clear();
    if (behaviour_.receipt_form != "tlv") {
        const bool delivered = state == PartState::delivered;
        text.append("id:").append(id).append(delivered ? " sub:001 dlvrd:001 submit date:" : " sub:001 dlvrd:000 submit date:");
        text.append(minute_text(part->at, 0)).append(" done date:").append(minute_text(now.wall, 1));
        text.append(" stat:").append(stat).append(state == PartState::failed ? " err:001 text:" : " err:000 text:");
        // The message's own bytes are only safe to repeat in an alphabet of one byte per character.
        if (part->coding == Coding::gsm || part->coding == Coding::ascii) text.append(part->payload.substr(0, 20));
    }
    const bool with_parameters = behaviour_.receipt_form != "text";
    // TON and NPI of the original stand right before its addresses (4.4.1).
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(part->raw[at]); };
    smpp::append_deliver(connection.out, next_sequence(connection),
                         {.source_ton = byte(part->to_slice.at - 2),
                          .source_npi = byte(part->to_slice.at - 1),
                          .source = part->to,
                          .destination_ton = byte(part->from_slice.at - 2),
                          .destination_npi = byte(part->from_slice.at - 1),
                          .destination = part->from,
                          .esm_class = static_cast<std::uint8_t>(final_one ? 0x04 : 0x20),
                          .short_message = text,
                          .receipted_id = with_parameters ? std::string_view{id} : std::string_view{},
                          .state = message_state_of(stat),
                          .network_error = state == PartState::failed ? std::string_view{"\x03\x00\x01", 3} : std::string_view{"\x03\x00\x00", 3}});
    if (final_one) {
        ++statistics_.receipts_sent;
        store_.set_state(delivery.subject, state, delivery.stat);
    } else {
        ++statistics_.intermediates_sent;
    }
    return true;
}

void SmscPeer::on_deliver_answer(Connection& connection, const Header& header, Now now) {
    if (!connection.bound || header.sequence == 0 || header.sequence > smpp::sequence_max) return;
    const auto offset = (std::uint64_t{header.sequence} + smpp::sequence_max - connection.first_outstanding) % smpp::sequence_max;
    if (offset >= connection.outstanding.size() || connection.outstanding[offset].answered) return;
    auto& outstanding = connection.outstanding[offset];
    const auto delivery = outstanding.delivery;
    finish(connection, outstanding);
    switch (header.status) {
        case smpp::ok: {
            if (delivery.kind == DeliveryKind::receipt) ++statistics_.receipts_answered;
            if (delivery.kind != DeliveryKind::message) break;
            ++statistics_.messages_answered;
            const auto found = messages_.find(delivery.subject);
            if (found == messages_.end()) break;
            if (!found->second.repeat) {
                messages_.erase(found);
                break;
            }
            // The answer is "lost": the connection breaks before anything else is said, and the message comes again over the next one.
            found->second.repeat = false;
            const auto user = connection.user;
            users_[user].queue.push_front(delivery);
            ++statistics_.drops;
            end(connection, Ending::close);
            return flush(user, now);
        }
        case smpp::system_error:
        case smpp::message_queue_full:
        case smpp::throttled:
        case smpp::incorrect_bind_status:
        case smpp::receiver_temporary_error:
            ++statistics_.deliveries_refused;
            if (delivery.attempts >= attempts_max) {
                ++statistics_.deliveries_given_up;
                if (delivery.kind == DeliveryKind::message) messages_.erase(delivery.subject);
            } else {
                schedule_.add(now.monotonic + behaviour_.deliver_retry,
                              {.kind = EventKind::redeliver, .delivery = delivery, .user = connection.user});
            }
            break;
        default:
            ++statistics_.deliveries_refused;
            if (delivery.kind == DeliveryKind::message) messages_.erase(delivery.subject);
            break;
    }
    if (!users_[connection.user].queue.empty()) flush(connection.user, now);
}

void SmscPeer::finish(Connection& connection, Outstanding& outstanding) {
    outstanding.answered = true;
    --connection.in_flight;
    while (!connection.outstanding.empty() && connection.outstanding.front().answered) {
        connection.outstanding.pop_front();
        connection.first_outstanding = after(connection.first_outstanding);
    }
}

void SmscPeer::plan_check(Connection& connection, Now now) {
    std::optional<std::chrono::nanoseconds> at;
    if (connection.in_flight > 0) at = connection.outstanding.front().sent + behaviour_.deliver_timeout;
    if (behaviour_.enquire_link > Duration{0}) {
        const auto quiet = connection.heard + behaviour_.enquire_link;
        at = at ? std::min(*at, quiet) : quiet;
    }
    if (!at || (connection.check_at && *connection.check_at <= *at)) return;
    connection.check_at = std::max(*at, now.monotonic + 10ms);
    schedule_.add(*connection.check_at, {.kind = EventKind::check, .delivery = {}, .connection = connection.id});
}

void SmscPeer::check(Connection& connection, Now now) {
    if (!connection.bound) return;
    const auto user = connection.user;
    bool repeated = false;
    while (connection.in_flight > 0 && connection.outstanding.front().sent + behaviour_.deliver_timeout <= now.monotonic) {
        const auto delivery = connection.outstanding.front().delivery;
        finish(connection, connection.outstanding.front());
        if (delivery.attempts < attempts_max) {
            users_[user].queue.push_back(delivery);
            repeated = true;
        } else {
            ++statistics_.deliveries_given_up;
            if (delivery.kind == DeliveryKind::message) messages_.erase(delivery.subject);
        }
    }
    if (repeated) flush(user, now);
    if (behaviour_.enquire_link > Duration{0} && connection.heard + behaviour_.enquire_link <= now.monotonic) {
        connection.heard = now.monotonic;
        smpp::append_bare(connection.out, smpp::enquire_link, smpp::ok, next_sequence(connection));
        if (!connection.outstanding.empty()) connection.outstanding.push_back({.delivery = {}, .sent = now.monotonic, .answered = true});
        touch(connection);
    }
    plan_check(connection, now);
}

void SmscPeer::queue_message(std::uint16_t user, std::string_view from, std::string_view to, std::string_view text, std::chrono::nanoseconds at,
                             Now now) {
    const auto characters = to_code_points(text);
    auto septets = encode_gsm(characters);
    const bool gsm = septets.has_value();
    const std::string bytes = gsm ? std::move(*septets) : encode_ucs2(characters);
    const std::size_t single = gsm ? 160 : 140;
    const std::size_t piece_max = gsm ? 153 : 134;
    // Cuts that leave no escape and no surrogate pair in two pieces.
    std::vector<std::string_view> pieces;
    for (std::string_view rest = bytes; !rest.empty() || pieces.empty();) {
        auto size = bytes.size() <= single ? rest.size() : std::min(rest.size(), piece_max);
        if (size < rest.size()) {
            const auto last = static_cast<unsigned char>(rest[size - (gsm ? 1 : 2)]);
            if (gsm ? last == 0x1B : last >= 0xD8 && last < 0xDC) size -= gsm ? 1 : 2;
        }
        pieces.push_back(rest.substr(0, size));
        rest.remove_prefix(size);
    }
    if (pieces.size() > 255) pieces.resize(255);
    const auto reference = ++message_reference_;
    const bool repeat = behaviour_.mo_repeat > 0 && random_.chance(behaviour_.mo_repeat);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        Outgoing outgoing{.source = std::string{digits_of(from)},
                          .destination = std::string{digits_of(to)},
                          .bytes = {},
                          .esm_class = static_cast<std::uint8_t>(pieces.size() > 1 ? 0x40 : 0),
                          .data_coding = static_cast<std::uint8_t>(gsm ? 0 : 8),
                          .repeat = repeat && i == 0};
        if (pieces.size() > 1)
            outgoing.bytes = {'\x05', '\x00', '\x03', static_cast<char>(reference), static_cast<char>(pieces.size()), static_cast<char>(i + 1)};
        outgoing.bytes.append(pieces[i]);
        const auto key = next_message_++;
        messages_.emplace(key, std::move(outgoing));
        const Delivery delivery{.subject = key, .kind = DeliveryKind::message, .stat = 0, .attempts = 0};
        if (at <= now.monotonic) deliver(user, delivery, now);
        else schedule_.add(at, {.kind = EventKind::message, .delivery = delivery, .user = user});
    }
}

std::size_t SmscPeer::inbound(const CustomerMessage& message, Now now) {
    std::vector<std::uint16_t> takers;
    const auto add_if = [&](const auto& condition) {
        for (std::size_t i = 0; i < users_.size(); ++i)
            if (condition(users_[i])) takers.push_back(static_cast<std::uint16_t>(i));
    };
    if (!message.user.empty()) {
        add_if([&](const User& user) { return user.name == message.user; });
    } else {
        auto sender = user_of_source_.find(std::string{digits_of(message.to)});
        if (sender == user_of_source_.end()) sender = user_of_source_.find(message.to);
        if (sender != user_of_source_.end()) takers.push_back(sender->second);
        if (takers.empty()) add_if([](const User& user) { return !user.receivers.empty(); });
        if (takers.empty()) add_if([](const User&) { return true; });
    }
    for (const auto user : takers) queue_message(user, message.from, message.to, message.text, now.monotonic, now);
    return takers.size();
}

}  // namespace touchgate::sandbox
