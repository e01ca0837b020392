// Small blocking servers on 127.0.0.1 and a proxy that cuts connections, all in threads of their own; TLS on request.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace touchgate::net::test {

// A certificate for 127.0.0.1 and localhost, made for this run; its authority is itself.
class TestCertificate {
public:
    TestCertificate() {
        std::signal(SIGPIPE, SIG_IGN);  // the servers write to connections that are gone
        auto* const key = EVP_EC_gen("P-256");
        auto* const certificate = X509_new();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
        X509_set_pubkey(certificate, key);
        auto* const name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
        X509_set_issuer_name(certificate, name);
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
        for (const auto& [kind, value] :
             {std::pair{NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost"}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
            auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
            X509_add_ext(certificate, extension, -1);
            X509_EXTENSION_free(extension);
        }
        X509_sign(certificate, key, EVP_sha256());
        file_ = (std::filesystem::temp_directory_path() / ("touchgate-test-" + std::to_string(::getpid()) + ".pem")).string();
        auto* const out = std::fopen(file_.c_str(), "w");
        PEM_write_X509(out, certificate);
        std::fclose(out);
        for (auto** const context_of : {&context_, &http2_context_}) {
            *context_of = SSL_CTX_new(TLS_server_method());
            SSL_CTX_use_certificate(*context_of, certificate);
            SSL_CTX_use_PrivateKey(*context_of, key);
        }
        SSL_CTX_set_alpn_select_cb(
            http2_context_,
            [](SSL*, const unsigned char** chosen, unsigned char* out_size, const unsigned char* in, unsigned in_size, void*) {
                static const unsigned char h2[] = {2, 'h', '2'};
                const bool agreed =
                    SSL_select_next_proto(const_cast<unsigned char**>(chosen), out_size, h2, sizeof h2, in, in_size) == OPENSSL_NPN_NEGOTIATED;
                return agreed ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
            },
            nullptr);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    ~TestCertificate() {
        SSL_CTX_free(context_);
        SSL_CTX_free(http2_context_);
        std::filesystem::remove(file_);
    }
    TestCertificate(const TestCertificate&) = delete;
    TestCertificate& operator=(const TestCertificate&) = delete;
    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] SSL_CTX* context() const { return context_; }
    [[nodiscard]] SSL_CTX* http2_context() const { return http2_context_; }  // insists on HTTP/2

private:
    std::string file_;
    SSL_CTX* context_ = nullptr;
    SSL_CTX* http2_context_ = nullptr;
};

inline const TestCertificate& certificate() {
    static const TestCertificate made;
    return made;
}

// A blocking connection.
class Stream {
public:
    Stream(int socket, SSL_CTX* tls) : socket_{socket} {
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (tls == nullptr) return;
        ssl_ = SSL_new(tls);
        SSL_set_fd(ssl_, socket_);
        good_ = SSL_accept(ssl_) == 1;
    }
    ~Stream() {
        SSL_free(ssl_);
        ::close(socket_);
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // Something, or "" at the end.
    std::string read_some() {
        if (!good_) return {};
        char buffer[16'384];
        const auto size = ssl_ != nullptr ? static_cast<ssize_t>(SSL_read(ssl_, buffer, sizeof buffer)) : ::recv(socket_, buffer, sizeof buffer, 0);
        if (size <= 0) {
            good_ = false;
            return {};
        }
        return {buffer, static_cast<std::size_t>(size)};
    }
    // Up to and without `end`; false at the end of the stream.
    bool read_until(std::string_view end, std::string& line) {
        std::size_t found = 0;
        while ((found = rest_.find(end)) == std::string::npos)
            if (const auto more = read_some(); more.empty()) return false;
            else rest_ += more;
        line = rest_.substr(0, found);
        rest_.erase(0, found + end.size());
        return true;
    }
    bool read_exactly(std::size_t size, std::string& bytes) {
        while (rest_.size() < size)
            if (const auto more = read_some(); more.empty()) return false;
            else rest_ += more;
        bytes = rest_.substr(0, size);
        rest_.erase(0, size);
        return true;
    }
    bool write(std::string_view bytes) {
        while (good_ && !bytes.empty()) {
            const auto size = ssl_ != nullptr ? static_cast<ssize_t>(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())))
                                              : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (size <= 0) good_ = false;
            else bytes.remove_prefix(static_cast<std::size_t>(size));
        }
        return good_;
    }
    [[nodiscard]] int socket() const { return socket_; }

private:
    int socket_;
    SSL* ssl_ = nullptr;
    bool good_ = true;
    std::string rest_;
};

inline int listen_on_loopback(std::uint16_t& port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket, 512) != 0 ||
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error{"cannot listen on 127.0.0.1"};
    port = ntohs(address.sin_port);
    return socket;
}

// Accepts and gives each connection to `serve` in a thread of its own; the connection ends when it returns.
class Server {
public:
    explicit Server(std::function<void(int socket)> serve) : serve_{std::move(serve)}, listener_{listen_on_loopback(port_)} {
        thread_ = std::thread{[this] { accept_all(); }};
    }
    ~Server() {
        leaving_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
        {
            const std::lock_guard lock{mutex_};
            for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
        }
        for (auto& thread : connections_) thread.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] int accepted() const { return accepted_; }

private:
    void accept_all() {
        while (true) {
            const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (leaving_ || socket < 0) {
                if (socket >= 0) ::close(socket);
                return;
            }
            ++accepted_;
            const std::lock_guard lock{mutex_};
            open_.push_back(::dup(socket));  // stays valid for the shutdown, whenever `serve` closes its own
            connections_.emplace_back([this, socket, twin = open_.back()] {
                serve_(socket);
                const std::lock_guard guard{mutex_};
                std::erase(open_, twin);
                ::close(twin);
            });
        }
    }

    std::function<void(int)> serve_;
    std::uint16_t port_ = 0;
    int listener_;
    std::atomic<bool> leaving_ = false;
    std::atomic<int> accepted_ = 0;
    std::mutex mutex_;
    std::list<int> open_;                   // guarded by mutex_
    std::vector<std::thread> connections_;  // guarded by mutex_ until leaving
    std::thread thread_;
};

// How often each thing was received whole.
class Tally {
public:
    void add(const std::string& what) {
        const std::lock_guard lock{mutex_};
        ++counts_[what];
    }
    [[nodiscard]] int of(const std::string& what) const {
        const std::lock_guard lock{mutex_};
        const auto found = counts_.find(what);
        return found == counts_.end() ? 0 : found->second;
    }
    [[nodiscard]] int all() const {
        const std::lock_guard lock{mutex_};
        int sum = 0;
        for (const auto& [what, count] : counts_) sum += count;
        return sum;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, int> counts_;
};

struct HttpHeard {
    std::string method = {}, target = {}, headers = {}, body = {};
    int number = 0;  // on its connection, from 1
};

// HTTP/1.1 with Content-Length. `answer` returns the bytes of the response ("" closes without one).
inline std::function<void(int)> http_server(std::function<std::string(const HttpHeard&)> answer, SSL_CTX* tls = nullptr) {
    return [answer = std::move(answer), tls](int socket) {
        Stream stream{socket, tls};
        for (int number = 1;; ++number) {
            HttpHeard heard{.number = number};
            if (!stream.read_until("\r\n\r\n", heard.headers)) return;
            heard.method = heard.headers.substr(0, heard.headers.find(' '));
            heard.target = heard.headers.substr(heard.method.size() + 1);
            heard.target.resize(heard.target.find(' '));
            if (const auto at = heard.headers.find("Content-Length: "); at != std::string::npos)
                if (!stream.read_exactly(std::stoul(heard.headers.substr(at + 16)), heard.body)) return;
            const auto response = answer(heard);
            if (response.empty() || !stream.write(response) || response.find("Connection: close") != std::string::npos) return;
        }
    };
}

inline std::string http_answer(int status, std::string_view body, std::string_view more_headers = "") {
    return "HTTP/1.1 " + std::to_string(status) + " Word\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string{more_headers} +
           "\r\n" + std::string{body};
}

// HTTP/2, just enough for libcurl: counts whole requests (their bodies) and answers 200, or does as `end` says.
enum class Http2End { answer, close, refuse_stream, go_away };
inline std::function<void(int)> http2_server(std::function<Http2End(const std::string& body)> end, SSL_CTX* tls) {
    return [end = std::move(end), tls](int socket) {
        Stream stream{socket, tls};
        const auto frame = [](int type, int flags, std::uint32_t id, std::string_view payload) {
            std::string made;
            const auto put = [&](std::uint32_t value, int bytes) {
                for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) made.push_back(static_cast<char>(value >> shift));
            };
            put(static_cast<std::uint32_t>(payload.size()), 3);
            put(static_cast<std::uint32_t>(type), 1);
            put(static_cast<std::uint32_t>(flags), 1);
            put(id, 4);
            return made.append(payload);
        };
        std::string bytes;
        if (!stream.read_exactly(24, bytes)) return;  // the preface
        stream.write(frame(4, 0, 0, ""));
        std::map<std::uint32_t, std::string> bodies;
        while (stream.read_exactly(9, bytes)) {
            const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])); };
            const auto size = byte(0) << 16U | byte(1) << 8U | byte(2);
            const auto type = byte(3), flags = byte(4);
            const auto id = byte(5) << 24U | byte(6) << 16U | byte(7) << 8U | byte(8);
            std::string payload;
            if (!stream.read_exactly(size, payload)) return;
            if (type == 4 && (flags & 1U) == 0) stream.write(frame(4, 1, 0, ""));
            if (type == 6 && (flags & 1U) == 0) stream.write(frame(6, 1, 0, payload));
            if (type == 0) bodies[id] += payload;
            if ((type == 0 || type == 1) && (flags & 1U) != 0) {
                switch (end(bodies[id])) {
                    case Http2End::answer: stream.write(frame(1, 5, id, "\x88")); break;
                    case Http2End::close: return;
                    case Http2End::refuse_stream: stream.write(frame(3, 0, id, std::string_view{"\0\0\0\x07", 4})); break;
                    case Http2End::go_away: stream.write(frame(7, 0, 0, std::string_view{"\0\0\0\0\0\0\0\0", 8})); break;
                }
            }
        }
    };
}

// A TCP proxy that cuts both sides of a connection once it has passed on `count` more bytes in one direction.
class FaultProxy {
public:
    enum class Direction { request, answer };

    explicit FaultProxy(std::uint16_t upstream) : upstream_{upstream}, server_{[this](int socket) { forward(socket); }} {}
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    // From now on, one cut. With 0 the first byte is not passed on any more.
    void arm(Direction direction, long count) {
        const std::lock_guard lock{mutex_};
        direction_ = direction;
        left_ = count;
    }
    // Whether the last cut has happened; disarms it otherwise.
    bool disarm() {
        const std::lock_guard lock{mutex_};
        return std::exchange(left_, -1) < 0;
    }
    // Bytes passed on so far.
    [[nodiscard]] long passed(Direction direction) const {
        const std::lock_guard lock{mutex_};
        return direction == Direction::request ? requests_ : answers_;
    }

private:
    void forward(int client) {
        const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(upstream_);
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        bool open = ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        while (open) {
            pollfd ready[2] = {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}};
            if (::poll(ready, 2, -1) < 0) break;
            if (ready[0].revents != 0) open = pass(client, server, Direction::request);
            if (open && ready[1].revents != 0) open = pass(server, client, Direction::answer);
        }
        ::close(client);
        ::close(server);
    }

    // False when the connection must end.
    bool pass(int from, int to, Direction direction) {
        char buffer[16'384];
        const auto got = ::recv(from, buffer, sizeof buffer, 0);
        if (got <= 0) return false;
        auto size = static_cast<long>(got);
        bool cut = false;
        {
            const std::lock_guard lock{mutex_};
            if (left_ >= 0 && direction == direction_) {
                cut = size > left_ || left_ == 0;
                size = std::min(size, left_);
                left_ -= size;
                cut = cut || left_ == 0;
                if (cut) left_ = -1;
            }
            (direction == Direction::request ? requests_ : answers_) += size;
        }
        for (long sent = 0; sent < size;) {
            const auto passed_on = ::send(to, buffer + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
            if (passed_on <= 0) return false;
            sent += passed_on;
        }
        return !cut;
    }

    std::uint16_t upstream_;
    mutable std::mutex mutex_;
    Direction direction_ = Direction::request;  // this and the next three: guarded by mutex_
    long left_ = -1;                            // until the cut; negative: none
    long requests_ = 0;
    long answers_ = 0;
    Server server_;
};

}  // namespace touchgate::net::test
