// Connections, binds and submits; the way back to the gateway is in smsc_deliveries.cpp.
#include "adapters/sandbox/smsc_peer.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace touchgate::sandbox {

using namespace std::chrono_literals;
using smpp::Header;

namespace {

constexpr auto session_deadline = 30s;     // for the bind to come
constexpr auto overtaken_for = 20ms;       // how long an answer is held back so that later ones overtake it
constexpr std::size_t sources_max = 10'000;

bool is_definite_failure(std::string_view stat) { return stat != "DELIVRD" && stat != "ACCEPTD" && stat != "ENROUTE" && stat != "UNKNOWN"; }

}  // namespace

SmscPeer::SmscPeer(SmscSettings settings, const SmscBehaviour& behaviour, MessageStore& store, Random& random)
    : settings_{std::move(settings)}, behaviour_{behaviour}, store_{store}, random_{random}, customers_{random} {
    for (const auto& [name, password] : settings_.users)
        users_.push_back({.name = name, .password = password, .store_user = store_.intern_user(name), .queue = {}, .receivers = {}, .bucket = {}});
}

SmscPeer::Connection* SmscPeer::find(ConnectionId id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : &found->second;
}

void SmscPeer::touch(Connection& connection) {
    if (connection.listed) return;
    connection.listed = true;
    ready_.push_back(connection.id);
}

std::vector<ConnectionId> SmscPeer::take_ready() { return std::exchange(ready_, {}); }

SmscOutput SmscPeer::take_output(ConnectionId id) {
    auto* const connection = find(id);
    if (connection == nullptr) return {};
    connection->listed = false;
    SmscOutput output{.bytes = std::move(connection->out), .ending = std::exchange(connection->ending, Ending::none)};
    connection->out = {};
    statistics_.answered += connection->answers_in_out.size();
    for (const auto part : connection->answers_in_out) store_.set_answered(part);
    connection->answers_in_out.clear();
    return output;
}

void SmscPeer::on_connect(ConnectionId id, Now now) {
    if (id_base_ == 0) id_base_ = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms(now.wall) / 1000, 1)) << 22U;
    auto& connection = connections_[id];
    connection.id = id;
    connection.heard = now.monotonic;
    ++statistics_.connections;
    if (behaviour_.refuse_connection > 0 && random_.chance(behaviour_.refuse_connection)) {
        end(connection, Ending::close);
        return;
    }
    schedule_.add(now.monotonic + session_deadline, {.kind = EventKind::session_deadline, .delivery = {}, .connection = id});
}

void SmscPeer::on_close(ConnectionId id, Now now) {
    auto* const connection = find(id);
    if (connection == nullptr) return;
    const auto user = connection->user;
    leave(*connection);
    connections_.erase(id);
    if (user < users_.size()) flush(user, now);  // what it left unanswered goes over the user's other connections
}

void SmscPeer::end(Connection& connection, Ending ending) {
    if (connection.ended) return;
    connection.ended = true;
    connection.ending = ending;
    if (ending == Ending::reset) {
        connection.out.clear();
        connection.answers_in_out.clear();
    }
    leave(connection);
    touch(connection);
}

void SmscPeer::disconnect_all(Ending ending) {
    for (auto& [id, connection] : connections_) end(connection, ending);
}

void SmscPeer::behaviour_changed() {
    for (auto& [id, connection] : connections_) connection.accepted = 0;
}

void SmscPeer::on_bytes(ConnectionId id, std::string_view bytes, Now now) {
    auto* const found = find(id);
    if (found == nullptr) return;
    auto& connection = *found;
    connection.heard = now.monotonic;
    std::string joined;
    if (!connection.in.empty()) {
        joined = std::move(connection.in);
        joined.append(bytes);
        bytes = joined;
        connection.in = {};
    }
    while (!connection.ended && !connection.half_open && bytes.size() >= 4) {
        // The length alone decides whether the stream can be trusted, so it is judged before the rest has come.
        std::uint32_t length = 0;
        for (std::size_t i = 0; i < 4; ++i) length = length << 8U | static_cast<unsigned char>(bytes[i]);
        if (length < smpp::header_bytes || length > smpp::pdu_bytes_max) {
            ++statistics_.protocol_errors;
            const auto sequence = bytes.size() >= smpp::header_bytes ? smpp::read_header(bytes).sequence : 0;
            smpp::append_bare(connection.out, smpp::generic_nack, smpp::invalid_command_length, sequence);
            end(connection, Ending::close);
            return;
        }
        if (bytes.size() < length) break;
        on_pdu(connection, smpp::read_header(bytes), bytes.substr(0, length), now);
        bytes.remove_prefix(length);
    }
    if (!connection.ended && !connection.half_open) connection.in.assign(bytes);
}

void SmscPeer::refuse(Connection& connection, const Header& header, std::uint32_t status) {
    smpp::append_bare(connection.out, header.command | smpp::response_bit, status, header.sequence);
    touch(connection);
}

void SmscPeer::on_pdu(Connection& connection, const Header& header, std::string_view pdu, Now now) {
    const auto body = pdu.substr(smpp::header_bytes);
    switch (header.command) {
        case smpp::submit_sm: return on_submit(connection, header, pdu, now);
        case smpp::deliver_sm | smpp::response_bit: return on_deliver_answer(connection, header, now);
        case smpp::bind_receiver:
        case smpp::bind_transmitter:
        case smpp::bind_transceiver: return on_bind(connection, header, body, now);
        case smpp::enquire_link: return refuse(connection, header, smpp::ok);
        case smpp::enquire_link | smpp::response_bit: return;
        case smpp::unbind:
            refuse(connection, header, smpp::ok);
            return end(connection, Ending::close);
        case smpp::unbind | smpp::response_bit: return end(connection, Ending::close);
        case smpp::generic_nack: return on_deliver_answer(connection, header, now);
        case smpp::query_sm: return on_query(connection, header, body);
        case smpp::cancel_sm: return refuse(connection, header, connection.bound ? smpp::cancel_failed : smpp::incorrect_bind_status);
        case smpp::replace_sm: return refuse(connection, header, connection.bound ? smpp::replace_failed : smpp::incorrect_bind_status);
        default: break;
    }
    ++statistics_.protocol_errors;
    if ((header.command & smpp::response_bit) != 0) return;  // an answer to nothing: to nack it would start a quarrel
    smpp::append_bare(connection.out, smpp::generic_nack, smpp::invalid_command_id, header.sequence);
    touch(connection);
}

void SmscPeer::on_bind(Connection& connection, const Header& header, std::string_view body, Now now) {
    const auto refused = [&](smpp::Status status) {
        ++statistics_.binds_refused;
        refuse(connection, header, status);
    };
    if (connection.bound) return refused(smpp::already_bound);
    const auto bind = smpp::read_bind(body);
    if (!bind) return refused(smpp::invalid_command_length);
    if (behaviour_.refuse_bind > 0 && random_.chance(behaviour_.refuse_bind)) return refused(smpp::bind_failed);
    const auto found = std::find_if(users_.begin(), users_.end(), [&](const User& user) { return user.name == bind->system_id; });
    if (found == users_.end()) return refused(smpp::invalid_system_id);
    if (found->password != bind->password) return refused(smpp::invalid_password);
    if (behaviour_.binds_max > 0 && found->binds >= behaviour_.binds_max) return refused(smpp::already_bound);

    ++statistics_.binds;
    ++found->binds;
    connection.bound = true;
    connection.user = static_cast<std::uint16_t>(found - users_.begin());
    connection.sends = header.command != smpp::bind_receiver;
    connection.receives = header.command != smpp::bind_transmitter;
    {
        smpp::PduWriter answer{connection.out, header.command | smpp::response_bit, smpp::ok, header.sequence};
        answer.c_octets("sandbox");
        if (bind->interface_version >= 0x34) answer.tlv(smpp::sc_interface_version, "\x34");
    }
    touch(connection);
    if (connection.receives) {
        found->receivers.push_back(connection.id);
        flush(connection.user, now);
    }
    plan_check(connection, now);
}

smpp::Status SmscPeer::refusal(Connection& connection, const smpp::SubmitReading& reading, Now now) {
    if (!connection.bound || !connection.sends) return smpp::incorrect_bind_status;
    if (reading.status != smpp::ok) return reading.status;
    const auto& submit = reading.submit;
    const auto coding = coding_of(submit.data_coding, settings_.default_alphabet);
    if (coding == Coding::ucs2 && submit.payload.size() % 2 != 0) return smpp::invalid_message_length;
    if (behaviour_.strict_length && !submit.from_payload_tlv &&
        smpp::air_octets(submit, coding == Coding::gsm || coding == Coding::ascii) > 140)
        return smpp::invalid_message_length;
    if (!users_[connection.user].bucket.take(behaviour_.rate, now.monotonic)) return smpp::throttled;
    if (behaviour_.window_max > 0 && connection.answers_held >= behaviour_.window_max) return smpp::throttled;
    if (behaviour_.throttle <= 0 && behaviour_.queue_full <= 0 && behaviour_.system_error <= 0 && behaviour_.errors.empty()) return smpp::ok;
    auto chosen = random_.unit();
    const auto hits = [&](double share) {
        if (chosen < share) return true;
        chosen -= share;
        return false;
    };
    if (hits(behaviour_.throttle)) return smpp::throttled;
    if (hits(behaviour_.queue_full)) return smpp::message_queue_full;
    if (hits(behaviour_.system_error)) return smpp::system_error;
    for (const auto& [code, share] : behaviour_.errors)
        if (hits(share)) return static_cast<smpp::Status>(std::strtoul(code.c_str(), nullptr, 16));
    return smpp::ok;
}

void SmscPeer::on_submit(Connection& connection, const Header& header, std::string_view pdu, Now now) {
    ++statistics_.submits;
    const auto body = pdu.substr(smpp::header_bytes);
    const auto reading = smpp::read_submit(body);
    if (const auto status = refusal(connection, reading, now); status != smpp::ok) {
        ++statistics_.refused[status];
        return refuse(connection, header, status);
    }
    const auto& submit = reading.submit;
    ++statistics_.accepted;
    auto& user = users_[connection.user];
    if (user_of_source_.size() < sources_max) user_of_source_.try_emplace(std::string{submit.source}, connection.user);

    const auto slice = [&](std::string_view piece) {
        return Slice{static_cast<std::uint32_t>(piece.data() - pdu.data()), static_cast<std::uint32_t>(piece.size())};
    };
    const auto part = store_.add_part({.raw = pdu,
                                       .to = slice(submit.destination),
                                       .from = slice(submit.source),
                                       .payload = submit.payload.empty() ? Slice{} : slice(submit.payload),
                                       .coding = coding_of(submit.data_coding, settings_.default_alphabet),
                                       .at = now.wall,
                                       .user = user.store_user,
                                       .via = Via::smsc});

    auto stat = behaviour_.missing_receipt > 0 && random_.chance(behaviour_.missing_receipt)
                    ? std::uint8_t{0}
                    : store_.intern_stat(draw(behaviour_.receipts, random_));
    PartNumber complete = no_part;
    if (submit.place.joining == smpp::Joining::none) {
        store_.add_message({&part, 1});
        complete = part;
    } else {
        const auto joined = assembly_.add(user.store_user, submit.source, submit.destination, submit.place, part, stat);
        stat = joined.fate;
        if (joined.repeated) ++statistics_.repeated_parts;
        if (!joined.complete.empty()) {
            store_.add_message(joined.complete);
            complete = joined.complete.front();
        }
    }

    ++connection.accepted;
    const auto reached = [&](std::int64_t count) { return count > 0 && connection.accepted >= count; };
    const bool ends = reached(behaviour_.drop_after) || reached(behaviour_.reset_after) || reached(behaviour_.half_open_after);
    const bool silent = ends || (behaviour_.no_response > 0 && random_.chance(behaviour_.no_response));
    const bool early = behaviour_.early_receipt > 0 && random_.chance(behaviour_.early_receipt);
    const auto user_index = connection.user;

    if (early) plan_receipts(user_index, part, submit.registered_delivery, stat, true, now);
    if (!silent) {
        auto delay = behaviour_.response_delay.is_zero() ? 0ns : behaviour_.response_delay.draw(random_);
        if (behaviour_.out_of_order > 0 && random_.chance(behaviour_.out_of_order)) delay += overtaken_for;
        if (delay == 0ns) {
            answer_submit(connection, header.sequence, part);
        } else {
            ++connection.answers_held;
            schedule_.add(now.monotonic + delay, {.kind = EventKind::answer,
                                                  .delivery = {.subject = part, .kind = {}, .stat = 0, .attempts = 0},
                                                  .sequence = header.sequence,
                                                  .connection = connection.id});
        }
    }
    if (!early) plan_receipts(user_index, part, submit.registered_delivery, stat, false, now);
    if (complete != no_part) customer_reads(user_index, complete, now);

    if (!ends) return;
    if (reached(behaviour_.reset_after)) {
        ++statistics_.resets;
        end(connection, Ending::reset);
    } else if (reached(behaviour_.drop_after)) {
        ++statistics_.drops;
        end(connection, Ending::close);
    } else {
        ++statistics_.half_opens;
        connection.half_open = true;
        connection.in.clear();
        leave(connection);
    }
}

void SmscPeer::answer_submit(Connection& connection, std::uint32_t sequence, PartNumber part) {
    {
        smpp::PduWriter answer{connection.out, smpp::submit_sm | smpp::response_bit, smpp::ok, sequence};
        answer.c_octets(answer_id(part));
    }
    connection.answers_in_out.push_back(part);
    touch(connection);
}

void SmscPeer::on_query(Connection& connection, const Header& header, std::string_view body) {
    if (!connection.bound) return refuse(connection, header, smpp::incorrect_bind_status);
    smpp::FieldReader reader{body};
    const auto id = reader.c_octets(65);
    if (reader.failed()) return refuse(connection, header, smpp::invalid_command_length);
    const auto number = part_of(id);
    const auto part = number ? store_.part(*number) : std::nullopt;
    if (!part || part->user != users_[connection.user].store_user) return refuse(connection, header, smpp::invalid_message_id);
    smpp::PduWriter answer{connection.out, smpp::query_sm | smpp::response_bit, smpp::ok, header.sequence};
    answer.c_octets(id);
    answer.c_octets("");  // final_date
    answer.u8(part->state == PartState::delivered ? 2 : part->state == PartState::failed ? 5 : 1);
    answer.u8(0);
    touch(connection);
}

void SmscPeer::on_event(const Event& event, Now now) {
    switch (event.kind) {
        case EventKind::answer: {
            auto* const connection = find(event.connection);
            if (connection == nullptr || connection->ended || connection->half_open) return;
            --connection->answers_held;
            return answer_submit(*connection, event.sequence, event.delivery.subject);
        }
        case EventKind::receipt:
        case EventKind::message:
        case EventKind::redeliver: return deliver(event.user, event.delivery, now);
        case EventKind::check: {
            auto* const connection = find(event.connection);
            // A check that was moved forward leaves its first event behind; that one finds a later time here.
            if (connection == nullptr || !connection->check_at || *connection->check_at > now.monotonic) return;
            connection->check_at.reset();
            return check(*connection, now);
        }
        case EventKind::session_deadline: {
            auto* const connection = find(event.connection);
            if (connection != nullptr && !connection->bound && !connection->half_open) end(*connection, Ending::close);
            return;
        }
    }
}

void SmscPeer::on_wake(Now now) {
    while (auto event = schedule_.pop_due(now.monotonic)) on_event(*event, now);
}

void SmscPeer::plan_receipts(std::uint16_t user, PartNumber part, std::uint8_t registered_delivery, std::uint8_t stat, bool early, Now now) {
    const auto asked = registered_delivery & 0x03U;
    if (asked == 0 || stat == 0) return;
    const auto& word = store_.stat(stat);
    if (asked == 2 && !is_definite_failure(word)) return;
    Delivery receipt{.subject = part, .kind = DeliveryKind::receipt, .stat = stat, .attempts = 0};
    if (early) {
        deliver(user, receipt, now);
        if (behaviour_.duplicate_receipt > 0 && random_.chance(behaviour_.duplicate_receipt)) deliver(user, receipt, now);
        return;
    }
    const auto delay = behaviour_.receipt_delay.draw(random_);
    const auto plan = [&](std::chrono::nanoseconds after, const Delivery& delivery) {
        schedule_.add(now.monotonic + after, {.kind = EventKind::receipt, .delivery = delivery, .user = user});
    };
    if (behaviour_.intermediate > 0 && random_.chance(behaviour_.intermediate))
        plan(delay / 2, {.subject = part, .kind = DeliveryKind::intermediate, .stat = store_.intern_stat("ENROUTE"), .attempts = 0});
    plan(delay, receipt);
    if (behaviour_.duplicate_receipt > 0 && random_.chance(behaviour_.duplicate_receipt)) plan(delay + behaviour_.receipt_delay.draw(random_), receipt);
}

void SmscPeer::customer_reads(std::uint16_t user, PartNumber first_part, Now now) {
    const auto part = store_.part(first_part);
    if (!part) return;
    const auto answer = customers_.on_message(behaviour_.customers, part->to);
    if (!answer) return;
    // Copies: queueing does not touch the store, but the views would be one change away from dangling.
    const std::string from{part->to};
    const std::string to{part->from};
    queue_message(user, from, to, answer->text, now.monotonic + answer->after, now);
}

}  // namespace touchgate::sandbox
