// Checkpoint files: `DATA_DIR/checkpoint/<sequence>.ckpt`, a header (format version, log position and hash, body length, SHA-256 of the
// body) and the engine's dump. Written to a temporary name, synced, renamed; older ones are then removed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/touch_log/log.hpp"

namespace touchgate {

struct Checkpoint {
    LogHead head;       // the state is the fold of all records up to here
    std::string body;
};

// `write_body` is called with a sink that takes the dump piece by piece.
using CheckpointSink = std::function<void(std::string_view piece)>;
// `kept`: how many checkpoints there are afterwards at most. An older one still holds what was erased since.
Result<void> write_checkpoint(Disk& disk, const std::string& data_dir, const LogHead& head, const std::function<void(const CheckpointSink&)>& write_body,
                              std::size_t kept = 2);
// The newest valid one; damaged ones are passed over (their names go to `skipped`). Nothing when there is none.
Result<std::optional<Checkpoint>> read_newest_checkpoint(Disk& disk, const std::string& data_dir, std::vector<std::string>& skipped);

}  // namespace touchgate
