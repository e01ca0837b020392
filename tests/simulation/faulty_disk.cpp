#include "tests/simulation/faulty_disk.hpp"

#include <algorithm>
#include <cstring>

namespace touchgate::simulation {

namespace {

std::string parent_of(const std::string& path) {
    const auto slash = path.find_last_of('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

// The bytes up to the last sector boundary: nothing smaller than a sector is written in part.
std::string_view whole_sectors(std::uint64_t offset, std::string_view bytes) {
    const auto end = (offset + bytes.size()) / FaultyDisk::sector_bytes * FaultyDisk::sector_bytes;
    return end <= offset ? std::string_view{} : bytes.substr(0, static_cast<std::size_t>(end - offset));
}

Error device_failed() { return {.kind = ErrorKind::corrupt, .detail = "the simulated device failed"}; }
Error disk_full() { return {.kind = ErrorKind::unavailable, .detail = "the simulated disk is full", .retry_after_s = 5}; }
Error no_file(const std::string& path) { return {.kind = ErrorKind::not_found, .detail = "no file " + path}; }

}  // namespace

class FaultyFile final : public DiskFile {
public:
    FaultyFile(FaultyDisk& disk, std::shared_ptr<FaultyDisk::Node> node, bool writable)
        : disk_{disk}, node_{std::move(node)}, writable_{writable}, age_{disk.age_} {}

    std::uint64_t size() const override {
        const std::lock_guard lock{disk_.mutex_};
        return node_->bytes.size();
    }

    Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
        std::string bytes(size, '\0');
        if (auto done = read_into(offset, bytes.data(), size); !done) return done.error();
        return bytes;
    }

    Result<void> read_into(std::uint64_t offset, char* to, std::size_t size) const override {
        const std::lock_guard lock{disk_.mutex_};
        if (age_ != disk_.age_) return device_failed();
        if (auto done = disk_.readable(); !done) return done;
        if (offset > node_->bytes.size() || size > node_->bytes.size() - offset)
            return Error{.kind = ErrorKind::corrupt, .detail = "the simulated file ends before the bytes asked for"};
        std::memcpy(to, node_->bytes.data() + offset, size);
        disk_.counters_.bytes_read += size;
        return {};
    }

    Result<void> write(std::uint64_t offset, std::string_view bytes) override {
        const std::lock_guard lock{disk_.mutex_};
        if (auto done = usable(); !done) return done;
        return disk_.write(*node_, offset, bytes);
    }

    Result<void> reserve(std::uint64_t size) override {
        const std::lock_guard lock{disk_.mutex_};
        if (auto done = usable(); !done) return done;
        if (auto done = disk_.change(); !done) return done;
        const auto have = std::max<std::uint64_t>(node_->bytes.size(), node_->reserved);
        if (size > have && size - have > disk_.capacity_ - std::min(disk_.capacity_, disk_.used_bytes())) return disk_full();
        node_->reserved = std::max(node_->reserved, size);
        return {};
    }

    Result<void> sync() override {
        if (disk_.others_) disk_.others_();
        const std::lock_guard lock{disk_.mutex_};
        if (auto done = usable(); !done) return done;
        return disk_.sync(*node_);
    }

    Result<void> truncate(std::uint64_t size) override {
        const std::lock_guard lock{disk_.mutex_};
        if (auto done = usable(); !done) return done;
        if (auto done = disk_.change(); !done) return done;
        const auto old = node_->bytes.size();
        node_->bytes.resize(static_cast<std::size_t>(size), '\0');
        node_->reserved = 0;
        const auto from = std::min<std::uint64_t>(old, size) / FaultyDisk::sector_bytes;
        const auto to = (std::max<std::uint64_t>(old, size) + FaultyDisk::sector_bytes - 1) / FaultyDisk::sector_bytes;
        for (auto sector = from; sector < to; ++sector) node_->dirty.insert(sector);
        return {};
    }

private:
    Result<void> usable() const {
        if (age_ != disk_.age_ || !writable_) return device_failed();
        return {};
    }

    FaultyDisk& disk_;
    std::shared_ptr<FaultyDisk::Node> node_;
    bool writable_;
    std::uint64_t age_;
};

Result<void> FaultyDisk::change() {
    ++counters_.changes;
    if (down_) return device_failed();
    if (fail_at_ == unlimited) return {};
    if (fail_at_-- > 0) return {};
    fail_at_ = unlimited;
    failed_ = true;
    down_ = keep_failing_;
    return device_failed();
}

Result<void> FaultyDisk::readable() const {
    ++counters_.reads;
    if (down_) return device_failed();
    return {};
}

std::uint64_t FaultyDisk::used_bytes() const {
    std::uint64_t used = 0;
    for (const auto& [path, node] : nodes_) used += std::max<std::uint64_t>(node->bytes.size(), node->reserved);
    return used;
}

void FaultyDisk::put(Node& node, std::uint64_t offset, std::string_view bytes) {
    if (bytes.empty()) return;
    const auto end = offset + bytes.size();
    const auto first_changed = std::min<std::uint64_t>(offset, node.bytes.size());  // a gap is filled with zeros
    if (node.bytes.size() < end) node.bytes.resize(static_cast<std::size_t>(end), '\0');
    std::memcpy(node.bytes.data() + offset, bytes.data(), bytes.size());
    for (auto sector = first_changed / sector_bytes; sector * sector_bytes < end; ++sector) node.dirty.insert(sector);
}

Result<void> FaultyDisk::write(Node& node, std::uint64_t offset, std::string_view bytes) {
    if (auto done = change(); !done) {
        // Some of its sectors may have arrived.
        if (!bytes.empty() && random_.chance(0.5)) put(node, offset, whole_sectors(offset, bytes.substr(0, static_cast<std::size_t>(random_.below(bytes.size() + 1)))));
        return done;
    }
    ++counters_.writes;
    const auto have = std::max<std::uint64_t>(node.bytes.size(), node.reserved);
    const auto end = offset + bytes.size();
    const auto free = capacity_ - std::min(capacity_, used_bytes());
    if (end > have && end - have > free) {
        // As a real disk does, it takes what fits.
        const auto fits = have + free > offset ? have + free - offset : 0;
        put(node, offset, whole_sectors(offset, bytes.substr(0, static_cast<std::size_t>(fits))));
        return disk_full();
    }
    put(node, offset, bytes);
    counters_.bytes_written += bytes.size();
    return {};
}

Result<void> FaultyDisk::sync(Node& node) {
    if (auto done = change(); !done) {
        // After a failed sync nobody knows what is durable.
        for (auto sector = node.dirty.begin(); sector != node.dirty.end();) {
            const auto offset = static_cast<std::size_t>(*sector * sector_bytes);
            if (offset < node.bytes.size() && random_.chance(0.5)) {
                const auto size = std::min(sector_bytes, node.bytes.size() - offset);
                if (node.durable.size() < offset + size) node.durable.resize(offset + size, '\0');
                std::memcpy(node.durable.data() + offset, node.bytes.data() + offset, size);
            }
            ++sector;
        }
        return done;
    }
    ++counters_.syncs;
    node.durable = node.bytes;
    node.dirty.clear();
    return {};
}

void FaultyDisk::lose_unsynced(Node& node) {
    if (node.dirty.empty() && node.bytes.size() == node.durable.size()) return;
    // The length: the old one, the new one, or one that a part of the writes had reached.
    std::size_t length = node.durable.size();
    const auto choice = random_.below(3);
    if (choice == 1) length = node.bytes.size();
    if (choice == 2) {
        const auto low = std::min(node.bytes.size(), node.durable.size());
        const auto high = std::max(node.bytes.size(), node.durable.size());
        length = low + static_cast<std::size_t>(random_.below(high - low + 1));
    }
    std::string after(std::max(node.bytes.size(), node.durable.size()), '\0');
    std::memcpy(after.data(), node.durable.data(), node.durable.size());
    // Often almost everything or almost nothing arrives, so that both ends of the scale are tried as well.
    const double kept = random_.chance(0.5) ? random_.unit() : (random_.chance(0.5) ? 0.95 : 0.05);
    for (const auto sector : node.dirty) {
        const auto offset = static_cast<std::size_t>(sector * sector_bytes);
        if (offset >= after.size() || !random_.chance(kept)) continue;
        const auto end = std::min(after.size(), offset + sector_bytes);
        for (auto at = offset; at < end; ++at) after[at] = at < node.bytes.size() ? node.bytes[at] : '\0';
    }
    after.resize(length, '\0');
    node.bytes = after;
    node.durable = std::move(after);
    node.dirty.clear();
}

void FaultyDisk::crash() {
    const std::lock_guard lock{mutex_};
    Nodes after;
    std::set<std::string> names;
    for (const auto& [path, node] : nodes_) names.insert(path);
    for (const auto& [path, node] : durable_nodes_) names.insert(path);
    for (const auto& path : names) {
        const auto now = nodes_.find(path);
        const auto before = durable_nodes_.find(path);
        const auto current = now == nodes_.end() ? nullptr : now->second;
        const auto old = before == durable_nodes_.end() ? nullptr : before->second;
        const auto& kept = current == old || random_.chance(0.5) ? current : old;
        if (kept) after[path] = kept;
    }
    for (const auto& [path, node] : after) {
        lose_unsynced(*node);
        node->reserved = 0;
    }
    nodes_ = after;
    durable_nodes_ = std::move(after);
    ++age_;
    fail_at_ = unlimited;
    down_ = false;
    failed_ = false;
}

void FaultyDisk::kill() {
    const std::lock_guard lock{mutex_};
    ++age_;
    fail_at_ = unlimited;
    down_ = false;
    failed_ = false;
}

void FaultyDisk::fail_from(std::uint64_t n) {
    const std::lock_guard lock{mutex_};
    fail_at_ = n;
    keep_failing_ = true;
}

void FaultyDisk::fail_once(std::uint64_t n) {
    const std::lock_guard lock{mutex_};
    fail_at_ = n;
    keep_failing_ = false;
}

bool FaultyDisk::failed() const {
    const std::lock_guard lock{mutex_};
    return failed_;
}

void FaultyDisk::set_capacity(std::uint64_t bytes) {
    const std::lock_guard lock{mutex_};
    capacity_ = bytes;
}

FaultyDisk::Counters FaultyDisk::counters() const {
    const std::lock_guard lock{mutex_};
    return counters_;
}

std::string FaultyDisk::bytes(const std::string& path) const {
    const std::lock_guard lock{mutex_};
    const auto at = nodes_.find(path);
    return at == nodes_.end() ? std::string{} : at->second->bytes;
}

void FaultyDisk::set_bytes(const std::string& path, std::string bytes) {
    const std::lock_guard lock{mutex_};
    auto& node = nodes_[path];
    if (!node) node = std::make_shared<Node>();
    node->bytes = bytes;
    node->durable = std::move(bytes);
    node->dirty.clear();
    durable_nodes_[path] = node;
    for (auto folder = parent_of(path); !folder.empty(); folder = parent_of(folder)) folders_.insert(folder);
}

std::vector<std::string> FaultyDisk::paths() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> found;
    for (const auto& [path, node] : nodes_) found.push_back(path);
    return found;
}

Result<std::unique_ptr<DiskFile>> FaultyDisk::open(const std::string& path, Mode mode) {
    const std::lock_guard lock{mutex_};
    const auto at = nodes_.find(path);
    if (mode != Mode::create) {
        if (auto done = readable(); !done) return done.error();
        if (at == nodes_.end()) return no_file(path);
        return std::unique_ptr<DiskFile>{std::make_unique<FaultyFile>(*this, at->second, mode == Mode::write)};
    }
    if (auto done = change(); !done) return done.error();
    if (at != nodes_.end()) return Error{.kind = ErrorKind::conflict, .detail = path + " exists already"};
    if (!folders_.contains(parent_of(path))) return no_file(parent_of(path));
    auto node = std::make_shared<Node>();
    nodes_[path] = node;
    return std::unique_ptr<DiskFile>{std::make_unique<FaultyFile>(*this, node, true)};
}

bool FaultyDisk::exists(const std::string& path) const {
    const std::lock_guard lock{mutex_};
    return nodes_.contains(path) || folders_.contains(path);
}

Result<std::vector<std::string>> FaultyDisk::list(const std::string& folder) const {
    const std::lock_guard lock{mutex_};
    if (auto done = readable(); !done) return done.error();
    if (!folders_.contains(folder)) return no_file(folder);
    std::vector<std::string> names;
    for (const auto& [path, node] : nodes_) {
        if (parent_of(path) == folder) names.push_back(path.substr(folder.size() + 1));
    }
    return names;
}

Result<void> FaultyDisk::make_folder(const std::string& path) {
    const std::lock_guard lock{mutex_};
    if (folders_.contains(path)) return {};
    if (auto done = change(); !done) return done;
    for (auto folder = path; !folder.empty(); folder = parent_of(folder)) folders_.insert(folder);
    return {};
}

// Without this, an entry that was made, renamed or removed may or may not be there after a crash.
void FaultyDisk::sync_entries(const std::string& folder) {
    std::erase_if(durable_nodes_, [&](const auto& entry) { return parent_of(entry.first) == folder && !nodes_.contains(entry.first); });
    for (const auto& [path, node] : nodes_) {
        if (parent_of(path) == folder) durable_nodes_[path] = node;
    }
}

Result<void> FaultyDisk::rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock{mutex_};
    const auto done = change();
    const auto at = nodes_.find(from);
    if (at == nodes_.end()) return done ? no_file(from) : done;
    if (!done) {
        // Either all of it happened or nothing.
        if (!random_.chance(0.5)) return done;
    }
    const auto node = at->second;
    nodes_.erase(at);
    nodes_[to] = node;
    sync_entries(parent_of(from));
    sync_entries(parent_of(to));
    return done;
}

Result<void> FaultyDisk::remove(const std::string& path) {
    const std::lock_guard lock{mutex_};
    if (auto done = change(); !done) return done;
    if (nodes_.erase(path) == 0) return no_file(path);
    return {};
}

Result<void> FaultyDisk::sync_folder(const std::string& path) {
    const std::lock_guard lock{mutex_};
    if (auto done = change(); !done) return done;
    ++counters_.folder_syncs;
    sync_entries(path);
    return {};
}

}  // namespace touchgate::simulation
