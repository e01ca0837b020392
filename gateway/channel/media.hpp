// Pictures, voices, videos and files that content names: where adapters find them. The files are the program's; what a platform makes of one (a
// media id that lasts three days) is a resource like a token, see Need.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::channel {

struct MediaFacts {
    std::string name;           // a file name, with an extension
    std::string type;           // "image/png"
    std::size_t bytes = 0;
    std::string digest;         // SHA-256, hex
};

// Any thread.
class MediaLibrary {
public:
    virtual ~MediaLibrary() = default;
    // `reference`: the name of a file of the configured folder, or "sha256:<hex>" as an upload was answered. Nothing: there is none.
    [[nodiscard]] virtual std::optional<MediaFacts> find(std::string_view reference) const = 0;
    // The bytes of what find() named by this digest; nothing when the file is gone.
    [[nodiscard]] virtual std::optional<std::string> bytes_of(std::string_view digest) const = 0;
};

}  // namespace touchgate::channel
