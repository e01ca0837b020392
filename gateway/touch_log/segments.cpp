#include "gateway/touch_log/segments.hpp"

#include <algorithm>

namespace touchgate::log_format {

namespace {

constexpr std::size_t read_ahead_max = std::size_t{1} << 20U;

std::string path_in_log(const FileLogOptions& options, std::uint32_t number) { return log_folder(options) + '/' + segment_name(number); }
std::string path_in_archive(const FileLogOptions& options, std::uint32_t number) { return options.archive_dir + '/' + segment_name(number); }

}  // namespace

std::string log_folder(const FileLogOptions& options) { return options.data_dir + "/log"; }

Result<std::vector<SegmentFile>> list_segments(const Disk& disk, const FileLogOptions& options) {
    std::vector<SegmentFile> found;
    if (!options.archive_dir.empty() && disk.exists(options.archive_dir)) {
        const auto names = disk.list(options.archive_dir);
        if (!names) return names.error();
        for (const auto& name : *names) {
            if (const auto number = parse_segment_name(name)) found.push_back({*number, path_in_archive(options, *number), path_in_archive(options, *number)});
        }
    }
    if (!disk.exists(log_folder(options))) return Error{.kind = ErrorKind::not_found, .detail = "there is no log in " + options.data_dir};
    const auto names = disk.list(log_folder(options));
    if (!names) return names.error();
    for (const auto& name : *names) {
        const auto number = parse_segment_name(name);
        if (!number) continue;
        std::erase_if(found, [&](const SegmentFile& other) { return other.number == *number; });
        found.push_back({*number, path_in_log(options, *number), "log/" + name});
    }
    std::sort(found.begin(), found.end(), [](const SegmentFile& a, const SegmentFile& b) { return a.number < b.number; });
    return found;
}

Result<std::unique_ptr<DiskFile>> open_segment(Disk& disk, const FileLogOptions& options, std::uint32_t number) {
    auto opened = disk.open(path_in_log(options, number), Disk::Mode::read);
    if (opened || opened.error().kind != ErrorKind::not_found || options.archive_dir.empty()) return opened;
    return disk.open(path_in_archive(options, number), Disk::Mode::read);
}

std::string describe(const LogDamage& damage) {
    return "damaged: file=" + damage.file + " offset=" + std::to_string(damage.offset) + " sequence=" + std::to_string(damage.sequence) +
           " reason=" + damage.reason;
}

std::string_view FileWindow::refill(std::uint64_t offset, std::size_t size) {
    if (failure_ || offset >= end_) return {};
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - offset));
    read_ahead_ = std::min(read_ahead_ * 2, read_ahead_max);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(size, read_ahead_), end_ - offset));
    if (wanted > capacity_) {
        buffer_ = std::make_unique_for_overwrite<char[]>(wanted);
        capacity_ = wanted;
    }
    begin_ = offset;
    filled_ = 0;
    if (auto done = file_.read_into(offset, buffer_.get(), wanted); !done) {
        failure_ = done.error();
        return {};
    }
    filled_ = wanted;
    return {buffer_.get(), size};
}

}  // namespace touchgate::log_format
