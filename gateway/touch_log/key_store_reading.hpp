// The key store for readers, beside a running gateway or without one.
#pragma once

#include "gateway/touch_log/key_store.hpp"

namespace touchgate {

// Writes, cuts and removes nothing; of the store that it gives, only `find`, `erased` and `known_sequence` may be called. It knows the keys
// that were synced before it was opened. Kind not_found: there is no key store; kind corrupt: wrong master key or damaged.
[[nodiscard]] Result<std::unique_ptr<KeyStore>> open_key_store_for_reading(Disk& disk, const std::string& data_dir, const crypto::Key& master_key);

}  // namespace touchgate
