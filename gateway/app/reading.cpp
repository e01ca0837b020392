#include "gateway/app/reading.hpp"

namespace touchgate::app {

Result<DataFolder> open_data_folder(const Config& config, bool with_projection) {
    DataFolder made;
    made.disk = make_real_disk();
    auto log = FileLog::open_for_reading(*made.disk, {.data_dir = config.data_dir, .archive_dir = config.archive_dir});
    if (!log) return log.error();
    made.log = std::move(*log);
    // Reading must not make a master key: without one there is nothing to unseal.
    if (!config.master_key.empty() || made.disk->exists(config.data_dir + "/master.key"))
        if (const auto master = load_master_key(*made.disk, config.data_dir, config.master_key))
            if (auto keys = open_key_store_for_reading(*made.disk, config.data_dir, *master)) made.keys = std::move(*keys);
    made.names = std::make_unique<projection::LogNames>([keys = made.keys.get()](ContactIndex contact) { return keys == nullptr ? nullptr : keys->find(contact); });
    if (with_projection) {
        auto projection = projection::Projection::open_for_reading(config.data_dir + "/projection.sqlite", *made.log, *made.names);
        if (!projection) return projection.error();
        made.projection = std::move(*projection);
        if (auto caught = made.names->catch_up(*made.log); !caught) return caught.error();
        made.queries = std::make_unique<projection::Queries>(*made.projection, *made.log, *made.names);
    }
    return made;
}

Result<ReplayFolder> open_replay_folder(Config& config) {
    ReplayFolder made;
    made.disk = make_real_disk();
    auto log = FileLog::open_for_reading(*made.disk, {.data_dir = config.data_dir});
    if (!log) return log.error();
    made.log = std::move(*log);
    // First the end of the log, then the keys: what is written meanwhile may have keys that were not there yet.
    made.head = made.log->durable_head();
    if (config.master_key.empty() && !made.disk->exists(config.data_dir + "/master.key"))
        return Error{.kind = ErrorKind::corrupt, .detail = config.data_dir + "/master.key is missing and no master_key is configured: nothing can be unsealed"};
    const auto master = load_master_key(*made.disk, config.data_dir, config.master_key);
    if (!master) return master.error();
    config.engine.index_key = *master;
    auto keys = open_key_store_for_reading(*made.disk, config.data_dir, *master);
    if (!keys) return keys.error();
    made.keys = std::move(*keys);
    return made;
}

}  // namespace touchgate::app
