// Moving sealed segments to another folder. The copy is whole, durable and compared before the original goes, so a crash at any step
// leaves at least one.
#include <algorithm>

#include "gateway/touch_log/segment_walk.hpp"

namespace touchgate {

using namespace log_format;

namespace {

constexpr std::size_t copy_step_bytes = std::size_t{1} << 20U;

struct Inspected {
    bool sealed = false;
    Instant newest{};
};

// Whether the segment is complete, and the time of its newest record. Damage is an error: nothing damaged is moved.
Result<Inspected> inspect(Disk& disk, const SegmentFile& segment) {
    auto file = disk.open(segment.path, Disk::Mode::read);
    if (!file) return file.error();
    FileWindow window{**file, (*file)->size()};
    const auto header = decode_header(window.view(0, header_bytes));
    if (window.failure()) return *window.failure();
    if (!header) return header.error();
    WalkState start;
    start.sequence = header->first_sequence - 1;
    start.hash = header->previous_hash;
    SegmentWalk walk{window, header->log_id, segment.number, start};
    crypto::Sha256 file_hash;
    file_hash.update(window.view(0, header_bytes));
    Inspected found{.sealed = false, .newest = Instant::min()};
    while (true) {
        const auto& item = walk.next();
        if (window.failure()) return *window.failure();
        if (item.kind == ItemKind::record) found.newest = std::max(found.newest, item.record.time);
        if (item.kind == ItemKind::record || item.kind == ItemKind::trailer) {
            file_hash.update(window.view(item.offset, static_cast<std::size_t>(item.length)));
            continue;
        }
        if (item.kind == ItemKind::end) return found;
        found.sealed = item.kind == ItemKind::footer && walk.state().offset == window.end() && item.footer.file_hash == file_hash.digest();
        if (found.sealed) return found;
        return Error{.kind = ErrorKind::corrupt,
                     .detail = describe({.file = segment.shown, .offset = item.offset, .sequence = item.sequence, .reason = *item.reason == '\0' ? "checksum" : item.reason})};
    }
}

Result<bool> same_bytes(const DiskFile& a, const DiskFile& b) {
    if (a.size() != b.size()) return false;
    for (std::uint64_t offset = 0; offset < a.size(); offset += copy_step_bytes) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(copy_step_bytes, a.size() - offset));
        const auto left = a.read(offset, size);
        if (!left) return left.error();
        const auto right = b.read(offset, size);
        if (!right) return right.error();
        if (*left != *right) return false;
    }
    return true;
}

Result<void> copy(Disk& disk, const std::string& from, const std::string& to) {
    const auto unfinished = to + ".new";
    if (disk.exists(unfinished)) {
        if (auto done = disk.remove(unfinished); !done) return done;
    }
    auto source = disk.open(from, Disk::Mode::read);
    if (!source) return source.error();
    auto target = disk.open(unfinished, Disk::Mode::create);
    if (!target) return target.error();
    const auto size = (*source)->size();
    for (std::uint64_t offset = 0; offset < size; offset += copy_step_bytes) {
        const auto bytes = (*source)->read(offset, static_cast<std::size_t>(std::min<std::uint64_t>(copy_step_bytes, size - offset)));
        if (!bytes) return bytes.error();
        if (auto done = (*target)->write(offset, *bytes); !done) return done;
    }
    if (auto done = (*target)->sync(); !done) return done;
    return disk.rename(unfinished, to);
}

Result<void> move_segment(Disk& disk, const FileLogOptions& options, const SegmentFile& segment) {
    const auto to = options.archive_dir + '/' + segment_name(segment.number);
    if (!disk.exists(to)) {
        if (auto done = copy(disk, segment.path, to); !done) return done;
    }
    const auto source = disk.open(segment.path, Disk::Mode::read);
    if (!source) return source.error();
    const auto target = disk.open(to, Disk::Mode::read);
    if (!target) return target.error();
    const auto same = same_bytes(**source, **target);
    if (!same) return same.error();
    if (!*same) return Error{.kind = ErrorKind::corrupt, .detail = to + " differs from " + segment.shown};
    // A copy that was already there may have come from a process that was killed before its name was durable.
    if (auto done = disk.sync_folder(options.archive_dir); !done) return done;
    if (auto done = disk.remove(segment.path); !done) return done;
    return disk.sync_folder(log_folder(options));
}

}  // namespace

Result<std::vector<std::string>> archive_segments(Disk& disk, const FileLogOptions& options, Instant before) {
    if (options.archive_dir.empty()) return Error{.kind = ErrorKind::invalid_input, .detail = "no archive folder is configured"};
    if (auto made = disk.make_folder(options.archive_dir); !made) return made.error();
    const auto segments = list_segments(disk, options);
    if (!segments) return segments.error();
    std::vector<std::string> moved;
    for (std::size_t i = 0; i + 1 < segments->size(); ++i) {  // the newest segment stays: it is being written
        const auto& segment = (*segments)[i];
        if (segment.path != log_folder(options) + '/' + segment_name(segment.number)) continue;  // there already
        const auto found = inspect(disk, segment);
        if (!found) return found.error();
        if (!found->sealed || found->newest >= before) break;
        if (auto done = move_segment(disk, options, segment); !done) return done.error();
        moved.push_back(segment_name(segment.number));
    }
    return moved;
}

}  // namespace touchgate
