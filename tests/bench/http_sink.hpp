// An HTTP server that answers every request at once with a small body: the limit of HTTP on this machine, the receiver of callbacks, and a
// provider of short messages that takes everything.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace touchgate::bench {

class HttpSink {
public:
    // Listens on a free port of 127.0.0.1, on a thread of its own, until the process ends.
    HttpSink();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    // Events told by callbacks: those of a batch each, any other request with the path /callback is one.
    [[nodiscard]] std::uint64_t callbacks() const { return counts_->callbacks.load(); }
    // Messages taken with POST /send; each was answered {"code":0,"id":"N"}, N from 1 on.
    [[nodiscard]] std::uint64_t sent() const { return counts_->sent.load(); }
    void forget() { counts_->callbacks = counts_->sent = 0; }

    struct Counts {
        std::atomic<std::uint64_t> callbacks{0}, sent{0};
    };

private:
    std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
    std::uint16_t port_ = 0;
};

}  // namespace touchgate::bench
