// A copy of the process by fork: the kernel copies only the pages that change meanwhile.
#pragma once

#include <sys/types.h>

#include "gateway/engine/background_copy.hpp"

namespace touchgate::app {

// One at a time; the engine's thread only. The copy has no threads but the caller's, holds no descriptor but those it opens itself (so
// neither the data folder's lock nor a listening socket outlives the gateway in it), and ends when the gateway's thread ends.
// What runs in it must take no lock that another thread writes under, and must not draw randomness: the parent would draw the same again.
class ProcessCopy final : public BackgroundCopy {
public:
    ~ProcessCopy() override { abandon(); }
    bool begin(const std::function<bool()>& work) override;
    State poll() override;
    void abandon() override;

private:
    pid_t child_ = 0;
};

}  // namespace touchgate::app
