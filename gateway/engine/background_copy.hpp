// Work on a copy of the engine's memory while the engine goes on: a checkpoint of millions of contacts takes seconds, a turn must not.
#pragma once

#include <functional>

namespace touchgate {

class BackgroundCopy {
public:
    virtual ~BackgroundCopy() = default;
    enum class State { idle, running, succeeded, failed };
    // `work` sees the memory as it is now and may change nothing but files; true: it succeeded. False: it could not begin.
    virtual bool begin(const std::function<bool()>& work) = 0;
    // `succeeded` and `failed` are told once.
    virtual State poll() = 0;
    // Ends what runs; its files may be left unfinished.
    virtual void abandon() = 0;
};

}  // namespace touchgate
