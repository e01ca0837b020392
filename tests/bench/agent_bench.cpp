#include "tests/bench/agent_bench.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/bench/load_client.hpp"

namespace touchgate::bench {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

std::size_t resident_bytes(int process) {
    std::ifstream file{"/proc/" + std::to_string(process) + "/statm"};
    std::size_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

int connect_to(std::uint16_t port, bool blocking) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    return fd;
}

// The text of a member, up to the next quote; empty when it is not there.
std::string_view member(std::string_view json, std::string_view name) {
    const auto at = json.find(name);
    if (at == std::string_view::npos) return {};
    const auto begin = at + name.size();
    return json.substr(begin, json.find('"', begin) - begin);
}

double percentile(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(std::min(values.size() - 1, static_cast<std::size_t>(static_cast<double>(values.size()) * share)));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

// One keep-alive connection, one request at a time.
class Api {
public:
    Api(std::uint16_t port, std::string key) : fd_{connect_to(port, true)}, key_{std::move(key)} {}
    ~Api() { ::close(fd_); }
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;
    std::string ask(const std::string& method, const std::string& path, const std::string& body) {
        auto request = post_request(path, key_, "application/json", body);
        request.replace(0, 4, method);
        if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
        for (;;) {
            const auto head = buffer_.find("\r\n\r\n");
            if (head != std::string::npos) {
                const auto length = buffer_.find("Content-Length: ");
                const auto size = length < head ? std::stoul(buffer_.substr(length + 16)) : 0;
                if (buffer_.size() >= head + 4 + size) {
                    auto answer = buffer_.substr(head + 4, size);
                    buffer_.erase(0, head + 4 + size);
                    return answer;
                }
            }
            char bytes[65'536];
            const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
            if (got <= 0) return {};
            buffer_.append(bytes, static_cast<std::size_t>(got));
        }
    }

private:
    int fd_;
    std::string key_, buffer_;
};

class Desks {
public:
    Desks(std::uint16_t port, std::vector<std::string> tokens) : port_{port}, tokens_{std::move(tokens)}, desks_(tokens_.size()), epoll_{epoll_create1(0)} {}
    ~Desks() {
        close_all();
        ::close(epoll_);
    }
    Desks(const Desks&) = delete;
    Desks& operator=(const Desks&) = delete;

    std::function<void(std::size_t desk, std::string_view frame)> on_frame = [](std::size_t, std::string_view) {};
    std::size_t broken = 0;

    // Opens all, some hundred at a time; done when each has said hello and resumed after what it saw last. Seconds, negative: not all.
    double open_all(double within) {
        const auto begun = Clock::now();
        std::size_t next = 0;
        joined_ = 0;
        const auto frames = std::exchange(on_frame, [this](std::size_t desk, std::string_view frame) {
            if (frame.find("\"type\":\"hello\"") != std::string_view::npos) {
                const auto at = frame.find("\"last_seq\":");
                const auto last = at == std::string_view::npos ? std::string_view{"0"} : frame.substr(at + 11, frame.find_first_of(",}", at + 11) - at - 11);
                send(desk, "{\"id\":1,\"type\":\"resume\",\"after\":" + std::string{last} + "}");
            } else if (frame.starts_with("{\"reply_to\":1,")) {
                ++joined_;
            }
        });
        constexpr std::size_t at_once = 500;
        while (joined_ < desks_.size() && seconds_since(begun) < within) {
            while (next < desks_.size() && next - joined_ < at_once) open(next++);
            poll(20);
        }
        on_frame = frames;
        return joined_ == desks_.size() ? seconds_since(begun) : -1;
    }

    // As a network fails: without good-bye.
    void close_all() {
        for (auto& desk : desks_) {
            if (desk.fd < 0) continue;
            const linger hard{.l_onoff = 1, .l_linger = 0};
            setsockopt(desk.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            ::close(desk.fd);
            desk = {};
        }
    }

    void send(std::size_t index, std::string_view text) {
        auto& desk = desks_[index];
        std::string frame{static_cast<char>(0x81)};
        if (text.size() < 126) {
            frame += static_cast<char>(0x80U | text.size());
        } else {
            frame += static_cast<char>(0x80 | 126);
            frame += static_cast<char>(text.size() >> 8U);
            frame += static_cast<char>(text.size() & 0xFFU);
        }
        frame.append(4, '\0');  // a mask of zeros leaves the text as it is
        frame.append(text);
        write(desk, frame);
    }

    // Reads what is there. Waits at most so long for anything.
    void poll(int milliseconds) {
        epoll_event events[512];
        const int count = epoll_wait(epoll_, events, 512, milliseconds);
        for (int i = 0; i < count; ++i) read(static_cast<std::size_t>(events[i].data.u64));
    }
    [[nodiscard]] std::size_t size() const { return desks_.size(); }

private:
    struct DeskSocket {
        int fd = -1;
        bool upgraded = false;
        std::string in, out;
    };
    void open(std::size_t index) {
        auto& desk = desks_[index];
        desk.fd = connect_to(port_, false);
        epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = index}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, desk.fd, &event);
        desk.out = "GET /v1/agent HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Protocol: touchgate.v1\r\nAuthorization: Bearer ";
        desk.out += tokens_[index];
        desk.out += "\r\n\r\n";
    }
    static void write(DeskSocket& desk, std::string_view bytes) {
        if (desk.out.empty()) {
            const auto sent = ::send(desk.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        desk.out.append(bytes);
    }
    void read(std::size_t index) {
        auto& desk = desks_[index];
        if (desk.fd < 0) return;
        if (!desk.out.empty()) {
            const auto sent = ::send(desk.fd, desk.out.data(), desk.out.size(), MSG_NOSIGNAL);
            if (sent > 0) desk.out.erase(0, static_cast<std::size_t>(sent));
        }
        char bytes[65'536];
        for (;;) {
            const auto got = ::recv(desk.fd, bytes, sizeof bytes, 0);
            if (got == 0 || (got < 0 && errno != EAGAIN)) {
                ++broken;
                ::close(desk.fd);
                desk = {};
                return;
            }
            if (got < 0) break;
            desk.in.append(bytes, static_cast<std::size_t>(got));
        }
        take_frames(index);
    }
    void take_frames(std::size_t index) {
        auto& desk = desks_[index];
        std::size_t at = 0;
        if (!desk.upgraded) {
            const auto end = desk.in.find("\r\n\r\n");
            if (end == std::string::npos) return;
            if (!desk.in.starts_with("HTTP/1.1 101")) {
                ++broken;
                ::close(desk.fd);
                desk = {};
                return;
            }
            desk.upgraded = true;
            at = end + 4;
        }
        while (desk.in.size() >= at + 2) {
            const auto opcode = static_cast<std::uint8_t>(desk.in[at]) & 0x0FU;
            std::size_t size = static_cast<std::uint8_t>(desk.in[at + 1]), begin = at + 2;
            if (size == 126) {
                if (desk.in.size() < at + 4) break;
                size = static_cast<std::size_t>(static_cast<std::uint8_t>(desk.in[at + 2])) << 8U | static_cast<std::uint8_t>(desk.in[at + 3]);
                begin += 2;
            } else if (size == 127) {
                if (desk.in.size() < at + 10) break;
                size = 0;
                for (std::size_t i = 2; i < 10; ++i) size = size << 8U | static_cast<std::uint8_t>(desk.in[at + i]);
                begin += 8;
            }
            if (desk.in.size() < begin + size) break;
            if (opcode == 1) {
                on_frame(index, std::string_view{desk.in}.substr(begin, size));
            } else if (opcode == 9) {
                std::string pong{static_cast<char>(0x8A)};
                pong += static_cast<char>(0x80U | size);
                pong.append(4, '\0').append(desk.in, begin, size);
                write(desk, pong);
            }
            at = begin + size;
        }
        desk.in.erase(0, at);
        if (desk.in.empty() && desk.in.capacity() > 4'096) desk.in.shrink_to_fit();
    }

    std::uint16_t port_;
    std::vector<std::string> tokens_;
    std::vector<DeskSocket> desks_;
    int epoll_;
    std::size_t joined_ = 0;
};

std::string phone(std::size_t n) {
    char text[32];
    std::snprintf(text, sizeof text, "+861%010zu", 3'000'000'000U + n);
    return text;
}

std::string inbound(std::size_t n) {
    return R"({"key":"b)" + std::to_string(n) + R"(","channel":"sms","contact":{"phone":")" + phone(n) + R"("},"kind":"message","content":{"text":"我的订单在哪里"},"queue":"bench"})";
}

class Run {
public:
    explicit Run(const AgentBench& bench) : bench_{bench}, api_{bench.port, bench.key} {}

    bool all() {
        declare();
        Desks desks{bench_.port, std::move(tokens_)};
        return connect(desks) && board(desks) && come_back(desks) && offers(desks) && work(desks) && assignments(desks);
    }

private:
    void declare() {
        api_.ask("PUT", "/v1/queues/bench", R"({"channels":["sms"],"offer_timeout":"PT60S","wrap_up":"PT0S"})");
        for (std::size_t i = 0; i < bench_.agents; ++i) {
            const auto id = "agent-" + std::to_string(i);
            api_.ask("PUT", "/v1/agents/" + id, R"({"name":"Agent","capacity":{"sms":1},"queues":["bench"]})");
            tokens_.emplace_back(member(api_.ask("POST", "/v1/agents/" + id + "/token", "{}"), "\"token\":\""));
        }
    }

    bool connect(Desks& desks) {
        const auto before = resident_bytes(bench_.process);
        const auto seconds = desks.open_all(120);
        for (const auto begun = Clock::now(); seconds_since(begun) < 3;) desks.poll(50);
        const auto after = resident_bytes(bench_.process);
        std::printf(R"({"what":"connect","agents":%zu,"seconds":%.2f,"resident_bytes_each":%.0f})" "\n", desks.size(), seconds,
                    (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(desks.size()));
        return seconds >= 0;
    }

    bool board(Desks& desks) {
        std::vector<bool> has(desks.size());
        std::size_t shown = 0;
        std::string_view wanted = "\"type\":\"wallboard\"";
        desks.on_frame = [&](std::size_t desk, std::string_view frame) {
            if (frame.find("\"type\":\"wallboard\"") == std::string_view::npos || frame.find(wanted) == std::string_view::npos || has[desk]) return;
            has[desk] = true;
            ++shown;
        };
        const auto wait_for_all = [&](double within) {
            const auto begun = Clock::now();
            while (shown < desks.size() && seconds_since(begun) < within) desks.poll(5);
            return shown == desks.size();
        };
        for (std::size_t i = 0; i < desks.size(); ++i) desks.send(i, R"({"id":2,"type":"wallboard.watch"})");
        if (!wait_for_all(30)) return false;
        std::vector<double> ms;
        for (std::size_t round = 0; round < 5; ++round) {
            for (const auto begun = Clock::now(); seconds_since(begun) < 1;) desks.poll(20);
            has.assign(desks.size(), false);
            shown = 0;
            const auto waiting = "\"waiting\":" + std::to_string(round + 1) + ",";
            wanted = waiting;
            const auto begun = Clock::now();
            api_.ask("POST", "/v1/events/inbound", inbound(900'000'000 + round));
            if (!wait_for_all(30)) return false;
            ms.push_back(seconds_since(begun) * 1e3);
        }
        std::sort(ms.begin(), ms.end());
        for (std::size_t i = 0; i < desks.size(); ++i) desks.send(i, R"({"id":3,"type":"wallboard.watch","on":false})");
        for (const auto begun = Clock::now(); seconds_since(begun) < 2;) desks.poll(50);
        std::printf(R"({"what":"wallboard","agents":%zu,"to_all_ms_median":%.1f,"to_all_ms_max":%.1f})" "\n", desks.size(), ms[ms.size() / 2], ms.back());
        return true;
    }

    bool come_back(Desks& desks) {
        desks.on_frame = [](std::size_t, std::string_view) {};
        desks.close_all();
        const auto seconds = desks.open_all(120);
        std::printf(R"({"what":"come_back","agents":%zu,"seconds":%.2f,"broken":%zu})" "\n", desks.size(), seconds, desks.broken);
        return seconds >= 0;
    }

    // Each offer is taken and closed at once. Calls `offered` with the interaction of each.
    void serve(Desks& desks, std::function<void(std::string_view interaction)> offered, std::function<void()> closed) {
        desks.on_frame = [this, &desks, offered = std::move(offered), closed = std::move(closed)](std::size_t desk, std::string_view frame) {
            const auto type = member(frame, "\"type\":\"");
            if (frame.starts_with("{\"seq\":")) ++pushes_;
            if (type == "offer") {
                offered(member(frame, "\"interaction\":\""));
                desks.send(desk, R"({"id":4,"type":"offer.accept","offer":")" + std::string{member(frame, "\"offer\":\"")} + "\"}");
            } else if (type == "interaction.connected") {
                desks.send(desk, R"({"id":5,"type":"interaction.wrap_up","disposition":"done","interaction":")" + std::string{member(frame, "\"interaction\":\"")} + "\"}");
            } else if (type == "interaction.closed") {
                closed();
            } else if (frame.find("\"ok\":false") != std::string_view::npos) {
                ++refused_;
            }
        };
    }

    bool offers(Desks& desks) {
        std::unordered_map<std::string, double> seen, asked;
        std::size_t closed = 0;
        const auto begun = Clock::now();
        serve(desks, [&](std::string_view interaction) { seen[std::string{interaction}] = seconds_since(begun); }, [&] { ++closed; });
        const auto at_work = std::min(bench_.at_work, desks.size());
        for (std::size_t i = 0; i < at_work; ++i) desks.send(i, R"({"id":6,"type":"presence.set","state":"ready"})");
        // What waited before them is served first.
        for (const auto start = Clock::now(); seconds_since(start) < 3;) desks.poll(20);
        seen.clear();
        closed = 0;
        const auto first = seconds_since(begun);
        for (std::size_t n = 0; n < bench_.offers; ++n) {
            const auto due = first + static_cast<double>(n) / bench_.offers_per_second;
            while (seconds_since(begun) < due) desks.poll(0);
            const auto at = seconds_since(begun);
            const auto answer = api_.ask("POST", "/v1/events/inbound", inbound(n));
            asked[std::string{member(answer, "\"interaction\":\"")}] = at;
            desks.poll(0);
        }
        for (const auto start = Clock::now(); closed < bench_.offers && seconds_since(start) < 20;) desks.poll(20);
        std::vector<double> ms;
        for (const auto& [interaction, at] : asked)
            if (const auto found = seen.find(interaction); found != seen.end()) ms.push_back((found->second - at) * 1e3);
        const auto missing = asked.size() - ms.size();
        std::printf(R"({"what":"offers","connected":%zu,"at_work":%zu,"offers":%zu,"missing":%zu,"refused":%zu,"p50_ms":%.2f,"p99_ms":%.2f})" "\n", desks.size(), at_work, ms.size(), missing,
                    refused_, percentile(ms, 0.5), percentile(ms, 0.99));
        for (std::size_t i = 0; i < at_work; ++i) desks.send(i, R"({"id":7,"type":"presence.set","state":"not_ready"})");
        for (const auto start = Clock::now(); seconds_since(start) < 2;) desks.poll(20);
        return missing == 0;
    }

    bool work(Desks& desks) {
        desks.on_frame = [](std::size_t, std::string_view) {};
        Load load;
        load.port = bench_.port;
        load.connections = 64;
        load.count = bench_.backlog;
        load.expected_status = 202;
        load.request = [this](std::uint64_t n) { return post_request("/v1/events/inbound", bench_.key, "application/json", inbound(100'000'000 + static_cast<std::size_t>(n))); };
        const auto written = run_load(load);
        for (const auto start = Clock::now(); seconds_since(start) < 1;) desks.poll(20);
        std::size_t closed = 0;
        serve(desks, [](std::string_view) {}, [&] { ++closed; });
        pushes_ = 0;
        const auto begun = Clock::now();
        for (std::size_t i = 0; i < desks.size(); ++i) desks.send(i, R"({"id":8,"type":"presence.set","state":"ready"})");
        while (closed < bench_.backlog && seconds_since(begun) < 120) desks.poll(20);
        const auto seconds = seconds_since(begun);
        std::printf(R"({"what":"work","agents":%zu,"backlog":%zu,"written_per_second":%.0f,"closed":%zu,"seconds":%.2f,"offered_taken_closed_per_second":%.0f,"pushes_per_second":%.0f})" "\n",
                    desks.size(), bench_.backlog, static_cast<double>(written.answers) / written.seconds, closed, seconds, static_cast<double>(closed) / seconds,
                    static_cast<double>(pushes_) / seconds);
        return closed >= bench_.backlog;
    }

    // Everybody comes at once to a queue in which much waits, and has room for five: offers that are durable and were received.
    bool assignments(Desks& desks) {
        constexpr std::size_t slots = 5;
        const auto wanted = desks.size() * slots;
        desks.on_frame = [](std::size_t, std::string_view) {};
        for (std::size_t i = 0; i < desks.size(); ++i) {
            desks.send(i, R"({"id":9,"type":"presence.set","state":"not_ready"})");
            api_.ask("PUT", "/v1/agents/agent-" + std::to_string(i), R"({"name":"Agent","capacity":{"sms":5},"queues":["bench"]})");
            desks.poll(0);
        }
        Load load;
        load.port = bench_.port;
        load.connections = 64;
        load.count = wanted;
        load.expected_status = 202;
        load.request = [this](std::uint64_t n) { return post_request("/v1/events/inbound", bench_.key, "application/json", inbound(200'000'000 + static_cast<std::size_t>(n))); };
        if (run_load(load).answers < wanted) return false;
        for (const auto start = Clock::now(); seconds_since(start) < 1;) desks.poll(20);
        std::size_t offered = 0;
        desks.on_frame = [&](std::size_t, std::string_view frame) {
            if (member(frame, "\"type\":\"") == "offer") ++offered;
        };
        const auto begun = Clock::now();
        for (std::size_t i = 0; i < desks.size(); ++i) desks.send(i, R"({"id":10,"type":"presence.set","state":"ready"})");
        while (offered < wanted && seconds_since(begun) < 60) desks.poll(20);
        const auto seconds = seconds_since(begun);
        std::printf(R"({"what":"assignments","agents":%zu,"offers":%zu,"seconds":%.2f,"durable_and_pushed_per_second":%.0f})" "\n", desks.size(), offered, seconds,
                    static_cast<double>(offered) / seconds);
        return offered >= wanted;
    }

    AgentBench bench_;
    Api api_;
    std::vector<std::string> tokens_;
    std::size_t refused_ = 0, pushes_ = 0;
};

}  // namespace

bool run_agent_bench(const AgentBench& bench) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    return Run{bench}.all();
}

}  // namespace touchgate::bench
