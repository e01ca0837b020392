// A status never goes backwards: failed < delivered < read < replied < completed. Every raw event is kept; only the greatest shows.
#pragma once

#include <cstdint>

namespace touchgate::dispatch {

enum class Progress : std::uint8_t { open = 0, failed, delivered, read, replied, completed };

// True if `next` moves on from `current`. A late `failed` never overwrites `delivered`; a late `delivered` does overwrite `failed`.
[[nodiscard]] constexpr bool advances(Progress current, Progress next) { return static_cast<int>(next) > static_cast<int>(current); }

// The parts of one message: delivered when all are, failed when one is.
struct PartsProgress {
    int parts = 1;
    int delivered = 0;
    int failed = 0;
    [[nodiscard]] constexpr Progress total() const {
        if (delivered >= parts) return Progress::delivered;
        return failed > 0 ? Progress::failed : Progress::open;
    }
};

}  // namespace touchgate::dispatch
