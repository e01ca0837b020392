#include "gateway/app/process_copy.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace touchgate::app {

bool ProcessCopy::begin(const std::function<bool()>& work) {
    if (child_ != 0) return false;
    const auto parent = ::getpid();
    const auto child = ::fork();
    if (child < 0) return false;
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);  // it ended before the line above
        ::close_range(3, ~0U, 0);
        ::setpriority(PRIO_PROCESS, 0, 10);
        bool done = false;
        try {
            done = work();
        } catch (...) {
            done = false;  // no memory
        }
        ::_exit(done ? 0 : 1);
    }
    child_ = child;
    return true;
}

BackgroundCopy::State ProcessCopy::poll() {
    if (child_ == 0) return State::idle;
    int status = 0;
    const auto ended = ::waitpid(child_, &status, WNOHANG);
    if (ended == 0) return State::running;
    child_ = 0;
    return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? State::succeeded : State::failed;
}

void ProcessCopy::abandon() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
}

}  // namespace touchgate::app
