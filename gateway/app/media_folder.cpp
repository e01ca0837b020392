#include "gateway/app/media_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "gateway/app/config.hpp"
#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view by_digest = "sha256:";
constexpr std::size_t digest_characters = 64;

// A name that lies in the folder itself.
bool is_plain(std::string_view name) {
    return !name.empty() && name.size() <= 200 && name.front() != '.' && name.find_first_of(std::string_view{"/\\\0\r\n\"", 6}) == std::string_view::npos;
}

std::string type_of(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> types = {{{".jpg", "image/jpeg"},
                                                                                             {".jpeg", "image/jpeg"},
                                                                                             {".png", "image/png"},
                                                                                             {".gif", "image/gif"},
                                                                                             {".bmp", "image/bmp"},
                                                                                             {".amr", "audio/amr"},
                                                                                             {".mp3", "audio/mpeg"},
                                                                                             {".mp4", "video/mp4"},
                                                                                             {".pdf", "application/pdf"}}};
    const auto lower = to_lower_ascii(name);
    for (const auto& [extension, type] : types)
        if (lower.ends_with(extension)) return std::string{type};
    return "application/octet-stream";
}

std::int64_t changed_at(const struct stat& status) { return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec; }

}  // namespace

MediaFolder::MediaFolder(std::string folder, std::string uploads) : folder_{std::move(folder)}, uploads_{std::move(uploads)} {}

std::optional<channel::MediaFacts> MediaFolder::find(std::string_view reference) const {
    const std::lock_guard lock{mutex_};
    if (reference.starts_with(by_digest)) {
        const auto digest = reference.substr(by_digest.size());
        if (const auto found = by_digest_.find(digest); found != by_digest_.end()) return found->second.facts;
        list_uploads();
        const auto found = by_digest_.find(digest);
        return found == by_digest_.end() ? std::nullopt : std::optional{found->second.facts};
    }
    if (!is_plain(reference) || folder_.empty()) return std::nullopt;
    const auto path = folder_ + "/" + std::string{reference};
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    const auto changed = changed_at(status);
    if (const auto known = by_name_.find(reference);
        known != by_name_.end() && known->second.changed == changed && known->second.facts.bytes == static_cast<std::size_t>(status.st_size))
        return known->second.facts;
    const auto bytes = read_file(path);
    if (!bytes) return std::nullopt;
    const auto digest = crypto::sha256(*bytes);
    Known known{.path = path, .changed = changed, .facts = {.name = std::string{reference}, .type = type_of(reference), .bytes = bytes->size(), .digest = to_hex(crypto::view(digest))}};
    by_digest_.insert_or_assign(known.facts.digest, known);
    return by_name_.insert_or_assign(std::string{reference}, std::move(known)).first->second.facts;
}

std::optional<std::string> MediaFolder::bytes_of(std::string_view digest) const {
    std::string path;
    {
        const std::lock_guard lock{mutex_};
        auto found = by_digest_.find(digest);
        if (found == by_digest_.end()) {
            list_uploads();
            found = by_digest_.find(digest);
        }
        if (found == by_digest_.end()) return std::nullopt;
        path = found->second.path;
    }
    auto bytes = read_file(path);
    if (!bytes) return std::nullopt;
    // What the file has become since is another medium.
    const auto now = crypto::sha256(*bytes);
    if (to_hex(crypto::view(now)) != digest) return std::nullopt;
    return bytes;
}

// An upload's file is called <digest>-<name>.
void MediaFolder::list_uploads() const {
    if (std::exchange(uploads_listed_, true)) return;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{uploads_, error}) {
        const auto name = entry.path().filename().string();
        if (name.size() < digest_characters + 2 || name[digest_characters] != '-' || !entry.is_regular_file(error)) continue;
        const auto digest = name.substr(0, digest_characters);
        const auto own = name.substr(digest_characters + 1);
        if (name.ends_with(".new")) continue;  // of an upload that was never finished
        by_digest_.try_emplace(digest, Known{.path = entry.path().string(), .facts = {.name = own, .type = type_of(own), .bytes = static_cast<std::size_t>(entry.file_size(error)), .digest = digest}});
    }
}

Result<channel::MediaFacts> MediaFolder::keep(std::string_view name, std::string_view type, std::string_view bytes) {
    if (!is_plain(name)) return invalid("/name", "must be a file name such as offer.png, without folders");
    if (bytes.empty()) return invalid("", "the body is empty: it must be the file's bytes");
    const auto hash = crypto::sha256(bytes);
    channel::MediaFacts facts{.name = std::string{name}, .type = type.empty() ? type_of(name) : std::string{type}, .bytes = bytes.size(), .digest = to_hex(crypto::view(hash))};
    const std::lock_guard lock{mutex_};
    list_uploads();
    if (const auto known = by_digest_.find(facts.digest); known != by_digest_.end() && known->second.path.starts_with(uploads_)) return known->second.facts;
    std::error_code error;
    fs::create_directories(uploads_, error);
    const auto path = uploads_ + "/" + facts.digest + "-" + facts.name;
    const auto fresh = path + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = file >= 0;
    for (std::size_t at = 0; written && at < bytes.size();) {
        const auto count = ::write(file, bytes.data() + at, bytes.size() - at);
        written = count > 0;
        if (written) at += static_cast<std::size_t>(count);
    }
    if (file >= 0) {
        written = ::fsync(file) == 0 && written;
        ::close(file);
    }
    if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) {
        ::unlink(fresh.c_str());
        return Error{.kind = ErrorKind::unavailable, .detail = "the file cannot be written to the data folder", .problems = {}, .retry_after_s = 10};
    }
    by_digest_.insert_or_assign(facts.digest, Known{.path = path, .facts = facts});
    return facts;
}

}  // namespace touchgate::app
