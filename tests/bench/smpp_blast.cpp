#include "tests/bench/smpp_blast.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "adapters/smpp/pdu.hpp"

namespace touchgate::bench {

namespace {

namespace smpp = adapters::smpp;

void send_all(int socket, std::string& out) {
    std::size_t sent = 0;
    while (sent < out.size()) {
        const auto count = ::send(socket, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) throw std::runtime_error{"the SMPP sink ended the connection"};
        sent += static_cast<std::size_t>(count);
    }
    out.clear();
}

}  // namespace

double blast_smpp(std::uint16_t port, std::uint64_t count, int window, bool receipts) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error{"no connection to the SMPP sink"};
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    std::string out;
    smpp::append_bind(out, smpp::command::bind_transceiver, 1, {.system_id = "blast", .password = "x"});
    send_all(socket, out);

    smpp::ShortMessage message;
    message.source = {.ton = 3, .npi = 0, .digits = "10690000"};
    message.destination = {.ton = 1, .npi = 1, .digits = "8613810000000"};
    message.registered_delivery = receipts ? 1 : 0;
    message.data_coding = 8;
    message.short_message.assign(50, 'x');
    smpp::FrameReader reader;
    char buffer[1 << 16];
    bool bound = false;
    std::uint64_t submitted = 0, answered = 0, reported = 0;
    auto begun = std::chrono::steady_clock::now();
    while (answered < count || (receipts && reported < count)) {
        if (bound)
            while (submitted < count && submitted - answered < static_cast<std::uint64_t>(window))
                smpp::append_short_message(out, smpp::command::submit_sm, static_cast<std::uint32_t>(++submitted) + 1, message);
        send_all(socket, out);
        const auto got = ::recv(socket, buffer, sizeof buffer, 0);
        if (got <= 0) throw std::runtime_error{"the SMPP sink ended the connection"};
        reader.feed({buffer, static_cast<std::size_t>(got)});
        while (const auto frame = reader.next()) {
            if (frame->header.id == (smpp::command::submit_sm | smpp::command::response_bit)) {
                ++answered;
            } else if (frame->header.id == smpp::command::deliver_sm) {
                ++reported;
                smpp::append_message_answer(out, smpp::command::deliver_sm, 0, frame->header.sequence, {});
            } else if (frame->header.id == (smpp::command::bind_transceiver | smpp::command::response_bit)) {
                bound = true;
                begun = std::chrono::steady_clock::now();
            }
        }
    }
    send_all(socket, out);
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    ::close(socket);
    return static_cast<double>(count) / seconds;
}

}  // namespace touchgate::bench
