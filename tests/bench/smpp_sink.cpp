#include "tests/bench/smpp_sink.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>

#include "adapters/smpp/pdu.hpp"

namespace touchgate::bench {

namespace {

namespace smpp = adapters::smpp;

constexpr std::size_t receipts_open_max = 1'000;  // unanswered on one connection
constexpr std::size_t waiting_out_max = std::size_t{1} << 20U;

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

struct Link {
    int socket = -1;
    smpp::FrameReader reader;
    std::string out;
    std::size_t sent = 0;
    bool receives = false;             // deliver_sm may go here
    std::deque<std::string> receipts;  // not yet sent, without their sequence number
    std::size_t receipts_open = 0;
    std::uint32_t sequence = 0;
};

}  // namespace

struct SmppSink::Parts {
    int listener = -1, poll = -1;
    std::uint16_t port = 0;
    std::atomic<bool> stopped{false}, receipts{false};
    mutable std::mutex mutex;  // of counts and arrivals
    Counts counts;
    std::vector<Arrival> arrivals;
    std::unordered_map<int, Link> links;  // by socket
    std::uint64_t last_id = 0;
    std::thread thread;

    void run() {
        while (!stopped) {
            epoll_event events[64];
            const int count = ::epoll_wait(poll, events, 64, 100);
            for (int i = 0; i < count; ++i) {
                if (events[i].data.fd == listener) accept_link();
                else if (const auto found = links.find(events[i].data.fd); found != links.end()) serve(found->second);
            }
        }
    }

    void accept_link() {
        const int socket = ::accept(listener, nullptr, nullptr);
        if (socket < 0) return;
        const int one = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        links[socket].socket = socket;
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.fd = socket;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
    }

    void serve(Link& link) {
        char buffer[1 << 16];
        write(link);
        for (;;) {
            const auto got = ::recv(link.socket, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got < 0) break;
            if (got == 0) {
                ::close(link.socket);
                links.erase(link.socket);
                return;
            }
            // A peer with Nagle's algorithm waits for acknowledgements: this one must not be the slow part.
            const int one = 1;
            ::setsockopt(link.socket, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
            link.reader.feed({buffer, static_cast<std::size_t>(got)});
            take_frames(link);
            write(link);
        }
    }

    void take_frames(Link& link) {
        const auto at = now_ns();
        Counts add;
        std::vector<Arrival> arrived;
        while (const auto frame = link.reader.next()) {
            const auto& header = frame->header;
            switch (header.id) {
                case smpp::command::bind_transceiver:
                case smpp::command::bind_receiver:
                case smpp::command::bind_transmitter:
                    link.receives = header.id != smpp::command::bind_transmitter;
                    ++add.binds;
                    smpp::append_bind_answer(link.out, header.id, 0, header.sequence, {.system_id = "sink", .tlvs = {}});
                    break;
                case smpp::command::submit_sm:
                    ++add.submits;
                    take_submit(link, *frame, at, arrived);
                    break;
                case smpp::command::deliver_sm | smpp::command::response_bit:
                    ++add.receipts_answered;
                    if (link.receipts_open > 0) --link.receipts_open;
                    break;
                case smpp::command::enquire_link:
                case smpp::command::unbind: smpp::append_header_only(link.out, header.id | smpp::command::response_bit, 0, header.sequence); break;
                default: break;
            }
        }
        send_receipts(link);
        const std::lock_guard lock{mutex};
        counts.submits += add.submits;
        counts.receipts_answered += add.receipts_answered;
        counts.binds += add.binds;
        if (add.submits > 0) counts.last_submit_ns = at;
        if (add.receipts_answered > 0) counts.last_receipt_ns = at;
        arrivals.insert(arrivals.end(), arrived.begin(), arrived.end());
    }

    void take_submit(Link& link, const smpp::Frame& frame, std::int64_t at, std::vector<Arrival>& arrived) {
        const auto id = std::to_string(++last_id);
        smpp::append_message_answer(link.out, smpp::command::submit_sm, 0, frame.header.sequence, id);
        const auto message = smpp::read_short_message(frame.body);
        if (!message) return;
        const auto& to = message->destination.digits;
        arrived.push_back({.number = to.size() > 8 ? std::strtoull(to.c_str() + to.size() - 8, nullptr, 10) : 0, .at_ns = at});
        if (!receipts || (message->registered_delivery & 1U) == 0) return;
        smpp::ShortMessage receipt;
        receipt.source = message->destination;
        receipt.destination = message->source;
        receipt.esm_class = 4;
        receipt.short_message = "id:" + id + " sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:";
        std::string bytes;
        smpp::append_short_message(bytes, smpp::command::deliver_sm, 0, receipt);
        // To this connection, else to any that receives.
        auto* to_link = &link;
        if (!link.receives)
            for (auto& [socket, other] : links)
                if (other.receives) to_link = &other;
        to_link->receipts.push_back(std::move(bytes));
        if (to_link != &link) {
            send_receipts(*to_link);
            write(*to_link);
        }
    }

    static void send_receipts(Link& link) {
        while (!link.receipts.empty() && link.receipts_open < receipts_open_max && link.out.size() - link.sent < waiting_out_max) {
            auto& bytes = link.receipts.front();
            const auto sequence = htonl(++link.sequence);
            bytes.replace(12, 4, reinterpret_cast<const char*>(&sequence), 4);
            link.out += bytes;
            link.receipts.pop_front();
            ++link.receipts_open;
        }
    }

    static void write(Link& link) {
        while (link.sent < link.out.size()) {
            const auto count = ::send(link.socket, link.out.data() + link.sent, link.out.size() - link.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count <= 0) return;
            link.sent += static_cast<std::size_t>(count);
        }
        link.out.clear();
        link.sent = 0;
    }
};

SmppSink::SmppSink() : parts_{std::make_unique<Parts>()} {
    auto& parts = *parts_;
    parts.listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(parts.listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(parts.listener, 64) != 0 ||
        ::getsockname(parts.listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error{"the SMPP sink cannot listen"};
    parts.port = ntohs(address.sin_port);
    parts.poll = ::epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = parts.listener;
    ::epoll_ctl(parts.poll, EPOLL_CTL_ADD, parts.listener, &event);
    parts.thread = std::thread{[&parts] { parts.run(); }};
}

SmppSink::~SmppSink() {
    parts_->stopped = true;
    parts_->thread.join();
    for (const auto& [socket, link] : parts_->links) ::close(socket);
    ::close(parts_->listener);
    ::close(parts_->poll);
}

std::uint16_t SmppSink::port() const { return parts_->port; }
void SmppSink::set_receipts(bool wanted) { parts_->receipts = wanted; }

SmppSink::Counts SmppSink::counts() const {
    const std::lock_guard lock{parts_->mutex};
    return parts_->counts;
}

void SmppSink::forget() {
    const std::lock_guard lock{parts_->mutex};
    parts_->counts = {};
    parts_->arrivals.clear();
}

std::vector<SmppSink::Arrival> SmppSink::take_arrivals() {
    const std::lock_guard lock{parts_->mutex};
    return std::move(parts_->arrivals);
}

}  // namespace touchgate::bench
