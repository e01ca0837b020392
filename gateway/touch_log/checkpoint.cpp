// A checkpoint file, format 1 (little-endian):
//   0 magic "TOUCHCKP"  8 format u32  12 header size u32  16 sequence u64  24 hash of that record [32]  56 position of the next record u64
//   64 body length u64  72 SHA-256 of the body [32]  104 SHA-256 of bytes 0..103 [32]  136 body
#include "gateway/touch_log/checkpoint.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "gateway/base/bytes.hpp"
#include "gateway/touch_log/format.hpp"

namespace touchgate {

namespace {

constexpr std::string_view checkpoint_magic = "TOUCHCKP";
constexpr std::uint32_t checkpoint_format = 1;
constexpr std::size_t checkpoint_header_bytes = 136;
constexpr std::size_t write_step_bytes = std::size_t{1} << 20U;

std::string folder_of(const std::string& data_dir) { return data_dir + "/checkpoint"; }

std::string name_of(std::uint64_t sequence) {
    char name[32];
    std::snprintf(name, sizeof name, "%020llu.ckpt", static_cast<unsigned long long>(sequence));
    return name;
}

bool is_checkpoint_name(std::string_view name) {
    return name.size() == 25 && name.ends_with(".ckpt") && name.substr(0, 20).find_first_not_of("0123456789") == std::string_view::npos;
}

std::string encode(const LogHead& head, std::uint64_t body_length, const crypto::Digest& body_hash) {
    ByteWriter out;
    out.raw(checkpoint_magic);
    out.u32(checkpoint_format);
    out.u32(checkpoint_header_bytes);
    out.u64(head.sequence);
    out.raw(crypto::view(head.hash));
    out.u64(head.next.value);
    out.u64(body_length);
    out.raw(crypto::view(body_hash));
    const auto check = crypto::sha256(out.bytes());
    out.raw(crypto::view(check));
    return std::move(out.bytes());
}

// Collects pieces into large writes behind the header.
class BodyWriter {
public:
    explicit BodyWriter(DiskFile& file) : file_{file} { pending_.reserve(write_step_bytes); }

    void put(std::string_view piece) {
        hash_.update(piece);
        length_ += piece.size();
        pending_.append(piece);
        if (pending_.size() >= write_step_bytes) flush();
    }
    void flush() {
        if (!failure_ && !pending_.empty()) {
            if (auto done = file_.write(written_, pending_); !done) failure_ = done.error();
            written_ += pending_.size();
        }
        pending_.clear();
    }
    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
    [[nodiscard]] std::uint64_t length() const { return length_; }
    [[nodiscard]] crypto::Digest hash() const { return hash_.digest(); }

private:
    DiskFile& file_;
    std::string pending_;
    crypto::Sha256 hash_;
    std::uint64_t length_ = 0;
    std::uint64_t written_ = checkpoint_header_bytes;
    std::optional<Error> failure_;
};

Result<void> fill(DiskFile& file, const LogHead& head, const std::function<void(const CheckpointSink&)>& write_body) {
    BodyWriter body{file};
    write_body([&](std::string_view piece) { body.put(piece); });
    body.flush();
    if (body.failure()) return *body.failure();
    if (auto done = file.write(0, encode(head, body.length(), body.hash())); !done) return done;
    return file.sync();
}

Result<std::vector<std::string>> checkpoint_names(const Disk& disk, const std::string& folder) {
    auto names = disk.list(folder);
    if (!names) return names.error();
    std::erase_if(*names, [](const std::string& name) { return !is_checkpoint_name(name); });
    return names;
}

// Kind corrupt: not a whole, unchanged checkpoint.
Result<Checkpoint> read_checkpoint(Disk& disk, const std::string& path) {
    const auto corrupt = Error{.kind = ErrorKind::corrupt, .detail = path + " is damaged"};
    const auto file = disk.open(path, Disk::Mode::read);
    if (!file) return file.error();
    const auto size = (*file)->size();
    if (size < checkpoint_header_bytes) return corrupt;
    const auto bytes = (*file)->read(0, checkpoint_header_bytes);
    if (!bytes) return bytes.error();
    ByteReader in{*bytes};
    if (in.raw(checkpoint_magic.size()) != checkpoint_magic || in.u32() != checkpoint_format || in.u32() != checkpoint_header_bytes) return corrupt;
    Checkpoint found;
    found.head.sequence = in.u64();
    found.head.hash = log_format::digest_at(in.raw(found.head.hash.size()).data());
    found.head.next = LogPosition{in.u64()};
    const auto length = in.u64();
    const auto body_hash = in.raw(log_format::hash_bytes);
    const auto fields = std::string_view{*bytes}.substr(0, checkpoint_header_bytes - log_format::hash_bytes);
    if (crypto::view(crypto::sha256(fields)) != in.raw(log_format::hash_bytes) || length != size - checkpoint_header_bytes) return corrupt;
    auto body = (*file)->read(checkpoint_header_bytes, static_cast<std::size_t>(length));
    if (!body) return body.error();
    if (crypto::view(crypto::sha256(*body)) != body_hash) return corrupt;
    found.body = std::move(*body);
    return found;
}

}  // namespace

Result<void> write_checkpoint(Disk& disk, const std::string& data_dir, const LogHead& head, const std::function<void(const CheckpointSink&)>& write_body,
                              std::size_t kept) {
    const auto folder = folder_of(data_dir);
    if (auto made = disk.make_folder(folder); !made) return made;
    const auto path = folder + '/' + name_of(head.sequence);
    const auto unfinished = path + ".new";
    if (disk.exists(unfinished)) {
        if (auto done = disk.remove(unfinished); !done) return done;
    }
    {
        auto file = disk.open(unfinished, Disk::Mode::create);
        if (!file) return file.error();
        if (auto done = fill(**file, head, write_body); !done) {
            file->reset();
            if (auto removed = disk.remove(unfinished); !removed) return removed;
            return done;
        }
    }
    if (auto done = disk.rename(unfinished, path); !done) return done;

    // What cannot be removed now is removed after the next checkpoint.
    const auto names = disk.list(folder);
    if (!names) return {};
    std::size_t newer = 0;
    for (auto name = names->rbegin(); name != names->rend(); ++name) {
        const bool unfinished_one = name->ends_with(".ckpt.new");
        if (!unfinished_one && (!is_checkpoint_name(*name) || newer++ < kept)) continue;
        if (auto done = disk.remove(folder + '/' + *name); !done) break;
    }
    return {};
}

Result<std::optional<Checkpoint>> read_newest_checkpoint(Disk& disk, const std::string& data_dir, std::vector<std::string>& skipped) {
    const auto folder = folder_of(data_dir);
    if (!disk.exists(folder)) return std::optional<Checkpoint>{};
    const auto names = checkpoint_names(disk, folder);
    if (!names) return names.error();
    for (auto name = names->rbegin(); name != names->rend(); ++name) {
        auto found = read_checkpoint(disk, folder + '/' + *name);
        if (found) return std::optional{std::move(*found)};
        if (found.error().kind != ErrorKind::corrupt) return found.error();
        skipped.push_back(*name);
    }
    return std::optional<Checkpoint>{};
}

}  // namespace touchgate
