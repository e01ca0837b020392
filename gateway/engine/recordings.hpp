// The files of recordings: sealed under their contact's key, readable in parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/random.hpp"
#include "gateway/base/result.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/touch_log/disk.hpp"

namespace touchgate {

[[nodiscard]] std::string recording_path(const std::string& data_dir, std::string_view name);
// Whole and durable, or not at all.
Result<void> write_recording(Disk& disk, const std::string& path, const crypto::Key& key, std::string_view bytes, Random& random);
// At most `size` bytes from `from` on. Kind corrupt: cut off, damaged, or sealed under another key.
[[nodiscard]] Result<std::string> read_recording(Disk& disk, const std::string& path, const crypto::Key& key, std::uint64_t from, std::uint64_t size);

}  // namespace touchgate
