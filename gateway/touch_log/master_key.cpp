#include <cstring>

#include "gateway/base/text.hpp"
#include "gateway/touch_log/key_store.hpp"

namespace touchgate {

namespace {

Result<crypto::Key> parse(std::string_view text, const std::string& whence) {
    const auto bytes = crypto::from_base64(trim(text));
    crypto::Key key;
    if (!bytes || bytes->size() != key.size())
        return Error{.kind = ErrorKind::invalid_input, .detail = "the master key " + whence + " is not the Base64 of 32 bytes"};
    std::memcpy(key.data(), bytes->data(), key.size());
    return key;
}

bool holds_history(const Disk& disk, const std::string& data_dir) {
    if (disk.exists(data_dir + "/keys/contacts.keys")) return true;
    if (!disk.exists(data_dir + "/log")) return false;
    const auto names = disk.list(data_dir + "/log");
    if (!names) return true;
    for (const auto& name : *names) {
        if (name.ends_with(".log")) return true;
    }
    return false;
}

}  // namespace

Result<crypto::Key> load_master_key(Disk& disk, const std::string& data_dir, std::string_view given_base64) {
    if (!trim(given_base64).empty()) return parse(given_base64, "that was given");
    const auto path = data_dir + "/master.key";
    if (disk.exists(path)) {
        const auto file = disk.open(path, Disk::Mode::read);
        if (!file) return file.error();
        const auto bytes = (*file)->read(0, static_cast<std::size_t>((*file)->size()));
        if (!bytes) return bytes.error();
        // The process that made it may have been killed before its name was durable.
        if (auto done = disk.sync_folder(data_dir); !done) return done.error();
        return parse(*bytes, "in " + path);
    }
    if (holds_history(disk, data_dir))
        return Error{.kind = ErrorKind::corrupt, .detail = data_dir + " holds a log, but there is no master key: " + path + " is missing and none was given"};

    if (auto made = disk.make_folder(data_dir); !made) return made.error();
    const auto key = crypto::random_key();
    const auto unfinished = path + ".new";
    if (disk.exists(unfinished)) {
        if (auto done = disk.remove(unfinished); !done) return done.error();
    }
    auto file = disk.open(unfinished, Disk::Mode::create);
    if (!file) return file.error();
    if (auto done = (*file)->write(0, crypto::base64(crypto::view(key)) + '\n'); !done) return done.error();
    if (auto done = (*file)->sync(); !done) return done.error();
    if (auto done = disk.rename(unfinished, path); !done) return done.error();
    return key;
}

}  // namespace touchgate
