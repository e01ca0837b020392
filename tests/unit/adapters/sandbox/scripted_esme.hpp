// A message centre and the bytes that a scripted client says to it. Byte strings are built here from the specification's tables, not
// with the sandbox's writer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sandbox/smsc_peer.hpp"
#include "gateway/base/text.hpp"

namespace touchgate::sandbox::test {

using namespace std::string_literals;
using namespace std::chrono_literals;

inline std::string bytes(std::string_view hex) { return from_hex(hex).value(); }

inline std::string number(std::uint32_t value) {
    return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U), static_cast<char>(value)};
}

inline std::string pdu(std::uint32_t command, std::uint32_t sequence, const std::string& body = {}, std::uint32_t status = 0) {
    return number(static_cast<std::uint32_t>(16 + body.size())) + number(command) + number(status) + number(sequence) + body;
}

inline std::string zero_ended(std::string_view text) { return std::string{text} + '\0'; }
inline std::string byte(unsigned value) { return std::string(1, static_cast<char>(value)); }

inline std::string bind(std::uint32_t command = 9, std::string_view user = "tg", std::string_view password = "password", std::uint32_t sequence = 1) {
    return pdu(command, sequence, zero_ended(user) + zero_ended(password) + "\0\x34\0\0\0"s);
}

struct SubmitFields {
    std::string from = "10690000";
    std::string to = "8613900000001";
    unsigned esm_class = 0;
    unsigned registered = 1;
    unsigned coding = 0;
    std::string text = "Hello";
    std::string optional = {};
    std::string validity = {};
    unsigned priority = 0;
};

inline std::string submit(std::uint32_t sequence, const SubmitFields& f = {}) {
    return pdu(4, sequence,
               "\0\1\1"s + zero_ended(f.from) + "\1\1"s + zero_ended(f.to) + byte(f.esm_class) + byte(0) + byte(f.priority) + "\0"s + zero_ended(f.validity) +
                   byte(f.registered) + byte(0) + byte(f.coding) + byte(0) + byte(static_cast<unsigned>(f.text.size())) + f.text + f.optional);
}

inline std::string deliver_answer(std::uint32_t sequence, std::uint32_t status = 0) { return pdu(0x80000005, sequence, "\0"s, status); }

struct Said {
    std::uint32_t command = 0, status = 0, sequence = 0;
    std::string body;
};

inline std::vector<Said> read_all(std::string_view stream) {
    std::vector<Said> said;
    const auto value = [&](std::size_t at) {
        std::uint32_t v = 0;
        for (std::size_t i = 0; i < 4; ++i) v = v << 8U | static_cast<unsigned char>(stream[at + i]);
        return v;
    };
    while (stream.size() >= 16 && value(0) <= stream.size()) {
        said.push_back({value(4), value(8), value(12), std::string{stream.substr(16, value(0) - 16)}});
        stream.remove_prefix(value(0));
    }
    return said;
}

// The parts of a deliver_sm that the cases look at.
struct Delivered {
    std::string source, destination, text;
    unsigned esm_class = 0, coding = 0;
    std::string optional = {};
};

inline Delivered read_deliver(const std::string& body) {
    Delivered d;
    std::size_t at = 0;
    const auto text = [&] {
        const auto end = body.find('\0', at);
        auto value = body.substr(at, end - at);
        at = end + 1;
        return value;
    };
    const auto octet = [&] { return static_cast<unsigned>(static_cast<unsigned char>(body[at++])); };
    text();
    at += 2;
    d.source = text();
    at += 2;
    d.destination = text();
    d.esm_class = octet();
    at += 2;
    text();
    text();
    at += 2;
    d.coding = octet();
    ++at;
    const auto size = octet();
    d.text = body.substr(at, size);
    d.optional = body.substr(at + size);
    return d;
}

class MessageCentre {
public:
    explicit MessageCentre(std::uint64_t seed = 7) : random{seed}, peer{{.users = {{"tg", "password"}, {"other", "secret"}}}, behaviour, store, random} {
        behaviour.enquire_link = 0ms;
        behaviour.receipt_delay = {50ms, 50ms};
    }

    void connect(ConnectionId id = 1) { peer.on_connect(id, now); }
    // What the peer answers to these bytes.
    std::vector<Said> say(std::string_view stream, ConnectionId id = 1) {
        peer.on_bytes(id, stream, now);
        return hear(id);
    }
    std::vector<Said> hear(ConnectionId id = 1) {
        static_cast<void>(peer.take_ready());
        auto output = peer.take_output(id);
        if (output.ending != Ending::none) ending = output.ending;
        return read_all(output.bytes);
    }
    void bound(ConnectionId id = 1, std::uint32_t command = 9) {
        connect(id);
        say(bind(command), id);
    }
    // Lets time pass and wakes the peer whenever it wants to be woken.
    std::vector<Said> wait(std::chrono::milliseconds time, ConnectionId id = 1) {
        const auto end = now.monotonic + time;
        std::vector<Said> said;
        for (auto wake = peer.wake_at(); wake && *wake <= end; wake = peer.wake_at()) {
            advance(std::max(*wake, now.monotonic));
            peer.on_wake(now);
            for (auto& one : hear(id)) said.push_back(std::move(one));
        }
        advance(end);
        return said;
    }

    SmscBehaviour behaviour;
    MessageStore store;
    Random random;
    SmscPeer peer;
    Now now{.monotonic = 1s, .wall = parse_instant("2026-11-23T02:00:00Z").value()};
    Ending ending = Ending::none;

private:
    void advance(std::chrono::nanoseconds to) {
        now.wall += std::chrono::duration_cast<Duration>(to - now.monotonic);
        now.monotonic = to;
    }
};

}  // namespace touchgate::sandbox::test
