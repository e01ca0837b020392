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
            if (auto keys = KeyStore::open(*made.disk, config.data_dir, *master)) made.keys = std::move(*keys);
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

}  // namespace touchgate::app
