#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "gateway/touch_log/disk.hpp"

namespace touchgate {

Result<void> DiskFile::read_into(std::uint64_t offset, char* to, std::size_t size) const {
    auto bytes = read(offset, size);
    if (!bytes) return bytes.error();
    std::memcpy(to, bytes->data(), size);
    return {};
}

namespace {

// Where space cannot be reserved, this much must stay free beyond what is asked.
constexpr std::uint64_t free_space_margin_bytes = std::uint64_t{64} << 20U;

Error failure(const char* what, const std::string& path, int code) {
    auto kind = ErrorKind::corrupt;
    if (code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE) kind = ErrorKind::unavailable;
    if (code == ENOENT) kind = ErrorKind::not_found;
    if (code == EEXIST) kind = ErrorKind::conflict;
    return {.kind = kind, .detail = std::string{"cannot "} + what + ' ' + path + ": " + std::strerror(code), .retry_after_s = kind == ErrorKind::unavailable ? 5 : 0};
}

template <class Call> auto uninterrupted(const Call& call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

std::string parent_of(const std::string& path) {
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

class RealFile final : public DiskFile {
public:
    RealFile(int descriptor, std::string path, std::chrono::nanoseconds sync_delay)
        : descriptor_{descriptor}, path_{std::move(path)}, sync_delay_{sync_delay} {}
    ~RealFile() override { ::close(descriptor_); }
    RealFile(const RealFile&) = delete;
    RealFile& operator=(const RealFile&) = delete;

    std::uint64_t size() const override {
        struct stat status {};
        return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    }

    Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
        std::string bytes(size, '\0');
        if (auto done = read_into(offset, bytes.data(), size); !done) return done.error();
        return bytes;
    }

    Result<void> read_into(std::uint64_t offset, char* to, std::size_t size) const override {
        while (size > 0) {
            const auto got = uninterrupted([&] { return ::pread(descriptor_, to, size, static_cast<off_t>(offset)); });
            if (got < 0) return Error{.kind = ErrorKind::unavailable, .detail = failure("read", path_, errno).detail, .retry_after_s = 5};
            if (got == 0) return Error{.kind = ErrorKind::corrupt, .detail = path_ + " ends before byte " + std::to_string(offset + size)};
            to += got;
            offset += static_cast<std::uint64_t>(got);
            size -= static_cast<std::size_t>(got);
        }
        return {};
    }

    Result<void> write(std::uint64_t offset, std::string_view bytes) override {
        while (!bytes.empty()) {
            const auto put = uninterrupted([&] { return ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
            if (put < 0) return failure("write", path_, errno);
            bytes.remove_prefix(static_cast<std::size_t>(put));
            offset += static_cast<std::uint64_t>(put);
        }
        return {};
    }

    Result<void> reserve(std::uint64_t upto) override {
        const auto have = size();
        if (upto <= have) return {};
        const int done = uninterrupted([&] {
            return ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(have), static_cast<off_t>(upto - have));
        });
        if (done == 0) return {};
        if (errno != EOPNOTSUPP && errno != ENOSYS) return failure("reserve space for", path_, errno);
        struct statvfs space {};
        if (::fstatvfs(descriptor_, &space) != 0) return failure("see the free space of", path_, errno);
        if (static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize < upto - have + free_space_margin_bytes)
            return failure("reserve space for", path_, ENOSPC);
        return {};
    }

    Result<void> sync() override {
        if (uninterrupted([&] { return ::fdatasync(descriptor_); }) != 0) return failure("sync", path_, errno);
        if (sync_delay_.count() > 0) std::this_thread::sleep_for(sync_delay_);
        return {};
    }

    Result<void> truncate(std::uint64_t size) override {
        if (uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0) return failure("truncate", path_, errno);
        return {};
    }

private:
    int descriptor_;
    std::string path_;
    std::chrono::nanoseconds sync_delay_;
};

class RealDisk final : public Disk {
public:
    explicit RealDisk(std::chrono::nanoseconds sync_delay) : sync_delay_{sync_delay} {}

    Result<std::unique_ptr<DiskFile>> open(const std::string& path, Mode mode) override {
        int flags = O_CLOEXEC;
        if (mode == Mode::read) flags |= O_RDONLY;
        if (mode == Mode::write) flags |= O_RDWR;
        if (mode == Mode::create) flags |= O_RDWR | O_CREAT | O_EXCL;
        const int descriptor = uninterrupted([&] { return ::open(path.c_str(), flags, 0600); });
        if (descriptor < 0) return failure("open", path, errno);
        return std::unique_ptr<DiskFile>{std::make_unique<RealFile>(descriptor, path, sync_delay_)};
    }

    bool exists(const std::string& path) const override { return ::access(path.c_str(), F_OK) == 0; }

    Result<std::vector<std::string>> list(const std::string& folder) const override {
        DIR* const opened = ::opendir(folder.c_str());
        if (opened == nullptr) return failure("list", folder, errno);
        std::vector<std::string> names;
        int code = 0;
        while (true) {
            errno = 0;
            const auto* entry = ::readdir(opened);
            if (entry == nullptr) {
                code = errno;
                break;
            }
            const std::string name = entry->d_name;
            if (name != "." && name != "..") names.push_back(name);
        }
        ::closedir(opened);
        if (code != 0) return failure("list", folder, code);
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<void> make_folder(const std::string& path) override {
        struct stat status {};
        if (::stat(path.c_str(), &status) == 0) {
            if (S_ISDIR(status.st_mode)) return {};
            return failure("make folder", path, EEXIST);
        }
        const auto parent = parent_of(path);
        if (parent != path) {
            if (auto made = make_folder(parent); !made) return made;
        }
        if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failure("make folder", path, errno);
        return sync_folder(parent);
    }

    Result<void> rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) return failure("rename", from, errno);
        if (auto synced = sync_folder(parent_of(to)); !synced) return synced;
        return parent_of(from) == parent_of(to) ? Result<void>{} : sync_folder(parent_of(from));
    }

    Result<void> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return failure("remove", path, errno);
        return {};
    }

    Result<void> sync_folder(const std::string& path) override {
        const int descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
        if (descriptor < 0) return failure("open", path, errno);
        const int done = uninterrupted([&] { return ::fsync(descriptor); });
        const int code = errno;
        ::close(descriptor);
        if (done != 0) return failure("sync", path, code);
        return {};
    }

private:
    std::chrono::nanoseconds sync_delay_;
};

}  // namespace

std::unique_ptr<Disk> make_real_disk(std::chrono::nanoseconds sync_delay) { return std::make_unique<RealDisk>(sync_delay); }

}  // namespace touchgate
