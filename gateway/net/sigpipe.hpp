// Writing to a connection that the peer has closed raises SIGPIPE where a library writes without MSG_NOSIGNAL (OpenSSL under libcurl).
#pragma once

#include <pthread.h>
#include <csignal>

namespace touchgate::net {

// Blocks the signal for the calling thread while it lives; a write then fails with EPIPE.
class SigpipeBlocked {
public:
    SigpipeBlocked() {
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &only, &before_);
    }
    ~SigpipeBlocked() {
        // One that is pending must not be delivered once the mask is gone.
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, SIGPIPE);
        const timespec at_once{};
        while (sigismember(&before_, SIGPIPE) == 0 && sigtimedwait(&only, nullptr, &at_once) > 0) {}
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    SigpipeBlocked(const SigpipeBlocked&) = delete;
    SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace touchgate::net
