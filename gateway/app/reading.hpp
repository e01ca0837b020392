// Opening a data folder for reading only, beside a running gateway or without one: for `log`, `policy explain`, `policy replay`, `report`
// and `export`.
#pragma once

#include <memory>
#include <string>

#include "gateway/app/config.hpp"
#include "gateway/engine/policy_replay.hpp"
#include "gateway/projection/log_names.hpp"
#include "gateway/projection/projection.hpp"
#include "gateway/projection/queries.hpp"
#include "gateway/touch_log/key_store_reading.hpp"

namespace touchgate::app {

struct DataFolder {
    std::unique_ptr<Disk> disk;
    std::unique_ptr<LogReader> log;
    std::unique_ptr<KeyStore> keys;       // null when it cannot be opened: nothing is unsealed then
    std::unique_ptr<projection::LogNames> names;
    std::unique_ptr<projection::Projection> projection;  // only with `with_projection`
    std::unique_ptr<projection::Queries> queries;
};

[[nodiscard]] Result<DataFolder> open_data_folder(const Config& config, bool with_projection);

// What a replay of policies reads. Puts the keys that the master key derives into `config.engine`.
struct ReplayFolder {
    std::unique_ptr<Disk> disk;
    std::unique_ptr<LogReader> log;
    std::unique_ptr<KeyStore> keys;
    LogHead head;
    [[nodiscard]] ReplaySource view() const { return {.disk = *disk, .reader = *log, .keys = *keys, .head = head}; }
};
// Kind not_found: there is no log; kind corrupt: no or another master key.
[[nodiscard]] Result<ReplayFolder> open_replay_folder(Config& config);

}  // namespace touchgate::app
